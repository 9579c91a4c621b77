"""Kept safe: a world backed up while it lives and restored, moved between engines, saved before migrations."""

import asyncio
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from databases import postgres_database, psql
from live_server import Player, Served, served
from populated import ERASED, environment, everything, fill, next_account, populate
from raw_ws import eventually
from worldloom.app.secrets import open_secrets
from worldloom.cli.main import main
from worldloom.errors import StoreUnavailable, WorldloomError
from worldloom.persistence.archive import ArchiveError
from worldloom.persistence.archive_read import open_archive
from worldloom.persistence.dump import dump
from worldloom.persistence.load import load
from worldloom.persistence.migrate import alembic_config, downgrade, migrate
from worldloom.persistence.revisions import head_revision
from worldloom.persistence.store import open_store
from worldloom.services import money
from worldloom.services.asking import Whom
from worldloom.services.reckoning import Reckoning, verify

pytestmark = pytest.mark.slow

REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
"""The newest first."""
LOST_S = 1.0
"""What a backup may miss of what was written before it began; of what people were told, nothing."""


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture
def other_postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'world' / 'world.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    found: str = request.getfixturevalue(request.param)
    return found


def export(url: str, path: Path) -> Path:
    dump(url, lambda about: path, {})
    return path


def take_in(url: str, path: Path) -> None:
    with open_archive(path) as archive:
        load(url, archive)


# ---- the drill


@dataclass
class Settled:
    """Somebody who was told to be in the world."""

    name: str
    token: str
    avatar: int


async def settle(world: Served, settled: list[Settled], enough: asyncio.Event) -> None:
    """Let people come, one after the other, while one walks into land that has to be made."""
    walker = await world.join("Walker")
    x = float(walker.welcome.x / 64)
    while not enough.is_set():
        name = f"Settler {len(settled)}"
        player = await Player.dial(world.port)
        welcome = await player.hello(name, keep=True)
        settled.append(Settled(name, welcome.token or "", welcome.you))
        await player.leave()
        x += 2
        walker.move(x, walker.welcome.z / 64)


