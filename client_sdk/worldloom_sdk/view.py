"""View: a mirror of what this client sees, cell by cell and layer by layer. Pure; knows no messages.

Words are kept as they came, in arrays indexed by slot, and unpacked only for whom somebody asks: three
thousand walking bodies cost microseconds a tick.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from worldloom_sdk.avatar import Avatar, Position, yaw_to_radians
from worldloom_sdk.place import Place
from worldloom_sdk.protocol.geometry import CELL_M, CELL_SHIFT, TICK_MS, XZ_PER_M, Y_PER_M
from worldloom_sdk.protocol.looks import Look
from worldloom_sdk.protocol.words import (
    WORD_Y_OFFSET,
    XZ_MARGIN,
    Block,
    BlockKind,
    BodyError,
    Gesture,
    blocks,
    unpack_words,
)

__all__ = ["Body", "Changes", "Key", "Known", "View"]

Key = tuple[int, int, int]
"""(cell x, cell z, layer)."""

LEAVE_GRACE_TICKS = 5
"""How long a body that walked out of a cell is kept for its enter elsewhere: 250 ms."""
_UNTIL_COMPLETE = 2**62
_STALE_TICKS = 10
_MARGIN_M = XZ_MARGIN / XZ_PER_M
_STILL = (Gesture.STAND, Gesture.SIT)
_NAMES_KEPT = 4096


class Body(NamedTuple):
    """A body in wire units: x and z in 1/64 m, y in 1/16 m, yaw in 1/256 turns."""

    x: int
    y: int
    z: int
    yaw: int
    gesture: int


class Changes(NamedTuple):
    """What one body of a message changed for somebody who looks at avatars."""

    entered: list[int]
    left: list[Avatar]
    moved: list[int]
    """Ids of changed bodies; filled only if asked for."""


class Known(NamedTuple):
    """What the server told of somebody when it was asked."""

    name: str | None = None
    kind: str | None = None
    owner: str | None = None
    look: Look | None = None


class _Departed(NamedTuple):
    word: int
    cx: int
    cz: int
    until: int
    """Last tick at which the body is still shown."""


class View:
    """The mirror. Feed it Area and Frame bodies; read ``avatars``, ``near`` and ``state``.

    Attributes:
        tick: Of the last body that was applied.
        own: Avatar id of this client, 0 before it is known.
        complete: True once everything in view has been sent.
        report_moves: Whether ``Changes.moved`` is filled.
    """

    def __init__(self) -> None:
        self.tick = 0
        self.own = 0
        self.complete = False
        self.report_moves = False
        self._own_body = Body(0, 0, 0, 0, 0)
        self._cx = 0
        self._cz = 0
        self._radius = -1
        self._layers: frozenset[int] = frozenset()
        self._places: dict[Key, Place] = {}
        self._where: dict[int, tuple[Place, int]] = {}
        self._departed: dict[int, _Departed] = {}
        self._names: dict[int, Known] = {}
        self._changes = Changes([], [], [])

    # ---- what comes in

    def be(self, own: int, body: Body) -> None:
        """Say which avatar is this client's own, and where it is; its words in frames may be withheld."""
        self.own = own
        self._own_body = body

    def know(self, avatar: int, name: str, kind: str = "", owner: str = "", look: Look | None = None) -> None:
        """Remember who somebody is. The names of bodies in view and of the last few thousand others are kept."""
        self._names.pop(avatar, None)
        self._names[avatar] = Known(name, kind or None, owner or None, look)
        if len(self._names) > 2 * _NAMES_KEPT:
            out_of_view = [known for known in self._names if known not in self.avatars]
            for known in out_of_view[: max(0, len(self._names) - _NAMES_KEPT)]:
                del self._names[known]

    def dress(self, avatar: int, look: Look | None) -> None:
        """A known one has another look, or none that is known any more."""
        known = self._names.get(avatar)
        if known is not None:
            self._names[avatar] = known._replace(look=look)

    def name_of(self, avatar: int) -> Known | None:
        """Who an avatar is, if that is known."""
        return self._names.get(avatar)

    def apply_area(
        self, tick: int, cx: int, cz: int, radius: int, layers: Sequence[int], body: bytes
    ) -> Changes:
        """Take over an Area: forget what lies outside it, then apply its body.

        Raises:
            BodyError: The body does not follow the rules; the view must be started anew.
        """
        self._begin(tick)
        self._cx, self._cz, self._radius, self._layers = cx, cz, radius, frozenset(layers)
        self.complete = False
        for key in [key for key in self._places if not self._in_view(*key)]:
            self._forget(key)
        return self._apply(body)

    def apply_frame(self, tick: int, body: bytes) -> Changes:
        """Apply the changes of one tick.

        Raises:
            BodyError: The body does not follow the rules; the view must be started anew.
        """
        self._begin(tick)
        self._expire(tick - 1)
        return self._apply(body)

    def finish_area(self, tick: int) -> Changes:
        """Everything in view has been sent: whoever did not come back with it is gone."""
        self._begin(tick)
        self.complete = True
        self._expire(tick)
        self._expire(_UNTIL_COMPLETE, since=_UNTIL_COMPLETE)
        return self._changes

    def expire(self, tick: int) -> Changes:
        """Let go of bodies that left a cell and came to no other by ``tick``; for ticks without a frame."""
        self._begin(self.tick)
        self._expire(tick - 1)
        return self._changes

    def start_anew(self, *, keep: bool) -> Changes:
        """Forget every cell: a full picture follows.

        Args:
            keep: True keeps showing the bodies until the new picture is whole (a resumed session).
        """
        self._begin(self.tick)
        self.complete = False
        self._radius = -1
        for key in list(self._places):
            self._forget(key, until=_UNTIL_COMPLETE if keep else -1)
        for avatar in self._names:
            self.dress(avatar, None)
        if keep:
            for avatar, body in self._departed.items():
                self._departed[avatar] = body._replace(until=_UNTIL_COMPLETE)
        else:
            self._expire(_UNTIL_COMPLETE)
        return self._changes

    # ---- what can be read

    @property
    def avatars(self) -> Mapping[int, Avatar]:
        """Every body in view by avatar id, the own one included; a live mirror."""
        return _Avatars(self)

    def near(self, x_m: float, z_m: float, radius_m: float) -> list[Avatar]:
        """Bodies within a horizontal distance, nearest first, the own one left out."""
        found: list[tuple[float, int]] = []
        for place in self._places.values():
            if _gap(place.cx, x_m) > radius_m + _MARGIN_M or _gap(place.cz, z_m) > radius_m + _MARGIN_M:
                continue
            ids, xyz = self._unpack(place)
            away = np.hypot(xyz[:, 0] - x_m, xyz[:, 2] - z_m)
            close = np.flatnonzero(away <= radius_m)
            found.extend(zip(away[close].tolist(), ids[close].tolist(), strict=True))
        for avatar, body in self._departed.items():
            away_m = _unpack_one(body.word, body.cx, body.cz)
            distance = Position.of_units(away_m.x, away_m.y, away_m.z).distance_to(x_m, z_m)
            if distance <= radius_m:
                found.append((distance, avatar))
        return [self.avatars[avatar] for _, avatar in sorted(found) if avatar != self.own]

    def positions(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
        """All bodies in cells at once: ids ``[n]`` and x, y, z in metres ``[n, 3]``."""
        parts = [self._unpack(place) for place in self._places.values()]
        if not parts:
            return np.zeros(0, np.uint32), np.zeros((0, 3))
        return np.concatenate([ids for ids, _ in parts]), np.concatenate([xyz for _, xyz in parts])

    def own_word(self) -> tuple[Body, int] | None:
        """Own body as the server last showed it, and the tick of that; ``None`` if it was not shown."""
        found = self._where.get(self.own)
        if found is None:
            return None
        place, slot = found
        return _unpack_one(int(place.words[slot]), place.cx, place.cz), int(place.ticks[slot])

    def state(self) -> dict[Key, dict[int, tuple[int, int]]]:
        """Everything that was received: per (cell x, cell z, layer) the slots, each ``(avatar id, word)``."""
        return {key: place.entries() for key, place in self._places.items() if place.used}

    # ---- the rules

    def _begin(self, tick: int) -> None:
        self.tick = tick
        self._changes = Changes([], [], [])

    def _in_view(self, cx: int, cz: int, layer: int) -> bool:
        return max(abs(cx - self._cx), abs(cz - self._cz)) <= self._radius and layer in self._layers

    def _apply(self, body: bytes) -> Changes:
        for block in blocks(body):
            key = (self._cx + block.dx, self._cz + block.dz, block.layer)
            if not self._in_view(*key):
                continue
            if block.kind is BlockKind.WORDS:
                self._words(key, block.entries)
            elif block.kind is BlockKind.LEAVE:
                self._leave(key, block.entries)
            else:
                self._enter(key, block)
        return self._changes

    def _words(self, key: Key, words: npt.NDArray[np.uint64]) -> None:
        place = self._places.get(key)
        if place is None:
            return
        slots = place.put(words, self.tick)
        if self.report_moves:
            self._changes.moved.extend(place.ids[slots].tolist())

    def _leave(self, key: Key, entries: npt.NDArray[np.uint64]) -> None:
        place = self._places.get(key)
        if place is None:
            return
        for entry in entries.tolist():
            slot, direction = entry & 0xFFF, entry >> 12 & 0xF
            until = self.tick + LEAVE_GRACE_TICKS if self._leads_into_view(place, direction) else -1
            self._take_out(place, slot, until)
        self._expire(-1)

    def _leads_into_view(self, place: Place, direction: int) -> bool:
        if not 1 <= direction <= 9:
            return False
        dx, dz = divmod(direction - 1, 3)
        near = max(abs(place.cx + dx - 1 - self._cx), abs(place.cz + dz - 1 - self._cz)) <= self._radius
        return near and (direction != 5 or len(self._layers) > 1)

    def _enter(self, key: Key, block: Block) -> None:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(key[0], key[1])
        keys = block.entries[:, 0].tolist()
        ids = [entry >> 12 & 0xFFFF_FFFF for entry in keys]
        if 0 in ids:
            raise BodyError("expected avatar ids of 1 to 4294967295, got 0")
        if block.kind is BlockKind.SNAPSHOT:
            for slot in place.slots().tolist():
                self._take_out(place, slot, self.tick)
        for slot, avatar, word in zip(
            [entry & 0xFFF for entry in keys], ids, block.entries[:, 1].tolist(), strict=True
        ):
            self._put_in(place, slot, avatar, word)

    def _put_in(self, place: Place, slot: int, avatar: int, word: int) -> None:
        found = self._where.pop(avatar, None)
        if found is not None:
            found[0].free(found[1])
        elif self._departed.pop(avatar, None) is None and avatar != self.own:
            self._changes.entered.append(avatar)
            # Of who was out of view the server tells no changes.
            self.dress(avatar, None)
        self._take_out(place, slot, self.tick)
        place.seat(slot, avatar, word, self.tick)
        self._where[avatar] = (place, slot)
        if self.report_moves:
            self._changes.moved.append(avatar)

    def _take_out(self, place: Place, slot: int, until: int) -> None:
        avatar = place.occupant(slot)
        if avatar == 0:
            return
        self._departed[avatar] = _Departed(int(place.words[slot]), place.cx, place.cz, until)
        place.free(slot)
        del self._where[avatar]

    def _forget(self, key: Key, until: int | None = None) -> None:
        place = self._places.pop(key)
        for slot in place.slots().tolist():
            self._take_out(place, slot, self.tick if until is None else until)

    def _expire(self, tick: int, since: int = -1) -> None:
        if not self._departed:
            return
        for avatar in [avatar for avatar, body in self._departed.items() if since <= body.until <= tick]:
            last = self._departed[avatar]
            if avatar != self.own:
                self._changes.left.append(self._avatar(avatar, _unpack_one(last.word, last.cx, last.cz)))
            del self._departed[avatar]

    # ---- unpacking

    def _unpack(self, place: Place) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
        slots = place.slots()
        _, x, z, y, _, _ = unpack_words(place.words[slots], place.cx, place.cz)
        return place.ids[slots], np.stack([x / XZ_PER_M, y / Y_PER_M, z / XZ_PER_M], axis=1)

    def _get(self, avatar: int) -> Avatar:
        if avatar == self.own and avatar:
            return self._avatar(avatar, self._own_body)
        found = self._where.get(avatar)
        if found is None:
            departed = self._departed[avatar]
            return self._avatar(avatar, _unpack_one(departed.word, departed.cx, departed.cz))
        place, slot = found
        body = _unpack_one(int(place.words[slot]), place.cx, place.cz)
        return self._avatar(avatar, body, self._speed(place, slot, body))

    def _speed(self, place: Place, slot: int, body: Body) -> float:
        ticks = int(place.ticks[slot]) - int(place.ticks_before[slot])
        if body.gesture in _STILL or ticks <= 0 or self.tick - int(place.ticks[slot]) > _STALE_TICKS:
            return 0.0
        before = _unpack_one(int(place.words_before[slot]), place.cx, place.cz)
        gone = Position.of_units(body.x, 0, body.z).distance_to(before.x / XZ_PER_M, before.z / XZ_PER_M)
        return gone / (ticks * TICK_MS / 1000)

    def _avatar(self, avatar: int, body: Body, speed: float = 0.0) -> Avatar:
        name, kind, owner, look = self._names.get(avatar, Known())
        position, yaw = Position.of_units(body.x, body.y, body.z), yaw_to_radians(body.yaw)
        return Avatar(avatar, name, kind, position, yaw, int(body.gesture), speed, owner, look)

    def _ids(self) -> Iterator[int]:
        if self.own and self.own not in self._where and self.own not in self._departed:
            yield self.own
        yield from self._where
        yield from self._departed


class _Avatars(Mapping[int, Avatar]):
    """The mapping that ``View.avatars`` hands out."""

    __slots__ = ("_view",)

    def __init__(self, view: View) -> None:
        self._view = view

    def __getitem__(self, avatar: int) -> Avatar:
        return self._view._get(avatar)

    def __contains__(self, avatar: object) -> bool:
        view = self._view
        return avatar in view._where or avatar in view._departed or (avatar == view.own and avatar != 0)

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._view._ids()))

    def __len__(self) -> int:
        view = self._view
        shown = view.own in view._where or view.own in view._departed or view.own == 0
        return len(view._where) + len(view._departed) + (not shown)


def _unpack_one(word: int, cx: int, cz: int) -> Body:
    return Body(
        x=(word >> 12 & 0xFFF) - XZ_MARGIN + (cx << CELL_SHIFT),
        y=(word >> 36 & 0x3FFF) - WORD_Y_OFFSET,
        z=(word >> 24 & 0xFFF) - XZ_MARGIN + (cz << CELL_SHIFT),
        yaw=word >> 50 & 0xFF,
        gesture=word >> 58,
    )


def _gap(cell: int, at_m: float) -> float:
    """How far a coordinate lies outside a cell, in metres."""
    return max(cell * CELL_M - at_m, at_m - (cell + 1) * CELL_M, 0.0)
