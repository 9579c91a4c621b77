"""Rights in places on every store: who may give what, what counts of it, and that every host hears of changes."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from order_people import NOW, add, by
from traders import (
    DAY,
    HOUR,
    RULES,
    Trader,
    auctioned,
    buying,
    coins,
    for_sale,
    leasing,
    own,
    to_let,
    trader,
)
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore, open_beside
from worldloom.ports import TileRow, Tx
from worldloom.realm.rights import EVERYONE, NONE, EstateRole, Verb
from worldloom.services import (
    gates,
    land,
    leases,
    listings,
    market,
    notices,
    overlays,
    people,
    register,
    rights,
    terrain,
    tidying,
)
from worldloom.services.asking import OPERATOR, By, Whom
from worldloom.services.gates import Since
from worldloom.services.rights import Admit, Allow, Disallow, Exclude
from worldloom.world.edges import edges_of
from worldloom.world.enter import ENTER, EXCLUDED, SEE
from worldloom_sdk.protocol.messages import RefusalCode, Role
from worldloom_sdk.protocol.overlay import Patch
from worldloom_sdk.protocol.tiles import Tile, encode_tile, tile_sha256

FORBIDDEN = RefusalCode.FORBIDDEN
ENTER_ONLY = Verb.ENTER | Verb.INTERACT
Four = tuple[Trader, Trader, Trader, Trader]


def four(tx: Tx, _: None) -> Four:
    """Ann owns estate 1, two parcels across the border of regions (0, 0) and (1, 0), and estate 2 far away."""
    ann = trader(tx, "Ann", 10_000)
    own(tx, ann, (15, 0), (16, 0))
    own(tx, ann, (500, 500))
    return ann, *(trader(tx, name, 10_000) for name in ("Bob", "Cat", "Dan"))


def giving(who: Trader, to: Trader | None, **what: object) -> Allow:
    whom = None if to is None else Whom(account=to.account)
    return replace(Allow(who.by, 1, whom, NOW), **what)


def excluding(who: Trader, whom: Trader, **what: object) -> Exclude:
    return replace(Exclude(who.by, 1, Whom(name=whom.name), NOW), **what)


async def may(store: SqlStore, verb: Verb, who: Trader | None, now_ms: int = NOW) -> bool:
    account = None if who is None else who.account
    return await store.read(lambda tx, _: rights.may(tx, verb, account, 1, now_ms), None)


async def refused(store: SqlStore, use_case: object, command: object) -> RefusalCode:
    with pytest.raises(Refusal) as caught:
        await store.run(use_case, command)  # type: ignore[arg-type]
    return caught.value.code


async def test_the_owner_closes_a_place_and_lets_somebody_in_for_a_time(store: SqlStore) -> None:
    ann, bob, cat, _ = await store.run(four, None)
    assert await may(store, Verb.ENTER | Verb.SEE, None)
    await store.run(rights.allow, giving(ann, None, verbs=NONE))
    await store.run(rights.allow, giving(ann, bob, verbs=ENTER_ONLY, until_ms=NOW + HOUR))
    assert [await may(store, Verb.ENTER, who) for who in (ann, bob, cat, None)] == [True, True, False, False]
    assert await may(store, Verb.ENTER, bob, NOW + HOUR - 1)
    assert not await may(store, Verb.ENTER, bob, NOW + HOUR)
    await store.run(rights.disallow, Disallow(ann.by, 1, None, NOW))
    assert await may(store, Verb.ENTER | Verb.SEE, None)


async def test_an_exclusion_beats_what_was_given_until_it_ends(store: SqlStore) -> None:
    ann, bob, _, _ = await store.run(four, None)
    await store.run(rights.allow, giving(ann, bob, role=EstateRole.BUILDER))
    assert await may(store, Verb.BUILD, bob)
    row = await store.run(rights.exclude, excluding(ann, bob, until_ms=NOW + HOUR, reason=" he \x07 knows "))
    assert row.reason == "he knows"
    assert not await may(store, Verb.ENTER, bob)
    assert await may(store, Verb.BUILD, bob, NOW + HOUR)
    await store.run(rights.admit, Admit(ann.by, 1, Whom(name="Bob"), NOW))
    assert await may(store, Verb.BUILD, bob)
    assert await refused(store, rights.admit, Admit(ann.by, 1, Whom(name="Bob"), NOW)) == "not_found"


async def test_a_manager_gives_in_the_owners_name_and_no_more_than_it_has(store: SqlStore) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    assert await refused(store, rights.allow, giving(bob, cat, verbs=ENTER_ONLY)) == "forbidden"
    await store.run(rights.allow, giving(ann, bob, role=EstateRole.MANAGER))
    given = await store.run(rights.allow, giving(bob, cat, verbs=Verb.BUILD))
    assert (given.giver, given.account) == (ann.account, cat.account)
    assert await refused(store, rights.allow, giving(bob, dan, verbs=Verb.SELL)) == "forbidden"
    assert await refused(store, rights.allow, giving(cat, dan, verbs=Verb.BUILD)) == "forbidden"
    assert await refused(store, rights.exclude, excluding(bob, ann)) == "invalid"
    await store.run(rights.disallow, Disallow(bob.by, 1, Whom(name="Cat"), NOW))
    assert not await may(store, Verb.BUILD, cat)


async def test_while_it_is_leased_the_tenant_is_in_charge_and_then_the_owner_again(store: SqlStore) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    await store.run(rights.allow, giving(ann, cat, role=EstateRole.BUILDER))
    await store.run(rights.exclude, excluding(ann, dan))
    offer = await store.run(leases.offer_lease, to_let(ann, 1))
    leased = await store.run(leases.lease, leasing(bob, offer))
    assert await may(store, Verb.MANAGE | Verb.BUILD, bob)
    assert not await may(store, Verb.BUILD, ann)
    assert await may(store, Verb.SELL | Verb.LEASE, ann)
    assert [await may(store, Verb.BUILD, cat), await may(store, Verb.ENTER, dan)] == [False, True]
    with pytest.raises(Refusal, match="got 1, which you let") as caught:
        await store.run(rights.allow, giving(ann, cat, verbs=Verb.BUILD))
    assert caught.value.code == "forbidden"
    assert "until the lease ends" in caught.value.hint
    await store.run(rights.allow, giving(bob, None, verbs=NONE))
    given = await store.run(rights.allow, giving(bob, dan, role=EstateRole.BUILDER))
    assert given.verbs == Verb.ENTER | Verb.SEE | Verb.BUILD | Verb.INTERACT
    await store.run(rights.allow, giving(bob, dan, verbs=Verb.ENTER))
    assert [await may(store, Verb.ENTER, who) for who in (ann, bob, cat, dan)] == [False, True, False, True]
    end = leased.until_ms
    last = [await may(store, Verb.ENTER, who, end - 1) for who in (ann, bob, cat, dan)]
    after = [await may(store, Verb.ENTER, who, end) for who in (ann, bob, cat, dan)]
    assert (last, after) == ([False, True, False, True], [True, True, True, False])
    assert await may(store, Verb.BUILD, cat, end)


async def test_what_the_seller_gave_does_not_count_for_the_buyer(store: SqlStore) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    await store.run(rights.allow, giving(ann, cat, role=EstateRole.MANAGER))
    await store.run(rights.allow, giving(ann, None, verbs=NONE))
    await store.run(rights.exclude, excluding(ann, dan))
    await store.run(land.give, land.Give(ann.by, 1, Whom(name="Bob"), RULES, NOW))
    assert [await may(store, Verb.ENTER, who) for who in (ann, bob, cat, dan)] == [True] * 4
    assert not await may(store, Verb.MANAGE, cat)
    assert await refused(store, rights.allow, giving(ann, cat, verbs=Verb.ENTER)) == "forbidden"


async def test_a_part_that_is_split_off_stays_as_closed_as_it_was(store: SqlStore) -> None:
    ann, bob, cat, _ = await store.run(four, None)
    await store.run(rights.allow, giving(ann, None, verbs=NONE))
    await store.run(rights.allow, giving(ann, bob, verbs=Verb.ENTER))
    await store.run(rights.exclude, excluding(ann, cat))
    _, part = await store.run(land.split, land.Split(ann.by, 1, [(16, 0)], NOW))
    found = await store.read(lambda tx, _: rights.rules(tx, ann.by, part.number, NOW), None)
    assert found.everyone == NONE
    assert [(row.account, row.verbs) for row in found.permits] == [(None, 0), (bob.account, 1)]
    assert [row.account for row in found.exclusions] == [cat.account]


async def test_who_manages_sees_all_and_others_what_concerns_them(store: SqlStore) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    await store.run(rights.allow, giving(ann, bob, verbs=Verb.ENTER))
    await store.run(rights.allow, giving(ann, cat, verbs=Verb.ENTER))
    await store.run(rights.exclude, excluding(ann, dan))
    seen = {}
    for who in (ann.by, bob.by, dan.by, OPERATOR):
        found = await store.read(lambda tx, who: rights.rules(tx, who, 1, NOW), who)
        seen[who.name] = (len(found.permits), len(found.exclusions), found.own & Verb.MANAGE)
    assert seen == {
        "Ann": (2, 1, Verb.MANAGE), "Bob": (1, 0, NONE), "Dan": (0, 1, NONE), "operator": (2, 1, NONE)
    }  # fmt: skip


async def test_what_cannot_be_is_refused(store: SqlStore) -> None:
    ann, bob, _, _ = await store.run(four, None)
    for command, code in (
        (giving(ann, bob), "invalid"),
        (giving(ann, bob, verbs=NONE), "invalid"),
        (giving(ann, bob, verbs=Verb.ENTER, role=EstateRole.BUILDER), "invalid"),
        (giving(ann, None, role=EstateRole.BUILDER), "invalid"),
        (giving(ann, None, verbs=Verb.SELL), "invalid"),
        (giving(ann, bob, role=EstateRole.OWNER), "invalid"),
        (giving(ann, ann, verbs=Verb.ENTER), "invalid"),
        (giving(ann, bob, verbs=Verb.ENTER, until_ms=NOW), "invalid"),
        (giving(ann, bob, verbs=Verb.ENTER, estate=77), "not_found"),
        (replace(giving(ann, None, verbs=Verb.ENTER), to=Whom(name="Nobody")), "not_found"),
        (replace(giving(ann, bob, verbs=Verb.ENTER), by=By(None, "Guest 1")), "forbidden"),
    ):
        assert await refused(store, rights.allow, command) == code, command
    assert await refused(store, rights.disallow, Disallow(ann.by, 1, Whom(name="Bob"), NOW)) == "not_found"
    assert await refused(store, rights.exclude, excluding(ann, bob, until_ms=NOW - 1)) == "invalid"


async def test_there_is_a_most_of_everything(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    monkeypatch.setattr(rights, "PERMITS_MAX", 2)
    monkeypatch.setattr(rights, "EXCLUSIONS_MAX", 1)
    for to in (bob, cat, bob):
        await store.run(rights.allow, giving(ann, to, verbs=Verb.ENTER))
    assert await refused(store, rights.allow, giving(ann, dan, verbs=Verb.ENTER)) == "invalid"
    await store.run(rights.exclude, excluding(ann, bob))
    await store.run(rights.exclude, excluding(ann, bob, until_ms=NOW + DAY))
    assert await refused(store, rights.exclude, excluding(ann, cat)) == "invalid"


async def test_a_shard_is_told_of_a_region_all_that_it_has_to_know(store: SqlStore) -> None:
    ann, bob, cat, _ = await store.run(four, None)
    await store.run(rights.allow, giving(ann, None, verbs=Verb.ENTER, until_ms=NOW + HOUR))
    await store.run(rights.exclude, excluding(ann, cat))
    found = await store.read(gates.gates, ([(0, 0), (1, 0), (5, 5)], NOW))
    assert (np.argwhere(found[0, 0].parcels).tolist(), np.argwhere(found[1, 0].parcels).tolist()) == (
        [[0, 15]],
        [[0, 0]],
    )
    assert not found[5, 5].parcels.any()
    gate = found[1, 0].gates[1]
    assert gate == found[0, 0].gates[1]
    assert not gate.is_open
    assert [(at, int(bits) & (ENTER | SEE)) for at, bits in gate.everyone] == [(0, 1), (NOW + HOUR, 3)]
    assert [int(bits) for _, bits in gate.named[cat.account]] == [EXCLUDED]
    assert bob.account not in gate.named
    assert found[5, 5].gates == {}


async def test_a_host_hears_of_each_change_and_where_it_was(store: SqlStore) -> None:
    ann, bob, _, _ = await store.run(four, None)
    since = Since(await store.read(gates.mark, None))

    async def heard() -> tuple[set[int], set[tuple[int, int]]]:
        nonlocal since
        found = await store.read(gates.changes, since)
        since = Since(found.mark, found.taken)
        return set(found.estates), set(found.regions)

    assert (await heard())[0] <= {1, 2}
    assert await heard() == (set(), set())
    await store.run(rights.allow, giving(ann, bob, verbs=Verb.ENTER))
    assert await heard() == ({1}, {(0, 0), (1, 0)})
    assert await heard() == (set(), set())
    with pytest.raises(Refusal):
        await store.run(rights.allow, giving(ann, bob, verbs=Verb.ENTER, until_ms=NOW))
    assert await heard() == (set(), set())
    await store.run(land.give, land.Give(ann.by, 2, Whom(name="Bob"), RULES, NOW))
    assert await heard() == ({2}, {(31, 31)})
    await store.run(land.abandon, land.Abandon(bob.by, 2, NOW))
    assert await heard() == ({2}, set())


async def test_no_change_is_missed_however_many_are_made_at_once(store: SqlStore, store_url: str) -> None:
    await store.run(four, None)
    everybody = [await store.run(lambda tx, n: trader(tx, f"P{n}"), n) for n in range(8)]
    ann = Trader(1, "Ann")
    other = open_beside(store_url)
    since, seen = Since(await store.read(gates.mark, None)), set()
    await store.read(gates.changes, since)
    estates = [await store.run(lambda tx, n: own(tx, ann, (0, 40 + 2 * n)).number, n) for n in range(8)]
    try:
        work = [
            asyncio.ensure_future(
                (store if n % 2 else other).run(
                    rights.allow, Allow(ann.by, estate, Whom(account=who.account), NOW, Verb.ENTER)
                )
            )
            for n, (estate, who) in enumerate(zip(estates, everybody, strict=True))
        ]
        while not all(one.done() for one in work):
            found = await store.read(gates.changes, since)
            since, seen = Since(found.mark, found.taken), seen | found.estates
        await asyncio.gather(*work)
        seen |= (await store.read(gates.changes, since)).estates
    finally:
        await other.close()
    assert set(estates) <= seen


async def test_too_many_changes_are_taken_to_be_everything(store: SqlStore, monkeypatch) -> None:
    ann, bob, _, _ = await store.run(four, None)
    since = Since(await store.read(gates.mark, None))
    monkeypatch.setattr(gates, "CHANGES_AT_ONCE", 3)
    for n in range(5):
        await store.run(rights.allow, giving(ann, bob, verbs=Verb.ENTER, until_ms=NOW + 1 + n))
    assert (await store.read(gates.changes, since)).is_everything


async def test_what_has_run_out_is_deleted_after_an_hour(store: SqlStore) -> None:
    ann, bob, cat, _ = await store.run(four, None)
    await store.run(rights.allow, giving(ann, bob, verbs=Verb.ENTER, until_ms=NOW + 1))
    await store.run(rights.allow, giving(ann, cat, verbs=Verb.ENTER))
    await store.run(rights.exclude, excluding(ann, cat, until_ms=NOW + 1))
    await store.run(tidying.tidy, NOW + HOUR)
    kept = await store.read(lambda tx, _: (len(tx.permits([1])), len(tx.exclusions([1]))), None)
    await store.run(tidying.tidy, NOW + HOUR + 1)
    left = await store.read(lambda tx, _: (len(tx.permits([1])), len(tx.exclusions([1]))), None)
    assert (kept, left) == ((2, 1), (1, 0))


# ---- in the owner's name


async def told(store: SqlStore, who: Trader) -> list[str]:
    rows = await store.read(notices.mine, notices.WantNotices(who.account))
    return [str(one.kind) for one in rows]


async def test_who_may_sell_lists_auctions_and_withdraws_and_the_owner_is_paid_and_told(
    store: SqlStore,
) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    await store.run(rights.allow, giving(ann, bob, verbs=Verb.SELL, until_ms=NOW + HOUR))
    await store.run(rights.allow, giving(ann, cat, role=EstateRole.MANAGER))
    for who in (cat, dan):
        assert await refused(store, market.sell, for_sale(who, 1, 1_000)) == "forbidden"
        assert await refused(store, market.auction, auctioned(who, 1)) == "forbidden"
    assert await refused(store, market.sell, for_sale(bob, 2, 1_000)) == "forbidden"
    assert await refused(store, market.sell, for_sale(bob, 1, 1_000, only=ann.account)) == "invalid"
    hammered = await store.run(market.auction, auctioned(bob, 1))
    assert hammered.seller == ann.account
    taking = market.Withdraw(cat.by, hammered.listing, NOW)
    assert await refused(store, market.withdraw, taking) == "forbidden"
    await store.run(market.withdraw, replace(taking, by=bob.by))
    offer = await store.run(market.sell, for_sale(bob, 1, 1_000, only=dan.account))
    late = market.Withdraw(bob.by, offer.listing, NOW + HOUR)
    assert await refused(store, market.withdraw, late) == "forbidden"
    for who in (ann, bob, dan):
        shown = await store.read(listings.show, listings.Show(NOW, estate=1, viewer=who.account))
        assert shown.seller_name == "Ann"
    with pytest.raises(Refusal):
        await store.read(listings.show, listings.Show(NOW, estate=1, viewer=cat.account))
    await store.run(market.buy, buying(dan, offer))
    assert [await store.read(coins, who) for who in (ann, bob, dan)] == [10_975, 10_000, 9_000]
    assert [await told(store, who) for who in (ann, bob)] == [["sold"], []]
    rows = await store.read(lambda tx, _: tx.register_of(1, None, 2**62, 4), None)
    assert [(row.kind, f'"by":{bob.account}' in row.detail) for row in rows] == [
        ("sale", False), ("list", True), ("withdraw", True), ("list", True)
    ]  # fmt: skip
    assert (await store.read(register.verify, None)).fault == ""
    # What the seller gave does not count for the buyer.
    assert await refused(store, market.sell, for_sale(bob, 1, 1_000)) == "forbidden"


async def test_who_may_lease_offers_and_ends_the_offer_and_the_rent_is_the_owners(store: SqlStore) -> None:
    ann, bob, cat, dan = await store.run(four, None)
    await store.run(rights.allow, giving(ann, bob, role=EstateRole.MANAGER))
    await store.run(rights.allow, giving(ann, cat, verbs=Verb.SELL))
    assert await refused(store, leases.offer_lease, to_let(cat, 1)) == "forbidden"
    await store.run(leases.offer_lease, to_let(bob, 1))
    ending = leases.EndOffer(cat.by, 1, NOW)
    assert await refused(store, leases.end_offer, ending) == "forbidden"
    await store.run(leases.end_offer, replace(ending, by=bob.by))
    offer = await store.run(leases.offer_lease, to_let(bob, 1, 1_000, only=dan.account))
    shown = [
        (await store.read(listings.show_lease, listings.ShowLease(1, NOW, who.account))).offer
        for who in (ann, bob, cat, dan)
    ]
    assert shown == [offer, offer, None, offer]
    await store.run(leases.lease, leasing(dan, offer))
    assert [await store.read(coins, who) for who in (ann, bob, dan)] == [10_975, 10_000, 9_000]
    assert [await told(store, who) for who in (ann, bob)] == [["leased"], []]
    # The tenant is in charge now; what concerns the title stays with whom the owner trusts.
    await store.run(leases.end_offer, replace(ending, by=bob.by))
    await store.run(market.sell, for_sale(cat, 1, 5_000))
    assert await refused(store, market.sell, for_sale(dan, 1, 5_000)) == "forbidden"


async def test_what_ends_a_title_or_its_shape_stays_with_the_owner(store: SqlStore) -> None:
    ann, bob, *_ = await store.run(four, None)
    await store.run(rights.allow, giving(ann, bob, verbs=Verb.SELL | Verb.LEASE | Verb.MANAGE))
    for act, command in (
        (land.give, land.Give(bob.by, 1, Whom(name="Bob"), RULES, NOW)),
        (land.abandon, land.Abandon(bob.by, 1, NOW)),
        (land.split, land.Split(bob.by, 1, [(16, 0)], NOW)),
        (land.describe, land.Describe(bob.by, 1, NOW, "Mine")),
    ):
        assert await refused(store, act, command) == "forbidden"


# ---- the ground


async def make(store: SqlStore, *regions: tuple[int, int]) -> None:
    """Flat land."""
    for rx, rz in regions:
        tile = Tile(rx, rz, np.full((129, 129), 32, np.int16), np.full((128, 128), 3, np.uint8))
        data, edges = encode_tile(tile), edges_of(tile.heights)
        row = TileRow(rx, rz, tile_sha256(data), "noise", data, edges)
        await store.run(terrain.store, terrain.StoreTile(row, 7))


def ground(x: int, z: int, width: int = 1, depth: int = 1) -> Patch:
    return Patch(x, z, np.full((depth, width), 640, np.int16))


async def edit(store: SqlStore, who: By, what: Patch) -> RefusalCode | None:
    """How an edit is refused; None: it was made."""
    try:
        await store.run(overlays.edit, overlays.Edit(who, what, NOW))
    except Refusal as refusal:
        return refusal.code
    return None


async def test_the_ground_is_edited_strictly_inside_ones_own_land(store: SqlStore) -> None:
    ann, bob, cat, _ = await store.run(four, None)
    await make(store, (0, 0), (1, 0))
    await store.run(rights.allow, giving(ann, bob, role=EstateRole.BUILDER))
    # Estate 1: samples 120 to 136 along x, 0 to 8 along z; those on its edge are its neighbours', too.
    inside = ground(121, 1, 15, 7)
    assert [await edit(store, who.by, inside) for who in (ann, bob, cat)] == [None, None, FORBIDDEN]
    for beyond in (ground(120, 1), ground(136, 1), ground(121, 0), ground(121, 8), ground(119, 1, 3, 1)):
        assert await edit(store, ann.by, beyond) is FORBIDDEN, beyond
    assert await edit(store, ann.by, ground(128, 4)) is None
    role = await store.run(lambda tx, _: (add(tx, "Mona", Role.MODERATOR), by(tx, "Mona"))[1], None)
    assert await edit(store, role, inside) is FORBIDDEN


async def test_edits_of_ones_own_land_are_not_in_the_audit_log(store: SqlStore) -> None:
    ann, *_ = await store.run(four, None)
    await make(store, (0, 0), (1, 0))
    before = await store.read(people.audit_head, None)
    assert await edit(store, ann.by, ground(122, 2)) is None
    assert await store.read(people.audit_head, None) == before
    await store.run(overlays.edit, overlays.Edit(OPERATOR, ground(122, 2), NOW))
    assert await store.read(people.audit_head, None) > before


async def test_a_tenant_does_not_dig_in_what_is_let(store: SqlStore) -> None:
    ann, bob, *_ = await store.run(four, None)
    await make(store, (0, 0), (1, 0))
    offer = await store.run(leases.offer_lease, to_let(ann, 1))
    await store.run(leases.lease, leasing(bob, offer))
    assert [await edit(store, who.by, ground(122, 2)) for who in (ann, bob)] == [FORBIDDEN] * 2


async def test_everyone_may_be_let_to_build_but_not_to_sell(store: SqlStore) -> None:
    ann, _, cat, _ = await store.run(four, None)
    await store.run(rights.allow, giving(ann, None, verbs=EVERYONE | Verb.BUILD))
    assert await may(store, Verb.BUILD, cat)
    assert not await may(store, Verb.SELL, cat)
