"""Transports: what carries bytes to a world. The default is a WebSocket and plain HTTP on the same port."""

import asyncio
import functools
import socket
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.exceptions import InvalidHandshake, InvalidStatus

from worldloom_sdk.address import Address, parse_address
from worldloom_sdk.errors import ConnectionClosed, ContentError, Disconnected
from worldloom_sdk.protocol.codec import MAX_SERVER_MESSAGE_BYTES

__all__ = ["MAX_CONTENT_BYTES", "Dial", "Transport", "dial_socket", "dialler"]

MAX_CONTENT_BYTES = 8 * 1024 * 1024
"""Largest content that is fetched."""
_OPEN_TIMEOUT_S = 10.0
_HTTP_TIMEOUT_S = 10.0
_NOT_THERE = 404
_QUEUED_MESSAGES = 64
_WRITE_LIMIT = 64 * 1024


class Transport(Protocol):
    """One open connection to a world."""

    async def send(self, data: bytes) -> None:
        """Send one binary message; waits while the way out is full.

        Raises:
            ConnectionClosed: It is closed.
        """
        ...

    async def recv(self) -> bytes:
        """Wait for one binary message.

        Raises:
            ConnectionClosed: It is closed, and nothing is left to read.
        """
        ...

    async def close(self, code: int = 1000) -> None:
        """Close; does nothing to what is closed already."""
        ...

    async def get(self, path: str) -> bytes:
        """Fetch ``path`` from the same world by HTTP, at most ``MAX_CONTENT_BYTES``.

        Raises:
            ContentError: It is not there, too big, or the world did not answer.
        """
        ...


Dial = Callable[[], Awaitable[Transport]]
"""Opens a new transport. Raises OSError or Disconnected when that fails, SetupError when it never can work."""


class SocketTransport:
    """A WebSocket by ``websockets``; at most 64 unread messages are held, then the server feels it."""

    def __init__(self, socket: ClientConnection, http_url: str) -> None:
        self._socket = socket
        self._http_url = http_url

    async def send(self, data: bytes) -> None:
        """As ``Transport.send``."""
        try:
            await self._socket.send(data)
        except SocketClosed as closed:
            raise _closed(closed) from None

    async def recv(self) -> bytes:
        """As ``Transport.recv``."""
        try:
            data = await self._socket.recv(decode=False)
        except SocketClosed as closed:
            raise _closed(closed) from None
        return data

    async def close(self, code: int = 1000) -> None:
        """As ``Transport.close``."""
        await self._socket.close(code)

    async def get(self, path: str) -> bytes:
        """As ``Transport.get``."""
        return await asyncio.to_thread(_http_get, self._http_url + path)


def dialler(url: str) -> Dial:
    """Opens WebSockets to an address, which is looked at when the first is opened."""

    async def dial() -> Transport:
        return await dial_socket(parse_address(url))

    return dial


async def dial_socket(address: Address) -> Transport:
    """Open a WebSocket to a world, directly (no proxy), never compressed.

    Raises:
        Disconnected: Nobody answers there, or somebody who does not speak WebSocket with us; final if the path is
            wrong.
    """
    try:
        open_socket = await connect(
            address.socket_url,
            compression=None,
            proxy=None,
            open_timeout=_OPEN_TIMEOUT_S,
            max_size=MAX_SERVER_MESSAGE_BYTES,
            max_queue=_QUEUED_MESSAGES,
            write_limit=_WRITE_LIMIT,
            close_timeout=2.0,
        )
    except InvalidStatus as fault:
        status = fault.response.status_code
        wrong_path = status == _NOT_THERE
        hint = "; expected the address of a world, like ws://host:8420/ws" if wrong_path else ""
        text = f"{address.socket_url} answers HTTP {status} instead of a WebSocket{hint}"
        raise Disconnected(text, final=wrong_path) from fault
    except (OSError, InvalidHandshake) as fault:
        raise Disconnected(f"cannot reach {address.socket_url}: {_why(fault)}") from fault
    return SocketTransport(open_socket, address.http_url)


def _why(fault: Exception) -> str:
    """Why nobody answers, in a few words."""
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    # asyncio gives one error for several addresses of a name, and only a text tells what they were.
    if isinstance(fault, ConnectionRefusedError) or "Connect call failed" in str(fault):
        return "connection refused"
    if isinstance(fault, socket.gaierror):
        return "no host of that name is known"
    return (getattr(fault, "strerror", None) or str(fault)).lower()


def _closed(closed: SocketClosed) -> ConnectionClosed:
    if closed.rcvd is None:
        return ConnectionClosed(1006, "the connection broke")
    return ConnectionClosed(closed.rcvd.code, closed.rcvd.reason)


@functools.cache
def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _http_get(url: str) -> bytes:
    try:
        with _opener().open(url, timeout=_HTTP_TIMEOUT_S) as answer:
            data: bytes = answer.read(MAX_CONTENT_BYTES + 1)
    except urllib.error.HTTPError as fault:
        fault.close()
        raise ContentError(f"{url}: expected 200, got {fault.code}") from None
    except OSError as fault:
        raise ContentError(f"{url}: {fault}") from fault
    if len(data) > MAX_CONTENT_BYTES:
        raise ContentError(f"{url}: expected at most {MAX_CONTENT_BYTES} bytes, got more")
    return data
