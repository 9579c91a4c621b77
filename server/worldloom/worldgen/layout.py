"""Layout: the tiles of a rectangle of regions as one grid. Knows no pictures and no storage."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.tiles import SURFACE_CELLS, Tile

__all__ = ["Region", "laid_out", "rectangle"]

Region = tuple[int, int]


def rectangle(regions: Iterable[Region]) -> tuple[Region, tuple[int, int]]:
    """The smallest rectangle around regions: its low corner, and how many regions wide (x) and deep (z) it is.

    Raises:
        ValueError: There is no region.
    """
    known = list(regions)
    if not known:
        raise ValueError("expected at least one region, got none")
    low = min(rx for rx, _ in known), min(rz for _, rz in known)
    high = max(rx for rx, _ in known), max(rz for _, rz in known)
    return low, (high[0] - low[0] + 1, high[1] - low[1] + 1)


def laid_out(
    tiles: Mapping[Region, Tile], low: Region, size: tuple[int, int]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint8]]:
    """Heights and surface of a rectangle of regions, every one of which is in ``tiles``.

    Args:
        tiles: By region; those outside the rectangle are not looked at.
        low: The region at the low corner.
        size: Regions wide and deep, W and D.

    Returns:
        int16 ``[128 D + 1, 128 W + 1]`` in 1/32 m and uint8 ``[128 D, 128 W]``, row-major ``[z, x]``.
    """
    wide, deep = size
    heights = np.zeros((deep * SURFACE_CELLS + 1, wide * SURFACE_CELLS + 1), np.int16)
    surface = np.zeros((deep * SURFACE_CELLS, wide * SURFACE_CELLS), np.uint8)
    for dz in range(deep):
        for dx in range(wide):
            tile, x, z = tiles[low[0] + dx, low[1] + dz], dx * SURFACE_CELLS, dz * SURFACE_CELLS
            heights[z : z + SURFACE_CELLS + 1, x : x + SURFACE_CELLS + 1] = tile.heights
            surface[z : z + SURFACE_CELLS, x : x + SURFACE_CELLS] = tile.surface
    return heights, surface
