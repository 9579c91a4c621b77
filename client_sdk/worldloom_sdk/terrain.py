"""Terrain: the land near a client as it is, tiles and what people changed, fetched when asked for. Knows no sockets."""

import asyncio
import hashlib
import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from worldloom_sdk.clock import Clock, within
from worldloom_sdk.errors import ContentError, TimedOut, WorldloomError
from worldloom_sdk.ground import Ground
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.overlay import Overlay, Patch, decode_overlay
from worldloom_sdk.protocol.tiles import I16, Tile, decode_tile, ground_height

__all__ = ["Terrain", "TileCache", "region_of"]

_log = logging.getLogger(__name__)

_FETCHES_AT_ONCE = 4
_TRIES = 5
_CACHED_TILES = 256
_REGIONS_KEPT = 1024
_TOLD_WITHIN_S = 2.0
"""News follow an answer within a tick; who walked away meanwhile gets none."""

Region = tuple[int, int]


def region_of(x_m: float, z_m: float) -> Region:
    """The region that a place lies in."""
    return math.floor(x_m / REGION_M), math.floor(z_m / REGION_M)


class TileCache:
    """Decoded tiles by the sha256 of their bytes; the least recently used goes first.

    A tile is immutable and named by what is in it, so all clients of a process can share one cache.
    """

    def __init__(self, limit: int = _CACHED_TILES) -> None:
        self._limit = limit
        self._tiles: OrderedDict[str, Tile] = OrderedDict()

    def get(self, sha256: str) -> Tile | None:
        """The tile of that name, if it is here."""
        tile = self._tiles.get(sha256)
        if tile is not None:
            self._tiles.move_to_end(sha256)
        return tile

    def put(self, sha256: str, tile: Tile) -> None:
        """Keep a tile."""
        self._tiles[sha256] = tile
        self._tiles.move_to_end(sha256)
        if len(self._tiles) > self._limit:
            self._tiles.popitem(last=False)


_SHARED = TileCache()


