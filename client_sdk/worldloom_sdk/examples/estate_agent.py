"""Rents out plots: claims some, offers each for lease, tells who asks what is free, and is told who came and went.

python -m worldloom_sdk.examples.estate_agent 127.0.0.1:8420 --key-file agent.key --plots 4 --rent 100 --hours 24

It takes an account with money, or a bot's key with the scopes talk and trade; docs/bots.md shows how to make it. Plots
are claimed side by side from the parcel --at X,Z on, as long as the money lasts; those that it has are let anew.
"""

import argparse
import logging
from typing import Any

from worldloom_sdk import (
    Bot,
    Client,
    Joined,
    Leased,
    LeaseEnded,
    LeaseRenewed,
    Noticed,
    Refused,
    Spoke,
    TooDear,
    parcel_at,
    rectangle,
)
from worldloom_sdk.examples.starting import above, options_for, telling, who
from worldloom_sdk.protocol.estate_parts import EstateInfo

SIDE = 2
"""Parcels along a side of a plot: 32 m."""

_log = logging.getLogger(__name__)


def place(text: str) -> tuple[float, float]:
    """Read ``X,Z`` in metres."""
    x, z = text.split(",")
    return float(x), float(z)


def make_bot(
    where: str | Client,
    name: str = "Agent",
    plots: int = 4,
    rent: int = 100,
    hours: float = 24.0,
    at: tuple[float, float] = (0.0, 0.0),
    max_price: int = 10_000,
    **who: Any,
) -> Bot:
    """A bot that lets plots.

    Args:
        where: The world.
        name: Of a bot without a key.
        plots: How many it wants to have.
        rent: For a period, minor units.
        hours: Of a period.
        at: Where the first plot is, metres; the others lie east of it.
        max_price: For a plot, minor units.
        who: As ``Bot`` takes it.
    """
    bot = Bot(where, name=name, **who)

    @bot.on(Joined)
    async def open_shop(event: Joined) -> None:
        mine = await acquire(bot, plots, parcel_at(*at), max_price)
        for estate in mine:
            await bot.market.offer_lease(estate, rent, period_s=round(hours * 3_600), max_periods=30)
        _log.info("%s: lets %d plots", bot.name, len(mine))

    @bot.on(Noticed, check=lambda event: isinstance(event, Leased | LeaseRenewed))
    async def note(event: Noticed) -> None:
        tenant = (await bot.land.show(event.estate)).lease
        _log.info(
            "%s: estate %d is let to account %d, %d paid, of it %d fee",
            bot.name,
            event.estate,
            tenant.tenant if tenant else event.account,
            event.amount,
            event.fee,
        )

    @bot.on(LeaseEnded)
    async def free_again(event: LeaseEnded) -> None:
        # The offer stays: whoever asks can have it at once.
        _log.info("%s: estate %d is free again", bot.name, event.estate)

    @bot.on(Spoke, check=lambda line: "plot" in line.text.lower())
    async def advise(line: Spoke) -> None:
        free = [offer async for offer in bot.market.to_let(sort="price") if offer.owner == bot.me.id]
        if not free:
            return await bot.say(f"{line.name}, all my plots are let.")
        first = free[0]
        await bot.say(
            f"{line.name}, {len(free)} free, {first.name} for {first.rent} a period: lease estate {first.estate}."
        )

    return bot


async def acquire(bot: Bot, plots: int, first: tuple[int, int], max_price: int) -> list[EstateInfo]:
    """What the bot has, with further plots claimed from the first parcel on, as far as they are to be had."""
    px, pz = first
    mine = [estate async for estate in bot.land.estates()]
    for number in range(plots):
        plot = rectangle(px + number * (SIDE + 1), pz, SIDE, SIDE)
        try:
            if len(mine) < plots and (await bot.land.parcel(plot[0].px, pz)).estate == 0:
                mine.append(await bot.claim(plot, max_price=max_price, name=f"Plot {number + 1}"))
        except (Refused, TooDear) as fault:
            _log.warning("%s: plot %d is not to be had: %s", bot.name, number + 1, fault)
    return mine


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Agent")
    parser.add_argument("--plots", type=above(0), default=4, help="how many to have (%(default)s)")
    parser.add_argument("--rent", type=above(1), default=100, help="of a period, minor units (%(default)s)")
    parser.add_argument(
        "--hours",
        type=above(1 / 60, float),
        default=24.0,
        help="of a period, a minute at least (%(default)s)",
    )
    parser.add_argument("--at", type=place, default=(0.0, 0.0), metavar="X,Z", help="of the first, metres")
    parser.add_argument(
        "--max-price", type=above(0), default=10_000, help="for a plot, minor units (%(default)s)"
    )
    options: argparse.Namespace = parser.parse_args()
    chosen = {name: getattr(options, name) for name in ("plots", "rent", "hours", "at", "max_price")}
    telling(make_bot(options.url, **chosen, **who(options))).run()


if __name__ == "__main__":
    main()
