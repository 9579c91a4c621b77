"""People who trade over real sockets, by the SDK and by the wire: with money, land, and keys of their own."""

import asyncio
import random
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import psycopg
from sqlalchemy import make_url

from live_server import Live, Player, live_world
from worldloom.app.clock import unix_ms
from worldloom.ports import Store
from worldloom.services import money
from worldloom.services.asking import Whom
from worldloom_sdk import Bot
from worldloom_sdk.client import Listener
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.results import RESULTS

COINS = 100_000
"""What everybody begins with, minor units."""
T = TypeVar("T")
_numbers = iter(range(1, 1 << 30))


@asynccontextmanager
async def land_world(data: Path, **sections: dict[str, Any]) -> AsyncIterator[Live]:
    """A world in which anybody may claim land anywhere, and ask for a lot."""
    limits = {"commands_per_s": 10_000, **sections.pop("limits", {})}
    land = {"claim": "anywhere", "price": 100, **sections.pop("land", {})}
    async with live_world(data, limits=limits, land=land, **sections) as live:
        yield live


@asynccontextmanager
async def trader(
    live: Live, name: str, coins: int = COINS, listener: Listener | None = None, **who: Any
) -> AsyncIterator[Bot]:
    """A bot with an account and money, in the world; the listener hears it come in, too."""
    bot = Bot(f"127.0.0.1:{live.port}", name=name, bot=False, **who)
    bot.client.identity.keep = True
    if listener is not None:
        bot.client.listen(listener)
    await bot.start()
    try:
        if coins:
            await enrich(live.world.store, name, coins)
        yield bot
    finally:
        await bot.stop()


async def enrich(store: Store, name: str, coins: int) -> None:
    """Give an account money that is made for it."""
    await store.run(money.issue, money.Issue(Whom(name=name), coins, "for a test", unix_ms()))


def key() -> bytes:
    """A new key."""
    return secrets.token_bytes(16)


async def ask(player: Player, kind: type, act: str, **fields: Any) -> Any:
    """What a command's Done carries, or its Refused."""
    answer = await player.ask(kind(next(_numbers), act, **fields))
    if isinstance(answer, m.Refused):
        return answer
    told = RESULTS.get((kind, act))
    return answer.result if told is None else msgspec.convert(answer.result, told)


async def sample(call: Callable[[], Awaitable[T]], count: int, pace_s: tuple[float, float]) -> list[T]:
    """Call something again and again, at random moments."""
    found = []
    for _ in range(count):
        await asyncio.sleep(random.uniform(*pace_s))
        found.append(await call())
    return found


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a database has, asked from outside."""
    parsed = make_url(url)
    if parsed.drivername.startswith("sqlite"):
        with sqlite3.connect(f"file:{parsed.database}?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()
    plain = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        return connection.execute(query).fetchall()
