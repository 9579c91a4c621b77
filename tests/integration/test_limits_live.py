"""Too much, too slow and plainly wrong, against a whole world: it stays up and small, a neighbour notices nothing."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgpack
import pytest

from live_server import Player, Served, live_world, served
from raw_ws import BINARY, CONT, PING, TEXT, close_frame, eventually, frame, move_payload
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.geometry import GROUND_Y

pytestmark = pytest.mark.slow

AT_ONCE = 50
MESSAGES = 10_000
WRONG_COMMANDS = 10
NO_LIMIT = {"joins_per_s": 100_000, "max_sessions": 10_000}
DEEP = 60_000


def packed(*fields: object) -> bytes:
    return msgpack.packb(list(fields))


AFTER_WELCOME = {
    "nothing": b"",
    "a byte that MessagePack never uses": b"\xc1",
    "nil": b"\xc0",
    "a number": b"\x07",
    "a map": b"\x81\x04\x05",
    "an empty array": b"\x90",
    "a tag alone": b"\x91\x04",
    "an unknown tag": packed(31),
    "a negative tag": packed(-4, 1),
    "a tag of 2^63": packed(1 << 63),
    "a tag that is true": packed(True, 1),
    "a tag that is a float": packed(4.0, 1, 0, "a"),
    "a tag of text": packed("4", 1),
    "a server's tag": packed(32, 1),
    "an array that ends too soon": b"\x94\x04\x01",
    "an array of four thousand million": b"\xdd\xff\xff\xff\xff\x04",
    "a map of four thousand million": b"\x92\x04\xdf\xff\xff\xff\xff",
    "binary that says it is longer": b"\x92\x02\xc4\xff" + bytes(16),
    "text that says it is four gigabytes": b"\x94\x04\x01\x00\xdb\xff\xff\xff\xff",
    "an extension": b"\x94\x04\x01\x00\xd4\x05\x00",
    "a timestamp": b"\x94\x04\x01\x00\xd6\xff\x00\x00\x00\x00",
    "arrays in arrays": b"\x91" * DEEP,
    "arrays in arrays that end": b"\x91" * 500 + b"\xc0",
    "maps in maps": b"\x81\x01" * (DEEP // 2),
    "too few fields": packed(4, 1),
    "too many fields": packed(4, 1, 0, "a", 1),
    "an id that is no number": packed(4, float("nan"), 0, "a"),
    "an id of infinity": packed(4, float("inf"), 0, "a"),
    "a fraction": packed(4, 1.5, 0, "a"),
    "a negative id": packed(4, -1, 0, "a"),
    "an id of 2^32": packed(4, 1 << 32, 0, "a"),
    "an id of 2^63": packed(4, 1 << 63, 0, "a"),
    "true for a number": packed(4, True, 0, "a"),
    "an unknown kind of speech": packed(4, 1, 3, "a"),
    "text for a kind": packed(4, 1, "0", "a"),
    "binary for text": packed(4, 1, 0, b"a"),
    "text that is no UTF-8": b"\x94\x04\x01\x00\xa2\xff\xfe",
    "a surrogate": b"\x94\x04\x01\x00\xa3\xed\xa0\x80",
    "a line of 501": packed(4, 1, 0, "a" * 501),
    "a line of 60,000": packed(4, 1, 0, "a" * 60_000),
    "a whisper to nobody": packed(5, 1, 0, "a"),
    "a signal without a channel": packed(6, 1, 0, "", b""),
    "a signal of 1,025 bytes": packed(6, 1, 0, "c", bytes(1025)),
    "a question about nobody": packed(7, []),
    "a question about 65": packed(7, list(range(1, 66))),
    "a question about a million": packed(7, [1] * 30_000),
    "a block that is a number": packed(8, 1, 5, 1),
    "a time before time": packed(3, -1),
    "a time of 2^53 and one": packed(3, (1 << 53) + 1),
    "a time that is no number": packed(3, float("nan")),
    "a move of 15 bytes": packed(2, bytes(15)),
    "a move of 17 bytes": packed(2, bytes(17)),
    "a move of text": packed(2, "x" * 16),
    "a move with a gesture of 64": move_payload(1, 0, 0, GROUND_Y, 0, 64),
    "a second Hello": packed(1, 1, "test", "Ada"),
    "two messages in one": packed(3, 1) * 2,
    "JSON": b'{"tag": 4, "text": "hello"}',
}
BROKEN_FRAMES = {
    "text": (frame(TEXT, b"hello"), m.CloseCode.NOT_BINARY),
    "over 64 KiB": (frame(BINARY, bytes(65_537)), m.CloseCode.TOO_BIG),
    "over 64 KiB in fragments": (
        frame(BINARY, bytes(40_000), fin=False) + frame(CONT, bytes(40_000)),
        m.CloseCode.TOO_BIG,
    ),
    "no mask": (frame(BINARY, b"x", masked=False), m.CloseCode.PROTOCOL),
    "an unknown opcode": (frame(5, b"x"), m.CloseCode.PROTOCOL),
    "a reserved bit": (frame(BINARY, b"x", rsv=4), m.CloseCode.PROTOCOL),
    "a fragment of nothing": (frame(CONT, b"x"), m.CloseCode.PROTOCOL),
    "a long ping": (frame(PING, bytes(126)), m.CloseCode.PROTOCOL),
    "a closing code of 1005": (close_frame(1005), m.CloseCode.PROTOCOL),
}
BEFORE_WELCOME = {
    **{case: data for case, data in AFTER_WELCOME.items() if case != "a second Hello"},
    "a Hello of nothing": packed(1),
    "a version that is no number": packed(1, float("nan")),
    "a version of -1": packed(1, -1),
    "a version of 65,536": packed(1, 65_536),
    "a client of 65 letters": packed(1, 1, "x" * 65),
    "a name of 65 letters": packed(1, 1, "t", "x" * 65),
    "a token of 15": packed(1, 1, "t", "Ada", "x" * 15),
    "a token of 129": packed(1, 1, "t", "Ada", "x" * 129),
    "a token of binary": packed(1, 1, "t", "Ada", b"x" * 43),
    "a resume that is a number": packed(1, 1, "t", "Ada", None, 7),
    "keep as a number": packed(1, 1, "t", "Ada", None, None, 1),
    "seven and one fields": packed(1, 1, "t", "Ada", None, None, False, 1),
}


def test_there_are_enough_kinds() -> None:
    assert len(AFTER_WELCOME) + len(BROKEN_FRAMES) >= 50
    assert len(BEFORE_WELCOME) >= 50


async def wrong_after_welcome(world: Served, case: str) -> None:
    """Ten of a kind: each refused, then closed."""
    offender = await world.join()
    offender.send_bytes(frame(BINARY, AFTER_WELCOME[case]) * WRONG_COMMANDS)
    code = await offender.closed()
    refused = [message.code for message in offender.all_of(m.Refused)]
    assert (code, len(refused)) == (m.CloseCode.POLICY, WRONG_COMMANDS), (case, refused)
    assert set(refused) <= {m.RefusalCode.INVALID, m.RefusalCode.STATE}, case


async def wrong_before_welcome(world: Served, case: str) -> None:
    """One is enough."""
    offender = await Player.dial(world.port)
    offender.send_bytes(frame(BINARY, BEFORE_WELCOME[case]))
    code = await offender.closed()
    assert code in (m.CloseCode.BAD_PAYLOAD, m.CloseCode.PROTOCOL, m.CloseCode.TOO_BIG), (case, code)
    assert not offender.all_of(m.Welcome), case


async def broken_frame(world: Served, case: str) -> None:
    data, code = BROKEN_FRAMES[case]
    offender = await world.join()
    offender.send_bytes(data)
    assert await offender.closed() == code, case


async def flood(world: Served, attacks: Iterator[tuple]) -> None:
    """Run attacks, some at a time."""

    async def lane() -> None:
        for attack, case in attacks:
            await attack(world, case)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(lane())


def attacks(count: int) -> Iterator[tuple]:
    """So many wrong messages, of every kind in turn, before and after Welcome."""
    after = [(wrong_after_welcome, case) for case in AFTER_WELCOME]
    rest = [(broken_frame, case) for case in BROKEN_FRAMES]
    rest += [(wrong_before_welcome, case) for case in BEFORE_WELCOME]
    kinds = itertools.cycle(itertools.chain.from_iterable(itertools.zip_longest(after, rest)))
    cost = {wrong_after_welcome: WRONG_COMMANDS}
    while count > 0:
        attack = next(kinds)
        if attack is not None:
            count -= cost.get(attack[0], 1)
            yield attack


async def test_ten_thousand_wrong_messages_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    limits = {"connections_per_address": 20_000}
    async with served(tmp_path / "data", session={**NO_LIMIT, "resume_s": 0}, server=limits) as world:
        watcher, walker = await world.join("Wes"), await world.join("Ada")
        await flood(world, attacks(1_500))
        before = world.rss_bytes()
        slowest = 0.0
        flooding = asyncio.create_task(flood(world, attacks(MESSAGES)))
        for step in itertools.count():
            began = time.monotonic()
            walker.move(120 + step % 20, 120)
            await watcher.sees_at(walker.you, 120 + step % 20, 120)
            slowest = max(slowest, time.monotonic() - began)
            if flooding.done():
                break
        await flooding
        assert world.rss_bytes() - before < 10_000_000
        assert slowest < 1.0
        await eventually(
            lambda: not [body for body in watcher.view.avatars if body not in (watcher.you, walker.you)]
        )
        assert world.process.poll() is None
        assert not [
            line for line in world.log.read_text().splitlines() if "ERROR" in line or "Traceback" in line
        ]


async def test_ten_thousand_moves_a_second_are_held_back_and_closed(tmp_path: Path) -> None:
    async with live_world(tmp_path, sweep_s=1.0) as live:
        watcher, walker, offender = [await live.join() for _ in range(3)]
        step = 0
        ticks, frames = watcher.view.tick, len(watcher.all_of(m.Frame))
        while not offender.close_code:
            blob = bytearray()
            for _ in range(500):
                offender.seq += 1
                blob += frame(BINARY, move_payload(offender.seq, 100 * 64, 100 * 64, GROUND_Y))
            offender.send_bytes(bytes(blob))
            step += 1
            walker.move(110 + step % 2, 110)
            await live.ticks(1)
        assert offender.close_code == m.CloseCode.POLICY
        assert [refused.code for refused in offender.all_of(m.Refused)] == [m.RefusalCode.RATE]
        assert offender.all_of(m.Refused)[0].retry_after_ms > 0
        seen = len(watcher.all_of(m.Frame)) - frames
        assert seen >= 0.9 * step
        assert watcher.view.tick - ticks <= 1.5 * step + 5
        assert not walker.all_of(m.Correction)
        assert not walker.all_of(m.Refused)


async def test_moves_a_little_over_the_limit_are_refused_now_and_then_and_do_not_close(
    tmp_path: Path,
) -> None:
    async with live_world(tmp_path, sweep_s=1.0, limits={"moves_per_s": 10}) as live:
        walker = await live.join()
        for step in range(40):
            walker.move(120 + step % 2, 120)
            await live.ticks(1)
        refused = walker.all_of(m.Refused)
        assert 1 <= len(refused) <= 4
        assert {(answer.code, answer.retry_after_ms) for answer in refused} == {(m.RefusalCode.RATE, 1_000)}
        await live.ticks(10)
        walker.move(100, 100)
        await eventually(lambda: live.where(walker.you) == (100, 100))


async def test_thirty_moves_a_second_are_never_too_many(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker = await live.join()
        for step in range(20):
            for _ in range(1 + step % 2):
                walker.move(120 + step, 120)
            await live.ticks(1)
        await eventually(lambda: live.where(walker.you) == (139, 120))
        assert not walker.all_of(m.Refused)


async def test_pings_without_end_are_held_back(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        player = await live.join()
        player.send_bytes(frame(BINARY, packed(3, 1)) * 100)
        await player.until(lambda: player.all_of(m.Pong))
        await live.ticks(12)
        assert 8 <= len(player.all_of(m.Pong)) <= 12
        assert not player.gone


# ---- slow and silent


async def closed_after(port: int, first: bytes, drip: bytes) -> float:
    """Seconds until the server ends a connection that sends this, then one byte a second."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    ended = asyncio.ensure_future(reader.read())
    with suppress(ConnectionError):
        for byte in itertools.cycle(drip or b"\0"):
            if (await asyncio.wait([ended], timeout=1.0))[0]:
                break
            writer.write(bytes([byte]) * bool(drip))
    with suppress(ConnectionError):
        await ended
    writer.transport.abort()
    return time.monotonic() - began


async def without_hello(port: int) -> float:
    began = time.monotonic()
    player = await Player.dial(port, decodes=False)
    await player.until(lambda: player.gone, patience_s=20)
    assert player.close_code == m.CloseCode.POLICY
    return time.monotonic() - began


@pytest.mark.alone
async def test_1500_slow_and_silent_connections_are_closed_within_12_s_and_a_login_takes_less_than_1(
    tmp_path: Path,
) -> None:
    async with served(tmp_path / "data") as world:
        slow = [
            *(closed_after(world.port, b"", b"") for _ in range(500)),
            *(
                closed_after(world.port, b"GET /ws HTTP/1.1\r\nHost: a\r\n", b"X-A: b\r\n")
                for _ in range(500)
            ),
            *(without_hello(world.port) for _ in range(500)),
        ]
        waiting = asyncio.gather(*slow)
        logins = []
        while not (await asyncio.wait([waiting], timeout=0.5))[0]:
            began = time.monotonic()
            guest = await world.join()
            logins.append(time.monotonic() - began)
            await guest.leave()
        took = await waiting
        assert max(took) < 12
        assert min(took) > 9
        assert len(logins) > 5
        assert max(logins) < 1
