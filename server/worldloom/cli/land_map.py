"""``worldloom land map``: a picture of who owns what, for people."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from worldloom.app.clock import unix_ms
from worldloom.cli.land_views import price_shown
from worldloom.cli.worldgen_land import Region, progress, read_place, read_size, regions_of
from worldloom.config import Config
from worldloom.errors import ConfigError, WorldloomError
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.realm.counts import counted
from worldloom.worldgen.scales import PIXEL_M, pixel_m_for
from worldloom_sdk.protocol.geometry import REGION_M

if TYPE_CHECKING:  # Pictures and land are slow to load, and the other commands of land have neither.
    from worldloom.services.holdings import Plan
    from worldloom.worldgen.ownership import Mark, OwnedEstate
    from worldloom_sdk.protocol.tiles import Tile

__all__ = ["add_map"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

MAX_PIXELS = 8_192
"""Along one side of the land."""
_UNASKED = 8, 8
"""Regions wide and deep, if nothing is owned or open, or only the middle is given."""
_MARGIN = 1
"""Regions around all that is owned or open."""


def add_map(add: Add) -> None:
    """Add ``map`` and its options."""
    job = add(
        "map",
        "paint a picture of who owns what",
        "Owners by colour, the same on every picture; what is for sale, auctioned, to let or leased by a pattern,\n"
        "and what is open for claiming, over the land as people left it; what is not made yet stays paper. Without\n"
        "--around and --regions it shows all that is owned or open, and a region around that. Reads only.\n\n"
        "  worldloom land map -o land.png\n"
        "  worldloom land map --around=300,-900 --regions 4x3 --pixel-m 1 -o harbour.png\n",
    )
    job.add_argument(
        "--around",
        type=read_place,
        metavar="X,Z",
        help="middle, metres, after an equals sign: --around=-40,10 (default: where newcomers arrive)",
    )
    job.add_argument("--regions", type=read_size, metavar="WxD", help="regions of 256 m (default: 8x8)")
    job.add_argument(
        "--pixel-m", type=int, choices=PIXEL_M, help="metres to a pixel (default: what fits a screen)"
    )
    job.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("land.png"),
        metavar="FILE",
        help="the picture, PNG (default: land.png)",
    )
    job.set_defaults(work=_map)


async def _map(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import holdings
    from worldloom.worldgen.ownership import Survey, ownership

    arrival = config.world.spawn_x_m, config.world.spawn_z_m
    regions = await _frame(store, args, arrival)
    low, high = regions[0], regions[-1]
    wide, deep = (last - first + 1 for first, last in zip(low, high, strict=True))
    pixel_m = args.pixel_m or pixel_m_for(wide, deep)
    longest = max(wide, deep) * REGION_M // pixel_m
    if longest > MAX_PIXELS:
        raise ConfigError(
            f"expected at most {MAX_PIXELS} pixels a side, got {longest}; give a larger --pixel-m, or fewer --regions"
        )
    if not args.output.absolute().parent.is_dir():
        raise ConfigError(f"{args.output}: expected a folder to write it to; got none of that name")
    name = await store.read(_name, None)
    plan = await store.read(holdings.plan, holdings.AskPlan(low, wide, deep, unix_ms()))
    tiles = await _tiles(store, regions)
    middle = [(first + last + 1) * REGION_M / 2 for first, last in zip(low, high, strict=True)]
    across = f"{wide * REGION_M / 1_000:.1f} x {deep * REGION_M / 1_000:.1f} km around {middle[0]:g}, {middle[1]:g}"
    survey = Survey(
        low,
        (wide, deep),
        tiles,
        {(deed.px, deed.pz): deed.estate for deed in plan.deeds},
        _estates(plan),
        _zones(config, plan),
        name,
        f"who owns what · {across}",
        arrival,
    )
    picture = ownership(survey, pixel_m)
    try:
        picture.save(args.output, "PNG", optimize=True)
    except OSError as error:
        raise WorldloomError(
            f"{args.output}: expected to write a file; got: {error.strerror or error}"
        ) from None
    owned = f"{counted(len(plan.deeds), 'parcel')} of {counted(len(plan.estates), 'estate')}"
    print(
        f"{args.output}: {picture.width} x {picture.height} pixels, {pixel_m} m each; "
        f"{owned} and {counted(len(plan.names), 'owner')}; "
        f"{len(tiles)} of {counted(len(regions), 'region')} made"
    )
    return 0


async def _frame(store: SqlStore, args: argparse.Namespace, arrival: tuple[float, float]) -> list[Region]:
    """The regions of the picture: those that were asked for, or all that is owned or open, with a margin.

    Raises:
        ConfigError: That would be too many.
    """
    from worldloom.services import holdings

    found = None if args.around or args.regions else await store.read(holdings.extent, None)
    if found is None:
        return regions_of(args.around or arrival, *(args.regions or _UNASKED))
    west, north, east, south = found
    wide, deep = east - west + 1 + 2 * _MARGIN, south - north + 1 + 2 * _MARGIN
    if max(wide, deep) > holdings.PLAN_MAX:
        raise ConfigError(
            f"what is owned or open lies in {wide} x {deep} regions, more than one picture shows; "
            f"say which of them with --around and --regions, at most {holdings.PLAN_MAX}x{holdings.PLAN_MAX}"
        )
    middle = (west + east + 1) * REGION_M / 2, (north + south + 1) * REGION_M / 2
    return regions_of(middle, wide, deep)


async def _tiles(store: SqlStore, regions: list[Region]) -> "dict[Region, Tile]":
    """The land that is made, as people left it."""
    from worldloom.services import overlays, terrain
    from worldloom_sdk.protocol.overlay import overlaid
    from worldloom_sdk.protocol.tiles import decode_tile

    edited = await store.read(overlays.overlays, regions)
    tiles: dict[Region, Tile] = {}
    with progress() as bars:
        for region in bars.track(regions, description="reading"):
            row = await store.read(terrain.load, region)
            if row is None:
                continue
            try:
                tile = decode_tile(row.data)
            except ValueError as error:
                raise WorldloomError(
                    f"region {row.rx}, {row.rz}: expected a tile in the database; got: {error}"
                ) from None
            tiles[region] = replace(tile, heights=overlaid(tile.heights, edited.get(region)))
    return tiles


def _estates(plan: "Plan") -> "dict[int, OwnedEstate]":
    from worldloom.worldgen.ownership import OwnedEstate

    return {
        row.number: OwnedEstate(
            row.number,
            row.name,
            row.owner,
            plan.names[row.owner],
            cast("Mark", plan.marks.get(row.number, "")),
        )
        for row in plan.estates.values()
    }


def _zones(config: Config, plan: "Plan") -> Mapping[Region, str]:
    """What is open for claiming, where that is looked at."""
    if config.land.claim != "zones":
        return {}
    return {(row.rx, row.rz): price_shown(config, row.price) for row in plan.zones}


def _name(tx: Tx, _: None) -> str:
    world = tx.world()
    return "" if world is None else world.name
