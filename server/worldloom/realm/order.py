"""Order: who may do what to whom. Roles, scopes and the one function that decides. Knows no accounts, no sessions."""

from enum import StrEnum

from worldloom.errors import Refusal
from worldloom_sdk.protocol.messages import OrderAct, RefusalCode, Role, Scope

__all__ = [
    "ORDER_RANK",
    "REASON_MAX",
    "STAFF",
    "STAFF_LAYER",
    "AuditAct",
    "SanctionKind",
    "allow",
    "allow_edit",
    "allow_land",
    "is_staff",
    "lesser",
    "outranks",
]

REASON_MAX = 500
"""Characters of a reason."""
STAFF = frozenset({Role.MODERATOR, Role.OWNER})
STAFF_LAYER = 1
"""The layer that staff alone see; who is invisible is in it."""

_RANK = {Role.GUEST: 0, Role.RESIDENT: 1, Role.MODERATOR: 2, Role.OWNER: 3}
ORDER_RANK = {
    act: _RANK[Role.OWNER] if act in {OrderAct.ROLE, OrderAct.AUDIT} else _RANK[Role.MODERATOR]
    for act in OrderAct
}
"""The rank that each act asks for."""


class SanctionKind(StrEnum):
    """What may be laid upon an account or a network for a time."""

    BAN = "ban"
    """Not let in."""
    MUTE = "mute"
    """Cannot speak, whisper or signal."""


class AuditAct(StrEnum):
    """What the audit log knows: every privileged act, those of the operator included."""

    KICK = "kick"
    BAN = "ban"
    UNBAN = "unban"
    MUTE = "mute"
    UNMUTE = "unmute"
    ROLE = "role"
    INVITE = "invite"
    HIDE = "hide"
    APPEAR = "appear"
    REVOKE = "revoke"
    RECOVERY = "recovery"
    CLOSE_REPORT = "close_report"
    EDIT = "edit_terrain"
    OPEN_LAND = "open_land"
    CLOSE_LAND = "close_land"
    TAKE_LAND = "take_land"
    MINT = "mint"
    BURN = "burn"


def is_staff(role: Role) -> bool:
    """Whether the role keeps order."""
    return role in STAFF


def outranks(role: Role, other: Role) -> bool:
    """Whether the one may act on the other: staff on whoever is lower, owners on all but owners."""
    return is_staff(role) and _RANK[role] > _RANK[other]


def lesser(role: Role, other: Role) -> Role:
    """The lower of two roles."""
    return min(role, other, key=_RANK.__getitem__)


def allow(act: OrderAct, role: Role, scopes: frozenset[Scope] | None, other: Role | None = None) -> None:
    """Decide about one act: all of its rules are here.

    Args:
        act: What is asked for.
        role: Of who asks.
        scopes: Of the key that was shown; None for a person's own token, which may all.
        other: The role of whom it is about, if it is about somebody else.

    Raises:
        Refusal: FORBIDDEN; the text says which role or scope it takes.
    """
    _need_order(scopes)
    needed = next(name for name, rank in _RANK.items() if rank == ORDER_RANK[act])
    if _RANK[role] < ORDER_RANK[act]:
        raise Refusal(
            RefusalCode.FORBIDDEN, f"expected the role {needed.value!r} or higher, got {role.value!r}"
        )
    if other is not None and not outranks(role, other):
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected somebody of a lower role than {role.value!r}, got {other.value!r}",
        )


def allow_edit(role: Role, scopes: frozenset[Scope] | None, with_right: bool = False) -> None:
    """Decide about an edit of the terrain: all of its rules are here.

    The world's owners may, anywhere. Others may where they have the right to, strictly inside: the borders to what is
    not theirs stay. Who keeps order among people has no say about land.

    Args:
        role: Of who asks.
        scopes: Of the key that was shown; None for a person's own token, which may all.
        with_right: Whether every sample is inside places in which who asks has the right to edit the ground.

    Raises:
        Refusal: FORBIDDEN; the text says which role, right or scope it takes.
    """
    _need_order(scopes)
    if role is not Role.OWNER and not with_right:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            "expected samples inside an estate where you have the right to edit terrain, its border left out, "
            f"or the role {Role.OWNER.value!r}; got {role.value!r} and others",
        )


def allow_land(role: Role, scopes: frozenset[Scope] | None) -> None:
    """Decide about what is done to the world's land, or to anybody's against their will: owners may.

    Args:
        role: Of who asks.
        scopes: Of the key that was shown; None for a person's own token, which may all.

    Raises:
        Refusal: FORBIDDEN; the text says which role or scope it takes.
    """
    _need_order(scopes)
    if role is not Role.OWNER:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected the role {Role.OWNER.value!r} to dispose of land, got {role.value!r}",
        )


def _need_order(scopes: frozenset[Scope] | None) -> None:
    if scopes is not None and Scope.ORDER not in scopes:
        raise Refusal(
            RefusalCode.FORBIDDEN, f"expected a key with the scope {Scope.ORDER.value!r}, got one without",
            "ask the bot's owner for a key that has it",
        )  # fmt: skip
