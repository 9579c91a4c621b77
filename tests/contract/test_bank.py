"""A bank on both engines: everybody pays everybody while commits fail, callers leave and connections are lost.

Every read of the whole bank sums to the constant and finds no purse below zero; at the end each purse has what the
answers to its owners' requests say. ``WORLDLOOM_TEST_BANK_S=60`` makes it last that long; 5 s otherwise.
"""

import asyncio
import contextlib
import logging
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert

from databases import psql
from order_people import NOW, add
from worldloom.errors import Refusal, StoreUnavailable
from worldloom.persistence.money_tables import posting
from worldloom.persistence.queries import SqlTx
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.realm.ledger import TransferKind
from worldloom.services import money
from worldloom.services.asking import Whom
from worldloom.services.money import MINT, TREASURY, Issue
from worldloom.services.receipts import Outcome, once
from worldloom.services.reckoning import verify

SECONDS = float(os.environ.get("WORLDLOOM_TEST_BANK_S", "5"))
ACCOUNTS, CLIENTS, EACH = 50, 16, 1_000
TOTAL = ACCOUNTS * EACH

_log = logging.getLogger(__name__)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180 + 4 * SECONDS)]


@dataclass(frozen=True)
class Order:
    """Somebody pays somebody, or the treasury (0)."""

    key: bytes
    by: int
    to: int
    amount: int


@dataclass
class Told:
    """What the clients were told."""

    gains: Counter[int] = field(default_factory=Counter)
    paid: int = 0
    refused: int = 0
    unknown: int = 0
    left: int = 0
    reads: int = 0


def carry_out(tx: Tx, order: Order) -> Outcome:
    def work() -> int:
        to = money.person_purse(tx, order.to) if order.to else TREASURY
        legs = {money.person_purse(tx, order.by): -order.amount, to: order.amount}
        return money.move(tx, TransferKind.PAY, legs, "", order.by, None, NOW)

    request = f"{order.by} {order.to} {order.amount}".encode()
    return once(tx, order.by, order.key, request, NOW, work)


def whole_bank(tx: Tx, _: None) -> dict[int, int]:
    """What is in every purse."""
    resting = tx.resting()
    return {row.purse: row.balance + resting.get(row.purse, 0) for row in tx.purses_from(1, 1_000)}


def spoil(tx: SqlTx, _: None) -> None:
    """Write what the database refuses at the commit: with SQLite, all who share it lose theirs."""
    if tx.engine_name == "postgresql":
        money.pay(tx, money.Pay(1, Whom(account=2), 1, "", NOW))
        tx.connection.exec_driver_sql("INSERT INTO transfer (at_ms, kind, memo) VALUES (5, 'pay', '')")
    else:
        tx.connection.execute(insert(posting), {"transfer_id": 2**40, "purse_id": 3, "amount": 1})


class Bank:
    """Clients and mischief over one store."""

    def __init__(self, store: SqlStore, url: str) -> None:
        self.store, self.url = store, url
        self.told = Told()
        self.until = time.monotonic() + SECONDS

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self.client(random.Random(number)))
            group.create_task(self.now_and_then(0.05, lambda: self.settled(self.store.run(spoil, None))))
            group.create_task(
                self.now_and_then(0.1, lambda: self.settled(self.store.run(money.roll_up, None)))
            )
            group.create_task(self.now_and_then(0.15, lambda: asyncio.to_thread(self.interrupt)))

    async def client(self, rng: random.Random) -> None:
        while time.monotonic() < self.until:
            if rng.random() < 0.3:
                await self.look()
            else:
                by, to = rng.sample(range(1, ACCOUNTS + 1), 2)
                # Now and then more than anybody has.
                amount = rng.randint(1, 400) if rng.random() < 0.9 else rng.randint(TOTAL, 2 * TOTAL)
                order = Order(rng.randbytes(16), by, to if rng.random() < 0.9 else 0, amount)
                await self.pay(order, rng)

    async def pay(self, order: Order, rng: random.Random) -> None:
        """Ask until there is an answer, leaving now and then before it comes."""
        while True:
            asking = asyncio.create_task(self.store.run(carry_out, order))
            if rng.random() < 0.2:
                await asyncio.sleep(rng.random() * 0.01)
                asking.cancel()
            try:
                outcome = await asking
            except asyncio.CancelledError:
                self.told.left += 1
            except StoreUnavailable:
                self.told.unknown += 1
                await asyncio.sleep(0.01)
            else:
                break
        with contextlib.suppress(Refusal):
            outcome.result(int)
            self.told.paid += 1
            self.told.gains.update({order.by: -order.amount})
            self.told.gains.update({order.to: order.amount})
        self.told.refused += outcome.refused

    async def look(self) -> None:
        try:
            found = await self.store.read(whole_bank, None)
        except StoreUnavailable:
            return
        self.told.reads += 1
        assert found.pop(MINT) == -TOTAL
        assert sum(found.values()) == TOTAL
        assert min(found.values()) >= 0

    def interrupt(self) -> None:
        """PostgreSQL: connections are lost. SQLite: another program has the file for a moment."""
        if self.url.startswith("postgresql"):
            others = "datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 3"
            with contextlib.suppress(psycopg.Error):
                psql(self.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
            return
        other = sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=5, isolation_level=None)
        with contextlib.closing(other), contextlib.suppress(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE purse SET balance = balance + 1 WHERE id = 3")
            time.sleep(0.02)
            other.execute("ROLLBACK")

    async def now_and_then(self, seconds: float, act: Callable[[], Awaitable[Any]]) -> None:
        while time.monotonic() < self.until:
            await asyncio.sleep(seconds)
            await act()

    async def settled(self, asked: Awaitable[Any]) -> None:
        with contextlib.suppress(Exception):
            await asked


async def test_everybody_pays_everybody_while_all_goes_wrong_and_no_coin_is_lost(
    store: SqlStore, store_url: str
) -> None:
    def found_the_bank(tx: Tx, _: None) -> None:
        for number in range(1, ACCOUNTS + 1):
            assert add(tx, f"Saver {number}") == number
            money.issue(tx, Issue(Whom(account=number), EACH, "", NOW))

    await store.run(found_the_bank, None)
    bank = Bank(store, store_url)
    await bank.run()
    told = bank.told
    engine = store_url.partition(":")[0]
    seen = told.paid, told.refused, told.unknown, told.left, told.reads
    _log.info("%s, %g s: %d paid, %d refused, %d unknown, %d left, %d reads", engine, SECONDS, *seen)
    _log.info("%s", store.stats())
    own = [(await store.read(money.balance, number)).own for number in range(1, ACCOUNTS + 1)]
    assert own == [EACH + told.gains[number] for number in range(1, ACCOUNTS + 1)]
    treasury = await store.read(money.treasury, 0)
    assert (treasury.balance, treasury.circulating) == (told.gains[0], TOTAL)
    found = await store.read(verify, None)
    assert (found.differences, found.circulating) == ((), TOTAL)
    # All of it happened, or nothing was tried here.
    assert min(seen) > 0
