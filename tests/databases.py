"""Databases for tests: a SQLite file in a folder, a PostgreSQL database that lives as long as it is needed.

``WORLDLOOM_TEST_POSTGRES`` names another server than the one on this host; its user must be allowed to create
databases. With ``WORLDLOOM_TEST_REQUIRE_SERVICES=1`` a server that is not there is a failure, else a skip.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

SERVER = os.environ.get("WORLDLOOM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
REQUIRED = os.environ.get("WORLDLOOM_TEST_REQUIRE_SERVICES") == "1"


def psql(url: str, *statements: str) -> None:
    """Run statements, each on its own."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True, connect_timeout=3) as connection:
        for statement in statements:
            connection.execute(statement)


@contextlib.contextmanager
def postgres_database() -> Iterator[str]:
    """A new, empty database; its URL. Skips the test in plain sight, or fails, when there is no server."""
    name = f"worldloom_test_{secrets.token_hex(6)}"
    try:
        psql(SERVER, f"CREATE DATABASE {name}")
    except psycopg.OperationalError as error:
        (pytest.fail if REQUIRED else pytest.skip)(
            f"PostgreSQL cannot be reached: {str(error).splitlines()[0]}"
        )
    try:
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        psql(SERVER, f"DROP DATABASE {name} WITH (FORCE)")
