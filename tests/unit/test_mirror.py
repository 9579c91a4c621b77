import itertools
import random
from itertools import count

import numpy as np
import pytest

from sim_world import Meadow
from worldloom.replication.feed import Join, MoveBatch, Part, Resync, SetLayer, ShardFrame
from worldloom.replication.mirror import Mirror
from worldloom.shard.simulation import Shard
from worldloom_sdk.protocol.words import enter_key, unpack_words

BATCHES = count(1)


class Source:
    """A shard whose frames and snapshots a mirror takes."""

    def __init__(self, start: int = 1_000) -> None:
        self.mirror = Mirror()
        self.sent: list = []
        self.shard = Shard(Meadow(), 12 * 64, 20 * 16, self.sent.append, lambda rx, rz, away: None)
        self.tick, self.number = start, 1
        self.seq = 0

    def next(self, *controls, moves=()) -> ShardFrame:
        """A tick with controls and moves of (avatar, x, z)."""
        self.tick += 1
        self.seq += 1
        columns = np.array([(self.seq, x, z, -32_768, 0, 1) for _, x, z in moves], np.int64).reshape(-1, 6).T
        avatars = np.array([avatar for avatar, _, _ in moves], np.int64)
        self.shard.receive(MoveBatch(1, 1, next(BATCHES), avatars, columns, self.number, controls))
        self.number += len(controls)
        return self.shard.tick(self.tick)

    def truth(self) -> dict:
        cells, entries = self.shard.cells.everything()
        state: dict = {}
        for cell, entry in zip(cells.tolist(), entries.tolist(), strict=True):
            state.setdefault(tuple(cell), []).append(tuple(entry))
        return {cell: sorted(entries, key=lambda e: e[0] & 0xFFF) for cell, entries in state.items()}


def shown(mirror: Mirror) -> dict:
    rows = {key: mirror.find(key) for key in mirror.keys if key is not None}
    entries = {key: [tuple(e) for e in mirror.entries(row).tolist()] for key, row in rows.items()}
    return {key: mine for key, mine in entries.items() if mine}


def check_bookkeeping(mirror: Mirror, held: int = 0) -> None:
    """Rows, population, places and ids say the same."""
    rows = [row for row, key in enumerate(mirror.keys) if key is not None]
    assert len(mirror) == len(rows)
    assert sum(mirror.population[row] == 0 for row in rows) <= held
    for row in rows:
        key = mirror.keys[row]
        assert mirror.find(key) == row
        assert (mirror.cx[row], mirror.cz[row]) == key[:2]
        assert len(mirror.entries(row)) == mirror.population[row]
        for entry in mirror.entries(row)[:, 0].tolist():
            assert mirror.where[entry >> 12] == (row, entry & 0xFFF)
            assert mirror.place(entry >> 12) == mirror.base[row] + (entry & 0xFFF)
    assert len(mirror.where) == mirror.population[rows].sum()
    assert (mirror.ids != 0).sum() == len(mirror.where)
    spans = sorted((int(mirror.base[row]), int(mirror.base[row] + mirror.size[row])) for row in rows)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


