"""Notice queries: what accounts are told, as the methods of ``ports.MarketTx`` on it. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select, update

from worldloom.persistence.known import Known
from worldloom.persistence.later import Later
from worldloom.persistence.market_tables import closed_listing, notice
from worldloom.ports.market import NoticeRow

__all__ = ["NoticeQueries"]

_NOTICE = select(
    notice.c.id, notice.c.account_id, notice.c.kind, notice.c.at_ms, notice.c.detail, notice.c.read
)
_TELL = Later(told=Known(insert(notice), "account_id", "kind", "at_ms", "detail", "read"))
_AFTER = (
    _NOTICE.where(notice.c.id > bindparam("number", type_=BigInteger))
    .order_by(notice.c.id)
    .limit(bindparam("limit"))
)
_NUMBERED = _NOTICE.where(notice.c.id.in_(bindparam("numbers", expanding=True, type_=BigInteger))).order_by(
    notice.c.id
)
_LAST = select(func.max(notice.c.id))
_NEWEST = (
    _NOTICE.where(notice.c.account_id == bindparam("of", type_=BigInteger))
    .order_by(notice.c.id.desc())
    .limit(bindparam("limit"))
)
_BEFORE = _NEWEST.where(notice.c.id < bindparam("number", type_=BigInteger))
_READ = (
    update(notice)
    .where(
        notice.c.account_id == bindparam("of", type_=BigInteger),
        notice.c.id <= bindparam("until", type_=BigInteger),
        notice.c.read == 0,
    )
    .values(read=1)
)
_CROWDED = (
    select(notice.c.account_id)
    .group_by(notice.c.account_id)
    .having(func.count() > bindparam("keep"))
    .limit(bindparam("limit"))
)
_OLDEST_KEPT = (
    select(notice.c.id)
    .where(notice.c.account_id == bindparam("of"))
    .order_by(notice.c.id.desc())
    .limit(1)
    .offset(bindparam("beyond"))
)
_DROP_EARLIER = delete(notice).where(
    notice.c.account_id == bindparam("of"), notice.c.id < bindparam("first", type_=BigInteger)
)


class NoticeQueries:
    """The part of ``ports.MarketTx`` that is about notices."""

    __slots__ = ()

    connection: Connection

    def insert_notices(self, rows: Sequence[NoticeRow]) -> None:
        """Tell accounts something."""
        for row in rows:
            values = {
                "account_id": row.account,
                "kind": row.kind,
                "at_ms": row.at_ms,
                "detail": row.detail,
                "read": int(row.read),
            }
            _TELL.run(self.connection, values)

    def notices_after(self, number: int, limit: int) -> Sequence[NoticeRow]:
        """Everybody's notices after that number, ascending."""
        return _rows(self.connection.execute(_AFTER, {"number": number, "limit": limit}))

    def notices_numbered(self, numbers: Sequence[int]) -> Sequence[NoticeRow]:
        """The notices of these numbers, as far as there are such, ascending."""
        if not numbers:
            return []
        return _rows(self.connection.execute(_NUMBERED, {"numbers": [*numbers]}))

    def last_notice(self) -> int:
        """The highest number of a notice, 0 if there is none."""
        return self.connection.execute(_LAST).scalar() or 0

    def notices_of(self, account: int, before: int | None, limit: int) -> Sequence[NoticeRow]:
        """An account's notices, newest first; those before a number."""
        asked = {"of": account, "limit": limit}
        if before is None:
            return _rows(self.connection.execute(_NEWEST, asked))
        return _rows(self.connection.execute(_BEFORE, asked | {"number": before}))

    def read_notices(self, account: int, until: int) -> int:
        """Mark an account's notices up to a number as read; how many were not."""
        return self.connection.execute(_READ, {"of": account, "until": until}).rowcount

    def delete_told(self, before_ms: int, keep: int, limit: int) -> int:
        """Delete notices and closed listings from before then, and notices beyond ``keep`` an account; how many."""
        gone = 0
        for table in (notice, closed_listing):
            old = select(table.c.id).where(table.c.at_ms < before_ms).limit(limit)
            gone += self.connection.execute(delete(table).where(table.c.id.in_(old))).rowcount
        for account in self.connection.execute(_CROWDED, {"keep": keep, "limit": limit}).scalars().all():
            first = self.connection.execute(_OLDEST_KEPT, {"of": account, "beyond": keep - 1}).scalar()
            gone += self.connection.execute(_DROP_EARLIER, {"of": account, "first": first}).rowcount
        return gone


def _rows(found: Any) -> Sequence[NoticeRow]:
    return [
        NoticeRow(row.id, row.account_id, row.kind, row.at_ms, row.detail, bool(row.read)) for row in found
    ]
