"""Who may walk where: the enter table in the step of motion."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from worldloom.world.avatars import BOT, EVERYWHERE, AvatarTable
from worldloom.world.enter import BOTS, ENTER, EXCLUDED, SEE, EnterTable, Gate
from worldloom.world.parcels import PARCELS, depths, parcels_around
from worldloom.world.step import Moves, Tables, step
from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.geometry import GROUND_Y
from worldloom_sdk.protocol.messages import CorrectionReason as Reason

M = 64
"""Units of a metre."""
OPEN = ENTER | SEE | BOTS
HOUSE, GARDEN = 41, 42
OWNER, FRIEND, STRANGER = 1, 2, 3


@dataclass
class Village:
    """A house of 3 x 3 parcels from (16, 16) m to (64, 64) m, and a garden of one parcel east of it."""

    table: EnterTable = field(default_factory=EnterTable)
    land: TerrainTable = field(default_factory=TerrainTable)
    state: AvatarTable = field(default_factory=AvatarTable)
    tick: int = 1_000

    def __post_init__(self) -> None:
        for rx in (-1, 0):
            self.land.add(rx, 0, np.zeros((129, 129), np.int16))
        self.rule([(0, 0)], {OWNER: [(0, OPEN)]}, [(0, OPEN)])

    def rule(self, house, named, garden=((0, OPEN),)) -> None:
        grid = np.zeros((PARCELS, PARCELS), np.int64)
        grid[1:4, 1:4] = HOUSE
        grid[2, 4] = GARDEN
        self.table.lay(0, 0, grid, {HOUSE: Gate(HOUSE, house, named), GARDEN: Gate(GARDEN, garden, {})})

    def body(self, avatar: int, x: float, z: float, access: int = 0, owner: int = 0) -> int:
        row = self.state.add(avatar)
        self.state.x[row], self.state.z[row] = round(x * M), round(z * M)
        self.state.access[row], self.state.owner[row] = access, owner
        self.state.budget_tick[row] = self.tick - 20
        return row

    def go(self, row: int, x: float, z: float, now_ms: int = 0) -> list[Reason]:
        self.tick += 20
        seq = int(self.state.seq[row]) + 1
        move = np.array([[row, seq, round(x * M), round(z * M), GROUND_Y, 0, 0]], np.int64).T
        done = step(self.state, Moves(*move), Tables(self.land, 12 * M, 320, self.table), self.tick, now_ms)
        return [Reason(reason) for reason in done.corrections.reason.tolist()]


@pytest.fixture
def village() -> Village:
    return Village()


def test_the_owner_walks_in_and_a_stranger_does_not(village):
    owner, stranger = village.body(OWNER, 15, 30), village.body(STRANGER, 15, 30)
    assert village.go(owner, 17, 30) == []
    assert village.go(stranger, 17, 30) == [Reason.PRIVATE]
    assert village.go(stranger, 15.9, 30) == []


def test_a_refused_move_costs_no_budget_and_leaves_the_body_where_it_was(village):
    row = village.body(STRANGER, 15, 30)
    assert village.go(row, 20, 30) == [Reason.PRIVATE]
    assert (village.state.x[row], village.state.z[row]) == (15 * M, 30 * M)
    assert village.go(row, 3, 30) == []


def test_nobody_leaps_over_a_corner_of_what_is_closed(village):
    row = village.body(STRANGER, 15, 18)
    assert village.go(row, 18, 15) == [Reason.PRIVATE]


def test_a_way_is_looked_at_every_two_metres(village):
    row = village.body(STRANGER, 66, 40)
    assert village.go(row, 75, 40) == []
    village.rule([(0, OPEN)], {}, [(0, SEE)])
    assert village.go(row, 81, 40) == []
    # The garden, 16 m wide, lies between; 12 m a second do not leap over it, two seconds' worth of parcels could.
    assert village.go(row, 70, 40) == [Reason.PRIVATE]


def test_staff_goes_everywhere_and_a_bot_needs_a_right_of_its_own_kind(village):
    village.rule([(0, ENTER)], {OWNER: [(0, OPEN)]})
    staff = village.body(STRANGER, 15, 30, access=EVERYWHERE)
    person = village.body(FRIEND, 15, 30)
    bot = village.body(10, 15, 30, access=BOT)
    owners = village.body(11, 15, 30, access=BOT, owner=OWNER)
    answers = [village.go(row, 17, 30) for row in (staff, person, bot, owners)]
    assert answers == [[], [], [Reason.PRIVATE], []]


def test_a_bot_is_out_when_its_owner_is_excluded(village):
    village.rule([(0, OPEN)], {FRIEND: [(0, EXCLUDED)]})
    bots = village.body(10, 15, 30, access=BOT, owner=FRIEND)
    assert village.go(bots, 17, 30) == [Reason.PRIVATE]


def test_a_right_is_over_from_its_very_millisecond_on(village):
    village.rule([(0, 0)], {FRIEND: [(0, ENTER), (5_000, 0)]})
    a, b = village.body(FRIEND, 15, 30), village.body(STRANGER, 15, 30)
    assert village.go(a, 17, 30, now_ms=4_999) == []
    assert village.go(b, 17, 30, now_ms=4_999) == [Reason.PRIVATE]
    assert village.go(a, 15, 30, now_ms=5_000) == []
    assert village.go(a, 17, 30, now_ms=5_000) == [Reason.PRIVATE]


def test_who_is_inside_when_the_right_ends_can_go_out_and_not_deeper(village):
    village.rule([(0, 0)], {FRIEND: [(0, ENTER), (5_000, 0)]})
    row = village.body(FRIEND, 30, 40)
    deeper, along, shallower = (
        village.go(row, 31, 40, 6_000),
        village.go(row, 30, 41, 6_000),
        village.go(row, 29, 41, 6_000),
    )
    assert (deeper, along, shallower) == ([Reason.PRIVATE], [], [])
    assert village.go(row, 30, 41, 6_000) == [Reason.PRIVATE]
    assert village.go(row, 20, 41, 6_000) == []
    assert village.go(row, 12, 41, 6_000) == []
    assert village.go(row, 17, 41, 6_000) == [Reason.PRIVATE]


def test_from_the_middle_every_way_leads_out(village):
    for number, (dx, dz) in enumerate([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]):
        row = village.body(100 + number, 40, 40)
        ways = [village.go(row, 40 + dx * way, 40 + dz * way) for way in (7, 14, 21, 28)]
        assert ways == [[]] * 4, (dx, dz)


def test_out_of_one_closed_place_does_not_lead_into_another(village):
    village.rule([(0, 0)], {}, [(0, SEE)])
    row = village.body(STRANGER, 62, 40)
    assert village.go(row, 65, 40) == [Reason.PRIVATE]
    assert village.go(row, 62, 47) == []
    assert village.go(row, 65, 50) == []


def test_who_turns_or_stands_where_it_may_not_be_is_left_alone(village):
    row = village.body(STRANGER, 40, 40)
    assert village.go(row, 40, 40) == []


def test_depth_goes_on_over_a_regions_border():
    village = Village()
    west = np.zeros((PARCELS, PARCELS), np.int64)
    west[0:5, 14:] = HOUSE
    east = np.zeros((PARCELS, PARCELS), np.int64)
    east[0:5, :2] = HOUSE
    gate = {HOUSE: Gate(HOUSE, [(0, 0)], {})}
    village.table.lay(-1, 0, west, gate)
    village.table.lay(0, 0, east, gate)
    row = village.body(STRANGER, -1, 40)
    assert village.go(row, -3, 40) == []
    assert village.go(row, -1, 40) == [Reason.PRIVATE]
    other = village.body(FRIEND, 3, 40)
    assert village.go(other, 1, 40) == [Reason.PRIVATE]
    assert village.go(other, 5, 40) == []


def test_a_place_that_opens_is_open_in_all_its_regions():
    village = Village()
    grid = np.zeros((PARCELS, PARCELS), np.int64)
    grid[:, :] = HOUSE
    shut, opened = Gate(HOUSE, [(0, 0)], {}), Gate(HOUSE, [(0, OPEN)], {OWNER: [(0, OPEN)]})
    village.table.lay(-1, 0, grid, {HOUSE: shut})
    village.table.lay(0, 0, grid, {HOUSE: shut})
    row = village.body(STRANGER, -3, 40)
    assert village.go(row, -3, 42) == [Reason.PRIVATE]
    village.table.lay(0, 0, grid, {HOUSE: opened})
    assert len(village.table) == 0
    assert village.go(row, -3, 42) == []
    assert village.go(row, 3, 44) == []


def test_a_region_that_is_forgotten_leaves_nothing(village):
    village.table.remove(0, 0)
    village.table.remove(0, 0)
    assert len(village.table) == 0
    assert village.go(village.body(STRANGER, 15, 30), 17, 30) == []


def test_many_regions_are_told_apart():
    table, state = EnterTable(), AvatarTable()
    row = state.add(STRANGER)
    for number in range(1, 41):
        grid = np.full((PARCELS, PARCELS), number)
        table.lay(number, -number, grid, {number: Gate(number, [(0, 0 if number % 2 else SEE)], {})})
    x = np.arange(1, 41) * 16_384 + 16_383
    z = -np.arange(1, 41) * 16_384
    assert table.place(x, z).tolist() == list(range(1, 41))
    assert not table.may_enter(state, np.full(40, row), x, z, 0).any()
    assert table.private(x, z, 0).tolist() == [number if number % 2 else 0 for number in range(1, 41)]
    for number in range(1, 40):
        table.remove(number, -number)
    assert table.place(x, z).tolist() == [0] * 39 + [40]


def test_a_wrong_shape_is_told(village):
    with pytest.raises(ValueError, match=r"expected \[16, 16\] parcels, got \[15, 16\]"):
        village.table.lay(0, 0, np.zeros((15, 16), np.int64), {})


def test_the_way_out_is_the_nearest_that_is_allowed(village):
    row = village.body(STRANGER, 40, 40)
    x, z = village.table.way_out(village.state, row, 62 * M, 40 * M, 0)
    assert (int(x[0]) / M, int(z[0]) / M) == (64.25, 40)
    village.rule([(0, 0)], {}, [(0, SEE)])
    x, z = village.table.way_out(village.state, row, 62 * M, 40 * M, 0)
    assert (int(x[0]) / M, int(z[0]) / M) == (64.25, 48.25)


def test_depths_count_steps_from_the_border_corners_included():
    square = [(x, z) for x in range(-2, 3) for z in range(-2, 3)]
    deep = depths(square)
    assert (deep[-2, 0], deep[-1, -1], deep[0, 0]) == (1, 2, 3)
    assert depths([*square[:12], *square[13:]])[1, 1] == 1


def test_every_parcel_around_is_told_once():
    x, z = parcels_around(-5, 700, 3)
    parcels = set(zip((x >> 10).tolist(), (z >> 10).tolist(), strict=True))
    assert len(parcels) == len(x) == 49
    assert (-17, 700) in set(zip(x.tolist(), z.tolist(), strict=True))
