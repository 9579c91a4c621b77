"""``worldloom worldgen evaluate``: how near a generator's land is to real land, to its orders and to people's words."""

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

FEWEST, MOST = 10, 10_000
"""Windows that are commanded."""
SIDE = 20
"""Regions along a side of the piece of world that is measured."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``evaluate`` and its options."""
    job = jobs.add_parser(
        "evaluate",
        help="measure how near a generator's land is to real land",
        description=f"Cut patches from contiguous worlds of {SIDE} x {SIDE} regions, and measure how far they are from "
        "the land that the generator was trained on, beside real land that it never saw and two kinds of noise. index: "
        "1.0 is as far as unseen real land. With --commanded instead: whether land is as steep, high and rough as it "
        "is told to be. With --prompts: whether land is what words say. docs/worldgen.md explains the columns.",
    )
    job.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of elevation tiles; --commanded does without"
    )
    other = job.add_mutually_exclusive_group()
    other.add_argument(
        "--commanded",
        type=_count,
        metavar="N",
        help="command N windows of real land, each everywhere in a patch, and measure what comes",
    )
    other.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help='weave by words and let a judge of real land say what it is; a JSON list of {"prompt": "misty fjord", '
        '"landform": "FJORD"}',
    )
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
        "--spacing",
        type=int,
        choices=(30, 90),
        help="metres to a pixel (default: 90; with --commanded and --prompts both kinds)",
    )
    job.add_argument(
        "--seeds",
        type=_seeds,
        default=(1, 2, 3),
        metavar="N,N",
        help="of the worlds (default: 1,2,3); --commanded and --prompts take the first",
    )
    job.set_defaults(alone=_run, prompt=None)


def _run(args: argparse.Namespace) -> int:
    if args.commanded is not None:
        return _commanded(args)
    if args.data is None:
        raise ConfigError("--data: expected the folder of elevation tiles; got none")
    return _prompts(args) if args.prompts is not None else _beside_real_land(args)


def _commanded(args: argparse.Namespace) -> int:
    seed = args.seeds[0]
    model = loom(args, seed).source.model
    from worldloom.worldgen.gan.commanded import as_text, commanded, weave

    with progress() as bars:
        task = bars.add_task("weaving", total=args.commanded)
        found = commanded(
            model.table,
            weave(model.generator, seed),
            args.commanded,
            seed,
            lambda done, total: bars.update(task, completed=done),
        )
    print(as_text(found))
    return 0


def _prompts(args: argparse.Namespace) -> int:
    seed = args.seeds[0]
    ready = loom(args, seed)
    from worldloom.worldgen.gan import prompts
    from worldloom.worldgen.gan.dataset import load_tiles
    from worldloom.worldgen.gan.judge import Judge, known, trial

    asked = prompts.read_prompts(args.prompts)
    with progress() as bars:
        tiles = bars.add_task("judge", total=None)
        regions = bars.add_task("weaving", total=len(asked) * prompts.REGIONS_N)
        real = known(
            load_tiles(args.data), lambda done, total: bars.update(tiles, completed=done, total=total)
        )
        judge = Judge(real.traits, real.kinds)
        prompts.check(asked, judge)
        tried = trial(real)
        verdicts = []
        for place, prompt in enumerate(asked):
            told = (ready.source, seed, prompt.text, place)
            land = prompts.woven(*told, on_region=lambda: bars.advance(regions))
            verdicts.append(prompts.judged(judge, prompt, land))
    print(f"{tried.text()}\n\n{prompts.as_text(verdicts)}")
    return 0


def _beside_real_land(args: argparse.Namespace) -> int:
    args.spacing = args.spacing or 90
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


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) < 6 and FEWEST <= int(text) <= MOST):
        raise argparse.ArgumentTypeError(f"expected {FEWEST} to {MOST} windows; got {text}")
    return int(text)


def _seeds(text: str) -> tuple[int, ...]:
    try:
        seeds = tuple(int(part) for part in text.split(","))
    except ValueError:
        seeds = ()
    if not 1 <= len(seeds) <= 100 or min(seeds, default=-1) < 0:
        raise argparse.ArgumentTypeError(f"expected seeds with commas between, like 1,2,3; got {text}")
    return seeds
