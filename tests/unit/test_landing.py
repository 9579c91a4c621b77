"""Where a body is set down whose client asked for a place."""

import numpy as np
import pytest

from sim_world import SimWorld
from worldloom.replication.feed import Join
from worldloom.world.enter import BOTS, ENTER, SEE, Gate
from worldloom.world.parcels import PARCELS

HOUSE, GUEST, OWNER = 9_000_000, 0x8000_0001, 7
ASKED, INSTEAD = (100 * 64, 100 * 64), (5_000 * 64, 5_000 * 64)


def fenced(regions: range) -> SimWorld:
    """A world in which these regions along both axes are one house, shut to all but its owner."""
    world = SimWorld()
    grid = np.full((PARCELS, PARCELS), HOUSE, np.int64)
    gate = Gate(HOUSE, [(0, 0)], {OWNER: [(0, ENTER | SEE | BOTS)]})
    for rx in regions:
        for rz in regions:
            world.fence(rx, rz, grid, [gate])
    return world


def landed(
    world: SimWorld, avatar: int, instead: tuple[int, int] | None = INSTEAD
) -> tuple[float, float] | None:
    world.uplink.control(Join(avatar, *ASKED, 0, instead=instead))
    world.tick(2)
    return world.where(avatar)


def test_where_it_may_be_it_is():
    assert landed(fenced(range(0)), GUEST) == (100, 100)
    assert landed(fenced(range(-3, 4)), OWNER) == (100, 100)


def test_before_a_shut_house_it_stands_outside():
    x, z = landed(fenced(range(1)), GUEST)
    assert not (0 <= x < 256 and 0 <= z < 256)
    assert max(abs(x - 100), abs(z - 100)) < 180


def test_where_all_around_is_shut_it_is_where_it_would_have_come_without():
    assert landed(fenced(range(-4, 5)), GUEST) == (5_000, 5_000)


@pytest.mark.parametrize("avatar", [GUEST, OWNER])
def test_who_asked_for_nothing_is_set_down_in_any_case(avatar: int):
    assert landed(fenced(range(-4, 5)), avatar, instead=None) == (100, 100)
