"""``worldloom import``: takes a world from a file into an empty database of either engine."""

import argparse
import time
from pathlib import Path

from worldloom.app.secrets import SECRETS_FILE, open_secrets
from worldloom.cli.keeping import contents, told_on_stderr, where_options
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.persistence.archive_read import open_archive
from worldloom.persistence.load import load

__all__ = ["add_arguments", "run"]

_EPILOG = """\
Takes exports, and of backups the world alone. The database must be empty; the world is there as a whole or not
at all, whatever happens meanwhile. A file of an older Worldloom is brought up to date. The server's secrets are not
in it: the data folder keeps its own, or gets new ones.

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
        WorldloomError: The file is damaged, the database is not empty, or the secrets cannot be made.
    """
    config, began = config_of(args), time.monotonic()
    had_secrets = (config.data_path / SECRETS_FILE).exists()
    with told_on_stderr("writing") as progress, open_archive(args.file) as archive:
        # A world without secrets is taken for one that has lost them: it gets them at once.
        load(config.storage_url, archive, progress, lambda: open_secrets(config.data_path))
    left_out = (
        "; its secrets were left out (worldloom restore takes them, too)" if archive.manifest.files else ""
    )
    print(f"imported {contents(archive.manifest, args.file, began)}{left_out}")
    if not had_secrets:
        print(
            f"New secrets are in {config.data_path}: keep them with the world. Reports that another server sealed "
            "cannot be verified with them"
        )
    print(f"Next: worldloom serve{where_options(args)}")
    return 0
