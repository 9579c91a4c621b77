"""Reports of ``worldloom people``: what people told staff, and what the server kept with it, made readable.

The packed form of the evidence is made in ``gateway.evidence``.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import msgspec

from worldloom.app.secrets import SECRETS_FILE, open_secrets, seal_key
from worldloom.cli.people_words import (
    add_json,
    number,
    plain,
    print_json,
    print_table,
    shown_time,
)
from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports import ReportRow
from worldloom.services import reports
from worldloom.services.asking import OPERATOR
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["Evidence", "add_commands"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

INTACT, BROKEN, UNCHECKED = "intact", "broken", "unchecked"
EXIT_NOT_INTACT = 1
_GUEST_BIT = 1 << 31
_SAYS = {"say0": "says", "say1": "shouts", "say2": "says to the region", "whisper": "whispers"}
_SEALED = {
    INTACT: "intact: this is what the server wrote down then.",
    BROKEN: "BROKEN: the report was changed since, or was sealed by another server. Do not go by it.",
    UNCHECKED: "not checked: {path} is not there; say with --data where the server's secrets are.",
}


class Evidence(msgspec.Struct, frozen=True):
    """What a reporter had been sent, unpacked."""

    world_ms: int
    """World time of the report."""
    names: dict[str, str]
    """By avatar."""
    heard: list[tuple[int, str, int, str, Any]]
    """World time, kind, avatar, name, and what was said (text) or signalled (bytes)."""
    seen: list[tuple[int, list[tuple[int, float, float]]]]
    """World time, and avatar, x and z in metres of who was in view."""


def add_commands(add: Add) -> None:
    """Add the subcommands that read reports."""
    listing = add(
        "reports",
        "open reports, oldest first",
        f"The first {reports.OPEN_MAX}. Times are UTC.\n\n  worldloom people reports\n  worldloom people report 3\n",
    )
    add_json(listing)
    listing.set_defaults(work=_reports)
    one = add(
        "report",
        "one report with what was heard and seen before it, and whether its seal is intact",
        "Closed ones, too. Of the 30 seconds before the report: everything the reporter's client was sent in words,\n"
        "and once a second who was in view, where. Exit code 1 if the seal is broken or cannot be checked.\n\n"
        "  worldloom people report 3\n"
        '  worldloom people close 3 --text "banned for a week"\n',
    )
    one.add_argument("number", metavar="N", type=number(), help="the report's number")
    add_json(one)
    one.set_defaults(work=_report)


async def _reports(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    rows = await store.read(reports.open_reports, reports.OpenReports(OPERATOR))
    if args.json:
        print_json([_told(row) for row in rows])
    elif rows:
        print_table(("#", "at", "by", "about", "what"), map(_row, rows))
    else:
        print("No open reports.")
    return 0


async def _report(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    row = await store.read(reports.report, args.number)
    if row is None:
        raise Refusal(
            RefusalCode.NOT_FOUND,
            f"expected the number of a report, got {args.number}",
            "worldloom people reports tells those that are open",
        )
    sealed, evidence = _sealed(row, config), _unpacked(row.evidence)
    if args.json:
        print_json({**_told(row), "seal": sealed, **_evidence_as_json(evidence)})
    else:
        _print_report(row, _SEALED[sealed].format(path=config.data_path / SECRETS_FILE), evidence)
    return 0 if sealed == INTACT else EXIT_NOT_INTACT


def _sealed(row: ReportRow, config: Config) -> str:
    # Looking at a report must not make a world's secrets.
    if not (config.data_path / SECRETS_FILE).exists():
        return UNCHECKED
    return INTACT if reports.seal_is_good(row, seal_key(open_secrets(config.data_path))) else BROKEN


def _unpacked(packed: bytes) -> Evidence | None:
    """None: it is not what a server packs."""
    try:
        return msgspec.msgpack.decode(packed, type=Evidence)
    except msgspec.MsgspecError:
        return None


# ---- for people


def _row(row: ReportRow) -> tuple[object, ...]:
    return (
        row.number,
        shown_time(row.at_ms),
        _numbered(row.by_name, row.by),
        _numbered(row.about, row.account),
        row.detail,
    )


def _numbered(name: str, account: int | None) -> str:
    return f"{name} (#{account})" if account is not None else f"{name} (guest)"


def _print_report(row: ReportRow, sealed: str, evidence: Evidence | None) -> None:
    closed = f"closed {shown_time(row.closed_ms)} UTC" if row.closed_ms else "open"
    print(f"Report {row.number} of {shown_time(row.at_ms)} UTC, {closed}")
    facts = [
        ("by", _numbered(row.by_name, row.by)),
        ("about", _numbered(row.about, row.account)),
        ("what", row.detail or "-"),
        ("seal", sealed),
    ]
    print_table(("", ""), facts, 2)
    if evidence is None:
        print("\nWhat was heard and seen cannot be read.")
        return
    print("\nHeard, in seconds before the report" if evidence.heard else "\nNothing was heard.")
    if evidence.heard:
        print_table(("s", "who", "", "what"), (_heard_row(evidence, line) for line in evidence.heard), 2)
    print("\nIn view, x and z in metres" if evidence.seen else "\nNothing was in view.")
    if evidence.seen:
        print_table(("s", "who"), _seen_rows(evidence), 2)


def _heard_row(evidence: Evidence, line: tuple[int, str, int, str, Any]) -> tuple[object, ...]:
    at, kind, avatar, name, what = line
    said = f"{len(what)} bytes: {what[:48].hex(' ')}" if isinstance(what, bytes) else what
    return _before(evidence, at), _known(avatar, name), _SAYS.get(kind, kind), said


def _seen_rows(evidence: Evidence) -> Iterator[tuple[object, ...]]:
    """A row for each moment; one alone for a span in which nobody was in view."""
    for somebody, span in groupby(evidence.seen, lambda moment: bool(moment[1])):
        moments = list(span)
        if somebody:
            yield from (_seen_row(evidence, *moment) for moment in moments)
        else:
            first, last = _before(evidence, moments[0][0]), _before(evidence, moments[-1][0])
            yield first if len(moments) == 1 else f"{first} to {last}", "nobody"


def _seen_row(evidence: Evidence, at: int, bodies: list[tuple[int, float, float]]) -> tuple[object, ...]:
    told = [f"{_known(who, evidence.names.get(str(who), ''))} {x:.1f} {z:.1f}" for who, x, z in bodies]
    return _before(evidence, at), "; ".join(told)


def _known(avatar: int, name: str) -> str:
    return _numbered(plain(name) or "?", avatar if avatar < _GUEST_BIT else None)


def _before(evidence: Evidence, at_ms: int) -> str:
    return f"{(at_ms - evidence.world_ms) / 1_000:.1f}"


# ---- for programs


def _told(row: ReportRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "at_ms": row.at_ms,
        "by": row.by_name,
        "by_account": row.by,
        "about": row.about,
        "about_account": row.account,
        "text": row.detail,
        "closed_ms": row.closed_ms,
    }


def _evidence_as_json(evidence: Evidence | None) -> dict[str, Any]:
    if evidence is None:
        return {"heard": None, "seen": None}
    return {
        "heard": [
            {
                "before_ms": evidence.world_ms - at,
                "kind": kind,
                "avatar": avatar,
                "name": name,
                "text": None if isinstance(what, bytes) else str(what),
                "hex": what.hex() if isinstance(what, bytes) else None,
            }
            for at, kind, avatar, name, what in evidence.heard
        ],
        "seen": [
            {
                "before_ms": evidence.world_ms - at,
                "bodies": [
                    {"avatar": who, "name": evidence.names.get(str(who), ""), "x_m": x, "z_m": z}
                    for who, x, z in bodies
                ],
            }
            for at, bodies in evidence.seen
        ],
    }
