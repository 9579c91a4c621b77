"""Listings: the market as it is read, a page, one offer, what somebody offers or bids for. Changes nothing.

What is over is shown no longer, although nobody may have settled it yet; ``Shown.is_over`` says so of one offer, and
whoever shows it settles it first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom.ports.land import EstateRow
from worldloom.ports.market import LeaseOfferRow, LeaseRow, ListingRow, MarketFilter, OfferedRow, ToLetRow
from worldloom.realm.estates import Parcel
from worldloom.realm.market import NO_END_MS, ListingKind, MarketSort, folded, is_over
from worldloom.realm.money import AMOUNT_MAX
from worldloom.realm.names import clean_text
from worldloom.realm.rights import Verb
from worldloom.services import offers, rights
from worldloom.services.asking import invalid
from worldloom.services.market import missing, not_for_sale
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "NEAR_MAX_M",
    "PAGE_MAX",
    "Page",
    "PageToLet",
    "Show",
    "ShowLease",
    "Shown",
    "ShownLease",
    "Trades",
    "WantPage",
    "page",
    "page_to_let",
    "show",
    "show_lease",
    "trades",
]

PAGE_MAX = 50
"""Offers of one page."""
NEAR_MAX_M = 4_096
"""How far around a place a page may look."""
_EDGE_M = (REGION_LIMIT + 1) * REGION_M
_NAME_MAX = 64
_TRADES_MAX = 100


@dataclass(frozen=True, slots=True)
class WantPage:
    """Somebody looks at the market. What is None or empty restricts nothing."""

    now_ms: int
    """Unix time."""
    sort: MarketSort = MarketSort.NEWEST
    limit: int = PAGE_MAX
    viewer: int | None = None
    """The account that looks."""
    kind: ListingKind | None = None
    price_from: int | None = None
    """Minor units; of an auction, the least next bid; of a lease, the rent."""
    price_to: int | None = None
    parcels_from: int | None = None
    name: str = ""
    """A part of the estate's name."""
    near: tuple[int, int, int] | None = None
    """x, z and how far from there, in whole metres."""
    after: tuple[int, int] | None = None
    """``next`` of the page before, in the same order."""
    sees_all: bool = False
    """Whether it is the operator who looks, who sees what is offered to one account alone as well."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the market."""

    rows: Sequence[OfferedRow]
    next: tuple[int, int] | None
    """Where the next begins; None: there is none."""


@dataclass(frozen=True, slots=True)
class PageToLet:
    """A page of what is to let."""

    rows: Sequence[ToLetRow]
    next: tuple[int, int] | None
    """Where the next begins; None: there is none."""


@dataclass(frozen=True, slots=True)
class Show:
    """Somebody looks at one offer: by its number, or at what is offered of an estate."""

    now_ms: int
    """Unix time."""
    listing: int | None = None
    estate: int | None = None
    viewer: int | None = None
    """The account that looks."""
    sees_all: bool = False
    """Whether it is the operator who looks."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that there is to know of an offer."""

    listing: ListingRow
    estate: EstateRow
    parcels: tuple[Parcel, ...]
    """Ascending."""
    seller_name: str
    lease: LeaseRow | None
    """In force: it goes with the estate."""
    is_over: bool
    """Whether it is to be settled."""


@dataclass(frozen=True, slots=True)
class ShowLease:
    """Somebody looks at the terms of a lease."""

    estate: int
    now_ms: int
    """Unix time."""
    viewer: int | None = None
    """The account that looks."""


@dataclass(frozen=True, slots=True)
class ShownLease:
    """On what terms an estate is to let, and whether somebody has it."""

    offer: LeaseOfferRow | None
    """None: it is not to let, or not to the viewer."""
    estate: EstateRow
    lease: LeaseRow | None
    """In force."""


@dataclass(frozen=True, slots=True)
class Trades:
    """What somebody has in hand at the market."""

    offers: Sequence[ListingRow]
    """Of their own, newest first."""
    bids: Sequence[ListingRow]
    """Auctions in which they are ahead, newest first."""


def page(tx: Tx, command: WantPage) -> Page:
    """A page of what is for sale.

    Raises:
        Refusal: INVALID, a number is out of range.
    """
    wanted = _filter(command)
    rows = tx.market_page(wanted)
    shown, is_more = rows[: wanted.limit - 1], len(rows) == wanted.limit
    last = shown[-1].listing if is_more else None
    return Page(shown, None if last is None else (_key(last, command.sort), last.listing))


