"""Money on both engines: what the database itself refuses, purses, transfers, statements, the proof of it all."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text

from order_people import NOW, add, named
from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore, open_beside, open_store
from worldloom.ports import Tx
from worldloom.ports.money import DayRow, TransferRow
from worldloom.realm.ledger import PurseKind, TransferKind
from worldloom.realm.money import AMOUNT_MAX, CIRCULATION_MAX, Currency
from worldloom.services import money, receipts, tidying
from worldloom.services.asking import Whom
from worldloom.services.money import DAY_MS, MINT, TREASURY, Balance, Grant, Issue, Pay, Statement
from worldloom.services.reckoning import Reckoning, verify
from worldloom_sdk.protocol.messages import RefusalCode


@pytest.fixture
async def rich(store: SqlStore) -> SqlStore:
    """Ann (1) has 1,000, Bob (2) has nothing."""
    await store.run(lambda tx, _: [add(tx, name) for name in ("Ann", "Bob")], None)
    await store.run(money.issue, Issue(named("Ann"), 1_000, "prize", NOW))
    return store


async def reckon(store: SqlStore) -> Reckoning:
    return await store.read(verify, None)


async def balances(store: SqlStore, *accounts: int) -> list[int]:
    return [(await store.read(money.balance, account)).own for account in accounts]


def pay(by: int, to: str, amount: int, memo: str = "") -> Pay:
    return Pay(by, named(to), amount, memo, NOW)


def raw(url: str, *statements: str) -> None:
    """Run statements in one transaction, past the program."""
    engine = create_engine(url)
    if url.startswith("sqlite"):
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def transfer(number: str) -> str:
    return f"INSERT INTO transfer (id, at_ms, kind, memo) VALUES ({number}, 5, 'pay', '')"


def postings(number: str, *legs: tuple[int, int]) -> str:
    rows = ", ".join(f"({number}, {purse}, {amount})" for purse, amount in legs)
    return f"INSERT INTO posting (transfer_id, purse_id, amount) VALUES {rows}"


def next_number(url: str) -> str:
    """The number of a transfer that is to be written by hand, as SQL."""
    return "nextval('transfer_id_seq')" if url.startswith("postgresql") else "99"


def same_number(url: str) -> str:
    return "currval('transfer_id_seq')" if url.startswith("postgresql") else "99"


# ---- what the database refuses, whoever asks


async def test_a_transfer_by_hand_whose_postings_sum_to_zero_is_accepted(
    rich: SqlStore, store_url: str
) -> None:
    """So what is refused below is refused for its own sake."""
    number, same = next_number(store_url), same_number(store_url)
    if store_url.startswith("postgresql"):
        raw(store_url, f"SELECT {number}", postings(same, (2, -5), (3, 5)), transfer(same))
    else:
        raw(store_url, postings(same, (2, -5), (3, 5)), transfer(same))


@pytest.mark.parametrize(
    "legs",
    [[(3, -5), (2, 4)], [(3, -5)], [(3, 5), (2, 5)], []],
    ids=["short", "one leg", "from nothing", "none"],
)
async def test_postings_that_do_not_sum_to_zero_are_refused_by_the_database(
    rich: SqlStore, store_url: str, legs: list[tuple[int, int]]
) -> None:
    same = same_number(store_url)
    drawn = ["SELECT nextval('transfer_id_seq')"] if store_url.startswith("postgresql") else []
    written = [postings(same, *legs)] if legs else []
    with pytest.raises(Exception, match="the postings of a transfer sum to zero"):
        raw(store_url, *drawn, *written, transfer(same))
    assert (await reckon(rich)).differences == ()


async def test_postings_without_a_transfer_are_refused_by_the_database(
    rich: SqlStore, store_url: str
) -> None:
    drawn = ["SELECT nextval('transfer_id_seq')"] if store_url.startswith("postgresql") else []
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        raw(store_url, *drawn, postings(same_number(store_url), (3, -5), (2, 5)))


async def test_nothing_is_added_to_a_transfer_that_is_written(rich: SqlStore, store_url: str) -> None:
    drawn = ["SELECT nextval('transfer_id_seq')"] if store_url.startswith("postgresql") else []
    assert await rich.run(money.person_purse, 2) == 4
    with pytest.raises(Exception, match="postings are added before their transfer"):
        raw(store_url, *drawn, postings("1", (2, -5), (4, 5)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE posting SET amount = amount + 1",
        "DELETE FROM posting",
        "UPDATE transfer SET memo = 'x'",
        "DELETE FROM transfer",
        "DELETE FROM transfer WHERE id = -1; ",
    ],
)
async def test_the_ledger_can_be_added_to_and_read_and_nothing_else(
    rich: SqlStore, store_url: str, statement: str
) -> None:
    before = await reckon(rich)
    if "-1" in statement and not store_url.startswith("postgresql"):
        pytest.skip("where nothing is deleted, SQLite asks no trigger")
    with pytest.raises(Exception, match="the ledger is appended to only"):
        raw(store_url, statement)
    assert await reckon(rich) == before


@pytest.mark.parametrize("purse", [TREASURY, 3])
async def test_no_purse_goes_below_zero_but_the_mint(rich: SqlStore, store_url: str, purse: int) -> None:
    with pytest.raises(Exception, match="ck_purse_balance_positive"):
        raw(store_url, f"UPDATE purse SET balance = -1 WHERE id = {purse}")
    raw(store_url, f"UPDATE purse SET balance = -1 WHERE id = {MINT}")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("(90, 'mint', NULL, NULL, 0)", "ck_purse_one_mint"),
        ("(90, 'treasury', NULL, NULL, 0)", "ck_purse_one_mint"),
        ("(90, 'person', NULL, NULL, 0)", "ck_purse_account_given"),
        ("(90, 'escrow', 1, 7, 0)", "ck_purse_account_given"),
        ("(90, 'escrow', NULL, NULL, 0)", "ck_purse_ref_given"),
        ("(90, 'person', 1, NULL, 0)", r"(?i)unique"),
        ("(90, 'person', 77, NULL, 0)", r"(?i)foreign key"),
        ("(90, 'stash', 2, NULL, 0)", "ck_purse_"),
    ],
)
async def test_there_is_one_mint_one_treasury_and_one_purse_of_a_kind(
    rich: SqlStore, store_url: str, values: str, rule: str
) -> None:
    with pytest.raises(Exception, match=rule):
        raw(store_url, f"INSERT INTO purse (id, kind, account_id, ref, balance) VALUES {values}")


# ---- how money moves


async def test_what_one_pays_another_gets_and_both_have_it_on_their_statement(rich: SqlStore) -> None:
    number = await rich.run(money.pay, pay(1, "Bob", 300, "  for the\tgoat "))
    assert await balances(rich, 1, 2) == [700, 300]
    (newest, oldest) = await rich.read(money.statement, Statement(1))
    assert newest.transfer == TransferRow(NOW, TransferKind.PAY, "for the goat", 1, None, number)
    assert (newest.amount, newest.others) == (-300, ((PurseKind.PERSON, "Bob"),))
    assert (oldest.transfer.kind, oldest.transfer.by, oldest.amount) == (TransferKind.MINT, None, 1_000)
    assert oldest.others == ((PurseKind.MINT, ""),)
    (bobs,) = await rich.read(money.statement, Statement(2))
    assert (bobs.transfer, bobs.amount, bobs.others) == (newest.transfer, 300, ((PurseKind.PERSON, "Ann"),))
    assert await reckon(rich) == Reckoning(2, 4, 1_000, ())


async def test_nobody_pays_what_is_not_there(rich: SqlStore) -> None:
    with pytest.raises(Refusal, match=r"expected 10\.01 crown in the purse, got 10\.00") as refused:
        await rich.run(money.pay, pay(1, "Bob", 1_001))
    assert refused.value.code is RefusalCode.FUNDS
    with pytest.raises(Refusal, match=r"expected 0\.01 crown in the purse, got 0\.00"):
        await rich.run(money.pay, pay(2, "Ann", 1))
    assert await balances(rich, 1, 2) == [1_000, 0]
    await rich.run(money.pay, pay(1, "Bob", 1_000))
    assert await balances(rich, 1, 2) == [0, 1_000]


@pytest.mark.parametrize("amount", [0, -5, AMOUNT_MAX + 1, 2**63, -(2**63) - 1])
async def test_an_amount_out_of_bounds_is_refused(rich: SqlStore, amount: int) -> None:
    uses: list[tuple[Callable[..., Any], Any]] = [
        (money.pay, pay(1, "Bob", amount)),
        (money.issue, Issue(None, amount, "", NOW)),
        (money.burn, Issue(None, amount, "", NOW)),
    ]
    for use_case, command in uses:
        with pytest.raises(Refusal, match=f"got {re.escape(Currency().written(amount))}$") as refused:
            await rich.run(use_case, command)
        assert refused.value.code is RefusalCode.INVALID


async def test_who_is_not_there_oneself_and_a_guest_cannot_be_paid(rich: SqlStore) -> None:
    tries = [
        (named("Carl"), RefusalCode.NOT_FOUND),
        (named("Ann"), RefusalCode.INVALID),
        (Whom(account=1), RefusalCode.INVALID),
        (Whom(guest="Guest 3"), RefusalCode.INVALID),
        (Whom(), RefusalCode.INVALID),
    ]
    for to, code in tries:
        with pytest.raises(Refusal) as refused:
            await rich.run(money.pay, Pay(1, to, 5, "", NOW))
        assert refused.value.code is code
    with pytest.raises(Refusal, match="without") as refused:
        await rich.run(money.pay, Pay(1, named("Bob"), 5, "", NOW, allowed=False))
    assert refused.value.code is RefusalCode.FORBIDDEN


async def test_a_refusal_in_the_midst_of_a_trade_undoes_all_of_it(rich: SqlStore) -> None:
    def trade(tx: Tx, _: None) -> None:
        money.pay(tx, pay(1, "Bob", 900))
        money.pay(tx, pay(1, "Bob", 900))

    with pytest.raises(Refusal):
        await rich.run(trade, None)
    assert await balances(rich, 1, 2) == [1_000, 0]
    assert await reckon(rich) == Reckoning(1, 3, 1_000, ())


async def test_what_the_treasury_and_the_mint_got_counts_before_and_after_it_is_added_up(
    rich: SqlStore,
) -> None:
    def fee(tx: Tx, amount: int) -> int:
        legs = {money.person_purse(tx, 1): -amount, TREASURY: amount}
        return money.move(tx, TransferKind.CLAIM, legs, "", 1, 7, NOW)

    async def seen() -> tuple[int, int, tuple[str, ...]]:
        found = await rich.read(money.treasury, 0)
        return found.balance, found.circulating, (await reckon(rich)).differences

    for amount in (10, 20, 30):
        await rich.run(fee, amount)
    before = await seen()
    assert before == (60, 1_000, ())
    assert [row.balance for row in await rich.read(lambda tx, _: tx.purses([1, 2]), None)] == [0, 0]
    assert await rich.run(lambda tx, _: tx.fold(2), None) == 2
    assert await seen() == before
    assert await rich.run(money.roll_up, None) == 2
    assert await rich.run(money.roll_up, None) == 0
    assert await seen() == before
    assert [row.balance for row in await rich.read(lambda tx, _: tx.purses([1, 2]), None)] == [-1_000, 60]


async def test_the_treasury_gives_what_it_has_even_if_that_still_rests(rich: SqlStore) -> None:
    await rich.run(money.issue, Issue(None, 50, "", NOW))
    with pytest.raises(Refusal, match=r"expected 0\.51 crown in the purse, got 0\.50"):
        await rich.run(money.burn, Issue(None, 51, "", NOW))
    await rich.run(money.burn, Issue(None, 50, "", NOW))
    await rich.run(money.burn, Issue(named("Ann"), 400, "tax", NOW))
    found = await rich.read(money.treasury, 0)
    assert (found.balance, found.circulating) == (0, 600)
    assert (await reckon(rich)).differences == ()


async def test_the_treasurys_report_is_by_day_and_kind(rich: SqlStore) -> None:
    day = NOW // DAY_MS

    def moved(tx: Tx, _: None) -> None:
        ann = money.person_purse(tx, 1)
        for days, kind, amount in (
            (0, TransferKind.SALE, 5),
            (0, TransferKind.SALE, 7),
            (1, TransferKind.RENT, 3),
        ):
            money.move(tx, kind, {ann: -amount, TREASURY: amount}, "", None, None, NOW + days * DAY_MS)
        money.move(tx, TransferKind.REFUND, {ann: 2, TREASURY: -2}, "", None, None, NOW + DAY_MS)

    await rich.run(moved, None)
    newest = [DayRow(day + 1, TransferKind.REFUND, 1, 0, 2), DayRow(day + 1, TransferKind.RENT, 1, 3, 0)]
    assert (await rich.read(money.treasury, 0)).days == [*newest, DayRow(day, TransferKind.SALE, 2, 12, 0)]
    assert (await rich.read(money.treasury, NOW + 1)).days == newest


async def test_there_never_is_more_money_than_64_bits_hold(rich: SqlStore) -> None:
    def too_much(tx: Tx, _: None) -> None:
        assert tx.change_balance(MINT, 1_000 + AMOUNT_MAX - CIRCULATION_MAX)
        money.issue(tx, Issue(None, AMOUNT_MAX, "", NOW))
        assert money.held(tx, MINT) == -CIRCULATION_MAX
        assert money.grant(tx, Grant(2, "192.0.2.7/32", 1, 3, NOW)) is None
        money.issue(tx, Issue(None, 1, "", NOW))

    with pytest.raises(Refusal, match=f"expected at most {Currency().shown(CIRCULATION_MAX)} in the world"):
        await rich.run(too_much, None)


async def test_a_transfer_is_told_with_its_purses_names_and_the_key_that_it_answered(rich: SqlStore) -> None:
    def paid(tx: Tx, key: bytes) -> receipts.Outcome:
        return receipts.once(tx, 1, key, b"300 to Bob", NOW, lambda: money.pay(tx, pay(1, "Bob", 300)))

    number = (await rich.run(paid, b"k" * 16)).result(int)
    told = await rich.read(money.transfer, number)
    assert (told.transfer.kind, told.transfer.by, told.names) == (TransferKind.PAY, 1, {1: "Ann", 2: "Bob"})
    assert [(purse.account, amount) for purse, amount in told.postings] == [(1, -300), (2, 300)]
    assert told.keys == [b"k" * 16]
    with pytest.raises(Refusal, match="expected a transfer, got 77, which is none") as refused:
        await rich.read(money.transfer, 77)
    assert refused.value.code is RefusalCode.NOT_FOUND


async def test_a_long_statement_comes_in_pages(rich: SqlStore) -> None:
    numbers = [await rich.run(money.pay, pay(1, "Bob", 1)) for _ in range(5)]
    pages, before = [], 0
    while rows := await rich.read(money.statement, Statement(1, before, 2)):
        pages.append([row.transfer.transfer for row in rows])
        before = pages[-1][-1]
    assert pages == [numbers[:2:-1], numbers[2:0:-1], [numbers[0], 1]]
    assert await rich.read(money.statement, Statement(77)) == []


# ---- purses and grants


async def test_a_purse_is_made_once_however_many_ask_at_once(store_url: str) -> None:
    stores = [open_store(store_url), open_beside(store_url)]
    await stores[0].run(lambda tx, _: add(tx, "Ann"), None)
    asked = [one.run(money.person_purse, 1) for _ in range(6) for one in stores]
    asked += [one.run(money.escrow_purse, 7) for _ in range(6) for one in stores]
    found = await asyncio.gather(*asked)
    assert len(set(found[:12])) == len(set(found[12:])) == 1
    rows = await stores[0].read(lambda tx, _: tx.purses_from(3, 9), None)
    assert sorted((row.kind, row.account, row.ref, row.balance) for row in rows) == [
        (PurseKind.ESCROW, None, 7, 0),
        (PurseKind.PERSON, 1, None, 0),
    ]
    for one in stores:
        await one.close()


async def test_a_claim_spends_what_was_granted_first(rich: SqlStore) -> None:
    def claim(tx: Tx, total: int) -> bool:
        legs = money.spend_on_claim(tx, 1, total)
        money.move(tx, TransferKind.CLAIM, {**legs, TREASURY: total}, "", 1, 3, NOW)
        return money.uses_grant(tx, 1, legs)

    await rich.run(money.grant, Grant(1, "192.0.2.7/32", 250, 3, NOW))
    assert await rich.read(money.balance, 1) == Balance(1_000, 250)
    assert await rich.run(claim, 200) is True
    assert await rich.read(money.balance, 1) == Balance(1_000, 50)
    assert await rich.run(claim, 150) is True
    assert await rich.read(money.balance, 1) == Balance(900, 0)
    assert await rich.run(claim, 900) is False
    with pytest.raises(Refusal, match=r"expected 0\.01 crown in the purse, got 0\.00"):
        await rich.run(claim, 1)
    assert (await reckon(rich)).differences == ()


async def test_what_was_granted_cannot_be_paid_to_others(rich: SqlStore) -> None:
    await rich.run(money.grant, Grant(2, "192.0.2.7/32", 250, 3, NOW))
    with pytest.raises(Refusal, match=r"expected 0\.01 crown in the purse, got 0\.00"):
        await rich.run(money.pay, pay(2, "Ann", 1))
    assert await rich.read(money.balance, 2) == Balance(0, 250)


async def test_an_address_gets_so_many_grants_in_a_day(store: SqlStore) -> None:
    await store.run(lambda tx, _: [add(tx, f"Newcomer {n}") for n in range(6)], None)

    async def given(account: int, network: str, hours: int = 0) -> bool:
        command = Grant(account, network, 250, 2, NOW + hours * DAY_MS // 24)
        return await store.run(money.grant, command) is not None

    home, other = "2001:db8::/64", "192.0.2.7/32"
    assert [await given(n, home) for n in (1, 1, 2, 3)] == [True, False, True, False]
    assert await given(3, other)
    assert not await given(4, home, hours=23)
    assert await given(4, home, hours=25)
    assert not await given(2, other, hours=99)
    found = [(await store.read(money.balance, account)).granted for account in range(1, 6)]
    assert found == [250, 250, 250, 250, 0]
    assert await store.run(tidying.tidy, NOW + DAY_MS) == 0
    assert await store.run(tidying.tidy, NOW + DAY_MS + 1) == 3


# ---- the proof


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE purse SET balance = balance + 1 WHERE id = 3", r"purse 3 \(person of account 1\): .* 7\.00 .*7\.01"),
        ("UPDATE pending SET amount = amount - 1 WHERE purse_id = 1", r"transfer 1, purse 1: expected to rest"),
        ("DELETE FROM pending WHERE purse_id = 1", r"purse 1 \(mint\): expected -10.00 crown by .*0.00"),
        ("UPDATE purse SET balance = 50 WHERE id = 2", r"purse 2 \(treasury\): expected 0.00 crown by .*0.50"),
    ],
)  # fmt: skip
async def test_a_balance_that_was_tampered_with_is_found_and_named(
    rich: SqlStore, store_url: str, statement: str, named: str
) -> None:
    await rich.run(money.pay, pay(1, "Bob", 300))
    assert (await reckon(rich)).differences == ()
    raw(store_url, statement)
    found = (await reckon(rich)).differences
    assert found
    assert any(re.match(named, difference) for difference in found)


async def test_postings_that_were_changed_past_all_guards_are_found(rich: SqlStore, store_url: str) -> None:
    await rich.run(money.pay, pay(1, "Bob", 300))
    if store_url.startswith("postgresql"):
        off, on = "ALTER TABLE posting DISABLE TRIGGER USER", "ALTER TABLE posting ENABLE TRIGGER USER"
    else:
        off, on = "DROP TRIGGER posting_no_update", "SELECT 1"
    raw(store_url, off, "UPDATE posting SET amount = 301 WHERE transfer_id = 2 AND purse_id = 4", on)
    found = (await reckon(rich)).differences
    assert found == (
        "transfer 2: expected two or more postings that sum to zero, got 2 that sum to 0.01 crown",
        "purse 4 (person of account 2): expected 3.01 crown by its postings, got 3.00",
    )
