"""Backups: the folder that they lie in, and what they are called. Knows not what is in them, and needs no library."""

import errno
import os
import re
import time
from pathlib import Path

from worldloom.persistence.archive import ArchiveError, utc_stamp
from worldloom.persistence.rights import give, owner_hint

__all__ = ["BACKUPS_FOLDER", "SUFFIX", "backup_name", "before_name", "make_folder", "newest", "prune"]

BACKUPS_FOLDER = "backups"
"""Within the data folder."""
SUFFIX = ".worldloom"

_BEFORE = "before-"
_BY_HAND = re.compile(rf"(?!{_BEFORE})[a-z0-9-]+[.](\d{{8}}T\d{{6}}Z){re.escape(SUFFIX)}")
_UNFINISHED = f"*{SUFFIX}.part"
_ABANDONED_S = 86_400.0


def backup_name(world: str, unix_s: float) -> str:
    """A backup's name: the world's in plain letters, and the time.

    There is a dot between them: longer runs of letters and digits look like tokens, and are blotted out in the log.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", world.lower()).strip("-")[:40].strip("-") or "world"
    return f"{'world-' if plain.startswith(_BEFORE) else ''}{plain}.{utc_stamp(unix_s)}{SUFFIX}"


def before_name(revision: str, unix_s: float) -> str:
    """The name of the backup that is made before a migration."""
    return f"{_BEFORE}{revision}.{utc_stamp(unix_s)}{SUFFIX}"


def make_folder(folder: Path) -> None:
    """Make the folder, for its owner alone: whose the folder above is, even if root makes it.

    Raises:
        ArchiveError: It cannot be made, or not be written to.
    """
    try:
        if not folder.exists():
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            give(folder, folder.parent)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        hint = f"; {owner_hint(folder)}" if isinstance(error, PermissionError) else ""
        raise ArchiveError(
            f"{folder}: expected a folder to write backups to; got: {error.strerror or error}{hint}"
        ) from None


def newest(folder: Path) -> float | None:
    """When the last backup in a folder was made, in Unix seconds; None if there is none."""
    return max((path.stat().st_mtime for path in folder.glob(f"*{SUFFIX}")), default=None)


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest backups that were made by hand or timer, and what was left unfinished a day ago.

    Those made before migrations stay.

    Args:
        folder: Where they lie.
        keep: How many stay, at least 1.

    Returns:
        What was removed.

    Raises:
        ArchiveError: One cannot be removed.
    """
    found = [(match[1], path) for path in folder.iterdir() if (match := _BY_HAND.fullmatch(path.name))]
    old = [path for _, path in sorted(found)[:-keep]]
    abandoned_at = time.time() - _ABANDONED_S
    old += [path for path in folder.glob(_UNFINISHED) if path.stat().st_mtime < abandoned_at]
    try:
        for path in old:
            path.unlink(missing_ok=True)
    except OSError as error:
        hint = f"; {owner_hint(folder)}" if isinstance(error, PermissionError) else ""
        raise ArchiveError(
            f"{folder}: expected to remove old backups; got: {error.strerror or error}{hint}"
        ) from None
    return old
