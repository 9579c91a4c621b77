"""Recover: what the ground is made of and what stands on it, after the heights of a tile were changed.

Only where the ground was moved, and only what can no longer be: woods in the sea, seabed on a hill, meadow on a cliff.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, SAMPLE_M, Surface, ThingKind, Tile

__all__ = ["recover"]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

_DEEP_M, _STRAND_M = -3.0, 1.0
"""Below the first is seabed; up to the second the sea has left sand."""
_CLIFF = 0.92
"""Rise over run from which nothing but rock holds."""
_DRY_M, _ROOTED = 0.25, 1.1
"""Lowest ground and steepest slope for things that grow."""
_WET = (Surface.SEABED, Surface.SAND, Surface.PEBBLES)


def recover(tile: Tile, heights: npt.NDArray[np.int16]) -> tuple[U8, npt.NDArray[Any]]:
    """Surface classes and things of a tile on other heights.

    Args:
        tile: As it was before.
        heights: int16 ``[129, 129]``, as in ``Tile``.

    Returns:
        Surface classes uint8 ``[128, 128]`` and things ``[n]`` of ``THING_DTYPE``.
    """
    before, after = _quads(tile.heights), _quads(heights)
    moved = _corners(tile.heights != heights)
    steep, was_steep = _steepness(heights), _steepness(tile.heights)
    surface = tile.surface.copy()
    surface[moved & (after < _STRAND_M) & ~np.isin(surface, _WET)] = Surface.SAND
    surface[moved & (after < _DEEP_M)] = Surface.SEABED
    surface[moved & (after >= _DEEP_M) & (surface == Surface.SEABED)] = Surface.SAND
    risen = moved & (before < _STRAND_M) & (after >= 2.0 * _STRAND_M) & np.isin(surface, _WET)
    surface[risen] = Surface.GRASS
    surface[moved & (steep > _CLIFF) & (was_steep <= _CLIFF) & (after > _DEEP_M)] = Surface.ROCK
    side = SAMPLE_M * XZ_PER_M
    at = tile.things["z"] // side, tile.things["x"] // side
    lost = moved[at] & ((after[at] < _DRY_M) | (steep[at] > _ROOTED))
    return surface, tile.things[~lost | (tile.things["kind"] == ThingKind.ROCK)]


def _quads(heights: npt.NDArray[np.int16]) -> F64:
    """Height in the middle of each quad ``[128, 128]``, metres."""
    rows = heights[:-1].astype(np.float64) + heights[1:]
    return np.asarray((rows[:, :-1] + rows[:, 1:]) / (4 * HEIGHTS_PER_M))


def _corners(samples: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Quads ``[128, 128]`` of which any corner is marked."""
    rows = samples[:-1] | samples[1:]
    return np.asarray(rows[:, :-1] | rows[:, 1:])


def _steepness(heights: npt.NDArray[np.int16]) -> F64:
    """Rise over run of each quad ``[128, 128]``."""
    metres = heights.astype(np.float64) / HEIGHTS_PER_M
    rows, columns = np.diff(metres, axis=0), np.diff(metres, axis=1)
    dz, dx = rows[:, :-1] + rows[:, 1:], columns[:-1] + columns[1:]
    return np.asarray(np.hypot(dx, dz) / (2 * SAMPLE_M))
