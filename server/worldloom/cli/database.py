"""The doctor's look into a database: reads it and changes nothing. SQLite's needs no library of the server."""

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from worldloom.cli.verdict import Check, State
from worldloom.errors import WorldloomError
from worldloom.persistence.lock import FileLock
from worldloom.persistence.rights import owner_hint

__all__ = ["check_database", "has_world"]

_WHOLE_UP_TO_BYTES = 2**30
"""A larger file is not read from end to end: that takes minutes."""
_SQLITE = "sqlite:///"


def check_database(url: str) -> Check:
    """The world's database can be read, is whole and not newer than this program; not asked while a server has it.

    PostgreSQL is asked for its tables alone.

    Args:
        url: As ``storage.url``, spelled out.
    """
    if not url.startswith(_SQLITE):
        return _ask_postgres(url)
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
            return Check(State.FAIL, "database", f"{path}: {error}", owner_hint(path))
        except sqlite3.Error as error:
            return _damaged(path, str(error))


def has_world(url: str) -> bool:
    """Whether a world was served on a database, as far as can be told without changing anything."""
    if url.startswith(_SQLITE):
        path = Path(url.removeprefix(_SQLITE).partition("?")[0])
        return path.exists() and path.stat().st_size > 0
    try:
        from worldloom.persistence.revisions import revision_at

        return revision_at(url) is not None
    except (ModuleNotFoundError, WorldloomError):
        return False


def _ask_postgres(url: str) -> Check:
    try:
        from worldloom.persistence.revisions import revision_at

        found = revision_at(url)
    except ModuleNotFoundError as missing:
        return Check(State.FAIL, "database", f"PostgreSQL cannot be asked: {missing.name} is not installed")
    except WorldloomError as fault:
        advice = "is PostgreSQL up, and storage.url right? Its password may be in the environment"
        return Check(State.FAIL, "database", str(fault), advice)
    return _of_revision("PostgreSQL answers", found)


def _of_revision(well: str, found: str | None) -> Check:
    """What a database's tables mean for the next start."""
    try:
        from worldloom.persistence.revisions import head_revision, known_revisions
    except ModuleNotFoundError:  # told of before; without SQLAlchemy nothing starts
        return Check(State.OK, "database", well)
    head = head_revision()
    if found is None:
        return Check(State.OK, "database", f"{well}; its tables will be made at first start")
    if found not in known_revisions():
        advice = "start the newer program, or restore a backup made before it"
        text = f"{well}, but it is newer than this program: expected revision {head} or older, got {found}"
        return Check(State.FAIL, "database", text, advice)
    later = "" if found == head else f"; the next start backs it up and brings it from {found} to {head}"
    return Check(State.OK, "database", f"{well}{later}")


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
        found = _revision(base)
        verdict = str(base.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        return _damaged(path, verdict.splitlines()[-1])
    return _of_revision(f"{path} is whole ({size / 1e6:.1f} MB)", found)


def _revision(base: sqlite3.Connection) -> str | None:
    if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = base.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _damaged(path: Path, what: str) -> Check:
    advice = f"move it away with {path.name}-wal and {path.name}-shm, and restore a backup"
    return Check(State.FAIL, "database", f"{path}: {what}", advice)
