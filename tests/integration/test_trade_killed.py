"""A server that is killed while people trade: nothing acknowledged is lost, nothing is half done, and keys tell."""

import asyncio
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from estate_people import key
from live_server import Player, Served, served
from worldloom.persistence.store import open_beside
from worldloom.services import holdings, money, reckoning, register
from worldloom.services.asking import Whom, find
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.estate_parts import Bought, EstateInfo, Offer, Run
from worldloom_sdk.protocol.messages import EstateAct, MarketAct, MoneyAct

pytestmark = pytest.mark.slow

COINS, FEE = 100_000, 250
ASKED_AGAIN = 3
"""Of each one's last answers, after every start."""
SECTIONS: dict[str, dict[str, Any]] = {
    "land": {"claim": "anywhere", "price": 0},
    "limits": {"commands_per_s": 1_000},
}


@dataclass(frozen=True)
class Request:
    """A command that carries a key; ``offer``: what it is to buy."""

    kind: type
    act: str
    fields: dict[str, Any]
    offer: Offer | None = None


@dataclass
class Books:
    """What was acknowledged: all that a world must have, once nobody waits for an answer."""

    coins: Counter[int] = field(default_factory=Counter)
    """By account."""
    owners: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By estate: number of the transfer by which it came, and to whom."""
    offers: dict[int, Offer] = field(default_factory=dict)
    """That were made and not yet seen to be gone."""
    trades: int = 0

    def note(self, who: int, request: Request, result: Any) -> None:
        """An act was done."""
        if request.act == MoneyAct.PAY:
            self.coins[who] -= request.fields["amount"]
            self.coins[request.fields["account"]] += request.fields["amount"]
        elif request.act == EstateAct.CLAIM:
            self.owners[msgspec.convert(result, EstateInfo).estate] = (0, who)
        elif request.act == MarketAct.SELL:
            offer = msgspec.convert(result, Offer)
            self.offers[offer.listing] = offer
        elif request.offer is not None:
            bought = msgspec.convert(result, Bought)
            self.coins[who] -= bought.price
            self.coins[request.offer.seller] += bought.price - bought.price * FEE // 10_000
            self.owners[bought.estate] = max(self.owners[bought.estate], (bought.transfer, who))
            self.trades += 1


@dataclass
class Trader:
    """An account that trades as fast as it is answered, and asks again for what was not."""

    number: int
    books: Books
    chance: random.Random
    token: str | None = None
    account: int = 0
    player: Player = None  # type: ignore[assignment]
    waiting: Request | None = None
    answered: list[tuple[Request, object]] = field(default_factory=list)
    ids: int = 0

    async def come(self, world: Served) -> None:
        """Be in the world; what was answered before is answered the same now."""
        self.player = await Player.dial(world.port)
        name = "" if self.token else f"Trader {self.number:02}"
        welcome = await self.player.hello(name, token=self.token, keep=not self.token)
        self.token, self.account = welcome.token or self.token, welcome.you
        for request, answer in self.answered[-ASKED_AGAIN:]:
            assert await self.ask(request) == answer

    async def ask(self, request: Request) -> object:
        """The answer without its id; None if the connection ended before."""
        self.ids += 1
        number, player = self.ids, self.player
        player.send(request.kind(number, request.act, **request.fields))

        def told() -> m.Done | m.Refused | None:
            answers = player.all_of(m.Done | m.Refused)
            return next((one for one in answers if one.id == number), None)

        await player.until(lambda: told() or player.gone, 60)
        answer = told()
        player.received.clear()
        if isinstance(answer, m.Refused):
            assert answer.code in ("sold", "not_for_sale", "changed", "invalid", "funds", "forbidden"), answer
            return (answer.code, answer.text)
        return None if answer is None else [answer.result]

    async def trade(self, others: list[int]) -> None:
        """Go on until the server is gone."""
        while not self.player.gone:
            request = self.waiting = self.waiting or self.next(others)
            answer = await self.ask(request)
            if answer is None:
                return
            self.waiting = None
            self.answered.append((request, answer))
            if isinstance(answer, list):
                self.books.note(self.account, request, answer[0])
            elif request.offer is not None:
                self.books.offers.pop(request.offer.listing, None)

    def next(self, others: list[int]) -> Request:
        """What to do next: buy what others offer, offer what one has, or pay somebody."""
        mine = [estate for estate, (_, owner) in self.books.owners.items() if owner == self.account]
        offers = [offer for offer in self.books.offers.values() if offer.seller != self.account]
        if not self.answered:
            return Request(m.Estate, EstateAct.CLAIM, {"key": key(), "parcels": [Run(self.number, 0)]})
        if offers and self.chance.random() < 0.5:
            offer = self.chance.choice(offers)
            shown = {"listing": offer.listing, "price": offer.price, "fingerprint": offer.fingerprint}
            return Request(m.Market, MarketAct.BUY, {"key": key(), **shown}, offer)
        if mine and self.chance.random() < 0.7:
            estate, price = self.chance.choice(mine), self.chance.randint(100, 999)
            return Request(m.Market, MarketAct.SELL, {"key": key(), "estate": estate, "price": price})
        to = self.chance.choice([account for account in others if account != self.account])
        paid = {"account": to, "amount": self.chance.randint(1, 50)}
        return Request(m.Money, MoneyAct.PAY, {"key": key(), **paid})


async def trade_until_killed(world: Served, traders: list[Trader], after_s: float) -> None:
    """Trade on and kill the server in the midst of it."""
    others = [trader.account for trader in traders]
    trading = [asyncio.create_task(trader.trade(others)) for trader in traders]
    await asyncio.sleep(after_s)
    assert not any(task.done() for task in trading), [task.result() for task in trading if task.done()]
    world.process.kill()
    await asyncio.gather(*trading)
    await world.ended()


def whole(data: Path) -> None:
    """The file is no wreck."""
    database = sqlite3.connect(data / "world.db")
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        database.close()


async def proven(data: Path, books: Books | None = None) -> None:
    """Money and register are proven; with books, they are what was acknowledged."""
    store = open_beside(f"sqlite:///{data / 'world.db'}")
    try:
        assert (await store.read(reckoning.verify, None)).differences == ()
        assert (await store.read(register.verify, None)).fault == ""
        if books is not None:
            for account, coins in books.coins.items():
                assert (await store.read(money.balance, account)).own == coins
            for estate, (_, owner) in books.owners.items():
                assert (await store.read(holdings.estate, estate)).row.owner == owner
    finally:
        await store.close()


async def endow(data: Path, traders: list[Trader], books: Books) -> None:
    """Money for everybody, as the operator makes it beside a running server."""
    store = open_beside(f"sqlite:///{data / 'world.db'}")
    try:
        for trader in traders:
            await store.run(money.issue, money.Issue(Whom(account=trader.account), COINS, "", 1))
            books.coins[trader.account] = COINS
            assert await store.read(lambda tx, who: find(tx, Whom(account=who)).account, trader.account)
    finally:
        await store.close()


async def killed(tmp_path: Path, count: int, kills: int) -> None:
    data, books, chance = tmp_path / "data", Books(), random.Random(kills)
    traders = [Trader(number, books, random.Random(number)) for number in range(count)]
    slowest = 0.0
    for round_number in range(kills):
        async with served(data, **SECTIONS) as world:
            slowest = max(slowest, world.up_after_s)
            for trader in traders:
                await trader.come(world)
            if not round_number:
                await endow(data, traders, books)
            await trade_until_killed(world, traders, chance.uniform(0.2, 1.2))
        whole(data)
        await proven(data)
    async with served(data, **SECTIONS) as world:
        for trader in traders:
            await trader.come(world)
            if trader.waiting is not None:
                request, answer = trader.waiting, await trader.ask(trader.waiting)
                if isinstance(answer, list):
                    books.note(trader.account, request, answer[0])
        await proven(data, books)
    assert books.trades > kills
    assert slowest < 5


@pytest.mark.alone
async def test_killed_10_times_under_trading_people_it_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    await killed(tmp_path, 8, 10)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_killed_100_times_under_16_trading_people_it_has_all_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    await killed(tmp_path, 16, 100)
