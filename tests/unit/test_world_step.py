from dataclasses import dataclass, field

import numpy as np
import pytest

from worldloom.world.avatars import AvatarTable
from worldloom.world.step import PENDING_ALL, Moves, Stepped, Tables, step
from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.geometry import GROUND_Y, REGION_LIMIT, REGION_SHIFT
from worldloom_sdk.protocol.messages import CorrectionReason as Reason

SPEED, CLIMB = 12 * 64, 20 * 16
GROUND = 80
"""5 m, as the flat tiles below have it."""
FIRST_TICK = 1_000
INT32 = (-(2**31), 2**31 - 1)


@dataclass
class Yard:
    """Bodies on flat land, and their moves."""

    land: TerrainTable = field(default_factory=TerrainTable)
    state: AvatarTable = field(default_factory=AvatarTable)
    tick: int = FIRST_TICK

    def __post_init__(self) -> None:
        for rx in (-1, 0):
            for rz in (-1, 0):
                self.weave(rx, rz, GROUND)

    def weave(self, rx: int, rz: int, y: int) -> None:
        self.land.add(rx, rz, np.full((129, 129), 2 * y, np.int16))

    def body(self, avatar: int, x: int = 0, z: int = 0, y: int = GROUND) -> int:
        row = self.state.add(avatar)
        self.state.x[row], self.state.z[row], self.state.y[row] = x, z, y
        self.state.budget_tick[row] = self.tick - 20
        return row

    def moves(self, *moves: tuple[int, ...]) -> Stepped:
        """Of (row, seq, x, z, y, yaw, gesture) each; a tick passes."""
        self.tick += 1
        columns = np.array(moves, np.int64).reshape(-1, 7).T
        return step(self.state, Moves(*columns), Tables(self.land, SPEED, CLIMB), self.tick)

    def go(self, row: int, x: int = 0, z: int = 0, y: int = GROUND) -> list[Reason]:
        """One move, all else as it is; the reasons for which it was refused."""
        done = self.moves((row, int(self.state.seq[row]) + 1, x, z, y, 0, 0))
        return [Reason(reason) for reason in done.corrections.reason.tolist()]

    def wait(self, ticks: int) -> None:
        self.tick += ticks

    def at(self, row: int) -> tuple[int, int, int]:
        return int(self.state.x[row]), int(self.state.z[row]), int(self.state.y[row])


@pytest.fixture
def yard() -> Yard:
    return Yard()


# ---- speed


def test_a_leap_of_a_seconds_worth_is_granted_and_one_unit_more_is_refused(yard):
    a, b = yard.body(1), yard.body(2)
    done = yard.moves((a, 0, SPEED, 0, GROUND, 0, 0), (b, 0, SPEED + 1, 0, GROUND, 0, 0))
    assert done.changed.tolist() == [a]
    assert done.corrections.row.tolist() == [b]
    assert done.corrections.reason.tolist() == [Reason.SPEED]
    assert yard.at(a) == (SPEED, 0, GROUND)
    assert yard.at(b) == (0, 0, GROUND)


def test_after_a_leap_only_a_ticks_worth_is_there(yard):
    a, b = yard.body(1), yard.body(2)
    yard.moves((a, 1, SPEED, 0, GROUND, 0, 0), (b, 1, SPEED, 0, GROUND, 0, 0))
    done = yard.moves((a, 2, SPEED + 38, 0, GROUND, 0, 0), (b, 2, SPEED + 39, 0, GROUND, 0, 0))
    assert done.changed.tolist() == [a]
    assert done.corrections.row.tolist() == [b]


def test_a_body_at_full_speed_is_never_refused(yard):
    row = yard.body(1)
    assert [yard.go(row, 38 * n) for n in range(1, 300)] == [[]] * 299


def test_a_late_packet_costs_nobody_anything(yard):
    row = yard.body(1)
    reasons = [yard.go(row, 38 * n) for n in range(1, 101)]
    yard.wait(18)
    reasons.append(yard.go(row, 38 * 119))
    reasons += [yard.go(row, 38 * n) for n in range(120, 140)]
    assert reasons == [[]] * 121


