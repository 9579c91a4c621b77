"""Dealing: each act that carries a key, as what it does in a transaction, and what Done carries then."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from worldloom.errors import Refusal
from worldloom.ports import StyleRow, Tx, locks_first
from worldloom.ports.land import LandingRow
from worldloom.ports.market import ListingRow
from worldloom.realm.estates import LandRules, Parcel
from worldloom.realm.rights import GIVEN_ROLES, EstateRole, Verb
from worldloom.services import auctions, land, leases, market, money, notices, rights, showing
from worldloom.services.asking import By, Whom, find, invalid
from worldloom.services.notices import NoticeKind
from worldloom_sdk.protocol import estate_parts as parts
from worldloom_sdk.protocol.messages import EstateAct, MarketAct, MoneyAct, RefusalCode

__all__ = ["DEALS", "PARCELS_MAX", "Dealer", "Rules", "StyleOf", "parcels_of", "whom_of"]

PARCELS_MAX = 4_096
"""That one command names."""

StyleOf = Callable[[int, int, str], Awaitable[StyleRow]]
"""Makes a region's style of words; refuses words that say nothing, and a world that is not woven by words."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator has settled about money and land."""

    land: LandRules = field(default_factory=LandRules)
    fee: int = 250
    """Of sales and rents, hundredths of a percent."""
    paying: bool = True
    """Whether people may pay each other."""
    coin: str = "crown"
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Dealer:
    """Who asks for what, by which rules."""

    by: By
    asked: Any
    """Money, Estate or Market."""
    rules: Rules
    now_ms: int
    """Unix time."""
    style: StyleRow | None = None
    """Of the region that is claimed, made of words."""
    parcels: tuple[Parcel, ...] = ()

    @property
    def account(self) -> int:
        """Whose money and land it is."""
        assert self.by.account is not None
        return self.by.account

    def somebody(self) -> Whom:
        """Whom it is about.

        Raises:
            Refusal: INVALID, nobody is named.
        """
        whom = whom_of(self.asked)
        if whom is None:
            raise invalid("expected somebody by number or by name, got nobody")
        return whom

    def until_ms(self) -> int | None:
        """When what is given for some seconds ends; None: without end."""
        return self.now_ms + 1_000 * self.asked.seconds if self.asked.seconds else None

    def only(self, tx: Tx) -> int | None:
        """The account that something is offered to; None: everybody.

        Raises:
            Refusal: NOT_FOUND, there is no such account.
        """
        whom = whom_of(self.asked)
        return None if whom is None else find(tx, whom).account


Deal = Callable[[Tx, Dealer], object]


def whom_of(asked: Any) -> Whom | None:
    """Whom a command is about; None: nobody is named.

    Raises:
        Refusal: INVALID, by number and by name at once.
    """
    if asked.account and asked.name.strip():
        raise invalid("expected somebody by number or by name, got both")
    if asked.account:
        return Whom(account=asked.account)
    return Whom(name=asked.name) if asked.name.strip() else None


def parcels_of(runs: list[parts.Run]) -> list[Parcel]:
    """The parcels of runs, as they come; what is too much is refused before it is spread out.

    Raises:
        Refusal: INVALID.
    """
    count = sum(run.n for run in runs)
    if count > PARCELS_MAX:
        raise invalid(f"expected at most {PARCELS_MAX} parcels, got {count}")
    return [(run.px + k, run.pz) for run in runs for k in range(run.n)]


def _pay(tx: Tx, d: Dealer) -> int:
    if not d.rules.paying:
        raise Refusal(
            RefusalCode.FORBIDDEN, "expected a world in which people may pay each other, got one without"
        )
    whom, asked = d.somebody(), d.asked
    transfer = money.pay(tx, money.Pay(d.account, whom, asked.amount, asked.memo, d.now_ms))
    to = find(tx, whom).account
    if to is not None:
        notices.tell(tx, [to], NoticeKind.PAID, d.now_ms, amount=asked.amount, by=d.account)
    return transfer


# ---- land


def _claim(tx: Tx, d: Dealer) -> parts.EstateInfo:
    asked, rules = d.asked, d.rules.land
    made = land.claim(
        tx,
        land.Claim(d.by, d.parcels, asked.price, rules, d.now_ms, asked.title or "", d.style),
    )
    return _estate(tx, d, made.number)


def _describe(tx: Tx, d: Dealer) -> parts.EstateInfo:
    asked = d.asked
    landing = None if asked.landing is None else LandingRow(*_fields(asked.landing))
    land.describe(
        tx,
        land.Describe(d.by, asked.estate, d.now_ms, asked.title, asked.text, landing, asked.no_landing),
    )
    return _estate(tx, d, asked.estate)


def _split(tx: Tx, d: Dealer) -> list[parts.EstateInfo]:
    asked = d.asked
    both = land.split(tx, land.Split(d.by, asked.estate, d.parcels, d.now_ms, asked.title or ""))
    return [_estate(tx, d, row.number) for row in both]


def _join(tx: Tx, d: Dealer) -> parts.EstateInfo:
    asked = d.asked
    land.join(tx, land.Join(d.by, asked.estate, asked.other, d.rules.land, d.now_ms))
    return _estate(tx, d, asked.estate)


def _give(tx: Tx, d: Dealer) -> None:
    land.give(tx, land.Give(d.by, d.asked.estate, d.somebody(), d.rules.land, d.now_ms))


def _abandon(tx: Tx, d: Dealer) -> None:
    land.abandon(tx, land.Abandon(d.by, d.asked.estate, d.now_ms))


