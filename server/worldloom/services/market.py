"""Market: estates offered at a price, and bought. Title, money, fee, listing, register and notice are one transaction.

Whoever buys says what was shown: its price and its fingerprint. If either is another by now, nothing is moved. What is
offered ends with each change of the estate's shape or owner.
"""

import json
from dataclasses import dataclass, replace

from worldloom.errors import Refusal
from worldloom.ports import Tx, locks_first
from worldloom.ports.land import EstateRow
from worldloom.ports.market import ClosedRow, ListingRow
from worldloom.realm.chain import RegisterKind
from worldloom.realm.durations import in_words
from worldloom.realm.estates import LandRules, fingerprint
from worldloom.realm.ledger import TREASURY, TransferKind
from worldloom.realm.market import (
    DURATION_MAX_MS,
    DURATION_MIN_MS,
    Closing,
    ListingKind,
    folded,
    is_over,
    next_bid,
    seat,
    shares,
)
from worldloom.realm.rights import Verb
from worldloom.services import land, money, notices, offers, owning, register
from worldloom.services.asking import By, invalid
from worldloom.services.notices import NoticeKind
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "Auction",
    "Bought",
    "Buy",
    "Sell",
    "Withdraw",
    "auction",
    "buy",
    "locked",
    "missing",
    "not_for_sale",
    "refuse_changed",
    "sell",
    "trader",
    "withdraw",
]


_LAST = 2**63 - 1
_SALES_LOOKED_AT = 100
"""Newest rows of an estate's register among which its sale is looked for."""


@dataclass(frozen=True, slots=True)
class Sell:
    """Somebody offers an estate at a price, in its owner's name."""

    by: By
    estate: int
    price: int
    """Minor units."""
    fee: int
    """What of it goes to the treasury, hundredths of a percent: the configuration's."""
    now_ms: int
    """Unix time."""
    only: int | None = None
    """The account that it is offered to; None: everybody."""
    ends_ms: int | None = None
    """From then on nobody can buy it; None: until it is withdrawn."""


@dataclass(frozen=True, slots=True)
class Auction:
    """Somebody offers an estate to whoever bids most, in its owner's name."""

    by: By
    estate: int
    price: int
    """The least that the first bid must be; minor units."""
    step: int
    """What each must be above the one before; minor units."""
    ends_ms: int
    """When it ends, unless a late bid extends it; Unix time."""
    fee: int
    """Of the highest bid, hundredths of a percent: the configuration's."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Somebody takes an offer back, in the name of the estate's owner."""

    by: By
    listing: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Buy:
    """Somebody buys what was shown."""

    by: By
    listing: int
    price: int
    """As it was shown; minor units."""
    fingerprint: str
    """As it was shown; 32 hex digits."""
    rules: LandRules
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Bought:
    """What somebody bought."""

    listing: int
    estate: int
    price: int
    """Minor units."""
    transfer: int
    """Number of the transfer by which it was paid."""


@locks_first
def sell(tx: Tx, command: Sell) -> ListingRow:
    """Offer an estate at a price.

    Returns:
        The listing.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN, one may not sell there; LOCKED, it was bought with granted money; INVALID, a
            number is out of range, it is offered already, or offered to its owner or nobody.
    """
    estate = _to_offer(tx, command.by, command.estate, command.now_ms)
    tx.currency.check(command.price, "a price")
    _check_end(command.ends_ms, command.now_ms)
    if command.only is not None and (command.only == estate.owner or not tx.accounts([command.only])):
        raise invalid(f"expected an account other than the owner's to offer it to, got {command.only}")
    made = _shown(tx, estate, ListingKind.SALE, command.price, command.fee, command.now_ms)
    return _list(tx, replace(made, only=command.only, ends_ms=command.ends_ms), command.by)


@locks_first
def auction(tx: Tx, command: Auction) -> ListingRow:
    """Offer an estate to whoever bids most.

    Returns:
        The listing.

    Raises:
        Refusal: As for ``sell``.
    """
    estate = _to_offer(tx, command.by, command.estate, command.now_ms)
    tx.currency.check(command.price, "a first bid")
    tx.currency.check(command.step, "a step")
    _check_end(command.ends_ms, command.now_ms)
    made = _shown(tx, estate, ListingKind.AUCTION, command.price, command.fee, command.now_ms)
    return _list(tx, replace(made, step=command.step, ends_ms=command.ends_ms), command.by)


