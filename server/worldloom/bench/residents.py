"""Residents: a world made ready for a run, its accounts last seen where the clients shall come in.

Everything goes through the server's own use cases; the server lets each in by its token, as anybody who comes back.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from worldloom.bench.offers import SETTINGS
from worldloom.config import load
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import open_store
from worldloom.ports import PlaceRow, Tx
from worldloom.services import accounts, places
from worldloom_sdk.protocol.geometry import GROUND_Y

__all__ = ["Settings", "make_world", "write_config"]

_SEED = 1
"""The same land in every run."""
_AT_ONCE = 500
"""Accounts of one transaction."""


@dataclass(frozen=True)
class Settings:
    """What a run changes of the server's defaults.

    Attributes:
        clients: How many come from one address; limits on connections and joins make room for them.
        full_rate: No budget of bytes.
        generator: What makes the land.
        trades: Land is claimed anywhere and bought as fast as it goes.
    """

    clients: int
    full_rate: bool
    generator: str = "noise"
    trades: bool = False

    def to_toml(self) -> str:
        """The configuration file. All limits stay as they are but those by which one address may not be a crowd."""
        room = self.clients + 500
        return "\n".join(
            [
                "[server]",
                f"max_connections = {room}",
                f"connections_per_address = {room}",
                "[session]",
                f"max_sessions = {room}",
                "joins_per_s = 1000",
                "[limits]",
                # Each connection begins with a request.
                "http_requests_per_s = 1000",
                *(["commands_per_s = 1000"] if self.trades else []),
                *(SETTINGS if self.trades else []),
                "[world]",
                f"seed = {_SEED}",
                "[worldgen]",
                f'generator = "{self.generator}"',
                *(["[sync]", "bytes_per_second_per_client = 0"] if self.full_rate else []),
                "",
            ]
        )


def write_config(path: Path, settings: Settings) -> None:
    """Write the configuration file of a run."""
    path.write_text(settings.to_toml(), encoding="utf-8")


def make_world(config: Path, data: Path, spots: Sequence[tuple[int, int]]) -> list[str]:
    """Make the database of a world, with an account for each spot.

    Args:
        config: The configuration file.
        data: The data folder, made if missing.
        spots: Where each account was last, x and z in 1/64 m.

    Returns:
        A token for each spot.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = load(config, {}, {"server.data": str(data)}).storage_url
    migrate(url)
    tokens = [accounts.new_token() for _ in spots]
    asyncio.run(_fill(url, list(zip(tokens, spots, strict=True))))
    return tokens


async def _fill(url: str, residents: list[tuple[str, tuple[int, int]]]) -> None:
    store = open_store(url)
    try:
        for first in range(0, len(residents), _AT_ONCE):
            await store.run(_settle, (first, residents[first : first + _AT_ONCE]))
    finally:
        await store.close()


def _settle(tx: Tx, command: tuple[int, list[tuple[str, tuple[int, int]]]]) -> None:
    first, residents = command
    now_ms = time.time_ns() // 1_000_000
    rows = []
    for number, (token, (x, z)) in enumerate(residents, first):
        wish = accounts.Register(f"Walker {number:05d}", accounts.hash_token(token), now_ms)
        rows.append(PlaceRow(accounts.register(tx, wish).account, x, z, GROUND_Y, 0))
    places.save(tx, rows)