def _allow(tx: Tx, d: Dealer) -> None:
    asked = d.asked
    if asked.role and asked.role not in GIVEN_ROLES:
        raise invalid(f"expected a role of {', '.join(GIVEN_ROLES)}, got {asked.role!r}")
    role = EstateRole(asked.role) if asked.role else None
    verbs = None if role is not None else Verb(asked.verbs)
    terms = (asked.estate, whom_of(asked), d.now_ms, verbs, role, d.until_ms())
    rights.allow(tx, rights.Allow(d.by, *terms))


def _disallow(tx: Tx, d: Dealer) -> None:
    rights.disallow(tx, rights.Disallow(d.by, d.asked.estate, whom_of(d.asked), d.now_ms))


def _exclude(tx: Tx, d: Dealer) -> None:
    asked = d.asked
    terms = (asked.estate, d.somebody(), d.now_ms, d.until_ms(), asked.text or "")
    rights.exclude(tx, rights.Exclude(d.by, *terms))


def _admit(tx: Tx, d: Dealer) -> None:
    rights.admit(tx, rights.Admit(d.by, d.asked.estate, d.somebody(), d.now_ms))


def _estate(tx: Tx, d: Dealer, number: int) -> parts.EstateInfo:
    return showing.estate_of(tx, (number, d.now_ms))


def _fields(landing: parts.Landing) -> tuple[int, int, int, int]:
    return landing.x, landing.z, landing.y, landing.yaw


# ---- the market


@locks_first
def _sell(tx: Tx, d: Dealer) -> parts.Offer:
    asked = d.asked
    terms = (asked.estate, asked.price, d.rules.fee, d.now_ms, d.only(tx), d.until_ms())
    return _offer(tx, market.sell(tx, market.Sell(d.by, *terms)))


@locks_first
def _auction(tx: Tx, d: Dealer) -> parts.Offer:
    asked = d.asked
    ends_ms = d.now_ms + 1_000 * asked.seconds
    terms = (asked.estate, asked.price, asked.step, ends_ms, d.rules.fee, d.now_ms)
    return _offer(tx, market.auction(tx, market.Auction(d.by, *terms)))


@locks_first
def _withdraw(tx: Tx, d: Dealer) -> None:
    market.withdraw(tx, market.Withdraw(d.by, d.asked.listing, d.now_ms))


@locks_first
def _buy(tx: Tx, d: Dealer) -> parts.Bought:
    asked = d.asked
    terms = (asked.listing, asked.price, asked.fingerprint, d.rules.land, d.now_ms)
    done = market.buy(tx, market.Buy(d.by, *terms))
    return parts.Bought(done.listing, done.estate, done.price, done.transfer)


@locks_first
def _bid(tx: Tx, d: Dealer) -> parts.Offer:
    asked = d.asked
    terms = (asked.listing, asked.price, asked.fingerprint, d.rules.land, d.now_ms)
    return _offer(tx, auctions.bid(tx, auctions.Bid(d.by, *terms)))


@locks_first
def _offer_lease(tx: Tx, d: Dealer) -> parts.LeaseOffer:
    asked = d.asked
    terms = (asked.estate, asked.price, asked.seconds, asked.periods, asked.renewable)
    row = leases.offer_lease(tx, leases.OfferLease(d.by, *terms, d.rules.fee, d.now_ms, d.only(tx)))
    return showing.lease_offer(row, _name_of(tx, row.estate), _person(tx, row.owner))


@locks_first
def _end_lease_offer(tx: Tx, d: Dealer) -> None:
    leases.end_offer(tx, leases.EndOffer(d.by, d.asked.estate, d.now_ms))


@locks_first
def _lease(tx: Tx, d: Dealer) -> parts.LeaseInfo:
    asked = d.asked
    terms = (asked.estate, asked.periods, asked.price, asked.fingerprint, d.now_ms)
    return showing.lease(leases.lease(tx, leases.Lease(d.by, *terms)))


@locks_first
def _renew(tx: Tx, d: Dealer) -> parts.LeaseInfo:
    asked = d.asked
    return showing.lease(leases.renew(tx, leases.Renew(d.by, asked.lease, asked.periods, d.now_ms)))


def _offer(tx: Tx, row: ListingRow) -> parts.Offer:
    return showing.offer(row, _name_of(tx, row.estate), _person(tx, row.seller))


def _person(tx: Tx, account: int) -> str:
    row = next(iter(tx.accounts([account])), None)
    return "" if row is None else row.name


def _name_of(tx: Tx, estate: int) -> str:
    row = tx.estate(estate)
    return "" if row is None else row.name


DEALS: Mapping[StrEnum, Deal] = {
    MoneyAct.PAY: _pay,
    EstateAct.CLAIM: _claim,
    EstateAct.DESCRIBE: _describe,
    EstateAct.SPLIT: _split,
    EstateAct.JOIN: _join,
    EstateAct.GIVE: _give,
    EstateAct.ABANDON: _abandon,
    EstateAct.ALLOW: _allow,
    EstateAct.DISALLOW: _disallow,
    EstateAct.EXCLUDE: _exclude,
    EstateAct.ADMIT: _admit,
    MarketAct.SELL: _sell,
    MarketAct.AUCTION: _auction,
    MarketAct.WITHDRAW: _withdraw,
    MarketAct.BUY: _buy,
    MarketAct.BID: _bid,
    MarketAct.OFFER_LEASE: _offer_lease,
    MarketAct.END_LEASE_OFFER: _end_lease_offer,
    MarketAct.LEASE: _lease,
    MarketAct.RENEW: _renew,
}
"""What is done, by act. Values of the three enumerations are different words."""
