"""A real world on a real port, in this process or in its own, and clients that speak every byte and keep a mirror."""

import asyncio
import logging
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import msgspec

from raw_ws import BINARY, CLOSE, PONG, eventually, frame, move_payload, request
from worldloom.app import node
from worldloom.app.world import World
from worldloom.config import Config
from worldloom.gateway import serving
from worldloom.gateway.serving import GameServer
from worldloom.replication.feed import SetLayer
from worldloom_sdk.avatar import Position
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import decode_server, encode
from worldloom_sdk.protocol.geometry import GROUND_Y, XZ_PER_M
from worldloom_sdk.testing.server import put_database
from worldloom_sdk.view import View

PATIENCE_S = 10.0
START_S = 40.0
"""For a process that starts while browsers draw by software on the same cores."""
SEED = 7
SPAWN_M = 128
"""Newcomers are set down in the middle of region (0, 0), all on one spot; a body may run 100 m in a second."""
OVERRIDES: dict[str, dict[str, Any]] = {
    "server": {
        "host": "127.0.0.1",
        "port": 0,
        "connections_per_address": 20_000,
        "max_connections": 20_000,
    },
    "world": {
        "seed": SEED,
        "spawn_x_m": float(SPAWN_M),
        "spawn_z_m": float(SPAWN_M),
        "spawn_radius_m": 0.0,
        "speed_m_per_s": 100.0,
    },
    # Most tests are about people: noise starts at once, and is not kept waiting by what else this machine is at.
    "worldgen": {"generator": "noise", "niceness": 0},
}
T = TypeVar("T")
_dialled: "list[Player]" = []


def configured(data: Path, sections: dict[str, dict[str, Any]]) -> Config:
    """The configuration of a test's world; bounds are not checked."""
    config = Config()
    for name in (
        "server",
        "world",
        "session",
        "access",
        "sync",
        "limits",
        "storage",
        "worldgen",
        "land",
        "money",
    ):
        fields = {**OVERRIDES.get(name, {}), **sections.get(name, {})}
        changed = msgspec.structs.replace(getattr(config, name), **fields)
        config = msgspec.structs.replace(config, **{name: changed})
    return msgspec.structs.replace(config, server=msgspec.structs.replace(config.server, data=str(data)))


