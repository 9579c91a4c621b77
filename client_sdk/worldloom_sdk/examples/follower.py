"""Follows whoever says "follow me", until "stop".

python -m worldloom_sdk.examples.follower 127.0.0.1:8420
"""

from typing import Any

from worldloom_sdk import Blocked, Bot, Client, Interrupted, Spoke
from worldloom_sdk.examples.starting import options_for, telling, who


def make_bot(where: str | Client, name: str = "Follower", **who: Any) -> Bot:
    """A bot that follows."""
    bot = Bot(where, name=name, **who)

    @bot.on(Spoke, check=lambda line: "follow me" in line.text.lower())
    async def follow(line: Spoke) -> None:
        await bot.say(f"Coming, {line.name}!")
        try:
            await bot.follow(line.avatar, near=2.0, speed=3.0)
        except Blocked as wall:
            await bot.say(f"I cannot go on: {wall}.")
        except Interrupted:
            return  # somebody else called, or said stop
        else:
            await bot.say(f"I lost sight of {line.name}.")

    @bot.on(Spoke, check=lambda line: line.text.strip().lower().startswith("stop"))
    async def stop(line: Spoke) -> None:
        await bot.stand()
        await bot.say(f"All right, {line.name}, I stay here.")

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    options = options_for(__doc__, "Follower").parse_args()
    telling(make_bot(options.url, **who(options))).run()


if __name__ == "__main__":
    main()
