"""Store: ``ports.Store`` over SQL. Composes an engine, a writer and readers; knows no use case.

No use case runs on the event loop's thread. Whoever is cancelled while waiting does not know the outcome: the
work goes on.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from worldloom.errors import ConfigError
from worldloom.persistence.engine import (
    READ_THREADS,
    WRITE_THREADS,
    parse_url,
    postgres_engine,
    sqlite_engine,
    sqlite_path,
)
from worldloom.persistence.faults import naming_the_file
from worldloom.persistence.jobs import Job
from worldloom.persistence.lock import FileLock, lock_path
from worldloom.persistence.outage import Outage
from worldloom.persistence.pool import TransactionPool
from worldloom.persistence.queries import SqlTx
from worldloom.persistence.revisions import check_current
from worldloom.persistence.writer import TURN_MS, GroupWriter
from worldloom.ports import Tx
from worldloom.realm.money import Currency

__all__ = ["QUEUE_LIMIT", "SqlStore", "StoreStats", "open_beside", "open_store"]

QUEUE_LIMIT = 10_000
"""Use cases that may wait, unless told otherwise."""
_BESIDE_TIMEOUT_MS = 3_000
"""How long a command waits for SQLite's lock: somebody sits before it."""

_CROWN = Currency()

C = TypeVar("C")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class StoreStats:
    """How the store does, since it was opened."""

    queued: int
    """Writes that wait now."""
    reading: int
    """Queries that wait or run now."""
    commits: int
    """Use cases whose effects are durable."""
    batches: int
    """Commits of the database; several use cases share one on SQLite."""
    reads: int
    """Queries answered."""
    busy: int
    """Requests refused because too much waited."""
    retries: int
    """Attempts repeated because another transaction got in the way."""
    last_error: str
    """The last failure of the database, or empty."""
    write_fault: str
    """Why the database cannot be written, in words for everybody; empty when the last write that was tried worked."""
    read_fault: str
    """Why it cannot be read, likewise."""


class _Runner(Protocol):
    commits: int
    batches: int
    busy: int
    retries: int
    last_error: str
    outage: Outage

    @property
    def queued(self) -> int: ...

    def submit(self, job: Job) -> None: ...

    def close(self) -> None: ...


class SqlStore:
    """Runs use cases, each in a transaction. Made by ``open_store``.

    Args:
        writer: Runs what writes.
        reader: Runs what only reads.
        lock: Held as long as the store is open; None where many servers may share a database.
    """

    def __init__(self, writer: _Runner, reader: _Runner, lock: FileLock | None) -> None:
        self._writer = writer
        self._reader = reader
        self._lock = lock

    async def run(self, use_case: Callable[[Tx, C], R], command: C) -> R:
        """Run a use case that writes; return after its commit is durable.

        A ``Refusal`` that it raises rolls back its own effects alone and is raised here. Being cancelled does not
        stop it: the outcome is then unknown.

        Raises:
            StoreBusy: Too much is waiting; nothing was done.
            StoreUnavailable: The outcome is unknown.
        """
        return await _submit(self._writer, use_case, command)

    async def read(self, query: Callable[[Tx, C], R], command: C) -> R:
        """Run a query that writes nothing, on a consistent picture, beside the writers.

        Raises:
            StoreBusy: Too much is waiting.
            StoreUnavailable: The database cannot be reached.
        """
        return await _submit(self._reader, query, command)

    async def probe(self) -> None:
        """Write what changes nothing, to find out whether the database can be written.

        Raises:
            StoreUnavailable: It cannot.
        """
        await self.run(_touch, None)

    def stats(self) -> StoreStats:
        """How the store does. From any thread."""
        writer, reader = self._writer, self._reader
        return StoreStats(
            queued=writer.queued,
            reading=reader.queued,
            commits=writer.commits,
            batches=writer.batches,
            reads=reader.commits,
            busy=writer.busy + reader.busy,
            retries=writer.retries + reader.retries,
            last_error=writer.last_error or reader.last_error,
            write_fault=writer.outage.why,
            read_fault=reader.outage.why,
        )

    async def close(self) -> None:
        """Finish everything that waits, then close. What comes meanwhile is refused with StoreUnavailable."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        # The writer last: the last connection of a SQLite database folds the log in.
        self._reader.close()
        self._writer.close()
        if self._lock is not None:
            self._lock.close()


def _touch(tx: Tx, _: None) -> None:
    if isinstance(tx, SqlTx):
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")


async def _submit(runner: _Runner, use_case: Callable[[Tx, C], R], command: C) -> R:
    job = Job(use_case, command, asyncio.get_running_loop())
    runner.submit(job)
    result: R = await job.future
    return result


def open_store(url: str, queue_limit: int = QUEUE_LIMIT, currency: Currency = _CROWN) -> SqlStore:
    """Open a database that ``migrate`` has brought up to date. Blocks; call it at start.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
        queue_limit: Writes (and, apart from them, queries) that may wait before StoreBusy.
        currency: How amounts are written in what people read.

    Raises:
        ConfigError: The URL is of no known kind, or its file cannot be made.
        StoreUnavailable: The database cannot be reached.
        WorldloomError: It is damaged, its tables are not what this program expects, or another server is using it.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is not None:
        with naming_the_file(path):
            return _open_sqlite(path, queue_limit, currency)
    writing = postgres_engine(parsed, WRITE_THREADS)
    try:
        check_current(writing)
    except BaseException:
        writing.dispose()
        raise
    reading = postgres_engine(parsed, READ_THREADS, read_only=True)
    return SqlStore(
        TransactionPool(writing, WRITE_THREADS, queue_limit, "store-writer", Outage("written"), currency),
        TransactionPool(reading, READ_THREADS, queue_limit, "store-reader", Outage("read"), currency),
        None,
    )


