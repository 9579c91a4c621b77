"""The road to PostgreSQL: what goes together is answered as if it went by itself, and fails so."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import URL, Connection, Engine, make_url, text
from sqlalchemy.exc import DBAPIError, StatementError

from order_people import NOW
from traders import buying, for_sale, own, trader
from worldloom.errors import StoreUnavailable
from worldloom.persistence import road
from worldloom.persistence.engine import parse_url, postgres_engine
from worldloom.persistence.known import ROAD, Known
from worldloom.persistence.road import Road
from worldloom.persistence.store import open_store
from worldloom.ports import Tx, locks_first
from worldloom.services import market
from worldloom.services.receipts import Outcome, once

_ADD = Known(text("INSERT INTO cup (id) VALUES (CAST(:id AS bigint))"))
_COUNT = Known(text("SELECT count(*) FROM cup WHERE id < CAST(:below AS bigint)"))
_ECHO = Known(
    text(
        "SELECT CAST(:number AS bigint), CAST(:words AS text), CAST(:raw AS bytea), CAST(:yes AS boolean),"
        " CAST(:nothing AS text), CAST(:numbers AS bigint[]), CAST(:flags AS boolean[]), CAST(:raws AS bytea[]),"
        " '100%'"
    )
)
_DIVIDE = Known(text("SELECT 1 / CAST(:by AS integer)"))


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    made = postgres_engine(parse_url(postgres_url), 1)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE cup (id bigint PRIMARY KEY)"))
    yield made
    with made.begin() as connection:
        connection.execute(text("DROP TABLE cup"))
    made.dispose()


@pytest.fixture
def journeys(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is sent by each journey from now on: of each statement its first words."""
    sent: list[list[str]] = []
    goes = Road._go

    def note(road: Road, asked: Any) -> Any:
        sent.append([" ".join(what.sql.decode().split()[:2]) for what, _ in asked])
        return goes(road, asked)

    monkeypatch.setattr(Road, "_go", note)
    return sent


def test_values_of_every_kind_come_back_as_they_went(engine: Engine) -> None:
    given = {
        "number": -(2**62),
        "words": "Grüße, 'quoted' \\ and %",
        "raw": bytes(range(256)),
        "yes": True,
        "nothing": None,
        "numbers": [1, -(2**40)],
        "flags": [True, False],
        "raws": [b"", b"\x00\xff'\"\\"],
    }
    with engine.begin() as connection:
        assert list(_ECHO.one(connection, given)) == [*given.values(), "100%"]


def test_what_it_has_no_words_for_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(StatementError, match="expected a number, text"):
        _COUNT.value(connection, {"below": object()})


def test_a_question_that_goes_along_is_answered_as_of_then_and_costs_no_journey(
    engine: Engine, journeys: list[list[str]]
) -> None:
    with engine.begin() as connection:
        _COUNT.ask_along(connection, {"below": 9})
        _ADD.run(connection, {"id": 1})
        assert _COUNT.value(connection, {"below": 9}) == 1
        assert journeys == [["BEGIN ISOLATION", "INSERT INTO", "SELECT count(*)"]]
        _ADD.run(connection, {"id": 2})
        assert _COUNT.value(connection, {"below": 9}) == 2


def test_another_question_than_went_along_is_asked(engine: Engine) -> None:
    with engine.begin() as connection:
        _COUNT.ask_along(connection, {"below": 9})
        _ADD.run(connection, {"id": 5})
        assert _COUNT.value(connection, {"below": 5}) == 0


def test_what_was_answered_along_is_not_told_in_the_next_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        with connection.begin() as undone:
            _COUNT.ask_along(connection, {"below": 9})
            _ADD.run(connection, {"id": 1})
            undone.rollback()
        with connection.begin():
            _ADD.run(connection, {"id": 3})
            _ADD.run(connection, {"id": 4})
            assert _COUNT.value(connection, {"below": 9}) == 2


