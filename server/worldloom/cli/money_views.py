"""Views of ``worldloom money``: balances, statements, the treasury, and the proof. Changes nothing."""

import argparse
from collections.abc import Callable
from typing import Any

from worldloom.app.clock import unix_ms
from worldloom.app.currency import currency_of
from worldloom.cli.people_words import (
    NAME_CHARS,
    add_json,
    named,
    number,
    plain,
    print_json,
    print_table,
    short_text,
    shown_time,
)
from worldloom.config import Config
from worldloom.errors import WorldloomError
from worldloom.persistence.store import SqlStore
from worldloom.ports import AccountRow, Tx
from worldloom.ports.money import EntryRow
from worldloom.realm.counts import counted
from worldloom.realm.money import Currency

__all__ = ["add_views", "amount_of"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

ENTRIES_MAX = 100_000
DAYS_MAX = 36_500
DIFFERS = 1
"""Exit code of ``verify`` when the count does not agree."""
_STATEMENT = "#", "at", "kind", "amount", "with", "about", "memo"
_DAYS = "day", "kind", "transfers", "in", "out"


def amount_of(config: Config, typed: str) -> int:
    """An amount that was typed, in minor units.

    Raises:
        WorldloomError: It is none.
    """
    try:
        return currency_of(config).read(typed)
    except ValueError as error:
        raise WorldloomError(str(error)) from None


def add_views(add: Add) -> None:
    """Add the subcommands that only look."""
    balance = add("balance", "what somebody has", "  worldloom money balance Ann\n")
    balance.set_defaults(work=_balance)
    statement = add(
        "statement",
        "what somebody got and gave, newest first",
        "Times are UTC. 'about' is the number of the estate, listing or lease that it was for. Money that was\n"
        "granted to a newcomer is on it, too.\n\n"
        "  worldloom money statement Ann --limit 20\n  worldloom money statement '#7' --before 1200\n",
    )
    statement.add_argument(
        "--limit",
        metavar="N",
        type=number(ENTRIES_MAX),
        default=50,
        help=f"1 to {ENTRIES_MAX} entries (default: 50)",
    )
    statement.add_argument(
        "--before", metavar="#", type=number(2**62), default=0, help="only those before this transfer"
    )
    statement.set_defaults(work=_statement)
    for parser in (balance, statement):
        parser.add_argument(
            "who", metavar="WHO", type=short_text(NAME_CHARS), help="a name, or an account number: 7 or '#7'"
        )
    treasury = add(
        "treasury",
        "what the treasury has, got and gave, by day; and how much money there is",
        "Days are those of UTC.\n\n  worldloom money treasury --days 7\n",
    )
    treasury.add_argument(
        "--days",
        metavar="N",
        type=number(DAYS_MAX),
        default=30,
        help=f"1 to {DAYS_MAX} days back (default: 30)",
    )
    treasury.set_defaults(work=_treasury)
    proof = add(
        "verify",
        "count all money anew, and name what differs",
        "Adds up the postings of every transfer and the balance of every purse. Changes nothing; the server may\n"
        "run. Exit code 1 and a line for each difference if something differs: then somebody wrote to the\n"
        "database past Worldloom, or it is damaged; restore a backup from before.\n\n"
        "  worldloom money verify\n",
    )
    proof.set_defaults(work=_verify)
    for parser in (balance, statement, treasury, proof):
        add_json(parser)


async def _balance(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import money

    row = await store.read(_account, args.who)
    found = await store.read(money.balance, row.account)
    if args.json:
        print_json({"account": row.account, "name": row.name, "own": found.own, "granted": found.granted})
        return 0
    currency = currency_of(config)
    granted = f", and {currency.shown(found.granted)} for claims only" if found.granted else ""
    print(f"{plain(row.name)} (#{row.account}): {currency.shown(found.own)}{granted}")
    return 0


async def _statement(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import money

    row = await store.read(_account, args.who)
    rows: list[EntryRow] = []
    before = args.before
    while len(rows) < args.limit:
        page = await store.read(money.statement, money.Statement(row.account, before))
        rows += page
        if len(page) < money.PAGE_MAX:
            break
        before = page[-1].transfer.transfer
    del rows[args.limit :]
    if args.json:
        print_json([_entry_as_json(entry) for entry in rows])
    elif rows:
        currency = currency_of(config)
        print_table(_STATEMENT, (_entry_row(currency, entry) for entry in rows))
    else:
        print(f"{plain(row.name)} (#{row.account}) got and gave nothing.")
    return 0


async def _treasury(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import money

    since_ms = (unix_ms() // money.DAY_MS - args.days + 1) * money.DAY_MS
    found = await store.read(money.treasury, since_ms)
    if args.json:
        days = [
            {
                "day": shown_time(row.day * money.DAY_MS + 1)[:10],
                "kind": row.kind.value,
                "transfers": row.count,
                "in": row.got,
                "out": row.gave,
            }
            for row in found.days
        ]
        print_json({"balance": found.balance, "circulating": found.circulating, "days": days})
        return 0
    currency = currency_of(config)
    print(f"In the treasury: {currency.shown(found.balance)}")
    print(f"In the world:    {currency.shown(found.circulating)}")
    if found.days:
        print_table(
            _DAYS,
            (
                (
                    shown_time(row.day * money.DAY_MS + 1)[:10],
                    row.kind.value,
                    row.count,
                    currency.written(row.got) if row.got else "",
                    currency.written(row.gave) if row.gave else "",
                )
                for row in found.days
            ),
        )
    return 0


async def _verify(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services.reckoning import verify

    found = await store.read(verify, None)
    if args.json:
        counts = {"transfers": found.transfers, "purses": found.purses, "circulating": found.circulating}
        print_json({**counts, "differences": list(found.differences)})
    elif found.differences:
        print("\n".join(plain(difference) for difference in found.differences))
    else:
        there = currency_of(config).shown(found.circulating)
        told = f"{counted(found.transfers, 'transfer')}, {counted(found.purses, 'purse')}"
        print(f"All is there: {told}, {there} in the world.")
    return DIFFERS if found.differences else 0


def _entry_row(currency: Currency, entry: EntryRow) -> tuple[object, ...]:
    transfer = entry.transfer
    sign = "+" if entry.amount > 0 else ""
    others = ", ".join(name or kind.value for kind, name in entry.others)
    about = transfer.ref if transfer.ref is not None else ""
    amount = f"{sign}{currency.written(entry.amount)}"
    return (
        transfer.transfer,
        shown_time(transfer.at_ms),
        transfer.kind.value,
        amount,
        others,
        about,
        transfer.memo,
    )


def _entry_as_json(entry: EntryRow) -> dict[str, Any]:
    """An entry for programs."""
    transfer = entry.transfer
    others = [{"kind": kind.value, "name": name} for kind, name in entry.others]
    return {
        "transfer": transfer.transfer,
        "at_ms": transfer.at_ms,
        "kind": transfer.kind.value,
        "amount": entry.amount,
        "with": others,
        "by_account": transfer.by,
        "about": transfer.ref,
        "memo": transfer.memo,
    }


def _account(tx: Tx, who: str) -> AccountRow:
    from worldloom.services.asking import find, invalid

    row = find(tx, named(who.strip())).row
    if row is None:
        raise invalid("expected an account, got a guest")
    return row
