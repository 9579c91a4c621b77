"""Coming in, coming back and being turned away, over real sockets."""

import asyncio
import itertools
import sqlite3
import struct
from pathlib import Path

import pytest

from live_server import PATIENCE_S, Live, Player, live_world
from raw_ws import BINARY, TEXT, eventually, frame
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import encode

pytestmark = pytest.mark.slow

HELLO = m.Hello(m.PROTOCOL_VERSION, "test", "Ada")
UNKNOWN = "u" * 43


def rows(data: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{data / 'world.db'}?mode=ro", uri=True) as database:
        found = database.execute(query).fetchall()
    database.close()
    return found


async def answer(live: Live, *sent: m.Hello | bytes) -> tuple[Player, int]:
    """What becomes of a connection that sends this first."""
    player = await live.dial()
    payloads = (message if isinstance(message, bytes) else encode(message) for message in sent)
    player.send_bytes(b"".join(frame(BINARY, payload) for payload in payloads))
    return player, await player.closed()


# ---- coming in


async def test_hello_is_answered_with_welcome_and_the_limits_of_this_world(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.dial()
        welcome = await player.hello("Ada Lovelace")
        assert (welcome.version, welcome.name, welcome.world) == (1, "Ada Lovelace", "Worldloom")
        assert (welcome.x, welcome.z, welcome.resumed, welcome.token) == (128 * 64, 128 * 64, False, None)
        assert welcome.you >= 1 << 31
        assert welcome.world_id == live.world.row.world_id
        assert welcome.limits == m.Limits(6400, 320, 30, 500, 2, 30_000)
        assert isinstance(player.received[0], m.Welcome)
        await player.next(m.AreaComplete)


async def test_a_welcome_is_followed_by_the_picture_and_the_land(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.join("Ada")
        await player.next(m.AreaComplete)
        near = {(rx, rz) for rx in (-1, 0, 1) for rz in (-1, 0, 1)}
        await player.until(lambda: {(r.rx, r.rz) for r in woven(player)} == near)
        assert {(len(r.sha256), r.source) for r in woven(player)} == {(64, "noise")}


def woven(player: Player) -> list[m.Region]:
    """The regions that a player was told to be made."""
    return [region for region in player.all_of(m.Region) if region.state == m.RegionState.WOVEN]


async def test_a_ping_is_answered_with_world_time(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.join()
        player.send(m.Ping(77))
        pong = await player.next(m.Pong)
        assert pong.client_ms == 77
        assert 0 <= live.world.clock.world_ms() - pong.server_ms < 10_000


async def test_a_guest_without_a_name_is_given_one(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first, second = await live.join(), await live.join("  ")
        assert first.welcome.name.startswith("Guest ")
        assert first.welcome.name != second.welcome.name


HELLO_REFUSALS = {
    "another version": (m.Hello(2), m.RefusalCode.VERSION, m.CloseCode.PROTOCOL),
    "an unknown token": (m.Hello(1, token=UNKNOWN), m.RefusalCode.TOKEN, m.CloseCode.POLICY),
    "a name of one letter": (m.Hello(1, "t", "A"), m.RefusalCode.NAME_INVALID, m.CloseCode.POLICY),
    "a reserved name": (m.Hello(1, "t", "adm1n"), m.RefusalCode.NAME_INVALID, m.CloseCode.POLICY),
    "an account without a name": (m.Hello(1, keep=True), m.RefusalCode.NAME_INVALID, m.CloseCode.POLICY),
}


@pytest.mark.parametrize("case", HELLO_REFUSALS)
async def test_a_hello_that_cannot_be_granted_is_refused_with_its_code(tmp_path: Path, case: str) -> None:
    hello, code, close_code = HELLO_REFUSALS[case]
    async with live_world(tmp_path) as live:
        player, closed_with = await answer(live, hello)
        refused, goodbye = player.received
        assert isinstance(refused, m.Refused)
        assert isinstance(goodbye, m.Goodbye)
        assert (refused.id, refused.code, goodbye.code, closed_with) == (0, code, code, close_code)
        assert refused.text
        assert len(live.world.gateway.roster) == 0


async def test_a_full_world_says_when_to_come_again(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"max_sessions": 2}) as live:
        await live.join("Ada", keep=True)
        await live.join()
        player, code = await answer(live, m.Hello(1))
        refused = player.all_of(m.Refused)[0]
        assert (refused.code, code) == (m.RefusalCode.FULL, m.CloseCode.BUSY)
        assert refused.retry_after_ms > 0


async def test_many_who_come_at_once_are_never_more_than_the_world_holds(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"max_sessions": 5}) as live:
        players = [await live.dial() for _ in range(20)]
        for player in players:
            player.send(m.Hello(1))
        for player in players:
            await player.until(lambda player=player: player.received)
        assert len(live.world.gateway.roster) == 5
        assert [type(player.received[0]) for player in players].count(m.Welcome) == 5


async def test_nobody_loses_a_name_to_a_world_that_was_full(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"max_sessions": 1}) as live:
        first = await live.join()
        _, code = await answer(live, m.Hello(1, "t", "Ada", keep=True))
        assert code == m.CloseCode.BUSY
        await first.leave()
        await eventually(lambda: len(live.world.gateway.roster) == 0)
        assert (await live.join("Ada", keep=True)).welcome.token


async def test_more_joins_a_second_than_allowed_are_asked_to_wait(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"joins_per_s": 3}) as live:
        players = [await live.dial() for _ in range(6)]
        for player in players:
            player.send(m.Hello(1))
        for player in players:
            await player.until(lambda player=player: player.received)
        refused = [p.received[0] for p in players if isinstance(p.received[0], m.Refused)]
        assert {r.code for r in refused} == {m.RefusalCode.RATE}
        assert all(r.retry_after_ms >= 1_000 for r in refused)
        assert 1 <= len(refused) <= 3


# ---- breaking the rules

BEFORE_WELCOME = {
    "a move": (encode(m.Move(bytes(16))), m.CloseCode.PROTOCOL),
    "a ping": (encode(m.Ping(1)), m.CloseCode.PROTOCOL),
    "speech": (encode(m.Say(1, 0, "hi")), m.CloseCode.PROTOCOL),
    "leave": (encode(m.Leave()), m.CloseCode.PROTOCOL),
    "a server's message": (encode(m.Done(1)), m.CloseCode.BAD_PAYLOAD),
    "nothing": (b"", m.CloseCode.BAD_PAYLOAD),
    "no MessagePack": (b"\xc1", m.CloseCode.BAD_PAYLOAD),
    "a map": (b"\x81\x01\x02", m.CloseCode.BAD_PAYLOAD),
    "a version that is no number": (b"\x92\x01\xa11", m.CloseCode.BAD_PAYLOAD),
    "over 4 KiB": (b"\x92\x01" + bytes(4095), m.CloseCode.TOO_BIG),
}


@pytest.mark.parametrize("case", BEFORE_WELCOME)
async def test_what_is_no_hello_closes_before_welcome(tmp_path: Path, case: str) -> None:
    payload, code = BEFORE_WELCOME[case]
    async with live_world(tmp_path) as live:
        neighbour = await live.join()
        player, closed_with = await answer(live, payload)
        assert (closed_with, player.received) == (code, [])
        await neighbour.ping()


async def test_text_closes_with_1003_before_and_after_welcome(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        before, after = await live.dial(), await live.join()
        for player in (before, after):
            player.send_bytes(frame(TEXT, b"hello"))
            assert await player.closed() == m.CloseCode.NOT_BINARY


@pytest.mark.parametrize("second", [HELLO, m.Ping(1)], ids=["hello", "ping"])
async def test_a_second_message_right_behind_hello_closes(tmp_path: Path, second: m.Hello | m.Ping) -> None:
    async with live_world(tmp_path) as live:
        player, code = await answer(live, HELLO, encode(second))
        assert code == m.CloseCode.PROTOCOL
        assert not player.all_of(m.Refused), "Refused would read as an answer to Hello"
        await eventually(lambda: not live.world.gateway._joining)


async def test_a_move_right_behind_hello_closes_even_while_the_body_is_set_down(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.dial()
        player.send(HELLO)
        await eventually(lambda: len(live.world.gateway.roster) == 1)
        player.send(m.Who([1]))
        await player.until(lambda: player.received or player.gone)
        assert not player.all_of(m.Refused)


async def test_a_second_hello_after_welcome_is_refused(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.join("Ada")
        player.send(HELLO)
        refused = await player.next(m.Refused)
        assert refused.code == m.RefusalCode.STATE
        await player.ping()


async def test_a_message_of_64_kib_is_read_after_welcome_and_a_larger_one_closes(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.join()
        player.send(b"\x93\x04\x01" + b"\xc6" + struct.pack(">I", 65_536 - 8) + bytes(65_536 - 8))
        assert (await player.next(m.Refused)).code == m.RefusalCode.INVALID
        player.send_bytes(frame(BINARY, bytes(65_537)))
        assert await player.closed() == m.CloseCode.TOO_BIG


async def test_who_says_no_hello_in_time_is_closed(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"hello_timeout_s": 0.1}) as live:
        assert await (await live.dial()).closed() == m.CloseCode.POLICY


async def test_who_drips_a_hello_is_closed_in_time(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"hello_timeout_s": 0.2}) as live:
        player = await live.dial()
        whole = frame(BINARY, encode(HELLO))
        player.send_bytes(whole[:5])
        await player.until(lambda: player.close_code)
        assert player.close_code == m.CloseCode.POLICY


async def test_ten_wrong_commands_are_answered_and_then_close(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.join()
        for _ in range(10):
            player.send(b"\x91\x63")
        assert await player.closed() == m.CloseCode.POLICY
        assert [refused.code for refused in player.all_of(m.Refused)] == [m.RefusalCode.INVALID] * 10


async def test_nothing_counts_after_the_server_has_closed(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, offender = await live.join(), await live.join()
        offender.move(100, 100)
        await watcher.sees_at(offender.you, 100, 100)
        offender.transport.pause_reading()
        for _ in range(10):
            offender.send(b"\x91\x63")
        session = live.world.gateway.roster.find(offender.you)
        await eventually(lambda: not session.socket.is_open)
        for step in range(5):
            offender.move(101 + step, 100)
            watcher.move(90 + step, 90)
            await live.ticks(2)
        assert live.where(offender.you) == (100, 100)
        offender.transport.resume_reading()
        assert await offender.closed() == m.CloseCode.POLICY


# ---- accounts


async def test_an_account_is_given_its_token_once_and_stores_only_a_hash(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first = await live.join("Ada", keep=True)
        token = first.welcome.token
        assert token is not None
        assert len(token) >= 43
        await first.drop()
        second = await live.dial()
        assert (await second.hello(token=token)).token is None
        await second.leave()
    assert rows(tmp_path, "SELECT name FROM account") == [("Ada",)]
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("world.db*"))
    assert token.encode() not in stored


async def test_the_same_token_brings_the_same_account_name_and_place_back(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first = await live.join("Ada", keep=True)
        first.move(100, 90, yaw=33)
        await eventually(lambda: live.where(first.you) == (100, 90))
        await live.ticks(2)
        await first.leave()
        again = await live.join(token=first.welcome.token)
        assert (again.you, again.welcome.name, again.welcome.resumed) == (first.you, "Ada", False)
        assert (again.welcome.x, again.welcome.z, again.welcome.yaw) == (6400, 5760, 33)


async def test_accounts_come_back_to_their_place_after_a_restart(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first = await live.join("Ada", keep=True)
        first.move(70, 90, yaw=33)
        await eventually(lambda: live.where(first.you) == (70, 90))
    async with live_world(tmp_path) as live:
        again = await live.join(token=first.welcome.token)
        assert (again.you, again.welcome.name) == (first.you, "Ada")
        assert (again.welcome.x, again.welcome.z, again.welcome.yaw) == (4480, 5760, 33)
        assert again.welcome.world_id == first.welcome.world_id
        assert again.welcome.server_ms >= first.welcome.server_ms


async def test_places_are_saved_while_people_are_there(tmp_path: Path) -> None:
    async with live_world(tmp_path, storage={"places_every_s": 0.05}) as live:
        player = await live.join("Ada", keep=True)
        player.move(70, 90)
        await eventually(lambda: rows(tmp_path, "SELECT place_x, place_z FROM account") == [(4480, 5760)])


async def test_a_guest_is_never_stored(tmp_path: Path) -> None:
    async with live_world(tmp_path, storage={"places_every_s": 0.02}) as live:
        guest = await live.join("Wanderer")
        guest.move(100, 100)
        await eventually(lambda: live.where(guest.you) == (100, 100))
        resident = await live.join("Ada", keep=True)
        await eventually(lambda: rows(tmp_path, "SELECT 1 FROM account WHERE place_x IS NOT NULL") == [(1,)])
        await guest.leave()
        await resident.leave()
    assert rows(tmp_path, "SELECT name FROM account") == [("Ada",)]
    assert b"Wanderer" not in b"".join(path.read_bytes() for path in tmp_path.glob("world.db*"))


# ---- names

LOOKALIKES = ["Ada", "ADA", "\u0410da", "A\u0434a", "Ad\uff41"]


async def test_a_name_that_looks_like_a_residents_is_refused(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        resident = await live.join("Ada", keep=True)
        await resident.leave()
        for name, keep in itertools.product(LOOKALIKES, (False, True)):
            player, code = await answer(live, m.Hello(1, "t", name, keep=keep))
            assert code == m.CloseCode.POLICY
            assert player.all_of(m.Refused)[0].code in (m.RefusalCode.NAME_TAKEN, m.RefusalCode.NAME_INVALID)


@pytest.mark.parametrize("keep", [False, True], ids=["guest", "account"])
async def test_the_name_of_a_guest_in_the_world_is_refused(tmp_path: Path, keep: bool) -> None:
    async with live_world(tmp_path) as live:
        guest = await live.join("Ada")
        player, _ = await answer(live, m.Hello(1, "t", "aDa", keep=keep))
        assert player.all_of(m.Refused)[0].code == m.RefusalCode.NAME_TAKEN
        await guest.leave()
        assert (await live.join("aDa", keep=keep)).welcome.name == "aDa"


@pytest.mark.parametrize("keep", [False, True], ids=["guests", "accounts"])
async def test_of_many_who_want_one_name_at_once_one_gets_it(tmp_path: Path, keep: bool) -> None:
    async with live_world(tmp_path) as live:
        players = [await live.dial() for _ in range(8)]
        for number, player in enumerate(players):
            player.send(m.Hello(1, "t", "Ada" if number % 2 else "ADA", keep=keep and number % 4 < 2))
        for player in players:
            await player.until(lambda player=player: player.received)
        kinds = [type(player.received[0]) for player in players]
        assert (kinds.count(m.Welcome), kinds.count(m.Refused)) == (1, 7)
        got = players[kinds.index(m.Welcome)]
        stored = rows(tmp_path, "SELECT id FROM account")
        assert stored == [(got.you,)] * (got.welcome.token is not None), "no name without its token"


# ---- resuming


async def test_a_lost_session_is_resumed_without_a_second_body_or_a_leave(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, first = await live.join("Wes"), await live.join("Ada")
        first.move(120, 120)
        await watcher.sees_at(first.you, 120, 120)
        await first.drop()
        await eventually(lambda: bool(live.world.gateway._lost))
        again = await live.join(resume=first.welcome.resume)
        assert (again.you, again.welcome.name, again.welcome.resumed) == (first.you, "Ada", True)
        assert (again.welcome.x, again.welcome.z) == (7680, 7680)
        await again.next(m.AreaComplete)
        await again.until(lambda: again.sees(watcher.you))
        again.move(110, 110)
        await watcher.sees_at(first.you, 110, 110)
        assert (watcher.entered.count(first.you), watcher.left) == (1, [])
        assert len(live.world.gateway.roster) == len(live.world.fanout.seats) == 2
        await live.agrees(watcher)
        await live.agrees(again)


async def test_a_resume_token_is_good_until_the_next_one_has_arrived(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first = await live.join()
        second = await live.join(resume=first.welcome.resume)
        assert await first.closed() == m.CloseCode.REPLACED
        assert second.welcome.resume != first.welcome.resume
        await second.ping()
        third = await live.join(resume=first.welcome.resume)
        assert (third.welcome.resumed, second.gone) == (False, False)
        assert third.you != second.you


async def test_who_lost_the_welcome_of_a_resume_resumes_with_the_token_it_has(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first = await live.join("Ada")
        await first.drop()
        lost = await live.join(resume=first.welcome.resume)
        await lost.drop()
        again = await live.join("Ada", resume=first.welcome.resume)
        assert (again.welcome.resumed, again.you) == (True, first.you)


async def test_who_is_thrown_out_has_nothing_to_resume_even_while_it_does_not_let_go(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        bad = await live.join("Ada")
        session = live.world.gateway.roster.find(bad.you)
        bad.transport.pause_reading()
        session.close(m.CloseCode.POLICY, "out")
        again = await live.join(resume=bad.welcome.resume)
        assert not again.welcome.resumed
        assert live.world.gateway.roster.find(bad.you) is None


async def test_who_comes_and_drops_the_line_again_and_again_leaves_no_more_bodies_than_connections(
    tmp_path: Path,
) -> None:
    async with live_world(tmp_path, server={"connections_per_address": 4}) as live:
        watcher = await live.join()
        for _ in range(8):
            await (await live.join()).drop()
        assert len(live.world.gateway.roster) <= 4
        assert not watcher.gone


async def test_an_address_that_makes_too_many_accounts_is_told_to_wait(tmp_path: Path) -> None:
    async with live_world(tmp_path, limits={"accounts_per_hour": 2}) as live:
        await live.join("Ada", keep=True)
        await live.join("Bob", keep=True)
        third = await live.dial()
        third.send(m.Hello(1, name="Cleo", keep=True))
        refused = await third.next(m.Refused)
        assert refused.code == m.RefusalCode.RATE
        assert refused.retry_after_ms > 1_000_000
        assert (await live.join("Cleo")).welcome.name == "Cleo"


async def test_the_newer_socket_wins_and_moves_from_the_beginning(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, old = await live.join(), await live.join("Ada", keep=True)
        old.seq = 5_000
        old.move(120, 120)
        await watcher.sees_at(old.you, 120, 120)
        new = await live.dial()
        new.send(m.Hello(1, token=old.welcome.token))
        while not old.gone:
            old.move(121, 120)
            await live.ticks(1)
        assert old.close_code == m.CloseCode.REPLACED
        welcome = await new.next(m.Welcome)
        assert (welcome.you, welcome.resumed) == (old.you, False)
        new.move(100, 100)
        await watcher.sees_at(old.you, 100, 100)
        assert watcher.left == []


async def test_of_two_who_come_with_one_token_at_once_the_newer_wins(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        first = await live.join("Ada", keep=True)
        token = first.welcome.token
        await first.leave()
        await eventually(lambda: len(live.world.gateway.roster) == 0)
        one, two = await live.dial(), await live.dial()
        one.send(m.Hello(1, token=token))
        two.send(m.Hello(1, token=token))
        await one.until(lambda: one.gone or two.gone)
        loser, winner = (one, two) if one.gone else (two, one)
        assert loser.close_code == m.CloseCode.REPLACED
        await winner.until(lambda: winner.all_of(m.Welcome))
        assert winner.you == first.you
        assert len(live.world.gateway.roster) == 1
        winner.move(100, 100)
        await eventually(lambda: live.where(first.you) == (100, 100))


async def test_after_its_time_a_lost_body_is_gone_and_a_fresh_one_comes(tmp_path: Path) -> None:
    async with live_world(tmp_path, session={"resume_s": 0.1}) as live:
        watcher, first = await live.join(), await live.join("Ada")
        await watcher.until(lambda: watcher.sees(first.you))
        await first.drop()
        await watcher.until(lambda: first.you in watcher.left)
        again = await live.join("Ada", resume=first.welcome.resume)
        assert again.welcome.resumed is False
        assert again.you != first.you
        await live.agrees(watcher)


async def test_a_lost_body_stays_until_its_time_is_over(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, first = await live.join(), await live.join("Ada")
        await watcher.until(lambda: watcher.sees(first.you))
        await first.drop()
        await eventually(lambda: bool(live.world.gateway._lost))
        for step in range(5):
            watcher.move(120 + step, 120)
            await live.ticks(2)
        assert watcher.sees(first.you)
        assert watcher.left == []


async def test_who_leaves_is_gone_at_once_and_cannot_resume(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, first = await live.join(), await live.join("Ada")
        await watcher.until(lambda: watcher.sees(first.you))
        await first.leave()
        await watcher.until(lambda: first.you in watcher.left)
        again = await live.join("Ada", resume=first.welcome.resume)
        assert again.welcome.resumed is False


async def test_who_closes_normally_has_left(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, first = await live.join(), await live.join("Ada")
        await watcher.until(lambda: watcher.sees(first.you))
        first.send_bytes(frame(8, struct.pack("!H", 1000)))
        await watcher.until(lambda: first.you in watcher.left)


async def test_a_body_resumed_again_and_again_stays_one(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        watcher, player = await live.join(), await live.join("Ada")
        you = player.you
        for step in range(8):
            before, player = player, await live.join(resume=player.welcome.resume)
            assert (player.you, player.welcome.resumed) == (you, True)
            assert await before.closed() == m.CloseCode.REPLACED
            player.move(120 + step, 110)
            await watcher.sees_at(you, 120 + step, 110)
        assert (watcher.entered.count(you), watcher.left) == (1, [])
        await live.agrees(watcher)
        await live.agrees(player)


async def test_what_was_blocked_stays_blocked_after_a_resume(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        pest, player = await live.join("Pest"), await live.join("Ada")
        assert isinstance(await player.ask(m.Block(1, pest.you, True)), m.Done)
        again = await live.join(resume=player.welcome.resume)
        await again.next(m.AreaComplete)
        assert again.sees(pest.you) is None
        pest.send(m.Say(2, m.SayKind.SAY, "me again"))
        await pest.next(m.Done)
        await live.ticks(3)
        await again.ping()
        assert again.lines == []


async def test_a_connection_that_ends_before_welcome_leaves_nothing(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        for _ in range(20):
            player = await live.dial()
            player.send(HELLO)
            await player.drop()
        await eventually(lambda: len(live.world.gateway.roster) == len(live.world.gateway._tasks) == 0)
        await eventually(lambda: not has_bodies(live))
        assert len((await live.join("Ada")).welcome.name) == 3


def has_bodies(live: Live) -> bool:
    """Whether the shard has a body."""
    return bool(live.world.shard.avatars.id.any())


# ---- stopping


async def test_a_stopping_world_says_goodbye_with_a_hint_and_closes_with_1012(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        players = [await live.join() for _ in range(5)]
        silent = await live.dial()
        async with asyncio.timeout(PATIENCE_S):
            await live.stop()
        for player in players:
            assert await player.closed() == m.CloseCode.RESTART
            goodbye = player.received[-1]
            assert isinstance(goodbye, m.Goodbye)
            assert goodbye.code == "restart"
            assert 5_000 <= goodbye.retry_after_ms < 10_000
        assert await silent.closed() == m.CloseCode.RESTART
