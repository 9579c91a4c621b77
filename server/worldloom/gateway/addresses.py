"""Addresses: what all sessions of one client address may ask for together. Knows no sockets.

An address may have as many sessions as connections, lost ones included, and half as much of everything else as that
many connections could ask for: a household of players is served, one machine cannot take the world.
"""

from collections import OrderedDict
from typing import Protocol

import numpy as np
import numpy.typing as npt

from worldloom.gateway.limits import RateLimit
from worldloom.gateway.session import Bucket, Home, Session, SessionState

__all__ = ["Addresses"]

I64 = npt.NDArray[np.int64]
SHARE = 2
IDLE_KEPT = 4_096
"""Addresses that nobody is here from, but whose budgets are remembered; the longest gone are forgotten first."""


class Limits(Protocol):
    """Limits of one connection, and how many an address may have."""

    @property
    def moves_per_s(self) -> int: ...
    @property
    def commands_per_s(self) -> int: ...
    @property
    def says_per_10s(self) -> int: ...
    @property
    def connections_per_address(self) -> int: ...
    @property
    def accounts_per_hour(self) -> int: ...


class Addresses:
    """All addresses that somebody in the world comes from.

    Attributes:
        move_tokens: ``[n]`` moves that the sessions of each address may still make.
        moves_per_s: Of one address.
    """

    def __init__(self, limits: Limits) -> None:
        many = max(1, limits.connections_per_address // SHARE)
        self.moves_per_s = limits.moves_per_s * many
        self.move_tokens = np.zeros(64)
        self._limits, self._many = limits, many
        self._homes: dict[str, Home] = {}
        self._idle: OrderedDict[str, Home] = OrderedDict()
        self._spare: list[int] = []
        self._made = 0
        self._accounts = RateLimit(limits.accounts_per_hour / 3600, limits.accounts_per_hour)

    def __len__(self) -> int:
        return len(self._homes)

    def enter(self, session: Session, key: str) -> None:
        """A session comes from an address, or goes on from another one."""
        if session.home is not None and session.home.key == key:
            return
        self.leave(session)
        home = self._homes.get(key) or self._idle.pop(key, None) or self._open(key)
        self._homes[key] = home
        home.sessions[session] = None
        session.home = home

    def leave(self, session: Session) -> None:
        """A session has ended."""
        home = session.home
        if home is None:
            return
        session.home = None
        home.sessions.pop(session, None)
        if not home.sessions:
            # Kept for a while: going and coming back fills no bucket.
            self._idle[home.key] = self._homes.pop(home.key)
            if len(self._idle) > IDLE_KEPT:
                _, forgotten = self._idle.popitem(last=False)
                self._spare.append(forgotten.index)

    def in_the_way(self, key: str) -> Session | None:
        """Who has to go before one more may come from an address: its oldest lost session; None if there is room.

        Raises:
            LookupError: There is no room, and everybody is here.
        """
        home = self._homes.get(key)
        if home is None or len(home.sessions) < self._limits.connections_per_address:
            return None
        lost = [session for session in home.sessions if session.state is SessionState.LOST]
        if not lost:
            raise LookupError(key)
        return min(lost, key=lambda session: session.lost_at)

    def take_account(self, key: str, now: float) -> float:
        """An address asks for an account: 0 when granted, else the seconds until it is."""
        return self._accounts.take(key, now)

    def _open(self, key: str) -> Home:
        index = self._spare.pop() if self._spare else self._made
        if index == self._made:
            self._made += 1
            if index == len(self.move_tokens):
                self.move_tokens = np.concatenate([self.move_tokens, np.zeros_like(self.move_tokens)])
        self.move_tokens[index] = self.moves_per_s
        commands, says = self._limits.commands_per_s * self._many, self._limits.says_per_10s * self._many
        home = Home(key, index, Bucket(commands, 2 * commands), Bucket(says / 10, says))
        return home
