"""Later: writes of which nothing is asked, sent together as one statement where each statement costs a journey.

On PostgreSQL they wait until something is asked of their connection, or its transaction is committed; who reads after
them sees them. On SQLite they are run at once. Knows no table.
"""

import contextlib
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from worldloom.persistence.known import ROAD, WAITING, Known, go

__all__ = ["Later", "drop", "send_in_time"]

_VALUE: Final = re.compile(r"%\((\w+)\)s")
_NOT_ONE: Final = "22012"
"""What PostgreSQL calls a division by zero: the one row that was counted on is not there."""
_MOST: Final = 16
"""Writes that are sent together: each set of them is a statement that the database has to plan."""


class Later:
    """A write of one or several steps, of which nothing is asked.

    Args:
        steps: By name, in order. On PostgreSQL a step may read what an earlier one returns by that one's name; no two
            of one statement may write to the same row.
    """

    __slots__ = ("_first", "_others", "steps")

    def __init__(self, **steps: Known) -> None:
        self.steps = steps
        self._first, *self._others = steps.values()

    def run(
        self,
        connection: Connection,
        values: Mapping[str, object],
        unless_one: Exception | None = None,
    ) -> None:
        """Run it by the end of the transaction, before anything that is asked after it.

        Args:
            connection: In a transaction.
            values: For all steps together.
            unless_one: Raised, at once or by then, unless the first step changes one row; on PostgreSQL it returns it.
        """
        if connection.dialect.name == "postgresql":
            waiting = connection.info.setdefault(WAITING, _Waiting())
            # Rows that are written to twice, or steps of one name, cannot be in one statement.
            if self in waiting.writes or len(waiting.writes) == _MOST:
                waiting.send(connection)
            waiting.writes[self] = values, unless_one
            return
        if self._first.changed(connection, values) != 1 and unless_one is not None:
            raise unless_one
        for step in self._others:
            step.run(connection, values)


def send_in_time(engine: Engine) -> None:
    """Have what waits on this engine's connections sent before a statement of SQLAlchemy's and before the commit."""

    def before(connection: Connection, *_: object) -> None:
        waiting = connection.info.get(WAITING)
        if waiting:
            waiting.send(connection)

    def commit(connection: Connection) -> None:
        waiting = connection.info.get(WAITING)
        if waiting:
            waiting.send(connection, commits=True)

    def undone(connection: Connection) -> None:
        if not connection.invalidated:
            drop(connection)
            # If it fails so does the driver, who tries the same afterwards and knows what that means.
            with contextlib.suppress(Exception):
                connection.info[ROAD].undo()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "commit", commit)
    event.listen(engine, "rollback", undone)


def drop(connection: Connection) -> None:
    """Forget what waits: what it belongs to is undone."""
    connection.info.pop(WAITING, None)


class _Waiting:
    """What waits on one connection."""

    def __init__(self) -> None:
        self.writes: dict[Later, tuple[Mapping[str, object], Exception | None]] = {}

    def __bool__(self) -> bool:
        return bool(self.writes)

    def send(self, connection: Connection, commits: bool = False) -> None:
        """Run all of it as one statement.

        Args:
            connection: In a transaction.
            commits: Whether that is to be committed then; it is by the same journey, unless more than one write is
                given an exception.

        Raises:
            Exception: One that a write was given for when its first step does not change one row.
        """
        writes, self.writes = self.writes, {}
        kinds = tuple((write, unless_one is not None) for write, (_, unless_one) in writes.items())
        statement = _TOGETHER.get(kinds)
        if statement is None:
            statement = _TOGETHER[kinds] = _Together(connection, kinds)
        given = statement.given([values for values, _ in writes.values()])
        lost = [unless_one for _, unless_one in writes.values() if unless_one is not None]
        try:
            counts = go(connection, statement.prepared, given, commits and len(lost) < 2).fetchone()
        except DBAPIError as error:
            if len(lost) == 1 and getattr(error.orig, "sqlstate", None) == _NOT_ONE:
                raise lost[0] from None
            raise
        for count, unless_one in zip(counts, lost, strict=False):
            if count != 1:
                raise unless_one


class _Together:
    """Several writes as one statement.

    Its row has of each that is counted how many rows its first step returned. If only one is, it fails unless that is
    one row: then nothing is committed, even if the commit was sent along.
    """

    __slots__ = ("_constants", "prepared")

    def __init__(self, connection: Connection, kinds: tuple[tuple[Later, bool], ...]) -> None:
        self._constants: dict[str, object] = {}
        steps, counts = [], []
        for k, (write, is_counted) in enumerate(kinds):
            for name, step in write.steps.items():
                compiled = step.compiled(connection)
                self._constants.update(_renamed(k, compiled.given({})))
                sql = _VALUE.sub(rf"%(w{k}_\1)s", compiled.sql)
                steps.append(f"{name} AS ({sql})")
            if is_counted:
                counts.append(f"(SELECT count(*) FROM {next(iter(write.steps))})")
        told = f"1 / {counts[0]}" if len(counts) == 1 else ", ".join(counts) or "1"
        made: Any = import_module("worldloom.persistence.road")
        self.prepared = made.Prepared(f"WITH {', '.join(steps)} SELECT {told}")

    def given(self, values: list[Mapping[str, object]]) -> dict[str, object]:
        given = {**self._constants}
        for k, some in enumerate(values):
            given.update(_renamed(k, some))
        return given


def _renamed(k: int, values: Any) -> dict[str, object]:
    return {f"w{k}_{name}": value for name, value in values.items()}


_TOGETHER: dict[tuple[tuple[Later, bool], ...], _Together] = {}
