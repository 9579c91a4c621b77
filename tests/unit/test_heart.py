import asyncio

import pytest

from worldloom.app.heart import Heart

START_MS = 1_700_000_000_020
"""20 ms after a tick was due."""


class HandClock:
    """Time that passes only by sleeping and working."""

    def __init__(self, world_ms: int = START_MS, monotonic: float = 77.0) -> None:
        self._monotonic, self._zero = monotonic, monotonic - world_ms / 1_000

    def monotonic(self) -> float:
        return self._monotonic

    def world_ms(self) -> int:
        return round((self._monotonic - self._zero) * 1_000)

    def pass_s(self, seconds: float) -> None:
        self._monotonic += seconds


class Patient:
    """A heart on a clock in hand; each beat takes its time, then the next sleep may oversleep."""

    def __init__(self, work_s: list[float], oversleep_s: dict[int, float] | None = None) -> None:
        self.clock = HandClock()
        self.beats: list[tuple[int, int]] = []
        self.world_ticks: list[int] = []
        self.slept: list[float] = []
        self._work, self._oversleep = work_s, oversleep_s or {}
        self.heart = Heart(self.clock, self._beat, self._sleep)

    async def run(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await self.heart.run()

    def _beat(self, tick: int, late_s: float) -> None:
        self.beats.append((tick - START_MS // 50, round(late_s * 1_000)))
        self.world_ticks.append(self.clock.world_ms() // 50 - START_MS // 50)
        self.clock.pass_s(self._work[len(self.beats) - 1])

    async def _sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(round(seconds * 1_000))
        self.clock.pass_s(seconds + self._oversleep.get(len(self.beats), 0.0))
        await asyncio.sleep(0)
        assert asyncio.current_task() is not None
        for _ in range(len(self.beats) == len(self._work)):
            raise asyncio.CancelledError


async def test_a_tick_comes_every_50_ms_of_world_time():
    patient = Patient(work_s=[0.010] * 5)
    await patient.run()
    assert patient.beats == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0)]
    assert patient.world_ticks == [1, 2, 3, 4, 5]
    assert patient.slept == [30, 40, 40, 40, 40, 40]
    assert patient.heart.missed == 0


async def test_a_beat_that_takes_too_long_costs_the_ticks_that_were_due_meanwhile():
    patient = Patient(work_s=[0.010, 0.120, 0.010, 0.010])
    await patient.run()
    assert patient.beats == [(1, 0), (2, 0), (4, 70), (5, 0)]
    assert patient.world_ticks == [1, 2, 4, 5]
    assert patient.heart.missed == 1


async def test_a_beat_that_just_fits_costs_none():
    patient = Patient(work_s=[0.049, 0.049, 0.049])
    await patient.run()
    assert patient.beats == [(1, 0), (2, 0), (3, 0)]
    assert patient.slept == [30, 1, 1, 1]


async def test_lateness_is_told_and_not_carried_on():
    patient = Patient(work_s=[0.005] * 4, oversleep_s={1: 0.030})
    await patient.run()
    assert patient.beats == [(1, 0), (2, 30), (3, 0), (4, 0)]
    assert patient.slept == [30, 45, 15, 45, 45]
    assert patient.heart.missed == 0


async def test_time_that_is_lost_in_sleep_costs_ticks_too():
    patient = Patient(work_s=[0.005] * 4, oversleep_s={1: 0.530})
    await patient.run()
    assert patient.world_ticks[2:] == [tick for tick, _ in patient.beats[2:]] == [13, 14]
    assert len(patient.beats) + patient.heart.missed == 14


async def test_over_a_long_time_ticks_do_not_drift_from_world_time():
    patient = Patient(work_s=[0.001 * (n % 49) for n in range(2_000)])
    await patient.run()
    assert [tick for tick, _ in patient.beats] == list(range(1, 2_001)) == patient.world_ticks
