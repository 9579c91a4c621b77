"""Market queries: open listings and how they ended, as the methods of ``ports.MarketTx`` on them. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, select, text, update

from worldloom.errors import StoreUnavailable
from worldloom.persistence.inserting import PerEngine
from worldloom.persistence.known import Known
from worldloom.persistence.land_queries import ESTATE, to_estate
from worldloom.persistence.land_tables import estate
from worldloom.persistence.later import Later
from worldloom.persistence.lease_queries import OF_ESTATE, LeaseQueries
from worldloom.persistence.market_page import page
from worldloom.persistence.market_tables import closed_listing, lease, lease_offer, listing
from worldloom.persistence.money_queries import PURSES_OF, accounts_among
from worldloom.persistence.notice_queries import NoticeQueries
from worldloom.ports.land import EstateRow
from worldloom.ports.market import ClosedRow, ListingRow, MarketFilter, OfferedRow
from worldloom.realm.market import NO_END_MS, Closing, ListingKind

__all__ = ["MarketQueries"]

_ONE = Known(select(listing).where(listing.c.id == bindparam("of", type_=BigInteger)))
_OF_ESTATE = Known(select(listing).where(listing.c.estate_id == bindparam("of", type_=BigInteger)))
_LOCK = Known(
    select(listing, *ESTATE.selected_columns)
    .join_from(estate, listing, listing.c.estate_id == estate.c.id)
    .where(listing.c.id == bindparam("of", type_=BigInteger))
    # In this order. Each is read again once it is locked: whoever had it before may have sold it.
    .with_for_update(of=[estate, listing])
)
_THIS = listing.c.id == bindparam("of", type_=BigInteger)
_PURSES_OF_BOTH = Known(
    text(
        "SELECT id, kind, account_id, ref, balance FROM purse WHERE account_id = ANY(ARRAY[CAST(:buyer AS integer),"
        " (SELECT seller_id FROM listing WHERE id = CAST(:of AS bigint))]) ORDER BY id"
    )
)
_LEASE_OF_LISTED = Known(
    select(lease).where(lease.c.estate_id == select(listing.c.estate_id).where(_THIS).scalar_subquery())
)
"""Of a listing: what PostgreSQL is asked for before its seller and its estate are known."""
_LISTED = select(listing.c.estate_id, listing.c.kind).where(
    listing.c.estate_id.in_(bindparam("numbers", expanding=True, type_=BigInteger))
)
_ADD = Known(
    PerEngine(
        lambda insert: (
            insert(listing).on_conflict_do_nothing(index_elements=["estate_id"]).returning(listing.c.id)
        )
    ),
    *(column.name for column in listing.c if column.name != "id"),
)
_BID = Known(
    update(listing)
    .where(
        listing.c.id == bindparam("of"),
        listing.c.asked == bindparam("asked_before", type_=BigInteger),
        listing.c.ends_ms == bindparam("ends_before", type_=BigInteger),
    )
    .values(
        asked=bindparam("to_ask"),
        ends_ms=bindparam("to_end"),
        top_id=bindparam("bidder"),
        top_bid=bindparam("bid"),
    )
)
_END = delete(listing).where(
    listing.c.id == bindparam("of"), listing.c.asked == bindparam("asked_before", type_=BigInteger)
)
_MARK = (
    update(listing)
    .where(listing.c.estate_id == bindparam("of", type_=BigInteger))
    .values(fingerprint=bindparam("shown"))
)
_RENAME = [
    update(table)
    .where(table.c.estate_id == bindparam("of", type_=BigInteger))
    .values(name=bindparam("called"))
    for table in (listing, lease_offer)
]
_CLOSE = Later(
    ended=Known({"sqlite": _END, "postgresql": _END.returning(listing.c.id)}),
    closed=Known(insert(closed_listing), "id", "estate_id", "how", "at_ms"),
)
_CLOSED = Known(
    select(
        closed_listing.c.id, closed_listing.c.estate_id, closed_listing.c.how, closed_listing.c.at_ms
    ).where(closed_listing.c.id == bindparam("of", type_=BigInteger))
)
_DUE = (
    select(listing.c.id)
    .where(listing.c.ends_ms <= bindparam("now", type_=BigInteger))
    .order_by(listing.c.ends_ms, listing.c.id)
    .limit(bindparam("limit"))
)
_OF_SELLER, _OF_BIDDER = (
    select(listing)
    .where(column == bindparam("of", type_=BigInteger))
    .order_by(listing.c.id.desc())
    .limit(bindparam("limit"))
    for column in (listing.c.seller_id, listing.c.top_id)
)


class MarketQueries(LeaseQueries, NoticeQueries):
    """``ports.MarketTx`` over a connection that is in a transaction."""

    __slots__ = ()

    connection: Connection
    engine_name: str

    def listing(self, number: int) -> ListingRow | None:
        """An open listing."""
        return _to_listing(_ONE.one(self.connection, {"of": number}))

    def lock_listing(self, number: int, buyer: int | None = None) -> tuple[ListingRow, EstateRow] | None:
        """An open listing and its estate, as they are once nobody else can change them."""
        connection, is_far = self.connection, buyer is not None and self.engine_name == "postgresql"
        if is_far:
            _PURSES_OF_BOTH.ask_along(connection, {"of": number, "buyer": buyer})
            _LEASE_OF_LISTED.ask_along(connection, {"of": number})
        row = _LOCK.one(connection, {"of": number})
        if row is None:
            return None
        found = _listing(row), to_estate(row[len(listing.c) :])
        if buyer is not None and is_far:
            both = accounts_among(self.engine_name, buyer, row.seller_id)
            PURSES_OF.foretell(connection, both, _PURSES_OF_BOTH)
            OF_ESTATE.foretell(connection, {"of": row.estate_id}, _LEASE_OF_LISTED)
        return found

    def listing_of(self, estate: int) -> ListingRow | None:
        """The open listing of an estate."""
        return _to_listing(_OF_ESTATE.one(self.connection, {"of": estate}))

    def listed(self, estates: Sequence[int]) -> dict[int, ListingKind]:
        """Which of these estates are offered, and how."""
        if not estates:
            return {}
        rows = self.connection.execute(_LISTED, {"numbers": [*estates]})
        return {estate: ListingKind(kind) for estate, kind in rows}

    def insert_listing(self, row: ListingRow) -> int | None:
        """A new listing's number, or None when the estate has an open one (the database decides)."""
        values = {
            "estate_id": row.estate,
            "kind": row.kind.value,
            "seller_id": row.seller,
            "price": row.price,
            "asked": row.asked,
            "shape": row.shape,
            "parcels": row.parcels,
            "px": row.px,
            "pz": row.pz,
            "fingerprint": row.fingerprint,
            "name": row.name,
            "created_ms": row.created_ms,
            "fee": row.fee,
            "only_id": row.only,
            "step": row.step,
            "ends_ms": _ends(row.ends_ms),
            "top_id": row.top,
            "top_bid": row.top_bid,
        }
        new: int | None = _ADD.value(self.connection, values)
        return new

    def take_bid(self, before: ListingRow, now: ListingRow) -> bool:
        """Let a bid stand in place of the one before; False when another came between."""
        values = {
            "of": before.listing,
            "asked_before": before.asked,
            "ends_before": _ends(before.ends_ms),
            "to_ask": now.asked,
            "to_end": _ends(now.ends_ms),
            "bidder": now.top,
            "bid": now.top_bid,
        }
        return _BID.changed(self.connection, values) == 1

    def close_listing(self, row: ListingRow, how: Closing, now_ms: int) -> None:
        """End an open listing. StoreUnavailable, by the commit at the latest: somebody else did, or bid meanwhile."""
        values = {
            "of": row.listing,
            "asked_before": row.asked,
            "id": row.listing,
            "estate_id": row.estate,
            "how": how.value,
            "at_ms": now_ms,
        }
        lost = f"expected listing {row.listing} as it was read, got another; nothing was done"
        _CLOSE.run(self.connection, values, StoreUnavailable(lost))

    def closed_listing(self, number: int) -> ClosedRow | None:
        """How a listing ended, if that is still known."""
        row = _CLOSED.one(self.connection, {"of": number})
        return None if row is None else ClosedRow(row.id, row.estate_id, Closing(row.how), row.at_ms)

    def mark_listing(self, estate: int, fingerprint: str) -> None:
        """What is shown of an estate for sale is another now."""
        self.connection.execute(_MARK, {"of": estate, "shown": fingerprint})

    def rename_offers(self, estate: int, name: str) -> None:
        """An estate that is for sale, or to let, is called otherwise; folded."""
        for renaming in _RENAME:
            self.connection.execute(renaming, {"of": estate, "called": name})

    def due_listings(self, now_ms: int, limit: int) -> Sequence[int]:
        """Open listings whose time has run out, longest ago first."""
        return [*self.connection.execute(_DUE, {"now": now_ms, "limit": limit}).scalars()]

    def listings_of(self, account: int, limit: int) -> Sequence[ListingRow]:
        """What an account offers, newest first."""
        rows = self.connection.execute(_OF_SELLER, {"of": account, "limit": limit})
        return [_listing(row) for row in rows]

    def bids_of(self, account: int, limit: int) -> Sequence[ListingRow]:
        """Open auctions in which an account is ahead, newest first."""
        rows = self.connection.execute(_OF_BIDDER, {"of": account, "limit": limit})
        return [_listing(row) for row in rows]

    def market_page(self, wanted: MarketFilter) -> Sequence[OfferedRow]:
        """Open listings, filtered, in order."""
        rows = self.connection.execute(page(wanted))
        return [OfferedRow(_listing(row), row.estate_name, row.owner_name) for row in rows]


def _ends(ends_ms: int | None) -> int:
    return NO_END_MS if ends_ms is None else ends_ms


def _to_listing(row: Any) -> ListingRow | None:
    return None if row is None else _listing(row)


def _listing(row: Any) -> ListingRow:
    return ListingRow(
        row.id,
        row.estate_id,
        ListingKind(row.kind),
        row.seller_id,
        row.price,
        row.asked,
        row.shape,
        row.parcels,
        row.px,
        row.pz,
        row.fingerprint,
        row.name,
        row.created_ms,
        row.fee,
        row.only_id,
        row.step,
        None if row.ends_ms == NO_END_MS else row.ends_ms,
        row.top_id,
        row.top_bid,
    )
