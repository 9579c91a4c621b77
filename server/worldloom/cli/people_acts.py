"""Acts of ``worldloom people``: what changes something. Each is one use case and a line or two on what it did."""

import argparse
from collections.abc import Callable

from worldloom.app.clock import unix_ms
from worldloom.cli.people_words import (
    add_for,
    add_reason,
    add_who,
    add_yes,
    is_network,
    number,
    plain,
    short_text,
    until,
    whom,
)
from worldloom.config import Config
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.ports import AuditRow, Tx
from worldloom.realm.counts import counted
from worldloom.services import order, reports
from worldloom.services.asking import OPERATOR
from worldloom_sdk.protocol.messages import RefusalCode, Role

__all__ = ["add_commands"]

Add = Callable[[str, str, str], argparse.ArgumentParser]

USES_MAX = 1_000
_GUEST_NOTE = (
    "Guests are not in the database: it counts while the server runs, which does it within a second to whoever is "
    "here under exactly this name."
)
_TOLD = {
    "kick": "It counts while the server runs, which sends them out within a second; they may come back.",
    "ban": "A running server sends them and their bots out within a second.",
    "unban": "They may come in again.",
    "mute": "A running server lets them and their bots speak no more within a second.",
    "unmute": "They may speak again.",
}
_TOLD_NETWORK = {
    "ban": "A running server sends out who is here from there within a second; staff may stay.",
    "unban": "From there one may come in again.",
    "mute": "A running server lets nobody from there speak within a second, but staff.",
    "unmute": "From there one may speak again.",
}
_DONE = {
    "kick": "kicked",
    "ban": "banned",
    "unban": "no longer banned",
    "mute": "muted",
    "unmute": "no longer muted",
}
_ENDED: dict[str, Callable[[Tx, order.Act], AuditRow]] = {
    "kick": order.kick,
    "unban": order.unban,
    "unmute": order.unmute,
}
_LAID: dict[str, Callable[[Tx, order.Sanctioned], AuditRow]] = {"ban": order.ban, "mute": order.mute}


def add_commands(add: Add) -> None:
    """Add the subcommands that change something."""
    _add_role(add)
    _add_kick(add)
    _add_sanctions(add)
    _add_codes(add)


def _add_role(add: Add) -> None:
    role = add(
        "role",
        "give an account a role",
        "Owners may do all but make owners, moderators keep order (kick, ban, mute, invite), residents are\n"
        "everybody else. Only here are owners made: it asks for a yes, --yes says it at once.\n\n"
        "  worldloom people role Ann moderator\n  worldloom people role Ann owner --yes\n",
    )
    add_who(role)
    role.add_argument("role", choices=[Role.OWNER.value, Role.MODERATOR.value, Role.RESIDENT.value])
    add_yes(role)
    role.set_defaults(work=_role)


def _add_kick(add: Add) -> None:
    kick = add(
        "kick",
        "send somebody out, who may come back",
        "Their client is told the reason. To keep somebody out, ban.\n\n"
        '  worldloom people kick Mallory --reason "last warning"\n'
        '  worldloom people kick "Guest 3"\n'
        "  worldloom people kick --guest Trudy            a guest who chose a name\n",
    )
    add_who(kick, guest=True)
    add_reason(kick)
    kick.set_defaults(work=_end)


def _add_sanctions(add: Add) -> None:
    ban = add(
        "ban",
        "let an account or a network in no more",
        "An account's bots are banned with it. It takes the place of an earlier ban of the same.\n"
        "A network wider than /24 (IPv6: /48) is asked for a yes; --yes says it at once.\n"
        "An IPv6 address means its /64. Staff are let in from banned networks.\n\n"
        '  worldloom people ban Mallory --for 7d --reason "insults"\n'
        "  worldloom people ban '#7'\n"
        "  worldloom people ban --network 192.0.2.7 --for 2h30m\n",
    )
    add_who(ban, network=True)
    add_yes(ban)
    mute = add(
        "mute",
        "let an account, a guest or a network speak no more",
        "No speech, whispers or signals; they are told the reason. It takes the place of an earlier mute of the\n"
        "same. That of a guest ends when the guest leaves.\n\n"
        '  worldloom people mute Mallory --for 90m --reason "shouting"\n'
        '  worldloom people mute "Guest 3"\n'
        "  worldloom people mute --network 2001:db8::/48 --for 1h\n",
    )
    add_who(mute, network=True, guest=True)
    for parser in (ban, mute):
        add_for(parser, "without end")
        add_reason(parser)
        parser.set_defaults(work=_lay)
    unban = add(
        "unban",
        "end the ban of an account, or of exactly that network",
        "  worldloom people unban Mallory\n  worldloom people unban --network 192.0.2.0/24\n",
    )
    add_who(unban, network=True)
    unmute = add(
        "unmute",
        "end the mute of an account, a guest, or exactly that network",
        '  worldloom people unmute Mallory\n  worldloom people unmute "Guest 3"\n',
    )
    add_who(unmute, network=True, guest=True)
    for parser in (unban, unmute):
        add_reason(parser)
        parser.set_defaults(work=_end)


