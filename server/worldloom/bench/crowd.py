"""Many clients in one world: how old what they see is, and what it costs the server.

The real server runs in a process of its own on one core, the load in this one on another. Linux only.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import numpy as np
from rich.console import Console
from rich.progress import Progress as Bars

from worldloom.bench.load import Progress
from worldloom.bench.measuring import WARM_UP_S, Run, spread
from worldloom.bench.offers import buyers_spots
from worldloom.bench.plan import BenchFault, Plan
from worldloom.bench.report import CrowdReport
from worldloom.bench.residents import Settings, make_world, write_config
from worldloom.bench.scenarios import Scenario, Walkers, area_of, far_places
from worldloom.bench.server_process import Cores, ServerProcess, free_port
from worldloom.bench.trade_load import BUYERS, write_job
from worldloom.config import load

__all__ = ["add_arguments", "measure", "run"]

_SETTLERS_PER_S = 40
"""More than any server weaves land for."""
_REFRESH_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add(
        "--scenario", choices=[str(s) for s in Scenario], default="concert", help="density (default: concert)"
    )
    add("--clients", type=int, default=500, metavar="N", help="how many walk (default: 500)")
    add("--seconds", type=float, default=20.0, metavar="S", help="of measuring (default: 20)")
    add("--move-hz", type=float, default=10.0, metavar="HZ", help="moves a second and client (default: 10)")
    add("--full-rate", action="store_true", help="no budget of bytes per client")
    add("--blockers", type=int, default=0, metavar="N", help="clients that block others (default: 0)")
    add("--blocks", type=int, default=5, metavar="N", help="how many each of them blocks (default: 5)")
    add("--border-steppers", type=int, default=0, metavar="N", help="clients to and fro on a cell border")
    add("--emerge-load", action="store_true", help="new land has to be woven all the time")
    add(
        "--generator",
        choices=["noise", "gan"],
        default="noise",
        help="what weaves it (default: noise, which needs no torch)",
    )
    add("--busy-neighbour", action="store_true", help="a busy process on the server's core")
    add("--trade-load", action="store_true", help=f"{BUYERS} more buy land all the time, out of sight")
    add("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Returns:
        0, or 1 when the load was the bottleneck, so that the run does not count.

    Raises:
        WorldloomError: An option is out of range, the server did not start, or clients were not let in.
    """
    if not sys.platform.startswith("linux"):
        raise BenchFault(f"expected Linux (epoll, /proc, pinning to cores), got {sys.platform}")
    plan = _plan_of(args)
    errors = Console(stderr=True)
    quiet = args.json or not errors.is_terminal
    with Bars(console=errors, transient=True, disable=quiet, auto_refresh=False) as bars:
        report, notes = measure(plan, lambda what: _bar(bars, what))
    if args.json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        Console().print(report.to_table())
    for note in notes:
        errors.print(note, highlight=False, markup=False, soft_wrap=True)
    return 1 if report.load_bound else 0


def measure(plan: Plan, bar: Callable[[str], Progress]) -> tuple[CrowdReport, list[str]]:
    """Make a world, let the crowd in, measure; nothing of it stays.

    Args:
        plan: What to do.
        bar: Makes a progress bar with a title.

    Returns:
        The report, and what else is worth knowing, a line each.

    Raises:
        WorldloomError: The server did not start, or clients were not let in.
    """
    cores = Cores.choose()
    _allow_files(2 * plan.clients + 1000)
    rng = np.random.default_rng(plan.clients)
    steppers = spread(plan.clients, plan.border_steppers)
    walkers = Walkers(area_of(plan.scenario, plan.clients), plan.clients, steppers, rng)
    folder = Path(tempfile.mkdtemp(prefix="worldloom-bench-"))
    before = os.sched_getaffinity(0)
    try:
        tokens, job = _prepare(plan, walkers, folder)
        os.sched_setaffinity(0, {cores.load})
        with ServerProcess(folder / "config.toml", folder / "data", free_port(), cores.server) as server:
            server.wait_ready()
            return Run(plan, cores, server, walkers, tokens, rng, job).measure(bar)
    finally:
        os.sched_setaffinity(0, before)
        shutil.rmtree(folder, ignore_errors=True)


def _plan_of(args: argparse.Namespace) -> Plan:
    return Plan(
        scenario=Scenario(args.scenario),
        clients=args.clients,
        seconds=args.seconds,
        move_hz=args.move_hz,
        full_rate=args.full_rate,
        blockers=args.blockers,
        blocks=args.blocks,
        border_steppers=args.border_steppers,
        emerge_load=args.emerge_load,
        generator=args.generator,
        busy_neighbour=args.busy_neighbour,
        trade_load=args.trade_load,
    )


def _prepare(plan: Plan, walkers: Walkers, folder: Path) -> tuple[list[str], Path | None]:
    """Write configuration and database; tokens of the walkers, then of settlers, and the job of buyers, if any."""
    lasts = plan.seconds + WARM_UP_S
    settlers = round(_SETTLERS_PER_S * lasts) if plan.emerge_load else 0
    buyers = BUYERS if plan.trade_load else 0
    spots = list(zip(walkers.x.astype(int).tolist(), walkers.z.astype(int).tolist(), strict=True))
    spots += far_places(settlers) + buyers_spots(buyers)
    config, data = folder / "config.toml", folder / "data"
    write_config(config, Settings(plan.clients, plan.full_rate, plan.generator, plan.trade_load))
    tokens = make_world(config, data, spots)
    if not buyers:
        return tokens, None
    others, job = len(tokens) - buyers, folder / "buyers.json"
    url = load(config, {}, {"server.data": str(data)}).storage_url
    write_job(job, url, tokens[others:], lasts, others)
    return tokens[:others], job


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise BenchFault(f"expected to be allowed {count} open files, got {hard}; raise it with ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


def _bar(bars: Bars, what: str) -> Progress:
    task = bars.add_task(what, total=1.0)
    shown = 0.0

    def update(share: float) -> None:
        nonlocal shown
        if share >= 1.0 or monotonic() - shown > _REFRESH_S:
            shown = monotonic()
            bars.update(task, completed=share, refresh=True)

    return update
