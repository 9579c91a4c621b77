"""Listings, auctions, leases, splits and joins, in any order: the real market and the plain one never differ."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from market_model import FEE, FOREVER, HOUR, Model, Offer, Refused, Terms
from order_people import NOW
from sql_tx import sql_tx
from traders import RULES, Trader, auctioned, bidding, buying, for_sale, leasing, to_let, trader
from worldloom.errors import Refusal
from worldloom.ports.market import ListingRow
from worldloom.realm.estates import Parcel
from worldloom.realm.ledger import TREASURY
from worldloom.services import auctions, land, leases, market, money, offers, register
from worldloom.services.asking import Whom

PEOPLE = ("Ann", "Bob", "Cat")
RICH = 3_000
WIDE, DEEP = 5, 2
WHO = st.sampled_from([1, 2, 3])
ANY = st.integers(0, 2**16)
"""Which estate: of those that there are, counted round and round."""
AMOUNT = st.sampled_from([1, 39, 40, 100, 700, 1_000, 2_999, 3_000, 3_001])
PERIODS = st.integers(1, 4)


class Market(RuleBasedStateMachine):
    """Does everything twice and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.tx = self.stack.enter_context(sql_tx())
        self.people = {who.account: who for who in (trader(self.tx, name, RICH) for name in PEOPLE)}
        self.model = Model(dict.fromkeys(self.people, RICH), NOW)
        self.shown: dict[int, tuple[ListingRow, int]] = {}
        """What was seen of an estate's listing when somebody last looked, and which version it was."""

    def teardown(self) -> None:
        self.stack.close()

    @property
    def now(self) -> int:
        return self.model.now

    def estate(self, which: int) -> int:
        numbers = sorted(self.model.owner)
        return numbers[which % len(numbers)]

    def owners_or(self, who: int, which: int, as_owner: bool) -> Trader:
        """Mostly the owner does it: what others may not is refused soon enough."""
        return self.people[self.model.owner[self.estate(which)] if as_owner else who]

    def both(self, real: Callable[[], object], plain: Callable[[Model], object]) -> object:
        """Do it twice: both do it, or both refuse and nothing has changed.

        Returns:
            What the real one returned; None when it was refused.
        """
        after, is_refused, result = self.model.copy(), False, None
        try:
            with self.tx.connection.begin_nested():
                result = real()
        except Refusal:
            is_refused = True
        with contextlib.suppress(Refused):
            self._fill(result)
            plain(after)
            assert not is_refused, "refused, and the model does it"
            self.model = after
            return result
        assert is_refused, "done, and the model refuses it"
        return None

    def _fill(self, result: object) -> None:
        """Numbers are the database's: the model takes them over."""
        self.result = result

    # ---- land

    @initialize(cut=st.integers(1, WIDE * DEEP - 1))
    def settle_down(self, cut: int) -> None:
        """Ann and Bob own some of it; the rest is the world's."""
        cells = [(x, z) for z in range(DEEP) for x in range(WIDE)]
        self.claim_of(1, set(cells[: min(cut, WIDE)]))
        self.claim_of(2, set(cells[WIDE:]))

    @rule(who=WHO, x=st.integers(0, WIDE - 1), z=st.integers(0, DEEP - 1), wide=st.integers(1, 2))
    def claim(self, who: int, x: int, z: int, wide: int) -> None:
        self.claim_of(who, {(x + k, z) for k in range(wide)})

    def claim_of(self, who: int, parcels: set[Parcel]) -> None:
        command = land.Claim(self.people[who].by, sorted(parcels), 0, RULES, self.now)
        self.both(
            lambda: land.claim(self.tx, command),
            lambda model: model.claim(who, getattr(self.result, "number", 0), parcels),
        )

    @rule(who=WHO, which=ANY, first=st.integers(0, 9), count=st.integers(1, 6), own=st.booleans())
    def split(self, who: int, which: int, first: int, count: int, own: bool) -> None:
        estate, by = self.estate(which), self.owners_or(who, which, own)
        part = sorted(self.model.parcels[estate])[first : first + count]
        command = land.Split(by.by, estate, part, self.now)
        self.both(
            lambda: land.split(self.tx, command),
            lambda model: model.split(
                by.account,
                estate,
                set(part),
                self.result[1].number if self.result else 0,  # type: ignore[index]
            ),
        )

    @rule(who=WHO, which=ANY, other=ANY, own=st.booleans())
    def join(self, who: int, which: int, other: int, own: bool) -> None:
        estate, joined, by = self.estate(which), self.estate(other), self.owners_or(who, which, own)
        command = land.Join(by.by, estate, joined, RULES, self.now)
        self.both(lambda: land.join(self.tx, command), lambda model: model.join(by.account, estate, joined))

    @rule(who=WHO, which=ANY, to=WHO, own=st.booleans())
    def give(self, who: int, which: int, to: int, own: bool) -> None:
        estate, by = self.estate(which), self.owners_or(who, which, own)
        command = land.Give(by.by, estate, Whom(account=to), RULES, self.now)
        self.both(lambda: land.give(self.tx, command), lambda model: model.give(by.account, estate, to))

    @rule(who=WHO, which=ANY)
    def abandon(self, who: int, which: int) -> None:
        estate = self.estate(which)
        if len(self.model.owner) > 1:
            command = land.Abandon(self.people[who].by, estate, self.now)
            self.both(lambda: land.abandon(self.tx, command), lambda model: model.abandon(who, estate))

    # ---- market

    @rule(who=WHO, which=ANY, price=AMOUNT, hours=st.sampled_from([0, 1, 2]), own=st.booleans())
    def sell(self, who: int, which: int, price: int, hours: int, own: bool) -> None:
        estate, by = self.estate(which), self.owners_or(who, which, own)
        ends = self.now + hours * HOUR if hours else None
        command = for_sale(by, estate, price, ends_ms=ends, now_ms=self.now, fee=FEE)
        self.both(
            lambda: market.sell(self.tx, command),
            lambda model: model.offer(
                by.account,
                estate,
                Offer(getattr(self.result, "listing", 0), by.account, price, False, ends or FOREVER),
            ),
        )
        self.look_at(estate)

    @rule(
        who=WHO,
        which=ANY,
        price=AMOUNT,
        step=st.sampled_from([1, 60]),
        hours=st.integers(1, 3),
        own=st.booleans(),
    )
    def auction(self, who: int, which: int, price: int, step: int, hours: int, own: bool) -> None:
        estate, by = self.estate(which), self.owners_or(who, which, own)
        ends = self.now + hours * HOUR
        command = auctioned(by, estate, price, step=step, ends_ms=ends, now_ms=self.now, fee=FEE)
        self.both(
            lambda: market.auction(self.tx, command),
            lambda model: model.offer(
                by.account,
                estate,
                Offer(getattr(self.result, "listing", 0), by.account, price, True, ends, step),
            ),
        )
        self.look_at(estate)

    @rule(who=WHO, which=ANY, own=st.booleans())
    def withdraw(self, who: int, which: int, own: bool) -> None:
        estate, by = self.estate(which), self.owners_or(who, which, own)
        offer = self.model.offers.get(estate)
        command = market.Withdraw(by.by, offer.listing if offer else 99_999, self.now)
        self.both(lambda: market.withdraw(self.tx, command), lambda model: model.withdraw(by.account, estate))

    @rule(which=ANY)
    def look(self, which: int) -> None:
        self.look_at(self.estate(which))

    def look_at(self, estate: int) -> None:
        row = self.tx.listing_of(estate)
        if row is not None:
            self.shown[estate] = row, self.model.offers[estate].version

    def seen(self, which: int) -> tuple[int, ListingRow, int] | None:
        """An estate of which somebody has seen an offer, which may be no longer what it was."""
        estates = sorted(self.shown.keys() & self.model.owner.keys())
        if not estates:
            return None
        estate = estates[which % len(estates)]
        return estate, *self.shown[estate]

    @rule(who=WHO, which=ANY)
    def buy(self, who: int, which: int) -> None:
        if seen := self.seen(which):
            estate, row, version = seen
            command = buying(self.people[who], row, now_ms=self.now)
            self.both(
                lambda: market.buy(self.tx, command),
                lambda model: model.buy(who, estate, row.listing, version),
            )

    @rule(who=WHO, which=ANY, above=st.sampled_from([-1, 0, 0, 0, 5, 400]), is_new=st.booleans())
    def bid(self, who: int, which: int, above: int, is_new: bool) -> None:
        if seen := self.seen(which):
            estate, row, version = seen
            offer = self.model.offers.get(estate)
            amount = max((offer.asked if offer is not None and is_new else row.asked) + above, 1)
            command = bidding(self.people[who], row, amount, now_ms=self.now)
            self.both(
                lambda: auctions.bid(self.tx, command),
                lambda model: model.bid(who, estate, row.listing, version, amount),
            )

    @rule(which=ANY)
    def settle(self, which: int) -> None:
        estate = self.estate(which)
        done = self.both(
            lambda: (auctions.settle_estate(self.tx, estate, self.now),), lambda model: model.settle(estate)
        )
        assert done is not None

    @rule()
    def sweep(self) -> None:
        for listing in auctions.due(self.tx, auctions.Due(self.now)):
            auctions.settle(self.tx, auctions.Settle(listing, self.now))
        leases.tell_due(self.tx, self.now)
        for estate in sorted(self.model.offers):
            self.model.settle(estate)

    @rule(ms=st.sampled_from([1, 299_999, HOUR - 1, HOUR, HOUR, 2 * HOUR]))
    def wait(self, ms: int) -> None:
        self.model.now += ms

    # ---- leases

    @rule(who=WHO, which=ANY, rent=AMOUNT, most=PERIODS, renewable=st.booleans(), own=st.booleans())
    def let(self, who: int, which: int, rent: int, most: int, renewable: bool, own: bool) -> None:
        estate, by = self.estate(which), self.owners_or(who, which, own)
        changed = {"max_periods": most, "renewable": renewable, "now_ms": self.now}
        command = to_let(by, estate, rent, **changed)
        self.both(
            lambda: leases.offer_lease(self.tx, command),
            lambda model: model.let(by.account, estate, Terms(rent, most, renewable)),
        )

    @rule(who=WHO, which=ANY, periods=PERIODS)
    def lease(self, who: int, which: int, periods: int) -> None:
        offered = sorted(self.model.terms)
        if offered:
            estate = offered[which % len(offered)]
            offer = self.tx.lease_offer(estate)
            command = leasing(self.people[who], offer, periods, now_ms=self.now)
            self.both(
                lambda: leases.lease(self.tx, command),
                lambda model: model.lease(who, estate, periods, getattr(self.result, "lease", 0)),
            )

    @rule(who=WHO, which=ANY, periods=PERIODS, as_tenant=st.booleans())
    def renew(self, who: int, which: int, periods: int, as_tenant: bool) -> None:
        leased = sorted(self.model.leases)
        if leased:
            estate = leased[which % len(leased)]
            found = self.model.leases[estate]
            by = found.tenant if as_tenant else who
            command = leases.Renew(self.people[by].by, found.lease, periods, self.now)
            self.both(lambda: leases.renew(self.tx, command), lambda model: model.renew(by, estate, periods))

    # ---- what always holds

    @invariant()
    def all_land_is_as_the_model_has_it(self) -> None:
        estates = {row.number: row for row in self.tx.estates_after(0, 1_000)}
        assert {number: row.owner for number, row in estates.items()} == self.model.owner
        held = {number: set(self.tx.parcels_of(number)) for number in estates}
        assert held == self.model.parcels
        # One owner of each parcel, and nothing lies on top of anything.
        assert sum(map(len, held.values())) == len(set().union(*held.values()))
        assert all(len(held[number]) == row.parcels for number, row in estates.items())

    @invariant()
    def all_money_is_as_the_model_has_it(self) -> None:
        real = {account: money.balance(self.tx, account).own for account in self.people}
        assert real == self.model.purses
        assert money.held(self.tx, TREASURY) == self.model.treasury
        held, bids = self._escrow()
        assert held == bids == sum(offer.bid for offer in self.model.offers.values())
        assert self._sum("SELECT SUM(amount) FROM posting") == 0
        assert sum(real.values()) + self.model.treasury + held == RICH * len(PEOPLE)

    def _escrow(self) -> tuple[int, int]:
        bids = self._sum("SELECT SUM(top_bid) FROM listing")
        return self._sum("SELECT SUM(balance) FROM purse WHERE kind = 'escrow'"), bids

    def _sum(self, statement: str) -> int:
        return int(self.tx.connection.execute(text(statement)).scalar() or 0)

    @invariant()
    def all_offers_are_as_the_model_has_them(self) -> None:
        for estate in self.model.owner:
            row, offer = self.tx.listing_of(estate), self.model.offers.get(estate)
            assert (row is None) == (offer is None)
            if row is not None and offer is not None:
                real = (row.listing, row.seller, row.asked, row.top, row.top_bid or 0, row.ends_ms or FOREVER)
                assert real == (offer.listing, offer.seller, offer.asked, offer.top, offer.bid, offer.ends)
            assert (self.tx.lease_offer(estate) is not None) == (estate in self.model.terms)

    @invariant()
    def all_leases_are_as_the_model_has_them(self) -> None:
        for estate in self.model.owner:
            row, found = offers.lease_in_force(self.tx, estate, self.now), self.model.tenancy(estate)
            real = None if row is None else (row.lease, row.tenant, row.until_ms)
            assert real == (None if found is None else (found.lease, found.tenant, found.until))


