"""The market on every store: one buyer, charged once; bids in escrow; nothing moves of what was not shown."""

import asyncio
from dataclasses import replace

import pytest

from order_people import NOW
from traders import (
    DAY,
    RULES,
    Trader,
    auctioned,
    bidding,
    buying,
    coins,
    for_sale,
    leasing,
    own,
    to_let,
    trader,
)
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.ports.market import ListingRow
from worldloom.realm.ledger import TREASURY
from worldloom.realm.market import LATE_MS, ListingKind, MarketSort
from worldloom.services import auctions, land, leases, listings, market, money, notices, register
from worldloom.services.asking import OPERATOR, Whom
from worldloom.services.auctions import Due, Settle
from worldloom.services.listings import Show, WantPage
from worldloom_sdk.protocol.messages import RefusalCode

Three = tuple[Trader, Trader, Trader]
RICH = 10_000


def three(tx: Tx, _: None) -> Three:
    """Ann owns estate 1 of two parcels and estate 2 beside it; Bob and Cat have money."""
    ann = trader(tx, "Ann")
    own(tx, ann, (0, 0), (1, 0), name="Harbour View")
    own(tx, ann, (2, 0))
    return ann, trader(tx, "Bob", RICH), trader(tx, "Cat", RICH)


def standing(tx: Tx, _: None) -> tuple[list[int], list[int], int]:
    """Owners of the first two estates, what everybody has, what the treasury has."""
    owners = [row.owner for row in tx.estates([1, 2])]
    return owners, [money.balance(tx, account).own for account in (1, 2, 3)], money.held(tx, TREASURY)


def told(tx: Tx, who: Trader) -> list[str]:
    return [str(one.kind) for one in notices.mine(tx, notices.WantNotices(who.account))]


async def refused(store: SqlStore, use_case: object, command: object) -> RefusalCode:
    with pytest.raises(Refusal) as caught:
        await store.run(use_case, command)  # type: ignore[arg-type]
    return caught.value.code


async def is_whole(store: SqlStore) -> bool:
    """All money is there, and all land is as the register tells."""
    return (await store.read(register.verify, None)).fault == ""


async def test_what_is_bought_changes_hands_with_money_fee_register_and_notice(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 1_001))
    bought = await store.run(market.buy, buying(bob, offer))
    assert await store.read(standing, None) == ([2, 1], [976, RICH - 1_001, RICH], 25)
    row = await store.read(lambda tx, _: tx.register_of(1, None, 2**62, 1)[0], None)
    assert (row.kind, row.account, row.other, row.transfer) == ("sale", 2, 1, bought.transfer)
    assert await store.read(told, ann) == ["sold"]
    assert await store.read(listings.page, WantPage(NOW)) == listings.Page([], None)
    assert await is_whole(store)


async def test_of_many_buyers_at_once_one_wins_and_is_charged_once(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 1_000))
    wishes = [buying((bob, cat)[n % 2], offer) for n in range(24)]
    outcomes = await asyncio.gather(*(store.run(market.buy, wish) for wish in wishes), return_exceptions=True)
    bought = [one for one in outcomes if isinstance(one, market.Bought)]
    assert len(bought) == 1
    assert [one.code for one in outcomes if isinstance(one, Refusal)] == [RefusalCode.SOLD] * 23
    owners, purses, treasury = await store.read(standing, None)
    assert purses[owners[0] - 1] == RICH - 1_000
    assert (sum(purses), treasury) == (2 * RICH - 25, 25)
    assert await is_whole(store)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"price": 999}, RefusalCode.CHANGED),
        ({"fingerprint": "0" * 32}, RefusalCode.CHANGED),
        ({"listing": 99}, RefusalCode.NOT_FOUND),
        ({"rules": replace(RULES, owner_max=1)}, RefusalCode.INVALID),
        ({"by": OPERATOR}, RefusalCode.FORBIDDEN),
    ],
)
async def test_what_was_not_shown_is_not_sold(store: SqlStore, changed: dict, code: RefusalCode) -> None:
    ann, bob, _ = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 1_000))
    before = await store.read(standing, None)
    assert await refused(store, market.buy, buying(bob, offer, **changed)) is code
    assert await store.read(standing, None) == before
    assert await store.read(lambda tx, _: tx.listing(offer.listing), None) == offer


