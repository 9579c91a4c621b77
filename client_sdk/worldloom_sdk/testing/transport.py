"""The client's end of a connection within the process: real WebSocket bytes, and no sockets.

Implements ``worldloom_sdk.transport.Transport`` for a client, over a ``ServerEnd``. Knows no world and no time.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from worldloom_sdk.errors import ConnectionClosed, Disconnected
from worldloom_sdk.protocol.codec import MAX_SERVER_MESSAGE_BYTES
from worldloom_sdk.testing.server_end import ON_THE_WAY_BYTES, ServerEnd

__all__ = ["MemoryTransport"]

_quiet = logging.getLogger("worldloom_sdk.testing.websockets")
_quiet.setLevel(logging.WARNING)  # websockets would write a line for every frame


class MemoryTransport:
    """The client's end; implements ``worldloom_sdk.transport.Transport``.

    Args:
        protocol: The server's, fresh.
        get: Answers HTTP.
    """

    def __init__(self, protocol: asyncio.BufferedProtocol, get: Callable[[str], Awaitable[bytes]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._http_get = get
        self._stream = ClientProtocol(
            parse_uri("ws://127.0.0.1/ws"), max_size=MAX_SERVER_MESSAGE_BYTES, logger=_quiet
        )
        self._messages: deque[bytes] = deque()
        self._waiters: list[asyncio.Future[None]] = []
        self._pumping = self._stalled = False
        self._ended: ConnectionClosed | None = None
        self._server = ServerEnd(protocol, self._readable)
        self._server.on_room = self._wake

    async def open(self) -> None:
        """Shake hands.

        Raises:
            Disconnected: The server does not want to.
        """
        self._stream.send_request(self._stream.connect())
        self._flush()
        while self._stream.state is State.CONNECTING and self._ended is None:
            await self._something()
        if self._stream.state is not State.OPEN:
            fault = self._stream.handshake_exc
            raise Disconnected(f"no handshake: {fault or 'the connection broke'}") from fault

    async def send(self, data: bytes) -> None:
        """As ``Transport.send``."""
        if self._ended is None and self._stream.state is State.OPEN:
            self._stream.send_binary(data)
            self._flush()
        while self._ended is None and self._server.unread > ON_THE_WAY_BYTES:
            await self._something()
        if self._ended is not None:
            raise self._ended

    async def recv(self) -> bytes:
        """As ``Transport.recv``."""
        while not self._messages:
            if self._ended is not None:
                raise self._ended
            await self._something()
        return self._messages.popleft()

    async def close(self, code: int = 1000) -> None:
        """As ``Transport.close``; does not wait for the server's part."""
        if self._ended is not None:
            return
        if self._stream.state is State.OPEN:
            self._stream.send_close(code)
            self._flush()
        self._end(ConnectionClosed(code, "closed here"))
        self._server.end()

    async def get(self, path: str) -> bytes:
        """As ``Transport.get``."""
        return await self._http_get(path)

    # ---- what a test does to it

    @property
    def is_open(self) -> bool:
        """Whether messages still come and go."""
        return self._ended is None

    def stall(self) -> None:
        """Read nothing until ``read_on``."""
        self._stalled = True

    def read_on(self) -> None:
        """Read again."""
        self._stalled = False
        self._readable()

    def cut(self) -> None:
        """The connection breaks; both ends find out."""
        self._end(ConnectionClosed(1006, "the connection broke"))
        self._server.cut()

    # ---- inside

    def _readable(self) -> None:
        if not self._pumping and not self._stalled:
            self._pumping = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = False
        if self._stalled or self._ended is not None:
            return
        data = self._server.take()
        if data:
            self._stream.receive_data(data)
        if self._server.ended:
            self._stream.receive_eof()
        for event in self._stream.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                self._messages.append(bytes(event.data))
        self._flush()
        if self._server.ended:
            self._end(self._why())
            self._server.end()
        self._wake()

    def _flush(self) -> None:
        for data in self._stream.data_to_send():
            if data:
                self._server.deliver(data)

    def _why(self) -> ConnectionClosed:
        told = self._stream.close_rcvd
        if told is None:
            return ConnectionClosed(1006, "the connection broke")
        return ConnectionClosed(int(told.code), told.reason)

    def _end(self, why: ConnectionClosed) -> None:
        if self._ended is None:
            self._ended = why
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _something(self) -> None:
        """Wait until something has changed."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter
