"""What market and leases refuse on every store: durations are said in words, amounts in the world's coins."""

from typing import Any

import pytest

from order_people import NOW
from traders import DAY, HOUR, Trader, auctioned, bidding, buying, for_sale, leasing, own, to_let, trader
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore, open_beside, open_store
from worldloom.ports import Tx
from worldloom.realm.money import Currency
from worldloom.services import auctions, land, leases, market, money
from worldloom.services.asking import Whom


def two(tx: Tx, _: None) -> tuple[Trader, Trader]:
    """Ann owns estate 1, Bob has money."""
    ann = trader(tx, "Ann")
    own(tx, ann, (0, 0), (1, 0), name="Quay")
    return ann, trader(tx, "Bob", 10_000)


async def why(store: SqlStore, use_case: Any, command: object) -> str:
    with pytest.raises(Refusal) as caught:
        await store.run(use_case, command)
    return caught.value.text


@pytest.mark.parametrize(
    ("left_ms", "got"),
    [
        (12_000, "12 seconds from now"),
        (90 * DAY + 1, "over 90 days from now"),
        (0, "less than a second from now"),
        (-90 * 60_000, "1 hour and 30 minutes ago"),
    ],
)
async def test_an_end_too_soon_or_too_late_is_refused_in_words(
    store: SqlStore, left_ms: int, got: str
) -> None:
    ann, _ = await store.run(two, None)
    for use_case, made in ((market.sell, for_sale), (market.auction, auctioned)):
        told = await why(store, use_case, made(ann, 1, 100, ends_ms=NOW + left_ms))
        assert told == f"expected an end 1 minute to 90 days from now, got one {got}"


async def test_a_period_out_of_range_is_refused_in_words(store: SqlStore) -> None:
    ann, _ = await store.run(two, None)
    for period_s, got in ((59, "59 seconds"), (367 * 24 * 3_600, "367 days")):
        told = await why(store, leases.offer_lease, to_let(ann, 1, period_s=period_s))
        assert told == f"expected a period of 1 minute to 366 days, got {got}"


async def test_who_may_not_change_what_is_leased_is_told_in_words_for_how_long(store: SqlStore) -> None:
    ann, bob = await store.run(two, None)
    offer = await store.run(leases.offer_lease, to_let(ann, 1))
    await store.run(leases.lease, leasing(bob, offer, 2))
    told = await why(store, land.abandon, land.Abandon(ann.by, 1, NOW + HOUR // 2))
    assert told == "expected an estate that is not leased, got 1, leased for 1 hour and 30 minutes more"


async def test_amounts_are_refused_in_the_coins_of_the_world(store_url: str) -> None:
    thaler = Currency("thaler", 1)
    store = open_store(store_url, currency=thaler)
    ann, bob = await store.run(two, None)
    row = await store.run(market.sell, for_sale(ann, 1, 20_000))
    told = await why(store, market.buy, buying(bob, row, price=19_999))
    assert told == "expected the price 2,000.0 thaler, got 1,999.9"
    told = await why(store, market.buy, buying(bob, row))
    assert told == "expected 2,000.0 thaler in the purse, got 1,000.0"
    await store.run(market.withdraw, market.Withdraw(ann.by, row.listing, NOW))
    told = await why(store, market.sell, for_sale(ann, 1, 0))
    assert told == "expected a price from 0.1 to 100,000,000,000,000.0 thaler, got 0.0"
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    told = await why(store, auctions.bid, bidding(bob, row, 99))
    assert told == "expected a bid of 10.0 thaler or more, got 9.9"
    await store.close()
    beside = open_beside(store_url, thaler)
    told = await why(beside, money.pay, money.Pay(bob.account, Whom(name="Ann"), 10_001, "", NOW))
    assert told == "expected 1,000.1 thaler in the purse, got 1,000.0"
    await beside.close()


async def test_one_is_not_refused_like_many(store: SqlStore) -> None:
    ann, bob = await store.run(two, None)
    offer = await store.run(leases.offer_lease, to_let(ann, 1, max_periods=1))
    told = await why(store, leases.lease, leasing(bob, offer, 2))
    assert told == "expected 1 or more and at most 1 period, got 2"
