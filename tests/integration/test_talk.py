"""Speech, whispers and signals, from socket to socket: who hears what, and how much of it."""

import asyncio
import struct
from pathlib import Path

import pytest

from live_server import Live, Player, live_world
from raw_ws import eventually
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import decode_server, encode
from worldloom_sdk.protocol.looks import default_look
from worldloom_sdk.protocol.messages import RefusalCode, SayKind

pytestmark = pytest.mark.slow

BORDER = {"spawn_x_m": 250.0}
"""Newcomers are set down 6 m west of the border between regions (0, 0) and (1, 0)."""


async def says(player: Player, text: str, kind: int = SayKind.SAY) -> m.Done | m.Refused:
    player.command = getattr(player, "command", 0) + 1  # type: ignore[attr-defined]
    return await player.ask(m.Say(player.command, kind, text))  # type: ignore[attr-defined]


def heard(player: Player) -> list[str]:
    return [line.text for line in player.lines]


async def all_heard(live: Live, *players: Player) -> None:
    """Wait until what was said before has reached everybody whom it reaches."""
    await live.ticks(2)
    for player in players:
        await player.ping()


@pytest.mark.parametrize(
    ("kind", "far"), [(SayKind.SAY, 20), (SayKind.SHOUT, 100)], ids=["say 20 m", "shout 100 m"]
)
async def test_a_line_is_heard_within_its_reach_and_not_beyond(tmp_path: Path, kind: int, far: int) -> None:
    async with live_world(tmp_path) as live:
        speaker = await live.join_at(78, 78, "Ada")
        near = await live.join_at(78 + far - 1, 78)
        beyond = await live.join_at(78, 78 + far + 1)
        assert isinstance(await says(speaker, "Hello!", kind), m.Done)
        await near.until(lambda: near.lines)
        assert near.lines == [m.Line(speaker.you, "Ada", kind, "Hello!")]
        await all_heard(live, beyond)
        assert beyond.lines == []


async def test_a_region_wide_line_is_heard_in_the_whole_region_and_not_next_door(tmp_path: Path) -> None:
    async with live_world(tmp_path, world=BORDER) as live:
        speaker = await live.join("Ada")
        await speaker.until(lambda: any((r.rx, r.state) == (1, 0) for r in speaker.all_of(m.Region)))
        far = await live.join_at(170, 90)
        neighbour = await live.join()
        await eventually(lambda: (1, 0) in live.world.land)
        neighbour.move(258, 128)
        await eventually(lambda: live.where(neighbour.you) == (258, 128))
        await says(speaker, "all of you", SayKind.REGION)
        await far.until(lambda: far.lines)
        await says(speaker, "you two", SayKind.SAY)
        await neighbour.until(lambda: neighbour.lines)
        assert heard(neighbour) == ["you two"]
        await all_heard(live, far)
        assert heard(far) == ["all of you"]


