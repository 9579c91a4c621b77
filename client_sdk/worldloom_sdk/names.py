"""Names: asks the server who somebody is, many at a time and not too often. Knows no sockets."""

import asyncio
from collections.abc import Awaitable, Callable

from worldloom_sdk.clock import Clock

__all__ = ["NameDesk"]

_IDS_PER_WHO = 64
_WHO_EVERY_S = 0.26


class NameDesk:
    """Collects ids whose names are wanted.

    Args:
        ask: Sends one Who with at most 64 ids.
        clock: Keeps it to fewer than four a second.
    """

    def __init__(self, ask: Callable[[list[int]], Awaitable[None]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._wanted: dict[int, None] = {}
        self._asked = asyncio.Event()

    def want(self, avatar: int) -> None:
        """Ask for a name soon; an id that waits already is asked for once."""
        self._wanted[avatar] = None
        self._asked.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._asked.wait()
            ids = list(self._wanted)[:_IDS_PER_WHO]
            for avatar in ids:
                del self._wanted[avatar]
            if not self._wanted:
                self._asked.clear()
            if ids:
                await self._ask(ids)
            await self._clock.sleep(_WHO_EVERY_S)