def open_beside(url: str, currency: Currency = _CROWN) -> SqlStore:
    """Open a world's database for a few commands, whether a server is running on it or not. Blocks.

    Takes no lock and folds no log in: both are the server's. Each use case is committed by itself, as soon as the
    server lets it between two of its own commits.

    Args:
        url: As for ``open_store``.
        currency: As for ``open_store``.

    Raises:
        ConfigError: The URL is of no known kind, or there is no such file.
        StoreUnavailable: The database cannot be reached.
        WorldloomError: It is damaged, or its tables are not what this program expects.
    """
    path = sqlite_path(parse_url(url))
    if path is None:
        return open_store(url, currency=currency)
    if not path.is_file():
        raise ConfigError(
            f"{path}: expected the database of a world; got none. Start the world once, "
            "or name its settings with --config (or --data)"
        )
    with naming_the_file(path):
        waiting = {"wal_autocheckpoint": 0, "busy_timeout": _BESIDE_TIMEOUT_MS}
        reading = sqlite_engine(path, "BEGIN", {"query_only": "ON", **waiting}, 1)
        try:
            check_current(reading)
        except BaseException:
            reading.dispose()
            raise
        writing = sqlite_engine(path, "BEGIN IMMEDIATE", {"foreign_keys": "ON", **waiting}, 1)
    # Whoever typed the command is told by its error.
    return SqlStore(
        TransactionPool(writing, 1, QUEUE_LIMIT, "store-writer", Outage("written", logging.DEBUG), currency),
        TransactionPool(reading, 1, QUEUE_LIMIT, "store-reader", Outage("read", logging.DEBUG), currency),
        None,
    )


def _open_sqlite(path: Path, queue_limit: int, currency: Currency) -> SqlStore:
    lock = FileLock(lock_path(path))
    try:
        settings: dict[str, str | int] = {
            "foreign_keys": "ON",
            "wal_autocheckpoint": 0,
            "busy_timeout": TURN_MS,
        }
        writing = sqlite_engine(path, "BEGIN IMMEDIATE", settings)
        check_current(writing)
        reading = sqlite_engine(path, "BEGIN", {"query_only": "ON", "wal_autocheckpoint": 0}, READ_THREADS)
        writer = GroupWriter(writing, path, queue_limit, currency)
    except BaseException:
        lock.close()
        raise
    reader = TransactionPool(reading, READ_THREADS, queue_limit, "store-reader", Outage("read"), currency)
    return SqlStore(writer, reader, lock)
