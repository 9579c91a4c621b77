"""Landforms: the ten kinds of land that the generator tells apart, and of which kind each training tile is."""

from enum import IntEnum

__all__ = ["LANDFORMS_N", "Landform", "landform_of"]


class Landform(IntEnum):
    """A kind of land; its number is a place in the condition vector."""

    PLAIN = 0
    """Flat or gently waved: glacial and coastal plains, lava plains."""
    HILLS = 1
    """Rolling farmland and woods."""
    MOOR = 2
    """Plateaus with dales cut into them."""
    HIGHLAND = 3
    """Worn by ice: glens, tarns, rounded tops."""
    FJORD = 4
    """Mountains in the sea: islands, peninsulas, sea lochs."""
    ALPINE = 5
    """High ridges and deep valleys."""
    CANYON = 6
    """Steep slopes cut by streams, hardly any flat ground."""
    BADLAND = 7
    """Dry basins, gullied."""
    SIERRA = 8
    """Limestone ranges with valleys between them."""
    VOLCANO = 9
    """Cones, calderas and shields."""


LANDFORMS_N = len(Landform)

# The words in a tile's own description that tell its landform; the first that occurs decides.
_WORDS: tuple[tuple[str, Landform], ...] = (
    ("lava plain", Landform.PLAIN),
    ("caldera", Landform.VOLCANO),
    ("volcan", Landform.VOLCANO),
    ("plateau + plain", Landform.MOOR),
    ("dales", Landform.MOOR),
    ("moor edge", Landform.PLAIN),
    ("glacial plain", Landform.PLAIN),
    ("badland", Landform.BADLAND),
    ("canyon", Landform.CANYON),
    ("fjord", Landform.FJORD),
    ("island", Landform.FJORD),
    ("glaciated", Landform.HIGHLAND),
    ("sierra nevada", Landform.SIERRA),
    ("alpine", Landform.ALPINE),
    ("very high", Landform.ALPINE),
    ("basin-and-range", Landform.ALPINE),
    ("rolling", Landform.HILLS),
    ("sierra", Landform.SIERRA),
    ("apennines", Landform.SIERRA),
    ("coastal range", Landform.SIERRA),
    ("plain", Landform.PLAIN),
    ("hills", Landform.HILLS),
)


def landform_of(description: str) -> Landform:
    """The landform of a training tile, by its description; hills where nothing in it says more."""
    text = description.casefold()
    return next((kind for word, kind in _WORDS if word in text), Landform.HILLS)
