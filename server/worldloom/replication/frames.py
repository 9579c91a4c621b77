"""Frame bodies of many view groups at once: every body is a list of pieces of a few arrays, gathered in one pass.

The pieces are the runs of words of each cell (or patch) in view at the group's rate, the leave and enter records, and a
header before each. Nothing is encoded per viewer.
"""

from typing import NamedTuple

import numpy as np

from worldloom.replication.feed import I64, SECTIONS, U64
from worldloom.replication.mirror import NewTick
from worldloom.replication.runs import END, START, patch_of
from worldloom.replication.runs import section_bounds as bounds_by_key
from worldloom.replication.views import Family
from worldloom_sdk.protocol.words import BlockKind

__all__ = ["Bodies", "FrameBuilder", "ranges"]

_BOUNDS = SECTIONS + 1


class Bodies(NamedTuple):
    """Bodies of some groups, one after another.

    Attributes:
        words: All bodies ``[T]``.
        ends: ``[G + 1]`` where each begins and ends.
        places: ``[T]`` pool place of the slot that each word tells of, 0 for headers; empty unless asked for.
        headers: Positions of the headers, ascending; empty unless asked for.
    """

    words: U64
    ends: I64
    places: I64
    headers: I64


class FrameBuilder:
    """The pieces of one tick, by row."""

    def __init__(self) -> None:
        self._cells = np.zeros((64, _BOUNDS), np.int64)
        self._patches = np.zeros((64, 16, _BOUNDS), np.int64)
        self._leaves = np.zeros((64, 2), np.int64)
        self._enters = np.zeros((64, 2), np.int64)
        self._touched: list[tuple[np.ndarray, I64]] = []
        self._source = np.empty(0, np.uint64)
        self._places = np.empty(0, np.int64)
        self._has_records = False
        self.patch_rows = np.empty(0, np.int64)

    def take(self, new: NewTick, row_count: int, patched: I64) -> None:
        """Lay out the pieces of a tick.

        Args:
            new: The tick, as the mirror took it.
            row_count: One more than the highest row.
            patched: ``[K]`` rows that some group takes by patch.
        """
        self._grow(row_count)
        for table, rows in self._touched:
            table[rows] = 0
        self._touched.clear()
        self._mark(self._cells, new.rows, new.bounds)
        patch_words, patch_places = self._take_patches(new, patched, len(new.words))
        at = len(new.words) + len(patch_words)
        leave_order = self._take_records(self._leaves, new.leave_rows, at, 1)
        at += len(leave_order)
        enter_order = self._take_records(self._enters, new.enter_rows, at, 2)
        enters = new.enters[enter_order].reshape(-1)
        self._source = np.concatenate([new.words, patch_words, new.leaves[leave_order], enters])
        self._places = np.concatenate(
            [
                new.places,
                patch_places,
                new.leave_places[leave_order],
                np.repeat(new.enter_places[enter_order], 2),
            ]
        )
        self._has_records = bool(len(leave_order) or len(enter_order))

    def patch_bounds(self, rows: I64) -> I64:
        """``[K, 16, 10]`` bounds of the patches of some rows."""
        return self._patches[rows]

    def bodies(self, family: Family, chosen: I64, with_places: bool = False) -> Bodies:
        """The frame bodies of some groups of a family, by index ``[G]``."""
        rows = family.rows[chosen]
        rates = family.ladder[family.step[chosen]]
        columns = _Columns(len(chosen), len(self._source))
        base = _header_base(family, chosen)
        if self._has_records:
            for kind, table in ((BlockKind.LEAVE, self._leaves), (BlockKind.ENTER, self._enters)):
                span = table[rows]
                wide = 2 if kind is BlockKind.ENTER else 1
                columns.add(base + np.uint64(kind), span[..., 1] // wide, span[..., :1], span[..., 1:])
        base = base + np.uint64(BlockKind.WORDS)
        start, length = _pieces(self._cells, rows, rates[:, family.band])
        if family.crowded:
            cover = family.cover(family.patch[chosen])
            which = np.arange(len(chosen))[:, None]
            length[which, cover] = 0
            bands = family.patch_bands(family.patch[chosen])
            patch_rows = rows[which, cover][:, :, None] * 16 + np.arange(16)
            p_start, p_length = _pieces(
                self._patches.reshape(-1, _BOUNDS), patch_rows, rates[which[:, :, None], bands]
            )
            columns.add(base[which, cover], p_length.sum(axis=2), p_start, p_length)
        columns.add(base, length, start[..., None], length[..., None])
        return columns.gather(self._source, self._places, with_places)

    def _take_patches(self, new: NewTick, patched: I64, offset: int) -> tuple[U64, I64]:
        """Order the words of some rows by patch, too."""
        self.patch_rows = np.empty(0, np.int64)
        if not len(patched):
            return np.empty(0, np.uint64), np.empty(0, np.int64)
        among = np.isin(new.rows, patched)
        rows, bounds = new.rows[among], new.bounds[among]
        counts = np.diff(bounds, axis=1)
        total = counts.sum(axis=1)
        index = ranges(bounds[:, 0], total)
        words = new.words[index]
        section = np.repeat(np.tile(np.arange(SECTIONS), len(rows)), counts.reshape(-1))
        place = np.repeat(np.arange(len(rows)), total) * 16 + patch_of(words)
        key = place * SECTIONS + section
        order = np.argsort(key, kind="stable")
        found, patch_bounds = bounds_by_key(key, len(rows) * 16)
        flat = self._patches.reshape(-1, _BOUNDS)
        self._mark(flat, rows[found // 16] * 16 + found % 16, patch_bounds + offset)
        self.patch_rows = patched
        return words[order], new.places[index][order]

    def _take_records(self, table: I64, rows: I64, offset: int, wide: int) -> I64:
        order = np.argsort(rows, kind="stable")
        found, first, count = np.unique(rows[order], return_index=True, return_counts=True)
        self._mark(table, found, np.stack([first * wide + offset, count * wide], axis=1))
        return order

    def _mark(self, table: I64, rows: I64, values: I64) -> None:
        table[rows] = values
        self._touched.append((table, rows))

    def _grow(self, row_count: int) -> None:
        while row_count > len(self._cells):
            for name in ("_cells", "_patches", "_leaves", "_enters"):
                table = getattr(self, name)
                setattr(self, name, np.concatenate([table, np.zeros_like(table)]))
            self._touched.clear()
            for name in ("_cells", "_patches", "_leaves", "_enters"):
                getattr(self, name)[:] = 0


def _header_base(family: Family, chosen: I64) -> U64:
    """Headers ``[G, L * P]`` without kind and count."""
    offsets = np.tile(family.around.offsets, (family.layers, 1)) & 0xFF
    layer = np.repeat(family.layer_of[chosen], len(family.around.offsets), axis=1)
    return (offsets[:, 0] << 8 | offsets[:, 1] << 16 | layer << 24).astype(np.uint64)


def _pieces(bounds: I64, rows: I64, rates: I64) -> tuple[I64, I64]:
    """Where the run at a rate begins, and its length, for ``[...]`` rows and rates."""
    flat = bounds.reshape(-1)
    at = rows * _BOUNDS
    start = flat[at + START[rates]]
    return start, flat[at + END[rates]] - start


def ranges(start: I64, length: I64) -> I64:
    """The numbers of all half-open ranges, one after another."""
    ends = np.cumsum(length)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(start - (ends - length), length)


class _Columns:
    """Pieces of ``[G]`` bodies in order: for each block its header, then its pieces."""

    def __init__(self, groups: int, headers_at: int) -> None:
        self._groups, self._headers_at = groups, headers_at
        self._headers: list[U64] = []
        self._starts: list[I64] = []
        self._lengths: list[I64] = []

    def add(self, header: U64, count: I64, start: I64, length: I64) -> None:
        """Blocks ``[G, B]`` with pieces ``[G, B, K]``; a block without entries is left out."""
        groups, blocks = count.shape
        width = start.shape[2] + 1
        starts = np.empty((groups, blocks, width), np.int64)
        lengths = np.empty((groups, blocks, width), np.int64)
        starts[..., 0] = self._headers_at + np.arange(groups * blocks).reshape(groups, blocks)
        lengths[..., 0] = count > 0
        starts[..., 1:], lengths[..., 1:] = start, length
        self._headers_at += groups * blocks
        self._headers.append((header + (count << 40).astype(np.uint64)).reshape(-1))
        self._starts.append(starts.reshape(groups, -1))
        self._lengths.append(lengths.reshape(groups, -1))

    def gather(self, source: U64, places: I64, with_places: bool) -> Bodies:
        starts, lengths = np.concatenate(self._starts, axis=1), np.concatenate(self._lengths, axis=1)
        ends = np.concatenate([[0], np.cumsum(lengths.sum(axis=1))])
        used = np.flatnonzero(lengths.reshape(-1))
        starts, lengths = starts.reshape(-1)[used], lengths.reshape(-1)[used]
        index = ranges(starts, lengths)
        words = np.concatenate([source, *self._headers])[index]
        if not with_places:
            nothing = np.empty(0, np.int64)
            return Bodies(words, ends, nothing, nothing)
        is_header = index >= len(source)
        padded = np.concatenate(
            [places, np.zeros(len(self._headers) and sum(map(len, self._headers)), np.int64)]
        )
        return Bodies(words, ends, padded[index], np.flatnonzero(is_header))
