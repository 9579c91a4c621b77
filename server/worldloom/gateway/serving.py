"""One port for HTTP and WebSocket: listens, counts, hands over, stops. Knows no routes and no sessions.

Binding and accepting are ``listening``'s. HTTP is
uvicorn's, guarded; its server object, its loop and its signal handlers are not used, so that whoever runs this keeps
its own. An upgrade on the socket path becomes a ``GameSocket``.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from worldloom.config import ServerConfig
from worldloom.gateway.guard import Doorkeeper, GuardedHttp, GuardSettings, HostedSocket
from worldloom.gateway.inbox import MoveInbox
from worldloom.gateway.limits import ConnectionLimits, Connections, Proxies, RateLimit
from worldloom.gateway.listening import Listening, Place, bind, open_tls
from worldloom.gateway.sockets import GameSocket, Peer, SocketSettings, SocketWatch

__all__ = ["Bound", "GameServer", "reserve"]

_log = logging.getLogger(__name__)
_SWEEP_S = 0.5
_KEEP_ALIVE_S = 5


@dataclass(frozen=True, slots=True)
class Bound:
    """A port that is ours, and what TLS needs; nobody is let in yet."""

    sockets: list[socket.socket]
    tls: ssl.SSLContext | None

    @property
    def port(self) -> int:
        """The TCP port: the one found when 0 was asked for."""
        return int(self.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Give the port up; nothing happens to a server that has begun to listen on it and was stopped."""
        for listener in self.sockets:
            listener.close()


async def reserve(config: ServerConfig) -> Bound:
    """Read the TLS files and bind the port, before anything else is made.

    Raises:
        ConfigError: The TLS files are no certificate and key.
        OSError: The address is taken or not ours.
    """
    tls = await asyncio.to_thread(open_tls, config.tls_cert, config.tls_key)
    return Bound(await asyncio.to_thread(bind, config.host, config.port), tls)


class GameServer:
    """The listening side of a gateway.

    Args:
        config: Where to listen, and limits of connections.
        accept: Serves a socket whose handshake has succeeded.
        inbox: Where moves go; of this event loop alone.
        app: The ASGI application that answers HTTP.
        sockets: Limits of one socket; path, origins and handshake time come from ``config``.
        guard: Limits of HTTP connections; the header time comes from ``config``.
    """

    def __init__(
        self,
        config: ServerConfig,
        accept: Callable[[GameSocket], Peer],
        inbox: MoveInbox,
        app: Callable[..., Any],
        sockets: SocketSettings | None = None,
        guard: GuardSettings | None = None,
    ) -> None:
        self._config, self._accept, self._inbox = config, accept, inbox
        self._socket_settings = replace(
            sockets or SocketSettings(),
            allowed_origins=tuple(config.allowed_origins),
            handshake_timeout_s=config.handshake_timeout_s,
        )
        self._uvicorn = _uvicorn_config(app)
        self._state = ServerState()
        self._watch = SocketWatch()
        self._open = False
        self._door = Doorkeeper(
            settings=replace(guard or GuardSettings(), header_timeout_s=config.handshake_timeout_s),
            connections=Connections(ConnectionLimits(config.max_connections, config.connections_per_address)),
            proxies=Proxies(config.trusted_proxies),
            upgrades=RateLimit(config.connections_per_address, 2 * config.connections_per_address),
            new_socket=self._new_socket,
            is_open=lambda: self._open,
            all_gone=asyncio.Event(),
        )
        self._listening: Listening | None = None
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """Open connections of both kinds."""
        return self._door.connections.total

    @property
    def sockets(self) -> int:
        """Open WebSocket connections."""
        return len(self._watch)

    async def start(self, bound: Bound | None = None) -> tuple[str, int]:
        """Listen.

        Args:
            bound: What ``reserve`` found; by default it is reserved now.

        Returns:
            Host as configured, and the port: the one found when 0 was asked for.

        Raises:
            OSError: The address cannot be listened on.
            ConfigError: The TLS files are no certificate and key.
        """
        self._uvicorn.load()
        bound = bound or await reserve(self._config)
        self._listening = Listening(self._config, bound.tls, self._door, self._new_http)
        await self._listening.start(bound.sockets)
        self._open = True
        self._sweeper = asyncio.create_task(self._keep_time(), name="gateway.sweep")
        return self._config.host, bound.port

    def stop_accepting(self) -> None:
        """Let nobody in any more; whoever is connected stays."""
        self._open = False
        if self._listening is not None:
            self._listening.stop()

    async def stop(self, grace_s: float) -> None:
        """Stop: requests in progress and closing handshakes have ``grace_s`` seconds, then all is dropped.

        Sockets that their sessions have not closed get a closing frame with 1012.
        """
        self.stop_accepting()
        for connection in list(self._state.connections):
            connection.shutdown()
        for game_socket in list(self._watch.sockets):
            game_socket.close(1012, "the server is stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while self.connections:
                    self._door.all_gone.clear()
                    await self._door.all_gone.wait()
        await self._drop_all()

    async def _drop_all(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        for game_socket in list(self._watch.sockets):
            game_socket.abort()
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._listening is not None:
            await self._listening.stopped()

    async def _keep_time(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
            try:
                self._watch.sweep(loop.time())
            except Exception:  # noqa: BLE001 - a task boundary: time goes on for the others
                _log.exception("the sweep over the sockets failed")
            await asyncio.sleep(_SWEEP_S)

    def _new_http(self, place: Place | None) -> GuardedHttp:
        return GuardedHttp(self._door, self._uvicorn, self._state, place)

    def _new_socket(self) -> HostedSocket:
        return HostedSocket(self._accept, self._inbox, self._socket_settings, self._watch)


def _uvicorn_config(app: Callable[..., Any]) -> Config:
    return Config(
        app,
        ws=GameSocket,  # type: ignore[arg-type]  # never made by uvicorn: GuardedHttp hands over by itself
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
