"""Keeping order by the SDK in a real world: staff, codes, keys, blocks and reports, time in hand."""

import math

import pytest

from worldloom_sdk import (
    AccessRefused,
    Banned,
    Bot,
    Client,
    Refused,
    Role,
    Scope,
    SentOut,
    Spoke,
    Standing,
    Whispered,
)
from worldloom_sdk.testing import World

pytestmark = pytest.mark.slow


@pytest.fixture
async def world():
    async with World(land="flat") as world:
        yield world


def person(client: Client) -> Bot:
    """Somebody who does not say that it is a bot."""
    return Bot(client, bot=False)


async def owner_and(world, *names):
    """An owner, and others beside it."""
    owner = await world.bot("Olga", person, at=(0, 0))
    await world.give_role("Olga", "owner")
    return owner, *[await world.bot(name, person, at=(2 + n, 0)) for n, name in enumerate(names)]


async def ended(world, bot):
    """Why a bot is in the world no more."""
    with pytest.raises(SentOut) as why:
        await world.drive(bot.client.wait_closed(), within=5.0)
    return str(why.value)


# ---- staff


async def test_a_role_is_told_at_once_and_kept(world):
    ann = await world.bot("Ann", person)
    told = []
    ann.on(Standing)(told.append)
    await world.give_role("Ann", "moderator")
    await world.run(0.1)
    assert told == [Standing("moderator", 0.0, "", False)]
    await world.drive(ann.stop())
    await world.run(1)
    assert (await world.bot("Ann", person)).client.role == Role.MODERATOR


async def test_nobody_gets_a_role_who_has_no_account(world):
    with pytest.raises(ValueError, match="Nobody"):
        await world.give_role("Nobody", "owner")


async def test_staff_see_who_is_here_and_everything_about_somebody(world):
    olga, ben = await owner_and(world, "Ben")
    people = await world.drive(olga.staff.people())
    assert {one.name: (one.role, one.here) for one in people} == {
        "Olga": ("owner", True), "Ben": ("resident", True),
    }  # fmt: skip
    await world.drive(olga.staff.mute("Ben", "shouting", minutes=5))
    shown = await world.drive(olga.staff.show(ben.me))
    assert (shown.name, [(s.kind, s.reason, s.by) for s in shown.sanctions]) == (
        "Ben", [("mute", "shouting", "Olga")],
    )  # fmt: skip


async def test_every_account_is_told_once_however_many(world, monkeypatch):
    monkeypatch.setattr("worldloom.gateway.desk.PEOPLE_MAX", 2)
    olga, *_ = await owner_and(world, "Ben", "Cleo", "Dora", "Emil")

    async def listed(query=""):
        return [(one.name, one.here) async for one in olga.staff.accounts(query)]

    assert await world.drive(listed()) == [(name, True) for name in ("Olga", "Ben", "Cleo", "Dora", "Emil")]
    assert await world.drive(listed("l")) == [("Olga", True), ("Cleo", True), ("Emil", True)]
    assert len(await world.drive(olga.staff.people())) == 2


async def test_who_is_kicked_is_told_why_and_may_be_brought_back_by_hand(world):
    olga, ben = await owner_and(world, "Ben")
    await world.drive(olga.staff.kick(ben.me, "shouting"))
    assert await ended(world, ben) == "kicked: shouting"
    await world.run(60)
    assert list(world.avatars) == [olga.me.id]
    assert (await world.bot("Ben", person)).client.in_world


async def test_a_ban_sends_out_and_keeps_out_until_it_is_over(world):
    olga, ben = await owner_and(world, "Ben")
    await world.drive(olga.staff.ban("Ben", "a raid", minutes=1))
    assert await ended(world, ben) == "banned: a raid"
    with pytest.raises(Banned, match="a raid") as refused:
        await world.bot("Ben", person)
    assert 30 < refused.value.retry_after <= 60
    await world.run(61)
    assert (await world.bot("Ben", person)).client.in_world


async def test_a_ban_is_taken_back(world):
    olga, ben = await owner_and(world, "Ben")
    await world.drive(olga.staff.ban(ben.me))
    await ended(world, ben)
    await world.drive(olga.staff.unban("Ben"))
    assert (await world.bot("Ben", person)).client.in_world


