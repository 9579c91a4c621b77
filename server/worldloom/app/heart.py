"""The heartbeat: one tick every 50 ms of world time. The only place with a deadline; the work itself knows no clock."""

import asyncio
from collections.abc import Awaitable, Callable

from worldloom.ports import Clock
from worldloom_sdk.protocol.geometry import TICK_MS

__all__ = ["Heart"]

_TICK_S = TICK_MS / 1_000


class Heart:
    """Calls ``beat(tick, late_s)`` for every tick, in time or as soon after as it can.

    Ticks that could not be begun before the next was due are left out: the number of a tick follows world time.
    """

    def __init__(
        self,
        clock: Clock,
        beat: Callable[[int, float], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._beat, self._sleep = clock, beat, sleep
        self.missed = 0

    async def run(self) -> None:
        """Beat until cancelled."""
        clock = self._clock
        # When tick 0 would have been, on the monotonic clock.
        zero = clock.monotonic() - clock.world_ms() / 1_000
        tick = int((clock.monotonic() - zero) / _TICK_S) + 1
        while True:
            due = zero + tick * _TICK_S
            await self._sleep(max(0.0, due - clock.monotonic()))
            late = max(0.0, clock.monotonic() - due)
            current = tick + int(late / _TICK_S)
            self.missed += current - tick
            self._beat(current, late)
            tick = current + 1
