"""Rates: how often each viewer is told of each place, so that its byte budget holds. Pure; knows no bytes.

What a viewer sees falls into four **bands** by distance; a **ladder** lists rates for the bands from lavish to poor,
near first. A view group stands on the highest step whose expected words fit its budget. A cell in which even the
3 x 3 cells around do not fit at full rate is **crowded**: its viewers are grouped by patch, and only the patches around
them count as near. (A threshold on bodies per cell cannot tell: 120 to a cell, all around, are more than the budget
carries, while 250 in one place are less.)
"""

import numpy as np
import numpy.typing as npt

from worldloom.replication.feed import I64
from worldloom.replication.runs import DROPPED, END, RATES, START

__all__ = [
    "BANDS",
    "CELL_LADDER",
    "CROWD_LADDER",
    "FAR",
    "NEAR",
    "NEXT",
    "WIDE",
    "Demand",
    "choose_step",
    "words_per_tick",
]

Float = npt.NDArray[np.float64]

NEAR, NEXT, WIDE, FAR = range(4)
"""Bands: the 3 x 3 patches around; the twelve patches about them; what else is in the 3 x 3 cells; the rest."""
BANDS = 4

_TICKS_PER_S = 20
_WORD_BYTES = 8
_SHARE_FOR_FRAMES = 0.95
"""Snapshots, names and speech share the budget with the frames."""
_SMOOTHING = 1 / 8
_STEP_UP_AT = 0.92
"""A better step must fit with room to spare, or rates would flap."""

CELL_LADDER = np.array([(0, 0, 0, far) for far in range(RATES)], np.int64)
"""Steps where it is not crowded: 3 x 3 cells at full rate, the rest as the budget allows."""

CROWD_LADDER = np.array(
    [
        (0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 0, 1, 2), (0, 0, 2, 2), (0, 0, 2, 3), (0, 0, 3, 3), (0, 1, 3, 3),
        (0, 1, 3, 4), (0, 1, 4, 4), (0, 2, 3, 4), (0, 2, 4, 4), (0, 3, 4, 4), (0, 4, 4, 4), (1, 4, 4, 4), (2, 4, 4, 4),
        (3, 4, 4, 4), (4, 4, 4, 4), (4, 4, 4, DROPPED), (4, 4, DROPPED, DROPPED), (4, DROPPED, DROPPED, DROPPED),
        (DROPPED,) * 4,
    ],
    np.int64,
)  # fmt: skip
"""Steps where it is crowded; what is farthest is dropped last of all."""


def words_per_tick(bytes_per_second: int) -> float:
    """How many words a tick a byte budget carries; without a budget (0), infinitely many."""
    if not bytes_per_second:
        return float("inf")
    return bytes_per_second * _SHARE_FOR_FRAMES / _TICKS_PER_S / _WORD_BYTES


class Demand:
    """Words a tick that each place would cost at each rate, smoothed over the last ticks. Rows are the mirror's."""

    def __init__(self) -> None:
        self.cells = np.zeros((64, RATES))
        self.patches = np.zeros((64, 16, RATES))

    def make_room(self, row_count: int) -> None:
        """Have zeros for rows that were never seen."""
        while row_count > len(self.cells):
            self.cells = np.concatenate([self.cells, np.zeros_like(self.cells)])
            self.patches = np.concatenate([self.patches, np.zeros_like(self.patches)])

    def note(self, row_count: int, rows: I64, bounds: I64, patch_rows: I64, patch_bounds: I64) -> None:
        """Take the bounds of one tick.

        Args:
            row_count: One more than the highest row.
            rows: ``[C]`` rows that have words; every other row has none.
            bounds: ``[C, 10]``.
            patch_rows: ``[K]`` rows whose patches are counted.
            patch_bounds: ``[K, 16, 10]``.
        """
        self.make_room(row_count)
        self.cells[:row_count] *= 1 - _SMOOTHING
        self.cells[rows] += _SMOOTHING * _counts(bounds)
        if len(patch_rows):
            self.patches[patch_rows] *= 1 - _SMOOTHING
            self.patches[patch_rows] += _SMOOTHING * _counts(patch_bounds)


def _counts(bounds: I64) -> Float:
    """``[..., 10]`` bounds to ``[..., RATES]`` words."""
    return (bounds[..., END[:RATES]] - bounds[..., START[:RATES]]).astype(np.float64)


def choose_step(by_band: Float, headers: Float, ladder: I64, budget: Float, current: I64) -> I64:
    """The step of the ladder for each of some groups.

    Args:
        by_band: ``[G, BANDS, RATES]`` expected words.
        headers: ``[G]`` words that frames cost beside.
        ladder: ``[S, BANDS]`` rate numbers.
        budget: ``[G]`` words a tick.
        current: ``[G]`` the step stood on, or -1.

    Returns:
        ``[G]`` the first step that fits; the last one when none does.
    """
    costs = np.concatenate([by_band, np.zeros((*by_band.shape[:2], 1))], axis=2)
    # [G, S, BANDS] -> [G, S]: what each step would cost.
    total = costs[:, np.arange(BANDS), ladder].sum(axis=2) + headers[:, None]
    better = np.arange(len(ladder)) < current[:, None]
    fits = total <= np.where(better, _STEP_UP_AT, 1.0) * budget[:, None]
    fits[:, -1] = True
    return fits.argmax(axis=1)
