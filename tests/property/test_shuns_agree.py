"""Whatever happened before: what seats are not sent is what those who are here want of each other, and nobody else."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_world import SimWorld
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Buckets, Session
from worldloom.gateway.shuns import Shuns
from worldloom.replication.views import Seat
from worldloom_sdk.protocol.messages import BlockReach

GUEST_BIT = 1 << 31
ACCOUNTS = range(1, 9)
MOST_GUESTS = 4


class _Limits:
    commands_per_s = says_per_10s = wrong_commands = 10


class Lives:
    """Accounts and guests who come, shun each other, take it back, resume and go; and what each of them wants."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = SimWorld()
        self.roster = Roster()
        self.shuns = Shuns(self.roster, self.world.fanout)
        self.wishes: dict[tuple[int, int], BlockReach] = {}
        self.read: dict[int, dict[tuple[int, int], BlockReach]] = {}
        """What the store said of accounts that are on their way in."""
        self.guests = 0

    @property
    def here(self) -> list[Session]:
        return list(self.roster)

    # ---- what happens

    def ask(self) -> None:
        """The store is asked about an account; it comes in later."""
        away = [account for account in ACCOUNTS if self.roster.find(account) is None]
        if away:
            account = self.random.choice(away)
            stored = {pair: reach for pair, reach in self.wishes.items() if max(pair) < GUEST_BIT}
            self.read[account] = {pair: reach for pair, reach in stored.items() if account in pair}

    def come(self) -> None:
        if self.read:
            account = self.random.choice(list(self.read))
            told = self.read.pop(account)
            session = self._session(account, account)
            session.own_shuns = {b: reach for (a, b), reach in told.items() if a == account}
            for (a, b), reach in told.items():
                other = b if a == account else a
                session.shunned[other] = min(reach, session.shunned.get(other, reach))
            self._enter(session)
        elif self.guests < MOST_GUESTS:
            self.guests += 1
            self._enter(self._session(GUEST_BIT | self.guests, None))

    def _session(self, avatar: int, account: int | None) -> Session:
        seat = Seat(avatar, lambda data: None)
        return Session(avatar, account, f"{avatar}", (), self.roster.new_row(), seat, Buckets(_Limits()))

    def _enter(self, session: Session) -> None:
        self.roster.add(session)
        self.shuns.enter(session)
        self.world.join(session.avatar, self.random.uniform(-60, 60), 0.0)
        self._sit(session)

    def _sit(self, session: Session) -> None:
        """In the seat that the world made, with a mirror of its own."""
        seat = self.world.watchers[session.avatar].seat
        seat.blocked, seat.deaf = set(session.seat.blocked), set(session.seat.deaf)
        session.seat = seat
        self.world.fanout.remove(seat)
        self.shuns.renew(session)
        self.world.fanout.add(seat)

    def go(self) -> None:
        session = self.anyone()
        if session is not None:
            self.world.part(session.avatar)
            self.roster.remove(session)
            self.shuns.leave(session)
            for pair in [p for p in self.wishes if session.avatar in p and max(p) >= GUEST_BIT]:
                del self.wishes[pair]

    def resume(self) -> None:
        session = self.anyone()
        if session is not None:
            before = session.seat
            self.world.resume(session.avatar)
            session.seat = Seat(session.avatar, lambda data: None)
            session.seat.blocked, session.seat.deaf = before.blocked, before.deaf
            self._sit(session)

    def shun(self) -> None:
        session = self.anyone()
        if session is not None:
            # With a guest on either side, both must be here.
            absent = ACCOUNTS if session.account is not None else ()
            whom = self.random.choice([*absent, *(other.avatar for other in self.here)])
            if whom != session.avatar:
                self.wishes[session.avatar, whom] = self.random.choice(list(BlockReach))
                self.shuns.shun(session, whom, self.wishes[session.avatar, whom])

    def unshun(self) -> None:
        session = self.anyone()
        mine = [b for a, b in self.wishes if session is not None and a == session.avatar]
        if session is not None and mine:
            whom = self.random.choice(mine)
            del self.wishes[session.avatar, whom]
            self.shuns.unshun(session, whom, self.wishes.get((whom, session.avatar)))

    def anyone(self) -> Session | None:
        return self.random.choice(self.here) if self.here else None

    def live(self, acts: int) -> None:
        kinds = (self.ask, self.come, self.come, self.come, self.go, self.resume, self.shun, self.shun, self.shun,
                 self.unshun, self.unshun, self.world.tick, self.world.tick, self.shuns.sweep)  # fmt: skip
        for _ in range(acts):
            self.random.choice(kinds)()

    # ---- what must be

    def wanted(self, session: Session) -> tuple[set[int], set[int]]:
        """Who of those here is to be cut out, and whose speech alone."""
        blocked, deaf = set(), set()
        for other in self.here:
            pairs = (session.avatar, other.avatar), (other.avatar, session.avatar)
            reach = min((self.wishes[pair] for pair in pairs if pair in self.wishes), default=None)
            blocked |= {other.avatar} if reach is BlockReach.ALL else set()
            deaf |= {other.avatar} if reach is BlockReach.SPEECH else set()
        return blocked, deaf

    def cuts(self, session: Session) -> tuple[set[int], set[int]]:
        return session.seat.blocked, session.seat.deaf


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_seats_hold_exactly_what_those_who_are_here_want_of_each_other(seed):
    lives = Lives(seed)
    for _ in range(4):
        lives.live(40)
        # What is in force is so at once for all who are here; those who are gone are forgotten with their bodies.
        for session in lives.here:
            blocked, deaf = lives.wanted(session)
            assert blocked <= session.seat.blocked
            assert deaf <= session.seat.deaf
        lives.world.tick(3)
        lives.shuns.sweep()
        assert {s.avatar: lives.cuts(s) for s in lives.here} == {
            s.avatar: lives.wanted(s) for s in lives.here
        }
        assert set(lives.world.fanout._blocks._seats) == {s.seat for s in lives.here if s.seat.blocked}
    while lives.here:
        lives.go()
    lives.world.tick(3)
    lives.shuns.sweep()
    assert (lives.shuns._leaving, lives.shuns._absent) == ({}, {})
