"""Migrations on both engines: up from nothing and from a populated database, down again, and nothing is left."""

import hashlib
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, create_engine, inspect, text

from databases import postgres_database
from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.persistence import rights_indexes  # noqa: F401  # so that metadata has them
from worldloom.persistence.migrate import alembic_config, downgrade, migrate
from worldloom.persistence.revisions import head_revision, known_revisions, migrations_folder
from worldloom.persistence.store import open_store
from worldloom.persistence.tables import metadata
from worldloom.ports import AccountRow, PlaceRow, TileRow, Tx
from worldloom.services import terrain

HILL = TileRow(3, -4, hashlib.sha256(b"hill").hexdigest(), "noise", b"hill")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'world.db'}"


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    yield made
    made.dispose()


def populate(tx: Tx, _: None) -> None:
    number = tx.insert_account("Ann", "ann", bytes(32), 5)
    assert number is not None
    tx.save_places([PlaceRow(number, 1, 2, 3, 4)])
    terrain.store(tx, terrain.StoreTile(HILL, 6))


def test_revisions_are_read_without_alembic_as_it_reads_them() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert known_revisions() == {script.revision for script in scripts.walk_revisions()}
    assert head_revision() == scripts.get_current_head()


def test_every_revision_goes_up_and_down_again(url: str, engine: Engine) -> None:
    revisions = [s.revision for s in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    migrate(url)
    for revision in [*revisions[1:], "base"]:
        downgrade(url, revision)
        migrate(url)
        downgrade(url, revision)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    migrate(url)


async def test_migrating_again_leaves_what_is_stored_as_it_is(url: str) -> None:
    migrate(url)
    store = open_store(url)
    await store.run(populate, None)
    await store.close()
    migrate(url)
    store = open_store(url)
    ann = await store.read(lambda tx, name: tx.account_by_skeleton(name), "ann")
    tile = await store.read(terrain.load, (3, -4))
    await store.close()
    assert ann == AccountRow(1, "Ann", PlaceRow(1, 1, 2, 3, 4), created_ms=5)
    assert tile == HILL


async def test_a_populated_database_goes_down_and_up(url: str) -> None:
    migrate(url)
    store = open_store(url)
    await store.run(populate, None)
    await store.close()
    downgrade(url, "base")
    migrate(url)
    store = open_store(url)
    assert await store.read(terrain.load, (3, -4)) is None
    await store.run(populate, None)
    await store.close()


def test_the_migrations_make_exactly_the_tables_that_the_program_expects(url: str, engine: Engine) -> None:
    migrate(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_constraint_has_the_name_that_the_program_knows(url: str, engine: Engine) -> None:
    migrate(url)
    inspector = inspect(engine)
    found = {name: {c["name"] for c in inspector.get_check_constraints(name)} for name in metadata.tables}
    expected = {
        name: {c.name for c in table.constraints if isinstance(c, CheckConstraint)}
        for name, table in metadata.tables.items()
    }
    assert found == expected
    # SQLite keeps no name of a primary key that counts up.
    tables = metadata.tables.items()
    named = {name for name, table in tables if not table.dialect_options["sqlite"]["autoincrement"]}
    assert {name: inspector.get_pk_constraint(name)["name"] for name in named} == {
        n: f"pk_{n}" for n in named
    }


def test_a_database_that_is_newer_than_the_program_is_refused(url: str, engine: Engine) -> None:
    migrate(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '20990101_future'"))
    for action in (migrate, open_store, lambda url: downgrade(url, "base")):
        with pytest.raises(WorldloomError, match=r"newer than this program: .*got 20990101_future") as error:
            action(url)
        assert not isinstance(error.value, StoreUnavailable)


def test_a_migration_that_fails_changes_nothing(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE tile (mine INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        migrate(url)
    assert set(inspect(engine).get_table_names()) <= {"tile"}


def test_hosts_that_start_together_bring_one_database_up_once(postgres: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as hosts:
        for _ in range(4):
            for started in [hosts.submit(migrate, postgres, tmp_path / "backups") for _ in range(3)]:
                started.result(30)
            downgrade(postgres, "base")
    # None of them found a world that was old.
    assert not (tmp_path / "backups").exists()


def test_the_folder_of_a_new_world_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'new' / 'world.db'}")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_the_migrations_lie_beside_the_sources() -> None:
    assert (migrations_folder() / "versions").is_dir()
