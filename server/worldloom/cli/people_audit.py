"""The audit log of ``worldloom people``: what was done, newest first, all or about somebody. Changes nothing."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from worldloom.cli.people_words import (
    NAME_CHARS,
    add_json,
    named,
    number,
    print_json,
    print_table,
    short_text,
    shown_time,
)
from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports import AuditRow, Tx
from worldloom.realm.networks import clean_network
from worldloom.services import people
from worldloom.services.asking import OPERATOR, Whom, find

__all__ = ["AUDIT_COLUMNS", "SCANNED_MAX", "Acts", "act_as_json", "act_row", "acts", "add_commands", "pages"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

SCANNED_MAX = 100_000
"""Acts of the audit log that are looked at for those about somebody, newest first."""
ACTS_MAX = 10_000
AUDIT_COLUMNS = "#", "at", "by", "act", "about", "until", "why"


@dataclass(frozen=True, slots=True)
class Acts:
    """Which acts."""

    limit: int
    about: str
    """A name, number or network; empty: all."""


def add_commands(add: Add) -> None:
    """Add the subcommand."""
    audit = add(
        "audit",
        "what was done by staff and operator, newest first",
        f"With --about, the newest {SCANNED_MAX:,} acts are looked at. Times are UTC.\n\n"
        "  worldloom people audit --limit 20\n  worldloom people audit --about Mallory\n"
        "  worldloom people audit --about 192.0.2.0/24\n",
    )
    audit.add_argument(
        "--about",
        metavar="WHO",
        default="",
        type=short_text(NAME_CHARS),
        help="a name, an account number, or exactly that network",
    )
    audit.add_argument(
        "--limit", metavar="N", type=number(ACTS_MAX), default=50, help=f"1 to {ACTS_MAX} acts (default: 50)"
    )
    add_json(audit)
    audit.set_defaults(work=_audit)


async def _audit(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    rows = await store.read(acts, Acts(args.limit, args.about))
    if args.json:
        print_json([act_as_json(row) for row in rows])
        return 0
    if rows:
        print_table(AUDIT_COLUMNS, map(act_row, rows))
    else:
        print(f"No act about {args.about!r} in the audit log." if args.about else "Nothing in the audit log.")
    return 0


def acts(tx: Tx, command: Acts) -> list[AuditRow]:
    """The newest acts, all or those about somebody."""
    is_about = _matcher(tx, command.about.strip())
    found: list[AuditRow] = []
    for rows in pages(tx):
        found += [row for row in rows if is_about(row)]
        if len(found) >= command.limit:
            break
    return found[: command.limit]


def pages(tx: Tx) -> Iterator[Sequence[AuditRow]]:
    """The newest ``SCANNED_MAX`` acts, newest first, some at a time."""
    before = 0
    for _ in range(0, SCANNED_MAX, people.PAGE_MAX):
        rows = people.audit_page(tx, people.AuditPage(OPERATOR, before))
        if rows:
            yield rows
        if len(rows) < people.PAGE_MAX:
            break
        before = rows[-1].number


def _matcher(tx: Tx, about: str) -> Callable[[AuditRow], bool]:
    if not about:
        return lambda _: True
    # Guests, and accounts that are gone, are in the log by name or number alone.
    account, name, network = _number(tx, named(about)), about.casefold(), _network(about)
    return lambda row: (
        (account is not None and row.account == account)
        or row.about.casefold() == name
        or (network is not None and row.network == network)
    )


def _number(tx: Tx, whom: Whom) -> int | None:
    try:
        return find(tx, whom).account
    except Refusal:
        return whom.account


def _network(text: str) -> str | None:
    try:
        return clean_network(text)
    except Refusal:
        return None


def act_row(row: AuditRow) -> tuple[object, ...]:
    """A row for ``AUDIT_COLUMNS``."""
    about = f"{row.about} (#{row.account})" if row.account is not None else row.about
    ends = shown_time(row.until_ms) if row.until_ms else ""
    return row.number, shown_time(row.at_ms), row.by_name, row.act.value, about, ends, row.detail


def act_as_json(row: AuditRow) -> dict[str, Any]:
    """An act for programs."""
    return {
        "number": row.number,
        "at_ms": row.at_ms,
        "by": row.by_name,
        "by_account": row.by,
        "act": row.act.value,
        "about": row.about,
        "account": row.account,
        "network": row.network,
        "detail": row.detail,
        "until_ms": row.until_ms,
    }
