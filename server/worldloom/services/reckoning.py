"""Reckoning: all money counted anew from the postings, and what differs from what is written. Changes nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from worldloom.ports import Tx
from worldloom.ports.money import PurseRow
from worldloom.realm.ledger import MINT, TREASURY, PurseKind
from worldloom.realm.money import Currency

__all__ = ["DIFFERENCES_MAX", "Reckoning", "verify"]

DIFFERENCES_MAX = 20
"""Differences that are named."""
_CHUNK = 100_000
"""Transfers whose postings are added up by one statement: a second's work."""
_PURSES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What was counted, and what does not agree."""

    transfers: int
    """The highest number of a transfer."""
    purses: int
    circulating: int
    """All money that there is, by the postings; minor units."""
    differences: tuple[str, ...]
    """In words, the first ones; none: all is well."""


def verify(tx: Tx, _: None) -> Reckoning:
    """Count everything anew: the postings of each transfer, the balance of each purse, the mint against all others.

    On one picture of the database, however long that takes.
    """
    shown = tx.currency.shown
    posted: Counter[int] = Counter()
    differences: list[str] = []
    last = tx.last_transfer()
    for after in range(0, last, _CHUNK):
        posted.update(tx.posted(after, after + _CHUNK))
        if len(differences) < DIFFERENCES_MAX:
            differences += _unbalanced(tx, after)
    differences += [
        f"transfer {transfer}, purse {purse}: expected to rest what was posted, got {shown(amount)}"
        for transfer, purse, amount in tx.resting_amiss(DIFFERENCES_MAX)
    ]
    resting, seen = tx.resting(), set[int]()
    for row in _purses(tx):
        seen.add(row.purse)
        differences += _amiss(
            tx.currency, row, posted.get(row.purse, 0), row.balance + resting.get(row.purse, 0)
        )
    # Postings have a purse by the database's own rule; a world has mint and treasury, whatever was posted.
    missing = ({MINT, TREASURY} | posted.keys()) - seen
    differences += [f"purse {purse}: expected to be there, got none" for purse in sorted(missing)]
    return Reckoning(last, len(seen), -posted.get(MINT, 0), tuple(differences[:DIFFERENCES_MAX]))


def _unbalanced(tx: Tx, after: int) -> list[str]:
    return [
        f"transfer {number}: expected two or more postings that sum to zero, "
        f"got {legs} that sum to {tx.currency.shown(total)}"
        for number, legs, total in tx.unbalanced(after, after + _CHUNK, DIFFERENCES_MAX)
    ]


def _amiss(currency: Currency, row: PurseRow, expected: int, got: int) -> list[str]:
    whose = f" of account {row.account}" if row.account is not None else ""
    named = f"purse {row.purse} ({row.kind.value}{whose})"
    found = []
    if got != expected:
        found.append(
            f"{named}: expected {currency.shown(expected)} by its postings, got {currency.written(got)}"
        )
    if got < 0 and row.kind is not PurseKind.MINT:
        found.append(f"{named}: expected {currency.shown(0)} or more, got {currency.written(got)}")
    return found


def _purses(tx: Tx) -> Iterator[PurseRow]:
    number = 0
    while rows := tx.purses_from(number, _PURSES_AT_ONCE):
        yield from rows
        number = rows[-1].purse + 1
