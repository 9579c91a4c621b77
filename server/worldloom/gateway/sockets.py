"""One client connection on its transport. Knows no sessions, no game, no HTTP beyond the handshake.

A whole frame that carries a move and begins where a frame may begin takes a short cut: as it came, into the
inbox. All else goes through ``framing``. All sockets of an event loop receive into one shared buffer. What one
connection may send within a tick is bounded; the rest waits in the kernel, and whoever keeps flooding is
closed.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from worldloom.gateway.framing import MessageStream
from worldloom.gateway.handshake import MAX_REQUEST_BYTES, answer, plain_response
from worldloom.gateway.inbox import MOVE_FRAME_BYTES, MOVE_PAYLOAD_HEAD, MoveInbox, move_frame
from worldloom.replication.wire import ready
from worldloom_sdk.protocol.messages import CloseCode

__all__ = ["GameSocket", "Peer", "SocketSettings", "SocketWatch"]

_log = logging.getLogger(__name__)

_MOVE_HEAD = int.from_bytes(b"\x82\x94", "little")
_PAYLOAD_HEAD = int.from_bytes(MOVE_PAYLOAD_HEAD, "little")
_MOVE_PAYLOAD_BYTES = 20
_heads = struct.Struct("<HII").unpack_from  # frame head, mask, first four bytes of the masked payload
_DISCARD_LIMIT_BYTES = 1024 * 1024
_FRAME_COST, _PART_COST = 4, 1  # of the allowance for frames: a frame that comes in pieces costs little more


@dataclass(frozen=True, slots=True)
class SocketSettings:
    """Limits of one connection. Times in seconds."""

    path: str = "/ws"
    """The one path on which an upgrade is granted."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of pages that may connect besides the server's own; ``*`` for all."""
    handshake_timeout_s: float = 10.0
    max_message_bytes: int = 4096
    """Until the session raises ``GameSocket.max_message``."""
    write_buffer_bytes: int = 64 * 1024
    """More than this unsent: ``Peer.on_pause``."""
    ping_after_s: float = 20.0
    """Silence after which the server asks whether anybody is there."""
    pong_within_s: float = 20.0
    close_timeout_s: float = 5.0
    """How long a closing handshake may take."""
    late_close_s: float = 0.9
    """The same for who was closed for being late."""
    moves_per_tick: int = 64
    messages_per_tick: int = 16
    """Frames of any other kind, control frames and fragments included."""
    bytes_per_tick: int = 64 * 1024
    flood_ticks: int = 100
    """Whoever has to be held back for so many ticks on end is closed with 1008."""


class Peer(Protocol):
    """Whom a socket serves: the gateway's session."""

    def on_message(self, payload: bytes) -> None:
        """One complete binary message that is no move of a session with a row."""

    def on_pause(self) -> None:
        """The write buffer is over its mark: send nothing."""

    def on_drain(self) -> None:
        """The write buffer has drained."""

    def on_closed(self, code: int) -> None:
        """No message comes or goes any more. Exactly once; 1006 when the connection was lost.

        Called at once when the client closes or breaks a rule; after the session's own ``close``, when the
        connection is gone.
        """


def _nowhere(_frame: bytes) -> None:
    """The writer of a socket that is closing: a frame after the closing frame would break the rules."""


class SocketWatch:
    """All open sockets of a server; keeps time for them in one sweep instead of a timer each."""

    def __init__(self) -> None:
        self.sockets: set[GameSocket] = set()

    def __len__(self) -> int:
        return len(self.sockets)

    def sweep(self, now: float) -> None:
        """Ping who is silent, close who stays so or is past a deadline. ``now`` as of ``loop.time()``."""
        for connection in list(self.sockets):
            connection.check_time(now)


