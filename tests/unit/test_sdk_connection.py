"""The connection without I/O: bytes in, events out."""

import msgspec
import pytest

from sdk_peer import LIMITS, HandClock, body_of, enter, snapshot, word_of, words
from worldloom_sdk import events
from worldloom_sdk.avatar import Position
from worldloom_sdk.connection import Connection, State
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import ProtocolError, decode_client, encode

WELCOME = m.Welcome(1, 7, "Ada", "Hills", "w1", 1_000_000, 640, 1280, 32, 64, "resume-0123456789", LIMITS)


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def connection(clock):
    """In the world as Ada (7), at x=10 y=2 z=20, seeing nobody."""
    connection = Connection(clock.monotonic)
    connection.hello(name="Ada")
    connection.receive(encode(WELCOME))
    connection.receive(encode(m.Area(20_000, 0, 0, 2, [0], b"")))
    connection.receive(encode(m.AreaComplete(20_000)))
    return connection


def test_hello_and_welcome_make_a_joined_client():
    connection = Connection()
    hello = decode_client(connection.hello(name="Ada", client="test/1"))
    assert hello == m.Hello(1, "test/1", "Ada")
    (joined,) = connection.receive(encode(WELCOME))
    assert isinstance(joined, events.Joined)
    assert (joined.world, joined.me.id, joined.me.name, joined.me.position) == (
        "Hills",
        7,
        "Ada",
        (10.0, 2.0, 20.0),
    )
    assert connection.state is State.IN_WORLD


def test_a_refused_hello_says_why():
    connection = Connection()
    connection.hello()
    refused = connection.receive(encode(m.Refused(0, "full", "the world is full", "come back", 1500)))
    assert refused == [events.JoinRefused("full", "the world is full", "come back", 1.5)]


def test_a_second_hello_on_one_socket_is_an_error(connection):
    with pytest.raises(RuntimeError, match="IN_WORLD"):
        connection.hello()


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91\x07", encode(m.Done(1))[:-1], encode(WELCOME)])
def test_what_the_server_may_not_say_is_a_protocol_error(connection, data):
    with pytest.raises(ProtocolError):
        connection.receive(data)


def test_nothing_may_come_before_welcome_but_its_alternatives():
    connection = Connection()
    connection.hello()
    with pytest.raises(ProtocolError, match="expected Welcome"):
        connection.receive(encode(m.AreaComplete(1)))


def test_a_body_against_the_rules_is_a_protocol_error(connection):
    with pytest.raises(ProtocolError, match="Frame"):
        connection.receive(encode(m.Frame(20_001, b"1234567")))


def test_a_move_is_the_bytes_that_every_messagepack_library_writes(connection):
    data = connection.move(-1.0, 2.5, None, yaw=0.0, gesture=1)
    assert data == bytes.fromhex("9202c410") + bytes.fromhex("01000000c0ffffffa000000000800001")
    assert data == encode(decode_client(data))
    assert connection.position == Position(-1.0, 2.0, 2.5)
    assert connection.seq == 1


@pytest.mark.parametrize(
    "bad", [(float("nan"), 0.0), (0.0, float("inf")), (1e9, 0.0), (0.0, 0.0, 1e6), (0.0, 0.0, None, 0.0, 64)]
)
def test_a_move_out_of_range_is_refused_here_and_changes_nothing(connection, bad):
    with pytest.raises(ValueError, match="expected"):
        connection.move(*bad)
    assert (connection.seq, connection.position) == (0, Position(10.0, 2.0, 20.0))


def test_a_correction_says_where_the_body_is_and_what_was_wanted(connection):
    for x in (11.0, 12.0, 13.0):
        connection.move(x, 20.0)
    (corrected,) = connection.receive(encode(m.Correction(2, 704, 1280, 48, 64, m.CorrectionReason.FULL)))
    assert corrected == events.Corrected(
        2, m.CorrectionReason.FULL, Position(11.0, 3.0, 20.0), Position(12.0, 2.0, 20.0)
    )
    assert connection.position == Position(11.0, 3.0, 20.0)


def test_a_correction_for_a_reason_of_a_newer_world_has_none(connection):
    (corrected,) = connection.receive(encode(m.Correction(0, 0, 0, 0, 0, 99)))
    assert corrected.reason is None


def test_height_on_the_ground_is_known_when_the_server_shows_it(connection):
    connection.move(11.0, 20.0)
    assert not connection.height_known
    body = body_of(enter((0, 0), (0, 7, word_of(0, 704, 1280, 80))))
    assert connection.receive(encode(m.Frame(20_001, body))) == []
    assert connection.height_known
    assert connection.position == Position(11.0, 5.0, 20.0)
    assert connection.me.y == 5.0


def test_who_comes_and_goes_is_told(connection):
    entered = connection.receive(encode(m.Frame(20_001, body_of(enter((0, 0), (0, 8, word_of(0, 64, 64)))))))
    connection.receive(encode(m.People([m.Named(8, "Bo", "guest")])))
    left = connection.receive(encode(m.Frame(20_002, body_of([1 | 1 << 40, 0]))))
    assert [event.avatar.id for event in entered] == [8]
    (gone,) = left
    assert isinstance(gone, events.AvatarLeft)
    assert (gone.avatar.name, gone.avatar.kind) == ("Bo", "guest")


def test_moves_of_others_are_told_only_to_who_asks(connection):
    connection.receive(encode(m.Frame(20_001, body_of(enter((0, 0), (0, 8, word_of(0, 64, 64)))))))
    walk = encode(m.Frame(20_002, body_of(words((0, 0), [word_of(0, 128, 64)]))))
    assert connection.receive(walk) == []
    connection.view.report_moves = True
    assert connection.receive(walk) == [events.AvatarsMoved(20_002, (8,))]


