"""What the store does about PostgreSQL alone: conflicts, lost connections, time limits."""

import hashlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from worldloom.errors import StoreBusy, StoreUnavailable
from worldloom.persistence import pool
from worldloom.persistence.engine import parse_url, postgres_engine
from worldloom.persistence.migrate import migrate
from worldloom.persistence.queries import SqlTx
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import AccountRow, Tx

NOBODY = "postgresql+psycopg://postgres@127.0.0.1:1/nothing"


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SqlStore]:
    opened = open_store(postgres_url)
    yield opened
    await opened.close()


def add(tx: Tx, name: str) -> int | None:
    return tx.insert_account(name, name, hashlib.sha256(name.encode()).digest(), 5)


def find(tx: Tx, name: str) -> AccountRow | None:
    return tx.account_by_skeleton(name)


class Conflicts:
    """A use case that the database rolls back for another's sake, some times."""

    def __init__(self, times: int, code: str) -> None:
        self.times, self.code, self.tried = times, code, 0

    def __call__(self, tx: SqlTx, name: str) -> int | None:
        self.tried += 1
        number = add(tx, name)
        if self.tried <= self.times:
            tx.connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{self.code}'; END $$"))
        return number


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_conflict_is_tried_again_as_a_whole(store: SqlStore, code: str) -> None:
    use_case = Conflicts(2, code)
    assert await store.run(use_case, "ann") is not None
    assert use_case.tried == 3
    assert store.stats().retries == 2


@pytest.mark.slow
async def test_a_conflict_without_end_is_given_up_as_busy_with_nothing_done(store: SqlStore) -> None:
    use_case = Conflicts(1000, "40001")
    with pytest.raises(StoreBusy, match="nothing was done"):
        await store.run(use_case, "ann")
    assert use_case.tried == pool.ATTEMPTS
    assert await store.read(find, "ann") is None


async def test_a_lost_connection_is_an_unknown_outcome_and_the_next_use_case_gets_another(
    store: SqlStore,
) -> None:
    def lose(tx: SqlTx, name: str) -> None:
        add(tx, name)
        tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StoreUnavailable, match="outcome is unknown"):
        await store.run(lose, "ann")
    assert await store.run(add, "bob") is not None
    assert await store.read(find, "ann") is None


async def test_connections_lost_while_idle_are_replaced_unnoticed(store: SqlStore) -> None:
    await store.run(add, "ann")
    await store.read(find, "ann")

    def lose_all_others(tx: SqlTx, _: None) -> None:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        tx.connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))

    await store.run(lose_all_others, None)
    assert await store.read(find, "ann") is not None


async def test_transactions_are_serializable_and_limited_in_time(store: SqlStore) -> None:
    def show(tx: SqlTx, name: str) -> object:
        return tx.connection.execute(text(f"SHOW {name}")).scalar()

    names = (
        "transaction_isolation",
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    )
    assert [await store.run(show, name) for name in names] == ["serializable", "5s", "2s", "10s"]
    assert await store.read(show, "transaction_isolation") == "repeatable read"
    assert await store.read(show, "transaction_read_only") == "on"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_store(NOBODY)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        migrate(NOBODY)


def test_what_was_planned_on_a_small_table_does_not_read_all_of_it_once_it_has_grown(
    postgres_url: str,
) -> None:
    engine = postgres_engine(parse_url(postgres_url), 1)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE pot (id bigint PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE lid (pot_id bigint REFERENCES pot (id))"))
        connection.execute(text("INSERT INTO pot VALUES (0)"))
        connection.execute(text("ANALYZE pot"))
        connection.execute(text("INSERT INTO lid VALUES (0)"))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO pot SELECT generate_series(1, 1000)"))
        connection.execute(text("INSERT INTO lid VALUES (1000)"))
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    with engine.begin() as connection:
        read = connection.execute(
            text("SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'pot'")
        ).scalar_one()
        connection.execute(text("DROP TABLE lid, pot"))
    engine.dispose()
    # To build the index and to analyse, all was read when there was one.
    assert read < 1000


def test_a_connection_that_rested_and_does_not_answer_makes_way_for_one_that_is_taken_as_it_is(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = postgres_engine(parse_url(postgres_url), 1)
    which = text("SELECT pg_backend_pid()")
    with engine.begin() as connection:
        first = connection.execute(which).scalar_one()

    def nobody_answers(_driver: object) -> bool:
        raise engine.dialect.loaded_dbapi.OperationalError("the connection is lost")

    monkeypatch.setattr(engine.dialect, "do_ping", nobody_answers)
    monkeypatch.setattr("worldloom.persistence.engine._TRUSTED_S", 0.0)
    with engine.begin() as connection:
        assert connection.execute(which).scalar_one() != first
    engine.dispose()
