"""``worldloom worldgen heightmap``: the ground of a part of the world in 16 bits, for terrain systems."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from rich.progress import Progress

from worldloom.cli.worldgen_land import Land, add_job
from worldloom.config import Config
from worldloom.errors import ConfigError
from worldloom.worldgen.heightmap import EXACT, LEVELS, Levels, levels_of, save_png, save_raw, stretched
from worldloom.worldgen.layout import laid_out
from worldloom_sdk.protocol.tiles import SAMPLE_M

__all__ = ["add_to"]

_RAW = {".raw", ".r16"}
"""File names that end so get bare levels; ``.png`` a picture."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``heightmap`` and its options."""
    mapping = add_job(
        jobs,
        "heightmap",
        "write a part of the world as a 16-bit heightmap",
        f"Write the ground of a part of the world as a grey 16-bit PNG, {SAMPLE_M} m to a pixel, or as raw levels if "
        "FILE ends in .r16 or .raw; and FILE.json, which says what the levels mean. What people have seen as it is "
        "stored, the rest as it would be made now. Reads only.",
        (8, 8),
        "heightmap.png",
    )
    scale = mapping.add_mutually_exclusive_group()
    scale.add_argument(
        "--metres-per-level",
        type=_scale,
        metavar="M",
        help=f"level 0 is {EXACT.offset:g} m, each further one M higher (default: {EXACT.scale:g}, which is exact)",
    )
    scale.add_argument(
        "--stretch", action="store_true", help="level 0 is the lowest ground in the file, 65535 the highest"
    )
    mapping.set_defaults(check=_check, write=_write)


def _scale(text: str) -> float:
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not 1e-4 <= scale <= 100:
        raise argparse.ArgumentTypeError(f"expected metres from 0.0001 to 100; got {text}")
    return scale


def _check(args: argparse.Namespace) -> None:
    suffix = args.output.suffix.lower()
    if suffix not in _RAW | {".png"}:
        raise ConfigError(f"expected a file name that ends in .png, .r16 or .raw; got {args.output}")


def _write(args: argparse.Namespace, config: Config, land: Land, bars: Progress) -> str:
    task = bars.add_task("writing", total=None)
    heights, _ = laid_out(land.tiles, land.low, land.size)
    meaning = stretched(heights) if args.stretch else Levels(args.metres_per_level or EXACT.scale)
    try:
        levels = levels_of(heights, meaning)
    except ValueError as error:
        raise ConfigError(f"{error}; give a larger --metres-per-level, or --stretch") from None
    facts = land.facts() | _facts(meaning, levels.shape, int(levels.min()), int(levels.max()))
    with args.output.open("wb") as file:
        if args.output.suffix.lower() in _RAW:
            save_raw(file, levels)
            facts["byte_order"] = "little"
        else:
            save_png(file, levels, _texts(facts, meaning), facts)
    beside = Path(f"{args.output}.json")
    beside.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    bars.update(task, total=1, completed=1)
    deep, wide = levels.shape
    return f"{wide} x {deep} levels, {SAMPLE_M} m apart; {meaning}; {land.counted()}"


def _facts(levels: Levels, shape: tuple[int, ...], low: int, high: int) -> dict[str, Any]:
    """What a program needs to read the levels."""
    return {
        "width": shape[1],
        "height": shape[0],
        "metres_per_sample": SAMPLE_M,
        "metres_per_level": levels.scale,
        "metres_of_level_0": levels.offset,
        "metres_of_level_65535": LEVELS * levels.scale + levels.offset,
        "lowest_level": low,
        "highest_level": high,
    }


def _texts(facts: dict[str, Any], levels: Levels) -> dict[str, str]:
    x_m, _, z_m = facts["origin_m"]
    return {
        "Title": facts["world"],
        "Software": facts["software"],
        "Description": f"{levels}; the first sample lies at x, z = {x_m}, {z_m} m, the next {SAMPLE_M} m on; "
        "+X to the right, +Z down",
    }