async def test_a_line_rides_in_a_frame_and_the_speaker_hears_it_too(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        speaker, other = await live.join("Ada"), await live.join()
        await says(speaker, "Hello!")
        for player in (speaker, other):
            frame = await player.next(m.Frame, lambda frame: bool(frame.lines))
            assert frame.lines == [m.Line(speaker.you, "Ada", 0, "Hello!")]


async def test_twenty_lines_at_most_come_in_one_frame_and_the_nearest_first(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        listener = await live.join()
        speakers = await asyncio.gather(*(live.join_at(128 + n / 4, 128) for n in range(1, 26)))
        for number, speaker in enumerate(speakers):
            speaker.send(m.Say(1, 0, f"{number}"))
        await listener.until(lambda: len(listener.lines) >= 20)
        frames = [frame.lines for frame in listener.all_of(m.Frame) if frame.lines]
        assert max(map(len, frames)) <= 20
        assert all(
            [int(line.text) for line in lines] == sorted(int(line.text) for line in lines) for lines in frames
        )


async def test_a_whisper_reaches_one_alone(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        speaker, friend, other = [await live.join_at(128, 128 + n, f"Nn{n}x") for n in range(3)]
        assert isinstance(await speaker.ask(m.Whisper(1, friend.you, " psst\u202e\n")), m.Done)
        assert await friend.next(m.Whispered) == m.Whispered(speaker.you, speaker.welcome.name, "psst")
        await all_heard(live, other)
        assert not other.all_of(m.Whispered)


@pytest.mark.parametrize("lost", [False, True], ids=["nobody", "somebody whose connection is lost"])
async def test_a_whisper_or_signal_to_who_is_not_there_is_refused(tmp_path: Path, lost: bool) -> None:
    async with live_world(tmp_path) as live:
        speaker, friend = await live.join(), await live.join()
        to = friend.you if lost else 12345
        await friend.drop()
        await eventually(lambda: bool(live.world.gateway._lost))
        for command in (m.Whisper(1, to, "psst"), m.Signal(2, to, "game", b"x")):
            answer = await speaker.ask(command)
            assert (answer.id, answer.code) == (command.id, RefusalCode.NOT_FOUND)


async def test_a_signal_reaches_one_or_all_within_100_m(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        sender = await live.join_at(78, 78)
        near, far = await live.join_at(78 + 99, 78), await live.join_at(78, 78 + 101)
        assert isinstance(await sender.ask(m.Signal(1, 0, "game", b"\0area")), m.Done)
        assert isinstance(await sender.ask(m.Signal(2, far.you, "game", b"\0one")), m.Done)
        assert await near.next(m.Signalled) == m.Signalled(sender.you, "game", b"\0area")
        assert await far.next(m.Signalled) == m.Signalled(sender.you, "game", b"\0one")
        await all_heard(live, sender, near, far)
        assert (len(near.all_of(m.Signalled)), sender.all_of(m.Signalled)) == (1, [])


async def test_control_and_bidirectional_characters_are_taken_out(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        speaker, other = await live.join(), await live.join()
        await says(speaker, "a\x07b\u202ec\u200bd\n e\x1b[31m")
        await other.until(lambda: other.lines)
        assert heard(other) == ["abcd e[31m"]


@pytest.mark.parametrize("text", ["", "   ", "\u202e\u200b", "\n\t\x00"])
async def test_what_shows_nothing_is_refused(tmp_path: Path, text: str) -> None:
    async with live_world(tmp_path) as live:
        speaker = await live.join()
        answer = await says(speaker, text)
        assert (answer.id, answer.code) == (1, RefusalCode.INVALID)
        whisper = await speaker.ask(m.Whisper(9, speaker.you, text))
        assert whisper.code == RefusalCode.INVALID


@pytest.mark.parametrize("limit", [500, 40])
async def test_a_line_over_the_limit_is_refused_under_its_own_number(tmp_path: Path, limit: int) -> None:
    async with live_world(tmp_path, limits={"text_chars": limit}) as live:
        speaker, other = await live.join(), await live.join()
        assert speaker.welcome.limits.text_chars == limit
        refused = await speaker.ask(m.Say(41, 0, "x" * (limit + 1)))
        assert (refused.id, refused.code) == (41, RefusalCode.INVALID)
        assert str(limit) in refused.text
        assert isinstance(await speaker.ask(m.Say(42, 0, "x" * limit)), m.Done)
        await other.until(lambda: other.lines)
        assert heard(other) == ["x" * limit]


async def test_speech_beyond_the_rate_is_refused_with_the_time_to_wait(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        speaker, other = await live.join(), await live.join()
        answers = [await says(speaker, f"{number}") for number in range(10)]
        done, refused = answers[:8], answers[8:]
        assert {type(answer) for answer in done} == {m.Done}
        assert {answer.code for answer in refused} == {RefusalCode.RATE}
        assert all(0 < answer.retry_after_ms <= 1_300 for answer in refused)
        assert isinstance(await speaker.ask(m.Whisper(77, other.you, "psst")), m.Refused)
        await all_heard(live, other)
        assert heard(other) == [f"{number}" for number in range(8)]


async def test_commands_beyond_the_rate_are_refused_and_do_not_close(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        sender, other = await live.join(), await live.join()
        answers = [await sender.ask(m.Signal(number, other.you, "g", b"")) for number in range(1, 41)]
        refused = [answer for answer in answers if isinstance(answer, m.Refused)]
        assert {answer.code for answer in refused} == {RefusalCode.RATE}
        assert all(0 < answer.retry_after_ms <= 101 for answer in refused)
        assert 20 <= len(answers) - len(refused) < 40
        assert [answer.id for answer in answers] == list(range(1, 41))
        assert not sender.gone


async def test_blocked_people_are_neither_seen_nor_heard(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        pest, player = await live.join("Pest"), await live.join("Ada")
        await player.until(lambda: player.sees(pest.you))
        assert isinstance(await player.ask(m.Block(1, pest.you, True)), m.Done)
        await player.until(lambda: not player.sees(pest.you))
        at = len(player.received)
        await says(pest, "hey", SayKind.SHOUT)
        assert (await pest.ask(m.Whisper(50, player.you, "hey you"))).code == RefusalCode.NOT_FOUND
        assert (await pest.ask(m.Signal(51, player.you, "g", b"hey"))).code == RefusalCode.NOT_FOUND
        assert isinstance(await pest.ask(m.Signal(52, 0, "g", b"hey all")), m.Done)
        pest.move(120, 120)
        await eventually(lambda: live.where(pest.you) == (120, 120))
        player.send(m.Who([pest.you]))
        assert (await player.next(m.People)).people == []
        await all_heard(live, player)
        assert (player.lines, player.all_of(m.Whispered), player.all_of(m.Signalled)) == ([], [], [])
        assert all(not isinstance(message, m.Whispered | m.Signalled) for message in player.received[at:])
        assert isinstance(await player.ask(m.Block(2, pest.you, False)), m.Done)
        await player.sees_at(pest.you, 120, 120)
        await says(pest, "at last")
        await player.until(lambda: heard(player) == ["at last"])


async def test_64_may_be_blocked_and_not_oneself_nor_nobody(tmp_path: Path) -> None:
    async with live_world(tmp_path, limits={"commands_per_s": 1_000}) as live:
        player = await live.join()
        others = [(await live.join()).you for _ in range(65)]
        for number, avatar in enumerate(others[:64], 1):
            assert isinstance(await player.ask(m.Block(number, avatar, True)), m.Done)
        assert (await player.ask(m.Block(65, others[64], True))).code == RefusalCode.INVALID
        assert isinstance(await player.ask(m.Block(66, others[63], True)), m.Done)
        assert (await player.ask(m.Block(67, player.you, True))).code == RefusalCode.INVALID
        assert isinstance(await player.ask(m.Block(68, others[63], False)), m.Done)
        assert (await player.ask(m.Block(69, 4, True))).code == RefusalCode.NOT_FOUND
        assert isinstance(await player.ask(m.Block(70, others[64], True)), m.Done)


async def test_names_are_told_to_who_asks_and_not_too_often(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        guest, resident = await live.join("Wes"), await live.join("Ada", keep=True)
        guest.send(m.Who([resident.you, guest.you, resident.you, 999]))
        people = (await guest.next(m.People)).people
        told = [(one.avatar, one.name, one.kind, one.look) for one in people]
        looks = [default_look(one.you).to_bytes() for one in (resident, guest)]
        assert told == [(resident.you, "Ada", "resident", looks[0]), (guest.you, "Wes", "guest", looks[1])]
        for _ in range(20):
            guest.send(m.Who([resident.you]))
        refused = await guest.next(m.Refused)
        assert (refused.id, refused.code) == (0, RefusalCode.RATE)
        assert 0 < refused.retry_after_ms <= 251


async def test_a_command_gets_exactly_one_answer(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player, other = await live.join(), await live.join()
        commands = [
            m.Say(1, 0, "a"),
            m.Say(2, 0, ""),
            m.Whisper(3, other.you, "a"),
            m.Whisper(4, 4, "a"),
            m.Signal(5, other.you, "c", b""),
            m.Signal(6, 6, "c", b""),
            m.Block(7, other.you, True),
            m.Block(8, player.you, True),
        ]
        wrong = [
            b"\x93\x04\x09\x07",
            b"\x95\x08\x0a\x01\xc3\xc3",
            encode([5, 11, 0, "a"]),
            b"\x93\x04\x0c\xc1",
        ]
        for command in [*commands, *wrong]:
            player.send(command)
        await player.until(lambda: len(player.all_of(m.Done) + player.all_of(m.Refused)) >= 12)
        await player.ping()
        answered = [answer.id for answer in player.all_of(m.Done) + player.all_of(m.Refused)]
        assert sorted(answered) == list(range(1, 13))
        assert sorted(answer.id for answer in player.all_of(m.Done)) == [1, 3, 5, 7]


async def test_what_is_said_reaches_no_stranger_of_another_layer_by_name(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        stranger, hidden = await live.join("Wes"), await live.join("Hidden One")
        live.hide(hidden, 5)
        await stranger.until(lambda: hidden.you in stranger.left)
        stranger.send(m.Who([hidden.you]))
        assert (await stranger.next(m.People)).people == []
        assert (await stranger.ask(m.Whisper(1, hidden.you, "psst"))).code == RefusalCode.NOT_FOUND
        assert (await stranger.ask(m.Signal(2, hidden.you, "g", b""))).code == RefusalCode.NOT_FOUND


def test_a_line_in_a_frame_decodes_as_it_was_packed() -> None:
    line = m.Line(7, "Ada", 0, "Hello!")
    assert decode_server(encode(m.Frame(3, struct.pack("<Q", 1), [line]))).lines == [line]


async def test_what_is_said_when_somebody_comes_into_view_reaches_the_newcomer(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        greeter = await live.join("Ada")
        for number in range(1, 4):
            newcomer = await live.dial()
            newcomer.send(m.Hello(1))
            await greeter.until(lambda: len(greeter.view.avatars) == 2)
            greeter.send(m.Say(number, SayKind.SAY, f"Welcome {number}!"))
            await newcomer.until(lambda who=newcomer: who.lines)
            assert heard(newcomer) == [f"Welcome {number}!"]
            await newcomer.leave()
            await greeter.until(lambda: len(greeter.view.avatars) == 1)


async def test_signals_to_one_who_cannot_keep_up_are_refused_and_do_not_close_it(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        receiver = await live.join()
        senders = [await live.join() for _ in range(4)]
        answers = [
            await s.ask(m.Signal(n, receiver.you, "x", bytes(1_000))) for s in senders for n in range(1, 9)
        ]
        refused = [answer for answer in answers if isinstance(answer, m.Refused)]
        assert {answer.code for answer in refused} == {RefusalCode.UNAVAILABLE}
        assert 10 <= len(answers) - len(refused) <= 24
        await receiver.ping()
        assert not receiver.gone
