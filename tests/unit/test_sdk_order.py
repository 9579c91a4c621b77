"""Keeping order by the SDK: what staff and owners of accounts say, and what they are told."""

import random

import msgspec
import pytest

from sdk_peer import SmallWorld, body_of, snapshot, word_of
from worldloom_sdk.bot import Bot
from worldloom_sdk.client import Client
from worldloom_sdk.errors import Disconnected, Refused
from worldloom_sdk.protocol import messages as m

BO = m.Person(12, "Bo", "resident", True, sanctions=[m.Sanction("mute", "shouting", 1, 0, "operator")])
SECRET = m.Secret("7KQ2-M4XW-9C", 1_800_000_600_000, 12)
TOKEN = m.TokenInfo("0123456789abcdef", "Hilda", "sdk/1", ["move"], 1, 2, False)
REPORT = m.Reported(3, 1, "Ada", "Bo", "shouts")
ENTRY = m.AuditEntry(4, 1, "Ada", "mute", "Bo", "shouting")


@pytest.fixture
def world():
    return SmallWorld()


@pytest.fixture
async def client(world):
    async with Client(dial=world.dial, clock=world.clock, name="Ada", rng=random.Random(1)) as client:
        yield client


def commands(world):
    """What was asked for, in order."""
    return [message for message in world.heard if isinstance(message, m.Order | m.Account | m.Report)]


def wire(result):
    return msgspec.to_builtins(result)


def order(act, **fields):
    return m.Order(1, act, **fields)


DEEDS = {
    "kick by id": (lambda staff: staff.kick(8, "shouting"), order("kick", avatar=8, text="shouting")),
    "kick by name": (lambda staff: staff.kick("Bo"), order("kick", name="Bo")),
    "kick a person": (lambda staff: staff.kick(BO), order("kick", name="Bo")),
    "ban": (lambda staff: staff.ban("Bo", "a raid", minutes=60), order("ban", name="Bo", minutes=60, text="a raid")),
    "ban a network": (
        lambda staff: staff.ban(network="192.0.2.0/24", reason="a raid"),
        order("ban", network="192.0.2.0/24", text="a raid"),
    ),
    "unban": (lambda staff: staff.unban(network="192.0.2.7"), order("unban", network="192.0.2.7")),
    "mute": (lambda staff: staff.mute(8, minutes=10), order("mute", avatar=8, minutes=10)),
    "unmute": (lambda staff: staff.unmute("Bo"), order("unmute", name="Bo")),
    "role": (lambda staff: staff.give_role("Bo", m.Role.MODERATOR), order("role", name="Bo", text="moderator")),
    "hide": (lambda staff: staff.hide(), order("hide")),
    "appear": (lambda staff: staff.appear(), order("appear")),
    "close": (lambda staff: staff.close_report(3, "talked"), order("close", number=3, text="talked")),
}  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_staff_do_is_one_order_and_tells_nothing(world, client, deed):
    do, said = DEEDS[deed]
    assert await do(client.staff) is None
    assert commands(world) == [said]


