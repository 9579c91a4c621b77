"""New land, region by region: how long each takes from coordinates to the bytes of its tile, and where the time goes.

In this process and on one thread, without server and database. Regions lie side by side where nobody was before.
"""

import argparse
import gc
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from worldloom.bench.plan import BenchFault
from worldloom.ports import Stylist, TerrainSource
from worldloom.worldgen.sources import check_model, make_source, make_stylist, settled
from worldloom.worldgen.styling import woven
from worldloom_sdk.protocol.tiles import encode_tile

__all__ = ["WeavingReport", "add_arguments", "measure", "run"]

F64 = npt.NDArray[np.float64]

_SEED = 7
_CORNER = 500, -300
"""Far from the gentle middle of the world."""
_WIDE = 16
_WARM_UP = 16
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class WeavingReport:
    """What a run measured. Parts: net, silt, ground, cover (of the trained generator) and encode; "all" together."""

    generator: str
    regions: int
    start_s: float
    """From nothing imported to the first region."""
    regions_per_s: float
    """Of processor time: what one core makes."""
    p50_ms: dict[str, float]
    p99_ms: dict[str, float]
    cpu_p50_ms: dict[str, float]
    """The same in processor time, which does not count what else runs on the machine."""

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def to_table(self) -> Table:
        """For people."""
        table = Table(
            title=f"{self.generator}: {self.regions} regions, {self.regions_per_s:g} a second on one core, "
            f"the first after {self.start_s:g} s"
        )
        for name in ("part", "p50 ms", "p99 ms", "p50 of the processor, ms"):
            table.add_column(name, justify="left" if name == "part" else "right")
        for part in self.p50_ms:
            figures = self.p50_ms[part], self.p99_ms[part], self.cpu_p50_ms[part]
            table.add_row(part, *(f"{figure:.1f}" for figure in figures))
        return table


class _Watch:
    """Wall clock and processor time of each part of one region after the other."""

    def __init__(self) -> None:
        self._times: dict[str, list[tuple[float, float]]] = {}
        self._last = self._first = (0.0, 0.0)

    def begin(self) -> None:
        self._last = self._first = perf_counter(), process_time()

    def done(self, part: str) -> None:
        """A part of the region is ready."""
        self._last = self._note(part, self._last)

    def end(self) -> None:
        """The whole region is."""
        self._note("all", self._first)

    def _note(self, part: str, since: tuple[float, float]) -> tuple[float, float]:
        now = perf_counter(), process_time()
        self._times.setdefault(part, []).append((now[0] - since[0], now[1] - since[1]))
        return now

    def of(self, part: str) -> F64:
        """``[regions, 2]`` milliseconds, without those of the warm-up."""
        return np.array(self._times[part][_WARM_UP:]) * 1_000.0

    @property
    def parts(self) -> list[str]:
        return list(self._times)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("--regions", type=int, default=400, metavar="N", help="how many are measured (default: 400)")
    add("--generator", choices=["auto", "noise", "gan"], default="auto", help="what weaves (default: auto)")
    add("--weights", type=Path, metavar="FILE", help="the model (default: what comes with Worldloom, if any)")
    add("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Returns:
        0.

    Raises:
        WorldloomError: The number is out of range, or the generator cannot be had.
    """
    if not 1 <= args.regions <= _MOST:
        raise BenchFault(f"expected 1 to {_MOST} regions, got {args.regions}")
    if args.weights is not None:
        check_model(args.weights)
    weights = "" if args.weights is None else str(args.weights)
    report = measure(settled(args.generator, weights), weights, args.regions)
    if args.json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        Console().print(report.to_table())
    return 0


def measure(generator: str, weights: str, regions: int) -> WeavingReport:
    """Weave so many regions, after some that do not count.

    Raises:
        ConfigError: The generator is not installed, or its weights are damaged.
    """
    began = perf_counter()
    source, stylist = make_source(generator, _SEED, weights), make_stylist(generator, _SEED, weights)
    encode_tile(source.generate(0, 0))
    start_s = perf_counter() - began
    gc.collect()
    gc.freeze()  # As the server does.
    watch = _Watch()
    if hasattr(source, "on_part"):
        source.on_part = watch.done
    for k in range(_WARM_UP + regions):
        _weave(source, stylist, _CORNER[0] + k % _WIDE, _CORNER[1] + k // _WIDE, watch)
    gc.unfreeze()
    times = {part: watch.of(part) for part in watch.parts}
    p50, p99 = ({part: np.percentile(ms, share, axis=0) for part, ms in times.items()} for share in (50, 99))
    return WeavingReport(
        generator,
        regions,
        round(start_s, 2),
        round(1_000.0 / float(times["all"][:, 1].mean()), 1),
        {part: round(float(ms[0]), 2) for part, ms in p50.items()},
        {part: round(float(ms[0]), 2) for part, ms in p99.items()},
        {part: round(float(ms[1]), 2) for part, ms in p50.items()},
    )


def _weave(source: TerrainSource, stylist: Stylist | None, rx: int, rz: int, watch: _Watch) -> None:
    watch.begin()
    tile = woven(source, rx, rz, stylist.styles(rx, rz) if stylist else {})
    if not hasattr(source, "on_part"):
        watch.done("weave")
    encode_tile(tile)
    watch.done("encode")
    watch.end()
