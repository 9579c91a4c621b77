"""Market: the arithmetic and the rules of fixed prices and auctions. Knows no account, no estate and no time of day.

Money is integer minor units, times are Unix milliseconds.
"""

import unicodedata
from collections.abc import Collection
from enum import StrEnum

from worldloom.realm.estates import Parcel
from worldloom.realm.money import fee_of

__all__ = [
    "DURATION_MAX_MS",
    "DURATION_MIN_MS",
    "LATE_MS",
    "NO_END_MS",
    "Closing",
    "ListingKind",
    "MarketSort",
    "end_after_bid",
    "folded",
    "is_over",
    "next_bid",
    "seat",
    "shares",
]

LATE_MS = 5 * 60_000
"""A bid so late before the end moves the end so far behind the bid."""
DURATION_MIN_MS = 60_000
"""Of an auction, and of an offer with an end."""
DURATION_MAX_MS = 90 * 24 * 3_600_000
NO_END_MS = 2**53 - 1
"""In an order by their ends, the place of offers without one."""


class ListingKind(StrEnum):
    """How an estate is offered."""

    SALE = "sale"
    """At a price, to whoever pays it first."""
    AUCTION = "auction"
    """To whoever bids most until it ends."""


class MarketSort(StrEnum):
    """In which order the market is shown; equal ones by number."""

    NEWEST = "newest"
    PRICE = "price"
    """The cheapest first."""
    SIZE = "size"
    """The largest first."""
    ENDS = "ends"
    """What ends soonest first, what has no end last."""


class Closing(StrEnum):
    """Why a listing is no longer open."""

    SOLD = "sold"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"
    """The estate's shape or owner changed."""
    OVER = "over"
    """Its time ran out, and nobody had bought."""


def shares(amount: int, fee: int) -> tuple[int, int]:
    """What the seller gets of an amount, and what the treasury; together all of it.

    Args:
        amount: Minor units.
        fee: In hundredths of a percent, 0 to 10,000; what is not whole is the seller's.
    """
    treasury = fee_of(amount, fee)
    return amount - treasury, treasury


def next_bid(price: int, step: int, top_bid: int | None) -> int:
    """The least that the next bid must be.

    Args:
        price: What the first must be.
        step: What each must be above the one before.
        top_bid: The highest so far, if there is one.
    """
    return price if top_bid is None else top_bid + step


def end_after_bid(ends_ms: int, now_ms: int) -> int:
    """When an auction ends after a bid: a late one leaves the others time to answer."""
    return max(ends_ms, now_ms + LATE_MS)


def is_over(ends_ms: int | None, now_ms: int) -> bool:
    """Whether an offer has ended; from its last millisecond on, nobody can take it."""
    return ends_ms is not None and now_ms >= ends_ms


def folded(name: str) -> str:
    """A name as it is stored and looked for: without regard to case and forms of characters; 255 at most."""
    return unicodedata.normalize("NFKC", name).casefold()[:255]


def seat(parcels: Collection[Parcel]) -> Parcel:
    """The parcel that says where an estate is: the one nearest to its middle.

    Args:
        parcels: At least one, in any order.

    Raises:
        ValueError: There is none.
    """
    if not parcels:
        raise ValueError("expected one or more parcels, got none")
    count, sum_x, sum_z = len(parcels), sum(px for px, _ in parcels), sum(pz for _, pz in parcels)

    def away(at: Parcel) -> int:
        """How far it is from the middle, squared, in whole numbers: the same on every machine."""
        return (count * at[0] - sum_x) ** 2 + (count * at[1] - sum_z) ** 2

    return min(parcels, key=lambda at: (away(at), at))
