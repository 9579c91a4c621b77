"""The gateway's mirror of the cells: who is in which slot, and each body's last word. Knows no viewers' wishes.

A (cell, layer) has a **row** while it is occupied or somebody can see it; per-cell facts are arrays over rows. The
slots of a row are a block of one flat pool, so that the words of a whole tick are applied in one assignment.
"""

from collections.abc import Collection, Iterable
from itertools import chain

import numpy as np

from worldloom.replication.feed import I64, U64, ShardFrame, ShardSnapshot
from worldloom_sdk.protocol.words import MAX_SLOTS, unpack_words

__all__ = ["NOWHERE", "Body", "Key", "Mirror", "NewTick"]

Key = tuple[int, int, int]
"""cx, cz, layer."""

Body = tuple[int, int, int, int]
"""x, z, y in units, and yaw."""

_SMALLEST = 16
NOWHERE: Key = (0, 0, -1)
"""In a layer that nobody sees."""


class NewTick:
    """A frame as the mirror took it: rows and pool places beside the words, for those who build messages from it.

    Attributes:
        rows: ``[C]`` rows of the cells that have words; ``bounds`` ``[C, SECTIONS + 1]``; ``words`` ``[W]``.
        places: ``[W]`` pool place of each word's slot.
        leave_rows: ``[L]``, ``leaves`` ``[L]``, ``leave_places`` ``[L]``.
        enter_rows: ``[E]``, ``enters`` ``[E, 2]``, ``enter_places`` ``[E]``.
    """

    __slots__ = (
        "bounds", "enter_places", "enter_rows", "enters", "leave_places", "leave_rows", "leaves",
        "places", "rows", "tick", "words",
    )  # fmt: skip

    tick: int
    rows: I64
    bounds: I64
    words: U64
    places: I64
    leave_rows: I64
    leaves: U64
    leave_places: I64
    enter_rows: I64
    enters: U64
    enter_places: I64


