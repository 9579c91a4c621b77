"""The part of a transaction that is about offers, leases and notices, and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from worldloom.ports.land import EstateRow
from worldloom.realm.market import Closing, ListingKind, MarketSort

__all__ = [
    "ClosedRow",
    "LeaseOfferRow",
    "LeaseRow",
    "ListingRow",
    "MarketFilter",
    "MarketTx",
    "NoticeRow",
    "OfferedRow",
    "ToLetRow",
]


@dataclass(frozen=True, slots=True)
class ListingRow:
    """An estate is offered: an open listing."""

    listing: int
    """Its number; 0 before it has one. Never given again."""
    estate: int
    kind: ListingKind
    seller: int
    """The owner."""
    price: int
    """Of a sale; the least first bid of an auction."""
    asked: int
    """What the next who wants it must give: the price, or the least next bid."""
    shape: int
    """Of the estate when it was listed."""
    parcels: int
    px: int
    """With ``pz`` the parcel that says where the estate is."""
    pz: int
    fingerprint: str
    """Of what is shown; 32 hex digits."""
    name: str
    """The estate's, folded for the search."""
    created_ms: int
    fee: int = 0
    """Of what is paid, for the treasury: hundredths of a percent, as it was when it was listed."""
    only: int | None = None
    """The account that it is offered to; None for everybody."""
    step: int = 0
    """What a bid must be above the one before; 0 for a sale."""
    ends_ms: int | None = None
    """From then on nobody can take it; None for a sale without an end."""
    top: int | None = None
    """Who bid most so far."""
    top_bid: int | None = None


@dataclass(frozen=True, slots=True)
class OfferedRow:
    """A listing as the market page shows it."""

    listing: ListingRow
    estate_name: str
    seller_name: str


@dataclass(frozen=True, slots=True)
class ClosedRow:
    """A listing that is no longer open; known for a while."""

    listing: int
    estate: int
    how: Closing
    at_ms: int


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """Which open listings are asked for, and how many of them in which order."""

    now_ms: int
    sort: MarketSort
    limit: int
    viewer: int | None = None
    """Whose page it is: what is offered to one account alone is shown to that one and the seller."""
    kind: ListingKind | None = None
    """Of offers to sell."""
    price_from: int | None = None
    price_to: int | None = None
    parcels_from: int | None = None
    name: str = ""
    """Part of the estate's name, folded."""
    near: tuple[int, int, int] | None = None
    """x, z, and how far from there, in whole metres."""
    after: tuple[int, int] | None = None
    """Key and number of the last that was shown."""
    sees_all: bool = False
    """Also what is offered to one account alone, whose page it may be."""


@dataclass(frozen=True, slots=True)
class LeaseOfferRow:
    """An estate can be leased; an estate has at most one such offer."""

    offer: int
    """Its number; 0 before it has one."""
    estate: int
    owner: int
    rent: int
    """Of one period."""
    period_ms: int
    max_periods: int
    """Of one lease, renewals included."""
    renewable: bool
    shape: int
    """Of the estate when it was offered."""
    parcels: int
    px: int
    """With ``pz`` the parcel that says where the estate is."""
    pz: int
    fingerprint: str
    """Of what is shown; 32 hex digits."""
    name: str
    """The estate's, folded for the search."""
    created_ms: int
    fee: int = 0
    """Of the rent, for the treasury: hundredths of a percent, as it was when it was offered."""
    free_ms: int = 0
    """When the lease ends that is in force, if one is: until then it is shown to nobody who looks for land."""
    only: int | None = None
    """The account that it is offered to; None for everybody."""


@dataclass(frozen=True, slots=True)
class ToLetRow:
    """An offer of a lease as the market page shows it."""

    offer: LeaseOfferRow
    estate_name: str
    owner_name: str


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """An estate is leased, or was; an estate has at most one."""

    lease: int
    """Its number; 0 before it has one. Never given again."""
    estate: int
    tenant: int
    rent: int
    """Of one period; what renewing costs."""
    period_ms: int
    from_ms: int
    until_ms: int
    """From then on it grants nothing."""
    latest_ms: int
    """When it ends at the latest, however often it is renewed."""
    renewable: bool
    fee: int = 0
    """Of the rent, for the treasury: hundredths of a percent, as it was when it was offered."""
    tell_ms: int | None = None
    """When somebody is to be told next: first that it is about to end, then that it has ended; None: all was told."""


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """Something that an account is told, now or when it comes back."""

    notice: int
    """Its number; 0 before it has one."""
    account: int
    kind: str
    at_ms: int
    detail: bytes
    """A MessagePack map."""
    read: bool = False


