"""Blocks: what viewers that block somebody are sent instead of their group's frame.

Where the blocked are is kept in arrays that follow the frames, for blocks work both ways: whoever is blocked by many is
in as many lists, and all of them are looked at every tick.
"""

import numpy as np

from worldloom.replication.cut import cut, find
from worldloom.replication.feed import I64
from worldloom.replication.frames import Bodies
from worldloom.replication.mirror import Mirror, NewTick
from worldloom.replication.views import Family, Seat

__all__ = ["Blocks"]

_SLOTS = 12
"""Bits of a slot's number."""


class Blocks:
    """Those who block somebody, and where the blocked are in the mirror."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._seats: dict[Seat, None] = {}
        self._stale = True
        """Whether the arrays below are to be made anew."""
        self._column: dict[int, int] = {}
        self._list: list[Seat] = []
        self._row = self._slot = self._was = self._now = np.zeros(0, np.int64)
        self._pair_seat = self._pair_column = np.zeros(0, np.int64)

    def __bool__(self) -> bool:
        return bool(self._seats)

    def note(self, seat: Seat) -> None:
        """Whom a viewer blocks has changed."""
        if seat.blocked:
            self._seats[seat] = None
            self._stale = True
        else:
            self.forget(seat)

    def forget(self, seat: Seat) -> None:
        """A viewer is gone, or blocks nobody."""
        if seat in self._seats:
            del self._seats[seat]
            self._stale = True

    def anew(self) -> None:
        """The mirror was replaced."""
        self._stale = True

    def before_frame(self) -> None:
        """A frame is about to be mirrored: a leave is told under the old slot, all else under the new one."""
        if not self._seats:
            return
        if self._stale:
            self._list_all()
        self._was = self._places()

    def after_frame(self, new: NewTick) -> None:
        """The frame was mirrored."""
        if not self._seats:
            return
        where = self._mirror.where
        left = np.isin(self._row << _SLOTS | self._slot, _slots_left(new))
        for column in np.flatnonzero(left).tolist():
            self._row[column] = self._slot[column] = 0
        for entry in new.enters[:, 0].tolist():
            at = self._column.get(entry >> _SLOTS)
            if at is not None:
                self._row[at], self._slot[at] = where.get(entry >> _SLOTS, (0, 0))
        self._now = self._places()

    def own_bodies(self, family: Family, chosen: I64, bodies: Bodies) -> dict[Seat, bytes]:
        """The bodies of those to whom the group's body tells of somebody they block, less that."""
        body_of = self._bodies_of(family, chosen)
        asked = np.flatnonzero(body_of[self._pair_seat] >= 0)
        if not len(asked):
            return {}
        copy, column = self._pair_seat[asked], self._pair_column[asked]
        was, now = self._was[column], self._now[column]
        moved = np.flatnonzero(was != now)
        copy, place = np.concatenate([copy, copy[moved]]), np.concatenate([now, was[moved]])
        copy, place = copy[place > 0], place[place > 0]
        question, position = find(bodies.places, bodies.ends, self._suspects(bodies), body_of[copy], place)
        concerned, copy = np.unique(copy[question], return_inverse=True)
        if not len(concerned):
            return {}
        words, ends = cut(bodies.words, bodies.ends, bodies.headers, body_of[concerned], copy, position)
        data, at = words.astype("<u8", copy=False).tobytes(), (8 * ends).tolist()
        seats = self._list
        return {seats[number]: data[at[i] : at[i + 1]] for i, number in enumerate(concerned.tolist())}

    def _list_all(self) -> None:
        self._stale = False
        self._list = list(self._seats)
        pairs = [(number, avatar) for number, seat in enumerate(self._list) for avatar in seat.blocked]
        self._column = {avatar: i for i, avatar in enumerate(dict.fromkeys(avatar for _, avatar in pairs))}
        places = [self._mirror.where.get(avatar, (0, 0)) for avatar in self._column]
        self._row, self._slot = np.array(places, np.int64).reshape(-1, 2).T.copy()
        self._pair_seat = np.array([number for number, _ in pairs], np.int64)
        self._pair_column = np.array([self._column[avatar] for _, avatar in pairs], np.int64)

    def _places(self) -> I64:
        """Pool place of each blocked avatar; place 0 is nobody's."""
        return np.where(self._row > 0, self._mirror.base[self._row] + self._slot, 0)

    def _bodies_of(self, family: Family, chosen: I64) -> I64:
        """In which body each of the listed seats' group is; -1: its group is of another family, or it has none."""
        body = np.full(len(family.members) + 1, -1, np.int64)
        body[chosen] = np.arange(len(chosen))
        # A seat may have been forgotten since the list was made; the last place of ``body`` is nobody's.
        index = [
            seat.group.index if seat.group is not None and seat.group.family is family else -1
            for seat in self._list
        ]
        return body[np.array(index, np.int64)]

    def _suspects(self, bodies: Bodies) -> I64:
        """Positions of words about anybody who is blocked by anybody."""
        flags = np.zeros(len(self._mirror.ids), np.bool_)
        flags[self._was] = flags[self._now] = True
        flags[0] = False
        return np.flatnonzero(flags[bodies.places])


def _slots_left(new: NewTick) -> I64:
    return new.leave_rows << _SLOTS | (new.leaves & np.uint64(0xFFF)).astype(np.int64)