async def test_nobody_buys_their_own_or_what_they_cannot_pay(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, RICH + 1))
    assert await refused(store, market.buy, buying(ann, offer)) is RefusalCode.INVALID
    assert await refused(store, market.buy, buying(bob, offer)) is RefusalCode.FUNDS
    assert await store.read(standing, None) == ([1, 1], [0, RICH, RICH], 0)


async def test_an_offer_to_one_account_is_for_that_one(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 5, only=bob.account))
    pages = [await store.read(listings.page, WantPage(NOW, viewer=viewer)) for viewer in (None, 1, 2, 3)]
    assert [len(page.rows) for page in pages] == [0, 1, 1, 0]
    with pytest.raises(Refusal) as caught:
        await store.read(listings.show, Show(NOW, offer.listing, viewer=cat.account))
    assert caught.value.code is RefusalCode.NOT_FOR_SALE
    assert await refused(store, market.buy, buying(cat, offer)) is RefusalCode.NOT_FOR_SALE
    await store.run(market.buy, buying(bob, offer))
    for only in (1, 99):
        assert await refused(store, market.sell, for_sale(ann, 2, 5, only=only)) is RefusalCode.INVALID


async def test_an_offer_ends_at_its_time_to_the_millisecond(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 5, ends_ms=NOW + DAY))
    late = buying(bob, offer, now_ms=NOW + DAY)
    assert await refused(store, market.buy, late) is RefusalCode.NOT_FOR_SALE
    assert await store.read(listings.page, WantPage(NOW + DAY)) == listings.Page([], None)
    assert await store.run(auctions.settle, Settle(offer.listing, NOW + DAY)) is True
    assert await store.read(told, ann) == ["over"]
    assert await refused(store, market.buy, late) is RefusalCode.NOT_FOR_SALE
    await store.run(market.buy, buying(bob, await store.run(market.sell, for_sale(ann, 1, 5))))


async def test_an_estate_is_offered_once_and_by_its_owner(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 5))
    assert await refused(store, market.sell, for_sale(ann, 1, 6)) is RefusalCode.INVALID
    assert await refused(store, market.auction, auctioned(ann, 1)) is RefusalCode.INVALID
    assert await refused(store, market.sell, for_sale(bob, 2, 6)) is RefusalCode.FORBIDDEN
    taking = market.Withdraw(bob.by, offer.listing, NOW)
    assert await refused(store, market.withdraw, taking) is RefusalCode.FORBIDDEN
    await store.run(market.withdraw, replace(taking, by=ann.by))
    assert await refused(store, market.withdraw, replace(taking, by=ann.by)) is RefusalCode.NOT_FOR_SALE
    assert await refused(store, market.buy, buying(bob, offer)) is RefusalCode.NOT_FOR_SALE
    for wrong in ({"price": 0}, {"price": 10**15 + 1}, {"ends_ms": NOW + 1}, {"ends_ms": NOW + 91 * DAY}):
        assert await refused(store, market.sell, for_sale(ann, 1, 6, **wrong)) is RefusalCode.INVALID
    for wrong in ({"price": 0}, {"step": 0}, {"ends_ms": NOW}):
        assert await refused(store, market.auction, auctioned(ann, 1, **wrong)) is RefusalCode.INVALID


