"""The market's pages in a world with much land: how long each kind of question takes to answer.

The tables are filled in bulk, in a temporary SQLite file or in an empty PostgreSQL database; the pages are read through
the store, as the server reads them, one after the other.
"""

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from worldloom.bench.plan import BenchFault
from worldloom.persistence.bulk import BulkRows, fill
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import SqlStore, open_store
from worldloom.realm.estates import PARCEL_M
from worldloom.realm.market import NO_END_MS, ListingKind, MarketSort
from worldloom.services import listings
from worldloom.services.listings import WantPage

__all__ = ["MUST_MS", "MarketReport", "World", "add_arguments", "measure", "run", "tables"]

MUST_MS = 50.0
"""What each kind of page must stay under, 99 times of 100."""
NOW_MS = 1_900_000_000_000
ACCOUNTS = 10_000
_SIZES = (1, 1, 1, 2, 2, 3, 4, 4, 8, 16)
"""Parcels of an estate, in turns."""
_WORDS = (
    "amber", "birch", "cliff", "delta", "elm", "fjord", "glen", "harbour", "isle", "juniper", "knoll",
    "lake", "moor", "north", "oak", "pine", "quay", "ridge",
)  # fmt: skip
_RARE = "zephyr"
"""A word that one estate alone has."""


@dataclass(frozen=True)
class World:
    """How much there is.

    Raises:
        BenchFault: A number is out of range.
    """

    parcels: int = 1_000_000
    listings: int = 50_000

    def __post_init__(self) -> None:
        if not 100 <= self.parcels <= 10_000_000:
            raise BenchFault(f"--parcels: expected 100 to 10000000, got {self.parcels}")
        most = self.parcels * len(_SIZES) // sum(_SIZES) // 2
        if not 20 <= self.listings <= most:
            raise BenchFault(
                f"--listings: expected 20 to {most} for {self.parcels} parcels, got {self.listings}"
            )

    @property
    def side(self) -> int:
        """The parcels lie in a square of so many a side."""
        return max(round(self.parcels**0.5), 1)


