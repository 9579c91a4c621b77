"""The book of notices: what is told twice is an event once, and the server learns what was read."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from worldloom_sdk.clock import Clock

__all__ = ["NoticeBook"]

_REMEMBERED = 1_000
_READ_AFTER_S = 1.0


class NoticeBook:
    """Which notices came, and until which they are to be marked as read: a second after the last one.

    Args:
        clock: Whose time it goes by.
        mark: Tells the server that all up to a number were read.
    """

    def __init__(self, clock: Clock, mark: Callable[[int], Awaitable[object]]) -> None:
        self._clock, self._mark = clock, mark
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._unmarked = 0
        self._wake = asyncio.Event()

    def take(self, number: int) -> bool:
        """A notice came; whether it had not come before."""
        if number in self._seen:
            return False
        self._seen[number] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        self._unmarked = max(self._unmarked, number)
        self._wake.set()
        return True

    async def run(self) -> None:
        """Mark what came as read, while the connection lasts."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._clock.sleep(_READ_AFTER_S)
            until, self._unmarked = self._unmarked, 0
            if until:
                try:
                    await self._mark(until)
                except BaseException:
                    self._unmarked = max(self._unmarked, until)
                    self._wake.set()
                    raise
