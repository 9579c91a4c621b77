"""Lock: one server per embedded database. An operating system's lock, so that a crash leaves none behind."""

import os
import sys
from pathlib import Path

from worldloom.errors import WorldloomError

__all__ = ["FileLock"]


class FileLock:
    """An exclusive lock on a file, held until closed or until the process ends.

    Args:
        path: The lock file; made with mode 0600 if missing, and never removed (removing it would race).

    Raises:
        WorldloomError: Another server holds it.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            _lock(self._descriptor)
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1
            raise WorldloomError(
                f"another server is using the world in {path.parent}; stop it first, or choose another folder"
            ) from None

    def close(self) -> None:
        """Let go. May be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
