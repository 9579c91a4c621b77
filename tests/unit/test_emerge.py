import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np
import pytest

from worldloom.config import WorldgenConfig
from worldloom.errors import StoreUnavailable
from worldloom.ports import EdgesRow, Misfit, Styles, Stylist, TileRow
from worldloom.world.edges import edges_of
from worldloom.worldgen.emerge import MAX_ABANDONED, Emerged, EmergeOutcome, EmergeQueue
from worldloom.worldgen.worker import Worker, WorkerHung
from worldloom_sdk.protocol.tiles import Tile, decode_tile, encode_tile, tile_sha256

GRASS = np.full((128, 128), 3, np.uint8)


def flat(rx: int, rz: int, height: int = 0) -> Tile:
    return Tile(rx, rz, np.full((129, 129), height, np.int16), GRASS)


def row_of(tile: Tile, source: str = "noise") -> TileRow:
    data = encode_tile(tile)
    return TileRow(tile.rx, tile.rz, tile_sha256(data), source, data)


class Clock:
    def monotonic(self) -> float:
        return monotonic()

    def world_ms(self) -> int:
        return 0


@dataclass
class Source:
    """Flat land; notes what it was asked for, and does first what ``before`` says."""

    name: str = "model"
    height: int = 32
    before: Callable[[int, int], object] = lambda rx, rz: None
    asked: list[tuple[int, int]] = field(default_factory=list)

    def generate(self, rx: int, rz: int) -> Tile:
        self.asked.append((rx, rz))
        other = self.before(rx, rz)
        return flat(rx, rz, self.height) if other is None else other  # type: ignore[return-value]


@dataclass
class Database:
    """Rows by region; each of the next ``down`` requests fails."""

    rows: dict[tuple[int, int], TileRow] = field(default_factory=dict)
    styles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    down: int = 0
    requests: list[str] = field(default_factory=list)

    async def load(self, rx: int, rz: int) -> TileRow | None:
        self._serve("load")
        return self.rows.get((rx, rz))

    async def save(self, row: TileRow) -> TileRow:
        self._serve("save")
        return self.rows.setdefault((row.rx, row.rz), row)

    async def commit(self, rx: int, rz: int, own: Styles) -> Styles:
        self._serve("commit")
        return {(dx, dz): self.styles.setdefault((rx + dx, rz + dz), own[dx, dz]) for dx, dz in own}

    def _serve(self, request: str) -> None:
        self.requests.append(request)
        self.down -= 1
        if self.down >= 0:
            raise StoreUnavailable("expected an answer, got none")


class House:
    """A queue with its parts, and all that it announced."""

    def __init__(self, source: Source, stylist: Stylist | None = None, **limits: float) -> None:
        self.source, self.fallback, self.database = source, Source("noise", height=64), Database()
        config = WorldgenConfig(**({"deadline_s": 30.0} | limits))
        load = lambda rx, rz: self.database.load(rx, rz)  # noqa: E731 - so that a test may change the database
        save = lambda row: self.database.save(row)  # noqa: E731
        commit = lambda rx, rz, own: self.database.commit(rx, rz, own)  # noqa: E731
        self.queue = EmergeQueue(
            *(load, save, source, self.fallback, config, Clock()),
            backoff_s=(0.0, 0.0),
            stylist=stylist,
            commit=commit,
        )
        self.announced: list[Emerged] = []
        self.queue.on_emerged.append(self.announced.append)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.queue.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def outcomes(self) -> list[tuple[int, int, EmergeOutcome]]:
        return [(emerged.rx, emerged.rz, emerged.outcome) for emerged in self.announced]

    async def until(self, count: int) -> None:
        """Wait until so many regions were announced."""
        enough = asyncio.Event()
        listener = lambda _: enough.set() if len(self.announced) >= count else None  # noqa: E731
        self.queue.on_emerged.append(listener)
        listener(None)
        await asyncio.wait_for(enough.wait(), 20)


