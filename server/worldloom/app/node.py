"""A node: the parts of a server, put together by hand, and what happens to them in time.

``World`` is the parts without time and sockets: a test or the SDK's testing kit holds its clock in hand. ``serve``
gives them sockets, a heartbeat and supervised tasks.
"""

import asyncio
import contextlib
import logging
import random
import secrets as random_secrets
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from worldloom.app.announce import Announcer, open_publisher
from worldloom.app.clock import SystemClock, unix_ms
from worldloom.app.heart import Heart
from worldloom.app.secrets import open_secrets
from worldloom.app.telemetry import LoopLag, Telemetry, TickReport
from worldloom.app.version import worldloom_version
from worldloom.bus.mqtt import MqttPublisher
from worldloom.config import Config
from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.gateway.entrance import Entrance
from worldloom.gateway.gateway import Gateway
from worldloom.gateway.http import About, make_app
from worldloom.gateway.inbox import MoveInbox
from worldloom.gateway.serving import GameServer
from worldloom.gateway.socket import SocketSettings
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import Clock, PlaceRow, PublicEvent, Store, TerrainSource, TileRow, WorldRow
from worldloom.replication.fanout import FanOut
from worldloom.replication.uplink import Uplink
from worldloom.services import places, terrain, worlds
from worldloom.shard.simulation import Shard
from worldloom.world.terrain import TerrainTable
from worldloom.worldgen.emerge import EmergeQueue
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.outcome import Emerged
from worldloom_sdk.protocol.geometry import XZ_PER_M, Y_PER_M, to_units

__all__ = ["Rules", "World", "serve"]

_log = logging.getLogger(__name__)

RETRY_HINT_MS = 5_000
"""After a restart, clients come back so much later, each at a moment of its own."""
STOP_WITHIN_S = 8.0
SWEEP_EVERY_S = 1.0
FORGET_EVERY_S = 30.0


@dataclass(slots=True)
class Rules:
    """What the gateway is told: the sections of the configuration that concern it, joined."""

    moves_per_s: int
    commands_per_s: int
    says_per_10s: int
    text_chars: int
    wrong_commands: int
    resume_s: float
    hello_timeout_s: float
    drain_timeout_s: float
    speed: int
    climb: int
    view_cells: int
    world: str
    world_id: str

    @classmethod
    def of(cls, config: Config, world: WorldRow) -> "Rules":
        """The rules of a configured world."""
        return cls(
            moves_per_s=config.limits.moves_per_s,
            commands_per_s=config.limits.commands_per_s,
            says_per_10s=config.limits.says_per_10s,
            text_chars=config.limits.text_chars,
            wrong_commands=config.limits.wrong_commands,
            resume_s=config.session.resume_s,
            hello_timeout_s=config.session.hello_timeout_s,
            drain_timeout_s=config.sync.drain_timeout_s,
            speed=round(config.world.speed_m_per_s * XZ_PER_M),
            climb=round(config.world.climb_m_per_s * Y_PER_M),
            view_cells=config.sync.view_cells,
            world=world.name,
            world_id=world.world_id,
        )


