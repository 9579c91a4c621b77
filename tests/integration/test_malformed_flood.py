"""Ten thousand broken frames and a flood: the server stays, its memory too, and a neighbour notices nothing."""

import asyncio
import gc
import itertools
import time
from pathlib import Path

import pytest

from raw_ws import BINARY, CONT, PING, TEXT, Harness, close_frame, eventually, frame, on_both_loops, running

FRAMES = 10_000
AT_ONCE = 50
KINDS = [
    *(frame(opcode, b"x") for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    *(frame(BINARY, b"x", rsv=rsv) for rsv in range(1, 8)),
    frame(BINARY, b"x", masked=False),
    frame(BINARY, b"x", form=16),
    frame(BINARY, b"x", form=64),
    frame(BINARY, form=64, length=1 << 63),
    frame(BINARY, form=64, length=(1 << 63) - 1),
    frame(BINARY, b"x" * 5000),
    frame(CONT, b"x"),
    frame(BINARY, b"x", fin=False) + frame(BINARY, b"y"),
    frame(PING, b"x" * 126),
    frame(PING, fin=False),
    close_frame(999),
    close_frame(1005),
    close_frame(1000, b"\xff"),
    frame(8, b"\x03"),
    frame(TEXT, b"x"),
    frame(BINARY, b"x" * 100)[:50],
]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@on_both_loops()
async def test_ten_thousand_broken_frames_cost_nothing_that_stays(world: Harness) -> None:
    async def offenders(kinds: list[bytes]) -> None:
        for data in kinds:
            client = await world.upgraded()
            await client.send(data)
            client.writer.write_eof()
            await client.ended()
            world.forget(client)

    async def round_of(count: int) -> None:
        kinds = list(itertools.islice(itertools.cycle(KINDS), count))
        async with asyncio.TaskGroup() as group:
            for start in range(AT_ONCE):
                group.create_task(offenders(kinds[start::AT_ONCE]))
        await eventually(lambda: world.server.connections == 1)
        gc.collect()

    await round_of(1000)
    before = resident_bytes()
    await round_of(FRAMES)
    assert resident_bytes() - before < 10_000_000


@pytest.mark.alone
@on_both_loops()
async def test_a_flood_is_held_back_and_closed_while_a_neighbour_is_answered(world: Harness) -> None:
    flood = frame(PING) * 10_000
    offender = await world.upgraded()
    offender.writer.write(flood)
    neighbour = await world.upgraded()
    slowest = 0.0
    while not world.peers[1].closed.is_set():
        began = time.monotonic()
        assert await neighbour.echoes()
        slowest = max(slowest, time.monotonic() - began)
    assert world.peers[1].closed_with == [1008]
    assert slowest < 0.1


async def test_floods_of_moves_stay_within_the_allowance_of_a_tick() -> None:
    async with running(row=3) as world:
        client = await world.upgraded()
        moves = frame(BINARY, b"\x92\x02\xc4\x10" + bytes(16)) * 300
        await client.send(moves)
        await eventually(lambda: len(world.taken) == 300)
        assert max(world.sizes) <= 64
        assert {row for row, _ in world.taken} == {3}
