"""The load: thousands of sockets in one thread on raw epoll. Reads each frame as it comes, writes what is due.

A frame that is whole, large and of a client that is not sampled is only counted; everything else takes the slower way
through the client's ``Assembler``. Knows no server process and no statistics.
"""

import select
from collections import Counter
from collections.abc import Callable
from time import monotonic

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from worldloom.bench.client import Client, Stage
from worldloom.bench.plan import BenchFault
from worldloom.bench.wire import BINARY, CLOSE, PING, PONG, WireFault, client_frame, tag_of
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.protocol.messages import Area, Correction, Goodbye, Refused, Region, RegionState, Welcome

__all__ = ["Load", "Progress"]

I64 = npt.NDArray[np.int64]
Progress = Callable[[float], None]
"""Told from time to time how much is done, from 0 to 1."""

_BATCH = 128
"""Events taken at once; then the clock is looked at again."""
_BUFFER_BYTES = 256 * 1024
_FAST_HEAD = 4
_BINARY_FRAME = 0x82
_LENGTH_16 = 126
_JOINS_IN_FLIGHT = 48
_JOINS_PER_S = 300
_JOIN_TIMEOUT_S = 60.0
_EVENTS = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
_PICTURE = (36, 37)
"""Tags of Frame and Area: most of what comes, and decoded only afterwards."""


