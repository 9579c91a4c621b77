"""A world with level snow, a metre above the sea, in some regions: unlike what would be made there."""

import numpy as np

from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import TileRow
from worldloom.services import terrain, worlds
from worldloom.world.edges import edges_of
from worldloom_sdk.protocol.tiles import Surface, Tile, encode_tile, tile_sha256

SNOW_SEED = 42
SNOW_HEIGHT_M = 1


def snow_tile(rx: int, rz: int) -> TileRow:
    """The tile of a region under level snow."""
    heights = np.full((129, 129), SNOW_HEIGHT_M * 32, np.int16)
    tile = Tile(rx, rz, heights, np.full((128, 128), Surface.SNOW, np.uint8))
    data = encode_tile(tile)
    return TileRow(rx, rz, tile_sha256(data), "test", data, edges_of(tile.heights))


async def with_snow(url: str, *regions: tuple[int, int]) -> SqlStore:
    """Make the world; its store, still open, as a server has it."""
    store = open_store(url)
    await store.run(worlds.open_world, worlds.OpenWorld("Snowfield", SNOW_SEED, 1))
    for rx, rz in regions:
        row = snow_tile(rx, rz)
        await store.run(terrain.store, terrain.StoreTile(row, 2))
    return store
