"""``worldloom money``: the world's money from the command line. What is said here is done as the operator.

It goes through the database alone, whether a server runs or not.
"""

import argparse

from worldloom.app.clock import unix_ms
from worldloom.app.currency import currency_of
from worldloom.cli.beside import add_subcommands, run_beside
from worldloom.cli.money_transfer import add_transfer
from worldloom.cli.money_views import add_views, amount_of
from worldloom.cli.people_words import NAME_CHARS, named, plain, short_text
from worldloom.cli.settings import config_of
from worldloom.config import Config
from worldloom.persistence.store import SqlStore
from worldloom.realm.money import MEMO_MAX

__all__ = ["add_arguments", "run"]


_EPILOG = """\
All money comes from the mint and every transfer is kept for good: what was wrong is countered by another one.
The server may run, or not. AMOUNT is in coins: 12, 12.50, 1,250.00 (money.digits says how many digits after the
point there may be). Options of place: --config FILE, --data DIR.

  worldloom money mint 100 --to Ann --memo "for the harbour"
  worldloom money mint 5000 --treasury
  worldloom money burn 20 --from Ann --memo "paid twice"
  worldloom money balance Ann
  worldloom money statement Ann --limit 20
  worldloom money show 1204                          one transfer: whose money, why, by which request
  worldloom money treasury --days 7
  worldloom money verify                             counts everything anew; for a nightly job

WHO is a name (any that looks the same finds it) or an account number (7, or '#7' in quotes).
Exit codes: 0 done, 1 refused or a difference found (one line says what), 2 wrong use or no world there.
'worldloom money COMMAND --help' tells more.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands, and where the world is, before or after them."""
    add = add_subcommands(parser, "money", _EPILOG)
    _add_issue(
        add(
            "mint",
            "make money, for somebody or for the treasury",
            "The audit log and both statements have it, with the memo.\n\n"
            '  worldloom money mint 100 --to Ann --memo "for the harbour"\n  worldloom money mint 5000 --treasury\n',
        ),
        "--to",
        "who gets it; they must have come in once with a name that is kept",
        "for the treasury",
    )
    _add_issue(
        add(
            "burn",
            "take money out of the world, somebody's or the treasury's",
            "Refused if there is less than that. What was granted to a newcomer, or bid in an auction, stays.\n\n"
            '  worldloom money burn 20 --from Ann --memo "paid twice"\n  worldloom money burn 5000 --treasury\n',
        ),
        "--from",
        "whose it is",
        "the treasury's",
    )
    add_views(add)
    add_transfer(add)


def _add_issue(parser: argparse.ArgumentParser, option: str, whose: str, treasury: str) -> None:
    parser.add_argument("amount", metavar="AMOUNT", help="in coins, such as 12 or 12.50")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument(option, dest="who", metavar="WHO", type=short_text(NAME_CHARS), help=whose)
    who.add_argument("--treasury", action="store_true", help=treasury)
    parser.add_argument(
        "--memo", metavar="TEXT", default="", type=short_text(MEMO_MAX), help="what it is for; kept for good"
    )
    parser.set_defaults(work=_issue)


def run(args: argparse.Namespace) -> int:
    """Do what the subcommand says.

    Returns:
        0, or 1 when it was refused, or the count does not agree.

    Raises:
        WorldloomError: There is no world, the database cannot be reached, or an amount is none.
    """
    return run_beside(config_of(args), args, args.work)


async def _issue(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import money

    amount = amount_of(config, args.amount)
    is_mint = args.money_command == "mint"
    command = money.Issue(None if args.treasury else named(args.who.strip()), amount, args.memo, unix_ms())
    number = await store.run(money.issue if is_mint else money.burn, command)
    whose = "the treasury" if args.treasury else plain(args.who)
    done = f"minted for {whose}" if is_mint else f"burned of what {whose} had"
    print(f"{currency_of(config).shown(amount)} {done}; transfer {number}.")
    return 0
