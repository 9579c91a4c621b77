"""A server that is stopped, and one that is killed in the midst of it: what was seen stays as it was."""

import asyncio
import math
import signal
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from live_server import Player, Served, served
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.tiles import decode_tile, tile_sha256

pytestmark = pytest.mark.slow

WORLDS, KILLS = 2, 10
PLACES_EVERY_S = 1.0
LATENCY_S = 1.0
STEP_M = 4.5
LONG_S, SHORT_S = 2.5, 0.3


def rows(data: Path, query: str) -> list[tuple]:
    database = sqlite3.connect(data / "world.db")
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


# ---- stopping in order


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_a_stopped_server_says_goodbye_saves_and_exits_with_0(tmp_path: Path, number: int) -> None:
    data = tmp_path / "data"
    async with served(data) as world:
        players = [await world.join(f"Resident {letter}", keep=True) for letter in "abcd"]
        watcher, guest = await world.join(), await Player.dial(world.port)
        for n, player in enumerate(players):
            player.move(100 + n, 110)
            await watcher.sees_at(player.you, 100 + n, 110)
        began = time.monotonic()
        world.process.send_signal(number)
        for player in [*players, watcher]:
            assert await player.closed() == m.CloseCode.RESTART
            goodbye = player.received[-1]
            assert isinstance(goodbye, m.Goodbye)
            assert (goodbye.code, goodbye.retry_after_ms >= 1_000) == ("restart", True)
        assert await guest.closed() == m.CloseCode.RESTART
        assert await world.ended() == 0
        assert time.monotonic() - began < 10
        log = world.log.read_text()
        assert "Traceback" not in log
        assert not [player.welcome.token for player in players if player.welcome.token in log]
    found = {
        name: (x / 64, z / 64) for name, x, z in rows(data, "SELECT name, place_x, place_z FROM account")
    }
    assert found == {f"Resident {letter}": (100 + n, 110) for n, letter in enumerate("abcd")}


async def test_clients_that_do_not_answer_hold_up_no_stop(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as world:
        silent, stalled = await Player.dial(world.port), await world.join()
        silent.transport.pause_reading()
        stalled.transport.pause_reading()
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
        began = time.monotonic()
        world.interrupt()
        assert await world.ended() == 0
        assert time.monotonic() - began < 10
        await reader.read()
        writer.close()


async def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as world:
        stalled, witness = await world.join(), await world.join()
        stalled.transport.pause_reading()
        world.interrupt()
        await witness.until(lambda: witness.close_code)
        began = time.monotonic()
        world.interrupt()
        await world.ended()
        assert time.monotonic() - began < 2


# ---- killed


@dataclass
class Walker:
    """An account that walks away from the middle, and where it was when."""

    angle: float
    token: str | None = None
    avatar: int = 0
    player: Player = None  # type: ignore[assignment]
    at: tuple[float, float] = (0.0, 0.0)
    trail: list[tuple[float, tuple[float, float]]] = field(default_factory=list)
    """When it came to each place."""

    async def come(self, world: Served, name: str) -> m.Welcome:
        self.player = await Player.dial(world.port)
        welcome = await self.player.hello("" if self.token else name, token=self.token, keep=not self.token)
        self.token, self.avatar = welcome.token or self.token, welcome.you
        self.at = (welcome.x / 64, welcome.z / 64)
        self.trail = [(time.monotonic(), self.at)]
        return welcome

    def step(self) -> None:
        """Go on, or go on from where one was set back to."""
        corrections = self.player.all_of(m.Correction)
        if corrections:
            self.at = (corrections[-1].x / 64, corrections[-1].z / 64)
            self.player.received.clear()
        x = round((self.at[0] + STEP_M * math.cos(self.angle)) * 64) / 64
        z = round((self.at[1] + STEP_M * math.sin(self.angle)) * 64) / 64
        self.at = (x, z)
        self.player.move(x, z)
        self.trail.append((time.monotonic(), self.at))

    def was_at(self, since: float) -> set[tuple[float, float]]:
        """The places where it was at ``since`` or later."""
        left = [*(when for when, _ in self.trail[1:]), math.inf][: len(self.trail)]
        return {place for (_, place), until in zip(self.trail, left, strict=True) if until >= since}


class Land:
    """What was ever seen of the land."""

    def __init__(self) -> None:
        self.seen: dict[tuple[int, int], str] = {}
        self.checked: set[tuple[int, int]] = set()

    def note(self, player: Player) -> None:
        for region in player.all_of(m.Region):
            if region.sha256:
                assert self.seen.setdefault((region.rx, region.rz), region.sha256) == region.sha256

    def check(self, data: Path) -> None:
        """The database is whole, and has every region as it was seen."""
        assert rows(data, "PRAGMA integrity_check") == [("ok",)]
        assert rows(data, "PRAGMA foreign_key_check") == []
        stored = rows(data, "SELECT rx, rz, tile.sha256, data FROM tile JOIN content USING (sha256)")
        for rx, rz, sha256, tile in stored:
            assert self.seen.setdefault((rx, rz), sha256) == sha256
            if (rx, rz) not in self.checked:
                self.checked.add((rx, rz))
                decoded = decode_tile(tile)
                assert (decoded.rx, decoded.rz, tile_sha256(tile)) == (rx, rz, sha256)
        assert {(rx, rz) for rx, rz, *_ in stored} == set(self.seen)


async def walk_until_killed(world: Served, walkers: list[Walker], land: Land, after_s: float) -> float:
    """Walk on and kill the server in the midst of it; when that was."""
    loop = asyncio.get_running_loop()
    dying: asyncio.Future[float] = loop.create_future()

    def kill() -> None:
        world.process.kill()
        dying.set_result(time.monotonic())

    loop.call_later(after_s, kill)
    while not (await asyncio.wait([dying], timeout=0.05))[0]:
        for walker in walkers:
            land.note(walker.player)
            walker.step()
    for walker in walkers:
        await walker.player.closed()
        land.note(walker.player)
    await world.ended()
    return dying.result()


@pytest.mark.parametrize("world_number", range(WORLDS))
async def test_killed_10_times_while_walking_and_emerging_it_comes_back_whole(
    tmp_path: Path, world_number: int
) -> None:
    data, land = tmp_path / "data", Land()
    walkers = [Walker(angle + world_number / 2) for angle in (0.3, 1.8, 3.4, 5.0)]
    killed_at, slowest = -math.inf, 0.0
    for round_number in range(KILLS):
        async with served(data, storage={"places_every_s": PLACES_EVERY_S}) as world:
            slowest = max(slowest, world.spent_s())
            for walker, letter in zip(walkers, "abcd", strict=True):
                trail = walker.was_at(killed_at - PLACES_EVERY_S - LATENCY_S)
                avatar = walker.avatar
                await walker.come(world, f"Walker {letter}")
                assert walker.avatar == avatar or round_number == 0
                assert walker.at in trail or round_number == 0
            after_s = LONG_S if round_number % 3 == 2 else SHORT_S * (1 + round_number % 3 / 2)
            killed_at = await walk_until_killed(world, walkers, land, after_s)
        land.check(data)
    # On the clock it is timed where nothing runs beside it, in test_trade_killed.
    assert 0 < slowest < 5
    assert len(land.seen) > 25
