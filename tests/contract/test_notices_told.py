"""Who is told of whom, on every store: the other side by account and present name, live and when it is read later."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from order_people import NOW
from traders import (
    DAY,
    HOUR,
    RULES,
    Trader,
    auctioned,
    bidding,
    buying,
    for_sale,
    leasing,
    own,
    to_let,
    trader,
)
from worldloom.persistence.access_queries import AccessQueries
from worldloom.persistence.queries import SqlTx
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.services import auctions, land, leases, market, notices, showing
from worldloom.services.asking import OPERATOR, Whom
from worldloom.services.notices import NoticeKind, Seek, WantNotices
from worldloom_sdk.protocol.estate_parts import NoticeInfo

Three = tuple[Trader, Trader, Trader]
Told = tuple[str, int, str]
RICH = 10_000
NOBODY = 999


def three(tx: Tx, _: None) -> Three:
    """Ann owns estate 1; Bob and Cat have money."""
    ann = trader(tx, "Ann")
    own(tx, ann, (0, 0), (1, 0), name="Quay")
    return ann, trader(tx, "Bob", RICH), trader(tx, "Cat", RICH)


def everything(tx: Tx, _: None) -> None:
    """A thing of each kind that two sides have to do with: estate 1 goes from Ann to Cat, to Bob, and to Ann again."""
    ann, bob, cat = three(tx, None)
    lease = leases.lease(tx, leasing(bob, leases.offer_lease(tx, to_let(ann, 1)), 2))
    leases.renew(tx, leases.Renew(bob.by, lease.lease, 1, NOW))
    leases.tell_due(tx, NOW + 3 * HOUR - 1)
    leases.tell_due(tx, NOW + 3 * HOUR)
    row = market.auction(tx, auctioned(ann, 1))
    row = auctions.bid(tx, bidding(bob, row, 100))
    auctions.bid(tx, bidding(cat, row, 200))
    auctions.settle_estate(tx, 1, NOW + DAY)
    market.buy(tx, buying(bob, market.sell(tx, for_sale(cat, 1, 300))))
    land.give(tx, land.Give(bob.by, 1, Whom(account=ann.account), RULES, NOW))
    row = market.auction(tx, auctioned(ann, 1))
    auctions.bid(tx, bidding(cat, row, 100))
    land.take(tx, land.Take(OPERATOR, 1, "in the way of  a road", NOW))


def page(tx: Tx, account: int) -> list[NoticeInfo]:
    """What an account reads later, oldest first."""
    return [showing.notice(one) for one in reversed(notices.mine(tx, WantNotices(account)))]


def missed(tx: Tx, account: int) -> list[NoticeInfo]:
    """What an account is sent when it comes in."""
    return [showing.notice(one) for one in notices.unread(tx, [account])]


def live(tx: Tx, account: int) -> list[NoticeInfo]:
    """What an account is sent while it is here."""
    return [showing.notice(one) for one in notices.follow(tx, Seek(0)) if one.account == account]


def rename(tx: Tx, called: tuple[int, str]) -> None:
    account, name = called
    tx.connection.execute(  # type: ignore[attr-defined]
        text("UPDATE account SET name = :name WHERE id = :account"), {"name": name, "account": account}
    )


@pytest.mark.parametrize("way", [page, missed, live])
async def test_everybody_is_told_who_the_other_side_is(store: SqlStore, way: object) -> None:
    await store.run(everything, None)
    ann, bob, cat = (1, "Ann"), (2, "Bob"), (3, "Cat")
    expected = {
        1: [
            ("leased", *bob),
            ("renewed", *bob),
            ("lease_ended", *bob),
            ("bid", *bob),
            ("bid", *cat),
            ("sold", *cat),
            ("given", *bob),
            ("bid", *cat),
            ("taken", 0, ""),
        ],
        2: [("rent_due", *ann), ("lease_ended", *ann), ("outbid", *cat)],
        3: [("won", *ann), ("sold", *bob), ("refunded", *ann)],
    }
    for account, told in expected.items():
        found = await store.read(way, account)
        assert [(one.kind, one.account, one.name) for one in found] == told


@pytest.mark.parametrize("way", [page, missed, live])
async def test_the_owner_is_told_that_the_operator_took_their_land(store: SqlStore, way: object) -> None:
    ann, _, _ = await store.run(three, None)
    await store.run(land.take, land.Take(OPERATOR, 1, "in the way of  a road", NOW))
    [one] = await store.read(way, ann.account)
    assert one == NoticeInfo(1, "taken", NOW, estate=1, title="Quay", text="in the way of a road")


async def test_nobody_is_told_of_land_that_was_not_taken_after_all(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notice is of the same transaction as the taking."""
    ann, _, _ = await store.run(three, None)

    def crash(*_: object) -> None:
        raise RuntimeError("out of paper")

    with monkeypatch.context() as patch:
        patch.setattr(SqlTx, "append_audit", crash)
        with pytest.raises(RuntimeError):
            await store.run(land.take, land.Take(OPERATOR, 1, "", NOW))
    assert await store.read(page, ann.account) == []


async def test_a_name_is_the_present_one_and_empty_when_the_account_is_gone(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    for who in (bob.account, NOBODY):
        await store.run(
            lambda tx, by: notices.tell(tx, [ann.account], NoticeKind.PAID, NOW, amount=1, by=by), who
        )
    await store.run(rename, (bob.account, "Robert"))
    for way in (page, missed, live):
        found = await store.read(way, ann.account)
        assert [(one.account, one.name) for one in found] == [(bob.account, "Robert"), (NOBODY, "")]


async def test_the_names_of_a_page_are_one_query(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.run(everything, None)
    asked: list[list[int]] = []
    accounts = AccessQueries.accounts

    def counted(tx: AccessQueries, numbers: list[int]) -> object:
        asked.append(numbers)
        return accounts(tx, numbers)

    monkeypatch.setattr(AccessQueries, "accounts", counted)
    await store.read(notices.mine, WantNotices(1))
    await store.read(notices.unread, [1, 2, 3])
    await store.read(notices.follow, Seek(0))
    assert asked == [[2, 3], [1, 2, 3], [1, 2, 3]]


async def test_a_tenant_who_has_bought_it_is_told_once_that_the_lease_is_over(store: SqlStore) -> None:
    ann, bob, _ = await store.run(three, None)
    offer = await store.run(leases.offer_lease, to_let(ann, 1))
    await store.run(leases.lease, leasing(bob, offer))
    ended = NOW + HOUR
    sale = await store.run(market.sell, replace(for_sale(ann, 1, 5), now_ms=ended))
    await store.run(market.buy, buying(bob, sale, now_ms=ended))
    await store.run(leases.tell_due, ended)
    found = await store.read(page, bob.account)
    assert [(one.kind, one.account) for one in found] == [("lease_ended", 0)]