def test_speech_rides_in_frames_and_own_lines_are_marked(connection):
    lines = [m.Line(8, "Bo", 1, "Hey!"), m.Line(7, "Ada", 0, "What?"), m.Line(9, "Cy", 77, "?")]
    assert connection.receive(encode(m.Frame(20_001, b"", lines))) == [
        events.Spoke(8, "Bo", m.SayKind.SHOUT, "Hey!"),
        events.Spoke(7, "Ada", m.SayKind.SAY, "What?", mine=True),
        events.Spoke(9, "Cy", m.SayKind.SAY, "?"),
    ]


def test_each_command_gets_its_one_answer(connection):
    say, signal = connection.say("Hello"), connection.signal("chess", b"e2e4", to=8)
    assert decode_client(say.data) == m.Say(say.id, m.SayKind.SAY, "Hello")
    assert connection.pending == {say.id: "Say", signal.id: "Signal"}
    assert connection.receive(encode(m.Done(signal.id))) == [events.CommandDone(signal.id, "Signal")]
    refused = connection.receive(encode(m.Refused(say.id, "rate", "too much", "wait", 2000)))
    assert refused == [events.CommandRefused(say.id, "Say", "rate", "too much", "wait", 2.0)]
    assert connection.pending == {}


@pytest.mark.parametrize(
    "command",
    [
        lambda c: c.say("x" * 501),
        lambda c: c.whisper(0, "to nobody"),
        lambda c: c.signal("", b""),
        lambda c: c.signal("c", bytes(1025)),
        lambda c: c.who([]),
        lambda c: c.who(range(1, 66)),
    ],
)
def test_a_command_out_of_bounds_is_refused_here_and_waits_for_nothing(connection, command):
    with pytest.raises(ValueError, match=r"Expected|expected"):
        command(connection)
    assert connection.pending == {}


def test_commands_without_a_socket_are_an_error_and_lost_ones_are_named(connection):
    say = connection.say("Hello")
    assert connection.lost() == [say.id]
    with pytest.raises(RuntimeError, match="LOST"):
        connection.say("anybody?")


def test_server_time_follows_the_quickest_pong(connection, clock):
    assert connection.server_ms == 1_000_000
    sent = decode_client(connection.ping())
    clock.now += 0.2
    (pong,) = connection.receive(encode(m.Pong(sent.client_ms, 1_005_100)))
    assert pong.rtt == pytest.approx(0.2)
    assert connection.server_ms == pytest.approx(1_005_200)
    slow = decode_client(connection.ping())
    clock.now += 2.0
    connection.receive(encode(m.Pong(slow.client_ms, 1_009_999)))
    assert connection.server_ms == pytest.approx(1_007_200)


def test_time_alone_lets_go_of_a_body_that_came_to_no_other_cell(connection, clock):
    connection.receive(encode(m.Frame(20_001, body_of(enter((0, 0), (0, 8, word_of(0, 64, 64)))))))
    connection.receive(encode(m.Frame(20_002, body_of([1 | 1 << 40, 0 | 8 << 12]))))
    clock.now += 0.3
    assert connection.idle() == []
    clock.now += 0.2
    assert [type(event) for event in connection.idle()] == [events.AvatarLeft]


def test_a_resumed_session_keeps_its_picture_until_the_new_one_is_whole(connection):
    two = snapshot((0, 0), (0, 8, word_of(0, 64, 64)), (1, 9, word_of(1, 64, 64)))
    connection.receive(encode(m.Area(20_001, 0, 0, 2, [0], body_of(two))))
    seq = connection.seq
    connection.lost()
    assert decode_client(connection.hello(resume=WELCOME.resume)).resume == WELCOME.resume
    (resumed,) = connection.receive(encode(msgspec.structs.replace(WELCOME, resumed=True)))
    assert isinstance(resumed, events.Resumed)
    one = body_of(snapshot((0, 0), (5, 9, word_of(5, 64, 64))))
    assert connection.receive(encode(m.Area(20_500, 0, 0, 2, [0], one))) == []
    left, complete = connection.receive(encode(m.AreaComplete(20_500)))
    assert (left.avatar.id, complete) == (8, events.PictureComplete(20_500))
    assert connection.seq == seq


def test_a_fresh_join_after_a_loss_begins_with_an_empty_picture(connection):
    one = snapshot((0, 0), (0, 8, word_of(0, 64, 64)))
    connection.receive(encode(m.Area(20_001, 0, 0, 2, [0], body_of(one))))
    connection.lost()
    connection.hello()
    left, joined = connection.receive(encode(msgspec.structs.replace(WELCOME, you=70)))
    assert (left.avatar.id, joined.me.id, set(connection.view.avatars)) == (8, 70, {70})


def test_plain_news_becomes_events(connection):
    told = [
        m.Whispered(8, "Bo", "psst"),
        m.Signalled(8, "chess", b"e7e5"),
        m.Region(1, -2, 0, "ab" * 32, "noise"),
        m.Region(1, -2, 1),
        m.Goodbye("restart", "back soon", 5000),
        m.People([m.Named(8, "Bo", "guest")]),
    ]
    assert [event for message in told for event in connection.receive(encode(message))] == [
        events.Whispered(8, "Bo", "psst"),
        events.Signalled(8, "chess", b"e7e5"),
        events.RegionWoven(1, -2, "ab" * 32, "noise"),
        events.RegionWeaving(1, -2),
        events.Farewell("restart", "back soon", 5.0),
        events.NamesKnown((8,)),
    ]
