"""Land on both engines: who was first has it, all or nothing, and what owners do with it."""

import asyncio
import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from land_owners import PRICE, RULES, claimed, claiming, insisting, me, open_land, rich
from order_people import NOW, add
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports import StyleRow, TileRow, Tx
from worldloom.ports.land import DeedRow, EstateRow, LandingRow, ZoneRow
from worldloom.realm.chain import RegisterKind
from worldloom.realm.estates import LandRules, parcels_of_region, rectangle
from worldloom.realm.order import AuditAct
from worldloom.services import holdings, land, money, notices, register, styles, terrain, zones
from worldloom.services.asking import OPERATOR, By, Whom
from worldloom.services.notices import NoticeKind
from worldloom_sdk.protocol.messages import RefusalCode, Role

WORLD_END = 32_767


def ann_and_bob(tx: Tx, _: None) -> tuple[int, int]:
    """Two people with money, and land that is open."""
    open_land(tx)
    return rich(tx, "Ann"), rich(tx, "Bob")


async def refused(store: SqlStore, use_case, command) -> RefusalCode:
    """With which code it is refused."""
    with pytest.raises(Refusal) as error:
        await store.run(use_case, command)
    return error.value.code


async def everything(store: SqlStore) -> tuple[object, ...]:
    """All that land and money are, to see that nothing changed."""

    def read(tx: Tx, _: None) -> tuple[object, ...]:
        names = ("estate", "deed", "register", "unsealed", "posting", "purse", "zone", "style")
        rows = tx.connection.execute  # type: ignore[attr-defined]
        return tuple(sorted(map(tuple, rows(text(f"SELECT * FROM {name}")))) for name in names)

    return await store.read(read, None)


async def test_who_claims_pays_the_treasury_and_has_one_estate(store: SqlStore) -> None:
    ann, _ = await store.run(ann_and_bob, None)
    made = await store.run(land.claim, claiming(ann, [(1, 0), (0, 0), (-1, 0)], name="  Ann's  corner "))
    assert made == EstateRow(ann, "Ann's corner", "", None, 3, NOW, 1, 0, made.number)
    assert await store.read(lambda tx, _: tx.estate(made.number), None) == made
    assert await store.run(lambda tx, _: tx.lock_estate(2**40), None) is None
    assert await store.read(lambda tx, _: tx.parcels_of(made.number), None) == [(-1, 0), (0, 0), (1, 0)]
    have = await store.read(money.balance, ann)
    assert have.own == 1_000_000 - 3 * PRICE
    assert await store.read(lambda tx, _: money.held(tx, money.TREASURY), None) == 3 * PRICE
    [told] = await store.read(holdings.history, holdings.AskHistory(estate=made.number))
    assert (told.row.kind, told.row.account, told.row.other, told.name) == (
        RegisterKind.CLAIM, ann, None, "Ann",
    )  # fmt: skip
    assert told.row.detail == '{"parcels":[[-1,0,3]]}'
    assert told.row.transfer
    assert told.seal is None


async def test_of_two_who_claim_one_parcel_at_once_one_has_it_and_one_pays(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)

    async def try_it(who: int) -> EstateRow | RefusalCode:
        try:
            return await insisting(store, land.claim, claiming(who, [(5, 5), (6, 5)]))
        except Refusal as refusal:
            return refusal.code

    for _ in range(4):
        tried = await asyncio.gather(*(try_it(who) for who in (ann, bob) * 6))
        won = [one for one in tried if isinstance(one, EstateRow)]
        assert len(won) == 1
        assert [one for one in tried if not isinstance(one, EstateRow)] == [RefusalCode.SOLD] * 11
        [estate] = await store.read(lambda tx, who: tx.estates_of(who, 0, 9), won[0].owner)
        assert estate == won[0]
        have = [(await store.read(money.balance, who)).own for who in (ann, bob)]
        assert sum(have) == 2_000_000 - 2 * PRICE
        assert have[estate.owner == bob] == 1_000_000 - 2 * PRICE
        await store.run(land.abandon, land.Abandon(me(estate.owner), estate.number, NOW))
        back = money.Issue(Whom(account=estate.owner), 2 * PRICE, "", NOW)
        await store.run(money.issue, back)


