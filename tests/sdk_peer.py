"""A small world for tests of the SDK: an in-memory transport, a server that speaks the protocol, time held in hand."""

import asyncio
import heapq
import itertools
import struct
from collections.abc import Callable

import msgspec
import numpy as np

from worldloom_sdk.errors import ConnectionClosed, ContentError
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol import words as w
from worldloom_sdk.protocol.codec import decode_client, encode

__all__ = ["HandClock", "Pipe", "SmallWorld", "body_of", "enter", "leave", "snapshot", "word_of", "words"]

LIMITS = m.Limits(speed=768, climb=320, moves_per_s=30, text_chars=500, view_cells=2, resume_ms=30_000)


def word_of(slot, x, z, y=0, yaw=0, gesture=1, cell=(0, 0)) -> int:
    columns = (np.array([value]) for value in (slot, x, z, y, yaw, gesture, *cell))
    return int(w.pack_words(*columns)[0])


def words(cell, entries, layer=0):
    return [w.block_header(3, *cell, layer, len(entries)), *entries]


def leave(cell, *entries, layer=0):
    """Entries are (slot, direction)."""
    return [w.block_header(1, *cell, layer, len(entries)), *(slot | way << 12 for slot, way in entries)]


def _paired(kind, cell, layer, entries):
    pairs = [(w.enter_key(slot, avatar), word) for slot, avatar, word in entries]
    return [w.block_header(kind, *cell, layer, len(entries)), *itertools.chain.from_iterable(pairs)]


def enter(cell, *entries, layer=0):
    """Entries are (slot, avatar, word)."""
    return _paired(2, cell, layer, entries)


def snapshot(cell, *entries, layer=0):
    """Entries are (slot, avatar, word)."""
    return _paired(4, cell, layer, entries)


def body_of(*blocks) -> bytes:
    return np.array(list(itertools.chain.from_iterable(blocks)), "<u8").tobytes()


COMMANDS = (
    m.Say, m.Whisper, m.Signal, m.Block, m.Order, m.Account, m.Report, m.Money, m.Estate, m.Market,
)  # fmt: skip
"""What is answered by Done."""


class HandClock:
    """Time that passes only in ``run``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._count), future))
        await future

    async def run(self, seconds: float) -> None:
        """Let that much time pass, waking sleepers in order."""
        end = self.now + seconds
        await self.calm()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
                await self.calm()
        self.now = end
        await self.calm()

    async def until(self, waiting, limit: float = 600.0):
        """Let time pass until something is done; its result."""
        task = asyncio.ensure_future(waiting)
        end = self.now + limit
        await self.calm()
        while not task.done() and self.now < end:
            await self.run(0.05)
        assert task.done(), f"not done within {limit} s"
        return await task

    @staticmethod
    async def calm() -> None:
        for _ in range(80):
            await asyncio.sleep(0)


class Pipe:
    """The client's end of an in-memory connection."""

    def __init__(self, world: "SmallWorld") -> None:
        self._world = world
        self._inbox: asyncio.Queue[bytes | ConnectionClosed] = asyncio.Queue()
        self.closed: int | None = None

    async def send(self, data: bytes) -> None:
        if self.closed is not None:
            raise ConnectionClosed(self.closed)
        self._world.hear(self, decode_client(data))

    async def recv(self) -> bytes:
        data = await self._inbox.get()
        if isinstance(data, ConnectionClosed):
            self._inbox.put_nowait(data)
            raise data
        return data

    async def close(self, code: int = 1000) -> None:
        self.cut(code)

    async def get(self, path: str) -> bytes:
        self._world.fetched.append(path)
        if path not in self._world.content:
            raise ContentError(f"{path}: expected 200, got 404")
        return self._world.content[path]

    def tell(self, message) -> None:
        self._inbox.put_nowait(encode(message))

    def cut(self, code: int = 1006, reason: str = "") -> None:
        if self.closed is None:
            self.closed = code
            self._inbox.put_nowait(ConnectionClosed(code, reason))