async def command(*words: str) -> str:
    """What a command prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "worldloom", *words, env=environment(), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_a_world_backed_up_while_it_lives_is_served_again_from_an_empty_folder(tmp_path: Path) -> None:
    data, new, file = tmp_path / "data", tmp_path / "new", tmp_path / "kept.worldloom"
    settled: list[Settled] = []
    enough = asyncio.Event()
    async with served(data, limits={"accounts_per_hour": 100_000}) as world:
        coming = asyncio.create_task(settle(world, settled, enough))
        await eventually(lambda: len(settled) >= 20)
        began_s, before = time.time(), len(settled)
        await command("backup", "--data", str(data), "-o", str(file))
        assert len(settled) > before, "expected people to come while the backup was made"
        grown = len(settled) + 20
        await eventually(lambda: len(settled) >= grown)
        enough.set()
        await coming
        world.kill()
    assert "tiles" in await command("backup", "--check", str(file))
    await command("restore", str(file), "--data", str(new))
    source, copy = everything(f"sqlite:///{data / 'world.db'}"), everything(f"sqlite:///{new / 'world.db'}")
    check_no_more_than_a_second_is_missing(source, copy, began_s)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    async with served(new) as world:
        for one in settled[:before]:
            player = await Player.dial(world.port)
            welcome = await player.hello(token=one.token)
            assert welcome.you == one.avatar
            await player.leave()
    assert (new / "metrics.token").read_bytes() == (data / "metrics.token").read_bytes()


def check_no_more_than_a_second_is_missing(source: dict, copy: dict, began_s: float) -> None:
    """Every row of the copy that does not change is in the source; what the source has more of, came later."""
    assert copy["world"] == source["world"]
    for table, columns in (("content", None), ("tile", None), ("token", 5)):
        # When a token was last used, its sixth column, changes.
        rows, copied = ({row[:columns] for row in of[table]} for of in (source, copy))
        missing = rows - copied
        assert copied <= rows
        times = [
            max(value for value in row if type(value) is int and value > 1e12) / 1_000 for row in missing
        ]
        assert min(times, default=began_s) >= began_s - LOST_S
    assert len(copy["tile"]) >= 9
    named = {row[:4] for row in source["account"]}
    assert {row[:4] for row in copy["account"]} <= named


# ---- from engine to engine


def test_a_world_moves_to_postgresql_and_back_row_by_row(
    tmp_path: Path, sqlite: str, postgres: str, other_postgres: str
) -> None:
    populate(sqlite, tiles=20, accounts=1_203, tile_bytes=400_000)
    truth = everything(sqlite)
    take_in(postgres, export(sqlite, tmp_path / "1"))
    assert everything(postgres) == truth
    take_in(other_postgres, export(postgres, tmp_path / "2"))
    assert everything(other_postgres) == truth
    back = f"sqlite:///{tmp_path / 'back' / 'world.db'}"
    take_in(back, export(other_postgres, tmp_path / "3"))
    found = everything(back)
    assert found == truth
    for url in (sqlite, postgres, other_postgres, back):
        assert next_account(url) == ERASED + 1


def test_a_backup_is_restored_into_postgresql_with_its_secrets(
    tmp_path: Path, sqlite: str, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(sqlite)
    secret = open_secrets(tmp_path / "world")
    file, new = str(tmp_path / "kept"), tmp_path / "new"
    assert main(["backup", "--data", str(tmp_path / "world"), "-o", file]) == 0
    monkeypatch.setenv("WORLDLOOM_STORAGE__URL", postgres)
    assert main(["restore", file, "--data", str(new)]) == 0
    assert everything(postgres) == everything(sqlite)
    assert open_secrets(new) == secret
    assert not (new / "world.db").exists()
    assert main(["backup", "--data", str(new)]) == 0
    assert len(list((new / "backups").iterdir())) == 1


def test_a_world_that_is_written_to_meanwhile_is_read_as_it_was_at_one_moment(
    url: str, tmp_path: Path
) -> None:
    populate(url)
    before = everything(url)
    engine = create_engine(url)

    def change(table: str, done: int, total: int) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE content SET made_ms = made_ms + 1"))
            connection.execute(text("DELETE FROM token"))

    dump(url, lambda about: tmp_path / "kept", {}, change)
    engine.dispose()
    copy = f"sqlite:///{tmp_path / 'copy' / 'world.db'}"
    take_in(copy, tmp_path / "kept")
    assert everything(copy)["token"] == before["token"]
    assert everything(copy)["content"] == before["content"]
    assert everything(url)["token"] == []


async def test_money_comes_through_whole_and_its_guards_stand_again(url: str, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path / 'source' / 'world.db'}"
    populate(source)
    take_in(url, export(source, tmp_path / "kept"))
    engine = create_engine(url)
    for statement, refusal in (
        ("UPDATE posting SET amount = 1", "appended to only"),
        ("INSERT INTO transfer (id, at_ms, kind, memo) VALUES (99, 5, 'pay', '')", "sum to zero"),
    ):
        with pytest.raises(Exception, match=refusal), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
    store = open_store(url)
    assert await store.read(verify, None) == Reckoning(3, 3, 900, ())
    paid = await store.run(money.issue, money.Issue(Whom(account=2), 5, "", 5))
    found = await store.read(verify, None)
    await store.close()
    assert (paid, found) == (4, Reckoning(4, 4, 905, ()))


def test_references_within_a_table_are_as_strict_as_before(
    postgres: str, sqlite: str, tmp_path: Path
) -> None:
    populate(sqlite)
    take_in(postgres, export(sqlite, tmp_path / "kept"))
    engine = create_engine(postgres)
    keys = inspect(engine).get_foreign_keys("account")
    engine.dispose()
    assert [(key["referred_table"], key["options"].get("deferrable")) for key in keys] == [("account", None)]


def test_of_two_who_load_into_one_postgresql_database_at_once_one_does_and_one_is_told_that_it_is_not_empty(
    postgres: str, sqlite: str, tmp_path: Path
) -> None:
    populate(sqlite)
    archive = export(sqlite, tmp_path / "kept")
    with ThreadPoolExecutor(2) as both:
        tried = [both.submit(take_in, postgres, archive) for _ in range(2)]
        (failed,) = [error for error in (one.exception(30) for one in tried) if error is not None]
    assert isinstance(failed, WorldloomError)
    assert "expected an empty database" in str(failed)
    assert everything(postgres) == everything(sqlite)


def test_a_postgresql_database_that_is_not_empty_is_left_as_it_is(
    postgres: str, sqlite: str, tmp_path: Path
) -> None:
    populate(sqlite)
    psql(postgres, "CREATE TABLE mine (a integer)")
    with pytest.raises(
        WorldloomError, match=r"expected an empty database in .*, got one with 1 tables \(mine"
    ):
        take_in(postgres, export(sqlite, tmp_path / "kept"))
    assert set(everything(postgres)) == {"mine"}


def test_a_damaged_archive_leaves_a_postgresql_database_empty(
    postgres: str, sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    populate(sqlite)
    file = export(sqlite, tmp_path / "kept")
    whole = file.read_bytes()
    at = whole.index(b"tables/token.msgpack") + 200
    file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    with pytest.raises(ArchiveError, match="token is damaged"):
        take_in(postgres, file)
    assert everything(postgres) == {}


def test_a_server_that_does_not_answer_is_told(tmp_path: Path, sqlite: str) -> None:
    nobody = "postgresql+psycopg://me:hunter2@127.0.0.1:9/world"
    with pytest.raises(StoreUnavailable, match="expected to read") as error:
        export(nobody, tmp_path / "kept")
    assert "hunter2" not in str(error.value)
    populate(sqlite)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        take_in(nobody, export(sqlite, tmp_path / "kept"))


# ---- killed in the midst of it

SLOW_LOAD = """
import sys, time
from pathlib import Path
from worldloom.persistence.archive_read import open_archive
from worldloom.persistence.load import load

