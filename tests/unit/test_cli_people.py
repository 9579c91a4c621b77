"""``worldloom people``: as typed, on a world's database without a server."""

import contextlib
import json
import logging
import os
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

from databases import postgres_database
from typed import Typed, copied_world, made_world
from worldloom.app.secrets import SECRETS_FILE, open_secrets, seal_key
from worldloom.cli.people_words import minutes
from worldloom.errors import Refusal
from worldloom.persistence import store
from worldloom.persistence.migrate import migrate
from worldloom.ports import AuditRow, Tx
from worldloom.realm.order import AuditAct
from worldloom.services import access, accounts, codes, order, people, reports, worlds
from worldloom.services.asking import OPERATOR, Whom
from worldloom.services.standing import Ask, standing
from worldloom_sdk.protocol.messages import Role, Scope

NOW = 1_790_000_000_000
"""2026-09-21."""
ANN, BOB, EVE = 1, 2, 3
COMMANDS = (
    "list show role kick ban unban mute unmute invite recover reports report close audit".split()  # noqa: SIM905
)
DAY_MS = 24 * 3_600_000


class TypedPeople(Typed):
    """The same about people, with those who are in the world."""

    def log(self) -> list[AuditRow]:
        """The audit log, newest first."""
        return self.run(people.audit_page, people.AuditPage(OPERATOR))

    def standing(self, account: int | None = None, network: str = "") -> Any:
        """What somebody is in the world in a minute."""
        now = self.log()[0].at_ms + 60_000
        return self.run(standing, Ask(account, None, (network,), now))

    def report(self, evidence: bytes, text: str = "he shouts") -> int:
        """Ann reports Bob; the report's number."""
        key = seal_key(open_secrets(self.data))
        filed = reports.FileReport(ANN, "Ann", BOB, "Bob", text, evidence, key, NOW)
        number: int = self.run(reports.file_report, filed)
        return number


def populate(tx: Tx, _: None) -> None:
    worlds.open_world(tx, worlds.OpenWorld("Hills", 42, NOW))
    for number, name in enumerate(("Ann", "Bob", "Eve"), 1):
        accounts.register(tx, accounts.Register(name, bytes([number] * 32), NOW, f"client {number}"))
    access.make_bot(tx, access.MakeBot(BOB, "Bobot", frozenset({Scope.TALK}), NOW))


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a world with Ann, Bob, Bob's bot and Eve."""
    return made_world(tmp_path_factory, populate)


