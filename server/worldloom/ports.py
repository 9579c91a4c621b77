"""Ports: one ``typing.Protocol`` per edge of the core. Shells implement them; nothing here does anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from worldloom_sdk.protocol.tiles import Tile

__all__ = [
    "AccountRow",
    "Clock",
    "PlaceRow",
    "PublicEvent",
    "Store",
    "TerrainSource",
    "TileRow",
    "Tx",
    "WorldRow",
]

C = TypeVar("C", contravariant=True)
R = TypeVar("R")


class Clock(Protocol):
    """Time as an object, so that tests hold it in hand."""

    def monotonic(self) -> float:
        """Seconds for durations; never goes back."""

    def world_ms(self) -> int:
        """World time in milliseconds; ``tick = world_ms // 50``."""


class TerrainSource(Protocol):
    """Makes land. Called on a worker thread; may be slow, may fail: the emerge queue guards it."""

    name: str

    def generate(self, rx: int, rz: int) -> Tile:
        """The tile of region ``(rx, rz)``; a function of the source, the world seed and the region alone."""


@dataclass(frozen=True, slots=True)
class WorldRow:
    """The world itself: one row."""

    world_id: str
    """32 hex digits, made at first start."""
    name: str
    seed: int
    """0 .. 2**63 - 1."""
    created_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where an account was last: wire units."""

    account: int
    x: int
    z: int
    y: int
    yaw: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A person or a bot that comes back. ``account`` is also its avatar id: 1 .. 2**31 - 1."""

    account: int
    name: str
    place: PlaceRow | None


@dataclass(frozen=True, slots=True)
class TileRow:
    """The stored tile of a region."""

    rx: int
    rz: int
    sha256: str
    source: str
    """Which source made it, for example "noise"; "fallback" when the source asked first had failed."""
    data: bytes


class Tx(Protocol):
    """One transaction: the queries that use cases are written in. Valid only inside the use case."""

    def world(self) -> WorldRow | None:
        """The world's row, if the world was created."""

    def insert_world(self, row: WorldRow) -> None:
        """Create the world."""

    def account_by_token(self, token_sha256: bytes) -> AccountRow | None:
        """Whose token it is."""

    def account_by_skeleton(self, skeleton: str) -> AccountRow | None:
        """Whose name has this confusable skeleton."""

    def insert_account(self, name: str, skeleton: str, token_sha256: bytes, now_ms: int) -> int | None:
        """A new account's id, or None when the skeleton is taken (the database decides)."""

    def save_places(self, places: Sequence[PlaceRow]) -> None:
        """Remember where accounts were last."""

    def tile(self, rx: int, rz: int) -> TileRow | None:
        """The stored tile of a region."""

    def insert_tile(self, row: TileRow, now_ms: int) -> TileRow:
        """Store a tile unless the region has one; the stored row, whoever's it is. First stored wins."""

    def content(self, sha256: str) -> tuple[str, bytes] | None:
        """Media type and bytes of immutable content."""


class Store(Protocol):
    """Runs use cases, each in a transaction. Safe to call from the event loop; never blocks it."""

    async def run(self, use_case: Callable[[Tx, C], R], command: C) -> R:
        """Run a use case that writes; return after its commit is durable.

        A ``Refusal`` that it raises rolls back its own effects alone and is raised here.

        Raises:
            StoreBusy: Too much is waiting; nothing was done.
            StoreUnavailable: The outcome is unknown.
        """

    async def read(self, query: Callable[[Tx, C], R], command: C) -> R:
        """Run a query that writes nothing, beside the writers."""


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """A fact that dashboards and devices may know: it happened in the public layer."""

    kind: str
    """"came", "left" or "woven"."""
    rx: int
    rz: int
    at_ms: int = 0
    """Unix time."""
    avatar: int = 0
    name: str = ""
    how: str = ""
    """For "came": "joined" or "walked" over from another region; for "left": "parted" or "walked" on."""
    source: str = ""
    """What made the region, for "woven"."""
    sha256: str = ""
    """Name of the region's tile, for "woven"; lower-case hex."""
