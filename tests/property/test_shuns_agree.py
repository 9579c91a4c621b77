"""Whatever happened before: what seats are not sent is what those who are here want of each other, and nobody else."""

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim_people import GUEST_BIT, People, Wishes
from worldloom.gateway.session import Session
from worldloom_sdk.protocol.messages import BlockReach

ACCOUNTS = range(1, 9)
MOST_GUESTS = 4


class Lives(People):
    """Accounts and guests who come, shun each other, take it back, resume and go; and what each of them wants."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.wishes: Wishes = {}
        self.read: dict[int, Wishes] = {}
        """What the store said of accounts that are on their way in."""
        self.guests = 0
        self.acts = (self.ask, self.enter, self.enter, self.enter, self.leave, self.renew, self.shun, self.shun,
                     self.shun, self.unshun, self.unshun, self.tick, self.tick, self.shuns.sweep)  # fmt: skip

    # ---- what happens

    def ask(self) -> None:
        """The store is asked about an account; it comes in later."""
        away = [account for account in ACCOUNTS if self.roster.find(account) is None]
        if away:
            self.ask_about(self.random.choice(away))

    def ask_about(self, account: int) -> None:
        stored = {pair: reach for pair, reach in self.wishes.items() if max(pair) < GUEST_BIT}
        self.read[account] = {pair: reach for pair, reach in stored.items() if account in pair}

    def enter(self) -> None:
        if self.read:
            account = self.random.choice(list(self.read))
            told = self.read.pop(account)
            if self.roster.find(account) is None:
                self.come(account, told, self.random.uniform(-60, 60))
        elif self.guests < MOST_GUESTS:
            self.guests += 1
            self.come(GUEST_BIT | self.guests, x=self.random.uniform(-60, 60))

    def leave(self) -> None:
        session = self.anyone()
        if session is not None:
            self.go(session)
            for pair in [p for p in self.wishes if session.avatar in p and max(p) >= GUEST_BIT]:
                del self.wishes[pair]

    def renew(self) -> None:
        session = self.anyone()
        if session is not None:
            self.resume(session)

    def shun(self) -> None:
        session = self.anyone()
        if session is not None:
            # With a guest on either side, both must be here.
            absent = ACCOUNTS if session.account is not None else ()
            self.wish(session, [*absent, *(other.avatar for other in self.here)])

    def wish(self, session: Session, of: list[int]) -> None:
        whom = self.random.choice(of)
        if whom != session.avatar:
            self.wishes[session.avatar, whom] = self.random.choice(list(BlockReach))
            self.shuns.shun(session, whom, self.wishes[session.avatar, whom])

    def unshun(self) -> None:
        session = self.anyone()
        if session is not None:
            self.take_back(session)

    def take_back(self, session: Session) -> None:
        mine = [b for a, b in self.wishes if a == session.avatar]
        if mine:
            whom = self.random.choice(mine)
            del self.wishes[session.avatar, whom]
            self.shuns.unshun(session, whom, self.wishes.get((whom, session.avatar)))

    def anyone(self) -> Session | None:
        return self.random.choice(self.here) if self.here else None

    def live(self, acts: int) -> None:
        for _ in range(acts):
            self.random.choice(self.acts)()

    # ---- what must be

    def wanted(self, session: Session) -> tuple[set[int], set[int]]:
        """Who of those whose bodies are here, or will be, is to be cut out, and whose speech alone."""
        blocked, deaf = set(), set()
        for other in {*self.world.fanout.mirror.where, *(one.avatar for one in self.here)}:
            pairs = (session.avatar, other), (other, session.avatar)
            reach = min((self.wishes[pair] for pair in pairs if pair in self.wishes), default=None)
            blocked |= {other} if reach is BlockReach.ALL else set()
            deaf |= {other} if reach is BlockReach.SPEECH else set()
        return blocked, deaf

    def cuts(self, session: Session) -> tuple[set[int], set[int]]:
        return session.seat.blocked, session.seat.deaf


class SlowStore(Lives):
    """The same, where the store takes its time: what it says of somebody may be older than that one's own last life,
    and a wish may be taken down when who wished it is gone."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.gone: list[Session] = []
        self.acts = (*self.acts, self.ask_early, self.ask_early, self.wish_late, self.take_back_late)

    def go(self, session: Session, part: bool = True) -> None:
        super().go(session, part)
        if session.account is not None:
            self.gone.append(session)

    def live(self, acts: int) -> None:
        # Nobody is on the way in for longer than a Hello may take.
        self.read.clear()
        super().live(acts)

    def ask_early(self) -> None:
        self.ask_about(self.random.choice(ACCOUNTS))

    def wish_late(self) -> None:
        if self.gone:
            self.wish(self.random.choice(self.gone), [*ACCOUNTS])

    def take_back_late(self) -> None:
        if self.gone:
            session = self.random.choice(self.gone)
            if all(max(pair) < GUEST_BIT for pair in self.wishes if pair[0] == session.avatar):
                self.take_back(session)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
@example(seed=53)
@example(seed=15139)
def test_seats_hold_exactly_what_those_who_are_here_want_of_each_other(seed):
    check(Lives(seed))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_they_do_so_even_if_what_the_store_said_is_older_than_somebodys_own_last_wish(seed):
    check(SlowStore(seed))


def check(lives: Lives) -> None:
    for _ in range(4):
        lives.live(40)
        # What is in force is so at once for all who are here; those who are gone are forgotten with their bodies.
        for session in lives.here:
            blocked, deaf = lives.wanted(session)
            assert blocked <= session.seat.blocked
            assert deaf <= session.seat.deaf
        lives.tick(3)
        lives.sweep_all()
        assert {s.avatar: lives.cuts(s) for s in lives.here} == {
            s.avatar: lives.wanted(s) for s in lives.here
        }
        assert set(lives.world.fanout._blocks._seats) == {s.seat for s in lives.here if s.seat.blocked}
        for session in lives.here:
            assert lives.sees(session).isdisjoint(session.seat.blocked)
    while lives.here:
        lives.leave()
    lives.tick(3)
    lives.sweep_all()
    assert (lives.shuns._leaving, lives.shuns._left, lives.shuns._absent) == ({}, {}, {})
