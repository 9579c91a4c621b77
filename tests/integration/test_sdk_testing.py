"""The test kit: bots in a real world within the process, time in hand."""

import asyncio
import logging
import random
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from worldloom_sdk import (
    AvatarEntered,
    AvatarLeft,
    Blocked,
    Bot,
    ConnectionClosed,
    Corrected,
    CorrectionReason,
    Joined,
    Refused,
    Resumed,
    Spoke,
    TimedOut,
    WorldloomError,
)
from worldloom_sdk.examples import crowd, follower, greeter
from worldloom_sdk.protocol.messages import CloseCode
from worldloom_sdk.testing import Meadow, World

pytestmark = pytest.mark.slow

RIM_M = 32_768 * 256
"""The end of the world."""


@pytest.fixture(autouse=True)
def quiet_log(caplog):
    """Nothing in these worlds is worth a warning, unless a test says so by clearing the log."""
    caplog.set_level(logging.WARNING)
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.fixture
async def world():
    async with World(land="flat") as world:
        yield world


def heard_by(bot, kind):
    """Every event of a kind that a bot is told of."""
    heard = []
    bot.on(kind)(heard.append)
    return heard


# ---- being there


async def test_bots_come_in_where_they_are_wanted_and_see_each_other(world):
    ada = await world.bot("Ada", at=(10, 20))
    bob = await world.bot("Bob", at=(12, 20))
    assert (ada.position.x, ada.position.z) == (10, 20)
    seen = await world.until(lambda: bob.nearby(10))
    assert [avatar.id for avatar in seen] == [ada.me.id]
    assert world.avatars == {ada.me.id: (10, 5, 20), bob.me.id: (12, 5, 20)}


async def test_without_a_place_they_come_in_near_the_spawn():
    async with World(land="flat", config={"world.spawn_x_m": 500.0, "world.spawn_radius_m": 4.0}) as world:
        ada = await world.bot("Ada")
        assert ada.position.distance_to(500, 0) <= 4


async def test_who_comes_again_under_a_name_is_the_same_and_where_it_was(world):
    ada = await world.bot("Ada", at=(10, 20))
    await world.drive(ada.walk_to(14, 23))
    await world.drive(ada.stop())
    await world.run(10)
    assert world.avatars == {}
    again = await world.bot("Ada")
    assert (again.me.id, again.position[::2]) == (ada.me.id, (14, 23))


async def test_a_guest_comes_in_over_a_connection_of_its_own(world):
    bot = Bot(dial=world.dial, clock=world.clock, name="Passer-by")
    await world.drive(bot.start())
    assert await world.drive(bot.name_of(bot.me.id)) == "Passer-by"
    await world.drive(bot.stop())
    await world.run_ticks(1)
    assert world.avatars == {}


async def test_a_name_that_looks_like_a_taken_one_is_refused(world):
    await world.bot("Ada")
    with pytest.raises(ValueError, match="expected a name that is free, got 'АDA'"):
        await world.bot("АDA")  # its first letter is Cyrillic


async def test_a_full_world_lets_nobody_in(caplog):
    async with World(land="flat", config={"session.max_sessions": 1}) as world:
        await world.bot("Ada")
        with pytest.raises(TimedOut):
            await world.bot("Bob", within=5.0)
    assert "Bob: full: the world is full (try again later); trying for another 30 s" in caplog.text
    caplog.clear()


async def test_a_setting_that_there_is_not_is_named():
    with pytest.raises(Exception, match=r"limits\.moves_per_second"):
        await World(config={"limits.moves_per_second": 3}).__aenter__()


def test_land_that_there_is_not_is_named():
    with pytest.raises(ValueError, match='expected land "noise", "flat" or a terrain source, got \'swamp\''):
        World(land="swamp")


async def test_without_the_server_the_way_to_install_it_is_told(monkeypatch):
    monkeypatch.delitem(sys.modules, "worldloom_sdk.testing.server", raising=False)
    monkeypatch.setitem(sys.modules, "worldloom.app.world", None)
    with pytest.raises(ImportError, match=r"pip install 'worldloom\[server-light\]'"):
        await World().__aenter__()


