"""Gates: keeps the shard's enter table as the database has it, whoever changed something and on whichever host.

A region's gates are there before the region is. From then on notes of changes are followed, four times a second and at
once when somebody here has just changed something: of the estates that they name, all held regions are read anew.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from worldloom.errors import StoreUnavailable
from worldloom.ports import Store
from worldloom.services import gates
from worldloom.services.gates import Since
from worldloom.shard.simulation import Shard

__all__ = ["Gates"]

_log = logging.getLogger(__name__)

Region = tuple[int, int]

EVERY_S = 0.25
TOGETHER = 64
"""Regions read by one query; those of one estate are not taken apart."""


class Gates:
    """Brings to a shard who may be where.

    Args:
        store: Where rights are.
        shard: Holds the regions.
        unix_ms: Unix time.
    """

    def __init__(self, store: Store, shard: Shard, unix_ms: Callable[[], int]) -> None:
        self._store, self._shard, self._unix_ms = store, shard, unix_ms
        self._estates: dict[Region, frozenset[int]] = {}
        self._loading: set[Region] = set()
        self._doubtful: dict[Region, None] = {}
        self._since = Since(0)
        self._wake = asyncio.Event()
        # What was read first is laid first.
        self._one_by_one = asyncio.Lock()
        self.is_available = True
        """Whether rights could be read the last time."""

    def poke(self) -> None:
        """Somebody here has just changed something."""
        self._wake.set()

    async def open(self) -> None:
        """Begin at the present end of the notes: no region is held yet.

        Raises:
            StoreUnavailable: They cannot be read.
        """
        self._since = Since(await self._store.read(gates.mark, None))

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.look()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def look(self) -> None:
        """Put in force everything that was changed, if it can be read."""
        try:
            await self._follow()
            self._note(True, "")
        except StoreUnavailable as fault:
            self._note(False, str(fault))

    async def load(self, regions: Sequence[Region]) -> None:
        """Have the gates of regions in force that are about to be held.

        Raises:
            StoreUnavailable: Not now.
        """
        self._loading.update(regions)
        try:
            await self._lay(regions)
        finally:
            self._loading.difference_update(regions)

    async def _follow(self) -> None:
        for region in [region for region in self._estates if not self._is_wanted(region)]:
            del self._estates[region]
        found = await self._store.read(gates.changes, self._since)
        self._since = Since(found.mark, found.taken)
        touched = found.regions | {
            region for region, estates in self._estates.items() if estates & found.estates
        }
        self._doubt(self._estates if found.is_everything else touched)
        while self._doubtful:
            # All regions of an estate that changed are read at one moment, so it is the same in all of them.
            some = list(self._doubtful) if len(touched) > TOGETHER else list(islice(self._doubtful, TOGETHER))
            for region in some:
                del self._doubtful[region]
            try:
                await self._lay(some)
            except StoreUnavailable:
                self._doubtful.update(dict.fromkeys(some))
                raise

    def _doubt(self, regions: Iterable[Region]) -> None:
        self._doubtful.update(dict.fromkeys(region for region in regions if self._is_wanted(region)))

    def _is_wanted(self, region: Region) -> bool:
        return region in self._loading or self._shard.overlay_version(*region) is not None

    async def _lay(self, regions: Sequence[Region]) -> None:
        async with self._one_by_one:
            found = await self._store.read(gates.gates, (regions, self._unix_ms()))
            for region in regions:
                if self._is_wanted(region):
                    laid = found[region]
                    self._estates[region] = frozenset(laid.gates)
                    self._shard.enter.lay(*region, laid.parcels, laid.gates)

    def _note(self, available: bool, why: str) -> None:
        if available != self.is_available:
            self.is_available = available
            if available:
                _log.info("rights in places can be read again")
            else:
                _log.error(
                    "rights in places cannot be read, what was changed is not in force here yet: %s", why
                )
