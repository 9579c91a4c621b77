"""Supervision: what fails starts again, later each time, and is told of while it goes on."""

import asyncio

import pytest

from worldloom.app.supervise import Supervisor


class Stage:
    """A supervisor on a clock in hand, and a body that runs for so many seconds each time, then fails."""

    def __init__(self, lives_s, fault="broken"):
        self.now, self.naps = 0.0, []
        self._lives = [(life_s, RuntimeError(fault)) for life_s in lives_s] + [(0, asyncio.CancelledError())]
        self.supervisor = Supervisor(self._sleep, lambda: self.now)
        self.failing = []

    async def play(self):
        with pytest.raises(asyncio.CancelledError):
            await self.supervisor.keep("task", self._body)

    async def _body(self):
        life_s, fault = self._lives.pop(0)
        self.now += life_s
        raise fault

    async def _sleep(self, seconds):
        self.failing.append(self.supervisor.failing())
        self.naps.append(seconds)
        self.now += seconds


async def test_what_keeps_failing_starts_again_later_each_time():
    stage = Stage([0] * 8)
    await stage.play()
    assert stage.naps == [1, 2, 4, 8, 16, 30, 30, 30]
    assert stage.supervisor.restarts == {"task": 8}


async def test_one_mishap_is_none_of_healths_business_but_a_second_is_until_a_minute_has_passed():
    stage = Stage([0, 0])
    await stage.play()
    assert stage.failing == [[], ["task"]]
    stage.now += 60
    assert stage.supervisor.failing() == []


async def test_who_ran_well_for_a_minute_begins_anew():
    stage = Stage([0, 0, 60, 0])
    await stage.play()
    assert stage.naps == [1, 2, 1, 2]
    assert stage.failing == [[], ["task"], [], ["task"]]


async def test_the_same_fault_is_written_with_one_traceback(caplog):
    await Stage([0] * 4).play()
    assert [record.exc_info is not None for record in caplog.records] == [True, False, False, False]
    assert all("broken" in record.getMessage() for record in caplog.records)


async def test_a_task_that_just_ends_is_started_again_too(caplog):
    async def body():
        pass

    async def sleep(_seconds):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Supervisor(sleep).keep("task", body)
    assert "it ended" in caplog.text
