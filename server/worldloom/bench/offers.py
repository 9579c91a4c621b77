"""Offers of land for buyers to buy: money for everybody, and of each one's neighbour so many listings.

Made through the server's own use cases before it starts. Knows no server and no socket.
"""

from collections.abc import Sequence
from time import time_ns

from worldloom.bench.scenarios import AWAY_M
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import Tx
from worldloom.realm.estates import LandRules
from worldloom.services import land, market, money
from worldloom.services.asking import By, Whom
from worldloom_sdk.protocol.geometry import XZ_PER_M

__all__ = ["PRICE", "SETTINGS", "Shown", "buyers_spots", "make_offers"]

PRICE = 1_000
_FEE = 250
SETTINGS = (
    "[land]",
    'claim = "anywhere"',
    "[money]",
    f"fee_percent = {_FEE / 100}",
)
"""What the server's configuration must say for the offers to be bought."""
_COINS = 10**12
_ROW, _APART_M = 8, 16
"""Accounts stand still in rows, so many metres apart, about one region: what is measured is trade."""
_PARCEL_M = 16
_AT_ONCE = 50
_RULES = LandRules(claim="anywhere", price=0)

Shown = tuple[int, str]
"""Number of a listing, and its fingerprint."""


def buyers_spots(count: int) -> list[tuple[int, int]]:
    """Where buyers stand, x and z in 1/64 m: far from every scenario."""
    return [
        ((AWAY_M + n % _ROW * _APART_M) * XZ_PER_M, (AWAY_M + n // _ROW * _APART_M) * XZ_PER_M)
        for n in range(count)
    ]


async def make_offers(url: str, buyers: int, each: int, others: int = 0) -> list[list[Shown]]:
    """Money for all buyers, and for each of them offers of its neighbour.

    Args:
        url: A database whose accounts, in order, are others and buyers.
        buyers: How many.
        each: How many offers each of them gets.
        others: How many accounts there are before the first buyer's.

    Returns:
        The offers of each buyer.
    """
    store = open_store(url)
    try:
        first = await store.run(_endow, (others, buyers))
        return [await _offers_of(store, first, n, buyers, each) for n in range(buyers)]
    finally:
        await store.close()


def _endow(tx: Tx, command: tuple[int, int]) -> int:
    """The number of the first buyer's account."""
    others, buyers = command
    first = tx.accounts_from(1, "", "", 1)[0].account + others
    for account in range(first, first + buyers):
        money.issue(tx, money.Issue(Whom(account=account), _COINS, "", 1))
    return first


async def _offers_of(store: SqlStore, first: int, buyer: int, buyers: int, count: int) -> list[Shown]:
    seller, away = first + (buyer + 1) % buyers, AWAY_M // _PARCEL_M
    shown: list[Shown] = []
    for begin in range(0, count, _AT_ONCE):
        some = range(begin, min(begin + _AT_ONCE, count))
        shown += await store.run(_sell, (seller, [(away + at, away + buyer * 4) for at in some]))
    return shown


def _sell(tx: Tx, command: tuple[int, Sequence[tuple[int, int]]]) -> list[Shown]:
    seller, parcels = command
    by, now_ms = By(seller, f"account {seller}"), time_ns() // 1_000_000
    shown = []
    for parcel in parcels:
        estate = land.claim(tx, land.Claim(by, [parcel], 0, _RULES, now_ms))
        row = market.sell(tx, market.Sell(by, estate.number, PRICE, _FEE, now_ms))
        shown.append((row.listing, row.fingerprint))
    return shown
