"""What the jobs of ``worldloom worldgen`` share that ask the trained generator without a server."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from worldloom.errors import ConfigError
from worldloom.worldgen.sources import check_model

if TYPE_CHECKING:
    from worldloom.worldgen.gan.plane import StyleOf
    from worldloom.worldgen.gan.source import GanSource

__all__ = ["Loom", "add_model_options", "add_words_option", "folder_of", "loom"]


@dataclass(frozen=True, slots=True)
class Loom:
    """The trained generator, set up for one world."""

    source: "GanSource"
    chosen: "StyleOf"
    """The style that words make of a region; None where nothing was said."""
    spacing_m: float
    """Metres of real land to a pixel."""
    understood: str
    """What the words were taken to mean, some lines; empty without words."""


def add_model_options(job: argparse.ArgumentParser) -> None:
    """Add ``--weights`` and ``--spacing``."""
    job.add_argument(
        "--weights", type=Path, metavar="FILE", help="the model (default: what comes with Worldloom, if any)"
    )
    job.add_argument(
        "--spacing",
        type=int,
        choices=(30, 90),
        help="only land as it is at so many metres to a pixel (default: both kinds, as in a world)",
    )


def add_words_option(job: argparse.ArgumentParser) -> None:
    """Add ``--prompt``."""
    job.add_argument(
        "--prompt",
        metavar="TEXT",
        help='words for the land, like "a misty fjord with steep walls"',
    )


def folder_of(path: Path) -> None:
    """Say before minutes of work that a file has no folder.

    Raises:
        ConfigError: It has none.
    """
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: expected a folder to write it to; got none of that name")


def loom(args: argparse.Namespace, seed: int) -> Loom:
    """The generator that the options say; imports torch.

    Raises:
        WorldloomError: torch is not installed, the weights are damaged or none, or the words are too many or none.
    """
    check_model(args.weights)
    from worldloom.worldgen.gan.file import SHIPPED
    from worldloom.worldgen.gan.plane import of_spacing
    from worldloom.worldgen.gan.source import GanSource
    from worldloom.worldgen.gan.weights import read_model
    from worldloom.worldgen.gan.wish import Wish
    from worldloom.worldgen.lexicon import understand

    model = read_model(args.weights or SHIPPED)
    if args.spacing:
        model = of_spacing(model, args.spacing)
    source = GanSource(model, seed)
    spacing_m = float(args.spacing or 30)
    if args.prompt is None:
        return Loom(source, lambda rx, rz: None, spacing_m, "")
    reading = understand(args.prompt)
    wish = Wish(reading, source.provinces, model.table, seed)
    return Loom(source, wish.style, spacing_m, reading.describe())
