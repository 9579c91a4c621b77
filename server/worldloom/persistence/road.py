"""The road to PostgreSQL: known statements, several to a journey, prepared once on each connection.

A statement that goes by itself costs either side more than it takes to be run: to be written and read, and to wait for.
So what begins a transaction goes with its first statement, what ends it with its last, and a question that is
certain to follow with the one before it. By libpq, as the driver hands it out; all else is the driver's.
"""

import itertools
import re
import select
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus

__all__ = ["Answer", "Prepared", "Road"]

_VALUE: Final = re.compile(r"%(?:\((\w+)\)s|%)")
_DONE, _ROWS = int(ExecStatus.COMMAND_OK), int(ExecStatus.TUPLES_OK)
_IDLE, _BAD = int(TransactionStatus.IDLE), int(ConnStatus.BAD)
_TEXT, _BINARY = Format.TEXT, Format.BINARY
_SILENT_S = 30.0
"""Nothing may come, or be taken, for so long: PostgreSQL itself ends each statement sooner."""
_numbers = itertools.count(1)


class Prepared:
    """A statement as PostgreSQL is handed it.

    Args:
        sql: With ``%(name)s`` for each value, as for the driver.
    """

    __slots__ = ("names", "sql")

    def __init__(self, sql: str) -> None:
        places: dict[str, int] = {}

        def place(found: re.Match[str]) -> str:
            name = found[1]
            return "%" if name is None else f"${places.setdefault(name, len(places) + 1)}"

        self.sql = _VALUE.sub(place, sql).encode()
        self.names = tuple(places)


