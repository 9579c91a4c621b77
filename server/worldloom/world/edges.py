"""Edges: the heights along a tile's borders, and what the neighbours' say that they must be. Knows no storage.

Of each side the outermost three rows are kept: the first is shared with the neighbour, the other two tell how the
ground leans and bends towards it. A corner belongs to four regions.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.tiles import SAMPLES

__all__ = ["EDGES_BYTES", "I16", "Offset", "edges_of", "fits", "read_edges", "wanted"]

I16 = npt.NDArray[np.int16]
Offset = tuple[int, int]
"""A neighbour's region minus one's own, ``(-1..1, -1..1)``."""

NORTH, SOUTH, WEST, EAST = range(4)
"""Sides: low z, high z, low x, high x."""
DEPTH = 3
EDGES_BYTES = 4 * DEPTH * SAMPLES * 2

_LAST = SAMPLES - 1
_ALL = slice(None)
# A side wins over a corner: what is written last stays. Row and column here, side and part of it there.
_SHARED: dict[Offset, tuple[int | slice, int | slice, int, int | slice]] = {
    (-1, -1): (0, 0, SOUTH, _LAST),
    (1, -1): (0, _LAST, SOUTH, 0),
    (-1, 1): (_LAST, 0, NORTH, _LAST),
    (1, 1): (_LAST, _LAST, NORTH, 0),
    (1, 0): (_ALL, _LAST, WEST, _ALL),
    (-1, 0): (_ALL, 0, EAST, _ALL),
    (0, 1): (_LAST, _ALL, NORTH, _ALL),
    (0, -1): (0, _ALL, SOUTH, _ALL),
}


def edges_of(heights: I16) -> bytes:
    """The edges of a tile.

    Args:
        heights: ``[129, 129]`` as in ``Tile``.

    Returns:
        Little-endian int16 ``[4, 3, 129]``: north, south, west, east; from the border inwards; by x or by z ascending.
    """
    sides = (heights[:DEPTH], heights[: -DEPTH - 1 : -1], heights.T[:DEPTH], heights.T[: -DEPTH - 1 : -1])
    return np.stack(sides).astype("<i2").tobytes()


def read_edges(data: bytes) -> I16:
    """What ``edges_of`` wrote: int16 ``[4, 3, 129]``.

    Raises:
        ValueError: Another length.
    """
    if len(data) != EDGES_BYTES:
        raise ValueError(f"expected edges of {EDGES_BYTES} bytes, got {len(data)}")
    return np.frombuffer(data, "<i2").astype(np.int16).reshape(4, DEPTH, SAMPLES)


def wanted(neighbours: Mapping[Offset, I16]) -> tuple[I16, npt.NDArray[np.bool_]]:
    """What the neighbours say of a tile's border; where they contradict one another the north says, then the south.

    Args:
        neighbours: Edges ``[4, 3, 129]`` of those that are stored, up to eight.

    Returns:
        Heights int16 ``[129, 129]`` and where they are said, bool ``[129, 129]``; never inside.
    """
    heights = np.zeros((SAMPLES, SAMPLES), np.int16)
    said = np.zeros((SAMPLES, SAMPLES), np.bool_)
    for offset, (row, column, side, part) in _SHARED.items():
        if (edges := neighbours.get(offset)) is not None:
            heights[row, column] = edges[side, 0, part]
            said[row, column] = True
    return heights, said


def fits(edges: I16, neighbours: Mapping[Offset, I16]) -> bool:
    """Whether a tile of these edges has every sample that its neighbours have, to the bit."""
    heights, said = wanted(neighbours)
    own = np.zeros_like(heights)
    own[0], own[-1], own[:, 0], own[:, -1] = edges[NORTH, 0], edges[SOUTH, 0], edges[WEST, 0], edges[EAST, 0]
    return bool((own[said] == heights[said]).all())
