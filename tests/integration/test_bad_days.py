"""Bad days: readers that are slow or stop, and land that cannot be made, in a world full of others."""

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from live_server import Live, Player, live_world, served
from raw_ws import eventually
from worldloom.replication.feed import Join, MoveBatch
from worldloom.worldgen.noise import NoiseSource
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.geometry import GROUND_Y
from worldloom_sdk.protocol.tiles import Tile

pytestmark = pytest.mark.slow

BATCHES = count(1)


READERS, STALLED, COME_BACK = 200, 50, 25
SMALL_BUFFER = 4_096
MIDDLE = {"spawn_x_m": 112.0, "spawn_z_m": 112.0}
"""The middle of a cell, so that all who stay within 10 m see the same."""


# ---- many who stop reading


async def walk_about(steps: Iterator[int], players: list[Player], clock: Player, ticks: int) -> None:
    """Every tick half of the players walks; time is what one client is told."""
    until = clock.view.tick + ticks
    for step in steps:
        tick = clock.view.tick
        for number, player in enumerate(players):
            if (number + step) % 2 == 0:
                player.move(112 + number % 20 / 2 - 5, 112 + (step + number) % 20 / 2 - 5)
        await clock.until(lambda tick=tick: clock.view.tick > tick)
        if clock.view.tick >= until:
            return


@pytest.mark.alone
async def test_50_of_200_stop_reading_and_nobody_else_notices(tmp_path: Path) -> None:
    """Half of them come back and see what is; the others are closed with 1013; memory stays bounded."""
    sections = {
        "world": MIDDLE,
        # Longer than those who come back are away, shorter than the others are.
        "sync": {"drain_timeout_s": 4, "write_buffer_bytes": 8_192},
        "session": {"joins_per_s": 10_000},
    }
    async with served(tmp_path / "data", **sections) as world:
        dials = [Player.dial(world.port, receive_buffer=SMALL_BUFFER) for _ in range(STALLED)]
        dials += [Player.dial(world.port) for _ in range(READERS - STALLED)]
        players = await asyncio.gather(*dials)
        await asyncio.gather(*(player.hello() for player in players))
        stalled, others = players[:STALLED], players[STALLED:]
        watcher, clock = others[0], others[1]
        for player in others[2:]:
            player.decodes = False
        steps = itertools.count()
        await walk_about(steps, players, clock, 10)
        before = world.rss_bytes()
        frames, tick = [player.frames for player in others[5:]], clock.view.tick
        for player in stalled:
            player.transport.pause_reading()
        await walk_about(steps, players, clock, 60)
        peak = world.rss_bytes()
        for player in stalled[:COME_BACK]:
            player.transport.resume_reading()
        await walk_about(steps, players, clock, 90)
        passed = clock.view.tick - tick
        for player in stalled[COME_BACK:]:
            player.transport.resume_reading()
        codes = [await player.closed() for player in stalled[COME_BACK:]]
        assert set(codes) == {m.CloseCode.BUSY}
        assert peak - before < 50_000_000
        got = [player.frames - was for player, was in zip(others[5:], frames, strict=True)]
        assert min(got) >= 0.9 * passed
        for player in stalled[:COME_BACK]:
            await player.until(lambda player=player: same_picture(player, watcher))


def same_picture(player: Player, watcher: Player) -> bool:
    return player.view.complete and player.view.state() == watcher.view.state()


# ---- a crowd of bodies that other clients than ours steer


@asynccontextmanager
async def crowd(live: Live, count: int) -> AsyncIterator[Callable[[], None]]:
    """So many bodies near the spawn, walking every tick, as another gateway would steer them; call to stand still."""
    avatars = np.arange(1_000_000, 1_000_000 + count)
    spawn = live.world.config.world
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    home = np.stack([spawn.spawn_x_m + 9 * np.cos(angle), spawn.spawn_z_m + 9 * np.sin(angle)])
    joins = tuple(Join(int(a), int(x * 64), int(z * 64), 0) for a, x, z in zip(avatars, *home, strict=True))
    live.world.shard.receive(
        MoveBatch(7, 1, next(BATCHES), np.empty(0, np.int64), np.empty((6, 0), np.int64), 1, joins)
    )
    walking = True

    async def walk() -> None:
        for step in itertools.count(1):
            if walking:
                x, z = np.rint((home + 0.3 * np.array([[step % 4], [step % 3]])) * 64).astype(np.int64)
                still = np.zeros(count, np.int64)
                moves = np.stack([still + step, x, z, still + GROUND_Y, still + step % 256, still + 1])
                live.world.shard.receive(MoveBatch(7, 1, next(BATCHES), avatars, moves, 2, ()))
            await live.ticks(1)

    def stand_still() -> None:
        nonlocal walking
        walking = False

    walker = asyncio.create_task(walk())
    try:
        yield stand_still
    finally:
        walker.cancel()
        with suppress(asyncio.CancelledError):
            await walker


