"""Codes: recovery and pairing codes of accounts, invitations. A code is told once; what is stored is its hash.

An account has one recovery code and one pairing code at most, and while nobody has been heard who came with the first,
its successor beside it. Codes are random, so no salt is needed.
"""

import hashlib
import secrets
from enum import StrEnum

from worldloom.errors import Refusal
from worldloom.ports import CodeRow, Tx
from worldloom.realm.codes import ALPHABET, clean_code, format_code
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "CODE_CHARS",
    "INVITATIONS_MAX",
    "INVITATION_MS",
    "PAIRING_MS",
    "CodeKind",
    "add_code",
    "hash_code",
    "is_over",
    "new_code",
    "use_invitation",
]

PAIRING_MS = 10 * 60_000
"""How long a pairing code is good."""
INVITATION_MS = 7 * 24 * 3_600_000
"""How long an invitation is good, unless something else was said."""
INVITATIONS_MAX = 1_000
"""Open invitations of a world."""


class CodeKind(StrEnum):
    """What a code opens."""

    RECOVERY = "recovery"
    """Its account, until somebody who came with it was heard; it never runs out."""
    PAIRING = "pairing"
    """Its account, likewise, for ten minutes."""
    INVITATION = "invitation"
    """The door, for a number of newcomers."""


CODE_CHARS = {CodeKind.RECOVERY: 26, CodeKind.PAIRING: 10, CodeKind.INVITATION: 16}
"""Characters of 5 random bits each."""


def new_code(kind: CodeKind) -> str:
    """A fresh code, with dashes, to be told somebody."""
    return format_code("".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS[kind])))


def hash_code(text: str) -> bytes:
    """What is stored of a code, however it was typed: the 32 bytes of its SHA-256."""
    return hashlib.sha256(clean_code(text).encode()).digest()


def add_code(
    tx: Tx,
    kind: CodeKind,
    account: int | None,
    now_ms: int,
    until_ms: int | None,
    uses: int = 1,
    beside: bytes | None = None,
) -> str:
    """Make a code and store its hash; an account's earlier codes of that kind are void, but the one ``beside``.

    Returns:
        The code, to be told once.
    """
    text = new_code(kind)
    tx.insert_code(CodeRow(hash_code(text), kind, account, now_ms, until_ms, uses), beside)
    return text


def use_invitation(tx: Tx, text: str, now_ms: int) -> None:
    """Take one use from an invitation.

    Raises:
        Refusal: ACCESS; it is unknown, used up or run out, which of them is not told.
    """
    row = tx.code(hash_code(text))
    if row is None or row.kind != CodeKind.INVITATION or is_over(row, now_ms):
        raise Refusal(
            RefusalCode.ACCESS,
            "expected an invitation that is good, got another text or one that is used up or has run out",
            hint="ask those who keep order here for a new one",
        )
    tx.use_code(row.code_sha256)


def is_over(row: CodeRow, now_ms: int) -> bool:
    """Whether a code has run out."""
    return row.uses < 1 or (row.until_ms is not None and row.until_ms <= now_ms)
