"""People: what staff and the operator may read of accounts, and of the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.ports import AccountRow, AuditRow, SanctionRow, Tx
from worldloom.realm.names import clean_text
from worldloom.realm.order import is_staff
from worldloom.realm.skeletons import skeleton
from worldloom.services.asking import By, Whom, authorise, find, invalid
from worldloom.services.standing import effective_role
from worldloom_sdk.protocol.messages import AuditEntry, OrderAct, Person, Role, Sanction

__all__ = [
    "PAGE_MAX",
    "AuditAfter",
    "AuditPage",
    "Found",
    "ListPeople",
    "Show",
    "audit_after",
    "audit_head",
    "audit_page",
    "list_people",
    "show",
    "to_entry",
    "to_person",
    "to_sanction",
]

PAGE_MAX = 100
"""Rows of one answer."""
_HEAD = 2**31 - 1
_QUERY_MAX = 64


@dataclass(frozen=True, slots=True)
class Found:
    """An account, as staff see it."""

    account: AccountRow
    role: Role
    """What it counts as: a bot no more than its owner."""
    owner_name: str = ""
    sanctions: tuple[SanctionRow, ...] = ()
    """In force, on it or on its owner."""


@dataclass(frozen=True, slots=True)
class ListPeople:
    """Somebody looks for accounts."""

    by: By
    query: str = ""
    """A part of the name; in any case, or what looks like it."""
    limit: int = PAGE_MAX
    start: int = 0
    """Account number from which on, by number; 0: the first by name."""


@dataclass(frozen=True, slots=True)
class Show:
    """Somebody wants to know all about an account."""

    by: By
    whom: Whom
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Somebody reads the audit log, backwards."""

    by: By
    before: int = 0
    """Acts of lower numbers than this; 0: the newest."""
    limit: int = PAGE_MAX


@dataclass(frozen=True, slots=True)
class AuditAfter:
    """A host follows the audit log."""

    number: int
    """The last that it knows."""
    limit: int = PAGE_MAX


def list_people(tx: Tx, command: ListPeople) -> list[Found]:
    """Accounts whose name contains something: the first by name, or a page of all of them by number.

    Raises:
        Refusal: FORBIDDEN.
    """
    authorise(tx, command.by, OrderAct.LIST)
    part = clean_text(command.query, _QUERY_MAX)
    called = part, skeleton(part), _limited(command.limit)
    rows = tx.accounts_from(command.start, *called) if command.start else tx.accounts_named(*called)
    owners = {row.account: row for row in tx.accounts([row.owner for row in rows if row.owner is not None])}
    return [_found(row, owners.get(row.owner or 0)) for row in rows]


def show(tx: Tx, command: Show) -> Found:
    """One account, with the sanctions in force.

    Raises:
        Refusal: FORBIDDEN, NOT_FOUND; INVALID for guests and networks, of whom nothing is stored.
    """
    authorise(tx, command.by, OrderAct.SHOW)
    row = find(tx, command.whom).row
    if row is None:
        raise invalid("expected an account, got a guest or a network")
    owner = next(iter(tx.accounts([row.owner])), None) if row.owner is not None else None
    both = [row.account] if owner is None else [row.account, owner.account]
    return _found(row, owner, tuple(tx.sanctions(both, (), command.now_ms)))


def audit_page(tx: Tx, command: AuditPage) -> Sequence[AuditRow]:
    """Privileged acts, newest first.

    Raises:
        Refusal: FORBIDDEN.
    """
    authorise(tx, command.by, OrderAct.AUDIT)
    return tx.audit_before(command.before or _HEAD, _limited(command.limit))


def audit_after(tx: Tx, command: AuditAfter) -> Sequence[AuditRow]:
    """Privileged acts that a host does not know yet, oldest first. None is ever missed."""
    return tx.audit_after(command.number, _limited(command.limit))


def audit_head(tx: Tx, _: None) -> int:
    """The number of the newest act, 0 if there is none: from where a host that starts now follows."""
    newest = next(iter(tx.audit_before(_HEAD, 1)), None)
    return 0 if newest is None else newest.number


def to_person(found: Found, here: bool = False, address: str = "") -> Person:
    """An account as it is told on the wire."""
    row = found.account
    return Person(
        row.account,
        row.name,
        found.role.value,
        here,
        found.owner_name,
        row.hidden and is_staff(found.role),
        row.created_ms,
        row.seen_ms,
        address,
        [to_sanction(sanction) for sanction in found.sanctions],
        row.owner is not None,
    )


def to_sanction(row: SanctionRow) -> Sanction:
    """A sanction as it is told on the wire."""
    return Sanction(
        row.kind.value, row.reason, row.created_ms, row.until_ms or 0, row.by_name, row.network or ""
    )


def to_entry(row: AuditRow) -> AuditEntry:
    """An act as it is told on the wire."""
    return AuditEntry(
        row.number, row.at_ms, row.by_name, row.act.value, row.about, row.detail, row.until_ms or 0
    )


def _found(row: AccountRow, owner: AccountRow | None, sanctions: tuple[SanctionRow, ...] = ()) -> Found:
    return Found(row, effective_role(row, owner), owner.name if owner is not None else "", sanctions)


def _limited(limit: int) -> int:
    return max(1, min(limit, PAGE_MAX))