@pytest.fixture
def typed(
    populated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> TypedPeople:
    """That world, to be changed."""
    return TypedPeople("people", copied_world(populated, tmp_path, monkeypatch), capsys)


@pytest.fixture
def postgres(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[TypedPeople]:
    """An empty PostgreSQL database, named by the environment."""
    monkeypatch.chdir(tmp_path)
    with postgres_database() as url:
        monkeypatch.setenv("WORLDLOOM_STORAGE__URL", url)
        yield TypedPeople("people", tmp_path / "data", capsys, url)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Standard input is a terminal; what is typed at it."""
    typing, reading = os.openpty()
    with os.fdopen(reading, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield lambda line: os.write(typing, f"{line}\n".encode()) and None
    os.close(typing)


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with Path(os.devnull).open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield


# ---- who


@pytest.mark.parametrize("who", ["Bob", "bob", " BOB ", "B0b", "2", "#2"])
def test_whoever_is_meant_is_found_by_a_name_that_looks_the_same_or_by_number(
    typed: TypedPeople, who: str
) -> None:
    told = typed.says("ban", who, "--reason", "insults")
    assert told.startswith("banned: Bob (#2), without end. Act 1 of the audit log.\n")
    [row] = typed.log()
    assert (row.by, row.by_name, row.act, row.account) == (None, "operator", AuditAct.BAN, BOB)
    assert typed.standing(BOB).ban.reason == "insults"
    assert typed.standing(EVE).ban is None


@pytest.mark.parametrize("who", ["Nobody", "99", "#4000000000"])
def test_whoever_is_nobody_is_refused_in_one_line(typed: TypedPeople, who: str) -> None:
    assert typed("unban", who) == 1
    assert re.fullmatch(r"worldloom: expected an account, got .*, which nobody has\n", typed.err)
    assert typed.log() == []


def test_a_guest_is_known_by_the_servers_name_for_it_and_the_output_says_where_guests_are(
    typed: TypedPeople,
) -> None:
    told = typed.says("mute", "guest 3", "--for", "30m", "--reason", "noise")
    assert told.startswith("muted: the guest 'Guest 3', until ")
    assert "Guests are not in the database: it counts while the server runs" in told
    [row] = typed.log()
    assert (row.act, row.account, row.network, row.about) == (AuditAct.MUTE, None, None, "Guest 3")
    assert row.until_ms == row.at_ms + 30 * 60_000


def test_a_guest_with_a_chosen_name_is_meant_by_an_option_and_never_by_a_slip_of_the_finger(
    typed: TypedPeople,
) -> None:
    assert typed("kick", "Anm") == 1
    assert typed.err.endswith("which nobody has; a guest who chose a name is meant by --guest NAME\n")
    assert typed.log() == []
    typed.says("kick", "--guest", "Trudy")
    assert (typed.log()[0].about, typed.log()[0].account) == ("Trudy", None)


def test_a_guest_cannot_be_banned_and_is_told_why(typed: TypedPeople) -> None:
    assert typed("ban", "Guest 3") == 1
    assert typed.err.endswith("guests have nothing that lasts: kick them, or name their network\n")


@pytest.mark.parametrize("words", [("ban",), ("ban", "Bob", "--network", "192.0.2.7"), ("mute", " ")])
def test_one_is_to_be_named_and_no_more(typed: TypedPeople, words: tuple[str, ...]) -> None:
    assert typed(*words) == 2
    assert typed.err.startswith("worldloom: expected one of WHO, --network")
    assert typed.err.count("\n") == 1


# ---- for how long


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90m", 90), ("2h30m", 150), ("7d", 10_080), ("1d1h1m", 1_501), ("36500d", 52_560_000), (" 1m ", 1)],
)
def test_times_are_days_hours_and_minutes(text: str, expected: int) -> None:
    assert minutes(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0m", "90", "7 d", "1h-5m", "m", "30m2h", "36501d", "-7d", "٣m", "1.5h"]
)
def test_what_is_no_time_is_refused_with_what_was_expected(typed: TypedPeople, text: str) -> None:
    assert typed("ban", "Bob", f"--for={text}") == 2
    assert f"expected a time such as 90m, 2h30m or 7d, from 1m to 36500d; got {text!r}" in typed.err
    assert typed.log() == []


def test_a_ban_for_a_time_ends_and_can_be_ended_before(typed: TypedPeople) -> None:
    assert "until " in typed.says("ban", "Bob", "--for", "7d")
    ban = typed.standing(BOB).ban
    assert ban.until_ms - ban.created_ms == 7 * DAY_MS
    assert "no longer banned: Bob (#2)" in typed.says("unban", "Bob")
    assert typed.standing(BOB).ban is None
    assert typed("unban", "Bob") == 1
    assert typed.err == "worldloom: expected a ban of 'Bob' in force, got none\n"


def test_a_mute_lies_on_an_account_or_a_network_until_it_is_ended(typed: TypedPeople) -> None:
    typed.says("mute", "Bob")
    typed.says("mute", "--network", "2001:db8::7", "--for", "1h")
    assert typed.standing(BOB).mute.until_ms is None
    assert typed.standing(None, "2001:db8::/64").mute is not None
    typed.says("unmute", "Bob")
    typed.says("unmute", "--network", "2001:db8::/64")
    assert (typed.standing(BOB).mute, typed.standing(None, "2001:db8::/64").mute) == (None, None)


# ---- networks, and what is asked for a yes


@pytest.mark.usefixtures("no_terminal")
@pytest.mark.parametrize("network", ["192.0.2.77", "192.0.2.77/24", "2001:db8::1", "2001:db8::/48"])
def test_a_narrow_network_is_banned_without_a_question(typed: TypedPeople, network: str) -> None:
    typed.says("ban", "--network", network)
    assert typed.standing(None, typed.log()[0].network or "").ban is not None


@pytest.mark.usefixtures("no_terminal")
@pytest.mark.parametrize("network", ["10.0.0.0/8", "192.0.2.0/23", "2001:db8::/47"])
def test_a_wide_network_is_not_banned_without_a_yes(typed: TypedPeople, network: str) -> None:
    assert typed("ban", "--network", network) == 2
    assert typed.err.startswith(f"worldloom: ban {network}, wider than /")
    assert typed.err.endswith("expected a yes; got no terminal to ask at; if you are sure, add --yes\n")
    assert typed.log() == []
    typed.says("ban", "--network", network, "--yes")
    assert typed.log()[0].network == network


@pytest.mark.parametrize(("answer", "code", "acts"), [("y", 0, 1), ("Yes", 0, 1), ("", 1, 0), ("n", 1, 0)])
def test_at_a_terminal_it_is_asked(
    typed: TypedPeople, terminal: Callable[[str], None], answer: str, code: int, acts: int
) -> None:
    terminal(answer)
    assert typed("ban", "--network", "10.0.0.0/8") == code
    assert typed.err.startswith("ban 10.0.0.0/8, wider than /24? [y/N] ")
    assert len(typed.log()) == acts


def test_networks_that_are_banned_or_muted_are_listed_until_it_ends(typed: TypedPeople) -> None:
    assert typed.says("list", "--networks") == "No network is banned or muted.\n"
    typed.says("ban", "--network", "192.0.2.0/24", "--reason", "raid")
    typed.says("ban", "--network", "192.0.2.0/24", "--for", "7d", "--reason", "raid")
    typed.says("mute", "--network", "2001:db8::/48")
    typed.says("ban", "--network", "198.51.100.7")
    typed.says("unban", "--network", "198.51.100.7/32")
    laid = {(one["kind"], one["network"], one["reason"]) for one in typed.json("list", "--networks")}
    assert laid == {("ban", "192.0.2.0/24", "raid"), ("mute", "2001:db8::/48", "")}
    assert re.search(r"192\.0\.2\.0/24 +banned +20.* operator +raid", typed.says("list", "--networks", "192"))
    assert "2001" not in typed.out


def test_an_address_in_the_place_of_a_name_is_told_where_it_belongs(typed: TypedPeople) -> None:
    assert typed("ban", "192.0.2.7") == 1
    assert typed.err.endswith("which nobody has; an address is meant by --network 192.0.2.7\n")


@pytest.mark.parametrize("network", ["banana", "10.0.0.0/7", "192.0.2.0/33"])
def test_what_is_no_network_is_wrong_use(typed: TypedPeople, network: str) -> None:
    assert typed("ban", "--network", network) == 2
    assert "argument --network: expected an" in typed.err


# ---- roles and codes


@pytest.mark.usefixtures("no_terminal")
def test_owners_are_made_here_but_not_without_a_yes(typed: TypedPeople) -> None:
    typed.says("role", "Ann", "moderator")
    assert typed.standing(ANN).role is Role.MODERATOR
    assert typed("role", "Ann", "owner") == 2
    assert typed.err.startswith("worldloom: make Ann an owner")
    assert typed.standing(ANN).role is Role.MODERATOR
    assert "Ann (#1) has the role 'owner' now" in typed.says("role", "Ann", "owner", "--yes")
    assert typed.standing(ANN).role is Role.OWNER


@pytest.mark.usefixtures("no_terminal")
def test_an_owner_is_not_banned_for_good_without_a_yes(typed: TypedPeople) -> None:
    typed.says("role", "Ann", "owner", "--yes")
    assert typed("ban", "ann") == 2
    assert typed.err.startswith("worldloom: ban Ann, an owner, without end: expected a yes")
    assert typed.standing(ANN).ban is None
    typed.says("ban", "Ann", "--for", "1h")
    typed.says("ban", "Ann", "--yes")
    assert typed.standing(ANN).ban.until_ms is None


def test_who_types_no_at_the_question_has_banned_nobody(
    typed: TypedPeople, terminal: Callable[[str], None]
) -> None:
    typed.says("role", "Ann", "owner", "--yes")
    terminal("no")
    assert typed("ban", "Ann") == 1
    assert typed.err.endswith("[y/N] worldloom: nothing was done\n")
    assert typed.standing(ANN).ban is None


def test_a_kick_is_said_to_count_while_the_server_runs(typed: TypedPeople) -> None:
    assert "It counts while the server runs" in typed.says("kick", "Bob")
    assert "it counts while the server runs" in typed.says("kick", "Guest 3")


def test_a_locked_database_is_one_line_soon(
    typed: TypedPeople, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert store._BESIDE_TIMEOUT_MS <= 5_000
    monkeypatch.setattr(store, "_BESIDE_TIMEOUT_MS", 20)
    with contextlib.closing(sqlite3.connect(typed.data / "world.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        assert typed("ban", "Bob") == 2
    told = "worldloom: another process wrote to the database for too long; nothing was done\n"
    assert typed.err == told
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_an_invitation_lets_in_as_many_as_it_says_and_is_kept_as_a_hash(typed: TypedPeople) -> None:
    told = typed.says("invite", "--uses", "2", "--for", "3d")
    code = told.splitlines()[0]
    assert told.count(code) == 1
    assert "An invitation for 2 newcomers, until " in told
    assert "access.mode" in told
    [row] = typed.log()
    assert (row.until_ms or 0) - row.at_ms == 3 * DAY_MS
    for _ in range(2):
        typed.run(lambda tx, _: codes.use_invitation(tx, code, row.at_ms))
    with pytest.raises(Refusal):
        typed.run(lambda tx, _: codes.use_invitation(tx, code, row.at_ms))


def test_a_recovery_code_opens_its_account(typed: TypedPeople) -> None:
    code = typed.says("recover", "Eve").splitlines()[0]
    entered = typed.run(access.enter_with_code, access.EnterWithCode(code, NOW))
    assert entered.account.account == EVE
    assert typed("recover", "Bobot") == 1
    assert typed.err == "worldloom: expected the account of a person, got a bot, a guest or a network\n"


# ---- looking


def test_the_list_names_role_owner_and_what_lies_on_whom(typed: TypedPeople) -> None:
    typed.says("role", "Ann", "moderator")
    typed.says("ban", "Bob")
    table = typed.says("list").splitlines()
    assert re.split(r" {2,}", table[0]) == ["#", "name", "role", "bot of", "last seen", "in force"]
    assert [re.split(r" {2,}", line) for line in table[1:]] == [
        ["1", "Ann", "moderator", "-"],
        ["2", "Bob", "resident", "-", "banned without end"],
        ["4", "Bobot", "resident", "Bob", "-", "banned with its owner without end"],
        ["3", "Eve", "resident", "-"],
    ]
    assert [one["name"] for one in typed.json("list", "OB")] == ["Bob", "Bobot"]
    assert typed.says("list", "zz").endswith("Nobody with 'zz' in the name.\n")


def test_a_list_is_sorted_by_the_names_that_are_shown(typed: TypedPeople) -> None:
    def register(tx: Tx, names: tuple[str, ...]) -> None:
        for n, name in enumerate(names):
            accounts.register(tx, accounts.Register(name, bytes([8]) + n.to_bytes(31), NOW))

    # By what they look like, "0" is an "o" and "1" an "l".
    typed.run(register, ("m1x", "M0x", "mbx", "Mpx"))
    assert [one["name"] for one in typed.json("list", "x")] == ["M0x", "m1x", "mbx", "Mpx"]
    told = typed.says("list", "x")
    assert sorted(["M0x", "m1x", "mbx", "Mpx"], key=told.index) == ["M0x", "m1x", "mbx", "Mpx"]


def test_more_than_a_hundred_are_listed_page_by_page_and_each_once(typed: TypedPeople) -> None:
    def register_many(tx: Tx, count: int) -> None:
        for n in range(count):
            command = accounts.Register(f"Person {chr(122 - n % 26)}{n}", bytes([9]) + n.to_bytes(31), NOW)
            accounts.register(tx, command)

    before = {one["account"] for one in typed.json("list")}
    typed.run(register_many, 230)
    more = "There may be more: give {} of the name, or --from 1 for all of them by number.\n"
    assert typed.says("list").endswith(more.format("a part"))
    assert typed.says("list", "person").endswith(more.format("a longer part"))
    pages, start = [], 1
    while page := [one["account"] for one in typed.json("list", "--from", str(start))]:
        assert page == sorted(page)
        pages.append(page)
        start = page[-1] + 1
    assert [len(page) for page in pages] == [100, 100, 30 + len(before)]
    every = [number for page in pages for number in page]
    assert len(set(every)) == len(every)
    assert before < set(every)
    assert typed.says("list", "--from", "1").endswith(f"There may be more: --from {pages[0][-1] + 1}\n")
    assert len(typed.json("list", "person z", "--from", "1")) == 9
    assert typed.says("list", "zz", "--from", "7").endswith(
        "Nobody with 'zz' in the name from number 7 on.\n"
    )


def test_a_list_for_programs_has_numbers_and_texts(typed: TypedPeople) -> None:
    typed.says("mute", "Bob", "--for", "1h", "--reason", "shouting")
    [bob, bot] = typed.json("list", "bob")
    assert (bob["account"], bob["owner"], bot["owner"], bot["owner_name"]) == (BOB, None, BOB, "Bob")
    assert bob["made_ms"] == NOW
    [mute] = bob["sanctions"]
    assert (mute["kind"], mute["reason"], mute["by"]) == ("mute", "shouting", "operator")
    assert mute["until_ms"] - mute["since_ms"] == 3_600_000
    assert bot["sanctions"] == bob["sanctions"]


def test_somebody_is_shown_with_bots_tokens_and_acts_but_no_hash(typed: TypedPeople) -> None:
    typed.says("ban", "Bob", "--reason", "insults")
    typed.says("kick", "Eve")
    told = typed.says("show", "bob")
    assert "Bob (#2), resident" in told
    assert "Bobot (#4)" in told
    assert re.search(r"banned +since .*, without end, by operator: insults", told)
    assert re.search(rf"{'02' * 8} +Bob +client 2 +everything", told)
    assert re.search(r"[0-9a-f]{16} +Bobot +- +talk", told)
    assert not re.search(r"[0-9a-f]{17}", told)
    shown = typed.json("show", "2")
    assert [token["scopes"] for token in shown["tokens"]] == [None, ["talk"]]
    assert [(act["act"], act["about"]) for act in shown["acts"]] == [("ban", "Bob")]
    assert not re.search(r"[0-9a-f]{17}", typed.out)


def test_the_audit_log_is_read_newest_first_and_of_one_alone(typed: TypedPeople) -> None:
    for words in (("kick", "Bob"), ("kick", "Guest 3"), ("ban", "--network", "192.0.2.7/24"), ("invite",)):
        typed.says(*words)
    assert [act["act"] for act in typed.json("audit")] == ["invite", "ban", "kick", "kick"]
    assert [act["number"] for act in typed.json("audit", "--limit", "2")] == [4, 3]
    assert [act["number"] for act in typed.json("audit", "--about", "bob")] == [1]
    assert [act["number"] for act in typed.json("audit", "--about", "#2")] == [1]
    assert [act["number"] for act in typed.json("audit", "--about", "guest 3")] == [2]
    assert [act["number"] for act in typed.json("audit", "--about", "192.0.2.0/24")] == [3]
    assert typed.says("audit", "--about", "Eve") == "No act about 'Eve' in the audit log.\n"
    assert "Guest 3" in typed.says("audit")


def test_an_old_act_is_found_behind_many_others(typed: TypedPeople) -> None:
    def act_often(tx: Tx, _: None) -> None:
        order.kick(tx, order.Act(OPERATOR, Whom(account=EVE), NOW))
        for _ in range(250):
            order.kick(tx, order.Act(OPERATOR, Whom(account=BOB), NOW))

    typed.run(act_often)
    assert [act["number"] for act in typed.json("audit", "--about", "Eve")] == [1]
    assert len(typed.json("audit", "--about", "Bob", "--limit", "220")) == 220


def test_what_others_wrote_is_neither_markup_nor_steers_the_terminal(typed: TypedPeople) -> None:
    typed.says("kick", "Bob", "--reason", "[red]no[/red] [/")
    assert "[red]no[/red] [/" in typed.says("audit")
    packed = msgpack.packb(
        {"world_ms": 9, "names": {}, "heard": [[5, "signal \x1b[2J", 2, "Bob", b"\x1b"]], "seen": []}
    )
    told = typed.says("report", str(typed.report(packed)))
    assert "\x1b" not in told
    assert "signal \N{REPLACEMENT CHARACTER}[2J" in told


# ---- reports

GUEST = (1 << 31) + 3
HEARD = [
    [70_000, "say1", BOB, "Bob", "go [b]away[/b]"],
    [88_500, "whisper", GUEST, "Guest 3", "psst"],
    [90_000, "signal game", BOB, "Bob", bytes(range(64))],
]
SEEN = [(89_000, [[BOB, 12.5, -3.0], [GUEST, 1.0, 2.0]]), (90_000, [])]
EVIDENCE = msgpack.packb(
    {"world_ms": 100_000, "names": {str(BOB): "Bob", str(GUEST): "Guest 3"}, "heard": HEARD, "seen": SEEN}
)


def test_a_report_tells_who_said_what_when_and_who_was_where(typed: TypedPeople) -> None:
    number = typed.report(EVIDENCE)
    assert re.search(r"1  2026-09-21 .*Ann \(#1\) +Bob \(#2\) +he shouts", typed.says("reports"))
    told = typed.says("report", str(number))
    assert "seal" in told
    assert "intact" in told
    assert re.search(r"-30\.0 +Bob \(#2\) +shouts +go \[b\]away\[/b\]", told)
    assert re.search(r"-11\.5 +Guest 3 \(guest\) +whispers +psst", told)
    assert re.search(r"-10\.0 +Bob \(#2\) +signal game +64 bytes: 00 01 02", told)
    assert re.search(r"-11\.0 +Bob \(#2\) 12\.5 -3\.0; Guest 3 \(guest\) 1\.0 2\.0", told)
    assert re.search(r"-10\.0 +nobody", told)


def test_a_span_in_which_nobody_was_in_view_is_one_line(typed: TypedPeople) -> None:
    seen = [(70_000 + 1_000 * second, [[BOB, 1.0, 2.0]] if second == 5 else []) for second in range(10)]
    number = typed.report(msgpack.packb({"world_ms": 100_000, "names": {}, "heard": [], "seen": seen}))
    told = typed.says("report", str(number))
    assert told.count("nobody") == 2
    assert re.search(r"-30\.0 to -26\.0 +nobody", told)
    assert re.search(r"-24\.0 to -21\.0 +nobody", told)


def test_a_report_for_programs_has_all_of_it(typed: TypedPeople) -> None:
    told = typed.json("report", str(typed.report(EVIDENCE)))
    assert (told["seal"], told["by"], told["about_account"]) == ("intact", "Ann", BOB)
    assert [line["before_ms"] for line in told["heard"]] == [30_000, 11_500, 10_000]
    assert told["heard"][2]["hex"] == bytes(range(64)).hex()
    assert told["seen"][0]["bodies"][0] == {"avatar": BOB, "name": "Bob", "x_m": 12.5, "z_m": -3.0}
    assert [one["number"] for one in typed.json("reports")] == [1]


def test_a_report_that_was_changed_is_told_and_ends_with_1(typed: TypedPeople) -> None:
    number = typed.report(EVIDENCE)
    with sqlite3.connect(typed.data / "world.db") as database:
        database.execute("UPDATE report SET about = 'Eve'")
    database.close()
    assert typed("report", str(number)) == 1
    assert "BROKEN" in typed.out
    assert typed("report", str(number), "--json") == 1
    assert json.loads(typed.out)["seal"] == "broken"


def test_without_the_secrets_the_seal_is_not_checked_and_none_are_made(typed: TypedPeople) -> None:
    number = typed.report(EVIDENCE)
    (typed.data / SECRETS_FILE).unlink()
    assert typed("report", str(number)) == 1
    assert f"not checked: {typed.data / SECRETS_FILE} is not there" in typed.out
    assert not (typed.data / SECRETS_FILE).exists()


def test_evidence_that_cannot_be_read_does_not_hide_the_report(typed: TypedPeople) -> None:
    told = typed.says("report", str(typed.report(b"\xc1 no evidence")))
    assert "he shouts" in told
    assert "What was heard and seen cannot be read." in told


def test_a_report_is_closed_once_and_can_still_be_read(typed: TypedPeople) -> None:
    number = str(typed.report(EVIDENCE))
    assert "closed: report 1, about Bob." in typed.says("close", number, "--text", "banned")
    assert typed.log()[0].detail == "report 1: banned"
    assert typed.says("reports") == "No open reports.\n"
    assert ", closed 20" in typed.says("report", number)
    assert typed("close", number, "--text", "again") == 1
    assert typed("report", "77") == 1
    assert typed.err.startswith("worldloom: expected the number of a report, got 77; ")


# ---- the world, and the command itself


def test_where_there_is_no_world_one_line_says_so_and_nothing_is_made(
    typed: TypedPeople, tmp_path: Path
) -> None:
    typed.data = tmp_path / "elsewhere"
    assert typed("list") == 2
    assert re.fullmatch(
        r"worldloom: .*world\.db: expected the database of a world; got none\. .*\n", typed.err
    )
    assert not typed.data.exists()


def test_a_database_without_a_world_is_told_as_such(typed: TypedPeople, tmp_path: Path) -> None:
    typed.data = tmp_path / "empty"
    migrate(f"sqlite:///{typed.data / 'world.db'}")
    assert typed("list") == 2
    assert typed.err == (
        "worldloom: expected the database of a world; got one without. Start it once: worldloom serve\n"
    )


@pytest.mark.slow
def test_it_does_the_same_on_postgresql(postgres: TypedPeople) -> None:
    assert postgres("list") == 2
    assert re.fullmatch(r"worldloom: .*got None; start the world once: .*\n", postgres.err)
    migrate(postgres.url)
    postgres.run(populate)
    assert [postgres("ban", who) for who in ("#4000000000", "99999999999999")] == [1, 1]
    postgres.says("ban", "bob", "--for", "7d")
    postgres.says("mute", "--network", "192.0.2.0/24")
    assert postgres.standing(BOB).ban is not None
    assert len(postgres.says("invite").splitlines()[0]) == 19
    assert [act["act"] for act in postgres.json("audit")] == ["invite", "mute", "ban"]
    assert [one["name"] for one in postgres.json("list")] == ["Ann", "Bob", "Bobot", "Eve"]
    assert "intact" in postgres.says("report", str(postgres.report(EVIDENCE)))
    assert "Bobot (#4)" in postgres.says("show", "Bob")


def test_where_the_world_is_may_be_said_before_or_after_the_subcommand(
    typed: TypedPeople, tmp_path: Path
) -> None:
    before = typed.says("list")
    typed.data = tmp_path / "elsewhere"
    assert typed.says("list", "--data", str(tmp_path / "data")) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_has_an_example(typed: TypedPeople, command: str) -> None:
    assert typed(command, "--help") == 0
    assert f"\n  worldloom people {command}" in typed.out


def test_the_help_names_every_subcommand(typed: TypedPeople) -> None:
    assert typed("--help") == 0
    named = re.findall(r"^    ([a-z]+) ", typed.out, re.MULTILINE)
    assert sorted(named) == sorted(COMMANDS)
