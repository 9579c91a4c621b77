"""Which unmade regions bodies will come to, and how soon."""

import numpy as np
import pytest

from worldloom.world.avatars import AvatarTable
from worldloom.world.lookahead import Arrival, Lookahead
from worldloom_sdk.protocol.geometry import REGION_LIMIT

REGION = 256 * 64
NO_LAND: set[tuple[int, int]] = set()


def block(radius: int) -> set[tuple[int, int]]:
    return {(x, z) for x in range(-radius, radius + 1) for z in range(-radius, radius + 1)}


class Field:
    """Bodies that move at a speed for a second, between two looks."""

    def __init__(self, ahead_s: float = 60.0, limit: int = 512) -> None:
        self.bodies, self.ahead, self.tick = AvatarTable(), Lookahead(ahead_s, limit), 20

    def body(self, avatar: int, x_m: float, z_m: float, vx: float = 0.0, vz: float = 0.0) -> None:
        row = self.bodies.add(avatar)
        self.bodies.x[row], self.bodies.z[row] = round((x_m - vx) * 64), round((z_m - vz) * 64)
        self.ahead.look(self.bodies, self.tick)
        self.bodies.x[row], self.bodies.z[row] = round(x_m * 64), round(z_m * 64)

    def look(self, land: set[tuple[int, int]]) -> list[Arrival]:
        self.ahead.look(self.bodies, self.tick + 20)
        return self.ahead.arrivals(self.bodies, np.flatnonzero(self.bodies.id), land)


@pytest.fixture
def field() -> Field:
    return Field()


def regions(arrivals: list[Arrival]) -> list[tuple[int, int]]:
    return [(one.rx, one.rz) for one in arrivals]


def test_who_stands_needs_the_nine_regions_around_the_nearest_first(field):
    field.body(7, 250.0, 128.0)
    found = field.look(NO_LAND)
    assert regions(found)[:2] == [(0, 0), (1, 0)]
    assert set(regions(found)) == {(x, z) for x in (-1, 0, 1) for z in (-1, 0, 1)}
    assert found[0] == (0, 0, 0.0, 7)
    assert found[1].seconds == pytest.approx(6 / 4)


def test_who_stands_amid_made_land_needs_nothing(field):
    field.body(7, 250.0, 128.0)
    assert field.look(block(1)) == []


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ((8.0, 0.0), [(1, 0), (2, 0)]),
        ((-8.0, 0.0), [(-1, 0), (-2, 0)]),
        ((0.0, 8.0), [(0, 1), (0, 2)]),
        ((0.0, -8.0), [(0, -1), (0, -2)]),
        ((8.0, 4.0), [(1, 0), (1, 1), (2, 1)]),
    ],
)
def test_regions_on_the_way_come_before_those_aside_in_the_order_of_the_way(field, way, expected):
    field.body(7, 128.0, 128.0, *way)
    found = regions(field.look({(0, 0)}))
    assert found[0] == expected[0]
    assert [region for region in found if region in expected] == expected


def test_the_seconds_are_those_until_the_border_is_crossed(field):
    field.body(7, 128.0, 128.0, 8.0, 0.0)
    found = {(one.rx, one.rz): one.seconds for one in field.look(block(1))}
    assert found == {(2, 0): pytest.approx((128 + 256) / 8)}, "the third border is 80 s away"


def test_a_way_is_followed_no_longer_than_asked_for():
    field = Field(ahead_s=10.0)
    field.body(7, 128.0, 128.0, 8.0, 0.0)
    assert field.look(block(1)) == []
    field = Field(ahead_s=600.0)
    field.body(7, 128.0, 128.0, 8.0, 0.0)
    assert regions(field.look(block(1))) == [(2, 0), (3, 0), (4, 0)], "and across four borders at most"


def test_of_several_who_come_to_a_region_the_first_counts(field):
    field.body(7, 100.0, 128.0, 8.0, 0.0)
    field.body(8, 200.0, 128.0, 8.0, 0.0)
    field.body(9, 0.0, 128.0)
    field.ahead.look(field.bodies, 20)
    for avatar in (7, 8):
        field.bodies.x[field.bodies.row(avatar)] += 8 * 64
    (found,) = (one for one in field.look(block(1)) if (one.rx, one.rz) == (2, 0))
    assert found.avatar == 8


def test_a_row_that_is_given_to_another_avatar_has_not_moved(field):
    field.body(7, 128.0, 128.0)
    field.look(block(1))
    field.bodies.remove(7)
    row = field.bodies.add(8)
    field.bodies.x[row], field.bodies.z[row] = 200 * 64, 128 * 64
    assert field.look(block(1)) == []


def test_who_came_since_the_last_look_is_taken_to_stand(field):
    field.body(7, 128.0, 128.0)
    for avatar in range(100, 300):
        row = field.bodies.add(avatar)
        field.bodies.x[row], field.bodies.z[row] = 5 * REGION + 64, 64
    found = field.ahead.arrivals(field.bodies, np.flatnonzero(field.bodies.id), block(1))
    assert regions(found)[0] == (5, 0)
    assert len(found) == 9


def test_nothing_is_needed_beyond_the_end_of_the_world(field):
    field.body(7, REGION_LIMIT * 256 + 200.0, -REGION_LIMIT * 256 + 8.0, 8.0, -8.0)
    found = regions(field.look(NO_LAND))
    assert {max(abs(rx), abs(rz)) for rx, rz in found} <= {REGION_LIMIT, REGION_LIMIT - 1}
    assert len(found) == 4, "the corner of the world"


def test_no_more_regions_are_told_than_may_be_and_they_are_the_soonest():
    field = Field(limit=3)
    field.body(7, 128.0, 128.0, 8.0, 0.0)
    found = regions(field.look(NO_LAND))
    assert len(found) == 3
    assert found[:2] == [(0, 0), (1, 0)]


def test_nobody_needs_nothing(field):
    field.ahead.look(field.bodies, 40)
    assert field.ahead.arrivals(field.bodies, np.flatnonzero(field.bodies.id), NO_LAND) == []
