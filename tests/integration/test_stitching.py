"""Land of very different sources side by side, through the real emerge queue into a real database: one land."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import numpy as np
import numpy.typing as npt
import pytest

from databases import postgres_database
from worldloom.config import WorldgenConfig
from worldloom.persistence.migrate import downgrade, migrate
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import Misfit, TerrainSource, TileRow
from worldloom.services import terrain
from worldloom.worldgen.emerge import EmergeQueue
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.outcome import EmergeOutcome
from worldloom_sdk.protocol.tiles import Surface, Tile, decode_tile

F64 = npt.NDArray[np.float64]
GRASS = np.full((128, 128), Surface.GRASS, np.uint8)
FIRST = 40
"""Of the regions: away from the middle of the world, where the noise is tame."""


class Clock:
    def monotonic(self) -> float:
        return monotonic()

    def world_ms(self) -> int:
        return 0


class Plateau:
    """Level land at a height of its own in every region: cliffs of up to 40 m."""

    name = "plateau"

    def generate(self, rx: int, rz: int) -> Tile:
        height = np.int16(np.random.default_rng([1, rx, rz]).integers(0, 40) * 32)
        return Tile(rx, rz, np.full((129, 129), height), GRASS)


class Rubble:
    """Land that is rough on every scale down to a sample, and the neighbours' business none of its own."""

    name = "rubble"

    def generate(self, rx: int, rz: int) -> Tile:
        rng = np.random.default_rng([2, rx, rz])
        heights = np.full((129, 129), rng.uniform(0.0, 40.0))
        for step, rise in ((32, 12.0), (16, 6.0), (8, 3.0), (4, 1.5), (2, 0.8), (1, 0.4)):
            nodes = rng.normal(0.0, rise, (128 // step + 2, 128 // step + 2))
            at, part = np.divmod(np.arange(129), step)
            rows = nodes[at] + (nodes[at + 1] - nodes[at]) * (part / step)[:, None]
            heights += rows[:, at] + (rows[:, at + 1] - rows[:, at]) * (part / step)
        return Tile(rx, rz, np.rint(heights * 32).astype(np.int16), GRASS)


class Medley:
    """Each region from another source, drawn by lot."""

    name = "medley"

    def __init__(self, lot: int) -> None:
        self._lot = lot
        self._sources: list[TerrainSource] = [*(NoiseSource(seed) for seed in (1, 2, 3)), Rubble(), Plateau()]

    def generate(self, rx: int, rz: int) -> Tile:
        return self._sources[np.random.default_rng([self._lot, rx, rz]).integers(5)].generate(rx, rz)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'world.db'}"


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


def queue_of(store: SqlStore, source: TerrainSource) -> EmergeQueue:
    async def load(rx: int, rz: int) -> TileRow | None:
        return await store.read(terrain.load, (rx, rz))

    async def save(row: TileRow) -> TileRow | Misfit:
        return await store.run(terrain.store, terrain.StoreTile(row, 5))

    config = WorldgenConfig(deadline_s=60.0)
    return EmergeQueue(load, save, source, NoiseSource(1), config, Clock(), backoff_s=())


async def emerge(url: str, side: int, *sources: TerrainSource) -> list[EmergeQueue]:
    """Make ``side`` x ``side`` regions in an order drawn by lot, each by one of the queues."""
    store = open_store(url)
    queues = [queue_of(store, source) for source in sources]
    tasks = [asyncio.create_task(queue.run()) for queue in queues]
    lot = random.Random(7)
    regions = [(FIRST + x, FIRST + z) for x in range(side) for z in range(side)]
    lot.shuffle(regions)
    made = await asyncio.gather(*(lot.choice(queues).get(*region) for region in regions))
    assert {one.outcome for one in made} == {EmergeOutcome.GENERATED}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.close()
    return queues


async def stored_tiles(url: str, side: int) -> dict[tuple[int, int], Tile]:
    store = open_store(url)
    tiles = {}
    for x in range(side):
        for z in range(side):
            row = await store.read(terrain.load, (FIRST + x, FIRST + z))
            assert row is not None
            tiles[x, z] = decode_tile(row.data)
    await store.close()
    return tiles


def laid_out(tiles: dict[tuple[int, int], Tile], side: int) -> F64:
    """All heights ``[128 side + 1, 128 side + 1]`` in metres; every sample that tiles share must be one."""
    heights = np.zeros((128 * side + 1, 128 * side + 1), np.int16)
    said = np.zeros_like(heights, np.bool_)
    for (x, z), tile in tiles.items():
        part = np.s_[128 * z : 128 * z + 129, 128 * x : 128 * x + 129]
        assert np.array_equal(heights[part][said[part]], tile.heights[said[part]]), (
            f"an edge of region {x}, {z}"
        )
        heights[part], said[part] = tile.heights, True
    return heights / 32.0


def seam(heights: F64) -> tuple[float, float]:
    """How much more the ground bends at borders than elsewhere: the ratio, and in standard errors; of the worse axis.

    Mean second difference across the sample lines on and just before a border, against that across all other lines.
    """
    worst = (0.0, 0.0)
    for across in (heights, heights.T):
        bend = np.abs(np.diff(across, 2, axis=1)).mean(axis=0)
        line = np.arange(1, across.shape[1] - 1) % 128
        border = (line == 0) | (line == 127)
        more = bend[border].mean() - bend[~border].mean()
        error = bend[~border].std() / np.sqrt(border.sum())
        worst = max(worst, (float(bend[border].mean() / bend[~border].mean()), float(more / error)))
    return worst


@pytest.mark.slow
async def test_twelve_by_twelve_regions_of_mixed_sources_in_any_order_are_one_land(sqlite: str) -> None:
    """Every shared sample is equal, no cliff is left, and the ground bends at borders as it does elsewhere."""
    source, side = Medley(3), 12
    migrate(sqlite)
    (queue,) = await emerge(sqlite, side, source)
    assert queue.stats().stitched > 100
    tiles = await stored_tiles(sqlite, side)
    land = laid_out(tiles, side)
    raw = {(x, z): source.generate(FIRST + x, FIRST + z) for x, z in tiles}
    cliffs = [
        np.abs(raw[x, z].heights[:, -1] - raw[x + 1, z].heights[:, 0].astype(int)).max()
        for x in range(side - 1)
        for z in range(side)
    ]
    cliff = max(cliffs)
    assert cliff > 40 * 32
    ratio, error = seam(land)
    assert ratio < 1.05
    assert error < 3.0
    steepest = max(
        np.abs(np.diff(tile.heights / 32.0, axis=k)).max() for tile in raw.values() for k in (0, 1)
    )
    fade = 2.2 * cliff / 32 / 32
    assert max(np.abs(np.diff(land, axis=k)).max() for k in (0, 1)) < steepest + 2 * fade


@pytest.mark.slow
async def test_several_nodes_that_make_neighbours_at_once_make_one_land(url: str) -> None:
    """Whoever loses the race for a border stitches again."""
    migrate(url)
    await emerge(url, 4, Medley(1), Medley(2), Plateau())
    laid_out(await stored_tiles(url, 4), 4)


@pytest.mark.slow
async def test_a_world_of_one_source_is_never_touched(sqlite: str) -> None:
    migrate(sqlite)
    (queue,) = await emerge(sqlite, 3, NoiseSource(9))
    assert queue.stats().stitched == 0
    tiles = await stored_tiles(sqlite, 3)
    assert all(
        np.array_equal(tile.heights, NoiseSource(9).generate(FIRST + x, FIRST + z).heights)
        for (x, z), tile in tiles.items()
    )


@pytest.mark.slow
async def test_land_that_was_stored_before_edges_were_kept_is_fitted_to(url: str) -> None:
    migrate(url)
    await emerge(url, 2, Plateau())
    downgrade(url, "20261122_foundation")
    migrate(url)
    store = open_store(url)
    queue = queue_of(store, NoiseSource(4))
    task = asyncio.create_task(queue.run())
    await asyncio.gather(*(queue.get(FIRST + 2, FIRST + z) for z in range(2)))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rows = [await store.read(terrain.load, (FIRST + x, FIRST)) for x in (1, 2)]
    await store.close()
    west, east = (decode_tile(row.data).heights for row in rows if row is not None)
    assert [row.edges is None for row in rows if row is not None] == [True, False]
    assert np.array_equal(west[:, -1], east[:, 0])
