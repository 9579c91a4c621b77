"""Known statements: on both engines they give what the connection gives, and fail as it does."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    column,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from databases import psql
from worldloom.persistence.engine import parse_url, postgres_engine, sqlite_engine, sqlite_path
from worldloom.persistence.known import Known


class Half(TypeDecorator[int]):
    """Stored doubled: the driver knows nothing of it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Any) -> Any:
        return value * 2

    def process_result_value(self, value: Any, _dialect: Any) -> Any:
        return value // 2


cup = Table(
    "cup",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("colour", Text, nullable=False),
    Column("mark", LargeBinary),
)
_ADD = Known(insert(cup), "id", "colour", "mark")
_ONE = Known(select(cup).where(cup.c.id == bindparam("number", type_=BigInteger)))
_ALL = Known(select(cup.c.id, func.length(cup.c.colour)).order_by(cup.c.id))
_PAINT = Known(update(cup).where(cup.c.id > bindparam("above")).values(colour=bindparam("with")))


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    url = parse_url(store_url)
    path = sqlite_path(url)
    made = postgres_engine(url, 2) if path is None else sqlite_engine(path, "BEGIN IMMEDIATE", {})
    cup.metadata.create_all(made)
    yield made
    cup.metadata.drop_all(made)
    made.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as made, made.begin():
        yield made


def fill(connection: Connection, count: int = 3) -> None:
    rows = [{"id": k, "colour": "red" * k, "mark": bytes([0, k, 255])} for k in range(1, count + 1)]
    _ADD.each(connection, rows)


def test_rows_are_those_of_the_connection_by_place_and_by_name(connection: Connection) -> None:
    fill(connection)
    there = connection.execute(select(cup).where(cup.c.id == 2)).one()
    row = _ONE.one(connection, {"number": 2})
    assert tuple(row) == tuple(there) == (2, "redred", b"\x00\x02\xff")
    assert (row.id, row.colour, row.mark) == tuple(there)
    assert _ONE.one(connection, {"number": 9}) is None
    assert [tuple(row) for row in _ALL.rows(connection)] == [(1, 3), (2, 6), (3, 9)]


def test_one_value_and_how_many_were_changed(connection: Connection) -> None:
    fill(connection)
    assert _ONE.value(connection, {"number": 3}) == 3
    assert _ONE.value(connection, {"number": 9}) is None
    assert _PAINT.changed(connection, {"above": 1, "with": "blue"}) == 2
    assert _PAINT.changed(connection, {"above": 9, "with": "blue"}) == 0
    assert [row.colour for row in connection.execute(select(cup).order_by(cup.c.id))] == [
        "red",
        "blue",
        "blue",
    ]


def test_a_statement_for_each_engine(connection: Connection) -> None:
    names = {name: text(f"SELECT '{name}' WHERE :yes = 1") for name in ("sqlite", "postgresql")}
    assert Known(names).value(connection, {"yes": 1}) == connection.dialect.name


def test_it_is_part_of_the_connections_transaction(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin() as undone:
        fill(connection)
        undone.rollback()
    with engine.begin() as connection:
        assert _ALL.rows(connection) == []
        fill(connection)
    with engine.begin() as connection:
        assert len(_ALL.rows(connection)) == 3


def test_outside_a_transaction_nothing_is_run(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(RuntimeError, match="in a transaction"):
        fill(connection)


def test_it_fails_as_the_connection_does_and_tells_no_values(connection: Connection) -> None:
    fill(connection)
    secret = {"id": 1, "colour": "a secret colour", "mark": None}
    with pytest.raises(IntegrityError) as known, connection.begin_nested():
        _ADD.run(connection, secret)
    with pytest.raises(IntegrityError) as usual, connection.begin_nested():
        connection.execute(insert(cup), secret)
    assert type(known.value.orig) is type(usual.value.orig)
    assert "a secret colour" not in str(known.value)
    assert not known.value.connection_invalidated


@pytest.mark.parametrize(
    "statement",
    [
        select(cup).where(cup.c.id.in_(bindparam("numbers", expanding=True))),
        select(cup.c.id).where(cup.c.id == bindparam("numbers", type_=Half())),
        select(column("half", Half())).select_from(cup),
    ],
)
def test_what_would_need_converting_is_refused(statement: Select[Any], connection: Connection) -> None:
    with pytest.raises(TypeError, match="expected "):
        Known(statement).rows(connection, {"numbers": [1]})


def test_a_lost_connection_is_given_up(postgres_url: str) -> None:
    engine = postgres_engine(parse_url(postgres_url), 1)
    number = Known(text("SELECT pg_backend_pid()"))
    with engine.connect() as connection:
        begun = connection.begin()
        gone = number.value(connection)
        psql(postgres_url, f"SELECT pg_terminate_backend({gone})")
        with pytest.raises(OperationalError) as lost:
            number.value(connection)
        begun.rollback()
        assert lost.value.connection_invalidated
    with engine.begin() as connection:
        assert number.value(connection) != gone
    engine.dispose()


def test_a_wrong_statement_says_which(connection: Connection) -> None:
    with pytest.raises(DBAPIError, match="SELECT nothing FROM nowhere"):
        Known(text("SELECT nothing FROM nowhere")).rows(connection)