class Answer:
    """What came back: the part of a cursor that is asked for."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[tuple[Any, ...]], rowcount: int) -> None:
        self._rows, self.rowcount = rows, rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first row; None if there is none."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> Sequence[tuple[Any, ...]]:
        """All rows."""
        return self._rows


_COMMIT, _ROLLBACK = Prepared("COMMIT"), Prepared("ROLLBACK")
_BEGIN: dict[tuple[Any, Any], Prepared] = {}


class Road:
    """Of one connection of the driver's. Whoever uses that one uses this one, and nobody else meanwhile.

    Attributes:
        along: Questions that go with the next statement, behind it, by who asks them: a statement and its values.
        told: What they were answered, by who asked: values and answer; until it is asked for, or the transaction ends.
    """

    def __init__(self, driver: "psycopg.Connection[Any]") -> None:
        self._driver, self._way = driver, driver.pgconn
        self._names: dict[Prepared, bytes] = {}
        self._reads = Transformer(driver)
        self._arrival = select.poll()
        self._arrival.register(self._way.socket, select.POLLIN)
        self.along: dict[object, tuple[Prepared, Mapping[str, object]]] = {}
        self.told: dict[object, tuple[Mapping[str, object], Answer]] = {}

    def ask(self, what: Prepared, values: Mapping[str, object], commits: bool = False) -> Answer:
        """Have a statement run, and what goes along with it.

        Args:
            what: The statement.
            values: At least those that it names.
            commits: Whether the transaction ends with it, if it can be run.

        Raises:
            psycopg.Error: As the driver would raise it. What comes after it was not run.
        """
        asked, along = [(what, values)], self.along
        if along:
            asked += along.values()
            self.along = {}
        begins = self._way.transaction_status == _IDLE and not self._driver.autocommit
        if begins:
            self.told.clear()
            asked.insert(0, (self._begin(), {}))
        if commits:
            asked.append((_COMMIT, {}))
        answers = self._go(asked)[begins:]
        for who, (_, given), answer in zip(along, along.values(), answers[1:], strict=False):
            self.told[who] = given, answer
        return answers[0]

    def undo(self) -> None:
        """Undo the transaction, if there is one: the driver would forget what is prepared, ours among it."""
        self.along, self.told = {}, {}
        if self._way.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            self._go([(_ROLLBACK, {})])

    def forget(self) -> None:
        """What was prepared may be so no longer: it is prepared anew, under another name, when it is asked."""
        self._names.clear()

    def _begin(self) -> Prepared:
        kind = self._driver.isolation_level, self._driver.read_only
        begin = _BEGIN.get(kind)
        if begin is None:
            level, read_only = kind
            words = ["BEGIN"]
            if level is not None:
                words.append(f"ISOLATION LEVEL {level.name.replace('_', ' ')}")
            if read_only is not None:
                words.append("READ ONLY" if read_only else "READ WRITE")
            begin = _BEGIN[kind] = Prepared(" ".join(words))
        return begin

    def _go(self, asked: Sequence[tuple[Prepared, Mapping[str, object]]]) -> list[Answer]:
        """There and back, once; an answer for each."""
        told = [(what, *_given(what, values)) for what, values in asked]
        self._way.enter_pipeline_mode()
        try:
            results = self._travel(told)
            self._way.exit_pipeline_mode()
        except BaseException:
            # Nobody knows what is on its way yet: the connection is lost.
            self._way.finish()
            raise
        for result in results:
            if result.status not in (_DONE, _ROWS):
                raise error_from_result(result)
        return [self._read(result) for result in results]

    def _travel(self, told: Sequence[tuple[Prepared, list[bytes | None], list[Format]]]) -> list[Any]:
        """Send all of it, and wait for what comes back: a result for each, or more if one could not be prepared."""
        way, names = self._way, self._names
        new: dict[Prepared, bytes] = {}
        # By place: what comes back, and whether it only says that a statement is prepared.
        expected: list[Prepared | None] = []
        for what, given, forms in told:
            name = names.get(what) or new.get(what)
            if name is None:
                name = new[what] = b"known %d" % next(_numbers)
                way.send_prepare(name, what.sql)
                expected.append(what)
            way.send_query_prepared(name, given, forms, _BINARY)
            expected.append(None)
        way.pipeline_sync()
        results = []
        for prepared in expected:
            result = self._next()
            self._next()  # the end of this one's
            if prepared is None or result.status != _DONE:
                results.append(result)
            else:
                names[prepared] = new[prepared]
        self._next()  # the end of all
        return results

    def _next(self) -> Any:
        """The next result, once it is there. Other threads go on meanwhile.

        Raises:
            psycopg.OperationalError: The connection is lost, or nothing comes for ``_SILENT_S``.
        """
        way = self._way
        while way.flush():
            if not any(select.select([way.socket], [way.socket], [], _SILENT_S)):
                raise _silent()
            way.consume_input()
        while way.is_busy():
            if not self._arrival.poll(1_000 * _SILENT_S):
                raise _silent()
            way.consume_input()
        if way.status == _BAD:
            raise psycopg.OperationalError(f"expected an answer, got none: {way.get_error_message()}")
        return way.get_result()

    def _read(self, result: Any) -> Answer:
        if result.status != _ROWS:
            return Answer((), result.command_tuples or 0)
        self._reads.set_pgresult(result)
        return Answer(self._reads.load_rows(0, result.ntuples, tuple), result.ntuples)


def _silent() -> psycopg.OperationalError:
    return psycopg.OperationalError(f"expected an answer within {_SILENT_S:g} s, got none")


# ---- values, as PostgreSQL reads them


def _given(what: Prepared, values: Mapping[str, object]) -> tuple[list[bytes | None], list[Format]]:
    given = [values[name] for name in what.names]
    return [_told(value) for value in given], [_BINARY if type(value) is bytes else _TEXT for value in given]


def _told(value: object) -> bytes | None:
    tell = _TELL.get(type(value))
    if tell is None:
        tell = next((tell for kind, tell in _TELL.items() if isinstance(value, kind)), None)
        if tell is None or not isinstance(value, Enum):
            raise TypeError(
                f"expected a number, text, bytes, a list of them or None, got {type(value).__name__}"
            )
        value = value.value
    return tell(value)


def _list(values: Any) -> bytes:
    return b"{" + b",".join([_element(value) for value in values]) + b"}"


def _element(value: object) -> bytes:
    if isinstance(value, bytes):
        return b'"\\\\x' + value.hex().encode() + b'"'
    if isinstance(value, str):
        raise TypeError("expected a list of numbers or bytes, got one of text")
    told = _told(value)
    return b"NULL" if told is None else told


_TELL: Final[dict[type, Callable[[Any], bytes | None]]] = {
    int: lambda value: b"%d" % value,
    str: str.encode,
    bytes: lambda value: value,
    bool: lambda value: b"t" if value else b"f",
    float: lambda value: repr(value).encode(),
    list: _list,
    type(None): lambda _: None,
}
