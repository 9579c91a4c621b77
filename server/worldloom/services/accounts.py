"""Accounts: who comes back.

A token proves who one is and is never stored, only its hash. The database decides who has a name.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import AccountRow, CodeRow, SeenRow, Tx
from worldloom.realm.names import Name, clean_name, clean_text
from worldloom.services import codes
from worldloom.services.standing import Ask, enter
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "LABEL_MAX",
    "Register",
    "hash_token",
    "insert_named",
    "name_free",
    "new_token",
    "note_seen",
    "register",
]

LABEL_MAX = 64
"""Characters of what a token is called."""
_TOKEN_BYTES = 32


def new_token() -> str:
    """A fresh token for a client to keep: 256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """What is stored of a token: the 32 bytes of its SHA-256. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class Register:
    """Somebody wants to come back under a name."""

    name: str
    """As typed; cleaned here."""
    token_sha256: bytes
    """32 bytes; of a new token."""
    now_ms: int
    """Unix time."""
    label: str = ""
    """Which client program the token is for; cleaned here."""
    recovery_sha256: bytes | None = None
    """32 bytes; of a new recovery code, from ``codes.hash_code(codes.new_code(...))``."""
    invitation: str | None = None
    """As typed; None where none is asked for."""
    networks: tuple[str, ...] = ()
    """That the address is in."""


def register(tx: Tx, command: Register) -> AccountRow:
    """A new account under a name that nobody has, nor any that looks like it. Repeating it with one token does it once.

    Raises:
        Refusal: NAME_INVALID, NAME_TAKEN, TOKEN when the token belongs to another name, ACCESS when the invitation is
            not good, BANNED when the address is.
    """
    name = clean_name(command.name)
    mine = tx.account_by_token(command.token_sha256)
    if mine is not None:
        return _same_account(tx, mine, name.skeleton)
    enter(tx, Ask(None, None, command.networks, command.now_ms))
    if command.invitation is not None:
        codes.use_invitation(tx, command.invitation, command.now_ms)
    label = clean_text(command.label, LABEL_MAX)
    account = insert_named(tx, name, command.token_sha256, command.now_ms, label)
    if command.recovery_sha256 is not None:
        kind = codes.CodeKind.RECOVERY
        tx.insert_code(CodeRow(command.recovery_sha256, kind, account, command.now_ms, None, 1))
    return AccountRow(account, name.shown, None, created_ms=command.now_ms)


def note_seen(tx: Tx, seen: Sequence[SeenRow]) -> None:
    """Remember when accounts and tokens were last here; of two for one, the later counts.

    A token that was seen has been told: the code that it was made from, if any, is void.
    """
    tx.note_seen(sorted(seen, key=lambda row: row.at_ms))


def insert_named(
    tx: Tx, name: Name, token_sha256: bytes | None, now_ms: int, label: str = "", owner: int | None = None
) -> int:
    """A new account's number.

    Raises:
        Refusal: NAME_TAKEN.
    """
    account = None
    if not name.lookalike or name_free(tx, name.lookalike):
        account = tx.insert_account(name.shown, name.skeleton, token_sha256, now_ms, label, owner)
    if account is None:
        raise Refusal(
            RefusalCode.NAME_TAKEN,
            f"the name {name.shown!r}, or one that looks like it, is taken",
            hint="choose another name",
        )
    return account


def name_free(tx: Tx, skeleton: str) -> bool:
    """Whether no account has a name with this skeleton."""
    return tx.account_by_skeleton(skeleton) is None


def _same_account(tx: Tx, mine: AccountRow, skeleton: str) -> AccountRow:
    if tx.account_by_skeleton(skeleton) == mine:
        return mine
    raise Refusal(
        RefusalCode.TOKEN,
        f"expected a new token, got the token of {mine.name!r}",
        hint="sign in with it, or register with a new one",
    )
