"""``worldloom market``: what is for sale, auctioned and to let, from the command line. Changes nothing.

It goes through the database alone, whether a server runs or not.
"""

import argparse
from collections.abc import Sequence

from worldloom.app.clock import unix_ms
from worldloom.app.currency import currency_of
from worldloom.cli.beside import add_subcommands, run_beside
from worldloom.cli.market_words import as_json, bound_lines, listing_as_json, offer_as_json, shown_period
from worldloom.cli.people_words import add_json, number, plain, print_json, print_table, shown_time
from worldloom.cli.settings import config_of
from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports.market import OfferedRow, ToLetRow
from worldloom.realm.market import ListingKind, MarketSort
from worldloom.realm.money import Currency
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["add_arguments", "run"]

ROWS_MAX = 100_000
LEASE = "lease"
"""What is to let, among the kinds of offers."""
_OFFERS = "#", "kind", "estate", "name", "parcels", "price", "seller", "to", "ends"
_TO_LET = "estate", "name", "parcels", "rent", "for", "at most", "owner", "to"

_EPILOG = """\
You see what is offered to one account alone as well. Amounts are in coins, of an auction the least next bid; with
--json in minor units. Times are UTC. Options of place: --config FILE, --data DIR.

  worldloom market list
  worldloom market list --kind auction --sort ends
  worldloom market show 7                            an offer, by its number
  worldloom market show --estate 12                  what is offered of an estate, and on what terms it is to let

Exit codes: 0 done, 1 refused (one line says what), 2 wrong use or no world there.
'worldloom market COMMAND --help' tells more.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands, and where the world is, before or after them."""
    add = add_subcommands(parser, "market", _EPILOG)
    listing = add(
        "list",
        "what is for sale, auctioned and to let",
        "What is leased or auctioned now is not to let.\n\n"
        "  worldloom market list --kind sale --sort price\n  worldloom market list --kind lease --limit 200\n",
    )
    listing.add_argument(
        "--kind", choices=[*(kind.value for kind in ListingKind), LEASE], help="only these (default: all)"
    )
    listing.add_argument(
        "--sort",
        choices=[sort.value for sort in MarketSort],
        default=MarketSort.NEWEST.value,
        help="newest, cheapest, largest, or what ends soonest first (default: newest)",
    )
    listing.add_argument(
        "--limit", metavar="N", type=number(ROWS_MAX), default=50, help="rows of each table (default: 50)"
    )
    listing.set_defaults(work=_list)
    showing = add(
        "show",
        "an offer, or all that is offered of an estate",
        "Its price and end, the lease that goes with it, who may do what there.\n\n"
        "  worldloom market show 7\n  worldloom market show --estate 12\n",
    )
    which = showing.add_mutually_exclusive_group(required=True)
    which.add_argument("listing", metavar="LISTING", nargs="?", type=number(2**62), help="its number")
    which.add_argument("--estate", metavar="N", type=number(), help="the number of an estate")
    showing.set_defaults(work=_show)
    for one in (listing, showing):
        add_json(one)


def run(args: argparse.Namespace) -> int:
    """Do what the subcommand says.

    Returns:
        0, or 1 when there is no such offer.

    Raises:
        WorldloomError: There is no world, or the database cannot be reached.
    """
    return run_beside(config_of(args), args, args.work)


async def _list(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    offered = [] if args.kind == LEASE else await _offered(store, args)
    to_let = await _to_let(store, args) if args.kind in (None, LEASE) else []
    more = max(len(offered), len(to_let)) > args.limit
    del offered[args.limit :], to_let[args.limit :]
    if args.json:
        told = {"offers": list(map(_offered_as_json, offered)), "to_let": list(map(_to_let_as_json, to_let))}
        print_json({**told, "more": more})
        return 0
    currency = currency_of(config)
    if offered:
        print_table(_OFFERS, (_offered_row(currency, row) for row in offered))
    if offered and to_let:
        print()
    if to_let:
        print("To let:")
        print_table(_TO_LET, (_to_let_row(currency, row) for row in to_let))
    if not offered and not to_let:
        print("Nothing is offered.")
    if more:
        print(f"There are more: --limit {2 * args.limit}")
    return 0


async def _offered(store: SqlStore, args: argparse.Namespace) -> list[OfferedRow]:
    """Offers and auctions, one more than is asked for if there are more."""
    from worldloom.services import listings

    kind = ListingKind(args.kind) if args.kind else None
    now_ms, sort, rows = unix_ms(), MarketSort(args.sort), list[OfferedRow]()
    after: tuple[int, int] | None = None
    while len(rows) <= args.limit:
        wanted = listings.WantPage(now_ms, sort, kind=kind, after=after, sees_all=True)
        page = await store.read(listings.page, wanted)
        rows += page.rows
        after = page.next
        if after is None:
            break
    return rows


async def _to_let(store: SqlStore, args: argparse.Namespace) -> list[ToLetRow]:
    """What is to let, likewise."""
    from worldloom.services import listings

    now_ms, sort, rows = unix_ms(), MarketSort(args.sort), list[ToLetRow]()
    after: tuple[int, int] | None = None
    while len(rows) <= args.limit:
        wanted = listings.WantPage(now_ms, sort, after=after, sees_all=True)
        page = await store.read(listings.page_to_let, wanted)
        rows += page.rows
        after = page.next
        if after is None:
            break
    return rows


def _offered_row(currency: Currency, row: OfferedRow) -> Sequence[object]:
    one = row.listing
    to = "" if one.only is None else f"#{one.only}"
    asked, ends = currency.shown(one.asked), shown_time(one.ends_ms)
    seller = f"{row.seller_name} (#{one.seller})"
    return one.listing, one.kind.value, one.estate, row.estate_name, one.parcels, asked, seller, to, ends


def _to_let_row(currency: Currency, row: ToLetRow) -> Sequence[object]:
    one = row.offer
    to = "" if one.only is None else f"#{one.only}"
    rent, period = currency.shown(one.rent), shown_period(one.period_ms)
    owner = f"{row.owner_name} (#{one.owner})"
    return one.estate, row.estate_name, one.parcels, rent, period, one.max_periods, owner, to


def _offered_as_json(row: OfferedRow) -> dict[str, object]:
    names = {"estate_name": row.estate_name, "seller_name": row.seller_name}
    return {**listing_as_json(row.listing), **names}


def _to_let_as_json(row: ToLetRow) -> dict[str, object]:
    return {**offer_as_json(row.offer), "estate_name": row.estate_name, "owner_name": row.owner_name}


async def _show(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import binding, holdings, listings

    now_ms, number = unix_ms(), args.estate
    if number is None:
        asked = listings.Show(now_ms, listing=args.listing, sees_all=True)
        number = (await store.read(listings.show, asked)).estate.number
    view = await store.read(holdings.estate, number)
    found = await store.read(binding.binding, binding.AskBinding(number, now_ms))
    if found.listing is None and found.offer is None:
        raise Refusal(
            RefusalCode.NOT_FOUND, f"expected an estate that is offered or to let, got {number}, which is not"
        )
    row = view.row
    if args.json:
        about = {"estate": number, "name": row.name, "owner": row.owner, "owner_name": view.owner_name}
        print_json({**about, "parcels": row.parcels, **as_json(found)})
        return 0
    about_lines = [
        ("Estate", f"{number}" + (f"  {plain(row.name)}" if row.name else "")),
        ("Owner", f"{plain(view.owner_name)} (#{row.owner})"),
        ("Parcels", f"{row.parcels}"),
    ]
    print_table(("", ""), [*about_lines, *bound_lines(currency_of(config), found, now_ms)])
    return 0
