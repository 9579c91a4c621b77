"""Standing: everything that must be known of somebody who comes in, or is here when order changes. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from worldloom.errors import Refusal
from worldloom.ports import AccountRow, SanctionRow, ShunRow, TokenRow, Tx
from worldloom.realm.order import SanctionKind, is_staff, lesser
from worldloom_sdk.protocol.messages import BlockReach, RefusalCode, Role, Scope

__all__ = [
    "SHUNNED_MAX",
    "Ask",
    "Standing",
    "effective_role",
    "enter",
    "muted_ms",
    "refuse_banned",
    "remaining_ms",
    "role_of",
    "shunned_by_or_from",
    "standing",
]

SHUNNED_MAX = 4_096
"""Others that one account is nothing to; its own blocks first, then the newest."""
_MILLIS_MAX = 2**53 - 1
"""The wire's largest time."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Of whom the standing is asked: an account, or whose token it is; with neither, of a guest or newcomer."""

    account: int | None = None
    token_sha256: bytes | None = None
    """32 bytes; of the token that was shown, if one was."""
    networks: tuple[str, ...] = ()
    """From ``realm.networks.networks_of``."""
    now_ms: int = 0
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is here, now."""

    account: AccountRow | None
    """None for guests and newcomers, and when account or token is not (any more)."""
    role: Role = Role.GUEST
    """A bot's goes no further than its owner's."""
    scopes: frozenset[Scope] | None = None
    """Of the token that was shown; None: everything."""
    token_good: bool = True
    """False when an account or a token was named that is not, or do not belong together."""
    ban: SanctionRow | None = None
    """The longest in force."""
    mute: SanctionRow | None = None
    """The longest in force."""
    owner_name: str = ""
    """For a bot."""
    shunned: dict[int, BlockReach] = field(default_factory=dict)
    """Accounts that it is nothing to, whoever of the two wished it; the wider reach counts."""
    own_shuns: dict[int, BlockReach] = field(default_factory=dict)
    """Those of them by its own wish."""

    @property
    def hidden(self) -> bool:
        """Whether it is invisible to all but staff."""
        return self.account is not None and self.account.hidden and is_staff(self.role)


def standing(tx: Tx, ask: Ask) -> Standing:
    """The standing of somebody. Refuses nobody; see ``enter``."""
    token = tx.token(ask.token_sha256) if ask.token_sha256 is not None else None
    number = token.account if ask.account is None and token is not None else ask.account
    named = ask.account is not None or ask.token_sha256 is not None
    own = next(iter(tx.accounts([number])), None) if number is not None else None
    owner = _owner(tx, own)
    ban, mute = _sanctions(tx, ask, own, owner)
    if own is None:
        return Standing(None, token_good=not named, ban=ban, mute=mute)
    shuns = tx.shuns_around(own.account, SHUNNED_MAX)
    return Standing(
        own,
        effective_role(own, owner),
        token.scopes if token is not None else None,
        _fits(ask, token, own),
        ban,
        mute,
        owner.name if owner is not None else "",
        shunned_by_or_from(own.account, shuns),
        {row.other: row.reach for row in shuns if row.account == own.account},
    )


def enter(tx: Tx, ask: Ask) -> Standing:
    """The standing of somebody who wants to come in.

    Raises:
        Refusal: TOKEN, there is no such token or account; BANNED, with the reason and until when.
    """
    found = standing(tx, ask)
    if not found.token_good:
        raise Refusal(
            RefusalCode.TOKEN,
            "expected the token of an account here, got an unknown one",
            hint="come without a token, as a guest, or keep a new name",
        )
    if found.ban is not None:
        refuse_banned(found.ban, ask.now_ms)
    return found


def refuse_banned(ban: SanctionRow, now_ms: int) -> None:
    """Raise the refusal that a ban means.

    Raises:
        Refusal: BANNED; ``retry_after_ms`` is 0 for a ban without end.
    """
    what = "this address is banned" if ban.account is None else "this account is banned"
    raise Refusal(
        RefusalCode.BANNED,
        f"{what}: {ban.reason}" if ban.reason else what,
        hint="come back when the time is over" if ban.until_ms is not None else "",
        retry_after_ms=remaining_ms(ban, now_ms) if ban.until_ms is not None else 0,
    )


def remaining_ms(sanction: SanctionRow, now_ms: int) -> int:
    """For how long a sanction is in force yet; 2**53 - 1 for one without end."""
    if sanction.until_ms is None:
        return _MILLIS_MAX
    return min(max(sanction.until_ms - now_ms, 0), _MILLIS_MAX)


def muted_ms(found: Standing, now_ms: int) -> int:
    """For how long somebody cannot speak, as ``Standing`` on the wire says it: 0 for not at all."""
    return 0 if found.mute is None else remaining_ms(found.mute, now_ms)


def effective_role(own: AccountRow, owner: AccountRow | None) -> Role:
    """What an account counts as: a bot no more than its owner does."""
    return own.role if owner is None else lesser(own.role, owner.role)


def role_of(tx: Tx, own: AccountRow) -> Role:
    """What an account counts as, by what is stored now."""
    return effective_role(own, _owner(tx, own))


def shunned_by_or_from(account: int, rows: Sequence[ShunRow]) -> dict[int, BlockReach]:
    """Blocks of both directions as one: whom an account is nothing to, and how far."""
    merged: dict[int, BlockReach] = {}
    for row in rows:
        other = row.other if row.account == account else row.account
        merged[other] = min(row.reach, merged.get(other, row.reach))
    return merged


def _owner(tx: Tx, own: AccountRow | None) -> AccountRow | None:
    if own is None or own.owner is None:
        return None
    return next(iter(tx.accounts([own.owner])), None)


def _fits(ask: Ask, token: TokenRow | None, own: AccountRow) -> bool:
    return ask.token_sha256 is None or (token is not None and token.account == own.account)


def _sanctions(
    tx: Tx, ask: Ask, own: AccountRow | None, owner: AccountRow | None
) -> tuple[SanctionRow | None, SanctionRow | None]:
    """The longest ban and mute. Networks do not count for staff: the lower could shut out the higher by them."""
    people = [row.account for row in (own, owner) if row is not None]
    above = own is not None and is_staff(effective_role(own, owner))
    rows = tx.sanctions(people, () if above else ask.networks, ask.now_ms)
    return _longest(rows, SanctionKind.BAN), _longest(rows, SanctionKind.MUTE)


def _longest(rows: Sequence[SanctionRow], kind: SanctionKind) -> SanctionRow | None:
    of_kind = (row for row in rows if row.kind is kind)
    return max(of_kind, key=lambda row: _MILLIS_MAX if row.until_ms is None else row.until_ms, default=None)
