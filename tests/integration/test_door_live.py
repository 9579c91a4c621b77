"""The door over real sockets: to whom the world is open, and the ways into an account and out of it."""

import asyncio
from pathlib import Path

import pytest

from keeping_order import (
    account,
    appoint,
    ask,
    code_of,
    dial_from,
    join_from,
    kept_world,
    moderator_of,
    order,
    owner_of,
    refused,
    sent_out,
)
from live_server import Live, Player
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.gateway.entrance import Known
from worldloom.services import codes
from worldloom.services import order as services
from worldloom.services.asking import OPERATOR, Whom
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.messages import AccountAct, OrderAct, RefusalCode, Scope

pytestmark = pytest.mark.slow

HERE, THERE = "192.0.2.7", "203.0.113.9"
PAIRING_MS = 600_000
PASSWORD = "ten little owls"


async def people_of(data: Path) -> tuple[str, str]:
    """Tokens of a moderator and of a resident, made while the door was open."""
    async with kept_world(data) as live:
        mona, rosa = await moderator_of(live), await join_from(live, HERE, "Rosa", keep=True)
        return mona.welcome.token, rosa.welcome.token


def later(live: Live, by_ms: int) -> None:
    """Let it be later by so much, for codes and bans."""
    entrance = live.world.gateway.entrance
    entrance._unix_ms = lambda: unix_ms() + by_ms


async def heard(live: Live, player: Player, code: str) -> None:
    """Say something, and wait until the code is void by which one came."""
    await player.ping()
    async with asyncio.timeout(5):
        while await live.world.store.read(lambda tx, sha256: tx.code(sha256), codes.hash_code(code)):
            await live.ticks(1)


# ---- whom the world is open to


async def test_an_open_world_greets_everybody_and_says_what_they_are(tmp_path: Path) -> None:
    async with kept_world(tmp_path, access={"greeting": "Be kind."}) as live:
        guest, rosa = await join_from(live, HERE), await join_from(live, HERE, "Rosa", keep=True)
        told = [(w.greeting, w.role, w.scopes, w.hidden) for w in (guest.welcome, rosa.welcome)]
        assert told == [("Be kind.", "guest", None, False), ("Be kind.", "resident", None, False)]
        assert (guest.welcome.token, guest.welcome.recovery) == (None, "")
        assert (len(rosa.welcome.token), len(rosa.welcome.recovery) > 26) == (43, True)
        await appoint(live, rosa, "owner")
        await rosa.drop()
        again = await join_from(live, HERE, resume=rosa.welcome.resume)
        welcome = again.welcome
        assert (welcome.resumed, welcome.role, welcome.token, welcome.recovery) == (True, "owner", None, "")


async def test_a_closed_world_is_open_to_its_staff_alone(tmp_path: Path) -> None:
    staff, resident = await people_of(tmp_path)
    async with kept_world(tmp_path, access={"mode": "closed"}) as live:
        for hello in ({}, {"name": "New", "keep": True}, {"token": resident}, {"access": PASSWORD}):
            assert (await refused(live, HERE, **hello)).code == RefusalCode.ACCESS
        mona = await join_from(live, HERE, token=staff)
        assert mona.welcome.role == "moderator"
        key = (await account(mona, AccountAct.BOT, name="Robot", scopes=[])).text
        assert (await refused(live, HERE, token=key)).code == RefusalCode.ACCESS
        code = (await account(mona, AccountAct.PAIR)).text
        assert (await join_from(live, THERE, code=code)).you == mona.you


