"""Ports of what is told to the outside."""

from dataclasses import dataclass

__all__ = ["PublicEvent"]


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
