"""``worldloom backup``: a world and the server's secrets in one file, while the server runs."""

import argparse
import time
from pathlib import Path

from worldloom.app.secrets import secrets_to_keep
from worldloom.cli.keeping import check, contents, told_on_stderr
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.errors import ConfigError
from worldloom.persistence.archive import About
from worldloom.persistence.backups import BACKUPS_FOLDER, backup_name, make_folder, prune
from worldloom.persistence.dump import dump
from worldloom.persistence.rights import give

__all__ = ["add_arguments", "run"]

_EPILOG = """\
A backup holds everything: land, accounts, tokens (as hashes) and the server's secrets. Whoever has it can
pretend to be the server: keep it as you keep a key. It is the state of one moment; the server may run and write.
Back with it: worldloom restore FILE --data NEW-FOLDER

  worldloom backup --data /srv/world                 into /srv/world/backups
  worldloom backup --data /srv/world --keep 14       and remove all but the last 14 there
  worldloom backup --data /srv/world -o /mnt/w.worldloom
  worldloom backup --check /mnt/w.worldloom          read all of it; exit code 2 if it is damaged
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where from, where to, ``--keep`` and ``--check``."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    add_config_option(parser)
    add_data_option(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="a new file (default: in DATA/backups, by world and time)",
    )
    what.add_argument(
        "--keep", type=_at_least_one, metavar="N", help="remove all but the newest N in DATA/backups"
    )
    what.add_argument("--check", type=Path, metavar="FILE", help="verify a backup or export, and make none")


def run(args: argparse.Namespace) -> int:
    """Make a backup, or check one; 0.

    Raises:
        WorldloomError: The world cannot be read, the file cannot be written or is damaged.
    """
    if args.check is not None:
        return check(args.check)
    config, began = config_of(args), time.monotonic()
    if args.output is None and not config.data_path.is_dir():
        raise ConfigError(
            f"{config.data_path}: expected the data folder of a world, got no folder; name it with --data"
        )
    folder = config.data_path / BACKUPS_FOLDER
    files = secrets_to_keep(config.data_path)

    def place(about: About) -> Path:
        if args.output is not None:
            return Path(args.output)
        make_folder(folder)
        return folder / backup_name(about.world_name, time.time())

    with told_on_stderr("reading") as progress:
        path, manifest = dump(config.storage_url, place, files, progress)
    if args.output is None:
        give(path, config.data_path)
    print(f"{path}\n{contents(manifest, path, began)}")
    if args.keep is not None:
        print(f"removed: {len(prune(folder, args.keep))} older")
    print(f"Verify: worldloom backup --check {path}\nRestore: worldloom restore {path} --data NEW-FOLDER")
    return 0


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1; got {text}")
    return int(text)