@locks_first
def withdraw(tx: Tx, command: Withdraw) -> None:
    """Take an offer back.

    Raises:
        Refusal: SOLD or NOT_FOR_SALE, it is not open; FORBIDDEN, one may not sell there; LOCKED, there is a bid.
    """
    row, estate = locked(tx, command.listing)
    owning.estate_for(tx, Verb.SELL, command.by, estate.number, command.now_ms)
    if row.top is not None:
        raise Refusal(
            RefusalCode.LOCKED,
            f"expected an auction that nobody has bid in, got one with a bid of {tx.currency.shown(row.top_bid or 0)}",
            hint="wait until it ends",
        )
    offers.withdraw(tx, row, Closing.WITHDRAWN, command.by.account, command.now_ms)


@locks_first
def buy(tx: Tx, command: Buy) -> Bought:
    """Buy what is offered at a price, all in one.

    Raises:
        Refusal: SOLD, somebody else has; NOT_FOR_SALE, it is not offered any more, not to you, or auctioned; CHANGED,
            its price or shape is not what was shown; FUNDS; FORBIDDEN, guests own nothing; INVALID, it is one's own, or
            too much for one account.
    """
    buyer = trader(command.by)
    row, estate = locked(tx, command.listing, buyer)
    if row.kind is not ListingKind.SALE:
        raise not_for_sale(f"expected an offer at a price, got {row.listing}, an auction", "bid for it")
    if is_over(row.ends_ms, command.now_ms):
        raise not_for_sale(f"expected an offer that is open, got {row.listing}, whose time is over")
    if row.seller == buyer:
        raise invalid(f"expected somebody else's offer, got {row.listing}, your own")
    if row.only not in (None, buyer):
        raise not_for_sale(f"expected an offer to you or to everybody, got {row.listing}, which is not")
    refuse_changed(row, estate, command.fingerprint)
    if command.price != row.price:
        price, got = tx.currency.shown(row.price), tx.currency.written(command.price)
        raise Refusal(RefusalCode.CHANGED, f"expected the price {price}, got {got}", hint="look again")
    gets, fee = shares(row.price, row.fee)
    purses = money.person_purses(tx, buyer, row.seller)
    legs = {purses[buyer]: -row.price, purses[row.seller]: gets, TREASURY: fee}
    memo = f"estate {row.estate}"
    transfer = money.move(
        tx, TransferKind.SALE, legs, memo, buyer, row.listing, command.now_ms, gets_land=buyer
    )
    detail = {"listing": row.listing, "price": row.price}
    land.pass_on(
        tx, estate, buyer, RegisterKind.SALE, transfer, command.rules, command.now_ms, detail, has_paid=True
    )
    tx.close_listing(row, Closing.SOLD, command.now_ms)
    told = {"listing": row.listing, "estate": row.estate, "price": row.price, "fee": fee}
    notices.tell(tx, [row.seller], NoticeKind.SOLD, command.now_ms, **told, to=buyer)
    return Bought(row.listing, row.estate, row.price, transfer)


# ---- what is asked first


def trader(by: By) -> int:
    """The account that trades.

    Raises:
        Refusal: FORBIDDEN, it is a guest, or the operator.
    """
    if by.account is None:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected somebody with an account, got {by.name!r}",
            hint="keep a name: land belongs to accounts",
        )
    return by.account


def locked(tx: Tx, listing: int, buyer: int | None = None) -> tuple[ListingRow, EstateRow]:
    """An open listing and its estate, locked: both as they are once nobody else can change them.

    Args:
        tx: The transaction.
        listing: Its number.
        buyer: Who is to pay for it, if it is bought.

    Raises:
        Refusal: SOLD, NOT_FOR_SALE or NOT_FOUND, it is not open.
    """
    found = tx.lock_listing(listing, buyer)
    if found is None:
        raise missing(tx, listing)
    return found


