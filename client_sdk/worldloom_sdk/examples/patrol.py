"""Walks a beat, again and again, and tells who asks "report" what it has seen: who was where.

python -m worldloom_sdk.examples.patrol 127.0.0.1:8420 --post 0,0 --post 40,0 --post 40,40

Without posts it walks a square around the place where it came in. Reports are whispered, and name the last round only.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from worldloom_sdk import (
    Blocked,
    Bot,
    Client,
    Interrupted,
    Joined,
    Position,
    Resumed,
    Spoke,
    TimedOut,
    Whispered,
)
from worldloom_sdk.examples.starting import options_for, telling, who

SEES_M = 25.0
MOST_NAMES = 10
STAYS_S = 2.0
Post = tuple[float, float]


def square(home: Position, side: float = 30.0) -> list[Post]:
    """A beat for a bot that was given none."""
    return [
        (home.x, home.z),
        (home.x + side, home.z),
        (home.x + side, home.z + side),
        (home.x, home.z + side),
    ]


def make_bot(
    where: str | Client, name: str = "Patrol", posts: Sequence[Post] = (), speed: float = 2.0, **who: Any
) -> Bot:
    """A bot that walks from post to post."""
    bot = Bot(where, name=name, **who)
    beat = list(posts)
    seen: dict[int, str] = {}

    async def walk() -> None:
        while bot.client.in_world:
            for number, post in enumerate(beat, 1):
                try:
                    await bot.walk_to(*post, speed=speed)
                except (Blocked, TimedOut) as wall:
                    seen[number] = f"post {number}: not reached, {wall}"
                    continue
                except Interrupted:
                    return  # it was resumed meanwhile, and walks already
                seen[number] = f"post {number}: {await look(bot)}"
                await bot.client.clock.sleep(STAYS_S)

    @bot.on(Joined)
    async def begin(event: Joined) -> None:
        beat[:] = beat or square(event.me.position)
        await walk()

    @bot.on(Resumed)
    async def go_on(event: Resumed) -> None:
        await walk()

    @bot.on(Spoke, check=lambda line: line.text.strip().lower() == "report")
    async def asked_aloud(line: Spoke) -> None:
        await report(bot, line.avatar, list(seen.values()))

    @bot.on(Whispered, check=lambda line: line.text.strip().lower() == "report")
    async def asked(line: Whispered) -> None:
        await report(bot, line.avatar, list(seen.values()))

    return bot


async def look(bot: Bot) -> str:
    """Who is near, and how far off."""
    others, here = bot.nearby(SEES_M), bot.position
    told = [
        f"{await bot.name_of(other) or 'somebody'} {other.distance_to(here.x, here.z):.0f} m off"
        for other in others[:MOST_NAMES]
    ]
    more = f" and {len(others) - MOST_NAMES} more" if len(others) > MOST_NAMES else ""
    return (", ".join(told) or "nobody") + more


async def report(bot: Bot, asker: int, lines: Sequence[str]) -> None:
    """Whisper what was seen, a line for each post."""
    for line in lines or ["I have not been anywhere yet"]:
        await bot.whisper(asker, line[: bot.client.limits.text_chars])


def post_of(text: str) -> Post:
    """A post from ``x,z``."""
    x, z = text.split(",")
    return float(x), float(z)


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Patrol")
    parser.add_argument(
        "--post", type=post_of, action="append", default=[], metavar="X,Z", help="metres; one or more"
    )
    parser.add_argument("--speed", type=float, default=2.0, help="m/s (%(default)s)")
    options: argparse.Namespace = parser.parse_args()
    telling(make_bot(options.url, posts=options.post, speed=options.speed, **who(options))).run()


if __name__ == "__main__":
    main()
