import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.replication.cells import CellTable
from worldloom.world.avatars import AvatarTable
from worldloom_sdk.protocol.geometry import CELL_SHIFT, CELL_UNITS, XZ_PER_M
from worldloom_sdk.protocol.words import MAX_SLOTS, XZ_MARGIN, unpack_words

M = XZ_PER_M
GONE, SAME_CELL = 0, 5


class Field:
    """Bodies and their cells, tick by tick."""

    def __init__(self) -> None:
        self.avatars = AvatarTable()
        self.cells = CellTable(self.avatars)
        self.tick = 1_000

    def next(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.tick += 1
            self.cells.begin_tick()

    def come(self, avatar: int, x: int, z: int = 0, layer: int = 0) -> int:
        row = self.avatars.add(avatar)
        self.avatars.x[row], self.avatars.z[row], self.avatars.layer[row] = x, z, layer
        assert self.cells.settle(row, self.tick)
        return row

    def walk(self, row: int, x: int, z: int = 0) -> list[int]:
        self.avatars.x[row], self.avatars.z[row] = x, z
        return self.cells.cross(np.array([row]), self.tick)

    def step(self, row: int, x: int, z: int = 0) -> tuple[int, int]:
        """A tick with one step; the body's cell after it."""
        self.next()
        assert self.walk(row, x, z) == []
        return self.cell_of(row)

    def cell_of(self, row: int) -> tuple[int, int]:
        return int(self.avatars.cx[row]), int(self.avatars.cz[row])

    def leaves(self) -> list[tuple[tuple[int, ...], int, int]]:
        """(cell, slot, direction) of each."""
        told = self.cells.records()
        return [
            (tuple(cell), leave & 0xFFF, leave >> 12)
            for cell, leave in zip(told.leave_cells.tolist(), told.leaves.tolist(), strict=True)
        ]

    def enters(self) -> list[tuple[tuple[int, ...], int, int]]:
        """(cell, slot, avatar) of each."""
        told = self.cells.records()
        return [
            (tuple(cell), enter & 0xFFF, enter >> 12)
            for cell, enter in zip(told.enter_cells.tolist(), told.enters[:, 0].tolist(), strict=True)
        ]


@pytest.fixture
def field() -> Field:
    return Field()


# ---- when a body changes its cell


@pytest.mark.parametrize(("x", "cell"), [(CELL_UNITS - 1 + 2 * M, 0), (CELL_UNITS + 2 * M, 1)])
def test_a_cell_is_left_only_when_more_than_two_metres_beyond_its_border(field, x, cell):
    row = field.come(1, CELL_UNITS - 1)
    assert field.step(row, x) == (cell, 0)


@pytest.mark.parametrize(("z", "cell"), [(-2 * M, 0), (-2 * M - 1, -1)])
def test_the_same_holds_towards_lower_numbers_and_along_z(field, z, cell):
    row = field.come(1, 0, 0)
    assert field.step(row, 0, z) == (0, cell)


def test_stepping_to_and_fro_on_a_border_tells_nobody_anything(field):
    row = field.come(1, CELL_UNITS)
    told = []
    for n in range(100):
        field.step(row, CELL_UNITS - 2 * M + (n % 2) * (4 * M - 1))
        told += field.leaves() + field.enters()
    assert told == []
    assert field.cell_of(row) == (1, 0)


def test_a_body_changes_its_cell_at_most_twice_in_any_second(field):
    row = field.come(1, 0)
    crossed = []
    for n in range(200):
        was = field.cell_of(row)
        now = field.step(row, -6 * M if n % 2 else 6 * M)
        crossed += [field.tick] * (now != was)
    assert len(crossed) == 20
    assert min(third - first for first, third in zip(crossed, crossed[2:], strict=False)) == 20


def test_the_limit_holds_no_longer_than_a_second(field):
    row = field.come(1, 0)
    assert field.step(row, -3 * M) == (-1, 0)
    assert field.step(row, 3 * M) == (0, 0)
    assert field.step(row, -3 * M) == (0, 0)
    field.next(17)
    assert field.walk(row, -3 * M) == []
    assert field.cell_of(row) == (0, 0)
    assert field.step(row, -3 * M) == (-1, 0)


@pytest.mark.parametrize(("x", "cell"), [(-12 * M, 0), (-12 * M - 1, -1)])
def test_more_than_twelve_metres_out_the_cell_changes_at_once(field, x, cell):
    row = field.come(1, 0)
    field.step(row, -3 * M)
    field.step(row, 3 * M)
    assert field.step(row, x) == (cell, 0)


def test_a_leap_over_several_cells_ends_in_the_right_one(field):
    row = field.come(1, 10, 10)
    assert field.step(row, 5 * CELL_UNITS + 7, -3 * CELL_UNITS) == (5, -3)
    assert field.leaves() == [((0, 0, 0), 0, GONE)]
    assert field.enters() == [((5, -3, 0), 0, 1)]


@pytest.mark.parametrize(("dx", "dz"), [d for d in itertools.product((-1, 0, 1), repeat=2) if d != (0, 0)])
def test_a_leave_says_to_which_neighbour_the_body_went(field, dx, dz):
    row = field.come(9, 100, 100)
    field.step(row, dx * CELL_UNITS + 1_000, dz * CELL_UNITS + 1_000)
    assert field.leaves() == [((0, 0, 0), 0, (dx + 1) * 3 + (dz + 1) + 1)]
    assert field.enters() == [((dx, dz, 0), 0, 9)]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_at_full_speed_nobody_ever_gets_farther_out_than_a_word_can_say(seed, leaps):
    field, rng = Field(), np.random.default_rng(seed)
    t = field.avatars
    rows = np.array([field.come(n, int(rng.integers(-9_000, 9_000))) for n in range(1, 31)])
    for _ in range(150):
        field.next()
        # A step of 12 m a second; or now and then, after a second's silence, all of it at once.
        reach = np.where(leaps & (rng.random(30) < 0.1), 12 * M, 38)
        angle = rng.choice([0, 0.8, 1.6, 3.1, 3.9, 4.7], 30)
        t.x[rows] += np.trunc(reach * np.cos(angle)).astype(np.int64)
        t.z[rows] += np.trunc(reach * np.sin(angle)).astype(np.int64)
        assert field.cells.cross(rows, field.tick) == []
        local = np.stack([t.x[rows] - (t.cx[rows] << CELL_SHIFT), t.z[rows] - (t.cz[rows] << CELL_SHIFT)])
        assert local.min() >= -12 * M >= -XZ_MARGIN
        assert local.max() <= CELL_UNITS - 1 + 12 * M
        _, entries = field.cells.everything()
        _, x, z, *_ = unpack_words(entries[:, 1], t.cx[rows], t.cz[rows])
        assert (x.tolist(), z.tolist()) == (t.x[rows].tolist(), t.z[rows].tolist())


# ---- slots


def test_slots_are_given_from_zero_upwards_per_cell_and_layer(field):
    for avatar, (x, layer) in enumerate([(0, 0), (5, 0), (5, 1), (CELL_UNITS, 0), (9, 0)], 1):
        field.come(avatar, x, layer=layer)
    assert field.enters() == [
        ((0, 0, 0), 0, 1), ((0, 0, 0), 1, 2), ((0, 0, 1), 0, 3), ((1, 0, 0), 0, 4), ((0, 0, 0), 2, 5),
    ]  # fmt: skip


def test_a_slot_freed_in_a_tick_is_given_again_only_from_the_next(field):
    rows = [field.come(n, 0) for n in (1, 2, 3)]
    field.next()
    field.cells.leave(rows[0])
    field.avatars.remove(1)
    assert field.avatars.slot[field.come(4, 0)] == 3
    field.next()
    assert field.avatars.slot[field.come(5, 0)] == 0


def test_the_lowest_free_slot_is_given_first(field):
    rows = [field.come(n, 0) for n in range(1, 7)]
    field.next()
    for n in (5, 2, 4):
        field.cells.leave(rows[n])
        field.avatars.remove(n + 1)
    field.next()
    assert [int(field.avatars.slot[field.come(n, 0)]) for n in (11, 12, 13, 14)] == [2, 4, 5, 6]


def test_who_goes_out_of_the_world_is_told_as_gone(field):
    row = field.come(1, 0)
    field.next()
    field.cells.leave(row)
    field.avatars.remove(1)
    assert field.leaves() == [((0, 0, 0), 0, GONE)]
    assert field.enters() == []


def test_who_comes_and_goes_within_a_tick_is_told_to_nobody(field):
    field.come(1, 0)
    field.next()
    row = field.come(2, 0)
    field.cells.leave(row)
    field.avatars.remove(2)
    assert field.leaves() == field.enters() == []
    assert field.avatars.slot[field.come(3, 0)] == 2
    field.next()
    assert field.avatars.slot[field.come(4, 0)] == 1


def test_of_two_changes_of_cell_in_a_tick_only_the_first_leave_and_the_last_enter_are_told(field):
    row = field.come(1, 0)
    field.next()
    field.cells.relayer(row, 3, field.tick)
    field.walk(row, 2 * CELL_UNITS)
    assert field.leaves() == [((0, 0, 0), 0, SAME_CELL)]
    assert field.enters() == [((2, 0, 3), 0, 1)]


def test_empty_cells_vanish_and_their_numbers_are_given_again(field):
    row = field.come(1, 0)
    for n in range(1, 40):
        field.step(row, n * CELL_UNITS + 1_000)
    assert len(field.cells) == 2
    field.next()
    assert len(field.cells) == 1
    assert field.cells.indices <= 3
    assert field.cells.key(int(field.avatars.cell[row])) == (39, 0, 0)


def test_a_cell_left_and_entered_in_the_same_tick_stays(field):
    row = field.come(1, 0)
    field.next()
    field.cells.leave(row)
    field.avatars.remove(1)
    other = field.come(2, 0)
    field.next()
    assert len(field.cells) == 1
    assert field.cells.key(int(field.avatars.cell[other])) == (0, 0, 0)


def test_an_index_without_a_cell_is_a_key_error(field):
    row = field.come(1, 0)
    index = int(field.avatars.cell[row])
    field.next()
    field.cells.leave(row)
    field.avatars.remove(1)
    field.next()
    with pytest.raises(KeyError):
        field.cells.key(index)


# ---- layers


def test_a_change_of_layer_is_a_leave_within_the_cell_and_an_enter(field):
    field.come(1, 0)
    row = field.come(2, 0)
    field.next()
    assert field.cells.relayer(row, 7, field.tick)
    assert field.leaves() == [((0, 0, 0), 1, SAME_CELL)]
    assert field.enters() == [((0, 0, 7), 0, 2)]
    assert field.avatars.layer[row] == 7


def test_a_change_of_layer_keeps_the_cell_of_a_body_that_stands_a_little_outside_it(field):
    row = field.come(1, 0)
    field.step(row, -M)
    field.next()
    field.cells.relayer(row, 1, field.tick)
    assert field.cell_of(row) == (0, 0)


# ---- full cells


@pytest.fixture(scope="module")
def full() -> Field:
    """4,096 bodies in cell (0, 0) of the public layer."""
    field = Field()
    for avatar in range(1, MAX_SLOTS + 1):
        field.come(avatar, CELL_UNITS // 2, CELL_UNITS // 2)
    field.next()
    return field


def test_a_full_cell_is_a_wall(full):
    row = full.come(10_001, CELL_UNITS + 10)
    assert full.walk(row, CELL_UNITS - 2 * M) == []
    assert full.walk(row, CELL_UNITS - 2 * M - 1) == [row]
    assert full.cell_of(row) == (1, 0)
    assert full.walk(row, CELL_UNITS - 20 * M) == [row]
    assert full.enters()[-1] == ((1, 0, 0), int(full.avatars.slot[row]), 10_001)


def test_a_full_cell_takes_nobody_from_another_layer(full):
    row = full.come(10_002, 10, layer=1)
    assert not full.cells.relayer(row, 0, full.tick)
    assert full.avatars.layer[row] == 1
    assert full.cells.key(int(full.avatars.cell[row])) == (0, 0, 1)


@pytest.mark.parametrize(
    ("x", "z", "dx", "dz"),
    [
        (CELL_UNITS - 1, 1_000, 1, 0), (0, 1_000, -1, 0), (1_000, CELL_UNITS - 1, 0, 1), (1_000, 0, 0, -1),
    ],
)  # fmt: skip
def test_newcomers_to_a_full_cell_are_set_down_in_the_nearest_cell_with_room(full, x, z, dx, dz):
    half = CELL_UNITS // 2
    assert full.cells.nearest_room(x, z, 0) == (dx * CELL_UNITS + half, dz * CELL_UNITS + half)


def test_where_there_is_room_newcomers_are_set_down_where_they_want_to_be(full):
    assert full.cells.nearest_room(5, 6, 1) == (5, 6)
    assert full.cells.nearest_room(CELL_UNITS, 6, 0) == (CELL_UNITS, 6)


def test_a_full_cell_has_room_again_in_the_tick_after_somebody_left():
    field = Field()
    rows = [field.come(avatar, 0) for avatar in range(1, MAX_SLOTS + 1)]
    field.next()
    field.cells.leave(rows[77])
    field.avatars.remove(78)
    assert field.cells.nearest_room(0, 0, 0) != (0, 0)
    field.next()
    assert field.cells.nearest_room(0, 0, 0) == (0, 0)
    assert field.avatars.slot[field.come(9_999, 0)] == 77
