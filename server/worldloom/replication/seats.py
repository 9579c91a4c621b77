"""Seats: the viewers of a gateway, and where their own bodies are in the mirror. Knows no bytes."""

from collections.abc import Iterator, Sequence

import numpy as np

from worldloom.replication.feed import I64, ShardFrame
from worldloom.replication.mirror import NOWHERE, Mirror, NewTick
from worldloom.replication.views import Seat
from worldloom_sdk.protocol.geometry import CELL_SHIFT, PATCH_SHIFT, XZ_PER_M
from worldloom_sdk.protocol.words import XZ_MARGIN

__all__ = ["Seats"]

_PATCH = 1 << PATCH_SHIFT
_PATCH_HYSTERESIS = XZ_PER_M // 8
"""A viewer counts to the next patch when it is 12 cm inside: what is near is soon near, and a shiver costs nothing."""


class Seats:
    """All seats; their places in the mirror as arrays over the seat's index."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._by_avatar: dict[int, Seat] = {}
        self._by_index: list[Seat | None] = []
        self._spare: list[int] = []
        self._row = np.zeros(64, np.int64)
        self._slot = np.zeros(64, np.int64)
        self._patch = np.zeros(64, np.int64)
        self._in_crowd = np.zeros(64, np.bool_)

    def __len__(self) -> int:
        return len(self._by_avatar)

    def __iter__(self) -> Iterator[Seat]:
        return iter(self._by_avatar.values())

    def __contains__(self, seat: Seat) -> bool:
        return self._by_avatar.get(seat.avatar) is seat

    def of(self, avatar: int) -> Seat | None:
        """The viewer whose body that is."""
        return self._by_avatar.get(avatar)

    def add(self, seat: Seat) -> None:
        """Take a viewer; its avatar must have no other seat here."""
        if seat.avatar in self._by_avatar:
            raise ValueError(f"expected one seat for avatar {seat.avatar}, got a second")
        seat.index = self._spare.pop() if self._spare else len(self._by_index)
        if seat.index == len(self._by_index):
            self._by_index.append(seat)
            if seat.index == len(self._row):
                self._grow()
        else:
            self._by_index[seat.index] = seat
        self._by_avatar[seat.avatar] = seat
        self._locate(seat)

    def remove(self, seat: Seat) -> None:
        """Forget a viewer; nothing happens when it is not here."""
        if self._by_avatar.get(seat.avatar) is not seat:
            return
        del self._by_avatar[seat.avatar]
        self._by_index[seat.index] = None
        self._row[seat.index] = 0
        self._in_crowd[seat.index] = False
        self._spare.append(seat.index)

    def is_in_world(self, seat: Seat) -> bool:
        """Whether its body is in the mirror."""
        return bool(self._row[seat.index])

    def place(self, seat: Seat) -> tuple[int, int]:
        """Row and patch of its body."""
        if not self._in_crowd[seat.index]:
            # Nobody kept watch of it.
            self._patch[seat.index] = self._patches(np.array([seat.index]))[0]
        return int(self._row[seat.index]), int(self._patch[seat.index])

    def layer(self, seat: Seat) -> int | None:
        """The layer of its body, None when that is not in the world."""
        key = self._mirror.keys[self._row[seat.index]]
        return key[2] if key else None

    def watch_patch(self, seat: Seat, on: bool) -> None:
        """Tell when it changes its patch, or no longer."""
        self._in_crowd[seat.index] = on

    def relocate(self) -> None:
        """Find all bodies anew, after the mirror was replaced."""
        for seat in self._by_avatar.values():
            self._locate(seat)

    def follow(self, frame: ShardFrame, new: NewTick) -> list[Seat]:
        """The seats whose cell, or watched patch, has changed with a frame."""
        moved: dict[Seat, None] = {}
        for entry in frame.enters[:, 0].tolist():
            seat = self._by_avatar.get(entry >> 12)
            if seat is not None:
                self._locate(seat)
                moved[seat] = None
        for entry, row in zip(frame.leaves.tolist(), new.leave_rows.tolist(), strict=True):
            self._lose(row, entry & 0xFFF)
        watched = np.flatnonzero(self._in_crowd)
        now = self._patches(watched)
        for index in watched[now != self._patch[watched]].tolist():
            seat = self._by_index[index]
            if seat is not None:
                moved[seat] = None
        self._patch[watched] = now
        return list(moved)

    def seeing(self, avatars: Sequence[int], radius: int) -> Iterator[tuple[Seat, int]]:
        """The viewers that have some of these bodies in view, their own and paused ones too.

        Args:
            avatars: At most 62.
            radius: In cells.

        Yields:
            A viewer, and which of them: bit i is the i-th.
        """
        keys = [self._mirror.keys[self._mirror.where.get(avatar, (0, 0))[0]] or NOWHERE for avatar in avatars]
        cells = np.array(keys, np.int64).reshape(-1, 3)
        rows = self._row[: len(self._by_index)]
        away_x = np.abs(self._mirror.cx[rows] - cells[:, :1])
        away_z = np.abs(self._mirror.cz[rows] - cells[:, 1:2])
        near = (rows > 0) & (np.maximum(away_x, away_z) <= radius)
        bits = near.T @ (1 << np.arange(len(cells)))
        in_layer: dict[int, int] = {}
        for i, (_, _, layer) in enumerate(keys):
            in_layer[layer] = in_layer.get(layer, 0) | 1 << i
        for index in np.flatnonzero(bits).tolist():
            seat = self._by_index[index]
            seen = int(bits[index]) & sum(in_layer.get(layer, 0) for layer in seat.layers) if seat else 0
            if seat is not None and seen:
                yield seat, seen

    def positions(self) -> tuple[list[Seat], I64, I64]:
        """Everybody in the world who is not paused, with x and z in 1/64 m."""
        seats = [seat for seat in self._by_avatar.values() if self._row[seat.index] and not seat.paused]
        index = np.array([seat.index for seat in seats], np.int64)
        row = self._row[index]
        words = self._mirror.words[self._mirror.base[row] + self._slot[index]].astype(np.int64)
        x = ((words >> 12) & 0xFFF) - XZ_MARGIN + (self._mirror.cx[row] << CELL_SHIFT)
        z = ((words >> 24) & 0xFFF) - XZ_MARGIN + (self._mirror.cz[row] << CELL_SHIFT)
        return seats, x, z

    def _locate(self, seat: Seat) -> None:
        row, slot = self._mirror.where.get(seat.avatar, (0, 0))
        self._row[seat.index], self._slot[seat.index] = row, slot

    def _lose(self, row: int, slot: int) -> None:
        """A body left this slot and came nowhere else: its viewer's place is unknown until it comes back."""
        for index in np.flatnonzero(
            (self._row[: len(self._by_index)] == row) & (self._slot[: len(self._by_index)] == slot)
        ):
            seat = self._by_index[int(index)]
            if seat is not None and seat.avatar not in self._mirror.where:
                self._row[index] = 0

    def _patches(self, index: I64) -> I64:
        """The patch of each seat ``[n]``, with hysteresis against the one before."""
        place = self._mirror.base[self._row[index]] + self._slot[index]
        words = self._mirror.words[place].astype(np.int64)
        was = self._patch[index]
        px = _follow(((words >> 12) & 0xFFF) - XZ_MARGIN, was & 3)
        pz = _follow(((words >> 24) & 0xFFF) - XZ_MARGIN, was >> 2)
        return pz * 4 + px

    def _grow(self) -> None:
        for name in ("_row", "_slot", "_patch", "_in_crowd"):
            column = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros_like(column)]))


def _follow(local: I64, was: I64) -> I64:
    """The patch along one axis: the old one, unless clearly outside it."""
    outside = (local < was * _PATCH - _PATCH_HYSTERESIS) | (local >= (was + 1) * _PATCH + _PATCH_HYSTERESIS)
    return np.where(outside, np.minimum(np.maximum(local >> PATCH_SHIFT, 0), 3), was)
