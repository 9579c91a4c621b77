"""The bouncer: puts in force, on those who are here, what the database says they are. Asks nobody itself."""

from collections.abc import Callable
from dataclasses import replace

from worldloom.errors import Refusal
from worldloom.gateway.entrance import standing_of
from worldloom.gateway.session import Session, SessionState, Standing
from worldloom.gateway.times import Times
from worldloom.replication.fanout import FanOut
from worldloom.replication.feed import SetAccess, SetLayer
from worldloom.replication.uplink import Uplink
from worldloom.replication.wire import message
from worldloom.services.standing import Standing as Found
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.messages import CloseCode, Role

__all__ = ["Bouncer"]


class Bouncer:
    """Sends people out, and tells them what they are.

    Args:
        fanout: What they are sent.
        uplink: The way to the shard.
        times: Clocks.
        end: Ends a session that has no socket any more.
        check_role: Raises a Refusal when the world is not open to a role.
    """

    def __init__(
        self,
        fanout: FanOut,
        uplink: Uplink,
        times: Times,
        end: Callable[[Session], None],
        check_role: Callable[[Role], None],
    ) -> None:
        self._fanout, self._uplink, self._times = fanout, uplink, times
        self._end, self._check_role = end, check_role

    def remove(self, session: Session, code: str, text: str, retry_after_ms: int = 0) -> None:
        """Send somebody out, at once; the client is told why."""
        socket = session.socket
        session.write(message(messages.Goodbye(code, text, retry_after_ms)))
        self._end(session)
        if socket is not None:
            socket.close(CloseCode.REMOVED, code)

    def mute(self, session: Session, until_ms: int | None, reason: str) -> None:
        """A guest may not speak until then, or may again; counts from the next ``regard``."""
        session.hush = (until_ms or 0, reason)

    def regard(self, session: Session, found: Found) -> None:
        """Somebody is what the database says."""
        before = session.standing
        if found.ban is not None:
            until = found.ban.until_ms
            wait = until - self._times.unix_ms() if until is not None else 0
            self.remove(session, "banned", found.ban.reason, max(0, wait))
            return
        if session.account is not None and not found.token_good:
            self.remove(session, "revoked", "the token that you came with is void")
            return
        standing = standing_of(found, before.token_sha256, before.is_bot)
        try:
            self._check_role(standing.role)
        except Refusal as refusal:
            self.remove(session, refusal.code, refusal.text)
            return
        until_ms, reason = session.hush
        if until_ms > (standing.muted_until_ms or 0):
            standing = replace(standing, muted_until_ms=until_ms, mute_reason=reason)
        self.set_standing(session, standing)

    def set_standing(self, session: Session, standing: Standing) -> None:
        """From now on it is that."""
        before = session.standing
        if standing == before:
            return
        session.stand(standing)
        if standing.layers != before.layers:
            self._fanout.regard(session.seat, layers=standing.layers)
        if standing.hidden != before.hidden:
            self._uplink.control(SetLayer(session.avatar, standing.layer))
        if (standing.access, standing.owner_account) != (before.access, before.owner_account):
            self._uplink.control(SetAccess(session.avatar, standing.owner_account or 0, standing.access))
        if session.state is SessionState.LIVE:
            self.tell(session)

    def tell(self, session: Session) -> None:
        """Tell somebody what it is, and for how long it is muted."""
        standing = session.standing
        muted_ms = standing.muted_ms(self._times.unix_ms())
        reason = standing.mute_reason if muted_ms else ""
        session.write(message(messages.Standing(standing.role, muted_ms, reason, standing.hidden)))
