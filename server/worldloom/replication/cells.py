"""Cells of the shard: which body is in which cell and layer, under which slot. Knows no words and no viewers.

A body changes its cell only when it is more than 2 m beyond the border, and at most twice a second, so that stepping to
and fro on a border costs nobody anything; farther out than 12 m it changes at once, since a word reaches 16 m. A slot
freed in one tick is given again from the next. A cell of 4,096 bodies is full, and a wall.
"""

import heapq
from typing import NamedTuple

import numpy as np

from worldloom.replication.feed import I64, U64
from worldloom.world.avatars import AvatarTable
from worldloom_sdk.protocol.geometry import CELL_SHIFT, CELL_UNITS, TICK_MS, XZ_PER_M
from worldloom_sdk.protocol.words import MAX_SLOTS, pack_words

__all__ = ["CellTable", "Records", "words_of"]

HYSTERESIS = 2 * XZ_PER_M
FAR_OUT = 12 * XZ_PER_M
TWICE_A_SECOND = 1000 // TICK_MS
GONE = 0
SEARCH_RINGS = 16
"""How far a full cell's newcomers are moved at most, in cells."""


class Records(NamedTuple):
    """Who left and entered which (cell, layer) in a tick; see ``ShardFrame`` for the shapes."""

    leave_cells: I64
    leaves: U64
    enter_cells: I64
    enters: U64


class _Cell:
    __slots__ = ("count", "free", "index", "key", "used")

    def __init__(self, key: tuple[int, int, int], index: int) -> None:
        self.key, self.index = key, index
        self.free: list[int] = []
        self.used = 0
        self.count = 0

    def take(self) -> int | None:
        if self.free:
            slot = heapq.heappop(self.free)
        elif self.used < MAX_SLOTS:
            slot = self.used
            self.used += 1
        else:
            return None
        self.count += 1
        return slot


