"""The register of a world that is served: sealed and published by itself, and proved beside the server."""

import asyncio
import json
import time

import pytest

from brokers import listening, public_broker
from land_owners import claimed, open_land, rich
from live_server import served
from raw_ws import eventually
from worldloom.app.sealer import HEAD_FILE, read_head
from worldloom.cli.main import main
from worldloom.persistence.store import open_beside
from worldloom.ports import Tx

pytestmark = pytest.mark.slow


def two_claims(tx: Tx, _: None) -> None:
    open_land(tx)
    ann = rich(tx, "Ann")
    claimed(tx, ann, 0)
    claimed(tx, ann, 2)


async def test_what_is_claimed_is_sealed_published_and_proved_while_the_world_runs(tmp_path, capsys):
    data = tmp_path / "data"
    host, port = public_broker()
    topic = f"test/{tmp_path.name}"
    mqtt = {"enabled": True, "host": host, "port": port, "world_topic": topic}
    async with listening(host, port, f"{topic}/+/register") as ear, served(data, mqtt=mqtt):
        store = open_beside(f"sqlite:///{data / 'world.db'}")
        await store.run(two_claims, None)
        began = time.monotonic()
        await eventually(lambda: (data / HEAD_FILE).exists())
        took_s = time.monotonic() - began
        head = read_head(data / HEAD_FILE)
        assert head.number == 2
        _, told = await ear.next()
        assert (told["number"], told["hash"]) == (2, head.hash.hex())
        await store.close()
        assert await asyncio.to_thread(main, ["land", "--data", str(data), "verify"]) == 0
    assert "seal 2, published before, is there" in capsys.readouterr().out
    assert took_s < 10, "expected a seal within a second, and some for a machine that is busy"


async def test_a_world_whose_register_lost_its_head_says_so_and_publishes_nothing(tmp_path):
    data = tmp_path / "data"
    async with served(data) as world:
        store = open_beside(f"sqlite:///{data / 'world.db'}")
        await store.run(two_claims, None)
        await eventually(lambda: (data / HEAD_FILE).exists())
        await store.close()
        world.interrupt()
        await world.ended()
    told = json.loads((data / HEAD_FILE).read_text())
    lost = json.dumps({**told, "number": 9})
    (data / HEAD_FILE).write_text(lost)
    async with served(data) as world:
        await eventually(lambda: "the register was cut off" in world.log.read_text())
        assert (data / HEAD_FILE).read_text() == lost