@pytest.fixture
def gate() -> AsyncIterator[threading.Event]:
    """What a hanging source waits for; opened at the end, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_region_is_made_once_stored_and_then_comes_from_memory():
    house = House(Source())
    async with house.running():
        made, again = await house.queue.get(2, -3), await house.queue.get(2, -3)
    assert (made.outcome, again.outcome) == (EmergeOutcome.GENERATED, EmergeOutcome.MEMORY)
    assert made.source == "model"
    assert made.sha256 == again.sha256 == house.database.rows[2, -3].sha256
    assert made.tile.heights[5, 5] == 32
    assert house.source.asked == [(2, -3)]


async def test_a_stored_region_comes_from_the_database():
    house = House(Source())
    house.database.rows[0, 0] = row_of(flat(0, 0, 7), "older")
    async with house.running():
        emerged = await house.queue.get(0, 0)
    assert (emerged.outcome, emerged.source, house.source.asked) == (EmergeOutcome.DATABASE, "older", [])
    assert emerged.tile.heights[0, 0] == 7


async def test_what_was_stored_first_wins_over_what_was_just_made():
    house = House(Source())
    winner = row_of(flat(0, 0, 9), "elsewhere")
    house.source.before = lambda rx, rz: house.database.rows.setdefault((0, 0), winner) and None
    async with house.running():
        emerged = await house.queue.get(0, 0)
    assert (emerged.outcome, emerged.source, emerged.sha256) == (
        EmergeOutcome.DATABASE,
        "elsewhere",
        winner.sha256,
    )
    assert emerged.tile.heights[0, 0] == 9


def beside(emerged_at: tuple[int, int], height: int) -> EdgesRow:
    rx, rz = emerged_at
    return EdgesRow(rx, rz, edges_of(flat(rx, rz, height).heights))


async def test_what_does_not_fit_its_neighbours_is_stitched_to_them_and_stored_then():
    house = House(Source(height=32))
    refusals = iter([Misfit((beside((1, 0), 96),)), Misfit((beside((1, 0), 96), beside((0, 1), 96)))])

    async def save(row: TileRow) -> TileRow | Misfit:
        return next(refusals, None) or house.database.rows.setdefault((row.rx, row.rz), row)

    house.database.save = save
    async with house.running():
        emerged = await house.queue.get(0, 0)
    assert (emerged.outcome, emerged.source, house.queue.stats().stitched) == (
        EmergeOutcome.GENERATED,
        "model",
        2,
    )
    stored = house.database.rows[0, 0]
    assert emerged.sha256 == stored.sha256
    assert stored.edges == edges_of(emerged.tile.heights)
    assert np.array_equal(decode_tile(stored.data).heights, emerged.tile.heights)
    assert set(emerged.tile.heights[:, -1]) == set(emerged.tile.heights[-1]) == {96}
    assert emerged.tile.heights[0, 0] == 32
    assert house.source.asked == [(0, 0)], "it is made once"


async def test_what_is_said_never_to_fit_fails_after_a_few_attempts_and_the_others_are_made(caplog):
    house = House(Source(height=32))
    attempts: list[TileRow] = []

    async def refuse(row: TileRow) -> TileRow | Misfit:
        attempts.append(row)
        return Misfit((beside((1, 0), len(attempts)),))

    save, house.database.save = house.database.save, refuse
    async with house.running():
        lost = await house.queue.get(0, 0)
        house.database.save = save
        assert (await house.queue.get(5, 5)).outcome is EmergeOutcome.GENERATED
    assert (lost.outcome, lost.tile, len(attempts)) == (EmergeOutcome.FAILED, None, 10)
    assert "region (0, 0)" in caplog.text


async def test_one_region_is_made_once_however_many_ask():
    house = House(Source())
    async with house.running():
        house.queue.want(1, 1, 50.0, asker=4)
        house.queue.want(1, 1, 10.0, asker=5)
        all_of_them = await asyncio.gather(*(house.queue.get(1, 1) for _ in range(20)))
    assert {id(emerged) for emerged in all_of_them} == {id(all_of_them[0])}
    assert house.source.asked == [(1, 1)]
    assert len(house.announced) == 1


async def test_the_soonest_come_first_and_urgent_ones_before_them():
    house = House(Source())
    for seconds, rx in ((300.0, 3), (100.0, 1), (200.0, 2)):
        assert house.queue.want(rx, 0, seconds)
    house.queue.want(3, 0, 150.0)
    urgent = asyncio.ensure_future(house.queue.get(9, 9))
    await asyncio.sleep(0)
    async with house.running():
        await house.until(4)
    assert house.source.asked == [(9, 9), (1, 0), (3, 0), (2, 0)]
    assert (await urgent).outcome is EmergeOutcome.GENERATED


async def test_a_full_queue_drops_the_farthest_and_tells_who_waits():
    house = House(Source(), queue_limit=2)
    assert house.queue.want(1, 0, 100.0)
    assert house.queue.want(2, 0, 200.0)
    assert not house.queue.want(3, 0, 300.0), "later than all that waits"
    assert house.queue.want(4, 0, 50.0)
    assert house.outcomes() == [(2, 0, EmergeOutcome.CANCELLED)]
    first, second = (asyncio.ensure_future(house.queue.get(rx, 1)) for rx in (5, 6))
    await asyncio.sleep(0)
    last = await house.queue.get(7, 1)
    assert last.outcome is EmergeOutcome.CANCELLED
    assert (house.queue.stats().queued, house.queue.stats().refused) == (2, 2)
    async with house.running():
        assert {(await one).outcome for one in (first, second)} == {EmergeOutcome.GENERATED}


async def test_one_asker_cannot_fill_the_queue():
    house = House(Source(), per_account=3)
    assert [house.queue.want(rx, 0, 10.0, asker=7) for rx in range(5)] == [True, True, True, False, False]
    assert house.queue.want(0, 5, 10.0, asker=8)
    assert all(house.queue.want(rx, 9, 10.0) for rx in range(10)), "the world itself has no limit of its own"
    async with house.running():
        await house.until(14)
        assert house.queue.want(4, 0, 10.0, asker=7), "done ones do not count"


async def test_a_forgotten_region_is_cancelled_unless_somebody_waits():
    house = House(Source())
    house.queue.want(1, 0, 10.0)
    waiting = asyncio.ensure_future(house.queue.get(2, 0))
    await asyncio.sleep(0)
    for rx in (1, 2, 3):
        house.queue.forget(rx, 0)
    assert house.outcomes() == [(1, 0, EmergeOutcome.CANCELLED)]
    async with house.running():
        assert (await waiting).outcome is EmergeOutcome.GENERATED


async def test_asking_again_says_anew_how_soon_but_who_waits_stays_first():
    house = House(Source())
    house.queue.want(1, 0, 10.0)
    house.queue.want(2, 0, 20.0)
    urgent = asyncio.ensure_future(house.queue.get(3, 0))
    await asyncio.sleep(0)
    house.queue.want(1, 0, 30.0)
    house.queue.want(3, 0, 90.0)
    async with house.running():
        await house.until(3)
    assert house.source.asked == [(3, 0), (2, 0), (1, 0)]
    assert urgent.done()


async def test_memory_is_bounded_and_forgets_what_was_not_asked_for_longest():
    house = House(Source(), memory_regions=2)
    async with house.running():
        for rx in (1, 2, 1, 3):
            await house.queue.get(rx, 0)
        assert house.queue.stats().in_memory == 2
        assert (await house.queue.get(1, 0)).outcome is EmergeOutcome.MEMORY
        assert (await house.queue.get(2, 0)).outcome is EmergeOutcome.DATABASE


async def test_a_region_in_memory_is_announced_again_to_who_wants_it():
    house = House(Source())
    async with house.running():
        await house.queue.get(1, 0)
        assert house.queue.want(1, 0, 5.0)
        await house.until(2)
    assert house.outcomes()[1] == (1, 0, EmergeOutcome.MEMORY)


async def test_beyond_the_end_of_the_world_there_is_nothing():
    house = House(Source())
    assert not house.queue.want(32_768, 0, 1.0)
    with pytest.raises(ValueError, match="32767"):
        await house.queue.get(0, -32_768)


def nan_heights(rx: int, rz: int) -> Tile:
    return Tile(rx, rz, np.full((129, 129), np.nan), GRASS)  # type: ignore[arg-type]


def tampered(rx: int, rz: int) -> Tile:
    tile = flat(rx, rz)
    object.__setattr__(tile, "heights", np.full((129, 129), np.nan))
    return tile


def shout(rx: int, rz: int) -> Tile:
    raise RuntimeError("no land today")


def leave(rx: int, rz: int) -> Tile:
    raise SystemExit(3)


@pytest.mark.parametrize(
    "fault",
    [
        shout,
        leave,
        nan_heights,
        tampered,
        lambda rx, rz: Tile(rx, rz, np.zeros((128, 128), np.int16), GRASS),
        lambda rx, rz: Tile(rx, rz, np.zeros((129, 129), np.float32), GRASS),  # type: ignore[arg-type]
        lambda rx, rz: flat(rx + 1, rz),
        lambda rx, rz: np.zeros((129, 129), np.int16),
        lambda rx, rz: "land",
    ],
)
async def test_a_source_that_gives_no_land_costs_a_fallback_and_a_log_line(fault, caplog):
    house = House(Source(before=fault))
    with caplog.at_level(logging.INFO):
        async with house.running():
            emerged = await house.queue.get(4, 4)
    assert (emerged.outcome, emerged.source) == (EmergeOutcome.FALLBACK, "fallback")
    assert emerged.tile.heights[0, 0] == 64
    assert house.database.rows[4, 4].source == "fallback"
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "region (4, 4)" in caplog.text
    assert house.queue.stats().rejected == 1


async def test_the_source_is_asked_again_after_it_failed():
    house = House(Source())
    house.source.before = lambda rx, rz: shout(rx, rz) if rx == 1 else None
    async with house.running():
        outcomes = [(await house.queue.get(rx, 0)).outcome for rx in (1, 2)]
    assert outcomes == [EmergeOutcome.FALLBACK, EmergeOutcome.GENERATED]


async def test_a_hanging_source_is_abandoned_and_after_the_second_time_left_alone(gate, caplog):
    house = House(Source(before=lambda rx, rz: gate.wait(60) and None), deadline_s=0.02)
    async with house.running():
        for rx in range(4):
            emerged = await house.queue.get(rx, 0)
            assert (emerged.outcome, emerged.source) == (EmergeOutcome.FALLBACK, "fallback")
        stats = house.queue.stats()
    assert house.source.asked == [(0, 0), (1, 0)]
    assert (stats.abandoned, stats.source_retired) == (MAX_ABANDONED, True)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "until restart" in caplog.text


async def test_what_an_abandoned_thread_brings_late_is_ignored(gate):
    house = House(Source(before=lambda rx, rz: gate.wait(60) and None), deadline_s=0.5)
    async with house.running():
        before = await house.queue.get(0, 0)
        gate.set()
        after = await house.queue.get(1, 0)
    assert after.outcome is EmergeOutcome.GENERATED
    assert house.database.rows[0, 0].sha256 == before.sha256
    assert len(house.announced) == 2


async def test_a_failing_database_serves_nothing_and_is_logged_once_each_way(caplog):
    house = House(Source())
    house.database.down = 7
    with caplog.at_level(logging.INFO):
        async with house.running():
            lost = [await house.queue.get(rx, 0) for rx in (1, 2)]
            assert not house.queue.stats().store_available
            found = await house.queue.get(3, 0)
    assert {(one.outcome, one.tile, one.sha256) for one in lost} == {(EmergeOutcome.FAILED, None, "")}
    assert found.outcome is EmergeOutcome.GENERATED
    assert house.database.requests.count("load") == 8, "three attempts a region, then one more and an answer"
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert house.queue.stats().store_available


async def test_a_region_that_cannot_be_stored_is_not_served():
    house = House(Source())

    async def refuse(row: TileRow) -> TileRow:
        raise StoreUnavailable("expected a commit, got none")

    house.database.save = refuse
    async with house.running():
        emerged = await house.queue.get(1, 0)
        again = await house.queue.get(1, 0)
    assert (emerged.outcome, again.outcome) == (EmergeOutcome.FAILED, EmergeOutcome.FAILED)
    assert emerged.tile is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: replace(row, data=b"WLT\x01 no land"),
        lambda row: replace(row, sha256="0" * 64),
        lambda row: replace(row_of(flat(5, 5)), rx=1, rz=0),
    ],
)
async def test_spoilt_rows_fail_and_are_never_made_anew(spoil, caplog):
    house = House(Source())
    house.database.rows[1, 0] = spoil(row_of(flat(1, 0)))
    async with house.running():
        emerged = await house.queue.get(1, 0)
        assert (await house.queue.get(2, 0)).outcome is EmergeOutcome.GENERATED
    assert emerged.outcome is EmergeOutcome.FAILED
    assert house.source.asked == [(2, 0)]
    assert "region (1, 0)" in caplog.text


async def test_stopping_cancels_what_waits_and_what_is_in_work(gate):
    began = threading.Event()
    house = House(Source(before=lambda rx, rz: began.set() or (gate.wait(60) and None)))
    async with house.running():
        waiting = [asyncio.ensure_future(house.queue.get(rx, 0)) for rx in range(5)]
        await asyncio.to_thread(began.wait, 20)
    assert {(await one).outcome for one in waiting} == {EmergeOutcome.CANCELLED}
    stats = house.queue.stats()
    assert (stats.queued, stats.in_work, stats.outcomes[EmergeOutcome.CANCELLED]) == (0, 0, 5)


async def test_who_stops_waiting_does_not_disturb_the_others():
    house = House(Source())
    hasty, patient = (asyncio.ensure_future(house.queue.get(1, 0)) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    async with house.running():
        assert (await patient).outcome is EmergeOutcome.GENERATED
    assert hasty.cancelled()


async def test_a_listener_that_fails_is_logged_and_the_others_hear(caplog):
    house = House(Source())
    house.queue.on_emerged.insert(0, lambda emerged: 1 // 0)
    async with house.running():
        await house.queue.get(1, 0)
        await house.queue.get(2, 0)
    assert len(house.announced) == 2
    assert "a listener failed" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities per thread")
async def test_land_is_made_on_another_thread_that_gives_way_to_all_others():
    seen = []

    def note(rx: int, rz: int) -> None:
        seen.append((os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), threading.get_ident()))

    house = House(Source(before=note))
    async with house.running():
        await house.queue.get(1, 0)
    assert seen[0][0] == 19
    assert seen[0][1] != threading.get_ident()
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities per thread")
@pytest.mark.parametrize("niceness", [0, 7])
async def test_a_worker_gives_way_as_far_as_it_is_told_and_never_less_than_its_process(niceness):
    own = os.getpriority(os.PRIO_PROCESS, 0)
    worker = Worker("test", niceness)
    found = await worker.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert found == max(own, niceness)
    worker.close()


async def test_a_worker_goes_on_with_a_new_thread_after_one_hung(gate):
    worker = Worker("test")
    first = await worker.run(threading.get_ident)
    with pytest.raises(WorkerHung, match="within"):
        await worker.run(lambda: gate.wait(60), 0.01)
    assert await worker.run(threading.get_ident) != first
    assert worker.abandoned == 1
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    worker.close()


async def test_time_in_which_the_thread_got_no_processor_does_not_count(gate):
    waited = iter([0.0, 0.0, 500.0])

    def starved_s(thread_id: int) -> float:
        starved = next(waited)
        gate.set() if starved else None
        return starved

    assert await Worker("test", starved_s=starved_s).run(lambda: gate.wait(60), 0.02)


class Loom(Source):
    """Follows styles: land is as high as the first byte of its own; notes what it was given."""

    def __init__(self, before: Callable[[int, int], object] = lambda rx, rz: None) -> None:
        super().__init__("loom", before=before)
        self.given: list[dict[tuple[int, int], bytes]] = []

    def weave(self, rx: int, rz: int, styles: Styles) -> Tile:
        self.given.append(dict(styles))
        self.before(rx, rz)
        return flat(rx, rz, styles[0, 0][0])


class Seasons:
    """Says a style of two regions."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def styles(self, rx: int, rz: int) -> Styles:
        self.asked.append((rx, rz))
        return {(0, 0): bytes([50 + rx]), (1, 0): bytes([51 + rx])}


