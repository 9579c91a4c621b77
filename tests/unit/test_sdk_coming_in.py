"""Coming in by the SDK: by which right, what is kept of it, and how it ends when somebody is sent out."""

import asyncio
import math
import random
import stat

import pytest

from sdk_peer import SmallWorld
from worldloom_sdk import events
from worldloom_sdk.bot import Bot, live_together
from worldloom_sdk.client import Client
from worldloom_sdk.errors import AccessRefused, Banned, Disconnected, NotConnected, Refused, SentOut
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.tokens import Kept, read_token, write_token

TOKEN = "secret-" + "1" * 20
RECOVERY = "7KQ2-M4XW-9C0T-N5RD-1ZBA-8EHG-Y3"
PAIRING = "7kq2-m4xw-9c"


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("WORLDLOOM_KEY", raising=False)


@pytest.fixture
def world():
    return SmallWorld()


def client_of(world, **options):
    return Client(dial=world.dial, clock=world.clock, name="Ada", rng=random.Random(1), **options)


def bot_of(world, **options):
    return Bot(dial=world.dial, clock=world.clock, name="Hilda", **options)


async def visit(world, visitor):
    """Come in and go; the Hello that it said."""
    await visitor.start()
    await visitor.stop()
    return world.hellos[-1]


async def test_a_client_is_a_person_and_a_bot_says_that_it_is_none(world):
    assert (await visit(world, client_of(world))).bot is False
    assert (await visit(world, bot_of(world))).bot is True
    assert (await visit(world, Bot(client_of(world)))).bot is True
    assert (await visit(world, bot_of(world, bot=False))).bot is False


async def test_a_newcomer_gives_the_invitation_and_who_has_a_token_does_not(world):
    assert (await visit(world, client_of(world, access="open sesame"))).access == "open sesame"
    known = await visit(world, client_of(world, access="open sesame", token=TOKEN))
    assert (known.access, known.token) == ("", TOKEN)


async def test_a_code_brings_a_token_that_is_kept_and_used_from_then_on(world, tmp_path):
    file = tmp_path / "ada.token"
    world.token = TOKEN
    first = await visit(world, client_of(world, code=PAIRING, token_file=file))
    assert (first.code, first.keep, first.token) == (PAIRING, False, None)
    second = await visit(world, client_of(world, code=PAIRING, token_file=file))
    assert (second.code, second.token) == ("", TOKEN)


async def test_a_code_is_good_once_so_it_is_not_said_again_after_a_loss(world):
    world.token = TOKEN
    async with client_of(world, code=PAIRING) as client:
        world.pipe.cut()
        await world.clock.until(client.wait_for(events.Resumed, timeout=60.0))
        assert [(hello.code, hello.token) for hello in world.hellos] == [(PAIRING, None), ("", TOKEN)]


