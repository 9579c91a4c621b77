"""What a viewer is told when its group or its group's rates change: areas, snapshots, refreshed words.

Frames bring changes only, so whoever begins to see a place, or to see it at full rate, must first be told what it
missed: a snapshot of a place that was not in view; of a place that was, the words that slower rates may still owe.
"""

from collections import deque
from collections.abc import Collection, Iterable

import numpy as np

from worldloom.replication.feed import I64, U64
from worldloom.replication.mirror import Mirror
from worldloom.replication.runs import DROPPED, patch_of
from worldloom.replication.views import Owed, ViewGroup, rates_of
from worldloom.replication.wire import frame_message, message
from worldloom_sdk.protocol.messages import Area, AreaComplete
from worldloom_sdk.protocol.words import BlockKind, block_header

__all__ = ["AREA_ENTRIES", "Transitions"]

AREA_ENTRIES = 1_536
"""Bodies told of in one Area message, 24 KiB; what remains comes as another."""
OWED_TICKS = 16
"""Every rate is told of a change within so many ticks."""


class Transitions:
    """Builds those messages from the mirror; what several viewers need alike in a tick is built once."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._tick = 0
        self._entries: dict[int, U64] = {}
        self._recent: dict[tuple[int, int], tuple[U64, I64]] = {}
        self._changes: dict[tuple[ViewGroup, ViewGroup], tuple[bytes, list[int]]] = {}

    def begin_tick(self, tick: int) -> None:
        """The state after ``tick`` is told from now on."""
        self._tick = tick
        self._entries.clear()
        self._recent.clear()
        self._changes.clear()

    def area(
        self, group: ViewGroup, owed: Iterable[Owed], hidden: Collection[int] = (), anew: bool = False
    ) -> tuple[bytes, list[Owed]]:
        """An Area message with as much as fits of what is owed, nearest first, and what remains.

        A cell too full for one message is begun as a snapshot and goes on as enters. With ``anew``, what remains is
        told as empty: what the viewer may know of it is out of date, and a word would be taken for another body's.
        """
        offsets = self._offsets(group)
        remaining = deque(sorted(owed, key=lambda one: max(map(abs, offsets[one.row][:2]))))
        parts: list[bytes] = []
        room = AREA_ENTRIES
        while remaining and room > 0:
            row, slot = remaining.popleft()
            entries = self._snapshot(row, hidden)
            entries = entries[np.searchsorted(entries[:, 0] & np.uint64(0xFFF), slot) :]
            if len(entries) > room:
                remaining.appendleft(Owed(row, int(entries[room, 0]) & 0xFFF))
                entries = entries[:room]
            room -= len(entries) + 1
            kind = BlockKind.ENTER if slot else BlockKind.SNAPSHOT
            parts.append(block_header(kind, *offsets[row], len(entries)).to_bytes(8, "little"))
            parts.append(entries.astype("<u8").tobytes())
        if anew:
            empty = (
                block_header(BlockKind.SNAPSHOT, *offsets[one.row], 0) for one in remaining if not one.slot
            )
            parts += [header.to_bytes(8, "little") for header in empty]
        key = group.key
        told = Area(self._tick, key.cx, key.cz, group.family.radius, list(key.layers), b"".join(parts))
        return message(told), list(remaining)

    def complete(self) -> bytes:
        """The AreaComplete message."""
        return message(AreaComplete(self._tick))

    def change(self, old: ViewGroup, new: ViewGroup, hidden: Collection[int] = ()) -> tuple[bytes, list[int]]:
        """What to write to a viewer that goes from one group to another: ready-made frames, and rows to snapshot.

        The frames say nothing of the rows; those come by :meth:`area`, which is due when the cell or layers differ.
        """
        pair = (old, new)
        if not hidden and pair in self._changes:
            return self._changes[pair]
        had = rates_of(old, int(old.family.step[old.index]))
        if old.family.lonely[old.index]:
            had = np.full_like(had, DROPPED)
        now = rates_of(new, int(new.family.step[new.index]))
        if len(old.rows) == len(new.rows) and (old.rows == new.rows).all():
            gained: list[int] = []
            before = had
        else:
            at = {row: i for i, row in enumerate(old.rows.tolist())}
            index = np.array([at.get(row, -1) for row in new.rows.tolist()])
            gained = new.rows[index < 0].tolist()
            before = np.where((index < 0)[:, None], now, had[index])
        told = self.refresh(new, before, now, hidden), gained
        if not hidden:
            self._changes[pair] = told
        return told

    def refresh(self, group: ViewGroup, before: I64, now: I64, hidden: Collection[int] = ()) -> bytes:
        """Words that rates ``before`` may still owe at rates ``now``, both ``[places, 16]``; empty if none is owed."""
        revived = (before == DROPPED) & (now < DROPPED)
        owed = revived | ((now == 0) & (before > 0))
        places = np.flatnonzero(owed.any(axis=1))
        if not len(places):
            return b""
        parts = []
        for place in places.tolist():
            row = int(group.rows[place])
            words, patches = self._changed(row, 0 if revived[place].any() else self._tick - OWED_TICKS)
            words = self._without(row, words[owed[place][patches]], hidden)
            if len(words):
                header = block_header(BlockKind.WORDS, *_offset(group, place), len(words))
                parts.append(header.to_bytes(8, "little") + words.astype("<u8").tobytes())
        return frame_message(self._tick, b"".join(parts)) if parts else b""

    def _changed(self, row: int, since: int) -> tuple[U64, I64]:
        """Words of a row that changed lately, and their patches."""
        found = self._recent.get((row, since))
        if found is None:
            words = self._mirror.words_since(row, since)
            found = self._recent[row, since] = words, patch_of(words)
        return found

    def _offsets(self, group: ViewGroup) -> dict[int, tuple[int, int, int]]:
        """dx, dz and layer of each row of a group, nearest first."""
        around = group.family.around.offsets.tolist()
        places = [(dx, dz, layer) for layer in group.key.layers for dx, dz in around]
        return dict(zip(group.rows.tolist(), places, strict=True))

    def _snapshot(self, row: int, hidden: Collection[int]) -> U64:
        entries = self._entries.get(row)
        if entries is None:
            entries = self._entries[row] = self._mirror.entries(row)
        if not hidden:
            return entries
        return entries[~np.isin(entries[:, 0] >> np.uint64(12), np.array(list(hidden), np.uint64))]

    def _without(self, row: int, words: U64, hidden: Collection[int]) -> U64:
        slots = [at[1] for avatar in hidden if (at := self._mirror.where.get(avatar)) and at[0] == row]
        return words[~np.isin(words & np.uint64(0xFFF), np.array(slots, np.uint64))] if slots else words


def _offset(group: ViewGroup, place: int) -> tuple[int, int, int]:
    """dx, dz and layer of one place of a group."""
    layer, at = divmod(place, len(group.family.around.offsets))
    dx, dz = group.family.around.offsets[at].tolist()
    return dx, dz, group.key.layers[layer]
