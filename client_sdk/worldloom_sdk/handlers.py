"""Handlers: what a bot does when something happens, run as tasks that it owns. Knows events, not the world."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from worldloom_sdk.clock import Clock
from worldloom_sdk.errors import Disconnected, Refused
from worldloom_sdk.events import Event, check_kind

__all__ = ["Handlers"]

_log = logging.getLogger(__name__)


class _Handler(NamedTuple):
    kind: type[Event]
    check: Callable[[Any], bool] | None
    call: Callable[[Any], object]


class Handlers:
    """A bot's handlers and timers.

    At most ``limit`` calls are under way at once; what comes when that many are is dropped and counted in
    ``dropped``, with a line in the log for the first.

    Args:
        name: Gives the bot's name, for the log.
        clock: For timers.
        limit: As above.
    """

    def __init__(self, name: Callable[[], str], clock: Clock, limit: int) -> None:
        self.dropped = 0
        self._name = name
        self._clock = clock
        self._limit = limit
        self._handlers: list[_Handler] = []
        self._timers: list[tuple[float, Callable[[], object]]] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._timing: list[asyncio.Task[None]] = []

    def add(
        self, kind: type[Event], check: Callable[[Any], bool] | None, call: Callable[[Any], object]
    ) -> None:
        """Call something for each event of a kind.

        Raises:
            TypeError: ``kind`` is no event class, or ``check`` or ``call`` cannot be called.
        """
        check_kind(kind)
        _check_callable("check", check if check is not None else bool)
        _check_callable("the handler", call)
        self._handlers.append(_Handler(kind, check, call))

    def add_timer(self, seconds: float, call: Callable[[], object]) -> None:
        """Call something again and again.

        Raises:
            ValueError: ``seconds`` is not above 0.
            TypeError: ``call`` cannot be called.
        """
        _check_callable("the handler", call)
        if not seconds > 0:
            raise ValueError(f"seconds: expected a number above 0, got {seconds}")
        self._timers.append((seconds, call))

    def wants(self, kind: type[Event]) -> bool:
        """Whether there is a handler of exactly that kind."""
        return any(handler.kind is kind for handler in self._handlers)

    def hear(self, event: Event) -> None:
        """Start the handlers of an event."""
        for handler in self._handlers:
            if isinstance(event, handler.kind):
                self._begin(handler, event)

    def start_timers(self, ready: Callable[[], bool]) -> None:
        """Start the timers; a turn at which ``ready`` is false is left out."""
        self._timing = [
            asyncio.create_task(self._time(seconds, call, ready), name=f"{self._name()} every {seconds:g} s")
            for seconds, call in self._timers
        ]

    async def stop(self) -> None:
        """Cancel every call and timer, and wait until they have ended (but for the one that calls this)."""
        tasks = [task for task in (*self._timing, *self._calls) if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, handler: _Handler, event: Event) -> None:
        if len(self._calls) >= self._limit:
            self.dropped += 1
            if self.dropped == 1:
                _log.warning("%s: %d handlers are busy; dropping events", self._name(), self._limit)
            return
        task = asyncio.create_task(
            self._call(handler, event), name=f"{self._name()} on {type(event).__name__}"
        )
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _call(self, handler: _Handler, event: Event) -> None:
        try:
            if handler.check is None or handler.check(event):
                await _maybe(handler.call(event))
        except Disconnected as fault:
            _log.info("%s: on %s: %s", self._name(), type(event).__name__, fault)
        except Refused as refusal:
            _log.warning("%s: on %s: refused: %s", self._name(), type(event).__name__, refusal)
        except Exception:  # noqa: BLE001 - the boundary
            _log.exception("%s: the handler of %s failed", self._name(), type(event).__name__)

    async def _time(self, seconds: float, call: Callable[[], object], ready: Callable[[], bool]) -> None:
        while True:
            await self._clock.sleep(seconds)
            try:
                if ready():
                    await _maybe(call())
            except Disconnected as fault:
                _log.info("%s: every %g s: %s", self._name(), seconds, fault)
            except Refused as refusal:
                _log.warning("%s: every %g s: refused: %s", self._name(), seconds, refusal)
            except Exception:  # noqa: BLE001 - the boundary
                _log.exception("%s: what it does every %g s failed", self._name(), seconds)


def _check_callable(what: str, given: object) -> None:
    if not callable(given):
        raise TypeError(f"{what}: expected a function, got {given!r}")


async def _maybe(result: object) -> None:
    if inspect.isawaitable(result):
        waiting: Awaitable[object] = result
        await waiting
