"""Threads: those of the event loop, counted, so that what a bot does in one belongs to the moment in which it began."""

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["CountedThreads"]

T = TypeVar("T")


class CountedThreads(concurrent.futures.ThreadPoolExecutor):
    """Runs what ``asyncio.to_thread`` is given while entered, and knows how much of it is under way.

    Args:
        on_change: Called in the event loop when something was done, after whoever awaits it has been told.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__(thread_name_prefix="worldloom-bot")
        self._loop, self._on_change = asyncio.get_running_loop(), on_change
        self.at_work = 0
        """How much is under way."""

    def __enter__(self) -> "CountedThreads":
        self._loop.set_default_executor(self)
        return self

    def __exit__(self, *fault: object) -> None:
        # Without waiting: a thread that never ends must not keep the test from saying so.
        self._loop.set_default_executor(concurrent.futures.ThreadPoolExecutor())
        self.shutdown(wait=False, cancel_futures=True)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "concurrent.futures.Future[T]":
        """As ``ThreadPoolExecutor``. From the event loop alone."""
        told: concurrent.futures.Future[T] = concurrent.futures.Future()

        def work() -> None:
            if told.set_running_or_notify_cancel():
                try:
                    told.set_result(fn(*args, **kwargs))
                except BaseException as fault:  # noqa: BLE001 - handed to whoever awaits it
                    told.set_exception(fault)
            # Now that the result is on its way into the loop: nobody finds it at rest between the two.
            with contextlib.suppress(RuntimeError):  # it is closed: nobody waits
                self._loop.call_soon_threadsafe(self._done)

        super().submit(work)
        self.at_work += 1
        return told

    def _done(self) -> None:
        self.at_work -= 1
        self._on_change()
