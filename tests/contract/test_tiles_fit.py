"""Storing a tile beside others, on both engines: what does not fit is not stored, and told what it must fit."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from worldloom.persistence.store import SqlStore
from worldloom.ports import Misfit, TileRow
from worldloom.services import terrain
from worldloom.world.edges import edges_of
from worldloom_sdk.protocol.tiles import Tile, encode_tile, tile_sha256


def land(rx: int, rz: int, height: int) -> TileRow:
    tile = Tile(rx, rz, np.full((129, 129), height, np.int16), np.full((128, 128), 3, np.uint8))
    data = encode_tile(tile)
    return TileRow(rx, rz, tile_sha256(data), "noise", data, edges_of(tile.heights))


async def stored(store: SqlStore, row: TileRow) -> TileRow | Misfit:
    return await store.run(terrain.store, terrain.StoreTile(row, 7))


async def test_a_tile_is_stored_with_its_edges_where_its_neighbours_are_as_high(store: SqlStore) -> None:
    rows = [land(rx, rz, 32) for rx in range(2) for rz in range(2)]
    assert [await stored(store, row) for row in rows] == rows
    assert await store.read(terrain.load, (1, 1)) == rows[3]


@pytest.mark.parametrize("at", [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)])
async def test_beside_another_height_a_tile_is_not_stored_and_told_whose(
    store: SqlStore, at: tuple[int, int]
) -> None:
    first = land(0, 0, 32)
    await stored(store, first)
    answer = await stored(store, land(*at, 64))
    assert isinstance(answer, Misfit)
    assert [(one.rx, one.rz, one.edges) for one in answer.neighbours] == [(0, 0, first.edges)]
    assert await store.read(terrain.load, at) is None
    assert await store.read(terrain.content, land(*at, 64).sha256) is None


async def test_regions_that_do_not_touch_need_not_fit(store: SqlStore) -> None:
    rows = [land(0, 0, 32), land(2, 0, 64), land(0, -2, 96), land(-32_767, 32_767, 0)]
    assert [await stored(store, row) for row in rows] == rows


async def test_a_region_that_is_stored_already_stays_whether_the_new_one_fits_or_not(store: SqlStore) -> None:
    first = land(0, 0, 32)
    await stored(store, first)
    assert await stored(store, land(0, 0, 64)) == first


async def test_a_row_made_before_edges_were_kept_is_read_for_them(store: SqlStore, store_url: str) -> None:
    first = land(0, 0, 32)
    await stored(store, first)
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE tile SET edges = NULL"))
    engine.dispose()
    assert await store.read(terrain.load, (0, 0)) == replace(first, edges=None)
    answer = await stored(store, land(0, 1, 64))
    assert isinstance(answer, Misfit)
    assert answer.neighbours[0].edges == first.edges
    assert await stored(store, land(0, 1, 32)) == land(0, 1, 32)


async def test_a_spoilt_row_without_edges_keeps_nobody_from_building_beside_it(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = TileRow(0, 0, tile_sha256(b"no land"), "noise", b"no land")
    await stored(store, spoilt)
    row = land(1, 0, 64)
    assert await stored(store, row) == row
    assert "region (0, 0)" in caplog.text


async def test_of_neighbours_stored_at_once_at_other_heights_only_those_that_fit_are(store: SqlStore) -> None:
    rows = [land(rx, rz, 32 * (1 + (rx + rz) % 2)) for rx in range(4) for rz in range(4)]
    answers = await asyncio.gather(*(stored(store, row) for row in rows))
    kept = {(row.rx, row.rz) for row in answers if isinstance(row, TileRow)}
    assert 0 < len(kept) < 16
    touching = [(a, b) for a in kept for b in kept if max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1]
    assert all((a[0] + a[1]) % 2 == (b[0] + b[1]) % 2 for a, b in touching)


async def test_edges_that_are_none_are_refused(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="3096"):
        await stored(store, replace(land(0, 0, 32), edges=b"short"))
