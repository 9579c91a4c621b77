"""The inbox: raw moves of all sessions within one tick. Knows no sessions and no game rules.

A move is the most common thing that a client sends: one masked frame of 26 bytes whose payload is the
MessagePack ``[2, bin 16]``. Sockets put such frames here as they came; once a tick all of them are unmasked
and decoded in one NumPy pass. The receive buffer that the sockets of one event loop share lies here too.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = [
    "MOVE_FRAME_BYTES",
    "MOVE_PAYLOAD_HEAD",
    "RECEIVE_BUFFER_BYTES",
    "MoveBatch",
    "MoveInbox",
    "decode_moves",
    "move_frame",
]

MOVE_FRAME_BYTES = 26
"""A client's frame of a move: 2 bytes head, 4 bytes mask, 20 bytes payload."""
MOVE_PAYLOAD_HEAD = b"\x92\x02\xc4\x10"
"""A payload of 20 bytes that starts so is a move: an array of two, tag 2, 16 bytes of binary."""
RECEIVE_BUFFER_BYTES = 64 * 1024

_HEAD_WORD = int.from_bytes(MOVE_PAYLOAD_HEAD, "little")
_UNMASKED = b"\x82\x94\0\0\0\0"
_MAX_GESTURE = 63


class _Held(Protocol):
    """A socket that reads no further until the inbox has been taken."""

    def inbox_taken(self) -> None: ...


@dataclass(frozen=True, slots=True)
class MoveBatch:
    """Decoded moves in the order in which they came, each array ``[n]``; several may be of one row."""

    rows: npt.NDArray[np.int64]
    seq: npt.NDArray[np.uint32]
    x: npt.NDArray[np.int32]
    """1/64 m."""
    z: npt.NDArray[np.int32]
    """1/64 m."""
    y: npt.NDArray[np.int16]
    """1/16 m."""
    yaw: npt.NDArray[np.uint8]
    gesture: npt.NDArray[np.uint8]
    """0 .. 63."""


class MoveInbox:
    """Collects move frames until the tick takes them; of one event loop.

    Bounded by the sockets: none puts more than its settings' ``moves_per_tick`` before it is taken.
    """

    __slots__ = ("_frames", "_held", "_rows", "buffer", "epoch", "view")

    def __init__(self) -> None:
        self.epoch = 0
        """Grows by one whenever the inbox is taken: the sockets' measure of a tick."""
        self.buffer = bytearray(RECEIVE_BUFFER_BYTES)
        """Where every socket of this event loop receives; emptied before the next one reads."""
        self.view = memoryview(self.buffer)
        self._rows: list[int] = []
        self._frames: list[bytes] = []
        self._held: list[_Held] = []

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, row: int, frame: bytes) -> None:
        """Add one move frame of ``MOVE_FRAME_BYTES``, masked as it came, of the session in ``row``."""
        self._rows.append(row)
        self._frames.append(frame)

    def hold(self, socket: _Held) -> None:
        """Remember a socket that has sent enough for this tick; told once the inbox has been taken."""
        self._held.append(socket)

    def take(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """All that came since the last call, and empty the inbox.

        Returns:
            rows ``[n]`` int64 and raw frames ``[n, 26]`` uint8 (read-only), in order of arrival.
        """
        rows = np.array(self._rows, np.int64)
        raw = np.frombuffer(b"".join(self._frames), np.uint8).reshape(-1, MOVE_FRAME_BYTES)
        self._rows, self._frames = [], []
        self.epoch += 1
        held, self._held = self._held, []
        for socket in held:
            socket.inbox_taken()
        return rows, raw


def move_frame(payload: bytes) -> bytes:
    """A move's payload of 20 bytes as the inbox wants it: a frame with an empty mask."""
    return _UNMASKED + payload


def decode_moves(rows: npt.NDArray[np.int64], raw: npt.NDArray[np.uint8]) -> tuple[MoveBatch, list[int]]:
    """Unmask and decode all moves of a tick in one pass.

    Args:
        rows: ``[n]`` session rows.
        raw: ``[n, 26]`` masked frames, as :meth:`MoveInbox.take` gives them.

    Returns:
        The well-formed moves in order, and the indices (into ``rows``) of those that are none: another
        payload, or a gesture over 63.
    """
    words = np.ascontiguousarray(raw[:, 2:]).view("<u4")  # [n, 6]: mask, then the payload
    payload = words[:, 1:] ^ words[:, :1]  # [n, 5]
    last = payload[:, 4]
    good = (payload[:, 0] == _HEAD_WORD) & (last >> 24 <= _MAX_GESTURE)
    wrong = np.flatnonzero(~good).tolist()
    if wrong:
        rows, payload, last = rows[good], payload[good], last[good]
    batch = MoveBatch(
        rows=rows,
        seq=payload[:, 1].astype(np.uint32),
        x=payload[:, 2].astype(np.int32),
        z=payload[:, 3].astype(np.int32),
        y=last.astype(np.int16),
        yaw=(last >> 16).astype(np.uint8),
        gesture=(last >> 24).astype(np.uint8),
    )
    return batch, wrong
