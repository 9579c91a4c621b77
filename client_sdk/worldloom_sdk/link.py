"""Link: one socket after the other for one connection. Dials, greets, resumes, and knows when to stop."""

import asyncio
import functools
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from importlib import metadata
from typing import NamedTuple

from worldloom_sdk import events
from worldloom_sdk.backoff import Backoff
from worldloom_sdk.clock import Clock, within
from worldloom_sdk.connection import Connection, State
from worldloom_sdk.errors import (
    ConnectionClosed,
    Disconnected,
    NotConnected,
    SentOut,
    SetupError,
    TimedOut,
    WorldloomError,
    refusal,
)
from worldloom_sdk.identity import Identity
from worldloom_sdk.protocol.codec import ProtocolError
from worldloom_sdk.protocol.messages import CloseCode, RefusalCode, Welcome
from worldloom_sdk.transport import Dial, Transport

__all__ = ["Link"]

_log = logging.getLogger(__name__)

_DIAL_TIMEOUT_S = 15.0
_WELCOME_TIMEOUT_S = 10.0
_STABLE_AFTER_S = 5.0
_FINAL_CODES = (
    CloseCode.NORMAL,
    CloseCode.PROTOCOL,
    CloseCode.NOT_BINARY,
    CloseCode.BAD_PAYLOAD,
    CloseCode.POLICY,
    CloseCode.TOO_BIG,
    CloseCode.REPLACED,
    CloseCode.REMOVED,
)
_APPLICATION_CODES = range(4000, 5000)
"""Those that it does not know are final, too: a reason of the server's own."""
_SENT_OUT = ("kicked", "banned", "revoked")
_PASSING_REFUSALS = (RefusalCode.FULL, RefusalCode.RATE, RefusalCode.UNAVAILABLE)


class _Ending(NamedTuple):
    """How one socket ended."""

    error: WorldloomError
    code: int = 1006
    final: bool = False
    at_least_s: float = 0.0
    at_once: bool = False


