"""An outage of the database: one line when it begins, one when it ends; strangers are told no address."""

import logging

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from worldloom.persistence.faults import reason
from worldloom.persistence.outage import Outage


def test_the_log_has_a_line_for_each_reason_and_one_for_the_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage("written")
    for _ in range(3):
        outage.failed("its disk is full", "no room at /srv")
    outage.failed("its disk fails", "I/O error")
    assert outage.why == "its disk fails"
    outage.worked()
    outage.worked()
    assert outage.why == ""
    assert caplog.messages == [
        "the database cannot be written, its disk is full: no room at /srv",
        "the database cannot be written, its disk fails: I/O error",
        "the database can be written again",
    ]


def test_where_the_caller_tells_people_the_log_stays_still(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outage = Outage("read", logging.DEBUG)
    outage.failed("it does not answer", "10.0.0.5")
    outage.worked()
    assert caplog.messages == []


def test_a_server_that_is_away_does_not_answer_wherever_it_is() -> None:
    engine = create_engine(
        "postgresql+psycopg://me:hunter2@127.0.0.1:9/x", connect_args={"connect_timeout": 1}
    )
    with pytest.raises(OperationalError) as caught:
        engine.connect()
    assert reason(caught.value) == "it does not answer"


def test_a_full_database_is_a_full_disk_and_what_is_not_known_is_in_the_log() -> None:
    with create_engine("sqlite://").connect() as base:
        base.execute(text("PRAGMA max_page_count=1"))
        with pytest.raises(OperationalError) as full:
            base.execute(text("CREATE TABLE much (x)"))
        with pytest.raises(OperationalError) as wrong:
            base.execute(text("SELECT nothing"))
    assert reason(full.value) == "its disk is full"
    assert reason(wrong.value) == "see the server's log"
    assert reason(RuntimeError("10.0.0.5")) == "see the server's log"
