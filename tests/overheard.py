"""Everything that each of many people is sent, searched at the very moment when the server writes it.

The people are wire-level clients of a real node whose time is in hand. What one of them must not be told follows from
what was asked for and answered alone, and from where the shard has the bodies; the gateway's own lists are not looked
at. A block counts from the moment its Done is written, for both sides, to the moment it is asked to be taken back;
invisibility for as long as the shard has the body in the staff's layer. There is no other grace, but that a line spoken
before its speaker went into hiding, or after it came out, may come in the frame of that very tick.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from raw_ws import BINARY, PONG, frame, move_payload, request
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import decode_server, encode
from worldloom_sdk.protocol.geometry import GROUND_Y
from worldloom_sdk.protocol.messages import BlockReach, OrderAct
from worldloom_sdk.protocol.words import BlockKind, blocks
from worldloom_sdk.testing import World
from worldloom_sdk.testing.server import _HandSocket
from worldloom_sdk.testing.server_end import ServerEnd

Cell = tuple[int, int, int]
_GUEST_BIT = 1 << 31
_CLOSE, _PING = 0x88, 0x89


class Tap(ServerEnd):
    """The server's end of a connection, which tells of all that is written to it, whether it is read or not."""

    def __init__(self, protocol: Any, told: Callable[[bytes], None]) -> None:
        self._told = told
        super().__init__(protocol, lambda: None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        goes_out = not self._eof and not self.is_closing()
        super().write(data)
        if goes_out:
            self._told(bytes(data))


@dataclass
class Truth:
    """Who is in which slot, as the shard has it: after the tick at hand, and after the one before."""

    node: Any
    seq: int = -1
    now: dict[Cell, dict[int, int]] = field(default_factory=dict)
    before: dict[Cell, dict[int, int]] = field(default_factory=dict)
    layers: dict[int, int] = field(default_factory=dict)
    layers_before: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        """Be up to date; to be asked in every tick."""
        shard = self.node.shard
        if shard._seq == self.seq:
            return
        self.seq, self.before, self.layers_before = shard._seq, self.now, self.layers
        self.now, self.layers = {}, {}
        cells, entries = shard.cells.everything()
        for (cx, cz, layer), key in zip(cells.tolist(), entries[:, 0].tolist(), strict=True):
            self.now.setdefault((cx, cz, layer), {})[key & 0xFFF] = key >> 12
            self.layers[key >> 12] = layer


class Ear:
    """One of the people: what it must not be told, and every byte that it is."""

    def __init__(self, crowd: "Crowd", name: str, keep: bool) -> None:
        self.crowd, self.name, self.keep = crowd, name, keep
        self.you = 0
        self.token: str | None = None
        self.resume: str | None = None
        self.end: Tap | None = None
        self.reads = True
        self.here = False
        self.layers = {0}
        self.centre = (0, 0)
        self.x = self.z = self.seq = self.number = 0
        self.nothing_of: set[int] = set()
        self.deaf_to: set[int] = set()
        self.waiting: dict[int, Callable[[bool], None]] = {}
        self._buffer = b""

    @property
    def is_guest(self) -> bool:
        return self.token is None

    # ---- speaking

    def dial(self) -> None:
        """A new connection, and a Hello: as the same session, the same account, or somebody new."""
        server = self.crowd.world._server
        socket = _HandSocket.__new__(_HandSocket)
        socket.clock = self.crowd.world.clock
        _HandSocket.__init__(
            socket, server.node.gateway.accept, server.node.inbox, server._sockets, server._watch
        )
        self._buffer, self.reads, self.waiting = b"", True, {}
        connection: list[Tap] = []
        self.end = Tap(socket, lambda data: self._told(connection, data))
        connection.append(self.end)
        self.end.deliver(request())
        name, keep = ("", False) if self.token else (self.name, self.keep)
        self.send(m.Hello(m.PROTOCOL_VERSION, "ear", name, self.token, self.resume, keep))

    def send(self, message: msgspec.Struct | bytes) -> None:
        payload = message if isinstance(message, bytes) else encode(message)
        if self.end is not None:
            self.end.deliver(frame(BINARY, payload))

    def command(
        self, kind: type[Any], *fields: Any, then: Callable[[bool], None] = lambda done: None, **named: Any
    ) -> None:
        """Ask for something; ``then`` is told whether it was done, at the moment when the answer is written."""
        self.number += 1
        self.waiting[self.number] = then
        self.send(kind(self.number, *fields, **named))

    def step(self, dx: int, dz: int, span: tuple[int, int]) -> None:
        low, high = span
        self.x, self.z = min(max(self.x + dx, low), high), min(max(self.z + dz, low), high)
        self.seq += 1
        self.send(move_payload(self.seq, self.x, self.z, GROUND_Y, self.seq & 0xFF, 1))

    def cut(self) -> None:
        """The connection breaks."""
        if self.end is not None:
            self.end.cut()
        self.end, self.here = None, False

    def read(self) -> None:
        if self.reads and self.end is not None:
            self.end.take()

    # ---- hearing

    def _told(self, connection: list[Tap], data: bytes) -> None:
        if connection and connection[0] is not self.end:
            return
        self._buffer += data
        while payload := self._next():
            self.crowd.messages += 1
            self.crowd.bytes += len(payload)
            self._take(payload)

    def _next(self) -> bytes:
        buffer = self._buffer
        if buffer.startswith(b"HTTP/1.1 101"):
            _, _, buffer = buffer.partition(b"\r\n\r\n")
        while len(buffer) >= 2:
            size, head = buffer[1], 2
            if size == 126:
                (size,), head = struct.unpack_from(">H", buffer, 2), 4
            elif size == 127:
                (size,), head = struct.unpack_from(">Q", buffer, 2), 10
            payload, first, buffer = buffer[head : head + size], buffer[0], buffer[head + size :]
            if first == 0x80 | BINARY:
                self._buffer = buffer
                return payload
            if first == _PING:
                self.crowd.soon.append(partial(self._pong, payload))
            elif first == _CLOSE:
                self.crowd.closings.append((self.name, payload))
                self.here = False
        self._buffer = buffer
        return b""

    def _pong(self, payload: bytes) -> None:
        if self.end is not None:
            self.end.deliver(frame(PONG, payload))

    def _take(self, payload: bytes) -> None:
        message = self.crowd.decoded(payload)
        match message:
            case m.Frame():
                self._search_body(message.body)
                truth = self.crowd.truth
                for line in message.lines:
                    self._search_speech(line.avatar, message, truth.layers_before, truth.layers)
            case m.Area():
                self.centre = (message.cx, message.cz)
                self._search_body(message.body)
            case m.People():
                for named in message.people:
                    self._search_person(named.avatar, message)
            case m.Whispered() | m.Signalled():
                self._search_speech(message.avatar, message, self.crowd.truth.layers)
            case _:
                self._mind(message)

    def _mind(self, message: msgspec.Struct) -> None:
        """What is told of oneself."""
        match message:
            case m.Done() | m.Refused():
                if message.id in self.waiting:
                    self.waiting.pop(message.id)(isinstance(message, m.Done))
            case m.Standing():
                self._stand(message.role)
            case m.Correction():
                self.x, self.z = message.x, message.z
            case m.Welcome():
                self._come(message)

    def _come(self, welcome: m.Welcome) -> None:
        self.you, self.resume, self.here = welcome.you, welcome.resume, True
        self.token = welcome.token or self.token
        self.x, self.z, self.seq = welcome.x, welcome.z, 0
        self.crowd.by_avatar[self.you] = self
        self._stand(welcome.role)

    def _stand(self, role: str) -> None:
        self.layers = {0, 1} if role in ("moderator", "owner") else {0}

    # ---- searching

    def _search_body(self, body: bytes) -> None:
        if body:
            people, layers, strays = self.crowd.people_in(body, self.centre)
            self.crowd.looked_up += len(people)
            for avatar in people & self.nothing_of:
                self._overheard("a blocked body", avatar, body)
            if not layers <= self.layers:
                self._overheard("a layer that is hidden", 0, body)
            if strays:
                self._overheard("nobody who is there", 0, strays)

    def _search_person(self, avatar: int, message: Any) -> None:
        if avatar in self.nothing_of:
            self._overheard("a blocked one", avatar, message)
        if self.crowd.truth.layers.get(avatar, 0) not in self.layers:
            self._overheard("a hidden one", avatar, message)

    def _search_speech(self, avatar: int, message: Any, *layers: dict[int, int]) -> None:
        if avatar in self.deaf_to:
            self._overheard("speech of a blocked one", avatar, message)
        if all(layer.get(avatar, 0) not in self.layers for layer in layers):
            self._overheard("speech of a hidden one", avatar, message)

    def _overheard(self, what: str, avatar: int, of: Any) -> None:
        self.crowd.overheard.append(
            f"tick {self.crowd.world.tick}: {self.you} was told of {what} {avatar}: {of!r:.200}"
        )


class Crowd:
    """All of the people, what they want of each other, and what was overheard against it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.truth = Truth(world.node)
        self.by_avatar: dict[int, Ear] = {}
        self.wishes: dict[tuple[int, int], BlockReach] = {}
        """Who wants nothing of whom, as far as that is certainly in force."""
        self.overheard: list[str] = []
        self.closings: list[tuple[str, bytes]] = []
        self.soon: list[Callable[[], None]] = []
        self.messages = self.bytes = self.looked_up = 0
        self._decoded: dict[bytes, msgspec.Struct] = {}
        self._bodies: dict[tuple[bytes, int, int], tuple[set[int], set[int], list[str]]] = {}

    # ---- personal blocks

    def block(self, ear: Ear, other: Ear, on: bool, reach: BlockReach) -> None:
        """Ask for a block, or take it back; it is certain from the answer on, and given up when it is asked for."""
        pair = (ear.you, other.you)
        before, after = self.wishes.get(pair), reach if on else None
        weaker = None if before is None or after is None else max(before, after)
        self._wish(pair, weaker)
        ear.command(
            m.Block, other.you, on, reach, then=lambda done: self._wish(pair, after if done else before)
        )

    def forget(self, ear: Ear) -> None:
        """Somebody leaves for good: with a guest on either side a block ends."""
        for pair in [pair for pair in self.wishes if ear.you in pair and max(pair) & _GUEST_BIT]:
            self._wish(pair, None)

    def _wish(self, pair: tuple[int, int], reach: BlockReach | None) -> None:
        if reach is None:
            self.wishes.pop(pair, None)
        else:
            self.wishes[pair] = reach
        for one, other in (pair, pair[::-1]):
            self._agree(one, other)

    def _agree(self, one: int, other: int) -> None:
        ear = self.by_avatar[one]
        both = [r for p in ((one, other), (other, one)) if (r := self.wishes.get(p)) is not None]
        (ear.deaf_to.add if both else ear.deaf_to.discard)(other)
        (ear.nothing_of.add if BlockReach.ALL in both else ear.nothing_of.discard)(other)

    # ---- time

    async def pass_tick(self) -> None:
        """One tick; whoever reads has read all, then."""
        await self.world.run_ticks(1)
        self.truth.look()
        self._decoded.clear()
        self._bodies.clear()
        soon, self.soon = self.soon, []
        for act in soon:
            act()

    def read(self, ears: Iterable[Ear]) -> None:
        for ear in ears:
            ear.read()

    # ---- what is told, once for all who are told the same

    def decoded(self, payload: bytes) -> msgspec.Struct:
        """A message; the bytes that many are sent are decoded once a tick."""
        self.truth.look()
        message = self._decoded.get(payload)
        if message is None:
            message = self._decoded[payload] = decode_server(payload)
        return message

    def people_in(self, body: bytes, centre: tuple[int, int]) -> tuple[set[int], set[int], list[str]]:
        """Whom the entries of a frame body are about, in which layers, and what is about nobody who is there."""
        key = (body, *centre)
        found = self._bodies.get(key)
        if found is None:
            found = self._bodies[key] = self._look_up(body, *centre)
        return found

    def _look_up(self, body: bytes, cx: int, cz: int) -> tuple[set[int], set[int], list[str]]:
        people: set[int] = set()
        layers: set[int] = set()
        strays: list[str] = []
        for block in blocks(body):
            cell = (cx + block.dx, cz + block.dz, block.layer)
            layers.add(block.layer)
            was, is_now = self.truth.before.get(cell, {}), self.truth.now.get(cell, {})
            paired = block.kind in (BlockKind.ENTER, BlockKind.SNAPSHOT)
            for entry in (block.entries[:, 0] if paired else block.entries).tolist():
                slot = entry & 0xFFF
                avatar = (was if block.kind is BlockKind.LEAVE else is_now).get(slot, 0)
                people.add(avatar)
                people.add(entry >> 12 if paired else avatar)
                if not avatar or (paired and avatar != entry >> 12):
                    strays.append(f"{block.kind.name} of slot {slot} of {cell}: {avatar} is there")
        return people, layers, strays


def hide(ear: Ear, on: bool) -> None:
    """Ask for invisibility, or to be seen again."""
    ear.command(m.Order, OrderAct.HIDE if on else OrderAct.APPEAR)
