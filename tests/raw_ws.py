"""A WebSocket client down to the bytes, and a server with an echoing peer: for breaking rules on purpose."""

import asyncio
import inspect
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import uvloop

from worldloom.config import ServerConfig
from worldloom.gateway.guard import GuardSettings
from worldloom.gateway.inbox import MoveInbox
from worldloom.gateway.pages import About, make_app
from worldloom.gateway.serving import GameServer
from worldloom.gateway.sockets import GameSocket, SocketSettings

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
PATIENCE_S = 5.0
TICK_S = 0.005


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    form: int | None = None,
    length: int | None = None,
    mask: bytes = b"\x37\xfa\x21\x3d",
) -> bytes:
    """A client's frame, right or wrong: ``form`` 7, 16 or 64 forces the form of the length, ``length`` what it says."""
    size = len(payload) if length is None else length
    form = form or (7 if size < 126 else 16 if size < 65536 else 64)
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    second = 0x80 if masked else 0
    head = {
        7: lambda: struct.pack("!BB", first, second | size),
        16: lambda: struct.pack("!BBH", first, second | 126, size),
        64: lambda: struct.pack("!BBQ", first, second | 127, size),
    }[form]()
    if not masked:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def close_frame(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def move_payload(seq: int = 1, x: int = 0, z: int = 0, y: int = 0, yaw: int = 0, gesture: int = 0) -> bytes:
    return b"\x92\x02\xc4\x10" + struct.pack("<IiihBB", seq, x, z, y, yaw, gesture)


def request(
    path: str = "/ws",
    method: str = "GET",
    version: str = "HTTP/1.1",
    without: tuple[str, ...] = (),
    **headers: str,
) -> bytes:
    """A handshake. Header names in ``headers`` take underscores for hyphens; ``without`` leaves some out."""
    given = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{method} {path} {version}", *(f"{k}: {v}" for k, v in given.items() if k not in without)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def plain(path: str = "/healthz", method: str = "GET", **headers: str) -> bytes:
    """A request that asks for no upgrade."""
    without = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
    return request(path, method, without=tuple(name for name in without if name not in headers), **headers)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something is true that has no event to wait for."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.005)


@dataclass
class EchoPeer:
    """Sends back what it gets and remembers what happened to it."""

    socket: GameSocket
    messages: list[bytes] = field(default_factory=list)
    closed_with: list[int] = field(default_factory=list)
    pauses: int = 0
    drains: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_message(self, payload: bytes) -> None:
        self.messages.append(payload)
        self.socket.send(payload)

    def on_pause(self) -> None:
        self.pauses += 1

    def on_drain(self) -> None:
        self.drains += 1

    def on_closed(self, code: int) -> None:
        self.closed_with.append(code)
        self.closed.set()


class RawClient:
    """One TCP connection, spoken by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        """Write; a server that has closed already is none of our business here."""
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, and as much of a body as Content-Length says."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.strip().split("\r\n")
            headers = dict((name.lower(), value) for name, value in (line.split(": ", 1) for line in lines))
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
            return int(status.split()[1]), headers, body

    async def frame(self) -> tuple[int, bytes]:
        """The next frame of the server: first byte (FIN, RSV, opcode) and payload.

        Raises:
            asyncio.IncompleteReadError: The stream ended.
        """
        async with asyncio.timeout(PATIENCE_S):
            first, size = await self.reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first, await self.reader.readexactly(size)

    async def message(self) -> bytes:
        """The next binary message. Pings are answered, as every client has to."""
        first, payload = await self.frame()
        while first == 0x89:
            await self.send(frame(PONG, payload))
            first, payload = await self.frame()
        assert first == 0x82, f"expected a final binary frame, got {first:#x}"
        return payload

    async def close_code(self) -> int:
        """The code with which the server closes; frames before it are skipped. 1005 for none, 1006 for no goodbye."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, payload = await self.frame()
                if first == 0x88:
                    return struct.unpack("!H", payload[:2])[0] if payload else 1005
        return 1006

    async def ended(self) -> None:
        """Wait until the server has closed the stream; what comes before is thrown away."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass

    async def echoes(self, payload: bytes = b"still there?") -> bool:
        """Whether this connection works."""
        await self.send(frame(BINARY, payload))
        return await self.message() == payload

    def drop(self) -> None:
        self.writer.transport.abort()


@dataclass
class Harness:
    """A real server on a real port, its inbox taken every few milliseconds."""

    port: int
    server: GameServer
    inbox: MoveInbox
    peers: list[EchoPeer]
    taken: list[tuple[int, bytes]]
    """Rows and raw frames of the moves so far."""
    sizes: list[int]
    """How many moves each tick had."""
    content: dict[str, tuple[str, bytes]]
    _clients: list[RawClient] = field(default_factory=list)

    async def connect(self) -> RawClient:
        """A bare TCP connection."""
        client = RawClient(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def upgraded(self, **headers: str) -> RawClient:
        """A connection after a successful handshake."""
        client = await self.connect()
        await client.send(request(**headers))
        status, _, body = await client.response()
        assert status == 101, body
        return client

    async def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One HTTP request on a connection of its own."""
        client = await self.connect()
        await client.send(plain(path, **headers))
        return await client.response()

    def forget(self, client: RawClient) -> None:
        """Drop a client, and keep nothing of it, nor of any peer but the first."""
        client.drop()
        self._clients.remove(client)
        del self.peers[1:]

    def drop_clients(self) -> None:
        for client in self._clients:
            client.drop()


@asynccontextmanager
async def running(
    sockets: SocketSettings | None = None,
    guard: GuardSettings | None = None,
    row: int = -1,
    requests_per_s: float = 0.0,
    **config: object,
) -> AsyncIterator[Harness]:
    """Serve echo peers until the block ends. ``config`` are fields of ``ServerConfig``, bounds not checked."""
    inbox, peers, taken, sizes = MoveInbox(), [], [], []
    content: dict[str, tuple[str, bytes]] = {}

    def accept(socket: GameSocket) -> EchoPeer:
        socket.row = row
        peers.append(EchoPeer(socket))
        return peers[-1]

    async def find(sha256: str) -> tuple[str, bytes] | None:
        return content.get(sha256)

    app = make_app(
        health=lambda: {"ok": server.sockets < 3},
        metrics=lambda: b"worldloom_up 1\n",
        content=find,
        about=lambda: About("Test <world>", "0", len(peers)),
        requests_per_s=requests_per_s,
    )
    defaults = {"host": "127.0.0.1", "port": 0, "connections_per_address": 10_000}
    settings = ServerConfig(**{**defaults, **config})
    server = GameServer(settings, accept, inbox, app, sockets, guard)
    _, port = await server.start()
    harness = Harness(port, server, inbox, peers, taken, sizes, content)

    async def tick() -> None:
        while True:
            rows, raw = inbox.take()
            sizes.append(len(rows))
            taken.extend(zip(rows.tolist(), (bytes(r) for r in raw), strict=True))
            await asyncio.sleep(TICK_S)

    ticking = asyncio.create_task(tick())
    try:
        yield harness
    finally:
        harness.drop_clients()
        await server.stop(PATIENCE_S)
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


def on_both_loops(**config: object) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Run ``async def test(world, ...)`` on asyncio's loop and on uvloop, each with a server of its own.

    After the test a neighbour, who was there before it began, is asked whether its connection still works.
    """

    def decorate(body: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        async def served(arguments: dict[str, object]) -> None:
            async with running(**config) as world:
                neighbour = await world.upgraded()
                await body(world, **arguments)
                assert await neighbour.echoes()

        def test(loop: str, **arguments: object) -> None:
            with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                runner.run(served(arguments))

        parameters = [p for name, p in inspect.signature(body).parameters.items() if name != "world"]
        extra = inspect.Parameter("loop", inspect.Parameter.KEYWORD_ONLY)
        test.__signature__ = inspect.Signature([*parameters, extra])
        test.__name__, test.__doc__, test.__module__ = body.__name__, body.__doc__, body.__module__
        test.pytestmark = [
            *getattr(body, "pytestmark", []),
            pytest.mark.parametrize("loop", list(LOOPS)).mark,
        ]
        return test

    return decorate


class FakeTransport(asyncio.Transport):
    """A transport of a test's own: remembers what is written, delivers what it is given."""

    def __init__(self, protocol: GameSocket, inbox: MoveInbox) -> None:
        super().__init__()
        self.written = bytearray()
        self.reading, self.eof, self.aborted = True, False, False
        self.unsent = 0
        self._protocol, self._inbox = protocol, inbox
        protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        """Bytes come from the client, as the event loop would hand them over."""
        view = self._protocol.get_buffer(-1)
        view[: len(data)] = data
        self._protocol.buffer_updated(len(data))
        view[: len(data)] = b"\xee" * len(data)  # the next socket receives here

    def write(self, data: bytes) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.eof = True

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True
