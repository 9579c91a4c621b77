"""Errands: commands that ask the store, carried out beside the ticks, each answered once. Knows no command by name."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

from worldloom.errors import DATABASE_AWAY, Refusal, StoreUnavailable
from worldloom.gateway.session import Session
from worldloom.replication.wire import message
from worldloom_sdk.protocol.messages import Done, RefusalCode

__all__ = ["AT_ONCE", "OF_ONE", "Errands"]

_log = logging.getLogger(__name__)

AT_ONCE = 256
"""Errands of all sessions together."""
OF_ONE = 4
"""Errands of one session."""


class Errands:
    """Runs what a command asks for as a task, and answers it.

    Args:
        refused: Counts refusals by code.
    """

    def __init__(self, refused: Counter[str]) -> None:
        self._refused = refused
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, session: Session, number: int, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Carry out a command; its answer follows.

        Args:
            session: Who asked.
            number: Of the command.
            work: What it returns goes into Done; a Refusal that it raises is told.

        Raises:
            Refusal: Too many are under way.
        """
        if session.errands >= OF_ONE:
            raise Refusal(
                RefusalCode.RATE, f"expected at most {OF_ONE} such commands at once, got more", "", 500
            )
        if len(self._tasks) >= AT_ONCE:
            raise Refusal(RefusalCode.UNAVAILABLE, "too many commands are under way", "try again", 2_000)
        session.errands += 1
        task = asyncio.get_running_loop().create_task(self._run(session, number, work), name="gateway.errand")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what is under way; whether it was done is unknown then."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(
        self, session: Session, number: int, work: Callable[[], Coroutine[Any, Any, object]]
    ) -> None:
        socket = session.socket
        try:
            result = await work()
        except Refusal as refusal:
            self._answer(session, socket, number, refusal)
        except StoreUnavailable:
            self._answer(
                session,
                socket,
                number,
                Refusal(RefusalCode.UNAVAILABLE, DATABASE_AWAY, "look whether it was done", 2_000),
            )
        except Exception:  # noqa: BLE001 - a task boundary: one command's fault is not the world's
            _log.exception("a command could not be carried out")
            self._answer(
                session,
                socket,
                number,
                Refusal(RefusalCode.UNAVAILABLE, "something went wrong here", "", 5_000),
            )
        else:
            if session.socket is socket:
                session.write(message(Done(number, result)))
        finally:
            session.errands -= 1

    def _answer(self, session: Session, socket: object, number: int, refusal: Refusal) -> None:
        self._refused[refusal.code] += 1
        # A newer connection numbers its commands anew.
        if session.socket is socket:
            session.refuse(number, refusal)
