"""``worldloom import``: takes a world from a file into an empty database of either engine."""

import argparse
import time
from pathlib import Path

from worldloom.cli.keeping import contents, told_on_stderr, where_options
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.persistence.archive_read import open_archive
from worldloom.persistence.load import load

__all__ = ["add_arguments", "run"]

_EPILOG = """\
Takes exports, and of backups the world alone. The database must be empty; the world is there as a whole or not
at all, whatever happens meanwhile. A file of an older Worldloom is brought up to date.

  worldloom import world.worldloom --data /srv/new
  WORLDLOOM_STORAGE__URL=postgresql+psycopg://me@host/world worldloom import world.worldloom
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and where to."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    add_config_option(parser)
    add_data_option(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="what worldloom export wrote")


def run(args: argparse.Namespace) -> int:
    """Take the world in; 0.

    Raises:
        WorldloomError: The file is damaged, or the database is not empty.
    """
    config, began = config_of(args), time.monotonic()
    with told_on_stderr("writing") as progress, open_archive(args.file) as archive:
        load(config.storage_url, archive, progress)
    left_out = (
        "; its secrets were left out (worldloom restore takes them, too)" if archive.manifest.files else ""
    )
    print(f"imported {contents(archive.manifest, args.file, began)}{left_out}")
    print(f"Next: worldloom serve{where_options(args)}")
    return 0
