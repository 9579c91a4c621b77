"""Leases on every store: prepaid, renewed on the same terms, and over to the millisecond, whoever looks."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from order_people import NOW
from traders import (
    DAY,
    HOUR,
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
from worldloom.ports.market import LeaseOfferRow, LeaseRow
from worldloom.realm.ledger import TREASURY
from worldloom.realm.money import Currency
from worldloom.services import auctions, land, leases, listings, market, money, notices, offers, register
from worldloom.services.asking import OPERATOR, Whom
from worldloom.services.listings import ShowLease, WantPage
from worldloom.services.notices import Notice, NoticeKind
from worldloom_sdk.protocol.messages import RefusalCode

RICH = 10_000
MISSING = ", {} of rent not paid back"


def let(tx: Tx, _: None) -> tuple[Trader, Trader, Trader, LeaseOfferRow]:
    """Ann's estate 1 of two parcels is to let by the hour; Bob and Cat have money."""
    ann = trader(tx, "Ann")
    own(tx, ann, (0, 0), (1, 0), name="Quay")
    return ann, trader(tx, "Bob", RICH), trader(tx, "Cat", RICH), leases.offer_lease(tx, to_let(ann, 1))


def tenant_at(tx: Tx, now_ms: int) -> int | None:
    row = offers.lease_in_force(tx, 1, now_ms)
    return None if row is None else row.tenant


def purses(tx: Tx, _: None) -> tuple[list[int], int]:
    return [money.balance(tx, account).own for account in (1, 2, 3)], money.held(tx, TREASURY)


def mine(tx: Tx, who: Trader) -> Sequence[Notice]:
    return notices.mine(tx, notices.WantNotices(who.account))


def told(tx: Tx, who: Trader) -> list[str]:
    return [str(one.kind) for one in mine(tx, who)]


async def refused(store: SqlStore, use_case: object, command: object) -> RefusalCode:
    with pytest.raises(Refusal) as caught:
        await store.run(use_case, command)  # type: ignore[arg-type]
    return caught.value.code


async def leased(store: SqlStore) -> tuple[Trader, Trader, Trader, LeaseRow]:
    ann, bob, cat, offer = await store.run(let, None)
    return ann, bob, cat, await store.run(leases.lease, leasing(bob, offer, 2))


async def test_a_lease_is_paid_at_once_and_grants_until_the_millisecond_of_its_end(store: SqlStore) -> None:
    ann, _, _, row = await leased(store)
    assert await store.read(purses, None) == ([195, RICH - 200, RICH], 5)
    moments = (NOW - 1, NOW, NOW + 2 * HOUR - 1, NOW + 2 * HOUR)
    assert [await store.read(tenant_at, moment) for moment in moments] == [None, 2, 2, None]
    assert await store.read(told, ann) == ["leased"]
    last = await store.read(lambda tx, _: tx.register_of(1, None, 2**62, 1)[0], None)
    assert (last.kind, last.account, last.other) == ("lease", 2, 1)
    rented = [await store.read(lambda tx, at: leases.rented_by(tx, 2, at), at) for at in moments[1:]]
    assert rented == [[row], [row], []]


async def test_of_many_tenants_at_once_one_gets_it(store: SqlStore) -> None:
    _, bob, cat, offer = await store.run(let, None)
    wishes = [leasing((bob, cat)[n % 2], offer) for n in range(16)]
    outcomes = await asyncio.gather(
        *(store.run(leases.lease, wish) for wish in wishes), return_exceptions=True
    )
    assert [one.code for one in outcomes if isinstance(one, Refusal)] == [RefusalCode.LEASED] * 15
    left, treasury = await store.read(purses, None)
    assert (left[0], treasury, sum(left)) == (98, 2, 2 * RICH - 2)


