"""Keeps every view group within its byte budget: chooses the step of its ladder, and which cells are crowded."""

import numpy as np

from worldloom.replication.feed import I64
from worldloom.replication.rates import (
    BANDS,
    CELL_LADDER,
    FAR,
    WIDE,
    Demand,
    Float,
    choose_step,
    words_per_tick,
)
from worldloom.replication.runs import RATES
from worldloom.replication.views import NO_PATCH, Family, GroupKey, ViewGroup, Views

__all__ = ["Budget"]

_PLAN_EVERY = 4
_FLIP_EVERY = 8
_THIN_SHARE = 4
"""A thin tier has to do with a quarter."""
_UNCROWDED_AT = 0.75
_SEEN = 0.05
"""A cell with fewer words a tick than this hardly ever needs a header."""


class Budget:
    """Expected words of every place, and what follows from them."""

    def __init__(self, bytes_per_second: int) -> None:
        self.demand = Demand()
        self.crowded: set[GroupKey] = set()
        """Keys (without patch) of crowded cells."""
        self._words = words_per_tick(bytes_per_second)
        # When last, in units of _PLAN_EVERY and _FLIP_EVERY. (Ticks may be left out, so no remainder would do.)
        self._planned: dict[Family, int] = {}
        self._flipped = -1

    def plan(self, family: Family, tick: int) -> list[tuple[ViewGroup, int]]:
        """From time to time, choose the steps anew; the groups that rose, and the step they stood on before."""
        if self._planned.get(family) == tick // _PLAN_EVERY:
            return []
        self._planned[family] = tick // _PLAN_EVERY
        chosen = np.flatnonzero(family.members)
        before = family.step[chosen]
        self._choose(family, chosen)
        rose = family.step[chosen] < before
        pairs = zip(chosen[rose].tolist(), before[rose].tolist(), strict=True)
        return [(group, step) for index, step in pairs if (group := family.groups[index]) is not None]

    def first_step(self, group: ViewGroup) -> None:
        """Choose the step of a new group."""
        self._choose(group.family, np.array([group.index]))

    def flips(self, views: Views, tick: int) -> list[ViewGroup]:
        """From time to time, see which cells became crowded or are so no longer; the groups that this dissolves."""
        if self._flipped == tick // _FLIP_EVERY or np.isinf(self._words):
            return []
        self._flipped = tick // _FLIP_EVERY
        flipped: list[ViewGroup] = []
        for family in views.families.values():
            chosen = np.flatnonzero(family.members)
            share = self._at_cell_rates(family, chosen) / self._budget(family, chosen)
            turn = share <= _UNCROWDED_AT if family.crowded else share > 1
            groups = [family.groups[i] for i in chosen[turn].tolist()]
            flipped += [group for group in groups if group is not None]
        for group in flipped:
            (self.crowded.discard if group.key.crowded else self.crowded.add)(group.key.of_patch(NO_PATCH))
        self.crowded &= {key.of_patch(NO_PATCH) for key in views.groups}
        return flipped

    def _choose(self, family: Family, chosen: I64) -> None:
        if not len(chosen):
            return
        by_band, headers = self._by_band(family, chosen)
        budget = self._budget(family, chosen)
        family.step[chosen] = choose_step(by_band, headers, family.ladder, budget, family.step[chosen])

    def _budget(self, family: Family, chosen: I64) -> Float:
        return np.where(family.thin[chosen], self._words / _THIN_SHARE, self._words)

    def _by_band(self, family: Family, chosen: I64) -> tuple[Float, Float]:
        rows = family.rows[chosen]
        self.demand.make_room(int(rows.max()) + 1)
        cells = self.demand.cells[rows]
        headers = (cells[..., 0] > _SEEN).sum(axis=1).astype(np.float64)
        by_band = np.zeros((len(chosen), BANDS, RATES))
        if family.crowded:
            patch = family.patch[chosen]
            cover, bands = family.cover(patch), family.patch_bands(patch)
            which = np.arange(len(chosen))[:, None]
            cells[which, cover] = 0
            patches = self.demand.patches[rows[which, cover]]
            for band in range(WIDE + 1):
                by_band[:, band] = (patches * (bands == band)[..., None]).sum(axis=(1, 2))
        for band in (WIDE, FAR):
            by_band[:, band] += cells[:, family.band == band].sum(axis=1)
        return by_band, headers

    def _at_cell_rates(self, family: Family, chosen: I64) -> Float:
        """Words a tick if the 3 x 3 cells came at full rate and the rest as rarely as can be."""
        if not len(chosen):
            return np.zeros(0)
        rows = family.rows[chosen]
        self.demand.make_room(int(rows.max()) + 1)
        cells = self.demand.cells[rows]
        far = int(CELL_LADDER[-1, FAR])
        return cells[:, family.band == WIDE, 0].sum(axis=1) + cells[:, family.band == FAR, far].sum(axis=1)
