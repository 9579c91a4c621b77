"""Shuns: personal blocks among those who are here, in force both ways. Knows no SQL; the durable ones are handed in.

A viewer's cuts hold only who is in the world: an avatar is cut out before its body comes, and until it is gone. What
two who are here are to each other follows from what each of them wishes, and from nothing else: what the store said of
others when somebody came may be out of date, and only tells whom to look at.
"""

from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session
from worldloom.replication.fanout import FanOut
from worldloom_sdk.protocol.messages import BlockReach

__all__ = ["Shuns"]

_CHANGES_SWEEPS = 30
"""For how many sweeps a change is remembered at least: longer than anybody whom the store knows is on the way in."""
_BODY_SWEEPS = 10
"""After how many sweeps a body that nobody has seen yet will not come any more."""
_GUEST_BIT = 1 << 31

_Changes = dict[int, dict[int, BlockReach | None]]


class Shuns:
    """Keeps what seats are not sent in step with who shuns whom.

    Args:
        roster: Who is here.
        fanout: What their seats are sent.
    """

    def __init__(self, roster: Roster, fanout: FanOut) -> None:
        self._roster, self._fanout = roster, fanout
        self._leaving: dict[int, Session] = {}
        self._left: dict[int, int] = {}
        """In which sweep each of them left."""
        self._absent: dict[int, set[int]] = {}
        """By whom of those here, or leaving, somebody was shunned who was not."""
        self._changes: _Changes = {}
        """What accounts wished lately of accounts, by who wished and of whom; None: nothing any more."""
        self._changes_before: _Changes = {}
        self._sweeps = 0

    def enter(self, session: Session) -> None:
        """Somebody comes in, its body not yet: in force before either is sent anything."""
        gone = self._leaving.pop(session.avatar, None)
        if gone is not None:
            self._forget(gone)
        self._catch_up(session)
        met = self._absent.pop(session.avatar, ())
        for avatar in {*session.shunned, *session.own_shuns, *met}:
            self._settle(session, avatar)
        for avatar in session.own_shuns:
            self._note(session, avatar)

    def renew(self, session: Session) -> None:
        """A session has a new seat, with nothing cut out of it yet."""
        for avatar, reach in session.shunned.items():
            if self._known(avatar) is not None:
                self._cut_one(session, avatar, reach)

    def leave(self, session: Session) -> None:
        """Somebody is gone; its body is so a few ticks later, and until then what it wished is in force."""
        self._leaving[session.avatar] = session
        self._left[session.avatar] = self._sweeps
        for avatar in session.shunned if session.account is not None else ():
            other = self._known(avatar)
            if other is not None and other.account is not None and session.avatar in other.own_shuns:
                self._note(other, session.avatar)

    def shun(self, session: Session, avatar: int, reach: BlockReach) -> None:
        """From now on these two are nothing to each other."""
        # The store may have taken so long that the one who asked is gone, or has come again.
        session = self._known(session.avatar) or session
        session.own_shuns[avatar] = reach
        self._remember(session, avatar, reach)
        self._note(session, avatar)
        self._settle(session, avatar)

    def unshun(self, session: Session, avatar: int, still: BlockReach | None) -> None:
        """One of two takes its block back.

        Args:
            session: Who did.
            avatar: Of whom.
            still: What the other one's own block still takes away, if it has one.
        """
        session = self._known(session.avatar) or session
        session.own_shuns.pop(avatar, None)
        self._remember(session, avatar, None)
        self._unnote(session, avatar)
        other = self._known(avatar)
        if other is not None and still is not None:
            other.own_shuns[session.avatar] = still
        elif other is not None:
            other.own_shuns.pop(session.avatar, None)
        self._settle(session, avatar)

    def sweep(self) -> None:
        """About once a second: nothing needs to be cut out of those whose bodies are gone."""
        self._sweeps += 1
        if self._sweeps % _CHANGES_SWEEPS == 0:
            self._changes_before, self._changes = self._changes, {}
        for avatar, session in list(self._leaving.items()):
            # Who was never seen may have gone before its body came: that is on its way then.
            is_late = not session.came and self._sweeps - self._left[avatar] <= _BODY_SWEEPS
            if avatar not in self._fanout.mirror.where and not is_late:
                del self._leaving[avatar]
                self._forget(session)

    def _known(self, avatar: int) -> Session | None:
        """Who is here, or its body still is."""
        return self._roster.find(avatar) or self._leaving.get(avatar)

    def _remember(self, session: Session, avatar: int, reach: BlockReach | None) -> None:
        if session.account is not None and avatar < _GUEST_BIT:
            self._changes.setdefault(session.avatar, {})[avatar] = reach

    def _catch_up(self, session: Session) -> None:
        """What it wished itself since the store was asked, or at the same time, is newer than what the store said."""
        before, lately = self._changes_before, self._changes
        for avatar, reach in (before.get(session.avatar, {}) | lately.get(session.avatar, {})).items():
            if reach is None:
                session.own_shuns.pop(avatar, None)
            else:
                session.own_shuns[avatar] = reach

    def _settle(self, session: Session, avatar: int) -> None:
        """What the two are not to each other, each as far as it is here, or its body still is."""
        other = self._known(avatar)
        theirs = other.own_shuns.get(session.avatar) if other is not None else None
        wishes = [wish for wish in (session.own_shuns.get(avatar), theirs) if wish is not None]
        reach = min(wishes, default=None)
        for one, against in ((session, avatar), (other, session.avatar)):
            if one is None:
                continue
            if reach is None:
                one.shunned.pop(against, None)
            else:
                one.shunned[against] = reach
        if other is not None and self._known(session.avatar) is session:
            self._cut_one(session, avatar, reach)
            self._cut_one(other, session.avatar, reach)

    def _note(self, session: Session, avatar: int) -> None:
        """Somebody here, or leaving, shuns somebody who may not be here."""
        if self._roster.find(avatar) is None and self._known(session.avatar) is session:
            self._absent.setdefault(avatar, set()).add(session.avatar)

    def _unnote(self, session: Session, avatar: int) -> None:
        by = self._absent.get(avatar)
        if by is not None:
            by.discard(session.avatar)
            if not by:
                del self._absent[avatar]

    def _forget(self, gone: Session) -> None:
        self._left.pop(gone.avatar, None)
        for avatar in gone.own_shuns:
            self._unnote(gone, avatar)
        for avatar in gone.shunned:
            other = self._roster.find(avatar)
            if other is None:
                continue
            self._cut_one(other, gone.avatar, None)
            if gone.account is None or other.account is None:
                # With a guest nothing lasts; the number may be somebody else's one day.
                other.shunned.pop(gone.avatar, None)
                other.own_shuns.pop(gone.avatar, None)

    def _cut_one(self, session: Session, avatar: int, reach: BlockReach | None) -> None:
        seat = session.seat
        (seat.deaf.add if reach is BlockReach.SPEECH else seat.deaf.discard)(avatar)
        blocks = reach is BlockReach.ALL
        if blocks != (avatar in seat.blocked):
            self._fanout.block(seat, avatar, blocks)
