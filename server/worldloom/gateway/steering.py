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
        self._tick = 0
        self.taken = 0
        """Moves since the start."""

    def collect(self, tick: int) -> None:
        """Send on what has come since the last tick; budgets grow with the ticks, left out or not."""
        self._refill(tick)
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
        kept[kept] = self._within_home_limit(batch.rows[kept])
        moves = np.array([column[kept] for column in columns], np.int64)
        self._send(avatars[kept], moves.reshape(6, -1))

    def put(self, session: Session, state: bytes) -> None:
        """Take a move that came as an ordinary message."""
        self._inbox.put(session.row, move_frame(MOVE_PAYLOAD_HEAD + state))

    def forgive(self) -> None:
        """About once a second: one strike less for everybody."""
        for session in self._roster:
            session.over_moves = max(0, session.over_moves - 1)

    def _refill(self, tick: int) -> None:
        passed = min(tick - self._tick, 1_000 // TICK_MS)
        self._tick = tick
        homes = self._addresses
        for tokens, per_s in (
            (self._roster.move_tokens, self._moves_per_s),
            (homes.move_tokens, homes.moves_per_s),
        ):
            np.minimum(tokens + passed * per_s * TICK_MS / 1000, per_s, out=tokens)

    def _within_limit(self, rows: I64) -> npt.NDArray[np.bool_]:
        """Which moves may count; ``[n]``."""
        allowed = _spend(self._roster.move_tokens, rows)
        for row in np.unique(rows[~allowed]).tolist():
            self._strike(row)
        return allowed

    def _within_home_limit(self, rows: I64) -> npt.NDArray[np.bool_]:
        """The same for the addresses that they come from."""
        return _spend(self._addresses.move_tokens, self._roster.home_of[rows])

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


def _spend(tokens: npt.NDArray[np.float64], who: I64) -> npt.NDArray[np.bool_]:
    """Take a token for each of ``who`` ``[n]``; whoever has not enough for all of theirs gets none."""
    tokens -= np.bincount(who, minlength=len(tokens))
    enough = tokens >= 0
    np.maximum(tokens, 0, out=tokens)
    return enough[who]
