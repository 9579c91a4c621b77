"""Stitching: fits a tile to the neighbours that were stored before it. Pure NumPy; knows no storage and no source.

Along each border the neighbour's heights are taken over. What differs there, in height and in slope, is faded out
inwards by a Coons patch with Hermite blending (S. A. Coons, "Surfaces for Computer-Aided Design of Space Forms", MIT
MAC-TR-41, 1967), one side after the other, each with what the sides before it left over: so all are met, and corners
agree. What differs on a large scale along the border is faded over 64 m, what differs from sample to sample over a
few, so that a rough neighbour leaves no streaks.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from worldloom.world.edges import EAST, I16, NORTH, SOUTH, WEST, Offset, wanted
from worldloom.worldgen.recover import recover
from worldloom_sdk.protocol.tiles import MAX_HEIGHT, MIN_HEIGHT, SAMPLE_M, SAMPLES, Tile

__all__ = ["FADE_M", "stitch"]

F64 = npt.NDArray[np.float64]

FADE_M = 64
"""How far into a tile its neighbours reach."""
_FADE = FADE_M // SAMPLE_M
_ROUNDS = 2
"""A side disturbs those that were met before it, near the corner that they share; the second round mends that."""


class _Band(NamedTuple):
    """Differences of one scale along a border; all in samples."""

    scale: float
    """Standard deviation of the Gaussian whose mean has nothing finer."""
    rise: int
    """How far into the tile a difference in height reaches."""
    lean: int
    """Likewise, a difference in slope: shorter, for it makes a bulge."""
    end: int
    """How near to a corner that is met already the band begins."""


_BANDS = (
    _Band(8.0, _FADE, 24, 8),
    _Band(4.0, 24, 18, 16),
    _Band(2.0, 12, 9, 8),
    _Band(1.0, 6, 4, 6),
    _Band(0.0, 4, 4, 4),
)
"""Coarse to fine."""
_REACH = 24
"""Three times the largest scale: so far a Gaussian is summed."""
_SIDES: tuple[tuple[int, Offset, int], ...] = (
    (NORTH, (0, -1), SOUTH),
    (SOUTH, (0, 1), NORTH),
    (WEST, (-1, 0), EAST),
    (EAST, (1, 0), WEST),
)
"""A side, the neighbour beyond it, and the neighbour's side that is the same line."""


def stitch(tile: Tile, neighbours: Mapping[Offset, I16]) -> Tile:
    """Fit a tile to its stored neighbours; the very same tile where it fits already.

    Args:
        tile: As its source made it.
        neighbours: Edges ``[4, 3, 129]`` of the stored ones, by their region minus the tile's.
    """
    target, said = wanted(neighbours)
    if (tile.heights[said] == target[said]).all():
        return tile
    own = tile.heights.astype(np.float64)
    change = _change(own, np.where(said, target, own), neighbours)
    heights = np.clip(np.rint(own + change), MIN_HEIGHT, MAX_HEIGHT).astype(np.int16)
    heights[said] = target[said]
    surface, things = recover(tile, heights)
    provenance = {**tile.provenance, "stitched": 1}
    return replace(tile, heights=heights, surface=surface, things=things, provenance=provenance)


def _change(own: F64, target: F64, neighbours: Mapping[Offset, I16]) -> F64:
    """What is to be added to each height, ``[129, 129]`` in 1/32 m; ``target`` says the borders."""
    change = np.zeros((SAMPLES, SAMPLES))
    for dx, dz in [(dx, dz) for dx in (-1, 1) for dz in (-1, 1) if (dx, dz) in neighbours]:
        if (dx, 0) not in neighbours and (0, dz) not in neighbours:
            # No side has this corner: a single point is met. Views with the corner first.
            corner = np.s_[::-dz, ::-dx]
            lift = (target - own)[corner][0, 0]
            change[corner][:_FADE, :_FADE] += lift * _value(_FADE)[:, None] * _value(_FADE)
    for side, offset, theirs in _SIDES * _ROUNDS:
        if (edges := neighbours.get(offset)) is None:
            continue
        ground, view, line = _from(side, own), _from(side, change), _from(side, target)[0]
        slope = -_lean(view)
        if (ground[0] != line).any():
            slope -= _lean(ground) + _lean(edges[theirs].astype(np.float64))
        before, after = ((-1, 0), (1, 0)) if side in (NORTH, SOUTH) else ((0, -1), (0, 1))
        view[:_FADE] += _patch(line - ground[0] - view[0], slope, before in neighbours, after in neighbours)
    return change


def _from(side: int, field: F64) -> F64:
    """A view of a field whose first row is that side, the others following inwards."""
    rows = field if side in (NORTH, SOUTH) else field.T
    return rows if side in (NORTH, WEST) else rows[::-1]


def _lean(rows: F64) -> F64:
    """Slope inwards at the first row, per sample, exact for parabolas."""
    return np.asarray(-1.5 * rows[0] + 2.0 * rows[1] - 0.5 * rows[2])


def _between(width: int, first: bool = True, last: bool = True) -> F64:
    """1, but from 0 over so many samples at the ends that are asked for: ``[129]``."""
    factor = np.ones(SAMPLES)
    if first:
        factor[:width] -= _value(width)
    if last:
        factor[-width:] -= _value(width)[::-1]
    return factor


def _patch(value: F64, slope: F64, first: bool, last: bool) -> F64:
    """The field ``[32, 129]`` that has this value and this slope along its first row, and fades to nothing.

    ``first`` and ``last``: another side begins at that end and has said how the ground leaves it.
    """
    ends = [_between(band.end, first, last) for band in _BANDS]
    rises = [rise * end for rise, end in zip(_bands(value), ends, strict=True)]
    rises[0] += value - sum(rises)
    leans = [lean * end for lean, end in zip(_bands(slope), ends, strict=True)]
    patch = np.zeros((_FADE, SAMPLES))
    for band, rise, lean in zip(_BANDS, rises, leans, strict=True):
        patch[: band.rise] += _value(band.rise)[:, None] * rise
        patch[: band.lean] += _slope(band.lean)[:, None] * lean
    return patch


def _value(reach: int) -> F64:
    """From 1 to 0 over so many samples, the first three derivatives 0 at both ends: ``[reach]``."""
    t = np.arange(reach) / reach
    return np.asarray(1.0 - t * t * t * t * (35.0 - t * (84.0 - t * (70.0 - 20.0 * t))))


def _slope(reach: int) -> F64:
    """0 at both ends, slope 1 at the first and 0 at the last, second derivative 0 at both: ``[reach]``."""
    t = np.arange(reach) / reach
    return np.asarray(reach * t * (1.0 - t) ** 3 * (1.0 + 3.0 * t))


def _bands(line: F64) -> list[F64]:
    """A line ``[129]`` by scale, coarse to fine; together they are the line."""
    smooth = [_smooth(line, band.scale) for band in _BANDS]
    return [smooth[0], *(finer - coarser for coarser, finer in itertools.pairwise(smooth))]


def _smooth(line: F64, scale: float) -> F64:
    """A Gaussian mean that leaves the ends where they are (mirrored through them), so that corners agree."""
    if not scale:
        return line
    mirrored = (2.0 * line[0] - line[_REACH:0:-1], line, 2.0 * line[-1] - line[-2 : -_REACH - 2 : -1])
    weights = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / scale) ** 2)
    return np.convolve(np.concatenate(mirrored), weights / weights.sum(), "valid")
