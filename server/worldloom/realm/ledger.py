"""Ledger: transfers as sets of postings that sum to zero, and the purses that every world has. Knows no database.

Money is made by the mint alone, whose balance is below zero: what circulates is what the mint owes. Nothing that was
written is changed; a mistake is countered by another transfer.
"""

from collections.abc import Mapping
from enum import StrEnum

from worldloom.realm.money import AMOUNT_MAX

__all__ = ["LEGS_MAX", "MINT", "TREASURY", "PurseKind", "TransferKind", "balanced", "rests"]

MINT = 1
"""The purse whose balance is minus all money that there is."""
TREASURY = 2
"""The world's own purse: what land costs, and fees."""
LEGS_MAX = 16
"""Purses that one transfer touches, at most."""


class PurseKind(StrEnum):
    """Whose money a purse holds."""

    MINT = "mint"
    TREASURY = "treasury"
    PERSON = "person"
    GRANT = "grant"
    """What a newcomer was given: can be spent on claims only."""
    ESCROW = "escrow"
    """The highest bid of one auction."""


class TransferKind(StrEnum):
    """What a transfer was for."""

    GRANT = "grant"
    MINT = "mint"
    BURN = "burn"
    PAY = "pay"
    CLAIM = "claim"
    SALE = "sale"
    BID = "bid"
    OUTBID = "outbid"
    SETTLE = "settle"
    RENT = "rent"
    REFUND = "refund"
    CORRECT = "correct"


def balanced(legs: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """The postings of a transfer, (purse, amount) by ascending purse.

    Args:
        legs: What each purse gets, minor units; negative for what it gives. Purses that get 0 are left out.

    Raises:
        ValueError: They do not sum to zero, touch fewer than 2 or more than LEGS_MAX purses, or an amount is larger
            than AMOUNT_MAX.
    """
    postings = tuple(sorted((purse, amount) for purse, amount in legs.items() if amount))
    if not 2 <= len(postings) <= LEGS_MAX:
        raise ValueError(f"expected a transfer between 2 to {LEGS_MAX} purses, got {len(postings)}")
    if any(purse < 1 for purse, _ in postings):
        raise ValueError(f"expected purses from 1, got {postings[0][0]}")
    large = next((amount for _, amount in postings if abs(amount) > AMOUNT_MAX), None)
    if large is not None:
        raise ValueError(f"expected amounts up to {AMOUNT_MAX} minor units, got {large}")
    if total := sum(amount for _, amount in postings):
        raise ValueError(f"expected postings that sum to zero, got {total}")
    return postings


def rests(purse: int, amount: int) -> bool:
    """Whether a posting waits to be added up instead of changing its purse's row at once.

    The mint and the treasury are part of most trades: no trade waits for another's there. What the treasury gives is
    no such case, since it must be known that it has it.
    """
    return purse == MINT or (purse == TREASURY and amount > 0)
