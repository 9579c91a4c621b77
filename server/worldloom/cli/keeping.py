"""What backup, restore, export and import share: progress on standard error, and a line that says what is in it."""

import argparse
import contextlib
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from worldloom.persistence.archive import Manifest, Progress
from worldloom.persistence.archive_read import open_archive
from worldloom.realm.counts import counted

__all__ = ["check", "contents", "told_on_stderr", "where_options"]


@contextlib.contextmanager
def told_on_stderr(what: str) -> Iterator[Progress]:
    """A bar for each table, with its rows; none where standard error is no terminal."""
    columns = (
        TextColumn(f"{what} {{task.description}}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeElapsedColumn(),
    )
    tasks: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Bars(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bars:

        def tell(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=total)
            bars.update(tasks[table], completed=done, total=total)

        yield tell


def contents(manifest: Manifest, path: Path, began_s: float) -> str:
    """What an archive holds, its size, and how long it took, in one line.

    Args:
        manifest: Of the archive.
        path: The archive.
        began_s: Monotonic seconds.
    """
    counts = [
        counted(manifest.rows, "row"),
        counted(manifest.rows_of("tile"), "tile"),
        counted(manifest.rows_of("account"), "account"),
    ]
    about = manifest.about
    return (
        f"{about.world_name!r} of {manifest.made}: {', '.join(counts)}, {path.stat().st_size / 1e6:.1f} MB, "
        f"{time.monotonic() - began_s:.1f} s, tables of {about.revision}"
    )


def check(path: Path) -> int:
    """Read all of an archive and say what is in it; 0.

    Raises:
        ArchiveError: It is damaged, or no archive.
    """
    began = time.monotonic()
    with told_on_stderr("checking") as progress, open_archive(path) as archive:
        archive.check(progress)
    kind = "a backup, with the server's secrets" if archive.manifest.files else "an export, without secrets"
    print(f"{path} is whole: {kind}.\n{contents(archive.manifest, path, began)}")
    return 0


def where_options(args: argparse.Namespace) -> str:
    """``--config`` and ``--data`` as they were given, for the command that is proposed next."""
    given = (("--config", args.config), ("--data", args.data))
    return "".join(f" {option} {shlex.quote(str(value))}" for option, value in given if value)
