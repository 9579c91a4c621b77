"""Rights queries: permits, exclusions and notes of changes, as the methods of ``ports.RightsTx``. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, literal, select, text

from worldloom.persistence.known import Known
from worldloom.persistence.market_tables import lease
from worldloom.persistence.rights_tables import exclusion, permit
from worldloom.ports.rights import AccessRow, ExclusionRow, PermitRow, TenancyRow

__all__ = ["NOTE", "RightsQueries"]

_AMONG: Any = bindparam("numbers", expanding=True, type_=BigInteger)
_PERMITS = (
    select(
        permit.c.estate_id,
        permit.c.giver_id,
        permit.c.account_id,
        permit.c.verbs,
        permit.c.role,
        permit.c.until_ms,
        permit.c.created_ms,
    )
    .where(permit.c.estate_id.in_(_AMONG))
    .order_by(permit.c.estate_id, permit.c.id)
)
_EXCLUSIONS = (
    select(
        exclusion.c.estate_id,
        exclusion.c.giver_id,
        exclusion.c.account_id,
        exclusion.c.until_ms,
        exclusion.c.reason,
        exclusion.c.created_ms,
    )
    .where(exclusion.c.estate_id.in_(_AMONG))
    .order_by(exclusion.c.estate_id, exclusion.c.account_id, exclusion.c.giver_id)
)
_TENANCIES = (
    select(lease.c.estate_id, lease.c.tenant_id, lease.c.from_ms, lease.c.until_ms)
    .where(lease.c.estate_id.in_(_AMONG), lease.c.until_ms > bindparam("now", type_=BigInteger))
    .order_by(lease.c.estate_id)
)
_PERMIT_COLUMNS = ("giver_id", "account_id", "verbs", "role", "until_ms", "created_ms")
_EXCLUSION_COLUMNS = ("giver_id", "account_id", "until_ms", "reason", "created_ms")
NOTE = Known(
    {
        "sqlite": text("INSERT INTO access_note (estate_id, at_ms, xact) VALUES (:estate_id, :at_ms, 0)"),
        "postgresql": text(
            "INSERT INTO access_note (estate_id, at_ms, xact)"
            " VALUES (:estate_id, :at_ms, CAST(CAST(pg_current_xact_id() AS text) AS bigint))"
        ),
    }
)
_MARK = {
    "sqlite": text("SELECT coalesce(max(id), 0) FROM access_note"),
    # Whatever is not committed yet has a number from there on.
    "postgresql": text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)"),
}
_AFTER = {
    "sqlite": text("SELECT id, estate_id FROM access_note WHERE id > :mark ORDER BY id LIMIT :limit"),
    "postgresql": text("SELECT id, estate_id FROM access_note WHERE xact >= :mark ORDER BY id LIMIT :limit"),
}
_LOCK_RIGHTS = text("LOCK TABLE permit IN SHARE ROW EXCLUSIVE MODE")
_RUN_OUT = [
    text(
        f"DELETE FROM {table} WHERE {key} IN"
        f" (SELECT {of} FROM {table} WHERE {column} <= :before ORDER BY {column} LIMIT :limit)"
    )
    for table, key, of, column in (
        ("permit", "id", "id", "until_ms"),
        (
            "exclusion",
            "(estate_id, giver_id, account_id)",
            "estate_id, giver_id, account_id",
            "until_ms",
        ),
        ("access_note", "id", "id", "at_ms"),
    )
]


class RightsQueries:
    """``ports.RightsTx`` over a connection that is in a transaction."""

    __slots__ = ()

    connection: Connection
    engine_name: str

    def lock_rights(self) -> None:
        """Wait until no other transaction gives or takes rights. The first call of a use case that does."""
        # SQLite has one writer. PostgreSQL: LOCK takes no picture of the data, so who had to wait sees what was given
        # meanwhile; rights are seldom changed, and tried again they would get in each other's way.
        if self.engine_name == "postgresql":
            self.connection.execute(_LOCK_RIGHTS)

    def permits(self, estates: Sequence[int]) -> Sequence[PermitRow]:
        """All verbs that were given in these estates, run out or not; in the order in which they were given."""
        return [PermitRow(*row) for row in self._of(_PERMITS, estates)]

    def save_permit(self, row: PermitRow) -> None:
        """Give verbs, in place of what the same account or everyone was given there by the same giver."""
        self.delete_permit(row.estate, row.giver, row.account)
        values = {
            "estate_id": row.estate,
            "giver_id": row.giver,
            "account_id": row.account,
            "verbs": row.verbs,
            "role": row.role,
            "until_ms": row.until_ms,
            "created_ms": row.created_ms,
        }
        self.connection.execute(insert(permit), values)

    def delete_permit(self, estate: int, giver: int, account: int | None) -> bool:
        """Take back what was given; False if nothing was."""
        to = permit.c.account_id.is_(None) if account is None else permit.c.account_id == account
        gone = delete(permit).where(permit.c.estate_id == estate, permit.c.giver_id == giver, to)
        return self.connection.execute(gone).rowcount == 1

    def exclusions(self, estates: Sequence[int]) -> Sequence[ExclusionRow]:
        """All exclusions from these estates, run out or not; in the order of accounts."""
        return [ExclusionRow(*row) for row in self._of(_EXCLUSIONS, estates)]

    def save_exclusion(self, row: ExclusionRow) -> None:
        """Exclude an account, in place of an earlier exclusion by the same giver."""
        self.delete_exclusion(row.estate, row.giver, row.account)
        values = {
            "estate_id": row.estate,
            "giver_id": row.giver,
            "account_id": row.account,
            "until_ms": row.until_ms,
            "reason": row.reason,
            "created_ms": row.created_ms,
        }
        self.connection.execute(insert(exclusion), values)

    def delete_exclusion(self, estate: int, giver: int, account: int) -> bool:
        """Let an account in again; False if it was not excluded."""
        gone = delete(exclusion).where(
            exclusion.c.estate_id == estate,
            exclusion.c.giver_id == giver,
            exclusion.c.account_id == account,
        )
        return self.connection.execute(gone).rowcount == 1

    def copy_rights(self, estate: int, to: int) -> None:
        """An estate that has none yet gets the permits and exclusions of another."""
        for table, names in ((permit, _PERMIT_COLUMNS), (exclusion, _EXCLUSION_COLUMNS)):
            found = select(literal(to), *(table.c[name] for name in names)).where(table.c.estate_id == estate)
            self.connection.execute(insert(table).from_select(["estate_id", *names], found))

    def tenancies(self, estates: Sequence[int], now_ms: int) -> Sequence[TenancyRow]:
        """The leases of these estates that have not ended."""
        return [TenancyRow(*row) for row in self._of(_TENANCIES, estates, now=now_ms)]

    def note_access(self, estates: Sequence[int], now_ms: int) -> None:
        """Tell all hosts, when this transaction is committed, that it may be another who may be in these estates."""
        values = [{"estate_id": estate, "at_ms": now_ms} for estate in estates]
        NOTE.each(self.connection, values)

    def access_mark(self) -> int:
        """Where the notes end now, for ``access_after``."""
        return int(self.connection.execute(_MARK[self.engine_name]).scalar_one())

    def access_after(self, mark: int, limit: int) -> tuple[Sequence[AccessRow], int]:
        """Notes committed since a mark, ascending, some perhaps a second time; and the mark to go on from."""
        found = self.connection.execute(_AFTER[self.engine_name], {"mark": mark, "limit": limit})
        rows = [AccessRow(*row) for row in found]
        if self.engine_name == "sqlite":
            return rows, rows[-1].number if rows else mark
        return rows, self.access_mark()

    def delete_run_out_rights(self, before_ms: int, limit: int) -> int:
        """Delete permits, exclusions and notes that were over before then, at most ``limit`` of each; how many."""
        bounds = {"before": before_ms, "limit": limit}
        return sum(self.connection.execute(statement, bounds).rowcount for statement in _RUN_OUT)

    def _of(self, statement: Any, estates: Sequence[int], **more: int) -> list[Any]:
        if not estates:
            return []
        return list(self.connection.execute(statement, {"numbers": [*estates], **more}))
