"""Evidence: what a reporter was sent in the last half minute, for a report. Taken from what was written, not asked for.

Twice a second it is noted which places each view group was being sent, and where everybody was; lines, whispers and
signals are noted by seat and session as they are written. ADR 12 says why that is a sample and not the frames.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgpack
import numpy as np
import numpy.typing as npt

from worldloom.gateway.roster import Roster
from worldloom.gateway.session import KEPT_MS, Session
from worldloom.replication.fanout import FanOut
from worldloom.replication.feed import I64
from worldloom.replication.runs import DROPPED
from worldloom.replication.views import GroupKey, ViewGroup, rates_of
from worldloom_sdk.protocol.geometry import CELL_SHIFT, PATCH_SHIFT, TICK_MS, XZ_PER_M
from worldloom_sdk.protocol.words import XZ_MARGIN

__all__ = ["KEPT_MS", "SAMPLE_TICKS", "Evidence"]

SAMPLE_TICKS = 10
"""From one noting to the next: half a second."""
SEEN_AT_ONCE = 64
"""Bodies of one moment that go into a report, nearest first; whom it is about is always among them."""
HEARD_BYTES = 512 * 1024
"""Of what was said, at most, so that a report can be kept; what others than whom it is about said goes first."""
_ROW_BYTES = 40
"""What a line takes beside its name and text, at most."""

Ints = npt.NDArray[np.integer[Any]]
_Line = tuple[int, str, int, str, str | bytes]
"""World time, kind, avatar, name and text."""
_Body = tuple[int, float, float]
"""Avatar, x and z in metres."""
_Watched = tuple[ViewGroup, int, frozenset[int]]
"""A view group, its step, and who is cut out."""

_NOBODY: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Moment:
    """Where everybody was, and what each viewer was being sent: arrays, so that the collector has little to look at.

    Each of the narrowest type that carries it: some 21 bytes for each who is here.
    """

    at_ms: int
    ids: Ints
    cells: Ints
    """``[c, 3]`` cx, cz, layer of those that somebody was in."""
    cell: Ints
    """``[n]`` which of them each body was in, and ``patch``, which patch of it."""
    patch: Ints
    x: Ints
    z: Ints
    """In units."""
    viewers: Ints
    """``[v]`` avatars of those who were being sent something, and ``group``, which of the groups each was in."""
    group: Ints
    groups: list[ViewGroup]
    steps: Ints
    """``[len(groups)]`` on the ladder, then."""
    cut: dict[int, frozenset[int]]
    """By avatar: who was cut out, of those who had somebody cut out."""

    def watched(self, avatar: int) -> _Watched | None:
        """What a viewer was being sent; None for nothing."""
        found = np.flatnonzero(self.viewers == avatar)
        if not len(found):
            return None
        number = int(self.group[found[0]])
        return self.groups[number], int(self.steps[number]), self.cut.get(avatar, _NOBODY)


class Evidence:
    """Remembers the last half minute.

    Args:
        roster: Who is here.
        fanout: What they are sent.
        world_ms: World time.
    """

    def __init__(self, roster: Roster, fanout: FanOut, world_ms: Callable[[], int]) -> None:
        self._roster, self._fanout, self._world_ms = roster, fanout, world_ms
        self._moments: deque[_Moment] = deque(maxlen=KEPT_MS // (SAMPLE_TICKS * TICK_MS) + 1)

    def sample(self) -> None:
        """Every ``SAMPLE_TICKS`` ticks, when all of the tick is written: note where everybody is."""
        mirror = self._fanout.mirror
        ids, rows, words = mirror.everybody()
        taken, cell = np.unique(rows, return_inverse=True)
        cells = np.array([mirror.keys[row] for row in taken.tolist()], np.int64).reshape(-1, 3)
        local = words.astype(np.int64)
        x, z = ((local >> 12) & 0xFFF) - XZ_MARGIN, ((local >> 24) & 0xFFF) - XZ_MARGIN
        # Slots may lie a little outside of their cell.
        patch = np.clip(z >> PATCH_SHIFT, 0, 3) * 4 + np.clip(x >> PATCH_SHIFT, 0, 3)
        east, south = (cells[cell, axis] << CELL_SHIFT for axis in (0, 1))
        # Whoever is sent nothing, because its buffer is full or its picture has to wait, is in no group.
        groups = [group for group in self._fanout.views.groups.values() if len(group)]
        told = [seat for group in groups for seat in group]
        group = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
        self._moments.append(
            _Moment(
                self._world_ms(),
                ids.astype(np.uint32),
                cells.astype(np.int32),
                cell.astype(np.min_scalar_type(len(cells))),
                patch.astype(np.uint8),
                (x + east).astype(np.int32),
                (z + south).astype(np.int32),
                np.array([seat.avatar for seat in told], np.uint32),
                group.astype(np.min_scalar_type(len(groups))),
                groups,
                np.array([one.family.step[one.index] for one in groups], np.int16),
                {seat.avatar: frozenset(seat.blocked) for seat in told if seat.blocked},
            )
        )

    def of(self, session: Session, about: int) -> bytes | None:
        """What somebody was sent lately, packed; None when nothing of it was of the avatar that it is about."""
        now = self._world_ms()
        heard = _within_budget(self._heard(session, now - KEPT_MS), about)
        seen = self._seen(session, about, now - KEPT_MS)
        known = {avatar for _, bodies in seen for avatar, *_ in bodies} | {line[2] for line in heard}
        if about not in known:
            return None
        names = {str(avatar): self._name(avatar) for avatar in sorted(known)}
        return msgpack.packb({"world_ms": now, "names": names, "heard": heard, "seen": seen})

    def _name(self, avatar: int) -> str:
        session = self._roster.find(avatar)
        return session.name if session is not None else ""

    def _heard(self, session: Session, since: int) -> list[_Line]:
        """World time, kind, avatar, name and text of everything said to it, in order."""
        lines: list[_Line] = [
            (tick * TICK_MS, f"say{line.kind}", line.avatar, line.name, line.text)
            for tick, told in session.seat.heard
            for line in told
        ]
        posts: list[_Line] = [
            (at, channel, avatar, name, what) for at, (avatar, name, channel, what) in session.posts
        ]
        return sorted((one for one in lines + posts if one[0] >= since), key=itemgetter(0))

    def _seen(self, session: Session, about: int, since: int) -> list[tuple[int, list[_Body]]]:
        """World time, and avatar, x and z in metres of who was in view."""
        seen = []
        for moment in self._moments:
            watched = moment.watched(session.avatar)
            if moment.at_ms >= since and watched is not None:
                near = _in_view(moment, session.avatar, *watched)
                seen.append((moment.at_ms, _nearest(moment, near, session.avatar, about, watched[0].key)))
        return seen


def _within_budget(lines: list[_Line], about: int) -> list[_Line]:
    """Those that have room: of whom it is about first, and of these the newest; in order."""
    sizes = [_ROW_BYTES + len(_bytes_of(name)) + len(_bytes_of(what)) for _, _, _, name, what in lines]
    if sum(sizes) <= HEARD_BYTES:
        return lines
    kept, room = [], HEARD_BYTES
    for i in sorted(range(len(lines)), key=lambda i: (lines[i][2] != about, -i)):
        room -= sizes[i]
        if room < 0:
            break
        kept.append(i)
    return [lines[i] for i in sorted(kept)]


def _bytes_of(what: str | bytes) -> bytes:
    return what.encode() if isinstance(what, str) else what


def _in_view(moment: _Moment, viewer: int, group: ViewGroup, step: int, blocked: frozenset[int]) -> I64:
    """Who was sent to a viewer, as indices into the moment: by cell, layer and rate, less those cut out."""
    key, offsets, radius = group.key, group.family.around.offsets, group.family.radius
    rates = rates_of(group, step).reshape(len(key.layers), len(offsets), 16)
    place = np.empty((2 * radius + 1, 2 * radius + 1), np.int64)
    place[offsets[:, 0] + radius, offsets[:, 1] + radius] = np.arange(len(offsets))
    dx, dz, layers = (moment.cells - (key.cx, key.cz, 0)).T
    near = (np.abs(dx) <= radius) & (np.abs(dz) <= radius)
    told = np.zeros((len(moment.cells), 16), np.bool_)
    for number, layer in enumerate(key.layers):
        here = np.flatnonzero(near & (layers == layer))
        told[here] = rates[number, place[dx[here] + radius, dz[here] + radius]] != DROPPED
    seen = told[moment.cell, moment.patch] & (moment.ids != viewer)
    if blocked:
        seen &= ~np.isin(moment.ids, list(blocked))
    return np.flatnonzero(seen)


def _nearest(moment: _Moment, near: I64, viewer: int, about: int, key: GroupKey) -> list[_Body]:
    """The nearest of some bodies, whom it is about before all."""
    own = np.flatnonzero(moment.ids == viewer)
    x0, z0 = key.cx << CELL_SHIFT, key.cz << CELL_SHIFT
    if len(own):
        x0, z0 = moment.x.item(own[0]), moment.z.item(own[0])
    ids, x, z = (column[near].astype(np.int64) for column in (moment.ids, moment.x, moment.z))
    # Within the view this stays below 2**31: distance and id are one number, and the order is the same every time.
    order = ((x - x0) ** 2 + (z - z0) ** 2) << 32 | ids
    order[ids == about] = -1
    if len(order) > SEEN_AT_ONCE:
        chosen = np.argpartition(order, SEEN_AT_ONCE)[:SEEN_AT_ONCE]
        order, ids, x, z = order[chosen], ids[chosen], x[chosen], z[chosen]
    by = np.argsort(order)
    metres = (np.round(axis[by] / XZ_PER_M, 1).tolist() for axis in (x, z))
    return list(zip(ids[by].tolist(), *metres, strict=True))