async def test_a_closed_world_uses_up_no_code_of_whom_it_does_not_let_in(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        recovery = (await join_from(live, HERE, "Rosa", keep=True)).welcome.recovery
    async with kept_world(tmp_path, access={"mode": "closed"}) as live:
        assert (await refused(live, HERE, code=recovery)).code == RefusalCode.ACCESS
    async with kept_world(tmp_path, session={"max_sessions": 1}) as live:
        guest = await join_from(live, HERE)
        assert (await refused(live, HERE, code=recovery)).code == RefusalCode.FULL
        await guest.leave()
        assert (await join_from(live, HERE, code=recovery)).welcome.name == "Rosa"


async def test_a_password_is_asked_of_newcomers_alone_and_not_guessed_for_long(tmp_path: Path) -> None:
    staff, resident = await people_of(tmp_path)
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    async with kept_world(tmp_path, access={"mode": "password", "password_file": str(secret)}) as live:
        assert (await refused(live, HERE)).code == RefusalCode.ACCESS
        assert (await refused(live, HERE, name="New", keep=True, access="owls")).code == RefusalCode.ACCESS
        assert (await join_from(live, HERE, access=PASSWORD)).welcome.role == "guest"
        new = await join_from(live, HERE, "New", keep=True, access=PASSWORD)
        for token in (staff, resident, new.welcome.token):
            await join_from(live, HERE, token=token)
        codes = [(await refused(live, THERE, access=f"guess {n}")).code for n in range(12)]
        assert codes == [RefusalCode.ACCESS] * 10 + [RefusalCode.RATE] * 2
        # Who has guessed too often is not told whether the next guess is right; others may come.
        assert (await refused(live, THERE, access=PASSWORD)).code == RefusalCode.RATE
        assert (await refused(live, THERE, code="AAAAA-BBBBB")).code == RefusalCode.RATE
        await join_from(live, HERE, access=PASSWORD)


async def test_many_who_know_the_password_or_an_invitation_come_from_one_address(tmp_path: Path) -> None:
    staff, _ = await people_of(tmp_path)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    async with kept_world(tmp_path, access={"mode": "password", "password_file": str(secret)}) as live:
        await asyncio.gather(*(join_from(live, HERE, access=PASSWORD) for _ in range(12)))
    async with kept_world(tmp_path, access={"mode": "invitation"}) as live:
        mona = await join_from(live, HERE, token=staff)
        invitation = (await order(mona, OrderAct.INVITE, uses=12)).text
        for number in range(12):
            await join_from(live, HERE, f"Pupil {number}", keep=True, access=invitation)
        assert (await refused(live, HERE, name="Late", keep=True, access=invitation)).code == "access"


async def test_an_invitation_is_good_for_so_many_newcomers_and_so_long(tmp_path: Path) -> None:
    staff, resident = await people_of(tmp_path)
    async with kept_world(tmp_path, access={"mode": "invitation"}) as live:
        mona = await join_from(live, HERE, token=staff)
        await join_from(live, HERE, token=resident)
        for hello in ({}, {"name": "New", "keep": True}, {"access": "wrong", "name": "New", "keep": True}):
            assert (await refused(live, HERE, **hello)).code == RefusalCode.ACCESS
        two = (await order(mona, OrderAct.INVITE, uses=2)).text
        # Guests could not be told apart: an invitation makes an account.
        assert (await refused(live, HERE, access=two)).code == RefusalCode.ACCESS
        assert (await refused(live, HERE, name="Rosa", keep=True, access=two)).code == RefusalCode.NAME_TAKEN
        for name in ("Ann", "Ben"):
            assert (await join_from(live, HERE, name, keep=True, access=two.lower())).welcome.token
        third = await refused(live, HERE, name="Cem", keep=True, access=two)
        assert third.code == RefusalCode.ACCESS
        short = await order(mona, OrderAct.INVITE, minutes=5)
        assert 290_000 < short.until_ms - unix_ms() <= 300_000
        later(live, 300_000)
        late = await refused(live, THERE, name="Cem", keep=True, access=short.text)
        assert (late.code, late.text) == (third.code, third.text)
        later(live, 200_000)
        assert (await join_from(live, THERE, "Cem", keep=True, access=short.text)).welcome.token


async def test_a_full_world_has_room_for_its_staff(tmp_path: Path) -> None:
    staff, resident = await people_of(tmp_path)
    async with kept_world(tmp_path, session={"max_sessions": 1}) as live:
        first = await join_from(live, HERE)
        for hello in ({}, {"name": "New", "keep": True}, {"token": resident}):
            answer = await refused(live, HERE, **hello)
            assert (answer.code, answer.retry_after_ms) == (RefusalCode.FULL, 30_000)
        mona = await join_from(live, HERE, token=staff)
        await order(mona, OrderAct.KICK, avatar=first.you)
        assert await first.closed() == m.CloseCode.REMOVED
        await mona.leave()
        await join_from(live, HERE, token=resident)


# ---- the ways into an account


async def test_a_recovery_code_opens_its_account_on_a_new_device_once_and_a_fresh_one_is_told(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        await rosa.leave()
        typed = rosa.welcome.recovery.replace("-", " ").lower()
        found = await join_from(live, THERE, code=typed)
        welcome = found.welcome
        assert (welcome.you, welcome.name, welcome.role) == (rosa.you, "Rosa", "resident")
        assert welcome.recovery not in ("", rosa.welcome.recovery)
        assert welcome.token not in (None, rosa.welcome.token)
        await heard(live, found, typed)
        assert (await refused(live, THERE, code=rosa.welcome.recovery)).code == RefusalCode.TOKEN
        # The old device's token stays good, until it is revoked; and the new code opens the account while it is here.
        await join_from(live, HERE, token=rosa.welcome.token)
        third = await join_from(live, THERE, code=welcome.recovery)
        await heard(live, third, welcome.recovery)
        assert (third.you, third.welcome.recovery != welcome.recovery) == (rosa.you, True)
        made = await account(third, AccountAct.RECOVERY)
        assert (made.account, made.until_ms) == (rosa.you, 0)
        assert (await refused(live, HERE, code=third.welcome.recovery)).code == RefusalCode.TOKEN
        assert (await join_from(live, HERE, code=made.text)).you == rosa.you


async def test_who_loses_the_connection_before_the_welcome_comes_back_by_the_same_recovery_code(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        await rosa.leave()
        code, entrance = rosa.welcome.recovery, live.world.gateway.entrance
        cut, redeem, made = (
            await dial_from(live, THERE),
            entrance.redeem,
            asyncio.get_running_loop().create_future(),
        )

        async def redeemed(*asked: object) -> Known:
            known = await redeem(*asked)
            cut.transport.abort()
            made.set_result(known)
            return known

        entrance.redeem = redeemed
        cut.send(m.Hello(m.PROTOCOL_VERSION, "test", code=code))
        lost = await made
        entrance.redeem = redeem
        # A Welcome that nobody answers may have come to nobody, too.
        silent = await join_from(live, THERE, code=code)
        await silent.drop()
        found = await join_from(live, THERE, code=code)
        assert (found.you, found.welcome.name) == (rosa.you, "Rosa")
        await heard(live, found, code)
        told = [lost.recovery, silent.welcome.recovery, code]
        for void in told:
            assert (await refused(live, THERE, code=void)).code == RefusalCode.TOKEN
        for void in (lost.token, silent.welcome.token):
            assert (await refused(live, THERE, token=void)).code == RefusalCode.TOKEN
        await found.leave()
        assert (await join_from(live, THERE, token=found.welcome.token)).you == rosa.you
        assert (await join_from(live, HERE, code=found.welcome.recovery)).you == rosa.you


async def test_who_comes_by_a_code_and_is_heard_later_with_its_token_has_used_it_up(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        code = (await join_from(live, HERE, "Rosa", keep=True)).welcome.recovery
        token = (await join_from(live, THERE, code=code)).welcome.token
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, THERE, token=token)
        await rosa.ping()
        await rosa.leave()
        await live.world.save_places()
        assert (await refused(live, THERE, code=code)).code == RefusalCode.TOKEN


async def test_a_pairing_code_opens_its_account_once_and_for_ten_minutes(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        void = (await account(rosa, AccountAct.PAIR)).text
        code = await account(rosa, AccountAct.PAIR)
        assert PAIRING_MS - 10_000 < code.until_ms - unix_ms() <= PAIRING_MS
        assert (await refused(live, THERE, code=void)).code == RefusalCode.TOKEN
        paired = await join_from(live, THERE, code=code.text)
        assert await rosa.closed() == m.CloseCode.REPLACED
        assert (paired.you, paired.welcome.recovery, len(paired.welcome.token)) == (rosa.you, "", 43)
        await heard(live, paired, code.text)
        assert (await refused(live, THERE, code=code.text)).code == RefusalCode.TOKEN
        code = await account(paired, AccountAct.PAIR)
        later(live, PAIRING_MS)
        assert (await refused(live, THERE, code=code.text)).code == RefusalCode.TOKEN
        assert (await join_from(live, THERE, token=paired.welcome.token)).you == rosa.you


async def test_codes_are_not_guessed_for_long(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        codes = [(await refused(live, HERE, code=f"AAAAA-BBB{n:02}")).code for n in range(11)]
        assert codes == [RefusalCode.TOKEN] * 10 + [RefusalCode.RATE]
        rosa = await join_from(live, THERE, "Rosa", keep=True)
        await join_from(live, THERE, code=rosa.welcome.recovery)


async def test_a_banned_account_is_not_come_back_to_by_a_code_and_keeps_it(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        whom = Whom(account=rosa.you)
        await live.world.store.run(services.ban, services.Sanctioned(OPERATOR, whom, unix_ms()))
        await sent_out(rosa)
        assert (await refused(live, THERE, code=rosa.welcome.recovery)).code == RefusalCode.BANNED
        await live.world.store.run(services.unban, services.Act(OPERATOR, whom, unix_ms()))
        await join_from(live, THERE, code=rosa.welcome.recovery)


async def test_all_tokens_are_listed_to_their_owner_and_one_that_is_revoked_opens_nothing(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        rosa = await join_from(live, HERE, "Rosa", keep=True)
        key = (await account(rosa, AccountAct.BOT, name="Robot", scopes=[Scope.TALK])).text
        code = (await account(rosa, AccountAct.PAIR)).text
        paired = await join_from(live, THERE, code=code)
        listed = await account(paired, AccountAct.TOKENS)
        assert [(one.name, one.scopes, one.current) for one in listed] == [
            ("Rosa", None, False), ("Rosa", None, True), ("Robot", ["talk"], False),
        ]  # fmt: skip
        assert (listed[0].label, len(listed[0].id), listed[0].made_ms > 0) == ("test", 16, True)
        for secret in (key, rosa.welcome.token, paired.welcome.token):
            assert all(secret not in str(one) for one in listed)
        await account(paired, AccountAct.REVOKE, token=listed[0].id)
        assert (await refused(live, HERE, token=rosa.welcome.token)).code == RefusalCode.TOKEN
        bot = await join_from(live, THERE, token=key)
        for player in (bot, await join_from(live, HERE)):
            for act in set(AccountAct) - {AccountAct.LOOK, AccountAct.FINDABLE, AccountAct.BLOCKED}:
                answer = ask(player, m.Account, act, name="Other", token=listed[1].id)
                assert await code_of(answer) == RefusalCode.FORBIDDEN
        stranger = await join_from(live, HERE, "Sly", keep=True)
        theirs = ask(stranger, m.Account, AccountAct.REVOKE, token=listed[1].id)
        assert await code_of(theirs) == RefusalCode.NOT_FOUND
        # One's own, at last: who asked is sent out, too.
        paired.send(m.Account(99, AccountAct.REVOKE, token=listed[1].id))
        assert (await sent_out(paired)).code == "revoked"
        await bot.ping()


async def test_bots_are_marked_and_told_by_the_name_of_their_owner(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        olga = await owner_of(live)
        key = await account(olga, AccountAct.BOT, name="Robot", scopes=list(Scope))
        bot = await join_from(live, HERE, token=key.text, bot=False)
        honest = await join_from(live, HERE, "Honest", bot=True)
        kept = await join_from(live, HERE, "Kept", keep=True, bot=True)
        assert (bot.you, bot.welcome.scopes) == (key.account, sorted(Scope))
        await appoint(live, bot, "owner")
        olga.send(m.Who([olga.you, bot.you, honest.you, kept.you]))
        people = (await olga.next(m.People)).people
        assert [(one.avatar, one.name, one.kind, one.of) for one in people] == [
            (olga.you, "Olga", "owner", ""),
            (bot.you, "Robot", "bot", "Olga"),
            (honest.you, "Honest", "bot", ""),
            (kept.you, "Kept", "bot", ""),
        ]
        # A bot is what its owner is, at most.
        await order(bot, OrderAct.INVITE)
        taken = services.GiveRole(OPERATOR, Whom(account=olga.you), "resident", unix_ms())
        await live.world.store.run(services.give_role, taken)
        await bot.next(m.Standing, lambda told: told.role == "resident")
        assert await code_of(ask(bot, m.Order, OrderAct.INVITE)) == RefusalCode.FORBIDDEN
        again = await account(olga, AccountAct.BOT, name="robot", scopes=[])
        assert again.account == key.account
        await eventually(lambda: live.world.gateway.roster.live == 4)


# ---- what the door does not tell, and whom it keeps


async def test_who_may_not_come_in_is_not_told_who_is_here(tmp_path: Path) -> None:
    mona, _ = await people_of(tmp_path)
    async with kept_world(tmp_path, access={"mode": "invitation"}) as live:
        away = await refused(live, name="Mona", keep=True)
        moderator = await join_from(live, HERE, token=mona)
        await order(moderator, OrderAct.HIDE)
        here = await refused(live, name="Mona", keep=True)
        assert (away.code, away.text) == (here.code, here.text) == (RefusalCode.ACCESS, away.text)


async def test_who_is_no_longer_staff_leaves_a_closed_world(tmp_path: Path) -> None:
    mona, _ = await people_of(tmp_path)
    async with kept_world(tmp_path, access={"mode": "closed"}) as live:
        moderator = await join_from(live, HERE, token=mona)
        taken = services.GiveRole(OPERATOR, Whom(account=moderator.you), "resident", unix_ms())
        await live.world.store.run(services.give_role, taken)
        goodbye = await sent_out(moderator)
        assert goodbye.code == RefusalCode.ACCESS


async def test_the_page_does_not_count_invisible_staff(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        moderator = await moderator_of(live)
        roster = live.world.gateway.roster
        assert roster.in_sight == 1
        await order(moderator, OrderAct.HIDE)
        await eventually(lambda: roster.in_sight == 0)
        assert roster.live == 1