async def test_who_comes_after_the_end_may_lease_it_again(store: SqlStore) -> None:
    _, bob, cat, row = await leased(store)
    offer = (await store.read(listings.show_lease, ShowLease(1, NOW))).offer
    assert offer is not None
    assert (
        await refused(store, leases.lease, leasing(cat, offer, now_ms=row.until_ms - 1)) is RefusalCode.LEASED
    )
    new = await store.run(leases.lease, leasing(cat, offer, now_ms=row.until_ms))
    assert new.lease != row.lease
    assert await store.read(tenant_at, row.until_ms) == cat.account
    gone = leases.Renew(bob.by, row.lease, 1, row.until_ms)
    assert await refused(store, leases.renew, gone) is RefusalCode.NOT_FOUND


def marked(tx: Tx, now_ms: int) -> dict[int, str]:
    """What a map shows of estate 1."""
    return offers.shown_as(tx, [1], now_ms)


async def test_what_is_leased_is_not_shown_as_to_let_until_it_is_free(store: SqlStore) -> None:
    _, _, _, row = await leased(store)
    pages = [await store.read(listings.page_to_let, WantPage(at)) for at in (NOW, row.until_ms)]
    assert [[one.offer.estate for one in page.rows] for page in pages] == [[], [1]]
    marks = [await store.read(marked, at) for at in (NOW, row.until_ms)]
    assert marks == [{1: "leased"}, {1: "let"}]


async def test_what_is_auctioned_is_not_shown_as_to_let_until_it_is_free(store: SqlStore) -> None:
    ann, _, _, _ = await store.run(let, None)
    row = await store.run(market.auction, auctioned(ann, 1))
    again = await store.run(leases.offer_lease, to_let(ann, 1))
    during = await store.read(listings.page_to_let, WantPage(NOW))
    await store.run(market.withdraw, market.Withdraw(ann.by, row.listing, NOW))
    after = await store.read(listings.page_to_let, WantPage(NOW))
    assert ([*during.rows], [one.offer.offer for one in after.rows]) == ([], [again.offer])


async def test_renewing_follows_on_what_was_paid_up_to_the_last_period(store: SqlStore) -> None:
    ann, bob, cat, row = await leased(store)
    wish = leases.Renew(bob.by, row.lease, 1, NOW + HOUR)
    longer = await store.run(leases.renew, wish)
    assert longer.until_ms == NOW + 3 * HOUR
    assert await store.read(purses, None) == ([293, RICH - 300, RICH], 7)
    assert await store.read(told, ann) == ["renewed", "leased"]
    assert await refused(store, leases.renew, replace(wish, periods=2)) is RefusalCode.INVALID
    assert await refused(store, leases.renew, replace(wish, by=cat.by)) is RefusalCode.FORBIDDEN
    over = replace(wish, now_ms=longer.until_ms)
    assert await refused(store, leases.renew, over) is RefusalCode.NOT_FOR_SALE
    await store.run(leases.renew, wish)
    assert await refused(store, leases.renew, wish) is RefusalCode.INVALID


async def test_what_is_not_renewable_is_not_renewed(store: SqlStore) -> None:
    ann, bob, _, _ = await store.run(let, None)
    offer = await store.run(leases.offer_lease, to_let(ann, 1, renewable=False))
    row = await store.run(leases.lease, leasing(bob, offer))
    assert (
        await refused(store, leases.renew, leases.Renew(bob.by, row.lease, 1, NOW))
        is RefusalCode.NOT_FOR_SALE
    )


