"""Walking: bodies moved over the ground at 10 Hz, and only believed to be where the server lets them be."""

import asyncio
import math
from collections import deque

from worldloom_sdk import events
from worldloom_sdk.avatar import Position, yaw_to_radians, yaw_towards
from worldloom_sdk.client import Client
from worldloom_sdk.errors import Blocked, Disconnected, Interrupted, NotConnected, TimedOut
from worldloom_sdk.protocol.geometry import TICK_MS, XZ_PER_M, to_units
from worldloom_sdk.protocol.messages import CorrectionReason
from worldloom_sdk.protocol.words import Gesture
from worldloom_sdk.terrain import region_of

__all__ = ["RUN_SPEED", "WALK_SPEED", "Walk"]

WALK_SPEED = 1.4
"""m/s."""
RUN_SPEED = 2.5
"""From this speed on, in m/s, a body runs."""

_STEP_S = 0.1
_LONGEST_STEP_S = 0.25
_LOOK_S = 0.05
_LAND_LOOK_S = 1.0
_SLIP_PAUSE_S = 0.2
_MAX_SLIPS = 10
_JUDGED_AFTER_MS = 3 * TICK_MS
_CORRECTIONS_KEPT = 64


class Walk:
    """One walk of a client's body; ends what the last one of the same body was about.

    Args:
        client: Whose body. It must be in the world.
        speed: m/s.

    Raises:
        ValueError: The speed is not above 0, or over the world's limit.
        NotConnected: The client never joined.
    """

    def __init__(self, client: Client, speed: float) -> None:
        limit = client.limits.speed / XZ_PER_M
        if not 0.0 < speed <= limit:
            raise ValueError(f"speed: expected a speed above 0 and up to {limit:g} m/s, got {speed}")
        self._client = client
        self._speed = speed
        self._gesture = Gesture.RUN if speed >= RUN_SPEED else Gesture.WALK
        self._corrections: deque[events.Corrected] = deque(maxlen=_CORRECTIONS_KEPT)
        self._judge_after = client.connection.seq
        self._slips = 0
        self._interrupted = False
        self._last_step = client.clock.monotonic() - _STEP_S

    def interrupt(self) -> None:
        """End this walk with Interrupted, at its next step."""
        self._interrupted = True

    async def to(self, x_m: float, z_m: float) -> Position:
        """Walk along a straight line on the ground until the server has the body there.

        Returns:
            Where the body is: the goal, to 1/64 m.

        Raises:
            Blocked: The server does not let the body go on.
            Disconnected: The connection was lost on the way.
            Interrupted: A newer walk took over.
        """
        goal = to_units(x_m, z_m)
        forget = self._client.listen(self._hear)
        try:
            while True:
                while not await self._step(goal[0] / XZ_PER_M, goal[1] / XZ_PER_M, 0.0):
                    await self._client.clock.sleep(_STEP_S)
                if await self._settled(goal):
                    return self._client.position
        finally:
            forget()

    async def after(self, avatar: int, near_m: float) -> None:
        """Walk after a body, up to ``near_m`` of it, until it is out of view.

        Raises:
            Blocked: The server does not let the body go on.
            Disconnected: The connection was lost on the way.
            Interrupted: A newer walk took over.
        """
        forget = self._client.listen(self._hear)
        try:
            while (leader := self._client.view.avatars.get(avatar)) is not None:
                await self._step(leader.x, leader.z, near_m)
                await self._client.clock.sleep(_STEP_S)
        finally:
            forget()

    def _hear(self, event: events.Event) -> None:
        if isinstance(event, events.Corrected):
            self._corrections.append(event)

    async def _step(self, x_m: float, z_m: float, near_m: float) -> bool:
        """Go one step towards a place; true if that step ends there."""
        await self._obey()
        here, now = self._client.position, self._client.clock.monotonic()
        elapsed = min(now - self._last_step, _LONGEST_STEP_S)
        self._last_step = now
        dx, dz = x_m - here.x, z_m - here.z
        away = math.hypot(dx, dz) - near_m
        reach = self._speed * elapsed
        if away <= reach and near_m == 0.0:
            await self._client.move(x_m, z_m, yaw=self._yaw(dx, dz), gesture=Gesture.STAND)
            return True
        if away <= 0.0:
            await self._stand(self._yaw(dx, dz))
            return True
        part = min(reach, away) / (away + near_m)
        await self._client.move(
            here.x + dx * part, here.z + dz * part, yaw=yaw_towards(dx, dz), gesture=self._gesture
        )
        return False

    def _yaw(self, dx: float, dz: float) -> float:
        far_enough = math.hypot(dx, dz) > 2.0 / XZ_PER_M
        return yaw_towards(dx, dz) if far_enough else yaw_to_radians(self._client.connection.body.yaw)

    async def _stand(self, yaw: float) -> None:
        body = self._client.connection.body
        if body.gesture != Gesture.STAND:
            here = self._client.position
            await self._client.move(here.x, here.z, yaw=yaw, gesture=Gesture.STAND)

    async def _obey(self) -> None:
        """Do as the server says: wait for land, slow down, or give up."""
        self._check()
        while self._corrections:
            correction = self._corrections.popleft()
            if correction.seq <= self._judge_after and correction.reason is not CorrectionReason.PLACED:
                continue  # a move that was on its way when an earlier one was refused
            self._judge_after = self._client.connection.seq
            await self._take(correction)
            self._check()

    async def _take(self, correction: events.Corrected) -> None:
        match correction.reason:
            case CorrectionReason.PLACED:
                return
            case CorrectionReason.UNWOVEN:
                await self._wait_for_land(correction.wanted or correction.position)
            case CorrectionReason.SPEED if self._slips < _MAX_SLIPS:
                self._slips += 1
                await self._client.clock.sleep(_SLIP_PAUSE_S)
            case reason:
                raise Blocked(reason, correction.position)

    async def _wait_for_land(self, wanted: Position) -> None:
        region = region_of(wanted.x, wanted.z)
        await self._stand(yaw_to_radians(self._client.connection.body.yaw))
        try:
            await self._client.wait_for(
                events.RegionWoven, lambda event: (event.rx, event.rz) == region, _LAND_LOOK_S
            )
        except TimedOut:
            return  # look again: the news may have come before the refusal
        finally:
            self._judge_after = self._client.connection.seq
            self._last_step = self._client.clock.monotonic()

    def _check(self) -> None:
        if self._interrupted:
            raise Interrupted("a newer walk took over")
        if not self._client.in_world:
            raise NotConnected("the connection was lost on the way")

    async def _settled(self, goal: tuple[int, int]) -> bool:
        """Wait until the server has the body at the goal; false if it was put elsewhere."""
        since = self._client.view.tick
        judged = asyncio.create_task(self._judged(), name="judged")
        try:
            while not judged.done():
                self._check()
                if self._corrections or self._shown_at(goal, since):
                    return not self._corrections
                await self._client.clock.sleep(_LOOK_S)
            judged.result()
            return not self._corrections
        except TimedOut as fault:
            raise Disconnected(f"the server does not answer: {fault}") from fault
        finally:
            judged.cancel()
            await asyncio.gather(judged, return_exceptions=True)

    async def _judged(self) -> None:
        """Return when the last move was judged: messages keep their order, a move waits a tick or two."""
        received_ms = await self._client.ping()
        while await self._client.ping() < received_ms + _JUDGED_AFTER_MS:
            pass

    def _shown_at(self, goal: tuple[int, int], since: int) -> bool:
        shown = self._client.view.own_word()
        return shown is not None and shown[1] > since and (shown[0].x, shown[0].z) == goal
