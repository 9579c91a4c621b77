"""Attendance: who was here when, and with which token, until that is written down. Knows no store.

A token counts as used when its client has been heard since its Welcome: before, nobody knows that the token was told.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from worldloom.errors import StoreUnavailable
from worldloom.gateway.session import Session
from worldloom.ports import SeenRow

__all__ = ["AT_ONCE", "Attendance"]

_log = logging.getLogger(__name__)

AT_ONCE = 64
"""Rows written down at once; what is over waits for the next round."""


class Attendance:
    """Notes accounts that came, were heard and left.

    Args:
        unix_ms: Unix time.

    Attributes:
        rows: What is not written down yet, by account.
        write: Writes one down at once; without it, all wait for the next round.
    """

    def __init__(self, unix_ms: Callable[[], int]) -> None:
        self._unix_ms = unix_ms
        self._tasks: set[asyncio.Task[None]] = set()
        self.rows: dict[int, SeenRow] = {}
        self.write: Callable[[SeenRow], Coroutine[Any, Any, object]] | None = None

    def note(self, session: Session) -> None:
        """It came or left."""
        account = session.account
        if account is None:
            return
        token = session.standing.token_sha256
        if session.unheard:
            # What was noted of it before, and is not written down yet, stays so.
            before = self.rows.get(account)
            token = before.token_sha256 if before is not None else None
        self.rows[account] = SeenRow(account, token, self._unix_ms())

    def hear(self, session: Session) -> None:
        """Its client has what the last Welcome told. If that was a token made from a code, the code is void at once."""
        session.unheard = False
        self.note(session)
        write, account = self.write, session.account
        if session.by_code and account is not None and write is not None and len(self._tasks) < AT_ONCE:
            work = self._write(write, self.rows[account])
            task = asyncio.get_running_loop().create_task(work, name="gateway.attendance")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        session.by_code = False

    async def close(self) -> None:
        """Stop writing; what was not written is still in ``rows``, or is written twice."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write(self, write: Callable[[SeenRow], Coroutine[Any, Any, object]], row: SeenRow) -> None:
        try:
            await write(row)
        except StoreUnavailable as fault:
            _log.warning("a code that was used is not void yet: %s", fault)
