"""The market pages: one query over the open offers, filtered, in an order, a page at a time. Decides nothing.

A plain page is walked by the index of its order from where the last one ended, and stops after as many rows as it
shows. One that is filtered may have to look at every offer before it is full: then the table is read from end to end,
which takes a seventh of reading it row by row through an index, and the best are kept. What is near to a place, and not
too far, goes by that place. The database is left no other choice: it would take an index that finds almost everything.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Select,
    Table,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from worldloom.persistence.land_tables import estate
from worldloom.persistence.market_tables import lease_offer, listing
from worldloom.persistence.tables import account
from worldloom.ports.market import MarketFilter
from worldloom.realm.estates import PARCEL_M
from worldloom.realm.market import ListingKind, MarketSort

__all__ = ["lease_page", "page"]

NEAR_M = 1_024
"""So far around a place there are few enough offers that its index is worth it."""

_DESCENDING = frozenset({MarketSort.SIZE, MarketSort.NEWEST})


@dataclass(frozen=True)
class _Offers:
    """What a page is read from."""

    table: Table
    owner: Column[int]
    keys: dict[MarketSort, Column[int]]
    """By what each order sorts first."""


_TO_SELL = _Offers(
    listing,
    listing.c.seller_id,
    {
        MarketSort.PRICE: listing.c.asked,
        MarketSort.SIZE: listing.c.parcels,
        MarketSort.ENDS: listing.c.ends_ms,
        MarketSort.NEWEST: listing.c.id,
    },
)
_TO_LET = _Offers(
    lease_offer,
    lease_offer.c.owner_id,
    {
        MarketSort.PRICE: lease_offer.c.rent,
        MarketSort.SIZE: lease_offer.c.parcels,
        # Offers of leases have no end.
        MarketSort.ENDS: lease_offer.c.id,
        MarketSort.NEWEST: lease_offer.c.id,
    },
)


def page(wanted: MarketFilter) -> Select[Any]:
    """The statement that reads a page of listings: their columns, the estate's name, the owner's name."""
    walked = _is_plain(wanted) or _goes_by_number(_TO_SELL, wanted)
    # An auction that is over is not sold yet until somebody looks; nobody can take it any more.
    ends = _column(listing.c.ends_ms, walked and wanted.sort is MarketSort.ENDS)
    conditions = [ends > _big(wanted.now_ms)]
    if wanted.kind is not None:
        conditions.append(listing.c.kind == wanted.kind.value)
    return _page(_TO_SELL, wanted, conditions, walked)


def lease_page(wanted: MarketFilter) -> Select[Any]:
    """The same of offers of leases, without those whose estate is leased, which may be most of them, or auctioned."""
    auctioned = exists().where(
        listing.c.estate_id == lease_offer.c.estate_id, listing.c.kind == ListingKind.AUCTION.value
    )
    conditions = [lease_offer.c.free_ms <= _big(wanted.now_ms), ~auctioned]
    return _page(_TO_LET, wanted, conditions, _goes_by_number(_TO_LET, wanted))


def _is_plain(wanted: MarketFilter) -> bool:
    """Whether the index of the order alone finds the page soon."""
    priced = wanted.price_from is not None or wanted.price_to is not None
    return not (
        wanted.near is not None
        or wanted.name
        or wanted.kind is not None
        or (priced and wanted.sort is not MarketSort.PRICE)
        or (wanted.parcels_from is not None and wanted.sort is not MarketSort.SIZE)
    )


def _goes_by_number(offers: _Offers, wanted: MarketFilter) -> bool:
    """Whether the order is the table's own: then reading it from end to end is walking, and may stop early."""
    is_number = offers.keys[wanted.sort] is offers.table.c.id
    return is_number and (wanted.near is None or wanted.near[2] > NEAR_M)


def _page(
    offers: _Offers, wanted: MarketFilter, conditions: list[ColumnElement[bool]], walked: bool
) -> Select[Any]:
    # The page is found in the offers alone, and only its few rows are looked up elsewhere.
    table, key = offers.table, offers.keys[wanted.sort]
    is_number = key is table.c.id
    conditions = [*conditions, *_conditions(offers, wanted, walked)]
    by = _order(_column(key, walked), _column(table.c.id, walked), is_number, wanted.sort)
    shown = select(*table.c).where(*conditions).order_by(*by).limit(wanted.limit).subquery("found")
    return (
        select(*shown.c, estate.c.name.label("estate_name"), account.c.name.label("owner_name"))
        .join(estate, estate.c.id == shown.c.estate_id)
        .join(account, account.c.id == shown.c[offers.owner.name])
        .order_by(*_order(shown.c[key.name], shown.c.id, is_number, wanted.sort))
    )


def _order(
    key: ColumnElement[int], number: ColumnElement[int], is_number: bool, sort: MarketSort
) -> list[ColumnElement[Any]]:
    by = [number] if is_number else [key, number]
    return [column.desc() if sort in _DESCENDING else column.asc() for column in by]


def _column(column: ColumnElement[int], has_index: bool) -> ColumnElement[int]:
    """A column with the index that it has, or its value alone."""
    return column if has_index else column + 0


def _conditions(offers: _Offers, wanted: MarketFilter, walked: bool) -> list[ColumnElement[bool]]:
    table, key = offers.table, offers.keys[wanted.sort]
    by = offers.keys[MarketSort.PRICE], table.c.parcels
    price, parcels = (_column(column, walked and column is key) for column in by)
    conditions = [] if wanted.sees_all else [_is_shown_to(offers, wanted.viewer)]
    if wanted.price_from is not None:
        conditions.append(price >= _big(wanted.price_from))
    if wanted.price_to is not None:
        conditions.append(price <= _big(wanted.price_to))
    if wanted.parcels_from is not None:
        conditions.append(parcels >= _big(wanted.parcels_from))
    if wanted.name:
        conditions.append(table.c.name.contains(wanted.name, autoescape=True))
    if wanted.near is not None:
        conditions += _near(table, *wanted.near)
    if wanted.after is not None:
        conditions.append(_behind(offers, wanted, walked, *wanted.after))
    return conditions


def _is_shown_to(offers: _Offers, viewer: int | None) -> ColumnElement[bool]:
    only = func.coalesce(offers.table.c.only_id, 0)
    return only == 0 if viewer is None else or_(only.in_((0, viewer)), offers.owner + 0 == viewer)


def _near(table: Table, x: int, z: int, within: int) -> list[ColumnElement[bool]]:
    """From the middle of the estate's parcel: first a square, which has an index, then the circle in it."""
    px, pz = (_column(column, within <= NEAR_M) for column in (table.c.px, table.c.pz))
    dx, dz = (
        cast(table.c[name], BigInteger) * PARCEL_M + (PARCEL_M // 2 - at)
        for name, at in (("px", x), ("pz", z))
    )
    return [
        px.between(_big((x - within) // PARCEL_M), _big((x + within) // PARCEL_M)),
        pz.between(_big((z - within) // PARCEL_M), _big((z + within) // PARCEL_M)),
        dx * dx + dz * dz <= _big(within * within),
    ]


def _behind(
    offers: _Offers, wanted: MarketFilter, walked: bool, key: int, number: int
) -> ColumnElement[bool]:
    by, last = (_column(column, walked) for column in (offers.keys[wanted.sort], offers.table.c.id))
    if offers.keys[wanted.sort] is offers.table.c.id:
        return last < _big(number) if wanted.sort in _DESCENDING else last > _big(number)
    place, before = tuple_(by, last), tuple_(_big(key), _big(number))
    return place < before if wanted.sort in _DESCENDING else place > before


def _big(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)
