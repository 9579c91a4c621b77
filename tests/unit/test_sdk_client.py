"""The client over an in-memory transport, with time held in hand: joining, resuming, limits, answers."""

import asyncio
import logging
import random
import stat

import pytest

from sdk_peer import SmallWorld, body_of, enter, word_of
from worldloom_sdk import events
from worldloom_sdk.client import Client
from worldloom_sdk.errors import ContentError, Disconnected, NotConnected, Refused, SetupError, TimedOut
from worldloom_sdk.protocol import messages as m


@pytest.fixture
def world():
    return SmallWorld()


def client_of(world, **options):
    return Client(dial=world.dial, clock=world.clock, name="Ada", rng=random.Random(1), **options)


@pytest.fixture
async def client(world):
    async with client_of(world) as client:
        yield client


@pytest.fixture
def told(client):
    """Every event from now on."""
    told = []
    client.listen(told.append)
    return told


def kinds(told, *wanted):
    return [event for event in told if isinstance(event, wanted)]


async def test_a_client_joins_and_leaves_for_good(world):
    async with client_of(world) as client:
        assert client.in_world
        assert (client.name, client.me.id, client.limits.moves_per_s) == ("Ada", 7, 30)
    assert isinstance(world.heard[-1], m.Leave)
    assert not client.in_world


async def test_a_client_that_has_not_joined_says_so(world):
    client = client_of(world)
    with pytest.raises(NotConnected):
        _ = client.me
    with pytest.raises(NotConnected):
        await client.say("anybody?")


async def test_nobody_there_is_an_error_at_once_without_patience(world):
    world.unreachable = 1
    with pytest.raises(Disconnected, match="nobody there"):
        await client_of(world).start()


async def test_patience_keeps_trying_until_somebody_is_there(world):
    world.unreachable = 3
    client = client_of(world, patience_s=60.0)
    await world.clock.until(client.start())
    assert len(world.dials) == 4
    await client.stop()


async def test_a_final_refusal_is_raised_and_a_passing_one_waited_for(world):
    world.refusals = [m.Refused(0, "name_invalid", "expected letters", "choose another")]
    with pytest.raises(Refused, match="choose another") as refused:
        await client_of(world, patience_s=60.0).start()
    assert refused.value.code == "name_invalid"
    world.refusals = [m.Refused(0, "full", "the world is full", "", 5000)]
    client = client_of(world, patience_s=60.0)
    began = world.clock.now
    await world.clock.until(client.start())
    assert world.clock.now - began >= 5.0
    await client.stop()


async def test_the_first_try_that_fails_is_told_and_the_next_ones_are_not(world, caplog):
    caplog.set_level(logging.WARNING)
    world.unreachable = 3
    client = client_of(world, patience_s=30.0)
    await world.clock.until(client.start())
    await client.stop()
    assert caplog.messages == ["Ada: no connection: nobody there; trying for another 30 s"]


async def test_patience_ends_when_it_was_said_to(world):
    world.unreachable = 10**6
    began = world.clock.now
    with pytest.raises(Disconnected):
        await world.clock.until(client_of(world, patience_s=20.0).start())
    assert world.clock.now - began == pytest.approx(20.0, abs=0.1)
    assert world.dials[-1] - began == pytest.approx(20.0, abs=0.1)


async def test_patience_is_kept_when_the_world_says_to_come_back_later(world):
    world.refusals = [m.Refused(0, "full", "the world is full", "", 30_000)] * 10
    began = world.clock.now
    with pytest.raises(Refused, match="full"):
        await world.clock.until(client_of(world, patience_s=5.0).start())
    assert world.clock.now - began == pytest.approx(5.0, abs=0.1)
    assert len(world.dials) == 2


async def test_silence_instead_of_welcome_ends_in_a_timeout(world):
    world.silent = (m.Hello,)
    with pytest.raises(TimedOut, match="Welcome"):
        await world.clock.until(client_of(world).start())


async def test_a_broken_connection_is_resumed(world, client, told):
    world.pipe.cut(1006)
    await world.clock.run(1.0)
    assert [type(event) for event in kinds(told, events.Lost, events.Resumed, events.Joined)] == [
        events.Lost,
        events.Resumed,
    ]
    assert world.hellos[-1].resume == "resume-" + "0" * 16
    assert client.in_world


async def test_after_the_resume_time_the_client_joins_afresh(world, client, told):
    world.unreachable = 10**6
    world.pipe.cut(1006)
    await world.clock.run(31.0)
    world.unreachable = 0
    await world.clock.run(31.0)
    assert kinds(told, events.Joined)
    assert world.hellos[-1].resume is None


async def test_a_refused_resume_becomes_a_fresh_join_at_once(world, client, told):
    world.refusals = [m.Refused(0, "token", "expected a token of a session that is there")]
    world.pipe.cut(1006)
    await world.clock.run(1.0)
    assert [hello.resume is None for hello in world.hellos] == [True, False, True]
    assert kinds(told, events.Joined)


