"""Links: where somebody is set down who comes by a link to a place. Knows no accounts; the entrance asks it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from worldloom.errors import StoreUnavailable
from worldloom.gateway.limits import RateLimit
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_SHIFT
from worldloom_sdk.protocol.messages import Hello

__all__ = ["UNWOVEN_A_MINUTE", "Links"]

UNWOVEN_A_MINUTE = 6
"""Places that one address may come to where no land is yet: each makes the server weave, and the world larger."""
LINK_S = 6.0
"""How long the land there may take; less than a Hello has."""

Asked = Callable[[int, int], Awaitable[bool]]
"""Asks something of a region."""


class Links:
    """Places that people come to by links.

    Args:
        enabled: Whether any is looked at.
        is_woven: Whether a region has land.
        land_ready: Waits until a region's land is made.
        monotonic: Seconds of a steady clock.
    """

    def __init__(
        self, enabled: bool, is_woven: Asked, land_ready: Asked, monotonic: Callable[[], float]
    ) -> None:
        self._enabled, self._is_woven, self._land_ready = enabled, is_woven, land_ready
        self._monotonic = monotonic
        self._unwoven = RateLimit(UNWOVEN_A_MINUTE / 60, UNWOVEN_A_MINUTE)

    async def place(self, hello: Hello, home: str) -> tuple[int, int] | None:
        """The place that a Hello asks for, x and z in units, once there is land.

        Args:
            hello: What was said. With ``resume`` somebody comes back, however that turns out.
            home: The address that it comes from.

        Returns:
            None when none is asked for, or it is not to be had: outside of the world, too many new ones, no land.
        """
        if not self._enabled or hello.at is None or hello.resume is not None:
            return None
        x, z = hello.at
        rx, rz = x >> REGION_SHIFT, z >> REGION_SHIFT
        if max(abs(rx), abs(rz)) > REGION_LIMIT:
            return None
        with suppress(TimeoutError, StoreUnavailable):
            async with asyncio.timeout(LINK_S):
                if not await self._is_woven(rx, rz) and self._unwoven.take(home, self._monotonic()):
                    return None
                if await self._land_ready(rx, rz):
                    return x, z
        return None
