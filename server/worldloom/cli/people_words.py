"""Words of ``worldloom people``: what is typed (who, for how long), how times and names are shown. Asks no database."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from rich.cells import cell_len

from worldloom.errors import Refusal, WorldloomError
from worldloom.realm.networks import clean_network
from worldloom.realm.order import REASON_MAX
from worldloom.services.asking import Whom
from worldloom_sdk.protocol.messages import Role

__all__ = [
    "add_for",
    "add_json",
    "add_reason",
    "add_who",
    "add_yes",
    "confirm",
    "is_network",
    "minutes",
    "named",
    "number",
    "plain",
    "print_json",
    "print_table",
    "short_text",
    "shown_time",
    "until",
    "whom",
]

MINUTES_MAX = 52_560_000
"""A hundred years, as on the wire."""
NUMBER_MAX = 2**31 - 1
NAME_CHARS = 64
WIDEST_UNASKED = {4: 24, 6: 48}
"""Bits of the widest network that is banned without a question, by version of the protocol."""
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
NUMERIC = {"#", "s", "amount", "transfers", "in", "out", "price", "rent"}
"""Heads of columns of numbers."""
_TIME = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?", re.ASCII)
_NUMBER = re.compile(r"#?(\d{1,10})", re.ASCII)
_GUEST = re.compile(r"guest \d+", re.ASCII | re.IGNORECASE)


# ---- what is typed


def add_who(parser: argparse.ArgumentParser, network: bool = False, guest: bool = False) -> None:
    """Add WHO and, where it makes sense, ``--network`` and ``--guest`` in its place."""
    other = network or guest
    parser.add_argument(
        "who",
        metavar="WHO",
        nargs="?" if other else None,
        type=short_text(NAME_CHARS),
        help="a name, or an account number: 7 or '#7'",
    )
    if network:
        parser.add_argument(
            "--network",
            metavar="NET",
            type=_network,
            help="an address or a network in WHO's place: 192.0.2.7, 192.0.2.0/24, 2001:db8::/48",
        )
    if guest:
        parser.add_argument(
            "--guest",
            metavar="NAME",
            type=short_text(NAME_CHARS),
            help="a guest who chose a name, in WHO's place, exactly as shown (WHO does for 'Guest 3')",
        )


def add_reason(
    parser: argparse.ArgumentParser,
    summary: str = "kept in the audit log; who is kicked, banned or muted is told it",
) -> None:
    """Add ``--reason``, and what becomes of it."""
    parser.add_argument(
        "--reason",
        metavar="TEXT",
        default="",
        type=short_text(REASON_MAX),
        help=summary,
    )


def add_for(parser: argparse.ArgumentParser, default: str) -> None:
    """Add ``--for``; ``default`` says what holds without it."""
    parser.add_argument(
        "--for",
        dest="minutes",
        metavar="TIME",
        type=minutes,
        default=0,
        help=f"such as 90m, 2h30m, 7d (default: {default})",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON for programs; times are Unix milliseconds"
    )


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add ``--yes``."""
    parser.add_argument("--yes", action="store_true", help="do not ask, where it would be asked for a yes")


def minutes(text: str) -> int:
    """A time such as ``2h30m`` in minutes.

    Raises:
        argparse.ArgumentTypeError: It is none, or out of bounds.
    """
    found = _TIME.fullmatch(text.strip())
    days, hours, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = (days * 24 + hours) * 60 + rest
    if not 1 <= total <= MINUTES_MAX:
        raise argparse.ArgumentTypeError(
            f"expected a time such as 90m, 2h30m or 7d, from 1m to 36500d; got {text!r}"
        )
    return total


