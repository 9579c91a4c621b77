"""Known statements: compiled once for each engine, then run by the driver itself.

What SQLAlchemy does for each run of a statement (finding what it was compiled to, ordering its values, wrapping what
comes back) takes several times as long as SQLite takes to run it: of a purchase of some 30 statements 2.2 of 3.3 ms.
What a trade waits for is therefore known here; all else is run by the connection.
"""

from collections import namedtuple
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from sqlalchemy import Connection, Dialect, LargeBinary
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

__all__ = ["ROAD", "WAITING", "Known", "ask", "go"]

WAITING: Final = "worldloom.waiting"
"""By this name a connection's ``info`` has what is to be sent before the next statement, see ``later``."""
ROAD: Final = "worldloom.road"
"""By this name it has the way on which they are sent, see ``road``; SQLite needs none."""

_row_of: Any = namedtuple
"""Rows of columns that are known only when a statement is compiled."""
_AS_THEY_ARE: Final = (LargeBinary,)
"""Types of which SQLAlchemy would make what they are already."""


class Known:
    """A statement that is the same at every run but for its values; no lists among them, no type that needs converting.

    Run on a connection that is in a transaction. Errors are those that the connection would raise.

    Args:
        statement: For every engine; or by the engine's name.
        columns: Of an INSERT, which ones are given.
    """

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: ClauseElement | Mapping[str, ClauseElement], *columns: str) -> None:
        self._statement, self._columns = statement, columns or None
        self._compiled: dict[str, _Compiled] = {}

    def one(self, connection: Connection, values: Mapping[str, object] = {}) -> Any:
        """The first row, by place and by name of its columns; None if there is none."""
        compiled = self.compiled(connection)
        row = self._run(connection, compiled, values).fetchone()
        return None if row is None else compiled.row(row)

    def rows(self, connection: Connection, values: Mapping[str, object] = {}) -> list[Any]:
        """All rows, likewise."""
        compiled = self.compiled(connection)
        return [compiled.row(row) for row in self._run(connection, compiled, values).fetchall()]

    def value(self, connection: Connection, values: Mapping[str, object] = {}) -> Any:
        """What is first in the first row; None where there is none."""
        row = self._run(connection, self.compiled(connection), values).fetchone()
        return None if row is None else row[0]

    def changed(self, connection: Connection, values: Mapping[str, object] = {}) -> int:
        """How many rows it wrote, changed or deleted."""
        return int(self._run(connection, self.compiled(connection), values).rowcount)

    def run(self, connection: Connection, values: Mapping[str, object] = {}) -> None:
        """Run it, and ask for nothing."""
        self._run(connection, self.compiled(connection), values)

    def each(self, connection: Connection, values: Sequence[Mapping[str, object]]) -> None:
        """The same, once for each of these."""
        compiled = self.compiled(connection)
        for one in values:
            self._run(connection, compiled, one)

    def ask_along(self, connection: Connection, values: Mapping[str, object] = {}) -> None:
        """It will be asked with these values after the next statement: where each costs a journey, it goes with that.

        The answer is as of then. SQLite is asked when it is asked.
        """
        road = connection.info.get(ROAD)
        if road is not None:
            compiled = self.compiled(connection)
            road.along[self] = compiled.prepared(), compiled.given(values)

    def foretell(self, connection: Connection, values: Mapping[str, object], answered: "Known") -> None:
        """Let what another one was answered along with a statement be the answer to this one, with these values."""
        road = connection.info.get(ROAD)
        if road is not None and answered in road.told:
            _, answer = road.told.pop(answered)
            road.told[self] = self.compiled(connection).given(values), answer

    def _run(self, connection: Connection, compiled: "_Compiled", values: Mapping[str, object]) -> Any:
        given = compiled.given(values)
        if not compiled.is_far:
            return ask(connection, compiled.sql, given)
        info = connection.info
        if waiting := info.get(WAITING):
            waiting.send(connection)
        road = info[ROAD]
        if road.told and (told := road.told.pop(self, None)) and told[0] == given:
            return told[1]
        return go(connection, compiled.prepared(), given)

    def compiled(self, connection: Connection) -> "_Compiled":
        """What it is to the engine of a connection."""
        dialect = connection.dialect
        known = self._compiled.get(dialect.name)
        if known is None:
            statement = self._statement
            if isinstance(statement, Mapping):
                statement = statement[dialect.name]
            known = self._compiled[dialect.name] = _Compiled(statement, self._columns, dialect)
        return known