class GameSocket(asyncio.BufferedProtocol):
    """One client connection, from the handshake to its end.

    Args:
        accept: Called once the handshake has succeeded; whoever it returns is served.
        inbox: Where moves go, and the shared receive buffer.
        settings: Limits.
        watch: Keeps time: handshake, keepalive, deadlines, closing. Without one nothing is timed.
    """

    __slots__ = (
        "_at_boundary",
        "_bytes",
        "_deadline",
        "_deadline_code",
        "_discarded",
        "_epoch",
        "_finishing",
        "_frames",
        "_held",
        "_inbox",
        "_loop",
        "_moves",
        "_peer",
        "_pinged",
        "_request",
        "_settings",
        "_silent_since",
        "_spoke",
        "_stream",
        "_strikes",
        "_transport",
        "_watch",
        "accept",
        "address",
        "paused",
        "row",
        "writer",
    )

    def __init__(
        self,
        accept: "Callable[[GameSocket], Peer]",
        inbox: MoveInbox,
        settings: SocketSettings,
        watch: SocketWatch | None = None,
    ) -> None:
        self.accept = accept
        self.row = -1
        """Row of the session; moves take the fast path once it is not negative."""
        self.address = ""
        """Client address, as the host of this socket sees fit (proxies); else that of the connection."""
        self.paused = False
        """Whether the write buffer is over its mark."""
        self.writer: Callable[[bytes], None] = _nowhere
        """Writes one ready-made server frame, for the fan-out; not to be kept after ``close`` or ``on_closed``."""
        self._inbox, self._settings, self._watch = inbox, settings, watch
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._peer: Peer | None = None
        self._stream = MessageStream(settings.max_message_bytes)
        self._request: bytes | None = b""
        """What has come of the handshake; None once it is over."""
        self._at_boundary = False
        """Whether a move may be taken right from the receive buffer."""
        self._held = b""
        """What came beyond this tick's allowance; nothing is read while there is any."""
        self._epoch = -1
        self._moves = self._frames = self._bytes = self._strikes = 0
        self._finishing = False
        self._discarded = 0
        self._spoke = True
        self._pinged = False
        self._silent_since = self._deadline = 0.0
        self._deadline_code = 0

    # What the session calls.

    @property
    def max_message(self) -> int:
        """Largest message in bytes that the client may send; a larger one closes with 1009."""
        return self._stream.max_message

    @max_message.setter
    def max_message(self, size: int) -> None:
        self._stream.max_message = size

    @property
    def is_open(self) -> bool:
        """Whether messages still come and go."""
        return self._request is None and not self._finishing and self._stream.is_open

    @property
    def unsent_bytes(self) -> int:
        """Bytes in the write buffer, beyond what the kernel holds."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write_frame(self, frame: bytes) -> None:
        """Write a ready-made server frame. Nothing happens when the socket is closing."""
        self.writer(frame)

    def send(self, payload: bytes) -> None:
        """Send one binary message. Nothing happens when the socket is closing."""
        self.writer(ready(payload))

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; the connection is gone after ``close_timeout_s`` at the latest.

        Raises:
            websockets.exceptions.ProtocolError: The code may not be sent.
        """
        if self._request is not None:
            self.abort()
        elif self.is_open:
            self._stream.close(code, reason)
            self._begin_closing()
            self._flush()

    def abort(self) -> None:
        """Drop the connection at once, unsent bytes included."""
        if self._transport is not None:
            self.writer = _nowhere
            self._finishing, self._at_boundary = True, False
            self._transport.abort()

    def deadline(self, seconds: float | None, code: int = 1008) -> None:
        """Close with ``code`` in so many seconds, unless called again; None: never. Gone about a second later."""
        self._deadline = self._loop.time() + seconds if seconds is not None else 0.0
        self._deadline_code = code

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there; the handshake comes next."""
        transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from it
        self._transport = transport
        if not self.address:
            peer = transport.get_extra_info("peername")
            self.address = peer[0] if isinstance(peer, tuple) else ""
        high = self._settings.write_buffer_bytes
        raw = transport.get_extra_info("socket")
        if raw is not None:  # the kernel would let megabytes queue for who does not read
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, high)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_write_buffer_limits(high=high, low=high // 4)
        self.deadline(self._settings.handshake_timeout_s)
        if self._watch is not None:
            self._watch.sockets.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """The buffer that all sockets of this event loop share."""
        return self._inbox.view

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come. The common case, one whole move at a frame's beginning, is settled here."""
        self._spoke = True
        inbox = self._inbox
        if nbytes == MOVE_FRAME_BYTES and self._at_boundary and self.row >= 0:
            head, mask, first = _heads(inbox.buffer)
            if head == _MOVE_HEAD and mask ^ first == _PAYLOAD_HEAD:
                if self._epoch != inbox.epoch:
                    self._begin_tick()
                if self._moves < self._settings.moves_per_tick:
                    self._moves += 1
                    inbox.put(self.row, bytes(inbox.view[:MOVE_FRAME_BYTES]))
                    return
        self._receive(bytes(inbox.view[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Bytes from a host that is no buffered protocol: the rebuilt handshake, and what came with it."""
        self._spoke = True
        self._receive(data)

    def eof_received(self) -> None:
        """The client will send no more; the transport closes itself after this."""
        self._stream.end()

    def pause_writing(self) -> None:
        """The write buffer is over its mark."""
        self.paused = True
        if self._peer is not None:
            self._peer.on_pause()

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        self.paused = False
        if self._peer is not None:
            self._peer.on_drain()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, however it went."""
        if self._watch is not None:
            self._watch.sockets.discard(self)
        self.writer = _nowhere
        self._at_boundary = False
        self._finishing = True
        self._transport = None
        self._held = b""
        self._tell_closed()

    # Time.

    def check_time(self, now: float) -> None:
        """Called about once a second by the watch. ``now`` as of ``loop.time()``."""
        if self._deadline and now >= self._deadline:
            self._deadline = 0.0
            self._late()
        elif self._spoke:
            self._spoke, self._pinged, self._silent_since = False, False, now
        elif self._pinged and now - self._silent_since >= (
            self._settings.ping_after_s + self._settings.pong_within_s
        ):
            self.abort()
        elif not self._pinged and now - self._silent_since >= self._settings.ping_after_s and self.is_open:
            self._pinged = True
            self._stream.ping()
            self._flush()

    def _late(self) -> None:
        if self.is_open:
            self.close(self._deadline_code, "too late")
            self.deadline(self._settings.late_close_s)
        else:  # a handshake, or a closing that does not end
            self.abort()

    # The allowance of a tick.

    def inbox_taken(self) -> None:
        """A tick has passed: go on with what was held back."""
        self._loop.call_soon(self._resume)

    def _begin_tick(self) -> None:
        self._epoch = self._inbox.epoch
        self._moves = self._frames = self._bytes = 0
        self._strikes = max(0, self._strikes - 1)

    def _spent(self) -> bool:
        settings = self._settings
        return (
            self._moves >= settings.moves_per_tick
            or self._frames >= settings.messages_per_tick * _FRAME_COST
            or self._bytes >= settings.bytes_per_tick
        )

    def _hold(self, rest: bytes) -> None:
        assert self._transport is not None
        self._strikes += 2
        if self._strikes > self._settings.flood_ticks:
            self.close(1008, "too many messages")
            self._finish()
            return
        self._held, self._at_boundary = rest, False
        self._transport.pause_reading()
        self._inbox.hold(self)

    def _resume(self) -> None:
        if self._transport is None or self._finishing:
            return
        held, self._held = self._held, b""
        self._process(held)
        if not self._held and not self._finishing and not self._transport.is_closing():
            self._transport.resume_reading()

    # Bytes to moves and messages.

    def _receive(self, data: bytes) -> None:
        if self._finishing:
            self._discard(data)
        elif self._request is not None:
            self._shake_hands(data)
        elif self._held:  # transports with a buffer of their own (TLS) deliver on after a pause
            self._held += data
        else:
            self._process(data)

    def _discard(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded > _DISCARD_LIMIT_BYTES:
            self.abort()

    def _process(self, data: bytes) -> None:
        """Split into frames: moves to the inbox, all else to the stream; what is over the allowance waits."""
        if self._epoch != self._inbox.epoch:
            self._begin_tick()
        at = 0
        while at < len(data) and not self._finishing:
            if self._spent():
                self._hold(data[at:])
                return
            if self._is_move(data, at):
                self._put_move(data[at : at + MOVE_FRAME_BYTES])
                at += MOVE_FRAME_BYTES
            else:
                at += self._feed(data, at)
        self._at_boundary = self._stream.between_messages and self.is_open

    def _is_move(self, data: bytes, at: int) -> bool:
        if self.row < 0 or len(data) - at < MOVE_FRAME_BYTES or not self._stream.between_messages:
            return False
        head, mask, first = _heads(data, at)
        return bool(head == _MOVE_HEAD and mask ^ first == _PAYLOAD_HEAD and self._stream.is_open)

    def _put_move(self, frame: bytes) -> None:
        self._moves += 1
        self._inbox.put(self.row, frame)

    def _feed(self, data: bytes, at: int) -> int:
        stream = self._stream
        taken = stream.feed(data, at)
        self._bytes += taken
        self._frames += _FRAME_COST if stream.between_frames else _PART_COST
        while stream.messages:
            self._on_message(stream.messages.pop(0))
        self._flush()
        return taken

    def _on_message(self, payload: bytes) -> None:
        if self._peer is None:
            return
        if self.row >= 0 and len(payload) == _MOVE_PAYLOAD_BYTES and payload.startswith(MOVE_PAYLOAD_HEAD):
            self._put_move(move_frame(payload))  # it came in pieces, or with a length in a longer form
            return
        try:
            self._peer.on_message(payload)
        except Exception:  # noqa: BLE001 - logged; it stays this connection's own fault
            _log.exception("a message could not be handled")
            self.close(CloseCode.INTERNAL)

    # Opening and closing.

    def _shake_hands(self, data: bytes) -> None:
        assert self._transport is not None
        assert self._request is not None
        self._request += data
        request, end, rest = self._request.partition(b"\r\n\r\n")
        if not end and len(request) <= MAX_REQUEST_BYTES:
            return
        self._request = None
        if len(request) > MAX_REQUEST_BYTES:
            status = 431
            response = plain_response(431, f"expected at most {MAX_REQUEST_BYTES} bytes of headers")
        else:
            status, response = answer(request + end, self._settings.path, self._settings.allowed_origins)
        self._transport.write(response)
        if status == 101:
            self._open(rest)
        else:
            self._finish()

    def _open(self, rest: bytes) -> None:
        assert self._transport is not None
        self.deadline(None)
        self.writer = self._transport.write
        self._at_boundary = True
        try:
            self._peer = self.accept(self)
        except Exception:  # noqa: BLE001 - logged; it stays this connection's own fault
            _log.exception("a new connection could not be served")
            self.close(CloseCode.INTERNAL)
        if rest:
            self._process(rest)

    def _begin_closing(self) -> None:
        self.writer, self._at_boundary = _nowhere, False
        self.deadline(self._settings.close_timeout_s)

    def _flush(self) -> None:
        """Write what the stream has to say by itself; the end when it is through."""
        transport = self._transport
        if transport is None:
            return
        for data in self._stream.output():
            if data:
                transport.write(data)
            else:
                self._finish()
        if self.paused and transport.get_write_buffer_size() > 4 * self._settings.write_buffer_bytes:
            self.abort()  # asks and asks, and never reads the answers

    def _finish(self) -> None:
        """Nothing more to say. What still comes is thrown away, so that no reset overtakes our last words."""
        self._begin_closing()
        self._finishing, self._at_boundary, self._held = True, False, b""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if transport.can_write_eof():
                transport.write_eof()
                transport.resume_reading()
            else:
                transport.close()
        self._tell_closed()

    def _tell_closed(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            peer.on_closed(self._stream.close_code)
