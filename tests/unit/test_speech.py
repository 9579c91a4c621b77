import pytest

from sim_world import SimWorld, Watcher
from worldloom.replication.feed import Speak
from worldloom.replication.speech import EARS_BURST, EARS_PER_TICK, LINES_A_TICK
from worldloom_sdk.protocol.messages import Frame, SayKind

SAY, SHOUT, REGION = 20 * 64, 100 * 64, -1
SPEAKER = 1


class Square(SimWorld):
    """People who stand where they are put and hear."""

    def __init__(self) -> None:
        super().__init__()
        self.stand(SPEAKER, 10.0, 10.0)

    def stand(
        self, avatar: int, x: float, z: float, layers: tuple[int, ...] = (0,), layer: int = 0
    ) -> Watcher:
        return self.join(avatar, x, z, layer, layers)

    def say(self, text: str, reach: int = SAY, avatar: int = SPEAKER, kind: int = SayKind.SAY) -> None:
        self.uplink.control(Speak(avatar, f"name {avatar}", kind, text, reach))


def heard(watcher: Watcher) -> list[str]:
    return [line.text for m in watcher.received if isinstance(m, Frame) for line in m.lines]


@pytest.fixture
def square() -> Square:
    return Square()


@pytest.mark.parametrize(("reach", "metres"), [(SAY, 20), (SHOUT, 100)])
def test_speech_reaches_exactly_as_far_as_it_should(square, reach, metres):
    along_x = [square.stand(10 + n, 10 + metres + n / 64, 10) for n in (-1, 0, 1)]
    # 3-4-5: exactly the same way, and a unit more.
    aslant = [square.stand(20 + n, 10 - 0.6 * metres, 10 - 0.8 * metres - n / 64) for n in (0, 1)]
    square.tick()
    square.say("hello", reach)
    square.tick()
    assert [heard(w) for w in along_x] == [["hello"], ["hello"], []]
    assert [heard(w) for w in aslant] == [["hello"], []]


def test_who_speaks_hears_the_line_too(square):
    square.tick()
    square.say("echo")
    square.tick()
    assert heard(square.watchers[SPEAKER]) == ["echo"]


def test_what_is_remembered_of_the_same_lines_is_one_object_for_all_who_heard_them(square):
    ears = [square.stand(10 + n, 12, 10 + n / 8) for n in range(8)]
    square.join(40, 10, 10)
    ears[7].seat.blocked.add(40)
    square.tick(3)
    square.say("hello")
    square.say("and from me", avatar=40)
    square.tick()
    told = [ear.seat.heard[-1] for ear in ears]
    assert all(one is told[0] for one in told[:7])
    assert [line.text for line in told[0][1]] == ["hello", "and from me"]
    assert [line.text for line in told[7][1]] == ["hello"]


def test_a_line_comes_with_its_speaker_name_kind_and_text_in_the_frame_of_its_tick(square):
    ear = square.stand(2, 12, 10)
    square.tick(3)
    square.say("good day", SHOUT, kind=SayKind.SHOUT)
    square.tick()
    (frame,) = [m for m in ear.received if isinstance(m, Frame) and m.lines]
    (line,) = frame.lines
    assert (line.avatar, line.name, line.kind, line.text) == (SPEAKER, "name 1", SayKind.SHOUT, "good day")
    assert frame.tick == square.tick_number


def test_to_the_region_speech_reaches_all_of_it_and_nothing_else(square):
    inside = [square.stand(2, 0, 0), square.stand(3, 255.9, 255.9), square.stand(4, 255.9, 0)]
    outside = [square.stand(5, -0.1, 10), square.stand(6, 10, 256.0), square.stand(7, 300, 300)]
    square.tick()
    square.say("dear neighbours", REGION)
    square.tick()
    assert [heard(w) for w in inside] == [["dear neighbours"]] * 3
    assert [heard(w) for w in outside] == [[]] * 3


def test_speech_sounds_from_where_the_body_stands_when_it_is_taken(square):
    ear = square.stand(2, 35, 10)
    square.tick()
    square.move(SPEAKER, 18, 10)
    square.say("still far away")
    square.tick()
    square.say("near enough")
    square.tick()
    assert heard(ear) == ["near enough"]


def test_of_many_lines_the_nearest_twenty_are_heard_nearest_first(square):
    ear = square.stand(2, 0, 0)
    speakers = list(range(100, 100 + LINES_A_TICK + 5))
    for avatar in speakers:
        # The later they come, the nearer they stand.
        square.stand(avatar, 0.5 * (speakers[-1] + 1 - avatar), 0)
    square.tick()
    for avatar in speakers:
        square.say(str(avatar), avatar=avatar)
    square.tick()
    assert heard(ear) == [str(avatar) for avatar in reversed(speakers)][:20]


def test_blocked_speakers_are_not_heard_and_leave_room_for_others(square):
    ear = square.stand(2, 0, 0)
    for avatar in range(100, 125):
        square.stand(avatar, 0.1 * (avatar - 99), 0)
    square.tick()
    for avatar in range(100, 110):
        square.fanout.block(ear.seat, avatar, True)
    square.tick()
    for avatar in range(100, 125):
        square.say(str(avatar), avatar=avatar)
    square.tick()
    assert heard(ear) == [str(avatar) for avatar in range(110, 125)]


def test_a_listener_out_of_earshot_gets_no_frame_for_it(square):
    ear = square.stand(2, 60, 10)
    square.tick(20)
    before = ear.bytes
    square.say("hello")
    square.tick()
    assert ear.bytes == before


def test_lines_ride_in_one_frame_with_the_words_of_the_tick(square):
    ear = square.stand(2, 12, 10)
    square.tick(5)
    ear.received.clear()
    square.move(SPEAKER, 10.5, 10)
    square.say("and off I go")
    square.tick()
    (frame,) = ear.received
    assert [line.text for line in frame.lines] == ["and off I go"]
    assert frame.body


def test_speech_of_a_body_that_is_not_in_the_world_is_nothing(square):
    ear = square.stand(2, 12, 10)
    square.tick()
    square.say("boo", avatar=999)
    square.tick()
    assert heard(ear) == []


def test_speech_from_a_layer_is_heard_only_by_those_who_see_that_layer(square):
    staff = square.stand(2, 11, 10, layers=(0, 1), layer=1)
    hidden, public = square.stand(3, 12, 10, layers=(0, 1), layer=1), square.stand(4, 13, 10)
    square.tick()
    square.say("between us", avatar=3)
    square.say("for all", avatar=SPEAKER)
    square.tick()
    assert heard(staff) == ["between us", "for all"]
    assert heard(hidden) == ["between us", "for all"]
    assert heard(public) == ["for all"]


def test_a_viewer_whose_buffer_is_full_misses_the_lines(square):
    ear = square.stand(2, 12, 10)
    square.tick(2)
    square.fanout.pause(ear.seat)
    square.say("lost")
    square.tick()
    square.fanout.drained(ear.seat)
    square.tick()
    square.say("found")
    square.tick()
    assert heard(ear) == ["found"]


def test_however_much_is_said_a_viewer_gets_no_more_of_it_than_its_ears_hold(square):
    ear = square.stand(2, 12, 10)
    square.tick(3)
    ticks = 60
    for _ in range(ticks):
        for _ in range(10):
            square.say("x" * 480)
        square.tick()
    size = sum(len(text) for text in heard(ear))
    assert 0.9 * EARS_PER_TICK * ticks < size <= EARS_BURST + EARS_PER_TICK * ticks