def _add_codes(add: Add) -> None:
    invite = add(
        "invite",
        "make an invitation and print it, this once",
        "The code opens the door to newcomers while access.mode is 'invitation'; case and dashes do not matter.\n"
        "The first line of the output is the code alone.\n\n"
        "  worldloom people invite                        for one newcomer, for a week\n"
        "  worldloom people invite --uses 5 --for 30d\n",
    )
    invite.add_argument(
        "--uses", metavar="N", type=number(USES_MAX), default=1, help="newcomers (default: 1)"
    )
    add_for(invite, "7d")
    invite.set_defaults(work=_invite)
    recover = add(
        "recover",
        "make a new recovery code for somebody who lost theirs, and print it, this once",
        "Whoever has the code has the account: tell it only whom you know. The code of before is void; devices\n"
        "where the account is open stay in. The first line of the output is the code alone.\n\n"
        "  worldloom people recover Ann\n",
    )
    add_who(recover)
    add_reason(recover)
    recover.set_defaults(work=_recover)
    close = add(
        "close",
        "mark a report as dealt with",
        '  worldloom people close 3 --text "banned for a week"\n',
    )
    close.add_argument("number", metavar="N", type=number(), help="the report's number")
    close.add_argument(
        "--text",
        metavar="HOW",
        required=True,
        type=short_text(order.REASON_MAX),
        help="how; kept in the audit log",
    )
    close.set_defaults(work=_close)


async def _role(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    row = await store.run(order.give_role, order.GiveRole(OPERATOR, whom(args), args.role, unix_ms()))
    print(f"{_about(row)} has the role {row.detail!r} now. {_noted(row)}")
    return 0


async def _end(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    act = args.people_command
    try:
        row = await store.run(_ENDED[act], order.Act(OPERATOR, whom(args), unix_ms(), args.reason))
    except Refusal as refusal:
        raise _with_hint(refusal, args) from None
    _say_done(act, row, f"{_DONE[act]}: {_about(row)}")
    return 0


async def _lay(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    act = args.people_command
    laid = order.Sanctioned(OPERATOR, whom(args), unix_ms(), args.reason, args.minutes)
    try:
        row = await store.run(_LAID[act], laid)
    except Refusal as refusal:
        raise _with_hint(refusal, args) from None
    _say_done(act, row, f"{_DONE[act]}: {_about(row)}, {until(row.until_ms)}")
    return 0


async def _invite(store: SqlStore, config: Config, args: argparse.Namespace) -> int:
    secret = await store.run(order.invite, order.Invite(OPERATOR, unix_ms(), args.uses, args.minutes))
    print(secret.text)
    print(
        f"An invitation for {counted(args.uses, 'newcomer')}, {until(secret.until_ms)}. "
        "It is shown this once: its hash alone is kept."
    )
    print("They give it where their client asks for an invitation or password; in the SDK: access=CODE.")
    if config.access.mode != "invitation":
        mode = config.access.mode
        print(f"It is asked for while access.mode is 'invitation'; by the settings read here it is {mode!r}.")
    return 0


async def _recover(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    secret = await store.run(order.recover, order.Act(OPERATOR, whom(args), unix_ms(), args.reason))
    print(secret.text)
    print(f"The recovery code of account #{secret.account}. It is shown this once: its hash alone is kept.")
    print(
        "They give it where their client asks for a recovery code; in the SDK: code=CODE. Then they get a new one."
    )
    return 0


async def _close(store: SqlStore, _: Config, args: argparse.Namespace) -> int:
    command = reports.CloseReport(OPERATOR, args.number, args.text, unix_ms())
    row = await store.run(reports.close_report, command)
    print(f"closed: report {args.number}, about {plain(row.about)}. {_noted(row)}")
    return 0


def _with_hint(refusal: Refusal, args: argparse.Namespace) -> Refusal:
    """Who is in no database may be an address, or a guest who is here under a name of their own."""
    if refusal.code is not RefusalCode.NOT_FOUND or refusal.hint or not args.who:
        return refusal
    if hasattr(args, "network") and is_network(args.who):
        return Refusal(refusal.code, refusal.text, hint=f"an address is meant by --network {args.who}")
    if hasattr(args, "guest"):
        return Refusal(refusal.code, refusal.text, hint="a guest who chose a name is meant by --guest NAME")
    return refusal


def _say_done(act: str, row: AuditRow, what: str) -> None:
    print(f"{what}. {_noted(row)}")
    if row.account is None:
        print(_TOLD_NETWORK[act] if row.network is not None else _GUEST_NOTE)
    else:
        print(_TOLD[act])


def _about(row: AuditRow) -> str:
    if row.account is not None:
        return f"{plain(row.about)} (#{row.account})"
    return plain(row.about) if row.network is not None else f"the guest {plain(row.about)!r}"


def _noted(row: AuditRow) -> str:
    return f"Act {row.number} of the audit log."
