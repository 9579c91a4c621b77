import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.replication.feed import SECTIONS
from worldloom.replication.runs import END, RATES, START, class_of, encode_runs, patch_of
from worldloom.world.avatars import AvatarTable
from worldloom.world.step import PENDING_ALL
from worldloom_sdk.protocol.words import unpack_words

FULL = 0


class Meadow:
    """Bodies in cells (n, 0) that turn about, and the runs of their words."""

    def __init__(self, slots_by_cell: list[list[int]], tick: int) -> None:
        self.table, self.tick = AvatarTable(), tick
        self.cells = len(slots_by_cell)
        self.rows: dict[tuple[int, int], int] = {}
        for cell, slots in enumerate(slots_by_cell):
            for slot in slots:
                row = self.table.add(len(self.rows) + 1)
                self.table.cell[row], self.table.slot[row] = cell, slot
                self.table.cx[row], self.table.x[row] = cell, cell << 11
                self.rows[cell, slot] = row

    def turn(self, cell: int, slot: int, yaw: int) -> None:
        row = self.rows[cell, slot]
        self.table.yaw[row] = yaw
        self.table.pending[row] = PENDING_ALL

    def encode(self) -> dict[int, list[dict[int, int]]]:
        """A tick: for each cell and rate the piece of that rate, as yaw by slot."""
        cells, bounds, words = encode_runs(self.table, self.tick, self.cells)
        self.tick += 1
        assert (np.diff(bounds, axis=1) >= 0).all()
        assert bounds[1:, 0].tolist() == bounds[:-1, -1].tolist()
        assert cells.tolist() == sorted(set(cells.tolist()))
        assert len(words) == (bounds[-1, -1] if len(bounds) else 0)
        pieces = {}
        for cell, at in zip(cells.tolist(), bounds, strict=True):
            pieces[cell] = [_by_slot(words[at[START[k]] : at[END[k]]]) for k in range(RATES)]
        return pieces


def _by_slot(words: np.ndarray) -> dict[int, int]:
    slot, _, _, _, yaw, _ = unpack_words(words, 0, 0)
    assert len(set(slot.tolist())) == len(slot), "a slot comes once"
    return dict(zip(slot.tolist(), yaw.tolist(), strict=True))


SLOTS = st.lists(st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=12), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(SLOTS, st.integers(0, 2**40), st.floats(0.02, 0.9), st.integers(0, 2**32))
def test_every_rate_is_right_about_a_slot_whenever_its_turn_comes(slots, tick, busy, seed):
    meadow, rng = Meadow(slots, tick), np.random.default_rng(seed)
    truth = dict.fromkeys(meadow.rows, 0)
    seen = [dict(truth) for _ in range(RATES)]
    for _ in range(48):
        changed = [key for key in truth if rng.random() < busy]
        for key in changed:
            truth[key] = int(rng.integers(1, 256))
            meadow.turn(*key, truth[key])
        now = meadow.tick
        pieces = meadow.encode()
        for k in range(RATES):
            for cell, by_rate in pieces.items():
                for slot, yaw in by_rate[k].items():
                    assert yaw == truth[cell, slot]
                    assert class_of(np.array([slot]), now)[0] >= k
                    seen[k][cell, slot] = yaw
            turn = {key for key in truth if class_of(np.array([key[1]]), now)[0] >= k}
            assert {key: seen[k][key] for key in turn} == {key: truth[key] for key in turn}
        assert {(c, s) for c, by_rate in pieces.items() for s in by_rate[FULL]} == set(changed)


@settings(max_examples=30, deadline=None)
@given(SLOTS, st.integers(0, 2**40))
def test_every_rate_has_each_change_within_its_period_and_then_there_is_silence(slots, tick):
    meadow = Meadow(slots, tick)
    for key in meadow.rows:
        meadow.turn(*key, 200)
    late: list[dict[tuple[int, int], int]] = [{} for _ in range(RATES)]
    for after in range(16):
        for cell, by_rate in meadow.encode().items():
            for k in range(RATES):
                for slot in by_rate[k]:
                    late[k].setdefault((cell, slot), after)
    for k in range(RATES):
        assert late[k].keys() == meadow.rows.keys()
        assert max(late[k].values()) < 2**k
    assert not meadow.table.pending.any()
    assert meadow.encode() == {}


@pytest.mark.parametrize("tick", [0, 1, 999, 2**33 + 5])
def test_of_sixteen_slots_one_half_one_quarter_and_so_on_has_each_class(tick):
    classes = class_of(np.arange(16), tick)
    assert np.bincount(classes).tolist() == [8, 4, 2, 1, 1]
    zeros = [(int(slot) - tick) % 16 for slot in range(16)]
    expected = [4 if z == 0 else min(4, (z & -z).bit_length() - 1) for z in zeros]
    assert classes.tolist() == expected


def test_over_sixteen_ticks_every_slot_has_its_turn_at_each_rate_as_often_as_it_should():
    for slot in (0, 5, 4_095):
        classes = np.array([class_of(np.array([slot]), 1_000 + t)[0] for t in range(16)])
        assert [int((classes >= k).sum()) for k in range(RATES)] == [16, 8, 4, 2, 1]


def test_words_lie_as_repeats_ascending_and_fresh_descending():
    # At tick 0: slots 1, 2, 4, 8 and 16 have the classes 0 to 4.
    meadow = Meadow([[1, 2, 4, 8, 16, 33, 34, 36, 40, 48]], tick=0)
    for slot in (1, 2, 4, 8, 16):
        meadow.turn(0, slot, 1)
    for slot in (33, 34, 36, 40, 48):
        meadow.turn(0, slot, 2)
        meadow.table.pending[meadow.rows[0, slot]] = PENDING_ALL & ~1
    _, bounds, words = encode_runs(meadow.table, 0, 1)
    assert (words & np.uint64(0xFFF)).tolist() == [34, 36, 40, 48, 16, 8, 4, 2, 1]
    assert bounds.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
    assert bounds.shape == (1, SECTIONS + 1)


def test_sending_clears_the_bits_up_to_the_class_and_a_change_is_fresh_for_one_tick_only():
    meadow = Meadow([[1, 2, 4, 8, 16]], tick=0)
    for slot in (1, 2, 4, 8, 16):
        meadow.turn(0, slot, 1)
    meadow.encode()
    left = [int(meadow.table.pending[meadow.rows[0, slot]]) for slot in (1, 2, 4, 8, 16)]
    assert left == [0b11110, 0b11100, 0b11000, 0b10000, 0]


def test_without_changes_there_are_no_cells_and_no_words():
    cells, bounds, words = encode_runs(AvatarTable(), 5, 0)
    assert (len(cells), bounds.shape, len(words)) == (0, (0, SECTIONS + 1), 0)


@given(st.lists(st.tuples(st.integers(-1024, 3071), st.integers(-1024, 3071)), min_size=1, max_size=40))
def test_the_patch_of_a_word_is_that_of_its_place_and_outside_the_nearest_of_the_border(places):
    table = AvatarTable()
    rows = np.array([table.add(n + 1) for n in range(len(places))])
    table.x[rows], table.z[rows] = np.array(places).T
    table.slot[rows] = rows
    table.pending[rows] = PENDING_ALL
    _, _, words = encode_runs(table, 0, 1)
    expected = {
        int(row): max(0, min(3, z // 512)) * 4 + max(0, min(3, x // 512))
        for row, (x, z) in zip(rows, places, strict=True)
    }
    got = dict(zip((words & np.uint64(0xFFF)).tolist(), patch_of(words).tolist(), strict=True))
    assert got == expected
