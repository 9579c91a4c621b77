"""``worldloom restore``: a backup into an empty data folder: the world and the server's secrets."""

import argparse
import time
from pathlib import Path

from worldloom.app.secrets import SECRETS_FILE, refuse_other_secrets, restore_secrets
from worldloom.cli.keeping import contents, told_on_stderr, where_options
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.errors import ConfigError
from worldloom.persistence.archive_read import open_archive
from worldloom.persistence.load import load

__all__ = ["add_arguments", "run"]

_EPILOG = """\
Nothing is overwritten: name a new folder, or move the old one away before. The world is there as a whole or not
at all, whatever happens meanwhile; after an interruption, say the same again. People come back with their tokens.
A backup of an older Worldloom is brought up to date. With storage.url set, the world goes into that database.

  worldloom restore /mnt/w.worldloom --data /srv/restored
  worldloom serve --data /srv/restored
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file and where to."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    add_config_option(parser)
    add_data_option(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="what worldloom backup wrote")


def run(args: argparse.Namespace) -> int:
    """Restore; 0.

    Raises:
        WorldloomError: The file is damaged or no backup, or something is there already.
    """
    config, began = config_of(args), time.monotonic()
    with told_on_stderr("writing") as progress, open_archive(args.file) as archive:
        content = archive.file(SECRETS_FILE)
        if content is None:
            raise ConfigError(
                f"{args.file}: expected a backup, got an export, which has no secrets; worldloom import takes it"
            )
        refuse_other_secrets(config.data_path, content)
        # The secrets first: who is interrupted between the two has no world yet, and can say the same again.
        load(config.storage_url, archive, progress, lambda: restore_secrets(config.data_path, content))
    print(f"restored {contents(archive.manifest, args.file, began)}")
    print(f"Next: worldloom serve{where_options(args)}")
    return 0