def test_nobody_saves_up_for_a_leap(yard):
    row = yard.body(1)
    assert yard.go(row, 1) == []
    yard.wait(10_000)
    assert yard.go(row, SPEED + 2) == [Reason.SPEED]
    assert yard.go(row, SPEED + 1) == []


def test_a_refused_move_costs_no_budget(yard):
    row = yard.body(1)
    assert yard.go(row, 10 * SPEED) == [Reason.SPEED]
    assert yard.go(row, SPEED) == []


def test_speed_counts_along_the_diagonal_and_rounds_up(yard):
    a, b, c = yard.body(1), yard.body(2), yard.body(3)
    assert yard.go(a, 461, 614) == []
    assert yard.go(b, 462, 614) == [Reason.SPEED]
    assert yard.go(c, -460, -614) == []
    # The way is 767.8001 units, paid in twentieths, and in full.
    assert yard.state.reach[a] == SPEED * 20 - 15_357


# ---- climbing and the ground


def test_a_second_of_climbing_is_granted_and_one_unit_more_is_refused(yard):
    a, b = yard.body(1), yard.body(2)
    assert yard.go(a, y=GROUND + CLIMB) == []
    assert yard.go(b, y=GROUND + CLIMB + 1) == [Reason.CLIMB]


def test_falling_is_limited_like_climbing(yard):
    a, b = yard.body(1, y=GROUND + 1_000), yard.body(2, y=GROUND + 1_000)
    assert yard.go(a, y=GROUND + 1_000 - CLIMB) == []
    assert yard.go(b, y=GROUND + 1_000 - CLIMB - 1) == [Reason.CLIMB]


def test_after_a_climb_only_a_ticks_worth_is_there(yard):
    row = yard.body(1)
    assert yard.go(row, y=GROUND + CLIMB) == []
    assert yard.go(row, y=GROUND + CLIMB + 16) == []
    assert yard.go(row, y=GROUND + CLIMB + 16 + 17) == [Reason.CLIMB]


@pytest.mark.parametrize("y", [GROUND - 4, GROUND + 64 * 16])
def test_a_quarter_metre_below_the_ground_and_64_metres_above_are_granted(yard, y):
    row = yard.body(1, y=y)
    assert yard.go(row, x=1, y=y) == []


@pytest.mark.parametrize("y", [GROUND - 5, GROUND + 64 * 16 + 1])
def test_one_unit_beyond_that_is_refused(yard, y):
    row = yard.body(1, y=y)
    assert yard.go(row, x=1, y=y) == [Reason.GROUND]


def test_the_sentinel_means_on_the_ground(yard):
    row = yard.body(1, x=16_383)
    yard.weave(1, 0, 700 * 16)
    assert yard.go(row, x=16_380, y=GROUND_Y) == []
    assert yard.at(row) == (16_380, 0, GROUND)
    assert yard.go(row, x=16_384, y=GROUND_Y) == []
    assert yard.at(row) == (16_384, 0, 700 * 16)


@pytest.mark.parametrize(("above", "reasons"), [(-4, []), (8, []), (9, [Reason.CLIMB])])
def test_a_body_near_the_ground_follows_it_without_a_limit(yard, above, reasons):
    yard.weave(1, 0, GROUND + 2 * CLIMB)
    row = yard.body(1, x=16_383)
    assert yard.go(row, x=16_384, y=GROUND + 2 * CLIMB + above) == reasons


# ---- edges


@pytest.mark.parametrize("axis", ["x", "z"])
@pytest.mark.parametrize(
    ("last", "beyond"), [((REGION_LIMIT + 1 << REGION_SHIFT) - 1, 1), (-REGION_LIMIT << REGION_SHIFT, -1)]
)
def test_the_world_ends_at_its_last_region(yard, axis, last, beyond):
    yard.weave(last >> REGION_SHIFT if axis == "x" else 0, last >> REGION_SHIFT if axis == "z" else 0, GROUND)
    row = yard.body(1, **{axis: last - beyond})
    assert yard.go(row, **{axis: last}) == []
    assert yard.go(row, **{axis: last + beyond}) == [Reason.EDGE]


