"""Engines: how a database is reached and what every connection is set to. Knows no tables.

SQLite: WAL, synchronous FULL (a commit survives loss of power), no transaction but those we begin: ``BEGIN IMMEDIATE``
to write, so that what a use case reads cannot change before it writes; ``BEGIN`` on connections that may only read.
PostgreSQL: SERIALIZABLE, so that one use case means the same on both engines; who loses is tried again.
"""

import os
import selectors
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from worldloom.errors import ConfigError
from worldloom.persistence.known import ROAD
from worldloom.persistence.later import send_in_time

__all__ = [
    "READ_THREADS",
    "WRITE_THREADS",
    "parse_url",
    "postgres_engine",
    "sqlite_engine",
    "sqlite_path",
]

WRITE_THREADS = 8
"""Connections that write to PostgreSQL at once. SQLite has one writer."""
READ_THREADS = 4
"""Connections that read at once."""

_BUSY_TIMEOUT_MS = 10_000
_STATEMENT_TIMEOUT_MS = 5_000
_LOCK_TIMEOUT_MS = 2_000
_IDLE_TIMEOUT_MS = 10_000
_CONNECT_TIMEOUT_S = 3
_BY_INDEX = {"enable_seqscan": "off"}
"""For whoever writes: all that it asks for it finds by an index.

A plan is kept for as long as nobody analyses the table, that of a foreign key's check too. One that was made while the
table was small would read all of it at each trade when it has grown.
"""
_TRUSTED_S = 1.0
"""For so long a connection that rests is taken to be there."""
_SINCE = "resting since"


def parse_url(url: str) -> URL:
    """Check a database URL and complete its driver.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE``.

    Raises:
        ConfigError: It is neither, or names no file.
    """
    expected = "expected sqlite:///PATH or postgresql+psycopg://..."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(f"storage.url: {expected}, got something that is no URL") from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite" if parsed.database and parsed.database != ":memory:":
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
    raise ConfigError(f"storage.url: {expected}, got {parsed.render_as_string(hide_password=True)!r}")


def sqlite_path(url: URL) -> Path | None:
    """The database file of a parsed URL; None when it is no SQLite database."""
    if url.get_backend_name() != "sqlite":
        return None
    return Path(url.database or "").absolute()


def sqlite_engine(path: Path, begin: str, pragmas: dict[str, str | int], threads: int = 0) -> Engine:
    """An engine over a SQLite file; the file is made with mode 0600 if it is missing.

    Args:
        path: The file; its folder is made if missing.
        begin: The statement that opens a transaction.
        pragmas: Set on each new connection, after WAL, synchronous and the busy timeout.
        threads: Connections kept open; 0 for one at a time, closed by its owner.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    pooled: dict[str, Any] = {"pool_size": threads, "max_overflow": 0} if threads else {"poolclass": NullPool}
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)), connect_args={"check_same_thread": False}, **pooled
    )
    settings = {"journal_mode": "WAL", "synchronous": "FULL", "busy_timeout": _BUSY_TIMEOUT_MS, **pragmas}

    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing of its own accord
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name}={value}").close()

    def open_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", open_transaction)
    return engine


def postgres_engine(url: URL, threads: int, read_only: bool = False) -> Engine:
    """An engine over PostgreSQL, with time limits on statements, locks and idling.

    A connection is asked whether it is still there before it is used, if it rested for a while or something came over
    it meanwhile: a server that goes says so. One that was just made is taken as it is. To ask each time would be one
    more journey for each trade.

    Args:
        url: From ``parse_url``.
        threads: Connections, at most.
        read_only: For queries on one consistent picture, which wait for nobody; else SERIALIZABLE.
    """
    settings = {
        "statement_timeout": _STATEMENT_TIMEOUT_MS,
        "lock_timeout": _LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": _IDLE_TIMEOUT_MS,
        **({} if read_only else _BY_INDEX),
    }
    engine = create_engine(
        url,
        isolation_level="REPEATABLE READ" if read_only else "SERIALIZABLE",
        execution_options={"postgresql_readonly": read_only},
        pool_size=threads,
        max_overflow=0,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "application_name": "worldloom",
            # Whoever writes has known statements prepared (``road``). The driver would prepare others, and let go of
            # all that is prepared, ours too, when something is dropped or undone.
            **({} if read_only else {"prepare_threshold": None}),
        },
    )

    send_in_time(engine)
    _tend(engine)
    return engine


def _tend(engine: Engine) -> None:
    """Give each connection its road, and ask it whether it is still there where that is in doubt."""

    def rested(_driver: Any, record: Any) -> None:
        record.info[_SINCE] = time.monotonic()

    def check(driver: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_SINCE)
        # One that was made just now: were it asked, and lost already, there would be no third try.
        if since is None or (time.monotonic() - since < _TRUSTED_S and not _has_news(driver)):
            return
        try:
            engine.dialect.do_ping(driver)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError(str(error)) from error

    def connected(driver: Any, record: Any) -> None:
        record.info[ROAD] = import_module("worldloom.persistence.road").Road(driver)

    def reset(driver: Any, record: Any, _state: Any) -> None:
        if driver is not None and driver.info.transaction_status:
            # The driver undoes what was left, and forgets all that is prepared.
            record.info[ROAD].forget()

    event.listen(engine, "connect", connected)
    event.listen(engine, "reset", reset)
    event.listen(engine, "checkin", rested)
    event.listen(engine, "checkout", check)


def _has_news(driver: Any) -> bool:
    """Whether something came that nobody has read: notice of the end, or the end itself."""
    with selectors.DefaultSelector() as watched:
        watched.register(driver.fileno(), selectors.EVENT_READ)
        return bool(watched.select(0))
