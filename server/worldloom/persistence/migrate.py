"""Migrations: brings a database to the tables that this program expects. A world is backed up before it is changed.

The scripts lie in ``migrations/`` at the repository's root; in an installed wheel, in ``worldloom/migrations``.
Alembic is slow to load, and is only where something is to be migrated.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from worldloom.errors import WorldloomError
from worldloom.persistence.archive import ArchiveError
from worldloom.persistence.backups import BACKUPS_FOLDER, before_name, make_folder
from worldloom.persistence.dump import about_world, dump_connection
from worldloom.persistence.engine import parse_url, postgres_engine, sqlite_engine, sqlite_path
from worldloom.persistence.faults import naming_the_file
from worldloom.persistence.lock import FileLock, lock_path
from worldloom.persistence.numbering import numbers_kept
from worldloom.persistence.revisions import (
    head_revision,
    migrations_folder,
    reaching,
    refuse_newer,
    revision_of,
)
from worldloom.persistence.rights import give

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["alembic_config", "downgrade", "migrate", "migrating", "upgrade"]

_log = logging.getLogger(__name__)

_ADVISORY_LOCK = 0x776F726C646C6F6D
"""Any number, the same in every server: "worldlom" in ASCII."""


def alembic_config(connection: Connection | None = None) -> "Config":
    """Alembic's configuration, made in code; with a connection to work on, inside its transaction."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(url: str, backups: Path | None = None, files: Mapping[str, bytes] | None = None) -> None:
    """Upgrade a database to the newest revision, in one transaction; do nothing if it is there. Blocks.

    One that holds a world is backed up before.

    Args:
        url: As ``storage.url``, spelled out.
        backups: The folder of backups; by default beside a SQLite database, and for PostgreSQL none, so no backup.
        files: What belongs into a backup besides the rows, by name.

    Raises:
        ConfigError: The URL is of no known kind, or its file cannot be made.
        StoreUnavailable: The database cannot be reached.
        WorldloomError: The database is damaged, newer than this program, or another server is using it; or it cannot
            be backed up. Nothing was changed.
    """
    path = sqlite_path(parse_url(url))
    folder = path.parent / BACKUPS_FOLDER if backups is None and path is not None else backups
    with migrating(url) as connection:
        refuse_newer(connection)
        if revision_of(connection) == head_revision():
            return
        kept = _back_up(connection, folder, files or {})
        try:
            upgrade(connection, "head")
        except BaseException:
            # Nothing was changed; whoever tries again every ten seconds must not fill the disk.
            if kept is not None:
                kept.unlink(missing_ok=True)
            raise
    if path is not None:
        for made in (path, lock_path(path)):
            give(made, path.parent)


def upgrade(connection: Connection, revision: str) -> None:
    """Upgrade what a connection in a transaction is to; ids that were given stay given, references whole.

    Raises:
        WorldloomError: Some references are not.
    """
    from alembic import command

    with numbers_kept(connection):
        command.upgrade(alembic_config(connection), revision)
    _check_references(connection)


def _back_up(connection: Connection, folder: Path | None, files: Mapping[str, bytes]) -> Path | None:
    """Keep the world as it is before it is changed, and say where; do nothing if there is none."""
    about, head = about_world(connection), str(head_revision())
    if about is None:
        return None
    if folder is None:
        _log.warning("migrating to %s without a backup: no folder for one was named", head)
        return None
    try:
        make_folder(folder)
        path = folder / before_name(head, time.time())
        manifest = dump_connection(connection, path, about, files)
        give(path, folder.parent)
    except (ArchiveError, OSError) as error:
        raise WorldloomError(
            f"the world was not migrated to {head}, nothing was changed: expected a backup before; {error}"
        ) from None
    size = path.stat().st_size
    _log.info(
        "backed up before migrating", extra={"to": head, "file": path, "rows": manifest.rows, "bytes": size}
    )
    return path


def downgrade(url: str, revision: str) -> None:
    """Take a database back to an older revision ("base" for none), in one transaction. Blocks. Data may be lost.

    Raises:
        StoreUnavailable: The database cannot be reached.
        WorldloomError: The database is damaged, newer than this program, or another server is using it.
    """
    from alembic import command

    with migrating(url) as connection:
        refuse_newer(connection)
        with numbers_kept(connection):
            command.downgrade(alembic_config(connection), revision)
        _check_references(connection)


@contextlib.contextmanager
def migrating(url: str) -> Iterator[Connection]:
    """A connection in a transaction that nobody else can migrate beside; committed at the end of the block.

    Raises:
        StoreUnavailable: The database cannot be reached.
        WorldloomError: The database is damaged, or another server is using it.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    with naming_the_file(path), contextlib.ExitStack() as stack:
        if path is not None:
            lock = FileLock(lock_path(path))
            stack.callback(lock.close)
            # Rebuilding a table drops it for a moment: references are checked once, at the end.
            engine = sqlite_engine(path, "BEGIN IMMEDIATE", {"foreign_keys": "OFF"})
        else:
            engine = postgres_engine(parsed, 1)
        stack.callback(engine.dispose)
        with reaching():
            connection = stack.enter_context(engine.connect())
            if path is None:
                _wait_for_turn(connection)
            stack.enter_context(connection.begin())
        yield connection


def _wait_for_turn(connection: Connection) -> None:
    """Wait until nobody else migrates; the turn ends when the connection is closed, however that comes.

    Before the transaction: that sees the database as it is at its first statement, which must not be an older one.
    """
    connection.execution_options(isolation_level="AUTOCOMMIT")
    # Tables are rebuilt, and archives written and read meanwhile.
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(text(f"SET {name} = 0"))
    connection.execute(text(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})"))
    connection.commit()
    connection.execution_options(isolation_level="SERIALIZABLE")


def _check_references(connection: Connection) -> None:
    """Look at what PostgreSQL looks at by itself: SQLite's references are not enforced while tables are rebuilt."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise WorldloomError(
            f"expected whole references after migrating, got {len(broken)} broken; nothing was changed"
        )