def test_land_that_is_not_woven_is_a_wall(yard):
    row = yard.body(1, x=16_383)
    assert yard.go(row, x=16_384) == [Reason.UNWOVEN]
    assert yard.go(row, x=16_384, y=GROUND_Y) == [Reason.UNWOVEN]
    assert yard.at(row) == (16_383, 0, GROUND)
    yard.weave(1, 0, GROUND)
    assert yard.go(row, x=16_384) == []


def test_of_several_reasons_the_gravest_is_told(yard):
    high, beyond = GROUND + 2_000, REGION_LIMIT + 1 << REGION_SHIFT
    row = yard.body(1, x=16_383)
    assert yard.go(row, x=16_383, y=high) == [Reason.CLIMB]
    assert yard.go(row, x=16_384, y=high) == [Reason.UNWOVEN]
    assert yard.go(row, x=20_000, y=high) == [Reason.SPEED]
    assert yard.go(row, x=beyond, y=high) == [Reason.EDGE]
    floating = yard.body(2, y=high)
    assert yard.go(floating, y=high) == [Reason.GROUND]


@pytest.mark.parametrize("x", INT32)
@pytest.mark.parametrize("z", INT32)
@pytest.mark.parametrize("y", [-32_767, 32_767, GROUND_Y])
def test_the_greatest_numbers_of_the_wire_are_refused_from_anywhere(yard, x, z, y):
    near = yard.body(1)
    far = yard.body(2, x=-(REGION_LIMIT << REGION_SHIFT), z=(REGION_LIMIT + 1 << REGION_SHIFT) - 1)
    assert yard.go(near, x, z, y) == [Reason.EDGE]
    assert yard.go(far, x, z, y) == [Reason.EDGE]
    assert yard.at(near) == (0, 0, GROUND)


def test_the_highest_number_of_a_move_is_taken(yard):
    row = yard.body(1)
    yard.moves((row, 2**32 - 1, 1, 0, GROUND, 0, 0))
    assert yard.state.seq[row] == 2**32 - 1
    assert yard.at(row) == (1, 0, GROUND)


# ---- many moves


def test_the_last_move_of_a_tick_wins(yard):
    row = yard.body(1)
    done = yard.moves(
        (row, 1, 10, 0, GROUND, 0, 0), (row, 2, 20, 0, GROUND, 0, 0), (row, 3, 5, 7, GROUND, 9, 2)
    )
    assert done.changed.tolist() == [row]
    assert done.before.tolist() == [[0, 0, GROUND]]
    assert yard.at(row) == (5, 7, GROUND)
    assert yard.state.seq[row] == 3


def test_when_the_last_move_is_refused_the_earlier_ones_do_not_count(yard):
    row = yard.body(1)
    done = yard.moves((row, 1, 10, 0, GROUND, 0, 0), (row, 2, 9_000, 0, GROUND, 0, 0))
    assert done.changed.tolist() == []
    assert done.corrections.seq.tolist() == [2]
    assert yard.at(row) == (0, 0, GROUND)


def test_replays_and_older_moves_are_ignored_without_a_word(yard):
    row = yard.body(1)
    yard.moves((row, 7, 10, 0, GROUND, 0, 0))
    done = yard.moves((row, 7, 20, 0, GROUND, 0, 0), (row, 6, 30, 0, GROUND, 0, 0))
    assert (len(done.changed), len(done.corrections.row)) == (0, 0)
    assert yard.at(row) == (10, 0, GROUND)


def test_a_replay_behind_a_new_move_does_not_displace_it(yard):
    row = yard.body(1)
    yard.moves((row, 7, 10, 0, GROUND, 0, 0))
    yard.moves((row, 8, 20, 0, GROUND, 0, 0), (row, 7, 10, 0, GROUND, 0, 0))
    assert yard.at(row) == (20, 0, GROUND)


def test_moves_of_bodies_that_are_not_here_are_dropped(yard):
    row = yard.body(1)
    done = yard.moves(
        (-1, 1, 10, 0, GROUND, 0, 0), (row, 1, 11, 0, GROUND, 0, 0), (-1, 1, 12, 0, GROUND, 0, 0)
    )
    assert done.changed.tolist() == [row]
    assert yard.at(row) == (11, 0, GROUND)