@dataclass(frozen=True)
class MarketReport:
    """What was measured: milliseconds by kind of page."""

    engine: str
    parcels: int
    listings: int
    pages: int
    """Of each kind."""
    loaded_s: float
    median_ms: dict[str, float]
    p99_ms: dict[str, float]
    cpu_ms: dict[str, float]
    """The median of what the process computed for one: on a busy machine, what remains of the others."""
    worst_p99_ms: float

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def to_table(self) -> Table:
        """A row a kind of page."""
        table = Table(
            "page", "median ms", "p99 ms", "CPU ms", title=f"{self.engine}, {self.parcels:,} parcels"
        )
        for name, median in self.median_ms.items():
            table.add_row(name, f"{median:.2f}", f"{self.p99_ms[name]:.2f}", f"{self.cpu_ms[name]:.2f}")
        return table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("--parcels", type=int, default=1_000_000, metavar="N", help="owned parcels (default: 1000000)")
    add("--listings", type=int, default=50_000, metavar="N", help="open offers (default: 50000)")
    add("--pages", type=int, default=100, metavar="N", help="of each kind (default: 100)")
    add("--url", default="", help="an empty PostgreSQL database; without it, a temporary SQLite file")
    add("--json", action="store_true", help="one JSON object instead of a table")


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    Returns:
        0, or 1 when a kind of page takes too long.

    Raises:
        WorldloomError: An option is out of range, or the database is not to be had.
    """
    if not 1 <= args.pages <= 100_000:
        raise BenchFault(f"--pages: expected 1 to 100000, got {args.pages}")
    report = measure(World(args.parcels, args.listings), args.pages, args.url)
    if args.json:
        sys.stdout.write(report.to_json() + "\n")
    else:
        Console().print(report.to_table())
        Console().print(f"worst p99 {report.worst_p99_ms:.2f} ms, must be under {MUST_MS:g} ms")
    return 0 if report.worst_p99_ms < MUST_MS else 1


def measure(world: World, pages: int, url: str = "") -> MarketReport:
    """Fill a database, read pages.

    Args:
        world: How much to fill in.
        pages: Of each kind.
        url: An empty database that stays; empty: a SQLite file that does not.

    Raises:
        WorldloomError: The database is not empty, or not to be had.
    """
    folder = Path(tempfile.mkdtemp(prefix="worldloom-bench-"))
    try:
        where = url or f"sqlite:///{folder / 'world.db'}"
        began = time.monotonic()
        migrate(where)
        fill(where, tables(world))
        loaded = time.monotonic() - began
        times = asyncio.run(_read(where, world, pages))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    p99 = {name: round(float(np.percentile(wall, 99)), 3) for name, (wall, _) in times.items()}
    return MarketReport(
        where.partition(":")[0].partition("+")[0],
        world.parcels,
        world.listings,
        pages,
        round(loaded, 1),
        {name: round(float(np.median(wall)), 3) for name, (wall, _) in times.items()},
        p99,
        {name: round(float(np.median(cpu)), 3) for name, (_, cpu) in times.items()},
        max(p99.values()),
    )


# ---- what there is


def tables(world: World) -> Iterator[BulkRows]:
    """The rows of a world with much land: estates of some parcels in a row, every so many of them for sale."""
    people = ((n, f"Ann {n}", f"ann {n}", NOW_MS) for n in range(1, ACCOUNTS + 1))
    yield "account", ("id", "name", "skeleton", "created_ms"), people
    columns = ["id", "owner_id", "name", "description", "shape", "parcels", "locked_until_ms", "created_ms"]
    rows = (
        (number, _owner(number), _name(number), "", 1, size, 0, NOW_MS)
        for number, (_, size) in enumerate(_estates(world), 1)
    )
    yield "estate", columns, rows
    deeds = (
        (at % world.side, at // world.side, number, NOW_MS)
        for number, (first, size) in enumerate(_estates(world), 1)
        for at in range(first, first + size)
    )
    yield "deed", ("px", "pz", "estate_id", "since_ms"), deeds
    yield "listing", _LISTING, (_listing(world, *one) for one in _offered(world))
    yield "lease_offer", _LEASE_OFFER, (_lease_offer(world, *one) for one in _offered(world))


def _estates(world: World) -> Iterator[tuple[int, int]]:
    """Of each estate its first parcel, counted row by row, and how many it has."""
    first = turn = 0
    while first < world.parcels:
        size = min(_SIZES[turn % len(_SIZES)], world.parcels - first, world.side - first % world.side)
        yield first, size
        first, turn = first + size, turn + 1


def _offered(world: World) -> Iterator[tuple[int, int, int]]:
    """Of each estate that is offered its number, first parcel and size: as many as there are to be, evenly spread."""
    count = sum(1 for _ in _estates(world))
    for number, (first, size) in enumerate(_estates(world), 1):
        if number * world.listings // count != (number - 1) * world.listings // count:
            yield number, first, size


def _owner(estate: int) -> int:
    return 1 + estate * 7_919 % ACCOUNTS


def _name(estate: int) -> str:
    chance = random.Random(estate)
    word = f" {_RARE}" if estate == 1 else ""
    return f"{chance.choice(_WORDS)} {chance.choice(_WORDS)} {estate}{word}"


_LISTING = (
    "estate_id", "kind", "seller_id", "price", "asked", "shape", "parcels", "px", "pz", "fingerprint",
    "name", "created_ms", "fee", "only_id", "step", "ends_ms",
)  # fmt: skip
_LEASE_OFFER = (
    "estate_id", "owner_id", "rent", "period_ms", "max_periods", "renewable", "shape", "parcels", "px",
    "pz", "fingerprint", "name", "created_ms", "fee", "free_ms",
)  # fmt: skip


def _listing(world: World, estate: int, first: int, size: int) -> tuple[object, ...]:
    chance = random.Random(-estate)
    is_auction, price = chance.random() < 0.1, chance.randrange(100, 10**6) * size
    # Every hundredth is offered to one account alone.
    only = 1 + _owner(estate) % ACCOUNTS if not is_auction and chance.random() < 0.01 else None
    ends = NOW_MS + chance.randrange(1, 10**9) if is_auction or chance.random() < 0.2 else NO_END_MS
    kind, step = ("auction", 100) if is_auction else ("sale", 0)
    px, pz = (first + size // 2) % world.side, first // world.side
    offer = (price, price, 1, size, px, pz, f"{estate:032x}", _name(estate), NOW_MS, 250, only, step, ends)
    return (estate, kind, _owner(estate), *offer)


def _lease_offer(world: World, estate: int, first: int, size: int) -> tuple[object, ...]:
    px, pz = (first + size // 2) % world.side, first // world.side
    chance = random.Random(estate)
    terms = (chance.randrange(10, 10**5), 86_400_000, 12, 1)
    # Nine of ten are leased now.
    free = 0 if chance.random() < 0.1 else NOW_MS + 1
    return (
        estate,
        _owner(estate),
        *terms,
        1,
        size,
        px,
        pz,
        f"{estate:032x}",
        _name(estate),
        NOW_MS,
        250,
        free,
    )


# ---- what is asked


Ask = Callable[[random.Random], WantPage]
Times = tuple[list[float], list[float]]
"""Milliseconds of the clock, and of the process."""


def _asks(world: World) -> dict[str, Ask]:
    """Each kind of page, with what varies from one to the next."""
    across_m = world.side * PARCEL_M

    def near(chance: random.Random, within: int) -> tuple[int, int, int]:
        return chance.randrange(across_m), chance.randrange(across_m), within

    price, size, ends, newest = MarketSort.PRICE, MarketSort.SIZE, MarketSort.ENDS, MarketSort.NEWEST
    auctions = ListingKind.AUCTION
    return {
        "newest": lambda r: WantPage(NOW_MS, newest, viewer=r.randrange(1, ACCOUNTS)),
        "cheapest": lambda r: WantPage(NOW_MS, price),
        "largest": lambda r: WantPage(NOW_MS, size),
        "ending first": lambda r: WantPage(NOW_MS, ends),
        "cheapest, far down": lambda r: WantPage(NOW_MS, price, after=(r.randrange(10**6), 0)),
        "newest, far down": lambda r: WantPage(NOW_MS, newest, after=(0, r.randrange(world.listings))),
        "largest, far down": lambda r: WantPage(
            NOW_MS, size, after=(r.randrange(1, 17), world.listings // 2)
        ),
        "auctions, cheapest": lambda r: WantPage(NOW_MS, price, kind=auctions),
        "auctions, ending first": lambda r: WantPage(NOW_MS, ends, kind=auctions),
        "price range, largest": lambda r: WantPage(
            NOW_MS, size, price_from=(low := r.randrange(10**6)), price_to=low + 10_000
        ),
        "large ones, cheapest": lambda r: WantPage(NOW_MS, price, parcels_from=16),
        "name, common, cheapest": lambda r: WantPage(NOW_MS, price, name=r.choice(_WORDS)),
        "name, of one, newest": lambda r: WantPage(NOW_MS, newest, name=_RARE),
        "name, of one, cheapest": lambda r: WantPage(NOW_MS, price, name=_RARE),
        "name, of none, largest": lambda r: WantPage(NOW_MS, size, name=f"no such {r.random()}"),
        "nothing so dear, newest": lambda r: WantPage(NOW_MS, newest, price_from=10**14),
        "within 500 m, cheapest": lambda r: WantPage(NOW_MS, price, near=near(r, 500)),
        "within 4096 m, newest": lambda r: WantPage(NOW_MS, newest, near=near(r, 4_096)),
        "within 4096 m, cheapest": lambda r: WantPage(NOW_MS, price, near=near(r, 4_096)),
        "within 4096 m, auctions ending": lambda r: WantPage(
            NOW_MS, ends, kind=auctions, near=near(r, 4_096)
        ),
    }


async def _read(url: str, world: World, pages: int) -> dict[str, Times]:
    """What each page took, by kind."""
    store = open_store(url)
    try:
        times = {name: await _time(store, listings.page, ask, pages) for name, ask in _asks(world).items()}
        for name in ("cheapest", "largest", "name, of one, cheapest", "within 500 m, cheapest"):
            ask = _asks(world)[name]
            times[f"to let: {name}"] = await _time(store, listings.page_to_let, ask, pages)
        return times
    finally:
        await store.close()


async def _time(store: SqlStore, query: Callable[..., object], ask: Ask, pages: int) -> Times:
    chance = random.Random(pages)
    wall, cpu = [], []
    for _ in range(pages):
        wanted = ask(chance)
        began, computed = time.perf_counter(), time.process_time()
        await store.read(query, wanted)
        wall.append(1_000 * (time.perf_counter() - began))
        cpu.append(1_000 * (time.process_time() - computed))
    return wall, cpu
