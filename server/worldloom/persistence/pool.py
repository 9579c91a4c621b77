"""Transaction pool: use cases on a few threads, each in a transaction of its own, tried again on a conflict.

Serves PostgreSQL, and the readers of SQLite. When ``limit`` use cases wait, the next is refused with StoreBusy at once.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from worldloom.errors import StoreBusy, StoreUnavailable
from worldloom.persistence.faults import is_conflict, reason, translate
from worldloom.persistence.jobs import Job, hand_back
from worldloom.persistence.marks import SAVE
from worldloom.persistence.outage import Outage
from worldloom.persistence.queries import SqlTx
from worldloom.ports import is_locking
from worldloom.realm.money import Currency

__all__ = ["ATTEMPTS", "TransactionPool"]

ATTEMPTS = 8
"""How often one use case is tried before the caller is told that the database is busy."""
_BACKOFF_S = 0.01
_BACKOFF_LIMIT_S = 0.5

_log = logging.getLogger(__name__)


class TransactionPool:
    """Runs each use case in its own transaction.

    Args:
        engine: Has at least ``threads`` connections to give.
        threads: Use cases that run at once.
        limit: Use cases that may wait or run.
        name: Of the threads.
        outage: Told whether the database does what is asked of it.
        currency: How amounts are written in what people read.
        sleep: Waits between two attempts, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        threads: int,
        limit: int,
        name: str,
        outage: Outage,
        currency: Currency,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # Whoever locks first sees what others did meanwhile, and need not be tried again.
        self._is_many = engine.dialect.name == "postgresql"
        self._engine = engine
        self._locking = (
            engine.execution_options(isolation_level="READ COMMITTED") if self._is_many else engine
        )
        self._limit = limit
        self.outage = outage
        self._currency = currency
        self._sleep = sleep
        self._lock = threading.Lock()
        self._pending = 0
        self._closing = False
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.commits = self.batches = self.busy = self.retries = 0
        self.last_error = ""

    @property
    def queued(self) -> int:
        """Use cases that wait or run."""
        return self._pending

    def submit(self, job: Job) -> None:
        """Queue a use case. From any thread; does not wait.

        Raises:
            StoreBusy: Too many wait.
            StoreUnavailable: The pool is closed.
        """
        with self._lock:
            if self._closing:
                raise StoreUnavailable("the store is closed")
            if self._pending >= self._limit:
                self.busy += 1
                raise StoreBusy(f"expected at most {self._limit} waiting requests; this one was not done")
            self._pending += 1
            self._threads.submit(self._run, job)

    def close(self) -> None:
        """Finish what waits, then close the connections. Blocks; may be called again."""
        with self._lock:
            self._closing = True
        self._threads.shutdown(wait=True)
        self._engine.dispose()

    def _run(self, job: Job) -> None:
        try:
            job.result = self._try(job)
            self.outage.worked()
        except Exception as error:  # noqa: BLE001 (task boundary: the error travels to its caller)
            job.error = error
            job.error = self._told(error)
        finally:
            with self._lock:
                self._pending -= 1
                self.commits += job.error is None
                self.batches += job.error is None
            hand_back([job])

    def _told(self, error: Exception) -> BaseException:
        told = translate(error)
        if told is not error:
            if is_conflict(error):
                _log.warning("a use case gave way to others %d times: %s", ATTEMPTS, told)
            else:
                self.outage.failed(reason(error), told)
            with self._lock:
                self.last_error = str(told)
        return told

    def _try(self, job: Job) -> object:
        for attempt in range(1, ATTEMPTS):
            try:
                return self._once(job)
            except Exception as error:
                if not is_conflict(error):
                    raise
            with self._lock:
                self.retries += 1
            longest = min(_BACKOFF_LIMIT_S, _BACKOFF_S * 2**attempt)
            self._sleep(random.uniform(0.0, longest))
        return self._once(job)

    def _once(self, job: Job) -> object:
        engine = self._locking if is_locking(job.use_case) else self._engine
        with engine.begin() as connection:
            if not self._is_many:
                SAVE.run(connection)
            return job.use_case(SqlTx(connection, self._currency), job.command)