# ---- time


async def test_time_passes_when_it_is_told_to_and_not_else(world):
    ada = await world.bot("Ada")
    rings = []
    began, ticks = world.now, world.tick

    async def ring():
        while True:
            await ada.client.clock.sleep(0.5)
            rings.append(world.now - began)

    ringing = asyncio.create_task(ring())
    await asyncio.sleep(0)
    assert (world.now, rings) == (began, [])
    await world.run(1.6)
    assert rings == pytest.approx([0.5, 1.0, 1.5])
    assert (world.now - began, world.tick - ticks) == (pytest.approx(1.6), 32)
    await world.run_ticks(3)
    assert world.tick - ticks == 35
    ringing.cancel()


async def test_what_does_not_come_true_is_not_waited_for_for_ever(world):
    with pytest.raises(TimedOut, match="not come true within 2 s of world time"):
        await world.until(lambda: False, within=2.0)
    assert world.now == pytest.approx(2.0)


async def test_what_is_driven_gives_its_result_or_raises(world):
    ada = await world.bot("Ada")
    assert (await world.drive(ada.walk_to(3, 4))).distance_to(3, 4) == 0
    with pytest.raises(ValueError, match="expected a speed above 0"):
        await world.drive(ada.walk_to(0, 0, speed=100))
    with pytest.raises(TimedOut):
        await world.drive(ada.wait_for(Resumed), within=1.0)


async def test_two_cannot_let_time_pass_at_once(world):
    with pytest.raises(RuntimeError, match="time passes already"):
        await asyncio.gather(world.run(1), world.run(1))


async def test_a_world_that_does_not_come_to_rest_says_what_it_is_at():
    async def fidget():
        while True:  # noqa: ASYNC110 - it is there to keep the loop busy
            await asyncio.sleep(0)

    async with World(land="flat", patience_s=0.2) as world:
        fidgeting = asyncio.create_task(fidget())
        with pytest.raises(TimeoutError, match=r"within 0\.2 real seconds, got callbacks"):
            await world.run(1)
        fidgeting.cancel()


async def test_a_source_that_hangs_is_waited_for_no_longer_than_asked():
    go_on = threading.Event()

    class Hanging(Meadow):
        def generate(self, rx, rz):
            go_on.wait(10)
            return super().generate(rx, rz)

    async with World(land=Hanging(), patience_s=0.2) as world:
        with pytest.raises(TimeoutError, match=r"within 0\.2 real seconds, got .* regions being made"):
            await world.bot("Ada")
        go_on.set()


async def test_what_a_bot_does_in_a_thread_takes_no_time_of_the_world(world):
    def slow():
        time.sleep(0.2)
        return 7

    async def work():
        for _ in range(2):
            began = world.now
            done.append((await asyncio.to_thread(slow), world.now - began))
            await world.clock.sleep(1.0)

    done = []
    working = asyncio.create_task(work())
    await world.run(1.5)
    assert done == [(7, 0.0), (7, 0.0)]
    working.cancel()