def number(most: int = NUMBER_MAX) -> Any:
    """The type of an argument that is an integer from 1."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:20]) <= most:
            raise argparse.ArgumentTypeError(f"expected an integer from 1 to {most}; got {text[:40]!r}")
        return int(text)

    return parse


def short_text(most: int) -> Any:
    """The type of an argument that is a text of so many characters at most."""

    def parse(text: str) -> str:
        if len(text) > most:
            raise argparse.ArgumentTypeError(f"expected at most {most} characters; got {len(text)}")
        return text

    return parse


def whom(args: argparse.Namespace) -> Whom:
    """Whom the arguments mean.

    Raises:
        WorldloomError: Nobody, or several.
    """
    network, guest = getattr(args, "network", None), getattr(args, "guest", None)
    who = (args.who or "").strip()
    if sum(map(bool, (who, network, guest))) != 1:
        options = [f"--{name}" for name in ("network", "guest") if hasattr(args, name)]
        got = (
            "nobody (an account number after # is written in quotes)"
            if not (who or network or guest)
            else "several"
        )
        raise WorldloomError(f"expected one of {', '.join(['WHO', *options])}; got {got}")
    if network:
        return Whom(network=network)
    if guest:
        return Whom(guest=guest)
    return named(who)


def named(who: str) -> Whom:
    """Whom a name, an account number, or the name that the server gives a guest means."""
    # No name is digits alone, and nobody may take the name of guests who chose none.
    if (found := _NUMBER.fullmatch(who)) is not None:
        return Whom(account=min(int(found[1]), NUMBER_MAX + 1))
    return Whom(guest=who.capitalize()) if _GUEST.fullmatch(who) else Whom(name=who)


def is_network(text: str) -> bool:
    """Whether a text is an address or a network that a sanction can lie on."""
    try:
        return bool(clean_network(text))
    except Refusal:
        return False


def _network(text: str) -> str:
    try:
        return clean_network(text)
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(refusal.text) from None


# ---- asking for a yes


def confirm(args: argparse.Namespace, question: str | None = None) -> bool:
    """Whether somebody is sure, where that is asked for.

    Args:
        args: Of the command.
        question: What is to be confirmed; by default what the arguments alone say.

    Raises:
        WorldloomError: Nobody can be asked: standard input is no terminal.
    """
    question = _question(args) if question is None else question
    if not question or args.yes:
        return True
    if not sys.stdin.isatty():
        raise WorldloomError(
            f"{question}: expected a yes; got no terminal to ask at; if you are sure, add --yes"
        )
    print(f"{question}? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().casefold() in {"y", "yes"}


def _question(args: argparse.Namespace) -> str:
    """What is to be confirmed; empty for what is done without a question."""
    if args.people_command == "role" and args.role == Role.OWNER:
        return f"make {args.who} an owner, who may do everything in the world but make owners"
    if args.people_command == "ban" and args.network:
        network = ip_network(args.network)
        if network.prefixlen < WIDEST_UNASKED[network.version]:
            return f"ban {network}, wider than /{WIDEST_UNASKED[network.version]}"
    return ""


# ---- what is shown


def plain(text: object) -> str:
    """A text without what could steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def shown_time(unix_ms: int | None) -> str:
    """A moment in UTC, to the second; a dash for none."""
    if not unix_ms:
        return "-"
    try:
        return datetime.fromtimestamp(unix_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return "after the year 9999"


def until(until_ms: int | None) -> str:
    """Until when something holds, in words."""
    return f"until {shown_time(until_ms)} UTC" if until_ms else "without end"


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], indent: int = 0) -> None:
    """Print a table, one line a row; without heads of columns where all are empty.

    No line is broken here, so that networks and codes stay in one piece. Rich's own tables look the same, and take
    long to load.
    """
    table = [tuple(map(plain, row)) for row in rows]
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *table, strict=True)]
    numeric = [name in NUMERIC for name in columns]
    if any(columns):
        head = _line(columns, widths, numeric, indent)
        print(f"{BOLD}{head}{PLAIN}" if sys.stdout.isatty() else head)
    for row in table:
        print(_line(row, widths, numeric, indent))


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool], indent: int) -> str:
    parts = []
    for cell, width, is_number in zip(cells, widths, numeric, strict=True):
        fill = " " * (width - cell_len(cell))
        parts.append(f"{fill}{cell}" if is_number else f"{cell}{fill}")
    return (" " * indent + "  ".join(parts)).rstrip()


def print_json(value: object) -> None:
    """Print one JSON value in one line."""
    print(json.dumps(value, ensure_ascii=False))
