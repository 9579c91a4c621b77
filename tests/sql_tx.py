"""A transaction over an embedded database in memory, for tests of use cases as plain functions."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import StaticPool, create_engine

from worldloom.persistence.queries import SqlTx
from worldloom.persistence.tables import metadata
from worldloom.realm.money import Currency

FIRST_PURSES = "INSERT INTO purse (id, kind, balance) VALUES (1, 'mint', 0), (2, 'treasury', 0)"
"""The rows that a migration makes."""


@contextlib.contextmanager
def sql_tx() -> Iterator[SqlTx]:
    """The tables that the program expects, empty; nothing is ever committed."""
    engine = create_engine("sqlite+pysqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        metadata.create_all(connection)
        connection.exec_driver_sql(FIRST_PURSES)
        yield SqlTx(connection, Currency())
    engine.dispose()
