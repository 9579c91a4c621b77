"""Writes of which nothing is asked: on both engines whoever asks afterwards sees them, and what is undone never was."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from worldloom.errors import StoreUnavailable
from worldloom.persistence.engine import parse_url, postgres_engine, sqlite_engine, sqlite_path
from worldloom.persistence.known import ROAD, Known
from worldloom.persistence.later import Later
from worldloom.persistence.marks import SAVE
from worldloom.persistence.queries import SqlTx
from worldloom.realm.money import Currency

tables = MetaData()
cup = Table("cup", tables, Column("id", BigInteger, primary_key=True), Column("colour", Text, nullable=False))
washed = Table("washed", tables, Column("cup_id", BigInteger, primary_key=True))

_ADD = Later(made=Known(insert(cup), "id", "colour"))
_PAINTING = update(cup).where(cup.c.id == bindparam("of")).values(colour=bindparam("with"))
_PAINT = Later(painted=Known({"sqlite": _PAINTING, "postgresql": _PAINTING.returning(cup.c.id)}))
_WASH_ALL = Later(
    found=Known(select(cup.c.id)),
    washed=Known(
        {
            "sqlite": text("INSERT INTO washed (cup_id) SELECT id FROM cup"),
            "postgresql": text("INSERT INTO washed (cup_id) SELECT id FROM found"),
        }
    ),
)
_ALL = Known(select(cup.c.id, cup.c.colour).order_by(cup.c.id))


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    url = parse_url(store_url)
    path = sqlite_path(url)
    made = postgres_engine(url, 2) if path is None else sqlite_engine(path, "BEGIN IMMEDIATE", {})
    tables.create_all(made)
    yield made
    tables.drop_all(made)
    made.dispose()


def all_of(engine: Engine) -> list[tuple[Any, ...]]:
    with engine.begin() as connection:
        return [tuple(row) for row in _ALL.rows(connection)]


def test_what_is_asked_afterwards_sees_it_however_it_is_asked(engine: Engine) -> None:
    with engine.begin() as connection:
        _ADD.run(connection, {"id": 1, "colour": "red"})
        assert [tuple(row) for row in _ALL.rows(connection)] == [(1, "red")]
        _ADD.run(connection, {"id": 2, "colour": "blue"})
        assert connection.execute(select(func.count()).select_from(cup)).scalar_one() == 2


def test_what_nobody_asks_after_is_there_when_it_is_committed(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(1, 4):
            _ADD.run(connection, {"id": number, "colour": "red"})
    assert all_of(engine) == [(1, "red"), (2, "red"), (3, "red")]


def test_a_row_that_is_written_to_twice_is_as_it_was_written_last(engine: Engine) -> None:
    with engine.begin() as connection:
        _ADD.run(connection, {"id": 1, "colour": "red"})
        _PAINT.run(connection, {"of": 1, "with": "blue"})
    with engine.begin() as connection:
        _PAINT.run(connection, {"of": 1, "with": "green"})
        _PAINT.run(connection, {"of": 1, "with": "white"})
    assert all_of(engine) == [(1, "white")]


def test_a_step_reads_what_the_one_before_it_returns(engine: Engine) -> None:
    with engine.begin() as connection:
        _ADD.run(connection, {"id": 7, "colour": "red"})
    with engine.begin() as connection:
        _WASH_ALL.run(connection, {})
        assert connection.execute(select(washed.c.cup_id)).scalars().all() == [7]


def test_what_is_undone_is_not_sent_with_the_next_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        with connection.begin() as begun:
            _ADD.run(connection, {"id": 1, "colour": "red"})
            begun.rollback()
        with connection.begin():
            _ADD.run(connection, {"id": 2, "colour": "blue"})
    assert all_of(engine) == [(2, "blue")]


def test_it_fails_by_the_commit_at_the_latest_and_then_nothing_is_done(engine: Engine) -> None:
    def adds_twice(connection: Connection) -> None:
        _ADD.run(connection, {"id": 5, "colour": "red"})
        _ADD.run(connection, {"id": 5, "colour": "a secret colour"})

    with pytest.raises(IntegrityError) as failed, engine.begin() as connection:
        adds_twice(connection)
    assert "a secret colour" not in str(failed.value)
    assert all_of(engine) == []


def test_whoever_counts_on_one_row_gets_it(engine: Engine) -> None:
    with engine.begin() as connection:
        _ADD.run(connection, {"id": 1, "colour": "red"})
    with engine.begin() as connection:
        _WASH_ALL.run(connection, {})
        _PAINT.run(connection, {"of": 1, "with": "blue"}, StoreUnavailable("expected cup 1, got none"))
    assert all_of(engine) == [(1, "blue")]


def test_whoever_counts_on_one_row_is_told_when_there_is_none_and_nothing_is_done(engine: Engine) -> None:
    def paints_none() -> None:
        with engine.begin() as connection:
            _ADD.run(connection, {"id": 2, "colour": "red"})
            _PAINT.run(connection, {"of": 1, "with": "blue"}, StoreUnavailable("expected cup 1, got none"))

    with pytest.raises(StoreUnavailable, match="expected cup 1"):
        paints_none()
    assert all_of(engine) == []


def test_who_starts_over_has_done_nothing_and_goes_on(engine: Engine) -> None:
    with engine.begin() as connection:
        marks(connection)
        connection.execute(insert(cup), {"id": 1, "colour": "red"})
        _ADD.run(connection, {"id": 2, "colour": "red"})
        SqlTx(connection, Currency()).start_over()
        _ADD.run(connection, {"id": 3, "colour": "red"})
    assert all_of(engine) == [(3, "red")]


def marks(connection: Connection) -> None:
    """As whoever runs use cases does."""
    if connection.dialect.name == "sqlite":
        SAVE.run(connection)


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
def test_on_postgresql_a_transaction_of_them_is_one_journey(engine: Engine) -> None:
    sent: list[list[bytes]] = []
    with engine.begin() as connection:
        _ADD.run(connection, {"id": 2, "colour": "red"})
    with engine.begin() as connection:
        watch(connection, sent)
        _ADD.run(connection, {"id": 1, "colour": "red"})
        _WASH_ALL.run(connection, {})
        _PAINT.run(connection, {"of": 2, "with": "blue"}, StoreUnavailable("expected cup 2, got none"))
        assert sent == []
    assert [first for first, *_ in sent] == [b"BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"]
    assert [last for *_, last in sent] == [b"COMMIT"]
    assert all_of(engine) == [(1, "red"), (2, "blue")]


def watch(connection: Connection, sent: list[list[bytes]]) -> None:
    """Note what is sent by each journey."""
    road = connection.info[ROAD]
    goes = road._go
    road._go = lambda asked: sent.append([what.sql for what, _ in asked]) or goes(asked)
