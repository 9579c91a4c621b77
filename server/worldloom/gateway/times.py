"""The clocks of a world, in one hand: so that tests hold them, and nobody asks the system."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Times"]


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of a steady clock, world time, Unix time."""

    monotonic: Callable[[], float]
    world_ms: Callable[[], int]
    unix_ms: Callable[[], int]