async def test_the_recovery_code_of_a_new_account_is_kept_beside_its_token(world, tmp_path):
    file = tmp_path / "ada.token"
    world.token, world.welcome = TOKEN, {"recovery": RECOVERY}
    async with client_of(world, token_file=file) as client:
        assert client.recovery == RECOVERY
    assert read_token(file) == (TOKEN, RECOVERY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    world.welcome = {}
    async with client_of(world, token_file=file) as client:
        assert client.recovery == RECOVERY


async def test_a_new_recovery_code_takes_the_place_of_the_void_one_in_the_file(world, tmp_path):
    file = tmp_path / "ada.token"
    write_token(file, Kept(TOKEN, "VOID"))
    async with client_of(world, token_file=file) as client:
        world.result = [RECOVERY, 0, 7]
        await client.account.recovery_code()
    assert read_token(file) == (TOKEN, RECOVERY)


async def test_a_bot_says_once_where_its_recovery_code_is_and_never_the_code(world, tmp_path, capsys):
    file = tmp_path / "hilda.token"
    world.token, world.welcome = TOKEN, {"recovery": RECOVERY}
    await visit(world, bot_of(world, token_file=file))
    world.welcome = {}
    await visit(world, bot_of(world, token_file=file))
    told = capsys.readouterr().err
    assert told.count("recovery code") == 1
    assert f"in {file}; write it down elsewhere" in told
    assert RECOVERY not in told


async def test_a_bots_key_comes_from_its_argument_else_from_the_environment(world, monkeypatch, tmp_path):
    monkeypatch.setenv("WORLDLOOM_KEY", "key-of-the-environment")
    assert (await visit(world, bot_of(world))).token == "key-of-the-environment"
    assert (await visit(world, bot_of(world, key=TOKEN))).token == TOKEN
    assert (await visit(world, bot_of(world, token_file=tmp_path / "hilda.token"))).token is None


async def test_secrets_are_not_shown_where_a_client_is_printed(world):
    client = client_of(world, token=TOKEN, access="open sesame", code=PAIRING)
    shown = repr(client.identity)
    assert not {secret for secret in (TOKEN, "open sesame", PAIRING) if secret in shown}


async def test_what_welcome_says_can_be_read(world):
    world.welcome = {"greeting": "Be kind.", "role": "moderator", "scopes": ["move", "order"], "hidden": True}
    client = client_of(world)
    with pytest.raises(NotConnected):
        _ = client.role
    async with client:
        assert (client.greeting, client.role, client.hidden) == ("Be kind.", m.Role.MODERATOR, True)
        assert client.scopes == {m.Scope.MOVE, m.Scope.ORDER}
    world.welcome = {}
    async with client_of(world) as client:
        assert (client.greeting, client.role, client.hidden, client.scopes) == ("", m.Role.GUEST, False, None)


@pytest.mark.parametrize(("muted_ms", "muted"), [(0, 0.0), (90_000, 90.0), (2**53 - 1, math.inf)])
async def test_a_new_standing_is_an_event_and_what_the_client_says_of_itself(world, muted_ms, muted):
    async with client_of(world) as client:
        told = []
        client.listen(told.append)
        world.tell(m.Standing("moderator", muted_ms, "shouting", True))
        await world.clock.calm()
        assert events.Standing("moderator", muted, "shouting", True) in told
        assert (client.role, client.hidden) == ("moderator", True)


async def test_a_world_that_asks_for_an_invitation_is_an_error_that_says_how_to_give_one(world):
    world.refusals = [m.Refused(0, "access", "expected an invitation, got none", "ask whoever invited you")]
    with pytest.raises(AccessRefused, match=r"ask whoever invited you; give access=.*invitation") as refused:
        await client_of(world, patience_s=60.0).start()
    assert refused.value.code == m.RefusalCode.ACCESS
    assert len(world.dials) == 1


@pytest.mark.parametrize(
    ("retry_after_ms", "advice"), [(0, "do not come back"), (90_000, "come back in 2 min, not before")]
)
async def test_a_banned_client_is_told_why_and_until_when_and_does_not_try_again(
    world, retry_after_ms, advice
):
    world.refusals = [m.Refused(0, "banned", "a raid", "", retry_after_ms)]
    with pytest.raises(Banned, match=rf"banned: a raid \({advice}\)") as refused:
        await client_of(world, patience_s=600.0).start()
    assert (refused.value.retry_after, len(world.dials)) == (retry_after_ms / 1000, 1)


async def test_who_is_banned_while_away_does_not_ask_a_second_time(world):
    client = client_of(world)
    await client.start()
    world.refusals = [m.Refused(0, "banned", "a raid", "", 60_000)] * 5
    world.pipe.cut()
    with pytest.raises(Banned):
        await world.clock.until(client.wait_closed())
    assert len(world.dials) == 2
    await client.stop()


@pytest.mark.parametrize(
    ("code", "text", "retry_after_ms", "shown"),
    [
        ("kicked", "shouting", 0, "kicked: shouting"),
        ("kicked", "shouting", 5_000, "kicked: shouting"),
        ("banned", "a raid", 60_000, "banned: a raid"),
        ("revoked", "", 0, "revoked"),
    ],
)
async def test_who_is_sent_out_is_told_why_and_does_not_come_back(world, code, text, retry_after_ms, shown):
    client = client_of(world)
    await client.start()
    lost = []
    client.listen(lambda event: lost.append(event) if isinstance(event, events.Lost) else None)
    world.send_out(code, text, retry_after_ms)
    with pytest.raises(SentOut) as ended:
        await world.clock.until(client.wait_closed())
    assert str(ended.value) == shown
    assert (ended.value.why, ended.value.reason, ended.value.retry_after) == (
        code,
        text,
        retry_after_ms / 1000,
    )
    await world.clock.run(600.0)
    assert (len(world.dials), lost) == (1, [events.Lost(4002, shown, True)])
    await client.stop()


async def test_a_goodbye_of_a_kick_holds_even_if_the_connection_then_breaks(world):
    client = client_of(world)
    await client.start()
    world.tell(m.Goodbye("kicked", "shouting"))
    world.pipe.cut(1006)
    with pytest.raises(SentOut, match="kicked: shouting"):
        await world.clock.until(client.wait_closed())
    await client.stop()


async def test_a_closing_with_4002_alone_is_final_too(world):
    client = client_of(world)
    await client.start()
    world.pipe.cut(4002, "out")
    with pytest.raises(SentOut, match="sent out: out"):
        await world.clock.until(client.wait_closed())
    await client.stop()


async def test_a_bot_that_is_sent_out_ends_with_the_reason(world):
    bot = bot_of(world)
    living = asyncio.ensure_future(live_together([bot]))
    await world.clock.run(1.0)
    world.send_out("kicked", "shouting")
    (fault,) = await world.clock.until(living)
    assert isinstance(fault, SentOut)


async def test_an_unanswered_order_that_ends_in_being_sent_out_is_unknown(world):
    client = client_of(world)
    await client.start()
    world.silent = (m.Order,)
    waiting = asyncio.ensure_future(client.staff.kick("Bo"))
    await world.clock.calm()
    world.send_out("kicked", "shouting")
    with pytest.raises(Disconnected, match="unknown"):
        await world.clock.until(waiting)
    await client.stop()


async def test_a_refusal_of_any_other_kind_stays_a_plain_one(world):
    world.refusals = [m.Refused(0, "token", "no account has this token", "use a recovery code")]
    with pytest.raises(Refused) as refused:
        await client_of(world, token=TOKEN).start()
    assert type(refused.value) is Refused