class World:
    """Shard, gateway, land and store of one node, joined within the process.

    Args:
        config: The configuration.
        store: Where everything durable is.
        row: The world's row.
        clock: Time.
        publish: Takes public events, without waiting.
        source: Makes the land; noise by default.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        row: WorldRow,
        clock: Clock,
        publish: Callable[[PublicEvent], None] = lambda event: None,
        source: TerrainSource | None = None,
    ) -> None:
        self.config, self.store, self.row, self.clock = config, store, row, clock
        noise = NoiseSource(row.seed)
        self.land = TerrainTable()
        self.emerge = EmergeQueue(
            self._load_tile, self._save_tile, source or noise, noise, config.worldgen, clock
        )
        announcer = Announcer(publish, self._layer_of, unix_ms)
        self.emerge.on_emerged += [self._emerged, announcer.emerged]
        rules = Rules.of(config, row)
        self.fanout = FanOut(config.sync.view_cells, config.sync.bytes_per_second_per_client)
        self.inbox = MoveInbox()
        self.shard = Shard(
            self.land, rules.speed, rules.climb, lambda message: self.uplink.receive(message), self._want
        )
        self.uplink = Uplink(
            1,
            1,
            self.shard.receive,
            lambda f: self.gateway.take_frame(f),
            lambda s: self.gateway.take_snapshot(s),
        )
        self.gateway = Gateway(
            rules,
            self.inbox,
            self.fanout,
            self.uplink,
            clock.monotonic,
            clock.world_ms,
            announcer.session,
        )
        self.gateway.entrance = Entrance(
            store,
            self.gateway.roster,
            config.session,
            self._spawn,
            self._land_ready,
            unix_ms,
            clock.monotonic,
        )
        self._saved: dict[int, tuple[int, int, int, int]] = {}

    def tick(self, tick: int) -> None:
        """One tick: moves up, step, everybody's share down."""
        self.gateway.collect()
        self.shard.tick(tick)

    async def save_places(self) -> None:
        """Write down where accounts are, those that moved since the last time.

        Raises:
            StoreUnavailable: Not now; nothing is forgotten, the next time writes them.
        """
        now = self.gateway.places()
        moved = {account: place for account, place in now.items() if self._saved.get(account) != place}
        if not moved:
            return
        rows = [PlaceRow(account, x, z, y, yaw) for account, (x, z, y, yaw) in moved.items()]
        try:
            await self.store.run(places.save, rows)
        except StoreUnavailable:
            self.gateway.departed.update({a: p for a, p in moved.items() if a not in self.gateway.departed})
            raise
        self._saved = {
            account: place for account, place in now.items() if account in self._saved or account in moved
        }

    def _want(self, rx: int, rz: int, away_m: float) -> None:
        if self.emerge.want(rx, rz, away_m):
            self.shard.weaving(rx, rz)

    def _emerged(self, emerged: Emerged) -> None:
        if emerged.tile is not None and (emerged.rx, emerged.rz) not in self.land:
            heights = emerged.tile.heights
            self.shard.add_region(emerged.rx, emerged.rz, heights, emerged.sha256, emerged.source)

    def _layer_of(self, avatar: int) -> int | None:
        mirror = self.fanout.mirror
        key = mirror.keys[mirror.where.get(avatar, (0, 0))[0]]
        return key[2] if key is not None else None

    async def _land_ready(self, rx: int, rz: int) -> bool:
        if (rx, rz) not in self.land:
            self._emerged(await self.emerge.get(rx, rz))
        return (rx, rz) in self.land

    async def _load_tile(self, rx: int, rz: int) -> TileRow | None:
        return await self.store.read(terrain.load, (rx, rz))

    async def _save_tile(self, row: TileRow) -> TileRow:
        return await self.store.run(terrain.store, terrain.StoreTile(row, unix_ms()))

    def _spawn(self) -> tuple[int, int]:
        """A place in the spawn circle, in units."""
        radius = self.config.world.spawn_radius_m
        while True:
            dx, dz = random.uniform(-radius, radius), random.uniform(-radius, radius)
            if dx * dx + dz * dz <= radius * radius:
                return to_units(self.config.world.spawn_x_m + dx, self.config.world.spawn_z_m + dz)


class _Pulse:
    """One beat: a tick of the world, and its report."""

    def __init__(self, world: World, telemetry: Telemetry) -> None:
        self._world, self._telemetry = world, telemetry
        self._before = (0, 0, 0, 0)

    def beat(self, tick: int, late_s: float) -> None:
        began = time.perf_counter()
        world = self._world
        try:
            world.tick(tick)
        except Exception:  # noqa: BLE001 - a task boundary: the world goes on with its next tick
            _log.exception("tick %d failed", tick)
        totals = world.fanout.totals
        now = (world.gateway.moves_taken, totals.words, totals.frames, totals.bytes)
        moves, words, frames, sent = (new - old for new, old in zip(now, self._before, strict=True))
        self._before = now
        self._telemetry.tick(
            TickReport(
                seconds=time.perf_counter() - began,
                late_s=late_s,
                sessions=len(world.gateway.roster),
                groups=len(world.fanout.views.groups),
                moves=moves,
                words=words,
                frames=frames,
                bytes_sent=sent,
            )
        )