class Terrain:
    """Heights of the ground. Land is announced by the server; tile and overlay are fetched the first time it is needed.

    Of land that the server tells nothing of any more, because one is far from it, it is the ground as it was told last.

    Args:
        fetch: Gets the bytes at a path of the world's HTTP; raises a WorldloomError.
        clock: For waits between tries.
        cache: Where decoded tiles are kept; by default one for the whole process.
    """

    def __init__(
        self, fetch: Callable[[str], Awaitable[bytes]], clock: Clock, cache: TileCache | None = None
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._cache = _SHARED if cache is None else cache
        self._grounds: OrderedDict[Region, Ground] = OrderedDict()
        self._expecting: dict[asyncio.Future[None], tuple[Region, int]] = {}
        self._fetching: dict[Region, asyncio.Task[None]] = {}
        self._waiting: dict[Region, list[asyncio.Future[I16]]] = {}
        self._slots = asyncio.Semaphore(_FETCHES_AT_ONCE)

    def woven(self, rx: int, rz: int, sha256: str, overlay: int = 0) -> None:
        """The server announced the land of a region, and the version of its overlay."""
        region = rx, rz
        ground = self._grounds.setdefault(region, Ground(rx, rz))
        ground.woven(sha256, overlay)
        self._grounds.move_to_end(region)
        if len(self._grounds) > _REGIONS_KEPT:
            self._grounds.popitem(last=False)
        self._tell()
        if region in self._waiting:
            self._want(region)

    def edited(self, rx: int, rz: int, version: int, patch: Patch) -> None:
        """The server told of an edit, which made this version of the region's overlay."""
        ground = self._grounds.get((rx, rz))
        if ground is not None:
            ground.edited(version, patch)
            self._tell()

    def start_anew(self) -> None:
        """A new session: the server tells of the land anew. What was changed may have changed unheard."""
        self._grounds.clear()
        self._tell()

    async def until_told(self, versions: Sequence[tuple[int, int, int]]) -> None:
        """Wait, two seconds at most, until these (rx, rz, version) are told, of regions that one is told of at all."""
        for rx, rz, version in versions:
            if not self._is_told((rx, rz), version):
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._expecting[future] = (rx, rz), version
                try:
                    with suppress(TimedOut):
                        await within(self._clock, _TOLD_WITHIN_S, future, f"news of region {rx}, {rz}")
                finally:
                    del self._expecting[future]

    def tile(self, rx: int, rz: int) -> Tile | None:
        """The tile of a region as it was made, if it is here; asks for nothing."""
        ground = self._grounds.get((rx, rz))
        return None if ground is None else self._cache.get(ground.sha256)

    def heights(self, rx: int, rz: int) -> I16 | None:
        """The heights of a region as they are, ``[129, 129]`` in 1/32 m, if they are here; asks for nothing."""
        ground, tile = self._grounds.get((rx, rz)), self.tile(rx, rz)
        return None if ground is None or tile is None else ground.heights(tile)

    def peek(self, x_m: float, z_m: float) -> float | None:
        """Height of the ground in metres if it is here; asks for nothing."""
        region = region_of(x_m, z_m)
        heights = self.heights(*region)
        return None if heights is None else _height(heights, region, x_m, z_m)

    def height(self, x_m: float, z_m: float) -> float | None:
        """Height of the ground in metres; ``None`` while it is not here, but it is fetched then."""
        height = self.peek(x_m, z_m)
        if height is None:
            self._want(region_of(x_m, z_m))
        return height

    async def wait(self, x_m: float, z_m: float, timeout: float | None = 30.0) -> float:
        """Height of the ground in metres; waits until the land is woven and here.

        Raises:
            TimedOut: Not within ``timeout`` seconds.
            ContentError: It could not be fetched, after several tries.
        """
        height = self.peek(x_m, z_m)
        if height is not None:
            return height
        region = region_of(x_m, z_m)
        future: asyncio.Future[I16] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(region, []).append(future)
        self._want(region)
        try:
            heights = await within(self._clock, timeout, future, f"terrain of region {region}")
        finally:
            self._stop_waiting(region, future)
        return _height(heights, region, x_m, z_m)

    async def close(self) -> None:
        """End all fetches."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_waiting(self, region: Region, future: "asyncio.Future[I16]") -> None:
        waiting = self._waiting.get(region, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(region, None)

    def _want(self, region: Region) -> None:
        if region in self._grounds and region not in self._fetching:
            name = f"terrain {region[0]},{region[1]}"
            self._fetching[region] = asyncio.get_running_loop().create_task(self._bring(region), name=name)

    async def _bring(self, region: Region) -> None:
        try:
            heights = await self._try_often(region)
        except WorldloomError as fault:
            _log.warning("region %s: no terrain: %s", region, fault)
            for future in self._waiting.pop(region, []):
                if not future.done():
                    future.set_exception(fault)
        else:
            for future in self._waiting.pop(region, []):
                if not future.done():
                    future.set_result(heights)
        finally:
            self._fetching.pop(region, None)

    async def _try_often(self, region: Region) -> I16:
        for tries in range(1, _TRIES):
            try:
                return await self._load(region)
            except WorldloomError as fault:
                _log.info("region %s: try %d: %s", region, tries, fault)
            await self._clock.sleep(0.5 * 2.0**tries)
        return await self._load(region)

    async def _load(self, region: Region) -> I16:
        async with self._slots:
            ground = self._ground(region)
            tile = self._cache.get(ground.sha256)
            if tile is None:
                tile = _verified(region, ground.sha256, await self._fetch(f"/content/{ground.sha256}"))
                self._cache.put(ground.sha256, tile)
            if not ground.is_current:
                ground.fetched(_overlay(region, await self._fetch(f"/overlay/{region[0]}/{region[1]}")))
        if self._grounds.get(region) is not ground:
            raise ContentError(f"region {region} was told anew meanwhile")
        heights = ground.heights(tile)
        if heights is None:
            raise ContentError(
                f"region {region} was edited meanwhile: expected version {ground.told}, got another"
            )
        return heights

    def _ground(self, region: Region) -> Ground:
        ground = self._grounds.get(region)
        if ground is None:
            raise ContentError(f"region {region} was forgotten")
        return ground

    def _is_told(self, region: Region, version: int) -> bool:
        ground = self._grounds.get(region)
        return ground is None or ground.told >= version

    def _tell(self) -> None:
        for future, what in self._expecting.items():
            if not future.done() and self._is_told(*what):
                future.set_result(None)


def _verified(region: Region, sha256: str, data: bytes) -> Tile:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ContentError(f"expected content with sha256 {sha256}, got {found}")
    try:
        tile = decode_tile(data)
    except ValueError as fault:
        raise ContentError(f"content {sha256} is no tile: {fault}") from fault
    if (tile.rx, tile.rz) != region:
        raise ContentError(f"expected the tile of region {region}, got that of {(tile.rx, tile.rz)}")
    return tile


def _overlay(region: Region, data: bytes) -> Overlay:
    try:
        overlay = decode_overlay(data)
    except ValueError as fault:
        raise ContentError(f"expected the overlay of region {region}, got: {fault}") from fault
    if (overlay.rx, overlay.rz) != region:
        raise ContentError(f"expected the overlay of region {region}, got that of {(overlay.rx, overlay.rz)}")
    return overlay


def _height(heights: I16, region: Region, x_m: float, z_m: float) -> float:
    return float(ground_height(heights, x_m - region[0] * REGION_M, z_m - region[1] * REGION_M))
