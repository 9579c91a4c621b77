"""Terrain: the land near a client, fetched by hash when somebody asks for it. Knows tiles, not sockets."""

import asyncio
import hashlib
import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from worldloom_sdk.clock import Clock, within
from worldloom_sdk.errors import ContentError, WorldloomError
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import Tile, decode_tile, ground_height

__all__ = ["Terrain", "TileCache", "region_of"]

_log = logging.getLogger(__name__)

_FETCHES_AT_ONCE = 4
_TRIES = 5
_CACHED_TILES = 256
_REGIONS_KEPT = 1024

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
    """Heights of the ground. Land is announced by the server; its tile is fetched the first time it is needed.

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
        self._hashes: OrderedDict[Region, str] = OrderedDict()
        self._fetching: dict[Region, asyncio.Task[None]] = {}
        self._waiting: dict[Region, list[asyncio.Future[Tile]]] = {}
        self._slots = asyncio.Semaphore(_FETCHES_AT_ONCE)

    def woven(self, rx: int, rz: int, sha256: str) -> None:
        """The server announced the land of a region."""
        self._hashes[rx, rz] = sha256
        self._hashes.move_to_end((rx, rz))
        if len(self._hashes) > _REGIONS_KEPT:
            self._hashes.popitem(last=False)
        if (rx, rz) in self._waiting:
            self._want((rx, rz))

    def tile(self, rx: int, rz: int) -> Tile | None:
        """The tile of a region, if it is here; asks for nothing."""
        sha256 = self._hashes.get((rx, rz))
        return None if sha256 is None else self._cache.get(sha256)

    def peek(self, x_m: float, z_m: float) -> float | None:
        """Height of the ground in metres if its tile is here; asks for nothing."""
        region = region_of(x_m, z_m)
        tile = self.tile(*region)
        return None if tile is None else _height(tile, x_m, z_m)

    def height(self, x_m: float, z_m: float) -> float | None:
        """Height of the ground in metres; ``None`` while its tile is not here, which is then fetched."""
        height = self.peek(x_m, z_m)
        if height is None:
            self._want(region_of(x_m, z_m))
        return height

    async def wait(self, x_m: float, z_m: float, timeout: float | None = 30.0) -> float:
        """Height of the ground in metres; waits until the land is woven and its tile is here.

        Raises:
            TimedOut: Not within ``timeout`` seconds.
            ContentError: The tile could not be fetched, after several tries.
        """
        height = self.peek(x_m, z_m)
        if height is not None:
            return height
        region = region_of(x_m, z_m)
        future: asyncio.Future[Tile] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(region, []).append(future)
        self._want(region)
        try:
            tile = await within(self._clock, timeout, future, f"terrain of region {region}")
        finally:
            self._stop_waiting(region, future)
        return _height(tile, x_m, z_m)

    async def close(self) -> None:
        """End all fetches."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_waiting(self, region: Region, future: "asyncio.Future[Tile]") -> None:
        waiting = self._waiting.get(region, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._waiting.pop(region, None)

    def _want(self, region: Region) -> None:
        if region in self._hashes and region not in self._fetching:
            name = f"terrain {region[0]},{region[1]}"
            self._fetching[region] = asyncio.get_running_loop().create_task(self._bring(region), name=name)

    async def _bring(self, region: Region) -> None:
        try:
            tile = await self._try_often(region)
        except WorldloomError as fault:
            _log.warning("region %s: no terrain: %s", region, fault)
            for future in self._waiting.pop(region, []):
                if not future.done():
                    future.set_exception(fault)
        else:
            for future in self._waiting.pop(region, []):
                if not future.done():
                    future.set_result(tile)
        finally:
            self._fetching.pop(region, None)

    async def _try_often(self, region: Region) -> Tile:
        for tries in range(1, _TRIES):
            try:
                return await self._load(region)
            except WorldloomError as fault:
                _log.info("region %s: try %d: %s", region, tries, fault)
            await self._clock.sleep(0.5 * 2.0**tries)
        return await self._load(region)

    async def _load(self, region: Region) -> Tile:
        sha256 = self._hashes.get(region)
        if sha256 is None:
            raise ContentError(f"region {region} was forgotten")
        async with self._slots:
            tile = self._cache.get(sha256)
            if tile is None:
                tile = _verified(region, sha256, await self._fetch(f"/content/{sha256}"))
                self._cache.put(sha256, tile)
        return tile


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


def _height(tile: Tile, x_m: float, z_m: float) -> float:
    return float(ground_height(tile.heights, x_m - tile.rx * REGION_M, z_m - tile.rz * REGION_M))
