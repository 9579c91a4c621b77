"""The bot: handlers, timers, what it can look at, many in one loop."""

import asyncio
import logging

import numpy as np
import pytest

from sdk_peer import SmallWorld, body_of, enter, word_of, words
from worldloom_sdk import AvatarEntered, AvatarsMoved, Bot, Event, Joined, Resumed, SayKind, Spoke, Whispered
from worldloom_sdk.bot import live_together, run_many
from worldloom_sdk.client import Client
from worldloom_sdk.errors import TimedOut
from worldloom_sdk.examples import follower, greeter
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.tiles import SAMPLES, SURFACE_CELLS, Tile, encode_tile, tile_sha256


@pytest.fixture
def world():
    return SmallWorld()


@pytest.fixture
def bot(world):
    return Bot(dial=world.dial, clock=world.clock, name="Ada")


@pytest.fixture
async def started(bot):
    """Starts the bot when a test has registered its handlers."""
    yield bot.start
    await bot.stop()


def spoken(*lines):
    return m.Frame(1, b"", [m.Line(avatar, "Bo", 0, text) for avatar, text in lines])


async def test_handlers_sync_and_async_hear_their_event_and_subclasses(world, bot, started):
    heard = []

    @bot.on(Joined)
    def plain(event):
        heard.append(("plain", event.world))

    @bot.on(Spoke, check=lambda line: "hello" in line.text)
    async def answer(line):
        await bot.say(f"Hello {line.name}")
        heard.append(("answer", line.text))

    every_event = []
    bot.on(Event)(every_event.append)
    await started()
    world.tell(spoken((8, "hello there"), (8, "bye")))
    await world.clock.run(1.0)
    assert heard == [("plain", "Test"), ("answer", "hello there")]
    assert [type(event).__name__ for event in every_event].count("Spoke") == 2
    assert any(isinstance(message, m.Say) and message.text == "Hello Bo" for message in world.heard)


async def test_a_bot_does_not_hear_itself(world, bot, started):
    heard = []
    bot.on(Spoke)(heard.append)
    await started()
    world.tell(spoken((7, "I said this"), (8, "and I this")))
    await world.clock.run(0.1)
    assert [line.text for line in heard] == ["and I this"]


async def test_what_a_handler_raises_is_logged_with_the_bots_name_and_the_bot_goes_on(
    world, bot, started, caplog
):
    heard = []

    @bot.on(Whispered)
    async def fail(event):
        heard.append(event.text)
        raise RuntimeError("my fault")

    await started()
    world.tell(m.Whispered(8, "Bo", "one"))
    world.tell(m.Whispered(8, "Bo", "two"))
    await world.clock.run(0.1)
    assert heard == ["one", "two"]
    assert "Ada: the handler of Whispered failed" in caplog.text
    assert "my fault" in caplog.text
    assert bot.client.in_world


async def test_a_refusal_that_a_handler_does_not_expect_is_one_line_in_the_log(world, bot, started, caplog):
    @bot.on(Whispered)
    async def answer(event):
        await bot.say("too much")

    await started()
    world.say_refusal = m.Refused(0, "rate", "too many lines", "ask less often", 2000)
    world.tell(m.Whispered(8, "Bo", "one"))
    await world.clock.run(0.1)
    assert "Ada: on Whispered: refused: rate: too many lines (ask less often)" in caplog.text
    assert "Traceback" not in caplog.text


async def test_more_calls_than_the_bound_are_dropped_and_counted(world, caplog):
    bot = Bot(dial=world.dial, clock=world.clock, name="Ada", max_calls=3)
    never, begun = asyncio.Event(), []

    @bot.on(Whispered)
    async def hang(event):
        begun.append(event.text)
        await never.wait()

    await bot.start()
    for number in range(10):
        world.tell(m.Whispered(8, "Bo", str(number)))
    await world.clock.run(0.1)
    assert begun == ["0", "1", "2"]
    assert caplog.text.count("dropping events") == 1
    await bot.stop()


async def test_timers_run_while_the_bot_is_in_the_world(world, bot, started, caplog):
    turns = []

    @bot.every(seconds=10)
    async def turn():
        turns.append(world.clock.now)
        if len(turns) == 2:
            raise RuntimeError("a bad turn")

    await started()
    await world.clock.run(35.0)
    assert len(turns) == 3
    assert "a bad turn" in caplog.text
    world.unreachable = 10**6
    world.pipe.cut()
    await world.clock.run(15.0)
    assert len(turns) == 3


def test_a_timer_needs_a_time(bot):
    with pytest.raises(ValueError, match="above 0"):
        bot.every(0)(print)


