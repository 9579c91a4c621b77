"""Reports: what people tell staff of somebody, with what they had been sent before, sealed against changes."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgpack

from worldloom.errors import Refusal
from worldloom.ports import AuditRow, ReportRow, Tx
from worldloom.realm.names import clean_text
from worldloom.realm.order import AuditAct
from worldloom.services.asking import By, authorise
from worldloom_sdk.protocol.messages import OrderAct, RefusalCode, Reported

__all__ = [
    "EVIDENCE_MAX",
    "OPEN_MAX",
    "CloseReport",
    "FileReport",
    "OpenReports",
    "close_report",
    "file_report",
    "open_reports",
    "report",
    "seal",
    "seal_is_good",
    "to_reported",
]

EVIDENCE_MAX = 1 << 20
"""Bytes of evidence of one report."""
OPEN_MAX = 100
"""Reports of one answer."""
_TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class FileReport:
    """Somebody reports somebody."""

    by: int | None
    """None: a guest."""
    by_name: str
    account: int | None
    """Whom it is about; None: a guest."""
    about: str
    """The name of whom it is about."""
    text: str
    """As typed; cleaned here."""
    evidence: bytes
    """What the reporter had been sent; as the server packs it, not looked into here."""
    key: bytes = field(repr=False)
    """Of the seal; from the server's secret."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class OpenReports:
    """Staff want to know what is to be done."""

    by: By
    limit: int = OPEN_MAX


@dataclass(frozen=True, slots=True)
class CloseReport:
    """A report is dealt with."""

    by: By
    number: int
    text: str
    """How; as typed."""
    now_ms: int
    """Unix time."""


def file_report(tx: Tx, command: FileReport) -> int:
    """Keep a report, sealed; its number.

    Raises:
        ValueError: The evidence is over ``EVIDENCE_MAX``.
    """
    if len(command.evidence) > EVIDENCE_MAX:
        raise ValueError(f"expected at most {EVIDENCE_MAX} bytes of evidence, got {len(command.evidence)}")
    row = ReportRow(
        command.now_ms,
        command.by,
        command.by_name,
        command.account,
        command.about,
        clean_text(command.text, _TEXT_MAX),
        command.evidence,
        b"",
    )
    return tx.insert_report(replace(row, seal=seal(row, command.key)))


def open_reports(tx: Tx, command: OpenReports) -> Sequence[ReportRow]:
    """Reports that nobody has closed, oldest first, without evidence.

    Raises:
        Refusal: FORBIDDEN.
    """
    authorise(tx, command.by, OrderAct.REPORTS)
    return tx.open_reports(max(1, min(command.limit, OPEN_MAX)))


def report(tx: Tx, number: int) -> ReportRow | None:
    """One report with its evidence, closed or not. For the operator: nobody is asked for a role."""
    return tx.report(number)


def close_report(tx: Tx, command: CloseReport) -> AuditRow:
    """Mark a report as dealt with.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND, no open report has that number.
    """
    tx.lock_order()
    by = command.by
    authorise(tx, by, OrderAct.CLOSE)
    found = tx.report(command.number)
    if found is None or found.closed_ms is not None:
        got = "none" if found is None else "one that is closed"
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an open report of number {command.number}, got {got}")
    tx.close_report(command.number, command.now_ms)
    detail = f"report {command.number}: {clean_text(command.text, _TEXT_MAX)}"
    act = AuditAct.CLOSE_REPORT
    row = AuditRow(command.now_ms, by.account, by.name, act, found.account, found.about, None, detail, None)
    return replace(row, number=tx.append_audit(row))


def seal(row: ReportRow, key: bytes) -> bytes:
    """What binds a report together: HMAC-SHA256 over all that was told and kept, 32 bytes.

    Number, seal and closing are not in it: the first is given later, the last changes.
    """
    told = [
        row.at_ms, row.by, row.by_name, row.account, row.about, row.detail, row.evidence
    ]  # fmt: skip
    packed: bytes = msgpack.packb(told, use_bin_type=True)
    return hmac.new(key, packed, hashlib.sha256).digest()


def seal_is_good(row: ReportRow, key: bytes) -> bool:
    """Whether a report is what was sealed with this key."""
    return hmac.compare_digest(row.seal, seal(row, key))


def to_reported(row: ReportRow) -> Reported:
    """A report as it is told on the wire."""
    return Reported(row.number, row.at_ms, row.by_name, row.about, row.detail)