class Straw(asyncio.Transport):
    """A client's end that reads so many bytes a tick and no more."""

    def __init__(self, player: Player, raw: socket.socket) -> None:
        super().__init__()
        self._player, self._raw = player, raw
        player.connection_made(self)

    def write(self, data: bytes) -> None:
        self._raw.send(data)

    def sip(self, size: int) -> None:
        """Read at most so many bytes."""
        with suppress(BlockingIOError):
            data = self._raw.recv(size)
            if data:
                self._player.data_received(data)
            else:
                self._player.connection_lost(None)


@asynccontextmanager
async def sipping(live: Live, size: int) -> AsyncIterator[Player]:
    """A client that reads ``size`` bytes a tick, in the world."""
    opened = await live.dial(receive_buffer=SMALL_BUFFER)
    opened.transport.pause_reading()
    player = Player()
    player.upgraded = True
    with opened.transport.get_extra_info("socket").dup() as raw:
        straw = Straw(player, raw)

        async def sip() -> None:
            while not player.gone:
                straw.sip(size)
                await live.ticks(1)

        sips = asyncio.create_task(sip())
        await player.hello()
        yield player
        sips.cancel()
        await asyncio.gather(sips, return_exceptions=True)


async def test_a_reader_of_20_kb_a_second_stays_thin_and_right(tmp_path: Path) -> None:
    buffers = {"write_buffer_bytes": 8_192}
    async with (
        live_world(tmp_path, world=MIDDLE, sync=buffers) as live,
        crowd(live, 450) as stand_still,
        sipping(live, 1_000) as player,
    ):
        neighbour = await live.join()
        seat = live.world.gateway.roster.find(player.you).seat
        await player.until(lambda: seat.thin, 20)
        tick, bytes_before = live.world.shard._seq, player.bytes
        frames = len(neighbour.all_of(m.Frame))
        await live.ticks(40)
        passed = live.world.shard._seq - tick
        assert not player.gone
        assert player.bytes - bytes_before > 0.5 * 16_000 * passed / 20
        assert len(neighbour.all_of(m.Frame)) - frames >= passed - 2
        stand_still()
        await player.until(lambda: player.view.complete and player.view.state() == live.truth(player))
        await live.agrees(neighbour)


async def test_who_reads_nothing_costs_no_more_than_a_buffer_and_is_closed(tmp_path: Path) -> None:
    limits = {"drain_timeout_s": 1.0, "write_buffer_bytes": 16_384}
    async with live_world(tmp_path, world=MIDDLE, sync=limits) as live, crowd(live, 300):
        neighbour = await live.join()
        stalled = await live.join(options={"receive_buffer": SMALL_BUFFER})
        session = live.world.gateway.roster.find(stalled.you)
        stalled.transport.pause_reading()
        await eventually(lambda: session.seat.paused)
        neighbour.send(m.Signal(1, stalled.you, "g", bytes(1000)))
        most = 0
        while session.socket.is_open:
            most = max(most, session.socket.unsent_bytes)
            await live.ticks(1)
        assert most < 16_384 + 64_000
        stalled.transport.resume_reading()
        assert await stalled.closed() == m.CloseCode.BUSY
        assert not neighbour.gone


async def test_who_asks_and_reads_no_answers_is_dropped_before_they_pile_up(tmp_path: Path) -> None:
    limits = {"commands_per_s": 100_000}
    async with live_world(tmp_path, limits=limits, sync={"write_buffer_bytes": 4_096}) as live:
        witness = await live.join()
        stalled = await live.join(options={"receive_buffer": SMALL_BUFFER})
        session = live.world.gateway.roster.find(stalled.you)
        stalled.transport.pause_reading()
        nobody, most = 1, 0
        while session.socket is not None:
            for number in range(64):
                stalled.send(m.Signal(number, nobody, "g", b""))
            await live.ticks(1)
            most = max(most, session.socket.unsent_bytes if session.socket is not None else 0)
        assert 4_096 < most <= 5 * 4_096
        await witness.ping()


