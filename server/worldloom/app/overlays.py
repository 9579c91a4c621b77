"""Overlays: keeps the shard's land as the database has it, tile and overlay. Versions decide; nothing is assumed.

A region that emerged is held once its overlay was read. An edit that was committed is put in force if its version is
the next one; whatever else was heard, or may have happened unheard, has the region's overlay read anew. So it does not
matter in which order edits are told, whether one is told at all, or whose they were.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import islice

from worldloom.errors import StoreUnavailable
from worldloom.ports import Store
from worldloom.services import overlays
from worldloom.shard.simulation import Shard
from worldloom.worldgen.outcome import Emerged
from worldloom_sdk.protocol.overlay import Overlay, Patch, Region

__all__ = ["Overlays"]

_log = logging.getLogger(__name__)

TOGETHER = 64
"""Overlays read by one query."""
NEWEST_KEPT = 4_096
"""Regions of which the newest version that was told is remembered: longer than a read takes."""
RETRY_S = 1.0
"""While the database is away."""


class Overlays:
    """Brings land to a shard.

    Args:
        store: Where overlays are.
        shard: Holds the land.
        before: What else must be known of regions before they are held; raises StoreUnavailable when it cannot be.
    """

    def __init__(
        self,
        store: Store,
        shard: Shard,
        before: Callable[[Sequence[Region]], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._shard, self._before = store, shard, before
        self._emerged: dict[Region, Emerged] = {}
        self._doubtful: dict[Region, None] = {}
        self._newest: OrderedDict[Region, int] = OrderedDict()
        self._wake = asyncio.Event()

    def emerged(self, emerged: Emerged) -> None:
        """The emerge queue has an outcome. Bounded by what may be wished for at once."""
        region = emerged.rx, emerged.rz
        if emerged.tile is None:
            self._shard.unweave(*region)
        elif self._shard.overlay_version(*region) is None:
            self._emerged[region] = emerged
            self._wake.set()

    def edited(self, patch: Patch, versions: Mapping[Region, int]) -> None:
        """An edit was committed; these are the versions that it made."""
        for region, version in versions.items():
            self._note(region, version)
            held = self._shard.overlay_version(*region)
            if held is not None and version == held + 1:
                self._shard.edit_region(*region, version, patch.within(*region))
            elif held is not None and version > held:
                self.doubt([region])

    def doubt(self, regions: Iterable[Region]) -> None:
        """Something may have been changed there: of those that are held, the overlay is read anew."""
        self._doubtful.update((at, None) for at in regions if self._shard.overlay_version(*at) is not None)
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.look()
            except StoreUnavailable as fault:
                _log.warning("overlays cannot be read, later again: %s", fault)
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def look(self) -> None:
        """Hold what emerged, and read anew what is in doubt.

        Raises:
            StoreUnavailable: Not now. What emerged is given up, and wished for again; what is in doubt stays so.
        """
        while self._emerged or self._doubtful:
            emerged = list(islice(self._emerged.values(), TOGETHER))
            doubtful = list(islice(self._doubtful, TOGETHER))
            for one in emerged:
                del self._emerged[one.rx, one.rz]
            try:
                await self.hold(emerged, doubtful)
            except StoreUnavailable:
                for one in emerged:
                    self._shard.unweave(one.rx, one.rz)
                raise

    async def hold(self, emerged: Sequence[Emerged], doubtful: Sequence[Region] = ()) -> None:
        """Have the shard hold regions as they are now.

        Args:
            emerged: Regions whose land is made.
            doubtful: Regions that are held already.

        Raises:
            StoreUnavailable: Not now.
        """
        for region in doubtful:
            self._doubtful.pop(region, None)
        regions = [*((one.rx, one.rz) for one in emerged), *doubtful]
        try:
            found = await self._store.read(overlays.overlays, regions)
            await self._hold(emerged, found)
        except StoreUnavailable:
            self._doubtful.update(dict.fromkeys(doubtful))
            raise
        for region in doubtful:
            overlay = found.get(region)
            held = self._shard.overlay_version(*region)
            if overlay is not None and held is not None and overlay.version > held:
                self._shard.lay_overlay(overlay)
        self._look_again(regions)

    async def _hold(self, emerged: Sequence[Emerged], found: Mapping[Region, Overlay]) -> None:
        made = [one for one in emerged if one.tile is not None]
        if self._before is not None and made:
            await self._before([(one.rx, one.rz) for one in made])
        for one in made:
            region = one.rx, one.rz
            if one.tile is not None and self._shard.overlay_version(*region) is None:
                overlay = found.get(region)
                self._shard.add_region(*region, one.tile.heights, one.sha256, one.source, overlay)

    def _look_again(self, regions: Sequence[Region]) -> None:
        """What was told while it was read may not have been in it."""
        for region in regions:
            held = self._shard.overlay_version(*region)
            if held is not None and held < self._newest.get(region, 0):
                self.doubt([region])

    def _note(self, region: Region, version: int) -> None:
        self._newest[region] = max(version, self._newest.get(region, 0))
        self._newest.move_to_end(region)
        if len(self._newest) > NEWEST_KEPT:
            self._newest.popitem(last=False)
