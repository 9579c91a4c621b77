"""Keeping order: every privileged act on people, decided on roles read in its own transaction, and written down.

Each act returns the row that the audit log now has. Hosts follow the log (``people.audit_after``) and ask for the
standing of whoever it is about, and of their bots, anew.
"""

from dataclasses import dataclass, replace

from worldloom.errors import Refusal
from worldloom.ports import AuditRow, SanctionRow, Tx
from worldloom.realm.names import clean_text
from worldloom.realm.order import REASON_MAX, AuditAct, SanctionKind, is_staff
from worldloom.services import codes
from worldloom.services.asking import By, Subject, Whom, authorise, find, invalid
from worldloom_sdk.protocol.messages import OrderAct, RefusalCode, Role, Secret

__all__ = [
    "REASON_MAX",
    "Act",
    "GiveRole",
    "Invite",
    "Sanctioned",
    "SetHidden",
    "appear",
    "ban",
    "give_role",
    "hide",
    "invite",
    "kick",
    "mute",
    "recover",
    "unban",
    "unmute",
]

_MINUTE_MS = 60_000
_GUESTS_TOO = frozenset({OrderAct.KICK, OrderAct.MUTE, OrderAct.UNMUTE})
_NETWORKS_TOO = frozenset({OrderAct.BAN, OrderAct.UNBAN, OrderAct.MUTE, OrderAct.UNMUTE})


@dataclass(frozen=True, slots=True)
class Act:
    """Something is done about somebody."""

    by: By
    whom: Whom
    now_ms: int
    """Unix time."""
    reason: str = ""
    """As typed; cleaned here."""


@dataclass(frozen=True, slots=True)
class Sanctioned(Act):
    """Something is laid upon somebody for a time."""

    minutes: int = 0
    """0: without end."""


@dataclass(frozen=True, slots=True)
class GiveRole:
    """An account gets a role."""

    by: By
    whom: Whom
    role: str
    """As typed: "resident", "moderator" or "owner"."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class SetHidden:
    """Somebody wants to become invisible to all but staff, or visible."""

    by: By
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation is to be made."""

    by: By
    now_ms: int
    """Unix time."""
    uses: int = 1
    minutes: int = 0
    """0: a week."""


def kick(tx: Tx, command: Act) -> AuditRow:
    """Send an account or a guest out.

    Raises:
        Refusal: FORBIDDEN, NOT_FOUND, INVALID; so for all acts here.
    """
    subject = _begin(tx, OrderAct.KICK, command.by, command.whom)
    return _write(tx, command, AuditAct.KICK, subject)


def ban(tx: Tx, command: Sanctioned) -> AuditRow:
    """Let an account with its bots, or a network, in no more. Replaces an earlier ban of the same."""
    subject = _begin(tx, OrderAct.BAN, command.by, command.whom)
    return _lay(tx, command, SanctionKind.BAN, AuditAct.BAN, subject)


def mute(tx: Tx, command: Sanctioned) -> AuditRow:
    """Let an account with its bots, a guest or a network speak no more. A guest's is in the audit log alone."""
    subject = _begin(tx, OrderAct.MUTE, command.by, command.whom)
    return _lay(tx, command, SanctionKind.MUTE, AuditAct.MUTE, subject)


def unban(tx: Tx, command: Act) -> AuditRow:
    """End the ban of an account, or of exactly that network."""
    subject = _begin(tx, OrderAct.UNBAN, command.by, command.whom)
    return _lift(tx, command, SanctionKind.BAN, AuditAct.UNBAN, subject)


def unmute(tx: Tx, command: Act) -> AuditRow:
    """End the mute of an account, a guest, or exactly that network."""
    subject = _begin(tx, OrderAct.UNMUTE, command.by, command.whom)
    return _lift(tx, command, SanctionKind.MUTE, AuditAct.UNMUTE, subject)


def give_role(tx: Tx, command: GiveRole) -> AuditRow:
    """Give an account a role. The operator alone makes owners; an owner may step down. Who leaves the staff appears."""
    by = command.by
    tx.lock_order()
    authorise(tx, by, OrderAct.ROLE)
    role = _assignable(command.role)
    if role is Role.OWNER and not by.is_operator:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected 'resident' or 'moderator', got {role.value!r}",
            "the operator makes owners, on the command line of the server",
        )
    subject = find(tx, command.whom)
    if subject.row is None:
        raise invalid("expected an account, got a guest or a network")
    if subject.row.account != by.account:
        authorise(tx, by, OrderAct.ROLE, subject.role)
    tx.set_role(subject.row.account, role)
    if not is_staff(role):
        tx.set_hidden(subject.row.account, False)
    act = Act(by, command.whom, command.now_ms, role.value)
    return _write(tx, act, AuditAct.ROLE, subject)


def hide(tx: Tx, command: SetHidden) -> AuditRow:
    """Become invisible to all but staff, until ``appear``."""
    return _set_hidden(tx, command, OrderAct.HIDE, AuditAct.HIDE, True)


def appear(tx: Tx, command: SetHidden) -> AuditRow:
    """Become visible again."""
    return _set_hidden(tx, command, OrderAct.APPEAR, AuditAct.APPEAR, False)


