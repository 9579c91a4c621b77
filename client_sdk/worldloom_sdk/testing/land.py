"""Land for tests: a meadow, made in no time. Implements the server's ``TerrainSource``."""

import numpy as np

from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, SAMPLES, SURFACE_CELLS, Surface, Tile, no_things

__all__ = ["Meadow"]


class Meadow:
    """Grass at one height, without end, and nothing on it.

    Args:
        height_m: Of the ground above the sea, in metres.
    """

    name = "meadow"

    def __init__(self, height_m: float = 5.0) -> None:
        height = round(height_m * HEIGHTS_PER_M)
        self._heights = np.full((SAMPLES, SAMPLES), height, np.int16)  # [129, 129] in 1/32 m
        self._surface = np.full((SURFACE_CELLS, SURFACE_CELLS), Surface.MEADOW, np.uint8)

    def generate(self, rx: int, rz: int) -> Tile:
        """The tile of region ``(rx, rz)``."""
        provenance: dict[str, str | int] = {"generator": "meadow"}
        return Tile(rx, rz, self._heights, self._surface, no_things(), provenance=provenance)
