"""The register on both engines: seals without a gap; what is tampered with is found, the first bad row named."""

import asyncio
import itertools

import pytest

from land_owners import RULES, claimed, insisting, me, open_land, rich
from order_people import NOW
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.services import land, register
from worldloom.services.asking import Whom
from worldloom.services.register import Head


def ten_rows(tx: Tx, _: None) -> tuple[int, int]:
    """Ann and Bob, and ten rows of the register: claims, a split, a join, two gifts."""
    open_land(tx)
    ann, bob = rich(tx, "Ann"), rich(tx, "Bob")
    for px in range(0, 8, 2):
        claimed(tx, ann, px, 0)
    stays, new = land.split(tx, land.Split(me(ann), 1, [(1, 0)], NOW))
    land.join(tx, land.Join(me(ann), new.number, stays.number, RULES, NOW))
    land.give(tx, land.Give(me(ann), new.number, Whom(account=bob), RULES, NOW))
    land.give(tx, land.Give(me(ann), 2, Whom(account=bob), RULES, NOW))
    return ann, bob


async def sealed(store: SqlStore) -> None:
    while await store.run(register.seal_due, None):
        pass


async def tamper(store: SqlStore, *statements: str) -> None:
    """Change the database past everything that guards it."""

    def work(tx: Tx, _: None) -> None:
        run = tx.connection.exec_driver_sql  # type: ignore[attr-defined]
        is_sqlite = tx.connection.dialect.name == "sqlite"  # type: ignore[attr-defined]
        triggers = [
            (table, f"{table}_no_{verb}") for table in ("register", "seal") for verb in ("update", "delete")
        ]
        for table, trigger in triggers:
            run(f"DROP TRIGGER {trigger}" if is_sqlite else f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            run(statement)
        if not is_sqlite:
            for table in ("register", "seal"):
                run(f"ALTER TABLE {table} ENABLE TRIGGER ALL")

    if "sqlite" in str(store._writer._engine.url):  # type: ignore[attr-defined]
        # Foreign keys cannot be turned off inside a transaction: children go first.
        statements = tuple(sorted(statements, key=lambda one: "DELETE FROM register" in one))
    await store.run(work, None)


async def test_seals_have_no_gap_and_go_by_number_of_the_row(store: SqlStore) -> None:
    await store.run(ten_rows, None)
    assert await store.read(register.state, None) == (None, True)
    assert await store.run(register.seal_due, None) == 10
    assert await store.run(register.seal_due, None) == 0
    seals = await store.read(lambda tx, _: tx.seals_after(0, 99), None)
    assert [(seal.number, seal.register) for seal in seals] == [(n, n) for n in range(1, 11)]
    head = seals[-1]
    assert await store.read(register.state, None) == (head, False)
    proof = await store.read(register.verify, Head(head.number, head.hash))
    assert proof == register.Proof(10, 0, head)


async def test_many_who_seal_beside_many_who_claim_leave_no_gap(store: SqlStore) -> None:
    ann, bob = await store.run(ten_rows, None)
    places = itertools.cycle((ann, bob))

    async def claiming(pz: int) -> None:
        who = next(places)
        for px in range(-16, 0, 2):
            await insisting(store, lambda tx, px: claimed(tx, who, px, pz), px)

    async def sealing() -> None:
        for _ in range(12):
            await insisting(store, register.seal_due, None)

    await asyncio.gather(*(claiming(pz) for pz in range(6)), *(sealing() for _ in range(3)))
    await sealed(store)
    proof = await store.read(register.verify, None)
    assert (proof.rows, proof.waiting, proof.fault) == (58, 0, "")
    seals = await store.read(lambda tx, _: tx.seals_after(0, 999), None)
    assert [seal.number for seal in seals] == list(range(1, 59))
    assert len({seal.register for seal in seals}) == 58


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at_ms", "at_ms + 1"),
        ("kind", "'sale'"),
        ("estate_id", "77"),
        ("account_id", "2"),
        ("other_id", "NULL"),
        ("transfer_id", "99"),
        ("detail", "'{}'"),
    ],
)
async def test_any_value_that_is_altered_is_found_and_its_row_named(
    store: SqlStore, column: str, value: str
) -> None:
    await store.run(ten_rows, None)
    await sealed(store)
    # A gift has all of them; two rows are altered, the first is named.
    await tamper(
        store,
        f"UPDATE register SET {column} = {value}, detail = detail || ' ' WHERE id = 9"
        if column == "other_id"
        else f"UPDATE register SET {column} = {value} WHERE id IN (5, 9)",
    )
    proof = await store.read(register.verify, None)
    first = 9 if column == "other_id" else 5
    assert (proof.rows, proof.row) == (first - 1, first)
    assert proof.fault == f"row {first} of the register is not what was sealed as {first}"


