"""Supervision: tasks that must not end. One that fails is told of and starts again, later each time. Knows no task."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

__all__ = ["Supervisor"]

_log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
WELL_AFTER_S = 60.0
"""A task that has run so long is well again."""


class Supervisor:
    """Runs bodies for ever and remembers which of them fail.

    Args:
        sleep: How to wait; a test has its own.
        now: Monotonic seconds.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.restarts: Counter[str] = Counter()
        """How often each task was started again."""
        self._sleep, self._now = sleep, now
        self._failed: dict[str, tuple[int, float]] = {}
        """How often each task failed on end, and when it did last."""

    def failing(self) -> list[str]:
        """Tasks that failed more than once, a minute ago at most: once is a mishap."""
        now = self._now()
        return sorted(n for n, (times, at) in self._failed.items() if times > 1 and now - at < WELL_AFTER_S)

    async def keep(self, name: str, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a body until cancelled; after a failure again, in 1 s, then 2, at most 30 s later."""
        pause, told = FIRST_PAUSE_S, ""
        while True:
            began = self._now()
            try:
                await body()
                fault: Exception = RuntimeError("it ended")
            except Exception as error:  # noqa: BLE001 - a task boundary
                fault = error
            now = self._now()
            if now - began >= WELL_AFTER_S:
                pause, told = FIRST_PAUSE_S, ""
                self._failed.pop(name, None)
            self._failed[name] = (self._failed.get(name, (0, 0.0))[0] + 1, now)
            # A traceback that was just written tells nothing new.
            trace, told = (None if repr(fault) == told else fault), repr(fault)
            _log.error("%s failed (%s); it starts again in %.0f s", name, told, pause, exc_info=trace)
            await self._sleep(pause)
            self.restarts[name] += 1
            pause = min(2 * pause, LONGEST_PAUSE_S)
