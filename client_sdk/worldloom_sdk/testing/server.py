"""The server's parts within the process: its own world, gateway, shard and store, on a folder and a clock in hand.

Knows no bots. The one module of the SDK that imports the server.
"""

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from worldloom.app.secrets import read_password
from worldloom.app.world import World as Node
from worldloom.config import Config, load
from worldloom.errors import Refusal, StoreUnavailable
from worldloom.gateway.door import Door
from worldloom.gateway.sockets import GameSocket, SocketSettings, SocketWatch
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import PlaceRow, Store, TerrainSource, TileRow, Tx
from worldloom.services import accounts, money, order, overlays, places, terrain, worlds
from worldloom.services.asking import OPERATOR, Whom
from worldloom.worldgen.outcome import Emerged
from worldloom_sdk.errors import ContentError
from worldloom_sdk.protocol.geometry import TICK_MS
from worldloom_sdk.protocol.messages import SUBPROTOCOL_PATH
from worldloom_sdk.testing.clock import HandClock
from worldloom_sdk.testing.threads import CountedThreads
from worldloom_sdk.testing.transport import MemoryTransport

__all__ = ["CountedStore", "Server", "put_database"]

_log = logging.getLogger(__name__)

C = TypeVar("C")
R = TypeVar("R")

_TICKS_PER_S = 1_000 // TICK_MS
_FORGET_EVERY_S = 30
_LOOK_EVERY_TICKS = 5
"""How often what staff did is put in force."""
_SEAL_KEY = b"the test kit seals reports by it"
_PATIENT = {"worldgen.deadline_s": 600.0, "worldgen.niceness": 0}
"""A busy machine must not decide what the land looks like, and no tick is late because of it."""


def put_database(path: Path) -> None:
    """Make a SQLite file with all tables and no world. Only the first in a process is migrated, others are its copies.

    Args:
        path: The file, which must not be there; its folder is made if missing.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory(prefix="worldloom-") as folder:
        path = Path(folder) / "world.db"
        migrate(f"sqlite:///{path}")
        return path.read_bytes()


class CountedStore:
    """A store that knows what it is at, and can keep land back; implements the server's ``Store``.

    Args:
        store: Does the work.
        on_change: Called when something was done.
    """

    def __init__(self, store: Store, on_change: Callable[[], None]) -> None:
        self._store, self._on_change = store, on_change
        self._jobs: set[asyncio.Future[Any]] = set()
        self._gate: asyncio.Future[None] | None = None
        self.kept_back = 0
        """Questions for land that wait at the gate."""

    @property
    def at_work(self) -> int:
        """How many use cases and queries are under way."""
        return len(self._jobs)

    def keep_land_back(self) -> None:
        """Answer no question for land from now on."""
        if self._gate is None:
            self._gate = asyncio.get_running_loop().create_future()

    def give_land(self) -> None:
        """Answer them again."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.set_result(None)

    async def run(self, use_case: Callable[[Tx, C], R], command: C) -> R:
        """As ``Store.run``."""
        return await self._counted(self._store.run(use_case, command))

    async def read(self, query: Callable[[Tx, C], R], command: C) -> R:
        """As ``Store.read``."""
        load_tile: Callable[..., TileRow | None] = terrain.load
        if query is load_tile and self._gate is not None:
            self.kept_back += 1
            try:
                await asyncio.shield(self._gate)
            finally:
                self.kept_back -= 1
        return await self._counted(self._store.read(query, command))

    async def _counted(self, doing: Awaitable[R]) -> R:
        job = asyncio.ensure_future(doing)
        self._jobs.add(job)
        job.add_done_callback(self._done)
        # Whoever is cancelled meanwhile leaves the work to its end.
        return await asyncio.shield(job)

    def _done(self, job: "asyncio.Future[Any]") -> None:
        self._jobs.discard(job)
        if not job.cancelled():
            job.exception()
        self._on_change()


