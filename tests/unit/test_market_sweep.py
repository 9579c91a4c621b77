"""The market's sweep: what is due is settled and told of, and one that cannot be settled holds up nobody."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from databases import sqlite_database
from order_people import NOW
from traders import DAY, HOUR, Trader, auctioned, bidding, for_sale, leasing, own, to_let, trader
from worldloom.app.market import MarketSweep
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import Tx
from worldloom.services import auctions, leases, market, money, notices

pytestmark = pytest.mark.slow


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = open_store(sqlite_database(tmp_path / "world.db"))
    yield opened
    await opened.close()


def busy(tx: Tx, _: None) -> tuple[Trader, Trader]:
    """Of Ann's estates 1 and 2 are auctioned with a bid by Bob, 3 is for sale for a day, 4 is leased by Bob."""
    ann, bob = trader(tx, "Ann"), trader(tx, "Bob", 10_000)
    for number in range(4):
        own(tx, ann, (2 * number, 0))
    for estate in (1, 2):
        auctions.bid(tx, bidding(bob, market.auction(tx, auctioned(ann, estate)), 100))
    market.sell(tx, for_sale(ann, 3, 5, ends_ms=NOW + DAY))
    leases.lease(tx, leasing(bob, leases.offer_lease(tx, to_let(ann, 4))))
    return ann, bob


def told(tx: Tx, who: Trader) -> list[str]:
    return [str(one.kind) for one in notices.mine(tx, notices.WantNotices(who.account))]


def owners(tx: Tx, _: None) -> list[int]:
    return [row.owner for row in tx.estates([1, 2, 3, 4])]


async def test_nothing_happens_before_its_time(store: SqlStore) -> None:
    ann, _ = await store.run(busy, None)
    sweep = MarketSweep(store, lambda: NOW + HOUR * 9 // 10 - 1)
    commits = store.stats().commits
    await sweep.sweep()
    assert (sweep.settled, store.stats().commits) == (0, commits)
    assert await store.read(owners, None) == [ann.account] * 4


async def test_all_that_is_due_is_settled_and_told_of(store: SqlStore) -> None:
    ann, bob = await store.run(busy, None)
    sweep = MarketSweep(store, lambda: NOW + DAY)
    for _ in range(3):
        await sweep.sweep()
    assert sweep.settled == 3
    assert await store.read(owners, None) == [2, 2, 1, 1]
    assert await store.read(lambda tx, _: money.balance(tx, ann.account).own, None) == 2 * 98 + 98
    assert await store.read(told, bob) == ["lease_ended", "won", "won"]
    assert await store.read(told, ann) == ["lease_ended", "over", "sold", "sold", "leased", "bid", "bid"]


async def test_one_that_cannot_be_settled_is_told_of_once_and_holds_up_nobody(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await store.run(busy, None)
    settle = auctions.settle

    def spoilt(tx: Tx, command: auctions.Settle) -> bool:
        if command.listing == 1:
            raise RuntimeError("a row that cannot be")
        return settle(tx, command)

    monkeypatch.setattr(auctions, "settle", spoilt)
    sweep = MarketSweep(store, lambda: NOW + DAY)
    with caplog.at_level(logging.ERROR, "worldloom"):
        await sweep.sweep()
        await sweep.sweep()
    assert [record.getMessage() for record in caplog.records] == ["offer 1 could not be settled"]
    assert await store.read(owners, None) == [1, 2, 1, 1]
    monkeypatch.setattr(auctions, "settle", settle)
    await sweep.sweep()
    assert await store.read(owners, None) == [2, 2, 1, 1]