def test_a_tick_without_moves_changes_nothing(yard):
    yard.body(1)
    before = yard.state.digest()
    done = yard.moves()
    assert (len(done.changed), len(done.corrections.row), done.before.shape) == (0, 0, (0, 3))
    assert yard.state.digest() == before


def test_what_changed_comes_ascending_with_where_it_was(yard):
    rows = [yard.body(n, x=100 * n) for n in range(1, 6)]
    done = yard.moves(
        *((row, 1, 100 * n + 1, 2, GROUND, 0, 0) for n, row in reversed(list(enumerate(rows, 1))))
    )
    assert done.changed.tolist() == sorted(rows)
    assert done.before.tolist() == [[100 * n, 0, GROUND] for n in range(1, 6)]


def test_refusals_come_ascending_with_their_numbers_and_reasons(yard):
    rows = [yard.body(n) for n in range(1, 5)]
    bad = [
        (9_000, GROUND, Reason.SPEED),
        (1, -400, Reason.CLIMB),
        (1, GROUND, 0),
        (1, GROUND - 5, Reason.GROUND),
    ]
    asked = [(row, 10 + row, x, 0, y, 0, 0) for row, (x, y, _) in zip(rows, bad, strict=True)]
    refused = yard.moves(*reversed(asked)).corrections
    assert refused.row.tolist() == [rows[0], rows[1], rows[3]]
    assert refused.seq.tolist() == [10 + rows[0], 10 + rows[1], 10 + rows[3]]
    assert refused.reason.tolist() == [Reason.SPEED, Reason.CLIMB, Reason.GROUND]


@pytest.mark.parametrize(
    "asked",
    [
        (1, 0, GROUND, 0, 0),
        (0, 1, GROUND, 0, 0),
        (0, 0, 90, 0, 0),
        (0, 0, GROUND, 1, 0),
        (0, 0, GROUND, 0, 1),
    ],
)
def test_any_difference_is_a_change_that_all_rates_are_to_be_told_of(yard, asked):
    row = yard.body(1)
    assert yard.moves((row, 1, *asked)).changed.tolist() == [row]
    assert yard.state.pending[row] == PENDING_ALL


def test_a_move_to_where_the_body_is_changes_nothing_but_its_number(yard):
    row = yard.body(1)
    done = yard.moves((row, 5, 0, 0, GROUND, 0, 0))
    assert len(done.changed) == 0
    assert (yard.state.pending[row], yard.state.seq[row]) == (0, 5)


def test_a_refused_body_keeps_position_and_looks_but_not_its_number(yard):
    row = yard.body(1)
    yard.moves((row, 5, 9_000, 0, GROUND, 77, 3))
    assert yard.at(row) == (0, 0, GROUND)
    assert (yard.state.yaw[row], yard.state.gesture[row], yard.state.seq[row]) == (0, 0, 5)


# ---- the sea


@pytest.fixture
def shore(yard) -> Yard:
    """Where the land of region (0, 0) lies 100 m under the sea."""
    yard.weave(0, 0, -1_600)
    return yard


def test_on_the_ground_means_on_the_sea_where_that_is_higher(shore):
    row = shore.body(1, 100, 100, y=0)
    assert shore.go(row, 110, 100, GROUND_Y) == []
    assert shore.at(row) == (110, 100, 0)


def test_a_swimmer_may_stay_on_the_surface_however_deep_the_sea_is_and_fly_64_m_above_it(shore):
    row = shore.body(1, 100, 100, y=0)
    assert shore.go(row, 110, 100, 8) == []
    for y in range(200, 1_024, 200):
        shore.wait(20)
        assert shore.go(row, 110, 100, y) == []
    shore.wait(20)
    assert shore.go(row, 110, 100, 1_025) == [Reason.GROUND]


def test_a_diver_may_go_down_to_the_floor_and_not_into_it(shore):
    row = shore.body(1, 100, 100, y=-1_500)
    assert shore.go(row, 110, 100, -1_604) == []
    assert shore.go(row, 110, 100, -1_605) == [Reason.GROUND]
