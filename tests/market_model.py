"""The market as plain Python has it: who owns what, what is offered, who has how much. To compare with the real one."""

import copy
from dataclasses import dataclass, field

from worldloom.realm.estates import Parcel

FEE = 250
HOUR = 3_600_000
LATE = 300_000
FOREVER = 2**60


class Refused(Exception):
    """The model says no."""


@dataclass
class Offer:
    listing: int
    seller: int
    price: int
    is_auction: bool
    ends: int
    step: int = 0
    top: int | None = None
    bid: int = 0
    version: int = 0
    """Rises when what is shown changes."""

    @property
    def asked(self) -> int:
        return self.price if self.top is None else self.bid + self.step


@dataclass
class Terms:
    rent: int
    most: int
    renewable: bool


@dataclass
class Tenancy:
    lease: int
    tenant: int
    rent: int
    until: int
    latest: int
    renewable: bool


def share(amount: int) -> tuple[int, int]:
    fee = amount * FEE // 10_000
    return amount - fee, fee


def holds_together(parcels: set[Parcel]) -> bool:
    reached, way = set(), [min(parcels)]
    while way:
        x, z = at = way.pop()
        if at in parcels and at not in reached:
            reached.add(at)
            way += [(x + 1, z), (x - 1, z), (x, z + 1), (x, z - 1)]
    return reached == parcels


def need(*conditions: bool) -> None:
    if not all(conditions):
        raise Refused


@dataclass
class Model:
    purses: dict[int, int]
    now: int
    treasury: int = 0
    owner: dict[int, int] = field(default_factory=dict)
    parcels: dict[int, set[Parcel]] = field(default_factory=dict)
    offers: dict[int, Offer] = field(default_factory=dict)
    terms: dict[int, Terms] = field(default_factory=dict)
    leases: dict[int, Tenancy] = field(default_factory=dict)

    def copy(self) -> "Model":
        return copy.deepcopy(self)

    # ---- land

    def claim(self, who: int, estate: int, parcels: set[Parcel]) -> None:
        taken = set().union(*self.parcels.values())
        need(not taken & parcels, holds_together(parcels))
        self.owner[estate], self.parcels[estate] = who, parcels

    def split(self, who: int, estate: int, part: set[Parcel], new: int) -> None:
        rest = self.parcels[estate] - part
        need(bool(rest and part), self.owner[estate] == who)
        need(holds_together(rest), holds_together(part))
        self.reshape(estate)
        self.parcels[estate], self.parcels[new], self.owner[new] = rest, part, who

    def join(self, who: int, estate: int, other: int) -> None:
        together = self.parcels[estate] | self.parcels[other]
        need(estate != other, self.owner[estate] == who, self.owner[other] == who, holds_together(together))
        for one in (estate, other):
            self.reshape(one)
        self.parcels[estate] = together
        self.remove(other)

    def give(self, who: int, estate: int, to: int) -> None:
        need(self.owner[estate] == who, to != who)
        self.end_offers(estate)
        self.pass_on(estate, to)

    def abandon(self, who: int, estate: int) -> None:
        need(self.owner[estate] == who)
        self.reshape(estate)
        self.remove(estate)

    def reshape(self, estate: int) -> None:
        need(self.tenancy(estate) is None)
        self.end_offers(estate)

    def end_offers(self, estate: int) -> None:
        offer = self.offers.get(estate)
        need(offer is None or offer.top is None)
        self.offers.pop(estate, None)
        self.terms.pop(estate, None)

    def remove(self, estate: int) -> None:
        del self.owner[estate], self.parcels[estate]
        self.leases.pop(estate, None)

    def pass_on(self, estate: int, to: int) -> None:
        tenancy = self.tenancy(estate)
        if tenancy is not None and tenancy.tenant == to:
            tenancy.until = self.now
        self.terms.pop(estate, None)
        self.owner[estate] = to

    # ---- market

    def offer(self, who: int, estate: int, offer: Offer) -> None:
        need(self.owner[estate] == who, estate not in self.offers)
        self.offers[estate] = offer

    def withdraw(self, who: int, estate: int) -> None:
        need(estate in self.offers, self.owner[estate] == who)
        need(self.offers[estate].top is None)
        del self.offers[estate]

    def buy(self, who: int, estate: int, listing: int, version: int) -> None:
        offer = self.seen(who, estate, listing, version, is_auction=False)
        self.pay(who, offer.seller, offer.price)
        del self.offers[estate]
        self.pass_on(estate, who)

    def bid(self, who: int, estate: int, listing: int, version: int, amount: int) -> None:
        offer = self.seen(who, estate, listing, version, is_auction=True)
        need(amount >= offer.asked)
        if offer.top is not None:
            self.purses[offer.top] += offer.bid
        need(self.purses[who] >= amount)
        self.purses[who] -= amount
        offer.top, offer.bid, offer.ends = who, amount, max(offer.ends, self.now + LATE)

    def seen(self, who: int, estate: int, listing: int, version: int, is_auction: bool) -> Offer:
        offer = self.offers.get(estate)
        need(offer is not None)
        assert offer is not None
        need(offer.listing == listing, offer.version == version, offer.is_auction is is_auction)
        need(self.now < offer.ends, who != offer.seller)
        return offer

    def settle(self, estate: int) -> bool:
        offer = self.offers.get(estate)
        if offer is None or self.now < offer.ends:
            return False
        del self.offers[estate]
        if offer.top is not None:
            gets, fee = share(offer.bid)
            self.purses[offer.seller] += gets
            self.treasury += fee
            self.pass_on(estate, offer.top)
        return True

    # ---- leases

    def tenancy(self, estate: int) -> Tenancy | None:
        found = self.leases.get(estate)
        return found if found is not None and self.now < found.until else None

    def let(self, who: int, estate: int, terms: Terms) -> None:
        need(self.owner[estate] == who)
        self.terms[estate] = terms

    def lease(self, who: int, estate: int, periods: int, number: int) -> None:
        self.settle(estate)
        terms, offer = self.terms.get(estate), self.offers.get(estate)
        need(terms is not None, self.owner[estate] != who, self.tenancy(estate) is None)
        assert terms is not None
        need(offer is None or not offer.is_auction, 1 <= periods <= terms.most)
        self.pay(who, self.owner[estate], terms.rent * periods)
        until, latest = self.now + periods * HOUR, self.now + terms.most * HOUR
        self.leases[estate] = Tenancy(number, who, terms.rent, until, latest, terms.renewable)
        self.shown_anew(estate)

    def renew(self, who: int, estate: int, periods: int) -> None:
        self.settle(estate)
        found = self.tenancy(estate)
        need(found is not None)
        assert found is not None
        need(found.tenant == who, found.renewable, found.until + periods * HOUR <= found.latest)
        self.pay(who, self.owner[estate], found.rent * periods)
        found.until += periods * HOUR
        self.shown_anew(estate)

    def shown_anew(self, estate: int) -> None:
        if estate in self.offers:
            self.offers[estate].version += 1

    def pay(self, who: int, to: int, amount: int) -> None:
        need(self.purses[who] >= amount)
        gets, fee = share(amount)
        self.purses[who] -= amount
        self.purses[to] += gets
        self.treasury += fee
