"""What one sampled client knows: cells in view, who is in which slot. Pure; knows no time and no statistics."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.messages import Area, Frame
from worldloom_sdk.protocol.words import MAX_SLOTS, BlockKind, blocks, unpack_words

__all__ = ["ClientMirror", "Sight"]

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

Key = tuple[int, int, int]
"""cx, cz, layer."""

_NOWHERE = 0
"""Row of the table that stays empty: words of unknown cells look there."""


class Sight(NamedTuple):
    """What one message told, in its order: who left, then words (of enters and snapshots first), each an array.

    Attributes:
        left: ``[m]`` avatar ids that left a cell, or whose cell left the view.
        avatar: ``[n]`` avatar ids.
        number: ``[n]`` yaw, which is the number of the move mod 256.
        x: ``[n]`` in 1/64 m.
        z: ``[n]`` in 1/64 m.
        met: How many of the ``n`` came as enter or snapshot entries; they come first.
    """

    left: I64
    avatar: I64
    number: I64
    x: I64
    z: I64
    met: int


class ClientMirror:
    """Applies Area and Frame as any client does."""

    def __init__(self) -> None:
        self._avatars = np.zeros((32, MAX_SLOTS), np.int64)
        self._rows: dict[Key, int] = {}
        self._spare = list(range(31, 0, -1))
        self._cx = self._cz = 0

    def take(self, message: Area | Frame) -> Sight:
        """Apply a message; return what it told.

        Raises:
            BodyError: Its body does not follow the rules.
        """
        left: list[I64] = []
        if isinstance(message, Area):
            self._cx, self._cz = message.cx, message.cz
            self._keep(message.radius, message.layers, left)
        met: list[tuple[Key, U64]] = []
        told: list[tuple[Key, U64]] = []
        for block in blocks(message.body):
            key = (self._cx + block.dx, self._cz + block.dz, block.layer)
            match block.kind:
                case BlockKind.LEAVE:
                    left.append(self._leave(key, block.entries))
                case BlockKind.WORDS:
                    told.append((key, block.entries))
                case _:
                    if block.kind is BlockKind.SNAPSHOT:
                        self._forget(key)
                    met.append((key, self._enter(key, block.entries)))
        return self._sight(left, met, told)

    def _sight(self, left: list[I64], met: list[tuple[Key, U64]], told: list[tuple[Key, U64]]) -> Sight:
        every = met + told
        words = np.concatenate([np.empty(0, np.uint64), *(words for _, words in every)])
        counts = [len(words) for _, words in every]
        where = np.array(
            [(cx, cz, self._rows.get((cx, cz, layer), _NOWHERE)) for (cx, cz, layer), _ in every]
        )
        cx, cz, row = np.repeat(where.reshape(-1, 3), counts, axis=0).T.astype(np.int64)
        slot, x, z, _, yaw, _ = unpack_words(words, cx, cz)
        avatar = self._avatars[row, slot]
        known = avatar > 0
        return Sight(
            np.concatenate([np.empty(0, np.int64), *left]),
            avatar[known],
            yaw[known],
            x[known],
            z[known],
            int(known[: sum(counts[: len(met)])].sum()),
        )

    def _enter(self, key: Key, entries: U64) -> U64:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._new_row()
        slots = (entries[:, 0] & np.uint64(MAX_SLOTS - 1)).astype(np.int64)
        self._avatars[row, slots] = (entries[:, 0] >> np.uint64(12)).astype(np.int64) & 0xFFFF_FFFF
        return entries[:, 1]

    def _leave(self, key: Key, entries: U64) -> I64:
        row = self._rows.get(key)
        if row is None:
            return np.empty(0, np.int64)
        slots = (entries & np.uint64(MAX_SLOTS - 1)).astype(np.int64)
        gone: I64 = self._avatars[row, slots]
        self._avatars[row, slots] = 0
        return gone[gone > 0]

    def _forget(self, key: Key) -> I64:
        row = self._rows.get(key)
        if row is None:
            return np.empty(0, np.int64)
        gone: I64 = self._avatars[row][self._avatars[row] > 0]
        self._avatars[row] = 0
        return gone

    def _keep(self, radius: int, layers: list[int], left: list[I64]) -> None:
        """Forget the cells that are out of view now."""
        for key in list(self._rows):
            cx, cz, layer = key
            if max(abs(cx - self._cx), abs(cz - self._cz)) > radius or layer not in layers:
                left.append(self._forget(key))
                self._spare.append(self._rows.pop(key))

    def _new_row(self) -> int:
        if not self._spare:
            size = len(self._avatars)
            self._avatars = np.concatenate([self._avatars, np.zeros_like(self._avatars)])
            self._spare = list(range(2 * size - 1, size - 1, -1))
        return self._spare.pop()
