"""Running into the unmade: shard and emerge queue together, in world time, with land that takes time to make."""

import asyncio
import math
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest

from worldloom.config import WorldgenConfig
from worldloom.ports import TerrainSource, TileRow
from worldloom.replication.feed import Join, MoveBatch
from worldloom.shard.simulation import Shard
from worldloom.world.terrain import TerrainTable
from worldloom.worldgen.emerge import EmergeQueue
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.outcome import Emerged, EmergeOutcome
from worldloom_sdk import Bot
from worldloom_sdk.protocol.geometry import GROUND_Y
from worldloom_sdk.protocol.messages import CorrectionReason
from worldloom_sdk.protocol.tiles import Tile
from worldloom_sdk.testing import World
from worldloom_sdk.testing.land import Meadow

TICKS_PER_S = 20


class SlowSource:
    """Another source, each of whose regions takes so many ticks of the world.

    Its thread waits until the ticking test lets it go on; so no real time is spent, and none is saved.
    """

    name = "slow"

    def __init__(self, source: TerrainSource, ticks: int, at_work: Callable[[], object]) -> None:
        self._source, self._ticks, self._at_work = source, ticks, at_work
        self._go_on = threading.Semaphore(0)
        self._since: int | None = None
        self.waits = False

    def generate(self, rx: int, rz: int) -> Tile:
        self.waits = True
        self._at_work()
        assert self._go_on.acquire(timeout=60)
        return self._source.generate(rx, rz)

    def let_go_on(self, tick: int) -> bool:
        """Whether a region has waited long enough, and is made now."""
        self._since = tick if self._since is None and self.waits else self._since
        done = self._since is not None and tick - self._since >= self._ticks
        if done:
            self._since, self.waits = None, False
            self._go_on.release()
        return done

    def stop(self) -> None:
        self._go_on.release(1_000)


class Plain:
    """A shard, a queue, and people who run."""

    def __init__(self, source: TerrainSource, ticks: int, **limits: float) -> None:
        loop = asyncio.get_running_loop()
        self.source = SlowSource(source, ticks, lambda: loop.call_soon_threadsafe(self._changed.set))
        config = WorldgenConfig(**({"deadline_s": 600.0} | limits))
        self.rows: dict[tuple[int, int], TileRow] = {}
        self.queue = EmergeQueue(self._load, self._save, self.source, source, config, self)
        self.queue.on_emerged.append(self._emerged)
        self.land = TerrainTable()
        forget = self.queue.forget
        self.shard = Shard(self.land, 768, 320, lambda frame: None, self._want, forget=forget)
        self.tick, self.seq, self.batch = 1_000, 0, 0
        self.unwoven = self.most_queued = 0
        self._announced, self._changed = asyncio.Event(), asyncio.Event()

    def monotonic(self) -> float:
        return self.tick / TICKS_PER_S

    def world_ms(self) -> int:
        return self.tick * 50

    async def _load(self, rx: int, rz: int) -> TileRow | None:
        return self.rows.get((rx, rz))

    async def _save(self, row: TileRow) -> TileRow:
        return self.rows.setdefault((row.rx, row.rz), row)

    def _want(self, rx: int, rz: int, away_s: float, asker: int) -> None:
        if self.queue.want(rx, rz, away_s, asker):
            self.shard.weaving(rx, rz)

    def _emerged(self, emerged: Emerged) -> None:
        self._announced.set()
        self._changed.set()
        if emerged.tile is None:
            self.shard.unweave(emerged.rx, emerged.rz)
        elif (emerged.rx, emerged.rz) not in self.land:
            self.shard.add_region(emerged.rx, emerged.rz, emerged.tile.heights, emerged.sha256, "")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.queue.run())
        try:
            yield
        finally:
            self.source.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def join(self, people: int) -> None:
        joins = tuple(Join(avatar, 0, 0, 0) for avatar in range(1, people + 1))
        self._receive(np.empty((7, 0), np.int64), joins)

    def _receive(self, moves: np.ndarray, joins: tuple[Join, ...] = ()) -> None:
        self.batch += 1
        self.shard.receive(MoveBatch(1, 1, self.batch, moves[0], moves[1:], 1 if joins else 2, joins))

    def move(self, x_m: list[float], z_m: list[float]) -> None:
        """Everybody's next place, in metres."""
        self.seq += 1
        n = len(x_m)
        x, z = (np.rint(np.array(at) * 64).astype(np.int64) for at in (x_m, z_m))
        same = [np.full(n, value) for value in (GROUND_Y, 0, 2)]
        self._receive(np.stack([np.arange(1, n + 1), np.full(n, self.seq), x, z, *same]))

    async def pass_tick(self) -> None:
        self.tick += 1
        frame = self.shard.tick(self.tick)
        self.unwoven += int((frame.corrections[:, -1] == CorrectionReason.UNWOVEN).sum())
        await self._settle()
        if self.source.let_go_on(self.tick):
            self._announced.clear()
            await asyncio.wait_for(self._announced.wait(), 60)
            await self._settle()
        self.most_queued = max(self.most_queued, self.queue.stats().queued)

    async def _settle(self) -> None:
        """Until the source is at work, or nothing is left to do."""
        await asyncio.sleep(0)
        while not self.source.waits and self.queue.stats().queued + self.queue.stats().in_work:
            await asyncio.wait_for(self._changed.wait(), 60)
            self._changed.clear()

    async def run(self, people: int, minutes: float, speed: float) -> None:
        """People run from the spawn, each in a direction of its own, straight on; but first they look around."""
        angles = [math.tau * (k + 0.3) / people for k in range(people)]
        for _ in range(10 * TICKS_PER_S):
            await self.pass_tick()
        for tick in range(round(minutes * 60 * TICKS_PER_S)):
            far = speed * (tick + 1) / TICKS_PER_S
            self.move([far * math.cos(a) for a in angles], [far * math.sin(a) for a in angles])
            await self.pass_tick()


