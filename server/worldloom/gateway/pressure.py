"""Back-pressure: sessions whose clients read too slowly get nothing, then less, then the door."""

from collections.abc import Callable

from worldloom.gateway.session import Session
from worldloom.replication.fanout import FanOut
from worldloom_sdk.protocol.messages import CloseCode

__all__ = ["THIN_FOR_S", "Pressure"]

THIN_FOR_S = 60.0
"""How long a client that reads too slowly stays in the thin tier after its last pause."""


class Pressure:
    """Who is paused, and who is thin.

    Args:
        fanout: Writes to everybody else.
        monotonic: Seconds of a steady clock.
        drain_timeout_s: How long a client may take to read what is buffered for it.
    """

    def __init__(self, fanout: FanOut, monotonic: Callable[[], float], drain_timeout_s: float) -> None:
        self._fanout, self._monotonic, self._drain_timeout_s = fanout, monotonic, drain_timeout_s
        self._paused: dict[Session, None] = {}
        self._thin: dict[Session, None] = {}
        self.pauses = 0
        """Since the start."""

    def paused(self, session: Session) -> None:
        """It gets nothing until it has caught up, and from the second time in ten seconds on less."""
        self.pauses += 1
        self._paused[session] = None
        self._fanout.pause(session.seat)
        if session.note_pause(self._monotonic()):
            self._fanout.regard(session.seat, thin=True)
            self._thin[session] = None

    def drained(self, session: Session) -> None:
        """It has caught up."""
        if session in self._paused:
            del self._paused[session]
            self._fanout.drained(session.seat)

    def forget(self, session: Session) -> None:
        """Its socket is gone."""
        self._paused.pop(session, None)
        self._thin.pop(session, None)

    def sweep(self) -> None:
        """About once a second: close who does not catch up, and give the others their budget back."""
        now = self._monotonic()
        for session in list(self._paused):
            if now - session.paused_at >= self._drain_timeout_s:
                session.close(CloseCode.BUSY, "reads too slowly")
        for session in list(self._thin):
            if now - session.pauses[-1] >= THIN_FOR_S:
                del self._thin[session]
                self._fanout.regard(session.seat, thin=False)
