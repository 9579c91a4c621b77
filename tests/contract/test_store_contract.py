"""What every store does, whatever the database behind it."""

import asyncio
import dataclasses
import hashlib
import threading

import pytest

from worldloom.errors import Refusal, StoreBusy, StoreUnavailable
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import AccountRow, PlaceRow, TileRow, Tx, WorldRow
from worldloom.services import accounts, places, terrain, worlds
from worldloom_sdk.protocol.messages import RefusalCode

WORLD = WorldRow("0123456789abcdef" * 2, "Hills", 2**63 - 1, 1_700_000_000_000)


def key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def add(tx: Tx, name: str) -> int | None:
    return tx.insert_account(name, name.casefold(), key(name), 5)


def find(tx: Tx, name: str) -> AccountRow | None:
    return tx.account_by_skeleton(name.casefold())


def made(rx: int, rz: int, data: bytes) -> TileRow:
    return TileRow(rx, rz, hashlib.sha256(data).hexdigest(), "noise", data)


class Gate:
    """A use case that waits until it is let through, so that others pile up behind it."""

    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()

    def __call__(self, tx: Tx, name: str) -> int | None:
        self.entered.set()
        assert self.open.wait(10)
        return add(tx, name)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 10)


async def test_the_world_is_read_as_it_was_written(store: SqlStore) -> None:
    assert await store.read(lambda tx, _: tx.world(), None) is None
    await store.run(lambda tx, row: tx.insert_world(row), WORLD)
    assert await store.read(lambda tx, _: tx.world(), None) == WORLD


async def test_there_is_one_world_however_many_nodes_open_it(store: SqlStore) -> None:
    wish = worlds.OpenWorld("Hills", -1, 7)
    opened = await asyncio.gather(*(store.run(worlds.open_world, wish) for _ in range(10)))
    assert len(set(opened)) == 1
    assert opened[0].name == "Hills"
    assert 0 <= opened[0].seed < 2**63


async def test_an_account_is_found_by_its_token_and_by_its_skeleton(store: SqlStore) -> None:
    number = await store.run(add, "Ann")
    assert number is not None
    expected = AccountRow(number, "Ann", None, created_ms=5)
    assert await store.read(lambda tx, token: tx.account_by_token(token), key("Ann")) == expected
    assert await store.read(find, "ann") == expected


async def test_who_is_not_there_is_none(store: SqlStore) -> None:
    assert await store.read(lambda tx, token: tx.account_by_token(token), key("Ann")) is None
    assert await store.read(find, "ann") is None
    assert await store.read(terrain.load, (0, 0)) is None
    assert await store.read(terrain.content, "0" * 64) is None


async def test_a_taken_skeleton_gives_no_account(store: SqlStore) -> None:
    await store.run(add, "Ann")
    again = await store.run(lambda tx, token: tx.insert_account("ANN", "ann", token, 6), key("other"))
    assert again is None


async def test_last_places_are_remembered_at_the_ends_of_their_ranges(store: SqlStore) -> None:
    numbers = [await store.run(add, name) for name in ("Ann", "Bob")]
    low = PlaceRow(numbers[0] or 0, -(2**31), -(2**31), -32_768, 0)
    high = PlaceRow(numbers[1] or 0, 2**31 - 1, 2**31 - 1, 32_767, 255)
    await store.run(places.save, [high, low])
    found = [await store.read(find, name) for name in ("ann", "bob")]
    assert [row.place for row in found if row is not None] == [low, high]


async def test_places_of_nobody_and_no_places_are_passed_over(store: SqlStore) -> None:
    await store.run(places.save, [PlaceRow(77, 1, 2, 3, 4)])
    await store.run(places.save, [])
    assert store.stats().commits == 2


async def test_a_place_out_of_range_is_refused_by_the_database(store: SqlStore) -> None:
    number = await store.run(add, "Ann")
    with pytest.raises(Exception, match="place_yaw_range"):
        await store.run(places.save, [PlaceRow(number or 0, 1, 2, 3, 256)])
    assert await store.read(find, "ann") == AccountRow(number or 0, "Ann", None, created_ms=5)


async def test_a_tile_is_read_as_it_was_stored_and_by_its_hash(store: SqlStore) -> None:
    tile = made(-32_767, 32_767, bytes(range(256)) * 100)
    assert await store.run(terrain.store, terrain.StoreTile(tile, 9)) == tile
    assert await store.read(terrain.load, (-32_767, 32_767)) == tile
    found = await store.read(terrain.content, tile.sha256)
    assert found is not None
    assert found[1] == tile.data


async def test_two_regions_may_have_the_same_tile(store: SqlStore) -> None:
    tiles = [made(rx, 0, b"sea") for rx in range(2)]
    stored = [await store.run(terrain.store, terrain.StoreTile(tile, 9)) for tile in tiles]
    assert stored == tiles


@pytest.mark.slow
async def test_the_first_stored_tile_wins_among_fifty_at_once(store: SqlStore) -> None:
    tiles = [made(1, 2, f"tile {number}".encode()) for number in range(50)]
    stored = await asyncio.gather(*(store.run(terrain.store, terrain.StoreTile(tile, 9)) for tile in tiles))
    assert len(set(stored)) == 1
    assert await store.read(terrain.load, (1, 2)) == stored[0]
    contents = [await store.read(terrain.content, tile.sha256) for tile in tiles]
    assert sum(content is not None for content in contents) == 1


