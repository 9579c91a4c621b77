"""``worldloom land``: the world's land from the command line. What is said here is done as the operator.

It goes through the database alone, whether a server runs or not.
"""

import argparse
import sys

from worldloom.app.clock import unix_ms
from worldloom.cli.beside import EXIT_REFUSED, Add, add_subcommands, run_beside
from worldloom.cli.land_map import add_map
from worldloom.cli.land_views import add_views, price_of, price_shown
from worldloom.cli.people_words import add_reason, add_yes, confirm, number, plain
from worldloom.cli.settings import config_of
from worldloom.cli.worldgen_land import read_place, read_size, regions_of
from worldloom.config import Config
from worldloom.persistence.store import SqlStore
from worldloom.realm.counts import counted
from worldloom.services.asking import OPERATOR

__all__ = ["add_arguments", "run"]


_EPILOG = """\
Land is owned in parcels of 16 m x 16 m; parcels of one owner that hang together are an estate. What nobody owns is
the world's, and sold where you open regions of 256 m for claiming. Options of place: --config FILE, --data DIR.

  worldloom land open --around=0,0 --regions 4x4 --price 10
  worldloom land zones
  worldloom land map -o land.png                     who owns what, over the land seen from above
  worldloom land show 12                             an estate
  worldloom land show --at=120,-40                   the parcel of a place, in metres
  worldloom land holdings Ann
  worldloom land history 12
  worldloom land take 12 --reason "built to insult"
  worldloom land verify                              proves the register; for a nightly job

Exit codes: 0 done, 1 refused or the register is not whole (one line says what), 2 wrong use or no world there.
'worldloom land COMMAND --help' tells more.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands, and where the world is, before or after them."""
    add = add_subcommands(parser, "land", _EPILOG)
    _add_zones(add)
    _add_take(add)
    add_views(add)
    add_map(add)


def _add_zones(add: Add) -> None:
    opening = add(
        "open",
        "open regions for claiming, or change their price",
        "Whoever has an account and the money can buy parcels there, until you close it. The price is in coins, of\n"
        "a parcel of 16 m x 16 m; 0: free. The audit log has it.\n\n"
        "  worldloom land open --around=0,0 --regions 4x4 --price 10\n"
        "  worldloom land open --around=-900,300 --regions 1x1 --price 0\n",
    )
    closing = add(
        "close",
        "close regions for claiming",
        "What was claimed there stays whose it is. The audit log has it.\n\n"
        "  worldloom land close --around=0,0 --regions 4x4\n",
    )
    for parser in (opening, closing):
        parser.add_argument(
            "--around",
            type=read_place,
            required=True,
            metavar="X,Z",
            help="middle, metres, after an equals sign: --around=-40,10",
        )
        parser.add_argument(
            "--regions",
            type=read_size,
            default=(1, 1),
            metavar="WxD",
            help="regions of 256 m; of an odd number the middle one has the place in it (default: 1x1)",
        )
    opening.add_argument("--price", required=True, metavar="COINS", help="of a parcel; 0: free")
    opening.set_defaults(work=_open)
    closing.set_defaults(work=_close)


def _add_take(add: Add) -> None:
    taking = add(
        "take",
        "take an estate back to the world",
        "Its owner is paid nothing. What was offered of it ends, bids are given back, and a tenant gets back the\n"
        "rent of the time that is left: from the owner, and what the owner has no longer from the treasury. It asks\n"
        "for a yes, --yes says it at once. Register and audit log have it, with the reason.\n\n"
        '  worldloom land take 12 --reason "built to insult"\n',
    )
    taking.add_argument("estate", metavar="ESTATE", type=number(), help="its number")
    add_reason(taking, "kept in the audit log and the register, where everybody can read it")
    add_yes(taking)
    taking.set_defaults(work=_take)


def run(args: argparse.Namespace) -> int:
    """Do what the subcommand says.

    Returns:
        0, or 1 when it was refused, or the register is not whole.

    Raises:
        WorldloomError: There is no world, the database cannot be reached, or what was typed cannot be.
    """
    return run_beside(config_of(args), args, args.work)


async def _open(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import zones

    price, regions = price_of(config, args.price), regions_of(args.around, *args.regions)
    done = await store.run(zones.open_zones, zones.Open(OPERATOR, regions, price, unix_ms()))
    print(
        f"{counted(done, 'region')} open for claiming, {price_shown(config, price)} a parcel: {_span(regions)}."
    )
    if config.land.claim != "zones":
        print(f"land.claim is {config.land.claim!r}: until it is 'zones', this changes nothing.")
    return 0


async def _close(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import zones

    regions = regions_of(args.around, *args.regions)
    done = await store.run(zones.close, zones.Close(OPERATOR, regions, unix_ms()))
    print(f"{counted(done, 'region')} closed for claiming, of {_span(regions)}.")
    return 0 if done else EXIT_REFUSED


async def _take(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import holdings, land

    found = await store.read(holdings.estate, args.estate)
    about = f"estate {args.estate} of {plain(found.owner_name)}, {counted(found.row.parcels, 'parcel')}"
    if not confirm(args, f"take {about}, for nothing"):
        print("worldloom: nothing was done", file=sys.stderr)
        return EXIT_REFUSED
    unpaid = await store.run(land.take, land.Take(OPERATOR, args.estate, args.reason, unix_ms()))
    print(f"Taken: {about}. The land is the world's.")
    if unpaid:
        left = price_shown(config, unpaid)
        print(
            f"Neither owner nor treasury had {left} of the tenant's rent: 'worldloom money mint' can pay it."
        )
    return 0


def _span(regions: list[tuple[int, int]]) -> str:
    first, last = regions[0], regions[-1]
    if first == last:
        return f"region {first[0]}, {first[1]}"
    return f"regions {first[0]}, {first[1]} to {last[0]}, {last[1]}"
