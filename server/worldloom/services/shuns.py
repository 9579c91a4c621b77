"""Shuns: personal blocks between accounts, which last. Those with a guest on either side are the gateway's."""

from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import ShunRow, Tx
from worldloom.services.asking import invalid
from worldloom_sdk.protocol.messages import BlockReach, RefusalCode

__all__ = ["SHUNS_MAX", "Shun", "Unshun", "names", "shun", "unshun"]

SHUNS_MAX = 64
"""Blocks that one account may set."""


@dataclass(frozen=True, slots=True)
class Shun:
    """An account wants nothing of another."""

    account: int
    other: int
    reach: BlockReach
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Unshun:
    """An account takes a block back."""

    account: int
    other: int


def shun(tx: Tx, command: Shun) -> None:
    """Set a block, or change how far it reaches. It works both ways.

    Raises:
        Refusal: INVALID, one's own account or one block too many; NOT_FOUND, there is no such account.
    """
    if command.account == command.other:
        raise invalid("expected somebody else, got yourself")
    if len(tx.accounts([command.account, command.other])) < 2:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected two accounts, got {command.other} which nobody has")
    around = tx.shuns_around(command.account, SHUNS_MAX)
    mine = {row.other for row in around if row.account == command.account}
    if command.other not in mine and len(mine) >= SHUNS_MAX:
        raise invalid(f"expected at most {SHUNS_MAX} blocks, got one more", "take one back")
    tx.save_shun(ShunRow(command.account, command.other, command.reach, command.now_ms))


def unshun(tx: Tx, command: Unshun) -> BlockReach | None:
    """Take a block back, however far it reached; what the other one's own block still takes away, if it has one."""
    tx.delete_shun(command.account, command.other)
    theirs = (row for row in tx.shuns_around(command.other, SHUNS_MAX) if row.account == command.other)
    return next((row.reach for row in theirs if row.other == command.account), None)


def names(tx: Tx, accounts: Sequence[int]) -> dict[int, str]:
    """What accounts are called; numbers of nobody are passed over."""
    return {row.account: row.name for row in tx.accounts(accounts)}
