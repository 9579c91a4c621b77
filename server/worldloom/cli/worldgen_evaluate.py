"""``worldloom worldgen evaluate``: how near a generator's land is to real land, as a table."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from worldloom.cli.worldgen_land import progress
from worldloom.cli.worldgen_model import loom
from worldloom.errors import ConfigError

if TYPE_CHECKING:
    from worldloom.worldgen.gan.evaluation import F32

__all__ = ["add_to"]

FAR = (400, 400)
"""Region where the piece begins: around the middle of every world the land is gentle."""

SIDE = 20
"""Regions along a side of the piece of world that is measured."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``evaluate`` and its options."""
    job = jobs.add_parser(
        "evaluate",
        help="measure how near a generator's land is to real land",
        description=f"Cut patches from contiguous worlds of {SIDE} x {SIDE} regions, and measure how far they are from "
        "the land that the generator was trained on, beside real land that it never saw and two kinds of noise. index: "
        "1.0 is as far as unseen real land. docs/worldgen.md explains the columns.",
    )
    job.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of elevation tiles")
    job.add_argument(
        "--held-out",
        default=None,
        metavar="NAMES",
        help="tiles that it never saw (default: what its card says)",
    )
    job.add_argument(
        "--weights", type=Path, metavar="FILE", help="the model (default: what comes with Worldloom, if any)"
    )
    job.add_argument(
        "--spacing", type=int, choices=(30, 90), default=90, help="metres to a pixel (default: 90)"
    )
    job.add_argument(
        "--seeds", type=_seeds, default=(1, 2, 3), metavar="N,N", help="of the worlds (default: 1,2,3)"
    )
    job.set_defaults(alone=_run, prompt=None)


def _run(args: argparse.Namespace) -> int:
    ready = loom(args, 0)
    from worldloom.worldgen.gan.evaluation import evaluate

    told = (
        ready.source.model.card.get("held_out", "[]")
        if args.held_out is None
        else json.dumps(args.held_out.split(","))
    )
    held_out = [name for name in json.loads(told) if name]
    if not held_out:
        raise ConfigError(
            "--held-out: expected names of tiles that the generator never saw; got none, nor does its card"
        )
    with progress() as bars:
        stages = bars.add_task("measuring", total=None)
        regions = bars.add_task("weaving", total=None)

        def draw(count: int, seed: int) -> "F32":
            from worldloom.worldgen.gan.plane import draw as draw_piece

            world = loom(args, seed)
            bars.update(regions, completed=0, total=SIDE * SIDE)
            piece = draw_piece(
                world.source,
                FAR,
                (SIDE, SIDE),
                world.spacing_m,
                heights=False,
                on_region=lambda: bars.advance(regions),
            )
            return piece.pixels_m

        table = evaluate(
            draw,
            args.data,
            held_out,
            spacing_m=float(args.spacing),
            count=(SIDE // 2) ** 2,
            seeds=args.seeds,
            on_stage=lambda done, total, stage: bars.update(
                stages, completed=done, total=total, description=stage[:8]
            ),
        )
    print(table.text())
    return 0


def _seeds(text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(int(part) for part in text.split(","))
    except ValueError:
        seeds = ()
    if not 1 <= len(seeds) <= 100 or min(seeds, default=-1) < 0:
        raise argparse.ArgumentTypeError(f"expected seeds with commas between, like 1,2,3; got {text}")
    return seeds
