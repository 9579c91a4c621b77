"""Telemetry: what the server tells of itself in numbers. Made by hand, no globals; knows no part that counts.

Hot paths pay one call a tick; whatever a part counts for itself is read only when somebody looks (``pull``).
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

__all__ = ["PULLED", "LoopLag", "Pulled", "Recent", "Telemetry", "TickReport", "Timing"]

RECENT_TICKS = 1_200
"""A minute of ticks."""
LATE_S = 0.025
"""A tick that starts later than this after its time is late."""
LAG_EVERY_S = 0.1
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0)

Reading = Callable[[], float | Mapping[str, float]]
"""A number, or numbers by the value of the metric's label."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """A metric that is read from the part which counts it, when somebody looks."""

    help: str
    counter: bool = False
    """Rises only; its name then ends in ``_total`` for Prometheus."""
    label: str = ""


PULLED: dict[str, Pulled] = {
    "session_pauses": Pulled("Sessions paused because they read too slowly.", counter=True),
    "sessions_closed": Pulled("Sockets of sessions closed, by close code.", counter=True, label="code"),
    "http_requests": Pulled("HTTP requests, by status.", counter=True, label="status"),
    "commands_refused": Pulled("Commands refused, by code.", counter=True, label="code"),
    "emerge": Pulled("Regions made available, by outcome.", counter=True, label="outcome"),
    "emerge_queue": Pulled("Regions waiting to be made."),
    "store_queue": Pulled("Writes waiting for the database."),
    "store_batches": Pulled("Outer commits of the writer.", counter=True),
    "store_writes": Pulled("Use cases that wrote.", counter=True),
    "mqtt_outbox": Pulled("Events waiting for the broker."),
    "mqtt_dropped": Pulled("Events dropped because the outbox was full.", counter=True),
    "connections": Pulled("Open sockets."),
    "ticks_failed": Pulled("Ticks that ended in an error.", counter=True),
    "ticks_missed": Pulled("Ticks left out because those before took too long.", counter=True),
    "task_restarts": Pulled("Tasks that failed and were started again, by task.", counter=True, label="task"),
    "regions": Pulled("Regions that the shard holds in memory."),
    "tls_expires_seconds": Pulled("When the certificate in use expires, Unix time; only with TLS."),
    "ok": Pulled("1: what /healthz calls ok; 0: it says what is wrong."),
}
"""Every name that ``Telemetry.pull`` takes, without the prefix ``worldloom_``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """What one tick did."""

    seconds: float
    """Work, from start to the last write."""
    late_s: float
    """How long after its time it began."""
    sessions: int
    groups: int
    """View groups served."""
    moves: int
    words: int
    """Words sent, each counted once per session that it went to."""
    frames: int
    """Frames that the fan-out wrote to sessions."""
    bytes_sent: int
    """Payload bytes of those frames."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The last minute, in milliseconds; for ``/healthz``."""

    tick_p50_ms: float
    tick_p99_ms: float
    late_p99_ms: float
    late_ticks: int
    """Since start."""
    loop_lag_p99_ms: float
    sessions: int
    uptime_s: float
    rss_bytes: int


class Recent:
    """The last values of a series, in a ring.

    Args:
        size: Values kept.
    """

    def __init__(self, size: int) -> None:
        self._ring = np.zeros(size, np.float64)
        self._count = 0

    def add(self, value: float) -> None:
        """Keep a value; the oldest makes room."""
        self._ring[self._count % len(self._ring)] = value
        self._count += 1

    def quantile(self, q: float) -> float:
        """The q-quantile, ``0 <= q <= 1``, of the values kept; 0 when there are none."""
        kept = self._ring[: min(self._count, len(self._ring))]
        return float(np.quantile(kept, q)) if len(kept) else 0.0


