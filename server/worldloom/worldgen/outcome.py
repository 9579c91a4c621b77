"""What the emerge queue is told and what it tells: limits, outcomes, statistics. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from worldloom_sdk.protocol.tiles import Tile

__all__ = ["EmergeConfig", "EmergeOutcome", "EmergeStats", "Emerged", "nothing"]


class EmergeConfig(Protocol):
    """The part of the configuration that the queue reads."""

    @property
    def queue_limit(self) -> int:
        """Regions that may wait."""

    @property
    def per_account(self) -> int:
        """Regions that may wait for one asker."""

    @property
    def deadline_s(self) -> float:
        """Seconds that the source may take for a region."""

    @property
    def niceness(self) -> int:
        """How far making land gives way to everything else, 0 to 19."""

    @property
    def memory_regions(self) -> int:
        """Regions kept in memory."""


class EmergeOutcome(StrEnum):
    """How an attempt to make a region available ended."""

    MEMORY = "memory"
    DATABASE = "database"
    GENERATED = "generated"
    FALLBACK = "fallback"
    FAILED = "failed"
    """It could not be loaded or stored."""
    CANCELLED = "cancelled"
    """It was dropped from the queue, or the queue stopped."""


@dataclass(frozen=True, slots=True)
class Emerged:
    """A region and what became of it."""

    rx: int
    rz: int
    tile: Tile | None
    """None when failed or cancelled."""
    sha256: str
    """Name of the tile's bytes; empty when there is none."""
    source: str
    """Who made it, for example "noise", or "fallback"; empty when there is no tile."""
    outcome: EmergeOutcome


@dataclass(frozen=True, slots=True)
class EmergeStats:
    """The queue at one moment; counters since it was made."""

    queued: int
    in_work: int
    in_memory: int
    outcomes: Mapping[EmergeOutcome, int]
    refused: int
    """Wishes not taken in: over an asker's limit, or later than all that waits in a full queue."""
    rejected: int
    """Times that the source raised or gave what is no land."""
    stitched: int
    """Times that a region was fitted to its neighbours."""
    abandoned: int
    """Times that the source hung, or its process ended."""
    source_retired: bool
    """That was too often: the fallback stands in until restart."""
    store_available: bool
    made_s: float
    """Seconds spent in making land, waiting for the source included."""


def nothing(rx: int, rz: int, outcome: EmergeOutcome) -> Emerged:
    """A region that was not made available."""
    return Emerged(rx, rz, None, "", "", outcome)