@pytest.mark.slow
async def test_of_two_hundred_who_want_one_name_at_once_exactly_one_gets_it(store: SqlStore) -> None:
    wishes = [accounts.Register(("Alice", "AIice", "ALICE")[n % 3], key(str(n)), 5) for n in range(200)]
    outcomes = await asyncio.gather(
        *(store.run(accounts.register, wish) for wish in wishes), return_exceptions=True
    )
    winners = [row for row in outcomes if isinstance(row, AccountRow)]
    refused = [error.code for error in outcomes if isinstance(error, Refusal)]
    assert len(winners) == 1
    assert refused == [RefusalCode.NAME_TAKEN] * 199


async def test_a_refusal_undoes_its_own_use_case_and_no_other(store: SqlStore) -> None:
    def add_and_refuse(tx: Tx, name: str) -> None:
        add(tx, name)
        raise Refusal(RefusalCode.INVALID, "no")

    gate = Gate()
    first = asyncio.create_task(store.run(gate, "first"))
    await gate.reached()
    others = [asyncio.create_task(store.run(add, f"good {n}")) for n in range(5)]
    bad = asyncio.create_task(store.run(add_and_refuse, "bad"))
    more = [asyncio.create_task(store.run(add, f"fine {n}")) for n in range(5)]
    await asyncio.sleep(0)
    gate.open.set()
    with pytest.raises(Refusal) as refusal:
        await bad
    assert refusal.value.code is RefusalCode.INVALID
    names = await asyncio.gather(first, *others, *more)
    assert None not in names
    assert await store.read(find, "bad") is None
    assert await store.read(find, "fine 4") is not None


async def test_an_error_of_a_use_case_reaches_its_caller_as_it_is(store: SqlStore) -> None:
    def broken(tx: Tx, name: str) -> None:
        add(tx, name)
        raise ZeroDivisionError(name)

    with pytest.raises(ZeroDivisionError, match="Ann"):
        await store.run(broken, "Ann")
    assert await store.read(find, "ann") is None


async def test_a_query_that_writes_is_an_error_and_changes_nothing(store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await store.read(add, "Ann")
    assert await store.read(find, "ann") is None


async def test_the_work_of_a_cancelled_waiter_is_done_all_the_same(store_url: str) -> None:
    store, gate = open_store(store_url), Gate()
    waiter = asyncio.create_task(store.run(gate, "Ann"))
    await gate.reached()
    queued = [asyncio.create_task(store.run(add, f"other {n}")) for n in range(20)]
    await asyncio.sleep(0)
    for task in (waiter, *queued):
        task.cancel()
    cancelled = await asyncio.gather(waiter, *queued, return_exceptions=True)
    gate.open.set()
    await store.close()
    assert {type(outcome) for outcome in cancelled} == {asyncio.CancelledError}

    reopened = open_store(store_url)
    found = [await reopened.read(find, name) for name in ("ann", *(f"other {n}" for n in range(20)))]
    await reopened.close()
    assert None not in found


async def test_who_finds_the_queue_full_is_told_at_once_and_nothing_is_done(store_url: str) -> None:
    store, gate = open_store(store_url, queue_limit=3), Gate()
    first = asyncio.create_task(store.run(gate, "first"))
    await gate.reached()
    tasks = [asyncio.create_task(store.run(gate, f"name {n}")) for n in range(10)]
    busy = [task for task in tasks if await refused_at_once(task)]
    gate.open.set()
    await asyncio.gather(first, *(task for task in tasks if task not in busy))
    found = [await store.read(find, f"name {n}") for n in range(10)]
    await store.close()
    assert 7 <= len(busy) <= 8
    assert [task in busy for task in tasks] == [row is None for row in found]
    assert store.stats().busy == len(busy)


async def refused_at_once(task: asyncio.Task[int | None]) -> bool:
    await asyncio.sleep(0)
    return task.done() and isinstance(task.exception(), StoreBusy)


async def test_no_use_case_runs_on_the_thread_of_the_event_loop(store: SqlStore) -> None:
    here = threading.get_ident()
    assert await store.run(lambda _tx, _: threading.get_ident(), None) != here
    assert await store.read(lambda _tx, _: threading.get_ident(), None) != here


async def test_closing_finishes_what_waits_and_refuses_what_comes_after(store_url: str) -> None:
    store, gate = open_store(store_url), Gate()
    tasks = [asyncio.create_task(store.run(gate, f"name {n}")) for n in range(100)]
    await gate.reached()
    closing = asyncio.create_task(store.close())
    gate.open.set()
    await closing
    assert None not in await asyncio.gather(*tasks)
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.run(add, "late")
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.read(find, "late")
    await store.close()


async def test_statistics_count_and_cannot_be_changed(store: SqlStore) -> None:
    await asyncio.gather(*(store.run(add, f"name {n}") for n in range(10)))
    await store.read(find, "name 1")
    stats = store.stats()
    assert (stats.queued, stats.reading, stats.commits, stats.reads, stats.busy) == (0, 0, 10, 1, 0)
    assert 1 <= stats.batches <= 10
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.commits = 0  # type: ignore[misc]
