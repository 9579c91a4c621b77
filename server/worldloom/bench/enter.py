"""The enter table in the tick: how long it takes to look whether everybody's move stays where they may be.

All bodies walk, in a quarter where every parcel is a place of its own with rules, named people and an exclusion; the
worst that a tick can be asked. One body in eight is a bot with an owner.
"""

import argparse
import json
import random
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from worldloom.bench.plan import BenchFault
from worldloom.realm.rights import EVERYONE, NONE, Exclusion, Grant, Place, Verb, timelines
from worldloom.world.avatars import BOT, AvatarTable
from worldloom.world.enter import EnterTable, Gate
from worldloom.world.parcels import PARCEL_SHIFT, PARCELS
from worldloom.world.step import Moves, Tables, step
from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.geometry import GROUND_Y, REGION_SHIFT, XZ_PER_M
from worldloom_sdk.protocol.tiles import SAMPLES

__all__ = ["MUST_MS", "Crowd", "EnterReport", "add_arguments", "measure", "run"]

MUST_MS = 1.0
"""What the look of a tick must stay under, every second time."""
NOW_MS = 1_900_000_000_000
_STEP_M = 0.3
"""A tick's worth of running, at 6 m/s."""


@dataclass(frozen=True)
class Crowd:
    """How many, and where.

    Raises:
        BenchFault: A number is out of range.
    """

    avatars: int = 3_000
    regions: int = 9
    """With 256 places each."""
    named: int = 4
    """Accounts that each place names."""
    ticks: int = 500

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("--avatars", self.avatars, 1, 20_000),
            ("--regions", self.regions, 1, 1_024),
            ("--named", self.named, 0, 256),
            ("--ticks", self.ticks, 10, 100_000),
        ):
            if not low <= value <= high:
                raise BenchFault(f"{name}: expected {low} to {high}, got {value}")


@dataclass(frozen=True)
class EnterReport:
    """What was measured; milliseconds."""

    avatars: int
    places: int
    named: int
    look_p50_ms: float
    look_p99_ms: float
    look_cpu_ms: float
    """The median of the processor's time: the same where nothing else runs."""
    step_p50_ms: float
    """The whole step of motion, the look in it."""
    inside_p50_ms: float
    """The look, where half of them are inside where they may not be any more, and walk out."""
    compile_ms: float
    """To sort the table anew after a change."""

    @property
    def is_good(self) -> bool:
        """Whether it is as fast as it must be."""
        return self.look_p50_ms < MUST_MS


