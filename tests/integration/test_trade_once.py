"""What carries a key has one effect and one answer: sent again, on other connections, after a loss, after a restart."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from estate_people import COINS, ask, enrich, key, land_world, trader
from live_server import Live, Player
from raw_ws import eventually
from worldloom.ports import Tx
from worldloom.services import money
from worldloom.services.asking import Whom, find
from worldloom_sdk import Bot
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.estate_parts import Run
from worldloom_sdk.protocol.messages import EstateAct, MarketAct, MoneyAct

pytestmark = pytest.mark.slow

CUTS = 5


async def resident(live: Live, name: str, coins: int = COINS) -> Player:
    player = await live.join(name, keep=True)
    await enrich(live.world.store, name, coins)
    return player


async def again(live: Live, token: str) -> Player:
    """The same account, on a new connection."""
    return await live.join(token=token)


Request = tuple[str, type, str, dict[str, Any]]
"""Token, command, act, fields."""


async def told(live: Live, request: Request) -> object:
    """What a request is answered on a new connection, without the number of the command."""
    token, kind, act, fields = request
    return plain(await ask(await again(live, token), kind, act, **fields))


def plain(answer: object) -> object:
    return (answer.code, answer.text, answer.hint) if isinstance(answer, m.Refused) else answer


def requests(ada: Player, bo: Player) -> list[Request]:
    """One of each act that carries a key, in an order in which all are done; by whom."""
    owner, buyer = ada.welcome.token, bo.welcome.token
    done: list[Request] = []

    def add(who: str, kind: type, act: str, **fields: object) -> None:
        done.append((who, kind, act, {"key": key(), **fields}))

    add(buyer, m.Money, MoneyAct.PAY, name="Ada", amount=7, memo="a debt")
    add(owner, m.Estate, EstateAct.CLAIM, parcels=[Run(0, 0, 2)], price=200, title="Mill")
    add(owner, m.Estate, EstateAct.CLAIM, parcels=[Run(0, 1, 2)], price=200)
    add(owner, m.Estate, EstateAct.JOIN, estate=1, other=2)
    add(owner, m.Estate, EstateAct.SPLIT, estate=1, parcels=[Run(0, 1, 2)], title="Meadow")
    add(owner, m.Estate, EstateAct.DESCRIBE, estate=1, text="By the brook")
    add(owner, m.Estate, EstateAct.ALLOW, estate=1, name="Bo", role="builder")
    add(owner, m.Estate, EstateAct.DISALLOW, estate=1, name="Bo")
    add(owner, m.Estate, EstateAct.EXCLUDE, estate=1, name="Bo")
    add(owner, m.Estate, EstateAct.ADMIT, estate=1, name="Bo")
    add(owner, m.Market, MarketAct.SELL, estate=1, price=5_000)
    add(buyer, m.Market, MarketAct.BUY, listing=1, price=4_999, fingerprint="")
    add(owner, m.Market, MarketAct.WITHDRAW, listing=1)
    add(owner, m.Market, MarketAct.AUCTION, estate=1, price=50, step=1, seconds=3_600)
    add(owner, m.Market, MarketAct.OFFER_LEASE, estate=3, price=30, seconds=60, periods=4, renewable=True)
    add(owner, m.Market, MarketAct.END_LEASE_OFFER, estate=3)
    add(owner, m.Estate, EstateAct.GIVE, estate=3, name="Bo")
    add(buyer, m.Estate, EstateAct.ABANDON, estate=3)
    return done


async def repeated(live: Live, request: Request, chance: random.Random) -> object:
    """What a request is answered, however often it is sent: on one to three connections, once or twice on each."""
    token, kind, act, fields = request
    answers = []
    for _ in range(chance.randint(1, 3)):
        player = await again(live, token)
        answers += [plain(await ask(player, kind, act, **fields)) for _ in range(chance.randint(1, 2))]
        if chance.random() < 0.5:
            await player.drop()
    assert answers == answers[:1] * len(answers)
    return answers[0]


async def test_each_command_sent_up_to_five_times_on_up_to_three_connections_is_done_once(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    async with land_world(tmp_path) as live:
        ada, bo = await resident(live, "Ada"), await resident(live, "Bo")
        asked = requests(ada, bo)
        answers = [await repeated(live, request, chance) for request in asked]
        there = [await live.world.store.read(_money, name) for name in ("Ada", "Bo")]
    async with land_world(tmp_path) as live:
        assert [await told(live, request) for request in asked] == answers
        assert [await live.world.store.read(_money, name) for name in ("Ada", "Bo")] == there
        # The same key for something else.
        token, kind, act, fields = asked[0]
        assert (await told(live, (token, kind, act, {**fields, "amount": 8})))[0] == "key_reused"
    refusals = [answer[0] for answer in answers if isinstance(answer, tuple)]
    assert refusals == ["changed"]


def _money(tx: Tx, name: str) -> money.Balance:
    return money.balance(tx, find(tx, Whom(name=name)).account)


async def test_the_same_request_four_times_at_once_is_done_once(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live:
        ada = await resident(live, "Ada")
        await resident(live, "Bo")
        fields = {"key": key(), "name": "Bo", "amount": 100}
        # Four at once are what one session may have under way.
        numbers = [_send(ada, 1_000_000 + n, fields) for n in range(4)]
        told = [await ada.next(m.Done | m.Refused, lambda one, n=n: one.id == n) for n in numbers]
        assert len({repr((type(one), one.result)) for one in told}) == 1
        assert (await live.world.store.read(_money, "Bo")).own == COINS + 100


def _send(player: Player, number: int, fields: dict[str, Any]) -> int:
    player.send(m.Money(number, MoneyAct.PAY, **fields))
    return number


async def test_a_bot_whose_connections_break_asks_again_until_it_is_answered(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada, trader(live, "Bo") as bo:
        breaking = asyncio.create_task(_break(live, ada, CUTS))
        paid = 0
        while not breaking.done() or paid < 30:
            await ada.money.pay("Bo", 7)
            paid += 7
        await breaking
        assert (await bo.money.balance()).own == COINS + paid
        assert (await ada.money.balance()).own == COINS - paid


async def _break(live: Live, bot: Bot, times: int) -> None:
    """Cut a bot's connection some times, at the server's end, each while a command of it is under way."""
    for _ in range(times):
        session = live.world.gateway.roster.find(bot.me.id)
        await eventually(lambda session=session: bot.client.in_world and session.errands > 0)
        session.socket.abort()
        await eventually(lambda: not bot.client.in_world)


async def test_a_bot_asks_again_after_the_server_was_started_anew(tmp_path: Path) -> None:
    async with AsyncExitStack() as people:
        async with land_world(tmp_path) as live:
            port = live.port
            ada = await people.enter_async_context(trader(live, "Ada"))
            bo = await people.enter_async_context(trader(live, "Bo", 0))
            await ada.money.pay("Bo", 1)
        # Nobody is there: it is asked as soon as somebody is.
        paying = asyncio.create_task(ada.money.pay("Bo", 2))
        async with land_world(tmp_path, server={"port": port}):
            await asyncio.wait_for(paying, 60)
            assert (await bo.money.balance()).own == 3
