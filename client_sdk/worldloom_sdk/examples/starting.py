"""Starting: the options that every example takes, what they mean, and the line that tells that a bot is in."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worldloom_sdk.bot import Bot
from worldloom_sdk.errors import SetupError
from worldloom_sdk.events import Joined
from worldloom_sdk.tokens import read_token

__all__ = ["above", "options_for", "start_log", "telling", "who"]


def options_for(doc: str | None, name: str | None = None) -> argparse.ArgumentParser:
    """The options of an example: where the world is and, for a single bot, who it is.

    Args:
        doc: What it does and how it is run: the module's docstring.
        name: The bot's default name; ``None`` for a program of many bots.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "url", nargs="?", default="127.0.0.1:8420", help="host:port, http(s)://host or ws(s)://host:port/ws"
    )
    parser.add_argument(
        "--access", default="", metavar="CODE",
        help="an invitation (it makes an account: with --name and --token-file) or the world's password, if it asks",
    )  # fmt: skip
    if name is not None:
        parser.add_argument("--name", default=name, help="of a bot that comes without a key (%(default)s)")
        right = parser.add_mutually_exclusive_group()
        right.add_argument(
            "--key-file", type=Path, metavar="FILE",
            help="its first line is the bot's key, as examples.keys makes it; else the variable WORLDLOOM_KEY is",
        )  # fmt: skip
        right.add_argument(
            "--token-file", type=Path, metavar="FILE",
            help="keep an account of its own here, so that it comes back as the same one",
        )  # fmt: skip
    return parser


def above(least: float, kind: type[int] | type[float] = int) -> Callable[[str], float]:
    """Reads an option that is a number, and no less than that: ``type=above(1)``."""

    def number(text: str) -> float:
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"expected {least} or more, got {text}")
        return value

    number.__name__ = kind.__name__
    return number


def who(options: argparse.Namespace) -> dict[str, Any]:
    """Name, key, token file and access from the options, as ``Bot`` takes them. Starts the log, too.

    Raises:
        SystemExit: The key file cannot be used; why is one line on standard error.
    """
    start_log()
    key = None if options.key_file is None else _key_in(options.key_file)
    return {"name": options.name, "key": key, "token_file": options.token_file, "access": options.access}


def telling(bot: Bot) -> Bot:
    """Have a bot print one line whenever it comes into a world: which one, and as whom."""

    @bot.on(Joined)
    def tell(event: Joined) -> None:
        role = bot.client.role
        article = "an" if role.startswith("o") else "a"
        print(f"in the world {event.world} as {bot.name}, {article} {role}", flush=True)

    return bot


def start_log() -> None:
    """Write what the SDK and the bots log to standard error; a service's journal takes it from there."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _key_in(path: Path) -> str:
    try:
        kept = read_token(path)
    except SetupError as fault:
        sys.exit(str(fault))
    if kept is None:
        sys.exit(f"expected a file with a key, got {path}: there is no such file")
    return kept.token