async def test_styles_are_stored_before_anything_is_made_by_them():
    stylist = Seasons()
    loom = Loom(lambda rx, rz: committed.append(dict(house.database.styles)))
    committed: list[dict[tuple[int, int], bytes]] = []
    house = House(loom, stylist)
    async with house.running():
        emerged = await house.queue.get(2, 3)
    assert (emerged.outcome, emerged.source) == (EmergeOutcome.GENERATED, "loom")
    assert emerged.tile.heights[0, 0] == 52
    assert committed == [{(2, 3): b"4", (3, 3): b"5"}]
    assert loom.given == [{(0, 0): b"4", (1, 0): b"5"}]
    assert house.database.requests == ["load", "commit", "save"]


async def test_a_style_that_is_stored_already_wins_over_ones_own():
    house = House(loom := Loom(), Seasons())
    house.database.styles[2, 3] = b"z"
    async with house.running():
        emerged = await house.queue.get(2, 3)
    assert loom.given == [{(0, 0): b"z", (1, 0): b"5"}]
    assert emerged.tile.heights[0, 0] == ord("z")
    assert house.database.styles == {(2, 3): b"z", (3, 3): b"5"}


async def test_a_stored_region_needs_no_styles():
    house = House(Loom(), stylist := Seasons())
    house.database.rows[0, 0] = row_of(flat(0, 0, 7), "older")
    async with house.running():
        assert (await house.queue.get(0, 0)).outcome is EmergeOutcome.DATABASE
    assert (stylist.asked, house.database.styles) == ([], {})


