"""Styles in the store, on both engines: the first stored stays, and what is settled cannot be chosen."""

import asyncio
import hashlib

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from worldloom.persistence.store import SqlStore
from worldloom.ports import StyleRow, TileRow, Tx
from worldloom.services import styles, terrain

END = 32_767


def row(rx: int, rz: int, style: bytes = b"own", words: str = "") -> StyleRow:
    return StyleRow(rx, rz, style, words)


def by_place(rows: object) -> list[StyleRow]:
    return sorted(rows, key=lambda one: (one.rx, one.rz))  # type: ignore[call-overload, no-any-return]


async def commit(store: SqlStore, rx: int, rz: int, *rows: StyleRow) -> list[StyleRow]:
    return by_place(await store.run(styles.commit, styles.CommitStyles(rx, rz, rows, 7)))


async def around(store: SqlStore, rx: int, rz: int) -> list[StyleRow]:
    return by_place(await store.read(styles.around, (rx, rz)))


async def test_styles_are_read_as_they_were_stored_from_the_nine_regions_around(store: SqlStore) -> None:
    rows = [row(rx, rz, bytes([rx & 255, rz & 255]), "Höhe") for rx in range(-3, 4) for rz in range(-3, 4)]
    assert await around(store, 0, 0) == []
    found = await commit(store, 0, 0, *rows)
    assert found == by_place(one for one in rows if max(abs(one.rx), abs(one.rz)) <= 1)
    assert len(found) == 9
    assert await around(store, 0, 0) == found
    assert await around(store, 4, 4) == [row(3, 3, b"\3\3", "Höhe")]
    assert await around(store, 9, 9) == []


async def test_the_first_stored_style_stays(store: SqlStore) -> None:
    await commit(store, 0, 0, row(0, 0, b"first", "canyon"))
    found = await commit(store, 0, 0, row(0, 0, b"second"), row(1, 0, b"beside"))
    assert found == [row(0, 0, b"first", "canyon"), row(1, 0, b"beside")]


async def test_nothing_to_store_is_nothing(store: SqlStore) -> None:
    assert await commit(store, 0, 0) == []
    await store.run(lambda tx, _: tx.insert_styles([], 7), None)


async def test_of_many_who_commit_neighbours_at_once_all_are_told_the_same_styles(store: SqlStore) -> None:
    def own(who: int, rx: int) -> list[StyleRow]:
        return [row(rx + dx, dz, bytes([who])) for dx in (1, 0, -1) for dz in (0, 1, -1)]

    told = await asyncio.gather(*(commit(store, who % 5, 0, *own(who, who % 5)) for who in range(20)))
    for who, found in enumerate(told):
        assert found == await around(store, who % 5, 0)
        assert len(found) == 9


async def test_styles_are_chosen_where_neither_style_nor_land_is(store: SqlStore) -> None:
    await commit(store, 0, 0, row(0, 0))
    wishes = [row(rx, 0, b"wish", "alps") for rx in range(3)]
    stored = await store.run(styles.choose, styles.ChooseStyles(wishes, 8))
    assert list(stored) == wishes[1:]
    assert await around(store, 1, 0) == [row(0, 0), *wishes[1:]]
    assert list(await store.run(styles.choose, styles.ChooseStyles(wishes, 9))) == []


async def test_where_land_was_made_no_style_is_chosen(store: SqlStore) -> None:
    tile = TileRow(1, 0, hashlib.sha256(b"snow").hexdigest(), "noise", b"snow")
    await store.run(terrain.store, terrain.StoreTile(tile, 6))
    stored = await store.run(styles.choose, styles.ChooseStyles([row(0, 0), row(1, 0)], 8))
    assert list(stored) == [row(0, 0)]


async def test_styles_of_regions_and_of_those_beside_them_are_read_by_region(store: SqlStore) -> None:
    rows = [row(rx, rz, bytes([rx & 255, rz & 255])) for rx in range(-6, 7) for rz in range(-4, 5)]
    await commit(store, 0, 0, *rows)
    for regions in ([(0, 0)], [(-2, 1), (-1, 1)], [(5, -3), (-5, 3)], []):
        found = await store.read(styles.within, regions)
        near = [one for one in rows if any(max(abs(one.rx - x), abs(one.rz - z)) <= 1 for x, z in regions)]
        assert {(one.rx, one.rz): one.style for one in near}.items() <= found.items()
        assert all(found[one.rx, one.rz] == one.style for one in rows if (one.rx, one.rz) in found)


async def test_regions_at_the_end_of_the_world_have_styles_and_those_beyond_have_none(
    store: SqlStore,
) -> None:
    last = [row(END, -END), row(END - 1, -END)]
    assert await commit(store, END, -END, *last) == by_place(last)
    for beyond in (row(END + 1, 0), row(0, -END - 1)):
        with pytest.raises(IntegrityError, match=r"r[xz]_range"):
            await commit(store, 0, 0, beyond)


@pytest.mark.parametrize("size", [0, 1_025])
async def test_a_style_of_a_wrong_length_is_refused_by_the_database(store: SqlStore, size: int) -> None:
    await commit(store, 0, 0, row(0, 0, bytes(1)), row(1, 0, bytes(1_024)))
    with pytest.raises(IntegrityError, match="style_length"):
        await commit(store, 5, 5, row(5, 5, bytes(size)))
    assert await around(store, 5, 5) == []


async def test_when_a_style_was_stored_is_kept(store: SqlStore) -> None:
    await commit(store, 0, 0, row(0, 0))

    def times(tx: Tx, _: None) -> list[int]:
        return [made for (made,) in tx.connection.execute(text("SELECT made_ms FROM style"))]  # type: ignore[attr-defined]

    assert await store.read(times, None) == [7]
