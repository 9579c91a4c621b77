"""A world: the parts of one node put together by hand, without time and sockets.

A test, or the SDK's testing kit, holds its clock in hand; ``node.serve`` gives it sockets and a heartbeat.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from worldloom.app.announce import Announcer
from worldloom.app.clock import unix_ms
from worldloom.app.gates import Gates
from worldloom.app.market import MarketSweep
from worldloom.app.overlays import Overlays
from worldloom.app.trading import Trading, rules_of
from worldloom.config import Config
from worldloom.errors import StoreUnavailable
from worldloom.gateway.commands import Slow
from worldloom.gateway.desk import Desk
from worldloom.gateway.door import Door
from worldloom.gateway.earthworks import Earthworks
from worldloom.gateway.enforcer import Enforcer
from worldloom.gateway.entrance import Entrance
from worldloom.gateway.gateway import Gateway
from worldloom.gateway.inbox import MoveInbox
from worldloom.gateway.links import Links
from worldloom.gateway.rules import Rules
from worldloom.gateway.times import Times
from worldloom.ports import (
    Clock,
    Misfit,
    PlaceRow,
    PublicEvent,
    Store,
    StyleRow,
    Styles,
    Stylist,
    TerrainSource,
    TileRow,
    Wisher,
    WorldRow,
)
from worldloom.replication.fanout import FanOut
from worldloom.replication.uplink import Uplink
from worldloom.services import accounts, money, notices, places, styles, terrain, tidying
from worldloom.shard.simulation import Shard
from worldloom.world.lookahead import Lookahead
from worldloom.world.terrain import TerrainTable
from worldloom.worldgen.emerge import EmergeQueue
from worldloom.worldgen.process import SourceProcess
from worldloom.worldgen.sources import make_source
from worldloom_sdk.protocol.geometry import to_units

__all__ = ["World"]

WISHES = 512
"""Regions asked for in one go, at most: the queue's order must not hold up a tick."""
PLACES_AT_ONCE = 256
"""Rows of one transaction: the writer's thread must not hold the interpreter for long."""