class Telemetry:
    """Counters, gauges and histograms named ``worldloom_*``, on a registry of their own.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # Creation times would double the text, for nobody.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.loop_lag = Recent(round(60 / LAG_EVERY_S))
        self._loop_lag = self._histogram("loop_lag_seconds", "How late the event loop runs a timer.")
        self._tick = self._histogram("tick_seconds", "Work of a tick.")
        self._late = self._histogram("tick_late_seconds", "How long after its time a tick began.")
        self._late_ticks = self._counter("late_ticks", "Ticks that began more than 25 ms after their time.")
        self._moves = self._counter("moves", "Moves taken in.")
        self._bytes = self._counter(
            "bytes_sent",
            "Payload bytes of pictures and frames, written at the end of ticks; answers to single clients "
            "(Welcome, names, regions, whispers, corrections) do not count.",
        )
        self._words = self._counter("words_sent", "Words sent to sessions.")
        self._frames = self._counter("frames_sent", "WebSocket frames of that traffic.")
        self._sessions = self._gauge("sessions", "Sessions in the world.")
        self._groups = self._gauge("groups", "View groups.")
        self._recent_tick, self._recent_late = Recent(RECENT_TICKS), Recent(RECENT_TICKS)
        self._clock, self._started = clock, clock()
        self._count_late = self._count_sessions = 0
        self._readings: dict[str, Reading] = {}
        self.registry.register(_PulledCollector(self))

    def tick(self, report: TickReport) -> None:
        """Take in one tick; called once a tick, so its cost (about 5 us) does not grow with the crowd."""
        self._tick.observe(report.seconds)
        self._late.observe(report.late_s)
        self._recent_tick.add(report.seconds)
        self._recent_late.add(report.late_s)
        if report.late_s > LATE_S:
            self._late_ticks.inc()
            self._count_late += 1
        self._count_sessions = report.sessions
        self._sessions.set(report.sessions)
        self._groups.set(report.groups)
        self._moves.inc(report.moves)
        self._words.inc(report.words)
        self._frames.inc(report.frames)
        self._bytes.inc(report.bytes_sent)

    def lag(self, seconds: float) -> None:
        """Take in how late the event loop ran a timer."""
        self.loop_lag.add(seconds)
        self._loop_lag.observe(seconds)

    def pull(self, name: str, reading: Reading) -> None:
        """From now on, read a metric of ``PULLED`` by calling ``reading`` whenever somebody looks.

        Raises:
            KeyError: There is no such metric.
        """
        if name not in PULLED:
            raise KeyError(f"expected one of {', '.join(PULLED)}; got {name}")
        self._readings[name] = reading

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def timing(self) -> Timing:
        """The last minute in a few numbers."""
        return Timing(
            tick_p50_ms=round(1e3 * self._recent_tick.quantile(0.5), 2),
            tick_p99_ms=round(1e3 * self._recent_tick.quantile(0.99), 2),
            late_p99_ms=round(1e3 * self._recent_late.quantile(0.99), 2),
            late_ticks=self._count_late,
            loop_lag_p99_ms=round(1e3 * self.loop_lag.quantile(0.99), 2),
            sessions=self._count_sessions,
            uptime_s=round(self._clock() - self._started, 1),
            rss_bytes=_rss_bytes(),
        )

    def readings(self) -> Iterator[tuple[str, float | Mapping[str, float]]]:
        """The pulled metrics as they are now, by name."""
        for name, reading in self._readings.items():
            yield name, reading()

    def _counter(self, name: str, text: str, labels: list[str] | None = None) -> Counter:
        return Counter(f"worldloom_{name}", text, labels or [], registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"worldloom_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(f"worldloom_{name}", text, buckets=_BUCKETS_S, registry=self.registry)


class _PulledCollector:
    """Asks the parts for their numbers when Prometheus asks for them."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def describe(self) -> list[Metric]:
        """Nothing ahead of time: readings come later."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every pulled metric, quantiles of the last minute, and what the process uses."""
        for name, value in self._telemetry.readings():
            yield _family(name, PULLED[name], value)
        timing = self._telemetry.timing()
        for name, milliseconds in (
            ("tick_recent_p50_seconds", timing.tick_p50_ms),
            ("tick_recent_p99_seconds", timing.tick_p99_ms),
            ("tick_late_recent_p99_seconds", timing.late_p99_ms),
            ("loop_lag_recent_p99_seconds", timing.loop_lag_p99_ms),
        ):
            yield _family(name, Pulled("Over the last minute."), milliseconds / 1e3)
        yield _family("rss_bytes", Pulled("Memory in use."), timing.rss_bytes)
        yield _family("cpu_seconds", Pulled("Processor time.", counter=True), time.process_time())
        yield _family("uptime_seconds", Pulled("Since start."), timing.uptime_s)


def _family(name: str, pulled: Pulled, value: float | Mapping[str, float]) -> Metric:
    kind = CounterMetricFamily if pulled.counter else GaugeMetricFamily
    family = kind(f"worldloom_{name}", pulled.help, labels=[pulled.label] if pulled.label else [])
    for label, number in value.items() if isinstance(value, Mapping) else [("", value)]:
        family.add_metric([label] if pulled.label else [], number)
    return family


def _rss_bytes() -> int:
    """Resident memory now; where the system does not tell, the most so far."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource  # Only POSIX has it; Linux needs it not.

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak


class LoopLag:
    """Measures how late the event loop runs its timers.

    Args:
        telemetry: Takes the numbers.
        every_s: Seconds between two measurements.
        sleep: How to wait; a test has its own.
        now: Monotonic seconds; not the loop's own, which with uvloop counts whole milliseconds.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        every_s: float = LAG_EVERY_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._telemetry, self._every_s, self._sleep, self._now = telemetry, every_s, sleep, now

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._now() + self._every_s
            await self._sleep(self._every_s)
            self._telemetry.lag(max(0.0, self._now() - due))
