"""``worldloom people``: keeping order from the command line. Its subcommands, and how they reach the world.

What is said here is done as the operator, who may all. It goes through the database alone: a running server follows the
audit log and puts it in force; without one it is in force at the next start.
"""

import argparse
import contextlib
import sys

from worldloom.cli import people_acts, people_audit, people_reports, people_views
from worldloom.cli.beside import EXIT_REFUSED, Work, add_subcommands, run_beside
from worldloom.cli.people_words import confirm, plain, whom
from worldloom.cli.settings import config_of
from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.services.asking import find
from worldloom_sdk.protocol.messages import RefusalCode, Role

__all__ = ["add_arguments", "run"]

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
    add = add_subcommands(parser, "people", _EPILOG)
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
    if not confirm(args):
        print("worldloom: nothing was done", file=sys.stderr)
        return EXIT_REFUSED
    return run_beside(config, args, _work)


async def _work(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    if not confirm(args, await store.read(_bans_an_owner, args)):
        raise Refusal(RefusalCode.FORBIDDEN, "nothing was done")
    work: Work = args.work
    return await work(store, config, args)


def _bans_an_owner(tx: Tx, args: argparse.Namespace) -> str:
    """What to ask before an owner is banned without end; empty for anything else."""
    if args.people_command != "ban" or args.minutes or args.network:
        return ""
    with contextlib.suppress(Refusal):  # The act itself says what is wrong.
        found = find(tx, whom(args))
        if found.role is Role.OWNER:
            return f"ban {plain(found.about)}, an owner, without end"
    return ""
