"""A transaction over an embedded database in memory, for tests of use cases as plain functions."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import StaticPool, create_engine

from worldloom.persistence.queries import SqlTx
from worldloom.persistence.tables import metadata


@contextlib.contextmanager
def sql_tx() -> Iterator[SqlTx]:
    """The tables that the program expects, empty; nothing is ever committed."""
    engine = create_engine("sqlite+pysqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        metadata.create_all(connection)
        yield SqlTx(connection)
    engine.dispose()
