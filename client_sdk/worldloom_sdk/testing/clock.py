"""A clock in hand: time passes only when somebody says so. Knows no world."""

import asyncio
import heapq
import itertools

__all__ = ["HandClock"]

_US = 1_000_000
_START_US = 1_000 * _US
_UNIX_MS = 1_800_000_000_000
"""Unix time when a clock is made: a day in January 2027."""


class HandClock:
    """Time for clients (``worldloom_sdk.clock.Clock``) and for the server (``worldloom.ports.Clock``) alike.

    Counts whole microseconds, so that ten tenths of a second are a second.
    """

    def __init__(self) -> None:
        self._now_us = _START_US
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @property
    def now_us(self) -> int:
        """Microseconds since the clock was made."""
        return self._now_us - _START_US

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return self._now_us / _US

    def world_ms(self) -> int:
        """World time in milliseconds: since the clock was made."""
        return self.now_us // 1_000

    def unix_ms(self) -> int:
        """Unix time in milliseconds, by which bans, mutes and codes run out."""
        return _UNIX_MS + self.world_ms()

    async def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` of this clock have passed; at once, after a turn of the loop, if not above 0."""
        us = round(seconds * _US)
        if us <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now_us + us, next(self._order), future))
        await future

    def next_us(self) -> int | None:
        """When the next sleeper wakes, in microseconds since the clock was made; ``None`` if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - _START_US if self._sleepers else None

    def advance(self, to_us: int) -> None:
        """Let it be so late, and wake whose time has come, in order.

        Args:
            to_us: Microseconds since the clock was made; not before now.
        """
        if to_us < self.now_us:
            raise ValueError(f"expected a moment from {self.now_us} us on, got {to_us}")
        self._now_us = to_us + _START_US
        while self._sleepers and self._sleepers[0][0] <= self._now_us:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
