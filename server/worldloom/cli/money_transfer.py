"""``worldloom money show``: one transfer, with whose money it was and why it moved. Changes nothing."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from worldloom.app.currency import currency_of
from worldloom.cli.people_words import add_json, number, plain, print_json, print_table, shown_time
from worldloom.config import Config
from worldloom.persistence.store import SqlStore
from worldloom.ports.money import PurseRow
from worldloom.realm.ledger import PurseKind, TransferKind

if TYPE_CHECKING:  # A command loads the services that it asks, and no others.
    from worldloom.services.money import Told

__all__ = ["add_transfer"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

_POSTINGS = "amount", "purse"
_WHY = {
    TransferKind.GRANT: "granted to a newcomer",
    TransferKind.MINT: "made by the operator",
    TransferKind.BURN: "taken out of the world by the operator",
    TransferKind.PAY: "paid by one to another",
    TransferKind.CLAIM: "land bought from the world, estate {}",
    TransferKind.SALE: "an estate sold, offer {}",
    TransferKind.BID: "a bid put into escrow, auction {}",
    TransferKind.OUTBID: "given back to who was outbid, auction {}",
    TransferKind.SETTLE: "an auction settled, {}",
    TransferKind.RENT: "rent, lease {}",
    TransferKind.REFUND: "rent given back, lease {}",
    TransferKind.CORRECT: "a mistake put right",
}
_BID_BACK = "a bid given back, auction {}"


def add_transfer(add: Add) -> None:
    """Add ``show``."""
    showing = add(
        "show",
        "one transfer: whose money, how much, why, and by which request",
        "Its number is the first column of a statement, and what the other commands call 'transfer'. Times are UTC.\n"
        "The key is that of the client's request, and is known for seven days.\n\n"
        "  worldloom money show 1204\n",
    )
    showing.add_argument("transfer", metavar="N", type=number(2**62), help="its number")
    add_json(showing)
    showing.set_defaults(work=_show)


async def _show(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import money

    found = await store.read(money.transfer, args.transfer)
    if args.json:
        print_json(_as_json(found))
        return 0
    currency, row = currency_of(config), found.transfer
    lines = [
        ("Transfer", f"{row.transfer}, {shown_time(row.at_ms)} UTC"),
        ("Reason", f"{row.kind.value}: {_why(found)}"),
        ("Memo", plain(row.memo)),
        ("By", "the operator, or the server itself" if row.by is None else _who(found, row.by)),
        *(("Key", key.hex()) for key in found.keys),
    ]
    print_table(("", ""), [line for line in lines if line[1]])
    print()
    rows = ((_signed(currency.written(amount)), _whose(found, purse)) for purse, amount in found.postings)
    print_table(_POSTINGS, rows)
    return 0


def _why(found: "Told") -> str:
    row = found.transfer
    is_bid = any(purse.kind is PurseKind.ESCROW for purse, _ in found.postings)
    why = _BID_BACK if row.kind is TransferKind.REFUND and is_bid else _WHY[row.kind]
    return why.format(row.ref)


def _signed(amount: str) -> str:
    return amount if amount.startswith("-") else f"+{amount}"


def _whose(found: "Told", purse: PurseRow) -> str:
    if purse.account is None:
        return f"{purse.kind.value} of auction {purse.ref}" if purse.ref is not None else purse.kind.value
    granted = ", what was granted" if purse.kind is PurseKind.GRANT else ""
    return f"{_who(found, purse.account)}{granted}"


def _who(found: "Told", account: int) -> str:
    return f"{plain(found.names.get(account, 'somebody who is gone'))} (#{account})"


def _as_json(found: "Told") -> dict[str, Any]:
    row = found.transfer
    return {
        "transfer": row.transfer,
        "at_ms": row.at_ms,
        "kind": row.kind.value,
        "about": row.ref,
        "memo": row.memo,
        "by_account": row.by,
        "by_name": found.names.get(row.by or 0),
        "keys": [key.hex() for key in found.keys],
        "postings": [
            {
                "purse": purse.purse,
                "kind": purse.kind.value,
                "account": purse.account,
                "name": found.names.get(purse.account or 0),
                "listing": purse.ref,
                "amount": amount,
            }
            for purse, amount in found.postings
        ],
    }
