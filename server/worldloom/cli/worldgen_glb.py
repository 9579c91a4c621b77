"""``worldloom worldgen glb``: a part of the world as a glTF model, for engines and modelling programs."""

import argparse

from rich.progress import Progress

from worldloom.cli.worldgen_land import Land, add_job, generator_name
from worldloom.config import Config
from worldloom.errors import ConfigError
from worldloom.worldgen.mesh import LODS
from worldloom.worldgen.scene import scene
from worldloom_sdk.protocol.tiles import SAMPLE_M, SURFACE_CELLS

__all__ = ["add_to"]

MAX_VERTICES = 2**23
"""Vertices of the ground in one file, 28 bytes each: 22 x 22 regions with every sample."""
MAX_THINGS = 2**16
"""Trees, rocks and the like in one file; each is a node, and takes some 150 bytes of it."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``glb`` and its options."""
    modelling = add_job(
        jobs,
        "glb",
        "write a part of the world as a glTF model",
        "Write a part of the world as glTF 2.0 (.glb): the ground as a mesh for each region, the sea, trees and "
        "rocks; metres, Y up. What people have seen as it is stored, the rest as it would be made now. Reads only.",
        (4, 4),
        "world.glb",
    )
    modelling.add_argument(
        "--lod", type=int, choices=LODS, default=1, help=f"every n-th sample of {SAMPLE_M} m (default: 1)"
    )
    modelling.add_argument(
        "--things", choices=["on", "off"], default="on", help="trees, rocks and the like (default: on)"
    )
    modelling.set_defaults(check=_check, write=_write)


def _check(args: argparse.Namespace) -> None:
    if args.output.suffix.lower() != ".glb":
        raise ConfigError(f"expected a file name that ends in .glb; got {args.output}")
    vertices = args.regions[0] * args.regions[1] * (SURFACE_CELLS // args.lod + 1) ** 2
    if vertices > MAX_VERTICES:
        raise ConfigError(
            f"expected at most {MAX_VERTICES} vertices of ground, got {vertices}; "
            f"give a larger --lod, or fewer --regions"
        )


def _write(args: argparse.Namespace, config: Config, land: Land, bars: Progress) -> str:
    things = sum(len(tile.things) for tile in land.tiles.values()) if args.things == "on" else 0
    if things > MAX_THINGS:
        raise ConfigError(
            f"expected at most {MAX_THINGS} things, got {things}; give --things off, or fewer --regions"
        )
    task = bars.add_task("building", total=len(land.tiles))
    model = scene(
        land.tiles,
        set(land.stored),
        generator_name(),
        {**land.facts(), "metres_per_sample": SAMPLE_M * args.lod},
        args.lod,
        args.things == "on",
        lambda: bars.advance(task),
    )
    with args.output.open("wb") as file:
        size = model.write(file)
    what = f"{size / 1e6:.1f} MB, {SAMPLE_M * args.lod} m to a sample, {things} things"
    return f"{what}; {land.counted()}"
