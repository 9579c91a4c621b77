"""Shuns: personal blocks among those who are here, in force both ways. Knows no SQL; the durable ones are handed in.

A viewer's cuts hold only who is in the world: an avatar is cut out before its body comes, and until it is gone.
"""

from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session
from worldloom.replication.fanout import FanOut
from worldloom_sdk.protocol.messages import BlockReach

__all__ = ["Shuns"]


class Shuns:
    """Keeps what seats are not sent in step with who shuns whom.

    Args:
        roster: Who is here.
        fanout: What their seats are sent.
    """

    def __init__(self, roster: Roster, fanout: FanOut) -> None:
        self._roster, self._fanout = roster, fanout
        self._leaving: dict[int, Session] = {}
        self._absent: dict[int, set[int]] = {}
        """By whom of those here somebody was shunned who was not."""

    def enter(self, session: Session) -> None:
        """Somebody comes in, its body not yet: in force before either is sent anything."""
        gone = self._leaving.pop(session.avatar, None)
        if gone is not None:
            self._forget(gone)
        # What the store said may be out of date by now; what those who are here want is not.
        for avatar in {*session.shunned, *self._absent.pop(session.avatar, ())}:
            other = self._roster.find(avatar)
            if other is not None:
                wishes = session.own_shuns.get(avatar), other.own_shuns.get(session.avatar)
                self._set(session, avatar, min((wish for wish in wishes if wish is not None), default=None))
        for avatar in session.own_shuns:
            if self._roster.find(avatar) is None:
                self._absent.setdefault(avatar, set()).add(session.avatar)

    def renew(self, session: Session) -> None:
        """A session has a new seat, with nothing cut out of it yet."""
        for avatar, reach in session.shunned.items():
            if self._roster.find(avatar) is not None or avatar in self._leaving:
                self._cut_one(session, avatar, reach)

    def leave(self, session: Session) -> None:
        """Somebody is gone; its body is so a few ticks later."""
        self._leaving[session.avatar] = session
        for avatar in session.own_shuns:
            self._unnote(session, avatar)
        for avatar in session.shunned if session.account is not None else ():
            other = self._roster.find(avatar)
            if other is not None and other.account is not None and session.avatar in other.own_shuns:
                self._absent.setdefault(session.avatar, set()).add(avatar)

    def shun(self, session: Session, avatar: int, reach: BlockReach) -> None:
        """From now on these two are nothing to each other."""
        session = self._roster.find(session.avatar) or session
        session.own_shuns[avatar] = reach
        other = self._roster.find(avatar)
        if other is not None:
            reach = min(reach, other.own_shuns.get(session.avatar, reach))
        elif self._roster.find(session.avatar) is session:
            self._absent.setdefault(avatar, set()).add(session.avatar)
        self._set(session, avatar, reach)

    def unshun(self, session: Session, avatar: int, still: BlockReach | None) -> None:
        """One of two takes its block back.

        Args:
            session: Who did.
            avatar: Of whom.
            still: What the other one's own block still takes away, if it has one.
        """
        session = self._roster.find(session.avatar) or session
        session.own_shuns.pop(avatar, None)
        self._unnote(session, avatar)
        other = self._roster.find(avatar)
        if other is not None and still is not None:
            other.own_shuns[session.avatar] = still
        elif other is not None:
            other.own_shuns.pop(session.avatar, None)
        self._set(session, avatar, still)

    def sweep(self) -> None:
        """About once a second: nothing needs to be cut out of those whose bodies are gone."""
        for avatar, session in list(self._leaving.items()):
            if avatar not in self._fanout.mirror.where:
                del self._leaving[avatar]
                self._forget(session)

    def _set(self, session: Session, avatar: int, reach: BlockReach | None) -> None:
        """What the two are not to each other, each as far as it is here, or its body still is."""
        other = self._roster.find(avatar) or self._leaving.get(avatar)
        for one, against in ((session, avatar), (other, session.avatar)):
            if one is None:
                continue
            if reach is None:
                one.shunned.pop(against, None)
            else:
                one.shunned[against] = reach
        # The store may have taken so long that the one who asked is gone.
        if other is not None and self._roster.find(session.avatar) is session:
            self._cut(session, other, reach)

    def _unnote(self, session: Session, avatar: int) -> None:
        by = self._absent.get(avatar)
        if by is not None:
            by.discard(session.avatar)
            if not by:
                del self._absent[avatar]

    def _forget(self, gone: Session) -> None:
        for avatar in gone.shunned:
            other = self._roster.find(avatar)
            if other is None:
                continue
            self._cut_one(other, gone.avatar, None)
            if gone.account is None or other.account is None:
                # With a guest nothing lasts; the number may be somebody else's one day.
                other.shunned.pop(gone.avatar, None)
                other.own_shuns.pop(gone.avatar, None)

    def _cut(self, session: Session, other: Session, reach: BlockReach | None) -> None:
        self._cut_one(session, other.avatar, reach)
        self._cut_one(other, session.avatar, reach)

    def _cut_one(self, session: Session, avatar: int, reach: BlockReach | None) -> None:
        seat = session.seat
        (seat.deaf.add if reach is BlockReach.SPEECH else seat.deaf.discard)(avatar)
        blocks = reach is BlockReach.ALL
        if blocks != (avatar in seat.blocked):
            self._fanout.block(seat, avatar, blocks)