class Mirror:
    """Rows of cells, and the pool of slots.

    Attributes:
        words: ``[pool]`` last word of each slot.
        ids: ``[pool]`` avatar id, 0 for an empty slot.
        changed: ``[pool]`` tick of the last word.
        base: ``[rows]`` where a row's slots begin in the pool; ``size``: how many there are.
        population: ``[rows]`` how many of them are taken.
        keys: cx, cz, layer by row; None for a row that is free.
        where: avatar id -> (row, slot).
    """

    def __init__(self) -> None:
        # The first slots of the pool belong to no row: a word of an unknown cell would land there.
        self.words = np.zeros(2 * MAX_SLOTS, np.uint64)
        self.ids = np.zeros(2 * MAX_SLOTS, np.int64)
        self.changed = np.zeros(2 * MAX_SLOTS, np.int64)
        self.base = np.zeros(64, np.int64)
        self.size = np.zeros(64, np.int64)
        self.population = np.zeros(64, np.int64)
        self.cx = np.zeros(64, np.int64)
        self.cz = np.zeros(64, np.int64)
        # Row 0 stays empty for ever: "no such cell" in index arrays.
        self.keys: list[Key | None] = [None]
        self.where: dict[int, tuple[int, int]] = {}
        self._rows: dict[Key, int] = {}
        self._refs: list[int] = [1]
        self._spare: list[int] = []
        self._blocks: dict[int, list[int]] = {}
        self._outgrown: list[tuple[int, int]] = []
        self._used = MAX_SLOTS

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def row_count(self) -> int:
        """One more than the highest row in use."""
        return len(self.keys)

    def find(self, key: Key) -> int:
        """The row of a cell, 0 when it has none."""
        return self._rows.get(key, 0)

    def hold(self, key: Key) -> int:
        """The row of a cell, kept until :meth:`let_go` even while nobody is in it."""
        row = self._open(key)
        self._refs[row] += 1
        return row

    def let_go(self, row: int) -> None:
        """End one :meth:`hold`."""
        self._refs[row] -= 1
        self._close_if_idle(row)

    def apply(self, frame: ShardFrame) -> NewTick:
        """Take a frame: leaves, then enters, then words."""
        self._reuse_outgrown()
        new = NewTick()
        new.tick = frame.tick
        new.leaves, new.enters, new.bounds, new.words = frame.leaves, frame.enters, frame.bounds, frame.words
        new.leave_rows, new.leave_places = self._leave_all(frame)
        new.enter_rows, new.enter_places = self._enter_all(frame.enter_cells, frame.enters, frame.tick)
        find = self._rows.get
        new.rows = np.array([find(key, 0) for key in map(tuple, frame.cells.tolist())], np.int64)
        counts = new.bounds[:, -1] - new.bounds[:, 0]
        new.places = np.repeat(self.base[new.rows], counts) + (new.words & np.uint64(0xFFF)).astype(np.int64)
        self.words[new.places] = new.words
        self.changed[new.places] = frame.tick
        for row in set(new.leave_rows.tolist()):
            self._close_if_idle(row)
        return new

    def replace(self, snapshot: ShardSnapshot) -> None:
        """Forget everybody and take a snapshot of everything."""
        for row, key in enumerate(self.keys):
            if key is not None:
                block = slice(int(self.base[row]), int(self.base[row] + self.size[row]))
                self.ids[block] = 0
                self.population[row] = 0
        self.where.clear()
        self._enter_all(snapshot.cells, snapshot.entries, snapshot.tick)
        for row, key in enumerate(self.keys):
            if key is not None:
                self._close_if_idle(row)

    def entries(self, row: int) -> U64:
        """Snapshot entries ``[n, 2]`` of everybody in a row, slots ascending."""
        block = slice(int(self.base[row]), int(self.base[row] + self.size[row]))
        slots = np.flatnonzero(self.ids[block])
        entries = np.empty((len(slots), 2), np.uint64)
        entries[:, 0] = (slots | (self.ids[block][slots] << 12)).astype(np.uint64)
        entries[:, 1] = self.words[block][slots]
        return entries

    def words_since(self, row: int, tick: int) -> U64:
        """Words of a row that changed at ``tick`` or later, ``[n]``."""
        block = slice(int(self.base[row]), int(self.base[row] + self.size[row]))
        return self.words[block][(self.ids[block] != 0) & (self.changed[block] >= tick)]

    def body(self, avatar: int) -> Body | None:
        """Where an avatar is, as far as told: x, z, y in units, and yaw; None when it is not here."""
        return self.bodies([avatar]).get(avatar)

    def bodies(self, avatars: Iterable[int]) -> dict[int, Body]:
        """The same for those of many avatars that are here."""
        here = [(avatar, *at) for avatar in avatars if (at := self.where.get(avatar))]
        if not here:
            return {}
        ids, rows, slots = np.array(here, np.int64).T
        words = self.words[self.base[rows] + slots]
        _, x, z, y, yaw, _ = unpack_words(words, self.cx[rows], self.cz[rows])
        columns = zip(x.tolist(), z.tolist(), y.tolist(), yaw.tolist(), strict=True)
        return dict(zip(ids.tolist(), columns, strict=True))

    def everybody(self) -> tuple[I64, I64, U64]:
        """Avatar ids ``[n]``, rows ``[n]`` and last words ``[n]`` of all bodies."""
        ids = np.fromiter(self.where, np.int64, len(self.where))
        rows, slots = np.fromiter(chain.from_iterable(self.where.values()), np.int64).reshape(-1, 2).T
        return ids, rows, self.words[self.base[rows] + slots]

    def visible(self, avatars: Iterable[int], layers: Collection[int]) -> list[int]:
        """Those of some avatars whose bodies are here, in one of some layers."""
        where, keys = self.where, self.keys
        return [
            avatar
            for avatar in avatars
            if (at := where.get(avatar)) and (keys[at[0]] or NOWHERE)[2] in layers
        ]

    def place(self, avatar: int) -> int:
        """Pool place of an avatar's slot, 0 when it is not here."""
        row, slot = self.where.get(avatar, (0, 0))
        return int(self.base[row]) + slot

    def _leave_all(self, frame: ShardFrame) -> tuple[I64, I64]:
        rows, places = [], []
        for key, entry in zip(map(tuple, frame.leave_cells.tolist()), frame.leaves.tolist(), strict=True):
            row, slot = self._rows.get(key, 0), entry & 0xFFF
            place = int(self.base[row]) + slot
            rows.append(row)
            places.append(place)
            if row and slot < self.size[row]:
                avatar = int(self.ids[place])
                if self.where.get(avatar) == (row, slot):
                    del self.where[avatar]
                if avatar:
                    self.population[row] -= 1
                self.ids[place] = 0
        return np.array(rows, np.int64), np.array(places, np.int64)

    def _enter_all(self, cells: I64, entries: U64, tick: int) -> tuple[I64, I64]:
        rows, slots = [], []
        for key, entry in zip(map(tuple, cells.tolist()), entries[:, 0].tolist(), strict=True):
            slot, avatar = entry & 0xFFF, entry >> 12
            row = self._open(key)
            self._make_room(row, slot)
            place = int(self.base[row]) + slot
            if not self.ids[place]:
                self.population[row] += 1
            self.ids[place] = avatar
            self.where[avatar] = (row, slot)
            rows.append(row)
            slots.append(slot)
        row_array = np.array(rows, np.int64)
        # Places only now: making room may have moved a block.
        places = self.base[row_array] + np.array(slots, np.int64)
        self.words[places] = entries[:, 1]
        self.changed[places] = tick
        return row_array, places

    def _open(self, key: Key) -> int:
        row = self._rows.get(key)
        if row is not None:
            return row
        if self._spare:
            row = self._spare.pop()
            self.keys[row], self._refs[row] = key, 0
        else:
            row = len(self.keys)
            self.keys.append(key)
            self._refs.append(0)
            if row == len(self.base):
                self._grow_rows()
        self._rows[key] = row
        self.base[row], self.size[row] = self._block(_SMALLEST), _SMALLEST
        self.population[row] = 0
        self.cx[row], self.cz[row] = key[0], key[1]
        return row

    def _close_if_idle(self, row: int) -> None:
        key = self.keys[row]
        if key is None or self._refs[row] or self.population[row]:
            return
        self._blocks.setdefault(int(self.size[row]), []).append(int(self.base[row]))
        self.keys[row] = None
        self.base[row] = self.size[row] = 0
        del self._rows[key]
        self._spare.append(row)

    def _make_room(self, row: int, slot: int) -> None:
        size = int(self.size[row])
        if slot < size:
            return
        old = slice(int(self.base[row]), int(self.base[row]) + size)
        wide = size
        while wide <= slot:
            wide *= 2
        base = self._block(wide)
        for column in (self.words, self.ids, self.changed):
            column[base : base + size] = column[old]
        self.ids[old] = 0
        self._outgrown.append((size, old.start))
        self.base[row], self.size[row] = base, wide

    def _reuse_outgrown(self) -> None:
        """Blocks outgrown in a frame are given again only in the next: until then a place tells whose it was."""
        for size, start in self._outgrown:
            self._blocks.setdefault(size, []).append(start)
        self._outgrown.clear()

    def _block(self, size: int) -> int:
        spare = self._blocks.get(size)
        if spare:
            return spare.pop()
        while self._used + size > len(self.words):
            for name in ("words", "ids", "changed"):
                column = getattr(self, name)
                setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
        self._used += size
        return self._used - size

    def _grow_rows(self) -> None:
        for name in ("base", "size", "population", "cx", "cz"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))