def page_to_let(tx: Tx, command: WantPage) -> PageToLet:
    """A page of what is to let, and not leased now; prices are rents.

    Raises:
        Refusal: INVALID, a number is out of range.
    """
    wanted = _filter(command)
    rows = tx.lease_page(wanted)
    shown, is_more = rows[: wanted.limit - 1], len(rows) == wanted.limit
    if not is_more:
        return PageToLet(shown, None)
    last = shown[-1].offer
    keys = {MarketSort.PRICE: last.rent, MarketSort.SIZE: last.parcels}
    return PageToLet(shown, (keys.get(command.sort, last.offer), last.offer))


def show(tx: Tx, command: Show) -> Shown:
    """One offer, as a buyer must know it.

    Raises:
        Refusal: SOLD or NOT_FOR_SALE, it is not open any more, or to somebody else alone; NOT_FOUND.
    """
    if command.listing is not None:
        row = tx.listing(command.listing)
        if row is None:
            raise missing(tx, command.listing)
    else:
        row = tx.listing_of(command.estate or 0)
        if row is None:
            raise not_for_sale(f"expected an estate that is offered, got {command.estate}, which is not")
    if not command.sees_all and not _may_look(
        tx, row.only, Verb.SELL, command.viewer, row.estate, command.now_ms
    ):
        raise not_for_sale(f"expected an offer to you or to everybody, got {row.listing}, which is not")
    estate = _estate(tx, row.estate)
    seller = next(iter(tx.accounts([row.seller])), None)
    lease = offers.lease_in_force(tx, row.estate, command.now_ms)
    parcels = tuple(tx.parcels_of(row.estate))
    over = is_over(row.ends_ms, command.now_ms)
    return Shown(row, estate, parcels, seller.name if seller is not None else "", lease, over)


def show_lease(tx: Tx, command: ShowLease) -> ShownLease:
    """On what terms an estate is to let.

    Raises:
        Refusal: NOT_FOUND, there is no such estate.
    """
    estate, offer = _estate(tx, command.estate), tx.lease_offer(command.estate)
    if offer is not None and not _may_look(
        tx, offer.only, Verb.LEASE, command.viewer, offer.estate, command.now_ms
    ):
        offer = None
    return ShownLease(offer, estate, offers.lease_in_force(tx, command.estate, command.now_ms))


def trades(tx: Tx, account: int) -> Trades:
    """What an account offers, and where it is ahead."""
    return Trades(tx.listings_of(account, _TRADES_MAX), tx.bids_of(account, _TRADES_MAX))


def _filter(command: WantPage) -> MarketFilter:
    """What is asked for, within bounds, and one more than is shown: so it is known whether there are more."""
    for amount in (command.price_from, command.price_to, command.parcels_from):
        if amount is not None and not 0 <= amount <= AMOUNT_MAX:
            raise invalid(f"expected 0 to {AMOUNT_MAX}, got {amount}")
    if command.near is not None:
        x, z, within = command.near
        if not (abs(x) <= _EDGE_M and abs(z) <= _EDGE_M and 0 <= within <= NEAR_MAX_M):
            raise invalid(
                f"expected a place in the world and at most {NEAR_MAX_M} m around, got {command.near}"
            )
    return MarketFilter(
        command.now_ms,
        command.sort,
        max(1, min(command.limit, PAGE_MAX)) + 1,
        command.viewer,
        command.kind,
        command.price_from,
        command.price_to,
        command.parcels_from,
        folded(clean_text(command.name, _NAME_MAX)),
        command.near,
        command.after,
        command.sees_all,
    )


def _may_look(tx: Tx, only: int | None, verb: Verb, viewer: int | None, estate: int, now_ms: int) -> bool:
    """Whether somebody is told of an offer: it is to them or to everybody, or they may make such offers there."""
    return only in (None, viewer) or rights.may(tx, verb, viewer, estate, now_ms)


def _key(row: ListingRow, sort: MarketSort) -> int:
    keys = {
        MarketSort.PRICE: row.asked,
        MarketSort.SIZE: row.parcels,
        MarketSort.NEWEST: row.listing,
        MarketSort.ENDS: NO_END_MS if row.ends_ms is None else row.ends_ms,
    }
    return keys[sort]


def _estate(tx: Tx, number: int) -> EstateRow:
    found = tx.estate(number)
    if found is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an estate, got {number}, which is none")
    return found
