"""A thousand who want the same: one gets it, all others are told that they did not, and the money is all there."""

import asyncio
import itertools
import os
import secrets
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from databases import postgres_database
from estate_people import ask, enrich, key, land_world
from live_server import Live, Player
from worldloom.services import accounts, money, reckoning
from worldloom.services.asking import Whom, find
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.estate_parts import Run
from worldloom_sdk.protocol.messages import EstateAct, MarketAct

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

BUYERS = int(os.environ.get("WORLDLOOM_TEST_BUYERS", "100"))
"""A thousand take some minutes: ``WORLDLOOM_TEST_BUYERS=1000``."""
PRICE, COINS = 5_000, 6_000


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


def _people(tx: Any, asked: tuple[int, int]) -> list[str]:
    """Make accounts with money; their tokens."""
    first, now_ms = asked
    tokens = []
    for number in range(first, min(first + 50, BUYERS)):
        token = accounts.new_token()
        row = accounts.register(
            tx, accounts.Register(f"Buyer {number:04}", accounts.hash_token(token), now_ms)
        )
        money.issue(tx, money.Issue(Whom(account=row.account), COINS, "", now_ms))
        tokens.append(token)
    return tokens


async def buyers(live: Live) -> list[Player]:
    """As many as are wanted, in the world."""
    players = []
    for first in range(0, BUYERS, 50):
        tokens = await live.world.store.run(_people, (first, 1))
        come = [await Player.dial(live.port, decodes=True) for _ in tokens]
        for player, token in zip(come, tokens, strict=True):
            player.send(m.Hello(m.PROTOCOL_VERSION, "test", token=token))
        for player in come:
            await player.until(lambda player=player: player.all_of(m.Welcome), 120)
        players += come
    return players


def answered(player: Player, number: int) -> m.Done | m.Refused | None:
    found = (one for one in player.received if isinstance(one, m.Done | m.Refused) and one.id == number)
    return next(found, None)


async def rush(players: list[Player], command: Any) -> Counter[str]:
    """Let all ask at once; how it ended, by code, asked again while the answer is about the moment."""
    return await rush_each(players, [command] * len(players))


async def rush_each(players: list[Player], commands: list[Any]) -> Counter[str]:
    """The same, each for something of its own."""

    async def one(player: Player, command: Any) -> str:
        own = command(secrets.token_bytes(16))
        player.received.clear()
        for asked in itertools.count(1):
            player.send(own(asked))
            answer = await player.until(partial(answered, player, asked), 300)
            if isinstance(answer, m.Done):
                return "done"
            if answer.code not in ("unavailable", "rate"):
                return str(answer.code)
            await asyncio.sleep(answer.retry_after_ms / 1_000)
        raise AssertionError

    return Counter(await asyncio.gather(*map(one, players, commands)))


async def a_rush(tmp_path: Path, url: str) -> None:
    storage = {"url": url} if url else {}
    sections = {"storage": storage, "session": {"joins_per_s": 10_000}, "sync": {"view_cells": 1}}
    async with land_world(tmp_path / "data", **sections) as live:
        store = live.world.store
        seller = await live.join("Seller", keep=True)
        await enrich(store, "Seller", COINS)
        players = await buyers(live)
        claimed = await rush(
            players, lambda own: lambda n: m.Estate(n, EstateAct.CLAIM, own, parcels=[Run(9, 9)], price=100)
        )
        assert claimed == {"done": 1, "sold": BUYERS - 1}
        estate = await ask(seller, m.Estate, "claim", key=key(), parcels=[Run(3, 3)], price=100)
        offer = await ask(seller, m.Market, "sell", key=key(), estate=estate.estate, price=PRICE)
        shown = {"listing": offer.listing, "price": PRICE, "fingerprint": offer.fingerprint}
        bought = await rush(players, lambda own: lambda n: m.Market(n, MarketAct.BUY, own, **shown))
        assert bought == {"done": 1, "sold": BUYERS - 1}
        there = await store.read(_balances, None)
        assert sum(there.values()) == (BUYERS + 1) * COINS - 200 - PRICE // 40
        assert Counter(there.values()) == Counter(
            [COINS] * (BUYERS - 2) + [COINS - 100, COINS - PRICE, COINS - 100 + PRICE - PRICE // 40]
        ) or Counter(there.values()) == Counter(
            [COINS] * (BUYERS - 1) + [COINS - 100 - PRICE, COINS - 100 + PRICE - PRICE // 40]
        )
        found = await store.read(reckoning.verify, None)
        assert found.differences == ()


def _balances(tx: Any, _: None) -> dict[str, int]:
    names = ["Seller", *(f"Buyer {number:04}" for number in range(BUYERS))]
    return {name: money.balance(tx, find(tx, Whom(name=name)).account).own for name in names}


async def test_of_all_who_want_one_parcel_one_has_it_on_sqlite(tmp_path: Path) -> None:
    await a_rush(tmp_path, "")


async def test_of_all_who_want_one_parcel_one_has_it_on_postgresql(tmp_path: Path, postgres: str) -> None:
    await a_rush(tmp_path, postgres)


async def test_trades_that_have_nothing_to_do_with_each_other_do_not_give_way(
    tmp_path: Path, postgres: str
) -> None:
    storage = {"url": postgres}
    async with land_world(tmp_path / "data", storage=storage, session={"joins_per_s": 10_000}) as live:
        seller, store = await live.join("Seller", keep=True), live.world.store
        players = await buyers(live)
        await enrich(store, "Seller", 100 * len(players))
        offers = [await offered(seller, number) for number in range(len(players))]
        before = store.stats().retries
        bought = await rush_each(players, [partial(buying, offer) for offer in offers])
        assert bought == {"done": len(players)}
        assert store.stats().retries == before


async def offered(seller: Player, number: int) -> Any:
    """An estate of one parcel, for sale."""
    at = [Run(2 * number, 3)]
    estate = await ask(seller, m.Estate, "claim", key=key(), parcels=at, price=100)
    return await ask(seller, m.Market, "sell", key=key(), estate=estate.estate, price=PRICE)


def buying(offer: Any, own: bytes) -> Any:
    shown = {"listing": offer.listing, "price": PRICE, "fingerprint": offer.fingerprint}
    return lambda n: m.Market(n, MarketAct.BUY, own, **shown)