async def test_its_own_ghost_holding_the_name_is_waited_out(world, client, told):
    taken = m.Refused(0, "name_taken", "Ada is here already")
    world.refusals = [m.Refused(0, "token", "too late"), taken, taken]
    world.pipe.cut(1006)
    await world.clock.run(10.0)
    assert client.in_world
    assert len(world.hellos) == 5


@pytest.mark.parametrize("code", [1000, 1008, 4001, 4000, 4999])
async def test_some_close_codes_are_final(world, client, told, code):
    world.pipe.cut(code, "enough")
    with pytest.raises(Disconnected, match="enough") as ended:
        await client.wait_closed()
    assert (ended.value.code, ended.value.final) == (code, True)
    assert told[-1] == events.Lost(code, "enough", final=True)
    assert len(world.dials) == 1


async def test_goodbye_says_when_to_come_back(world, client, told):
    cut_at = world.clock.now
    world.tell(m.Goodbye("restart", "back soon", 8000))
    world.pipe.cut(1012)
    await world.clock.run(20.0)
    assert 8.0 <= world.dials[1] - cut_at <= 12.0
    assert client.in_world


async def test_goodbye_without_a_time_is_final(world, client):
    world.tell(m.Goodbye("banned", "do not come back"))
    world.pipe.cut(1008)
    with pytest.raises(Disconnected, match="do not come back"):
        await client.wait_closed()


async def test_waits_between_tries_grow_and_have_a_cap(world, client):
    world.unreachable = 40
    world.pipe.cut(1006)
    await world.clock.run(900.0)
    gaps = [later - earlier for earlier, later in zip(world.dials[1:], world.dials[2:], strict=False)]
    assert max(gaps[:3]) < 2.1
    assert 10.0 < max(gaps) <= 30.1
    assert client.in_world


async def test_bytes_that_are_no_message_close_with_1002_and_are_tried_again(world, client, told, caplog):
    pipe = world.pipe
    world.pipe._inbox.put_nowait(b"\xc1")
    await world.clock.run(1.0)
    assert pipe.closed == 1002
    assert "broke the protocol" in caplog.text
    assert kinds(told, events.Resumed)


async def test_a_new_account_is_kept_in_a_file_for_its_owner_alone(world, tmp_path):
    file = tmp_path / "ada.token"
    world.token = "secret-" + "1" * 20
    async with client_of(world, token_file=file) as client:
        assert client.token == world.token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with client_of(world, token_file=file):
        pass
    assert [(hello.token, hello.keep) for hello in world.hellos] == [(None, True), (world.token, False)]


@pytest.mark.parametrize("place", ["in the way/ada.token", "nowhere/ada.token", "folder"])
async def test_a_token_file_that_cannot_be_written_is_an_error_before_an_account_is_made(
    world, tmp_path, place
):
    (tmp_path / "in the way").write_text("a file")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match=f"token_file: expected a file that can be .*{place}: "):
        await client_of(world, token_file=tmp_path / place).start()
    assert world.heard == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "in the way"]


async def test_a_token_that_cannot_be_kept_after_all_is_known_to_its_client_still(
    world, tmp_path, monkeypatch, caplog
):
    def full(path, token):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worldloom_sdk.identity.write_token", full)
    world.token = "secret-" + "1" * 20
    async with client_of(world, token_file=tmp_path / "ada.token") as client:
        assert client.in_world
        assert client.token == world.token
    assert "No space left on device; only Client.token and Client.recovery have them" in caplog.text
    assert world.token not in caplog.text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"name": "x" * 65}, "name: expected str of length <= 64, got a length of 65"),
        ({"token": "short"}, "token: expected str of length >= 16, got a length of 5"),
    ],
)
async def test_what_cannot_even_be_said_in_hello_ends_at_once_and_names_the_argument(world, given, text):
    client = Client(dial=world.dial, clock=world.clock, patience_s=60.0, **given)
    with pytest.raises(SetupError, match=text):
        await client.start()
    assert len(world.dials) == 1


async def test_a_refused_command_raises_with_code_and_waiting_time(world, client):
    world.say_refusal = m.Refused(0, "rate", "too much", "be quiet", 2500)
    with pytest.raises(Refused) as refused:
        await client.say("Hello")
    assert (refused.value.code, refused.value.retry_after) == ("rate", 2.5)
    world.say_refusal = None
    await client.say("Hello", m.SayKind.SHOUT)
    await client.whisper(client.me, "to myself")
    await client.signal("chess", b"e2e4")
    await client.block(9)
    assert [type(message).__name__ for message in world.heard[-4:]] == ["Say", "Whisper", "Signal", "Block"]


