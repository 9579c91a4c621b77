"""Ports of money: purses, transfers and receipts, as rows and as the part of a transaction that keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from worldloom.realm.ledger import PurseKind, TransferKind
from worldloom.realm.money import Currency

__all__ = ["DayRow", "EntryRow", "GrantRow", "MoneyTx", "PurseRow", "ReceiptRow", "TooLittle", "TransferRow"]


class TooLittle(Exception):
    """A purse has less than it is to give, or there is none.

    Args:
        purse: Its number.
    """

    def __init__(self, purse: int) -> None:
        super().__init__(f"purse {purse}")
        self.purse = purse


@dataclass(frozen=True, slots=True)
class PurseRow:
    """A purse and what is in it."""

    purse: int
    """From 1."""
    kind: PurseKind
    account: int | None
    """Whose it is; of persons' and grants."""
    ref: int | None
    """For which listing it keeps a bid; of escrow."""
    balance: int
    """Minor units, as the row has it: what rests is not in it yet."""


@dataclass(frozen=True, slots=True)
class TransferRow:
    """What happened to money, without whose."""

    at_ms: int
    """Unix time."""
    kind: TransferKind
    memo: str
    by: int | None
    """The account that did it; None: the operator, or the server itself."""
    ref: int | None
    """The listing, estate or lease that it is about."""
    transfer: int = 0
    """Its number, given by the database: 0 while it is not written."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One posting of a purse, as a statement has it."""

    transfer: TransferRow
    purse: int
    amount: int
    """Minor units: what the purse got, negative for what it gave."""
    others: tuple[tuple[PurseKind, str], ...]
    """The other purses of the transfer: kind, and name of the account where there is one."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """What one kind of transfer brought a purse on one day."""

    day: int
    """Days since 1970-01-01, UTC."""
    kind: TransferKind
    count: int
    got: int
    gave: int
    """Minor units, 0 or more; so ``got``."""


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A newcomer was given money. Forgotten after a day."""

    account: int
    network: str
    """Of the address: an IPv4 /32 or an IPv6 /64."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """What was answered to a request that carried a key."""

    account: int
    key: bytes
    """16 bytes, made by the client."""
    request: bytes
    """The SHA-256 of what was asked: 32 bytes."""
    answer: bytes
    """MessagePack; of a refusal: [code, text, hint]."""
    refused: bool
    at_ms: int


class MoneyTx(Protocol):
    """The part of a transaction that keeps money."""

    @property
    def currency(self) -> Currency:
        """How amounts are written in what people read."""

    def start_over(self) -> None:
        """Undo all that this transaction has done, and let go of what it holds: what follows is as in a new one."""

    def purses(self, numbers: Sequence[int]) -> Sequence[PurseRow]:
        """The purses of these numbers, ascending; numbers of none are passed over."""

    def purses_of(self, *accounts: int) -> Sequence[PurseRow]:
        """The purses of accounts, ascending: of each its own, its grant, either or none."""

    def purses_from(self, number: int, limit: int) -> Sequence[PurseRow]:
        """All purses from this number on, ascending."""

    def make_purse(self, kind: PurseKind, account: int | None, ref: int | None) -> int:
        """The number of the one purse of that kind for an account or a listing; made if there is none."""

    def change_balance(self, purse: int, amount: int) -> bool:
        """Add to a purse's row, or take from it; False, with nothing done, if it has less or is not there."""

    def post(self, row: TransferRow, postings: Sequence[tuple[int, int]]) -> int:
        """Change the rows of purses, and write down the transfer and its postings, (purse, amount); its number.

        Purses are changed in the order of ``postings``: ascending, so that two cannot wait for each other crosswise.
        Those that rest (``ledger.rests``) are put where ``fold`` finds them, and their rows are not touched. The
        database refuses postings that do not sum to zero, and a purse that there is not.

        Raises:
            TooLittle: A purse has less than it is to give, or there is none. Some of it may be done: the whole
                transaction must be given up.
        """

    def resting(self) -> Mapping[int, int]:
        """What waits to be added to the rows of purses: sum by purse."""

    def fold(self, limit: int) -> int:
        """Add what rests to the rows of its purses, at most so many postings; how many."""

    def entries(self, purses: Sequence[int], before: int, limit: int) -> Sequence[EntryRow]:
        """The postings of purses in transfers below a number, newest first."""

    def transfer(self, number: int) -> TransferRow | None:
        """A transfer, without whose; None if there is none of that number."""

    def postings(self, number: int) -> Sequence[tuple[int, int]]:
        """What a transfer gave to purses, (purse, amount); by purse."""

    def by_day(self, purse: int, since_ms: int) -> Sequence[DayRow]:
        """What a purse got and gave since then, by day and kind; newest first."""

    def last_transfer(self) -> int:
        """The highest number of a transfer, or of a posting's, 0 if there is none."""

    def posted(self, after: int, until: int) -> Mapping[int, int]:
        """Sums by purse of the postings of transfers ``after < number <= until``."""

    def unbalanced(self, after: int, until: int, limit: int) -> Sequence[tuple[int, int, int]]:
        """Transfers in the same range that are no transfers: (number, postings, sum); ascending.

        Those whose postings are fewer than two or do not sum to zero; and postings without a transfer.
        """

    def resting_amiss(self, limit: int) -> Sequence[tuple[int, int, int]]:
        """What rests and is not as it was posted: (transfer, purse, amount)."""

    def reserve_receipt(self, row: ReceiptRow) -> bool:
        """Store a receipt unless its account has one of that key; whether it was stored."""

    def receipt(self, account: int, key: bytes) -> ReceiptRow | None:
        """The receipt of a key."""

    def receipts_at(self, account: int, at_ms: int) -> Sequence[ReceiptRow]:
        """The receipts of an account from one moment, by key."""

    def answer_receipt(self, row: ReceiptRow) -> None:
        """Put the answer into a receipt that this transaction reserved."""

    def delete_receipts(self, before_ms: int, limit: int) -> int:
        """Delete receipts from before then, at most so many; how many."""

    def count_grants(self, network: str, since_ms: int) -> int:
        """Newcomers from a network who were given money since then."""

    def insert_grant(self, row: GrantRow) -> None:
        """Remember that a newcomer was given money."""

    def delete_grants(self, before_ms: int, limit: int) -> int:
        """Forget grants from before then, at most so many; how many."""
