"""Public events: what of the world's doings dashboards and devices are told. Knows no broker, and nothing of speech.

Only bodies in the public layer count. A body is in one region at a time as far as the public knows: each "came" is
followed by one "left" of the same region; who hides seems to leave, who shows up again seems to join.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from worldloom.app.secrets import read_password
from worldloom.bus.mqtt import MqttPublisher
from worldloom.config import MqttConfig
from worldloom.ports import PublicEvent, WorldRow
from worldloom.worldgen.outcome import Emerged, EmergeOutcome

__all__ = ["Announcer", "open_publisher"]

PUBLIC_LAYER: Final = 0
_MADE: Final = (EmergeOutcome.GENERATED, EmergeOutcome.FALLBACK)
Region = tuple[int, int]


class Somebody(Protocol):
    """What is asked of a session."""

    avatar: int
    name: str
    region: Region | None


class Announcer:
    """Turns what the gateway and the emerge queue tell into public events.

    Args:
        publish: Takes the events; must not wait.
        layer_of: The layer of an avatar's body, None when it has none.
        unix_ms: The time of day.
    """

    def __init__(
        self,
        publish: Callable[[PublicEvent], None],
        layer_of: Callable[[int], int | None],
        unix_ms: Callable[[], int],
    ) -> None:
        self._publish, self._layer_of, self._unix_ms = publish, layer_of, unix_ms
        self._where: dict[int, Region] = {}

    def session(self, kind: str, session: Somebody) -> None:
        """Somebody "came", "moved" into another cell or layer, or "left"."""
        here = None if kind == "left" else self._public_region(session)
        before = self._where.get(session.avatar)
        if here == before:
            return
        walked = here is not None and before is not None
        if before is not None:
            del self._where[session.avatar]
            self._tell("left", before, session, "walked" if walked else "parted")
        if here is not None:
            self._where[session.avatar] = here
            self._tell("came", here, session, "walked" if walked else "joined")

    def emerged(self, emerged: Emerged) -> None:
        """A region became available; told when it was made just now."""
        if emerged.outcome in _MADE:
            self._publish(
                PublicEvent(
                    "woven",
                    emerged.rx,
                    emerged.rz,
                    self._unix_ms(),
                    source=emerged.source,
                    sha256=emerged.sha256,
                )
            )

    def _public_region(self, session: Somebody) -> Region | None:
        return session.region if self._layer_of(session.avatar) == PUBLIC_LAYER else None

    def _tell(self, kind: str, region: Region, session: Somebody, how: str) -> None:
        self._publish(PublicEvent(kind, *region, self._unix_ms(), session.avatar, session.name, how))


def open_publisher(config: MqttConfig, world: WorldRow, epoch: int) -> MqttPublisher | None:
    """The publisher that the configuration asks for, if it does; not running yet. Reads a file.

    Args:
        config: The configuration's section.
        world: Whose events they are.
        epoch: Unix ms at which this run began.

    Raises:
        ConfigError: The password file cannot be read, is empty, or others can read it.
    """
    if not config.enabled:
        return None
    password = read_password(Path(config.password_file)) if config.password_file else ""
    return MqttPublisher(config, password, world.world_id, world.name, epoch)
