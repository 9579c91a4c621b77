"""uvicorn's HTTP protocol with the limits that it lacks, and the handing over of upgraded connections.

Owns what is particular to uvicorn: the calling convention of its protocol class is internal, which is why its minor
version is pinned and the tests drive this class over real sockets. Knows no routes and no sessions.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState
from websockets.datastructures import Headers

from worldloom.gateway.handshake import MAX_REQUEST_BYTES, plain_response
from worldloom.gateway.limits import Connections, Proxies, RateLimit, address_key
from worldloom.gateway.listening import Place
from worldloom.gateway.sockets import GameSocket

__all__ = ["Doorkeeper", "GuardSettings", "GuardedHttp", "HostedSocket"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """Limits of HTTP connections. Times in seconds."""

    header_timeout_s: float = 10.0
    """For the request line and headers of each request."""
    body_timeout_s: float = 10.0
    response_timeout_s: float = 60.0
    """From the whole request to the end of the response, and again until it has been read."""
    max_header_bytes: int = MAX_REQUEST_BYTES
    max_body_bytes: int = 64 * 1024
    max_pipelined: int = 8
    refusal_linger_s: float = 1.0
    """How long a connection over a limit is kept so that it can read why."""


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """What all connections of one server share."""

    settings: GuardSettings
    connections: Connections
    proxies: Proxies
    upgrades: RateLimit
    """Handshakes of one address."""
    new_socket: "Callable[[], HostedSocket]"
    is_open: Callable[[], bool]
    """Whether newcomers are let in."""
    all_gone: asyncio.Event
    """Set whenever the last connection ends."""

    def enter(self, peer: str) -> Place:
        """One more connection of that address; a proxy's own address is not limited. Counted in either case."""
        status, key = self.connections.enter(), ""
        if not self.proxies.trusts(peer):
            key = address_key(peer)
            status = self.connections.enter_address(key) or status
        return Place(key, status)

    def leave(self, key: str) -> None:
        """A connection is gone that was counted under ``key``; "" when it was not counted by address."""
        self.connections.leave()
        if key:
            self.connections.leave_address(key)
        if not self.connections.total:
            self.all_gone.set()


class HostedSocket(GameSocket):
    """A game socket that gives its place in the count back when it is gone."""

    __slots__ = ("on_gone",)

    on_gone: Callable[[], None]

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, however it went."""
        super().connection_lost(exc)
        self.on_gone()


class _Refused(Exception):
    """Raised within the parser's callbacks to stop it."""


