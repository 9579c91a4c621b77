"""The shard: authority on motion for the regions that it holds. One call a tick; knows no sockets and no clock.

Phases of a tick, in this order: take controls (bodies come, go, speak), step the moves, change cells, go into and out
of places that are not seen from outside, ask for land
(once a second), encode the words once, publish. What is slow (land, storage) comes back as a call between ticks.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np

from worldloom.replication.cells import CellTable
from worldloom.replication.feed import (
    FORGOTTEN,
    I64,
    Control,
    Join,
    MoveBatch,
    Part,
    RegionNews,
    Renew,
    Resync,
    SetAccess,
    SetLayer,
    ShardFrame,
    ShardSnapshot,
    Speak,
    SpokenLine,
)
from worldloom.replication.runs import encode_runs
from worldloom.shard.sights import Sights
from worldloom.world.avatars import AvatarTable
from worldloom.world.enter import EnterTable
from worldloom.world.footing import keep_footing
from worldloom.world.lookahead import Arrival, Lookahead
from worldloom.world.step import TICKS_PER_S, Ground, Moves, Tables, step
from worldloom_sdk.protocol.geometry import REGION_SHIFT
from worldloom_sdk.protocol.messages import CorrectionReason, RegionState
from worldloom_sdk.protocol.overlay import Overlay, Patch

__all__ = ["Land", "Shard"]

_log = logging.getLogger(__name__)

RegionWanted = Callable[[int, int, float, int], None]
"""Asks for a region ``(rx, rz)`` in which this avatar may be in so many seconds."""
RegionForgotten = Callable[[int, int], None]
"""Nobody is heading for region ``(rx, rz)`` any more."""


_NOBODY = np.empty(0, np.int64)


class Land(Ground, Protocol):
    """The land of the held regions."""

    def add(self, rx: int, rz: int, heights: np.ndarray, overlay: Overlay | None = None) -> None:
        """Make a region's ground known; heights as in a tile."""

    def lay(self, overlay: Overlay) -> None:
        """A region has another overlay."""

    def edit(self, rx: int, rz: int, patch: Patch) -> None:
        """Samples of a region are set, or given back."""

    def remove(self, rx: int, rz: int) -> None:
        """Forget a region's ground."""

    def __contains__(self, region: tuple[int, int]) -> bool:
        """Whether the region's ground is known."""