@pytest.mark.parametrize("seed", range(4))
def test_the_mirror_is_the_shards_state_after_every_frame(seed):
    source, rng = Source(), random.Random(seed)
    here: list[int] = []
    for tick in range(120):
        coming = [1_000 * tick + n + 1 for n in range(rng.choice((0, 0, 2, 30)))]
        joins = [Join(a, rng.randrange(-4_000, 4_000), rng.randrange(-4_000, 4_000), 0) for a in coming]
        going = rng.sample(here, rng.randrange(len(here) // 6 + 1))
        here = [a for a in here if a not in going]
        layers = [SetLayer(a, rng.randrange(3)) for a in rng.sample(here, len(here) // 20)]
        t = source.shard.avatars
        moves = [
            (a, int(t.x[t.row(a)]) + rng.randrange(-700, 700), int(t.z[t.row(a)]) + rng.randrange(-38, 38))
            for a in here
        ]
        source.mirror.apply(source.next(*map(Part, going), *joins, *layers, moves=moves))
        here += coming
        assert shown(source.mirror) == source.truth()
    check_bookkeeping(source.mirror)


def test_rows_and_pool_places_lie_beside_the_words_of_a_frame():
    source = Source()
    source.mirror.apply(source.next(Join(5, 100, 100, 0), Join(6, 3_000, 100, 0), Join(7, 3_100, 100, 0)))
    new = source.mirror.apply(source.next(moves=[(7, 3_110, 100), (5, 110, 100)]))
    near, far = source.mirror.find((0, 0, 0)), source.mirror.find((1, 0, 0))
    assert sorted(
        zip(new.rows.tolist(), (new.bounds[:, -1] - new.bounds[:, 0]).tolist(), strict=True)
    ) == sorted([(near, 1), (far, 1)])
    assert sorted(new.places.tolist()) == sorted([source.mirror.place(5), source.mirror.place(7)])
    assert new.tick == source.tick
    assert source.mirror.changed[source.mirror.place(5)] == source.tick
    assert source.mirror.changed[source.mirror.place(6)] == source.tick - 1


def test_leaves_and_enters_carry_their_rows_and_places():
    source = Source()
    source.mirror.apply(source.next(Join(5, 1_900, 100, 0), Join(6, 1_900, 100, 0), Join(8, 2_100, 0, 0)))
    before = source.mirror.place(6)
    new = source.mirror.apply(source.next(moves=[(6, 2_600, 100)]))
    assert (new.leave_rows.tolist(), new.leave_places.tolist()) == ([source.mirror.find((0, 0, 0))], [before])
    assert new.enter_rows.tolist() == [source.mirror.find((1, 0, 0))]
    assert new.enter_places.tolist() == [source.mirror.place(6)]


def test_a_body_is_where_its_last_word_says():
    source = Source()
    source.mirror.apply(source.next(Join(5, -77, 4_000, 9)))
    assert source.mirror.body(5) == (-77, 4_000, 80, 9)
    source.mirror.apply(source.next(moves=[(5, -100, 4_010)]))
    assert source.mirror.body(5) == (-100, 4_010, 80, 0)
    assert source.mirror.body(6) is None
    assert source.mirror.place(6) == 0


def test_words_since_a_tick_are_those_changed_then_or_later():
    source = Source()
    source.mirror.apply(source.next(Join(1, 0, 0, 0), Join(2, 0, 0, 0), Join(3, 0, 0, 0)))
    source.mirror.apply(source.next(moves=[(2, 10, 0)]))
    source.mirror.apply(source.next(moves=[(3, 20, 0)]))
    row = source.mirror.find((0, 0, 0))
    slots = [
        unpack_words(source.mirror.words_since(row, source.tick - back), 0, 0)[0].tolist()
        for back in range(4)
    ]
    assert slots == [[2], [1, 2], [0, 1, 2], [0, 1, 2]]


def test_a_row_lasts_while_somebody_is_in_it_or_it_is_held():
    mirror = Mirror()
    row = mirror.hold((3, 4, 0))
    assert mirror.hold((3, 4, 0)) == row
    mirror.let_go(row)
    assert mirror.find((3, 4, 0)) == row
    mirror.let_go(row)
    assert mirror.find((3, 4, 0)) == 0
    assert mirror.hold((5, 5, 1)) == row
    assert (mirror.keys[row], mirror.cx[row], mirror.cz[row]) == ((5, 5, 1), 5, 5)


def test_a_held_row_stays_when_the_last_body_leaves_it():
    source = Source()
    row = source.mirror.hold((0, 0, 0))
    source.mirror.apply(source.next(Join(1, 0, 0, 0)))
    assert source.mirror.find((0, 0, 0)) == row
    source.mirror.apply(source.next(Part(1)))
    assert (source.mirror.find((0, 0, 0)), source.mirror.population[row]) == (row, 0)
    source.mirror.let_go(row)
    assert source.mirror.find((0, 0, 0)) == 0


def test_a_cell_that_fills_up_keeps_its_bodies_while_its_block_moves():
    source = Source()
    for first in (1, 16, 60, 400):
        source.mirror.apply(source.next(*(Join(a, 0, 0, a % 256) for a in range(first, first * 4 + 20))))
        assert shown(source.mirror) == source.truth()
    check_bookkeeping(source.mirror)
    source.mirror.apply(source.next(moves=[(a, 5, 5) for a in range(1, 1_600)]))
    assert shown(source.mirror) == source.truth()


def test_a_block_given_up_in_a_frame_is_not_given_again_within_it():
    """Places of before and after a frame can be told apart: nobody else's words lie where a body was."""
    source = Source()
    source.mirror.apply(source.next(*(Join(a, 0, 0, 0) for a in range(1, 33))))
    source.mirror.apply(source.next(*(Join(a, 2_100, 0, 0) for a in range(101, 117))))
    was = {source.mirror.place(a) for a in range(1, 33)}
    # One cell needs more than 32 slots; in the same frame another needs 32.
    source.mirror.apply(source.next(Join(33, 0, 0, 0), Join(117, 2_100, 0, 0)))
    now = {source.mirror.place(a) for a in range(101, 118)}
    assert was & now == set()


def test_a_word_for_a_cell_that_nobody_is_in_changes_nothing():
    source = Source()
    source.mirror.apply(source.next(Join(1, 0, 0, 0)))
    nothing = np.empty((0, 3), np.int64)
    bounds = np.array([[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]])
    stray = ShardFrame(
        1, 1, 9, 2_000, np.array([[50, 50, 0]]), bounds, np.array([7], np.uint64),
        nothing, np.empty(0, np.uint64), nothing, np.empty((0, 2), np.uint64), np.empty((0, 7), np.int64),
    )  # fmt: skip
    new = source.mirror.apply(stray)
    assert new.rows.tolist() == [0]
    assert shown(source.mirror) == source.truth()
    assert len(source.mirror) == 1


def test_a_snapshot_replaces_everything():
    source = Source()
    source.mirror.apply(source.next(*(Join(a, 40 * a, 0, 0) for a in range(1, 90))))
    held = source.mirror.hold((0, 0, 0))
    source.next(*(Part(a) for a in range(1, 50)))
    source.shard.receive(Resync(1))
    source.next(*(Join(a, -50 * a, 9_000, 0) for a in range(200, 260)))
    source.mirror.replace(source.sent[-1])
    assert shown(source.mirror) == source.truth()
    assert source.mirror.find((0, 0, 0)) == held
    check_bookkeeping(source.mirror, held=1)
    source.mirror.apply(source.next(moves=[(a, -50 * a + 9, 9_000) for a in range(200, 260)]))
    assert shown(source.mirror) == source.truth()


def test_entries_are_as_clients_are_sent_them():
    source = Source()
    source.mirror.apply(source.next(Join(70, 0, 0, 0), Join(71, 0, 0, 0)))
    entries = source.mirror.entries(source.mirror.find((0, 0, 0)))
    assert entries.dtype == np.uint64
    assert entries[:, 0].tolist() == [enter_key(0, 70), enter_key(1, 71)]
