"""Edits of terrain on both engines: versions without gaps, borders equal on both sides, nothing half done."""

import asyncio
import random

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from order_people import NOW, add, bot, by
from worldloom.errors import Refusal, StoreUnavailable
from worldloom.persistence.store import SqlStore, open_beside, open_store
from worldloom.ports import Misfit, OverlayRow, TileRow, Tx
from worldloom.realm.order import AuditAct
from worldloom.services import overlays, people, terrain
from worldloom.services.asking import OPERATOR, By
from worldloom.world.edges import edges_of
from worldloom_sdk.protocol.messages import RefusalCode, Role, Scope
from worldloom_sdk.protocol.overlay import (
    GIVEN_BACK,
    MAX_SAMPLE,
    MIN_SAMPLE,
    Overlay,
    Patch,
    decode_overlay,
    encode_overlay,
    patched,
)
from worldloom_sdk.protocol.tiles import Tile, encode_tile, tile_sha256

SQUARE = [(rx, rz) for rz in range(-1, 2) for rx in range(-1, 2)]


def land(rx: int, rz: int, height: int = 32) -> TileRow:
    tile = Tile(rx, rz, np.full((129, 129), height, np.int16), np.full((128, 128), 3, np.uint8))
    data = encode_tile(tile)
    return TileRow(rx, rz, tile_sha256(data), "noise", data, edges_of(tile.heights))


async def make(store: SqlStore, *regions: tuple[int, int]) -> None:
    for region in regions:
        await store.run(terrain.store, terrain.StoreTile(land(*region), 7))


def patch(x: int, z: int, width: int = 1, depth: int = 1, height: int = 640) -> Patch:
    return Patch(x, z, np.full((depth, width), height, np.int16))


async def edit(store: SqlStore, what: Patch, who: By = OPERATOR) -> dict[tuple[int, int], int]:
    return await store.run(overlays.edit, overlays.Edit(who, what, NOW))


async def all_of(store: SqlStore, regions: list[tuple[int, int]]) -> dict[tuple[int, int], Overlay]:
    return await store.read(overlays.overlays, regions)


async def test_each_edit_of_a_region_makes_the_next_version(store: SqlStore) -> None:
    await make(store, (0, 0))
    assert await store.read(overlays.stored, (0, 0)) is None
    made = [await edit(store, patch(5 + n, 5)) for n in range(3)]
    assert made == [{(0, 0): 1}, {(0, 0): 2}, {(0, 0): 3}]
    row = await store.read(overlays.stored, (0, 0))
    assert row is not None
    assert (row.version, decode_overlay(row.data).version) == (3, 3)
    assert await edit(store, patch(0, 5, 32, 1, GIVEN_BACK)) == {(-1, 0): 1, (0, 0): 4}


async def test_what_is_stored_is_what_the_edits_made_one_after_the_other(store: SqlStore) -> None:
    await make(store, *SQUARE)
    rng = np.random.default_rng(4)
    expected = {region: Overlay.empty(*region) for region in SQUARE}
    for _ in range(40):
        heights = rng.integers(-7_680, 23_041, rng.integers(1, 33, 2)).astype(np.int16)
        heights[rng.random(heights.shape) < 0.3] = GIVEN_BACK
        what = Patch(*(int(at) for at in rng.integers(-100, 200, 2)), heights)
        for region, version in (await edit(store, what)).items():
            assert version == expected[region].version + 1
            expected[region] = patched(expected[region], what, version)
    found = await all_of(store, SQUARE)
    for region, overlay in expected.items():
        stored = found.get(region, Overlay.empty(*region))
        assert stored.version == overlay.version
        assert np.array_equal(stored.samples, overlay.samples)
    for rx, rz in SQUARE:
        if (rx + 1, rz) in found and (rx, rz) in found:
            assert np.array_equal(found[rx, rz].samples[:, -1], found[rx + 1, rz].samples[:, 0])
        if (rx, rz + 1) in found and (rx, rz) in found:
            assert np.array_equal(found[rx, rz].samples[-1], found[rx, rz + 1].samples[0])


async def test_where_no_land_is_yet_nothing_is_changed_and_it_is_told_where(store: SqlStore) -> None:
    await make(store, (0, 0))
    with pytest.raises(Refusal, match="got a sample at 258, 10 m") as refused:
        await edit(store, patch(120, 5, 32, 1))
    assert refused.value.code is RefusalCode.NOT_FOUND
    assert await all_of(store, SQUARE) == {}
    assert await store.read(people.audit_head, None) == 0


async def test_a_border_is_changed_for_the_region_too_that_is_made_later(store: SqlStore) -> None:
    """What is made later is fitted to the tile, not to what people changed: the overlay lies on top of both."""
    await make(store, (0, 0))
    assert await edit(store, patch(128, 128)) == {(0, 0): 1, (1, 0): 1, (0, 1): 1, (1, 1): 1}
    assert isinstance(await store.run(terrain.store, terrain.StoreTile(land(1, 0, height=640), 7)), Misfit)
    await make(store, (1, 0), (0, 1), (1, 1))
    found = await all_of(store, SQUARE)
    corners = [found[at].samples[row, column] for at, row, column in (
        ((0, 0), 128, 128), ((1, 0), 128, 0), ((0, 1), 0, 128), ((1, 1), 0, 0),
    )]  # fmt: skip
    assert corners == [640] * 4
    assert await edit(store, patch(128, 127, 1, 2)) == {(0, 0): 2, (1, 0): 2, (0, 1): 2, (1, 1): 2}