class Load:
    """All clients and the loop that serves them.

    Attributes:
        clients: Walkers by index, as far as they have been started.
        avatars: ``[n]`` avatar id by index, 0 until Welcome.
        joined: Walkers that are in the world.
        lost: Walkers whose connection ended before its time.
        messages: How many messages walkers received.
        octets: Payload bytes of all messages that walkers received.
        troubles: How many of what went wrong: refusals by code, corrections, lost connections by reason.
        on_placed: Called with index, x and z (1/64 m) when a walker was set down or corrected.
        on_lost: Called with a walker that was lost.
    """

    def __init__(self, port: int, walkers: int) -> None:
        self.clients: list[Client] = []
        self.avatars: I64 = np.zeros(walkers, np.int64)
        self.joined = 0
        self.lost = 0
        self.messages = 0
        self.octets = 0
        self.troubles: Counter[str] = Counter()
        self.on_placed: Callable[[int, int, int], None] = lambda index, x, z: None
        self.on_lost: Callable[[Client], None] = lambda client: None
        self._port = port
        self._epoll = select.epoll()
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._by_fd: list[Client | None] = []
        self._slow: list[Client | None] = []
        self._receive: list[Callable[[bytearray], int]] = []

    def start(self, index: int, token: str, sampled: bool = False) -> Client:
        """Open the socket of a client; it comes in by itself while the loop runs.

        Raises:
            OSError: Nobody listens there, or too many files are open.
        """
        client = Client(index, token, self._port, monotonic(), sampled)
        missing = client.fd + 1 - len(self._by_fd)
        if missing > 0:
            self._by_fd.extend([None] * missing)
            self._slow.extend([None] * missing)
            self._receive.extend([client.sock.recv_into] * missing)
        self._by_fd[client.fd] = self._slow[client.fd] = client
        self._receive[client.fd] = client.sock.recv_into
        self._epoll.register(client.fd, _EVENTS)
        return client

    def join_all(self, tokens: list[str], sampled: frozenset[int], progress: Progress) -> None:
        """Bring all walkers in, a few at a time.

        Raises:
            BenchFault: Not all were in after a while.
        """
        begun = monotonic()
        limit = _JOIN_TIMEOUT_S + len(tokens) / 20
        while self.joined < len(tokens):
            now = monotonic()
            started = len(self.clients)
            while (
                started < len(tokens)
                and started - self.joined < _JOINS_IN_FLIGHT
                and started <= (now - begun) * _JOINS_PER_S
            ):
                self.clients.append(self.start(started, tokens[started], started in sampled))
                started += 1
            self.read(0.005)
            progress(self.joined / len(tokens))
            if self.lost or now - begun > limit:
                raise BenchFault(
                    f"expected {len(tokens)} clients in the world, got {self.joined}: {dict(self.troubles)}"
                )

    def idle(self, seconds: float) -> None:
        """Only read, for a time."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self.read(left)

    def read(self, timeout_s: float) -> None:
        """Wait for something to come, at most so long, and take one batch of it."""
        buffer, slow, receive = self._buffer, self._slow, self._receive
        messages = octets = 0
        for fd, events in self._epoll.poll(timeout_s, _BATCH):
            if events != select.EPOLLIN or slow[fd] is not None:
                self._drain(fd)
                continue
            try:
                size = receive[fd](buffer)
            except BlockingIOError:
                continue
            except OSError as fault:
                self._lose(fd, type(fault).__name__)
                continue
            if (
                size > _LENGTH_16
                and buffer[0] == _BINARY_FRAME
                and buffer[1] == _LENGTH_16
                and (buffer[2] << 8 | buffer[3]) == size - _FAST_HEAD
            ):
                messages += 1
                octets += size - _FAST_HEAD
            else:
                self._taken(fd, size)
        self.messages += messages
        self.octets += octets

    def lose(self, client: Client, reason: str) -> None:
        """Close a client's socket; count why, unless the reason is empty."""
        if client.stage is Stage.GONE:
            return
        if client.stage is Stage.IN and client.index >= 0:
            self.joined -= 1
        client.stage = Stage.GONE
        self._by_fd[client.fd] = self._slow[client.fd] = None
        client.sock.close()
        if not reason:
            return
        self.troubles[reason] += 1
        if client.index >= 0:
            self.lost += 1
            self.on_lost(client)

    def close(self) -> None:
        """Close every socket."""
        for client in list(filter(None, self._by_fd)):
            self.lose(client, "")
        self._epoll.close()

    def _lose(self, fd: int, reason: str) -> None:
        client = self._by_fd[fd]
        if client is not None:
            self.lose(client, f"lost: {reason}")

    def _drain(self, fd: int) -> None:
        """Read until there is nothing more: edge-triggered events come once."""
        size = len(self._buffer)
        while self._by_fd[fd] is not None:
            try:
                size = self._receive[fd](self._buffer)
            except BlockingIOError:
                return
            except OSError as fault:
                self._lose(fd, type(fault).__name__)
                return
            self._taken(fd, size, more=False)

    def _taken(self, fd: int, size: int, more: bool = True) -> None:
        """Cut up what lies in the buffer."""
        client = self._by_fd[fd]
        if client is None:
            return
        if not size:
            self.lose(client, "lost: closed by the server")
            return
        at = monotonic()
        data = bytes(self._view[:size])
        try:
            if client.stage is Stage.UPGRADING:
                data = client.upgraded(data)
            for opcode, payload in client.assembler.feed(data):
                self._message(client, opcode, payload, at)
        except (OSError, WireFault) as fault:
            self.lose(client, f"lost: {fault}")
            return
        if client.stage is not Stage.GONE:
            self._slow[fd] = None if client.plain else client
        if more and size == len(self._buffer):
            self._drain(fd)

    def _message(self, client: Client, opcode: int, payload: bytes, at: float) -> None:
        if opcode == PING:
            client.send(client_frame(payload, PONG))
        elif opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self.lose(client, f"lost: closed with {code}")
        elif opcode == BINARY:
            if client.index >= 0:
                self.messages += 1
                self.octets += len(payload)
            tag = tag_of(payload)
            if client.received is not None:
                client.received.append((at, payload))
            if client.stage is not Stage.IN or tag not in _PICTURE:
                self._heed(client, decode_server(payload))

    def _heed(self, client: Client, message: Struct) -> None:
        match message:
            case Welcome():
                client.stage, client.avatar = Stage.ARRIVING, message.you
                if client.index >= 0:
                    self.avatars[client.index] = message.you
                    self.on_placed(client.index, message.x, message.z)
            case Area() if client.stage is Stage.ARRIVING:
                client.stage = Stage.IN
                self.joined += client.index >= 0
            case Correction():
                self.troubles[f"correction: {message.reason}"] += 1
                if client.index >= 0:
                    self.on_placed(client.index, message.x, message.z)
            case Refused():
                self.troubles[f"refused: {message.code}"] += 1
            case Goodbye():
                self.troubles[f"goodbye: {message.code}"] += 1
            case Region() if message.state == RegionState.WOVEN:
                client.woven += 1
            case _:
                pass
