"""The enter table: who may be where, asked for many bodies at once. Pure NumPy; decides nothing itself.

What it holds was decided before, for every moment at which it may change, and is taken as it is: see ``Gate``. A body
that is inside where it may not be any more can go out, and not deeper.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from worldloom.world.avatars import BOT, EVERYWHERE, I64, AvatarTable
from worldloom.world.gates import BOTS, ENTER, EXCLUDED, SEE, Gate, Sheets
from worldloom.world.parcels import PARCEL_SHIFT, PARCELS, depths, parcels_around
from worldloom_sdk.protocol.geometry import REGION_SHIFT, XZ_PER_M

__all__ = ["BOTS", "ENTER", "EXCLUDED", "SEE", "EnterTable", "Gate"]

Bool = npt.NDArray[np.bool_]

STEP = 2 * XZ_PER_M
"""A way is looked at every 2 m."""
_FIRST_REGIONS = 16
_PARCEL_MASK = PARCELS - 1
_MIDDLE = 4
"""Of the nine parcels around and with one, that one."""
_REACH = 33
"""No parcel of the largest estate, 4,096 parcels, is farther from its border; in parcels."""


class EnterTable:
    """Gates of the regions that are held. Where nothing was laid, everybody may be."""

    def __init__(self) -> None:
        self._slots: dict[tuple[int, int], int] = {}
        self._free = list(range(_FIRST_REGIONS - 1, -1, -1))
        # Of each parcel the index of its place, 0 for none, and how deep in it it lies, once that was asked.
        self._grid = np.zeros((_FIRST_REGIONS, PARCELS, PARCELS), np.int64)
        self._deep = np.zeros_like(self._grid)
        self._sheets = Sheets()
        self._where: dict[int, set[tuple[int, int]]] = {}
        self._measured: set[int] = set()
        self._is_stale = False
        self._keys = np.empty(0, np.int64)
        self._starts = np.empty(0, np.int64)
        self.version = 0
        """Rises with each change."""

    def __len__(self) -> int:
        """Places with rules of their own."""
        return len(self._where)

    def __contains__(self, place: int) -> bool:
        return place in self._where

    def lay(self, rx: int, rz: int, places: I64, gates: Mapping[int, Gate]) -> None:
        """What holds in a region from now on.

        Args:
            rx: Region index.
            rz: Region index.
            places: ``[16, 16]``, by z then x: the place that each parcel belongs to, 0 for none.
            gates: Of these places; one that is not there, or open, needs no asking. A place that lies in other regions,
                too, has this gate there as well.

        Raises:
            ValueError: Another shape.
        """
        if places.shape != (PARCELS, PARCELS):
            raise ValueError(f"expected [{PARCELS}, {PARCELS}] parcels, got {list(places.shape)}")
        self._forget((rx, rz))
        for number, gate in gates.items():
            if gate.is_open:
                self._open(number)
        numbers, inverse = np.unique(places, return_inverse=True)
        indices = np.zeros(len(numbers), np.int64)
        for i, number in enumerate(numbers.tolist()):
            shut = gates.get(number)
            if number and shut is not None and not shut.is_open:
                indices[i] = self._sheets.put(shut)
                self._where.setdefault(number, set()).add((rx, rz))
                self._measured.discard(number)
        if indices.any():
            if not self._free:
                self._grow()
            slot = self._slots[rx, rz] = self._free.pop()
            self._grid[slot] = indices[inverse].reshape(PARCELS, PARCELS)
        self._note()

    def remove(self, rx: int, rz: int) -> None:
        """Forget a region; one that is unknown stays so."""
        if (rx, rz) in self._slots:
            self._forget((rx, rz))
            self._note()

    def named(self, place: int) -> Sequence[int]:
        """The accounts for which something else holds in a place than for everyone."""
        return self._sheets.named(place)

    def place(self, x: I64, z: I64) -> I64:
        """The place at positions (1/64 m) ``[n]``; 0 where anybody may be."""
        return self._sheets.number[self._index(x, z)]

    def private(self, x: I64, z: I64, now_ms: int) -> I64:
        """The place at positions ``[n]`` where who is inside is not seen from outside; 0 elsewhere."""
        index = self._index(x, z)
        inside = np.flatnonzero(index)
        place = np.zeros(len(x), np.int64)
        if len(inside):
            of = index[inside]
            hidden = self._sheets.of_everyone(of, now_ms) & SEE == 0
            place[inside[hidden]] = self._sheets.number[of[hidden]]
        return place

    def bits(self, place: int, accounts: I64, now_ms: int) -> I64:
        """What holds of accounts ``[n]`` in a place that is here."""
        return self._sheets.of(np.full(len(accounts), self._sheets.index(place)), accounts, now_ms)

    def may_enter(self, state: AvatarTable, row: I64, x: I64, z: I64, now_ms: int) -> Bool:
        """Which bodies may be at positions; all arrays ``[n]``."""
        return self._may(state, row, self._index(x, z), now_ms)

    def barred(self, state: AvatarTable, row: I64, x: I64, z: I64, now_ms: int) -> Bool:
        """Which bodies may not go straight from where they are to positions; all arrays ``[n]``."""
        barred = np.zeros(len(row), np.bool_)
        if not self._slots:
            return barred
        from_x, from_z = state.x[row], state.z[row]
        of, at_x, at_z = _ways(from_x, from_z, x, z)
        place = self._index(at_x, at_z)
        wrong = np.flatnonzero(~self._may(state, row[of], place, now_ms))
        if len(wrong):
            of, at_x, at_z, place = of[wrong], at_x[wrong], at_z[wrong], place[wrong]
            here = self._index(from_x[of], from_z[of])
            out = here == place
            stays = np.flatnonzero(out)
            if len(stays):
                who = of[stays]
                at = np.concatenate([at_x[stays], from_x[who]]), np.concatenate([at_z[stays], from_z[who]])
                now, before = np.split(self._depth(np.tile(place[stays], 2), *at), 2)
                out[stays] = now <= before
            barred[of[~out]] = True
        return barred

    def way_out(self, state: AvatarTable, row: int, x: int, z: int, now_ms: int) -> tuple[I64, I64]:
        """Positions where a body may be that may not be at one, nearest first; ``[n]`` each, none if all is closed."""
        at_x, at_z = parcels_around(x, z, _REACH)
        may = self.may_enter(state, np.full(len(at_x), row), at_x, at_z, now_ms)
        at_x, at_z = at_x[may], at_z[may]
        order = np.lexsort((at_z, at_x, (at_x - x) ** 2 + (at_z - z) ** 2))
        return at_x[order], at_z[order]

    def _may(self, state: AvatarTable, row: I64, index: I64, now_ms: int) -> Bool:
        """Which bodies may be in places, by index, ``[n]`` each."""
        access = state.access[row]
        may = (index == 0) | (access & EVERYWHERE > 0)
        asked = np.flatnonzero(~may)
        if len(asked):
            row, index, access = row[asked], index[asked], access[asked]
            bits = self._sheets.of(index, state.id[row], now_ms)
            owned = np.flatnonzero(state.owner[row])
            if len(owned):
                # A bot has its owner's rights beside its own, and is out with either.
                bits[owned] |= self._sheets.of(index[owned], state.owner[row[owned]], now_ms)
            need = np.where(access & BOT > 0, ENTER | BOTS, ENTER)
            may[asked] = bits & (need | EXCLUDED) == need
        return may

    def _depth(self, index: I64, x: I64, z: I64) -> I64:
        """How deep in a place positions are, ``[n]``: about the way to its border, in 1/64 m, in the larger axis."""
        for number in np.unique(self._sheets.number[index]).tolist():
            self._measure(number)
        size = 1 << PARCEL_SHIFT
        near_x, near_z = np.divmod(np.arange(9), 3) - np.ones((2, 1), np.int64)
        at, known = self._at((x >> PARCEL_SHIFT)[:, None] + near_x, (z >> PARCEL_SHIFT)[:, None] + near_z)
        deep = self._deep.reshape(-1)[at] * (known & (self._grid.reshape(-1)[at] == index[:, None]))
        own = deep[:, _MIDDLE]
        in_x, in_z = x & (size - 1), z & (size - 1)
        way_x = np.stack([in_x + 1, np.zeros_like(x), size - in_x], axis=1)[:, near_x + 1]
        way_z = np.stack([in_z + 1, np.zeros_like(z), size - in_z], axis=1)[:, near_z + 1]
        ways = np.where(deep < own[:, None], np.maximum(way_x, way_z), size)
        return (own - 1) * size + ways.min(axis=1)

    def _measure(self, place: int) -> None:
        """Work out how many parcels deep each parcel of a place is, once it is asked for."""
        if place in self._measured:
            return
        self._measured.add(place)
        index, parcels = self._sheets.index(place), []
        for rx, rz in sorted(self._where[place]):
            at_z, at_x = np.nonzero(self._grid[self._slots[rx, rz]] == index)
            parcels += [*zip((at_x + rx * PARCELS).tolist(), (at_z + rz * PARCELS).tolist(), strict=True)]
        for (px, pz), deep in depths(parcels).items():
            slot = self._slots[px // PARCELS, pz // PARCELS]
            self._deep[slot, pz % PARCELS, px % PARCELS] = deep

    def _index(self, x: I64, z: I64) -> I64:
        """Index of the place at positions ``[n]``; 0 for none."""
        at, known = self._at(x >> PARCEL_SHIFT, z >> PARCEL_SHIFT)
        index: I64 = self._grid.reshape(-1)[at] * known
        return index

    def _at(self, px: I64, pz: I64) -> tuple[I64, Bool]:
        """Where parcels are in the grid, anywhere where their region is unknown; arrays of one shape."""
        self._refresh()
        if not len(self._keys):
            return np.zeros(px.shape, np.int64), np.zeros(px.shape, np.bool_)
        shift = REGION_SHIFT - PARCEL_SHIFT
        key = ((px >> shift) << 32) + (pz >> shift)
        at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return self._starts[at] + (pz & _PARCEL_MASK) * PARCELS + (px & _PARCEL_MASK), self._keys[at] == key

    def _open(self, place: int) -> None:
        """A place had rules and has none any more."""
        regions = self._where.pop(place, None)
        if regions is not None:
            for region in regions:
                grid = self._grid[self._slots[region]]
                grid[grid == self._sheets.index(place)] = 0
            self._measured.discard(place)
            self._sheets.drop(place)

    def _forget(self, region: tuple[int, int]) -> None:
        slot = self._slots.pop(region, None)
        if slot is None:
            return
        found = np.unique(self._grid[slot])
        for place in self._sheets.number[found[found > 0]].tolist():
            regions = self._where[place]
            regions.discard(region)
            self._measured.discard(place)
            if not regions:
                del self._where[place]
                self._sheets.drop(place)
        self._grid[slot] = self._deep[slot] = 0
        self._free.append(slot)

    def _grow(self) -> None:
        old = len(self._grid)
        self._grid = np.concatenate([self._grid, np.zeros_like(self._grid)])
        self._deep = np.concatenate([self._deep, np.zeros_like(self._deep)])
        self._free.extend(range(2 * old - 1, old - 1, -1))

    def _note(self) -> None:
        self.version += 1
        self._is_stale = True

    def _refresh(self) -> None:
        """Sort the regions again after changes: several of a tick cost as much as one."""
        if not self._is_stale:
            return
        self._is_stale = False
        regions = np.array(list(self._slots), np.int64).reshape(-1, 2)
        keys = (regions[:, 0] << 32) + regions[:, 1]
        order = np.argsort(keys)
        self._keys = keys[order]
        slots = np.fromiter(self._slots.values(), np.int64, len(keys))
        self._starts = slots[order] * PARCELS * PARCELS


def _ways(from_x: I64, from_z: I64, x: I64, z: I64) -> tuple[I64, I64, I64]:
    """Positions on straight ways, the start left out: of which way each is, x and z."""
    away_x, away_z = x - from_x, z - from_z
    # Without the root: a few looks too many on slanting ways.
    looks = np.maximum(1, -(-(np.abs(away_x) + np.abs(away_z)) // STEP))
    of = np.arange(len(x))
    if (looks == 1).all():
        return of, x, z
    of = np.repeat(of, looks)
    step = np.arange(len(of)) - np.repeat(np.cumsum(looks) - looks, looks) + 1
    return of, from_x[of] + away_x[of] * step // looks[of], from_z[of] + away_z[of] * step // looks[of]
