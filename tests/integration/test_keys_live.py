"""Keys of bots over real sockets: good for what their scopes say, and for nothing once they are revoked."""

from pathlib import Path

import pytest

from keeping_order import (
    account,
    appoint,
    ask,
    bot_of,
    code_of,
    dial_from,
    join_from,
    kept_world,
    measured,
    moderator_of,
    refused,
    sent_out,
)
from live_server import live_world
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.messages import AccountAct, OrderAct, RefusalCode, Scope

pytestmark = pytest.mark.slow

HERE, THERE = "192.0.2.7", "203.0.113.9"


async def test_a_key_is_good_for_what_its_scopes_say(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await moderator_of(live, "Rosa")
        needs = {
            Scope.TALK: [(m.Say, 0, "hey"), (m.Whisper, rosa.you, "hey")],
            Scope.SIGNAL: [(m.Signal, rosa.you, "game", b""), (m.Signal, 0, "game", b"")],
            Scope.ORDER: [(m.Order, OrderAct.LIST)],
        }
        for scope, commands in needs.items():
            allowed = await bot_of(live, rosa, f"May {scope}", scope)
            await appoint(live, allowed, "moderator")
            limited = await bot_of(live, rosa, f"Not {scope}", *set(Scope) - {scope})
            await appoint(live, limited, "moderator")
            assert (allowed.welcome.scopes, len(limited.welcome.scopes)) == ([scope.value], len(Scope) - 1)
            for command in commands:
                assert await code_of(ask(allowed, *command)) == "done"
                assert await code_of(ask(limited, *command)) == RefusalCode.FORBIDDEN


async def test_moves_of_a_key_without_that_scope_change_nothing(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        walker = await bot_of(live, rosa, "Walker", Scope.MOVE)
        post = await bot_of(live, rosa, "Post", Scope.TALK, Scope.SIGNAL)
        at = live.where(post.you)
        post.move(130, 130)
        walker.move(131, 131)
        answer = await post.next(m.Refused)
        assert (answer.id, answer.code) == (0, RefusalCode.FORBIDDEN)
        await rosa.sees_at(walker.you, 131, 131)
        assert live.where(post.you) == at
        # Nor after a lost connection.
        await post.drop()
        resumed = await dial_from(live, HERE)
        await resumed.hello(resume=post.welcome.resume)
        resumed.move(130, 130)
        assert (await resumed.next(m.Refused)).code == RefusalCode.FORBIDDEN
        assert live.where(post.you) == at


async def test_who_came_with_a_token_that_is_revoked_is_sent_out(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        key = (await account(rosa, AccountAct.BOT, name="Robot", scopes=[])).text
        bot = await join_from(live, THERE, token=key)
        (own,) = [one for one in await account(rosa, AccountAct.TOKENS) if one.name == "Robot"]
        await measured("revoke", account(rosa, AccountAct.REVOKE, token=own.id), sent_out(bot))
        assert bot.received[-1].code == "revoked"
        assert (await refused(live, THERE, token=key)).code == RefusalCode.TOKEN
        await rosa.ping()


async def test_a_person_who_takes_over_the_own_account_by_a_limited_key_is_held_to_it(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        full = (await account(rosa, AccountAct.BOT, name="Robot", scopes=list(Scope))).text
        few = (await account(rosa, AccountAct.BOT, name="Robot", scopes=[Scope.MOVE])).text
        first = await join_from(live, THERE, token=full)
        second = await join_from(live, THERE, token=few)
        assert await first.closed() == m.CloseCode.REPLACED
        assert await code_of(ask(second, m.Say, 0, "hey")) == RefusalCode.FORBIDDEN
        second.move(130, 130)
        await rosa.sees_at(second.you, 130, 130)
        await live.agrees(second)


async def test_who_is_replaced_cannot_take_the_new_token_with_its_old_resume_token(tmp_path: Path) -> None:
    """A thief in the world on a stolen token, and the owner who comes back by recovery code."""
    async with live_world(tmp_path) as live:
        thief = await live.join("Ann Ann", keep=True)
        stolen, recovery = thief.welcome.resume, thief.welcome.recovery
        owner, again = await live.dial(), await live.dial()
        owner.send(m.Hello(1, code=recovery))
        assert await thief.closed() == m.CloseCode.REPLACED
        again.send(m.Hello(1, resume=stolen))
        welcome = await owner.next(m.Welcome)
        assert (welcome.you, bool(welcome.token), bool(welcome.recovery)) == (thief.you, True, True)
        late = await live.dial()
        late.send(m.Hello(1, resume=stolen))
        for other in (again, late):
            told = await other.next(m.Welcome)
            assert (told.you == thief.you, told.token, told.recovery) == (False, None, "")


async def test_a_bot_does_not_get_the_name_of_a_guest_who_is_here(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        owner, guest = await live.join("Ann Ann", keep=True), await live.join("Trudy")
        answer = await owner.ask(m.Account(1, m.AccountAct.BOT, "Trudy", [m.Scope.MOVE]))
        assert answer.code == m.RefusalCode.NAME_TAKEN
        await guest.leave()
        assert isinstance(await owner.ask(m.Account(2, m.AccountAct.BOT, "Trudy", [m.Scope.MOVE])), m.Done)
