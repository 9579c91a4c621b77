"""Accounts: who comes back.

A token proves who one is and is never stored, only its hash. The database decides who has a name.
"""

import hashlib
import secrets
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import AccountRow, Tx
from worldloom.realm.names import clean_name
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["Register", "SignIn", "hash_token", "name_free", "new_token", "register", "sign_in"]

_TOKEN_BYTES = 32


def new_token() -> str:
    """A fresh token for a client to keep: 256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """What is stored of a token: the 32 bytes of its SHA-256. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody shows a token."""

    token_sha256: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Register:
    """Somebody wants to come back under a name."""

    name: str
    """As typed; cleaned here."""
    token_sha256: bytes
    """32 bytes; of a new token."""
    now_ms: int
    """Unix time."""


def sign_in(tx: Tx, command: SignIn) -> AccountRow:
    """The account that a token belongs to, with its last place.

    Raises:
        Refusal: TOKEN, nobody has it.
    """
    found = tx.account_by_token(command.token_sha256)
    if found is None:
        raise Refusal(
            RefusalCode.TOKEN,
            "expected the token of an account here, got an unknown one",
            hint="come without a token, as a guest, or keep a new name",
        )
    return found


def register(tx: Tx, command: Register) -> AccountRow:
    """A new account under a name that nobody has, nor any that looks like it. Repeating it with one token does it once.

    Raises:
        Refusal: NAME_INVALID, NAME_TAKEN, or TOKEN when the token belongs to another name.
    """
    name = clean_name(command.name)
    mine = tx.account_by_token(command.token_sha256)
    if mine is not None:
        return _same_account(tx, mine, name.skeleton)
    account = None
    if not name.lookalike or name_free(tx, name.lookalike):
        account = tx.insert_account(name.shown, name.skeleton, command.token_sha256, command.now_ms)
    if account is None:
        raise Refusal(
            RefusalCode.NAME_TAKEN,
            f"the name {name.shown!r}, or one that looks like it, is taken",
            hint="choose another name",
        )
    return AccountRow(account, name.shown, None)


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
