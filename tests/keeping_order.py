"""Staff and those whom they keep in order, at the wire: who comes from where, what is asked, what is answered."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

import live_server
from live_server import Live, Player, live_world
from raw_ws import request
from worldloom.app.clock import unix_ms
from worldloom.services import order as services
from worldloom.services.asking import OPERATOR, Whom
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.messages import AccountAct, OrderAct, Scope
from worldloom_sdk.protocol.results import RESULTS

AT_ONCE_S = 1.0
"""So soon everything that staff do is in force on open sockets."""
BELIEVED = {"trusted_proxies": ("127.0.0.1",)}
_log = logging.getLogger(__name__)
_numbers = iter(range(1, 1 << 30))


@asynccontextmanager
async def kept_world(data: Path, **sections: dict[str, Any]) -> AsyncIterator[Live]:
    """A world whose players say by a header where they come from, and may ask for a lot."""
    server = {**BELIEVED, **sections.pop("server", {})}
    limits = {"commands_per_s": 1_000, "says_per_10s": 1_000, **sections.pop("limits", {})}
    async with live_world(data, server=server, limits=limits, **sections) as live:
        yield live


async def dial_from(live: Live, address: str) -> Player:
    """A connection that comes from an address, and has not said Hello."""
    loop = asyncio.get_running_loop()
    _, player = await loop.create_connection(Player, "127.0.0.1", live.port)
    live_server._dialled.append(player)
    player.transport.write(request(X_Forwarded_For=address))
    await player.until(lambda: player.upgraded or player.gone)
    return player


async def join_from(live: Live, address: str, name: str = "", **fields: Any) -> Player:
    """Somebody who is in the world, and comes from an address."""
    player = await dial_from(live, address)
    await player.hello(name, **fields)
    await player.until(lambda: player.view.complete)
    return player


async def refused(live: Live, address: str = "192.0.2.99", **hello: Any) -> m.Refused:
    """How a Hello from an address is refused; the connection is closed."""
    player = await dial_from(live, address)
    player.send(m.Hello(m.PROTOCOL_VERSION, "test", **hello))
    answer = await player.next(m.Refused | m.Welcome)  # type: ignore[arg-type]
    assert isinstance(answer, m.Refused), f"expected Refused, got {answer}"
    await player.closed()
    return answer


async def appoint(live: Live, player: Player, role: str) -> None:
    """Make somebody staff, as the operator does on the command line, and wait until it knows."""
    whom = Whom(account=player.you)
    await live.world.store.run(services.give_role, services.GiveRole(OPERATOR, whom, role, unix_ms()))
    await player.next(m.Standing, lambda told: told.role == role)


async def owner_of(live: Live, name: str = "Olga", address: str = "198.51.100.1") -> Player:
    """An owner who is here."""
    player = await join_from(live, address, name, keep=True)
    await appoint(live, player, "owner")
    return player


async def moderator_of(live: Live, name: str = "Mona", address: str = "198.51.100.2") -> Player:
    """A moderator who is here."""
    player = await join_from(live, address, name, keep=True)
    await appoint(live, player, "moderator")
    return player


async def ask(player: Player, command: type[Any], *fields: Any, **named: Any) -> m.Done | m.Refused:
    """Send a command under the next number; its answer."""
    return await player.ask(command(next(_numbers), *fields, **named))


async def order(player: Player, act: OrderAct, **fields: Any) -> Any:
    """What an order gives, as what the protocol says it is."""
    answer = await ask(player, m.Order, act, **fields)
    assert isinstance(answer, m.Done), answer
    return msgspec.convert(answer.result, RESULTS.get((m.Order, act), type(None)))


async def account(player: Player, act: AccountAct, **fields: Any) -> Any:
    """What somebody gets who asks about the own account."""
    answer = await ask(player, m.Account, act, **fields)
    assert isinstance(answer, m.Done), answer
    return msgspec.convert(answer.result, RESULTS.get((m.Account, act), type(None)))


async def code_of(answer: Awaitable[m.Done | m.Refused]) -> str:
    """The code with which a command was refused; "done" if it was carried out."""
    told = await answer
    return told.code if isinstance(told, m.Refused) else "done"


async def bot_of(live: Live, owner: Player, name: str, *scopes: Scope, address: str = "192.0.2.40") -> Player:
    """A bot that somebody owns, in the world, with a key of these scopes."""
    key = await account(owner, AccountAct.BOT, name=name, scopes=list(scopes))
    return await join_from(live, address, token=key.text)


async def sent_out(player: Player) -> m.Goodbye:
    """Wait until somebody is sent out; why."""
    assert await player.closed() == m.CloseCode.REMOVED
    assert isinstance(player.received[-1], m.Goodbye), player.received[-1]
    return player.received[-1]


async def measured(what: str, *doing: Awaitable[Any]) -> list[Any]:
    """Do things one after another, within a second; ``pytest --log-cli-level=INFO`` tells how long it took.

    Args:
        what: Name of the figure.
        doing: First the order, then what it must bring about.
    """
    began = time.monotonic()
    results = [await one for one in doing]
    took = time.monotonic() - began
    _log.info("%s: %.1f ms", what, took * 1_000)
    assert took < AT_ONCE_S, f"expected {what} within {AT_ONCE_S} s, took {took:.2f} s"
    return results
