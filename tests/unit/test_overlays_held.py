"""Land as the shard holds it follows the database, in whatever order, or not at all, it is told of edits."""

import asyncio
import random
from typing import Any

import numpy as np
import pytest

from raw_ws import eventually
from worldloom.app.overlays import Overlays
from worldloom.errors import StoreUnavailable
from worldloom.replication.feed import ShardFrame
from worldloom.shard.simulation import Shard
from worldloom.world.terrain import TerrainTable
from worldloom.worldgen.outcome import Emerged, EmergeOutcome
from worldloom_sdk.protocol.messages import RegionState
from worldloom_sdk.protocol.overlay import Overlay, Patch, Region, overlaid, patched
from worldloom_sdk.protocol.tiles import Tile

FLAT = np.full((129, 129), 160, np.int16)


class Database:
    """Overlays as they are stored; a ``ports.Store`` for reading them, which can be away, or wait."""

    def __init__(self) -> None:
        self.stored: dict[Region, Overlay] = {}
        self.away = False
        self.gate: asyncio.Event | None = None
        self.asked = asyncio.Event()

    def commit(self, patch: Patch) -> tuple[Patch, dict[Region, int]]:
        versions = {}
        for region in patch.regions():
            overlay = self.stored.get(region, Overlay.empty(*region))
            versions[region] = overlay.version + 1
            self.stored[region] = patched(overlay, patch, versions[region])
        return patch, versions

    async def run(self, use_case: Any, command: Any) -> Any:
        raise AssertionError("nothing is to be written here")

    async def read(self, query: Any, regions: list[Region]) -> dict[Region, Overlay]:
        self.asked.set()
        found = {region: self.stored[region] for region in regions if region in self.stored}
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise StoreUnavailable("away")
        return found


class House:
    """A shard, what follows the database for it, and the frames of a tick."""

    def __init__(self) -> None:
        self.land, self.database = TerrainTable(), Database()
        self.frames: list[Any] = []
        self.shard = Shard(self.land, 768, 320, self.frames.append, lambda *asked: None)
        self.overlays = Overlays(self.database, self.shard)
        self.tick = 0

    def emerged(self, rx: int, rz: int) -> Emerged:
        tile = Tile(rx, rz, FLAT, np.zeros((128, 128), np.uint8))
        return Emerged(rx, rz, tile, "ab" * 32, "noise", EmergeOutcome.DATABASE)

    async def hold(self, *regions: Region) -> None:
        for region in regions:
            self.overlays.emerged(self.emerged(*region))
        await self.overlays.look()

    def next(self) -> ShardFrame:
        self.tick += 1
        return self.shard.tick(self.tick)

    def is_true(self, *regions: Region) -> bool:
        """Whether the ground of these regions is what the database says."""
        return all(
            np.array_equal(
                self.land._pool[self.land._slots[region]], overlaid(FLAT, self.database.stored.get(region))
            )
            for region in regions
        )


def patch(x: int, z: int, height: int = 640, side: int = 3) -> Patch:
    return Patch(x, z, np.full((side, side), height, np.int16))


@pytest.fixture
def house() -> House:
    return House()


async def test_land_that_emerges_comes_with_what_was_changed_there(house: House) -> None:
    house.database.commit(patch(5, 5))
    await house.hold((0, 0), (1, 0))
    assert house.is_true((0, 0), (1, 0))
    assert [(n.rx, n.overlay, n.patch) for n in house.next().regions] == [(0, 1, None), (1, 0, None)]


async def test_an_edit_is_in_force_at_once_in_every_region_that_is_held(house: House) -> None:
    await house.hold((0, 0), (1, 0))
    house.next()
    edit = patch(127, 5)
    house.overlays.edited(*house.database.commit(edit))
    assert house.is_true((0, 0), (1, 0))
    told = [(n.rx, n.overlay, n.patch) for n in house.next().regions]
    assert [(rx, version) for rx, version, _ in told] == [(0, 1), (1, 1)]
    assert [one.heights.shape for _, _, one in told if one is not None] == [(3, 2), (3, 2)]


