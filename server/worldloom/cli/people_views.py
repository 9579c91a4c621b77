"""Views of ``worldloom people``: list and show, as tables or as JSON. Changes nothing."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from worldloom.app.clock import unix_ms
from worldloom.cli.people_audit import AUDIT_COLUMNS, Acts, act_as_json, act_row, acts, pages
from worldloom.cli.people_words import (
    NAME_CHARS,
    add_json,
    add_who,
    number,
    plain,
    print_json,
    print_table,
    short_text,
    shown_time,
    until,
    whom,
)
from worldloom.config import Config
from worldloom.persistence.store import SqlStore
from worldloom.ports import AccountRow, AuditRow, SanctionRow, TokenRow, Tx
from worldloom.realm.order import SanctionKind
from worldloom.services import people
from worldloom.services.access import token_id
from worldloom.services.asking import OPERATOR, Whom
from worldloom_sdk.protocol.geometry import XZ_PER_M

__all__ = ["add_commands"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

ACTS_SHOWN = 10
_WORD = {SanctionKind.BAN: "banned", SanctionKind.MUTE: "muted"}


@dataclass(frozen=True, slots=True)
class _Listed:
    found: people.Found
    sanctions: tuple[SanctionRow, ...]
    """In force, on it or on its owner."""


@dataclass(frozen=True, slots=True)
class _Shown:
    found: people.Found
    bots: tuple[AccountRow, ...]
    tokens: tuple[tuple[AccountRow, TokenRow], ...]
    """Its own and its bots'."""
    acts: tuple[AuditRow, ...]


def add_commands(add: Add) -> None:
    """Add the subcommands that look."""
    listing = add(
        "list",
        "accounts, with role and what is laid upon them",
        f"The first {people.PAGE_MAX} by name whose name contains TEXT, in any case and spelling; with --from, those\n"
        "by number from N on. Guests are not in the database, nor is who is here now. Times are UTC.\n\n"
        "  worldloom people list\n  worldloom people list mal\n  worldloom people list --from 1\n"
        "  worldloom people list --networks\n"
        "  worldloom people list --json | jq -r '.[] | select(.role != \"resident\").name'\n",
    )
    listing.add_argument("text", metavar="TEXT", nargs="?", default="", type=short_text(NAME_CHARS))
    listing.add_argument(
        "--networks", action="store_true", help="networks that are banned or muted, in the place of accounts"
    )
    listing.add_argument(
        "--from",
        dest="start",
        metavar="N",
        type=number(),
        default=0,
        help=f"account number to begin at, by number; {people.PAGE_MAX} at a time",
    )
    add_json(listing)
    listing.set_defaults(work=_list)
    showing = add(
        "show",
        "everything about an account",
        "Role, bans and mutes in force, bots, tokens (by id; what they open is not known here), the last acts of\n"
        "the audit log about them. Times are UTC.\n\n"
        "  worldloom people show Ann\n  worldloom people show 7 --json\n",
    )
    add_who(showing)
    add_json(showing)
    showing.set_defaults(work=_show)


# ---- list


