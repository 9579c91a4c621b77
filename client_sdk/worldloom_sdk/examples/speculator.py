"""Buys land that is cheaper than what is asked around it, and offers it again for more.

python -m worldloom_sdk.examples.speculator 127.0.0.1:8420 --key-file speculator.key --budget 20000 --margin 1.2

It takes an account with money, or a bot's key with the scope trade; docs/bots.md shows how to make it. It looks at the
market every minute, never spends more than its budget, and says of each deal what it cost and what it brought.
"""

import logging
import statistics
from collections.abc import Sequence
from typing import Any

from worldloom_sdk import Bot, Client, Refused, Sold, TooDear
from worldloom_sdk.examples.starting import above, options_for, telling, who
from worldloom_sdk.protocol.estate_parts import Offer

AROUND_M = 500.0
FEWEST = 3
"""With fewer other offers around, nobody knows what land is worth there."""

_log = logging.getLogger(__name__)


def worth(offer: Offer, others: Sequence[Offer]) -> float | None:
    """What a parcel is asked for around an offer: the median of the others; None where there are too few."""
    asked = [other.price / other.parcels for other in others if other.seller != offer.seller]
    return statistics.median(asked) if len(asked) >= FEWEST else None


def make_bot(
    where: str | Client,
    name: str = "Speculator",
    budget: int = 20_000,
    margin: float = 1.2,
    every_s: float = 60.0,
    **who: Any,
) -> Bot:
    """A bot that buys cheap and sells dear.

    Args:
        where: The world.
        name: Of a bot without a key.
        budget: What all that it holds may have cost, minor units.
        margin: It buys what is cheaper by this factor than around, and asks what is asked around.
        every_s: How often it looks, seconds.
        who: As ``Bot`` takes it.
    """
    bot = Bot(where, name=name, **who)
    paid: dict[int, int] = {}

    async def look_at(offer: Offer) -> None:
        near = (16 * offer.px, 16 * offer.pz)
        around = await bot.market(kind="sale", sort="price", near=near, within=AROUND_M)
        price = worth(offer, [other for other in around if other.listing != offer.listing])
        if price is None or offer.price * margin > price * offer.parcels:
            return
        left = min(budget - sum(paid.values()), (await bot.money.balance()).own)
        try:
            bought = await bot.buy(offer, max_price=left)
        except (Refused, TooDear) as fault:
            return _log.info("%s: offer %d is not to be had: %s", bot.name, offer.listing, fault)
        paid[bought.estate] = bought.price
        again = await bot.sell(bought.estate, round(price * offer.parcels))
        _log.info("%s: bought estate %d for %d, asks %d", bot.name, bought.estate, bought.price, again.price)

    @bot.every(every_s)
    async def look() -> None:
        for offer in await bot.market(kind="sale", sort="price"):
            if offer.seller != bot.me.id:
                await look_at(offer)

    @bot.on(Sold)
    async def reckon(event: Sold) -> None:
        cost = paid.pop(event.estate, 0)
        gain = event.amount - event.fee - cost
        _log.info("%s: sold estate %d, gained %d", bot.name, event.estate, gain)

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Speculator")
    parser.add_argument("--budget", type=above(0), default=20_000, help="minor units (%(default)s)")
    parser.add_argument(
        "--margin", type=above(1, float), default=1.2,
        help="it buys what is cheaper by this factor than around, and asks what is asked around (%(default)s)",
    )  # fmt: skip
    options = parser.parse_args()
    telling(make_bot(options.url, budget=options.budget, margin=options.margin, **who(options))).run()


if __name__ == "__main__":
    main()