def everything_agrees(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        ),
    )


@pytest.mark.slow
def test_the_market_never_differs_from_a_plain_one() -> None:
    everything_agrees(20, 30)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_the_market_never_differs_from_a_plain_one_for_long() -> None:
    everything_agrees(200, 50)


def test_a_market_that_was_used_much_is_as_its_register_tells() -> None:
    """The register alone says who owns what after everything that can be done was done."""
    with sql_tx() as tx:
        ann, bob = trader(tx, "Ann", RICH), trader(tx, "Bob", RICH)
        estate = land.claim(tx, land.Claim(ann.by, [(0, 0), (1, 0)], 0, RULES, NOW)).number
        _, new = land.split(tx, land.Split(ann.by, estate, [(1, 0)], NOW))
        market.buy(tx, buying(bob, market.sell(tx, for_sale(ann, new.number, 5))))
        row = auctions.bid(tx, bidding(ann, market.auction(tx, auctioned(bob, new.number, 5)), 5))
        assert auctions.settle(tx, auctions.Settle(row.listing, row.ends_ms or 0))
        land.join(tx, land.Join(ann.by, estate, new.number, RULES, NOW))
        leases.lease(tx, leasing(bob, leases.offer_lease(tx, to_let(ann, estate))))
        assert register.seal_due(tx, None) > 8
        assert register.verify(tx, None).fault == ""
