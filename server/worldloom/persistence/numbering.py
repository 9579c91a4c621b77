"""Numbering: which ids a database has given, so that one that was given is not given again. Knows no table by name."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, Table, inspect, select, text

__all__ = ["count_on", "last_id", "numbers_kept"]


def last_id(connection: Connection, table: Table) -> int | None:
    """The highest id that was given, to rows that are gone too; None where the database does not count."""
    found: int | None
    if connection.dialect.name == "sqlite":
        found = _sqlite_numbers(connection).get(table.name)
    else:
        sequence = _sequence(connection, table)
        query = text("SELECT pg_sequence_last_value(CAST(:sequence AS regclass))")
        found = connection.execute(query, {"sequence": sequence}).scalar()
    return found


def count_on(connection: Connection, table: Table, last: int | None) -> None:
    """Make the database give ids above ``last``, and above those that are there."""
    if connection.dialect.name == "sqlite":
        if last is not None:
            _set_sqlite_number(connection, table.name, last)
        return
    sequence = _sequence(connection, table)
    if sequence is None:
        return
    key = next(iter(table.primary_key.columns))
    highest = connection.execute(select(key).order_by(key.desc()).limit(1)).scalar()
    given = max(last or 0, highest or 0)
    connection.execute(
        text("SELECT setval(CAST(:sequence AS regclass), :last, :given)"),
        {"sequence": sequence, "last": max(given, 1), "given": given > 0},
    )


@contextlib.contextmanager
def numbers_kept(connection: Connection) -> Iterator[None]:
    """Let a migration rebuild tables: SQLite's count goes with the old one, and would begin anew."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = _sqlite_numbers(connection)
    yield
    for name, last in before.items():
        _set_sqlite_number(connection, name, last)


def _sqlite_numbers(connection: Connection) -> dict[str, int]:
    if not inspect(connection).has_table("sqlite_sequence"):
        return {}
    rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence WHERE seq IS NOT NULL"))
    return {row.name: row.seq for row in rows}


def _set_sqlite_number(connection: Connection, name: str, last: int) -> None:
    """Never lower than it is; nothing for a table that is gone or does not count."""
    made = text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    if "AUTOINCREMENT" not in str(connection.execute(made, {"name": name}).scalar()).upper():
        return
    given = {"name": name, "last": max(last, _sqlite_numbers(connection).get(name, 0))}
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
    connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), given)


def _sequence(connection: Connection, table: Table) -> str | None:
    """PostgreSQL's sequence behind a table's key; None where there is none."""
    keys = list(table.primary_key.columns)
    if len(keys) != 1:
        return None
    quoted = connection.dialect.identifier_preparer.format_table(table)
    named = {"table": quoted, "key": keys[0].name}
    found: str | None = connection.execute(
        text("SELECT pg_get_serial_sequence(:table, :key)"), named
    ).scalar()
    return found
