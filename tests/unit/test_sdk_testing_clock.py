"""The test kit's clock: time in hand."""

import asyncio

import pytest

from worldloom_sdk.testing import HandClock


async def turns():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nobody_wakes_before_their_time_and_all_wake_in_order():
    clock, woken = HandClock(), []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.now_us))

    async with asyncio.TaskGroup() as group:
        for seconds in (0.3, 0.1, 0.2):
            group.create_task(sleeper(seconds))
        await turns()
        assert clock.next_us() == 100_000
        clock.advance(99_999)
        await turns()
        assert woken == []
        clock.advance(200_000)
        await turns()
        assert woken == [(0.1, 200_000), (0.2, 200_000)]
        clock.advance(300_000)
    assert woken[-1] == (0.3, 300_000)


async def test_ten_tenths_of_a_second_are_a_second():
    clock = HandClock()

    async def count():
        for _ in range(10):
            await clock.sleep(0.1)

    counting = asyncio.create_task(count())
    for tenth in range(1, 11):
        await turns()
        clock.advance(tenth * 100_000)
    await counting
    assert (clock.now_us, clock.world_ms()) == (1_000_000, 1_000)


async def test_who_was_cancelled_is_waited_for_no_more():
    clock = HandClock()
    sleeper = asyncio.create_task(clock.sleep(5))
    await turns()
    sleeper.cancel()
    await asyncio.gather(sleeper, return_exceptions=True)
    assert clock.next_us() is None


async def test_no_time_to_sleep_is_a_turn_of_the_loop():
    await HandClock().sleep(0)
    await HandClock().sleep(-1)


def test_time_never_goes_back():
    clock = HandClock()
    clock.advance(50_000)
    with pytest.raises(ValueError, match="expected a moment from 50000 us on, got 49999"):
        clock.advance(49_999)


def test_unix_time_passes_with_world_time():
    clock = HandClock()
    before = clock.unix_ms()
    clock.advance(90_000_000)
    assert (clock.unix_ms() - before, clock.world_ms()) == (90_000, 90_000)