@pytest.mark.parametrize("kind", ["Spoke", 5, print, int, None])
def test_a_handler_of_something_that_is_no_event_is_refused_where_it_is_written(bot, kind):
    with pytest.raises(TypeError, match="expected an event class"):
        bot.on(kind)


def test_a_handler_that_cannot_be_called_is_refused(bot):
    with pytest.raises(TypeError, match="the handler: expected a function, got 'hello'"):
        bot.on(Spoke)("hello")
    with pytest.raises(TypeError, match="check: expected a function, got 'hello'"):
        bot.on(Spoke, check="hello")(print)
    with pytest.raises(TypeError, match="the handler: expected a function, got None"):
        bot.every(5)(None)


@pytest.mark.parametrize(
    ("refusal", "line"),
    [
        (m.Refused(0, "name_taken", "Ada is here already"), "Ada: name_taken: Ada is here already\n"),
        (
            m.Refused(0, "name_invalid", "expected 2 to 24 characters", "choose another"),
            "Ada: name_invalid: expected 2 to 24 characters (choose another)\n",
        ),
        (
            m.Refused(0, "token", "expected the token of an account"),
            "Ada: token: expected the token of an account\n",
        ),
    ],
)
def test_a_program_whose_bot_is_not_let_in_ends_with_one_line_and_status_1(world, bot, capsys, refusal, line):
    world.refusals = [refusal]
    with pytest.raises(SystemExit) as ended:
        bot.run()
    assert (ended.value.code, capsys.readouterr().err) == (1, line)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"where": "127.0.0.1:9", "patience_s": 0}, "cannot reach ws://127.0.0.1:9/ws: connection refused"),
        ({"where": "ftp://nowhere"}, "expected an address like"),
        ({"where": "localhost:9", "token_file": "/dev/null/ada.token"}, "token_file: expected a file"),
    ],
)
def test_a_program_whose_bot_cannot_even_ask_ends_with_one_line_and_status_1(capsys, given, part):
    with pytest.raises(SystemExit) as ended:
        Bot(name="Ada", **given).run()
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert part in told
    assert told.count("\n") == 1


def test_a_program_of_many_bots_that_all_end_says_how_many_failed(world, capsys):
    world.refusals = [m.Refused(0, "name_taken", "Ada is here already")]
    with pytest.raises(SystemExit) as ended:
        run_many(Bot(dial=world.dial, clock=world.clock, name=name) for name in ["Ada"])
    assert ended.value.code == 1
    assert "1 of 1 bots failed, the first: name_taken: Ada is here already" in capsys.readouterr().err


async def test_nearby_and_find_show_others_as_they_are(world, bot, started):
    await started()
    both = enter((0, 0), (0, 8, word_of(0, 640, 0)), (1, 9, word_of(1, 320, 0)), (2, 7, word_of(2, 0, 0)))
    world.tell(m.Area(1, 0, 0, 2, [0], body_of(both)))
    await world.clock.calm()
    assert [avatar.id for avatar in bot.nearby(20.0)] == [9, 8]
    assert [avatar.id for avatar in bot.nearby(6.0)] == [9]
    assert bot.find(8).x == 10.0
    assert bot.find(12345) is None
    assert await world.clock.until(bot.name_of(bot.find(8))) == "Bo"
    assert bot.find(8).name == "Bo"


async def test_moves_of_others_are_told_to_a_bot_that_asks(world, bot, started):
    moved = []
    bot.on(AvatarsMoved)(lambda event: moved.extend(event.ids))
    await started()
    world.tell(m.Area(1, 0, 0, 2, [0], body_of(enter((0, 0), (0, 8, word_of(0, 640, 0))))))
    world.tell(m.Frame(2, body_of(words((0, 0), [word_of(0, 704, 0)]))))
    await world.clock.run(0.1)
    assert moved == [8]


async def test_what_a_bot_does_is_said_on_the_wire(world, bot, started):
    await started()
    await bot.say("Hey", SayKind.SHOUT)
    await bot.whisper(8, "psst")
    await bot.signal("chess", b"e2e4")
    assert [type(message).__name__ for message in world.heard if not isinstance(message, m.Ping)] == [
        "Hello", "Say", "Whisper", "Signal",
    ]  # fmt: skip
    await world.clock.until(bot.gesture(20))
    assert bot.me.gesture == 20
    await world.clock.until(bot.face(1.5))
    assert (bot.me.yaw, bot.me.gesture) == (pytest.approx(1.5, abs=0.02), 20)
    await world.clock.until(bot.stand())
    assert bot.me.gesture == 0


