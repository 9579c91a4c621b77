"""Faults: what an exception of the database means to those who know no database."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from worldloom.errors import ConfigError, StoreBusy, StoreUnavailable, WorldloomError
from worldloom.persistence.rights import owner_hint

__all__ = ["is_busy", "is_conflict", "is_damage", "naming_the_file", "reason", "translate"]

_CONFLICTS = frozenset({"40001", "40P01"})
_LOCK_NOT_AVAILABLE = "55P03"
_SQLITE_BUSY, _SQLITE_CORRUPT, _SQLITE_NOTADB = 5, 11, 26
_SQLITE_REASONS = {
    _SQLITE_BUSY: "another program holds its lock",
    8: "it may only be read",
    10: "its disk fails",
    _SQLITE_CORRUPT: "it is damaged",
    13: "its disk is full",
    14: "its file cannot be opened",
    _SQLITE_NOTADB: "it is damaged",
}
_UNKNOWN = "see the server's log"
_POSTGRES_REASONS = {
    "53100": "its disk is full",
    "25006": "it may only be read",
    _LOCK_NOT_AVAILABLE: "another program holds a lock",
    "57014": "it takes too long to answer",
}


def is_conflict(error: BaseException) -> bool:
    """Whether PostgreSQL rolled the transaction back for another's sake, so that the whole unit may be tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


def is_busy(error: BaseException) -> bool:
    """Whether SQLite waited in vain for another process. Ours wait when a transaction begins: nothing was done."""
    return _sqlite_code(error) == _SQLITE_BUSY


def is_damage(error: BaseException) -> bool:
    """Whether SQLite found that its file is no database, or a damaged one."""
    return _sqlite_code(error) in (_SQLITE_CORRUPT, _SQLITE_NOTADB)


def reason(error: BaseException) -> str:
    """Why the database failed, in a few words that tell strangers nothing of where it is."""
    if not isinstance(error, DBAPIError):
        return _UNKNOWN
    code, state = _sqlite_code(error), getattr(error.orig, "sqlstate", None)
    # Without a code of either, no database has said anything: there was no connection.
    is_away = error.connection_invalidated or (isinstance(error, OperationalError) and not (code or state))
    known = _SQLITE_REASONS.get(code) or _POSTGRES_REASONS.get(state or "")
    return known or ("it does not answer" if is_away else _UNKNOWN)


def _sqlite_code(error: BaseException) -> int:
    """SQLite's primary result code; 0 for any other error."""
    code: int = getattr(error.orig, "sqlite_errorcode", 0) if isinstance(error, DBAPIError) else 0
    return code & 0xFF


@contextlib.contextmanager
def naming_the_file(path: Path | None) -> Iterator[None]:
    """Say of a SQLite file that cannot be made or is damaged which one it is, and what to do.

    Args:
        path: The file; None does nothing.

    Raises:
        ConfigError: File or folder cannot be made or opened.
        WorldloomError: It is damaged.
    """
    try:
        yield
    except OSError as error:
        if path is None:
            raise
        raise ConfigError(
            f"{path}: expected a file that can be made and written; got: {error.strerror or error}. "
            f"Choose another folder (--data, or storage.url); {_whose(error, path)}"
        ) from None
    except DBAPIError as error:
        if path is None or not is_damage(error):
            raise
        raise WorldloomError(
            f"{path}: expected the database of a world; got: {_first_line(error.orig)}. Move it away, together with "
            f"{path.name}-wal and {path.name}-shm, and restore a backup; without one, a new world is made at the "
            "next start"
        ) from error


def translate(error: BaseException) -> BaseException:
    """The error for the caller: StoreBusy or StoreUnavailable for the database's troubles, else ``error`` itself.

    A broken constraint or a wrong statement is a fault of the use case and stays what it is.
    """
    if not isinstance(error, DBAPIError):
        return error
    orig = error.orig
    if getattr(orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE or is_conflict(error):
        return StoreBusy("the database was too busy with the same rows; nothing was done")
    if is_busy(error):
        return StoreBusy("another process wrote to the database for too long; nothing was done")
    unreachable = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    if unreachable or is_damage(error):
        return StoreUnavailable(f"the database failed, the outcome is unknown: {_first_line(orig)}")
    return error


def _whose(error: OSError, path: Path) -> str:
    return owner_hint(path) if isinstance(error, PermissionError) else "or mend its rights"


def _first_line(error: BaseException | None) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