async def test_claims_that_overlap_crosswise_end_as_all_or_nothing_and_never_hang(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)

    async def try_it(who: int, px: int) -> EstateRow | RefusalCode:
        try:
            return await insisting(store, land.claim, claiming(who, rectangle(px, 0, 3, 2)))
        except Refusal as refusal:
            return refusal.code

    tried = await asyncio.gather(*(try_it((ann, bob)[px // 2 % 2], px) for px in range(-8, 12, 2)))
    won = [one for one in tried if isinstance(one, EstateRow)]
    assert {one for one in tried if not isinstance(one, EstateRow)} == {RefusalCode.SOLD}
    assert len(won) >= 3
    deeds = await store.read(lambda tx, _: tx.deeds_within(-99, -99, 99, 99, 999), None)
    assert len(deeds) == 6 * len(won)
    assert {deed.estate for deed in deeds} == {one.number for one in won}
    proof = await store.read(register.verify, None)
    assert (proof.fault, proof.waiting) == ("", len(won))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"parcels": [(3, 3), (4, 3)]}, RefusalCode.SOLD),
        ({"parcels": [(16, 0)]}, RefusalCode.NOT_FOR_SALE),
        ({"parcels": [(15, 0), (16, 0)]}, RefusalCode.NOT_FOR_SALE),
        ({"price": PRICE - 1}, RefusalCode.CHANGED),
        ({"price": PRICE + 1}, RefusalCode.CHANGED),
        ({"parcels": [(0, 0), (1, 1)]}, RefusalCode.INVALID),
        ({"by": By(None, "Guest 3")}, RefusalCode.FORBIDDEN),
        ({"rules": LandRules("nowhere")}, RefusalCode.NOT_FOR_SALE),
        ({"rules": LandRules("anywhere", 2_000_000), "price": 2_000_000}, RefusalCode.FUNDS),
        ({"rules": LandRules(owner_max=1)}, RefusalCode.INVALID),
        ({"rules": LandRules(claim_max=1), "parcels": [(0, 0), (0, 1)]}, RefusalCode.INVALID),
        ({"style": StyleRow(0, 0, b"snow", "snow")}, RefusalCode.INVALID),
    ],
)
async def test_a_claim_that_is_refused_changes_nothing(store: SqlStore, change, code) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    await store.run(lambda tx, _: claimed(tx, ann, 4, 3), None)
    before = await everything(store)
    command = replace(claiming(ann, [(0, 0)]), **change)
    if "parcels" in change and "price" not in change:
        command = replace(command, price=PRICE * len(change["parcels"]))
    assert await refused(store, land.claim, command) is code
    assert await everything(store) == before
    assert await refused(store, land.claim, claiming(bob, [(4, 3)])) is RefusalCode.SOLD


async def test_land_may_be_free_and_for_sale_everywhere(store: SqlStore) -> None:
    ann, end = await store.run(lambda tx, _: add(tx, "Ann"), None), 16 * WORLD_END + 15
    free = LandRules("anywhere", 0)
    made = await store.run(land.claim, claiming(ann, [(end, -16 * WORLD_END)], 0, rules=free))
    [told] = await store.read(holdings.history, holdings.AskHistory())
    assert (told.row.estate, told.row.transfer) == (made.number, None)
    view = await store.read(holdings.parcel, holdings.AskParcel((end, -16 * WORLD_END), free))
    assert (view.owner_name, view.estate, view.price) == ("Ann", made, None)
    assert (await store.read(holdings.parcel, holdings.AskParcel((0, 0), free))).price == 0