async def test_what_is_cut_out_put_in_or_moved_is_found(store: SqlStore) -> None:
    await store.run(ten_rows, None)
    await sealed(store)
    await tamper(store, "DELETE FROM seal WHERE number = 4")
    proof = await store.read(register.verify, None)
    assert (proof.rows, proof.row) == (3, 5)
    assert proof.fault == "seal 4 is missing: the next is seal 5"


async def test_a_row_that_nobody_sealed_is_found(store: SqlStore) -> None:
    await store.run(ten_rows, None)
    await sealed(store)
    await store.run(lambda tx, _: claimed(tx, 1, -5, -5), None)
    await tamper(store, "DELETE FROM unsealed")
    proof = await store.read(register.verify, None)
    assert (proof.rows, proof.row) == (10, 11)
    assert proof.fault == "row 11 of the register has no seal and does not wait for one"


async def test_what_was_cut_off_or_rewritten_shows_by_the_head_that_was_published(store: SqlStore) -> None:
    await store.run(ten_rows, None)
    await sealed(store)
    head, _ = await store.read(register.state, None)
    known = Head(head.number, head.hash)
    await tamper(
        store,
        "DELETE FROM seal WHERE number > 9",
        "DELETE FROM register WHERE id > 9",
        "UPDATE estate SET owner_id = 1 WHERE id = 2",
    )
    assert (await store.read(register.verify, None)).fault == ""
    proof = await store.read(register.verify, known)
    assert proof.fault == "the register was cut off: it ends at seal 9, and seal 10 was published"
    await store.run(lambda tx, _: claimed(tx, 1, -5, -5), None)
    await sealed(store)
    proof = await store.read(register.verify, known)
    assert proof.fault.startswith("the register was rewritten: seal 10 is ")
    assert known.hash.hex() in proof.fault


@pytest.mark.parametrize(
    ("statement", "told", "row"),
    [
        (
            "UPDATE estate SET owner_id = 1 WHERE id = 2",
            "estate 2 is account 1's, and account 2's by the register",
            10,
        ),
        (
            "UPDATE deed SET estate_id = 3 WHERE px = 7",
            "estate 3 has other parcels than by the register: (7, 0)",
            3,
        ),
        ("DELETE FROM deed WHERE px = 7", "estate 4 has other parcels than by the register: (7, 0)", 4),
        (
            "UPDATE estate SET parcels = 9 WHERE id = 4",
            "estate 4 has other parcels than by the register, counted as 9",
            4,
        ),
        (
            "INSERT INTO estate (id, owner_id, name, description, shape, parcels, locked_until_ms, created_ms)"
            " VALUES (90, 1, '', '', 1, 1, 0, 0)",
            "estate 90 is not in the register",
            None,
        ),
    ],
)
async def test_land_that_is_not_as_the_register_tells_is_found(
    store: SqlStore, statement: str, told: str, row: int | None
) -> None:
    await store.run(ten_rows, None)
    await sealed(store)
    await tamper(store, statement)
    proof = await store.read(register.verify, None)
    assert (proof.fault, proof.row) == (told, row)


async def test_an_estate_that_was_deleted_past_the_register_is_found(store: SqlStore) -> None:
    await store.run(ten_rows, None)
    await tamper(store, "DELETE FROM deed WHERE estate_id = 4", "DELETE FROM estate WHERE id = 4")
    proof = await store.read(register.verify, None)
    assert (proof.fault, proof.row, proof.waiting) == ("estate 4 is gone, and there by the register", 4, 10)


async def test_a_rewriter_who_seals_anew_is_found_by_what_cannot_have_happened(store: SqlStore) -> None:
    """Whoever has the whole database can chain anything; not so that land was given by who did not have it."""
    await store.run(ten_rows, None)
    await tamper(store, "UPDATE register SET other_id = 2 WHERE id = 9")
    await sealed(store)
    proof = await store.read(register.verify, None)
    assert (proof.rows, proof.row) == (8, 9)
    assert "row 9 of the register cannot be true: estate 5 is not account 2's to give" in proof.fault
