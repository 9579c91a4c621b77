"""Money, land and the market by the SDK: what is said for each call, what is asked again, and what is not."""

import random

import msgspec
import pytest

from sdk_peer import SmallWorld
from worldloom_sdk.client import Client
from worldloom_sdk.errors import NotConnected, Refused, TooDear
from worldloom_sdk.land import parcel_at, rectangle
from worldloom_sdk.notices import EstateTaken, Outbid, event_of
from worldloom_sdk.protocol import estate_parts as parts
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.estate import KEYED, Verb

PRINT = "0f" * 16
OFFER = parts.Offer(7, "sale", 3, "Mill", 12, "Bo", 900, 900, 4, 0, 0, PRINT, 250, 1)
TERMS = parts.LeaseTerms(parts.LeaseOffer(3, "Mill", 12, "Bo", 70, 60, 3, True, 4, 0, 0, PRINT, 250, 1), None)
BOUGHT = parts.Bought(7, 3, 900, 31)
ESTATE = parts.EstateInfo(3, 12, "Bo", "Mill", "", 4, 1, 1, 0, None)
LEASE = parts.LeaseInfo(5, 3, 12, 70, 60, 1, 60_001, 180_001, True)
KEY = bytes(16)


@pytest.fixture
def world():
    return SmallWorld()


@pytest.fixture
async def client(world):
    async with Client(dial=world.dial, clock=world.clock, name="Ada", rng=random.Random(1)) as client:
        yield client


def said(world):
    """Commands about money and land, in order, without their ids; keys told apart from none."""
    asked = [one for one in world.heard if isinstance(one, m.Money | m.Estate | m.Market)]
    return [msgspec.structs.replace(one, id=1) for one in asked]