async def _list(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    if args.networks:
        return _print_networks(await store.read(_networks, args.text), args.json)
    listed = await store.read(_listed, people.ListPeople(OPERATOR, args.text, start=args.start))
    if not args.start:  # Stored by what names look like; shown by what they are.
        listed.sort(key=lambda one: one.found.account.name.casefold())
    if args.json:
        print_json([_account(one.found, one.sanctions) for one in listed])
        return 0
    columns = ("#", "name", "role", "bot of", "last seen", "in force")
    print_table(columns, (_row(one) for one in listed))
    if len(listed) == people.PAGE_MAX:
        print(f"\n{_how_to_go_on(listed[-1].found.account.account, args)}")
    elif not listed:
        whom = f" with {args.text!r} in the name" if args.text else ""
        print(f"Nobody{whom}{f' from number {args.start} on' if args.start else ''}.")
    return 0


def _how_to_go_on(last: int, args: argparse.Namespace) -> str:
    if args.start:
        return f"There may be more: --from {last + 1}"
    part = "a longer part" if args.text else "a part"
    return f"There may be more: give {part} of the name, or --from 1 for all of them by number."


def _listed(tx: Tx, command: people.ListPeople) -> list[_Listed]:
    found = people.list_people(tx, command)
    numbers = {one.account.account for one in found} | {one.account.owner or 0 for one in found}
    laid = tx.sanctions(sorted(numbers), (), unix_ms())
    return [
        _Listed(one, tuple(row for row in laid if row.account in (one.account.account, one.account.owner)))
        for one in found
    ]


def _row(one: _Listed) -> tuple[object, ...]:
    row = one.found.account
    laid = [f"{_laid(sanction, row)} {until(sanction.until_ms)}" for sanction in one.sanctions]
    return (
        row.account,
        row.name,
        one.found.role,
        one.found.owner_name,
        shown_time(row.seen_ms),
        "; ".join(laid),
    )


def _laid(sanction: SanctionRow, on: AccountRow) -> str:
    what = _WORD[sanction.kind]
    return what if sanction.account == on.account else f"{what} with its owner"


def _networks(tx: Tx, text: str) -> list[SanctionRow]:
    """What lies on networks now, newest first: the audit log knows all that ever were named."""
    known: set[str] = set()
    found: list[SanctionRow] = []
    for rows in pages(tx):
        named = {row.network for row in rows if row.network is not None and text in row.network} - known
        found += tx.sanctions((), sorted(named), unix_ms())
        known |= named
    return sorted(found, key=lambda row: -row.created_ms)


def _print_networks(laid: list[SanctionRow], as_json: bool) -> int:
    if as_json:
        print_json([_sanction(row) for row in laid])
    elif laid:
        columns = ("network", "what", "since", "until", "by", "why")
        print_table(columns, (_network_row(row) for row in laid))
    else:
        print("No network is banned or muted.")
    return 0


def _network_row(row: SanctionRow) -> tuple[object, ...]:
    ends = shown_time(row.until_ms) if row.until_ms else "without end"
    return row.network, _WORD[row.kind], shown_time(row.created_ms), ends, row.by_name, row.reason


# ---- show


async def _show(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    shown = await store.read(_shown, whom(args))
    if args.json:
        print_json(_as_json(shown))
        return 0
    row, found = shown.found.account, shown.found
    print(f"{plain(row.name)} (#{row.account}), {found.role}")
    _print_facts(shown)
    if shown.tokens:
        print("\nTokens")
        columns = ("id", "of", "label", "may", "made", "used")
        print_table(columns, (_token_row(of, token) for of, token in shown.tokens), 2)
    print("\nThe last acts about them" if shown.acts else "\nNo acts about them.")
    if shown.acts:
        print_table(AUDIT_COLUMNS, map(act_row, shown.acts), 2)
    return 0


def _shown(tx: Tx, about: Whom) -> _Shown:
    found = people.show(tx, people.Show(OPERATOR, about, unix_ms()))
    own = found.account
    bots = tuple(tx.bots_of(own.account))
    tokens = tuple((of, token) for of in (own, *bots) for token in tx.tokens_of([of.account]))
    about_them = acts(tx, Acts(ACTS_SHOWN, str(own.account)))
    return _Shown(found, bots, tokens, tuple(about_them))


def _print_facts(shown: _Shown) -> None:
    row, found = shown.found.account, shown.found
    facts = [("made", shown_time(row.created_ms)), ("last seen", shown_time(row.seen_ms))]
    if row.place is not None:
        facts.append(("last place", f"x {row.place.x / XZ_PER_M:.0f} m, z {row.place.z / XZ_PER_M:.0f} m"))
    if found.owner_name:
        facts.append(("bot of", f"{found.owner_name} (#{row.owner})"))
    if row.hidden:
        facts.append(("invisible", "to all but staff"))
    if shown.bots:
        facts.append(("bots", ", ".join(f"{bot.name} (#{bot.account})" for bot in shown.bots)))
    for laid in found.sanctions:
        why = f": {laid.reason}" if laid.reason else ""
        since = f"since {shown_time(laid.created_ms)}, {until(laid.until_ms)}, by {laid.by_name}{why}"
        facts.append((_laid(laid, row), since))
    print_table(("", ""), facts, 2)


def _token_row(of: AccountRow, token: TokenRow) -> tuple[object, ...]:
    return (
        token_id(token.token_sha256),
        of.name,
        token.label or "-",
        "everything" if token.scopes is None else ", ".join(sorted(token.scopes)) or "look",
        shown_time(token.created_ms),
        shown_time(token.used_ms),
    )


# ---- JSON


def _as_json(shown: _Shown) -> dict[str, Any]:
    place = shown.found.account.place
    return {
        **_account(shown.found, shown.found.sanctions),
        "place": None if place is None else {"x_m": place.x / XZ_PER_M, "z_m": place.z / XZ_PER_M},
        "bots": [{"account": bot.account, "name": bot.name} for bot in shown.bots],
        "tokens": [
            {
                "id": token_id(token.token_sha256),
                "of": of.name,
                "label": token.label,
                "scopes": None if token.scopes is None else sorted(token.scopes),
                "made_ms": token.created_ms,
                "used_ms": token.used_ms,
            }
            for of, token in shown.tokens
        ],
        "acts": [act_as_json(row) for row in shown.acts],
    }


def _account(found: people.Found, sanctions: tuple[SanctionRow, ...]) -> dict[str, Any]:
    row = found.account
    return {
        "account": row.account,
        "name": row.name,
        "role": found.role.value,
        "owner": row.owner,
        "owner_name": found.owner_name,
        "hidden": row.hidden,
        "made_ms": row.created_ms,
        "seen_ms": row.seen_ms,
        "sanctions": [_sanction(laid) for laid in sanctions],
    }


def _sanction(laid: SanctionRow) -> dict[str, Any]:
    return {
        "kind": laid.kind.value,
        "account": laid.account,
        "network": laid.network,
        "reason": laid.reason,
        "since_ms": laid.created_ms,
        "until_ms": laid.until_ms,
        "by": laid.by_name,
    }