def missing(tx: Tx, listing: int) -> Refusal:
    """The refusal of who comes too late, or asks for what never was."""
    closed = tx.closed_listing(listing)
    if closed is not None and closed.how is Closing.SOLD:
        text = f"expected an open offer, got {listing}, which was sold{_sale(tx, closed)}"
        return Refusal(RefusalCode.SOLD, text)
    if closed is not None:
        return not_for_sale(f"expected an open offer, got {listing}, which is {_ENDED[closed.how]}")
    return Refusal(RefusalCode.NOT_FOUND, f"expected an offer, got {listing}, which is none")


def _sale(tx: Tx, closed: ClosedRow) -> str:
    """To whom a listing went, and for how much: as the register tells everybody."""
    for row in tx.register_of(closed.estate, None, _LAST, _SALES_LOOKED_AT):
        told = json.loads(row.detail) if row.kind in (RegisterKind.SALE, RegisterKind.AUCTION) else {}
        if told.get("listing") == closed.listing:
            to = next(iter(tx.accounts([row.account] if row.account else [])), None)
            return f" to {'somebody who is gone' if to is None else to.name} for {tx.currency.shown(told['price'])}"
    return ""


def refuse_changed(row: ListingRow, estate: EstateRow, shown: str) -> None:
    """Refuse to trade what was not shown.

    Raises:
        Refusal: CHANGED.
    """
    if shown != row.fingerprint or row.shape != estate.shape:
        raise Refusal(
            RefusalCode.CHANGED,
            f"expected what offer {row.listing} is now, {row.fingerprint}, got {shown[:32]!r}",
            hint="look again",
        )


def not_for_sale(text: str, hint: str = "") -> Refusal:
    """The refusal of what is not offered, or not to this one."""
    return Refusal(RefusalCode.NOT_FOR_SALE, text, hint=hint)


_ENDED = {
    Closing.WITHDRAWN: "withdrawn",
    Closing.CHANGED: "off the market, since the estate was changed",
    Closing.OVER: "over",
}


def _to_offer(tx: Tx, by: By, number: int, now_ms: int) -> EstateRow:
    """An estate, locked, that may be sold, and by whoever asks."""
    estate = owning.estate_for(tx, Verb.SELL, by, number, now_ms)
    owning.refuse_locked(estate, now_ms)
    return estate


def _check_end(ends_ms: int | None, now_ms: int) -> None:
    if ends_ms is not None and not now_ms + DURATION_MIN_MS <= ends_ms <= now_ms + DURATION_MAX_MS:
        least, most = in_words(DURATION_MIN_MS), in_words(DURATION_MAX_MS)
        raise invalid(f"expected an end {least} to {most} from now, got one {_from_now(ends_ms - now_ms)}")


def _from_now(left_ms: int) -> str:
    return f"{in_words(left_ms)} from now" if left_ms >= 0 else f"{in_words(-left_ms)} ago"


def _shown(tx: Tx, estate: EstateRow, kind: ListingKind, price: int, fee: int, now_ms: int) -> ListingRow:
    """A listing of an estate as it is now."""
    parcels = tx.parcels_of(estate.number)
    px, pz = seat(parcels)
    shown = fingerprint(
        estate.number, estate.shape, parcels, price, offers.lease_shown(tx, estate.number, now_ms)
    )
    return ListingRow(
        0,
        estate.number,
        kind,
        estate.owner,
        price,
        next_bid(price, 0, None),
        estate.shape,
        len(parcels),
        px,
        pz,
        shown,
        folded(estate.name),
        now_ms,
        fee,
    )


def _list(tx: Tx, row: ListingRow, by: By) -> ListingRow:
    number = tx.insert_listing(row)
    if number is None:
        raise invalid(
            f"expected an estate that is not offered yet, got {row.estate}, which is",
            "withdraw that offer first",
        )
    detail = {
        "listing": number,
        "kind": row.kind.value,
        "price": row.price,
        "ends_ms": row.ends_ms,
        "by": by.account,
    }
    register.append(tx, RegisterKind.LIST, row.estate, row.seller, row.only, row.created_ms, None, detail)
    return replace(row, listing=number)
