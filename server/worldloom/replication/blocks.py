"""Blocks: what viewers that block somebody are sent instead of their group's frame."""

from collections.abc import Iterable

import numpy as np

from worldloom.replication.cut import cut, find
from worldloom.replication.feed import I64
from worldloom.replication.frames import Bodies
from worldloom.replication.mirror import Mirror
from worldloom.replication.views import Family, Seat

__all__ = ["Blocks"]


class Blocks:
    """Those who block somebody, and where the blocked are in the mirror."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._seats: dict[Seat, None] = {}
        self._places: dict[int, set[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._seats)

    def note(self, seat: Seat) -> None:
        """A viewer blocks somebody, or nobody any more."""
        if seat.blocked:
            self._seats[seat] = None
        else:
            self._seats.pop(seat, None)

    def forget(self, seat: Seat) -> None:
        """A viewer is gone."""
        self._seats.pop(seat, None)

    def before_frame(self) -> None:
        """A frame is about to be mirrored: a leave is told under the old slot, all else under the new one."""
        place = self._mirror.place
        self._places = {avatar: {place(avatar)} for seat in self._seats for avatar in seat.blocked}

    def after_frame(self) -> None:
        """The frame was mirrored."""
        for avatar, places in self._places.items():
            places.add(self._mirror.place(avatar))

    def own_bodies(self, family: Family, chosen: I64, bodies: Bodies) -> dict[Seat, bytes]:
        """The bodies of those to whom the group's body tells of somebody they block, less that."""
        seats, body_of = self._special(family, chosen)
        asked = [(i, place) for i, seat in enumerate(seats) for place in self._places_of(seat)]
        if not asked:
            return {}
        copy, place = np.array(asked, np.int64).T
        suspects = self._suspects(bodies)
        question, position = find(bodies.places, bodies.ends, suspects, body_of[copy], place)
        concerned, copy = np.unique(copy[question], return_inverse=True)
        if not len(concerned):
            return {}
        words, ends = cut(bodies.words, bodies.ends, bodies.headers, body_of[concerned], copy, position)
        data, at = words.astype("<u8", copy=False).tobytes(), (8 * ends).tolist()
        return {seats[number]: data[at[i] : at[i + 1]] for i, number in enumerate(concerned.tolist())}

    def _special(self, family: Family, chosen: I64) -> tuple[list[Seat], I64]:
        """The viewers of these groups that block somebody, and in which body each one's group is."""
        body = np.zeros(len(family.members), np.int64)
        body[chosen] = np.arange(len(chosen))
        here = [
            (seat, seat.group.index) for seat in self._seats if seat.group and seat.group.family is family
        ]
        return [seat for seat, _ in here], body[[index for _, index in here]]

    def _places_of(self, seat: Seat) -> Iterable[int]:
        """Pool places of whom a viewer blocks; place 0 is nobody's."""
        return (place for avatar in seat.blocked for place in self._places.get(avatar, ()) if place)

    def _suspects(self, bodies: Bodies) -> I64:
        """Positions of words about anybody who is blocked by anybody."""
        flags = np.zeros(len(self._mirror.ids), np.bool_)
        flags[[place for places in self._places.values() for place in places]] = True
        flags[0] = False
        return np.flatnonzero(flags[bodies.places])
