"""The port: bound before anything is made, TLS files read, connections counted from their first byte on. Knows no HTTP.

Without TLS the event loop accepts by itself and tells of each connection at once. With TLS it would tell only after
the TLS handshake, so that silent connections counted for nobody: there, connections are accepted here.
"""

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from worldloom.config import ServerConfig
from worldloom.errors import ConfigError
from worldloom.gateway.validity import Validity, validity_of

__all__ = ["Counted", "Listening", "Place", "Renewal", "bind", "open_tls"]

_log = logging.getLogger(__name__)
_BACKLOG = 2048
_NO_FILES_PAUSE_S = 1.0
"""How long nobody is accepted when the process has no file left for another connection."""


@dataclass(slots=True)
class Place:
    """A connection's place in the count."""

    key: str
    """Under which it is counted by address; "" when it is a proxy's."""
    status: int
    """0, or the HTTP status to refuse it with."""
    taken: bool = False
    """Whether a connection has it, which leaves by itself."""


class Counted(Protocol):
    """Who counts connections."""

    def enter(self, peer: str) -> Place:
        """One more connection of that address; to be counted in either case."""

    def leave(self, key: str) -> None:
        """A connection is gone that was counted under ``key``."""


def open_tls(cert: str, key: str) -> ssl.SSLContext | None:
    """Read certificate and key; None when none are given. Blocks.

    Raises:
        ConfigError: A file cannot be read, is no PEM of its kind, or the two do not belong together.
    """
    if not cert:
        return None
    for name, path in (("server.tls_cert", cert), ("server.tls_key", key)):
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError as error:
            raise ConfigError(f"{name}: expected a readable PEM file; got {path}: {error.strerror}") from None
        wanted = b"CERTIFICATE-----" if name == "server.tls_cert" else b"PRIVATE KEY-----"
        if wanted not in text:
            what = "certificate" if name == "server.tls_cert" else "private key"
            raise ConfigError(f"{name}: expected a PEM file with a {what}; got {path}, which has none")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, _no_password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"server.tls_cert, server.tls_key: {_tls_fault(cert, key, error)}") from None
    return context


class Renewal:
    """Takes up a certificate that was renewed; connections that are open go on with the one before.

    Args:
        context: Of the listener, from ``open_tls``; None where there is no TLS.
        cert: The files that it was made of.
        key: See ``cert``.
    """

    def __init__(self, context: ssl.SSLContext | None, cert: str, key: str) -> None:
        self._context, self._cert, self._key = context, cert, key
        self._read = self._stamp()
        self.validity: Validity | None = None
        """When the certificate in use holds; None without TLS."""
        self.fault = ""
        """Why the files as they are now are not taken up; empty when they are in use."""
        self._look_when()

    def look(self) -> bool:
        """Take the files up if they have changed; whether they had. Blocks.

        Raises:
            ConfigError: They are no good; the certificate of before stays.
        """
        if self._context is None or (stamp := self._stamp()) == self._read:
            self.fault = ""
            return False
        try:
            open_tls(self._cert, self._key)
        except ConfigError as fault:
            self.fault = str(fault)
            raise
        self._context.load_cert_chain(self._cert, self._key, _no_password)
        self._read, self.fault = stamp, ""
        self._look_when()
        return True

    def warnings(self, unix_s: float) -> list[str]:
        """What is wrong with the certificate, or will be soon, in words that tell strangers no path."""
        soon = self.validity.warning(unix_s) if self.validity is not None else ""
        refused = (
            self.fault and "the renewed certificate was refused, the one before stays: see the server's log"
        )
        return [text for text in (soon, refused) if text]

    def _look_when(self) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                self.validity = validity_of(Path(self._cert).read_bytes())

    def _stamp(self) -> tuple[int, ...]:
        if self._context is None:
            return ()
        with contextlib.suppress(OSError):
            return tuple(os.stat(path).st_mtime_ns for path in (self._cert, self._key))
        return ()


