"""Follows whoever says "follow me", until "stop": ``python -m worldloom_sdk.examples.follower URL``."""

import argparse
import logging

from worldloom_sdk import Blocked, Bot, Client, Interrupted, Spoke


def make_bot(where: str | Client, name: str = "Follower", token_file: str | None = None) -> Bot:
    """A bot that follows."""
    bot = Bot(where, name=name, token_file=token_file)

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "url", nargs="?", default="127.0.0.1:8420", help="ws://host:port/ws, http(s)://host, host:port"
    )
    parser.add_argument("--name", default="Follower")
    parser.add_argument(
        "--token-file", help="keep the bot's account here, so that it comes back as the same one"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    make_bot(options.url, options.name, options.token_file).run()


if __name__ == "__main__":
    main()
