"""What the jobs of ``worldloom worldgen`` share: which part of the world, what was found there, what is said of it."""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worldloom.app.version import worldloom_version
from worldloom.cli.settings import add_config_option, add_data_option
from worldloom.realm.counts import counted
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M

if TYPE_CHECKING:  # Slow to load, and who only reads a place or a size does without.
    from rich.progress import Progress

    from worldloom_sdk.protocol.tiles import Tile

__all__ = [
    "MAX_SIDE",
    "Land",
    "Region",
    "add_job",
    "generator_name",
    "progress",
    "read_place",
    "read_seed",
    "read_size",
    "regions_of",
]

Region = tuple[int, int]

MAX_SIDE = 64
"""Regions along one side of what is read or made at once."""
_FURTHEST_M = (REGION_LIMIT + 1) * REGION_M


@dataclass(frozen=True, slots=True)
class Land:
    """A rectangle of regions, as stored and as it would be made."""

    world: str
    """Name of the world."""
    seed: int
    around: tuple[float, float]
    """The place that was asked for, x and z in metres."""
    size: tuple[int, int]
    """Regions wide and deep."""
    stored: "dict[Region, Tile]"
    made: "dict[Region, Tile]"

    @property
    def tiles(self) -> "dict[Region, Tile]":
        """Every region of the rectangle."""
        return self.stored | self.made

    @property
    def low(self) -> Region:
        """The region at the low corner."""
        return min(rx for rx, _ in self.tiles), min(rz for _, rz in self.tiles)

    def counted(self) -> str:
        """How many regions are from where, for the last line of a job."""
        made = f"{len(self.made)} made for this file alone"
        return f"{counted(len(self.stored), 'region')} from the world, {made}; this command stored nothing"

    def facts(self) -> dict[str, Any]:
        """Where a file comes from and how its land was made, in what JSON can say; the seed as text."""
        ways = Counter(tuple(sorted(tile.provenance.items())) for tile in self.tiles.values())
        return {
            "software": generator_name(),
            "world": self.world,
            "seed": str(self.seed),
            "origin_m": [self.low[0] * REGION_M, 0, self.low[1] * REGION_M],
            "regions": {
                "low": list(self.low),
                "size": list(self.size),
                "stored": [list(region) for region in sorted(self.stored)],
            },
            "provenance": [{"regions": count, "made_by": dict(way)} for way, count in ways.most_common()],
        }


def generator_name() -> str:
    """What files say that they were written by."""
    return f"Worldloom {worldloom_version()}"


def add_job(
    jobs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
    regions: tuple[int, int],
    output: str,
) -> argparse.ArgumentParser:
    """Add a job and the options of every job; its own are the caller's, and its defaults ``check`` and ``write``."""
    job = jobs.add_parser(name, help=summary, description=description)
    add_config_option(job)
    add_data_option(job)
    job.add_argument(
        "--seed", type=read_seed, metavar="N", help="land of this seed alone; no database is read"
    )
    job.add_argument(
        "--around", type=read_place, default=(0.0, 0.0), metavar="X,Z", help="middle, metres (default: 0,0)"
    )
    job.add_argument(
        "--regions",
        type=read_size,
        default=regions,
        metavar="WxD",
        help=f"regions of 256 m (default: {regions[0]}x{regions[1]})",
    )
    job.add_argument(
        "--generator", choices=["auto", "gan", "noise"], help="what makes the land (default: the world's)"
    )
    job.add_argument(
        "-o", "--output", type=Path, default=Path(output), metavar="FILE", help=f"(default: {output})"
    )
    return job


def read_seed(text: str) -> int:
    """An option's seed."""
    if not (text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"expected an integer from 0 to {2**63 - 1}; got {text}")
    return int(text)


def read_place(text: str) -> tuple[float, float]:
    """An option's ``X,Z`` in metres."""
    try:
        x, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected metres like 120,-40; got {text}") from None
    if not (abs(x) < _FURTHEST_M and abs(z) < _FURTHEST_M):
        raise argparse.ArgumentTypeError(f"expected a place within +-{_FURTHEST_M} m; got {text}")
    return x, z


def read_size(text: str) -> tuple[int, int]:
    """An option's ``WxD`` in regions."""
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 1 <= int(part) <= MAX_SIDE for part in parts):
        raise argparse.ArgumentTypeError(
            f"expected from 1x1 to {MAX_SIDE}x{MAX_SIDE} regions, like 24x24; got {text}"
        )
    return int(parts[0]), int(parts[1])


@contextmanager
def progress(quiet: bool = False) -> Iterator["Progress"]:
    """Bars on standard error; none if ``quiet``, or where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:>8}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=quiet or not sys.stderr.isatty()
    ) as bars:
        yield bars


def regions_of(around: tuple[float, float], wide: int, deep: int) -> list[Region]:
    """The regions of a rectangle around a place, none beyond the end of the world.

    Along an odd side the middle region has the place in it; along an even one the border that is nearest to it is the
    middle.
    """
    low = []
    for middle_m, count in zip(around, (wide, deep), strict=True):
        at = middle_m / REGION_M
        first = math.floor(at) - count // 2 if count % 2 else round(at - count / 2)
        low.append(min(max(first, -REGION_LIMIT), REGION_LIMIT + 1 - count))
    return [(low[0] + x, low[1] + z) for z in range(deep) for x in range(wide)]