async def serve(config: Config, ready: Callable[[str], None]) -> int:
    """Run a world until SIGINT or SIGTERM.

    Args:
        config: The configuration.
        ready: Told the URL once the world is open.

    Returns:
        The exit status, 0.

    Raises:
        WorldloomError: Something that the configuration names cannot be used.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the main task instead
            loop.add_signal_handler(number, _stop, loop, stopping, number)
    async with _opened(config) as (world, store, publisher):
        telemetry = Telemetry()
        server = GameServer(
            config.server,
            world.gateway.accept,
            world.inbox,
            make_app(
                lambda: _health(world, telemetry, publisher, stopping),
                telemetry.render,
                lambda sha256: store.read(terrain.content, sha256),
                lambda: About(world.row.name, worldloom_version(), len(world.gateway.roster)),
                config.limits.http_requests_per_s,
            ),
            SocketSettings(write_buffer_bytes=config.sync.write_buffer_bytes),
        )
        _pull(telemetry, world, store, server)
        if publisher is not None:
            _pull_mqtt(telemetry, publisher)
        try:
            host, port = await server.start()
        except OSError as error:
            raise WorldloomError(
                f"expected to listen on {config.server.host}:{config.server.port}, got: {error.strerror or error}; "
                "choose another with --host and --port"
            ) from None
        async with _running(world, telemetry, publisher):
            scheme = "https" if config.server.tls_cert else "http"
            ready(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
            with contextlib.suppress(asyncio.CancelledError):
                await stopping.wait()
            _log.info("stopping")
            server.stop_accepting()
            await world.gateway.close(RETRY_HINT_MS + random.randrange(RETRY_HINT_MS))
            await server.stop(STOP_WITHIN_S / 2)
            await _save_last(world)
    return 0


def _stop(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, number: signal.Signals) -> None:
    """The first signal stops in order, the second at once."""
    stopping.set()
    loop.remove_signal_handler(number)


async def _save_last(world: World) -> None:
    try:
        async with asyncio.timeout(STOP_WITHIN_S / 4):
            await world.save_places()
    except (StoreUnavailable, TimeoutError) as fault:
        _log.warning("last places could not be saved: %s", fault)


@contextlib.asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[tuple[World, SqlStore, MqttPublisher | None]]:
    """A world on its database, and who publishes its events, if anybody."""
    await asyncio.to_thread(open_secrets, config.data_path)
    await asyncio.to_thread(migrate, config.storage_url)
    store = await asyncio.to_thread(open_store, config.storage_url, config.storage.queue_limit)
    try:
        seed = config.world.seed if config.world.seed >= 0 else random_secrets.randbits(63)
        row = await store.run(worlds.open_world, worlds.OpenWorld(config.world.name, seed, unix_ms()))
        publisher = open_publisher(config.mqtt, row, unix_ms())
        publish = publisher.offer if publisher is not None else _tell_nobody
        yield World(config, store, row, SystemClock(row.created_ms), publish), store, publisher
    finally:
        await store.close()


def _tell_nobody(event: PublicEvent) -> None:
    """Nothing is published."""


@contextlib.asynccontextmanager
async def _running(
    world: World, telemetry: Telemetry, publisher: MqttPublisher | None
) -> AsyncIterator[None]:
    """The tasks of a world, each with a name; one that fails is logged and started again."""
    pulse = _Pulse(world, telemetry)
    bodies: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "heart": Heart(world.clock, pulse.beat).run,
        "emerge": world.emerge.run,
        "loop-lag": LoopLag(telemetry).run,
        "sweep": lambda: _every(SWEEP_EVERY_S, _soon(world.gateway.sweep)),
        "forget": lambda: _every(
            FORGET_EVERY_S, _soon(lambda: world.shard.forget_far(world.config.worldgen.memory_regions))
        ),
        "places": lambda: _every(world.config.storage.places_every_s, _quietly(world.save_places)),
    }
    if publisher is not None:
        bodies["mqtt"] = publisher.run
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_supervised(name, body), name=name) for name, body in bodies.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _supervised(name: str, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await body()
        except Exception:  # noqa: BLE001 - a task boundary
            _log.exception("%s failed; it starts again", name)
            await asyncio.sleep(1)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await act()


def _soon(act: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        act()

    return run


def _quietly(act: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same, where an unavailable database is one line, not a fault."""

    async def run() -> None:
        try:
            await act()
        except StoreUnavailable as fault:
            _log.warning("places not saved, later again: %s", fault)

    return run


def _health(
    world: World, telemetry: Telemetry, publisher: MqttPublisher | None, stopping: asyncio.Event
) -> dict[str, Any]:
    emerge = asdict(world.emerge.stats())
    return {
        "ok": not stopping.is_set() and emerge["store_available"],
        "status": "stopping" if stopping.is_set() else "open",
        "version": worldloom_version(),
        "world": world.row.name,
        "world_ms": world.clock.world_ms(),
        **asdict(telemetry.timing()),
        "emerge": {key: value for key, value in emerge.items() if key != "outcomes"},
        **({"mqtt": _mqtt_health(publisher)} if publisher is not None else {}),
    }


def _pull(telemetry: Telemetry, world: World, store: SqlStore, server: GameServer) -> None:
    """Metrics that are read when somebody looks."""
    telemetry.pull("emerge_queue", lambda: world.emerge.stats().queued)
    telemetry.pull("emerge", lambda: {str(o): float(n) for o, n in world.emerge.stats().outcomes.items()})
    telemetry.pull("store_queue", lambda: store.stats().queued)
    telemetry.pull("store_batches", lambda: store.stats().batches)
    telemetry.pull("store_writes", lambda: store.stats().commits)
    telemetry.pull("connections", lambda: server.connections)
    telemetry.pull("regions", lambda: len(world.land))


def _mqtt_health(publisher: MqttPublisher) -> dict[str, Any]:
    """A broker that is away costs the world nothing: it is told of, and no reason to be unhealthy."""
    stats = publisher.stats()
    return {"connected": stats.connected, "queued": stats.queued, "dropped": stats.dropped}


def _pull_mqtt(telemetry: Telemetry, publisher: MqttPublisher) -> None:
    telemetry.pull("mqtt_outbox", lambda: publisher.stats().queued)
    telemetry.pull("mqtt_dropped", lambda: publisher.stats().dropped)
