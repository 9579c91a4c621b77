"""A node: a world with sockets, a heartbeat and supervised tasks, from start to an orderly stop."""

import asyncio
import contextlib
import gc
import logging
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from worldloom.app.announce import open_publisher
from worldloom.app.clock import SystemClock, unix_ms
from worldloom.app.currency import currency_of
from worldloom.app.heart import Heart
from worldloom.app.insight import Pulse, health, pull
from worldloom.app.market import EVERY_S as MARKET_EVERY_S
from worldloom.app.sealer import HEAD_FILE, Sealer
from worldloom.app.secrets import (
    NEW_SECRETS,
    SECRETS_FILE,
    data_mark,
    metrics_token,
    open_secrets,
    read_password,
    read_secret_file,
    seal_key,
    secrets_to_keep,
)
from worldloom.app.supervise import Supervisor
from worldloom.app.telemetry import LoopLag, Telemetry
from worldloom.app.version import worldloom_version
from worldloom.app.world import World
from worldloom.bus.mqtt import MqttPublisher
from worldloom.config import Config
from worldloom.errors import ConfigError, StoreUnavailable, WorldloomError
from worldloom.gateway.door import Door
from worldloom.gateway.listening import Renewal
from worldloom.gateway.pages import About, make_app
from worldloom.gateway.serving import Bound, GameServer, reserve
from worldloom.gateway.sockets import SocketSettings
from worldloom.gateway.web import load_web
from worldloom.persistence.backups import BACKUPS_FOLDER
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import PublicEvent, TerrainSource
from worldloom.ports.land import SealRow
from worldloom.services import overlays, terrain, worlds
from worldloom.worldgen.process import SourceProcess
from worldloom.worldgen.sources import make_source, make_stylist, make_wisher

__all__ = ["serve"]

_log = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
RETRY_HINT_MS = 5_000
"""After a restart, clients come back so much later, each at a moment of its own."""
STOP_WITHIN_S = 8.0
SWEEP_EVERY_S = 1.0
FORGET_EVERY_S = 30.0
TIDY_EVERY_S = 3_600.0
ROLL_UP_EVERY_S = 5.0
RENEW_EVERY_S = 30.0
COLLECT_AFTER = (10_000, 5, 20)
"""New objects before the collector looks at the young, and so many times the young before the older: what is no longer
young is at most 50,000 objects, some 12 ms. With 200,000 it held up a tick of a crowd for 40 ms."""
PROBE_EVERY_S = 2.0
"""While the database cannot be written, so often it is tried: nobody else might."""


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
    for number in SIGNALS:
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C cancels the main task instead
            loop.add_signal_handler(number, _stop, loop, stopping)
    # What can fail for reasons of the configuration does so before anything is made.
    bound = await _reserved(config)
    try:
        await _open_and_run(config, bound, stopping, ready)
    finally:
        bound.close()
    _log.info("stopped")
    return 0


async def _open_and_run(
    config: Config, bound: Bound, stopping: asyncio.Event, ready: Callable[[str], None]
) -> None:
    async with _opened(config) as (world, store, publisher, token):
        telemetry, answers, supervisor = Telemetry(), Counter[int](), Supervisor()
        pulse = Pulse(world, telemetry)
        heart = Heart(world.clock, pulse.beat)
        renewal = Renewal(bound.tls, config.server.tls_cert, config.server.tls_key)
        sealer = _sealer(config, store, world, publisher)
        web = await asyncio.to_thread(load_web)

        def how() -> dict[str, Any]:
            stats = store.stats()
            told = health(
                world, telemetry, pulse, supervisor, publisher, stats, renewal, stopping.is_set(), sealer
            )
            return {**told, "mark": data_mark(token)}

        app = make_app(
            how,
            telemetry.render,
            lambda sha256: store.read(terrain.content, sha256),
            lambda: About(
                world.row.name,
                worldloom_version(),
                world.gateway.roster.in_sight,
                config.money.name,
                config.money.digits,
                config.money.fee_hundredths,
                config.money.several,
            ),
            config.limits.http_requests_per_s,
            on_answer=lambda status: answers.update((status,)),
            metrics_token=token,
            overlay=lambda region: store.read(overlays.stored, region),
            web=web,
        )
        sockets = SocketSettings(write_buffer_bytes=config.sync.write_buffer_bytes)
        server = GameServer(config.server, world.gateway.accept, world.inbox, app, sockets)
        pull(telemetry, world, store, server, publisher, answers, pulse, heart, supervisor, renewal)
        telemetry.pull("ok", lambda: float(how()["ok"]))
        url = await _listening(server, config, bound)
        async with _running(world, store, telemetry, publisher, heart, supervisor, renewal, sealer):
            # What is there now stays: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            # By default it looks after every 700 new objects, a few hundred times a second in a crowd.
            gc.set_threshold(*COLLECT_AFTER)
            ready(url)
            with contextlib.suppress(asyncio.CancelledError):
                await stopping.wait()
            _log.info("stopping", extra={"people": world.gateway.roster.live})
            server.stop_accepting()
            await world.gateway.close(RETRY_HINT_MS + random.randrange(RETRY_HINT_MS))
            await server.stop(STOP_WITHIN_S / 2)
            await _save_last(world)