class Link:
    """Keeps a connection in its world.

    Args:
        connection: What is said and heard.
        who: Who wants to come in; its token is filled in when the server gives one.
        dial: Opens transports.
        clock: Whose time it goes by.
        emit: Is told every event, at once and in order.
        helpers: Run while the connection is in the world; cancelled when its socket ends.
        patience_s: How long the first join may go on trying; the log warns once that it does.
        rng: Where the jitter of waiting times comes from.
    """

    def __init__(
        self,
        connection: Connection,
        who: Identity,
        *,
        dial: Dial,
        clock: Clock,
        emit: Callable[[events.Event], None],
        helpers: Sequence[Callable[[], Awaitable[None]]] = (),
        patience_s: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        self._connection = connection
        self._who = who
        self._dial = dial
        self._clock = clock
        self._emit = emit
        self._helpers = helpers
        self._patience_s = patience_s
        self._backoff = Backoff(rng=rng)
        self._transport: Transport | None = None
        self._ever_joined = False
        self._resume: str | None = None
        self._resume_until = self._ghost_until = 0.0
        self._joined_at = 0.0
        self._farewell: events.Farewell | None = None
        self._refusal: events.JoinRefused | None = None

    @property
    def in_world(self) -> bool:
        """Whether messages can be sent at this moment."""
        return self._transport is not None and self._connection.state is State.IN_WORLD

    @property
    def transport(self) -> Transport:
        """The open transport.

        Raises:
            NotConnected: Not in the world at this moment.
        """
        if self._transport is None or self._connection.state is not State.IN_WORLD:
            raise NotConnected("this client is not in the world at this moment")
        return self._transport

    async def send(self, data: bytes) -> None:
        """Send one message.

        Raises:
            Disconnected: Not in the world, or lost just now.
        """
        try:
            await self.transport.send(data)
        except ConnectionClosed as closed:
            raise Disconnected(str(closed), closed.code) from None

    async def run(self) -> WorldloomError:
        """Join, and come back as often as it takes; returns why that is over."""
        try:
            self._who.prepare()
        except SetupError as fault:
            self._emit(events.Lost(1006, str(fault), final=True))
            return fault
        began, warned = self._clock.monotonic(), False
        while True:
            was_in_world = False
            try:
                ending = await self._once()
            finally:
                was_in_world = self._let_go()
            left_s = float("inf")
            if not self._ever_joined:
                left_s = began + self._patience_s - self._clock.monotonic()
            final = ending.final or (left_s <= 0 and not ending.at_once)
            if was_in_world or final:
                self._emit(events.Lost(ending.code, str(ending.error), final))
            if final:
                return ending.error
            wait_s = 0.0 if ending.at_once else min(self._backoff.next(ending.at_least_s), left_s)
            if not self._ever_joined and not warned:
                warned = True
                _log.warning("%s: %s; trying for another %.0f s", self._who.name, ending.error, left_s)
            else:
                _log.info("%s: %s; again in %.1f s", self._who.name, ending.error, wait_s)
            await self._clock.sleep(wait_s)

    async def _once(self) -> _Ending:
        self._farewell = self._refusal = None
        try:
            transport = await within(self._clock, _DIAL_TIMEOUT_S, self._dial(), "connecting")
        except (Disconnected, SetupError) as fault:
            # A path that is gone while a world that was there is started anew may come back.
            never = isinstance(fault, SetupError) or (fault.final and not self._ever_joined)
            return _Ending(fault, final=never)
        except (OSError, WorldloomError) as fault:
            return _Ending(Disconnected(f"no connection: {fault}"))
        try:
            self._transport = transport
            return await self._converse(transport)
        except ConnectionClosed as closed:
            return self._closed(closed)
        except TimedOut as fault:
            return _Ending(fault)
        except SetupError as fault:
            return _Ending(fault, final=True)
        except ProtocolError as fault:
            _log.error("%s: the server broke the protocol: %s", self._who.name, fault)
            await transport.close(CloseCode.PROTOCOL)
            return _Ending(Disconnected(f"the server broke the protocol: {fault}"), CloseCode.PROTOCOL)
        finally:
            await transport.close(CloseCode.NORMAL)

    async def _converse(self, transport: Transport) -> _Ending:
        if self._clock.monotonic() >= self._resume_until:
            self._resume = None
        resuming = self._resume is not None
        await transport.send(self._hello())
        await within(self._clock, _WELCOME_TIMEOUT_S, self._until_answered(transport), "Welcome")
        if self._refusal is not None:
            return self._refused(self._refusal, resuming)
        tasks = [asyncio.ensure_future(helper()) for helper in self._helpers]
        try:
            while True:
                self._take(await transport.recv())
        finally:
            await _end(tasks)

    def _hello(self) -> bytes:
        try:
            return self._connection.hello(resume=self._resume, client=_program(), **self._who.hello())
        except ValueError as fault:
            raise SetupError(str(fault)) from None

    async def _until_answered(self, transport: Transport) -> None:
        while self._connection.state is State.GREETED and self._refusal is None:
            self._take(await transport.recv())

    def _take(self, data: bytes) -> None:
        for event in self._connection.receive(data):
            match event:
                case events.Farewell():
                    self._farewell = event
                case events.JoinRefused():
                    self._refusal = event
                case events.Joined() | events.Resumed():
                    self._welcomed()
            self._emit(event)

    def _welcomed(self) -> None:
        welcome = self._welcome
        self._ever_joined = True
        self._resume = welcome.resume
        self._joined_at = self._clock.monotonic()
        self._who.take(welcome)

    @property
    def _welcome(self) -> Welcome:
        welcome = self._connection.welcome
        assert welcome is not None
        return welcome

    def _let_go(self) -> bool:
        was_in_world = self._connection.state is State.IN_WORLD
        self._transport = None
        if was_in_world:
            now, resume_s = self._clock.monotonic(), self._welcome.limits.resume_ms / 1000
            self._resume_until = now + resume_s
            self._ghost_until = now + 2 * resume_s
            if now - self._joined_at >= _STABLE_AFTER_S:
                self._backoff.reset()
        self._connection.lost()
        return was_in_world

    def _refused(self, told: events.JoinRefused, resuming: bool) -> _Ending:
        error = refusal(told.code, told.text, told.hint, told.retry_after)
        if told.code in _PASSING_REFUSALS:
            return _Ending(error, at_least_s=told.retry_after)
        if resuming and told.code != RefusalCode.BANNED:
            self._resume = None
            return _Ending(error, at_once=True)
        # This client's own last session may hold the name for a while after its socket broke.
        own_ghost = told.code == RefusalCode.NAME_TAKEN and self._clock.monotonic() < self._ghost_until
        return _Ending(error, final=not own_ghost, at_least_s=1.0)

    def _closed(self, closed: ConnectionClosed) -> _Ending:
        farewell = self._farewell
        if farewell is not None and farewell.code in _SENT_OUT:
            # However the connection then ended.
            removed = SentOut(farewell.code, farewell.text, CloseCode.REMOVED, farewell.retry_after)
            return _Ending(removed, CloseCode.REMOVED, final=True)
        if closed.code == CloseCode.REMOVED:
            return _Ending(SentOut("sent out", closed.reason, closed.code), closed.code, final=True)
        reason = farewell.text if farewell is not None else closed.reason or f"closed with {closed.code}"
        final = (
            closed.code in _FINAL_CODES
            or closed.code in _APPLICATION_CODES
            or (farewell is not None and farewell.retry_after == 0)
        )
        error = Disconnected(reason, closed.code, final=final)
        return _Ending(error, closed.code, final, farewell.retry_after if farewell is not None else 0.0)


async def _end(tasks: Sequence["asyncio.Future[None]"]) -> None:
    for task in tasks:
        task.cancel()
    for fault in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(fault, Exception) and not isinstance(fault, (Disconnected, TimedOut)):
            _log.error("a helper of a client failed", exc_info=fault)


@functools.cache
def _program() -> str:
    try:
        return f"worldloom-sdk-python/{metadata.version('worldloom')}"
    except metadata.PackageNotFoundError:
        return "worldloom-sdk-python"
