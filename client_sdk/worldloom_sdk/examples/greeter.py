"""Greets whoever comes, and tells people where they are.

python -m worldloom_sdk.examples.greeter 127.0.0.1:8420

Ask it "Where am I?".
"""

from collections import deque
from typing import Any

from worldloom_sdk import Bot, Client, Spoke
from worldloom_sdk.examples.starting import options_for, telling, who

GREET_WITHIN_M = 20.0
GREET_EVERY_S = 2.0
AT_ONCE = 4
"""How many are greeted in one line; a world refuses lines that come too fast."""
REMEMBERED = 1000


def make_bot(where: str | Client, name: str = "Greeter", **who: Any) -> Bot:
    """A bot that greets and answers "where am I?"."""
    bot = Bot(where, name=name, **who)
    greeted: deque[int] = deque(maxlen=REMEMBERED)

    @bot.every(seconds=GREET_EVERY_S)
    async def greet() -> None:
        newcomers = [avatar for avatar in bot.nearby(GREET_WITHIN_M) if avatar.id not in greeted][:AT_ONCE]
        if not newcomers:
            return
        greeted.extend(avatar.id for avatar in newcomers)
        names = [await bot.name_of(avatar) or "stranger" for avatar in newcomers]
        await bot.face(newcomers[0].position)
        await bot.say(f"Welcome, {' and '.join(names)}!")

    @bot.on(Spoke, check=lambda line: "where am i" in line.text.lower())
    async def tell(line: Spoke) -> None:
        asker = bot.find(line.avatar)
        if asker is None:
            return
        ground = await bot.terrain.wait(asker.x, asker.z)
        level = f"{ground:.0f} m above the sea" if ground >= 0 else f"{-ground:.0f} m of water below you"
        await bot.say(f"{line.name}, you are at x={asker.x:.0f} z={asker.z:.0f}, {level}.")

    return bot


def main() -> None:
    """Run the bot until Ctrl-C."""
    options = options_for(__doc__, "Greeter").parse_args()
    telling(make_bot(options.url, **who(options))).run()


if __name__ == "__main__":
    main()
