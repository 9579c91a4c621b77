"""What the store promises of its embedded database alone: one owner, group commits, nothing acknowledged lost."""

import asyncio
import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from worldloom.errors import ConfigError, StoreUnavailable, WorldloomError
from worldloom.persistence import writer
from worldloom.persistence.migrate import migrate
from worldloom.persistence.queries import SqlTx
from worldloom.persistence.store import SqlStore, open_store
from worldloom.ports import TileRow
from worldloom.services import terrain

KILLS = 5


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[SqlStore]:
    opened = open_store(sqlite_url)
    yield opened
    await opened.close()


def add(tx: SqlTx, name: str) -> int | None:
    return tx.insert_account(name, name, hashlib.sha256(name.encode()).digest(), 5)


def pragma(tx: SqlTx, name: str) -> object:
    return tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()


async def test_what_a_commit_promises_survives_a_loss_of_power(store: SqlStore) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
    written = [await store.run(pragma, name) for name in names]
    assert written == ["wal", 2, 1, 0]
    assert await store.run(pragma, "busy_timeout") == writer.TURN_MS


async def test_readers_may_not_write_and_fold_no_log(store: SqlStore) -> None:
    read = [await store.read(pragma, name) for name in ("journal_mode", "query_only", "wal_autocheckpoint")]
    assert read == ["wal", 1, 0]


async def test_the_database_and_its_log_are_for_the_owner_alone(store: SqlStore, tmp_path: Path) -> None:
    await store.run(add, "ann")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("world.db*")}
    assert modes == dict.fromkeys(["world.db", "world.db-wal", "world.db-shm", "world.db.lock"], 0o600)


async def test_a_second_server_on_one_database_is_refused_until_the_first_is_gone(
    sqlite_url: str, tmp_path: Path
) -> None:
    first = open_store(sqlite_url)
    with pytest.raises(WorldloomError, match=f"another server is using the world in {tmp_path}"):
        open_store(sqlite_url)
    with pytest.raises(WorldloomError, match="another server"):
        migrate(sqlite_url)
    await first.close()
    await open_store(sqlite_url).close()


async def test_what_waits_together_is_committed_together(store: SqlStore) -> None:
    entered, go = threading.Event(), threading.Event()

    def hold(_tx: SqlTx, _: None) -> None:
        entered.set()
        assert go.wait(10)

    first = asyncio.create_task(store.run(hold, None))
    assert await asyncio.to_thread(entered.wait, 10)
    rest = [asyncio.create_task(store.run(add, f"name {n}")) for n in range(writer.BATCH_LIMIT * 2)]
    await asyncio.sleep(0)
    assert store.stats().queued == len(rest)
    go.set()
    await asyncio.gather(first, *rest)
    assert store.stats().batches == 3


