"""The sealer on both engines: heads in a file, each once, and silence when the register has lost one."""

import json
import logging

import pytest

from land_owners import claimed, open_land, rich
from worldloom.app.sealer import HEAD_FILE, Sealer, read_head
from worldloom.errors import ConfigError
from worldloom.persistence.store import SqlStore
from worldloom.ports import Tx
from worldloom.services import register
from worldloom.services.register import Head

WORLD = "ab" * 16


def three_rows(tx: Tx, _: None) -> None:
    open_land(tx)
    ann = rich(tx, "Ann")
    for px in (0, 2, 4):
        claimed(tx, ann, px)


def one_more(tx: Tx, px: int) -> None:
    claimed(tx, 1, px, 5)


class Told:
    """A sealer, and the heads that it published."""

    def __init__(self, store: SqlStore, path):
        self.heads = []
        self.sealer = Sealer(
            store, path, WORLD, lambda head, at_ms: self.heads.append((head.number, at_ms)), lambda: 77
        )


async def test_heads_are_published_each_once_and_written_down(store: SqlStore, tmp_path) -> None:
    path = tmp_path / HEAD_FILE
    told = Told(store, path)
    await told.sealer.look()
    assert (told.heads, path.exists()) == ([], False)
    await store.run(three_rows, None)
    for _ in range(3):
        await told.sealer.look()
    assert told.heads == [(3, 77)]
    seal, _ = await store.read(register.state, None)
    assert read_head(path, WORLD) == Head(3, seal.hash)
    assert json.loads(path.read_text())["at_ms"] == 77
    await store.run(one_more, 0)
    await told.sealer.look()
    assert [number for number, _ in told.heads] == [3, 4]
    assert read_head(path).number == 4


async def test_of_two_hosts_one_seals_and_both_publish(store: SqlStore, tmp_path) -> None:
    one, other = Told(store, tmp_path / "one"), Told(store, tmp_path / "other")
    await store.run(three_rows, None)
    await one.sealer.look()
    await other.sealer.look()
    assert one.heads == other.heads == [(3, 77)]
    assert read_head(tmp_path / "one") == read_head(tmp_path / "other")


async def test_a_register_that_lost_a_published_head_is_published_no_more(
    store: SqlStore, tmp_path, caplog
) -> None:
    path = tmp_path / HEAD_FILE
    lost = json.dumps({"v": 1, "world_id": WORLD, "number": 9, "hash": "cd" * 32, "at_ms": 1})
    path.write_text(lost)
    await store.run(three_rows, None)
    told = Told(store, path)
    told.sealer._known = read_head(path, WORLD)
    for _ in range(2):
        await told.sealer.look()
    assert told.heads == []
    assert told.sealer.fault == "the register was cut off: it ends at seal 3, and seal 9 was published"
    assert path.read_text() == lost
    assert len([row for row in caplog.records if row.levelno == logging.ERROR]) == 1
    # All the same it is sealed.
    assert (await store.read(register.verify, None)).rows == 3


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"number":1}', '{"number":0,"hash":"' + "00" * 32 + '","world_id":"x"}',
     '{"number":1,"hash":"00","world_id":"x"}', '{"number":1,"hash":"zz","world_id":"x"}'],
)  # fmt: skip
def test_a_file_that_is_no_head_is_told_of(text, tmp_path) -> None:
    path = tmp_path / "head"
    path.write_text(text)
    with pytest.raises(ConfigError, match="expected the register's head, got something else"):
        read_head(path)


def test_the_head_of_another_world_is_told_of(tmp_path) -> None:
    path = tmp_path / "head"
    path.write_text(json.dumps({"number": 1, "hash": "00" * 32, "world_id": "x"}))
    with pytest.raises(ConfigError, match="another world's"):
        read_head(path, WORLD)
    assert read_head(path) == Head(1, bytes(32))
    assert read_head(tmp_path / "none") is None
