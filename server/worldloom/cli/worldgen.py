"""``worldloom worldgen``: land without a server. ``map`` paints a picture of a part of the world; it stores nothing."""

import argparse
import asyncio
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.config import Config
from worldloom.errors import ConfigError, WorldloomError
from worldloom.ports import TerrainSource, TileRow, Tx, WorldRow
from worldloom.services import overlays, terrain
from worldloom.world.edges import edges_of, read_edges
from worldloom.worldgen.chart import PIXEL_M, Caption, chart, pixel_m_for
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.stitch import stitch
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.overlay import Overlay, overlaid
from worldloom_sdk.protocol.tiles import Tile, decode_tile

__all__ = ["add_arguments", "run"]

Region = tuple[int, int]

MAX_SIDE = 64
"""Regions along one side of a map."""
MAX_PIXELS = 8_192
"""Pixels along one side."""
_FURTHEST_M = (REGION_LIMIT + 1) * REGION_M


@dataclass(frozen=True, slots=True)
class _World:
    """What a database says of a part of a world."""

    name: str
    seed: int
    tiles: dict[Region, Tile]
    """As they were made: what is made beside them is fitted to these."""
    overlays: dict[Region, Overlay]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``map`` and its options."""
    jobs = parser.add_subparsers(dest="job", metavar="JOB", required=True)
    painting = jobs.add_parser(
        "map",
        help="paint a picture of a part of the world",
        description="Paint a part of the world as a PNG: what people have seen as it is stored, with what they "
        "changed, the rest as it would be made now. Reads only, beside a running server as well. With --seed: a world "
        "that need not be there.",
    )
    add_config_option(painting)
    add_data_option(painting)
    painting.add_argument(
        "--seed", type=_seed, metavar="N", help="land of this seed alone; no database is read"
    )
    painting.add_argument(
        "--around", type=_place, default=(0.0, 0.0), metavar="X,Z", help="middle, metres (default: 0,0)"
    )
    painting.add_argument(
        "--regions", type=_size, default=(16, 16), metavar="WxD", help="regions of 256 m (default: 16x16)"
    )
    painting.add_argument(
        "--pixel-m", type=int, choices=PIXEL_M, help="metres to a pixel (default: what fits a screen)"
    )
    painting.add_argument(
        "--generator", choices=["noise", "gan"], help="what makes the land (default: the world's)"
    )
    painting.add_argument(
        "-o", "--output", type=Path, default=Path("world.png"), metavar="FILE", help="(default: world.png)"
    )


def run(args: argparse.Namespace) -> int:
    """Paint the map.

    Returns:
        0 when it is written.

    Raises:
        WorldloomError: There is no such world, the generator is not installed, or the file cannot be written.
    """
    wide, deep = args.regions
    pixel_m = args.pixel_m or pixel_m_for(wide, deep)
    if max(wide, deep) * REGION_M / pixel_m > MAX_PIXELS:
        raise ConfigError(
            f"expected at most {MAX_PIXELS} pixels a side, got {max(wide, deep) * REGION_M // pixel_m}; "
            f"give a larger --pixel-m, or fewer --regions"
        )
    config = config_of(args)
    regions = _regions(args.around, wide, deep)
    with _progress() as bars:
        world = _read(config, args.seed, regions, bars)
        made = _made(_source(config, world.seed), regions, world.tiles, bars)
        caption = _caption(config, world, args.around, wide, deep)
        task = bars.add_task("painting", total=None)
        picture = chart(
            {region: _as_it_is(tile, world.overlays) for region, tile in (world.tiles | made).items()},
            set(world.tiles),
            pixel_m,
            caption,
            lambda done, total: bars.update(task, completed=done, total=total),
        )
    try:
        picture.save(args.output, "PNG", optimize=True)
    except OSError as error:
        raise WorldloomError(
            f"{args.output}: expected to write a picture; got: {error.strerror or error}"
        ) from None
    counted = f"{len(world.tiles)} regions as stored, {len(made)} made for this picture (nothing was stored)"
    print(f"{args.output}: {picture.width} x {picture.height} pixels, {pixel_m} m each; {counted}")
    return 0


def _caption(config: Config, world: _World, around: tuple[float, float], wide: int, deep: int) -> Caption:
    across = (
        f"{wide * REGION_M / 1000:.1f} x {deep * REGION_M / 1000:.1f} km around {around[0]:g}, {around[1]:g}"
    )
    return Caption(
        world.name, f"{across} · seed {world.seed}", (config.world.spawn_x_m, config.world.spawn_z_m)
    )


def _seed(text: str) -> int:
    if not (text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"expected an integer from 0 to {2**63 - 1}; got {text}")
    return int(text)


def _place(text: str) -> tuple[float, float]:
    try:
        x, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected metres like 120,-40; got {text}") from None
    if not (abs(x) < _FURTHEST_M and abs(z) < _FURTHEST_M):
        raise argparse.ArgumentTypeError(f"expected a place within +-{_FURTHEST_M} m; got {text}")
    return x, z


def _size(text: str) -> tuple[int, int]:
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 1 <= int(part) <= MAX_SIDE for part in parts):
        raise argparse.ArgumentTypeError(
            f"expected from 1x1 to {MAX_SIDE}x{MAX_SIDE} regions, like 24x24; got {text}"
        )
    return int(parts[0]), int(parts[1])


def _regions(around: tuple[float, float], wide: int, deep: int) -> list[Region]:
    """The regions of a rectangle whose middle is nearest to a place, none beyond the end of the world."""
    low = []
    for middle_m, count in zip(around, (wide, deep), strict=True):
        first = round(middle_m / REGION_M - count / 2)
        low.append(min(max(first, -REGION_LIMIT), REGION_LIMIT + 1 - count))
    return [(low[0] + x, low[1] + z) for z in range(deep) for x in range(wide)]


def _source(config: Config, seed: int) -> TerrainSource:
    """The configured source.

    Raises:
        ConfigError: It is not installed.
    """
    if config.worldgen.generator == "gan" and importlib.util.find_spec("worldloom.worldgen.gan") is None:
        raise ConfigError(
            'worldgen.generator: expected a generator that is installed; got "gan", and there is no trained generator '
            "here. Give --generator noise"
        )
    return NoiseSource(seed)


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
        return _World("Worldloom", seed, {}, {})
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
    finally:
        await store.close()
    return _World(row.name, row.seed, tiles, edited)


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