async def test_who_is_muted_knows_for_how_long_and_is_refused_until_then(world):
    olga, ben = await owner_and(world, "Ben")
    told = []
    ben.on(Standing)(told.append)
    await world.drive(olga.staff.mute(ben.me, "shouting", minutes=1))
    await world.until(lambda: told)
    assert told[0].muted == pytest.approx(60, abs=1)
    assert told[0].reason == "shouting"
    with pytest.raises(Refused, match="shouting") as refused:
        await world.drive(ben.say("hello"))
    assert (refused.value.code, refused.value.retry_after) == ("muted", pytest.approx(60, abs=1))
    await world.run(61)
    await world.drive(ben.say("hello"))


async def test_a_mute_without_end_ends_when_it_is_taken_back(world):
    olga, ben = await owner_and(world, "Ben")
    told = []
    ben.on(Standing)(told.append)
    await world.drive(olga.staff.mute(ben.me))
    await world.until(lambda: told)
    with pytest.raises(Refused) as refused:
        await world.drive(ben.say("hello"))
    assert refused.value.retry_after == 0
    await world.drive(olga.staff.unmute("Ben"))
    await world.until(lambda: len(told) == 2)
    assert [standing.muted for standing in told] == [math.inf, 0.0]


async def test_a_resident_may_keep_no_order_and_a_moderator_none_among_owners(world):
    olga, ben = await owner_and(world, "Ben")
    with pytest.raises(Refused) as refused:
        await world.drive(ben.staff.kick(olga.me))
    assert refused.value.code == "forbidden"
    await world.drive(olga.staff.give_role("Ben", Role.MODERATOR))
    with pytest.raises(Refused) as refused:
        await world.drive(ben.staff.kick(olga.me))
    assert refused.value.code == "forbidden"


async def test_who_hides_is_seen_by_staff_alone_until_it_appears(world):
    olga, ben, mona = await owner_and(world, "Ben", "Mona")
    await world.give_role("Mona", "moderator")
    await world.drive(olga.staff.hide())
    await world.until(lambda: ben.find(olga.me) is None)
    await world.run(1)
    assert (olga.client.hidden, ben.find(olga.me), mona.find(olga.me).id) == (True, None, olga.me.id)
    await world.drive(olga.staff.appear())
    await world.until(lambda: ben.find(olga.me) is not None)
    assert not olga.client.hidden


async def test_a_report_is_read_and_closed_and_the_log_has_it(world):
    olga, ben, mal = await owner_and(world, "Ben", "Mal")
    await world.drive(mal.say("vile things"))
    await world.run(1)
    number = await world.drive(ben.report(mal.me, "says vile things"))
    (report,) = await world.drive(olga.staff.reports())
    assert (report.number, report.by, report.about, report.text) == (number, "Ben", "Mal", "says vile things")
    await world.drive(olga.staff.close_report(number, "talked to Mal"))
    assert await world.drive(olga.staff.reports()) == []
    newest = (await world.drive(olga.staff.audit()))[0]
    assert (newest.by, newest.act, newest.about) == ("Olga", "close_report", "Mal")


# ---- blocks


async def test_blocked_both_ways_they_are_nothing_to_each_other_until_it_ends(world):
    ann = await world.bot("Ann", person, at=(0, 0))
    ben = await world.bot("Ben", person, at=(2, 0))
    heard = []
    ann.on(Spoke)(heard.append)
    ann.on(Whispered)(heard.append)
    ann_id, ben_id = ann.me.id, ben.me.id
    await world.until(lambda: ann.find(ben_id) and ben.find(ann_id))
    await world.drive(ann.block(ben_id))
    await world.run(1)
    assert (ann.find(ben_id), ben.find(ann_id)) == (None, None)
    await world.drive(ben.say("hello"))
    with pytest.raises(Refused) as refused:
        await world.drive(ben.whisper(ann_id, "hello"))
    await world.run(1)
    assert (heard, refused.value.code) == ([], "not_found")
    await world.drive(ann.unblock(ben_id))
    await world.until(lambda: ann.find(ben_id) and ben.find(ann_id))


async def test_a_block_of_speech_leaves_bodies(world):
    ann = await world.bot("Ann", person, at=(0, 0))
    ben = await world.bot("Ben", person, at=(2, 0))
    heard = []
    ann.on(Spoke)(heard.append)
    ann.on(Whispered)(heard.append)
    await world.until(lambda: ann.find(ben.me) and ben.find(ann.me))
    await world.drive(ann.block(ben.me, speech_only=True))
    await world.drive(ben.say("hello"))
    await world.drive(ben.whisper(ann.me, "hello"))
    await world.run(1)
    assert (heard, ann.find(ben.me).id) == ([], ben.me.id)


