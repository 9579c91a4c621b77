"""``worldloom people``: keeping order from the command line. Its subcommands, and how they reach the world.

What is said here is done as the operator, who may all. It goes through the database alone: a running server follows the
audit log and puts it in force; without one it is in force at the next start.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable

from worldloom.cli import people_acts, people_audit, people_reports, people_views
from worldloom.cli.people_words import confirm, plain, whom
from worldloom.cli.settings import add_config_option, add_data_option, config_of
from worldloom.config import Config
from worldloom.errors import Refusal, WorldloomError
from worldloom.persistence.store import SqlStore, open_beside
from worldloom.ports import Tx
from worldloom.services.asking import find
from worldloom_sdk.protocol.messages import RefusalCode, Role

__all__ = ["EXIT_REFUSED", "add_arguments", "run"]

EXIT_REFUSED = 1
"""What was asked for is understood and refused; one line on standard error says why."""
_MODULES = people_views, people_audit, people_acts, people_reports

_EPILOG = """\
The server may run, or not. What is done here is in force on open sessions within a second, and stands in the
audit log under the name 'operator'. Options of place: --config FILE, --data DIR.

  worldloom people list                              accounts, roles, who is banned or muted
  worldloom people ban Mallory --for 7d --reason "insults"
  worldloom people ban --network 192.0.2.0/24        everybody from there, for good
  worldloom people mute "Guest 3" --for 30m
  worldloom people role Ann moderator
  worldloom people invite --uses 5 --for 7d
  worldloom people audit --about Mallory

WHO is a name (any that looks the same finds it), an account number (7, or '#7' in quotes), or a guest: "Guest 3".
Exit codes: 0 done, 1 refused (one line says why), 2 wrong use or no world there.
'worldloom people COMMAND --help' tells more.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands, and where the world is, before or after them."""
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    add_config_option(parser)
    add_data_option(parser)
    # Not given after the subcommand, what was given before it stays.
    where = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add_config_option(where)
    add_data_option(where)
    commands = parser.add_subparsers(dest="people_command", metavar="COMMAND", required=True)

    def add(name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(
            name,
            help=summary,
            description=f"Worldloom people {name}: {summary}.",
            epilog=epilog,
            parents=[where],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        return command

    for module in _MODULES:
        module.add_commands(add)


def run(args: argparse.Namespace) -> int:
    """Do what the subcommand says.

    Returns:
        0, or 1 when it was refused, or a report's seal is not intact.

    Raises:
        WorldloomError: There is no world, the database cannot be reached, or nobody could be asked for a yes.
    """
    config = config_of(args)
    try:
        if not confirm(args):
            print("worldloom: nothing was done", file=sys.stderr)
            return EXIT_REFUSED
        return asyncio.run(_beside(config, args, args.work))
    except Refusal as refusal:
        hint = f"; {refusal.hint}" if refusal.hint else ""
        print(f"worldloom: {refusal.text}{hint}", file=sys.stderr)
        return EXIT_REFUSED


async def _beside(
    config: Config,
    args: argparse.Namespace,
    work: Callable[[SqlStore, Config, argparse.Namespace], Awaitable[int]],
) -> int:
    store = open_beside(config.storage_url)
    try:
        if not await store.read(_is_made, None):
            raise WorldloomError(
                "expected the database of a world; got one without. Start it once: worldloom serve"
            )
        if not confirm(args, await store.read(_bans_an_owner, args)):
            raise Refusal(RefusalCode.FORBIDDEN, "nothing was done")
        return await work(store, config, args)
    finally:
        await store.close()


def _bans_an_owner(tx: Tx, args: argparse.Namespace) -> str:
    """What to ask before an owner is banned without end; empty for anything else."""
    if args.people_command != "ban" or args.minutes or args.network:
        return ""
    with contextlib.suppress(Refusal):  # The act itself says what is wrong.
        found = find(tx, whom(args))
        if found.role is Role.OWNER:
            return f"ban {plain(found.about)}, an owner, without end"
    return ""


def _is_made(tx: Tx, _: None) -> bool:
    return tx.world() is not None
