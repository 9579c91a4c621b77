"""``worldloom worldgen export``: heights straight from the trained generator, without a server, as arrays."""

import argparse
from pathlib import Path

from worldloom.cli.worldgen_land import progress, read_seed, read_size
from worldloom.cli.worldgen_model import add_model_options, add_words_option, folder_of, loom
from worldloom.errors import ConfigError, WorldloomError
from worldloom_sdk.protocol.geometry import REGION_LIMIT

__all__ = ["add_to"]


def add_to(jobs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``export`` and its options."""
    job = jobs.add_parser(
        "export",
        help="heights straight from the trained generator, as NumPy arrays",
        description="Write heights straight from the trained generator, without a server and before any stitching, as "
        "a NumPy .npz: heights_m float32 [z, x] in metres, 2 m apart; pixels_m float32 [z, x], the model's own output "
        "before detail, as metres of real land; the numbers metres_per_pixel and world_scale.",
    )
    job.add_argument("--seed", type=read_seed, default=0, metavar="N", help="of the world (default: 0)")
    job.add_argument(
        "--origin", type=_region, default=(0, 0), metavar="RX,RZ", help="first region (default: 0,0)"
    )
    job.add_argument(
        "--regions", type=read_size, default=(4, 4), metavar="WxD", help="regions of 256 m (default: 4x4)"
    )
    add_words_option(job)
    add_model_options(job)
    job.add_argument(
        "-o", "--output", type=Path, default=Path("land.npz"), metavar="FILE", help="(default: land.npz)"
    )
    job.set_defaults(alone=_run)


def _run(args: argparse.Namespace) -> int:
    folder_of(args.output)
    last = max(at + count - 1 for at, count in zip(args.origin, args.regions, strict=True))
    if last > REGION_LIMIT:
        raise ConfigError(f"--regions: expected regions within +-{REGION_LIMIT}, got some up to {last}")
    ready = loom(args, args.seed)
    if ready.understood:
        print(ready.understood)
    from worldloom.worldgen.gan.plane import WORLD_M_PER_PIXEL, draw, save

    wide, deep = args.regions
    with progress() as bars:
        task = bars.add_task("weaving", total=wide * deep)
        piece = draw(
            ready.source,
            args.origin,
            args.regions,
            ready.spacing_m,
            ready.chosen,
            on_region=lambda: bars.advance(task),
        )
    try:
        save(args.output, piece, ready.spacing_m)
    except OSError as error:
        raise WorldloomError(
            f"{args.output}: expected to write a file; got: {error.strerror or error}"
        ) from None
    low, high = float(piece.heights_m.min()), float(piece.heights_m.max())
    print(
        f"{args.output}: {wide} x {deep} regions, heights {low:.0f} to {high:.0f} m; a pixel is "
        f"{WORLD_M_PER_PIXEL:g} m of the world and {ready.spacing_m:g} m of real land"
    )
    return 0


def _region(text: str) -> tuple[int, int]:
    try:
        rx, rz = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a region like 3,-4; got {text}") from None
    if max(abs(rx), abs(rz)) > REGION_LIMIT:
        raise argparse.ArgumentTypeError(f"expected a region within +-{REGION_LIMIT}, got {text}")
    return rx, rz