class CellTable:
    """Slots of every occupied (cell, layer), and the records of the current tick."""

    def __init__(self, avatars: AvatarTable) -> None:
        self._avatars = avatars
        self._cells: dict[tuple[int, int, int], _Cell] = {}
        self._by_index: list[_Cell | None] = []
        self._spare: list[int] = []
        self._freed: list[tuple[_Cell, int]] = []
        self._leaves: list[tuple[tuple[int, int, int], int]] = []
        self._entered: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def indices(self) -> int:
        """Upper bound of the cell indices in the table's ``cell`` column."""
        return len(self._by_index)

    def key(self, index: int) -> tuple[int, int, int]:
        """cx, cz, layer of a cell index.

        Raises:
            KeyError: No such cell.
        """
        cell = self._by_index[index]
        if cell is None:
            raise KeyError(index)
        return cell.key

    def begin_tick(self) -> None:
        """Slots freed in the tick before may be given again; empty cells go."""
        for cell, slot in self._freed:
            heapq.heappush(cell.free, slot)
            if cell.count == 0 and self._cells.get(cell.key) is cell:
                del self._cells[cell.key]
                self._by_index[cell.index] = None
                self._spare.append(cell.index)
        self._freed.clear()
        self._leaves.clear()
        self._entered.clear()

    def settle(self, row: int, tick: int) -> bool:
        """Put a new body into the cell where it stands, or say that the cell is full."""
        t = self._avatars
        return self._enter(row, int(t.x[row]) >> CELL_SHIFT, int(t.z[row]) >> CELL_SHIFT, tick)

    def nearest_room(self, x: int, z: int, layer: int) -> tuple[int, int] | None:
        """The given place, or the middle of the nearest cell that has room; None when all around is full."""
        cx, cz = x >> CELL_SHIFT, z >> CELL_SHIFT
        if self._has_room((cx, cz, layer)):
            return x, z
        half = CELL_UNITS // 2
        for ring in range(1, SEARCH_RINGS + 1):
            span = range(-ring, ring + 1)
            middles = [
                (((cx + dx) << CELL_SHIFT) + half, ((cz + dz) << CELL_SHIFT) + half)
                for dx in span
                for dz in span
                if max(abs(dx), abs(dz)) == ring and self._has_room((cx + dx, cz + dz, layer))
            ]
            if middles:
                return min(middles, key=lambda m: (m[0] - x) ** 2 + (m[1] - z) ** 2)
        return None

    def cross(self, changed: I64, tick: int) -> list[int]:
        """Move bodies that left their cell to the next; return the rows for which it was full.

        Args:
            changed: Rows that moved in this tick, ascending.
            tick: This tick.
        """
        t = self._avatars
        out_x = _outside(t.x[changed] - (t.cx[changed] << CELL_SHIFT))
        out_z = _outside(t.z[changed] - (t.cz[changed] << CELL_SHIFT))
        out = np.maximum(out_x, out_z)
        refused = []
        for i in np.flatnonzero(out > HYSTERESIS).tolist():
            row = int(changed[i])
            if tick - int(t.crossed_before[row]) < TWICE_A_SECOND and out[i] <= FAR_OUT:
                continue
            if not self._change(row, tick):
                refused.append(row)
        return refused

    def relayer(self, row: int, layer: int, tick: int) -> bool:
        """Show a body in another layer of its cell; False when that is full."""
        t = self._avatars
        old = int(t.layer[row])
        t.layer[row] = layer
        if self._change(row, tick, (int(t.cx[row]), int(t.cz[row]))):
            return True
        t.layer[row] = old
        return False

    def leave(self, row: int) -> None:
        """The body goes out of the world."""
        self._leave(row, GONE)

    def records(self) -> Records:
        """Leaves and enters since ``begin_tick``; the enters carry the words as they are now."""
        t = self._avatars
        rows = np.array(list(self._entered), np.int64)
        enters = np.empty((len(rows), 2), np.uint64)
        enters[:, 0] = (t.slot[rows] | (t.id[rows] << 12)).astype(np.uint64)
        enters[:, 1] = words_of(t, rows)
        # An enter carries the word to viewers at every rate: nothing is pending any more.
        t.pending[rows] = 0
        return Records(
            np.array([key for key, _ in self._leaves], np.int64).reshape(-1, 3),
            np.array([entry for _, entry in self._leaves], np.uint64),
            np.stack([t.cx[rows], t.cz[rows], t.layer[rows]], axis=1),
            enters,
        )

    def everything(self) -> tuple[I64, U64]:
        """Cells ``[N, 3]`` and snapshot entries ``[N, 2]`` of all bodies, as they are now."""
        t = self._avatars
        rows = np.flatnonzero(t.id)
        entries = np.empty((len(rows), 2), np.uint64)
        entries[:, 0] = (t.slot[rows] | (t.id[rows] << 12)).astype(np.uint64)
        entries[:, 1] = words_of(t, rows)
        return np.stack([t.cx[rows], t.cz[rows], t.layer[rows]], axis=1), entries

    def _has_room(self, key: tuple[int, int, int]) -> bool:
        cell = self._cells.get(key)
        return cell is None or cell.used < MAX_SLOTS or bool(cell.free)

    def _change(self, row: int, tick: int, to: tuple[int, int] | None = None) -> bool:
        t = self._avatars
        cx, cz = to or (int(t.x[row]) >> CELL_SHIFT, int(t.z[row]) >> CELL_SHIFT)
        if not self._has_room((cx, cz, int(t.layer[row]))):
            return False
        dx, dz = cx - int(t.cx[row]), cz - int(t.cz[row])
        self._leave(row, (dx + 1) * 3 + dz + 2 if abs(dx) <= 1 and abs(dz) <= 1 else GONE)
        t.crossed_before[row] = t.crossed[row]
        t.crossed[row] = tick
        return self._enter(row, cx, cz, tick)

    def _enter(self, row: int, cx: int, cz: int, tick: int) -> bool:
        t = self._avatars
        key = (cx, cz, int(t.layer[row]))
        cell = self._cells.get(key) or self._open(key)
        slot = cell.take()
        if slot is None:
            return False
        t.cx[row], t.cz[row], t.slot[row], t.cell[row] = cx, cz, slot, cell.index
        self._entered[row] = None
        return True

    def _leave(self, row: int, direction: int) -> None:
        cell = self._by_index[int(self._avatars.cell[row])]
        if cell is None:
            raise KeyError(f"row {row} is in no cell")
        slot = int(self._avatars.slot[row])
        cell.count -= 1
        self._freed.append((cell, slot))
        if row in self._entered:
            # Came and went within one tick: nobody was told that it came. (Slots stay blocked until the next tick.)
            del self._entered[row]
        else:
            self._leaves.append((cell.key, slot | direction << 12))

    def _open(self, key: tuple[int, int, int]) -> _Cell:
        index = self._spare.pop() if self._spare else len(self._by_index)
        cell = _Cell(key, index)
        if index == len(self._by_index):
            self._by_index.append(cell)
        else:
            self._by_index[index] = cell
        self._cells[key] = cell
        return cell


def words_of(t: AvatarTable, rows: I64) -> U64:
    """The words of some bodies, ``[n]``."""
    return pack_words(
        t.slot[rows], t.x[rows], t.z[rows], t.y[rows], t.yaw[rows], t.gesture[rows], t.cx[rows], t.cz[rows]
    )


def _outside(local: I64) -> I64:
    """How far outside its cell a position is, counted from the cell's corner; negative inside."""
    return np.maximum(-local, local - (CELL_UNITS - 1))