def invite(tx: Tx, command: Invite) -> Secret:
    """Make an invitation, to be told once. A world has at most ``codes.INVITATIONS_MAX`` open ones."""
    tx.lock_order()
    authorise(tx, command.by, OrderAct.INVITE)
    if command.uses < 1:
        raise invalid(f"expected an invitation for 1 or more, got {command.uses}")
    if tx.count_invitations(command.now_ms) >= codes.INVITATIONS_MAX:
        raise invalid(
            f"expected at most {codes.INVITATIONS_MAX} open invitations, got one more",
            "wait until some run out",
        )
    until = command.now_ms + (command.minutes * _MINUTE_MS or codes.INVITATION_MS)
    text = codes.add_code(tx, codes.CodeKind.INVITATION, None, command.now_ms, until, command.uses)
    _append(tx, command.by, command.now_ms, AuditAct.INVITE, detail=f"uses: {command.uses}", until_ms=until)
    return Secret(text, until)


def recover(tx: Tx, command: Act) -> Secret:
    """Make a recovery code for a person who has lost theirs. The operator alone may."""
    tx.lock_order()
    if not command.by.is_operator:
        raise Refusal(RefusalCode.FORBIDDEN, f"expected the operator, got {command.by.name!r}")
    subject = find(tx, command.whom)
    if subject.row is None or subject.row.owner is not None:
        raise invalid("expected the account of a person, got a bot, a guest or a network")
    number = subject.row.account
    text = codes.add_code(tx, codes.CodeKind.RECOVERY, number, command.now_ms, None)
    _write(tx, command, AuditAct.RECOVERY, subject)
    return Secret(text, 0, number)


def _begin(tx: Tx, act: OrderAct, by: By, whom: Whom) -> Subject:
    """Wait for one's turn, find whom it is about, and decide."""
    tx.lock_order()
    authorise(tx, by, act)
    subject = find(tx, whom)
    if subject.network is not None:
        if act not in _NETWORKS_TOO:
            raise invalid(f"expected somebody for {act.value!r}, got the network {subject.network}")
        return subject
    if subject.row is None and act not in _GUESTS_TOO:
        raise invalid(
            f"expected an account or a network for {act.value!r}, got the guest {subject.about!r}",
            "guests have nothing that lasts: kick them, or name their network",
        )
    if subject.row is not None and subject.row.account == by.account:
        raise invalid(f"expected somebody else for {act.value!r}, got yourself")
    authorise(tx, by, act, subject.role)
    return subject


def _lay(tx: Tx, command: Sanctioned, kind: SanctionKind, act: AuditAct, subject: Subject) -> AuditRow:
    if command.minutes < 0:
        raise invalid(f"expected 0 or more minutes, got {command.minutes}")
    until = command.now_ms + command.minutes * _MINUTE_MS if command.minutes else None
    if not subject.is_guest:
        by, account = command.by, subject.account
        tx.delete_sanctions(kind, account, subject.network)
        reason = clean_text(command.reason, REASON_MAX)
        tx.insert_sanction(
            SanctionRow(kind, account, subject.network, reason, command.now_ms, until, by.account, by.name)
        )
    return _write(tx, command, act, subject, until)


def _lift(tx: Tx, command: Act, kind: SanctionKind, act: AuditAct, subject: Subject) -> AuditRow:
    if not subject.is_guest:
        of = [subject.account] if subject.account is not None else []
        networks = [subject.network] if subject.network is not None else []
        if all(row.kind is not kind for row in tx.sanctions(of, networks, command.now_ms)):
            raise Refusal(
                RefusalCode.NOT_FOUND, f"expected a {kind.value} of {subject.about!r} in force, got none"
            )
        tx.delete_sanctions(kind, subject.account, subject.network)
    return _write(tx, command, act, subject)


def _set_hidden(tx: Tx, command: SetHidden, act: OrderAct, noted: AuditAct, hidden: bool) -> AuditRow:
    tx.lock_order()
    authorise(tx, command.by, act)
    if command.by.account is None:
        raise invalid("expected somebody who is in the world, got the operator")
    tx.set_hidden(command.by.account, hidden)
    me = Whom(account=command.by.account)
    return _write(tx, Act(command.by, me, command.now_ms), noted, find(tx, me))


def _assignable(text: str) -> Role:
    try:
        role = Role(text.strip().casefold())
    except ValueError:
        role = Role.GUEST
    if role is Role.GUEST:
        raise invalid(f"expected the role 'resident', 'moderator' or 'owner', got {text[:40]!r}")
    return role


def _write(tx: Tx, command: Act, act: AuditAct, subject: Subject, until_ms: int | None = None) -> AuditRow:
    detail = clean_text(command.reason, REASON_MAX)
    return _append(tx, command.by, command.now_ms, act, subject, detail, until_ms)


def _append(
    tx: Tx,
    by: By,
    now_ms: int,
    act: AuditAct,
    subject: Subject | None = None,
    detail: str = "",
    until_ms: int | None = None,
) -> AuditRow:
    account, about, network = (
        (subject.account, subject.about, subject.network) if subject else (None, "", None)
    )
    row = AuditRow(now_ms, by.account, by.name, act, account, about, network, detail, until_ms)
    return replace(row, number=tx.append_audit(row))
