import numpy as np
import pytest

from worldloom.bench.scenarios import WALK_M_PER_S, Area, Scenario, Walkers, area_of, far_places
from worldloom_sdk.protocol.geometry import CELL_UNITS, XZ_PER_M

_NOBODY = np.empty(0, np.int64)


@pytest.mark.parametrize(("scenario", "per_cell"), [("plain", 8), ("festival", 120), ("concert", 500)])
def test_the_square_has_the_density_of_its_scenario(scenario, per_cell):
    area = area_of(Scenario(scenario), 2_000)
    assert 2_000 / (area.side / CELL_UNITS) ** 2 == pytest.approx(per_cell, rel=0.01)


def test_walkers_stay_inside_and_keep_their_pace():
    area = area_of(Scenario.CONCERT, 50)
    walkers = Walkers(area, 50, _NOBODY, np.random.default_rng(2))
    everybody = np.arange(50)
    last = walkers.step(everybody, 0, 0.1)
    ways = []
    for number in range(1, 600):
        x, z = walkers.step(everybody, number, 0.1)
        assert area.low <= min(x.min(), z.min())
        assert max(x.max(), z.max()) < area.high
        ways.append(np.hypot(x - last[0], z - last[1]))
        last = (x, z)
    assert np.median(ways) == pytest.approx(WALK_M_PER_S * XZ_PER_M * 0.1, abs=1.0)
    assert np.max(ways) < 2 * WALK_M_PER_S * XZ_PER_M * 0.1


def test_border_steppers_are_now_on_one_side_and_now_on_the_other():
    area = area_of(Scenario.CONCERT, 4)
    walkers = Walkers(area, 4, np.array([1, 2]), np.random.default_rng(2))
    cells = [walkers.step(np.array([1, 2]), number, 0.1)[0] // CELL_UNITS for number in range(4)]
    assert [cell.tolist() for cell in cells] == [[3, 3], [4, 4], [3, 3], [4, 4]]


def test_near_finds_those_within_reach_and_no_others():
    walkers = Walkers(Area(0, 100), 3, _NOBODY, np.random.default_rng(2))
    walkers.x[:], walkers.z[:] = [0.0, 3.0, 3.1], [0.0, 4.0, 4.0]
    assert walkers.near(0, 5.0).tolist() == [0, 1]


def test_far_places_share_no_region_around_them():
    regions = [(x >> 14, z >> 14) for x, z in far_places(50)]
    around = {(rx + dx, rz + dz) for rx, rz in regions for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    assert len(around) == 9 * 50
    assert not around & {(rx, rz) for rx in range(-2, 20) for rz in range(-2, 20)}
