"""Auctions its estates one after the other, cries each bid, and says who has won.

python -m worldloom_sdk.examples.auctioneer 127.0.0.1:8420 --key-file auctioneer.key --price 500 --step 50 --minutes 30

It takes an account that owns land, or a bot's key with the scopes talk and trade; docs/bots.md shows how to make it.
Bids come from anywhere; it cries where it stands.
"""

import logging
from typing import Any

from worldloom_sdk import BidReceived, Bot, Client, Joined, OfferOver, Refused, SayKind, Sold, Spoke
from worldloom_sdk.examples.starting import above, options_for, telling, who
from worldloom_sdk.protocol.estate_parts import Offer

_log = logging.getLogger(__name__)


def make_bot(
    where: str | Client,
    name: str = "Auctioneer",
    price: int = 500,
    step: int = 50,
    minutes: float = 30.0,
    **who: Any,
) -> Bot:
    """A bot that sells to who bids most.

    Args:
        where: The world.
        name: Of a bot without a key.
        price: The first bid at least, minor units.
        step: What each must be above the one before.
        minutes: Of an auction; late bids extend it.
        who: As ``Bot`` takes it.
    """
    bot = Bot(where, name=name, **who)
    unwanted: set[int] = set()

    async def go_on() -> None:
        told = await put_up(bot, unwanted, price, step, minutes)
        if told:
            await cry(bot, told)

    @bot.on(Joined)
    async def begin(event: Joined) -> None:
        await go_on()

    @bot.on(BidReceived)
    async def cry_bid(event: BidReceived) -> None:
        await cry(bot, f"{event.amount} is bid for number {event.listing}! Who gives {event.amount + step}?")

    @bot.on(Sold)
    async def cry_sold(event: Sold) -> None:
        owner = (await bot.land.show(event.estate)).owner_name
        await cry(bot, f"Sold to {owner} for {event.amount}!")
        await go_on()

    @bot.on(OfferOver)
    async def pass_over(event: OfferOver) -> None:
        unwanted.add(event.estate)
        await cry(bot, "Nobody? Then I keep it.")
        await go_on()

    @bot.on(Spoke, check=lambda line: "auction" in line.text.lower())
    async def tell(line: Spoke) -> None:
        offers = (await bot.market.trades()).offers
        up = f"{named(offers[0])} is up: bid {offers[0].asked} or more." if offers else "nothing is up."
        await bot.say(f"{line.name}, {up}")

    return bot


async def put_up(bot: Bot, unwanted: set[int], price: int, step: int, minutes: float) -> str:
    """Open the next auction, unless one is open; what to cry. Estates that cannot be sold are noted as unwanted."""
    if (await bot.market.trades()).offers:
        return ""
    async for estate in bot.land.estates():
        if estate.estate in unwanted:
            continue
        try:
            offer = await bot.market.auction(estate, price, step=step, seconds=round(minutes * 60))
        except Refused as refusal:
            unwanted.add(estate.estate)
            _log.warning("%s: estate %d cannot be auctioned: %s", bot.name, estate.estate, refusal)
        else:
            size = "1 parcel" if offer.parcels == 1 else f"{offer.parcels} parcels"
            return f"{named(offer)}, {size}! Who gives {offer.asked}?"
    _log.info("%s: has nothing to auction", bot.name)
    return ""


async def cry(bot: Bot, text: str) -> None:
    """Shout, unless that was too much of late."""
    try:
        await bot.say(text, SayKind.SHOUT)
    except Refused as refusal:
        _log.info("%s: %s; not cried: %s", bot.name, refusal, text)


def named(offer: Offer) -> str:
    """What an offer is called when it is cried."""
    return f"Number {offer.listing}, {offer.name or 'land'} at {16 * offer.px}, {16 * offer.pz}"


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Auctioneer")
    parser.add_argument(
        "--price", type=above(1), default=500, help="the first bid, minor units (%(default)s)"
    )
    parser.add_argument("--step", type=above(1), default=50, help="of further bids (%(default)s)")
    parser.add_argument("--minutes", type=above(1, float), default=30.0, help="of an auction (%(default)s)")
    options = parser.parse_args()
    chosen = {"price": options.price, "step": options.step, "minutes": options.minutes}
    telling(make_bot(options.url, **chosen, **who(options))).run()


if __name__ == "__main__":
    main()
