"""What an account looks like and whether it can be found, kept on both engines."""

import pytest
from sqlalchemy.exc import SQLAlchemyError

from worldloom.errors import Refusal
from worldloom.persistence.store import SqlStore
from worldloom.services.looks import SetFindable, SetLook, set_findable, set_look
from worldloom_sdk.protocol.looks import Look

LOOK = Look(2, 1, 4, 18, 3).to_bytes()


async def ann(store: SqlStore) -> int:
    number = await store.run(lambda tx, name: tx.insert_account(name, "ann", bytes(32), 5), "Ann")
    assert number is not None
    return number


async def kept(store: SqlStore, number: int) -> tuple[bytes | None, bool]:
    (row,) = await store.read(lambda tx, numbers: tx.accounts(numbers), [number])
    by_token = await store.read(lambda tx, token: tx.account_by_token(token), bytes(32))
    assert by_token == row
    return row.look, row.findable


async def test_at_first_it_has_no_look_of_its_own_and_can_be_found(store: SqlStore) -> None:
    assert await kept(store, await ann(store)) == (None, True)


async def test_a_look_and_a_wish_are_kept_until_they_are_taken_back(store: SqlStore) -> None:
    number = await ann(store)
    await store.run(set_look, SetLook(number, LOOK))
    await store.run(set_findable, SetFindable(number, False))
    assert await kept(store, number) == (LOOK, False)
    await store.run(set_look, SetLook(number, b""))
    await store.run(set_findable, SetFindable(number, True))
    assert await kept(store, number) == (None, True)


async def test_what_is_no_look_is_refused_and_changes_nothing(store: SqlStore) -> None:
    number = await ann(store)
    with pytest.raises(Refusal, match="expected a body from 0 to 7, got 8"):
        await store.run(set_look, SetLook(number, bytes((8, 0, 0, 0, 0))))
    with pytest.raises(SQLAlchemyError, match="look_length"):
        await store.run(lambda tx, look: tx.set_look(number, look), b"1234")
    assert await kept(store, number) == (None, True)
