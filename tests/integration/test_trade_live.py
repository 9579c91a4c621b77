"""Land and market over real sockets, with the SDK alone: claimed, joined, sold, auctioned, leased, and told of."""

import asyncio
from pathlib import Path

import pytest

from estate_people import COINS, ask, key, land_world, trader
from raw_ws import eventually
from worldloom.app.clock import unix_ms
from worldloom.services import auctions, land, leases
from worldloom.services.asking import OPERATOR
from worldloom_sdk import (
    BidReceived,
    Blocked,
    CorrectionReason,
    EstateGiven,
    EstateTaken,
    Event,
    Leased,
    LeaseEnded,
    Outbid,
    Paid,
    Refused,
    Sold,
    TooDear,
    Won,
    rectangle,
)
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.estate import Verb
from worldloom_sdk.protocol.estate_parts import Run
from worldloom_sdk.protocol.messages import Scope

pytestmark = pytest.mark.slow


def heard_by(bot, *kinds):
    heard = []
    for kind in kinds:
        bot.on(kind)(heard.append)
    return heard


async def refused(doing):
    with pytest.raises(Refused) as refusal:
        await doing
    return refusal.value.code


async def test_a_plot_is_claimed_joined_listed_and_sold_to_another(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada, trader(live, "Bo") as bo:
        sold = heard_by(ada, Sold)
        west = await ada.claim(rectangle(0, 0, 2, 2), max_price=400, name="West")
        east = await ada.claim([(2, 0)], name="East")
        assert (west.owner_name, west.parcels, east.parcels) == ("Ada", 4, 1)
        both = await ada.land.join(west, east)
        assert (both.estate, both.parcels, both.name) == (west.estate, 5, "West")
        assert await refused(bo.claim([(1, 1)])) == "sold"
        with pytest.raises(TooDear):
            await bo.claim([(9, 9)], max_price=99)
        offer = await ada.sell(both, 8_000, seconds=3_600)
        [shown] = await bo.market(sort="price", near=(16, 16), within=100)
        assert (shown.listing, shown.name, shown.seller_name) == (offer.listing, "West", "Ada")
        assert await refused(ada.buy(offer.listing)) == "invalid"
        with pytest.raises(TooDear):
            await bo.buy(offer.listing, max_price=7_999)
        bought = await bo.buy(shown)
        assert (bought.estate, bought.price) == (both.estate, 8_000)
        assert await refused(bo.buy(shown)) == "sold"
        await eventually(lambda: sold)
        assert (sold[0].estate, sold[0].amount, sold[0].fee, sold[0].name) == (both.estate, 8_000, 200, "Bo")
        assert (await ada.money.balance()).own == COINS - 500 + 8_000 - 200
        assert (await bo.money.balance()).own == COINS - 8_000
        assert (await bo.land.at(40, 5)).owner_name == "Bo"
        told = await bo.land.history(both)
        assert told[0].kind == "sale"
        assert told[-1].kind == "claim"
        entries = [entry async for entry in bo.money.entries()]
        assert [entry.amount for entry in entries] == [-8_000, COINS]
        assert [estate.name async for estate in ada.land.estates("Bo")] == ["West"]


async def test_an_auction_with_two_bidders_repays_the_one_and_gives_the_other_the_land(
    tmp_path: Path,
) -> None:
    async with (
        land_world(tmp_path) as live,
        trader(live, "Ada") as ada,
        trader(live, "Bo") as bo,
        trader(live, "Cy") as cy,
    ):
        told = heard_by(bo, Outbid, Won)
        bids, won = heard_by(ada, BidReceived, Sold), heard_by(cy, Won)
        plot = await ada.claim([(0, 0)], name="Hill")
        offer = await ada.market.auction(plot, 1_000, step=100, seconds=3_600)
        assert await refused(bo.bid(offer, 999)) == "changed"
        assert (await bo.bid(offer.listing, 1_000)).asked == 1_100
        assert (await bo.money.balance()).own == COINS - 1_000
        assert await refused(ada.market.withdraw(offer)) == "locked"
        now = await cy.bid(offer.listing, 1_500)
        assert (now.top_bid, now.seller_name) == (1_500, "Ada")
        await eventually(lambda: told)
        assert (type(told[0]), told[0].back, told[0].amount, told[0].name) == (Outbid, 1_000, 1_500, "Cy")
        assert (await bo.money.balance()).own == COINS
        assert [bid.listing for bid in (await cy.market.trades()).bids] == [offer.listing]
        await live.world.store.run(auctions.settle, auctions.Settle(offer.listing, unix_ms() + 3_700_000))
        await eventually(lambda: won and len(bids) == 3)
        assert (won[0].estate, won[0].amount, won[0].name) == (plot.estate, 1_500, "Ada")
        assert [(type(one), one.name) for one in bids] == [
            (BidReceived, "Bo"), (BidReceived, "Cy"), (Sold, "Cy")
        ]  # fmt: skip
        assert (await ada.land.show(plot)).owner_name == "Cy"
        assert (await ada.money.balance()).own == COINS - 100 + 1_500 - 37
        assert await refused(bo.market.show(offer)) == "sold"


async def test_a_lease_is_paid_for_told_of_and_ends_by_itself(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada, trader(live, "Bo") as bo:
        told, ended = heard_by(ada, Leased), heard_by(bo, LeaseEnded)
        plot = await ada.claim([(0, 0)], name="Mill")
        await ada.market.offer_lease(plot, 600, period_s=60, max_periods=3)
        [to_let] = [offer async for offer in bo.market.to_let(max_price=1_000)]
        assert (to_let.name, to_let.owner_name, to_let.period_s) == ("Mill", "Ada", 60)
        with pytest.raises(TooDear):
            await bo.lease(to_let, max_rent=599)
        lease = await bo.lease(to_let, 1)
        assert lease.until_ms - lease.from_ms == 60_000
        longer = await bo.market.renew(lease)
        assert longer.until_ms - lease.until_ms == 60_000
        await eventually(lambda: told)
        assert (told[0].amount, told[0].fee, told[0].account, told[0].name) == (600, 15, bo.me.id, "Bo")
        assert (await ada.land.show(plot)).lease == longer
        assert await refused(ada.land.split(plot, [(0, 0)])) == "leased"
        assert [one.lease for one in (await bo.market.trades()).leases] == [lease.lease]
        assert [offer async for offer in ada.market.to_let()] == []
        terms = await ada.market.terms(plot)
        assert (terms.offer.rent, terms.lease.tenant) == (600, bo.me.id)
        # Nobody waits for two minutes: the clock of who tells of it is ahead.
        later = longer.until_ms + 1
        while await live.world.store.run(leases.tell_due, later):
            pass
        await eventually(lambda: ended)
        assert (ended[0].lease, ended[0].estate, ended[0].name) == (lease.lease, plot.estate, "Ada")


async def test_a_manager_deals_in_the_owners_name(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada, trader(live, "Bo") as bo:
        sold, hers = heard_by(ada, Sold), heard_by(bo, Sold)
        plot = await ada.claim([(0, 0)], name="Mill")
        assert await refused(bo.sell(plot, 500)) == "forbidden"
        await ada.land.allow(plot, "Bo", Verb.SELL | Verb.LEASE)
        assert (await bo.market.offer_lease(plot, 60, period_s=60, max_periods=3)).owner_name == "Ada"
        hammer = await bo.market.auction(plot, 1_000, step=100, seconds=3_600)
        assert (hammer.seller, hammer.seller_name) == (ada.me.id, "Ada")
        await bo.market.withdraw(hammer)
        offer = await bo.sell(plot, 500)
        assert (offer.seller, offer.seller_name) == (ada.me.id, "Ada")
        # Who lists for another may buy like anybody.
        await bo.buy(offer)
        await eventually(lambda: sold)
        assert hers == []
        assert (await ada.money.balance()).own == COINS - 100 + 500 - 12


async def test_who_is_given_land_is_told_by_whom(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada, trader(live, "Bo") as bo:
        given, hers = heard_by(bo, EstateGiven), heard_by(ada, EstateGiven)
        plot = await ada.claim([(0, 0)])
        await ada.land.give(plot, "Bo")
        await eventually(lambda: given)
        assert (given[0].estate, given[0].account, given[0].name) == (plot.estate, ada.me.id, "Ada")
        assert hers == []
        assert (await bo.land.show(plot)).owner_name == "Bo"


async def test_who_has_land_taken_is_told_why(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada:
        told = heard_by(ada, EstateTaken)
        plot = await ada.claim([(0, 0)], name="Mill")
        await live.world.store.run(land.take, land.Take(OPERATOR, plot.estate, "a road", unix_ms()))
        await eventually(lambda: told)
        assert (told[0].estate, told[0].title, told[0].text) == (plot.estate, "Mill", "a road")
        [kept] = await ada.money.notices()
        assert (kept.kind, kept.title, kept.text) == ("taken", "Mill", "a road")


async def test_notices_wait_for_who_is_away_and_come_once(tmp_path: Path) -> None:
    token = tmp_path / "ada.token"
    async with land_world(tmp_path / "data") as live, trader(live, "Bo") as bo:
        async with trader(live, "Ada", token_file=token):
            pass
        await bo.money.pay("Ada", 250, "for the well")
        told: list[Event] = []
        async with trader(live, "Ada", 0, told.append, token_file=token) as ada:
            await eventually(lambda: amounts(told) == [250])
            await bo.money.pay("Ada", 251)
            await eventually(lambda: amounts(told) == [250, 251])
            [first, second] = await ada.money.notices()
            await asyncio.sleep(1.2)
            assert [notice.read for notice in await ada.money.notices()] == [True, True]
            assert (first.amount, second.amount) == (251, 250)
            assert [one.name for one in told if isinstance(one, Paid)] == ["Bo", "Bo"]
        told.clear()
        async with trader(live, "Ada", 0, told.append, token_file=token):
            await bo.money.pay("Ada", 252)
            await eventually(lambda: amounts(told))
            assert amounts(told) == [252]


def amounts(told: list[Event]) -> list[int]:
    return [event.amount for event in told if isinstance(event, Paid)]


async def test_guests_look_and_own_nothing_and_keys_take_the_scope(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada:
        plot = await ada.claim([(0, 0)])
        secret = await ada.account.make_bot("Hilda", [Scope.MOVE])
        trading = await ada.account.make_bot("Gerda", [Scope.TRADE])
        async with trader(live, "Hilda", 0, key=secret.text) as hilda:
            assert (await hilda.land.show(plot)).owner_name == "Ada"
            assert await refused(hilda.money.balance()) == "forbidden"
            assert await refused(hilda.claim([(1, 0)])) == "forbidden"
        async with trader(live, "Gerda", 1_000, key=trading.text) as gerda:
            await gerda.claim([(1, 0)])
            assert (await gerda.money.balance()).own == 900
        guest = await live.join("Gus")
        assert (await ask(guest, m.Estate, "parcel", parcels=[Run(0, 0)])).owner_name == "Ada"
        for kind, act, fields in (
            (m.Money, "balance", {}),
            (m.Estate, "claim", {"key": key(), "parcels": [Run(5, 5)], "price": 100}),
            (m.Estate, "holdings", {}),
            (m.Market, "trades", {}),
        ):
            assert (await ask(guest, kind, act, **fields)).code == "forbidden"
        assert (await ask(guest, m.Estate, "parcel")).code == "invalid"
        assert (await ask(guest, m.Market, "page", sort="by luck")).code == "invalid"
        assert (await ask(guest, m.Market, "page", near=[1])).code == "invalid"


async def test_rights_are_given_seen_and_in_force_at_the_border(tmp_path: Path) -> None:
    async with land_world(tmp_path) as live, trader(live, "Ada") as ada, trader(live, "Bo") as bo:
        plot = await ada.claim([(10, 8)], name="Yard")
        assert await refused(bo.land.allow(plot, None)) == "forbidden"
        await ada.land.allow(plot, None)
        await ada.land.allow(plot, "Bo", role="builder", seconds=3_600)
        told = await ada.land.rights(plot)
        assert (told.everyone, [permit.role for permit in told.permits if permit.name == "Bo"]) == (
            0,
            ["builder"],
        )
        assert (await bo.land.rights(plot)).own & Verb.TERRAFORM
        await bo.walk_to(168, 136, speed=20)
        await ada.land.disallow(plot, "Bo")
        await ada.land.exclude(plot, "Bo", "noise")
        assert [barred.reason for barred in (await ada.land.rights(plot)).barred] == ["noise"]
        await bo.walk_to(152, 136, speed=20)
        await asyncio.sleep(0.5)
        with pytest.raises(Blocked) as wall:
            await bo.walk_to(168, 136, speed=20)
        assert wall.value.reason is CorrectionReason.PRIVATE
        await ada.land.admit(plot, "Bo")
        await ada.land.allow(plot, None, Verb.ENTER)
        await asyncio.sleep(0.5)
        await bo.walk_to(168, 136, speed=20)
