"""The notifier: tells accounts that are here what happened to their money and land, on whichever host it was.

It follows the notices by their numbers, four times a second and at once when somebody here has just dealt; whoever
comes in is told what they have not read. Knows no use case that writes notices.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import islice

from worldloom.errors import StoreUnavailable
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session, SessionState
from worldloom.ports import Store
from worldloom.replication.wire import message
from worldloom.services import notices, showing
from worldloom.services.notices import Following, Notice
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.messages import Scope

__all__ = ["EVERY_S", "Notifier"]

_log = logging.getLogger(__name__)

EVERY_S = 0.25
TOGETHER = 32
"""Accounts that came in, asked about in one transaction."""


class Notifier:
    """Follows the notices.

    Args:
        store: Where they are.
        roster: Who is here.
        unix_ms: Unix time.
    """

    def __init__(self, store: Store, roster: Roster, unix_ms: Callable[[], int]) -> None:
        self._store, self._roster, self._unix_ms = store, roster, unix_ms
        self._following = Following(0)
        self._newcomers: dict[Session, None] = {}
        self._wake = asyncio.Event()
        self.is_available = True
        """Whether the notices could be read the last time."""
        self.told = 0
        """Notices that were written to sessions."""

    def poke(self) -> None:
        """Somebody here has just dealt."""
        self._wake.set()

    def came(self, session: Session) -> None:
        """Somebody is in the world, or in it again: they are told what they have not read."""
        if _may_know(session):
            self._newcomers[session] = None
            self._wake.set()

    async def open(self) -> None:
        """Begin at the present end: whoever comes from now on is told what was before.

        Raises:
            StoreUnavailable: The notices cannot be read.
        """
        self._following = Following(await self._store.read(notices.head, None))

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.look()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def look(self) -> None:
        """Tell everything that is new, if it can be read."""
        try:
            await self._follow()
            await self._catch_up()
            self._note(True, "")
        except StoreUnavailable as fault:
            self._note(False, str(fault))

    async def _follow(self) -> None:
        while True:
            found = await self._store.read(notices.follow, self._following.seek())
            new = self._following.take(found, self._unix_ms())
            for notice in new:
                session = self._roster.find(notice.account)
                # Who has just come in is told all of it in order, below.
                if session is not None and session not in self._newcomers:
                    self._tell(session, [notice])
            if len(new) < notices.AT_ONCE:
                return

    async def _catch_up(self) -> None:
        while self._newcomers:
            some = list(islice(self._newcomers, TOGETHER))
            unread = await self._store.read(notices.unread, [session.avatar for session in some])
            for session in some:
                del self._newcomers[session]
                self._tell(session, [one for one in unread if one.account == session.avatar])

    def _tell(self, session: Session, told: Sequence[Notice]) -> None:
        if session.state is SessionState.LIVE and _may_know(session):
            for notice in told:
                session.write(message(messages.Notice(showing.notice(notice))))
                self.told += 1

    def _note(self, available: bool, why: str) -> None:
        if available != self.is_available:
            self.is_available = available
            if available:
                _log.info("notices can be read again")
            else:
                _log.error("notices cannot be read, nobody is told of trades for now: %s", why)


def _may_know(session: Session) -> bool:
    return session.account is not None and session.standing.may(Scope.TRADE)
