"""Thirty bots made of the examples, and somebody who leads the way, live together without a word in the log."""

import asyncio
import logging

import pytest

from live_server import served
from worldloom_sdk import Bot, Joined, Lost, Resumed
from worldloom_sdk.bot import live_together
from worldloom_sdk.examples import crowd, follower, greeter
from worldloom_sdk.testing import World

GREETERS, FOLLOWERS, WALKERS = 4, 6, 20
REAL_S = 600.0
WAYS = ((30, 0), (30, 30), (-20, 30), (-20, -10), (0, 0))


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def make_guide(where):
    """Calls the followers, walks a round, sends them home, again and again."""
    bot = Bot(where, name="Guide")

    async def lead():
        while bot.client.in_world:
            await bot.say("Follow me!")
            for x, z in WAYS:
                await bot.walk_to(x, z, speed=2.0)
            await bot.say("Stop here.")
            await bot.client.clock.sleep(15)

    @bot.on(Joined)
    async def begin(event):
        await lead()

    return bot


def recipes():
    """Name of each bot, and what makes it from an address or a client."""
    yield from ((f"Greeter {n}", lambda w, n=n: greeter.make_bot(w, f"Greeter {n}")) for n in range(GREETERS))
    yield from (
        (f"Follower {n}", lambda w, n=n: follower.make_bot(w, f"Follower {n}")) for n in range(FOLLOWERS)
    )
    yield from ((f"Walker {n}", lambda w, n=n: crowd.make_bot(w, n)) for n in range(WALKERS))
    yield "Guide", make_guide


async def live_for(minutes, caplog):
    """Have them live in a world with time in hand; how far each was from where it came in, at every minute."""
    async with World() as world:
        bots = [await world.bot(name, make) for name, make in recipes()]
        came, strides = world.avatars, []
        for _ in range(minutes):
            await world.run(60)
            strides.append({a: p.distance_to(came[a].x, came[a].z) for a, p in world.avatars.items()})
            assert warnings(caplog) == []
        assert sorted(came) == sorted(bot.me.id for bot in bots)
        assert all(bot.client.in_world for bot in bots)
        assert world.node.gateway.closed == {}
        assert world.node.gateway.pressure.pauses == 0
    assert warnings(caplog) == []
    return [[minute[bot.me.id] for minute in strides] for bot in bots]


@pytest.mark.slow
async def test_thirty_bots_live_together_for_a_minute_of_the_world(caplog):
    strides = await live_for(1, caplog)
    assert [max(minutes) > 0 for minutes in strides] == [False] * GREETERS + [True] * (
        len(strides) - GREETERS
    )


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_thirty_bots_live_together_for_ten_minutes_of_the_world(caplog):
    strides = await live_for(10, caplog)
    assert max(map(max, strides)) < 100


@pytest.mark.soak
@pytest.mark.timeout(REAL_S + 120)
async def test_thirty_bots_live_together_for_ten_real_minutes_on_a_served_world(caplog, tmp_path):
    data = tmp_path / "data"
    lost = []
    async with served(data, world={"spawn_radius_m": 8.0, "speed_m_per_s": 12.0}) as server:
        bots = [make(f"127.0.0.1:{server.port}") for _, make in recipes()]
        for bot in bots:
            bot.on(Lost)(lost.append)
            bot.on(Resumed)(lost.append)
        living = asyncio.create_task(live_together(bots))
        done, _ = await asyncio.wait([living], timeout=REAL_S)
        assert not done
        assert [bot.name for bot in bots if not bot.client.in_world] == []
        assert lost == []
        living.cancel()
        with pytest.raises(asyncio.CancelledError):
            await living
        server.interrupt()
        assert await server.ended() == 0
    assert warnings(caplog) == []
    told = server.log.read_text().splitlines()
    assert [line for line in told if {"WARNING", "ERROR", "CRITICAL", "Traceback"} & set(line.split())] == []
