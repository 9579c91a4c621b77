"""Trading: the counter and who tells of trades, by the operator's rules and the world's words. Composition by hand."""

import asyncio
from collections.abc import Callable

from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.gateway.counter import Counter
from worldloom.gateway.dealing import Rules
from worldloom.gateway.gateway import Gateway
from worldloom.gateway.notifier import Notifier
from worldloom.ports import Store, StyleRow, Wisher
from worldloom.services import land
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["Trading", "rules_of"]


def rules_of(config: Config) -> Rules:
    """What the operator has settled about money and land."""
    money = config.money
    return Rules(
        land.rules_of(config.land),
        money.fee_hundredths,
        money.paying,
        money.name,
        money.digits,
    )


class Trading:
    """What a world does about money, land and the market.

    Args:
        store: Where they are.
        gateway: Whose sessions trade and are told.
        rules: The operator's.
        unix_ms: Unix time.
        wisher: Makes styles of words; None: this world is not woven by words.
        on_deal: Told that something was done here: who may be where may be another.
    """

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        rules: Rules,
        unix_ms: Callable[[], int],
        wisher: Wisher | None = None,
        on_deal: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_deal = on_deal
        self._store, self._unix_ms, self._wisher = store, unix_ms, wisher
        self.notifier = Notifier(store, gateway.roster, unix_ms)
        self.counter = Counter(store, rules, self._style, unix_ms, self._dealt)
        gateway.on_live = self.notifier.came

    def _dealt(self) -> None:
        self.notifier.poke()
        self._on_deal()

    async def _style(self, rx: int, rz: int, words: str) -> StyleRow:
        if self._wisher is None:
            raise Refusal(
                RefusalCode.INVALID,
                "expected a world that is woven by words, got one without a trained generator",
                "claim it without words",
            )
        return await asyncio.to_thread(self._wisher.wish, words, rx, rz)