class Player(asyncio.Protocol):
    """One client: everything that came, a mirror of what it sees, and moves that count themselves.

    Attributes:
        received: Messages in order; empty when ``decodes`` is off.
        view: The SDK's mirror.
        entered, left: Avatar ids, as the mirror told of them.
        lines: Spoken lines.
        close_code: Why the server closed; 1006 for no goodbye, None while it is open.
        frames, bytes, pongs: WebSocket frames, bytes and answers to pings that came.
        raw: Bytes after the handshake, kept when ``keeps_bytes`` is on.
    """

    def __init__(self, decodes: bool = True, keeps_bytes: bool = False) -> None:
        self.decodes, self.keeps_bytes = decodes, keeps_bytes
        self.received: list[msgspec.Struct] = []
        self.view = View()
        self.entered: list[int] = []
        self.left: list[int] = []
        self.lines: list[m.Line] = []
        self.close_code: int | None = None
        self.close_reason = ""
        self.gone = False
        self.frames = self.bytes = self.pongs = 0
        self.raw = bytearray()
        self.upgraded = False
        self.seq = 0
        self.response = b""
        self._buffer = bytearray()
        self._taken = 0
        self._waiters: list[asyncio.Future[None]] = []
        self.transport: asyncio.Transport = None  # type: ignore[assignment]

    # ---- the connection

    @classmethod
    async def dial(
        cls, port: int, *, receive_buffer: int = 0, decodes: bool = True, keeps_bytes: bool = False
    ) -> "Player":
        """A connection after the handshake. ``receive_buffer``: bytes that the kernel keeps for a slow reader."""
        raw = socket.socket()
        if receive_buffer:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.setblocking(False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_connect(raw, ("127.0.0.1", port))
        _, player = await loop.create_connection(lambda: cls(decodes, keeps_bytes), sock=raw)
        _dialled.append(player)
        player.transport.write(request())
        await player.until(lambda: player.upgraded or player.gone)
        assert player.upgraded, player.response
        return player

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        if self.close_code is None:
            self.close_code = 1006
        self._wake()

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        self._buffer += data
        if not self.upgraded:
            head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            self.response = head
            if not end or not head.startswith(b"HTTP/1.1 101"):
                return
            self.upgraded, self._buffer = True, bytearray(rest)
        if self.keeps_bytes:
            self.raw += data
        self._frames()
        self._wake()

    def _frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1], 2
            if size == 126:
                head = 4
            elif size == 127:
                head = 10
            if len(buffer) - at < head:
                break
            if head > 2:
                size = int.from_bytes(buffer[at + 2 : at + head], "big")
            if len(buffer) - at < head + size:
                break
            self._frame(buffer[at], bytes(buffer[at + head : at + head + size]))
            at += head + size
        del buffer[:at]

    def _frame(self, first: int, payload: bytes) -> None:
        assert self.close_code is None, f"expected nothing after the closing frame, got {first:#x}"
        self.frames += 1
        if first == 0x88:
            self.close_code = struct.unpack("!H", payload[:2])[0] if payload else 1005
            self.close_reason = payload[2:].decode()
            self.send_bytes(frame(CLOSE, payload[:2]))
        elif first == 0x89:
            self.send_bytes(frame(PONG, payload))
        elif first == 0x8A:
            self.pongs += 1
        else:
            assert first == 0x82, f"expected a final binary frame, got {first:#x}"
            if self.decodes:
                self.take(decode_server(payload))

    def take(self, message: msgspec.Struct) -> None:
        """Apply one message to the mirror, and remember it."""
        self.received.append(message)
        match message:
            case m.Area():
                self._note(
                    self.view.apply_area(
                        message.tick, message.cx, message.cz, message.radius, message.layers, message.body
                    )
                )
            case m.AreaComplete():
                self._note(self.view.finish_area(message.tick))
            case m.Frame():
                self._note(self.view.apply_frame(message.tick, message.body))
                self.lines += message.lines

    def _note(self, changes: Any) -> None:
        self.entered += changes.entered
        self.left += [avatar.id for avatar in changes.left]

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # ---- waiting

    async def until(self, condition: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
        """Wait until something is true of what came; its value."""
        async with asyncio.timeout(patience_s):
            while not (value := condition()):
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter
        return value

    async def next(self, kind: type[T], where: Callable[[T], bool] = lambda _: True) -> T:
        """The first message of a kind that was not asked for yet; those before it are passed over."""

        def found() -> T | None:
            for at in range(self._taken, len(self.received)):
                message = self.received[at]
                if isinstance(message, kind) and where(message):
                    self._taken = at + 1
                    return message
            assert not self.gone, f"expected {kind.__name__}, got close code {self.close_code}"
            return None

        return await self.until(found)  # type: ignore[return-value]

    def all_of(self, kind: type[T]) -> list[T]:
        """Every message of a kind so far."""
        return [message for message in self.received if isinstance(message, kind)]

    async def closed(self) -> int:
        """Wait for the end of the connection; the code with which the server closed."""
        await self.until(lambda: self.gone)
        assert self.close_code is not None
        return self.close_code

    # ---- speaking

    def send_bytes(self, data: bytes) -> None:
        """Bytes as they are."""
        self.transport.write(data)

    def send(self, message: msgspec.Struct | bytes) -> None:
        """One message, or a payload as it is, in one frame."""
        payload = message if isinstance(message, bytes) else encode(message)
        self.transport.write(frame(BINARY, payload))

    async def hello(self, name: str = "", **fields: Any) -> m.Welcome:
        """Come in."""
        self.send(m.Hello(m.PROTOCOL_VERSION, "test", name, **fields))
        welcome = await self.next(m.Welcome)
        self.view.be(welcome.you, None)  # type: ignore[arg-type]
        return welcome

    @property
    def welcome(self) -> m.Welcome:
        return self.all_of(m.Welcome)[-1]

    @property
    def you(self) -> int:
        return self.welcome.you

    def move(self, x: float, z: float, y: int = GROUND_Y, yaw: int = 0, gesture: int = 1) -> int:
        """Ask to be at a place in metres; the move's number."""
        self.seq += 1
        self.send(move_payload(self.seq, round(x * XZ_PER_M), round(z * XZ_PER_M), y, yaw, gesture))
        return self.seq

    async def ask(self, command: msgspec.Struct) -> m.Done | m.Refused:
        """Send a command; its one answer."""
        self.send(command)
        return await self.next(m.Done | m.Refused, lambda answer: answer.id == command.id)  # type: ignore

    async def ping(self) -> None:
        """Wait until the server has answered: all that was sent before has been looked at."""
        self.send(m.Ping(1))
        await self.next(m.Pong)

    async def leave(self) -> None:
        self.send(m.Leave())
        assert await self.closed() == 1000

    async def drop(self) -> None:
        """Lose the connection, without a word."""
        self.transport.abort()
        await self.closed()

    # ---- seeing

    def sees(self, avatar: int) -> Position | None:
        """Where another body is in the mirror, in metres."""
        found = self.view.avatars.get(avatar)
        return found.position if found is not None else None

    async def sees_at(self, avatar: int, x: float, z: float) -> None:
        """Wait until a body is seen at a place."""

        def there() -> bool:
            at = self.sees(avatar)
            return at is not None and (at.x, at.z) == (x, z)

        await self.until(there)


@dataclass
class Live:
    """A node in this process."""

    port: int
    data: Path
    world: World
    server: GameServer
    errors: list[str]
    """What the server logged as errors; must be empty in the end."""
    warnings: list[str]
    stop: Callable[[], Any]

    async def dial(self, **options: Any) -> Player:
        """A connection that has not said Hello."""
        return await Player.dial(self.port, **options)

    async def join(self, name: str = "", *, options: dict[str, Any] | None = None, **fields: Any) -> Player:
        """Somebody who is in the world and sees all that is near."""
        player = await self.dial(**(options or {}))
        await player.hello(name, **fields)
        await player.until(lambda: player.view.complete)
        return player

    async def join_at(self, x: float, z: float, name: str = "", **fields: Any) -> Player:
        """Somebody who is in the world and has walked to a place within 100 m of the middle of region (0, 0)."""
        player = await self.join(name, **fields)
        player.move(x, z)
        await eventually(lambda: self.where(player.you) == (x, z))
        return player

    def where(self, avatar: int) -> tuple[float, float] | None:
        """Where the shard has a body, in metres."""
        table = self.world.shard.avatars
        row = table.row(avatar)
        return None if row is None else (table.x[row] / XZ_PER_M, table.z[row] / XZ_PER_M)

    def truth(self, player: Player) -> dict[Any, Any]:
        """What a viewer should know: by (cx, cz, layer) and slot, avatar id and word, of all in its view."""
        table = self.world.shard.avatars
        own = table.row(player.you)
        seat = self.world.gateway.roster.find(player.you).seat
        cells, entries = self.world.shard.cells.everything()
        seen: dict[Any, Any] = {}
        for (cx, cz, layer), (key, word) in zip(cells.tolist(), entries.tolist(), strict=True):
            away = max(abs(cx - int(table.cx[own])), abs(cz - int(table.cz[own])))
            if (
                away <= self.world.config.sync.view_cells
                and layer in seat.layers
                and key >> 12 not in seat.blocked
            ):
                seen.setdefault((cx, cz, layer), {})[key & 0xFFF] = (key >> 12, word)
        return seen

    def hide(self, player: Player, layer: int) -> None:
        """Put a body into another layer, which its own viewer sees besides the public one."""
        self.world.uplink.control(SetLayer(player.you, layer))
        seat = self.world.gateway.roster.find(player.you).seat
        self.world.fanout.regard(seat, layers=(0, layer))

    async def agrees(self, player: Player) -> None:
        """Wait until a viewer's mirror is what the shard has."""
        with suppress(TimeoutError):
            await eventually(lambda: player.view.complete and player.view.state() == self.truth(player))
        assert player.view.state() == self.truth(player)

    async def ticks(self, count: int) -> None:
        """Wait until so many ticks have been simulated."""
        end = self.world.shard._seq + count
        await eventually(lambda: self.world.shard._seq >= end)


async def hang_up() -> None:
    """Drop every client of this test."""
    while _dialled:
        player = _dialled.pop()
        player.transport.abort()
        await player.until(lambda player=player: player.gone)


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def texts(self, level: int) -> list[str]:
        return [self.format(record) for record in self.records if record.levelno == level]


@asynccontextmanager
async def live_world(
    data: Path, source: Any = None, sweep_s: float = 0.05, **sections: dict[str, Any]
) -> AsyncIterator[Live]:
    """Serve a world in this process until the block ends.

    Args:
        data: Its data folder; without a database in it, it gets one that is migrated.
        source: Makes the land; by default what the configuration says: noise.
        sweep_s: How often the gateway looks who has waited too long; a second when people run worlds.
        sections: Fields by section of the configuration.
    """
    config = configured(data, sections)
    if not config.storage.url and not (data / "world.db").exists():
        put_database(data / "world.db")
    worlds: list[World] = []
    servers: list[GameServer] = []
    url: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    collector = _Collector()
    made_by = {} if source is None else {"source": source}

    def make_world(*args: Any, **fields: Any) -> World:
        worlds.append(World(*args, **{**fields, **made_by}))
        return worlds[-1]

    def make_server(*args: Any) -> GameServer:
        servers.append(GameServer(*args))
        return servers[-1]

    logger = logging.getLogger("worldloom")
    with ExitStack() as patched:
        patched.enter_context(mock.patch.object(node, "World", make_world))
        patched.enter_context(mock.patch.object(node, "GameServer", make_server))
        patched.enter_context(mock.patch.object(node, "SWEEP_EVERY_S", sweep_s))
        patched.enter_context(mock.patch.object(serving, "_SWEEP_S", 0.05))
        logger.addHandler(collector)
        patched.callback(logger.removeHandler, collector)
        task = asyncio.create_task(node.serve(config, url.set_result))
        await asyncio.wait([task, url], return_when=asyncio.FIRST_COMPLETED)
        if not url.done():
            await task

        async def stop() -> None:
            task.cancel()
            assert await task == 0

        live = Live(int(url.result().rpartition(":")[2]), data, worlds[0], servers[0], [], [], stop)
        try:
            yield live
        finally:
            await hang_up()
            if not task.done():
                await stop()
        live.errors += collector.texts(logging.ERROR)
        live.warnings += collector.texts(logging.WARNING)
    assert not live.errors, live.errors[0]


@dataclass
class Served:
    """A node in a process of its own, started by its command."""

    process: subprocess.Popen[bytes]
    port: int
    data: Path
    log: Path
    up_after_s: float
    """On the clock: says something where the test has the machine to itself (``alone``)."""

    def rss_bytes(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096

    def spent_s(self) -> float:
        """Processor time so far, whatever else runs."""
        ticks = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    async def ended(self, within_s: float = PATIENCE_S) -> int:
        """Wait for its end; the exit status."""
        return await asyncio.to_thread(self.process.wait, within_s)

    async def join(self, name: str = "", **fields: Any) -> Player:
        """Somebody who is in the world."""
        player = await Player.dial(self.port)
        await player.hello(name, **fields)
        return player


def _environment(data: Path, sections: dict[str, dict[str, Any]]) -> dict[str, str]:
    merged = {name: {**OVERRIDES.get(name, {}), **sections.get(name, {})} for name in {*OVERRIDES, *sections}}
    fields = {f"{section}__{key}": value for section, keys in merged.items() for key, value in keys.items()}
    fields["server__data"] = str(data)
    own = {f"WORLDLOOM_{key.upper()}": str(value) for key, value in fields.items()}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**os.environ, **own, "PYTHONPATH": path}


@asynccontextmanager
async def served(data: Path, **sections: dict[str, Any]) -> AsyncIterator[Served]:
    """Run ``worldloom serve`` until the block ends. ``sections`` are fields by section of the configuration."""
    log = data.with_suffix(".log")
    began = time.monotonic()
    process = _start(_environment(data, sections), log)
    try:
        port = await asyncio.wait_for(asyncio.to_thread(_announced_port, process), START_S)
        assert port, log.read_text()
        yield Served(process, port, data, log, time.monotonic() - began)
    finally:
        await hang_up()
        process.kill()
        process.wait(PATIENCE_S)
        process.stdout.close()  # type: ignore[union-attr]


def _start(environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "worldloom", "serve"]
    with log.open("ab") as sink:
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=sink)


def _announced_port(process: subprocess.Popen[bytes]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(rb"ws://127\.0\.0\.1:(\d+)/", line)
        if found:
            return int(found[1])
    return 0
