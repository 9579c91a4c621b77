"""Gates: what holds of whom at the doors of places, at all times, as sorted arrays. Pure NumPy; knows no positions.

Time is the same for everybody, so what holds now is kept ready, and brought forward when the next thing begins or ends.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["BOTS", "ENTER", "EXCLUDED", "SEE", "Gate", "Sheets"]

I64 = npt.NDArray[np.int64]
Line = Sequence[tuple[int, int]]
"""What holds from when on (Unix ms), ascending, the first from 0."""

ENTER, SEE, BOTS, EXCLUDED = 1, 2, 4, 8
"""What may hold of an account in a place; bits."""
_OPEN = ENTER | SEE | BOTS
_ACCOUNT_BITS = 32
_NEVER = 2**63 - 1


class Gate(NamedTuple):
    """What holds at the door of a place, at all times.

    Attributes:
        place: The number of the place, above 0.
        everyone: For whoever is not named.
        named: For accounts.
    """

    place: int
    everyone: Line
    named: Mapping[int, Line]

    @property
    def is_open(self) -> bool:
        """Whether anybody may at any time be there and see it."""
        lines = (self.everyone, *self.named.values())
        return all(bits & (_OPEN | EXCLUDED) == _OPEN for line in lines for _, bits in line)


class _Sheet(NamedTuple):
    """A gate as lists, ready to be joined with others: everyone, the account 0, then the named, ascending."""

    pairs: list[int]
    """Index of the place and account, as one number."""
    first: list[int]
    """What holds at first."""
    lines: list[int]
    """Of which of these each later moment is, counted within the sheet; then the moment, and what holds from then."""
    moments: list[int]
    bits: list[int]


class Sheets:
    """Gates by the indices that they are given here; an index is valid from ``put`` to ``drop``.

    Attributes:
        number: ``[indices]`` the number of the place, 0 where there is none; index 0 is none.
    """

    def __init__(self) -> None:
        self.number = np.zeros(64, np.int64)
        self._indices: dict[int, int] = {}
        self._free = list(range(63, 0, -1))
        self._sheets: dict[int, _Sheet] = {}
        self._is_stale = True
        self._now = -1
        self._next = _NEVER
        self._done = 0
        self._pairs = np.empty(0, np.int64)
        self._first = np.empty(0, np.int64)
        self._bits = np.empty(0, np.int64)
        self._everyone = np.zeros(64, np.int64)
        self._events = np.empty((3, 0), np.int64)

    def index(self, place: int) -> int:
        """The index of a place that is here.

        Raises:
            KeyError: It is not.
        """
        return self._indices[place]

    def named(self, place: int) -> Sequence[int]:
        """The accounts that the gate of a place names, ascending; none where there is no gate."""
        index = self._indices.get(place)
        mask = (1 << _ACCOUNT_BITS) - 1
        return [pair & mask for pair in self._sheets[index].pairs[1:]] if index is not None else []

    def put(self, gate: Gate) -> int:
        """Take a gate, in place of the one that its place has; its index."""
        index = self._indices.get(gate.place)
        if index is None:
            if not self._free:
                self._grow()
            index = self._indices[gate.place] = self._free.pop()
            self.number[index] = gate.place
        self._sheets[index] = _sheet(index, gate)
        self._is_stale = True
        return index

    def drop(self, place: int) -> None:
        """Forget the gate of a place that has one."""
        index = self._indices.pop(place)
        del self._sheets[index]
        self.number[index] = 0
        self._free.append(index)
        self._is_stale = True

    def of(self, index: I64, account: I64, now_ms: int) -> I64:
        """What holds of accounts in places, ``[n]`` each, at a moment."""
        self._bring_forward(now_ms)
        pair = (index << _ACCOUNT_BITS) + account
        at = np.minimum(np.searchsorted(self._pairs, pair), len(self._pairs) - 1)
        bits: I64 = self._bits[np.where(self._pairs[at] == pair, at, self._everyone[index])]
        return bits

    def of_everyone(self, index: I64, now_ms: int) -> I64:
        """What holds in places ``[n]`` of whoever is not named, at a moment."""
        self._bring_forward(now_ms)
        bits: I64 = self._bits[self._everyone[index]]
        return bits

    def _bring_forward(self, now_ms: int) -> None:
        if self._is_stale:
            self._sort()
        elif now_ms < self._now:
            self._begin()
        if now_ms >= self._next:
            moments, lines, bits = self._events
            end = int(np.searchsorted(moments, now_ms, side="right"))
            # In order of time: of several of one line the last stays.
            self._bits[lines[self._done : end]] = bits[self._done : end]
            self._done = end
            self._next = int(moments[end]) if end < len(moments) else _NEVER
        self._now = now_ms

    def _begin(self) -> None:
        """Back to the beginning of time."""
        self._bits = self._first.copy()
        self._done, self._now = 0, -1
        self._next = int(self._events[0, 0]) if self._events.shape[1] else _NEVER

    def _sort(self) -> None:
        """Join all sheets anew; several changes of a tick cost as much as one."""
        self._is_stale = False
        pairs: list[int] = []
        first: list[int] = []
        lines: list[int] = []
        moments: list[int] = []
        bits: list[int] = []
        for sheet in self._sheets.values():
            if sheet.lines:
                lines += [len(pairs) + line for line in sheet.lines]
                moments += sheet.moments
                bits += sheet.bits
            pairs += sheet.pairs
            first += sheet.first
        every = np.array(pairs, np.int64)
        order = np.argsort(every, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        self._pairs, self._first = every[order], np.array(first, np.int64)[order]
        is_everyone = self._pairs & ((1 << _ACCOUNT_BITS) - 1) == 0
        self._everyone = np.zeros(len(self.number), np.int64)
        self._everyone[self._pairs[is_everyone] >> _ACCOUNT_BITS] = np.flatnonzero(is_everyone)
        events = np.array([moments, rank[np.array(lines, np.int64)], bits], np.int64)
        self._events = events[:, np.argsort(events[0], kind="stable")]
        self._begin()

    def _grow(self) -> None:
        old = len(self.number)
        self.number = np.concatenate([self.number, np.zeros_like(self.number)])
        self._free = list(range(2 * old - 1, old - 1, -1))


def _sheet(index: int, gate: Gate) -> _Sheet:
    lines = [(0, gate.everyone), *sorted(gate.named.items())]
    later = [(at, moment, int(bits)) for at, (_, line) in enumerate(lines) for moment, bits in line[1:]]
    return _Sheet(
        [(index << _ACCOUNT_BITS) + account for account, _ in lines],
        [int(line[0][1]) for _, line in lines],
        [at for at, _, _ in later],
        [moment for _, moment, _ in later],
        [bits for _, _, bits in later],
    )