def ask(connection: Connection, sql: str, given: Any) -> Any:
    """Have the driver run a statement; the driver's cursor.

    Raises:
        RuntimeError: The connection is in no transaction.
        SQLAlchemyError: As the connection would raise it.
    """
    if not connection.in_transaction():
        # The connection would begin one by itself; the driver would commit each statement on its own.
        raise RuntimeError("expected a connection that is in a transaction")
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(sql, given)
    except Exception as error:
        raise _wrapped(connection, sql, error) from error


def go(connection: Connection, prepared: Any, given: Any, commits: bool = False) -> Any:
    """Have PostgreSQL run a statement; a ``road.Answer``.

    Args:
        connection: In a transaction.
        prepared: The statement, a ``road.Prepared``.
        given: Its values, by name.
        commits: Whether the transaction ends with it.

    Raises:
        RuntimeError: The connection is in no transaction.
        SQLAlchemyError: As the connection would raise it.
    """
    if not connection.in_transaction():
        raise RuntimeError("expected a connection that is in a transaction")
    try:
        return connection.info[ROAD].ask(prepared, given, commits)
    except Exception as error:
        raise _wrapped(connection, prepared.sql.decode(), error) from error


class _Compiled:
    __slots__ = ("_constants", "_order", "_prepared", "is_far", "row", "sql")

    def __init__(self, statement: ClauseElement, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        for name, bind in compiled.binds.items():
            if bind.expanding:
                raise TypeError(f"expected a statement without lists, got one with {name}")
            if not isinstance(bind.type, _AS_THEY_ARE) and _impl(bind.type, dialect).bind_processor(dialect):
                raise TypeError(f"expected values that the driver takes, got {name}, {bind.type!r}")
        columns_of: Any = getattr(statement, "exported_columns", ())
        for column in columns_of:
            kind = column.type
            if not isinstance(kind, _AS_THEY_ARE) and _impl(kind, dialect).result_processor(dialect, None):
                raise TypeError(f"expected columns as the driver gives them, got {column!s}, {kind!r}")
        names = [getattr(column, "name", "_") for column in columns_of]
        self.row: Any = _row_of("Row", names, rename=True)._make if names else tuple
        self.sql: str = str(compiled)
        self.is_far = dialect.name == "postgresql"
        """Whether each statement costs a journey, so that some wait for the next."""
        self._prepared: Any = None
        self._constants: dict[str, object] = dict(compiled.params)
        self._order: tuple[str, ...] | None = compiled.positiontup and tuple(compiled.positiontup)

    def prepared(self) -> Any:
        """What PostgreSQL is handed, a ``road.Prepared``. Loads its driver."""
        if self._prepared is None:
            self._prepared = import_module("worldloom.persistence.road").Prepared(self.sql)
        return self._prepared

    def given(self, values: Mapping[str, object]) -> tuple[object, ...] | dict[str, object]:
        """What the driver is handed: by place or by name, as it wants it."""
        if self._order is None:
            return {**self._constants, **values}
        constants = self._constants
        return tuple([values[name] if name in values else constants[name] for name in self._order])


def _impl(kind: Any, dialect: Dialect) -> Any:
    return kind.dialect_impl(dialect)


def _wrapped(connection: Connection, sql: str, error: Exception) -> BaseException:
    """The error as SQLAlchemy would raise it, and the connection given up if it is lost."""
    dialect = connection.dialect
    base: Any = dialect.loaded_dbapi.Error
    lost = isinstance(error, base) and dialect.is_disconnect(error, connection.connection, None)
    # What is handed in may be a secret: errors do not repeat it.
    told = DBAPIError.instance(
        sql, None, error, base, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
    if lost:
        connection.invalidate(error)
    return told