def test_what_comes_after_a_statement_that_fails_is_not_run(engine: Engine) -> None:
    def fails(connection: Connection) -> None:
        _ADD.run(connection, {"id": 1})
        _COUNT.ask_along(connection, {"below": 9})
        _DIVIDE.value(connection, {"by": 0})

    with pytest.raises(DBAPIError, match="division by zero"), engine.begin() as connection:
        fails(connection)
    with engine.begin() as connection:
        assert not connection.info[ROAD].told
        assert _DIVIDE.value(connection, {"by": 1}) == 1
        assert _COUNT.value(connection, {"below": 9}) == 0


def test_what_is_prepared_stays_so_whatever_is_undone_or_dropped(engine: Engine) -> None:
    some = text("SELECT id FROM cup WHERE id = :id")
    for _ in range(3):
        with engine.connect() as connection, connection.begin():
            for number in range(10):
                connection.execute(some, {"id": number})
            assert _DIVIDE.value(connection, {"by": 1}) == 1
            connection.begin_nested().rollback()
            assert _DIVIDE.value(connection, {"by": 1}) == 1
            connection.execute(text("CREATE TABLE pot (id bigint)"))
            connection.execute(text("DROP TABLE pot"))
            assert _DIVIDE.value(connection, {"by": 1}) == 1


class Line:
    """A way to PostgreSQL that can fall silent: nothing comes over it any more, and nothing says so."""

    def __init__(self) -> None:
        self.port = 0
        self.speaks = asyncio.Event()
        self.speaks.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: URL) -> None:
        there, back = await asyncio.open_connection(url.host, url.port or 5432)
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                await self.speaks.wait()
                target.write(data)
        target.close()


@pytest.fixture
async def line(postgres_url: str) -> AsyncIterator[Line]:
    made, url = Line(), make_url(postgres_url)
    server = await asyncio.start_server(lambda *ends: made.take(*ends, url), "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.speaks.set()
    server.close()


async def test_a_database_that_falls_silent_is_waited_for_so_long_and_then_reached_anew(
    postgres_url: str, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(road, "_SILENT_S", 0.3)
    url = make_url(postgres_url).set(host="127.0.0.1", port=line.port)
    store = await asyncio.to_thread(open_store, url.render_as_string(hide_password=False))

    @locks_first
    def look(tx: Tx, _: None) -> int | None:
        return tx.parcels_owned(1)

    before = await store.run(look, None)
    line.speaks.clear()
    with pytest.raises(StoreUnavailable, match="outcome is unknown: expected an answer within"):
        await asyncio.wait_for(store.run(look, None), 10)
    line.speaks.set()
    assert await asyncio.wait_for(store.run(look, None), 10) == before
    await store.close()


async def test_a_purchase_is_four_journeys(postgres_url: str, journeys: list[list[str]]) -> None:
    store = open_store(postgres_url)
    ann, bob = await store.run(_two, None)
    offer = await store.run(market.sell, for_sale(ann, 1, 1_000))

    @locks_first
    def buy(tx: Tx, _: None) -> Outcome:
        wish = buying(bob, offer)
        return once(tx, bob.account, bytes(16), b"buy", NOW, lambda: market.buy(tx, wish).transfer)

    journeys.clear()
    outcome = await asyncio.wait_for(store.run(buy, None), 10)
    await store.close()
    assert not outcome.refused
    assert journeys == [
        ["BEGIN ISOLATION", "INSERT INTO"],
        ["SELECT listing.id,", "SELECT id,", "SELECT lease.id,"],
        ["WITH leg", "SELECT coalesce(sum(estate.parcels),"],
        ["WITH dropped", "COMMIT"],
    ]


def _two(tx: Tx, _: None) -> tuple[Any, Any]:
    ann, bob = trader(tx, "Ann"), trader(tx, "Bob", 10_000)
    own(tx, ann, (0, 0))
    return ann, bob