def measure(crowd: Crowd) -> EnterReport:
    """Build the table, let everybody walk, and time it."""
    rng = np.random.default_rng(7)
    side = int(np.ceil(np.sqrt(crowd.regions)))
    regions = [(n % side, n // side) for n in range(crowd.regions)]
    table, land = EnterTable(), TerrainTable()
    for rx, rz in regions:
        land.add(rx, rz, np.zeros((SAMPLES, SAMPLES), np.int16))
        _lay(table, rx, rz, crowd, everyone=EVERYONE)
    state, row = _bodies(crowd, regions, rng)
    looks, steps, computed = [], [], []
    for tick in range(crowd.ticks):
        moves = _walk(state, row, tick, rng)
        began, busy = time.perf_counter(), time.thread_time()
        table.barred(state, row, moves.x, moves.z, NOW_MS)
        computed.append(1_000 * (time.thread_time() - busy))
        looks.append(time.perf_counter() - began)
        began = time.perf_counter()
        step(state, moves, Tables(land, 12 * XZ_PER_M, 320, table), tick, NOW_MS)
        steps.append(time.perf_counter() - began)
    inside = _evicted(table, crowd, regions[: len(regions) // 2 + 1], state, row, rng)
    compile_ms = _compile_ms(table, crowd, regions[0])
    look, whole = np.array(looks) * 1_000, np.array(steps) * 1_000
    return EnterReport(
        crowd.avatars,
        len(table),
        crowd.named,
        round(float(np.median(look)), 3),
        round(float(np.percentile(look, 99)), 3),
        round(float(np.median(computed)), 3),
        round(float(np.median(whole)), 3),
        round(float(np.median(inside)), 3),
        round(compile_ms, 2),
    )


def _lay(table: EnterTable, rx: int, rz: int, crowd: Crowd, everyone: Verb) -> None:
    chance = random.Random(f"{rx} {rz}")
    first = 1 + (rz * 1_024 + rx) * PARCELS * PARCELS
    grid = np.arange(first, first + PARCELS * PARCELS).reshape(PARCELS, PARCELS)
    gates = {}
    for number in grid.ravel().tolist():
        owner, excluded, *named = chance.sample(range(1, 2 * crowd.avatars + 300), 2 + crowd.named)
        grants = [Grant(owner, account, Verb.ENTER | Verb.SEE, NOW_MS + 10**6) for account in named]
        said = Grant(owner, None, everyone)
        place = Place(number, owner, (said, *grants), (Exclusion(owner, excluded, NOW_MS + 10**6),))
        gates[number] = Gate(number, *timelines(place))
    table.lay(rx, rz, grid, gates)


def _bodies(
    crowd: Crowd, regions: list[tuple[int, int]], rng: np.random.Generator
) -> tuple[AvatarTable, np.ndarray]:
    state = AvatarTable()
    row = np.array([state.add(avatar) for avatar in range(1, crowd.avatars + 1)])
    corner = np.array(regions)[rng.integers(0, len(regions), len(row))] << REGION_SHIFT
    at = corner + rng.integers(0, 1 << REGION_SHIFT, (len(row), 2))
    state.x[row], state.z[row] = at.T
    bots = row[::8]
    state.access[bots], state.owner[bots] = BOT, state.id[row[rng.integers(0, len(row), len(bots))]]
    return state, row


def _walk(state: AvatarTable, row: np.ndarray, tick: int, rng: np.random.Generator) -> Moves:
    heading = rng.uniform(0, 2 * np.pi, len(row))
    way = _STEP_M * XZ_PER_M
    x = state.x[row] + np.rint(np.sin(heading) * way).astype(np.int64)
    z = state.z[row] + np.rint(np.cos(heading) * way).astype(np.int64)
    still = np.zeros(len(row), np.int64)
    return Moves(row, np.full(len(row), tick), x, z, np.full(len(row), GROUND_Y), still, still)


def _evicted(
    table: EnterTable,
    crowd: Crowd,
    shut: list[tuple[int, int]],
    state: AvatarTable,
    row: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Milliseconds of each look once half of the places are shut to everyone."""
    for rx, rz in shut:
        _lay(table, rx, rz, crowd, everyone=NONE)
    times = []
    for tick in range(min(50, crowd.ticks)):
        moves = _walk(state, row, tick, rng)
        began = time.perf_counter()
        table.barred(state, row, moves.x, moves.z, NOW_MS)
        times.append(1_000 * (time.perf_counter() - began))
    return np.array(times)


def _compile_ms(table: EnterTable, crowd: Crowd, region: tuple[int, int]) -> float:
    _lay(table, *region, crowd, everyone=EVERYONE)
    at = np.array([1 << PARCEL_SHIFT])
    began = time.perf_counter()
    table.private(at, at, NOW_MS)
    return 1_000 * (time.perf_counter() - began)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    whole = Crowd()
    parser.add_argument("--avatars", type=int, default=whole.avatars, metavar="N", help="bodies that walk")
    parser.add_argument(
        "--regions", type=int, default=whole.regions, metavar="N", help="with 256 places each"
    )
    parser.add_argument(
        "--named", type=int, default=whole.named, metavar="N", help="accounts that each names"
    )
    parser.add_argument("--ticks", type=int, default=whole.ticks, metavar="N", help="so often it is timed")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Measure and print; 1 when it is slower than it must be."""
    report = measure(Crowd(args.avatars, args.regions, args.named, args.ticks))
    if args.json:
        sys.stdout.write(json.dumps(asdict(report)) + "\n")
    else:
        Console().print(_table(report))
    return 0 if report.is_good else 1


def _table(report: EnterReport) -> Table:
    told = Table(title=f"{report.avatars} avatars, {report.places} places, {report.named} named in each")
    for column in ("what", "ms"):
        told.add_column(column)
    for what, value in (
        (f"look, median (must be < {MUST_MS:g})", report.look_p50_ms),
        ("look, 99th percentile", report.look_p99_ms),
        ("look, median of the processor's time", report.look_cpu_ms),
        ("whole step, median", report.step_p50_ms),
        ("look with half of the places shut, median", report.inside_p50_ms),
        ("sorting the table after a change", report.compile_ms),
    ):
        told.add_row(what, f"{value:.3f}")
    return told
