"""Migrations: brings a database to the tables that this program expects. The only user of Alembic at run time.

The scripts lie in ``migrations/`` at the repository's root; in an installed wheel, in ``worldloom/migrations``.
"""

import contextlib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.persistence.engine import parse_url, postgres_engine, sqlite_engine, sqlite_path
from worldloom.persistence.faults import naming_the_file
from worldloom.persistence.lock import FileLock

__all__ = ["alembic_config", "check_current", "downgrade", "lock_path", "migrate", "migrations_folder"]

_ADVISORY_LOCK = 0x776F726C646C6F6D
"""Any number, the same in every server: "worldlom" in ASCII."""


def migrations_folder() -> Path:
    """Where the migrations are: in the installed package, else beside the sources.

    Raises:
        WorldloomError: In neither; the installation is incomplete.
    """
    package = Path(str(resources.files("worldloom")))
    for folder in (package / "migrations", package.parents[1] / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise WorldloomError(f"expected migrations in {package / 'migrations'}; install worldloom again")


def lock_path(database: Path) -> Path:
    """The lock file of a SQLite database; its folder is made if missing."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return database.with_name(database.name + ".lock")


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, made in code; with a connection to work on, inside its transaction."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(url: str) -> None:
    """Upgrade a database to the newest revision, in one transaction; do nothing if it is there. Blocks.

    Raises:
        ConfigError: The URL is of no known kind, or its file cannot be made.
        StoreUnavailable: The database cannot be reached.
        WorldloomError: The database is damaged, newer than this program, or another server is using it.
    """
    with _migrating(url) as connection:
        _refuse_newer(connection)
        command.upgrade(alembic_config(connection), "head")


def downgrade(url: str, revision: str) -> None:
    """Take a database back to an older revision ("base" for none), in one transaction. Blocks. Data may be lost.

    Raises:
        StoreUnavailable: The database cannot be reached.
        WorldloomError: The database is damaged, newer than this program, or another server is using it.
    """
    with _migrating(url) as connection:
        _refuse_newer(connection)
        command.downgrade(alembic_config(connection), revision)


def check_current(engine: Engine) -> None:
    """Make sure that a database has the tables that this program expects.

    Raises:
        StoreUnavailable: The database cannot be reached.
        WorldloomError: It is older or newer; the text says which revision was expected and which was found.
    """
    with _reaching(), engine.connect() as connection:
        _refuse_newer(connection)
        head, found = _head(), _revision(connection)
    if found != head:
        raise WorldloomError(
            f"the database is not up to date: expected revision {head}, got {found}; migrate it first"
        )


@contextlib.contextmanager
def _migrating(url: str) -> Iterator[Connection]:
    """A connection in a transaction that nobody else can migrate beside."""
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
        with _reaching():
            connection = stack.enter_context(engine.begin())
        if path is None:
            connection.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        yield connection
        if path is not None:
            _check_references(connection)


@contextlib.contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreUnavailable(
            f"the database cannot be reached: {str(error.orig).splitlines()[0]}"
        ) from error


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise WorldloomError(
            f"expected whole references after migrating, got {len(broken)} broken; nothing was changed"
        )


def _refuse_newer(connection: Connection) -> None:
    found = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    if found is not None and found not in known:
        raise WorldloomError(
            f"the database is newer than this program: expected revision {_head()} or older, got {found}; "
            "start the newer program, or restore a backup made before it"
        )


def _head() -> str | None:
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
