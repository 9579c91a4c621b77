"""Rules: what the gateway holds clients to and tells them of, joined from the sections that concern it."""

from dataclasses import dataclass

from worldloom.config import Config
from worldloom.ports import WorldRow
from worldloom_sdk.protocol.geometry import XZ_PER_M, Y_PER_M

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Names are the keys of the configuration; ``speed`` and ``climb`` are in wire units a second."""

    moves_per_s: int
    commands_per_s: int
    says_per_10s: int
    text_chars: int
    wrong_commands: int
    connections_per_address: int
    accounts_per_hour: int
    resume_s: float
    hello_timeout_s: float
    drain_timeout_s: float
    speed: int
    climb: int
    view_cells: int
    world: str
    world_id: str
    greeting: str

    @classmethod
    def of(cls, config: Config, world: WorldRow) -> "Rules":
        """The rules of a configured world."""
        return cls(
            moves_per_s=config.limits.moves_per_s,
            commands_per_s=config.limits.commands_per_s,
            says_per_10s=config.limits.says_per_10s,
            text_chars=config.limits.text_chars,
            wrong_commands=config.limits.wrong_commands,
            connections_per_address=config.server.connections_per_address,
            accounts_per_hour=config.limits.accounts_per_hour,
            resume_s=config.session.resume_s,
            hello_timeout_s=config.session.hello_timeout_s,
            drain_timeout_s=config.sync.drain_timeout_s,
            speed=round(config.world.speed_m_per_s * XZ_PER_M),
            climb=round(config.world.climb_m_per_s * Y_PER_M),
            view_cells=config.sync.view_cells,
            world=world.name,
            world_id=world.world_id,
            greeting=config.access.greeting,
        )
