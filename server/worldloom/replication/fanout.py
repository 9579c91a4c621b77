"""Fan-out: each tick, every viewer gets the one ready-made frame of its view group. No sockets, no SQL, no clock.

Order within a tick: mirror the frame; build and write the frames of the groups as they stand; then those viewers that
change their group are told what they gain, and belong to the new group from the next tick on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from worldloom.replication.blocks import Blocks
from worldloom.replication.budget import Budget
from worldloom.replication.feed import I64, ShardFrame, ShardSnapshot, Sight, SpokenLine
from worldloom.replication.frames import FrameBuilder
from worldloom.replication.mirror import Mirror
from worldloom.replication.runs import DROPPED
from worldloom.replication.seats import Seats
from worldloom.replication.speech import hearing
from worldloom.replication.transitions import Transitions
from worldloom.replication.views import Family, GroupKey, Owed, Seat, ViewGroup, Views, rates_of
from worldloom.replication.wire import frame_message
from worldloom_sdk.protocol.words import BlockKind

__all__ = ["FanOut", "FanOutTotals"]

AREAS_A_TICK = 2
"""How many Area messages a viewer that waits for snapshots gets in one tick."""

Heard = dict[Seat, tuple[SpokenLine, ...]]


@dataclass(slots=True)
class FanOutTotals:
    """Counters since the start."""

    frames: int = 0
    bytes: int = 0
    words: int = 0
    areas: int = 0
    cuts: int = 0


class FanOut:
    """Holds the mirror, the view groups and the seats of all viewers of one gateway."""

    def __init__(self, view_cells: int, bytes_per_second: int) -> None:
        self.mirror = Mirror()
        self.views = Views(self.mirror, view_cells)
        self.seats = Seats(self.mirror)
        self.totals = FanOutTotals()
        self._budget = Budget(bytes_per_second)
        self._builder = FrameBuilder()
        self._transitions = Transitions(self.mirror)
        self._waiting: dict[Seat, None] = {}
        self._blocks = Blocks(self.mirror)
        self._regarded: dict[Seat, None] = {}
        self._sights: dict[int, tuple[int, ...]] = {}
        self._tick = 0

    def add(self, seat: Seat) -> None:
        """A viewer; it is told of the world once its own body is in it."""
        seat.see(seat.own, self._sights.get(seat.avatar, ()))
        self.seats.add(seat)
        self._waiting[seat] = None
        self._blocks.note(seat)

    def remove(self, seat: Seat) -> None:
        """The viewer gets nothing any more."""
        self._ungroup(seat)
        self._waiting.pop(seat, None)
        self._blocks.forget(seat)
        self._regarded.pop(seat, None)
        self.seats.remove(seat)

    def pause(self, seat: Seat) -> None:
        """Its buffer is full: it gets nothing until :meth:`drained`."""
        seat.paused = True
        self._ungroup(seat)
        self._waiting.pop(seat, None)

    def drained(self, seat: Seat) -> None:
        """It reads again: it gets a snapshot of all that it can see."""
        seat.paused = False
        if seat in self.seats:
            self._waiting[seat] = None

    def regard(self, seat: Seat, *, layers: tuple[int, ...] | None = None, thin: bool | None = None) -> None:
        """Change a viewer's own layers, or its tier. Of a layer that is taken away nothing more is sent."""
        loses = seat.see(layers or seat.own, seat.sight)
        seat.thin = seat.thin if thin is None else thin
        self._regarded[seat] = None
        if loses:
            self._tell_anew(seat)

    def _take_sights(self, sights: Iterable[Sight]) -> None:
        """Who sees into which places: before anything of the tick in which it changed is written."""
        for sight in sights:
            if sight.layers:
                self._sights[sight.avatar] = sight.layers
            else:
                self._sights.pop(sight.avatar, None)
            seat = self.seats.of(sight.avatar)
            if seat is None:
                continue
            loses = seat.see(seat.own, sight.layers)
            self._regarded[seat] = None
            if loses:
                self._tell_anew(seat)

    def block(self, seat: Seat, avatar: int, on: bool) -> None:
        """Cut an avatar out of all that a viewer is sent, or no longer; its picture is sent anew if that changes it."""
        (seat.blocked.add if on else seat.blocked.discard)(avatar)
        if seat not in self.seats:
            return
        self._blocks.note(seat)
        if avatar not in self.mirror.where:
            self._set_apart(seat)
        else:
            self._tell_anew(seat)

    def _tell_anew(self, seat: Seat) -> None:
        """Nothing more by its group's frames; its picture comes with the next tick."""
        if seat in self.seats and not seat.paused:
            self._ungroup(seat)
            self._waiting[seat] = None

    def _set_apart(self, seat: Seat) -> None:
        """Within its group: among those that get a copy of their own if it blocks somebody, else among the others."""
        group = seat.group
        if group is not None:
            group.viewers.pop(seat, None)
            group.special.pop(seat, None)
            (group.special if seat.blocked else group.viewers)[seat] = None

    def take_snapshot(self, snapshot: ShardSnapshot) -> None:
        """After a gap: replace the mirror, and every viewer's picture."""
        for seat in list(self.seats):
            self._ungroup(seat)
            if not seat.paused:
                self._waiting[seat] = None
        self._sights = {sight.avatar: sight.layers for sight in snapshot.sights}
        for seat in self.seats:
            seat.see(seat.own, self._sights.get(seat.avatar, ()))
        self.mirror.replace(snapshot)
        self.seats.relocate()
        self._blocks.anew()

    def take_frame(self, frame: ShardFrame) -> None:
        """Mirror a frame of the shard and write everybody's share."""
        self._tick = frame.tick
        self._transitions.begin_tick(frame.tick)
        self._take_sights(frame.sights)
        self._blocks.before_frame()
        new = self.mirror.apply(frame)
        self._blocks.after_frame(new)
        self._builder.take(new, self.mirror.row_count, np.fromiter(self.views.patched, np.int64))
        patch_rows = self._builder.patch_rows
        self._budget.demand.note(
            self.mirror.row_count, new.rows, new.bounds, patch_rows, self._builder.patch_bounds(patch_rows)
        )
        raised = self._plan(frame.tick)
        heard = hearing(frame.lines, self.seats, frame.tick)
        # Who waits for its picture has no group whose frame could carry the lines.
        apart = [seat for seat in heard if seat.group is None]
        for family in self.views.families.values():
            self._write_family(family, heard)
        for group, before in raised:
            self._refresh(group, before)
        self._regroup([*self.seats.follow(frame, new), *self._regarded])
        self._regarded.clear()
        self._seat_waiting()
        for seat in apart:
            if not seat.paused:
                self._write(seat, self._frame(b"", heard[seat]))
            else:
                # Its picture has just filled its buffer: it was not told them after all.
                seat.unhear()

    def _plan(self, tick: int) -> list[tuple[ViewGroup, I64]]:
        """Choose the rates anew from time to time; the groups where some rose, and their rates before."""
        raised: list[tuple[ViewGroup, I64]] = []
        for family in self.views.families.values():
            for group, step in self._budget.plan(family, tick):
                raised.append((group, rates_of(group, step)))
        return raised

    def _write_family(self, family: Family, heard: Heard) -> None:
        chosen = np.flatnonzero(family.members)
        if not len(chosen):
            return
        woken = self._mark_lonely(family, chosen)
        bodies = self._builder.bodies(family, chosen, with_places=bool(self._blocks))
        own = self._blocks.own_bodies(family, chosen, bodies) if self._blocks else {}
        self.totals.cuts += len(own)
        data, ends = bodies.words.astype("<u8", copy=False).tobytes(), bodies.ends.tolist()
        lonely = family.lonely[chosen].tolist()
        for i, index in enumerate(chosen.tolist()):
            group = family.groups[index]
            if group is None:
                continue
            start, end = ends[i], ends[i + 1]
            body = data[8 * start : 8 * end]
            if lonely[i] and body and body[0] == BlockKind.WORDS:
                # One's own word and nothing else.
                body = b""
            self._write_group(group, body, heard)
            for seat in list(group.special):
                frame = self._frame(own.get(seat, body) if body else body, heard.get(seat, ()))
                if frame:
                    self._write(seat, frame)
        for index in woken:
            self._wake(family.groups[index])

    def _mark_lonely(self, family: Family, chosen: I64) -> list[int]:
        """Find viewers with nobody near: moving costs them and us nothing. Those that are so no longer are returned."""
        seen = self.mirror.population[family.rows[chosen]].sum(axis=1)
        alone = (family.members[chosen] == 1) & family.sees_self[chosen] & (seen <= 1)
        woken: list[int] = chosen[family.lonely[chosen] & ~alone].tolist()
        family.lonely[chosen] = alone
        return woken

    def _write_group(self, group: ViewGroup, body: bytes, heard: Heard) -> None:
        if heard and any(seat in heard for seat in group.viewers):
            variants: dict[tuple[SpokenLine, ...], bytes] = {}
            for seat in list(group.viewers):
                lines = heard.get(seat, ())
                if lines not in variants:
                    variants[lines] = self._frame(body, lines)
                if variants[lines]:
                    self._write(seat, variants[lines])
            return
        if not body:
            return
        frame = frame_message(self._tick, body)
        viewers = list(group.viewers)
        for seat in viewers:
            seat.write(frame)
        self.totals.frames += len(viewers)
        self.totals.bytes += len(viewers) * len(frame)
        self.totals.words += len(viewers) * (len(body) >> 3)

    def _frame(self, body: bytes, lines: Sequence[SpokenLine]) -> bytes:
        if not body and not lines:
            return b""
        return frame_message(self._tick, body, [line.line() for line in lines])

    def _write(self, seat: Seat, frame: bytes) -> None:
        seat.write(frame)
        self.totals.frames += 1
        self.totals.bytes += len(frame)

    def _wake(self, group: ViewGroup | None) -> None:
        if group is not None:
            self._refresh(group, np.full((len(group.rows), 16), DROPPED))

    def _refresh(self, group: ViewGroup, before: I64) -> None:
        if not len(group):
            return
        now = rates_of(group, int(group.family.step[group.index]))
        frame = self._transitions.refresh(group, before, now)
        if not frame:
            return
        for seat in list(group):
            own = self._transitions.refresh(group, before, now, seat.blocked) if seat.blocked else frame
            if own:
                self._write(seat, own)

    def _regroup(self, moved: Iterable[Seat]) -> None:
        for seat in moved:
            old = seat.group
            if old is None:
                continue
            new = self._group_for(seat)
            if new is not old:
                self._change_group(seat, old, new)
            else:
                self._note_own_layer(seat, new)
        for base in self._budget.flips(self.views, self._tick):
            for seat in list(base):
                new = self._group_for(seat)
                if seat.group is not None and new is not seat.group:
                    self._change_group(seat, seat.group, new)

    def _group_for(self, seat: Seat) -> ViewGroup:
        row, patch = self.seats.place(seat)
        base = GroupKey(int(self.mirror.cx[row]), int(self.mirror.cz[row]), seat.layers, seat.thin)
        group = self.views.group(base.of_patch(patch) if base in self._budget.crowded else base)
        if group.family.step[group.index] < 0:
            self._budget.first_step(group)
        return group

    def _change_group(self, seat: Seat, old: ViewGroup, new: ViewGroup) -> None:
        frames, gained = self._transitions.change(old, new, seat.blocked)
        self._ungroup(seat, keep_if_empty=True)
        self._join_group(seat, new)
        kept = set(new.rows.tolist())
        missing = [one for one in seat.missing if one.row in kept]
        if (old.key.cx, old.key.cz, old.key.layers) != (new.key.cx, new.key.cz, new.key.layers):
            area, seat.missing = self._transitions.area(new, [*map(Owed, gained), *missing], seat.blocked)
            # Before the write, which may pause the viewer.
            self._waiting[seat] = None
            self._write_area(seat, area)
        if frames and seat.group is not None:
            self._write(seat, frames)
        self.views.drop_if_empty(old)

    def _seat_waiting(self) -> None:
        """Viewers that wait for (more of) their picture."""
        for seat in list(self._waiting):
            anew = seat.group is None
            if seat.group is None:
                if not self.seats.is_in_world(seat):
                    continue
                group = self._group_for(seat)
                self._join_group(seat, group)
                seat.missing = [Owed(row) for row in group.rows.tolist()]
            for _ in range(AREAS_A_TICK):
                if seat.missing and seat.group is not None:
                    area, seat.missing = self._transitions.area(seat.group, seat.missing, seat.blocked, anew)
                    self._write_area(seat, area)
                    anew = False
            if not seat.missing and seat.group is not None:
                self._waiting.pop(seat, None)
                self._write(seat, self._transitions.complete())

    def _write_area(self, seat: Seat, area: bytes) -> None:
        self.totals.areas += 1
        self._write(seat, area)

    def _join_group(self, seat: Seat, group: ViewGroup) -> None:
        (group.special if seat.blocked else group.viewers)[seat] = None
        group.family.members[group.index] += 1
        seat.group = group
        self.seats.watch_patch(seat, group.family.crowded)
        self._note_own_layer(seat, group)

    def _note_own_layer(self, seat: Seat, group: ViewGroup) -> None:
        """Whether a viewer that may be alone would see itself: only then can nobody be in view but itself."""
        layer = self.seats.layer(seat)
        group.family.sees_self[group.index] = layer is not None and layer in group.key.layers

    def _ungroup(self, seat: Seat, keep_if_empty: bool = False) -> None:
        group = seat.group
        if group is None:
            return
        if group.viewers.pop(seat, group) is group:
            group.special.pop(seat, None)
        group.family.members[group.index] -= 1
        if len(group) == 1:
            self._note_own_layer(next(iter(group)), group)
        seat.group = None
        self.seats.watch_patch(seat, False)
        if not keep_if_empty:
            seat.missing = []
            self.views.drop_if_empty(group)