class _HandSocket(GameSocket):
    """A game socket whose deadlines are in the time of a clock in hand."""

    __slots__ = ("clock",)

    clock: HandClock

    def deadline(self, seconds: float | None, code: int = 1008) -> None:
        """As ``GameSocket.deadline``, in seconds of the clock in hand."""
        if seconds is not None:
            # A millisecond early, so that the microseconds between two looks at the loop's time decide nothing.
            seconds += self.clock.monotonic() - asyncio.get_running_loop().time() - 0.001
        super().deadline(seconds, code)


class Server:
    """One node without ports. ``open`` it before use, ``close`` it after.

    Args:
        folder: Where its database is kept.
        seed: The world's.
        land: Makes the land; ``None`` for the server's own noise.
        settings: Values by dotted key of the configuration, such as ``{"limits.moves_per_s": 10}``.
        clock: Time.
        threads: What bots and the server do beside the event loop.
        on_change: Called when something slow has ended: a query, a region.

    Raises:
        worldloom.errors.ConfigError: A setting is unknown or out of bounds.
    """

    node: Node

    def __init__(
        self,
        folder: Path,
        seed: int,
        land: TerrainSource | None,
        settings: Mapping[str, object],
        clock: HandClock,
        threads: CountedThreads,
        on_change: Callable[[], None],
    ) -> None:
        fixed = {"server.data": str(folder), "world.seed": seed}
        self.config: Config = load(None, {}, {**_PATIENT, **settings, **fixed})
        self._land, self._clock, self._threads, self._on_change = land, clock, threads, on_change
        self._watch = SocketWatch()
        self._sockets = SocketSettings(
            path=SUBPROTOCOL_PATH,
            handshake_timeout_s=self.config.server.handshake_timeout_s,
            write_buffer_bytes=self.config.sync.write_buffer_bytes,
        )
        self._emerging: asyncio.Task[None] | None = None
        self._overlaying: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._sweeping = False
        self._sql: SqlStore | None = None

    # ---- life

    async def open(self) -> None:
        """Make the database and put the parts together."""
        config = self.config
        if not config.storage.url:
            await asyncio.to_thread(put_database, config.data_path / "world.db")
        await asyncio.to_thread(migrate, config.storage_url)
        self._sql = await asyncio.to_thread(open_store, config.storage_url, config.storage.queue_limit)
        self.store = CountedStore(self._sql, self._on_change)
        row = await self.store.run(
            worlds.open_world, worlds.OpenWorld(config.world.name, config.world.seed, 0)
        )
        self.node = Node(
            config,
            self.store,
            row,
            self._clock,
            source=self._land,
            door=_door(config),
            seal_key=_SEAL_KEY,
            unix_ms=self._clock.unix_ms,
        )
        await self.node.trading.notifier.open()
        self.node.emerge.on_emerged.append(self._emerged)
        loop = asyncio.get_running_loop()
        self._emerging = loop.create_task(self.node.emerge.run(), name="emerge")
        self._overlaying = loop.create_task(self.node.overlays.run(), name="overlays")

    async def close(self) -> None:
        """End everything. May be called whatever came of ``open``."""
        if self._emerging is not None and self._overlaying is not None:
            await self.node.gateway.close(0)
            self._emerging.cancel()
            self._overlaying.cancel()
            looking = [self._looking] if self._looking is not None else []
            await asyncio.gather(self._emerging, self._overlaying, *looking, return_exceptions=True)
        for socket in list(self._watch.sockets):
            socket.abort()
        if self._sql is not None:
            await self._sql.close()

    @property
    def slow_things(self) -> str:
        """What is under way beside the event loop, for people; empty if nothing is."""
        regions = self.node.emerge.stats().in_work - self.store.kept_back
        told = {
            "queries": self.store.at_work,
            "regions being made": regions,
            "calls in threads": self._threads.at_work,
        }
        return ", ".join(f"{count} {what}" for what, count in told.items() if count)

    def check(self) -> None:
        """Raise what a part of the server failed with."""
        for part in (self._emerging, self._overlaying, self._saving, self._looking):
            if part is not None and part.done():
                part.result()

    # ---- time

    def tick(self, tick: int) -> None:
        """One tick, and once a second what a server does then."""
        self.node.tick(tick)
        if tick % _TICKS_PER_S == 0:
            self.node.gateway.sweep()
            self._sweeping = True
            self._watch.sweep(self._clock.monotonic())
        if tick % _LOOK_EVERY_TICKS == 0 and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._look(), name="enforcer")
        if tick % (_FORGET_EVERY_S * _TICKS_PER_S) == 0:
            self.node.shard.forget_far(self.config.worldgen.memory_regions)
        if tick % round(self.config.storage.places_every_s * _TICKS_PER_S) == 0:
            self._saving = asyncio.get_running_loop().create_task(self.save_places(), name="places")

    async def _look(self) -> None:
        """Put in force what staff and owners did, settle what is over, tell who is to be told; as a server does."""
        await self.node.enforcer.look()
        await self.node.gates.look()
        if self._sweeping:
            self._sweeping = False
            with contextlib.suppress(StoreUnavailable):
                await self.node.market.sweep()
        await self.node.trading.notifier.look()

    async def save_places(self) -> None:
        """Write down where everybody is; if the database cannot, the log says so, and the next time does."""
        try:
            await self.node.save_places()
        except StoreUnavailable as fault:
            _log.warning("places not saved, later again: %s", fault)

    # ---- people

    async def dial(self) -> MemoryTransport:
        """A new connection.

        Raises:
            Disconnected: The handshake failed.
        """
        socket = _HandSocket.__new__(_HandSocket)
        socket.clock = self._clock
        _HandSocket.__init__(socket, self.node.gateway.accept, self.node.inbox, self._sockets, self._watch)
        transport = MemoryTransport(socket, self._content)
        await transport.open()
        return transport

    async def enrol(self, name: str) -> tuple[int, str]:
        """Make an account.

        Returns:
            Its number, which is also its avatar's, and its token.

        Raises:
            ValueError: The name is taken, or is none.
        """
        token = accounts.new_token()
        command = accounts.Register(name, accounts.hash_token(token), self._clock.unix_ms())
        try:
            account = await self.store.run(accounts.register, command)
        except Refusal as refusal:
            raise ValueError(f"expected a name that is free, got {name!r}: {refusal}") from None
        return account.account, token

    async def give_role(self, name: str, role: str) -> None:
        """Give an account a role, as the operator of a server does; it is in force when this returns.

        Raises:
            ValueError: No account has that name, or it is no role.
        """
        command = order.GiveRole(OPERATOR, Whom(name=name), role, self._clock.unix_ms())
        try:
            await self.store.run(order.give_role, command)
        except Refusal as refusal:
            raise ValueError(f"cannot make {name!r} {role!r}: {refusal}") from None
        await self.node.enforcer.look()

    async def give_money(self, name: str, amount: int) -> None:
        """Make money for an account, minor units, as the operator of a server does.

        Raises:
            ValueError: No account has that name, or it is no amount.
        """
        command = money.Issue(Whom(name=name), amount, "", self._clock.unix_ms())
        try:
            await self.store.run(money.issue, command)
        except Refusal as refusal:
            raise ValueError(f"cannot give {name!r} {amount}: {refusal}") from None

    async def set_place(self, account: int, x: int, z: int, yaw: int) -> None:
        """Where the body of an account is set down when it comes next; units of the wire."""
        await self.store.run(places.save, [PlaceRow(account, x, z, 0, yaw)])

    async def _content(self, path: str) -> bytes:
        match path.strip("/").split("/"):
            case ["content", sha256]:
                content = await self.store.read(terrain.content, sha256)
                data = content[1] if content is not None else None
            case ["overlay", rx, rz]:
                overlay = await self.store.read(overlays.stored, (int(rx), int(rz)))
                data = overlay.data if overlay is not None else None
            case _:
                raise ContentError(f"{path}: expected /content/ and a sha256, or /overlay/ and a region")
        if data is None:
            raise ContentError(f"{path}: expected 200, got 404")
        return data

    def _emerged(self, emerged: Emerged) -> None:
        self._on_change()


def _door(config: Config) -> Door:
    """To whom the world is open.

    Raises:
        ConfigError: The password cannot be read.
    """
    closed_by_password = config.access.mode == "password"
    password = read_password(Path(config.access.password_file)) if closed_by_password else ""
    return Door(config.access.mode, password)