async def test_a_thread_that_fails_tells_its_bot_and_one_that_is_given_up_holds_nobody(world):
    go_on = threading.Event()
    with pytest.raises(ZeroDivisionError):
        await world.drive(asyncio.to_thread(lambda: 1 // 0))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.to_thread(go_on.wait, 10)
    go_on.set()
    await world.run(1)


async def test_a_thread_that_hangs_is_waited_for_no_longer_than_asked():
    go_on = threading.Event()
    async with World(land="flat", patience_s=0.2) as world:
        waiting = asyncio.create_task(asyncio.to_thread(go_on.wait, 10))
        with pytest.raises(TimeoutError, match=r"within 0\.2 real seconds, got 1 calls in threads"):
            await world.run(1)
        go_on.set()
        assert await waiting
    assert await asyncio.to_thread(lambda: "threads are there after it") == "threads are there after it"


async def test_a_fault_of_the_server_is_raised_in_the_test(world, monkeypatch):
    def broken(tick):
        raise ZeroDivisionError(f"in tick {tick}")

    monkeypatch.setattr(world.node, "tick", broken)
    with pytest.raises(ZeroDivisionError, match="in tick 1"):
        await world.run(1)


# ---- walking


async def test_a_walk_ends_where_it_was_meant_to(world):
    ada = await world.bot("Ada", at=(0, 0))
    began = world.now
    await world.drive(ada.walk_to(30, 40, speed=5.0))
    assert world.avatars[ada.me.id][::2] == (30, 40)
    assert world.now - began == pytest.approx(10.0, abs=1.0)


async def test_over_hills_a_bot_stays_on_the_ground():
    async with World(seed=5) as world:
        ada = await world.bot("Ada", at=(0, 0))
        ground = await world.drive(ada.terrain.wait(60, 60))
        there = await world.drive(ada.walk_to(60, 60, speed=10.0))
        assert (there.x, there.z, there.y) == (60, 60, ground)
        assert world.avatars[ada.me.id].y == pytest.approx(ground, abs=0.07)


async def test_who_jumps_is_put_back_by_the_worlds_speed(world):
    ada = await world.bot("Ada", at=(0, 0))
    put_back = asyncio.ensure_future(ada.wait_for(Corrected))
    await world.drive(ada.client.move(200, 0))
    correction = await world.drive(put_back)
    assert correction.reason is CorrectionReason.SPEED
    assert (ada.position.x, world.avatars[ada.me.id].x) == (0, 0)


async def test_the_end_of_the_world_blocks_a_walk():
    async with World(land="flat") as world:
        ada = await world.bot("Ada", at=(RIM_M - 5, 0))
        with pytest.raises(Blocked) as blocked:
            await world.drive(ada.walk_to(RIM_M + 5, 0))
        assert blocked.value.reason is CorrectionReason.EDGE
        assert RIM_M - 1 < blocked.value.where.x < RIM_M


async def test_at_the_edge_of_the_unmade_a_walk_waits_and_goes_on(world):
    ada = await world.bot("Ada", at=(500, 10))  # region (1, 0); the land is made as far as region (2, 1)
    world.keep_land_back()
    walking = asyncio.ensure_future(ada.walk_to(800, 10, speed=12.0))
    await world.run(60)
    assert not walking.done()
    assert 767 < world.avatars[ada.me.id].x < 768
    world.give_land()
    await world.drive(walking)
    assert world.avatars[ada.me.id].x == 800


# ---- talking


async def test_what_is_said_is_heard_with_the_speakers_name(world):
    ada, bob = await world.bot("Ada"), await world.bot("Bob")
    hearing = asyncio.ensure_future(bob.wait_for(Spoke))
    await world.drive(ada.say("Hello"))
    line = await world.drive(hearing)
    assert (line.name, line.text) == ("Ada", "Hello")


async def test_a_limit_of_the_world_reaches_the_bot():
    async with World(land="flat", config={"limits.says_per_10s": 1}) as world:
        ada = await world.bot("Ada")
        await world.drive(ada.say("one"))
        with pytest.raises(Refused, match="rate"):
            await world.drive(ada.say("two"))
        await world.run(10)
        await world.drive(ada.say("three"))


# ---- bad connections


async def test_who_was_cut_off_comes_back_and_nobody_sees_it_go(world):
    ada, bob = await world.bot("Ada", at=(0, 0)), await world.bot("Bob", at=(3, 0))
    entered, left, resumed = heard_by(ada, AvatarEntered), heard_by(ada, AvatarLeft), heard_by(bob, Resumed)
    before = world.avatars
    world.hang_up(bob)
    await world.until(lambda: resumed)
    await world.run(5)
    assert world.avatars == before
    assert (entered, left) == ([], [])
    assert [avatar.id for avatar in ada.nearby(10)] == [bob.me.id]
    await world.drive(bob.walk_to(6, 0))
    assert ada.find(bob.me.id).position[::2] == (6, 0)


async def test_who_is_away_too_long_leaves_and_comes_anew():
    async with World(land="flat", config={"session.resume_s": 0.0}) as world:
        ada, bob = await world.bot("Ada", at=(0, 0)), await world.bot("Bob", at=(3, 0))
        await world.until(lambda: ada.nearby(10))
        left, joined = heard_by(ada, AvatarLeft), heard_by(bob, Joined)
        world.hang_up(bob)
        await world.until(lambda: left and joined)
        assert left[0].avatar.id == bob.me.id
        assert len(await world.until(lambda: ada.nearby(10))) == 1


async def test_who_says_no_hello_is_closed_in_the_worlds_time(world):
    line, began = await world.drive(world.dial()), world.now
    with pytest.raises(ConnectionClosed) as closed:
        await world.drive(line.recv())
    assert closed.value.code == CloseCode.POLICY
    assert 10 <= world.now - began <= 11


async def test_who_reads_nothing_for_a_while_but_is_sent_little_is_not_dropped(world):
    ada = await world.bot("Ada")
    resumed = heard_by(ada, Resumed)
    world.stall(ada)
    await world.run(60)  # the bot's own pings go on
    assert world.node.gateway.closed == {}
    world.read_on(ada)
    await world.run(1)
    assert resumed == []


async def test_one_without_a_connection_cannot_lose_it(world):
    ada = await world.bot("Ada")
    world.hang_up(ada)
    with pytest.raises(ValueError, match="expected a bot of this world with a connection, got 'Ada'"):
        world.hang_up(ada)


async def test_a_slow_reader_is_paused_and_has_a_right_picture_when_it_reads_on():
    small = {"sync.write_buffer_bytes": 4096, "sync.bytes_per_second_per_client": 0}
    async with World(land="flat", config=small) as world:
        slow, other = await world.bot("Slow", at=(0, 0)), await world.bot("Other", at=(5, 0))
        await world.until(lambda: slow.nearby(10))
        world.stall(slow)
        walkers = [
            await world.bot(f"Walker {n}", lambda c, n=n: crowd.make_bot(c, n, radius_m=10))
            for n in range(20)
        ]
        await world.until(lambda: world.node.gateway.pressure.pauses)
        assert len(slow.nearby(60)) == 1
        assert len(other.nearby(60)) == len(walkers) + 1
        world.read_on(slow)
        await world.until(lambda: len(slow.nearby(60)) == len(walkers) + 1)
        assert slow.client.in_world


async def test_one_that_reads_nothing_is_closed_in_time_and_comes_back():
    small = {
        "sync.write_buffer_bytes": 4096,
        "sync.bytes_per_second_per_client": 0,
        "sync.drain_timeout_s": 3.0,
    }
    async with World(land="flat", config=small) as world:
        slow = await world.bot("Slow", at=(0, 0))
        resumed = heard_by(slow, Resumed)
        world.stall(slow)
        for n in range(20):
            await world.bot(f"Walker {n}", lambda c, n=n: crowd.make_bot(c, n, radius_m=10))
        await world.until(lambda: world.node.gateway.closed)
        await world.run(6)  # the closing handshake, too, has its time
        world.read_on(slow)
        await world.until(lambda: resumed)
        await world.until(lambda: len(slow.nearby(60)) == 20)


def make_rover(where, number, resting):
    """Walks to and fro until it is told to rest, whatever happens to it."""
    bot, dice = Bot(where), random.Random(number)

    @bot.on(Joined)
    @bot.on(Resumed)
    async def roam(event):
        while bot.client.in_world and not resting:
            with suppress(WorldloomError):
                await bot.walk_to(dice.uniform(-80, 80), dice.uniform(-80, 80), speed=dice.uniform(1, 8))

    return bot


def truth(world, bot):
    """What a bot should see: by cell and layer, and slot, avatar id and word."""
    shard, sees = world.node.shard, world.node.config.sync.view_cells
    own = shard.avatars.row(bot.me.id)
    at = (int(shard.avatars.cx[own]), int(shard.avatars.cz[own]))
    cells, entries = shard.cells.everything()
    near = np.abs(cells[:, :2] - at).max(axis=1) <= sees
    seen = {}
    for cell, (key, word) in zip(cells[near].tolist(), entries[near].tolist(), strict=True):
        seen.setdefault(tuple(cell), {})[key & 0xFFF] = (key >> 12, word)
    return seen


async def test_after_a_rough_night_every_bot_sees_the_world_as_it_is():
    """Connections break and readers stall at random; resumes come in time and too late; nobody is there twice."""
    rough = {
        "sync.bytes_per_second_per_client": 2_000,
        "sync.write_buffer_bytes": 4096,
        "sync.drain_timeout_s": 2.0,
        "session.resume_s": 2.0,
    }
    dice, resting = random.Random(7), []
    async with World(land="flat", config=rough) as world:
        bots = [await world.bot(f"Rover {n}", lambda w, n=n: make_rover(w, n, resting)) for n in range(12)]
        for _ in range(60):
            await world.run(dice.uniform(0.05, 2.0))
            with suppress(ValueError):  # that one is without a connection anyway
                dice.choice([world.hang_up, world.stall, world.read_on])(dice.choice(bots))
        for bot in bots:
            with suppress(ValueError):
                world.read_on(bot)
        resting.append(True)
        await world.until(lambda: all(bot.client.in_world for bot in bots), within=90.0)
        await world.run(100)  # the last walks end
        assert sorted(world.avatars) == sorted(bot.me.id for bot in bots)
        assert [bot.client.view.state() for bot in bots] == [truth(world, bot) for bot in bots]
        assert [bot.position[::2] for bot in bots] == [world.avatars[bot.me.id][::2] for bot in bots]
        assert world.node.gateway.closed[1006] > 10


# ---- the examples


async def test_the_greeter_greets_by_name_and_tells_the_way(world):
    await world.bot("Greeter", greeter.make_bot, at=(0, 0))
    ada = await world.bot("Ada", at=(4, 3))
    lines = heard_by(ada, Spoke)
    await world.until(lambda: lines)
    assert lines[0].text == "Welcome, Ada!"
    await world.drive(ada.say("Where am I?"))
    await world.until(lambda: len(lines) > 1)
    assert lines[1].text == "Ada, you are at x=4 z=3, 5 m above the sea."


async def test_the_follower_follows_within_three_metres(world):
    dog = await world.bot("Follower", follower.make_bot, at=(0, 0))
    ada = await world.bot("Ada", at=(5, 0))
    await world.drive(ada.say("Follow me, please"))
    await world.run(3)
    for x, z in ((15, 0), (15, 15), (-10, 15)):
        await world.drive(ada.walk_to(x, z, speed=2.0))
        await world.run(0.5)
        here = world.avatars[ada.me.id]
        assert world.avatars[dog.me.id].distance_to(here.x, here.z) <= 3.0
    await world.drive(ada.say("stop"))
    await world.run(1)
    stood = world.avatars[dog.me.id]
    await world.drive(ada.walk_to(0, 0, speed=2.0))
    assert world.avatars[dog.me.id] == stood


async def test_a_crowd_of_twenty_wanders_for_a_minute():
    async with World() as world:
        bots = [await world.bot(f"Walker {n}", lambda c, n=n: crowd.make_bot(c, n)) for n in range(1, 21)]
        homes = world.avatars
        await world.run(60)
        now = world.avatars
        assert sum(now[bot.me.id] != homes[bot.me.id] for bot in bots) == 20
        assert all(now[b.me.id].distance_to(*homes[b.me.id][::2]) < 60 for b in bots)


# ---- the same again


async def wandering(seed):
    async with World(seed=seed) as world:
        for n in range(8):
            await world.bot(f"Walker {n}", lambda c, n=n: crowd.make_bot(c, n))
        ada = await world.bot("Ada")
        await world.run(5)
        world.hang_up(ada)
        await world.run(15)
        return world.digest(), world.avatars


async def test_two_runs_with_one_seed_end_the_same_to_the_bit_and_another_seed_ends_elsewhere():
    first, again, other = await wandering(3), await wandering(3), await wandering(4)
    assert first == again
    assert first != other