async def test_storing_styles_is_tried_again_while_the_database_is_down():
    house = House(Loom(), stylist := Seasons())
    house.database.load = lambda rx, rz: asyncio.sleep(0)
    house.database.down = 2
    async with house.running():
        emerged = await house.queue.get(0, 0)
    assert emerged.outcome is EmergeOutcome.GENERATED
    assert house.database.requests == ["commit", "commit", "commit", "save"]
    assert stylist.asked == [(0, 0)]


async def test_where_styles_cannot_be_stored_nothing_is_made():
    house = House(loom := Loom(), Seasons())
    house.database.load = lambda rx, rz: asyncio.sleep(0)
    house.database.down = 3
    async with house.running():
        emerged = await house.queue.get(0, 0)
        assert (emerged.outcome, emerged.tile) == (EmergeOutcome.FAILED, None)
        assert not house.queue.stats().store_available
        assert loom.given == []
        assert (await house.queue.get(0, 0)).outcome is EmergeOutcome.GENERATED


async def test_a_stylist_that_fails_costs_one_region(caplog: pytest.LogCaptureFixture):
    stylist = Seasons()
    whole = stylist.styles
    stylist.styles = lambda rx, rz: whole(rx, rz) if rx else 1 / 0
    house = House(loom := Loom(), stylist)
    async with house.running():
        assert (await house.queue.get(0, 0)).outcome is EmergeOutcome.FAILED
        assert (await house.queue.get(1, 0)).outcome is EmergeOutcome.GENERATED
    assert len(loom.given) == 1
    assert "region (0, 0) could not be made available" in caplog.text


async def test_without_a_stylist_no_styles_are_stored():
    house = House(source := Source())
    async with house.running():
        await house.queue.get(0, 0)
    assert source.asked == [(0, 0)]
    assert house.database.requests == ["load", "save"]


async def test_when_the_loom_fails_the_fallback_needs_no_styles():
    def fail(rx: int, rz: int) -> None:
        raise RuntimeError("no thread")

    house = House(Loom(fail), Seasons())
    async with house.running():
        emerged = await house.queue.get(0, 0)
    assert (emerged.outcome, emerged.source) == (EmergeOutcome.FALLBACK, "fallback")
    assert house.fallback.asked == [(0, 0)]
    assert len(house.database.styles) == 2, "what was committed stays"
