"""Load: an archive into an empty database, all of it or nothing. Knows no table by name.

The database is made at the archive's revision, filled, and then brought to the newest. SQLite: in ``FILE.part``,
renamed when it is whole; PostgreSQL: in one transaction. Whatever ends it in the midst leaves what was there: nothing.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.persistence.archive import ArchiveError, Progress, Row, TableEntry, no_progress, sync_folder
from worldloom.persistence.archive_read import Archive
from worldloom.persistence.dump import ordered_tables, reflected
from worldloom.persistence.engine import parse_url, sqlite_engine, sqlite_path
from worldloom.persistence.faults import naming_the_file
from worldloom.persistence.folders import no_empty_folder
from worldloom.persistence.lock import FileLock, lock_path
from worldloom.persistence.migrate import migrating, upgrade
from worldloom.persistence.numbering import count_on
from worldloom.persistence.revisions import head_revision, known_revisions

__all__ = ["load"]

_BATCH_ROWS, _BATCH_BYTES = 500, 4 << 20
"""Rows inserted by one statement, at most; and what their text and bytes take."""
_SPARE = 1.2
"""A database takes that much more than its rows: pages, indexes."""
_BULK = {"foreign_keys": "OFF", "journal_mode": "MEMORY", "synchronous": "OFF"}
"""For a file that nobody has seen yet: a crash leaves one to be thrown away."""
_SIDE_FILES = ("-wal", "-shm", "-journal")


def load(
    url: str,
    archive: Archive,
    progress: Progress = no_progress,
    before_commit: Callable[[], object] = lambda: None,
) -> None:
    """Fill an empty database with an archive's rows. Blocks.

    Args:
        url: As ``storage.url``, spelled out. A SQLite file and its folder are made; a PostgreSQL database is there.
        archive: What to fill it with.
        progress: Told how far it is.
        before_commit: Called when all went well but the last step; what it raises undoes all.

    Raises:
        ArchiveError: The archive is damaged, or of a newer program.
        StoreUnavailable: The database cannot be reached.
        WorldloomError: The database is not empty, in use, or there is no room for it.
    """
    _refuse_unknown_revision(archive)
    path = sqlite_path(parse_url(url))
    try:
        if path is None:
            with migrating(url) as connection:
                _refuse_tables(connection, url)
                _fill(connection, archive, progress)
                before_commit()
        else:
            with naming_the_file(path):
                _load_file(path, archive, progress, before_commit)
    except OperationalError as error:
        what = str(error.orig).splitlines()[0]
        raise StoreUnavailable(f"the world was not loaded: the database failed: {what}") from error


def _load_file(path: Path, archive: Archive, progress: Progress, before_commit: Callable[[], object]) -> None:
    with no_empty_folder(path.parent), _held(lock_path(path)):
        _refuse_database(path)
        _refuse_little_room(path.parent, archive)
        part = path.with_name(f"{path.name}.part")
        try:
            _remove(part)
            engine = sqlite_engine(part, "BEGIN IMMEDIATE", dict(_BULK))
            try:
                with engine.begin() as connection:
                    _fill(connection, archive, progress)
            finally:
                engine.dispose()
            _sync(part)
            before_commit()
            part.replace(path)
        finally:
            _remove(part)
        sync_folder(path.parent)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock; should the block fail, its file is there no more if it was not there before."""
    was_there = path.exists()
    with contextlib.closing(FileLock(path)) as lock:
        try:
            yield
        except BaseException:
            if not was_there:
                lock.discard()
            raise


def _fill(connection: Connection, archive: Archive, progress: Progress) -> None:
    upgrade(connection, archive.manifest.about.revision)
    entries = {entry.name: entry for entry in archive.manifest.tables}
    names, loose = ordered_tables(connection)
    _expect_same(archive, "tables", set(names), set(entries))
    tables = {name: reflected(connection, name) for name in names}
    for name, table in tables.items():
        _expect_same(archive, f"columns of {name}", set(table.columns.keys()), set(entries[name].columns))
    with _triggers_held_back(connection, names):
        _clear(connection, [tables[name] for name in reversed(names)])
        with _references_held_back(connection, loose):
            for name in names:
                _insert(connection, tables[name], entries[name], archive, progress)
                count_on(connection, tables[name], entries[name].last_id)
    upgrade(connection, "head")


def _clear(connection: Connection, tables: list[Table]) -> None:
    """Take away what migrations put in: the archive has it, as it became."""
    for table in tables:
        connection.execute(table.delete())