class SmallWorld:
    """Answers what a client says. One client; its body goes where ``wall`` lets it.

    Attributes:
        wall: Says for x, z in metres why a body may not be there; ``None``: it may.
        welcomes: False answers Hello with ``refusal``.
        heard: Every message, in order.
        dials: Times at which somebody dialled.
        welcome: Fields of Welcome that are other than usual.
        result: What Done of the next commands carries.
    """

    def __init__(self) -> None:
        self.clock = HandClock()
        self.wall: Callable[[float, float], m.CorrectionReason | None] = lambda x, z: None
        self.refusals: list[m.Refused | None] = []
        self.say_refusal: m.Refused | None = None
        self.unreachable = 0
        self.silent: tuple[type, ...] = ()
        self.heard: list = []
        self.dials: list[float] = []
        self.moves: list[tuple[int, float, float, int]] = []
        self.move_times: list[float] = []
        self.content: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.names = {8: "Bo", 9: "Cy"}
        self.bots: list[m.Named] = []
        self.token: str | None = None
        self.welcome: dict[str, object] = {}
        self.result: object = None
        self.order_refusal: m.Refused | None = None
        self.body = (0, 0, 0, 0)
        self.pipe: Pipe | None = None

    async def dial(self) -> Pipe:
        self.dials.append(self.clock.now)
        if self.unreachable:
            self.unreachable -= 1
            raise ConnectionRefusedError("nobody there")
        self.pipe = Pipe(self)
        return self.pipe

    @property
    def hellos(self) -> list[m.Hello]:
        return [message for message in self.heard if isinstance(message, m.Hello)]

    def tell(self, message) -> None:
        self.pipe.tell(message)

    def hear(self, pipe: Pipe, message) -> None:
        self.heard.append(message)
        if isinstance(message, self.silent):
            return
        match message:
            case m.Hello():
                self._greet(pipe, message)
            case m.Move(state=state):
                self._move(pipe, state)
            case m.Ping(client_ms=client_ms):
                pipe.tell(m.Pong(client_ms, self.server_ms))
            case m.Say() if self.say_refusal is not None:
                pipe.tell(m.Refused(message.id, *_tail(self.say_refusal)))
            case m.Order() | m.Money() | m.Estate() | m.Market() if self.order_refusal is not None:
                pipe.tell(m.Refused(message.id, *_tail(self.order_refusal)))
            case _ if isinstance(message, COMMANDS):
                pipe.tell(m.Done(message.id, self.result))
            case m.Who(ids=ids):
                known = [
                    m.Named(avatar, self.names[avatar], "guest") for avatar in ids if avatar in self.names
                ]
                pipe.tell(m.People(known + [bot for bot in self.bots if bot.avatar in ids]))
            case m.Leave():
                pipe.cut(1000)

    @property
    def server_ms(self) -> int:
        return round(self.clock.now * 1000)

    def _greet(self, pipe: Pipe, hello: m.Hello) -> None:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None:
            pipe.tell(refusal)
            pipe.cut(1000)
            return
        x, z, y, yaw = self.body
        token = self.token if hello.keep or hello.code else None
        name = hello.name or "Guest"
        welcome = m.Welcome(
            1, 7, name, "Test", "w1", self.server_ms, x, z, y, yaw, "resume-" + "0" * 16, LIMITS, token,
            hello.resume is not None,
        )  # fmt: skip
        pipe.tell(msgspec.structs.replace(welcome, **self.welcome))

    def send_out(self, code: str, text: str, retry_after_ms: int = 0) -> None:
        """As staff do."""
        self.tell(m.Goodbye(code, text, retry_after_ms))
        self.pipe.cut(m.CloseCode.REMOVED, text)

    def _move(self, pipe: Pipe, state: bytes) -> None:
        seq, x, z, _, yaw, gesture = struct.unpack("<IiihBB", state)
        reason = self.wall(x / 64, z / 64)
        self.move_times.append(self.clock.now)
        if reason is None:
            self.body = (x, z, 0, yaw)
            self.moves.append((seq, x / 64, z / 64, gesture))
        else:
            bx, bz, by, byaw = self.body
            pipe.tell(m.Correction(seq, bx, bz, by, byaw, reason))


def _tail(refusal: m.Refused):
    return refusal.code, refusal.text, refusal.hint, refusal.retry_after_ms
