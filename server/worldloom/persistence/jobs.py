"""Jobs: use cases on their way to a database thread and back. Knows no SQL.

A job's future belongs to the event loop that asked. Whoever stops waiting does not stop the job: it runs to its
end, and its outcome is unknown to the one who left.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from worldloom.ports import Tx

__all__ = ["Job", "hand_back"]


class Job:
    """One use case, its command, and who waits for it.

    Args:
        use_case: Synchronous ``fn(tx, command) -> result``.
        command: Its second argument.
        loop: The event loop that ``future`` belongs to.
    """

    __slots__ = ("command", "error", "future", "loop", "result", "use_case")

    def __init__(
        self, use_case: Callable[[Tx, Any], Any], command: Any, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.use_case = use_case
        self.command = command
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Give the outcome to whoever still waits. On the event loop's thread only."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def hand_back(jobs: Sequence[Job]) -> None:
    """Settle finished jobs on their event loops, in order, with one wake-up for each loop. From any thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, mine)
        except RuntimeError:
            # The loop was closed: nobody is left to be told, and what is committed stays.
            continue


def _settle(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.settle()