async def test_edits_that_are_told_in_another_order_are_read_anew(house: House) -> None:
    await house.hold((0, 0))
    house.next()
    edits = [house.database.commit(patch(5, 5, height=n)) for n in (320, 640)]
    for edit in reversed(edits):
        house.overlays.edited(*edit)
    await house.overlays.look()
    assert house.is_true((0, 0))
    assert house.shard.overlay_version(0, 0) == 2


async def test_an_edit_of_which_nothing_is_known_is_found_by_doubt(house: House) -> None:
    await house.hold((0, 0))
    edit, _ = house.database.commit(patch(5, 5))
    house.overlays.doubt(edit.regions())
    await house.overlays.look()
    assert house.is_true((0, 0))
    house.overlays.doubt([(0, 0), (7, 7)])
    await house.overlays.look()
    assert [(n.overlay, n.patch) for n in house.next().regions] == [(0, None), (1, None)]


async def test_an_edit_while_the_overlay_is_read_is_not_lost(house: House) -> None:
    house.database.gate = asyncio.Event()
    holding = asyncio.ensure_future(house.hold((0, 0)))
    await house.database.asked.wait()
    house.overlays.edited(*house.database.commit(patch(5, 5)))
    assert house.shard.overlay_version(0, 0) is None
    house.database.gate.set()
    await holding
    assert house.is_true((0, 0))
    assert house.shard.overlay_version(0, 0) == 1


async def test_a_region_that_is_held_is_not_held_twice(house: House) -> None:
    await house.hold((0, 0))
    house.overlays.edited(*house.database.commit(patch(5, 5)))
    await house.hold((0, 0))
    await house.overlays.hold([house.emerged(0, 0)])
    assert house.is_true((0, 0))
    assert len(house.next().regions) == 2


async def test_without_a_database_what_emerged_is_wished_for_again_and_doubt_stays(house: House) -> None:
    await house.hold((0, 0))
    house.shard.weaving(1, 0)
    house.next()
    house.database.commit(patch(5, 5))
    house.database.away = True
    house.overlays.doubt([(0, 0)])
    with pytest.raises(StoreUnavailable):
        await house.hold((1, 0))
    assert (1, 0) not in house.land
    assert [n.state for n in house.next().regions] == [-1]
    house.database.away = False
    await house.hold((1, 0))
    assert house.is_true((0, 0), (1, 0))


async def test_what_could_not_be_made_is_not_held(house: House) -> None:
    house.shard.weaving(3, 3)
    house.overlays.emerged(Emerged(3, 3, None, "", "", EmergeOutcome.FAILED))
    await house.overlays.look()
    assert (3, 3) not in house.land
    assert [n.state for n in house.next().regions] == [RegionState.WEAVING, -1]


async def test_its_task_does_what_is_due_and_goes_on_after_an_outage(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worldloom.app.overlays.RETRY_S", 0.0)
    running = asyncio.ensure_future(house.overlays.run())
    house.database.away = True
    house.overlays.emerged(house.emerged(0, 0))
    await house.database.asked.wait()
    house.database.away = False
    house.overlays.emerged(house.emerged(0, 0))
    await eventually(lambda: (0, 0) in house.land)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_is_told_when_the_land_becomes_what_the_database_says(house: House, seed: int) -> None:
    """Edits told late, twice, in any order or not at all; land that comes and goes meanwhile."""
    dice = random.Random(seed)
    regions = [(0, 0), (1, 0), (0, 1), (1, 1)]
    told: list[tuple[Patch, dict[Region, int]]] = []
    for _ in range(120):
        match dice.randrange(6):
            case 0 | 1:
                at = patch(dice.randrange(110, 140), dice.randrange(110, 140), dice.randrange(-999, 999))
                told.append(house.database.commit(at))
            case 2 if told:
                house.overlays.edited(*told.pop(dice.randrange(len(told))))
            case 3 if told:
                house.overlays.edited(*dice.choice(told))
            case 4:
                house.overlays.emerged(house.emerged(*dice.choice(regions)))
                await house.overlays.look()
            case _:
                house.shard.forget_far(dice.randrange(5))
                house.next()
    for edit in told:
        house.overlays.edited(*edit)
    house.overlays.doubt(regions)
    await house.hold(*regions)
    assert house.is_true(*regions)
    assert [house.shard.overlay_version(*at) for at in regions] == [
        house.database.stored[at].version if at in house.database.stored else 0 for at in regions
    ]
