"""The worker: one thread that gives way to all others, on which land is made. Knows no land and no queue.

A job that outlives its deadline keeps its thread, since a thread cannot be stopped: the thread is abandoned, ends by
itself when the job does, and the next job gets a new one. The threads never keep the process from ending.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["NICENESS", "Worker", "WorkerHung", "ended_in_time", "give_way", "starved_s"]

_log = logging.getLogger(__name__)
NICENESS = 19
"""Of who gives way to everything else."""
_PATIENCE = 20
"""At most so many deadlines are waited for somebody who gets no processor."""

T = TypeVar("T")
_Job = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class WorkerHung(Exception):
    """A job did not end by its deadline; whoever was at it was abandoned."""


class Worker:
    """Runs one job after the other beside the event loop. Its methods are called on the loop alone.

    Args:
        name: Of its threads.
        niceness: How far the thread gives way, 0 to 19 as of ``nice``.
        starved_s: Tells how long the thread of an id has waited for a processor in all, in seconds.
    """

    def __init__(
        self, name: str, niceness: int = NICENESS, starved_s: Callable[[int], float] | None = None
    ) -> None:
        self._name, self._niceness = name, niceness
        self._starved_s = starved_s or _thread_starved_s
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.abandoned = 0
        """Threads abandoned so far."""

    async def run(self, job: Callable[[], T], deadline_s: float | None = None) -> T:
        """Run a job on the thread and wait for what it returns.

        Args:
            job: Called with no arguments; what it raises (an ``Exception``) is raised here.
            deadline_s: Seconds from now, without those in which the thread waited for a processor: being of the
                lowest priority it may wait long, and that is not the job's fault. None waits for ever.

        Raises:
            WorkerHung: The deadline passed.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        thread = self._thread or self._start()
        self._jobs.put((job, loop, done))
        try:
            starved = partial(self._starved_s, thread.native_id or 0)
            if deadline_s is None or await ended_in_time(done, deadline_s, starved):
                return await done
        finally:
            done.cancel()
        self.abandoned += 1
        self.close()
        raise WorkerHung(f"expected an end within {deadline_s} s, got none")

    def close(self) -> None:
        """Let the thread end after the job that it is at."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _start(self) -> threading.Thread:
        self._jobs = SimpleQueue()
        self._thread = threading.Thread(
            target=_work, args=(self._jobs, self._niceness), name=self._name, daemon=True
        )
        self._thread.start()
        return self._thread


async def ended_in_time(
    done: "asyncio.Future[Any]", deadline_s: float, starved_s: Callable[[], float]
) -> bool:
    """Wait for an end, not counting the time in which whoever works on it got no processor.

    Args:
        done: What is waited for; not cancelled.
        deadline_s: Seconds from now.
        starved_s: Tells how long the one at work has waited for a processor in all, in seconds.
    """
    loop = asyncio.get_running_loop()
    began, starved = loop.time(), starved_s()
    while True:
        waited = loop.time() - began
        left = deadline_s - waited + starved_s() - starved
        if left <= 0 or waited > deadline_s * _PATIENCE:
            return False
        if (await asyncio.wait([done], timeout=left))[0]:
            return True


def starved_s(task: str) -> float:
    """Seconds in which a task could run and had no processor; 0 where nobody counts them.

    Args:
        task: Its folder within ``/proc``: a process' id stands for that process' first thread.
    """
    try:
        with open(f"/proc/{task}/schedstat", encoding="ascii") as counters:
            return int(counters.read().split()[1]) * 1e-9
    except (OSError, ValueError, IndexError):
        return 0.0


def _work(jobs: "SimpleQueue[_Job | None]", niceness: int) -> None:
    try:
        give_way(niceness)
    except OSError as refusal:
        _log.warning("the terrain thread keeps its priority: %s", refusal)
    while (item := jobs.get()) is not None:
        job, loop, done = item
        result, error = None, None
        try:
            result = job()
        except Exception as caught:  # noqa: BLE001 - handed to whoever waits for the job
            error = caught
        try:
            loop.call_soon_threadsafe(_deliver, done, result, error)
        except RuntimeError:
            return  # the loop was closed meanwhile: nobody waits any more


def _deliver(done: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def give_way(niceness: int, thread: int = 0) -> None:
    """Give a thread of this process a priority no higher than it has; only Linux has priorities per thread.

    Args:
        niceness: 0 to 19 as of ``nice``.
        thread: Its id; 0 for the one that calls.

    Raises:
        OSError: The system does not let it.
    """
    if sys.platform == "linux":
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, max(now, niceness))


def _thread_starved_s(thread_id: int) -> float:
    return starved_s(f"self/task/{thread_id}")
