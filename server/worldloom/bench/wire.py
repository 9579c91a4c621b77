"""The load's side of the wire: frames to send, frames that came. Pure; knows no sockets and no clients.

Client frames are masked with the key 0, which is legal and leaves the payload as it is: masking for thousands of
clients would only measure the load.
"""

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import GROUND_Y
from worldloom_sdk.protocol.messages import MOVE_BYTES
from worldloom_sdk.protocol.words import Gesture

__all__ = [
    "BINARY",
    "CLOSE",
    "MOVE_FRAME_BYTES",
    "PING",
    "PONG",
    "Assembler",
    "WireFault",
    "client_frame",
    "move_frames",
    "tag_of",
    "upgrade_request",
    "who_frame",
]

I64 = npt.NDArray[np.int64]

BINARY, CLOSE, PING, PONG = 0x2, 0x8, 0x9, 0xA
_FIN = 0x80
_MASKED = 0x80

_MOVE_HEAD = bytes([_FIN | BINARY, _MASKED | MOVE_BYTES + 4, 0, 0, 0, 0, 0x92, 2, 0xC4, MOVE_BYTES])
"""Frame header, key 0, then MessagePack: an array of the tag 2 and 16 bytes."""
_MOVE = np.dtype(
    [
        ("head", "V10"),
        ("seq", "<u4"),
        ("x", "<i4"),
        ("z", "<i4"),
        ("y", "<i2"),
        ("yaw", "u1"),
        ("gesture", "u1"),
    ]
)
MOVE_FRAME_BYTES = _MOVE.itemsize
_ID = np.dtype([("type", "u1"), ("id", ">u4")])
_MSGPACK_U32 = 0xCE


class WireFault(ValueError):
    """The server sent what no server sends: a masked, reserved or fragmented frame, or no upgrade."""


def upgrade_request(host: str, path: str) -> bytes:
    """The HTTP request that opens a WebSocket; the key is constant, the answer's is not checked."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: d29ybGRsb29tLWJlbmNoIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def client_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """One whole client frame. ``payload``: at most 65,535 bytes."""
    size = len(payload)
    if size < 126:
        return struct.pack(">BBI", _FIN | opcode, _MASKED | size, 0) + payload
    return struct.pack(">BBHI", _FIN | opcode, _MASKED | 126, size, 0) + payload


def move_frames(number: int, x: I64, z: I64) -> list[bytes]:
    """Frames of the ``number``-th move (from 0) of some clients, on the ground, walking.

    Args:
        number: Its last 8 bits travel as yaw; ``seq`` is one more, so that it is never 0.
        x: ``[n]`` in 1/64 m.
        z: ``[n]`` in 1/64 m.

    Returns:
        ``n`` frames of ``MOVE_FRAME_BYTES``.
    """
    moves = np.empty(len(x), _MOVE)
    moves["head"] = np.void(_MOVE_HEAD)
    moves["seq"] = number + 1
    moves["x"], moves["z"], moves["y"] = x, z, GROUND_Y
    moves["yaw"], moves["gesture"] = number & 0xFF, Gesture.WALK
    return moves.view(f"V{MOVE_FRAME_BYTES}").tolist()


def who_frame(avatars: I64) -> bytes:
    """A Who frame. ``avatars``: ``[n]`` ids, 1 to 64 of them."""
    ids = np.empty(len(avatars), _ID)
    ids["type"], ids["id"] = _MSGPACK_U32, avatars
    return client_frame(struct.pack(">BBBH", 0x92, 7, 0xDC, len(ids)) + ids.tobytes())


def tag_of(payload: bytes) -> int:
    """The tag of a server's message, 0 where there is none. Arrays of the protocol are short, tags below 128."""
    return payload[1] if len(payload) > 1 and payload[0] & 0xF0 == 0x90 else 0


class Assembler:
    """Cuts a stream of server frames into messages, however the bytes come."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    @property
    def waiting(self) -> int:
        """Bytes of a frame that is not whole yet."""
        return len(self._rest)

    def feed(self, data: bytes | memoryview) -> Iterator[tuple[int, bytes]]:
        """Take bytes; yield opcode and payload of each whole frame.

        Raises:
            WireFault: It is masked, fragmented, or has reserved bits set.
        """
        view = self._rest + bytes(data) if self._rest else bytes(data)
        at = 0
        self._rest = b""
        while (end := _frame_end(view, at)) is not None:
            start, stop = end
            yield view[at] & 0x0F, view[start:stop]
            at = stop
        self._rest = view[at:]


def _frame_end(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at ``at`` begins and ends; None when the frame is not whole."""
    if len(data) - at < 2:
        return None
    first, size = data[at], data[at + 1]
    if first & 0xF0 != _FIN or size & _MASKED:
        raise WireFault(f"expected an unfragmented, unmasked frame, got the header {first:#04x} {size:#04x}")
    start = at + 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        size = int.from_bytes(data[start : start + wide], "big")
        start += wide
        if len(data) < start:
            return None
    return (start, start + size) if len(data) >= start + size else None
