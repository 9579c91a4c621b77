"""Keeping order over real sockets: what staff do is in force at once, for whom it is about and for nobody else."""

import asyncio
from pathlib import Path

import pytest

from keeping_order import (
    account,
    ask,
    bot_of,
    code_of,
    dial_from,
    join_from,
    kept_world,
    measured,
    moderator_of,
    order,
    owner_of,
    refused,
    sent_out,
)
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.services import order as services
from worldloom.services.asking import OPERATOR, Whom
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.messages import AccountAct, OrderAct, RefusalCode, Scope

pytestmark = pytest.mark.slow

HERE, THERE = "192.0.2.7", "203.0.113.9"
HOUR_MS = 3_600_000


async def test_who_is_kicked_is_gone_at_once_from_every_view_and_may_come_back(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, pest = await moderator_of(live), await join_from(live, HERE, "Pest", keep=True)
        guest = await join_from(live, HERE, "Gus")
        # It reads on, and never lets go of its connection by itself.
        pest.transport.write = lambda data: None  # type: ignore[method-assign]
        told, gone = await measured(
            "kick",
            order(mona, OrderAct.KICK, avatar=pest.you, text="shouting"),
            guest.until(lambda: not guest.sees(pest.you)),
        )
        assert (told, gone) == (None, True)
        assert pest.received[-1] == m.Goodbye("kicked", "shouting")
        again = await join_from(live, HERE, token=pest.welcome.token)
        assert again.you == pest.you
        await measured("kick_guest", order(mona, OrderAct.KICK, name="GUS"), sent_out(guest))
        assert (await join_from(live, HERE, "Gus")).welcome.name == "Gus"


async def test_a_banned_account_is_sent_out_and_let_in_no_more_until_it_is_unbanned(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, pest = await moderator_of(live), await join_from(live, HERE, "Pest", keep=True)
        token = pest.welcome.token
        _, goodbye = await measured(
            "ban_account",
            order(mona, OrderAct.BAN, name="pest", minutes=60, text="theft"),
            sent_out(pest),
        )
        assert (goodbye.code, goodbye.text) == ("banned", "theft")
        assert HOUR_MS - 10_000 < goodbye.retry_after_ms <= HOUR_MS
        answer = await refused(live, HERE, token=token)
        assert (answer.code, "theft" in answer.text) == (RefusalCode.BANNED, True)
        assert HOUR_MS - 10_000 < answer.retry_after_ms <= HOUR_MS
        assert (await join_from(live, HERE, "Neighbour")).welcome.role == "guest"
        await order(mona, OrderAct.UNBAN, name="Pest")
        assert (await join_from(live, HERE, token=token)).you == pest.you
        assert await code_of(ask(mona, m.Order, OrderAct.UNBAN, name="Pest")) == RefusalCode.NOT_FOUND


async def test_a_ban_holds_after_a_restart_and_so_do_mute_role_and_invisibility(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona = await moderator_of(live)
        pest = await join_from(live, HERE, "Pest", keep=True)
        crier = await join_from(live, HERE, "Crier", keep=True)
        await order(mona, OrderAct.BAN, name="Pest")
        await order(mona, OrderAct.BAN, network="203.0.113.0/24", text="a bad place")
        await order(mona, OrderAct.MUTE, name="Crier", text="hush")
        await order(mona, OrderAct.HIDE)
        tokens = [player.welcome.token for player in (mona, pest, crier)]
    async with kept_world(tmp_path) as live:
        assert (await refused(live, HERE, token=tokens[1])).code == RefusalCode.BANNED
        assert (await refused(live, THERE)).code == RefusalCode.BANNED
        crier = await join_from(live, HERE, token=tokens[2])
        assert await crier.next(m.Standing) == m.Standing("resident", 2**53 - 1, "hush", False)
        assert await code_of(ask(crier, m.Say, 0, "hey")) == RefusalCode.MUTED
        mona = await join_from(live, HERE, token=tokens[0])
        assert (mona.welcome.role, mona.welcome.hidden) == ("moderator", True)
        crier.send(m.Who([mona.you]))
        assert (await crier.next(m.People)).people == []
        assert mona.you not in crier.entered


NETWORKS = [
    ("203.0.113.9", "203.0.113.9", "203.0.113.8"),
    ("203.0.113.0/24", "203.0.113.200", "203.0.114.9"),
    # An IPv6 address means its /64.
    ("2001:db8:1:2::77", "2001:db8:1:2:ffff::1", "2001:db8:1:3::77"),
]


async def test_a_banned_network_is_sent_out_and_let_in_no_more(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, rosa = await moderator_of(live), await join_from(live, HERE, "Rosa", keep=True)
        token = rosa.welcome.token
        for network, theirs, others in NETWORKS:
            guest, rosa = await join_from(live, theirs), await join_from(live, theirs, token=token)
            other = await join_from(live, others)
            ban = order(mona, OrderAct.BAN, network=network, text="flood")
            await measured("ban_network", ban, sent_out(guest), sent_out(rosa))
            assert guest.received[-1] == m.Goodbye("banned", "flood")
            assert (await refused(live, theirs)).code == RefusalCode.BANNED
            assert (await refused(live, theirs, name="New", keep=True)).code == RefusalCode.BANNED
            assert (await refused(live, theirs, token=token)).code == RefusalCode.BANNED
            # The ban lies on where one comes from, not on whom one is.
            assert (await join_from(live, others, token=token)).you == rosa.you
            await other.ping()
            await order(mona, OrderAct.UNBAN, network=network)
            await join_from(live, theirs)


async def test_a_network_of_many_is_muted_and_banned_within_a_second(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona = await moderator_of(live)
        many = await asyncio.gather(*(join_from(live, f"192.0.2.{n}") for n in range(40)))
        net = {"network": "192.0.2.0/24"}
        await measured("mute_40", order(mona, OrderAct.MUTE, **net), *(one.next(m.Standing) for one in many))
        await measured("ban_40", order(mona, OrderAct.BAN, **net), *map(sent_out, many))


async def test_the_address_that_show_tells_is_what_a_ban_takes(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona = await moderator_of(live)
        guest = await join_from(live, "2001:db8:9:9::1", "Gus")
        shown = await order(mona, OrderAct.SHOW, name="gus")
        assert (shown.name, shown.role, shown.here, shown.address) == (
            "Gus", "guest", True, "2001:db8:9:9::/64",
        )  # fmt: skip
        await order(mona, OrderAct.BAN, network=shown.address)
        assert (await sent_out(guest)).code == "banned"


async def test_who_is_muted_can_neither_say_shout_whisper_nor_signal_and_is_told_why(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona = await moderator_of(live)
        for name, keep in (("Gus", False), ("Rosa", True)):
            crier = await join_from(live, HERE, name, keep=keep)
            _, told = await measured(
                f"mute_{name}",
                order(mona, OrderAct.MUTE, avatar=crier.you, minutes=60, text="hush"),
                crier.next(m.Standing),
            )
            assert (told.reason, told.muted_ms > HOUR_MS - 10_000) == ("hush", True)
            for command, *fields in (
                (m.Say, 0, "hey"),
                (m.Say, 1, "hey"),
                (m.Say, 2, "hey"),
                (m.Whisper, mona.you, "hey"),
                (m.Signal, mona.you, "game", b""),
                (m.Signal, 0, "game", b""),
            ):
                answer = await ask(crier, command, *fields)
                assert (answer.code, "hush" in answer.text) == (RefusalCode.MUTED, True)
                assert HOUR_MS - 10_000 < answer.retry_after_ms <= HOUR_MS
            crier.move(130, 130)
            await mona.sees_at(crier.you, 130, 130)
            _, told = await measured(
                f"unmute_{name}",
                order(mona, OrderAct.UNMUTE, name=name),
                crier.next(m.Standing),
            )
            assert told == m.Standing("resident" if keep else "guest", 0, "", False)
            assert await code_of(ask(crier, m.Say, 0, "hey")) == "done"
        assert [line.text for line in mona.lines] == ["hey"]


async def test_the_mute_of_a_network_and_that_of_a_guest_are_two(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, guest = await moderator_of(live), await join_from(live, HERE, "Gus")
        await order(mona, OrderAct.MUTE, network=HERE, text="all of you")
        assert (await guest.next(m.Standing)).reason == "all of you"
        assert await code_of(ask(await join_from(live, HERE), m.Say, 0, "hey")) == RefusalCode.MUTED
        await order(mona, OrderAct.UNMUTE, network=HERE)
        assert (await guest.next(m.Standing)).muted_ms == 0
        await order(mona, OrderAct.MUTE, name="Gus", minutes=1, text="you")
        await order(mona, OrderAct.MUTE, network=HERE, text="all of you")
        await guest.next(m.Standing, lambda told: told.reason == "all of you")
        await order(mona, OrderAct.UNMUTE, network=HERE)
        assert (await guest.next(m.Standing)).reason == "you"
        await order(mona, OrderAct.UNMUTE, name="Gus")
        assert (await guest.next(m.Standing)).muted_ms == 0


async def test_who_closes_a_report_about_a_guest_lays_nothing_on_it(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, guest = await moderator_of(live), await join_from(live, HERE, "Gus")
        await guest.ping()
        await ask(guest, m.Say, 0, "hey")
        await mona.until(lambda: mona.lines)
        number = (await ask(mona, m.Report, guest.you, "loud")).result
        (report,) = await order(mona, OrderAct.REPORTS)
        assert (report.number, report.by, report.about, report.text) == (number, "Mona", "Gus", "loud")
        await order(mona, OrderAct.CLOSE, number=number, text="talked to")
        assert await order(mona, OrderAct.REPORTS) == []
        await eventually(lambda: live.world.enforcer.number >= 2)
        assert await code_of(ask(guest, m.Say, 0, "hey")) == "done"
        assert guest.all_of(m.Standing) == []


async def test_a_role_is_given_and_taken_at_once_and_a_taken_one_is_good_for_nothing(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        olga, rosa = await owner_of(live), await join_from(live, HERE, "Rosa", keep=True)
        hidden = await moderator_of(live)
        await order(hidden, OrderAct.HIDE)
        await hidden.next(m.Standing, lambda told: told.hidden)
        _, told, _ = await measured(
            "role_given",
            order(olga, OrderAct.ROLE, name="Rosa", text="moderator"),
            rosa.next(m.Standing),
            rosa.until(lambda: rosa.sees(hidden.you)),
        )
        assert told.role == "moderator"
        guest = await join_from(live, HERE, "Gus")
        assert await code_of(ask(rosa, m.Order, OrderAct.MUTE, name="Gus", text="test")) == "done"
        _, told, _ = await measured(
            "role_taken",
            order(olga, OrderAct.ROLE, avatar=rosa.you, text="resident"),
            rosa.next(m.Standing),
            rosa.until(lambda: not rosa.sees(hidden.you)),
        )
        assert told.role == "resident"
        assert await code_of(ask(rosa, m.Order, OrderAct.UNMUTE, name="Gus")) == RefusalCode.FORBIDDEN
        guest.send(m.Who([rosa.you, olga.you]))
        assert [one.kind for one in (await guest.next(m.People)).people] == ["resident", "owner"]


async def test_the_database_decides_even_where_this_host_has_not_heard_yet(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, guest = await moderator_of(live), await join_from(live, HERE, "Gus")
        # As another host does: nobody here is told before the log is looked at again.
        live.world.enforcer._follow = _nothing
        taken = services.GiveRole(OPERATOR, Whom(account=mona.you), "resident", unix_ms())
        await live.world.store.run(services.give_role, taken)
        acts = [
            (OrderAct.KICK, {"name": "Gus"}),
            (OrderAct.BAN, {"network": HERE}),
            (OrderAct.MUTE, {"avatar": guest.you}),
            (OrderAct.SHOW, {"name": "Gus"}),
            (OrderAct.LIST, {}),
            (OrderAct.INVITE, {}),
            (OrderAct.HIDE, {}),
            (OrderAct.REPORTS, {}),
        ]
        codes = [await code_of(ask(mona, m.Order, act, **fields)) for act, fields in acts]
        assert codes == [RefusalCode.FORBIDDEN] * len(acts)
        await guest.ping()


async def _nothing() -> None:
    pass


async def test_nobody_acts_on_equals_or_higher_ones_nor_on_oneself_and_guests_and_residents_on_nobody(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        olga, mona = await owner_of(live), await moderator_of(live)
        other = await moderator_of(live, "Mia", "198.51.100.3")
        guest, rosa = await join_from(live, HERE), await join_from(live, HERE, "Rosa", keep=True)
        for act in (OrderAct.KICK, OrderAct.BAN, OrderAct.MUTE):
            for by, whom in (
                (mona, other), (mona, olga), (rosa, guest), (guest, rosa), (guest, guest), (guest, mona),
            ):  # fmt: skip
                answer = await ask(by, m.Order, act, avatar=whom.you)
                assert answer.code == RefusalCode.FORBIDDEN, (act, by.you, whom.you)
            assert (await ask(mona, m.Order, act, avatar=mona.you)).code == RefusalCode.INVALID
            assert (await ask(mona, m.Order, act, name="Nobody")).code == RefusalCode.NOT_FOUND
            assert (await ask(mona, m.Order, act, avatar=1 << 31 | 77)).code == RefusalCode.NOT_FOUND
        for act in OrderAct:
            assert await code_of(ask(guest, m.Order, act, name="Rosa")) == RefusalCode.FORBIDDEN
        for act in (OrderAct.ROLE, OrderAct.AUDIT):
            assert await code_of(ask(mona, m.Order, act, name="Rosa", text="moderator")) == "forbidden"
        assert await code_of(ask(olga, m.Order, OrderAct.ROLE, name="Rosa", text="owner")) == "forbidden"
        # A network in which staff are, too, shuts them out of nothing.
        await order(other, OrderAct.BAN, network="198.51.100.0/24")
        for player in (olga, mona, other, guest, rosa):
            await player.ping()


async def test_lists_pages_and_persons_come_as_what_the_protocol_says(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        olga, guest = await owner_of(live), await join_from(live, HERE, "Gus")
        rosa, away = (
            await join_from(live, HERE, "Rosa", keep=True),
            await join_from(live, HERE, "Robin", keep=True),
        )
        await away.leave()
        bot = await bot_of(live, rosa, "Robot", Scope.MOVE)
        await order(olga, OrderAct.MUTE, name="Robin", text="hush", minutes=5)
        people = {one.name: one for one in await order(olga, OrderAct.LIST)}
        assert {name: (p.avatar, p.role, p.here, p.of, p.is_bot) for name, p in people.items()} == {
            "Olga": (olga.you, "owner", True, "", False),
            "Gus": (guest.you, "guest", True, "", False),
            "Rosa": (rosa.you, "resident", True, "", False),
            "Robin": (away.you, "resident", False, "", False),
            "Robot": (bot.you, "resident", True, "Rosa", True),
        }
        made = {name: person.made_ms > 0 for name, person in people.items()}
        assert made == {"Olga": True, "Gus": False, "Rosa": True, "Robin": True, "Robot": True}
        assert {one.name for one in await order(olga, OrderAct.LIST, name="ro")} == {"Rosa", "Robin", "Robot"}
        paged = await order(olga, OrderAct.LIST, number=1)
        assert paged == sorted(paged, key=lambda one: one.avatar)
        assert {one.name: one.here for one in paged} == {
            "Olga": True,
            "Rosa": True,
            "Robin": False,
            "Robot": True,
        }
        assert await order(olga, OrderAct.LIST, number=paged[1].avatar, name="ro") == [
            one for one in paged[1:] if "ro" in one.name.casefold()
        ]
        shown = await order(olga, OrderAct.SHOW, avatar=away.you)
        (sanction,) = shown.sanctions
        assert (shown.here, sanction.kind, sanction.reason, sanction.by) == (False, "mute", "hush", "Olga")
        assert sanction.until_ms - sanction.made_ms == 300_000
        invitation = await order(olga, OrderAct.INVITE, uses=3)
        assert len(invitation.text) > 10
        entries = await order(olga, OrderAct.AUDIT)
        assert [(one.by, one.act, one.about) for one in entries] == [
            ("Olga", "invite", ""), ("Olga", "mute", "Robin"), ("operator", "role", "Olga"),
        ]  # fmt: skip
        assert all(invitation.text not in one.text for one in entries)


async def test_hiding_takes_the_body_from_all_but_staff_at_once_and_appearing_gives_it_back(
    tmp_path: Path,
) -> None:
    async with kept_world(tmp_path) as live:
        mona, olga, guest = await moderator_of(live), await owner_of(live), await join_from(live, HERE)
        _, _, told = await measured(
            "hide",
            order(mona, OrderAct.HIDE),
            guest.until(lambda: not guest.sees(mona.you)),
            mona.next(m.Standing, lambda told: told.hidden),
        )
        assert told.role == "moderator"
        await olga.until(lambda: olga.sees(mona.you))
        guest.send(m.Who([mona.you]))
        assert (await guest.next(m.People)).people == []
        assert await code_of(ask(guest, m.Whisper, mona.you, "psst")) == RefusalCode.NOT_FOUND
        # Nor does she betray herself.
        assert await code_of(ask(mona, m.Whisper, guest.you, "psst")) == RefusalCode.STATE
        assert await code_of(ask(mona, m.Signal, guest.you, "game", b"")) == RefusalCode.STATE
        assert await code_of(ask(mona, m.Signal, 0, "game", b"")) == "done"
        assert await code_of(ask(mona, m.Say, 1, "staff, come")) == "done"
        assert await code_of(ask(mona, m.Whisper, olga.you, "psst")) == "done"
        await olga.until(lambda: olga.lines)
        await guest.ping()
        assert (guest.lines, guest.all_of(m.Whispered), guest.all_of(m.Signalled)) == ([], [], [])
        await measured(
            "appear",
            order(mona, OrderAct.APPEAR),
            guest.until(lambda: guest.sees(mona.you)),
        )


# ---- those who are not quite here


async def test_who_is_banned_while_its_connection_is_lost_cannot_resume(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, pest = await moderator_of(live), await join_from(live, HERE, "Pest", keep=True)
        await pest.drop()
        await eventually(lambda: bool(live.world.gateway._lost))
        await measured(
            "ban_lost",
            order(mona, OrderAct.BAN, name="Pest"),
            mona.until(lambda: not mona.sees(pest.you)),
        )
        resumed = await refused(live, HERE, resume=pest.welcome.resume, token=pest.welcome.token)
        assert resumed.code == RefusalCode.BANNED


async def test_who_is_banned_between_hello_and_welcome_does_not_stay(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, pest = await moderator_of(live), await join_from(live, HERE, "Pest", keep=True)
        token = pest.welcome.token
        await pest.leave()
        entrance = live.world.gateway.entrance
        place, joining = entrance.place, await dial_from(live, HERE)

        async def slowly(*args):
            # The store was asked who it is; meanwhile:
            await order(mona, OrderAct.BAN, name="Pest", text="gone")
            return await place(*args)

        entrance.place = slowly
        joining.send(m.Hello(1, "test", token=token))
        await measured("ban_joining", sent_out(joining))
        assert joining.received[-1] == m.Goodbye("banned", "gone")
        await eventually(lambda: live.where(pest.you) is None)


async def test_who_is_muted_between_hello_and_taking_over_is_muted_then(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, crier = await moderator_of(live), await join_from(live, HERE, "Crier", keep=True)
        gateway = live.world.gateway
        identify = gateway.entrance.identify

        async def slowly(*args):
            known = await identify(*args)
            await order(mona, OrderAct.MUTE, name="Crier")
            await crier.next(m.Standing)
            return known

        gateway.entrance.identify = slowly
        again = await join_from(live, HERE, token=crier.welcome.token)
        await eventually(lambda: gateway.roster.find(crier.you).standing.muted_until_ms is not None)
        assert await code_of(ask(again, m.Say, 0, "hey")) == RefusalCode.MUTED


async def test_who_resumes_from_a_banned_network_does_not_stay(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, rosa = await moderator_of(live), await join_from(live, HERE, "Rosa", keep=True)
        await order(mona, OrderAct.BAN, network=THERE)
        await rosa.drop()
        resumed = await dial_from(live, THERE)
        resumed.send(m.Hello(1, "test", resume=rosa.welcome.resume))
        await measured("ban_resumed", sent_out(resumed))
        await eventually(lambda: live.where(rosa.you) is None)


async def test_a_bot_goes_with_its_owner_and_is_muted_with_it(tmp_path: Path) -> None:
    async with kept_world(tmp_path) as live:
        mona, rosa = await moderator_of(live), await join_from(live, HERE, "Rosa", keep=True)
        key = (await account(rosa, AccountAct.BOT, name="Robot", scopes=list(Scope))).text
        bot = await join_from(live, THERE, token=key)
        await order(mona, OrderAct.MUTE, name="Rosa", text="hush")
        assert (await bot.next(m.Standing)).reason == "hush"
        await measured("ban_owner", order(mona, OrderAct.BAN, name="Rosa"), sent_out(bot))
        assert (await refused(live, THERE, token=key)).code == RefusalCode.BANNED
