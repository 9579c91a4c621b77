"""Steering: the moves of all sockets, held to their limit, on their way to the shard."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from worldloom.errors import Refusal
from worldloom.gateway.addresses import Addresses
from worldloom.gateway.inbox import MOVE_PAYLOAD_HEAD, MoveInbox, decode_moves, move_frame
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session
from worldloom.replication.feed import I64
from worldloom_sdk.protocol.geometry import TICK_MS
from worldloom_sdk.protocol.messages import CloseCode, RefusalCode

__all__ = ["MOVE_STRIKES", "Steering"]

MOVE_STRIKES = 100
"""Ticks over the move limit after which a connection is closed; one is forgiven each second."""


class Steering:
    """Takes the inbox once a tick.

    Args:
        roster: Who is in the world.
        addresses: Where they come from.
        inbox: Where the sockets put moves.
        moves_per_s: How many a session may make.
        send: Takes avatar ids ``[n]`` and moves ``[6, n]``.
    """

    def __init__(
        self,
        roster: Roster,
        addresses: Addresses,
        inbox: MoveInbox,
        moves_per_s: int,
        send: Callable[[I64, I64], None],
    ) -> None:
        self._roster, self._addresses, self._inbox = roster, addresses, inbox
        self._moves_per_s, self._send = moves_per_s, send
        self.taken = 0
        """Moves since the start."""

    def collect(self) -> None:
        """Send on what has come since the last tick."""
        rows, raw = self._inbox.take()
        self._roster.inbox_taken()
        batch, wrong = decode_moves(rows, raw)
        for index in wrong:
            session = self._roster.at_row(int(rows[index]))
            if session is not None:
                session.mistaken(0, "expected a move of 16 bytes with a gesture of 0 to 63")
        self.taken += len(batch.rows)
        columns = (batch.seq, batch.x, batch.z, batch.y, batch.yaw, batch.gesture)
        avatars = self._roster.avatar_of[batch.rows]
        kept = self._within_limit(batch.rows) & (avatars > 0)
        moves = np.array([column[kept] for column in columns], np.int64)
        self._send(avatars[kept], moves.reshape(6, -1))

    def put(self, session: Session, state: bytes) -> None:
        """Take a move that came as an ordinary message."""
        self._inbox.put(session.row, move_frame(MOVE_PAYLOAD_HEAD + state))

    def forgive(self) -> None:
        """About once a second: one strike less for everybody."""
        for session in self._roster:
            session.over_moves = max(0, session.over_moves - 1)

    def _within_limit(self, rows: I64) -> npt.NDArray[np.bool_]:
        """Which moves may count; ``[n]``."""
        tokens = self._roster.move_tokens
        np.minimum(tokens + self._moves_per_s * TICK_MS / 1000, self._moves_per_s, out=tokens)
        if not len(rows):
            return np.ones(0, np.bool_)
        tokens -= np.bincount(rows, minlength=len(tokens))
        for row in np.flatnonzero(tokens < 0).tolist():
            self._strike(row)
        allowed = tokens >= 0
        np.maximum(tokens, 0, out=tokens)
        return allowed[rows] & self._within_home_limit(rows)

    def _within_home_limit(self, rows: I64) -> npt.NDArray[np.bool_]:
        """The same for the addresses that they come from."""
        tokens, per_s = self._addresses.move_tokens, self._addresses.moves_per_s
        np.minimum(tokens + per_s * TICK_MS / 1000, per_s, out=tokens)
        homes = self._roster.home_of[rows]
        tokens -= np.bincount(homes, minlength=len(tokens))
        allowed = tokens >= 0
        np.maximum(tokens, 0, out=tokens)
        return allowed[homes]

    def _strike(self, row: int) -> None:
        session = self._roster.at_row(row)
        if session is None:
            return
        session.over_moves += 1
        if session.over_moves == 1:
            limit = f"expected at most {self._moves_per_s} moves a second, got more"
            session.refuse(0, Refusal(RefusalCode.RATE, limit, "send fewer moves", 1_000))
        if session.over_moves >= MOVE_STRIKES:
            session.close(CloseCode.POLICY, "too many moves")
