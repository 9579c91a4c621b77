"""The doctor's look into an embedded database: reads it, changes nothing, and needs no library of the server."""

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from worldloom.cli.verdict import Check, State
from worldloom.errors import WorldloomError
from worldloom.persistence.lock import FileLock

__all__ = ["check_database"]

_WHOLE_UP_TO_BYTES = 2**30
"""A larger file is not read from end to end: that takes minutes."""
_SQLITE = "sqlite:///"


def check_database(url: str) -> Check:
    """The world's database can be read and is whole; not asked while a server has it, nor on PostgreSQL.

    Args:
        url: As ``storage.url``, spelled out.
    """
    if not url.startswith(_SQLITE):
        return Check(State.OK, "database", "PostgreSQL: not asked, the server says at its start")
    path = Path(url.removeprefix(_SQLITE).partition("?")[0])
    if not path.exists():
        return Check(State.OK, "database", f"{path} will be made at first start")
    with contextlib.ExitStack() as stack:
        try:
            # A lock that is not there yet is held by nobody, and the doctor makes no files.
            if (lock := path.with_name(f"{path.name}.lock")).exists():
                stack.callback(FileLock(lock).close)
            return _look_into(path)
        except WorldloomError:
            return Check(State.OK, "database", f"{path} is in use by a server: not looked into")
        except (sqlite3.OperationalError, OSError) as error:
            return Check(State.FAIL, "database", f"{path}: {error}", "mend the rights of file and folder")
        except sqlite3.Error as error:
            return _damaged(path, str(error))


def _look_into(path: Path) -> Check:
    # Without a log nothing waits to be folded in: SQLite then need not make files beside it, which reading may do.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?{mode}", uri=True)) as base:
        tables = base.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
        size = path.stat().st_size
        if size > _WHOLE_UP_TO_BYTES:
            return Check(
                State.OK, "database", f"{path}, {tables} tables; too large to be read as a whole here"
            )
        verdict = str(base.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        return _damaged(path, verdict.splitlines()[-1])
    return Check(State.OK, "database", f"{path} is whole ({size / 1e6:.1f} MB)")


def _damaged(path: Path, what: str) -> Check:
    advice = f"move it away with {path.name}-wal and {path.name}-shm, and restore a backup"
    return Check(State.FAIL, "database", f"{path}: {what}", advice)
