"""The enforcer: puts in force, on open sessions, what the audit log says was done, whoever did it and on which host.

It follows the log by its numbers, four times a second and at once when somebody here has just acted; for each session
that an act concerns it asks anew what it is here. Knows no messages.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from worldloom.errors import StoreUnavailable
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import FOREVER, Session
from worldloom.ports import AuditRow, Store, Tx
from worldloom.realm.networks import networks_of
from worldloom.realm.order import AuditAct
from worldloom.services import people
from worldloom.services.standing import Ask, Standing, standing

__all__ = ["Enforcer"]

_log = logging.getLogger(__name__)

EVERY_S = 0.25
AT_ONCE = 100
"""Rows of the log taken in one query."""
TOGETHER = 32
"""Sessions that are asked about in one transaction: a banned network may be that of many."""


class Bouncer(Protocol):
    """Who carries it out: the gateway."""

    def remove(self, session: Session, code: str, text: str) -> None:
        """Send somebody out."""

    def mute(self, session: Session, until_ms: int | None, reason: str) -> None:
        """A guest may not speak until then, or may again; counts from the next ``regard``."""

    def regard(self, session: Session, found: Standing) -> None:
        """Somebody is what the database says."""


class Enforcer:
    """Follows the audit log.

    Args:
        store: Where the log is.
        roster: Who is here.
        bouncer: Carries it out.
        unix_ms: Unix time.
    """

    def __init__(self, store: Store, roster: Roster, bouncer: Bouncer, unix_ms: Callable[[], int]) -> None:
        self._store, self._roster, self._bouncer, self._unix_ms = store, roster, bouncer, unix_ms
        self._wake = asyncio.Event()
        self._doubtful: dict[Session, None] = {}
        self.is_available = True
        """Whether the log could be read the last time."""
        self.number = 0
        """Of the last row that is in force here."""

    def poke(self) -> None:
        """Somebody here has just acted."""
        self._wake.set()

    def doubt(self, session: Session) -> None:
        """What is known of a session may be out of date: it is asked anew."""
        self._doubtful[session] = None
        self._wake.set()

    async def open(self) -> None:
        """Begin at the log's present end: whoever comes from now on is asked about at the door.

        Raises:
            StoreUnavailable: The log cannot be read.
        """
        self.number = await self._store.read(people.audit_head, None)

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
        """Put in force everything that is new in the log, if it can be read."""
        try:
            await self._follow()
            self._note(True, "")
        except StoreUnavailable as fault:
            self._note(False, str(fault))

    async def _follow(self) -> None:
        while rows := await self._store.read(people.audit_after, people.AuditAfter(self.number, AT_ONCE)):
            for row in rows:
                # At once and together: whoever comes in meanwhile is either here already, or doubted for the number.
                self._apply(row)
                self.number = row.number
        while self._doubtful:
            some = list(islice(self._doubtful, TOGETHER))
            for session in some:
                del self._doubtful[session]
            try:
                await self._check(some)
            except StoreUnavailable:
                self._doubtful.update(dict.fromkeys(some))
                raise

    def _note(self, available: bool, why: str) -> None:
        if available != self.is_available:
            self.is_available = available
            if available:
                _log.info("the audit log can be read again")
            else:
                _log.error(
                    "the audit log cannot be read, what others order is not in force here yet: %s", why
                )

    def _apply(self, row: AuditRow) -> None:
        for session in list(self._concerned(row)):
            if row.act is AuditAct.KICK:
                self._bouncer.remove(session, "kicked", row.detail)
            elif row.account is not None or row.network is not None:
                self._doubtful[session] = None
            elif row.act in (AuditAct.MUTE, AuditAct.UNMUTE):
                # Of a guest nothing is stored but this.
                until = None if row.act is AuditAct.UNMUTE else row.until_ms or FOREVER
                self._bouncer.mute(session, until, row.detail)
                self._doubtful[session] = None

    def _concerned(self, row: AuditRow) -> Iterator[Session]:
        """Whom an act is about, of those who are here; bots go with their owners."""
        network = ipaddress.ip_network(row.network) if row.network is not None else None
        for session in self._roster:
            if row.account is not None:
                owner = session.standing.owner_account if row.act is not AuditAct.KICK else None
                concerned = row.account in (session.account, owner)
            elif network is not None:
                concerned = session.home is not None and _lies_in(session.home.key, network)
            else:
                concerned = session.account is None and session.name == row.about
            if concerned:
                yield session

    async def _check(self, sessions: list[Session]) -> None:
        now = self._unix_ms()
        asks = [_ask(session, now) for session in sessions]
        found = await self._store.read(_standings, asks)
        for session, ask, one in zip(sessions, asks, found, strict=True):
            if self._roster.find(session.avatar) is not session:
                continue
            if session.standing.token_sha256 == ask.token_sha256:
                self._bouncer.regard(session, one)
            else:
                # Somebody came by another key meanwhile.
                self._doubtful[session] = None


def _ask(session: Session, now_ms: int) -> Ask:
    networks = networks_of(session.home.key) if session.home is not None else ()
    return Ask(session.account, session.standing.token_sha256, networks, now_ms)


def _standings(tx: Tx, asks: list[Ask]) -> list[Standing]:
    return [standing(tx, ask) for ask in asks]


def _lies_in(key: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        home = ipaddress.ip_network(key)
    except ValueError:
        return False
    return home.version == network.version and home.subnet_of(network)  # type: ignore[arg-type]
