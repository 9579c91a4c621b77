"""``worldloom worldgen train``: trains a generator on elevation tiles, for as many minutes as are given to it."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from worldloom.cli.worldgen_land import progress
from worldloom.errors import ConfigError
from worldloom.worldgen.sources import check_installed

if TYPE_CHECKING:
    from worldloom.worldgen.gan.dataset import DemTile, Windows
    from worldloom.worldgen.gan.training import Report, Training

__all__ = ["add_to"]

WINDOWS = 8_000
_PROCESSES = 4
"""By default at most: more gain little."""
_LINE_S = 60.0
"""Seconds between two lines where there is no terminal."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``train`` and its options."""
    job = jobs.add_parser(
        "train",
        help="train a generator on real elevation",
        description="Train a generator on a folder of elevation tiles (.npz, of the form that docs/worldgen.md says), "
        "by the clock. The run's folder holds its options, statistics, a sheet of the same places again and again, a "
        "checkpoint, and at the end model.safetensors. A run that was interrupted goes on with --resume.",
    )
    job.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of elevation tiles")
    # Not ``run``: that is the command itself.
    job.add_argument(
        "--run",
        dest="folder",
        type=Path,
        default=Path("run"),
        metavar="DIR",
        help="folder of the run (default: run)",
    )
    job.add_argument(
        "--minutes", type=_minutes, default=120.0, metavar="N", help="time for it (default: 120)"
    )
    job.add_argument("--size", choices=("S", "M", "L"), default="S", help="of the net (default: S)")
    job.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="(default: cpu)")
    job.add_argument("--batch", type=int, choices=(8, 16, 32, 64, 128), default=16, help="(default: 16)")
    job.add_argument(
        "--processes",
        type=int,
        choices=range(1, 17),
        default=None,
        metavar="N",
        help="that train side by side, a part of each batch each (default: one to each core of this machine, "
        "at most 4; one with --device cuda)",
    )
    job.add_argument("--seed", type=int, default=1, metavar="N", help="of the run (default: 1)")
    job.add_argument(
        "--held-out",
        default="",
        metavar="NAMES",
        help="tiles that it must not see, with commas between; to judge by",
    )
    job.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="begin with the nets of another run, its nets.pt: to go on with it, or on land of your own",
    )
    job.add_argument("--resume", action="store_true", help="go on where the run's checkpoint stands")
    job.set_defaults(alone=_run)


def _run(args: argparse.Namespace) -> int:
    check_installed()
    if (args.folder / "checkpoint.pt").exists() and not args.resume:
        raise ConfigError(
            f"{args.folder}: expected a new folder, got one with a checkpoint. Give --resume to go on with it"
        )
    if args.start is not None and not args.start.is_file():
        raise ConfigError(f"--start: expected the nets.pt of a run; got {args.start}, which is no file")
    count = args.processes or (1 if args.device == "cuda" else min(os.cpu_count() or 1, _PROCESSES))
    if args.batch % count:
        raise ConfigError(f"--processes: expected a divisor of the batch of {args.batch}; got {count}")
    if count == 1:
        _one(0, 1, Path(), args)
        return 0
    from worldloom.worldgen.gan.together import all_of

    all_of(count, _one, args)
    return 0


def _one(rank: int, count: int, meeting: Path, args: argparse.Namespace) -> None:
    """What each process does; the first one talks."""
    from worldloom.worldgen.gan.together import Together, joined
    from worldloom.worldgen.gan.training import Options, Training

    together = joined(rank, count, meeting) if count > 1 else Together()
    held_out = tuple(filter(None, (name.strip() for name in args.held_out.split(","))))
    tiles, small, windows = _windows(args, held_out, quiet=rank > 0)
    options = Options(
        size=args.size,
        minutes=args.minutes,
        batch=args.batch // count,
        seed=args.seed,
        device=args.device,
        held_out=held_out,
    )
    training = Training(small, windows, options, args.folder, together)
    if args.resume:
        training.resume()
    elif args.start is not None:
        training.start(args.start)
    try:
        _train(training, args.minutes, quiet=rank > 0)
    except KeyboardInterrupt:
        if rank:
            return
        training.save()
        print(f"stopped; {args.folder} keeps a checkpoint, --resume goes on", file=sys.stderr)
        raise
    if rank:
        return
    path, sha256 = training.publish(tiles)
    print(f"{path}: size {args.size}, {training.samples} patches seen, sha256 {sha256}")
    print(f"next: worldloom worldgen evaluate --data {args.data} --weights {path}" + _told(args.held_out))


def _told(held_out: str) -> str:
    return f" --held-out {held_out}" if held_out else ""


def _windows(
    args: argparse.Namespace, held_out: tuple[str, ...], quiet: bool
) -> "tuple[list[DemTile], Windows, Windows]":
    """Tiles, and small and large windows of them."""
    from worldloom.worldgen.gan.conditions import WINDOW
    from worldloom.worldgen.gan.dataset import cut, load_tiles

    with progress(quiet) as bars:
        task = bars.add_task("reading", total=2 * WINDOWS)
        tiles = load_tiles(args.data, without=held_out)
        grand = [tile for tile in tiles if tile.spacing_m >= 60]
        small, windows = (
            cut(grand or tiles, WINDOWS, args.seed, side, lambda done, total: bars.advance(task))
            for side in (64, WINDOW)
        )
        return tiles, small, windows


def _train(training: "Training", minutes: float, quiet: bool) -> None:
    told_s = training.spent_s
    with progress(quiet) as bars:
        task = bars.add_task("training", total=minutes * 60)

        def on_step(report: "Report") -> None:
            nonlocal told_s
            about = f"{report.patch} px, {report.samples} seen, gap {report.gap:.2f}"
            bars.update(task, completed=report.spent_s, description=about)
            if bars.disable and not quiet and report.spent_s - told_s >= _LINE_S:
                told_s = report.spent_s
                print(json.dumps(report.facts()), flush=True)

        training.run(on_step)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0.01 <= minutes <= 100_000:
        raise argparse.ArgumentTypeError(f"expected minutes from 0.01 to 100000; got {text}")
    return minutes
