"""Commands that go to a world's database beside its server: their subcommands, the store, and how a refusal is told.

Knows none of them.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from worldloom.app.currency import currency_of
from worldloom.cli.settings import add_config_option, add_data_option
from worldloom.config import Config
from worldloom.errors import Refusal, WorldloomError
from worldloom.persistence.store import SqlStore, open_beside
from worldloom.ports import Tx

__all__ = ["EXIT_REFUSED", "Add", "Work", "add_subcommands", "run_beside"]

EXIT_REFUSED = 1
"""What was asked for is refused, or what was to be proved is not so; one line says what."""

Add = Callable[[str, str, str], argparse.ArgumentParser]
"""Adds a subcommand: its name, one line about it, its epilog."""
Work = Callable[[SqlStore, Config, argparse.Namespace], Awaitable[int]]
"""What a subcommand does; gives the exit code."""


def add_subcommands(parser: argparse.ArgumentParser, topic: str, epilog: str) -> Add:
    """Let a command have subcommands, and be told where the world is, before or after them.

    Args:
        parser: Of the command.
        topic: Its name; the subcommand's is in ``{topic}_command``.
        epilog: What its help ends with.

    Returns:
        What adds a subcommand.
    """
    parser.epilog, parser.formatter_class = epilog, argparse.RawDescriptionHelpFormatter
    # Not given after the subcommand, what was given before it stays.
    where = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    for one in (parser, where):
        add_config_option(one)
        add_data_option(one)
    commands = parser.add_subparsers(dest=f"{topic}_command", metavar="COMMAND", required=True)

    def add(name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name,
            help=summary,
            description=f"Worldloom {topic} {name}: {summary}.",
            epilog=epilog,
            parents=[where],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        return command

    return add


def run_beside(config: Config, args: argparse.Namespace, work: Work) -> int:
    """Do it in the world's database; a refusal is one line on standard error.

    Returns:
        What ``work`` gives, or ``EXIT_REFUSED``.

    Raises:
        WorldloomError: There is no world, or the database cannot be reached.
    """
    try:
        return asyncio.run(_beside(config, args, work))
    except Refusal as refusal:
        hint = f"; {refusal.hint}" if refusal.hint else ""
        print(f"worldloom: {refusal.text}{hint}", file=sys.stderr)
        return EXIT_REFUSED


async def _beside(config: Config, args: argparse.Namespace, work: Work) -> int:
    store = open_beside(config.storage_url, currency_of(config))
    try:
        if not await store.read(_is_made, None):
            raise WorldloomError(
                "expected the database of a world; got one without. Start it once: worldloom serve"
            )
        return await work(store, config, args)
    finally:
        await store.close()


def _is_made(tx: Tx, _: None) -> bool:
    return tx.world() is not None
