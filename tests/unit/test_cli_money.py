"""``worldloom money``: as typed, on a world's database without a server."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from typed import Typed, copied_world, made_world
from worldloom.cli.main import main
from worldloom.ports import Tx
from worldloom.realm.ledger import TransferKind
from worldloom.services import accounts, money, people, receipts, worlds
from worldloom.services.asking import OPERATOR, Whom

NOW = 1_790_000_000_000
"""2026-09-21."""
COMMANDS = "mint", "burn", "balance", "statement", "show", "treasury", "verify"


def populate(tx: Tx, _: None) -> None:
    worlds.open_world(tx, worlds.OpenWorld("Hills", 42, NOW))
    for number, name in enumerate(("Ann", "Bob"), 1):
        accounts.register(tx, accounts.Register(name, bytes([number] * 32), NOW))
    money.issue(tx, money.Issue(Whom(name="Ann"), 12_500, "prize", NOW))
    money.pay(tx, money.Pay(1, Whom(name="Bob"), 250, "goat", NOW + 60_000))
    money.grant(tx, money.Grant(2, "192.0.2.7/32", 1_000, 3, NOW + 120_000))


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_world(tmp_path_factory, populate)


@pytest.fixture
def typed(
    populated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Typed:
    """That world, to be changed."""
    return Typed("money", copied_world(populated, tmp_path, monkeypatch), capsys)


def test_money_is_made_for_somebody_and_taken_back(typed: Typed) -> None:
    assert typed.says("mint", "1,000.50", "--to", "ann", "--memo", "for the harbour") == (
        "1,000.50 crowns minted for ann; transfer 4.\n"
    )
    assert typed.says("balance", "Ann") == "Ann (#1): 1,123.00 crowns\n"
    assert typed.says("burn", "1123", "--from", "#1") == (
        "1,123.00 crowns burned of what #1 had; transfer 5.\n"
    )
    assert typed.says("balance", "1") == "Ann (#1): 0.00 crowns\n"
    log = typed.run(people.audit_page, people.AuditPage(OPERATOR))
    assert [(row.act.value, row.by_name, row.about, row.detail) for row in log[:2]] == [
        ("burn", "operator", "Ann", "1,123.00 crowns"),
        ("mint", "operator", "Ann", "1,000.50 crowns: for the harbour"),
    ]
    typed.says("verify")


def test_the_treasury_gets_and_gives(typed: Typed) -> None:
    typed.says("mint", "40", "--treasury")
    typed.says("burn", "15", "--treasury", "--memo", "lost")
    said = typed.says("treasury").splitlines()
    assert [line.split() for line in said[:3]] == [
        ["In", "the", "treasury:", "25.00", "crowns"],
        ["In", "the", "world:", "160.00", "crowns"],
        ["day", "kind", "transfers", "in", "out"],
    ]
    assert [line.split()[1:] for line in said[3:]] == [["burn", "1", "15.00"], ["mint", "1", "40.00"]]
    found = json.loads(typed.says("treasury", "--days", "1", "--json"))
    assert (found["balance"], found["circulating"]) == (2_500, 16_000)
    assert [(row["kind"], row["in"], row["out"]) for row in found["days"]] == [
        ("burn", 0, 1_500),
        ("mint", 4_000, 0),
    ]


def test_a_statement_says_what_came_from_whom(typed: Typed) -> None:
    said = [line.split() for line in typed.says("statement", "Ann").splitlines()]
    assert said == [
        ["#", "at", "kind", "amount", "with", "about", "memo"],
        ["2", "2026-09-21", "14:14:20", "pay", "-2.50", "Bob", "goat"],
        ["1", "2026-09-21", "14:13:20", "mint", "+125.00", "mint", "prize"],
    ]
    (newest, oldest) = json.loads(typed.says("statement", "bob", "--json"))
    assert (newest["kind"], newest["amount"], newest["by_account"]) == ("grant", 1_000, None)
    assert oldest == {
        "transfer": 2, "at_ms": NOW + 60_000, "kind": "pay", "amount": 250,
        "with": [{"kind": "person", "name": "Ann"}], "by_account": 1, "about": None, "memo": "goat",
    }  # fmt: skip
    assert len(typed.says("statement", "Ann", "--limit", "1").splitlines()) == 2
    assert "prize" in typed.says("statement", "Ann", "--before", "2")
    assert typed.says("statement", "Ann", "--before", "1") == "Ann (#1) got and gave nothing.\n"


def test_what_was_granted_is_told_apart(typed: Typed) -> None:
    assert typed.says("balance", "Bob") == "Bob (#2): 2.50 crowns, and 10.00 crowns for claims only\n"
    assert json.loads(typed.says("balance", "Bob", "--json")) == {
        "account": 2, "name": "Bob", "own": 250, "granted": 1_000,
    }  # fmt: skip


def test_one_transfer_is_shown_with_whose_money_it_was_and_why(typed: Typed) -> None:
    def claim(tx: Tx, _: None) -> receipts.Outcome:
        def work() -> int:
            legs = money.spend_on_claim(tx, 2, 1_200) | {money.TREASURY: 1_200}
            return money.move(tx, TransferKind.CLAIM, legs, "12 parcels", 2, 7, NOW + 180_000)

        return receipts.once(tx, 2, b"k" * 16, b"claim", NOW + 180_000, work)

    typed.run(claim)
    assert typed.says("show", "4") == (
        "Transfer  4, 2026-09-21 14:16:20 UTC\n"
        "Reason    claim: land bought from the world, estate 7\n"
        "Memo      12 parcels\n"
        "By        Bob (#2)\n"
        f"Key       {'6b' * 16}\n"
        "\n"
        "amount  purse\n"
        "+12.00  treasury\n"
        " -2.00  Bob (#2)\n"
        "-10.00  Bob (#2), what was granted\n"
    )
    found = json.loads(typed.says("show", "2", "--json"))
    assert {name: found[name] for name in ("kind", "memo", "by_name", "keys")} == {
        "kind": "pay", "memo": "goat", "by_name": "Ann", "keys": [],
    }  # fmt: skip
    assert [(one["name"], one["amount"]) for one in found["postings"]] == [("Ann", -250), ("Bob", 250)]
    assert "By        the operator, or the server itself\n" in typed.says("show", "1")
    assert typed("show", "5") == 1
    assert typed.err == "worldloom: expected a transfer, got 5, which is none\n"


def test_the_count_agrees_until_somebody_tampers_with_a_balance(typed: Typed) -> None:
    assert typed.says("verify") == "All is there: 3 transfers, 5 purses, 135.00 crowns in the world.\n"
    with closing(sqlite3.connect(typed.data / "world.db")) as connection, connection:
        connection.execute(
            "UPDATE purse SET balance = balance + 1000000 WHERE account_id = 2 AND kind = 'person'"
        )
    assert typed("verify") == 1
    assert typed.out == "purse 4 (person of account 2): expected 2.50 crowns by its postings, got 10,002.50\n"
    assert typed("verify", "--json") == 1
    assert json.loads(typed.out)["differences"] == [
        "purse 4 (person of account 2): expected 2.50 crowns by its postings, got 10,002.50"
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["burn", "200", "--from", "Ann"], 1, "expected 200.00 crowns in the purse, got 122.50"),
        (["burn", "1", "--treasury"], 1, "expected 1.00 crown in the purse, got 0.00"),
        (["mint", "5", "--to", "Nobody"], 1, "expected an account, got 'Nobody'"),
        (["balance", "Guest 3"], 1, "expected an account, got a guest"),
        (
            ["mint", "1.005", "--to", "Ann"],
            2,
            "expected an amount such as 1,250.00, with at most 2 digits after the point; got '1.005'",
        ),
        (
            ["mint", "-5", "--to", "Ann"],
            2,
            "expected an amount such as 1,250.00, not a negative one; got '-5'",
        ),
        (["mint", "0", "--to", "Ann"], 2, "expected an amount from 0.01"),
        (["mint", "5"], 2, "one of the arguments --to --treasury is required"),
        (["mint", "5", "--to", "Ann", "--treasury"], 2, "not allowed with argument"),
        (["mint", "5", "--to", "Ann", "--memo", "x" * 201], 2, "expected at most 200 characters; got 201"),
        (["statement", "Ann", "--limit", "0"], 2, "expected an integer from 1 to 100000"),
        (["treasury", "--days", "36501"], 2, "expected an integer from 1 to 36500"),
    ],
)
def test_what_cannot_be_is_refused_with_expected_and_got(
    typed: Typed, words: list[str], code: int, said: str
) -> None:
    assert typed(*words) == code
    assert said in typed.err
    assert typed.out == ""
    assert "All is there" in typed.says("verify")


def test_a_currency_without_digits_is_written_and_read_so(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLDLOOM_MONEY__NAME", "shell")
    monkeypatch.setenv("WORLDLOOM_MONEY__DIGITS", "0")
    assert typed.says("balance", "Ann") == "Ann (#1): 12,250 shell\n"
    assert typed("mint", "1.5", "--to", "Ann") == 2
    assert typed.says("mint", "50", "--to", "Ann") == "50 shell minted for Ann; transfer 4.\n"


def test_where_no_world_is_that_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["money", "verify", "--data", str(tmp_path / "none")]) == 2
    assert "expected the database of a world" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_worth_reading(typed: Typed, command: str) -> None:
    assert typed(command, "--help") == 0
    assert f"  worldloom money {command}" in typed.out
    assert "--data DIR" in typed.out
    assert typed("--help") == 0
    assert f"    {command} " in typed.out
