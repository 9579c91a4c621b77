"""``worldloom worldgen``: land without a server. Reads what is stored, makes the rest; its jobs write files of it."""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from rich.progress import Progress

from worldloom.cli import (
    worldgen_audition,
    worldgen_evaluate,
    worldgen_export,
    worldgen_glb,
    worldgen_heightmap,
    worldgen_map,
    worldgen_sheet,
    worldgen_style,
    worldgen_train,
)
from worldloom.cli.settings import config_of
from worldloom.cli.worldgen_land import Land, Region, progress, regions_of
from worldloom.config import Config
from worldloom.errors import ConfigError, WorldloomError
from worldloom.ports import TerrainSource, TileRow, Tx, WorldRow
from worldloom.services import overlays, styles, terrain
from worldloom.world.edges import edges_of, read_edges
from worldloom.worldgen.sources import make_source, settled
from worldloom.worldgen.stitch import stitch
from worldloom.worldgen.styling import woven
from worldloom_sdk.protocol.overlay import Overlay, overlaid
from worldloom_sdk.protocol.tiles import Tile, decode_tile

__all__ = ["add_arguments", "run"]

T = TypeVar("T")

_JOBS = (
    worldgen_map,
    worldgen_style,
    worldgen_glb,
    worldgen_heightmap,
    worldgen_export,
    worldgen_sheet,
    worldgen_train,
    worldgen_audition,
    worldgen_evaluate,
)
"""``add_to(jobs)`` each. Those that write a part of a world set ``check`` and ``write``; others ``alone``."""


@dataclass(frozen=True, slots=True)
class _World:
    """What a database says of a part of a world."""

    name: str
    seed: int
    tiles: dict[Region, Tile]
    """As they were made: what is made beside them is fitted to these."""
    overlays: dict[Region, Overlay]
    styles: dict[Region, bytes]
    """Of the regions that have one, made or not."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the jobs and their options."""
    jobs = parser.add_subparsers(dest="job", metavar="JOB", required=True)
    parser.set_defaults(alone=None)
    for job in _JOBS:
        job.add_to(jobs)


def run(args: argparse.Namespace) -> int:
    """Read and make a part of the world, and write what the job makes of it.

    Returns:
        0 when it is written.

    Raises:
        WorldloomError: There is no such world, the generator is not installed, too much was asked for, or the file
            cannot be written.
    """
    if args.alone is not None:
        return int(args.alone(args))
    args.check(args)
    if not args.output.absolute().parent.is_dir():  # Told now, and not after minutes of making land.
        raise ConfigError(f"{args.output}: expected a folder to write it to; got none of that name")
    config = config_of(args)
    regions = regions_of(args.around, *args.regions)
    with progress() as bars:
        world = _read(config, args.seed, regions, bars)
        if settled(config.worldgen.generator, config.worldgen.weights) == "noise":
            world = replace(world, styles={})  # Noise follows none.
        made = _made(
            make_source(config.worldgen.generator, world.seed, config.worldgen.weights), regions, world, bars
        )
        stored, new = (
            {at: _as_it_is(tile, world.overlays) for at, tile in part.items()} for part in (world.tiles, made)
        )
        land = Land(world.name, world.seed, args.around, args.regions, stored, new)
        try:
            told = args.write(args, config, land, bars)
        except OSError as error:
            raise WorldloomError(
                f"{args.output}: expected to write a file; got: {error.strerror or error}"
            ) from None
    print(f"{args.output}: {told}")
    return 0


def _read(config: Config, seed: int | None, regions: list[Region], bars: Progress) -> _World:
    """The stored world; without its database, one of a seed alone.

    Raises:
        WorldloomError: There is no world, or its database cannot be read.
    """
    if seed is not None:
        return _World("Worldloom", seed, {}, {}, {})
    task = bars.add_task("reading", total=len(regions))
    return asyncio.run(_read_stored(config.storage_url, regions, lambda: bars.advance(task)))


async def _read_stored(url: str, regions: list[Region], on_region: Callable[[], None]) -> _World:
    from worldloom.persistence.store import open_beside

    try:
        store = open_beside(url)
    except ConfigError as error:
        raise ConfigError(f"{error}, or give --seed N for land without a world") from None
    try:
        row = await store.read(_world_row, None)
        if row is None:
            raise ConfigError("expected a world in the database, got none. Start it once, or give --seed N")
        tiles: dict[Region, Tile] = {}
        for region in regions:
            if (stored := await store.read(terrain.load, region)) is not None:
                tiles[region] = _decoded(stored)
            on_region()
        edited = await store.read(overlays.overlays, regions)
        chosen = await store.read(styles.within, regions)
    finally:
        await store.close()
    return _World(row.name, row.seed, tiles, edited, chosen)


def _world_row(tx: Tx, _: None) -> WorldRow | None:
    return tx.world()


def _decoded(row: TileRow) -> Tile:
    try:
        return decode_tile(row.data)
    except ValueError as error:
        raise WorldloomError(
            f"region {row.rx}, {row.rz}: expected a tile in the database; got: {error}"
        ) from None


def _as_it_is(tile: Tile, edited: dict[Region, Overlay]) -> Tile:
    return replace(tile, heights=overlaid(tile.heights, edited.get((tile.rx, tile.rz))))


def _made(source: TerrainSource, regions: list[Region], world: _World, bars: Progress) -> dict[Region, Tile]:
    """The regions that are not stored, fitted to what is beside them, as they would be if somebody came there."""
    made: dict[Region, Tile] = {}
    edges = {region: read_edges(edges_of(tile.heights)) for region, tile in world.tiles.items()}
    for rx, rz in bars.track([at for at in regions if at not in world.tiles], description="making"):
        chosen = _around(world.styles, rx, rz)
        tile = stitch(woven(source, rx, rz, chosen), _around(edges, rx, rz, itself=False))
        made[rx, rz] = tile
        edges[rx, rz] = read_edges(edges_of(tile.heights))
    return made


def _around(known: dict[Region, T], rx: int, rz: int, itself: bool = True) -> dict[Region, T]:
    """What is known of the regions around one, by their offset."""
    offsets = [(dx, dz) for dz in (-1, 0, 1) for dx in (-1, 0, 1) if itself or dx or dz]
    return {(dx, dz): known[rx + dx, rz + dz] for dx, dz in offsets if (rx + dx, rz + dz) in known}