async def test_a_paused_client_that_comes_back_sees_what_is(tmp_path: Path) -> None:
    limits = {"write_buffer_bytes": 4_096}
    async with live_world(tmp_path, world=MIDDLE, sync=limits) as live, crowd(live, 200) as stand_still:
        stalled = await live.join(options={"receive_buffer": SMALL_BUFFER})
        session = live.world.gateway.roster.find(stalled.you)
        for _ in range(3):
            stalled.transport.pause_reading()
            await eventually(lambda: session.seat.paused)
            stalled.transport.resume_reading()
            await eventually(lambda: not session.seat.paused)
        assert session.seat.thin
        stand_still()
        await stalled.until(lambda: stalled.view.complete and stalled.view.state() == live.truth(stalled))


async def test_who_resumes_while_paused_gets_the_whole_picture(tmp_path: Path) -> None:
    limits = {"write_buffer_bytes": 4_096}
    async with live_world(tmp_path, world=MIDDLE, sync=limits) as live, crowd(live, 200) as stand_still:
        stalled = await live.join(options={"receive_buffer": SMALL_BUFFER})
        session = live.world.gateway.roster.find(stalled.you)
        stalled.transport.pause_reading()
        await eventually(lambda: session.seat.paused)
        again = await live.join(resume=stalled.welcome.resume)
        assert again.welcome.resumed is True
        stand_still()
        await live.agrees(again)
        assert not live.world.gateway.pressure._paused


# ---- land that cannot be made


class Faulty:
    """A source that does what it is told, but for the middle."""

    name = "faulty"

    def __init__(self, fault: Callable[[int, int], Tile]) -> None:
        self._fault, self._noise = fault, NoiseSource(7)

    def generate(self, rx: int, rz: int) -> Tile:
        return self._noise.generate(rx, rz) if (rx, rz) == (0, 0) else self._fault(rx, rz)


def raises(rx: int, rz: int) -> Tile:
    raise RuntimeError(f"no land at {rx}, {rz}")


def returns_nan(rx: int, rz: int) -> Tile:
    whole = NoiseSource(7).generate(rx, rz)
    heights = whole.heights.astype(np.float64)
    heights[5, 5] = np.nan
    return Tile(rx, rz, heights, whole.surface, whole.things, whole.version, whole.provenance)


def returns_a_wrong_shape(rx: int, rz: int) -> Tile:
    whole = NoiseSource(7).generate(rx, rz)
    return Tile(rx, rz, whole.heights[:128], whole.surface, whole.things, whole.version, whole.provenance)


def returns_nothing(rx: int, rz: int) -> Tile:
    return None  # type: ignore[return-value]


def returns_another_region(rx: int, rz: int) -> Tile:
    return NoiseSource(7).generate(rx + 1, rz)


FAULTS = [raises, returns_nan, returns_a_wrong_shape, returns_nothing, returns_another_region]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_faulty_land_falls_back_and_costs_no_tick(tmp_path: Path, fault: Callable) -> None:
    async with live_world(tmp_path, Faulty(fault)) as live:
        player = await live.join()
        await nine_regions(live, player)
        told = {(r.rx, r.rz): r.source for r in player.all_of(m.Region) if r.sha256}
        assert told.pop((0, 0)) == "faulty"
        assert set(told.values()) == {"fallback"}
        player.move(128, 30)
        await eventually(lambda: live.where(player.you) == (128, 30))
        for x, z in ((128, -20), (110, -30)):
            while live.where(player.you) != (x, z):
                player.move(x, z)
                await live.ticks(1)
    assert any("fallback fills in" in text for text in live.warnings)


async def nine_regions(live: Live, player: Player) -> None:
    """Wait until the land around the middle is known to a player."""
    await player.until(lambda: len({(r.rx, r.rz) for r in player.all_of(m.Region) if r.sha256}) == 9)
    assert all((rx, rz) in live.world.land for rx in (-1, 0, 1) for rz in (-1, 0, 1))


async def test_land_that_never_comes_falls_back_and_ticks_go_on(tmp_path: Path) -> None:
    gate = threading.Event()

    def hangs(rx: int, rz: int) -> Tile:
        gate.wait(60)
        raise RuntimeError("too late")

    try:
        async with live_world(tmp_path, Faulty(hangs), worldgen={"deadline_s": 0.3}) as live:
            player, watcher = await live.join(), await live.join()
            latest = 0.0
            step = 0
            while len({r.sha256 for r in player.all_of(m.Region) if r.sha256}) < 9:
                began, seq = time.monotonic(), live.world.shard._seq
                step += 1
                player.move(120 + step % 2, 120)
                await live.ticks(1)
                latest = max(latest, (time.monotonic() - began) / (live.world.shard._seq - seq))
            await watcher.sees_at(player.you, 120 + step % 2, 120)
            assert latest < 0.15
            assert live.world.emerge.stats().abandoned == 2
            assert live.world.emerge.stats().source_retired
    finally:
        gate.set()
    assert any("hung" in text for text in live.warnings)