async def test_whatever_changes_shape_or_owner_takes_the_estate_off_the_market(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    acts = [
        (land.split, land.Split(ann.by, 1, [(1, 0)], NOW)),
        (land.join, land.Join(ann.by, 1, 3, RULES, NOW)),
        (land.join, land.Join(ann.by, 2, 1, RULES, NOW)),
    ]
    for act, command in acts:
        offer = await store.run(market.sell, for_sale(ann, 1, 5))
        await store.run(leases.offer_lease, to_let(ann, 1))
        await store.run(act, command)
        assert await store.read(lambda tx, _: (tx.listing_of(1), tx.lease_offer(1)), None) == (None, None)
        assert await refused(store, market.buy, buying(bob, offer)) is RefusalCode.NOT_FOR_SALE
    offer = await store.run(market.sell, for_sale(ann, 2, 5))
    await store.run(land.give, land.Give(ann.by, 2, Whom(account=cat.account), RULES, NOW))
    assert await refused(store, market.buy, buying(bob, offer)) is RefusalCode.NOT_FOR_SALE
    offer = await store.run(market.sell, for_sale(cat, 2, 5))
    await store.run(land.abandon, land.Abandon(cat.by, 2, NOW))
    assert await refused(store, market.buy, buying(bob, offer)) is RefusalCode.NOT_FOR_SALE
    assert await is_whole(store)


async def test_who_is_outbid_has_the_money_back_at_once(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    assert await refused(store, auctions.bid, bidding(bob, row, 99)) is RefusalCode.CHANGED
    row = await store.run(auctions.bid, bidding(bob, row, 100))
    assert await store.read(standing, None) == ([1, 1], [0, RICH - 100, RICH], 0)
    assert await refused(store, auctions.bid, bidding(cat, row, 109)) is RefusalCode.CHANGED
    row = await store.run(auctions.bid, bidding(cat, row, 500))
    assert await store.read(standing, None) == ([1, 1], [0, RICH, RICH - 500], 0)
    # The money of one's own bid before counts.
    row = await store.run(auctions.bid, bidding(cat, row, RICH))
    assert await store.read(standing, None) == ([1, 1], [0, RICH, 0], 0)
    assert (row.top, row.top_bid, row.asked) == (cat.account, RICH, RICH + 10)
    assert [await store.read(told, who) for who in (ann, bob, cat)] == [["bid"] * 3, ["outbid"], []]
    assert (
        await refused(store, market.withdraw, market.Withdraw(ann.by, row.listing, NOW)) is RefusalCode.LOCKED
    )
    assert await store.read(listings.trades, cat.account) == listings.Trades([], [row])
    assert await store.read(listings.trades, ann.account) == listings.Trades([row], [])


async def test_an_auction_takes_bids_for_what_was_shown_by_others_than_the_seller(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    offer = await store.run(market.sell, for_sale(ann, 2, 5))
    wrong = {
        RefusalCode.INVALID: bidding(ann, row, 100),
        RefusalCode.CHANGED: bidding(bob, row, 100, fingerprint=offer.fingerprint),
        RefusalCode.FUNDS: bidding(bob, row, RICH + 1),
        RefusalCode.NOT_FOR_SALE: bidding(bob, offer, 100),
        RefusalCode.FORBIDDEN: bidding(bob, row, 100, by=OPERATOR),
        RefusalCode.NOT_FOUND: bidding(bob, row, 100, listing=99),
    }
    for code, command in wrong.items():
        assert await refused(store, auctions.bid, command) is code
    assert await refused(store, market.buy, buying(bob, row)) is RefusalCode.NOT_FOR_SALE
    assert await store.read(standing, None) == ([1, 1], [0, RICH, RICH], 0)


async def test_a_late_bid_gives_the_others_time_to_answer(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    row = await store.run(auctions.bid, bidding(bob, row, 100, now_ms=NOW + DAY - LATE_MS))
    assert row.ends_ms == NOW + DAY
    row = await store.run(auctions.bid, bidding(cat, row, 110, now_ms=NOW + DAY - 1))
    assert row.ends_ms == NOW + DAY - 1 + LATE_MS
    row = await store.run(auctions.bid, bidding(bob, row, 120, now_ms=row.ends_ms - 1))
    over = bidding(cat, row, 999, now_ms=row.ends_ms)
    assert await refused(store, auctions.bid, over) is RefusalCode.NOT_FOR_SALE


async def test_an_auction_is_settled_once_by_whoever_looks_first(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    row = await store.run(auctions.bid, bidding(bob, row, 1_000))
    early = Settle(row.listing, NOW + DAY - 1)
    assert await store.run(auctions.settle, early) is False
    assert await store.read(auctions.due, Due(NOW + DAY)) == [row.listing]
    # What the seller still could do in the last second before somebody looks.
    split = land.Split(ann.by, 1, [(1, 0)], NOW + DAY)
    with pytest.raises(Refusal, match=r"with a bid of 10\.00 ") as caught:
        await store.run(land.split, split)
    assert caught.value.code is RefusalCode.LOCKED
    looks = [store.run(auctions.settle, Settle(row.listing, NOW + DAY)) for _ in range(12)]
    assert sorted(await asyncio.gather(*looks)) == [False] * 11 + [True]
    assert await store.read(standing, None) == ([2, 1], [975, RICH - 1_000, RICH], 25)
    assert [await store.read(told, who) for who in (ann, bob)] == [["sold", "bid"], ["won"]]
    with pytest.raises(Refusal, match=r"which was sold to Bob for 10\.00 crown") as late:
        await store.read(listings.show, listings.Show(NOW + DAY, row.listing))
    assert late.value.code is RefusalCode.SOLD
    assert await is_whole(store)


async def test_a_settlement_that_breaks_in_the_midst_is_done_by_the_next(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob, _ = await store.run(three, None)
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    row = await store.run(auctions.bid, bidding(bob, row, 1_000))
    before = await store.read(standing, None)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(notices, "tell", crash)
        with pytest.raises(RuntimeError):
            await store.run(auctions.settle, Settle(row.listing, NOW + DAY))
    assert await store.read(standing, None) == before
    assert await store.run(auctions.settle, Settle(row.listing, NOW + DAY)) is True
    assert await store.run(auctions.settle, Settle(row.listing, NOW + DAY)) is False
    assert await store.read(standing, None) == ([2, 1], [975, RICH - 1_000, RICH], 25)


async def test_an_auction_without_a_bid_just_ends(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    row = await store.run(market.auction, auctioned(ann, 1))
    await store.run(auctions.settle, Settle(row.listing, NOW + DAY))
    assert await store.read(standing, None) == ([1, 1], [0, RICH, RICH], 0)
    assert await refused(store, auctions.bid, bidding(bob, row, 100)) is RefusalCode.NOT_FOR_SALE


async def test_what_the_operator_takes_back_is_paid_back_to_who_bid(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    offer = await store.run(leases.offer_lease, to_let(ann, 1))
    await store.run(leases.lease, leasing(cat, offer))
    row = await store.run(market.auction, auctioned(ann, 1, 100))
    row = await store.run(auctions.bid, bidding(bob, row, 1_000))
    await store.run(land.take, land.Take(OPERATOR, 1, "", NOW))
    assert await store.read(coins, bob) == RICH
    assert [await store.read(told, who) for who in (bob, cat)] == [["refunded"], ["lease_ended"]]
    assert await refused(store, auctions.bid, bidding(bob, row, 1_010)) is RefusalCode.NOT_FOR_SALE
    assert await is_whole(store)


async def test_what_is_shown_of_an_offer_is_all_that_a_buyer_must_know(store: SqlStore) -> None:
    ann, bob, cat = await store.run(three, None)
    lease = await store.run(leases.lease, leasing(cat, await store.run(leases.offer_lease, to_let(ann, 1))))
    row = await store.run(market.sell, for_sale(ann, 1, 70))
    shown = await store.read(listings.show, Show(NOW, estate=1, viewer=bob.account))
    assert shown == await store.read(listings.show, Show(NOW, row.listing))
    assert (shown.listing, shown.parcels, shown.seller_name) == (row, ((0, 0), (1, 0)), "Ann")
    assert (shown.lease, shown.estate.number, shown.is_over) == (lease, 1, False)
    # The tenant stays on: that is no longer what was shown.
    await store.run(leases.renew, leases.Renew(cat.by, lease.lease, 1, NOW))
    assert await refused(store, market.buy, buying(bob, row)) is RefusalCode.CHANGED
    row = (await store.read(listings.show, Show(NOW, estate=1))).listing
    await store.run(market.buy, buying(bob, row))


def shop(tx: Tx, _: None) -> list[ListingRow]:
    """Twelve estates in a row, each a parcel more than the one before, every third at auction."""
    ann = trader(tx, "Ann")
    made = []
    for n in range(12):
        parcels = [(100 * n + k, 0) for k in range(n + 1)]
        estate = own(tx, ann, *parcels, name=f"Plot {'Straße' if n % 2 else 'Field'} {n}")
        if n % 3:
            row = market.sell(tx, for_sale(ann, estate.number, 1_000 - 10 * (n // 2), ends_ms=None))
        else:
            row = market.auction(tx, auctioned(ann, estate.number, 500 + n, ends_ms=NOW + DAY - n))
        made.append(row)
    return made


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        (MarketSort.NEWEST, lambda row: -row.listing),
        (MarketSort.PRICE, lambda row: (row.asked, row.listing)),
        (MarketSort.SIZE, lambda row: (-row.parcels, -row.listing)),
        (MarketSort.ENDS, lambda row: (row.ends_ms or 2**60, row.listing)),
    ],
)
async def test_pages_follow_on_each_other_in_every_order(store: SqlStore, sort: MarketSort, key) -> None:
    made = await store.run(shop, None)
    found, after = [], None
    for _ in range(3):
        page = await store.read(listings.page, WantPage(NOW, sort, 5, after=after))
        found, after = [*found, *(one.listing for one in page.rows)], page.next
    assert after is None
    assert found == sorted(made, key=key)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"kind": ListingKind.AUCTION}, {1, 4, 7, 10}),
        ({"price_from": 500, "price_to": 503}, {1, 4}),
        ({"parcels_from": 11}, {11, 12}),
        ({"name": "STRASSE 1"}, {2, 12}),
        ({"name": "%"}, set()),
        ({"near": (1_608, 8, 32)}, {2}),
        ({"near": (1_608, 8, 1_616)}, {1, 2, 3}),
        ({"near": (-8_000_000, 8_000_000, 4_096)}, set()),
        ({"now_ms": NOW + DAY - 5}, {1, 2, 3, 4, 5, 6, 8, 9, 11, 12}),
    ],
)
async def test_a_page_has_what_was_asked_for(store: SqlStore, wanted: dict, numbers: set[int]) -> None:
    await store.run(shop, None)
    page = await store.read(listings.page, WantPage(**{"now_ms": NOW, **wanted}))
    assert {one.listing.listing for one in page.rows} == numbers
    assert all(one.seller_name == "Ann" and one.estate_name.startswith("Plot") for one in page.rows)


async def test_an_estate_is_found_by_its_new_name(store: SqlStore) -> None:
    ann, _, _ = await store.run(three, None)
    await store.run(market.sell, for_sale(ann, 1, 5))
    await store.run(land.describe, land.Describe(ann.by, 1, NOW, name="Castle"))
    found = [await store.read(listings.page, WantPage(NOW, name=name)) for name in ("harbour", "castl")]
    assert [[one.estate_name for one in page.rows] for page in found] == [[], ["Castle"]]


@pytest.mark.parametrize("wrong", [{"price_to": -1}, {"near": (0, 0, 4_097)}, {"near": (10**8, 0, 5)}])
async def test_a_page_beyond_the_bounds_is_refused(store: SqlStore, wrong: dict) -> None:
    with pytest.raises(Refusal) as caught:
        await store.read(listings.page, WantPage(NOW, **wrong))
    assert caught.value.code is RefusalCode.INVALID


async def test_the_register_tells_what_ran_out_from_what_was_withdrawn(store: SqlStore) -> None:
    ann, _, _ = await store.run(three, None)
    for make in (
        (market.auction, auctioned(ann, 1)),
        (market.sell, for_sale(ann, 1, 100, ends_ms=NOW + DAY)),
    ):
        row = await store.run(*make)
        await store.run(auctions.settle, Settle(row.listing, NOW + DAY))
    row = await store.run(market.sell, for_sale(ann, 1, 100))
    await store.run(market.withdraw, market.Withdraw(ann.by, row.listing, NOW))
    rows = await store.read(lambda tx, _: tx.register_of(1, None, 2**62, 6), None)
    kinds = [str(row.kind) for row in reversed(rows)]
    assert kinds == ["list", "over", "list", "over", "list", "withdraw"]
    assert await is_whole(store)
