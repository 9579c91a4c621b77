"""A database that cannot be written: health says so from the first write that failed until one succeeds again."""

import asyncio
import json
import resource
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from live_server import Player, live_world, served
from worldloom.gateway import entrance
from worldloom.persistence import outage, writer
from worldloom.ports import Tx
from worldloom_sdk.protocol import messages as m

pytestmark = pytest.mark.slow


def _asked(port: int) -> dict[str, object]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            body = answer.read()
    except urllib.error.HTTPError as unwell:
        with unwell:
            body = unwell.read()
    told: dict[str, object] = json.loads(body)
    return told


async def told_of(port: int, problems: list[str]) -> None:
    """Wait until health says exactly that."""
    async with asyncio.timeout(10):
        while (await asyncio.to_thread(_asked, port))["problems"] != problems:  # noqa: ASYNC110 - only asking tells
            await asyncio.sleep(0.05)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program's lock on a database."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def impatient(tx: Tx, _: None) -> None:
    tx.connection.exec_driver_sql("PRAGMA busy_timeout=20")  # type: ignore[attr-defined]


LOCKED = "the database cannot be written: another program holds its lock"


async def test_a_held_lock_is_told_and_newcomers_are_asked_to_come_again_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BEGIN_ATTEMPTS", 1_000_000)
    monkeypatch.setattr(entrance, "STORE_S", 0.2)
    monkeypatch.setattr(outage._log, "disabled", True)
    async with live_world(tmp_path / "world") as live:
        await (await live.join("Ada")).drop()
        await live.world.store.run(impatient, None)
        await told_of(live.port, [])
        with held(tmp_path / "world" / "world.db"):
            newcomer = await live.dial()
            newcomer.send(m.Hello(1, "test", "Bob", keep=True))
            refused = await refusal(newcomer)
            await told_of(live.port, [LOCKED])
        await told_of(live.port, [])
        # Whoever was refused has taken no name.
        await (await live.dial()).hello("Bob", keep=True)
    assert (refused.code, refused.text) == (
        m.RefusalCode.UNAVAILABLE,
        "the database cannot be asked just now",
    )


async def refusal(player: Player) -> m.Refused:
    await player.until(lambda: player.all_of(m.Refused))
    found: m.Refused = player.all_of(m.Refused)[0]
    return found


async def test_a_disk_that_takes_no_more_is_told_until_it_does(tmp_path: Path) -> None:
    async with served(tmp_path / "world") as world:
        await world.join("Eve")
        log = tmp_path / "world" / "world.db-wal"
        before = resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
        late = await Player.dial(world.port)
        late.send(m.Hello(1, "test", "Ada", keep=True))
        assert (await refusal(late)).text == "the database cannot be asked just now"
        health = await asyncio.to_thread(_asked, world.port)
        assert (health["ok"], health["problems"]) == (
            False,
            ["the database cannot be written: its disk fails"],
        )
        resource.prlimit(world.process.pid, resource.RLIMIT_FSIZE, before)
        await told_of(world.port, [])
        await world.join("Ada", keep=True)
        lines = world.log.read_text()
    assert lines.count("the database cannot be written") == 1
    assert lines.count("the database can be written again") == 1


async def test_a_world_that_lost_its_secrets_is_loudly_told(tmp_path: Path) -> None:
    async with live_world(tmp_path / "world") as live:
        assert not any("secrets" in text for text in live.warnings)
    (tmp_path / "world" / "secrets.toml").unlink()
    async with live_world(tmp_path / "world") as again:
        assert again.world.row.name
    assert any("Reports sealed before cannot be checked" in text for text in again.warnings)
