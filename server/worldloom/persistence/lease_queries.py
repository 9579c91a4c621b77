"""Lease queries: offers of leases and leases, as the methods of ``ports.MarketTx`` on them. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, select, update

from worldloom.persistence.inserting import PerEngine
from worldloom.persistence.known import Known
from worldloom.persistence.later import Later
from worldloom.persistence.market_page import lease_page
from worldloom.persistence.market_tables import lease, lease_offer
from worldloom.ports.market import LeaseOfferRow, LeaseRow, MarketFilter, ToLetRow

__all__ = ["OF_ESTATE", "LeaseQueries"]

_OFFER = select(lease_offer).where(lease_offer.c.estate_id == bindparam("of", type_=BigInteger))
_ADD_OFFER = insert(lease_offer).returning(lease_offer.c.id)
_MARK_OFFER = (
    update(lease_offer)
    .where(lease_offer.c.estate_id == bindparam("of", type_=BigInteger))
    .values(free_ms=bindparam("free"))
)
_DROP_OFFER = Later(
    dropped=Known(delete(lease_offer).where(lease_offer.c.estate_id == bindparam("of", type_=BigInteger)))
)
_LEASE = select(
    lease.c.id,
    lease.c.estate_id,
    lease.c.tenant_id,
    lease.c.rent,
    lease.c.period_ms,
    lease.c.from_ms,
    lease.c.until_ms,
    lease.c.latest_ms,
    lease.c.renewable,
    lease.c.fee,
    lease.c.tell_ms,
)
_ONE = _LEASE.where(lease.c.id == bindparam("of", type_=BigInteger))
OF_ESTATE = Known(_LEASE.where(lease.c.estate_id == bindparam("of", type_=BigInteger)))
"""The lease of an estate."""
_OF_TENANT = (
    _LEASE.where(
        lease.c.tenant_id == bindparam("of", type_=BigInteger),
        lease.c.until_ms > bindparam("now", type_=BigInteger),
    )
    .order_by(lease.c.until_ms, lease.c.id)
    .limit(bindparam("limit"))
)
_LEASED = select(lease.c.estate_id).where(
    lease.c.estate_id.in_(bindparam("numbers", expanding=True, type_=BigInteger)),
    lease.c.from_ms <= bindparam("now", type_=BigInteger),
    lease.c.until_ms > bindparam("now", type_=BigInteger),
)
_TO_LET = select(lease_offer.c.estate_id).where(
    lease_offer.c.estate_id.in_(bindparam("numbers", expanding=True, type_=BigInteger)),
    lease_offer.c.free_ms <= bindparam("now", type_=BigInteger),
)
_TO_TELL = (
    _LEASE.where(lease.c.tell_ms <= bindparam("now", type_=BigInteger))
    .order_by(lease.c.tell_ms, lease.c.id)
    .limit(bindparam("limit"))
)
_MAKE_ROOM = delete(lease).where(
    lease.c.estate_id == bindparam("of", type_=BigInteger),
    lease.c.until_ms <= bindparam("now", type_=BigInteger),
)
_ADD = PerEngine(
    lambda insert: insert(lease).on_conflict_do_nothing(index_elements=["estate_id"]).returning(lease.c.id)
)
_CHANGE = (
    update(lease)
    .where(lease.c.id == bindparam("of"), lease.c.until_ms == bindparam("until_before", type_=BigInteger))
    .values(until_ms=bindparam("until"), tell_ms=bindparam("tell"))
)


class LeaseQueries:
    """The part of ``ports.MarketTx`` that is about leases."""

    __slots__ = ()

    connection: Connection
    engine_name: str

    def lease_offer(self, estate: int) -> LeaseOfferRow | None:
        """On what terms an estate can be leased."""
        row = self.connection.execute(_OFFER, {"of": estate}).first()
        return None if row is None else _offer(row)

    def save_lease_offer(self, row: LeaseOfferRow) -> int:
        """Offer an estate for lease, in place of an earlier offer; the number of the offer."""
        self.delete_lease_offer(row.estate)
        values = {
            "estate_id": row.estate,
            "owner_id": row.owner,
            "rent": row.rent,
            "period_ms": row.period_ms,
            "max_periods": row.max_periods,
            "renewable": int(row.renewable),
            "shape": row.shape,
            "parcels": row.parcels,
            "px": row.px,
            "pz": row.pz,
            "fingerprint": row.fingerprint,
            "name": row.name,
            "created_ms": row.created_ms,
            "fee": row.fee,
            "free_ms": row.free_ms,
            "only_id": row.only,
        }
        return self.connection.execute(_ADD_OFFER, values).scalar_one()

    def lease_page(self, wanted: MarketFilter) -> Sequence[ToLetRow]:
        """Offers of leases of estates that are not leased, filtered, in order; the price is the rent."""
        rows = self.connection.execute(lease_page(wanted))
        return [ToLetRow(_offer(row), row.estate_name, row.owner_name) for row in rows]

    def mark_lease_offer(self, estate: int, free_ms: int) -> None:
        """An estate that is to let is leased until then."""
        self.connection.execute(_MARK_OFFER, {"of": estate, "free": free_ms})

    def delete_lease_offer(self, estate: int) -> None:
        """Offer it no longer, if it was."""
        _DROP_OFFER.run(self.connection, {"of": estate})

    def lease(self, number: int) -> LeaseRow | None:
        """A lease, in force or not, unless another came after it."""
        return _to_lease(self.connection.execute(_ONE, {"of": number}).first())

    def lease_of(self, estate: int) -> LeaseRow | None:
        """The last lease of an estate, in force or not."""
        return _to_lease(OF_ESTATE.one(self.connection, {"of": estate}))

    def leased(self, estates: Sequence[int], now_ms: int) -> set[int]:
        """Which of these estates are leased now."""
        if not estates:
            return set()
        return {*self.connection.execute(_LEASED, {"numbers": [*estates], "now": now_ms}).scalars()}

    def to_let(self, estates: Sequence[int], now_ms: int) -> set[int]:
        """Which of these estates are to let and not leased now."""
        if not estates:
            return set()
        return {*self.connection.execute(_TO_LET, {"numbers": [*estates], "now": now_ms}).scalars()}

    def leases_by(self, tenant: int, now_ms: int, limit: int) -> Sequence[LeaseRow]:
        """Leases in force of a tenant, the first to end first."""
        rows = self.connection.execute(_OF_TENANT, {"of": tenant, "now": now_ms, "limit": limit})
        return [_lease(row) for row in rows]

    def insert_lease(self, row: LeaseRow) -> int | None:
        """A new lease's number in place of one that has ended by its ``from_ms``; None when one is in force then."""
        values = {
            "estate_id": row.estate,
            "tenant_id": row.tenant,
            "rent": row.rent,
            "period_ms": row.period_ms,
            "from_ms": row.from_ms,
            "until_ms": row.until_ms,
            "latest_ms": row.latest_ms,
            "renewable": int(row.renewable),
            "fee": row.fee,
            "tell_ms": row.tell_ms,
        }
        self.connection.execute(_MAKE_ROOM, {"of": row.estate, "now": row.from_ms})
        new: int | None = self.connection.execute(_ADD[self.engine_name], values).scalar()
        return new

    def change_lease(self, before: LeaseRow, now: LeaseRow) -> bool:
        """Let a lease end at another time, or be told of; False when somebody else changed it."""
        values = {
            "of": before.lease,
            "until_before": before.until_ms,
            "until": now.until_ms,
            "tell": now.tell_ms,
        }
        return self.connection.execute(_CHANGE, values).rowcount == 1

    def leases_to_tell(self, now_ms: int, limit: int) -> Sequence[LeaseRow]:
        """Leases of which somebody is to be told, longest due first."""
        rows = self.connection.execute(_TO_TELL, {"now": now_ms, "limit": limit})
        return [_lease(row) for row in rows]


def _to_lease(row: Any) -> LeaseRow | None:
    return None if row is None else _lease(row)


def _lease(row: Any) -> LeaseRow:
    number, estate, tenant, rent, period_ms, from_ms, until_ms, latest_ms, renewable, fee, tell_ms = row
    return LeaseRow(
        number, estate, tenant, rent, period_ms, from_ms, until_ms, latest_ms, bool(renewable), fee, tell_ms
    )


def _offer(row: Any) -> LeaseOfferRow:
    return LeaseOfferRow(
        row.id,
        row.estate_id,
        row.owner_id,
        row.rent,
        row.period_ms,
        row.max_periods,
        bool(row.renewable),
        row.shape,
        row.parcels,
        row.px,
        row.pz,
        row.fingerprint,
        row.name,
        row.created_ms,
        row.fee,
        row.free_ms,
        row.only_id,
    )
