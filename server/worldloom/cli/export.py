"""``worldloom export``: a whole world in one file that any engine can take in, without the server's secrets."""

import argparse
import time
from pathlib import Path

from worldloom.cli.keeping import contents, told_on_stderr
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.persistence.dump import dump

__all__ = ["add_arguments", "run"]

_EPILOG = """\
The server may run and write; the file is the state of one moment. It holds tokens as hashes and everything that
people left in the world: keep it as you keep the world. What the server's secrets sealed cannot be verified
without them; to move a world with its secrets, use backup and restore, which take the same way.

  worldloom export --data /srv/world -o world.worldloom
  WORLDLOOM_STORAGE__URL=postgresql+psycopg://me@host/world worldloom import world.worldloom
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where from and where to."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    add_config_option(parser)
    add_data_option(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="a new file")


def run(args: argparse.Namespace) -> int:
    """Write the file; 0.

    Raises:
        WorldloomError: The world cannot be read, or the file cannot be written.
    """
    config, began = config_of(args), time.monotonic()
    with told_on_stderr("reading") as progress:
        path, manifest = dump(config.storage_url, lambda _: Path(args.output), {}, progress)
    print(f"{path}\n{contents(manifest, path, began)}")
    print(f"Take it in elsewhere: worldloom import {path} --data NEW-FOLDER, or with storage.url set")
    return 0
