"""Walking: a walk ends where the server has the body, or raises with the reason."""

import asyncio

import pytest

from sdk_peer import LIMITS, SmallWorld, body_of, enter, word_of, words
from worldloom_sdk import Blocked, Bot, Disconnected, Interrupted, Position, TimedOut
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.messages import CorrectionReason
from worldloom_sdk.protocol.words import Gesture


@pytest.fixture
def world():
    return SmallWorld()


@pytest.fixture
async def bot(world):
    bot = Bot(dial=world.dial, clock=world.clock, name="Ada")
    await bot.start()
    yield bot
    await bot.stop()


async def test_a_walk_ends_where_the_server_has_the_body_at_the_speed_asked_for(world, bot):
    began = world.clock.now
    there = await world.clock.until(bot.walk_to(7.0, -5.0, speed=2.0))
    assert there == bot.position == Position(7.0, 0.0, -5.0)
    assert world.body[:2] == (448, -320)
    assert 4.0 < world.clock.now - began < 6.5
    assert [gesture for *_, gesture in world.moves] == [Gesture.WALK] * (len(world.moves) - 1) + [
        Gesture.STAND
    ]
    gaps = [later - earlier for earlier, later in zip(world.move_times, world.move_times[1:], strict=False)]
    assert min(gaps) == pytest.approx(0.1)


async def test_a_walk_is_straight_and_looks_ahead(world, bot):
    await world.clock.until(bot.walk_to(10.0, 10.0, speed=5.0))
    assert all(abs(x - z) <= 1 / 16 for _, x, z, _ in world.moves)
    assert bot.me.yaw == pytest.approx(0.785, abs=0.03)


async def test_where_the_own_body_is_shown_a_walk_ends_without_waiting_for_pongs(world, bot):
    tick = world.server_ms // 50
    world.tell(m.Area(tick, 0, 0, 2, [0], body_of(enter((0, 0), (3, 7, word_of(3, 0, 0))))))
    await world.clock.run(5.0)
    world.silent = (m.Ping,)
    walking = asyncio.ensure_future(bot.walk_to(1.0, 0.0, speed=1.0))
    await world.clock.run(3.0)
    assert not walking.done()
    world.tell(m.Frame(tick + 200, body_of(words((0, 0), [word_of(3, 64, 0, y=80, gesture=0)]))))
    assert await world.clock.until(walking, limit=1.0) == Position(1.0, 5.0, 0.0)


async def test_a_wall_blocks_a_walk_and_the_error_says_where_and_why(world, bot):
    world.wall = lambda x, z: CorrectionReason.FULL if x > 3.0 else None
    with pytest.raises(Blocked, match="full") as blocked:
        await world.clock.until(bot.walk_to(10.0, 0.0))
    assert blocked.value.reason is CorrectionReason.FULL
    assert 2.8 < blocked.value.where.x <= 3.0
    assert bot.position == blocked.value.where


async def test_a_goal_that_the_server_refuses_at_the_last_step_is_not_reached(world, bot):
    world.wall = lambda x, z: CorrectionReason.FULL if x >= 2.0 else None
    with pytest.raises(Blocked, match="full"):
        await world.clock.until(bot.walk_to(2.0, 0.0))


async def test_a_walk_waits_at_the_edge_of_unwoven_land_and_goes_on_once_it_is_woven(world, bot):
    world.body = (250 * 64, 0, 0, 0)
    world.tell(m.Correction(0, 250 * 64, 0, 0, 0, CorrectionReason.PLACED))
    world.wall = lambda x, z: CorrectionReason.UNWOVEN if x >= 256.0 else None
    await world.clock.calm()
    walking = asyncio.ensure_future(bot.walk_to(260.0, 0.0, speed=3.0))
    await world.clock.run(20.0)
    assert not walking.done()
    assert len([move for move in world.move_times if move > world.clock.now - 10.0]) <= 40
    world.wall = lambda x, z: None
    world.tell(m.Region(1, 0, m.RegionState.WOVEN, "ab" * 32, "noise"))
    assert (await world.clock.until(walking, limit=5.0)).x == 260.0


