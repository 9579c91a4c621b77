"""Revisions: which tables this program knows, and which a database has. Changes nothing, and needs no Alembic.

Alembic is slow to load; every command looks at the revision, few migrate.
"""

import contextlib
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.persistence.engine import parse_url, postgres_engine

__all__ = [
    "check_current",
    "head_revision",
    "known_revisions",
    "migrations_folder",
    "reaching",
    "refuse_newer",
    "revision_at",
    "revision_of",
]

_LINE = re.compile(r'^(revision|down_revision) = (?:"([^"]+)"|None)$', re.MULTILINE)


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


def known_revisions() -> set[str]:
    """Every revision that this program can bring a database to."""
    return set(_steps())


def head_revision() -> str | None:
    """The newest of them."""
    steps = _steps()
    return next(iter(steps.keys() - steps.values()), None)


@cache
def _steps() -> dict[str, str]:
    """Each revision and the one before it, empty for none, as the scripts say in their first lines."""
    steps = {}
    for script in (migrations_folder() / "versions").glob("*.py"):
        lines = _LINE.finditer(script.read_text(encoding="utf-8"))
        said: dict[str, str] = {line[1]: line[2] or "" for line in lines}
        steps[said["revision"]] = said["down_revision"]
    return steps


def revision_of(connection: Connection) -> str | None:
    """The revision of a database's tables, None when it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def revision_at(url: str) -> str | None:
    """The revision of a PostgreSQL database's tables, None when it has none. Waits 3 s for an answer; blocks.

    Raises:
        ConfigError: The URL is of no known kind.
        StoreUnavailable: The database cannot be reached.
    """
    engine = postgres_engine(parse_url(url), 1, read_only=True)
    try:
        with reaching(), engine.connect() as connection:
            return revision_of(connection)
    finally:
        engine.dispose()


def check_current(engine: Engine) -> None:
    """Make sure that a database has the tables that this program expects.

    Raises:
        StoreUnavailable: The database cannot be reached.
        WorldloomError: It is older or newer; the text says which revision was expected and which was found.
    """
    with reaching(), engine.connect() as connection:
        refuse_newer(connection)
        head, found = head_revision(), revision_of(connection)
    if found != head:
        raise WorldloomError(
            f"the database is not up to date: expected revision {head}, got {found}; start the world once: "
            "that brings it there"
        )


def refuse_newer(connection: Connection) -> None:
    """Make sure that a database's tables are of no revision that this program does not know.

    Raises:
        WorldloomError: They are.
    """
    found = revision_of(connection)
    if found is not None and found not in known_revisions():
        raise WorldloomError(
            f"the database is newer than this program: expected revision {head_revision()} or older, got {found}; "
            "start the newer program, or restore a backup made before it"
        )


@contextlib.contextmanager
def reaching() -> Iterator[None]:
    """Say that a database cannot be reached, where that is what went wrong.

    Raises:
        StoreUnavailable: So it is.
    """
    try:
        yield
    except OperationalError as error:
        raise StoreUnavailable(
            f"the database cannot be reached: {str(error.orig).splitlines()[0]}"
        ) from error
