"""One run against a server that stands: join, warm up, measure, work out. Knows no command line."""

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import numpy.typing as npt

from worldloom.bench.analysis import Findings, View, watch
from worldloom.bench.load import Load, Progress
from worldloom.bench.pace import Pace
from worldloom.bench.plan import BenchFault, Plan
from worldloom.bench.report import CrowdReport
from worldloom.bench.scenarios import Walkers
from worldloom.bench.server_process import (
    Cores,
    ServerProcess,
    Ticks,
    busy_neighbour,
    core_busy_s,
    cpu_s_of,
    ticks_between,
)
from worldloom.bench.settlers import Settlers
from worldloom.bench.trade_load import TradeLoad
from worldloom_sdk.protocol.codec import decode_server, encode
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import Area, Block, Frame

__all__ = ["SAMPLED", "WARM_UP_S", "Run", "spread"]

I64 = npt.NDArray[np.int64]

SAMPLED = 32
WARM_UP_S = 2.0
_CALM_S = 0.5
"""Asking for /metrics stops the load for a moment: so long before the window it is done with."""
_BUSY_SHARE = 0.85
_LATE_MS = 10.0
_SETTLE_S = 1.0
"""After the first client has come: what only the first one costs is paid."""
_STRAY_UNITS = 64 * XZ_PER_M
_BLOCKS_AT_ONCE = 5
_LOOK_S = 0.05


@dataclass(frozen=True)
class _Moment:
    """All counters at one moment."""

    at: float
    server_cpu_s: float
    load_cpu_s: float
    load_core_s: float
    octets: int
    connected: int
    lost: int


@dataclass(frozen=True)
class _Window:
    """Everything that was measured."""

    begin: _Moment
    end: _Moment
    ticks_before: Ticks
    ticks_after: Ticks
    lateness_ms: float
    """Of the load's own slots, 99th percentile."""
    rss_kb_per_client: float
    rss_kb: int
    traded: int
    """Trades done and answered."""

    @property
    def seconds(self) -> float:
        return self.end.at - self.begin.at


