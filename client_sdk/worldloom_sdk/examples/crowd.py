"""Many bots in one process, wandering and chatting.

python -m worldloom_sdk.examples.crowd 127.0.0.1:8420 --bots 20
"""

import logging
import random
from typing import Any

from worldloom_sdk import (
    Blocked,
    Bot,
    Client,
    Interrupted,
    Joined,
    Position,
    Refused,
    Resumed,
    TimedOut,
    run_many,
)
from worldloom_sdk.examples.starting import options_for, start_log, telling

LINES = (
    "What a view.",
    "Have you been over that hill?",
    "I walked all morning.",
    "The sea must be near.",
    "Somebody should build a bench here.",
    "Which way is the spawn?",
)


def make_bot(
    where: str | Client, number: int, radius_m: float = 40.0, chat_s: float = 45.0, **who: Any
) -> Bot:
    """A bot that wanders around the place where it came in."""
    bot = Bot(where, name=f"Walker {number}", **who)
    dice = random.Random(number)
    home: list[Position] = []

    async def wander() -> None:
        while bot.client.in_world:
            x = home[0].x + dice.uniform(-radius_m, radius_m)
            z = home[0].z + dice.uniform(-radius_m, radius_m)
            try:
                await bot.walk_to(x, z, speed=dice.uniform(0.8, 2.2))
            except (Blocked, TimedOut):
                pass  # another way, then
            except Interrupted:
                return  # it was resumed meanwhile, and wanders already
            await bot.client.clock.sleep(dice.uniform(0.5, 5.0))

    @bot.on(Joined)
    async def begin(event: Joined) -> None:
        home[:] = home or [event.me.position]
        await wander()

    @bot.on(Resumed)
    async def go_on(event: Resumed) -> None:
        await wander()

    @bot.every(chat_s * dice.uniform(0.7, 1.3))
    async def chat() -> None:
        if not bot.nearby(20.0):
            return
        try:
            await bot.say(dice.choice(LINES))
        except (Refused, TimedOut) as fault:
            logging.getLogger(__name__).info("%s: not said: %s", bot.name, fault)

    return bot


def main() -> None:
    """Run the bots until Ctrl-C."""
    parser = options_for(__doc__)
    parser.add_argument("--bots", type=int, default=20, help="how many (%(default)s)")
    parser.add_argument("--radius", type=float, default=40.0, help="how far they wander, in metres")
    parser.add_argument(
        "--chat", type=float, default=45.0, help="seconds between two lines of one bot, about"
    )
    options = parser.parse_args()
    start_log()
    run_many(
        telling(make_bot(options.url, number, options.radius, options.chat, access=options.access))
        for number in range(1, options.bots + 1)
    )


if __name__ == "__main__":
    main()
