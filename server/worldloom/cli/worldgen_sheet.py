"""``worldloom worldgen sheet``: shaded relief of any place of the endless plane, as the trained generator makes it."""

import argparse
from pathlib import Path

from worldloom.cli.worldgen_land import progress, read_place, read_seed, read_size
from worldloom.cli.worldgen_model import add_model_options, add_words_option, folder_of, loom
from worldloom.errors import WorldloomError
from worldloom_sdk.protocol.geometry import REGION_M

__all__ = ["add_to"]


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``sheet`` and its options."""
    job = jobs.add_parser(
        "sheet",
        help="shaded relief of any place, as the trained generator makes it",
        description="Draw the shaded relief of any place of the endless plane, 4 m to a pixel, straight from the "
        "trained generator: what its land looks like without colours, woods and water.",
    )
    job.add_argument("--seed", type=read_seed, default=0, metavar="N", help="of the world (default: 0)")
    job.add_argument(
        "--around", type=read_place, default=(0.0, 0.0), metavar="X,Z", help="middle, metres (default: 0,0)"
    )
    job.add_argument(
        "--regions", type=read_size, default=(16, 12), metavar="WxD", help="regions of 256 m (default: 16x12)"
    )
    add_words_option(job)
    add_model_options(job)
    job.add_argument(
        "-o", "--output", type=Path, default=Path("sheet.png"), metavar="FILE", help="(default: sheet.png)"
    )
    job.set_defaults(alone=_run)


def _run(args: argparse.Namespace) -> int:
    folder_of(args.output)
    ready = loom(args, args.seed)
    if ready.understood:
        print(ready.understood)
    from worldloom.worldgen.gan.plane import draw
    from worldloom.worldgen.gan.sheets import shaded

    wide, deep = args.regions
    origin = round(args.around[0] / REGION_M - wide / 2), round(args.around[1] / REGION_M - deep / 2)
    with progress() as bars:
        task = bars.add_task("weaving", total=wide * deep)
        piece = draw(
            ready.source,
            origin,
            args.regions,
            ready.spacing_m,
            ready.chosen,
            heights=False,
            on_region=lambda: bars.advance(task),
        )
    picture = shaded(piece.pixels_m, ready.spacing_m)
    try:
        picture.save(args.output, "PNG", optimize=True)
    except OSError as error:
        raise WorldloomError(
            f"{args.output}: expected to write a picture; got: {error.strerror or error}"
        ) from None
    print(f"{args.output}: {picture.width} x {picture.height} pixels, 4 m each")
    return 0