async def test_terms_that_were_not_shown_are_not_taken(store: SqlStore) -> None:
    ann, bob, cat, old = await store.run(let, None)
    new = await store.run(leases.offer_lease, to_let(ann, 1, max_periods=3))
    assert await refused(store, leases.lease, leasing(bob, old)) is RefusalCode.CHANGED
    assert await refused(store, leases.lease, leasing(bob, new, rent=99)) is RefusalCode.CHANGED
    assert await refused(store, leases.lease, leasing(bob, new, 4)) is RefusalCode.INVALID
    assert await refused(store, leases.lease, leasing(ann, new)) is RefusalCode.INVALID
    assert await refused(store, leases.lease, leasing(bob, new, by=OPERATOR)) is RefusalCode.FORBIDDEN
    private = await store.run(leases.offer_lease, to_let(ann, 1, only=cat.account))
    assert await refused(store, leases.lease, leasing(bob, private)) is RefusalCode.NOT_FOR_SALE
    assert (await store.read(listings.show_lease, ShowLease(1, NOW, bob.account))).offer is None
    assert (await store.read(listings.show_lease, ShowLease(1, NOW, cat.account))).offer == private
    dear = await store.run(leases.offer_lease, to_let(ann, 1, RICH + 1))
    assert await refused(store, leases.lease, leasing(bob, dear)) is RefusalCode.FUNDS
    await store.run(leases.end_offer, leases.EndOffer(ann.by, 1, NOW))
    assert await refused(store, leases.lease, leasing(bob, dear)) is RefusalCode.NOT_FOR_SALE
    for wrong in ({"rent": 0}, {"period_s": 59}, {"max_periods": 0}, {"only": 1}, {"only": 99}):
        assert await refused(store, leases.offer_lease, to_let(ann, 1, **wrong)) is RefusalCode.INVALID
    assert await refused(store, leases.offer_lease, to_let(bob, 1)) is RefusalCode.FORBIDDEN


async def test_a_lease_goes_with_the_estate_that_is_sold(store: SqlStore) -> None:
    ann, bob, cat, row = await leased(store)
    offer = await store.run(market.sell, for_sale(ann, 1, 1_000))
    await store.run(market.buy, buying(cat, offer))
    assert await store.read(tenant_at, NOW) == bob.account
    # The rent goes to the new owner, who says anew on what terms it is to let.
    await store.run(leases.renew, leases.Renew(bob.by, row.lease, 1, NOW))
    assert await store.read(purses, None) == ([195 + 975, RICH - 300, RICH - 1_000 + 98], 5 + 25 + 2)
    assert await store.read(lambda tx, _: tx.lease_offer(1), None) is None


async def test_who_buys_what_they_have_leased_is_a_tenant_no_longer(store: SqlStore) -> None:
    ann, bob, cat, _ = await leased(store)
    await store.run(market.buy, buying(bob, await store.run(market.sell, for_sale(ann, 1, 1_000))))
    assert await store.read(tenant_at, NOW) is None
    offer = await store.run(leases.offer_lease, to_let(bob, 1))
    await store.run(leases.lease, leasing(cat, offer))
    await store.run(land.give, land.Give(bob.by, 1, Whom(account=cat.account), RULES, NOW))
    assert await store.read(tenant_at, NOW) is None


async def test_what_is_leased_stays_in_one_piece_until_the_lease_ends(store: SqlStore) -> None:
    ann, _, _, row = await leased(store)
    acts = [
        (land.split, land.Split(ann.by, 1, [(1, 0)], NOW)),
        (land.abandon, land.Abandon(ann.by, 1, NOW)),
    ]
    for act, command in acts:
        assert await refused(store, act, command) is RefusalCode.LEASED
    for act, command in acts:
        await store.run(act, replace(command, now_ms=row.until_ms))
    assert (await store.read(register.verify, None)).fault == ""