@pytest.mark.parametrize(
    ("x", "region"), [(MIN_SAMPLE, (-32_767, 0)), (MAX_SAMPLE, (32_767, 0))], ids=["west", "east"]
)
async def test_the_world_can_be_edited_to_its_end(store: SqlStore, x: int, region: tuple[int, int]) -> None:
    await make(store, region)
    assert await edit(store, patch(x, 5)) == {region: 1}


# ---- who may


async def test_owners_and_the_operator_may_and_nobody_else(store: SqlStore) -> None:
    await make(store, (0, 0))

    def crowd(tx: Tx, _: None) -> list[By]:
        olga, ann = add(tx, "Olga", Role.OWNER), add(tx, "Ann")
        add(tx, "Mona", Role.MODERATOR)
        for number, name in ((olga, "Helper"), (ann, "Hilda")):
            tx.set_role(bot(tx, number, name, Scope.ORDER).account, Role.OWNER)
        order, move = frozenset({Scope.ORDER}), frozenset({Scope.MOVE})
        return [
            by(tx, "Olga"), by(tx, "Helper", order), by(tx, "Mona"), by(tx, "Ann"), by(tx, "Helper", move),
            by(tx, "Hilda", order), By(None, "Guest 7"),
        ]  # fmt: skip

    everybody = await store.run(crowd, None)
    for who in everybody[:2]:
        await edit(store, patch(5, 5), who)
    for who in everybody[2:]:
        with pytest.raises(Refusal) as refused:
            await edit(store, patch(5, 5), who)
        assert refused.value.code is RefusalCode.FORBIDDEN
    assert (await all_of(store, [(0, 0)]))[0, 0].version == 2


async def test_every_edit_is_in_the_audit_log(store: SqlStore) -> None:
    await make(store, (0, 0))
    ann = await store.run(lambda tx, _: (add(tx, "Ann", Role.OWNER), by(tx, "Ann"))[1], None)
    heights = np.array([[160, 320], [GIVEN_BACK, 176]], np.int16)
    await edit(store, Patch(5, 6, heights), ann)
    (row,) = await store.read(lambda tx, _: tx.audit_after(0, 9), None)
    assert (row.by, row.by_name, row.act, row.account, row.about, row.detail) == (
        ann.account, "Ann", AuditAct.EDIT, None, "ground from 10, 12 m",
        "2 x 2 samples, 3 set to 5 to 10 m, 1 given back",
    )  # fmt: skip


# ---- at once, and by mistake


async def test_edits_at_once_from_two_programs_are_all_made_in_some_order(store_url: str) -> None:
    stores = [open_store(store_url), open_beside(store_url)]
    await make(stores[0], (0, 0), (1, 0))
    places = [(x, z) for x in range(126, 131) for z in range(8)]
    random.Random(5).shuffle(places)
    made = await asyncio.gather(
        *(edit(stores[n % 2], patch(x, z, height=n)) for n, (x, z) in enumerate(places))
    )
    found = await all_of(stores[0], [(0, 0), (1, 0)])
    for one in stores:
        await one.close()
    for region in ((0, 0), (1, 0)):
        versions = sorted(one[region] for one in made if region in one)
        assert versions == list(range(1, 25))
        assert found[region].version == 24
    for n, (x, z) in enumerate(places):
        sides = [found[rx, 0].samples[z, x - 128 * rx] for rx in (0, 1) if 0 <= x - 128 * rx <= 128]
        assert sides == [n] * len(sides)


async def test_a_version_that_does_not_follow_is_not_stored(store: SqlStore) -> None:
    def row(version: int) -> OverlayRow:
        return OverlayRow(3, 4, version, encode_overlay(Overlay.empty(3, 4)))

    await store.run(lambda tx, _: tx.save_overlay(row(1), NOW), None)
    for version in (1, 3):
        with pytest.raises(Exception, match=r"version|overlay"):
            await store.run(lambda tx, version: tx.save_overlay(row(version), NOW), version)
    assert await store.read(overlays.stored, (3, 4)) == row(1)
    await store.run(lambda tx, _: tx.save_overlay(row(2), NOW), None)
    assert await store.read(overlays.stored, (3, 4)) == row(2)
    with pytest.raises(StoreUnavailable, match="expected version 6"):
        await store.run(lambda tx, _: tx.save_overlay(row(7), NOW), None)


async def test_a_spoilt_row_keeps_nobody_from_the_land(
    store: SqlStore, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await make(store, (0, 0))
    await edit(store, patch(5, 5))
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE overlay SET data = :data"), {"data": b"spoilt"})
    engine.dispose()
    found = (await all_of(store, [(0, 0)]))[0, 0]
    assert (found.version, (found.samples == GIVEN_BACK).all()) == (1, True)
    assert "region (0, 0)" in caplog.text


async def test_of_many_regions_those_with_an_overlay_are_found(store: SqlStore) -> None:
    await make(store, (0, 0), (9, -9))
    await edit(store, patch(5, 5))
    await edit(store, patch(9 * 128 + 5, -9 * 128 + 5))
    around = [(rx, rz) for rx in range(-32, 32) for rz in range(-32, 32)][:1_600]
    found = await all_of(store, [*around, (0, 0), (9, -9), (9, 0), (0, -9)])
    assert set(found) == {(0, 0), (9, -9)}
    assert await all_of(store, []) == {}
