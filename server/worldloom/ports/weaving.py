"""Ports of who makes the land, and says what it is to be like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # Brings numpy, which who asks for no land does without.
    from worldloom_sdk.protocol.tiles import Tile

__all__ = ["StyleRow", "StyledSource", "Styles", "Stylist", "TerrainSource", "Wisher"]


class TerrainSource(Protocol):
    """Makes land. Called on a worker thread; may be slow, may fail: the emerge queue guards it."""

    name: str

    def generate(self, rx: int, rz: int) -> "Tile":
        """The tile of region ``(rx, rz)``; a function of the source, the world seed and the region alone."""


Styles = Mapping[tuple[int, int], bytes]
"""What regions are to be like, by offset from one, (-1..1, -1..1). A style is bytes that its source understands."""


class StyledSource(TerrainSource, Protocol):
    """A source whose land follows styles."""

    def weave(self, rx: int, rz: int, styles: Styles) -> "Tile":
        """The tile of a region by the styles that are in force around it; the world's own where one is missing."""


class Stylist(Protocol):
    """Says what regions are to be like where nobody chose."""

    def styles(self, rx: int, rz: int) -> Styles:
        """The world's own styles of all regions on which a region's tile depends."""


class Wisher(Protocol):
    """Turns people's words into styles."""

    def wish(self, words: str, rx: int, rz: int) -> "StyleRow":
        """What a region is to be like by these words.

        Raises:
            Refusal: INVALID, no word of them says anything about land.
        """


@dataclass(frozen=True, slots=True)
class StyleRow:
    """What a region is to be like; the first stored stays."""

    rx: int
    rz: int
    style: bytes
    words: str = ""
    """By which it was chosen; empty for the world's own."""
