"""Answers: who waits for which answer of the server. Knows no connection and sends nothing."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

from worldloom_sdk import events
from worldloom_sdk.clock import Clock, within
from worldloom_sdk.errors import Disconnected, Refused, refusal

__all__ = ["Answers"]

_log = logging.getLogger(__name__)

_TIMEOUT_S = 10.0


class Answers:
    """Commands and pings under way.

    Args:
        clock: An answer may take 10 s of its time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._commands: dict[int, asyncio.Future[Any]] = {}
        self._pongs: list[asyncio.Future[int]] = []

    async def of_command(self, command: int, sending: Awaitable[None]) -> Any:
        """Send a command, and wait for its answer.

        Args:
            command: Its id.
            sending: Sends it; awaited.

        Returns:
            What Done carries.

        Raises:
            Refused: So was the answer.
            Disconnected: Lost before the answer.
            TimedOut: None came.
        """
        future = self._commands[command] = asyncio.get_running_loop().create_future()
        try:
            await sending
            return await within(self._clock, _TIMEOUT_S, future, "an answer of the server")
        finally:
            del self._commands[command]

    def expect_pong(self) -> "asyncio.Future[int]":
        """A ping is about to be sent; the future gets the world time of its Pong."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pongs.append(future)
        return future

    async def pong(self, future: "asyncio.Future[int]") -> int:
        """Wait for what ``expect_pong`` gave; raises as ``of_command``."""
        return await within(self._clock, _TIMEOUT_S, future, "ping")

    def take(self, event: events.Event, name: str) -> None:
        """Hand an event to who waits for it.

        Args:
            event: Any.
            name: The client's, for the log.
        """
        match event:
            case events.CommandDone(id=command, result=result):
                self._done(command, result)
            case events.CommandRefused(id=command, code=code, text=text, hint=hint, retry_after=wait):
                self._refused(command, refusal(code, text, hint, wait), name)
            case events.Ponged(server_ms=server_ms):
                if self._pongs and not (waiting := self._pongs.pop(0)).done():
                    waiting.set_result(server_ms)
            case events.Lost():
                self._lose()

    def _done(self, command: int, result: Any) -> None:
        waiting = self._commands.get(command)
        if waiting is not None and not waiting.done():
            waiting.set_result(result)

    def _refused(self, command: int, refused: Refused, name: str) -> None:
        waiting = self._commands.get(command)
        if waiting is None:
            _log.warning("%s: refused: %s", name, refused)
        elif not waiting.done():
            waiting.set_exception(refused)

    def _lose(self) -> None:
        lost = Disconnected("the connection was lost before the answer; whether it was done is unknown")
        for future in (*self._commands.values(), *self._pongs):
            if not future.done():
                future.set_exception(lost)
                future.exception()
        self._pongs.clear()
