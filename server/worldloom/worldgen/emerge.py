"""The emerge queue: makes regions available, the soonest needed first, each with an explicit outcome.

A region comes from memory, else from the database, else from the source, else from the fallback; what was made is
stored before anybody sees it, and first stored wins. What does not fit its stored neighbours is refused there, fitted
to them, and stored then. Bounds: ``queue_limit`` regions wait in all and ``per_account`` for one asker; when it is full
the last is dropped. Knows no sockets and no SQL: loading and saving are handed in.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from worldloom.errors import StoreUnavailable, TerrainRejected
from worldloom.ports import Clock, Misfit, Styles, Stylist, TerrainSource, TileRow
from worldloom.worldgen.making import FALLBACK, MAX_ABANDONED, Making
from worldloom.worldgen.outcome import EmergeConfig, Emerged, EmergeOutcome, EmergeStats, nothing
from worldloom.worldgen.process import SourceProcess
from worldloom_sdk.protocol.geometry import REGION_LIMIT
from worldloom_sdk.protocol.tiles import Tile

__all__ = ["MAX_ABANDONED", "EmergeConfig", "EmergeOutcome", "EmergeQueue", "EmergeStats", "Emerged"]

_log = logging.getLogger(__name__)
T = TypeVar("T")
Region = tuple[int, int]

_LANES = 2
"""Regions in work at once: one waits for the database while the other is made."""
_URGENT_S = -1.0
_STITCHES = 9
"""Attempts to fit a tile: each of eight neighbours may be stored meanwhile, and one for good measure."""


@dataclass(slots=True, eq=False)
class _Entry:
    region: Region
    away_s: float
    order: int
    asker: int
    waiters: list["asyncio.Future[Emerged]"] = field(default_factory=list)


class EmergeQueue:
    """Wishes for regions in, ``Emerged`` out. All methods are called on the event loop.

    Args:
        load: The stored row of a region or None; raises ``StoreUnavailable``.
        save: Stores a row unless the region has one; returns the stored row, whoever's it is, or ``Misfit``.
        source: Asked first, on the worker thread or in a process of its own.
        fallback: Stands in when the source fails; must not fail itself.
        config: Limits.
        clock: For durations.
        backoff_s: Pauses between attempts at the database, one more attempt than pauses.
        stylist: Says what regions are to be like, for a source that follows styles.
        commit: Stores the styles of regions that have none; what is in force around the region then.
    """

    def __init__(
        self,
        load: Callable[[int, int], Awaitable[TileRow | None]],
        save: Callable[[TileRow], Awaitable[TileRow | Misfit]],
        source: TerrainSource | SourceProcess,
        fallback: TerrainSource,
        config: EmergeConfig,
        clock: Clock,
        backoff_s: Sequence[float] = (0.1, 0.5, 2.0),
        stylist: Stylist | None = None,
        commit: Callable[[int, int, Styles], Awaitable[Styles]] | None = None,
    ) -> None:
        self._stylist, self._commit = stylist, commit
        self._load, self._save = load, save
        self._config, self._backoff_s = config, tuple(backoff_s)
        self._making = Making(source, fallback, config.deadline_s, clock, config.niceness)
        self.on_emerged: list[Callable[[Emerged], None]] = []
        """Called on the loop with every outcome, dropped and failed regions included."""
        self._waiting: dict[Region, _Entry] = {}
        self._in_work: dict[Region, _Entry] = {}
        self._asked: Counter[int] = Counter()
        self._memory: OrderedDict[Region, Emerged] = OrderedDict()
        self._order = 0
        self._wake = asyncio.Event()
        self._outcomes: Counter[EmergeOutcome] = Counter()
        self._refused = self._stitched = 0
        self._store_faults: set[str] = set()

    def want(self, rx: int, rz: int, away_s: float, asker: int = 0) -> bool:
        """Ask for a region; ``on_emerged`` hears of it. Asking again says anew how soon, and nothing else.

        Args:
            rx: Region index.
            rz: Region index.
            away_s: Seconds until somebody gets there; the soonest first.
            asker: The account for which it is; 0 for the world itself, which has no limit of its own.

        Returns:
            Whether it was taken in; not when it lies beyond the end of the world, its asker has too many, or
            the queue is full of sooner ones.
        """
        region = (rx, rz)
        if not _in_world(rx, rz):
            return False
        if (known := self._recall(region)) is not None:
            asyncio.get_running_loop().call_soon(self._announce, known)
            return True
        entry = self._in_work.get(region) or self._waiting.get(region)
        if entry is not None:
            # Who waits for it still comes first.
            entry.away_s = _URGENT_S if entry.waiters else away_s
            return True
        return self._enqueue(region, away_s, asker) is not None

    def forget(self, rx: int, rz: int) -> None:
        """Nobody needs this region any more: cancel it, unless it is already in work or waited for."""
        entry = self._waiting.get((rx, rz))
        if entry is not None and not entry.waiters:
            self._finish(entry, nothing(*entry.region, EmergeOutcome.CANCELLED))

    async def get(self, rx: int, rz: int) -> Emerged:
        """Wait for a region, ahead of all that is merely wanted.

        Raises:
            ValueError: It lies beyond the end of the world.
        """
        region = (rx, rz)
        if not _in_world(rx, rz):
            raise ValueError(f"expected region indices within +-{REGION_LIMIT}, got {rx}, {rz}")
        if (known := self._recall(region)) is not None:
            self._outcomes[known.outcome] += 1
            return known
        entry = self._in_work.get(region) or self._waiting.get(region)
        entry = entry or self._enqueue(region, _URGENT_S, 0)
        if entry is None:
            return nothing(*region, EmergeOutcome.CANCELLED)
        entry.away_s = _URGENT_S
        waiter: asyncio.Future[Emerged] = asyncio.get_running_loop().create_future()
        entry.waiters.append(waiter)
        return await waiter

    async def run(self) -> None:
        """Work until cancelled; then everything that waits is cancelled too."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._making.run(), name="emerge source")
                for lane in range(_LANES):
                    tasks.create_task(self._lane(), name=f"emerge {lane}")
        finally:
            self._making.close()
            for entry in [*self._in_work.values(), *self._waiting.values()]:
                self._finish(entry, nothing(*entry.region, EmergeOutcome.CANCELLED))

    def stats(self) -> EmergeStats:
        """How things stand."""
        return EmergeStats(
            queued=len(self._waiting),
            in_work=len(self._in_work),
            in_memory=len(self._memory),
            outcomes={outcome: self._outcomes[outcome] for outcome in EmergeOutcome},
            refused=self._refused,
            rejected=self._making.rejected,
            stitched=self._stitched,
            abandoned=self._making.lost,
            source_retired=self._making.retired,
            store_available=not self._store_faults,
            made_s=self._making.made_s,
        )

    def _recall(self, region: Region) -> Emerged | None:
        known = self._memory.get(region)
        if known is None:
            return None
        self._memory.move_to_end(region)
        return replace(known, outcome=EmergeOutcome.MEMORY)

    def _enqueue(self, region: Region, away_s: float, asker: int) -> _Entry | None:
        if asker and self._asked[asker] >= self._config.per_account:
            self._refused += 1
            return None
        if len(self._waiting) >= self._config.queue_limit:
            last = max(self._waiting.values(), key=_rank)
            if last.away_s <= away_s:
                self._refused += 1
                return None
            self._finish(last, nothing(*last.region, EmergeOutcome.CANCELLED))
        self._order += 1
        entry = self._waiting[region] = _Entry(region, away_s, self._order, asker)
        self._asked[asker] += 1
        self._wake.set()
        return entry

    def _finish(self, entry: _Entry, emerged: Emerged) -> None:
        """Take an entry out, remember what came of it, tell those who wait and those who listen."""
        self._waiting.pop(entry.region, None)
        self._in_work.pop(entry.region, None)
        self._asked[entry.asker] -= 1
        if not self._asked[entry.asker]:
            del self._asked[entry.asker]
        if emerged.tile is not None:
            self._memory[entry.region] = emerged
            while len(self._memory) > self._config.memory_regions:
                self._memory.popitem(last=False)
        for waiter in entry.waiters:
            if not waiter.done():
                waiter.set_result(emerged)
        self._announce(emerged)

    def _announce(self, emerged: Emerged) -> None:
        self._outcomes[emerged.outcome] += 1
        for listener in list(self.on_emerged):
            try:
                listener(emerged)
            except Exception:  # noqa: BLE001 - one listener's fault is not the others'
                _log.exception("a listener failed at region (%d, %d)", emerged.rx, emerged.rz)

    async def _lane(self) -> None:
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            entry = min(self._waiting.values(), key=_rank)
            self._in_work[entry.region] = self._waiting.pop(entry.region)
            self._finish(entry, await self._emerge(entry.region))

    async def _emerge(self, region: Region) -> Emerged:
        try:
            row = await self._patiently("read", lambda: self._load(*region))
            if row is not None:
                return await self._read(row)
            return await self._create(region)
        except StoreUnavailable:
            return nothing(*region, EmergeOutcome.FAILED)
        except Exception:  # noqa: BLE001 - one region's fault is not the others'
            _log.exception("region (%d, %d) could not be made available", *region)
            return nothing(*region, EmergeOutcome.FAILED)

    async def _read(self, row: TileRow) -> Emerged:
        tile = await self._making.read(row)
        return Emerged(row.rx, row.rz, tile, row.sha256, row.source, EmergeOutcome.DATABASE)

    async def _create(self, region: Region) -> Emerged:
        tile, row = await self._making.make(*region, await self._styles(*region))
        stored, fitted = await self._store(row, tile)
        if fitted is None:
            return await self._read(stored)
        outcome = EmergeOutcome.FALLBACK if row.source == FALLBACK else EmergeOutcome.GENERATED
        return Emerged(*region, fitted, stored.sha256, row.source, outcome)

    async def _styles(self, rx: int, rz: int) -> Styles:
        """What is in force around a region; stored before anything is made by it."""
        if self._stylist is None or self._commit is None:
            return {}
        own = await self._making.ask(partial(self._stylist.styles, rx, rz))
        return await self._patiently("write", partial(self._commit, rx, rz, own))

    async def _store(self, row: TileRow, tile: Tile) -> tuple[TileRow, Tile | None]:
        """Store what was made, fitted to its neighbours; the stored row, and its tile if it is this one."""
        made, fitted = row, tile
        for _ in range(_STITCHES + 1):
            answer = await self._patiently("write", partial(self._save, made))
            if isinstance(answer, TileRow):
                return answer, fitted if answer.sha256 == made.sha256 else None
            fitted, made = await self._making.fit(tile, row.source, answer)
            self._stitched += 1
        raise TerrainRejected(f"expected it to fit its neighbours after {_STITCHES} stitches, it did not")

    async def _patiently(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try the database a few times; a line in the log when it goes and when it comes back.

        Args:
            what: "read" or "write": on a full disk the one goes on without the other.
            attempt: What to try.
        """
        for pause_s in (*self._backoff_s, None):
            try:
                result = await attempt()
            except StoreUnavailable as error:
                self._note_store(what, False, str(error))
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
            else:
                self._note_store(what, True, "")
                return result
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _note_store(self, what: str, works: bool, why: str) -> None:
        was_available = not self._store_faults
        (self._store_faults.discard if works else self._store_faults.add)(what)
        available = not self._store_faults
        if available == was_available:
            return
        if available:
            _log.info("the database answers again: regions emerge")
        else:
            _log.error("the database is unavailable, no region can emerge: %s", why)


def _rank(entry: _Entry) -> tuple[float, int]:
    return entry.away_s, entry.order


def _in_world(rx: int, rz: int) -> bool:
    return max(abs(rx), abs(rz)) <= REGION_LIMIT
