"""Bulk: many rows into empty tables, as fast as the engine takes them. For benchmarks; knows no table by name."""

import sqlite3
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select, text

from worldloom.errors import WorldloomError
from worldloom.persistence.engine import parse_url, postgres_engine, sqlite_engine, sqlite_path
from worldloom.persistence.metadata import metadata

__all__ = ["BulkRows", "fill"]

BulkRows = tuple[str, Sequence[str], Iterable[Sequence[object]]]
"""A table, some of its columns, and rows of these."""


def fill(url: str, tables: Iterable[BulkRows]) -> None:
    """Fill empty tables of a migrated database, in one transaction. Blocks.

    Args:
        url: As ``storage.url``, spelled out.
        tables: In an order in which each table comes after those that it refers to.

    Raises:
        WorldloomError: A table is not empty.
    """
    path = sqlite_path(parse_url(url))
    if path is None:
        engine = postgres_engine(parse_url(url), 1)
    else:
        # Nobody has anything in it yet: after a crash it is thrown away.
        engine = sqlite_engine(path, "BEGIN IMMEDIATE", {"synchronous": "OFF", "cache_size": -200_000})
    try:
        with engine.begin() as connection:
            if path is None:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
            for name, columns, rows in tables:
                _refuse_rows(connection, name)
                _insert(connection, name, columns, rows)
        if path is None:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("SET statement_timeout = 0"))
                connection.execute(text("ANALYZE"))
    finally:
        engine.dispose()


def _refuse_rows(connection: Connection, name: str) -> None:
    if connection.execute(select(metadata.tables[name]).limit(1)).first() is not None:
        raise WorldloomError(
            f"expected an empty table {name}, got one with rows; name a database without a world"
        )


def _insert(
    connection: Connection, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    if connection.dialect.name == "postgresql":
        _copy(connection, name, columns, rows)
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    driver.executemany(statement, rows)


def _copy(
    connection: Connection, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor().copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
