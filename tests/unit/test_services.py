"""Use cases as functions of a transaction, over a database in memory."""

import hashlib
from collections.abc import Iterator

import pytest

from sql_tx import sql_tx
from worldloom.errors import Refusal
from worldloom.persistence.queries import SqlTx
from worldloom.ports import AccountRow, PlaceRow, TileRow
from worldloom.realm.names import clean_name
from worldloom.services import accounts, places, terrain, worlds
from worldloom.services.standing import Ask, enter
from worldloom_sdk.protocol.messages import RefusalCode

ONE, TWO = bytes([1] * 32), bytes([2] * 32)


@pytest.fixture
def tx() -> Iterator[SqlTx]:
    with sql_tx() as opened:
        yield opened


def people(tx: SqlTx) -> list[str]:
    return [row.name for row in tx.accounts_named("", "", 100)]


def register(tx: SqlTx, name: str, token: bytes = ONE) -> AccountRow:
    return accounts.register(tx, accounts.Register(name, token, 5))


def test_a_world_is_made_once_and_keeps_its_name_and_seed(tx: SqlTx) -> None:
    first = worlds.open_world(tx, worlds.OpenWorld("Hills", 42, 7))
    assert (first.name, first.seed, first.created_ms) == ("Hills", 42, 7)
    assert len(bytes.fromhex(first.world_id)) == 16
    assert worlds.open_world(tx, worlds.OpenWorld("Other", 43, 8)) == first


def test_a_world_without_a_seed_gets_one(tx: SqlTx) -> None:
    assert 0 <= worlds.open_world(tx, worlds.OpenWorld("Hills", -1, 7)).seed < 2**63


def test_a_seed_that_is_too_large_is_an_error(tx: SqlTx) -> None:
    with pytest.raises(ValueError, match="below"):
        worlds.open_world(tx, worlds.OpenWorld("Hills", 2**63, 7))


def test_tokens_are_long_random_and_stored_as_their_hash() -> None:
    first, second = accounts.new_token(), accounts.new_token()
    assert first != second
    assert len(first) == 43
    assert accounts.hash_token(first) == hashlib.sha256(first.encode()).digest()


def test_who_registers_comes_back_with_the_token(tx: SqlTx) -> None:
    registered = register(tx, " Alice ")
    assert registered == AccountRow(1, "Alice", None, created_ms=5)
    assert enter(tx, Ask(token_sha256=ONE)).account == registered


def test_an_unknown_token_is_refused(tx: SqlTx) -> None:
    with pytest.raises(Refusal) as refusal:
        enter(tx, Ask(token_sha256=TWO))
    assert refusal.value.code is RefusalCode.TOKEN


def test_registering_twice_with_one_token_is_registering_once(tx: SqlTx) -> None:
    assert register(tx, "Alice") == register(tx, "alice")
    assert people(tx) == ["Alice"]


def test_a_token_that_has_another_name_is_refused(tx: SqlTx) -> None:
    register(tx, "Alice")
    with pytest.raises(Refusal) as refusal:
        register(tx, "Bob")
    assert refusal.value.code is RefusalCode.TOKEN


@pytest.mark.parametrize(
    ("taken", "wanted"), [("Alice", "AIice"), ("Anna", "ΑΝΝΑ"), ("Nova", "Νονα"), ("Άννα", "ΆΝΝΑ")]
)
def test_a_name_that_looks_like_a_taken_one_is_refused(tx: SqlTx, taken: str, wanted: str) -> None:
    register(tx, taken)
    with pytest.raises(Refusal) as refusal:
        register(tx, wanted, TWO)
    assert refusal.value.code is RefusalCode.NAME_TAKEN
    assert people(tx) == [taken]


def test_what_is_no_name_is_refused_before_anything_is_asked(tx: SqlTx) -> None:
    with pytest.raises(Refusal) as refusal:
        register(tx, "admin")
    assert refusal.value.code is RefusalCode.NAME_INVALID


def test_a_name_is_free_until_somebody_has_it(tx: SqlTx) -> None:
    assert accounts.name_free(tx, clean_name("Alice").skeleton)
    register(tx, "Alice")
    assert not accounts.name_free(tx, clean_name("ALICE").skeleton)


def test_of_two_places_of_one_account_the_later_counts(tx: SqlTx) -> None:
    register(tx, "Alice")
    register(tx, "Bob", TWO)
    old, new, other = PlaceRow(1, 0, 0, 0, 0), PlaceRow(1, 5, 5, 5, 5), PlaceRow(2, 0, 0, 0, 0)
    places.save(tx, [old, other, new])
    assert [row.place for row in tx.accounts([1, 2])] == [new, other]


def test_the_first_stored_tile_of_a_region_stays(tx: SqlTx) -> None:
    first = TileRow(0, 0, hashlib.sha256(b"a").hexdigest(), "noise", b"a")
    second = TileRow(0, 0, hashlib.sha256(b"b").hexdigest(), "noise", b"b")
    assert terrain.store(tx, terrain.StoreTile(first, 1)) == first
    assert terrain.store(tx, terrain.StoreTile(second, 2)) == first
    assert terrain.load(tx, (0, 0)) == first
    assert terrain.content(tx, first.sha256) == ("application/vnd.worldloom.tile", b"a")


def test_a_tile_under_a_hash_that_is_not_its_own_is_an_error(tx: SqlTx) -> None:
    with pytest.raises(ValueError, match="expected a tile named by its hash"):
        terrain.store(tx, terrain.StoreTile(TileRow(0, 0, "0" * 64, "noise", b"a"), 1))
    assert terrain.load(tx, (0, 0)) is None
