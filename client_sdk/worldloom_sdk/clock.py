"""Time as a part that can be exchanged: the real one here, one held in hand in tests."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol, TypeVar

from worldloom_sdk.errors import TimedOut

__all__ = ["Clock", "RealClock", "within"]

T = TypeVar("T")


class Clock(Protocol):
    """Where a client takes its time from."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` of this clock have passed."""
        ...


class RealClock:
    """The machine's own monotonic time."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` have passed."""
        await asyncio.sleep(seconds)


async def within(clock: Clock, seconds: float | None, waiting: Awaitable[T], what: str) -> T:
    """Wait for something, but not for ever.

    Args:
        clock: Whose seconds count.
        seconds: How long; ``None`` waits without end.
        waiting: What to wait for; cancelled when the time is up.
        what: Named in the error.

    Raises:
        TimedOut: The time was up first.
    """
    if seconds is None:
        return await waiting
    task = asyncio.ensure_future(waiting)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimedOut(f"{what}: not within {seconds:g} s")
    finally:
        task.cancel()
        timer.cancel()
        await asyncio.gather(task, timer, return_exceptions=True)
