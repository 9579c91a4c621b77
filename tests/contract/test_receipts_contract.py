"""Receipts on both engines: one effect and one answer for one key, whatever happens in between."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from databases import psql
from order_people import NOW, add, named
from worldloom.errors import Refusal, StoreUnavailable
from worldloom.persistence.store import SqlStore, open_beside, open_store
from worldloom.ports import Tx
from worldloom.services import money, tidying
from worldloom.services.money import Issue, Pay
from worldloom.services.receipts import KEPT_MS, Outcome, once
from worldloom.services.reckoning import verify
from worldloom_sdk.protocol.messages import RefusalCode

KEY, OTHER = bytes(range(16)), bytes(16)


@pytest.fixture
async def rich(store: SqlStore) -> SqlStore:
    """Ann (1) has 1,000, Bob (2) has nothing."""
    await store.run(lambda tx, _: [add(tx, name) for name in ("Ann", "Bob")], None)
    await store.run(money.issue, Issue(named("Ann"), 1_000, "", NOW))
    return store


@dataclass(frozen=True)
class Asked:
    """Ann pays Bob, with a key."""

    amount: int
    key: bytes = KEY
    account: int = 1
    at_ms: int = NOW


def ask(tx: Tx, asked: Asked) -> Outcome:
    to = "Bob" if asked.account == 1 else "Ann"
    command = Pay(asked.account, named(to), asked.amount, "", asked.at_ms)
    request = f"pay {asked.amount}".encode()
    return once(tx, asked.account, asked.key, request, asked.at_ms, lambda: [money.pay(tx, command), "paid"])


def working(key: bytes, work: Callable[[Tx], Any]) -> Callable[[Tx, None], Outcome]:
    return lambda tx, _: once(tx, 1, key, b"", NOW, lambda: work(tx))


async def has(store: SqlStore, *accounts: int) -> list[int]:
    return [(await store.read(money.balance, account)).own for account in accounts]


async def test_a_request_that_is_sent_again_has_one_effect_and_the_same_answer(rich: SqlStore) -> None:
    first = await rich.run(ask, Asked(300))
    again = [await rich.run(ask, Asked(300, at_ms=NOW + n)) for n in range(3)]
    assert first.result(tuple[int, str]) == (2, "paid")
    assert [one.answer for one in again] == [first.answer] * 3
    assert [one.repeated for one in (first, *again)] == [False, True, True, True]
    assert await has(rich, 1, 2) == [700, 300]


async def test_a_key_of_another_request_is_refused_and_nothing_is_done(rich: SqlStore) -> None:
    await rich.run(ask, Asked(300))
    with pytest.raises(Refusal, match="got the key of an earlier one") as refused:
        await rich.run(ask, Asked(301))
    assert refused.value.code is RefusalCode.KEY_REUSED
    assert await has(rich, 1, 2) == [700, 300]
    assert (await rich.run(ask, Asked(301, OTHER))).result() == [3, "paid"]


async def test_keys_of_different_accounts_have_nothing_to_do_with_each_other(rich: SqlStore) -> None:
    assert (await rich.run(ask, Asked(300))).result() == [2, "paid"]
    assert (await rich.run(ask, Asked(100, account=2))).result() == [3, "paid"]
    assert await has(rich, 1, 2) == [800, 200]


async def test_a_refusal_is_kept_like_a_success_even_if_it_would_not_be_one_any_more(rich: SqlStore) -> None:
    first = await rich.run(ask, Asked(2_000))
    await rich.run(money.issue, Issue(named("Ann"), 5_000, "", NOW))
    again = await rich.run(ask, Asked(2_000))
    assert (first.repeated, again.repeated, again.answer) == (False, True, first.answer)
    for outcome in (first, again):
        with pytest.raises(Refusal, match=r"expected 20\.00 crown in the purse, got 10\.00") as refused:
            outcome.result()
        assert refused.value.code is RefusalCode.FUNDS
    assert await has(rich, 1, 2) == [6_000, 0]


async def test_what_was_done_before_the_refusal_is_undone_and_the_receipt_stays(rich: SqlStore) -> None:
    def pays_and_refuses(tx: Tx) -> None:
        money.pay(tx, Pay(1, named("Bob"), 900, "", NOW))
        raise Refusal(RefusalCode.SOLD, "expected one to be left, got none", "look again")

    for repeated in (False, True):
        outcome = await rich.run(working(KEY, pays_and_refuses), None)
        assert (outcome.refused, outcome.repeated) == (True, repeated)
        with pytest.raises(Refusal) as refused:
            outcome.result()
        assert (refused.value.code, refused.value.hint) == (RefusalCode.SOLD, "look again")
    assert await has(rich, 1, 2) == [1_000, 0]
    assert (await rich.read(verify, None)).differences == ()


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(RefusalCode.UNAVAILABLE, "not now"),
        Refusal(RefusalCode.RATE, "too often"),
        Refusal(RefusalCode.INVALID, "not yet", retry_after_ms=5),
        StoreUnavailable("gone"),
        KeyError("a fault of the program"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
async def test_what_is_about_the_moment_leaves_no_receipt(rich: SqlStore, refusal: Exception) -> None:
    def fails(tx: Tx) -> None:
        money.pay(tx, Pay(1, named("Bob"), 900, "", NOW))
        raise refusal

    with pytest.raises(type(refusal)):
        await rich.run(working(KEY, fails), None)
    assert await rich.read(lambda tx, _: tx.receipt(1, KEY), None) is None
    assert (await rich.run(working(KEY, lambda _: "done"), None)).result() == "done"
    assert await has(rich, 1, 2) == [1_000, 0]


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17)], ids=len)
async def test_a_key_has_sixteen_bytes(rich: SqlStore, key: bytes) -> None:
    with pytest.raises(Refusal, match=f"expected a key of 16 bytes, got {len(key)}"):
        await rich.run(ask, Asked(300, key))


async def test_receipts_are_kept_for_a_week(rich: SqlStore) -> None:
    await rich.run(ask, Asked(300))
    assert await rich.run(tidying.tidy, NOW + KEPT_MS) == 0
    assert (await rich.run(ask, Asked(300))).repeated
    assert await rich.run(tidying.tidy, NOW + KEPT_MS + 1) == 1
    assert not (await rich.run(ask, Asked(300))).repeated


async def test_of_many_who_send_one_request_at_once_one_does_it_and_all_are_answered_alike(
    store_url: str,
) -> None:
    stores = [open_store(store_url), open_beside(store_url)]
    await stores[0].run(lambda tx, _: [add(tx, name) for name in ("Ann", "Bob")], None)
    await stores[0].run(money.issue, Issue(named("Ann"), 1_000, "", NOW))
    told = await asyncio.gather(*(one.run(ask, Asked(300)) for _ in range(8) for one in stores))
    assert len({one.answer for one in told}) == 1
    assert sum(not one.repeated for one in told) == 1
    assert await has(stores[0], 1, 2) == [700, 300]
    for one in stores:
        await one.close()


async def test_whoever_was_cancelled_while_paying_learns_by_asking_again_what_became_of_it(
    rich: SqlStore,
) -> None:
    rng = random.Random(7)
    keys = [rng.randbytes(16) for _ in range(40)]
    for key in keys:
        paying = asyncio.create_task(rich.run(ask, Asked(10, key)))
        await asyncio.sleep(rng.choice([0, 0, 0.0005, 0.002]))
        paying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await paying
    told = [await rich.run(ask, Asked(10, key)) for key in keys]
    assert all(not one.refused for one in told)
    assert await has(rich, 1, 2) == [600, 400]
    assert (await rich.read(verify, None)).differences == ()


@pytest.fixture
async def dropping(postgres_url: str) -> AsyncIterator[SqlStore]:
    opened = open_store(postgres_url)
    yield opened
    await opened.close()


async def test_a_connection_that_is_lost_in_the_midst_leaves_nothing_and_the_key_is_good_again(
    dropping: SqlStore, postgres_url: str
) -> None:
    await dropping.run(lambda tx, _: [add(tx, name) for name in ("Ann", "Bob")], None)
    await dropping.run(money.issue, Issue(named("Ann"), 1_000, "", NOW))

    def lose(tx: Tx) -> None:
        money.pay(tx, Pay(1, named("Bob"), 900, "", NOW))
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        psql(postgres_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        money.pay(tx, Pay(1, named("Bob"), 100, "", NOW))

    with pytest.raises(StoreUnavailable, match="outcome is unknown"):
        await dropping.run(working(KEY, lose), None)
    assert await has(dropping, 1, 2) == [1_000, 0]
    assert (await dropping.run(working(KEY, lambda _: "done"), None)).result() == "done"
