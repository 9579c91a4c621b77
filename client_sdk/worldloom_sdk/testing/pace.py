"""Pace: lets time pass in a world, moment by moment, each of them done with before the next comes. Knows no bots."""

import asyncio
import time
from typing import Any, Protocol

from worldloom_sdk.protocol.geometry import TICK_MS
from worldloom_sdk.testing.clock import HandClock

__all__ = ["TICK_US", "Pace", "Paced"]

TICK_US = TICK_MS * 1_000
"""Microseconds of a tick."""
_TURNS_BETWEEN_LOOKS = 1_000


class Paced(Protocol):
    """What happens in time."""

    @property
    def slow_things(self) -> str:
        """What is under way beside the event loop, for people; empty if nothing is."""

    def check(self) -> None:
        """Raise what a part failed with."""

    def tick(self, tick: int) -> None:
        """One tick, and whatever is begun every so often."""


class Pace:
    """Time in hand.

    Args:
        clock: Whose time passes. Of the running event loop.
        world: What happens meanwhile.
        changed: Set when something slow has ended.
        patience_s: Real seconds that one moment may take.
    """

    def __init__(self, clock: HandClock, world: Paced, changed: asyncio.Event, patience_s: float) -> None:
        self.tick = 0
        """Number of the last tick."""
        self._clock, self._world = clock, world
        self._changed, self._patience_s = changed, patience_s
        self._ready = _ready_queue()
        self._passing = False

    async def pass_until(self, to_us: int) -> None:
        """Let it be so late, in microseconds of the clock; what happens on the way happens in order.

        Raises:
            RuntimeError: Somebody else lets time pass already.
            TimeoutError: As ``settle``.
        """
        if self._passing:
            raise RuntimeError("time passes already: gather what is to be driven, and drive that")
        self._passing = True
        try:
            await self.settle()
            while (due_us := self._next_us()) <= to_us:
                await self._be(due_us)
            self._clock.advance(to_us)
        finally:
            self._passing = False

    def _next_us(self) -> int:
        tick_us, sleeper_us = (self.tick + 1) * TICK_US, self._clock.next_us()
        return tick_us if sleeper_us is None else min(tick_us, sleeper_us)

    async def _be(self, now_us: int) -> None:
        """The next moment at which something happens: first sleepers wake, then comes the tick."""
        self._clock.advance(now_us)
        await self.settle()
        if now_us == (self.tick + 1) * TICK_US:
            self.tick += 1
            self._world.tick(self.tick)
            await self.settle()

    async def settle(self) -> None:
        """Return when nothing is left to do at this moment: no callback is ready, and nothing slow is under way.

        Raises:
            TimeoutError: There is no end of it, in real seconds.
        """
        began, turns = time.monotonic(), 0
        while True:
            await asyncio.sleep(0)
            turns += 1
            if turns % _TURNS_BETWEEN_LOOKS == 0:
                self._check_patience(began, "callbacks that are ready, again and again")
            if self._ready:
                continue
            slow = self._world.slow_things
            if not slow:
                self._world.check()
                return
            await self._change(began, slow)

    async def _change(self, began: float, slow: str) -> None:
        self._changed.clear()
        left = began + self._patience_s - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                await self._changed.wait()
        except TimeoutError:
            self._check_patience(began, slow)

    def _check_patience(self, began: float, what: str) -> None:
        if time.monotonic() - began >= self._patience_s:
            raise TimeoutError(
                f"expected the world to come to rest within {self._patience_s:g} real seconds, got {what}"
            )


def _ready_queue() -> Any:
    """What the running event loop is about to call: how one can know, rather than guess, that it has come to rest."""
    loop = asyncio.get_running_loop()
    ready = getattr(loop, "_ready", None)
    if ready is None:
        raise RuntimeError(f"expected an event loop of asyncio's own, got {type(loop).__module__}")
    return ready