QUESTIONS = {
    "people": (lambda client: client.staff.people("b"), order("list", name="b"), [BO]),
    "show": (lambda client: client.staff.show(12), order("show", avatar=12), BO),
    "invite": (
        lambda client: client.staff.invite(5, minutes=60), order("invite", uses=5, minutes=60), SECRET
    ),
    "reports": (lambda client: client.staff.reports(), order("reports"), [REPORT]),
    "audit": (lambda client: client.staff.audit(), order("audit"), [ENTRY]),
    "any act": (lambda client: client.order(m.OrderAct.INVITE, minutes=60), order("invite", minutes=60), SECRET),
    "recovery": (lambda client: client.account.recovery_code(), m.Account(1, "recovery"), SECRET),
    "pairing": (lambda client: client.account.pairing_code(), m.Account(1, "pair"), SECRET),
    "tokens": (lambda client: client.account.tokens(), m.Account(1, "tokens"), [TOKEN]),
    "bot": (
        lambda client: client.account.make_bot("Hilda", [m.Scope.MOVE]),
        m.Account(1, "bot", "Hilda", ["move"]),
        SECRET,
    ),
    "report": (lambda client: client.report(8, "shouts"), m.Report(1, 8, "shouts"), 3),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
async def test_what_done_carries_comes_back_as_what_the_act_promises(world, client, question):
    ask, said, result = QUESTIONS[question]
    world.result = wire(result)
    assert await ask(client) == result
    assert commands(world) == [said]


async def test_a_token_is_revoked_by_its_entry_or_its_id(world, client):
    await client.account.revoke(TOKEN)
    await client.account.revoke(TOKEN.id)
    assert [message.token for message in commands(world)] == [TOKEN.id] * 2


async def test_blocks_reach_everything_or_speech_alone_and_end(world, client):
    await client.block(8)
    await client.block(8, speech_only=True)
    await client.unblock(8)
    told = [message for message in world.heard if isinstance(message, m.Block)]
    assert told == [
        m.Block(1, 8, True), m.Block(2, 8, True, m.BlockReach.SPEECH), m.Block(3, 8, False),
    ]  # fmt: skip


async def test_a_forbidden_act_says_what_it_takes(world, client):
    world.order_refusal = m.Refused(
        0, "forbidden", "expected the role 'moderator' or higher", "ask an owner", 0
    )
    with pytest.raises(Refused, match=r"moderator.*ask an owner") as refused:
        await client.staff.kick("Bo")
    assert (refused.value.code, refused.value.hint) == ("forbidden", "ask an owner")


@pytest.mark.parametrize(
    ("do", "text"),
    [
        (lambda staff: staff.ban(), "either who or network, got who=None network=''"),
        (lambda staff: staff.ban("Bo", network="192.0.2.7"), "either who or network"),
        (lambda staff: staff.kick(0), "who: expected an avatar id above 0 or a name, got 0"),
        (lambda staff: staff.kick(" "), "who: expected an avatar id above 0 or a name, got ' '"),
        (lambda staff: staff.ban("Bo", minutes=-1), "minutes: expected int >= 0, got -1"),
        (lambda staff: staff.invite(1001), "uses: expected int <= 1000, got 1001"),
        (
            lambda staff: staff.kick("Bo", "x" * 501),
            "text: expected str of length <= 500, got a length of 501",
        ),
    ],
)
async def test_what_cannot_be_asked_names_the_argument_and_is_not_sent(world, client, do, text):
    with pytest.raises(ValueError, match=text):
        await do(client.staff)
    assert commands(world) == []


async def test_nobody_at_all_is_a_type_error(client):
    with pytest.raises(TypeError, match="who: expected an Avatar"):
        await client.staff.kick(1.5)


async def test_a_result_that_the_act_does_not_promise_breaks_the_protocol(world, client):
    world.result = "not a person"
    with pytest.raises(Disconnected):
        await world.clock.until(client.staff.show("Bo"))


async def test_fields_that_a_later_server_adds_to_a_result_are_ignored(world, client):
    world.result = [*wire(SECRET), "something new"]
    assert await client.account.pairing_code() == SECRET


async def test_a_bot_keeps_order_by_the_same_words(world):
    bot = Bot(dial=world.dial, clock=world.clock, name="Guard")
    await bot.start()
    await bot.staff.mute("Mallory", "shouting", minutes=10)
    assert commands(world) == [order("mute", name="Mallory", minutes=10, text="shouting")]
    world.result = 3
    assert await bot.report(8, "shouts") == 3
    await bot.stop()


async def test_who_is_a_bot_and_whose_is_asked_with_the_name(world, client):
    world.bots = [m.Named(10, "Hilda", "bot", "Bo")]
    world.tell(m.Area(1, 0, 0, 2, [0], body_of(snapshot((0, 0), (0, 10, word_of(0, 640, 640))))))
    assert await world.clock.until(client.name_of(10)) == "Hilda"
    hilda = client.view.avatars[10]
    assert (hilda.name, hilda.kind, hilda.owner) == ("Hilda", "bot", "Bo")
    assert await world.clock.until(client.name_of(8)) == "Bo"
    assert (client.view.name_of(8).kind, client.view.name_of(8).owner) == ("guest", None)