class GuardedHttp(HttpToolsProtocol):
    """One HTTP connection, until it ends or is upgraded.

    Args:
        doorkeeper: Limits and counts, shared.
        config: uvicorn's.
        server_state: uvicorn's.
        place: Where it was counted, if that was before it was made.
    """

    def __init__(
        self, doorkeeper: Doorkeeper, config: Config, server_state: ServerState, place: Place | None = None
    ) -> None:
        super().__init__(config, server_state, {}, asyncio.get_running_loop())
        self._door, self._place = doorkeeper, place
        self._timer: asyncio.TimerHandle | None = None
        self._peer = ""
        self._counted_as = ""
        """Key under which this connection is counted by address; "" when it is a proxy's."""
        self._refusal: tuple[int, str] | None = None
        self._head_bytes = self._body_bytes = 0
        self._in_head = self._in_body = False
        self._deaf = False

    # The connection.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and refuse it when there are too many."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        place = self._place or self._door.enter(self._peer)
        place.taken, self._counted_as = True, place.key
        if self._door.connections.is_flooded:
            transport.abort()
        elif place.status:
            self._refuse(place.status, "too many connections; try again later")
        else:
            self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back the place in the count."""
        self._expect(None)
        self._door.leave(self._counted_as)
        super().connection_lost(exc)

    def _expect(self, seconds: float | None) -> None:
        """What is expected next has so many seconds; None: as long as it likes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._late) if seconds is not None else None

    def _late(self) -> None:
        self._timer = None
        waits = self._in_body and self.cycle is not None and not self.cycle.response_started
        if waits and self._refusal is None:
            self._refuse(408, "expected the whole body in time")
        else:
            self.transport.abort()

    def _refuse(self, status: int, text: str) -> None:
        """Answer at once, whatever has been asked, and close after a moment."""
        self._refusal = (status, text)
        self._expect(self._door.settings.refusal_linger_s)
        answering = False
        if self.cycle is not None and not self.cycle.response_complete:
            answering = self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if answering or self.transport.is_closing():
            self.transport.abort()
            return
        extra = Headers({"Retry-After": "5"}) if status in (429, 503) else None
        self.transport.write(plain_response(status, text, extra))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.pause_reading()  # what comes is not looked at

    # Requests.

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what it lets pass is checked on the way."""
        if self._refusal is not None or self._deaf or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if not self._in_head and not self._in_body and self._idle():
            self._begin_head()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            if not self._deaf:
                self._hand_over(data[stop.args[0] :])
        except httptools.HttpParserError as fault:
            stopped = fault.__context__
            if isinstance(stopped, _Refused):
                self._refuse(*stopped.args)
            else:
                self._refuse(400, "expected an HTTP request")
        else:
            limit = self._door.settings.max_header_bytes
            if self._in_head and self._head_bytes > limit:
                self._refuse(431, f"expected at most {limit} bytes of headers")

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _begin_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._expect(self._door.settings.header_timeout_s)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head, self._body_bytes = True, 0

    def on_headers_complete(self) -> None:
        """The headers are whole: check them, find out who asks, and let the application begin."""
        settings = self._door.settings
        self._in_head, self._head_bytes = False, 0
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > settings.max_header_bytes:
            raise _Refused(431, f"expected at most {settings.max_header_bytes} bytes of headers, got {size}")
        if self._content_length() > settings.max_body_bytes:
            raise _Refused(413, f"expected a body of at most {settings.max_body_bytes} bytes")
        if len(self.pipeline) >= settings.max_pipelined:
            raise _Refused(429, f"expected at most {settings.max_pipelined} requests at once")
        if not self.url.startswith((b"/", b"http://", b"https://")):
            raise _Refused(400, "expected a path")
        self.scope["client"] = (self._client_address(), 0)
        if self._door.proxies.trusts(self._peer) and (b"x-forwarded-proto", b"https") in self.headers:
            self.scope["scheme"] = "https"
        self._in_body = True
        self._expect(settings.body_timeout_s)
        super().on_headers_complete()
        if self.parser.should_upgrade() and not self._should_upgrade():
            self._deaf = True  # an upgrade to something else: answered as a plain request, the last
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._body_bytes += len(body)
        if self._body_bytes > self._door.settings.max_body_bytes:
            raise _Refused(413, f"expected a body of at most {self._door.settings.max_body_bytes} bytes")
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole; now the application has its time."""
        self._in_body = False
        self._expect(self._door.settings.response_timeout_s)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The response is written; it has its time to be read, and the client to ask again."""
        settings = self._door.settings
        if self._in_head:
            self._expect(settings.header_timeout_s)
        elif not self._in_body:  # a body that nobody waits for keeps its own time
            self._expect(settings.response_timeout_s)
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for a while."""
        super().timeout_keep_alive_handler()
        self._expect(self._door.settings.refusal_linger_s)

    def _content_length(self) -> int:
        values = [value for name, value in self.headers if name == b"content-length"]
        return max((int(value) for value in values if value.isdigit()), default=0)

    def _client_address(self) -> str:
        forwarded = [value.decode("latin-1") for name, value in self.headers if name == b"x-forwarded-for"]
        return self._door.proxies.client_address(self._peer, forwarded)

    # Upgrades.

    def _hand_over(self, rest: bytes) -> None:
        """Make this connection a game socket's."""
        address = self._client_address()
        key = self._counted_as or address_key(address)
        status = self._may_upgrade(key)
        if status:
            if not self._counted_as:
                self._door.connections.leave_address(key)
            self._refuse(status, "too many connections; try again later")
            return
        self._expect(None)
        self.connections.discard(self)
        socket = self._door.new_socket()
        socket.address = address
        socket.on_gone = partial(self._door.leave, key)
        request = self._request_bytes()
        self.parser = None  # type: ignore[assignment]  # it and this object hold each other
        socket.connection_made(self.transport)
        socket.data_received(request)
        self.transport.set_protocol(socket)
        if rest:
            socket.data_received(rest)

    def _may_upgrade(self, key: str) -> int:
        status = 0 if self._counted_as else self._door.connections.enter_address(key)
        if not self._door.is_open():
            return 503
        return status or (429 if self._door.upgrades.take(key, self.loop.time()) else 0)

    def _request_bytes(self) -> bytes:
        version: Any = self.parser.get_http_version()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version.encode())]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n"