async def test_when_the_common_commit_fails_all_of_the_group_are_told_that_the_outcome_is_unknown(
    store: SqlStore,
) -> None:
    tile = TileRow(0, 0, hashlib.sha256(b"hill").hexdigest(), "noise", b"hill")
    await store.run(terrain.store, terrain.StoreTile(tile, 1))
    entered, go = threading.Event(), threading.Event()

    def break_the_commit(tx: SqlTx, _: None) -> None:
        entered.set()
        assert go.wait(10)
        tx.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        tx.connection.execute(text("DELETE FROM content"))

    def hold(_tx: SqlTx, _: None) -> None:
        entered.set()
        assert go.wait(10)

    first = asyncio.create_task(store.run(hold, None))
    assert await asyncio.to_thread(entered.wait, 10)
    group = [
        asyncio.create_task(store.run(add, "ann")),
        asyncio.create_task(store.run(break_the_commit, None)),
        asyncio.create_task(store.run(add, "bob")),
    ]
    await asyncio.sleep(0)
    go.set()
    await first
    outcomes = await asyncio.gather(*group, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert "FOREIGN KEY" in store.stats().last_error
    assert await store.read(terrain.load, (0, 0)) == tile
    assert await store.run(add, "ann") is not None


async def test_a_full_disk_refuses_writes_and_they_work_again_when_there_is_room(store: SqlStore) -> None:
    pages = await store.run(pragma, "page_count")
    await store.run(pragma, f"max_page_count={pages}")
    big = os.urandom(50_000)
    tile = TileRow(0, 0, hashlib.sha256(big).hexdigest(), "noise", big)
    with pytest.raises(StoreUnavailable, match="full"):
        await store.run(terrain.store, terrain.StoreTile(tile, 1))
    assert await store.read(terrain.load, (0, 0)) is None
    await store.run(pragma, "max_page_count=1000000")
    assert await store.run(terrain.store, terrain.StoreTile(tile, 1)) == tile


async def test_the_log_is_folded_into_the_database_when_it_has_grown(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHECKPOINT_BYTES", 100_000)
    store = open_store(sqlite_url)
    for number in range(10):
        data = os.urandom(50_000)
        tile = TileRow(number, 0, hashlib.sha256(data).hexdigest(), "noise", data)
        await store.run(terrain.store, terrain.StoreTile(tile, 1))
    assert (tmp_path / "world.db-wal").stat().st_size < 300_000
    assert (tmp_path / "world.db").stat().st_size > 300_000
    await store.close()
    assert not (tmp_path / "world.db-wal").exists()


def test_a_database_that_was_not_migrated_is_refused_and_left_free(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'world.db'}"
    with pytest.raises(WorldloomError, match=r"expected revision \w+, got None"):
        open_store(url)
    migrate(url)


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "world.db").write_bytes(b"not a database at all, " * 100)
    url = f"sqlite:///{tmp_path / 'world.db'}"
    for opening in (migrate, open_store):
        with pytest.raises(
            WorldloomError, match=r"world\.db: expected the database of a world; got: file is not"
        ):
            opening(url)
    assert (tmp_path / "world.db").read_bytes().startswith(b"not a database")


def test_a_file_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/world\.db: expected a file that can be made"):
        migrate(f"sqlite:///{tmp_path / 'file' / 'world.db'}")


async def test_damage_found_while_running_is_an_unknown_outcome_and_no_fault_of_the_use_case(
    sqlite_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "world.db"
    with sqlite3.connect(path) as connection:
        page_bytes = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    store = open_store(sqlite_url)
    whole = path.read_bytes()
    path.write_bytes(whole[: 2 * page_bytes] + b"\xa5" * (len(whole) - 2 * page_bytes))
    with pytest.raises(StoreUnavailable, match="malformed"):
        await store.run(terrain.content, "ab" * 32)
    await store.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "mysql://root:secret@host/db", "no url", ""]
)
def test_a_url_of_another_kind_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="expected sqlite:///PATH") as error:
        open_store(url)
    assert "secret" not in str(error.value)


WRITER = """
import asyncio, hashlib, sys
from worldloom.persistence.store import open_store

def add(tx, name):
    return tx.insert_account(name, name, hashlib.sha256(name.encode()).digest(), 5)

async def write(store, life, number):
    for turn in range(100_000):
        name = f"{life} {number} {turn}"
        assert await store.run(add, name) is not None
        print(name, flush=True)

async def main(url, life):
    store = open_store(url)
    await asyncio.gather(*(write(store, life, number) for number in range(8)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    sqlite_url: str, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    for life in range(KILLS):
        acknowledged += await asyncio.to_thread(kill_while_writing, sqlite_url, str(life), 300 + 37 * life)
    with sqlite3.connect(tmp_path / "world.db") as connection:
        stored = {name for (name,) in connection.execute("SELECT name FROM account")}
        tokens = connection.execute("SELECT count(*) FROM token").fetchone()[0]
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    assert len(acknowledged) > 300 * KILLS
    assert set(acknowledged) <= stored
    assert tokens == len(stored)
    assert verdict == "ok"
    await open_store(sqlite_url).close()


def kill_while_writing(url: str, life: str, after: int) -> list[str]:
    """The names that a process said were stored, until it was killed."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, life], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    # The last line may have been cut short by the kill.
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]