class Shard:
    """Simulates bodies and publishes one frame a tick."""

    def __init__(
        self,
        land: Land,
        speed: int,
        climb: int,
        publish: Callable[[ShardFrame | ShardSnapshot], None],
        want: RegionWanted,
        shard: int = 1,
        epoch: int = 1,
        forget: RegionForgotten = lambda rx, rz: None,
        ahead: Lookahead | None = None,
        enter: EnterTable | None = None,
        view_cells: int = 2,
    ) -> None:
        self.avatars = AvatarTable()
        self.cells = CellTable(self.avatars)
        self._land = land
        self.enter = enter if enter is not None else EnterTable()
        self._tables = Tables(land, speed, climb, self.enter)
        self._sights = Sights(self.avatars, self.cells, self.enter, view_cells)
        self._publish = publish
        self._want, self._forget = want, forget
        self._ahead, self._looked = ahead or Lookahead(), 0
        self._wished: set[tuple[int, int]] = set()
        self._arrived: list[int] = []
        self._shard, self._epoch = shard, epoch
        self._seq = 0
        self._moves: list[MoveBatch] = []
        self._resyncs: list[int] = []
        self._taken: dict[tuple[int, int], int] = {}
        self._last_batch: dict[tuple[int, int], int] = {}
        self._lines: list[SpokenLine] = []
        self._corrections: list[I64] = []
        self._regions: dict[tuple[int, int], RegionNews] = {}
        self._region_news: list[RegionNews] = []

    def receive(self, message: MoveBatch | Resync) -> None:
        """Take what a gateway sent; it counts in the next tick."""
        if isinstance(message, Resync):
            self._resyncs.append(message.gateway)
        else:
            self._moves.append(message)

    def add_region(
        self,
        rx: int,
        rz: int,
        heights: np.ndarray,
        sha256: str,
        source: str,
        overlay: Overlay | None = None,
    ) -> None:
        """A region's land is made: bodies may walk there from the next tick on."""
        self._land.add(rx, rz, heights, overlay)
        version = overlay.version if overlay is not None else 0
        self._tell_region(RegionNews(rx, rz, RegionState.WOVEN, sha256, source, version))

    def overlay_version(self, rx: int, rz: int) -> int | None:
        """The version of a held region's overlay; None for a region that is not held."""
        return self._regions[rx, rz].overlay if (rx, rz) in self._land else None

    def edit_region(self, rx: int, rz: int, version: int, patch: Patch) -> None:
        """Samples of a held region are others from the next tick on; ``version`` follows the region's own."""
        with self._footing(rx, rz):
            self._land.edit(rx, rz, patch)
        news = self._regions[rx, rz] = replace(self._regions[rx, rz], overlay=version)
        self._region_news.append(replace(news, patch=patch))

    def lay_overlay(self, overlay: Overlay) -> None:
        """A held region has this overlay, however it came to be."""
        with self._footing(overlay.rx, overlay.rz):
            self._land.lay(overlay)
        self._tell_region(replace(self._regions[overlay.rx, overlay.rz], overlay=overlay.version))

    def weaving(self, rx: int, rz: int) -> None:
        """A region's land is being made."""
        if (rx, rz) not in self._regions:
            self._tell_region(RegionNews(rx, rz, RegionState.WEAVING))

    def unweave(self, rx: int, rz: int) -> None:
        """A region's land is not being made after all."""
        news = self._regions.get((rx, rz))
        if news is not None and news.state == RegionState.WEAVING:
            del self._regions[rx, rz]
            self._region_news.append(RegionNews(rx, rz, FORGOTTEN))

    def forget_far(self, keep: int) -> None:
        """If more than ``keep`` regions are held, forget those that nobody is in or beside."""
        if len(self._regions) <= keep:
            return
        t = self.avatars
        rows = np.flatnonzero(t.id)
        used = set(
            zip((t.x[rows] >> REGION_SHIFT).tolist(), (t.z[rows] >> REGION_SHIFT).tolist(), strict=True)
        )
        near = {(rx + dx, rz + dz) for rx, rz in used for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
        for region in [region for region in self._regions if region not in near]:
            del self._regions[region]
            if region in self._land:
                self._land.remove(*region)
            self.enter.remove(*region)
            self._region_news.append(RegionNews(*region, FORGOTTEN))

    def tick(self, tick: int, now_ms: int = 0) -> ShardFrame:
        """Simulate one tick and publish what changed.

        Args:
            tick: Its number.
            now_ms: Unix time, for rights that end.
        """
        self.cells.begin_tick()
        batches, self._moves = self._moves, []
        moves: list[I64] = []
        for batch in sorted(batches, key=lambda one: one.number):
            renewed = self._take_controls(batch, tick, now_ms)
            # What an older connection still asked for is not to count against the new one.
            moves = [_without(asked, renewed) for asked in moves] if renewed else moves
            moves += self._fresh_moves(batch)
        moved = self._step(np.concatenate(moves, axis=1), tick, now_ms) if moves else _NOBODY
        self._sights.follow(moved, tick, now_ms)
        self._ask_for_land(tick)
        frame = self._frame(tick)
        self._publish(frame)
        for gateway in self._resyncs:
            self._publish(self._snapshot(gateway, tick))
        self._resyncs.clear()
        return frame

    def _take_controls(self, batch: MoveBatch, tick: int, now_ms: int) -> list[int]:
        """Take each control once, in order; the avatars that were renewed."""
        source = (batch.gateway, batch.epoch)
        taken = self._taken.get(source, 0)
        renewed = []
        for number, control in enumerate(batch.controls, batch.first_control):
            if number == taken + 1:
                self._control(control, tick, now_ms)
                taken = number
                if isinstance(control, Renew):
                    renewed.append(control.avatar)
        self._taken[source] = taken
        return renewed

    def _fresh_moves(self, batch: MoveBatch) -> list[I64]:
        """The moves of a batch by avatar ``[7, n]``, unless a later batch of that gateway came before it."""
        source = (batch.gateway, batch.epoch)
        if batch.number <= self._last_batch.get(source, 0) or not len(batch.avatar):
            return []
        self._last_batch[source] = batch.number
        return [np.concatenate([batch.avatar[None], batch.moves])]

    def _control(self, control: Control, tick: int, now_ms: int) -> None:
        match control:
            case Join():
                self._join(control, tick, now_ms)
            case Part(avatar):
                self._part(avatar)
            case Renew(avatar):
                row = self.avatars.row(avatar)
                if row is not None:
                    self.avatars.seq[row] = -1
            case SetLayer(avatar, layer):
                row = self.avatars.row(avatar)
                if row is not None and not self._sights.veil(row, layer, tick):
                    _log.warning("avatar %d stays in its layer: layer %d of its cell is full", avatar, layer)
            case SetAccess(avatar, owner, access):
                row = self.avatars.row(avatar)
                if row is not None:
                    self.avatars.owner[row], self.avatars.access[row] = owner, access
            case Speak():
                self._speak(control)

    def _join(self, join: Join, tick: int, now_ms: int) -> None:
        t = self.avatars
        if join.avatar in t:
            return
        row = t.add(join.avatar)
        t.owner[row], t.access[row], t.veil[row] = join.owner, join.access, join.layer
        place = self._landing(row, join, now_ms)
        if place is None:
            _log.warning("no room for avatar %d near %d, %d", join.avatar, join.x, join.z)
            t.remove(join.avatar)
            return
        t.x[row], t.z[row] = place
        t.yaw[row] = join.yaw & 0xFF
        self._sights.enter(row, now_ms)
        # A whole second's worth at once: nothing is budgeted before there was a move.
        t.budget_tick[row] = tick - TICKS_PER_S
        self._set_on_ground(row)
        if not self.cells.settle(row, tick):
            _log.warning("no room for avatar %d in the place where it would be", join.avatar)
            self._sights.leave(row)
            t.remove(join.avatar)
            return
        self._correct(np.array([row]), np.array([0]), np.array([int(CorrectionReason.PLACED)]))
        self._arrived.append(row)

    def _landing(self, row: int, join: Join, now_ms: int) -> tuple[int, int] | None:
        """Where somebody is set down: not where it may not be, if there is land near where it may; None: no room."""
        place = self.cells.nearest_room(join.x, join.z, join.layer)
        allowed = place and self._allowed(row, place, now_ms)
        if allowed is not None or join.instead is None:
            return allowed or place
        x, z = join.instead
        return self._landing(row, replace(join, x=x, z=z, instead=None), now_ms)

    def _allowed(self, row: int, place: tuple[int, int], now_ms: int) -> tuple[int, int] | None:
        """A place, or the nearest to it, where somebody may be; None if there is none on land that is held."""
        t = self.avatars
        x, z = np.array([place[0]]), np.array([place[1]])
        if self.enter.may_enter(t, np.array([row]), x, z, now_ms)[0]:
            return place
        at_x, at_z = self.enter.way_out(t, row, *place, now_ms)
        woven = np.flatnonzero(self._land.ground(at_x, at_z)[1])
        layer = int(t.veil[row])
        rooms = (self.cells.nearest_room(int(at_x[i]), int(at_z[i]), layer) for i in woven.tolist())
        free = ((int(at_x[i]), int(at_z[i])) for i in woven.tolist())
        return next((at for at, room in zip(free, rooms, strict=True) if at == room), None)

    def _set_on_ground(self, row: int) -> None:
        t = self.avatars
        ground, _ = self._land.ground(t.x[row : row + 1], t.z[row : row + 1])
        t.y[row] = max(int(ground[0]), 0)

    @contextmanager
    def _footing(self, rx: int, rz: int) -> Iterator[None]:
        """The ground of a region changes; nobody there is left within it."""
        t = self.avatars
        there = (t.id > 0) & (t.x >> REGION_SHIFT == rx) & (t.z >> REGION_SHIFT == rz)
        rows = np.flatnonzero(there)
        before, _ = self._land.ground(t.x[rows], t.z[rows])
        yield
        after, _ = self._land.ground(t.x[rows], t.z[rows])
        keep_footing(t, rows, before, after)

    def _part(self, avatar: int) -> None:
        row = self.avatars.row(avatar)
        if row is not None:
            self._sights.leave(row)
            self.cells.leave(row)
            self.avatars.remove(avatar)

    def _speak(self, speak: Speak) -> None:
        row = self.avatars.row(speak.avatar)
        if row is not None:
            t = self.avatars
            x, z, layer = int(t.x[row]), int(t.z[row]), int(t.layer[row])
            self._lines.append(
                SpokenLine(speak.avatar, speak.name, speak.kind, speak.text, x, z, speak.reach, layer)
            )

    def _step(self, moves: I64, tick: int, now_ms: int) -> I64:
        """Step the moves ``[7, n]``: avatar, seq, x, z, y, yaw, gesture; the rows that moved."""
        t = self.avatars
        done = step(t, Moves(t.rows(moves[0]), *moves[1:]), self._tables, tick, now_ms)
        refused = done.corrections
        if len(refused.row):
            self._correct(*refused)
        walled = self.cells.cross(done.changed, tick)
        if walled:
            rows = np.array(walled)
            back = done.before[np.searchsorted(done.changed, rows)]
            t.x[rows], t.z[rows], t.y[rows] = back.T
            self._correct(rows, t.seq[rows], np.full(len(rows), int(CorrectionReason.FULL)))
        return done.changed

    def _correct(self, row: I64, seq: I64, reason: I64) -> None:
        t = self.avatars
        self._corrections.append(
            np.stack([t.id[row], seq, t.x[row], t.z[row], t.y[row], t.yaw[row], reason], axis=1)
        )

    def _ask_for_land(self, tick: int) -> None:
        """Once a second for everybody, anew: what was in vain is asked for again. At once for who just came."""
        t, arrived = self.avatars, self._arrived
        self._arrived = []
        if tick - self._looked >= TICKS_PER_S:
            self._looked = tick
            self._ahead.look(t, tick)
            self._wish(self._ahead.arrivals(t, np.flatnonzero(t.id), self._land), anew=True)
        elif arrived:
            rows = np.array([row for row in arrived if t.id[row]], np.int64)
            self._wish(self._ahead.arrivals(t, rows, self._land), anew=False)

    def _wish(self, arrivals: list[Arrival], anew: bool) -> None:
        """Ask for regions; ``anew``: these are all, what else was wished for is forgotten."""
        regions = {(arrival.rx, arrival.rz) for arrival in arrivals}
        if anew:
            for region in self._wished - regions:
                self._forget(*region)
            self._wished.clear()
        for arrival in arrivals:
            if (arrival.rx, arrival.rz) not in self._wished:
                self._want(*arrival)
        self._wished |= regions

    def _tell_region(self, news: RegionNews) -> None:
        self._regions[news.rx, news.rz] = news
        self._region_news.append(news)

    def _frame(self, tick: int) -> ShardFrame:
        records = self.cells.records()
        # By the frame's number: the tick's may skip, and with it some slots' turn.
        cells, bounds, words = encode_runs(self.avatars, self._seq, self.cells.indices)
        keys = np.array([self.cells.key(index) for index in cells.tolist()], np.int64).reshape(-1, 3)
        corrections = np.concatenate(self._corrections) if self._corrections else np.empty((0, 7), np.int64)
        self._seq += 1
        frame = ShardFrame(
            self._shard, self._epoch, self._seq, tick, keys, bounds, words, *records, corrections,
            tuple(self._lines), tuple(self._region_news), dict(self._taken),
            self._sights.news(),
        )  # fmt: skip
        self._corrections.clear()
        self._lines.clear()
        self._region_news.clear()
        return frame

    def _snapshot(self, gateway: int, tick: int) -> ShardSnapshot:
        cells, entries = self.cells.everything()
        regions = tuple(self._regions.values())
        sights = self._sights.everything()
        return ShardSnapshot(
            gateway, self._shard, self._epoch, self._seq, tick, cells, entries, regions, sights
        )


def _without(moves: I64, avatars: list[int]) -> I64:
    """Moves ``[7, n]`` without those of some avatars."""
    return moves[:, ~np.isin(moves[0], avatars)]
