"""Databases for tests: a SQLite file in a folder, a PostgreSQL database that lives as long as it is needed.

``WORLDLOOM_TEST_POSTGRES`` names another server than the one on this host; its user must be allowed to create
databases. With ``WORLDLOOM_TEST_REQUIRE_SERVICES=1`` a server that is not there is a failure, else a skip.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from sql_tx import FIRST_PURSES
from worldloom.persistence.tables import metadata
from worldloom_sdk.testing.server import put_database

SERVER = os.environ.get("WORLDLOOM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
REQUIRED = os.environ.get("WORLDLOOM_TEST_REQUIRE_SERVICES") == "1"


def psql(url: str, *statements: str) -> None:
    """Run statements, each on its own."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True, connect_timeout=3) as connection:
        for statement in statements:
            connection.execute(statement)


def sqlite_database(path: Path) -> str:
    """A migrated database without a world in a new file; its URL."""
    put_database(path)
    return f"sqlite:///{path}"


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    """A new, empty database; its URL. Skips the test in plain sight, or fails, when there is no server.

    Its commits do not wait for the disk: no test takes the power from the server.
    """
    name = f"worldloom_test_{secrets.token_hex(6)}"
    try:
        psql(SERVER, f"CREATE DATABASE {name}", f"ALTER DATABASE {name} SET synchronous_commit = off")
    except psycopg.OperationalError as error:
        (pytest.fail if REQUIRED else pytest.skip)(
            f"PostgreSQL cannot be reached: {str(error).splitlines()[0]}"
        )
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        psql(SERVER, f"DROP DATABASE {name} WITH (FORCE)")


def empty(url: str) -> None:
    """Take a migrated PostgreSQL database back to what the migrations left, as a few rows ask for it.

    ``TRUNCATE`` would make the files of all tables and indexes anew, which takes ten times as long.
    """
    psql(url, *_EMPTYING, FIRST_PURSES)


_GROWING = "audit", "transfer", "posting", "register", "seal"
"""Tables to which rows may only be added."""
_EMPTYING = tuple(
    "; ".join(statements)
    for statements in (
        [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in _GROWING],
        [f"DELETE FROM {table}" for table in reversed(metadata.sorted_tables)],
        [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in _GROWING],
        [
            "DO $$ DECLARE numbers regclass; BEGIN"
            " FOR numbers IN SELECT oid FROM pg_class WHERE relkind = 'S'"
            " LOOP EXECUTE format('ALTER SEQUENCE %s RESTART', numbers); END LOOP; END $$"
        ],
    )
)
