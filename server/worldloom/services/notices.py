"""Notices: what accounts are told of what happened to their land and money, written in the transaction of the event.

They have the account of the other side; its name is looked up when they are read, so that it is the present one.
Whoever delivers them follows by number. Where several hosts write, a lower number may be committed after a higher one:
a number that is missing is asked for again for a while, so that nothing is passed over and nothing is told twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec

from worldloom.ports import Tx
from worldloom.ports.market import NoticeRow

__all__ = [
    "AT_ONCE",
    "GAPS_MAX",
    "GAP_MS",
    "KEPT",
    "KEPT_MS",
    "PAGE_MAX",
    "TIDIED_AT_ONCE",
    "Following",
    "Notice",
    "NoticeKind",
    "Read",
    "Seek",
    "WantNotices",
    "follow",
    "head",
    "mine",
    "read",
    "tell",
    "tidy",
    "unread",
]

KEPT_MS = 30 * 24 * 3_600_000
"""How long a notice is kept; likewise how a listing ended."""
KEPT = 200
"""Notices that are kept of one account."""
PAGE_MAX = 100
AT_ONCE = 200
"""Notices that are followed by one query."""
TIDIED_AT_ONCE = 1_000
GAP_MS = 20_000
"""How long a number that is missing is asked for: longer than any transaction may take."""
GAPS_MAX = 1_000
"""Numbers that are asked for again; of more, the lowest are given up."""


class NoticeKind(StrEnum):
    """What somebody is told."""

    SOLD = "sold"
    """To the seller: listing, estate, price, fee, to whom."""
    WON = "won"
    """To the highest bidder of an auction that is over: listing, estate, price, of whom."""
    BID = "bid"
    """To the seller: who bids."""
    OUTBID = "outbid"
    """To who was ahead, and has the money back: who bids more."""
    OVER = "over"
    """To the seller: the offer ended, and nobody had bought."""
    REFUNDED = "refunded"
    """To the highest bidder: the auction, and whose, ended without a sale, the money is back."""
    LEASED = "leased"
    """To the owner: who has leased the estate."""
    RENEWED = "renewed"
    """To the owner: the tenant stays on."""
    RENT_DUE = "rent_due"
    """To the tenant: the lease is about to end, and whose the estate is."""
    LEASE_ENDED = "lease_ended"
    """To tenant and owner, to each of the other."""
    GIVEN = "given"
    """To who was given an estate: by whom."""
    TAKEN = "taken"
    """To whose land the operator took: estate, its name, the reason."""
    PAID = "paid"
    """To who was paid: by whom."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that an account is told."""

    notice: int
    """Its number."""
    account: int
    kind: NoticeKind | str
    """What a newer server wrote stays the text that is stored."""
    at_ms: int
    detail: Mapping[str, Any]
    read: bool
    other: int = 0
    """The account on the other side; 0: there is none."""
    other_name: str = ""
    """As it is called now; empty if it is gone."""


@dataclass(frozen=True, slots=True)
class WantNotices:
    """Somebody asks for what there was."""

    account: int
    before: int | None = None
    """Those before that number; None: the newest."""
    limit: int = PAGE_MAX


@dataclass(frozen=True, slots=True)
class Read:
    """Somebody has read everything up to a number."""

    account: int
    until: int


@dataclass(frozen=True, slots=True)
class Seek:
    """What is new: numbers after one, and some that were missing before it."""

    after: int
    missing: tuple[int, ...] = ()
    limit: int = AT_ONCE


def tell(tx: Tx, accounts: Iterable[int], kind: NoticeKind, now_ms: int, **detail: int | str | None) -> None:
    """Tell accounts something, in the transaction of the event itself.

    Args:
        tx: The transaction.
        accounts: Whom.
        kind: What happened.
        now_ms: Unix time.
        detail: What it is about, by names that ``services.showing`` knows; ``to`` or ``by`` is the account on the other
            side.
    """
    packed = msgspec.msgpack.encode({name: value for name, value in detail.items() if value is not None})
    tx.insert_notices([NoticeRow(0, account, kind.value, now_ms, packed) for account in accounts])


def mine(tx: Tx, command: WantNotices) -> Sequence[Notice]:
    """An account's notices, newest first."""
    limit = max(1, min(command.limit, PAGE_MAX))
    return _with_names(tx, [_notice(row) for row in tx.notices_of(command.account, command.before, limit)])


def unread(tx: Tx, accounts: Sequence[int]) -> Sequence[Notice]:
    """What accounts have not read: of each the newest hundred at most, ascending. Only reads."""
    pages = (tx.notices_of(account, None, PAGE_MAX) for account in accounts)
    return _with_names(tx, [_notice(row) for page in pages for row in reversed(page) if not row.read])


def read(tx: Tx, command: Read) -> int:
    """Remember that somebody has read them; how many were new."""
    return tx.read_notices(command.account, command.until)


def head(tx: Tx, _: None) -> int:
    """The number to follow from: whoever comes from now on asks for what there was. Only reads."""
    return tx.last_notice()


def follow(tx: Tx, command: Seek) -> Sequence[Notice]:
    """What is new, ascending. Only reads."""
    late = tx.notices_numbered(command.missing)
    return _with_names(tx, [_notice(row) for row in (*late, *tx.notices_after(command.after, command.limit))])


def tidy(tx: Tx, now_ms: int) -> int:
    """Delete what is too old or too much, a bounded part in each call; how many rows."""
    return tx.delete_told(now_ms - KEPT_MS, KEPT, TIDIED_AT_ONCE)


@dataclass(slots=True)
class Following:
    """How far somebody has followed, and which numbers were missing on the way.

    Args:
        number: The highest that is known.
    """

    number: int
    missing: dict[int, int] = field(default_factory=dict)
    """Until when each is asked for, by number."""

    def seek(self) -> Seek:
        """What to ask for next."""
        return Seek(self.number, tuple(self.missing))

    def take(self, found: Sequence[Notice], now_ms: int) -> Sequence[Notice]:
        """Note what was found.

        Args:
            found: The answer to ``seek``, of the same state.
            now_ms: Unix time, or any clock that does not go back.

        Returns:
            What is new in it: each notice once, as long as this lives.
        """
        new = [one for one in found if one.notice > self.number or one.notice in self.missing]
        for one in new:
            self.missing.pop(one.notice, None)
            # A long gap is no transactions that are under way: a table was brought in, or tidied.
            first = max(self.number + 1, one.notice - GAPS_MAX)
            self.missing.update(dict.fromkeys(range(first, one.notice), now_ms + GAP_MS))
            self.number = max(self.number, one.notice)
        self.missing = {
            number: until for number, until in sorted(self.missing.items())[-GAPS_MAX:] if until > now_ms
        }
        return new


def _notice(row: NoticeRow) -> Notice:
    known = row.kind in NoticeKind.__members__.values()
    kind = NoticeKind(row.kind) if known else row.kind
    detail = msgspec.msgpack.decode(row.detail)
    other = next((value for name in ("to", "by") if type(value := detail.get(name)) is int), 0)
    return Notice(row.notice, row.account, kind, row.at_ms, detail, row.read, other)


def _with_names(tx: Tx, found: Sequence[Notice]) -> list[Notice]:
    """Notices with the present names of the other sides, all by one query."""
    others = sorted({one.other for one in found if one.other})
    names = {row.account: row.name for row in tx.accounts(others)}
    return [replace(one, other_name=names.get(one.other, "")) for one in found]
