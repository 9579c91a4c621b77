"""Calls out the hours of the world, and tells the time to who asks.

python -m worldloom_sdk.examples.herald 127.0.0.1:8420 --day 60

A day of the world has so many minutes of ours. World time goes on while the world is off, and is the same for all, so
two heralds agree. Ask it "What time is it?".
"""

from typing import Any

from worldloom_sdk import Bot, Client, SayKind, Spoke
from worldloom_sdk.examples.starting import options_for, telling, who

LOOKS_S = 1.0


def time_of_day(world_ms: int, day_minutes: float) -> tuple[int, int]:
    """Hour and minute of the world's day at a world time."""
    minute_of_day = int(world_ms / (day_minutes * 60_000) * 1440) % 1440
    return divmod(minute_of_day, 60)


def make_bot(where: str | Client, name: str = "Herald", day_minutes: float = 60.0, **who: Any) -> Bot:
    """A bot that knows the time."""
    bot = Bot(where, name=name, **who)
    called: int | None = None

    async def now() -> tuple[int, int]:
        return time_of_day(await bot.client.ping(), day_minutes)

    @bot.every(LOOKS_S)
    async def call() -> None:
        nonlocal called
        hour, _ = await now()
        if called is not None and hour != called and bot.nearby(100.0):
            await bot.say(f"It is {hour} o'clock, and all is well!", SayKind.SHOUT)
        called = hour

    @bot.on(Spoke, check=lambda line: "what time" in line.text.lower())
    async def tell(line: Spoke) -> None:
        hour, minute = await now()
        await bot.say(f"{line.name}, it is {hour}:{minute:02}.")

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    parser = options_for(__doc__, "Herald")
    parser.add_argument("--day", type=float, default=60.0, help="minutes of a day of the world (%(default)s)")
    options = parser.parse_args()
    telling(make_bot(options.url, day_minutes=options.day, **who(options))).run()


if __name__ == "__main__":
    main()