# ---- coming in


async def test_an_account_is_brought_to_another_device_by_a_pairing_code_once(world):
    ann = await world.bot("Ann", person)
    code = (await world.drive(ann.account.pairing_code())).text
    await world.drive(ann.stop())
    again = await world.join(make=person, code=code.lower().replace("-", ""))
    assert (again.name, again.client.token is not None, again.client.recovery) == ("Ann", True, "")
    await world.drive(again.stop())
    with pytest.raises(Refused) as refused:
        await world.join(make=person, code=code)
    assert refused.value.code == "token"


async def test_who_lost_every_token_comes_back_by_the_recovery_code_and_gets_the_next_one(world, tmp_path):
    ann = await world.join("Ann", person, keep=True)
    first = ann.client.recovery
    await world.drive(ann.stop())
    again = await world.join(make=person, code=first, token_file=tmp_path / "ann.token")
    assert again.name == "Ann"
    assert again.client.recovery not in ("", first)
    assert (tmp_path / "ann.token").read_text().splitlines() == [
        again.client.token, f"recovery: {again.client.recovery}",
    ]  # fmt: skip


async def test_a_bot_comes_with_its_key_is_shown_as_whose_it_is_and_held_to_its_scopes(world):
    ann = await world.bot("Ann", person, at=(0, 0))
    key = (await world.drive(ann.account.make_bot("Hilda", [Scope.MOVE]))).text
    hilda = await world.join(token=key)
    assert (hilda.name, hilda.client.scopes) == ("Hilda", {"move"})
    with pytest.raises(Refused) as refused:
        await world.drive(hilda.say("hello"))
    assert refused.value.code == "forbidden"
    await world.until(lambda: ann.find(hilda.me))
    assert await world.drive(ann.name_of(hilda.me)) == "Hilda"
    shown = ann.find(hilda.me)
    assert (shown.kind, shown.owner) == ("bot", "Ann")
    with pytest.raises(Refused) as refused:
        await world.drive(hilda.account.pairing_code())
    assert refused.value.code == "forbidden"


async def test_a_bot_whose_key_is_revoked_is_sent_out(world):
    ann = await world.bot("Ann", person)
    key = (await world.drive(ann.account.make_bot("Hilda"))).text
    hilda = await world.join(token=key)
    tokens = await world.drive(ann.account.tokens())
    assert [(token.name, token.current) for token in tokens] == [("Ann", True), ("Hilda", False)]
    await world.drive(ann.account.revoke(tokens[1]))
    assert (await ended(world, hilda)).startswith("revoked")
    with pytest.raises(Refused) as refused:
        await world.join(token=key)
    assert refused.value.code == "token"


async def test_a_world_by_invitation_takes_who_has_one_as_often_as_it_is_good(world):
    async with World(
        land="flat", config={"access.mode": "invitation", "access.greeting": "Be kind."}
    ) as world:
        olga = (await owner_and(world))[0]
        assert olga.client.greeting == "Be kind."
        with pytest.raises(AccessRefused, match="invitation"):
            await world.join("Ben", person, keep=True)
        invitation = (await world.drive(olga.staff.invite())).text
        ben = await world.join("Ben", person, keep=True, access=invitation)
        assert (ben.name, ben.client.role) == ("Ben", "resident")
        with pytest.raises(AccessRefused):
            await world.join("Cy", person, keep=True, access=invitation)


async def test_a_world_by_password_takes_guests_who_know_it(tmp_path):
    file = tmp_path / "password"
    file.write_text("open sesame\n")
    file.chmod(0o600)
    config = {"access.mode": "password", "access.password_file": str(file)}
    async with World(land="flat", config=config) as world:
        with pytest.raises(AccessRefused, match="password"):
            await world.join("Ben")
        ben = await world.join("Ben", access="open sesame")
        assert ben.client.role == "guest"


async def test_a_closed_world_takes_staff_alone():
    async with World(land="flat", config={"access.mode": "closed"}) as world:
        with pytest.raises(AccessRefused, match="closed"):
            await world.bot("Ann")
        await world.give_role("Ann", "moderator")
        assert (await world.bot("Ann")).client.role == "moderator"
