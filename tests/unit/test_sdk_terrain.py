"""A client's terrain: tile and overlay fetched when asked for, edits followed, nothing stale after a new session."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from worldloom_sdk.errors import ContentError
from worldloom_sdk.protocol.overlay import Overlay, Patch, encode_overlay, patched
from worldloom_sdk.protocol.tiles import SAMPLES, SURFACE_CELLS, Tile, encode_tile, tile_sha256
from worldloom_sdk.terrain import Terrain, TileCache

FLAT = Tile(
    0, 0, np.full((SAMPLES, SAMPLES), 160, np.int16), np.zeros((SURFACE_CELLS, SURFACE_CELLS), np.uint8)
)
DATA = encode_tile(FLAT)
SHA256 = tile_sha256(DATA)


class Impatient:
    """A clock whose seconds are over at once, but for some spans that never end."""

    def __init__(self) -> None:
        self.endless = {30.0}

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        if seconds in self.endless:
            await asyncio.get_running_loop().create_future()


class Host:
    """The world's HTTP: the tile, and the overlay as it is stored when it is asked for."""

    def __init__(self) -> None:
        self.overlay = Overlay.empty(0, 0)
        self.fetched: list[str] = []
        self.meanwhile: list[Callable[[], None]] = []
        """Done one by one, each before an answer is given."""
        self.clock = Impatient()
        self.terrain = Terrain(self.fetch, self.clock, TileCache())

    async def fetch(self, path: str) -> bytes:
        self.fetched.append(path.partition("/")[2].partition("/")[0])
        answer = DATA if path == f"/content/{SHA256}" else encode_overlay(self.overlay)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return answer

    def edit(self, height_m: float, tell: bool = True) -> None:
        """Sample (5, 5) at (10, 10) m has another height."""
        patch = Patch.of_metres(10, 10, [[height_m]])
        self.overlay = patched(self.overlay, patch, self.overlay.version + 1)
        if tell:
            self.terrain.edited(0, 0, self.overlay.version, patch)

    def tell(self) -> None:
        self.terrain.woven(0, 0, SHA256, self.overlay.version)


@pytest.fixture
def host() -> Host:
    return Host()


async def test_where_nothing_was_changed_no_overlay_is_fetched(host: Host) -> None:
    host.tell()
    assert await host.terrain.wait(10, 10) == 5.0
    assert host.fetched == ["content"]
    host.edit(9.0)
    assert host.terrain.peek(10, 10) == 9.0
    assert host.terrain.peek(11, 10) == 7.0
    assert host.terrain.tile(0, 0).heights[5, 5] == 160
    assert host.fetched == ["content"]


async def test_what_was_changed_before_is_fetched_with_the_tile(host: Host) -> None:
    host.edit(9.0, tell=False)
    host.tell()
    assert host.terrain.peek(10, 10) is None
    assert await host.terrain.wait(10, 10) == 9.0
    assert host.fetched == ["content", "overlay"]


async def test_edits_while_tile_and_overlay_are_fetched_are_not_lost(host: Host) -> None:
    host.edit(9.0, tell=False)
    host.tell()
    host.meanwhile = [lambda: host.edit(11.0), lambda: host.edit(12.0)]
    assert await host.terrain.wait(10, 10) == 12.0
    assert host.fetched == ["content", "overlay"]


async def test_a_region_told_with_another_version_is_fetched_anew(host: Host) -> None:
    host.tell()
    await host.terrain.wait(10, 10)
    host.edit(9.0, tell=False)
    host.edit(8.0, tell=False)
    host.tell()
    assert host.terrain.height(10, 10) is None
    assert await host.terrain.wait(10, 10) == 8.0
    assert host.fetched == ["content", "overlay"]


async def test_an_edit_whose_version_does_not_follow_has_the_overlay_fetched_anew(host: Host) -> None:
    host.tell()
    await host.terrain.wait(10, 10)
    host.edit(9.0, tell=False)
    host.edit(8.0)
    assert host.terrain.peek(10, 10) is None
    assert await host.terrain.wait(10, 10) == 8.0


async def test_after_a_new_session_nothing_is_taken_for_known(host: Host) -> None:
    host.tell()
    await host.terrain.wait(10, 10)
    host.terrain.start_anew()
    assert (host.terrain.peek(10, 10), host.terrain.tile(0, 0)) == (None, None)
    host.edit(9.0)
    host.tell()
    assert await host.terrain.wait(10, 10) == 9.0
    assert host.fetched == ["content", "overlay"], "the tile is kept by its name"


async def test_a_session_that_begins_while_it_is_fetched_has_it_fetched_once_more(host: Host) -> None:
    def begin_anew() -> None:
        host.terrain.start_anew()
        host.edit(9.0, tell=False)
        host.tell()

    host.tell()
    host.meanwhile = [begin_anew]
    assert await host.terrain.wait(10, 10) == 9.0


async def test_an_overlay_that_is_none_is_told_after_some_tries(host: Host) -> None:
    host.edit(9.0, tell=False)
    host.tell()
    host.overlay = Overlay(1, 0, 1, host.overlay.samples)
    with pytest.raises(ContentError, match=r"expected the overlay of region \(0, 0\), got that of \(1, 0\)"):
        await host.terrain.wait(10, 10)
    assert host.fetched.count("overlay") == 5


async def test_who_edited_waits_for_the_news_of_land_that_is_told_of(host: Host) -> None:
    host.clock.endless = {2.0}
    host.tell()
    await host.terrain.until_told([(7, 7, 3)])
    waiting = asyncio.ensure_future(host.terrain.until_told([(0, 0, 2), (9, 9, 1)]))
    host.edit(9.0)
    await asyncio.sleep(0)
    assert not waiting.done()
    host.edit(8.0)
    await waiting


async def test_of_land_that_nothing_is_told_of_edits_are_passed_over(host: Host) -> None:
    host.edit(9.0)
    assert host.terrain.peek(10, 10) is None
    assert host.terrain.heights(0, 0) is None
