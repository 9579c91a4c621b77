"""The market's clock: offers that are over are settled, tenants are told, whether anybody looks or not.

Nothing but the moment hangs on it: whoever looks first settles, and rights of a lease end by themselves.
"""

import logging
from collections.abc import Callable

from worldloom.errors import StoreUnavailable
from worldloom.ports import Store
from worldloom.services import auctions, leases

__all__ = ["EVERY_S", "MarketSweep"]

_log = logging.getLogger(__name__)

EVERY_S = 1.0
FAULTS_KEPT = 1_000
"""Offers that could not be settled, of which that was told once."""


class MarketSweep:
    """Settles what is due. Several hosts may: each offer is settled once.

    Args:
        store: Where the market is.
        unix_ms: Unix time.
    """

    def __init__(self, store: Store, unix_ms: Callable[[], int]) -> None:
        self._store, self._unix_ms = store, unix_ms
        self._faults: dict[int, str] = {}
        self.settled = 0
        """Offers that were settled here."""

    async def sweep(self) -> None:
        """Settle all that is over, and tell of leases.

        Raises:
            StoreUnavailable: Not now; the next time does it.
        """
        now = self._unix_ms()
        for listing in await self._store.read(auctions.due, auctions.Due(now)):
            await self._settle(listing, now)
        if await self._store.read(leases.to_tell, now):
            await self._store.run(leases.tell_due, now)

    async def _settle(self, listing: int, now_ms: int) -> None:
        try:
            done = await self._store.run(auctions.settle, auctions.Settle(listing, now_ms))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one offer that cannot be settled must not hold up the others
            if self._faults.get(listing) != repr(error):
                _log.error("offer %d could not be settled", listing, exc_info=error)
            if len(self._faults) < FAULTS_KEPT:
                self._faults[listing] = repr(error)
        else:
            self.settled += done
            self._faults.pop(listing, None)