class MarketTx(Protocol):
    """Offers, leases and notices."""

    def listing(self, number: int) -> ListingRow | None:
        """An open listing."""

    def lock_listing(self, number: int, buyer: int | None = None) -> tuple[ListingRow, EstateRow] | None:
        """An open listing and its estate, as they are once nobody else can change them until this transaction ends.

        The estate is locked first, as by ``lock_estate``. With a buyer, the purses of both sides (``purses_of``, the
        buyer first) and the estate's lease will be asked for: they may be, at once, as soon as both are locked.
        """

    def listing_of(self, estate: int) -> ListingRow | None:
        """The open listing of an estate."""

    def listed(self, estates: Sequence[int]) -> dict[int, ListingKind]:
        """Which of these estates are offered, and how."""

    def insert_listing(self, row: ListingRow) -> int | None:
        """A new listing's number, or None when the estate has an open one (the database decides)."""

    def take_bid(self, before: ListingRow, now: ListingRow) -> bool:
        """Let a bid stand in place of the one before; False when another came between."""

    def close_listing(self, row: ListingRow, how: Closing, now_ms: int) -> None:
        """End an open listing.

        Raises:
            StoreUnavailable: Somebody else did, or bid meanwhile; raised by the commit at the latest.
        """

    def closed_listing(self, number: int) -> ClosedRow | None:
        """How a listing ended, if that is still known."""

    def mark_listing(self, estate: int, fingerprint: str) -> None:
        """What is shown of an estate for sale is another now."""

    def rename_offers(self, estate: int, name: str) -> None:
        """An estate that is for sale, or to let, is called otherwise; folded."""

    def due_listings(self, now_ms: int, limit: int) -> Sequence[int]:
        """Open listings whose time has run out, longest ago first."""

    def listings_of(self, account: int, limit: int) -> Sequence[ListingRow]:
        """What an account offers, newest first."""

    def bids_of(self, account: int, limit: int) -> Sequence[ListingRow]:
        """Open auctions in which an account is ahead, newest first."""

    def market_page(self, wanted: MarketFilter) -> Sequence[OfferedRow]:
        """Open listings, filtered, in order."""

    def lease_offer(self, estate: int) -> LeaseOfferRow | None:
        """On what terms an estate can be leased."""

    def save_lease_offer(self, row: LeaseOfferRow) -> int:
        """Offer an estate for lease, in place of an earlier offer; the number of the offer."""

    def lease_page(self, wanted: MarketFilter) -> Sequence[ToLetRow]:
        """Offers of leases of estates that are not leased, filtered, in order; the price is the rent."""

    def mark_lease_offer(self, estate: int, free_ms: int) -> None:
        """An estate that is to let is leased until then."""

    def delete_lease_offer(self, estate: int) -> None:
        """Offer it no longer, if it was."""

    def lease(self, number: int) -> LeaseRow | None:
        """A lease, in force or not, unless another came after it."""

    def lease_of(self, estate: int) -> LeaseRow | None:
        """The last lease of an estate, in force or not."""

    def leased(self, estates: Sequence[int], now_ms: int) -> set[int]:
        """Which of these estates are leased now."""

    def to_let(self, estates: Sequence[int], now_ms: int) -> set[int]:
        """Which of these estates are to let and not leased now."""

    def leases_by(self, tenant: int, now_ms: int, limit: int) -> Sequence[LeaseRow]:
        """Leases in force of a tenant, the first to end first."""

    def insert_lease(self, row: LeaseRow) -> int | None:
        """A new lease's number in place of one that has ended by its ``from_ms``; None when one is in force then."""

    def change_lease(self, before: LeaseRow, now: LeaseRow) -> bool:
        """Let a lease end at another time, or be told of; False when somebody else changed it."""

    def leases_to_tell(self, now_ms: int, limit: int) -> Sequence[LeaseRow]:
        """Leases of which somebody is to be told, longest due first."""

    def insert_notices(self, rows: Sequence[NoticeRow]) -> None:
        """Tell accounts something."""

    def notices_after(self, number: int, limit: int) -> Sequence[NoticeRow]:
        """Everybody's notices after that number, ascending."""

    def notices_numbered(self, numbers: Sequence[int]) -> Sequence[NoticeRow]:
        """The notices of these numbers, as far as there are such, ascending."""

    def last_notice(self) -> int:
        """The highest number of a notice, 0 if there is none."""

    def notices_of(self, account: int, before: int | None, limit: int) -> Sequence[NoticeRow]:
        """An account's notices, newest first; those before a number."""

    def read_notices(self, account: int, until: int) -> int:
        """Mark an account's notices up to a number as read; how many were not."""

    def delete_told(self, before_ms: int, keep: int, limit: int) -> int:
        """Delete notices and closed listings from before then, and notices beyond ``keep`` an account; how many.

        At most ``limit`` of each kind.
        """
