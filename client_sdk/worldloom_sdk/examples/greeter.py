"""Greets whoever comes, and tells people where they are: ``python -m worldloom_sdk.examples.greeter URL``."""

import argparse
import logging

from worldloom_sdk import AvatarEntered, Bot, Spoke

GREET_WITHIN_M = 20.0


def make_bot(url: str, name: str = "Greeter", token_file: str | None = None) -> Bot:
    """A bot that greets and answers "where am I?"."""
    bot = Bot(url, name=name, token_file=token_file)
    greeted: set[int] = set()

    @bot.on(AvatarEntered)
    async def greet(event: AvatarEntered) -> None:
        newcomer = event.avatar
        here = bot.position
        if newcomer.id in greeted or newcomer.distance_to(here.x, here.z) > GREET_WITHIN_M:
            return
        greeted.add(newcomer.id)
        called = await bot.name_of(newcomer)
        await bot.face(newcomer.position)
        await bot.say(f"Welcome, {called or 'stranger'}!")

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "url", nargs="?", default="127.0.0.1:8420", help="ws://host:port/ws, http(s)://host, host:port"
    )
    parser.add_argument("--name", default="Greeter")
    parser.add_argument(
        "--token-file", help="keep the bot's account here, so that it comes back as the same one"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    make_bot(options.url, options.name, options.token_file).run()


if __name__ == "__main__":
    main()
