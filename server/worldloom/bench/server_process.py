"""The server of a run: a process on its own core, and what kernel and /metrics say of it. Linux only."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from worldloom.bench.stats import bucket_quantile
from worldloom.errors import WorldloomError

__all__ = [
    "Cores",
    "ServerFault",
    "ServerProcess",
    "Ticks",
    "busy_neighbour",
    "core_busy_s",
    "cpu_s_of",
    "free_port",
    "parse_ticks",
    "pinned",
    "ticks_between",
]

_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 15.0
_HTTP_TIMEOUT_S = 10.0
_LOG_TAIL = 4000
LATE_TICKS = "worldloom_late_ticks_total"
TICK_SECONDS = "worldloom_tick_seconds_bucket"


class ServerFault(WorldloomError):
    """The server did not start, or stopped; the text ends with the last lines of its log."""


@dataclass(frozen=True)
class Cores:
    """Which core carries what."""

    server: int
    load: int

    @classmethod
    def choose(cls) -> Self:
        """The first two cores that this process may use; one and the same where there is only one."""
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[1 % len(allowed)])


@dataclass(frozen=True)
class Ticks:
    """What /metrics told of the ticks at a moment."""

    late: float
    bounds: tuple[float, ...]
    """Seconds."""
    counts: tuple[float, ...]
    """Cumulative over the bounds."""


class ServerProcess:
    """``worldloom serve`` in a process of its own, pinned to a core; a context manager that stops it at the end."""

    def __init__(self, config: Path, data: Path, port: int, core: int) -> None:
        """Start it; :meth:`wait_ready` waits until it answers."""
        self.port = port
        self._log_path = config.with_name("server.log")
        command = [sys.executable, "-m", "worldloom", "serve", "--config", str(config), "--data", str(data)]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WORLDLOOM_")}
        with pinned(core), self._log_path.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal is the benchmark's to handle.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait_ready(self) -> None:
        """Return once /healthz answers 200.

        Raises:
            ServerFault: The process ended, or did not answer within a minute.
        """
        end = monotonic() + _READY_TIMEOUT_S
        while monotonic() < end:
            self._check()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._get("/healthz")[0] == 200:
                    return
            sleep(0.1)
        raise ServerFault(f"expected /healthz to answer within {_READY_TIMEOUT_S:.0f} s:\n{self.log_tail()}")

    def ticks(self) -> Ticks:
        """What /metrics tells of the ticks so far; all zero while it cannot be read."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            return parse_ticks(self._get("/metrics")[1].decode())
        return Ticks(0.0, (), ())

    def rss_kb(self) -> int:
        """Resident memory, in kB of 1,024 bytes."""
        self._check()
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    def cpu_s(self) -> float:
        """User and system time of all its threads so far, in seconds."""
        self._check()
        return cpu_s_of(self.pid)

    def log_tail(self) -> str:
        """The end of what it wrote."""
        return self._log_path.read_text(errors="replace")[-_LOG_TAIL:]

    def stop(self) -> None:
        """Interrupt it as an operator would; kill it if it does not end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _check(self) -> None:
        """Raise ServerFault if it ended."""
        if self._process.poll() is not None:
            raise ServerFault(f"the server ended with {self._process.returncode}:\n{self.log_tail()}")

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_HTTP_TIMEOUT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def cpu_s_of(pid: int) -> float:
    """User and system time of a process, all threads, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core_busy_s(core: int) -> float:
    """How long a core was anything but idle since the machine started, in seconds."""
    line = next(
        line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} ")
    )
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in line.split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def parse_ticks(text: str) -> Ticks:
    """Read late ticks and tick durations out of the Prometheus text format."""
    late, buckets = 0.0, []
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name == LATE_TICKS:
            late = float(value)
        elif name.startswith(TICK_SECONDS):
            buckets.append((float(name.split('le="')[1].split('"')[0]), float(value)))
    buckets.sort()
    return Ticks(late, tuple(bound for bound, _ in buckets), tuple(count for _, count in buckets))


def ticks_between(before: Ticks, after: Ticks) -> tuple[int, float]:
    """Late ticks, and the 99th percentile of a tick's duration in ms, between two moments."""
    counts = [late - early for early, late in zip(before.counts, after.counts, strict=False)]
    bounds = list(after.bounds[: len(counts)])
    return round(after.late - before.late), round(bucket_quantile(bounds, counts, 0.99) * 1000, 2)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Pin this process, and what it starts meanwhile, to a core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def busy_neighbour(core: int) -> Iterator[None]:
    """Keep a core busy with a process that does nothing else."""
    with pinned(core):
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
