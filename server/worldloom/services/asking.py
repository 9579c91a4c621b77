"""Asking: who asks for a privileged act, whom it is about, and whether it is allowed. Changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import AccountRow, Tx
from worldloom.realm.names import Name, clean_name
from worldloom.realm.networks import clean_network
from worldloom.realm.order import allow, allow_edit, allow_land
from worldloom.services.standing import role_of
from worldloom_sdk.protocol.messages import OrderAct, RefusalCode, Role, Scope

__all__ = [
    "OPERATOR",
    "By",
    "Subject",
    "Whom",
    "authorise",
    "authorise_edit",
    "authorise_land",
    "find",
    "invalid",
]


@dataclass(frozen=True, slots=True)
class By:
    """Who asks."""

    account: int | None
    name: str
    """As the audit log shall have it."""
    role: Role = Role.GUEST
    """Without an account: GUEST for a guest, OWNER for the operator. With one it is not looked at: the database is."""
    scopes: frozenset[Scope] | None = None
    """Of the key that was shown; None for a person's own token."""

    @property
    def is_operator(self) -> bool:
        """Whether it is who holds the server's command line, and may all."""
        return self.account is None and self.role is Role.OWNER


OPERATOR = By(None, "operator", Role.OWNER)


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom it is about: exactly one of these."""

    account: int | None = None
    name: str = ""
    """Of an account; any name that looks the same finds it."""
    network: str = ""
    """As typed."""
    guest: str = ""
    """The name of a guest who is here."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom it is about, found."""

    row: AccountRow | None
    role: Role
    """What an account counts as; GUEST for guests and networks."""
    about: str
    """The name or network, for the audit log."""
    network: str | None = None

    @property
    def account(self) -> int | None:
        """The account's number, if it is one."""
        return None if self.row is None else self.row.account

    @property
    def is_guest(self) -> bool:
        """Whether it is a guest, of whom nothing is stored."""
        return self.row is None and self.network is None


def authorise(tx: Tx, by: By, act: OrderAct, other: Role | None = None) -> None:
    """Decide whether somebody may do this, by the roles that are stored now.

    Args:
        tx: The transaction of the act itself.
        by: Who asks.
        act: What for.
        other: The role of whom it is about, if it is about somebody else.

    Raises:
        Refusal: FORBIDDEN.
    """
    if not by.is_operator:
        allow(act, _role_now(tx, by), by.scopes, other)


def authorise_edit(tx: Tx, by: By, has_right: Callable[[], bool]) -> Role:
    """Decide whether somebody may edit terrain, by the role that is stored now.

    Args:
        tx: The transaction of the edit.
        by: Who asks.
        has_right: Whether they have the right to edit all that they want to edit; asked only where it matters.

    Returns:
        Their role; OWNER for the operator.

    Raises:
        Refusal: FORBIDDEN.
    """
    if by.is_operator:
        return Role.OWNER
    role = _role_now(tx, by)
    allow_edit(role, by.scopes, role is not Role.OWNER and has_right())
    return role


def authorise_land(tx: Tx, by: By) -> None:
    """Decide whether somebody may dispose of land that is not theirs, by the role that is stored now.

    Raises:
        Refusal: FORBIDDEN.
    """
    if not by.is_operator:
        allow_land(_role_now(tx, by), by.scopes)


def _role_now(tx: Tx, by: By) -> Role:
    row = next(iter(tx.accounts([by.account])), None) if by.account is not None else None
    return Role.GUEST if row is None else role_of(tx, row)


def find(tx: Tx, whom: Whom) -> Subject:
    """Find whom it is about.

    Raises:
        Refusal: NOT_FOUND, there is no such account; INVALID, nobody is named, several are, or it is no network.
    """
    given = [whom.account is not None, bool(whom.name.strip()), bool(whom.network.strip()), bool(whom.guest)]
    if sum(given) != 1:
        raise invalid(f"expected one account, name, guest or network, got {sum(given)} of these")
    if whom.network.strip():
        network = clean_network(whom.network)
        return Subject(None, Role.GUEST, network, network)
    if whom.guest:
        return Subject(None, Role.GUEST, whom.guest)
    row = _by_number(tx, whom.account) if whom.account is not None else _by_name(tx, whom.name)
    if row is None:
        named = whom.name[:64] if whom.account is None else whom.account
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an account, got {named!r}, which nobody has")
    return Subject(row, role_of(tx, row), row.name)


def invalid(text: str, hint: str = "") -> Refusal:
    """The refusal of what cannot be."""
    return Refusal(RefusalCode.INVALID, text, hint=hint)


def _by_number(tx: Tx, number: int) -> AccountRow | None:
    return next(iter(tx.accounts([number])), None)


def _by_name(tx: Tx, typed: str) -> AccountRow | None:
    try:
        name: Name = clean_name(typed)
    except Refusal:
        return None
    found = tx.account_by_skeleton(name.skeleton)
    if found is None and name.lookalike:
        found = tx.account_by_skeleton(name.lookalike)
    return found