@pytest.mark.slow
async def test_twenty_who_run_for_ten_minutes_never_come_to_unmade_land_that_takes_0_3_s_a_region():
    plain = Plain(Meadow(), ticks=6)
    async with plain.running():
        plain.join(20)
        await plain.run(people=20, minutes=10, speed=8.0)
        t = plain.shard.avatars
        rows = t.rows(np.arange(1, 21))
        assert np.hypot(t.x[rows], t.z[rows]).min() / 64 == pytest.approx(4_800, abs=1)
    assert plain.unwoven == 0
    assert plain.queue.stats().refused == 0


@pytest.mark.slow
async def test_who_runs_over_the_servers_own_land_never_comes_to_its_end():
    plain = Plain(NoiseSource(1), ticks=1)
    async with plain.running():
        plain.join(6)
        await plain.run(people=6, minutes=1.5, speed=8.0)
    assert plain.unwoven == 0


@pytest.mark.slow
async def test_people_who_turn_around_all_the_time_do_not_fill_the_queue():
    """With land that is never made, so that all that was ever asked for would wait."""
    plain = Plain(Meadow(), ticks=1)
    lot = random.Random(5)
    async with plain.running():
        plain.join(10)
        for _ in range(12 * TICKS_PER_S):
            await plain.pass_tick()
        plain.source.let_go_on = lambda tick: False
        x, z = [0.0] * 10, [0.0] * 10
        for _ in range(120):
            ways = [lot.uniform(0, math.tau) for _ in x]
            for _ in range(TICKS_PER_S):
                x = [min(200, max(-200, at + 0.55 * math.cos(w))) for at, w in zip(x, ways, strict=True)]
                z = [min(200, max(-200, at + 0.55 * math.sin(w))) for at, w in zip(z, ways, strict=True)]
                plain.move(x, z)
                await plain.pass_tick()
        stats = plain.queue.stats()
    assert stats.outcomes[EmergeOutcome.CANCELLED] > 10, "ways that were left are forgotten"
    assert plain.most_queued <= 16 + 2 * 10, "the ring around the spawn's four regions, and the ways of ten"


@pytest.mark.slow
async def test_in_a_whole_world_ways_are_woven_ahead_and_forgotten_when_they_are_left():
    async with World(land="flat", config={"worldgen.ahead_s": 75.0}) as world:
        bots = [await world.bot(name, at=(128.0, 128.0)) for name in ("Ada", "Bob", "Cleo", "Dora", "Emil")]
        first, *others = bots
        emerge = world.node.emerge

        async def walk(ways: list[tuple[Bot, float, float]], seconds: float) -> None:
            walks = [asyncio.ensure_future(bot.walk_to(x, z, speed=8.0)) for bot, x, z in ways]
            await world.run(seconds)
            for one in walks:
                one.cancel()
            await asyncio.gather(*walks, return_exceptions=True)

        await walk([(first, 700.0, 128.0)], 4.0)
        assert (2, 0) in world.node.land, "two borders on, beyond the nine around"
        world.keep_land_back()
        goals = (-450.0, 128.0), (128.0, 700.0), (128.0, -450.0), (-450.0, -450.0)
        await walk([(bot, *goal) for bot, goal in zip(others, goals, strict=True)], 4.0)
        wished = emerge.stats()
        assert wished.in_work == 2
        assert wished.queued >= 2
        await world.run(3.0)
        assert emerge.stats().queued == 0
        assert emerge.stats().outcomes[EmergeOutcome.CANCELLED] == wished.queued