@pytest.mark.parametrize(
    ("at", "spent", "minted", "left", "unpaid"),
    [
        # As it came: the owner's part from the owner, the fee from the treasury.
        (HOUR // 2, 0, 0, (195 - 147, RICH - 200 + 150, 5 - 3), 0),
        (HOUR + 1, 0, 0, (195 - 97, RICH - 200 + 99, 5 - 2), 0),
        # What the owner has no longer, the treasury pays, as far as it can.
        (HOUR // 2, 190, 1_000, (0, RICH - 200 + 150, 1_005 - 145), 0),
        (HOUR // 2, 190, 0, (0, RICH - 200 + 10, 0), 140),
        (HOUR // 2, 195, 0, (0, RICH - 200 + 5, 0), 145),
        (2 * HOUR, 0, 0, (195, RICH - 200, 5), 0),
    ],
)
async def test_when_the_operator_takes_what_is_leased_the_tenant_has_the_rent_of_the_time_left_back(
    store: SqlStore, at: int, spent: int, minted: int, left: tuple[int, int, int], unpaid: int
) -> None:
    ann, bob, cat, row = await leased(store)
    if spent:
        paying = money.Pay(ann.account, Whom(account=cat.account), spent, "", NOW)
        await store.run(money.pay, paying)
    if minted:
        await store.run(money.issue, money.Issue(None, minted, "", NOW))
    assert await store.run(land.take, land.Take(OPERATOR, 1, "a road", NOW + at)) == unpaid
    (hers, his, _), treasury = await store.read(purses, None)
    assert (hers, his, treasury) == left
    detail = {"lease": row.lease, "estate": 1, "back": his - (RICH - 200)}
    for who, other in ((ann, bob), (bob, ann)):
        ended = [one for one in await store.read(mine, who) if one.kind is NoticeKind.LEASE_ENDED]
        assert [one.detail for one in ended] == [detail | {"by": other.account}] * (at < 2 * HOUR)
    [log] = await store.read(lambda tx, _: tx.audit_before(2**40, 1), None)
    assert (
        log.detail
        == f"estate 1, 2 parcels{MISSING.format(Currency().shown(unpaid)) if unpaid else ''}: a road"
    )
    assert (await store.read(register.verify, None)).fault == ""


async def test_bid_and_rent_go_back_together(store: SqlStore) -> None:
    ann, _, cat, _ = await leased(store)
    row = await store.run(market.auction, auctioned(ann, 1))
    await store.run(auctions.bid, bidding(cat, row, 1_000))
    await store.run(land.take, land.Take(OPERATOR, 1, "", NOW))
    assert await store.read(purses, None) == ([0, RICH, RICH], 0)


async def test_nobody_leases_what_is_being_auctioned(store: SqlStore) -> None:
    ann, bob, cat, offer = await store.run(let, None)
    row = await store.run(market.auction, auctioned(ann, 1))
    assert await refused(store, leases.lease, leasing(bob, offer)) is RefusalCode.LOCKED
    await store.run(auctions.bid, bidding(cat, row, 100))
    # Who looks first after its end settles it; the new owner has not offered it to anybody.
    late = leasing(bob, offer, now_ms=NOW + DAY)
    assert await refused(store, leases.lease, late) is RefusalCode.NOT_FOR_SALE


async def test_tenants_are_told_in_time_and_both_when_it_has_ended(store: SqlStore) -> None:
    ann, bob, _, row = await leased(store)
    due = row.until_ms - HOUR // 10
    for at, count in ((due - 1, 0), (due, 1), (row.until_ms - 1, 0), (row.until_ms, 1), (row.until_ms, 0)):
        assert await store.read(leases.to_tell, at) is bool(count)
        assert await store.run(leases.tell_due, at) == count
    assert await store.read(told, bob) == ["lease_ended", "rent_due"]
    assert await store.read(told, ann) == ["lease_ended", "leased"]


async def test_who_renews_is_told_again_before_the_new_end(store: SqlStore) -> None:
    _, bob, _, row = await leased(store)
    await store.run(leases.tell_due, row.until_ms - 1)
    await store.run(leases.renew, leases.Renew(bob.by, row.lease, 1, row.until_ms - 1))
    assert await store.run(leases.tell_due, row.until_ms + 1) == 0
    assert await store.run(leases.tell_due, row.until_ms + HOUR - 1) == 1
    assert await store.read(told, bob) == ["rent_due", "rent_due"]
    assert await store.read(coins, bob) == RICH - 300
