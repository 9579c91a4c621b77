"""Drainage: where rain that falls on patches runs to. Hollows, how deep they are filled, how area is gathered.

All patches at once, and exact: the same fill and the same areas as cell by cell. A patch drains over its border.
"""

from math import sqrt

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.filters import lowest

__all__ = ["areas", "drainage", "filled", "receivers"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

FALL_M = 1e-4
"""Fall of filled water to the next cell towards its way out."""
_EIGHT = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
"""Neighbours as (down, across); of two that are as steep the first is taken."""
_AREAS_N, _LEAST, _LARGEST = 12, 10, 0.05
"""Areas at which the distribution is read, from so many cells to such a share of the patch."""


def drainage(z: F64) -> tuple[F64, F64, F64]:
    """Measures of drainage.

    Args:
        z: ``[n, s, s]`` metres.

    Returns:
        Each ``[n]``: pits, in cells with no lower neighbour to a thousand inner cells; mean depth of fill over
        relief; exponent of the share of cells that drain more than an area, over that area.
    """
    n, side, _ = z.shape
    pits = (z[:, 1:-1, 1:-1] <= lowest(z, 3)).mean((1, 2)) * 1000
    water = filled(z)
    fill = (water - z).mean((1, 2)) / (np.ptp(z.reshape(n, -1), axis=1) + 1e-6)
    area = areas(receivers(water))
    at = np.geomspace(_LEAST, _LARGEST * side * side, _AREAS_N)
    share = np.stack([(area >= cells).mean(1) for cells in at], 1)
    log_at = np.log(at) - np.log(at).mean()
    exponent = -(np.log(np.maximum(share, 1e-6)) @ log_at) / (log_at @ log_at)
    return pits, fill, exponent


def filled(z: F64) -> F64:
    """Every hollow filled to where it spills, its water falling by ``FALL_M`` a cell towards the way out.

    The surface of Planchon and Darboux (Catena 46, 2001): the lowest ``w`` with ``w = z`` on the border and
    ``w = max(z, min(w of the eight around) + FALL_M)`` inside. It is the only one, so the order of work is free: whole
    lines of all patches, down, up, right and left, until nothing changes. Water crosses a patch in one sweep.

    Args:
        z: ``[n, s, s]`` metres.

    Returns:
        ``[n, s, s]``.
    """
    out = np.empty_like(z)
    left = np.arange(len(z))
    ground = np.ascontiguousarray(z.transpose(1, 2, 0))
    water = ground.copy()
    water[1:-1, 1:-1] = np.inf
    while left.size:
        before = water.copy()
        for w, g in ((water, ground), (water.swapaxes(0, 1), ground.swapaxes(0, 1))):
            _sweep(w, g)
            _sweep(w[::-1], g[::-1])
        moved = (water != before).any((0, 1))
        out[left[~moved]] = water[:, :, ~moved].transpose(2, 0, 1)
        left, water, ground = left[moved], water[:, :, moved], ground[:, :, moved]
    return out


def _sweep(water: F64, ground: F64) -> None:
    """Lower each line to what it may be beside the line before it; ``[lines, across, n]``."""
    for above, here, floor in zip(water[:-2], water[1:-1, 1:-1], ground[1:-1, 1:-1], strict=True):
        low = np.minimum(above[:-2], above[2:])
        np.minimum(low, above[1:-1], out=low)
        low += FALL_M
        np.maximum(low, floor, out=low)
        np.minimum(low, here, out=here)


def receivers(z: F64) -> I64:
    """Of each cell the neighbour to which it falls most steeply, by its number in the patch; itself in a pit.

    The eight directions of O'Callaghan and Mark (1984). ``[n, s, s]`` to ``[n, s * s]``.
    """
    n, side, _ = z.shape
    around = np.pad(z, ((0, 0), (1, 1), (1, 1)), constant_values=np.inf)
    here = np.arange(side * side).reshape(side, side)
    steepest, to = np.zeros(z.shape), np.broadcast_to(here, z.shape).copy()
    for down, across in _EIGHT:
        there = around[:, 1 + down : 1 + down + side, 1 + across : 1 + across + side]
        drop = (z - there) / sqrt(down * down + across * across)
        better = drop > steepest
        np.copyto(steepest, drop, where=better)
        np.copyto(to, here + (down * side + across), where=better)
    return to.reshape(n, -1)


def areas(to: I64) -> F64:
    """How many cells drain through each, itself among them: ``[n, cells]`` to ``[n, cells]``.

    Every pointer is doubled until it leaves the tree: after k rounds a cell has what lies within 2 ** k steps
    (Hillis and Steele, CACM 29, 1986), so rounds go with the logarithm of the longest stream.
    """
    n, cells = to.shape
    total = n * cells
    own = np.arange(total)
    down = np.append((to + np.arange(n)[:, None] * cells).reshape(-1), total)
    down[:total][down[:total] == own] = total
    area = np.ones(total)
    running = own[down[:total] < total]
    while running.size:
        area += np.bincount(down[running], area[running], total)
        down[running] = down[down[running]]
        running = running[down[running] < total]
    return area.reshape(n, cells)