@pytest.mark.parametrize(
    ("misuse", "text"),
    [
        (lambda client: client.say("x" * 501), "text: expected str of length <= 500, got a length of 501"),
        (lambda client: client.say(5), "text: expected str, got int"),
        (lambda client: client.whisper(0, "psst"), "to: expected int >= 1, got 0"),
        (lambda client: client.signal("", b""), "channel: expected str of length >= 1, got a length of 0"),
        (
            lambda client: client.signal("a", bytes(1025)),
            "data: expected bytes of length <= 1024, got a length",
        ),
        (lambda client: client.signal("a", bytes(100_000)), "data: expected bytes of length <= 1024"),
        (lambda client: client.signal("a", "text"), "data: expected bytes, got str"),
        (lambda client: client.move(float("nan"), 0.0), "expected finite metres, got x=nan"),
        (lambda client: client.move(0.0, 0.0, float("nan")), "y_m: expected finite metres, got nan"),
        (lambda client: client.move(0.0, 0.0, gesture=99), "gesture: expected 0 to 63, got 99"),
    ],
)
async def test_misuse_is_a_value_error_that_names_the_argument_expected_and_got(world, client, misuse, text):
    with pytest.raises(ValueError, match=text):
        await misuse(client)
    await client.say("Hello")
    assert client.connection.pending == {}


async def test_a_command_without_an_answer_times_out_and_a_lost_one_is_unknown(world, client):
    world.silent = (m.Say,)
    with pytest.raises(TimedOut):
        await world.clock.until(client.say("Hello?"))
    saying = asyncio.ensure_future(client.say("Hello?"))
    await world.clock.calm()
    world.pipe.cut()
    with pytest.raises(Disconnected, match="unknown"):
        await saying


async def test_moves_are_sent_no_faster_than_the_world_allows(world, client):
    for x in range(10):
        await world.clock.until(client.move(float(x), 0.0))
    gaps = [later - earlier for earlier, later in zip(world.move_times, world.move_times[1:], strict=False)]
    assert len(gaps) == 9
    assert min(gaps) >= 1 / 30 - 1e-9


async def test_names_are_asked_for_together_and_once(world, client):
    names = await world.clock.until(asyncio.wait_for(_gather(client, [8, 9, 8]), None))
    assert names == ["Bo", "Cy", "Bo"]
    assert await client.name_of(8) == "Bo"
    assert [message.ids for message in world.heard if isinstance(message, m.Who)] == [[8, 9]]


async def test_a_name_that_is_not_told_is_none(world, client):
    assert await world.clock.until(client.name_of(12345)) is None


async def test_a_hundred_names_go_in_two_questions_not_faster_than_allowed(world, client):
    world.names = {avatar: f"N{avatar}" for avatar in range(8, 108)}
    names = await world.clock.until(_gather(client, range(8, 108)))
    assert names == [f"N{avatar}" for avatar in range(8, 108)]
    assert [len(message.ids) for message in world.heard if isinstance(message, m.Who)] == [64, 36]


async def test_wait_for_gives_the_first_event_that_fits(world, client):
    waiting = asyncio.ensure_future(client.wait_for(events.Spoke, lambda line: line.avatar == 9))
    await world.clock.calm()
    world.tell(m.Frame(1, b"", [m.Line(8, "Bo", 0, "Hi"), m.Line(9, "Cy", 0, "Ho")]))
    assert (await waiting).text == "Ho"
    with pytest.raises(TimedOut, match="Spoke"):
        await world.clock.until(client.wait_for(events.Spoke, timeout=1.0))


async def test_wait_for_takes_event_classes_alone(world, client):
    with pytest.raises(TypeError, match="expected an event class, like Spoke; got 'Spoke'"):
        await client.wait_for("Spoke")


async def test_wait_for_ends_with_its_client(world, client):
    waiting = asyncio.ensure_future(client.wait_for(events.Spoke))
    await world.clock.calm()
    world.pipe.cut(4001)
    with pytest.raises(Disconnected):
        await waiting


async def test_a_listener_that_fails_harms_nobody_else(world, client, caplog):
    heard = []
    client.listen(lambda event: 1 / 0)
    client.listen(heard.append)
    world.tell(m.Whispered(8, "Bo", "psst"))
    await world.clock.calm()
    assert kinds(heard, events.Whispered) == [events.Whispered(8, "Bo", "psst")]
    assert "ZeroDivisionError" in caplog.text


async def test_bodies_are_let_go_by_time_without_a_frame(world, client, told):
    tick = world.server_ms // 50
    world.tell(m.Area(tick, 0, 0, 2, [0], body_of(enter((0, 0), (0, 8, word_of(0, 64, 64))))))
    world.tell(m.Frame(tick, body_of([1 | 1 << 40, 8 << 12])))
    await world.clock.run(2.0)
    assert len(kinds(told, events.AvatarLeft)) == 1


async def test_terrain_of_a_region_that_is_not_there_raises_after_some_tries(world, client):
    world.tell(m.Region(0, 0, 0, "ab" * 32, "noise"))
    await world.clock.calm()
    with pytest.raises(ContentError, match="404"):
        await world.clock.until(client.terrain.wait(1.0, 1.0, timeout=100.0))
    assert len(world.fetched) == 5


async def _gather(client, ids):
    return await asyncio.gather(*(client.name_of(avatar) for avatar in ids))