def _insert(
    connection: Connection, table: Table, entry: TableEntry, archive: Archive, progress: Progress
) -> None:
    statement, done = insert(table), 0
    for batch in _batches(archive.rows(entry)):
        try:
            connection.execute(statement, [dict(zip(entry.columns, row, strict=True)) for row in batch])
        except OperationalError:
            raise
        except (DBAPIError, OverflowError, ValueError) as error:
            # The database's own words may hold values; its first line names the rule.
            what = str(getattr(error, "orig", error)).splitlines()[0]
            raise ArchiveError(
                f"{archive.path}: expected rows that fit the table {table.name}, got some that do not: {what}"
            ) from error
        done += len(batch)
        progress(table.name, done, entry.rows)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, bytes | str))
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


@contextlib.contextmanager
def _triggers_held_back(connection: Connection, names: list[str]) -> Iterator[None]:
    """Let rows in that their database accepted one by one, in an order and in pieces that it would not."""
    quote = connection.dialect.identifier_preparer.quote
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        for name, _ in found:
            connection.exec_driver_sql(f"DROP TRIGGER {quote(name)}")
        yield
        for _, sql in found:
            connection.exec_driver_sql(sql)
        return
    for name in names:
        connection.execute(text(f"ALTER TABLE {quote(name)} DISABLE TRIGGER USER"))
    yield
    for name in names:
        connection.execute(text(f"ALTER TABLE {quote(name)} ENABLE TRIGGER USER"))


@contextlib.contextmanager
def _references_held_back(connection: Connection, loose: list[tuple[str, str]]) -> Iterator[None]:
    """Check references within a table, or around in a circle, when all rows are in. SQLite checks all of them then."""
    if connection.dialect.name == "sqlite":
        yield
        return
    quote = connection.dialect.identifier_preparer.quote
    held = [
        f"ALTER TABLE {quote(table)} ALTER CONSTRAINT {quote(key['name'])}"
        for table in {table for table, _ in loose}
        for key in inspect(connection).get_foreign_keys(table)
        if (table, key["name"]) in loose and key["name"] is not None and not key["options"].get("deferrable")
    ]
    for constraint in held:
        connection.execute(text(f"{constraint} DEFERRABLE INITIALLY DEFERRED"))
    yield
    # What waits is checked now: a table with checks still to come cannot be changed.
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for constraint in held:
        connection.execute(text(f"{constraint} NOT DEFERRABLE"))


# ---- refusals


def _refuse_unknown_revision(archive: Archive) -> None:
    about = archive.manifest.about
    if about.revision not in known_revisions():
        raise ArchiveError(
            f"{archive.path}: expected tables of revision {head_revision()} or older, got {about.revision}, "
            f"written by Worldloom {archive.manifest.worldloom}: install that version or a later one"
        )


def _refuse_tables(connection: Connection, place: object) -> None:
    names = inspect(connection).get_table_names()
    if names:
        shown = parse_url(str(place)).render_as_string(hide_password=True)
        raise WorldloomError(
            f"expected an empty database in {shown}, got one with {len(names)} tables ({', '.join(names[:4])} ...); "
            "make a new database, and name it in storage.url"
        )


def _refuse_database(path: Path) -> None:
    """Nothing may be there, nor the log of a database that was taken away: SQLite would apply it to the new one."""
    there = [path, *(path.with_name(path.name + suffix) for suffix in _SIDE_FILES)]
    found = [file.name for file in there if file.exists() and file.stat().st_size > 0]
    if found:
        raise WorldloomError(
            f"expected no database in {path.parent}, got {', '.join(found)}; choose another folder with --data, "
            "or move away what is there"
        )
    for file in there[1:]:
        file.unlink(missing_ok=True)


def _refuse_little_room(folder: Path, archive: Archive) -> None:
    needed, free = int(archive.manifest.bytes * _SPARE), shutil.disk_usage(folder).free
    if free < needed:
        raise WorldloomError(
            f"{folder}: expected {needed / 1e6:.0f} MB of free disk for the world, got {free / 1e6:.0f} MB; "
            "make room, or choose another folder with --data"
        )


def _expect_same(archive: Archive, what: str, expected: set[Any], got: set[Any]) -> None:
    if expected != got:
        missing, more = sorted(expected - got), sorted(got - expected)
        raise ArchiveError(
            f"{archive.path}: expected the {what} of revision {archive.manifest.about.revision}; "
            f"missing: {', '.join(missing) or 'none'}; unknown: {', '.join(more) or 'none'}"
        )


def _remove(part: Path) -> None:
    for suffix in ("", *_SIDE_FILES):
        part.with_name(part.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
