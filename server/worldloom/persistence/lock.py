"""Lock: one server per embedded database. An operating system's lock, so that a crash leaves none behind."""

import contextlib
import os
import sys
from pathlib import Path

from worldloom.errors import WorldloomError

__all__ = ["FileLock", "lock_path"]


def lock_path(database: Path) -> Path:
    """The lock file of a SQLite database; its folder is made if missing."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return database.with_name(database.name + ".lock")


class FileLock:
    """An exclusive lock on a file, held until closed or until the process ends.

    Args:
        path: The lock file; made with mode 0600 if missing. Removed by ``discard`` alone, for other ways would race.

    Raises:
        WorldloomError: Another server holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _locked(path)
        while not self._is_in_place():
            # Whoever had it took the file away meanwhile; the next one to come would lock a new file.
            self.close()
            self._descriptor = _locked(path)

    def close(self) -> None:
        """Let go. May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Let go and take the file away: for one that was made for something which then failed."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):  # Windows keeps a file that is open: then it stays.
                self._path.unlink()
            self.close()

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False


def _locked(path: Path) -> int:
    """The descriptor of a file with the lock on it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        _lock(descriptor)
    except OSError:
        os.close(descriptor)
        raise WorldloomError(
            f"another server is using the world in {path.parent}; stop it first, or choose another folder"
        ) from None
    return descriptor


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