class World:
    """Shard, gateway, land and store of one node, joined within the process.

    Args:
        config: The configuration.
        store: Where everything durable is.
        row: The world's row.
        clock: Time.
        publish: Takes public events, without waiting.
        source: Makes the land; noise by default.
        stylist: Says what regions are to be like, if the source follows styles.
        door: To whom the world is open; everybody by default.
        seal_key: Seals reports.
        unix_ms: Unix time, for what lasts; the system's by default.
        wisher: Makes styles of words, if the source follows styles.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        row: WorldRow,
        clock: Clock,
        publish: Callable[[PublicEvent], None] = lambda event: None,
        source: TerrainSource | SourceProcess | None = None,
        door: Door | None = None,
        seal_key: bytes = b"",
        unix_ms: Callable[[], int] = unix_ms,
        stylist: Stylist | None = None,
        wisher: Wisher | None = None,
    ) -> None:
        self.config, self.store, self.row, self.clock = config, store, row, clock
        self._unix_ms = unix_ms
        self.land = TerrainTable()
        self.emerge = self._emerging(source, stylist)
        announcer = Announcer(publish, self._layer_of, unix_ms)
        rules = Rules.of(config, row)
        times = Times(clock.monotonic, clock.world_ms, unix_ms)
        self.fanout = FanOut(config.sync.view_cells, config.sync.bytes_per_second_per_client)
        self.inbox = MoveInbox()
        self.shard = self._simulating(rules)
        self.gates = Gates(store, self.shard, unix_ms)
        self.overlays = Overlays(store, self.shard, self.gates.load)
        self.emerge.on_emerged += [self.overlays.emerged, announcer.emerged]
        self.uplink = Uplink(
            1,
            1,
            self.shard.receive,
            lambda f: self.gateway.take_frame(f),
            lambda s: self.gateway.take_snapshot(s),
        )
        self.gateway = Gateway(rules, self.inbox, self.fanout, self.uplink, times, announcer.session)
        self.gateway.attendance.write = lambda row: store.run(accounts.note_seen, [row])
        self.gateway.entrance = Entrance(
            store,
            self.gateway.roster,
            config.session,
            door or Door(),
            self._spawn,
            self._land_ready,
            times,
            config.money,
            Links(config.access.links, self._is_woven, self._land_ready, clock.monotonic),
        )
        self.enforcer = self.gateway.enforcer = Enforcer(
            store, self.gateway.roster, self.gateway.bouncer, unix_ms
        )
        self.trading = Trading(store, self.gateway, rules_of(config), unix_ms, wisher, self.gates.poke)
        self.gateway.commands.slow.update(self._slow_commands(times, seal_key))
        self.market = MarketSweep(store, unix_ms)
        self._saving = asyncio.Lock()
        self._saved: dict[int, tuple[int, int, int, int]] = {}

    def _simulating(self, rules: Rules) -> Shard:
        """The shard, with the way to who is told of its ticks."""
        settings = self.config.worldgen
        return Shard(
            self.land,
            rules.speed,
            rules.climb,
            lambda message: self.uplink.receive(message),
            self._want,
            forget=self.emerge.forget,
            ahead=Lookahead(settings.ahead_s, min(WISHES, settings.queue_limit)),
            view_cells=self.config.sync.view_cells,
        )

    def _emerging(self, source: TerrainSource | SourceProcess | None, stylist: Stylist | None) -> EmergeQueue:
        """The queue that makes regions available, over the store."""
        noise = make_source("noise", self.row.seed)
        return EmergeQueue(
            self._load_tile,
            self._save_tile,
            source or noise,
            noise,
            self.config.worldgen,
            self.clock,
            stylist=stylist,
            commit=self._commit_styles,
        )

    def _slow_commands(self, times: Times, seal_key: bytes) -> dict[type, Slow]:
        """Handlers of the commands that ask the store."""
        gateway, store = self.gateway, self.store
        here = gateway.roster, gateway.shuns, gateway.looks, gateway.evidence
        desk = Desk(store, *here, self.enforcer, times, seal_key)
        earthworks = Earthworks(store, self.overlays.edited, self.overlays.doubt, times.unix_ms)
        return {**desk.handlers, **earthworks.handlers, **self.trading.counter.handlers}

    def tick(self, tick: int) -> None:
        """One tick: moves up, step, everybody's share down."""
        self.gateway.collect(tick)
        self.shard.tick(tick, self._unix_ms())

    async def save_places(self) -> None:
        """Write down where accounts are, those that moved since the last time, and who came or left.

        Raises:
            StoreUnavailable: Not now; nothing is forgotten, the next time writes them.
        """
        async with self._saving:
            await self._save_places()
            await self._save_seen()

    async def tidy(self) -> None:
        """Delete what ran out long ago.

        Raises:
            StoreUnavailable: Another time.
        """
        while await self.store.run(tidying.tidy, unix_ms()) >= tidying.ROWS_MAX:
            pass
        while await self.store.run(notices.tidy, unix_ms()) >= notices.TIDIED_AT_ONCE:
            pass

    async def roll_up(self) -> None:
        """Add up what rests for the purses of mint and treasury.

        Raises:
            StoreUnavailable: Another time.
        """
        while await self.store.run(money.roll_up, None) >= money.FOLD_MAX:
            pass

    async def _save_seen(self) -> None:
        attendance = self.gateway.attendance
        seen, attendance.rows = attendance.rows, {}
        rows = list(seen.values())
        try:
            for start in range(0, len(rows), PLACES_AT_ONCE):
                await self.store.run(accounts.note_seen, rows[start : start + PLACES_AT_ONCE])
        except (StoreUnavailable, asyncio.CancelledError):
            attendance.rows = {**seen, **attendance.rows}
            raise

    async def _save_places(self) -> None:
        now = self.gateway.places()
        moved = {account: place for account, place in now.items() if self._saved.get(account) != place}
        if not moved:
            return
        rows = [PlaceRow(account, x, z, y, yaw) for account, (x, z, y, yaw) in moved.items()]
        try:
            for start in range(0, len(rows), PLACES_AT_ONCE):
                await self.store.run(places.save, rows[start : start + PLACES_AT_ONCE])
        except (StoreUnavailable, asyncio.CancelledError):
            self.gateway.departed.update({a: p for a, p in moved.items() if a not in self.gateway.departed})
            raise
        self._saved = {
            account: place for account, place in now.items() if account in self._saved or account in moved
        }

    def _want(self, rx: int, rz: int, away_s: float, asker: int) -> None:
        if self.emerge.want(rx, rz, away_s, asker):
            self.shard.weaving(rx, rz)

    def _layer_of(self, avatar: int) -> int | None:
        mirror = self.fanout.mirror
        key = mirror.keys[mirror.where.get(avatar, (0, 0))[0]]
        return key[2] if key is not None else None

    async def _land_ready(self, rx: int, rz: int) -> bool:
        if (rx, rz) not in self.land:
            emerged = await self.emerge.get(rx, rz)
            with suppress(StoreUnavailable):
                await self.overlays.hold([emerged])
        return (rx, rz) in self.land

    async def _is_woven(self, rx: int, rz: int) -> bool:
        return (rx, rz) in self.land or await self.store.read(terrain.is_woven, (rx, rz))

    async def _load_tile(self, rx: int, rz: int) -> TileRow | None:
        return await self.store.read(terrain.load, (rx, rz))

    async def _save_tile(self, row: TileRow) -> TileRow | Misfit:
        return await self.store.run(terrain.store, terrain.StoreTile(row, unix_ms()))

    async def _commit_styles(self, rx: int, rz: int, own: Styles) -> Styles:
        known = {
            (row.rx - rx, row.rz - rz): row.style for row in await self.store.read(styles.around, (rx, rz))
        }
        new = [StyleRow(rx + dx, rz + dz, style) for (dx, dz), style in own.items() if (dx, dz) not in known]
        if not new:
            return known
        rows = await self.store.run(styles.commit, styles.CommitStyles(rx, rz, new, unix_ms()))
        return {(row.rx - rx, row.rz - rz): row.style for row in rows}

    def _spawn(self) -> tuple[int, int]:
        """A place in the spawn circle, in units."""
        radius = self.config.world.spawn_radius_m
        while True:
            dx, dz = random.uniform(-radius, radius), random.uniform(-radius, radius)
            if dx * dx + dz * dz <= radius * radius:
                return to_units(self.config.world.spawn_x_m + dx, self.config.world.spawn_z_m + dz)