def stop_at_the_last_table(table, done, total):
    if table == sys.argv[3]:
        print("in the midst of it", flush=True)
        time.sleep(60)

with open_archive(Path(sys.argv[2])) as archive:
    load(sys.argv[1], archive, stop_at_the_last_table)
"""


@pytest.mark.parametrize("table", ["world", "tile"])
def test_an_import_that_is_killed_leaves_nothing_and_can_be_done_again(
    url: str, table: str, tmp_path: Path
) -> None:
    source = f"sqlite:///{tmp_path / 'from' / 'world.db'}"
    populate(source)
    file = export(source, tmp_path / "kept")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_LOAD, url, str(file), table],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the midst of it\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "world" / "world.db").exists()
    take_in(url, file)
    assert everything(url)["tile"] == everything(source)["tile"]


# ---- before a migration


@pytest.mark.parametrize("revision", REVISIONS[1:])
def test_a_populated_world_of_an_older_revision_is_backed_up_before_it_is_migrated(
    url: str, revision: str, tmp_path: Path
) -> None:
    migrate(url)
    downgrade(url, revision)
    fill(url, 12, 9, 300)
    before = everything(url)
    folder = tmp_path / "world" / "backups"
    migrate(url, folder, {"secrets.toml": b"secret"})
    [kept] = folder.iterdir()
    assert kept.name.startswith(f"before-{head_revision()}.")
    assert (stat.S_IMODE(kept.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
    with open_archive(kept) as archive:
        archive.check()
        assert archive.manifest.about.revision == revision
        assert archive.file("secrets.toml") == b"secret"
        rows = {entry.name: sorted(archive.rows(entry), key=repr) for entry in archive.manifest.tables}
    assert rows == {name: before[name] for name in before.keys() - {"alembic_version"}}
    assert next_account(url) == ERASED + 1
    migrate(url, folder)
    assert list(folder.iterdir()) == [kept]
    copy = f"sqlite:///{tmp_path / 'copy' / 'world.db'}"
    take_in(copy, kept)
    migrated, restored = everything(url), everything(copy)
    assert restored == migrated
    assert next_account(copy) == ERASED + 1


def test_without_a_folder_a_sqlite_world_is_backed_up_beside_its_file(sqlite: str, tmp_path: Path) -> None:
    migrate(sqlite)
    downgrade(sqlite, REVISIONS[1])
    assert not (tmp_path / "world" / "backups").exists(), "expected no backup of a database without a world"
    fill(sqlite, 1, 2, 10)
    migrate(sqlite)
    assert len(list((tmp_path / "world" / "backups").glob("before-*.worldloom"))) == 1


def test_a_backup_that_fails_stops_the_migration(url: str, tmp_path: Path) -> None:
    migrate(url)
    downgrade(url, REVISIONS[1])
    fill(url, 1, 2, 10)
    before = everything(url)
    (tmp_path / "file").touch()
    with pytest.raises(
        WorldloomError, match=rf"was not migrated to {head_revision()}, nothing was changed: expected"
    ):
        migrate(url, tmp_path / "file" / "backups")
    assert everything(url) == before


def test_a_migration_that_fails_leaves_no_backup_behind(url: str, tmp_path: Path) -> None:
    migrate(url)
    new = sorted(everything(url).keys())
    downgrade(url, REVISIONS[-1])
    fill(url, 1, 2, 10)
    in_the_way = next(name for name in new if name not in everything(url))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {in_the_way} (mine INTEGER)"))
    engine.dispose()
    with pytest.raises(Exception, match="already exists"):
        migrate(url, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


async def test_an_older_world_is_backed_up_with_its_secrets_when_it_is_served(tmp_path: Path) -> None:
    data = tmp_path / "data"
    url = f"sqlite:///{data / 'world.db'}"
    migrate(url)
    downgrade(url, REVISIONS[1])
    fill(url, 1, 2, 10)
    async with served(data) as world:
        log = world.log.read_text()
    [kept] = (data / "backups").iterdir()
    assert "backed up before migrating" in log
    assert kept.name in log
    with open_archive(kept) as archive:
        assert archive.file("secrets.toml") == (data / "secrets.toml").read_bytes()
