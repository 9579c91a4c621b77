"""Order queries: sanctions, blocks, audit log and reports, as the methods of ``ports.OrderTx``. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, insert, literal, or_, select, text, update

from worldloom.persistence.access_queries import AccessQueries
from worldloom.persistence.tables import audit, code, report, sanction, shun
from worldloom.ports import AuditRow, ReportRow, SanctionRow, ShunRow
from worldloom.realm.order import AuditAct, SanctionKind
from worldloom_sdk.protocol.messages import BlockReach

__all__ = ["OrderQueries"]

_SANCTION = select(
    sanction.c.kind,
    sanction.c.account_id,
    sanction.c.network,
    sanction.c.reason,
    sanction.c.created_ms,
    sanction.c.until_ms,
    sanction.c.by_id,
    sanction.c.by_name,
)
_SHUN = select(shun.c.account_id, shun.c.other_id, shun.c.reach, shun.c.created_ms)
_AUDIT = select(
    audit.c.at_ms,
    audit.c.by_id,
    audit.c.by_name,
    audit.c.act,
    audit.c.account_id,
    audit.c.about,
    audit.c.network,
    audit.c.detail,
    audit.c.until_ms,
    audit.c.id,
)
_REPORT = [
    report.c.at_ms,
    report.c.by_id,
    report.c.by_name,
    report.c.account_id,
    report.c.about,
    report.c.detail,
    report.c.seal,
    report.c.closed_ms,
    report.c.id,
]

_IN_FORCE = or_(sanction.c.until_ms.is_(None), sanction.c.until_ms > bindparam("now"))
# Two statements, each on its own index: joined with OR, PostgreSQL may come to read the whole table.
_SANCTIONS_ON_ACCOUNTS = _SANCTION.where(
    sanction.c.account_id.in_(bindparam("numbers", expanding=True)), _IN_FORCE
)
_SANCTIONS_ON_NETWORKS = {
    "sqlite": _SANCTION.where(sanction.c.network.in_(bindparam("networks", expanding=True)), _IN_FORCE),
    # Before it has counted the rows of a long new ban list, PostgreSQL reads all of it for an IN of 46; not so here.
    "postgresql": text(
        "SELECT kind, account_id, network, reason, created_ms, until_ms, by_id, by_name"
        " FROM unnest(CAST(:networks AS varchar[])) AS home, LATERAL"
        " (SELECT * FROM sanction WHERE network = home AND (until_ms IS NULL OR until_ms > :now) OFFSET 0) AS laid"
    ),
}
_SHUNS_SET = (
    _SHUN.where(shun.c.account_id == bindparam("of"))
    .order_by(shun.c.created_ms.desc(), shun.c.other_id)
    .limit(bindparam("limit"))
)
_SHUNS_MET = (
    _SHUN.where(shun.c.other_id == bindparam("of"))
    .order_by(shun.c.created_ms.desc(), shun.c.account_id)
    .limit(bindparam("limit"))
)
_AUDIT_AFTER = (
    _AUDIT.where(audit.c.id > bindparam("number", type_=BigInteger))
    .order_by(audit.c.id)
    .limit(bindparam("limit"))
)
_AUDIT_BEFORE = (
    _AUDIT.where(audit.c.id < bindparam("number", type_=BigInteger))
    .order_by(audit.c.id.desc())
    .limit(bindparam("limit"))
)
_LOCK_ORDER = text("LOCK TABLE world IN SHARE ROW EXCLUSIVE MODE")


class OrderQueries(AccessQueries):
    """``ports.OrderTx`` over a connection that is in a transaction."""

    __slots__ = ()

    def sanctions(
        self, accounts: Sequence[int], networks: Sequence[str], now_ms: int
    ) -> Sequence[SanctionRow]:
        """What is in force on any of these accounts or of exactly these networks."""
        rows: list[Any] = []
        if accounts:
            rows += self.connection.execute(_SANCTIONS_ON_ACCOUNTS, {"numbers": [*accounts], "now": now_ms})
        if networks:
            statement: Any = _SANCTIONS_ON_NETWORKS[self.engine_name]
            rows += self.connection.execute(statement, {"networks": [*networks], "now": now_ms})
        return [SanctionRow(SanctionKind(row[0]), *row[1:]) for row in rows]

    def insert_sanction(self, row: SanctionRow) -> None:
        """Lay a sanction."""
        values = {
            "kind": row.kind.value,
            "account_id": row.account,
            "network": row.network,
            "reason": row.reason,
            "created_ms": row.created_ms,
            "until_ms": row.until_ms,
            "by_id": row.by,
            "by_name": row.by_name,
        }
        self.connection.execute(insert(sanction), values)

    def delete_sanctions(self, kind: SanctionKind, account: int | None, network: str | None) -> None:
        """Delete all of one kind on an account or on exactly that network."""
        on = sanction.c.account_id == account if account is not None else sanction.c.network == network
        self.connection.execute(delete(sanction).where(sanction.c.kind == kind.value, on))

    def shuns_around(self, account: int, limit: int) -> Sequence[ShunRow]:
        """Blocks that an account set, then those that others set against it; newest first."""
        rows = self.connection.execute(_SHUNS_SET, {"of": account, "limit": limit}).all()
        met = {"of": account, "limit": limit - len(rows)}
        both = [*rows, *self.connection.execute(_SHUNS_MET, met)]
        return [ShunRow(of, other, BlockReach(reach), at) for of, other, reach, at in both]

    def save_shun(self, row: ShunRow) -> None:
        """Set a block, or change how far it reaches."""
        self.delete_shun(row.account, row.other)
        values = {
            "account_id": row.account,
            "other_id": row.other,
            "reach": int(row.reach),
            "created_ms": row.created_ms,
        }
        self.connection.execute(insert(shun), values)

    def delete_shun(self, account: int, other: int) -> None:
        """Take a block back."""
        self.connection.execute(
            delete(shun).where(shun.c.account_id == account, shun.c.other_id == literal(other, BigInteger))
        )

    def lock_order(self) -> None:
        """Wait until no other transaction keeps order."""
        # SQLite has one writer. PostgreSQL: LOCK takes no picture of the data, so who had to wait, as the first thing
        # that it does, sees all that was done meanwhile and need not be tried again.
        if self.engine_name == "postgresql":
            self.connection.execute(_LOCK_ORDER)

    def append_audit(self, row: AuditRow) -> int:
        """Write down a privileged act; its number."""
        values = {
            "at_ms": row.at_ms,
            "by_id": row.by,
            "by_name": row.by_name,
            "act": row.act.value,
            "account_id": row.account,
            "about": row.about,
            "network": row.network,
            "detail": row.detail,
            "until_ms": row.until_ms,
        }
        # The number is drawn here: it must be behind the lock, or a higher one could be seen before a lower.
        self.lock_order()
        return self.connection.execute(insert(audit).returning(audit.c.id), values).scalar_one()

    def audit_after(self, number: int, limit: int) -> Sequence[AuditRow]:
        """The acts after that number, oldest first."""
        return self._audit(_AUDIT_AFTER, number, limit)

    def audit_before(self, number: int, limit: int) -> Sequence[AuditRow]:
        """The acts before that number, newest first."""
        return self._audit(_AUDIT_BEFORE, number, limit)

    def insert_report(self, row: ReportRow) -> int:
        """Keep a report; its number."""
        values = {
            "at_ms": row.at_ms,
            "by_id": row.by,
            "by_name": row.by_name,
            "account_id": row.account,
            "about": row.about,
            "detail": row.detail,
            "evidence": row.evidence,
            "seal": row.seal,
        }
        return self.connection.execute(insert(report).returning(report.c.id), values).scalar_one()

    def report(self, number: int) -> ReportRow | None:
        """A report, closed or not."""
        found = select(*_REPORT, report.c.evidence).where(report.c.id == literal(number, BigInteger))
        row = self.connection.execute(found).first()
        return None if row is None else _to_report(row, row.evidence)

    def open_reports(self, limit: int) -> Sequence[ReportRow]:
        """Reports that nobody has closed, oldest first, without their evidence."""
        found = select(*_REPORT).where(report.c.closed_ms.is_(None)).order_by(report.c.id).limit(limit)
        return [_to_report(row, b"") for row in self.connection.execute(found)]

    def close_report(self, number: int, now_ms: int) -> None:
        """Mark a report as dealt with."""
        self.connection.execute(update(report).where(report.c.id == number).values(closed_ms=now_ms))

    def delete_expired(self, codes_before_ms: int, sanctions_before_ms: int, limit: int) -> int:
        """Delete codes and sanctions that were over before then, at most ``limit`` of each; how many."""
        codes = select(code.c.code_sha256).where(code.c.until_ms <= codes_before_ms).limit(limit)
        over = select(sanction.c.id).where(sanction.c.until_ms <= sanctions_before_ms).limit(limit)
        gone = self.connection.execute(delete(code).where(code.c.code_sha256.in_(codes))).rowcount
        return gone + self.connection.execute(delete(sanction).where(sanction.c.id.in_(over))).rowcount

    def _audit(self, statement: Any, number: int, limit: int) -> Sequence[AuditRow]:
        rows = self.connection.execute(statement, {"number": number, "limit": limit})
        return [_to_audit(row) for row in rows]


def _to_report(row: Any, evidence: bytes) -> ReportRow:
    at_ms, by, by_name, about_id, about, detail, seal, closed_ms, number = row[:9]
    return ReportRow(at_ms, by, by_name, about_id, about, detail, evidence, seal, closed_ms, number)


def _to_audit(row: Any) -> AuditRow:
    at_ms, by, by_name, act, account, about, network, detail, until_ms, number = row
    return AuditRow(at_ms, by, by_name, AuditAct(act), account, about, network, detail, until_ms, number)