async def _reserved(config: Config) -> Bound:
    """Whatever the configuration names is there and may be used; the port is ours.

    Raises:
        WorldloomError: Something is not; the text says what.
    """
    secret_files = [config.server.tls_key, config.access.password_file]
    secret_files += [config.mqtt.password_file] if config.mqtt.enabled else []
    for path in filter(None, secret_files):
        await asyncio.to_thread(read_secret_file, Path(path))
    try:
        return await reserve(config.server)
    except OSError as error:
        raise _not_listening(config, error) from None


def _not_listening(config: Config, error: OSError) -> WorldloomError:
    where = f"{config.server.host}:{config.server.port}"
    return WorldloomError(
        f"expected to listen on {where}, got: {error.strerror or error}; choose another with --host and --port"
    )


async def _listening(server: GameServer, config: Config, bound: Bound) -> str:
    """Begin to listen; the URL.

    Raises:
        WorldloomError: The address was taken meanwhile.
    """
    try:
        host, port = await server.start(bound)
    except OSError as error:
        raise _not_listening(config, error) from None
    scheme = "https" if config.server.tls_cert else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    _log.info("listening on %s", url)
    return url


def _stop(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """The first signal stops in order, the second at once, whichever it is."""
    stopping.set()
    for number in SIGNALS:
        loop.remove_signal_handler(number)
        # Not Python's KeyboardInterrupt: raised within a callback of the loop, it may be swallowed there.
        signal.signal(number, signal.SIG_DFL)


async def _save_last(world: World) -> None:
    try:
        async with asyncio.timeout(STOP_WITHIN_S / 4):
            await world.save_places()
        _log.info("places saved")
    except (StoreUnavailable, TimeoutError) as fault:
        _log.warning("last places could not be saved: %s", fault)


@contextlib.asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[tuple[World, SqlStore, MqttPublisher | None, str]]:
    """A world on its database, who publishes its events, if anybody, and the token of its metrics."""
    data = config.data_path
    had_secrets = (data / SECRETS_FILE).exists()
    secrets = await asyncio.to_thread(open_secrets, data)
    door = Door(config.access.mode, _password(config))
    await asyncio.to_thread(migrate, config.storage_url, data / BACKUPS_FOLDER, secrets_to_keep(data))
    store = await asyncio.to_thread(
        open_store, config.storage_url, config.storage.queue_limit, currency_of(config)
    )
    try:
        opening = worlds.OpenWorld(config.world.name, config.world.seed, unix_ms())
        row = await store.run(worlds.open_world, opening)
        if not had_secrets and row.created_ms < opening.now_ms:
            _log.warning("%s: %s", data / SECRETS_FILE, NEW_SECRETS)
        where = {"data": config.data_path, "database": _database(config.storage_url), "seed": row.seed}
        _log.info("opening world %s", row.name, extra=where)
        publisher = open_publisher(config.mqtt, row, unix_ms())
        publish = publisher.offer if publisher is not None else _tell_nobody
        clock = SystemClock(row.created_ms)
        async with _source(config, row.seed) as source:
            made_of = config.worldgen.generator, row.seed, config.worldgen.weights
            world = World(
                config,
                store,
                row,
                clock,
                publish,
                source=source,
                door=door,
                seal_key=seal_key(secrets),
                stylist=make_stylist(*made_of),
                wisher=make_wisher(*made_of),
            )
            await world.enforcer.open()
            await world.trading.notifier.open()
            await world.gates.open()
            yield world, store, publisher, metrics_token(secrets)
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _source(config: Config, seed: int) -> AsyncIterator[TerrainSource | SourceProcess]:
    """What makes the land, with all that it imports: nothing of it is left to be done once people are here."""
    made_of = config.worldgen.generator, seed, config.worldgen.weights
    if config.worldgen.worker == "process":
        process = SourceProcess(made_of, niceness=config.worldgen.niceness)
        try:
            await process.open()
            yield process
        finally:
            await process.close()
        return
    began = time.monotonic()
    source = await asyncio.to_thread(make_source, *made_of)
    _log.info(
        "the terrain source is ready",
        extra={"source": source.name, "took_s": round(time.monotonic() - began, 1)},
    )
    yield source


def _database(url: str) -> str:
    """Kind and place of a database, without names and passwords."""
    parts = urlsplit(url)
    kind = parts.scheme.partition("+")[0]
    place = parts.path.removeprefix("/") if kind == "sqlite" else f"{parts.hostname or ''}{parts.path}"
    return f"{kind} {place}"


def _password(config: Config) -> str:
    """What newcomers must know, where the door asks for it.

    Raises:
        ConfigError: The file cannot be read, or has none.
    """
    if config.access.mode != "password":
        return ""
    return read_password(Path(config.access.password_file))


def _tell_nobody(event: PublicEvent) -> None:
    """Nothing is published."""


@contextlib.asynccontextmanager
async def _running(
    world: World,
    store: SqlStore,
    telemetry: Telemetry,
    publisher: MqttPublisher | None,
    heart: Heart,
    supervisor: Supervisor,
    renewal: Renewal,
    sealer: Sealer,
) -> AsyncIterator[None]:
    """The tasks of a world, each with a name; one that fails is started again."""
    bodies: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "heart": heart.run,
        "emerge": world.emerge.run,
        "overlays": world.overlays.run,
        "enforcer": world.enforcer.run,
        "notifier": world.trading.notifier.run,
        "sealer": sealer.run,
        "gates": world.gates.run,
        "loop-lag": LoopLag(telemetry).run,
        "sweep": lambda: _every(SWEEP_EVERY_S, _soon(world.gateway.sweep)),
        "forget": lambda: _every(
            FORGET_EVERY_S, _soon(lambda: world.shard.forget_far(world.config.worldgen.memory_regions))
        ),
        "places": lambda: _every(
            world.config.storage.places_every_s, _quietly(world.save_places, "places not saved")
        ),
        "market": lambda: _every(MARKET_EVERY_S, _quietly(world.market.sweep, "the market is not settled")),
        "probe": lambda: _every(PROBE_EVERY_S, lambda: _probe(store)),
        "tls": lambda: _every(RENEW_EVERY_S, lambda: _renew(renewal)),
        "roll-up": lambda: _every(ROLL_UP_EVERY_S, _quietly(world.roll_up, "income is not added up")),
        "tidy": lambda: _every(TIDY_EVERY_S, _quietly(world.tidy, "what ran out is still kept")),
    }
    if publisher is not None:
        bodies["mqtt"] = publisher.run
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(supervisor.keep(name, body), name=name) for name, body in bodies.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _sealer(config: Config, store: SqlStore, world: World, publisher: MqttPublisher | None) -> Sealer:
    """Who seals the land register and publishes its head."""

    def publish(head: SealRow, at_ms: int) -> None:
        if publisher is not None:
            publisher.keep_head(head.number, head.hash, at_ms)

    return Sealer(store, config.data_path / HEAD_FILE, world.row.world_id, publish, unix_ms)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        await act()


async def _probe(store: SqlStore) -> None:
    if store.stats().write_fault:
        with contextlib.suppress(StoreUnavailable):
            await store.probe()


async def _renew(renewal: Renewal) -> None:
    before = renewal.fault
    try:
        if await asyncio.to_thread(renewal.look):
            _log.info("the renewed certificate is in use")
    except ConfigError as fault:
        if renewal.fault != before:
            _log.error("the renewed certificate is not taken up, the one before stays: %s", fault)


def _soon(act: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        act()

    return run


def _quietly(act: Callable[[], Awaitable[None]], what: str) -> Callable[[], Awaitable[None]]:
    """The same, where a database that is away is one line until it is back, not a fault."""
    is_told = False

    async def run() -> None:
        nonlocal is_told
        try:
            await act()
        except StoreUnavailable as fault:
            if not is_told:
                _log.warning("%s, later again: %s", what, fault)
            is_told = True
        else:
            is_told = False

    return run
