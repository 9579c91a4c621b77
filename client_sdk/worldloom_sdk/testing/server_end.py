"""The server's end of a connection within the process: what an event loop would hand to the server's protocol.

Bytes go both ways at once and in order; whoever does not read is felt at the other end, as with a kernel's buffers
between them. Knows no WebSocket, no world and no time.
"""

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["ON_THE_WAY_BYTES", "ServerEnd"]

ON_THE_WAY_BYTES = 64 * 1024
"""What lies between the two ends before either feels that the other does not read."""

_ADDRESS = ("127.0.0.1", 0)
_HIGH_BYTES = 64 * 1024


class ServerEnd(asyncio.Transport):
    """The server's end of a connection.

    Args:
        protocol: Serves it.
        on_readable: Called when there is something for the client to read, the end included.
    """

    def __init__(self, protocol: asyncio.BufferedProtocol, on_readable: Callable[[], None]) -> None:
        super().__init__({"peername": _ADDRESS})
        self._protocol, self._on_readable = protocol, on_readable
        self._loop = asyncio.get_running_loop()
        self._out: deque[bytes] = deque()
        self._out_bytes = 0
        self._high = _HIGH_BYTES
        self._paused_writing = False
        self._in = bytearray()
        self._reading = True
        self._client_ended = False
        self._eof = self._closing = self._lost = False
        self.on_room: Callable[[], None] = lambda: None
        """Called when the server has taken what was on its way to it."""
        protocol.connection_made(self)

    # ---- what the client's end calls

    @property
    def ended(self) -> bool:
        """Whether the client has read all that the server will ever say."""
        return (self._eof or self._closing) and not self._out

    @property
    def unread(self) -> int:
        """Bytes that the server has not taken yet."""
        return len(self._in)

    def take(self) -> bytes:
        """All that the client has not read yet."""
        data = b"".join(self._out)
        self._out.clear()
        self._out_bytes = 0
        if self._paused_writing:
            self._paused_writing = False
            self._protocol.resume_writing()
        self._lose_when_read()
        return data

    def deliver(self, data: bytes) -> None:
        """Bytes come from the client."""
        if self._lost or self._closing:
            return
        if self._reading and not self._in:
            self._feed(data)
        else:
            self._in += data

    def end(self) -> None:
        """The client says and reads nothing more."""
        self._client_ended = True
        self._drop_unread()
        self._drain()

    def cut(self) -> None:
        """The connection breaks."""
        self._lose(ConnectionResetError("the connection broke"))

    # ---- what the protocol calls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send to the client."""
        if self._eof or self._closing or self._client_ended or not data:
            return
        self._out.append(bytes(data))
        self._out_bytes += len(data)
        self._on_readable()
        if not self._paused_writing and self.get_write_buffer_size() > self._high:
            self._paused_writing = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """As TCP can."""
        return True

    def write_eof(self) -> None:
        """Nothing more will be written."""
        self._eof = True
        self._on_readable()

    def get_write_buffer_size(self) -> int:
        """Bytes that the client has not read, beyond what is on the way."""
        return max(0, self._out_bytes - ON_THE_WAY_BYTES)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Beyond ``high`` the protocol is told to pause; a client that reads takes all, so ``low`` does not matter."""
        self._high = high if high is not None else _HIGH_BYTES

    def pause_reading(self) -> None:
        """Take nothing more from the client for now."""
        self._reading = False

    def resume_reading(self) -> None:
        """Go on."""
        self._reading = True
        self._loop.call_soon(self._drain)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be once the client has read everything."""
        return self._closing or self._lost

    def close(self) -> None:
        """Close once the client has read everything."""
        self._closing = True
        self._in.clear()
        self._on_readable()
        self._lose_when_read()

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    # ---- inside

    def _feed(self, data: bytes) -> None:
        at = 0
        while at < len(data) and self._reading and not self.is_closing():
            view = memoryview(self._protocol.get_buffer(-1))
            part = data[at : at + len(view)]
            view[: len(part)] = part
            self._protocol.buffer_updated(len(part))
            at += len(part)
        self._in += data[at:]

    def _drain(self) -> None:
        if self.is_closing():
            return
        waiting, self._in = bytes(self._in), bytearray()
        self._feed(waiting)
        if self._in:
            return
        self.on_room()
        if self._client_ended and not self.is_closing():
            self._protocol.eof_received()
            self.close()

    def _drop_unread(self) -> None:
        self._out.clear()
        self._out_bytes = 0
        self._lose_when_read()

    def _lose_when_read(self) -> None:
        if self._closing and not self._out:
            self._lose(None)

    def _lose(self, why: Exception | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._out.clear()
        self._out_bytes = 0
        self._in.clear()
        self._on_readable()
        self.on_room()
        self._loop.call_soon(self._protocol.connection_lost, why)