async def test_terrain_is_fetched_once_when_asked_for_and_gives_heights(world, bot, started):
    heights = np.full((SAMPLES, SAMPLES), 320, np.int16)
    data = encode_tile(Tile(0, 0, heights, np.zeros((SURFACE_CELLS, SURFACE_CELLS), np.uint8)))
    sha256 = tile_sha256(data)
    await started()
    with pytest.raises(TimedOut):
        await world.clock.until(bot.terrain.wait(5.0, 5.0, timeout=2.0))
    waiting = asyncio.ensure_future(bot.terrain.wait(5.0, 5.0))
    world.content[f"/content/{sha256}"] = data
    world.tell(m.Region(0, 0, 0, sha256, "noise"))
    assert await world.clock.until(waiting) == 10.0
    assert bot.terrain.height(200.0, 10.0) == 10.0
    assert bot.terrain.height(300.0, 10.0) is None
    assert world.fetched == [f"/content/{sha256}"]
    await world.clock.until(bot.client.move(8.0, 8.0))
    assert bot.position == (8.0, 10.0, 8.0)


async def test_bytes_that_are_not_what_their_name_says_are_refused(world, bot, started, caplog):
    sha256 = "ab" * 32
    world.content[f"/content/{sha256}"] = b"something else"
    await started()
    world.tell(m.Region(3, 3, 0, sha256, "noise"))
    await world.clock.calm()
    assert bot.terrain.height(800.0, 800.0) is None
    await world.clock.run(60.0)
    assert "expected content with sha256 abab" in caplog.text


async def test_a_bot_hears_of_a_resume_and_of_who_comes(world, bot, started):
    heard = []
    bot.on(Resumed)(heard.append)
    bot.on(AvatarEntered)(heard.append)
    await started()
    world.pipe.cut()
    await world.clock.run(2.0)
    world.tell(m.Area(1, 0, 0, 2, [0], body_of(enter((0, 0), (0, 8, word_of(0, 640, 0))))))
    await world.clock.run(0.1)
    assert [type(event) for event in heard] == [Resumed, AvatarEntered]


async def test_many_bots_live_together_and_one_that_is_refused_does_not_harm_the_others(caplog):
    caplog.set_level(logging.ERROR)
    worlds = [SmallWorld() for _ in range(20)]
    clock = worlds[0].clock
    worlds[3].refusals = [m.Refused(0, "name_taken", "Ada is here already")]
    for world in worlds:
        world.clock = clock
    bots = [Bot(dial=world.dial, clock=clock, name=f"B{number}") for number, world in enumerate(worlds)]
    living = asyncio.ensure_future(live_together(bots))
    await clock.run(5.0)
    assert [bot.client.in_world for bot in bots] == [number != 3 for number in range(20)]
    assert "B3: ended: name_taken" in caplog.text
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)
    assert not any(bot.client.in_world for bot in bots)
    assert [type(world.heard[-1]) for world in worlds[:3]] == [m.Leave] * 3


async def test_a_bot_stopped_from_its_own_handler_ends(world, bot):
    @bot.on(Whispered)
    async def obey(event):
        await bot.stop()

    living = asyncio.ensure_future(bot.live())
    await world.clock.calm()
    world.tell(m.Whispered(8, "Bo", "go home"))
    await world.clock.until(living)
    assert not bot.client.in_world


async def test_the_greeter_welcomes_each_newcomer_once(world):
    bot = greeter.make_bot(Client(dial=world.dial, clock=world.clock, name="Greeter"))
    await bot.start()
    both = enter((0, 0), (0, 8, word_of(0, 640, 0)), (1, 9, word_of(1, 320, 0)))
    world.tell(m.Area(1, 0, 0, 2, [0], body_of(both)))
    await world.clock.run(20.0)
    said = [message.text for message in world.heard if isinstance(message, m.Say)]
    await bot.stop()
    assert said == ["Welcome, Cy and Bo!"]


async def test_the_follower_comes_when_called_and_stays_when_told(world):
    bot = follower.make_bot(Client(dial=world.dial, clock=world.clock, name="Follower"))
    await bot.start()
    world.tell(m.Area(1, 0, 0, 2, [0], body_of(enter((0, 0), (0, 8, word_of(0, 640, 0))))))
    world.tell(spoken((8, "Follow me!")))
    await world.clock.run(5.0)
    came = bot.position
    world.tell(spoken((8, "stop")))
    await world.clock.run(1.0)
    world.tell(m.Frame(200_000, body_of(words((0, 0), [word_of(0, 1280, 0)]))))
    await world.clock.run(5.0)
    said = [message.text for message in world.heard if isinstance(message, m.Say)]
    stayed = bot.position
    await bot.stop()
    assert said == ["Coming, Bo!", "All right, Bo, I stay here."]
    assert came.x == pytest.approx(8.0, abs=0.1)
    assert stayed == came