CALLS = {
    "pay": (
        lambda c: c.money.pay("Bo", 5, "tea", key=KEY),
        m.Money(1, "pay", KEY, name="Bo", amount=5, memo="tea"),
        31,
    ),
    "pay an account": (lambda c: c.money.pay(12, 5, key=KEY), m.Money(1, "pay", KEY, account=12, amount=5), 31),
    "give": (lambda c: c.land.give(ESTATE, 12, key=KEY), m.Estate(1, "give", KEY, 3, account=12), None),
    "split": (
        lambda c: c.land.split(3, rectangle(0, 0, 2, 1), name="Half", key=KEY),
        m.Estate(1, "split", KEY, 3, parcels=[parts.Run(0, 0, 2)], title="Half"),
        [ESTATE, ESTATE],
    ),
    "join": (lambda c: c.land.join(3, ESTATE, key=KEY), m.Estate(1, "join", KEY, 3, 3), ESTATE),
    "sell": (
        lambda c: c.market.sell(3, 900, only="Bo", seconds=60, key=KEY),
        m.Market(1, "sell", KEY, estate=3, price=900, name="Bo", seconds=60),
        OFFER,
    ),
    "buy": (
        lambda c: c.market.buy(OFFER, max_price=900, key=KEY),
        m.Market(1, "buy", KEY, 7, price=900, fingerprint=PRINT),
        BOUGHT,
    ),
    "bid": (
        lambda c: c.market.bid(OFFER, 950, key=KEY),
        m.Market(1, "bid", KEY, 7, price=950, fingerprint=PRINT),
        OFFER,
    ),
    "lease": (
        lambda c: c.market.lease(TERMS.offer, 2, key=KEY),
        m.Market(1, "lease", KEY, estate=3, price=70, fingerprint=PRINT, periods=2),
        LEASE,
    ),
    "renew": (lambda c: c.market.renew(LEASE, key=KEY), m.Market(1, "renew", KEY, lease=5, periods=1), LEASE),
    "exclude": (
        lambda c: c.land.exclude(3, "Bo", "noise", seconds=60, key=KEY),
        m.Estate(1, "exclude", KEY, 3, name="Bo", text="noise", seconds=60),
        None,
    ),
    "parcel": (
        lambda c: c.land.at(-0.5, 16),
        m.Estate(1, "parcel", parcels=[parts.Run(-1, 1)]),
        parts.ParcelInfo(-1, 1, price=100),
    ),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
async def test_each_call_is_one_command_and_gives_what_its_act_promises(world, client, call):
    do, asked, result = CALLS[call]
    world.result = msgspec.to_builtins(result)
    found = await do(client)
    assert said(world) == [asked]
    assert found == (tuple(result) if isinstance(result, list) else result)


async def test_every_call_that_changes_something_makes_a_key_of_its_own(world, client):
    world.result = 31
    for _ in range(3):
        await client.money.pay("Bo", 5)
    keys = {asked.key for asked in said(world)}
    assert {len(key) for key in keys} == {16}
    assert len(keys) == 3


async def test_what_costs_more_than_it_may_is_not_asked_for(world, client):
    with pytest.raises(TooDear) as dear:
        await client.market.buy(OFFER, max_price=899)
    assert (dear.value.price, dear.value.at_most, said(world)) == (900, 899, [])


async def test_a_refusal_is_final_and_asked_once(world, client):
    world.order_refusal = m.Refused(0, "funds", "expected 5 minor units in the purse, got 4", "", 0)
    with pytest.raises(Refused, match="funds"):
        await client.money.pay("Bo", 5)
    assert len(said(world)) == 1


async def test_a_client_that_has_ended_says_so_instead_of_waiting(world, client):
    await client.stop()
    with pytest.raises(NotConnected):
        await client.money.balance()


def test_a_parcel_is_a_floor_division():
    assert [parcel_at(x, z) for x, z in ((0, 0), (15.99, -0.01), (-16, 16))] == [(0, 0), (0, -1), (-1, 1)]


def test_a_kind_of_notice_that_is_not_known_is_an_event_all_the_same():
    assert type(event_of(parts.NoticeInfo(1, "outbid", 2, back=7))) is Outbid
    taken = event_of(parts.NoticeInfo(1, "taken", 2, estate=3, title="Mill", text="a road"))
    assert (type(taken), taken.title, taken.text) == (EstateTaken, "Mill", "a road")
    newer = event_of(parts.NoticeInfo(1, "enchanted", 2))
    assert (newer.kind, newer.number) == ("enchanted", 1)


def test_every_act_that_carries_a_key_is_said_to_do_so():
    assert {kind.__name__: len(acts) for kind, acts in KEYED.items()} == {
        "Money": 1,
        "Estate": 10,
        "Market": 9,
    }


@pytest.mark.parametrize(
    "verbs",
    [
        ["enter", "Build"],
        Verb.ENTER | Verb.BUILD,
        {Verb.ENTER, "build"},
        5,
        ("enter", Verb.ENTER | Verb.BUILD),
    ],
)
async def test_verbs_are_given_by_name_or_as_they_are(world, client, verbs):
    await client.land.allow(3, "Gus", verbs, key=KEY)
    assert said(world) == [m.Estate(1, "allow", KEY, 3, name="Gus", verbs=5)]


async def test_one_verb_goes_by_its_name_and_everyone_may_be_given_none(world, client):
    await client.land.allow(3, "Gus", "enter", key=KEY)
    await client.land.allow(3, None, [], key=KEY)
    assert [one.verbs for one in said(world)] == [1, 0]


WRONG = {
    "a verb": (lambda c: c.land.allow(3, "Gus", "fly"), "verbs: expected Verbs or names of enter, .*, got 'fly'"),
    "a verb among others": (lambda c: c.land.allow(3, "Gus", ["enter", 3]), "verbs: expected .*, got ..enter., 3."),
    "no verbs": (lambda c: c.land.allow(3, "Gus", None), "verbs: expected .*, got None"),
    "a highest price": (lambda c: c.market(max_price=-4), "max_price: expected int >= 0, got -4"),
    "parcels at least": (lambda c: c.market(min_parcels=1.5), "min_parcels: expected int, got float"),
    "a part of a name": (lambda c: anext(c.market.to_let(name=3)), "name: expected str, got int"),
    "a place": (lambda c: c.market(near=(1, "x")), r"near: expected .* in metres, got \(1, 'x'\)"),
    "no number": (lambda c: c.market(near=(1, float("nan"))), r"near: expected .* in metres, got \(1, nan\)"),
    "a radius": (lambda c: c.market(near=(1, 1), within="far"), "within: expected 0 to 4096 metres, got .far."),
    "a radius of no place": (lambda c: c.market(within=9), r"within: expected near=.x, z. with it, .*got 9 alone"),
    "that of what is to let": (lambda c: anext(c.market.to_let(within=9)), r"within: expected near=.x, z. with it"),
    "a bid": (lambda c: c.market.bid(OFFER, -1), "amount: expected int >= 0, got -1"),
    "a rent": (lambda c: c.market.offer_lease(3, -5, period_s=60), "rent: expected int >= 0, got -5"),
    "a period": (lambda c: c.market.offer_lease(3, 5, period_s=-60), "period_s: expected int >= 0, got -60"),
    "a parcel": (lambda c: c.land.claim([(1.5, 2)]), r"parcels: expected .*, got \[\(1.5, 2\)\]"),
    "an estate": (lambda c: c.land.show("Mill"), "estate: expected its number or what was told of it, got 'Mill'"),
    "a landing": (lambda c: c.land.describe(3, landing="x"), "landing: expected .* in metres, got 'x'"),
    "an estate's name": (lambda c: c.land.describe(3, name="x" * 65), "name: expected str of length <= 64"),
    "a reason": (lambda c: c.land.exclude(3, "Bo", "x" * 501), "reason: expected str of length <= 500"),
}  # fmt: skip


@pytest.mark.parametrize("call", WRONG)
async def test_a_wrong_argument_is_named_as_the_call_has_it_and_nothing_is_sent(world, client, call):
    do, text = WRONG[call]
    with pytest.raises(ValueError, match=f"^{text}"):
        await do(client)
    assert said(world) == []


async def test_a_landing_point_is_told_in_metres_and_may_be_given_back(world, client):
    told = msgspec.structs.replace(ESTATE, landing=parts.Landing(-3_840, 4_496))
    world.result = msgspec.to_builtins(told)
    estate = await client.land.describe(3, landing=(-60, 70.25), key=KEY)
    assert estate.landing.metres == (-60.0, 70.25)
    await client.land.describe(3, landing=estate.landing, key=KEY)
    assert [one.landing for one in said(world)] == [told.landing, told.landing]
