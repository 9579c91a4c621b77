"""``worldloom worldgen``: land without a server. Reads what is stored, makes the rest; its jobs write files of it."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from worldloom.cli import worldgen_glb, worldgen_heightmap, worldgen_map
from worldloom.cli.settings import config_of
from worldloom.cli.worldgen_land import Land, Region
from worldloom.config import Config
from worldloom.errors import ConfigError, WorldloomError
from worldloom.ports import TerrainSource, TileRow, Tx, WorldRow
from worldloom.services import terrain
from worldloom.world.edges import edges_of, read_edges
from worldloom.worldgen.sources import make_source
from worldloom.worldgen.stitch import stitch
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.tiles import Tile, decode_tile

__all__ = ["add_arguments", "run"]

_JOBS = worldgen_map, worldgen_glb, worldgen_heightmap


@dataclass(frozen=True, slots=True)
class _World:
    """What a database says of a part of a world."""

    name: str
    seed: int
    tiles: dict[Region, Tile]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the jobs and their options."""
    jobs = parser.add_subparsers(dest="job", metavar="JOB", required=True)
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
    args.check(args)
    if not args.output.absolute().parent.is_dir():  # Told now, and not after minutes of making land.
        raise ConfigError(f"{args.output}: expected a folder to write it to; got none of that name")
    config = config_of(args)
    regions = _regions(args.around, *args.regions)
    with _progress() as bars:
        world = _read(config, args.seed, regions, bars)
        made = _made(make_source(config.worldgen.generator, world.seed), regions, world.tiles, bars)
        land = Land(world.name, world.seed, args.around, args.regions, world.tiles, made)
        try:
            told = args.write(args, config, land, bars)
        except OSError as error:
            raise WorldloomError(
                f"{args.output}: expected to write a file; got: {error.strerror or error}"
            ) from None
    print(f"{args.output}: {told}")
    return 0


def _regions(around: tuple[float, float], wide: int, deep: int) -> list[Region]:
    """The regions of a rectangle whose middle is nearest to a place, none beyond the end of the world."""
    low = []
    for middle_m, count in zip(around, (wide, deep), strict=True):
        first = round(middle_m / REGION_M - count / 2)
        low.append(min(max(first, -REGION_LIMIT), REGION_LIMIT + 1 - count))
    return [(low[0] + x, low[1] + z) for z in range(deep) for x in range(wide)]


@contextmanager
def _progress() -> Iterator[Progress]:
    """Bars on standard error; none where that is no terminal."""
    columns = (
        TextColumn("{task.description:>8}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bars:
        yield bars


def _read(config: Config, seed: int | None, regions: list[Region], bars: Progress) -> _World:
    """The stored world; without its database, one of a seed alone.

    Raises:
        WorldloomError: There is no world, or its database cannot be read.
    """
    if seed is not None:
        return _World("Worldloom", seed, {})
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
    finally:
        await store.close()
    return _World(row.name, row.seed, tiles)


def _world_row(tx: Tx, _: None) -> WorldRow | None:
    return tx.world()


def _decoded(row: TileRow) -> Tile:
    try:
        return decode_tile(row.data)
    except ValueError as error:
        raise WorldloomError(
            f"region {row.rx}, {row.rz}: expected a tile in the database; got: {error}"
        ) from None


def _made(
    source: TerrainSource, regions: list[Region], stored: dict[Region, Tile], bars: Progress
) -> dict[Region, Tile]:
    """The regions that are not stored, fitted to what is beside them, as they would be if somebody came there."""
    made: dict[Region, Tile] = {}
    edges = {region: read_edges(edges_of(tile.heights)) for region, tile in stored.items()}
    for rx, rz in bars.track([region for region in regions if region not in stored], description="making"):
        beside = {(dx, dz): edges.get((rx + dx, rz + dz)) for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
        tile = stitch(
            source.generate(rx, rz), {at: known for at, known in beside.items() if known is not None}
        )
        made[rx, rz] = tile
        edges[rx, rz] = read_edges(edges_of(tile.heights))
    return made
