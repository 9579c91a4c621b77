"""Views of ``worldloom land``: zones, estates, parcels, holdings, history, and the proof. Changes nothing."""

import argparse
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from worldloom.app.clock import unix_ms
from worldloom.app.currency import currency_of
from worldloom.cli.market_words import as_json, bound_lines, price_told
from worldloom.cli.money_views import amount_of
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
from worldloom.cli.worldgen_land import read_place
from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports.land import EstateRow, ZoneRow
from worldloom.realm.chain import RegisterKind
from worldloom.realm.counts import counted
from worldloom.realm.estates import PARCEL_M, parcel_at, region_of, to_runs
from worldloom.realm.money import Currency
from worldloom_sdk.protocol.geometry import XZ_PER_M, Y_PER_M
from worldloom_sdk.protocol.messages import RefusalCode

if TYPE_CHECKING:  # A command loads the services that it asks, and no others.
    from worldloom.services.holdings import EstateView, ParcelView, Told
    from worldloom.services.register import Head

__all__ = ["add_views", "price_of", "price_shown"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

ROWS_MAX = 100_000
NOT_WHOLE = 1
"""Exit code of ``verify`` when the register is not whole."""
_HEAD = re.compile(r"(\d{1,18}):([0-9a-fA-F]{64})", re.ASCII)
_ZONES = "rx", "rz", "price", "opened", "by"
_ESTATES = "#", "name", "parcels", "since", "locked until"
_HISTORY = "#", "at", "what", "estate", "to", "from", "price", "transfer", "seal"


def price_of(config: Config, typed: str) -> int:
    """A price that was typed, in minor units; 0 for what is free.

    Raises:
        WorldloomError: It is none.
    """
    return 0 if typed.strip() in {"0", "free"} else amount_of(config, typed)


def price_shown(config: Config, price: int) -> str:
    """A price for people."""
    return currency_of(config).shown(price) if price else "free"


def add_views(add: Add) -> None:
    """Add the subcommands that only look."""
    listing = add(
        "zones", "which regions are open for claiming, and at what price", "  worldloom land zones\n"
    )
    listing.set_defaults(work=_zones)
    showing = add(
        "show",
        "an estate, or the parcel of a place",
        "Times are UTC, places in metres.\n\n  worldloom land show 12\n  worldloom land show --at=120,-40\n",
    )
    which = showing.add_mutually_exclusive_group(required=True)
    which.add_argument("estate", metavar="ESTATE", nargs="?", type=number(), help="its number")
    which.add_argument(
        "--at", type=read_place, metavar="X,Z", help="a place, metres; west or north of the middle: --at=-5,5"
    )
    which.add_argument("--parcel", type=_parcel, metavar="PX,PZ", help="a parcel, by its indices; likewise")
    showing.set_defaults(work=_show)
    having = add("holdings", "what somebody has", "  worldloom land holdings Ann\n")
    having.add_argument(
        "who", metavar="WHO", type=short_text(NAME_CHARS), help="a name, or an account number: 7 or '#7'"
    )
    having.set_defaults(work=_holdings)
    telling = add(
        "history",
        "what the register tells: of an estate, of somebody's land, or of all",
        "Newest first; the price is that of a sale, in coins. 'seal' is the number under which the row is in the\n"
        "chain; none: it is younger than a second, or the server does not run. Times are UTC.\n\n"
        "  worldloom land history 12\n  worldloom land history --of Ann --limit 20\n",
    )
    telling.add_argument("estate", metavar="ESTATE", nargs="?", type=number(), help="its number")
    telling.add_argument("--of", metavar="WHO", type=short_text(NAME_CHARS), help="a name or account number")
    telling.add_argument("--before", metavar="#", type=number(), default=0, help="only rows before this one")
    for parser in (listing, having, telling):
        parser.add_argument(
            "--limit", metavar="N", type=number(ROWS_MAX), default=50, help="rows (default: 50)"
        )
    telling.set_defaults(work=_history)
    proof = add(
        "verify",
        "prove the register, and that all land is as it tells",
        "Every row, every seal, what was published before, and who owns each parcel now. Rows that wait are sealed\n"
        "first; else nothing is changed, and the server may run. The head is read from the data folder,\n"
        "unless you give one that you kept elsewhere: only by a head shows what was cut off at the end.\n"
        " Exit code 1 and a line if it is not whole.\n\n"
        "  worldloom land verify\n  worldloom land verify --head 1204:9f86d081884c7d65...\n",
    )
    proof.add_argument(
        "--head",
        metavar="NUMBER:HASH",
        type=_head,
        help="a seal that was published, its hash in 64 hex digits",
    )
    proof.set_defaults(work=_verify)
    for parser in (listing, showing, having, telling, proof):
        add_json(parser)


def _head(text: str) -> "Head":
    from worldloom.services.register import Head

    found = _HEAD.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(
            f"expected a seal's number and its hash, like 1204:9f86...; got {text[:40]!r}"
        )
    return Head(int(found[1]), bytes.fromhex(found[2]))


def _parcel(text: str) -> tuple[int, int]:
    try:
        px, pz = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a parcel like 3,-4; got {text[:40]!r}") from None
    return px, pz


# ---- zones


async def _zones(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import zones

    rows: list[ZoneRow] = []
    while len(rows) <= args.limit:
        after = (rows[-1].rx, rows[-1].rz) if rows else None
        page = await store.read(zones.zones, zones.AskZones(after))
        rows += page
        if len(page) < zones.PAGE_MAX:
            break
    more = len(rows) > args.limit
    del rows[args.limit :]
    if args.json:
        print_json(
            [{"rx": row.rx, "rz": row.rz, "price": row.price, "since_ms": row.since_ms} for row in rows]
        )
    elif rows:
        print_table(
            _ZONES,
            (
                (
                    row.rx,
                    row.rz,
                    price_shown(config, row.price),
                    shown_time(row.since_ms),
                    "operator" if row.by is None else f"#{row.by}",
                )
                for row in rows
            ),
        )
        if more:
            print(f"There are more: --limit {2 * args.limit}")
    else:
        print("No region is open for claiming; worldloom land open opens some.")
    if not args.json and config.land.claim != "zones":
        print(f"land.claim is {config.land.claim!r}: zones are not looked at.")
    return 0


# ---- estates and parcels


async def _show(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import binding, holdings, land

    shown = args.estate
    if shown is None:
        at = args.parcel or parcel_at(*args.at)
        whose = await store.read(holdings.parcel, holdings.AskParcel(at, land.rules_of(config.land)))
        if not args.json:
            region = region_of(at)
            x, z = at[0] * PARCEL_M, at[1] * PARCEL_M
            span = f"{x} to {x + PARCEL_M} m, {z} to {z + PARCEL_M} m"
            print(f"Parcel {at[0]}, {at[1]}: {span}, region {region[0]}, {region[1]}")
        if whose.estate is None:
            return _print_unowned(config, whose, args.json)
        shown = whose.estate.number
    view, now_ms = await store.read(holdings.estate, shown), unix_ms()
    found = await store.read(binding.binding, binding.AskBinding(shown, now_ms))
    if args.json:
        runs = to_runs(view.parcels)
        print_json(
            {
                **_estate(view.row),
                "owner_name": view.owner_name,
                "description": view.row.description,
                "runs": runs,
                **as_json(found),
            }
        )
        return 0
    _print_estate(view, bound_lines(currency_of(config), found, now_ms))
    return 0


def _print_unowned(config: Config, found: "ParcelView", as_json: bool) -> int:
    if as_json:
        print_json({"parcel": found.parcel, "estate": None, "price": found.price})
    elif found.price is None:
        print("Nobody's, and not open for claiming.")
    else:
        print(f"Nobody's; to claim it costs {price_shown(config, found.price)}.")
    return 0


def _print_estate(view: "EstateView", bound: Sequence[tuple[str, str]]) -> None:
    row = view.row
    low = min(px for px, _ in view.parcels) * PARCEL_M, min(pz for _, pz in view.parcels) * PARCEL_M
    high = (
        (max(px for px, _ in view.parcels) + 1) * PARCEL_M,
        (max(pz for _, pz in view.parcels) + 1) * PARCEL_M,
    )
    lines = [
        ("Estate", f"{row.number}" + (f"  {plain(row.name)}" if row.name else "")),
        ("Owner", f"{plain(view.owner_name)} (#{row.owner})"),
        (
            "Parcels",
            f"{row.parcels}, {row.parcels * PARCEL_M**2:,} m2, from {low[0]}, {low[1]} to {high[0]}, {high[1]} m",
        ),
        ("Since", shown_time(row.created_ms)),
        ("Shape", f"{row.shape}"),
    ]
    if row.landing is not None:
        x, z, y = row.landing.x / XZ_PER_M, row.landing.z / XZ_PER_M, row.landing.y / Y_PER_M
        lines.append(
            ("Landing", f"{x:g}, {z:g} m" + (f", height {y:g} m" if row.landing.y > -(2**15) else ""))
        )
    if row.locked_until_ms:
        lines.append(("Locked", f"not sold or given before {shown_time(row.locked_until_ms)}"))
    if row.description:
        lines.append(("", plain(row.description)))
    lines += bound
    print_table(("", ""), lines)


async def _holdings(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import holdings

    rows: list[EstateRow] = []
    while True:
        after = rows[-1].number if rows else 0
        page = await store.read(holdings.holdings, holdings.AskHoldings(named(args.who.strip()), after))
        rows += page.estates
        if not page.more or len(rows) >= args.limit:
            break
    more = page.more or len(rows) > args.limit
    del rows[args.limit :]
    if args.json:
        about = {"account": page.account, "name": page.name, "parcels": page.parcels}
        print_json({**about, "estates": [_estate(row) for row in rows], "more": more})
        return 0
    print(f"{plain(page.name)} (#{page.account}): {counted(page.parcels, 'parcel')}")
    if rows:
        print_table(_ESTATES, map(_estate_row, rows))
    if more:
        print(f"There are more: --limit {2 * args.limit}")
    return 0


def _estate_row(row: EstateRow) -> Sequence[object]:
    locked = shown_time(row.locked_until_ms) if row.locked_until_ms else ""
    return row.number, row.name, row.parcels, shown_time(row.created_ms), locked


def _estate(row: EstateRow) -> dict[str, Any]:
    """An estate for programs."""
    at = row.landing
    return {
        "estate": row.number,
        "name": row.name,
        "owner": row.owner,
        "parcels": row.parcels,
        "shape": row.shape,
        "created_ms": row.created_ms,
        "locked_until_ms": row.locked_until_ms,
        "landing": None if at is None else [at.x, at.z, at.y, at.yaw],
    }


# ---- the register


async def _history(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.services import holdings

    whom = named(args.of.strip()) if args.of else None
    rows: list[Told] = []
    before = args.before
    while len(rows) < args.limit:
        page = await store.read(holdings.history, holdings.AskHistory(args.estate, whom, before))
        rows += page
        if len(page) < holdings.PAGE_MAX:
            break
        before = page[-1].row.number
    del rows[args.limit :]
    if not rows and args.estate is not None:
        await _refuse_what_never_was(store, args.estate)
    if args.json:
        print_json([_told(one) for one in rows])
    elif rows:
        currency = currency_of(config)
        print_table(_HISTORY, (_history_row(currency, one) for one in rows))
    else:
        print("The register tells of nothing there.")
    return 0


async def _refuse_what_never_was(store: SqlStore, estate: int) -> None:
    from worldloom.services import holdings

    if not await store.read(holdings.history, holdings.AskHistory(estate, limit=1)):
        raise Refusal(
            RefusalCode.NOT_FOUND, f"expected an estate that is or was, got {estate}, which never was"
        )


def _history_row(currency: Currency, one: "Told") -> Sequence[object]:
    row, price = one.row, _sold_for(one)
    return (
        row.number,
        shown_time(row.at_ms),
        row.kind,
        row.estate,
        _who(row.account, one.name),
        _who(row.other, one.other_name),
        "" if price is None else currency.written(price),
        row.transfer or "",
        one.seal.number if one.seal is not None else "",
    )


def _sold_for(one: "Told") -> int | None:
    """What the land was sold for, minor units; None for what is no sale."""
    is_sale = one.row.kind in (RegisterKind.SALE, RegisterKind.AUCTION)
    return price_told(one.row.detail) if is_sale else None


def _who(account: int | None, name: str) -> str:
    return "" if account is None else name or f"#{account}"


def _told(one: "Told") -> dict[str, Any]:
    """An entry of the register for programs."""
    row, seal = one.row, one.seal
    return {
        "row": row.number,
        "at_ms": row.at_ms,
        "kind": str(row.kind),
        "estate": row.estate,
        "account": row.account,
        "other": row.other,
        "price": _sold_for(one),
        "transfer": row.transfer,
        "detail": row.detail,
        "seal": None if seal is None else {"number": seal.number, "hash": seal.hash.hex()},
    }


async def _verify(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    from worldloom.app.sealer import HEAD_FILE, read_head
    from worldloom.services import register

    published = args.head or read_head(config.data_path / HEAD_FILE)
    while await store.run(register.seal_due, None) >= register.SEALED_AT_ONCE:
        pass
    found = await store.read(register.verify, published)
    told = "" if found.head is None else f"{found.head.number}:{found.head.hash.hex()}"
    if args.json:
        print_json(
            {
                "ok": not found.fault,
                "rows": found.rows,
                "waiting": found.waiting,
                "head": told,
                "fault": found.fault,
                "row": found.row,
            }
        )
    elif found.fault:
        print(f"Not whole: {plain(found.fault)}. Good before it: {counted(found.rows, 'row')}.")
    else:
        checked = f"; seal {published.number}, published before, is there" if published is not None else ""
        print(
            f"All is there: {counted(found.rows, 'row')}, each as it was sealed, and all land as they tell{checked}."
        )
        print(f"Head: {told}" if told else "No seal yet.")
    return NOT_WHOLE if found.fault else 0
