"""``worldloom worldgen audition``: what a generator makes of each window in its table, kept for people's words."""

import argparse
from pathlib import Path

from worldloom.cli.worldgen_land import progress
from worldloom.cli.worldgen_model import folder_of, loom
from worldloom.errors import WorldloomError

__all__ = ["add_to"]

_SEED = 77
"""Of the world that is woven: another one than those in which words are tried."""


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``audition`` and its options."""
    job = jobs.add_parser(
        "audition",
        help="let a generator hear what its land looks like, so that words lead to it",
        description="Weave each window of real land that a generator knows, let a judge of real land say which "
        "landforms it looks like, and write the generator with that: words then lead to what looks like them. Run it "
        "once on what train made. A second or so for each window, some thousand.",
    )
    job.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of elevation tiles")
    job.add_argument(
        "--weights", type=Path, metavar="FILE", help="the model (default: what comes with Worldloom, if any)"
    )
    job.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("model.safetensors"),
        metavar="FILE",
        help="(default: model.safetensors)",
    )
    job.set_defaults(alone=_run, prompt=None, spacing=None)


def _run(args: argparse.Namespace) -> int:
    folder_of(args.output)
    source = loom(args, _SEED).source
    from worldloom.worldgen.gan.audition import auditioned
    from worldloom.worldgen.gan.dataset import load_tiles
    from worldloom.worldgen.gan.judge import Judge, known
    from worldloom.worldgen.gan.weights import write_model

    model = source.model
    with progress() as bars:
        tiles = bars.add_task("judge", total=None)
        windows = bars.add_task("weaving", total=len(model.table))
        real = known(
            load_tiles(args.data), lambda done, total: bars.update(tiles, completed=done, total=total)
        )
        judge = Judge(real.traits, real.kinds)
        table = auditioned(source, judge, on_window=lambda: bars.advance(windows))
    try:
        sha256 = write_model(args.output, model.generator, table, {**model.card, "auditioned": "yes"})
    except OSError as error:
        raise WorldloomError(
            f"{args.output}: expected to write a model; got: {error.strerror or error}"
        ) from None
    print(f"{args.output}: {len(table)} windows heard, sha256 {sha256}")
    print(f"next: worldloom worldgen evaluate --data {args.data} --weights {args.output}")
    return 0
