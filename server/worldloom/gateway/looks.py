"""Looks: tells whoever has a body in view that it looks otherwise now. Knows no store."""

from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session
from worldloom.replication.fanout import FanOut
from worldloom.replication.wire import message
from worldloom_sdk.protocol.messages import Looks, Worn

__all__ = ["AT_ONCE", "LookTeller"]

AT_ONCE = 16
"""Changes told in one sweep. In a crowd each is told to thousands; who changed last waits for the next sweep."""


class LookTeller:
    """Who has changed its look, until that was told.

    Args:
        roster: Who is here.
        fanout: Who has whom in view.
    """

    def __init__(self, roster: Roster, fanout: FanOut) -> None:
        self._roster, self._fanout = roster, fanout
        self._changed: dict[Session, None] = {}

    def __len__(self) -> int:
        return len(self._changed)

    def change(self, session: Session, look: bytes) -> None:
        """Somebody has another look from now on; empty: the one that follows from the avatar id."""
        before = session.look
        session.wear(look)
        if session.look != before:
            self._changed[session] = None

    def sweep(self) -> None:
        """About once a second: tell of those who waited longest. Who has gone meanwhile is passed over."""
        if not self._changed:
            return
        changed = list(self._changed)[:AT_ONCE]
        for session in changed:
            del self._changed[session]
        avatars = [session.avatar for session in changed]
        ready: dict[int, bytes] = {}
        for seat, seen in self._fanout.seats.seeing(avatars, self._fanout.views.radius):
            for avatar in seat.blocked.intersection(avatars):
                seen &= ~(1 << avatars.index(avatar))
            viewer = self._roster.find(seat.avatar)
            if viewer is None or not seen:
                continue
            if seen not in ready:
                looks = [Worn(one.avatar, one.look) for i, one in enumerate(changed) if seen >> i & 1]
                ready[seen] = message(Looks(looks))
            # Paused ones, too: the picture that follows a pause has no looks in it.
            viewer.write(ready[seen])