async def test_land_bought_with_granted_money_may_not_be_given_for_a_week(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    await store.run(money.grant, money.Grant(bob, "192.0.2.7", 5, 3, NOW))
    made = await store.run(land.claim, claiming(bob, [(0, 0)]))
    assert made.locked_until_ms == NOW + land.GRANT_LOCK_MS
    assert (await store.read(money.balance, bob)).own == 1_000_000 - PRICE + 5
    to_ann = land.Give(me(bob), made.number, Whom(account=ann), RULES, made.locked_until_ms - 1)
    assert await refused(store, land.give, to_ann) is RefusalCode.LOCKED
    _, new = await store.run(
        lambda tx, _: land.split(tx, land.Split(me(bob), claimed(tx, bob, 1, 0).number, [(2, 0)], NOW)), None
    )
    assert new.locked_until_ms == 0
    both = land.Join(me(bob), new.number - 1, made.number, RULES, NOW)
    assert (await store.run(land.join, both)).locked_until_ms == made.locked_until_ms
    given = replace(to_ann, estate=new.number - 1, now_ms=made.locked_until_ms)
    assert (await store.run(land.give, given)).owner == ann


async def test_a_whole_region_that_nobody_has_seen_is_woven_by_the_words_of_who_buys_it(
    store: SqlStore,
) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    tile = TileRow(-1, 0, hashlib.sha256(b"land").hexdigest(), "noise", b"land")
    await store.run(terrain.store, terrain.StoreTile(tile, NOW))
    await store.run(styles.commit, styles.CommitStyles(-1, -1, [StyleRow(-1, -1, b"own")], NOW))
    wish = StyleRow(0, 0, b"alps", "high alps")
    whole = claiming(ann, parcels_of_region(0, 0), style=wish)
    for rx, rz in ((-1, 0), (-1, -1)):
        settled = claiming(bob, parcels_of_region(rx, rz), style=replace(wish, rx=rx, rz=rz))
        assert await refused(store, land.claim, settled) is RefusalCode.INVALID
    less = replace(whole, parcels=whole.parcels[:-1], price=255 * PRICE)
    assert await refused(store, land.claim, less) is RefusalCode.INVALID
    made = await store.run(land.claim, whole)
    assert made.parcels == 256
    assert wish in await store.read(styles.around, (0, 0))
    [told] = await store.read(holdings.history, holdings.AskHistory(estate=made.number))
    assert told.row.detail == '{"parcels":' + str([[0, pz, 16] for pz in range(16)]).replace(" ", "") + (
        ',"words":"high alps"}'
    )


async def test_an_estate_is_described_by_its_owner(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    made = await store.run(lambda tx, _: claimed(tx, ann), None)
    door = LandingRow(31 * 64, 15 * 64, -32_768, 255)
    words = land.Describe(me(ann), made.number, NOW, "Inn", "x" * 600, door)
    after = await store.run(land.describe, words)
    assert after == replace(made, name="Inn", description="x" * 500, landing=door)
    assert await store.run(land.describe, land.Describe(me(ann), made.number, NOW)) == after
    beside = land.Describe(me(ann), made.number, NOW, landing=replace(door, x=33 * 64))
    assert await refused(store, land.describe, beside) is RefusalCode.INVALID
    assert await refused(store, land.describe, replace(words, by=me(bob))) is RefusalCode.FORBIDDEN
    assert await refused(store, land.describe, replace(words, estate=999)) is RefusalCode.NOT_FOUND
    gone = await store.run(land.describe, land.Describe(me(ann), made.number, NOW, no_landing=True))
    assert gone == replace(after, landing=None)
    assert len(await store.read(holdings.history, holdings.AskHistory())) == 1


async def test_an_estate_is_split_and_joined_again(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    made = await store.run(lambda tx, _: claimed(tx, ann, 0, 0, 3, 2), None)
    door = LandingRow(33 * 64, 0, 0, 0)
    await store.run(land.describe, land.Describe(me(ann), made.number, NOW, "Inn", "old", door))
    cut = land.Split(me(ann), made.number, [(2, 1), (2, 0)], NOW + 1, "Stable")
    stays, new = await store.run(land.split, cut)
    assert (stays.parcels, stays.shape, stays.landing, stays.name) == (4, 2, None, "Inn")
    assert (new.parcels, new.shape, new.landing, new.name, new.owner) == (2, 1, door, "Stable", ann)
    assert await store.read(lambda tx, _: tx.deeds([(2, 1), (9, 9), (0, 0)]), None) == [
        DeedRow(0, 0, made.number, NOW),
        DeedRow(2, 1, new.number, NOW + 1),
    ]
    for wrong in (
        replace(cut, parcels=[(0, 0), (1, 1)]),
        replace(cut, parcels=[(2, 0)]),
        replace(cut, parcels=rectangle(0, 0, 2, 2)),
    ):
        assert await refused(store, land.split, wrong) is RefusalCode.INVALID
    assert await refused(store, land.split, replace(cut, by=me(bob))) is RefusalCode.FORBIDDEN
    far = await store.run(lambda tx, _: claimed(tx, ann, 5, 5), None)
    both = land.Join(me(ann), new.number, made.number, RULES, NOW + 2)
    small = replace(both, rules=LandRules(estate_max=5))
    for wrong in (replace(both, other=far.number), replace(both, other=new.number), small):
        assert await refused(store, land.join, wrong) is RefusalCode.INVALID
    after = await store.run(land.join, both)
    assert after == replace(new, parcels=6, shape=2)
    assert await store.read(lambda tx, _: tx.estate(made.number), None) is None
    told = await store.read(holdings.history, holdings.AskHistory(estate=made.number))
    assert [(one.row.kind, one.row.detail) for one in told][:2] == [
        (RegisterKind.JOIN, f'{{"to":{new.number}}}'),
        (RegisterKind.SPLIT, f'{{"parcels":[[2,0,1],[2,1,1]],"to":{new.number}}}'),
    ]
    assert (await store.read(register.verify, None)).fault == ""


async def test_an_estate_is_given_and_abandoned(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    made = await store.run(lambda tx, _: claimed(tx, ann), None)
    to_bob = land.Give(me(ann), made.number, Whom(name="bob"), RULES, NOW)
    for wrong in (replace(to_bob, to=Whom(account=ann)), replace(to_bob, rules=LandRules(owner_max=1))):
        assert await refused(store, land.give, wrong) is RefusalCode.INVALID
    assert await refused(store, land.give, replace(to_bob, by=me(bob))) is RefusalCode.FORBIDDEN
    assert await refused(store, land.give, replace(to_bob, to=Whom(name="Eve"))) is RefusalCode.NOT_FOUND
    after = await store.run(land.give, to_bob)
    assert (after.owner, after.shape) == (bob, 2)
    told = [await store.read(notices.mine, notices.WantNotices(who)) for who in (ann, bob)]
    given = (NoticeKind.GIVEN, {"estate": made.number, "by": ann}, "Ann")
    assert [[(one.kind, one.detail, one.other_name) for one in some] for some in told] == [[], [given]]
    assert (
        await refused(store, land.abandon, land.Abandon(me(ann), made.number, NOW)) is RefusalCode.FORBIDDEN
    )
    await store.run(land.abandon, land.Abandon(me(bob), made.number, NOW))
    assert await store.read(lambda tx, _: tx.deeds_within(-9, -9, 9, 9, 9), None) == []
    # Its number is never another's.
    assert (await store.run(lambda tx, _: claimed(tx, bob), None)).number > made.number
    kinds = [one.row.kind for one in await store.read(holdings.history, holdings.AskHistory())]
    assert kinds == [RegisterKind.CLAIM, RegisterKind.ABANDON, RegisterKind.GIVE, RegisterKind.CLAIM]
    assert (await store.read(register.verify, None)).fault == ""


async def test_the_operator_takes_land_back_and_the_audit_log_has_it(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    made = await store.run(lambda tx, _: claimed(tx, ann), None)
    await store.run(lambda tx, _: tx.set_role(bob, Role.MODERATOR), None)
    away = land.Take(me(bob), made.number, "a  slur in stone", NOW)
    assert await refused(store, land.take, away) is RefusalCode.FORBIDDEN
    await store.run(land.take, replace(away, by=OPERATOR))
    [row] = await store.read(lambda tx, _: tx.audit_before(2**40, 1), None)
    assert (row.act, row.account, row.about) == (AuditAct.TAKE_LAND, ann, "Ann")
    assert row.detail == f"estate {made.number}, 2 parcels: a slur in stone"
    assert await refused(store, land.take, replace(away, by=OPERATOR)) is RefusalCode.NOT_FOUND
    assert (await store.read(holdings.holdings, holdings.AskHoldings(Whom(account=ann)))).estates == ()
    assert (await store.read(register.verify, None)).fault == ""


async def test_regions_are_opened_at_a_price_and_closed(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    await store.run(lambda tx, _: tx.set_role(ann, Role.OWNER), None)
    far = [(WORLD_END, -WORLD_END), (3, 3), (3, 3)]
    opening = zones.Open(me(ann), far, 10**11, NOW + 1)
    assert await refused(store, zones.open_zones, replace(opening, by=me(bob))) is RefusalCode.FORBIDDEN
    for wrong in (
        replace(opening, price=-1),
        replace(opening, price=10**11 + 1),
        replace(opening, regions=[(WORLD_END + 1, 0)]),
        replace(opening, regions=[]),
    ):
        assert await refused(store, zones.open_zones, wrong) is RefusalCode.INVALID
    assert await store.run(zones.open_zones, opening) == 2
    assert await store.run(zones.open_zones, replace(opening, regions=[(0, 0)], price=3)) == 1
    page = await store.read(zones.zones, zones.AskZones(limit=4))
    assert [(row.rx, row.rz, row.price, row.by) for row in page] == [
        (-1, -1, PRICE, None), (-1, 0, PRICE, None), (0, -1, PRICE, None), (0, 0, 3, ann),
    ]  # fmt: skip
    rest = await store.read(zones.zones, zones.AskZones((0, 0), 4))
    assert rest == [
        ZoneRow(3, 3, 10**11, ann, NOW + 1),
        ZoneRow(WORLD_END, -WORLD_END, 10**11, ann, NOW + 1),
    ]
    closing = zones.Close(OPERATOR, [(0, 0), (9, 9)], NOW)
    assert [await store.run(zones.close, closing) for _ in range(2)] == [1, 0]
    assert await refused(store, land.claim, claiming(bob, [(0, 0)])) is RefusalCode.NOT_FOR_SALE
    acts = [row.act for row in await store.read(lambda tx, _: tx.audit_before(2**40, 3), None)]
    assert acts == [AuditAct.CLOSE_LAND, AuditAct.OPEN_LAND, AuditAct.OPEN_LAND]


async def test_holdings_and_history_are_read_page_by_page(store: SqlStore) -> None:
    ann, bob = await store.run(ann_and_bob, None)
    numbers = [
        (await store.run(lambda tx, px: claimed(tx, ann, px, 0, 1), px)).number for px in range(0, 10, 2)
    ]
    await store.run(land.give, land.Give(me(ann), numbers[2], Whom(account=bob), RULES, NOW))
    first = await store.read(holdings.holdings, holdings.AskHoldings(Whom(name="Ann"), limit=3))
    assert ([row.number for row in first.estates], first.more) == ([*numbers[:2], numbers[3]], True)
    assert (first.account, first.name, first.parcels) == (ann, "Ann", 4)
    ask = holdings.AskHoldings(Whom(account=ann), numbers[3], 3)
    rest = await store.read(holdings.holdings, ask)
    assert ([row.number for row in rest.estates], rest.more) == (numbers[4:], False)
    pages, before = [], 0
    while page := await store.read(
        holdings.history, holdings.AskHistory(whom=Whom(account=ann), before=before, limit=4)
    ):
        pages.append([(one.row.estate, one.row.kind) for one in page])
        before = page[-1].row.number
    assert [len(page) for page in pages] == [4, 2]
    assert pages[0][0] == (numbers[2], RegisterKind.GIVE)
    bobs = await store.read(holdings.history, holdings.AskHistory(whom=Whom(name="Bob")))
    assert [(one.row.estate, one.name, one.other_name) for one in bobs] == [(numbers[2], "Bob", "Ann")]
    with pytest.raises(Refusal):
        await store.read(holdings.estate, 10**12)
    view = await store.read(holdings.estate, numbers[2])
    assert (view.owner_name, view.parcels) == ("Bob", ((4, 0),))
    plan = await store.read(holdings.plan, holdings.AskPlan((0, -1), 1, 2, NOW))
    assert (len(plan.deeds), plan.names, len(plan.zones)) == (5, {ann: "Ann", bob: "Bob"}, 2)
    assert sorted(plan.estates) == numbers


async def test_the_database_itself_keeps_land_whole(store: SqlStore) -> None:
    ann, _ = await store.run(ann_and_bob, None)
    made = await store.run(lambda tx, _: claimed(tx, ann), None)

    async def broken(statement: str) -> None:
        with pytest.raises((IntegrityError, DBAPIError)):
            await store.run(lambda tx, _: tx.connection.execute(text(statement)), None)  # type: ignore[attr-defined]

    await broken(f"INSERT INTO deed (px, pz, estate_id, since_ms) VALUES (0, 0, {made.number}, 1)")
    await broken("INSERT INTO deed (px, pz, estate_id, since_ms) VALUES (9, 0, 999, 1)")
    await broken(f"INSERT INTO deed (px, pz, estate_id, since_ms) VALUES (524288, 0, {made.number}, 1)")
    await broken(f"DELETE FROM account WHERE id = {ann}")
    await broken(f"DELETE FROM estate WHERE id = {made.number}")
    await broken("UPDATE estate SET parcels = 0")
    await broken("UPDATE estate SET landing_x = 1")
    await broken("UPDATE register SET account_id = 7")
    await broken("DELETE FROM register")
    await store.run(register.seal_due, None)
    await broken("UPDATE seal SET number = number + 1")
    await broken("DELETE FROM seal")
