"""One (cell, layer) of the view: who sits in which slot, and the last two words of each."""

import numpy as np
import numpy.typing as npt

__all__ = ["Place"]

_SLOT = np.uint64(0xFFF)


class Place:
    """Arrays indexed by slot, grown by powers of two as far as slots are used. An id of 0 means: free.

    Attributes:
        cx: Cell index.
        cz: Cell index.
        ids: ``[capacity]`` uint32 avatar ids.
        words: ``[capacity]`` uint64, the last word of each.
        ticks: ``[capacity]`` int64, when it came.
        words_before: The word before that.
        ticks_before: When that came.
        used: Number of slots in use.
    """

    __slots__ = ("cx", "cz", "ids", "ticks", "ticks_before", "used", "words", "words_before")

    def __init__(self, cx: int, cz: int) -> None:
        self.cx = cx
        self.cz = cz
        self.used = 0
        self.ids = np.zeros(8, np.uint32)
        self.words = np.zeros(8, np.uint64)
        self.ticks = np.zeros(8, np.int64)
        self.words_before = np.zeros(8, np.uint64)
        self.ticks_before = np.zeros(8, np.int64)

    def seat(self, slot: int, avatar: int, word: int, tick: int) -> None:
        """Put an avatar into a free slot."""
        self._reach(slot)
        self.used += 1
        self.ids[slot] = avatar
        self.words[slot] = self.words_before[slot] = word
        self.ticks[slot] = self.ticks_before[slot] = tick

    def free(self, slot: int) -> None:
        """Free a slot that is in use."""
        self.ids[slot] = 0
        self.used -= 1

    def occupant(self, slot: int) -> int:
        """Avatar id in a slot, 0 if it is free."""
        return int(self.ids[slot]) if slot < len(self.ids) else 0

    def put(self, words: npt.NDArray[np.uint64], tick: int) -> npt.NDArray[np.intp]:
        """Take over new words ``[n]``; those for free slots are ignored. Returns the slots that changed."""
        slots = (words & _SLOT).astype(np.intp)
        known = slots < len(self.ids)
        if not known.all():
            words, slots = words[known], slots[known]
        known = self.ids[slots] != 0
        if not known.all():
            words, slots = words[known], slots[known]
        self.words_before[slots] = self.words[slots]
        self.ticks_before[slots] = self.ticks[slots]
        self.words[slots] = words
        self.ticks[slots] = tick
        return slots

    def slots(self) -> npt.NDArray[np.intp]:
        """Slots in use, ascending."""
        return np.flatnonzero(self.ids)

    def entries(self) -> dict[int, tuple[int, int]]:
        """Slot -> (avatar id, word)."""
        slots = self.slots()
        pairs = zip(self.ids[slots].tolist(), self.words[slots].tolist(), strict=True)
        return dict(zip(slots.tolist(), pairs, strict=True))

    def _reach(self, slot: int) -> None:
        capacity = len(self.ids)
        if slot < capacity:
            return
        more = (1 << slot.bit_length()) - capacity
        self.ids = np.pad(self.ids, (0, more))
        self.words = np.pad(self.words, (0, more))
        self.ticks = np.pad(self.ticks, (0, more))
        self.words_before = np.pad(self.words_before, (0, more))
        self.ticks_before = np.pad(self.ticks_before, (0, more))