async def test_now_and_then_too_fast_is_forgiven_and_always_is_not(world, bot):
    slips = [True] * 3
    world.wall = lambda x, z: CorrectionReason.SPEED if x > 1.0 and slips and slips.pop() else None
    assert (await world.clock.until(bot.walk_to(3.0, 0.0))).x == 3.0
    world.wall = lambda x, z: CorrectionReason.SPEED
    with pytest.raises(Blocked, match="speed"):
        await world.clock.until(bot.walk_to(0.0, 0.0))


async def test_a_body_put_elsewhere_walks_on_from_there(world, bot):
    walking = asyncio.ensure_future(bot.walk_to(10.0, 0.0, speed=2.0))
    await world.clock.run(2.0)
    world.body = (0, 640, 0, 0)
    world.tell(m.Correction(bot.client.connection.seq, 0, 640, 0, 0, CorrectionReason.PLACED))
    there = await world.clock.until(walking)
    assert (there.x, there.z) == (10.0, 0.0)
    assert any(z > 5.0 for _, _, z, _ in world.moves)


async def test_a_walk_out_of_time_stops_and_says_so(world, bot):
    with pytest.raises(TimedOut, match="walking to x=100"):
        await world.clock.until(bot.walk_to(100.0, 0.0, timeout=3.0))
    assert world.moves[-1][3] == Gesture.STAND
    moved = len(world.moves)
    await world.clock.run(2.0)
    assert len(world.moves) == moved


async def test_a_newer_walk_takes_over(world, bot):
    old = asyncio.ensure_future(bot.walk_to(100.0, 0.0))
    await world.clock.run(1.0)
    assert (await world.clock.until(bot.walk_to(0.0, 2.0))).z == 2.0
    with pytest.raises(Interrupted):
        await old


async def test_standing_still_ends_a_walk(world, bot):
    old = asyncio.ensure_future(bot.walk_to(100.0, 0.0))
    await world.clock.run(1.0)
    await world.clock.until(bot.sit())
    await world.clock.run(1.0)
    with pytest.raises(Interrupted):
        await old
    assert bot.me.gesture == Gesture.SIT


async def test_a_lost_connection_ends_a_walk(world, bot):
    walking = asyncio.ensure_future(bot.walk_to(100.0, 0.0))
    await world.clock.run(1.0)
    world.unreachable = 3
    world.pipe.cut()
    with pytest.raises(Disconnected):
        await world.clock.until(walking)


@pytest.mark.parametrize("speed", [0.0, -1.0, LIMITS.speed / 64 + 0.1, float("nan")])
async def test_a_speed_that_cannot_be_is_refused(bot, speed):
    with pytest.raises(ValueError, match="speed: expected a speed above 0"):
        await bot.walk_to(1.0, 1.0, speed=speed)


async def test_a_goal_that_is_no_place_is_refused(bot):
    with pytest.raises(ValueError, match="finite"):
        await bot.walk_to(float("nan"), 1.0)


async def test_a_follower_keeps_near_its_leader_until_it_is_out_of_view(world, bot):
    tick = world.server_ms // 50
    world.tell(m.Area(tick, 0, 0, 2, [0], body_of(enter((0, 0), (0, 8, word_of(0, 640, 0))))))
    await world.clock.calm()
    following = asyncio.ensure_future(bot.follow(8, near=2.0))
    await world.clock.run(5.0)
    assert bot.position.x == pytest.approx(8.0, abs=0.1)
    assert world.moves[-1][3] == Gesture.STAND
    world.tell(m.Frame(tick + 100, body_of(words((0, 0), [word_of(0, 1280, 640)]))))
    await world.clock.run(8.0)
    assert bot.position.distance_to(20.0, 10.0) == pytest.approx(2.0, abs=0.1)
    world.tell(m.Frame(tick + 200, body_of([1 | 1 << 40, 0])))
    await world.clock.until(following, limit=2.0)
