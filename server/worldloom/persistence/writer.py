"""Group writer: one thread that owns the only connection that writes to an embedded database.

It takes all use cases that wait (``BATCH_LIMIT`` at most), gives each a savepoint of its own in one transaction,
commits once, and only then hands the outcomes back. A use case that raises loses its own savepoint alone. When the
commit fails, nobody in the group knows: all get StoreUnavailable. When ``limit`` use cases wait, the next is refused
with StoreBusy at once. The command line writes beside it now and then: the writer waits for its turn.
"""

import contextlib
import logging
import threading
from collections import deque
from pathlib import Path

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from worldloom.errors import StoreBusy, StoreUnavailable
from worldloom.persistence.faults import is_busy, reason, translate
from worldloom.persistence.jobs import Job, hand_back
from worldloom.persistence.marks import KEEP, SAVE, UNDO
from worldloom.persistence.outage import Outage
from worldloom.persistence.queries import SqlTx
from worldloom.realm.money import Currency

__all__ = ["BATCH_LIMIT", "TURN_MS", "GroupWriter"]

BATCH_LIMIT = 64
"""Use cases in one commit, at most."""
CHECKPOINT_BYTES = 4 << 20
"""The write-ahead log is folded into the database when it has grown by this much."""

TURN_MS = 3_000
"""How long the writer waits for another process before that is told of: the busy timeout of its connection."""
BEGIN_ATTEMPTS = 10
"""How often it waits so, before those whose writes wait are told."""

_log = logging.getLogger(__name__)


class GroupWriter:
    """Runs use cases in groups on one thread.

    Args:
        engine: Begins with ``BEGIN IMMEDIATE``.
        path: The database file; its write-ahead log lies beside it.
        limit: Use cases that may wait.
        currency: How amounts are written in what people read.
    """

    def __init__(self, engine: Engine, path: Path, limit: int, currency: Currency) -> None:
        self._wal = path.with_name(path.name + "-wal")
        self._limit = limit
        self._currency = currency
        self._engine = engine
        self._connection = engine.connect()
        self._waiting: deque[Job] = deque()
        self._change = threading.Condition()
        self._closing = False
        self._checkpoint_at = CHECKPOINT_BYTES
        self.commits = self.batches = self.busy = self.retries = 0
        self.last_error = ""
        self.outage = Outage("written")
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def queued(self) -> int:
        """Use cases that wait."""
        return len(self._waiting)

    def submit(self, job: Job) -> None:
        """Queue a use case. From any thread; does not wait.

        Raises:
            StoreBusy: Too many wait.
            StoreUnavailable: The writer is closed.
        """
        with self._change:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            if len(self._waiting) >= self._limit:
                self.busy += 1
                raise StoreBusy(f"expected at most {self._limit} waiting writes; this one was not done")
            self._waiting.append(job)
            self._change.notify()

    def close(self) -> None:
        """Finish what waits, fold the log into the database, close the connection. Blocks; may be called again."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join()

    def _run(self) -> None:
        while jobs := self._take():
            self._commit_group(jobs)
            hand_back(jobs)
            del jobs
            self._checkpoint_if_due()
        self._checkpoint()
        self._connection.close()
        self._engine.dispose()

    def _take(self) -> list[Job]:
        with self._change:
            while not self._waiting and not self._closing:
                self._change.wait()
            return [self._waiting.popleft() for _ in range(min(BATCH_LIMIT, len(self._waiting)))]

    def _commit_group(self, jobs: list[Job]) -> None:
        before = self._changes()
        try:
            with self._begin():
                faults = [_run_in_savepoint(self._connection, self._currency, job) for job in jobs]
        except Exception as error:  # noqa: BLE001 (task boundary: whatever broke the commit, all of the group are told)
            self._fail(jobs, error)
            return
        self.batches += 1
        self.commits += sum(job.error is None for job in jobs)
        fault = next(filter(None, faults), None)
        if fault is not None:
            self._note(fault)
        elif self._changes() != before:
            # Who changes no row proves nothing: on a full disk that works.
            self.outage.worked()

    def _begin(self) -> RootTransaction:
        """Open a transaction; the file may be another process's for a moment."""
        for _ in range(BEGIN_ATTEMPTS - 1):
            try:
                return self._connection.begin()
            except OperationalError as error:
                if not is_busy(error):
                    raise
                self.retries += 1
                self.outage.failed(reason(error), f"{self.queued} more writes wait")
        return self._connection.begin()

    def _fail(self, jobs: list[Job], error: Exception) -> None:
        self._note(error)
        for job in jobs:
            job.result = None
            job.error = (
                translate(error)
                if is_busy(error)
                else StoreUnavailable(f"the commit failed, the outcome is unknown: {self.last_error}")
            )
        # A commit that failed leaves the driver's transaction open, which SQLAlchemy no longer knows of.
        with contextlib.suppress(Exception):
            self._connection.connection.rollback()

    def _note(self, error: BaseException) -> None:
        self.last_error = (str(error).splitlines() or [type(error).__name__])[0]
        self.outage.failed(reason(error), self.last_error)

    def _changes(self) -> int:
        """Rows changed since the connection was opened."""
        return int(getattr(self._connection.connection.driver_connection, "total_changes", 0))

    def _checkpoint_if_due(self) -> None:
        try:
            size = self._wal.stat().st_size
        except FileNotFoundError:
            return
        if size >= self._checkpoint_at:
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Fold the log into the database as far as readers allow, without waiting for them."""
        cursor = self._connection.connection.cursor()
        try:
            timeout = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            cursor.execute("PRAGMA busy_timeout=0")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                cursor.execute(f"PRAGMA busy_timeout={timeout}")
            left = self._wal.stat().st_size if self._wal.exists() else 0
            self._checkpoint_at = left + CHECKPOINT_BYTES
        except Exception as error:  # noqa: BLE001 (task boundary: a checkpoint can wait, the writer must go on)
            self.last_error = str(error)
            self._checkpoint_at += CHECKPOINT_BYTES
            _log.warning("the write-ahead log was not folded in: %s", error)
        finally:
            cursor.close()


def _run_in_savepoint(connection: Connection, currency: Currency, job: Job) -> Exception | None:
    """Run one use case; what it raises becomes its own outcome.

    Returns:
        What the database failed with, if it was the database.

    Raises:
        Exception: The database has rolled back the transaction as a whole, for this reason.
    """
    SAVE.run(connection)
    fault = None
    try:
        job.result = job.use_case(SqlTx(connection, currency), job.command)
    except Exception as error:  # noqa: BLE001 (task boundary: the error travels to its caller)
        job.error = translate(error)
        fault = error if job.error is not error else None
        try:
            UNDO.run(connection)
        except SQLAlchemyError:
            raise error from None
    KEEP.run(connection)
    return fault
