"""``worldloom worldgen map``: a picture of a part of the world, for people."""

import argparse

from rich.progress import Progress

from worldloom.cli.worldgen_land import Land, add_job
from worldloom.config import Config
from worldloom.errors import ConfigError
from worldloom.worldgen.chart import Caption, chart
from worldloom.worldgen.scales import PIXEL_M, pixel_m_for
from worldloom_sdk.protocol.geometry import REGION_M

__all__ = ["add_to"]

MAX_PIXELS = 8_192
"""Pixels along one side."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``map`` and its options."""
    painting = add_job(
        jobs,
        "map",
        "paint a picture of a part of the world",
        "Paint a part of the world as a PNG: what people have seen as it is stored, the rest as it would "
        "be made now. Reads only, beside a running server as well. With --seed: a world that need not be there.",
        (16, 16),
        "world.png",
    )
    painting.add_argument(
        "--pixel-m", type=int, choices=PIXEL_M, help="metres to a pixel (default: what fits a screen)"
    )
    painting.set_defaults(check=_check, write=_write)


def _check(args: argparse.Namespace) -> None:
    longest = max(args.regions) * REGION_M // _pixel_m(args)
    if longest > MAX_PIXELS:
        raise ConfigError(
            f"expected at most {MAX_PIXELS} pixels a side, got {longest}; "
            f"give a larger --pixel-m, or fewer --regions"
        )


def _pixel_m(args: argparse.Namespace) -> int:
    return args.pixel_m or pixel_m_for(*args.regions)


def _write(args: argparse.Namespace, config: Config, land: Land, bars: Progress) -> str:
    pixel_m = _pixel_m(args)
    task = bars.add_task("painting", total=None)
    picture = chart(
        land.tiles,
        set(land.stored),
        pixel_m,
        _caption(config, land),
        lambda done, total: bars.update(task, completed=done, total=total),
    )
    picture.save(args.output, "PNG", optimize=True)
    return f"{picture.width} x {picture.height} pixels, {pixel_m} m each; {land.counted()}"


def _caption(config: Config, land: Land) -> Caption:
    wide, deep = (count * REGION_M / 1000 for count in land.size)
    across = f"{wide:.1f} x {deep:.1f} km around {land.around[0]:g}, {land.around[1]:g}"
    arrival = config.world.spawn_x_m, config.world.spawn_z_m
    return Caption(land.world, f"{across} · seed {land.seed}", arrival)