class Run:
    """One run."""

    def __init__(
        self,
        plan: Plan,
        cores: Cores,
        server: ServerProcess,
        walkers: Walkers,
        tokens: list[str],
        rng: np.random.Generator,
        job: Path | None = None,
    ) -> None:
        """Prepare the load; nothing is connected yet.

        Args:
            plan: What to do.
            cores: What runs where.
            server: Ready to be joined.
            walkers: Where everybody was last.
            tokens: One for each walker, then those of settlers.
            rng: Source of chance.
            job: Of buyers that buy meanwhile; None without.
        """
        self._job = job
        self._plan, self._cores, self._server, self._walkers, self._rng = plan, cores, server, walkers, rng
        self._tokens = tokens[: plan.clients]
        self._sampled = frozenset(spread(plan.clients, min(SAMPLED, plan.clients)).tolist())
        self._load = Load(server.port, plan.clients)
        self._load.on_placed = self._placed
        self._settlers = Settlers(self._load, tokens[plan.clients :])
        self._astray = 0

    def measure(self, bar: Callable[[str], Progress]) -> tuple[CrowdReport, list[str]]:
        """Do it.

        Args:
            bar: Makes a progress bar with a title.

        Returns:
            The report, and what else is worth knowing, a line each.

        Raises:
            BenchFault: Not everybody was let in, or not where they were last, or buyers did not buy to the end.
            ServerFault: The server ended.
        """
        load, plan = self._load, self._plan
        try:
            rss_before = self._join(bar)
            pace = Pace(load, self._walkers, plan.move_hz, WARM_UP_S + plan.seconds + 1, self._rng)
            pace.aside = self._settlers.tend
            window = self._window(pace, rss_before, bar("measuring"))
        except (BenchFault, OSError) as fault:
            raise BenchFault(f"{fault}\n{self._server.log_tail()}") from None
        received = [(c.index, c.received) for c in load.clients if c.received is not None]
        load.close()
        begin, end = window.begin.at, window.end.at
        octets = sum(len(payload) for _, kept in received for at, payload in kept if begin <= at < end)
        views = [View(index, _decoded(kept)) for index, kept in received]
        found = watch(views, pace.log, _index_of(load.avatars), (begin, end), plan.scenario.crowded)
        report = self._report(window, found, octets / max(1, found.updates))
        return report, self._notes(report, window)

    def _join(self, bar: Callable[[str], Progress]) -> int:
        """Everybody comes in; the server's memory before, in kB."""
        load = self._load
        load.join_all(self._tokens[:1], self._sampled, lambda share: None)
        load.idle(_SETTLE_S)
        rss_before = self._server.rss_kb()
        load.join_all(self._tokens, self._sampled, bar("joining"))
        if self._astray:
            raise BenchFault(f"expected everybody to come in where they were last, got {self._astray} astray")
        self._block()
        return rss_before

    def _window(self, pace: Pace, rss_before: int, progress: Progress) -> _Window:
        plan, server = self._plan, self._server
        with _no_collector(), self._neighbour(), self._trading() as trades:
            pace.walk(WARM_UP_S - _CALM_S, lambda share: None)
            ticks_before = server.ticks()
            pace.walk(_CALM_S, lambda share: None)
            rss_joined = server.rss_kb()
            first_slot = len(pace.lateness_s)
            begin = self._moment()
            pace.walk(plan.seconds, progress)
            end = self._moment()
            ticks_after = server.ticks()
            traded = trades.stop(begin.at, end.at) if trades else 0
        lateness_ms = float(np.percentile(pace.lateness_s[first_slot:], 99)) * 1000
        per_client = (rss_joined - rss_before) / plan.clients
        return _Window(
            begin, end, ticks_before, ticks_after, lateness_ms, per_client, server.rss_kb(), traded
        )

    def _moment(self) -> _Moment:
        load = self._load
        return _Moment(
            at=monotonic(),
            server_cpu_s=self._server.cpu_s(),
            load_cpu_s=cpu_s_of(os.getpid()),
            load_core_s=core_busy_s(self._cores.load),
            octets=load.octets,
            connected=load.joined,
            lost=load.lost,
        )

    def _report(self, window: _Window, found: Findings, bytes_per_update: float) -> CrowdReport:
        plan, begin, end, seconds = self._plan, window.begin, window.end, window.seconds
        late_ticks, tick_p99_ms = ticks_between(window.ticks_before, window.ticks_after)
        load_cores = (end.load_cpu_s - begin.load_cpu_s) / seconds
        bytes_per_s = (end.octets - begin.octets) / seconds
        return CrowdReport(
            scenario=str(plan.scenario),
            clients=plan.clients,
            connected=begin.connected,
            dropped=end.lost - begin.lost,
            p50_age_ms=found.age.percentile(50),
            p99_age_ms=found.age.percentile(99),
            p99_full_rate_age_ms=found.full_rate_age.percentile(99),
            p99_gap_near_ms=found.near_gap.percentile(99),
            p99_gap_view_ms=found.view_gap.percentile(99),
            server_cpu_cores=round((end.server_cpu_s - begin.server_cpu_s) / seconds, 3),
            updates_per_s=round(bytes_per_s / bytes_per_update) if bytes_per_update else 0,
            bytes_per_update=round(bytes_per_update, 2),
            bytes_per_client_s=round(bytes_per_s / plan.clients),
            server_rss_mb=round(window.rss_kb / 1024, 1),
            rss_per_client_kb=round(window.rss_kb_per_client, 1),
            tick_p99_ms=tick_p99_ms,
            late_ticks=late_ticks,
            load_cpu_cores=round(load_cores, 3),
            load_bound=self._bound(window, load_cores),
            seconds=plan.seconds,
            move_hz=plan.move_hz,
            trades_per_s=round(window.traded / seconds, 1),
        )

    def _bound(self, window: _Window, load_cores: float) -> bool:
        core_share = (window.end.load_core_s - window.begin.load_core_s) / window.seconds
        shared = self._cores.load == self._cores.server
        return shared or max(load_cores, core_share) > _BUSY_SHARE or window.lateness_ms > _LATE_MS

    def _notes(self, report: CrowdReport, window: _Window) -> list[str]:
        notes = [f"troubles: {dict(self._load.troubles)}"] if self._load.troubles else []
        if self._settlers.come:
            notes.append(
                f"{self._settlers.come} settlers came, {self._settlers.woven} regions woven for them"
            )
        if report.load_bound:
            share = (window.end.load_core_s - window.begin.load_core_s) / window.seconds
            notes.append(
                f"THIS RUN DOES NOT COUNT: the load had no core to itself. That core was {share:.2f} busy "
                f"({report.load_cpu_cores:.2f} with the load), the load's slots {window.lateness_ms:.1f} ms late (p99)."
            )
        return notes

    def _placed(self, index: int, x: int, z: int) -> None:
        walkers = self._walkers
        self._astray += bool(
            abs(walkers.x[index] - x) > _STRAY_UNITS or abs(walkers.z[index] - z) > _STRAY_UNITS
        )
        walkers.x[index], walkers.z[index] = x, z

    def _block(self) -> None:
        """Blockers block those who came after them, a few at a time: commands are limited."""
        plan, load = self._plan, self._load
        blockers = spread(plan.clients, plan.blockers).tolist()
        for first in range(0, plan.blocks if blockers else 0, _BLOCKS_AT_ONCE):
            for index in blockers:
                for number in range(first, min(first + _BLOCKS_AT_ONCE, plan.blocks)):
                    other = int(load.avatars[(index + 1 + number) % plan.clients])
                    load.clients[index].say(encode(Block(number, other, True)))
            load.idle(1.0)

    def _neighbour(self) -> contextlib.AbstractContextManager[None]:
        busy = self._plan.busy_neighbour
        return busy_neighbour(self._cores.server) if busy else contextlib.nullcontext()

    @contextlib.contextmanager
    def _trading(self) -> Iterator[TradeLoad | None]:
        """Buyers, if any are asked for; walkers go on reading until all are in."""
        if self._job is None:
            yield None
            return
        with TradeLoad(self._job, self._server.port, self._cores.load) as trades:
            while not trades.buying():
                self._load.idle(_LOOK_S)
            yield trades


def spread(clients: int, count: int) -> I64:
    """``count`` indices, ``[count]``, spread evenly over all clients."""
    return (np.arange(count) * clients // max(1, count)).astype(np.int64)


def _index_of(avatars: I64) -> I64:
    index_of = np.full(int(avatars.max()) + 1, -1, np.int64)
    index_of[avatars] = np.arange(len(avatars))
    return index_of


def _decoded(received: list[tuple[float, bytes]]) -> Iterator[tuple[float, Area | Frame]]:
    for at, payload in received:
        message = decode_server(payload)
        if isinstance(message, Area | Frame):
            yield at, message


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """What the run keeps is kept on purpose: no pauses to look through it."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