def _no_password() -> str:
    """Asked for when the key is encrypted; nobody is there to type one."""
    raise ValueError("a key without a password is needed")


def _tls_fault(cert: str, key: str, error: Exception) -> str:
    reason = getattr(error, "reason", None) or str(error)
    if reason == "KEY_VALUES_MISMATCH":
        return f"expected a certificate and its key; got {key}, which is the key of another one than {cert}"
    return f"expected a certificate and its key; got {cert} and {key}: {reason}"


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind every address that ``host`` names, all to one port, without listening yet. Blocks.

    Raises:
        OSError: An address is taken or not ours.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((entry[0], entry[4][0]) for entry in found):
            listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            bound.append(listener)
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::"))
            listener.bind((address, port or (bound[0].getsockname()[1] if len(bound) > 1 else 0)))
    except OSError:
        for listener in bound:
            listener.close()
        raise
    return bound


class Listening:
    """Accepts connections on sockets that are bound.

    Args:
        config: The time for a TLS handshake.
        tls: Certificate and key; None for none.
        counted: Counts connections.
        make: Makes the protocol of a connection; told its place when it has been counted already.
    """

    def __init__(
        self,
        config: ServerConfig,
        tls: ssl.SSLContext | None,
        counted: Counted,
        make: Callable[[Place | None], asyncio.Protocol],
    ) -> None:
        self._config, self._tls, self._counted, self._make = config, tls, counted, make
        self._servers: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: set[asyncio.Task[None]] = set()

    async def start(self, bound: Sequence[socket.socket]) -> None:
        """Accept from now on.

        Raises:
            OSError: An address was taken meanwhile.
        """
        loop = asyncio.get_running_loop()
        for listener in bound:
            if self._tls is None:
                server = await loop.create_server(lambda: self._make(None), sock=listener, backlog=_BACKLOG)
                self._servers.append(server)
            else:
                listener.listen(_BACKLOG)
                self._sockets.append(listener)
                self._accepting.append(loop.create_task(self._accept(listener, self._tls), name="accept"))

    def stop(self) -> None:
        """Accept nobody any more; whoever is connected stays, unfinished TLS handshakes end."""
        for server in self._servers:
            server.close()
        for task in [*self._accepting, *self._handshakes]:
            task.cancel()

    async def stopped(self) -> None:
        """Wait until nothing is accepted any more, and the sockets are closed."""
        await asyncio.gather(*self._accepting, *self._handshakes, return_exceptions=True)
        for listener in self._sockets:
            listener.close()
        for server in self._servers:
            await server.wait_closed()

    async def _accept(self, listener: socket.socket, tls: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    raw, peer = await loop.sock_accept(listener)
                except ConnectionError:
                    continue  # gone before it was accepted
                except OSError as fault:
                    _log.warning("connections cannot be accepted: %s", fault.strerror)
                    await asyncio.sleep(_NO_FILES_PAUSE_S)
                    continue
                self._welcome(raw, peer[0], tls)
        finally:
            listener.close()

    def _welcome(self, raw: socket.socket, peer: str, tls: ssl.SSLContext) -> None:
        """Count a connection; who is over a limit cannot be told why before the handshake, and is dropped."""
        place = self._counted.enter(peer)
        if place.status:
            self._counted.leave(place.key)
            raw.close()
            return
        task = asyncio.get_running_loop().create_task(self._shake_hands(raw, place, tls))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, raw: socket.socket, place: Place, tls: ssl.SSLContext) -> None:
        protocol = self._make(place)
        try:
            with contextlib.suppress(OSError):  # ssl.SSLError and TimeoutError are among them: its own fault
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: protocol, raw, ssl=tls, ssl_handshake_timeout=self._config.handshake_timeout_s
                )
        finally:
            if not place.taken:
                raw.close()
                self._counted.leave(place.key)
