"""Trades through the real socket: how many estates change hands a second, and how long each buyer waits for the answer.

Each trade is a ``buy`` of a listing between two accounts: title, money, fee, receipt, register and notice in one
durable transaction. The real server runs in a process of its own on one core, the buyers in this one on another.
Linux only.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

import numpy as np
from rich.console import Console
from rich.table import Table

from worldloom.bench.buyers import Buyer
from worldloom.bench.offers import SETTINGS, Shown, buyers_spots, make_offers
from worldloom.bench.plan import BenchFault
from worldloom.bench.residents import make_world
from worldloom.bench.server_process import Cores, ServerProcess, free_port
from worldloom.config import load

__all__ = ["MUST_P99_MS", "MUST_PER_S", "TradesPlan", "TradesReport", "add_arguments", "measure", "run"]

MUST_PER_S = 400.0
MUST_P99_MS = 250.0


@dataclass(frozen=True)
class TradesPlan:
    """What to do.

    Raises:
        BenchFault: A number is out of range.
    """

    clients: int = 64
    trades: int = 8_000
    """Of all together."""
    url: str = ""
    """An empty PostgreSQL database that stays; empty: SQLite, synchronous FULL."""

    def __post_init__(self) -> None:
        if not 2 <= self.clients <= 1_000:
            raise BenchFault(f"--clients: expected 2 to 1000, got {self.clients}")
        if not self.clients <= self.trades <= 1_000_000:
            raise BenchFault(f"--trades: expected {self.clients} to 1000000, got {self.trades}")


@dataclass(frozen=True)
class TradesReport:
    """What was measured."""

    engine: str
    clients: int
    trades: int
    """That were done and answered."""
    seconds: float
    per_s: float
    p50_ms: float
    p99_ms: float
    """From sending to the answer."""
    asked_again: int = 0
    """Because the server could not do it just then."""
    refused: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def to_table(self) -> Table:
        """One row."""
        table = Table("engine", "clients", "trades", "trades/s", "p50 ms", "p99 ms")
        told = (f"{self.per_s:.0f}", f"{self.p50_ms:.1f}", f"{self.p99_ms:.1f}")
        table.add_row(self.engine, str(self.clients), str(self.trades), *told)
        return table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add(
        "--clients", type=int, default=64, metavar="N", help="who buy, each one after the other (default: 64)"
    )
    add("--trades", type=int, default=8_000, metavar="N", help="of all together (default: 8000)")
    add("--url", default="", help="an empty PostgreSQL database; without it, a temporary SQLite file")
    add("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Returns:
        0, or 1 when it is slower than it must be, or something was refused.

    Raises:
        WorldloomError: An option is out of range, the server did not start, or the database is not to be had.
    """
    if not sys.platform.startswith("linux"):
        raise BenchFault(f"expected Linux (pinning to cores), got {sys.platform}")
    report = measure(TradesPlan(args.clients, args.trades, args.url))
    if args.json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        Console().print(report.to_table())
        Console().print(f"must be {MUST_PER_S:g} trades/s or more, p99 under {MUST_P99_MS:g} ms")
    good = report.per_s >= MUST_PER_S and report.p99_ms < MUST_P99_MS and not report.refused
    return 0 if good else 1


def measure(plan: TradesPlan) -> TradesReport:
    """Make a world with offers, and have all of them bought; nothing of it stays, but a PostgreSQL database.

    Raises:
        WorldloomError: The server did not start, or buyers were not let in.
    """
    cores = Cores.choose()
    folder = Path(tempfile.mkdtemp(prefix="worldloom-bench-"))
    before = os.sched_getaffinity(0)
    try:
        config, data = folder / "config.toml", folder / "data"
        config.write_text(_to_toml(plan), encoding="utf-8")
        tokens = make_world(config, data, buyers_spots(plan.clients))
        url = load(config, {}, {"server.data": str(data)}).storage_url
        offers = asyncio.run(make_offers(url, plan.clients, -(-plan.trades // plan.clients)))
        os.sched_setaffinity(0, {cores.load})
        with ServerProcess(config, data, free_port(), cores.server) as server:
            server.wait_ready()
            return asyncio.run(_buy_all(plan, server.port, tokens, offers))
    finally:
        os.sched_setaffinity(0, before)
        shutil.rmtree(folder, ignore_errors=True)


def _to_toml(plan: TradesPlan) -> str:
    room = plan.clients + 100
    lines = [
        "[server]",
        f"max_connections = {room}",
        f"connections_per_address = {room}",
        "[session]",
        f"max_sessions = {room}",
        "joins_per_s = 1000",
        "[limits]",
        "commands_per_s = 1000",
        "http_requests_per_s = 1000",
        "[worldgen]",
        'generator = "noise"',
        *SETTINGS,
    ]
    return "\n".join([*lines, *(["[storage]", f'url = "{plan.url}"'] if plan.url else []), ""])


async def _buy_all(
    plan: TradesPlan, port: int, tokens: Sequence[str], offers: Sequence[Sequence[Shown]]
) -> TradesReport:
    buyers = [await Buyer.come(port, token) for token in tokens]
    began = monotonic()
    await asyncio.gather(*(_buy(buyer, some) for buyer, some in zip(buyers, offers, strict=True)))
    seconds = monotonic() - began
    for buyer in buyers:
        buyer.close()
    refused = sum((buyer.refused for buyer in buyers), Counter[str]())
    times = 1_000 * np.array([taken for buyer in buyers for taken in buyer.times])
    done = len(times) - refused.total()
    return TradesReport(
        "postgresql" if plan.url else "sqlite",
        plan.clients,
        done,
        round(seconds, 2),
        round(done / seconds, 1),
        round(float(np.percentile(times, 50)), 2),
        round(float(np.percentile(times, 99)), 2),
        sum(buyer.asked_again for buyer in buyers),
        dict(refused),
    )


async def _buy(buyer: Buyer, offers: Sequence[Shown]) -> None:
    for offer in offers:
        await buyer.buy(offer)
