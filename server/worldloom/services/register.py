"""The register: every change of title, appended in its own transaction, sealed by a chain of hashes soon after.

Rows are sealed in the order of their numbers among those that are committed, so that seals have no gap and wait for
nobody. Whoever knows a seal of before can prove that nothing before it was altered, and that nothing was cut off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from worldloom.ports import Tx
from worldloom.ports.land import RegisterRow, SealRow
from worldloom.realm.chain import START, Entry, RegisterKind, canonical, link
from worldloom.realm.estates import Parcel, to_runs
from worldloom.realm.titles import Titles

__all__ = [
    "SEALED_AT_ONCE",
    "Head",
    "Proof",
    "append",
    "missing",
    "parcels_told",
    "seal_due",
    "state",
    "verify",
]

SEALED_AT_ONCE = 1_000
"""Rows that one call seals at most."""
_PAGE = 1_000
_ESTATES_AT_ONCE = 200
_WAITING_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Head:
    """A seal that was published."""

    number: int
    hash: bytes
    """32 bytes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of a verification."""

    rows: int
    """Sealed rows that were found good, before the first that is not."""
    waiting: int
    """Rows that wait for their seal."""
    head: SealRow | None
    """The newest seal."""
    fault: str = ""
    """What is wrong first, in words; empty: nothing."""
    row: int | None = None
    """The row of the register that it is about, if it is about one."""


def append(
    tx: Tx,
    kind: RegisterKind,
    estate: int,
    account: int | None,
    other: int | None,
    now_ms: int,
    transfer: int | None = None,
    detail: Mapping[str, object] = {},
) -> None:
    """Write down a change of title, in its own transaction.

    Args:
        tx: The transaction of the change itself.
        kind: What happened.
        estate: Its number.
        account: Who has the title from then on, or the lease; None: the world.
        other: Who had it before, or the other side; None: the world, or nobody.
        now_ms: Unix time.
        transfer: Of the money that was paid.
        detail: What else there is to tell; what JSON can say without floats.
    """
    tx.append_register(RegisterRow(now_ms, kind, estate, account, other, transfer, canonical(detail)))


def parcels_told(parcels: Iterable[Parcel]) -> list[list[int]]:
    """Parcels as a detail has them: runs."""
    return [list(run) for run in to_runs(parcels)]


def state(tx: Tx, _: None) -> tuple[SealRow | None, bool]:
    """The newest seal, and whether a row waits for its own. Only reads."""
    return tx.head(), bool(tx.unsealed(1))


def missing(tx: Tx, published: Head) -> str:
    """What is wrong with the register by a seal that was published before; empty: nothing. Only reads."""
    return _check_head(tx, published, tx.head())


def seal_due(tx: Tx, _: None) -> int:
    """Seal what waits for it, ``SEALED_AT_ONCE`` rows at most; how many."""
    tx.lock_seals()
    rows = tx.unsealed(SEALED_AT_ONCE)
    if not rows:
        return 0
    last = tx.head()
    number, before = (0, START) if last is None else (last.number, last.hash)
    seals = []
    for row in rows:
        number, before = number + 1, link(before, _entry(row))
        seals.append(SealRow(number, row.number, before))
    tx.insert_seals(seals)
    return len(rows)


def verify(tx: Tx, published: Head | None) -> Proof:
    """Prove the register: each seal, each row, what was published before, and that all land is as the register tells.

    Args:
        tx: Only reads.
        published: A seal that was known before; None: nothing is known, and what was cut off at the end does not show.
    """
    newest, waiting = tx.head(), len(tx.unsealed(_WAITING_MAX))
    titles = Titles()
    rows, fault, row = _check_chain(tx, titles)
    if not fault:
        fault, row = _check_strays(tx)
    if not fault and published is not None:
        fault = _check_head(tx, published, newest)
    if not fault and waiting < _WAITING_MAX:
        fault, row = _check_titles(tx, titles)
    return Proof(rows, waiting, newest, fault, row)


def _check_chain(tx: Tx, titles: Titles) -> tuple[int, str, int | None]:
    """How many rows are good, what is wrong with the next, and its number."""
    number, before = 0, START
    while seals := tx.seals_after(number, _PAGE):
        rows = {row.number: row for row in tx.register_rows([seal.register for seal in seals])}
        for seal in seals:
            told = seal.register
            if seal.number != number + 1:
                return number, f"seal {number + 1} is missing: the next is seal {seal.number}", told
            row = rows.get(told)
            if row is None:
                return number, f"row {told} of the register, sealed as {seal.number}, is gone", told
            before = link(before, _entry(row))
            if before != seal.hash:
                return number, f"row {told} of the register is not what was sealed as {seal.number}", told
            if wrong := titles.apply(_entry(row)):
                return number, f"row {told} of the register cannot be true: {wrong}", told
            number = seal.number
    return number, "", None


def _check_strays(tx: Tx) -> tuple[str, int | None]:
    stray = next(iter(tx.strays(1)), None)
    if stray is None:
        return "", None
    return f"row {stray.number} of the register has no seal and does not wait for one", stray.number


def _check_head(tx: Tx, published: Head, newest: SealRow | None) -> str:
    found = tx.seal(published.number)
    if found is None:
        last = 0 if newest is None else newest.number
        return f"the register was cut off: it ends at seal {last}, and seal {published.number} was published"
    if found.hash != published.hash:
        return (
            f"the register was rewritten: seal {published.number} is {found.hash.hex()}, "
            f"and {published.hash.hex()} was published"
        )
    return ""


def _check_titles(tx: Tx, titles: Titles) -> tuple[str, int | None]:
    """Whether estates and deeds are what the register, with its rows that wait, has made of them."""
    for row in tx.unsealed(_WAITING_MAX):
        if wrong := titles.apply(_entry(row)):
            return f"row {row.number} of the register cannot be true: {wrong}", row.number
    known = dict(titles.estates)
    after = 0
    while estates := tx.estates_after(after, _ESTATES_AT_ONCE):
        after = estates[-1].number
        parcels = tx.parcels_of_all([estate.number for estate in estates])
        for estate in estates:
            told = known.pop(estate.number, None)
            if told is None:
                return f"estate {estate.number} is not in the register", None
            if told.owner != estate.owner:
                return (
                    f"estate {estate.number} is account {estate.owner}'s, and account {told.owner}'s by the register"
                ), told.row
            there = set(parcels[estate.number])
            if there != told.parcels or estate.parcels != len(there):
                odd = min(there ^ told.parcels, default=None)
                which = f": {odd}" if odd else f", counted as {estate.parcels}"
                return (f"estate {estate.number} has other parcels than by the register{which}"), told.row
    if known:
        number = min(known)
        return f"estate {number} is gone, and there by the register", known[number].row
    return "", None


def _entry(row: RegisterRow) -> Entry:
    return (
        row.number,
        row.at_ms,
        str(row.kind),
        row.estate,
        row.account,
        row.other,
        row.transfer,
        row.detail,
    )
