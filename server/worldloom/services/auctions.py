"""Auctions: bids held in escrow, and the end of offers whose time is over. One transaction each.

The highest bid lies in a purse of the auction's own; whoever is outbid has the money back in the same transaction. What
is over is settled by whoever looks first, and by a sweep: one settles, the others find nothing left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from worldloom.errors import Refusal
from worldloom.ports import Tx, locks_first
from worldloom.ports.market import ListingRow
from worldloom.realm.chain import RegisterKind
from worldloom.realm.estates import LandRules
from worldloom.realm.ledger import TREASURY, TransferKind
from worldloom.realm.market import Closing, ListingKind, end_after_bid, is_over, next_bid, shares
from worldloom.services import land, money, notices, offers, owning
from worldloom.services.asking import By, invalid
from worldloom.services.market import locked, not_for_sale, refuse_changed, trader
from worldloom.services.notices import NoticeKind
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["SWEPT_AT_ONCE", "Bid", "Due", "Settle", "bid", "due", "settle", "settle_estate"]

SWEPT_AT_ONCE = 100
"""Offers that are settled by one sweep, each in a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Bid:
    """Somebody bids for what was shown."""

    by: By
    listing: int
    amount: int
    """Minor units."""
    fingerprint: str
    """As it was shown; 32 hex digits."""
    rules: LandRules
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Somebody looks at an offer."""

    listing: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Due:
    """Which offers are over?"""

    now_ms: int
    """Unix time."""
    limit: int = SWEPT_AT_ONCE


@locks_first
def bid(tx: Tx, command: Bid) -> ListingRow:
    """Bid: the money goes into escrow, the one before has it back, a late bid extends the auction.

    Returns:
        The listing as it is then.

    Raises:
        Refusal: SOLD, it was settled; NOT_FOR_SALE, it is not open, not an auction, or over; CHANGED, the bid is too
            low by now, or the estate is not what was shown; FUNDS; FORBIDDEN, guests own nothing; INVALID, it is one's
            own, or too much for one account.
    """
    bidder = trader(command.by)
    row, estate = locked(tx, command.listing)
    if row.kind is not ListingKind.AUCTION or row.ends_ms is None:
        raise not_for_sale(f"expected an auction, got {row.listing}, an offer at a price", "buy it")
    if is_over(row.ends_ms, command.now_ms):
        raise not_for_sale(f"expected an auction that is open, got {row.listing}, which is over")
    if row.seller == bidder:
        raise invalid(f"expected somebody else's auction, got {row.listing}, your own")
    refuse_changed(row, estate, command.fingerprint)
    tx.currency.check(command.amount, "a bid")
    if command.amount < row.asked:
        asked, got = tx.currency.shown(row.asked), tx.currency.written(command.amount)
        raise Refusal(
            RefusalCode.CHANGED,
            f"expected a bid of {asked} or more, got {got}",
            hint="look again: somebody may have bid meanwhile",
        )
    _hold(tx, row, bidder, command.amount, command.now_ms)
    owning.refuse_too_much(tx, bidder, estate.parcels, command.rules)
    after = replace(
        row,
        top=bidder,
        top_bid=command.amount,
        asked=next_bid(row.price, row.step, command.amount),
        ends_ms=end_after_bid(row.ends_ms, command.now_ms),
    )
    if not tx.take_bid(row, after):
        raise offers.lost(row)
    _tell_of_bid(tx, row, after, command)
    return after


def due(tx: Tx, command: Due) -> Sequence[int]:
    """Numbers of offers that are over and not settled, longest first. Only reads."""
    return tx.due_listings(command.now_ms, command.limit)


@locks_first
def settle(tx: Tx, command: Settle) -> bool:
    """Settle an offer that is over: the highest bidder gets the estate, the seller the money; or it just ends.

    Returns:
        Whether there was anything to do.
    """
    row = tx.listing(command.listing)
    if row is None or not is_over(row.ends_ms, command.now_ms):
        return False
    estate = tx.lock_estate(row.estate)
    # Whoever had the lock before may have settled it.
    row = tx.listing(command.listing)
    if row is None or not is_over(row.ends_ms, command.now_ms):
        return False
    if row.top is None or row.top_bid is None or estate is None:
        offers.withdraw(tx, row, Closing.OVER, None, command.now_ms)
        told = {"listing": row.listing, "estate": row.estate}
        notices.tell(tx, [row.seller], NoticeKind.OVER, command.now_ms, **told)
        return True
    gets, fee = shares(row.top_bid, row.fee)
    legs = {
        money.escrow_purse(tx, row.listing): -row.top_bid,
        money.person_purse(tx, row.seller): gets,
        TREASURY: fee,
    }
    memo = f"estate {row.estate}"
    transfer = money.move(tx, TransferKind.SETTLE, legs, memo, None, row.listing, command.now_ms)
    tx.close_listing(row, Closing.SOLD, command.now_ms)
    detail = {"listing": row.listing, "price": row.top_bid}
    # Who has won gets it, however much that account has come to own meanwhile.
    land.pass_on(tx, estate, row.top, RegisterKind.AUCTION, transfer, None, command.now_ms, detail)
    told = {"listing": row.listing, "estate": row.estate, "price": row.top_bid}
    notices.tell(tx, [row.top], NoticeKind.WON, command.now_ms, **told, by=row.seller)
    notices.tell(tx, [row.seller], NoticeKind.SOLD, command.now_ms, **told, fee=fee, to=row.top)
    return True


def settle_estate(tx: Tx, estate: int, now_ms: int) -> bool:
    """Settle what is offered of an estate, if that is over: whoever looks at an estate calls this first."""
    row = tx.listing_of(estate)
    return row is not None and settle(tx, Settle(row.listing, now_ms))


def _hold(tx: Tx, row: ListingRow, bidder: int, amount: int, now_ms: int) -> None:
    """Put a bid into escrow. First the one before is paid back: it may be the same bidder's."""
    if row.top is not None:
        money.hold(tx, row.top, bidder)
    offers.give_back(tx, row, TransferKind.OUTBID, now_ms)
    legs = {money.person_purse(tx, bidder): -amount, money.escrow_purse(tx, row.listing): amount}
    money.move(tx, TransferKind.BID, legs, f"estate {row.estate}", bidder, row.listing, now_ms)


def _tell_of_bid(tx: Tx, before: ListingRow, after: ListingRow, command: Bid) -> None:
    told = {
        "listing": after.listing,
        "estate": after.estate,
        "ends_ms": after.ends_ms,
        "bid": command.amount,
        "by": after.top,
    }
    if before.top is not None and before.top != after.top:
        notices.tell(tx, [before.top], NoticeKind.OUTBID, command.now_ms, **told, back=before.top_bid)
    notices.tell(tx, [after.seller], NoticeKind.BID, command.now_ms, **told)
