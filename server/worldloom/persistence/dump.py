"""Dump: the rows of a database, as they stand at one moment, into an archive. Knows no table by name but the world's.

Columns are read from the database itself, so that one of an older revision can be dumped too. Reading waits for nobody
and holds up nobody: on both engines, the reader sees the moment at which it began (PostgreSQL: REPEATABLE READ).
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    NullPool,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.persistence.archive import About, Manifest, Progress, Row, no_progress
from worldloom.persistence.archive_write import TableRows, write_archive
from worldloom.persistence.engine import parse_url, postgres_engine, sqlite_path
from worldloom.persistence.faults import is_damage, naming_the_file
from worldloom.persistence.numbering import last_id
from worldloom.persistence.revisions import revision_of

__all__ = ["KINDS", "about_world", "dump", "dump_connection", "ordered_tables", "reflected"]

KINDS = (Integer, String, LargeBinary, Float)
"""Types of columns whose values are the same on every engine: whole numbers, text, bytes, floats."""
_VERSION_TABLE = "alembic_version"
_BUSY_TIMEOUT_MS = 10_000
_ROWS_AT_ONCE, _LARGE_ROWS_AT_ONCE = 1_000, 16
"""Rows fetched together; the second where there are bytes, which may be many."""


def dump(
    url: str, place: Callable[[About], Path], files: Mapping[str, bytes], progress: Progress = no_progress
) -> tuple[Path, Manifest]:
    """Write a database's rows, and some files, into an archive; beside a server that writes, too. Blocks.

    Args:
        url: As ``storage.url``, spelled out.
        place: Where the archive of this world shall be.
        files: Small files to put in, by name.
        progress: Told how far it is.

    Raises:
        ArchiveError: The archive cannot be written.
        StoreUnavailable: The database cannot be reached.
        WorldloomError: It holds no world, or is damaged.
    """
    with _reading(url) as connection:
        about = about_world(connection)
        if about is None:
            raise WorldloomError(
                f"expected the database of a world in {_shown(url)}, got one without; start the server once, or say "
                "with --data or storage.url where the world is"
            )
        path = place(about)
        return path, dump_connection(connection, path, about, files, progress)


def dump_connection(
    connection: Connection,
    path: Path,
    about: About,
    files: Mapping[str, bytes],
    progress: Progress = no_progress,
) -> Manifest:
    """The same over a connection in a transaction, which alone decides what moment it is."""
    tables = [reflected(connection, name) for name in ordered_tables(connection)[0]]
    for table in tables:
        _refuse_unknown_kinds(table)
    rows = (_table_rows(connection, table) for table in tables)
    return write_archive(path, about, rows, files, progress)


def about_world(connection: Connection) -> About | None:
    """Which world a database holds, at which revision; None if none."""
    if "world" not in inspect(connection).get_table_names():
        return None
    row = connection.execute(text("SELECT world_id, name FROM world")).first()
    revision = revision_of(connection)
    return None if row is None or revision is None else About(row.world_id, row.name, revision)


def ordered_tables(connection: Connection) -> tuple[list[str], list[tuple[str, str]]]:
    """The tables' names, each after those it refers to; and the references, (table, name), that no order satisfies."""
    inspector = inspect(connection)
    names: list[str] = []
    loose: list[tuple[str, str]] = []
    for name, keys in inspector.get_sorted_table_and_fkc_names():
        if name is None:
            loose += [(table, str(key)) for table, key in keys]
        elif name != _VERSION_TABLE:
            names.append(name)
            own = [key for key in inspector.get_foreign_keys(name) if key["referred_table"] == name]
            loose += [(name, str(key["name"])) for key in own]
    return names, loose


def reflected(connection: Connection, name: str) -> Table:
    """A table as the database has it, without those it refers to."""
    return Table(name, MetaData(), autoload_with=connection, resolve_fks=False)


def _table_rows(connection: Connection, table: Table) -> TableRows:
    expected: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    columns = tuple(str(column.name) for column in table.columns)
    return TableRows(str(table.name), columns, _rows(connection, table), expected, last_id(connection, table))


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    large = any(isinstance(column.type, LargeBinary) for column in table.columns)
    fetched = connection.execute(
        select(table), execution_options={"yield_per": _LARGE_ROWS_AT_ONCE if large else _ROWS_AT_ONCE}
    )
    for row in fetched:
        yield tuple(row)


def _refuse_unknown_kinds(table: Table) -> None:
    for column in table.columns:
        if not isinstance(column.type, KINDS):
            raise WorldloomError(
                f"{table.name}.{column.name}: expected a column of whole numbers, text, bytes or floats, "
                f"got {column.type}; this database is not one of Worldloom's alone"
            )


@contextlib.contextmanager
def _reading(url: str) -> Iterator[Connection]:
    """A connection that sees one moment and cannot write."""
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is not None and not path.is_file():
        raise WorldloomError(
            f"{path}: expected the database of a world, got no file; say with --data where the world is"
        )
    engine = postgres_engine(parsed, 1, read_only=True) if path is None else _sqlite_reader(path)
    with naming_the_file(path), contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        try:
            connection = stack.enter_context(engine.begin())
            if path is None:
                # A large table is read for longer than a use case may take.
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield connection
        except DBAPIError as error:
            if is_damage(error):
                raise
            what = str(error.orig).splitlines()[0]
            raise StoreUnavailable(f"expected to read {_shown(url)}; got: {what}") from error


def _sqlite_reader(path: Path) -> Engine:
    """An engine that writes nothing and makes no database.

    It leaves the log to the server. Where none runs, whoever closes last folds the log in, alone with the file.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=_BUSY_TIMEOUT_MS / 1_000,
            check_same_thread=False,
        )

    def set_up(connection: Any, _record: Any) -> None:
        for setting in ("query_only=ON", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {setting}").close()

    def open_transaction(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", open_transaction)
    return engine


def _shown(url: str) -> str:
    return parse_url(url).render_as_string(hide_password=True)
