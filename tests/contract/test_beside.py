"""Commands beside a running server: both write to one database, and neither fails."""

import asyncio
import os
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from order_people import NOW, add, named
from worldloom.errors import ConfigError, StoreBusy, WorldloomError
from worldloom.persistence import writer
from worldloom.persistence.migrate import migrate
from worldloom.persistence.store import open_beside, open_store
from worldloom.ports import Tx
from worldloom.services import order, people
from worldloom.services.asking import OPERATOR

BANS = 30

SERVER = """
import asyncio, sys
from worldloom.persistence.store import open_store
from worldloom.ports import PlaceRow
from worldloom.services import people, places

async def main(url):
    store = open_store(url)
    print("open", flush=True)
    written = seen = 0
    while seen < int(sys.argv[2]):
        await asyncio.gather(*(store.run(places.save, [PlaceRow(1, written, 0, 0, 0)]) for _ in range(20)))
        seen += len(await store.read(people.audit_after, people.AuditAfter(seen)))
        written += 20
    await store.close()
    print("seen", seen, flush=True)

asyncio.run(main(sys.argv[1]))
"""


def populate(tx: Tx, _: None) -> int:
    return add(tx, "Bob")


async def migrated(url: str) -> None:
    store = open_store(url)
    await store.run(populate, None)
    await store.close()


@pytest.mark.slow
async def test_a_second_process_bans_while_the_server_writes_and_both_succeed(store_url: str) -> None:
    """The server writes without a pause until it has seen every ban in the log."""
    await migrated(store_url)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = ["-c", SERVER, store_url, str(BANS)]
    server = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert server.stdout is not None
    assert await server.stdout.readline() == b"open\n"
    beside = open_beside(store_url)
    for turn in range(BANS):
        await beside.run(order.ban, order.Sanctioned(OPERATOR, named("bob"), NOW + turn, str(turn)))
    stats = beside.stats()
    await beside.close()
    assert await server.stdout.readline() == f"seen {BANS}\n".encode()
    assert await server.wait() == 0
    assert (stats.commits, stats.busy, stats.last_error) == (BANS, 0, "")


async def test_commands_work_without_a_server_too(store_url: str) -> None:
    await migrated(store_url)
    beside = open_beside(store_url)
    await beside.run(order.kick, order.Act(OPERATOR, named("Bob"), NOW))
    found = await beside.read(people.list_people, people.ListPeople(OPERATOR))
    await beside.close()
    assert [one.account.name for one in found] == ["Bob"]


async def test_who_works_beside_a_server_leaves_lock_and_log_alone(sqlite_url: str, tmp_path: Path) -> None:
    await migrated(sqlite_url)
    server = open_store(sqlite_url)
    beside = open_beside(sqlite_url)
    await beside.run(order.kick, order.Act(OPERATOR, named("Bob"), NOW))
    await beside.close()
    assert (tmp_path / "world.db-wal").stat().st_size > 0
    with pytest.raises(WorldloomError, match="another server"):
        open_store(sqlite_url)
    assert [row.about for row in await server.read(people.audit_after, people.AuditAfter(0))] == ["Bob"]
    await server.close()


def test_a_world_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError,
        match=r"world\.db: expected the database of a world; got none.* with --config \(or --data\)",
    ):
        open_beside(f"sqlite:///{tmp_path / 'world.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_not_up_to_date_is_refused(tmp_path: Path) -> None:
    (tmp_path / "world.db").touch()
    url = f"sqlite:///{tmp_path / 'world.db'}"
    with pytest.raises(WorldloomError, match=r"expected revision \w+, got"):
        open_beside(url)
    migrate(url)


class Holder:
    """Another process's write, as long as it is wanted."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("BEGIN IMMEDIATE")

    def let_go(self) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.close()


def impatient(tx, _: None) -> None:
    tx.connection.exec_driver_sql("PRAGMA busy_timeout=20")


async def test_the_server_waits_for_another_process_and_loses_no_write(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BEGIN_ATTEMPTS", 1_000)
    await migrated(sqlite_url)
    server = open_store(sqlite_url)
    await server.run(impatient, None)
    holder = Holder(tmp_path / "world.db")
    tasks = [asyncio.create_task(server.run(add, f"Eve {letter}")) for letter in "ABCDEFGH"]
    waited = threading.Event()
    while not server.stats().retries:
        await asyncio.to_thread(waited.wait, 0.01)
    holder.let_go()
    assert None not in await asyncio.gather(*tasks)
    stats = server.stats()
    await server.close()
    assert stats.retries > 0
    assert stats.last_error == ""


async def test_when_another_process_does_not_let_go_nothing_was_done_and_the_writers_are_told(
    sqlite_url: str, tmp_path: Path
) -> None:
    await migrated(sqlite_url)
    server = open_store(sqlite_url)
    await server.run(impatient, None)
    holder = Holder(tmp_path / "world.db")
    outcomes = await asyncio.gather(
        *(server.run(add, f"Eve {letter}") for letter in "ABC"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [StoreBusy] * 3
    assert all("nothing was done" in str(outcome) for outcome in outcomes)
    holder.let_go()
    assert await server.run(add, "Eve A") is not None
    await server.close()
