"""Provinces: what land is like where nobody chose, from the seed alone."""

import numpy as np
import pytest

from small_loom import small_table
from worldloom.worldgen.gan.conditions import CONDITIONS_N, MEASURES
from worldloom.worldgen.gan.landforms import LANDFORMS_N
from worldloom.worldgen.gan.provinces import PITCH_M, Provinces
from worldloom.worldgen.gan.style import read_style
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M

SEEDS = (0, 1, 7, 2**63 - 1)


def sixteen() -> np.ndarray:
    """A table whose windows are steeper one than the other."""
    table = np.zeros((16, CONDITIONS_N), np.float32)
    table[:, 0] = np.random.default_rng(1).permutation(16)
    table[:, len(MEASURES)] = 1
    return table


@pytest.mark.parametrize("seed", SEEDS)
def test_every_block_of_sixteen_provinces_has_each_sixteenth_of_all_land_once(seed: int) -> None:
    provinces = Provinces(seed, sixteen())
    orders = set()
    for bx, bz in ((1, 0), (5, 0), (1, 7), (-3, 2), (-2, -2)):
        block = [(4 * bx + i, 4 * bz + j) for j in range(4) for i in range(4)]
        found = [int(provinces._conditions(cell)[0]) for cell in block]
        assert sorted(found) == list(range(16))
        orders.add(tuple(found))
    assert len(orders) == 5


@pytest.mark.parametrize("seed", SEEDS)
def test_the_steep_lies_beside_the_steep(seed: int) -> None:
    provinces = Provinces(seed, sixteen())
    steps = []
    for bx, bz in ((2, 3), (5, 0), (1, 7), (-3, 2), (-2, -2), (9, 9)):
        block = np.array([[provinces._stratum((4 * bx + i, 4 * bz + j)) for i in range(4)] for j in range(4)])
        steps += [np.abs(np.diff(block, axis=axis)).mean() for axis in (0, 1)]
    # In no order at all neighbours are (16 + 1) / 3 apart.
    assert np.mean(steps) < 0.75 * 17 / 3


def test_two_provinces_of_one_seed_agree_in_any_order_and_other_seeds_do_not() -> None:
    one, two, other = (Provinces(seed, small_table()) for seed in (5, 5, 6))
    regions = [(0, 0), (-9, 4), (1_000, -20_000), (REGION_LIMIT, REGION_LIMIT), (30, 31)]
    first = [one.style(*at).key for at in regions]
    assert [two.style(*at).key for at in reversed(regions)] == first[::-1]
    assert not set(first) & {other.style(*at).key for at in regions}


def test_the_order_of_the_table_does_not_count() -> None:
    table = small_table()
    shuffled = table[np.random.default_rng(2).permutation(len(table))]
    assert Provinces(5, table).style(3, 4).key == Provinces(5, shuffled).style(3, 4).key


@pytest.mark.parametrize("seed", SEEDS)
def test_the_middle_of_the_world_lies_just_above_the_sea_with_a_shore_in_reach(seed: int) -> None:
    provinces = Provinces(seed, small_table())
    at = np.arange(-700.0, 701.0, 20.0)
    floor = provinces.floor_m(at[None, :], at[:, None])
    away = np.hypot(at[None, :], at[:, None])
    middle = floor[away < 30]
    assert 2 < middle.min() <= middle.max() < 10
    assert floor.min() < -0.5, "sea"
    assert floor.max() > 8
    assert float(floor[away > 600].std()) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_the_land_around_the_middle_is_gentle(seed: int) -> None:
    table = small_table()
    provinces = Provinces(seed, table)
    steep = [provinces.style(rx, rz).conditions[0] for rx in (-1, 0) for rz in (-1, 0)]
    assert max(steep) < np.quantile(table[:, 0], 0.5)


def test_land_and_sea_go_on_for_ever() -> None:
    provinces = Provinces(3, small_table())
    far = 8_000_000.0 + np.arange(0, 20_000.0, 200.0)
    floor = provinces.floor_m(far[None, :], -far[:, None])
    assert 0.5 < (floor > 0).mean() < 0.95
    assert -250 < floor.min() < 0 < floor.max() < 30


def test_styles_change_by_and_by_and_are_all_of_the_table() -> None:
    provinces = Provinces(3, small_table())
    styles = np.array([provinces.style(rx, 20).conditions for rx in range(60)])
    steps = np.abs(np.diff(styles[:, 0]))
    # A province is five regions wide: no step is as large as the whole of the table.
    assert steps.max() < 0.5 * np.ptp(small_table()[:, 0])
    assert np.ptp(styles[:, 0]) > 1.0
    np.testing.assert_allclose(styles[:, len(MEASURES) : len(MEASURES) + LANDFORMS_N].sum(1), 1.0, atol=1e-5)
    assert PITCH_M / REGION_M == 5


def test_climate_stays_within_its_bounds() -> None:
    provinces = Provinces(3, small_table())
    styles = [provinces.style(7 * rx, 5 * rz) for rx in range(12) for rz in range(12)]
    assert all(0 <= style.moisture <= 1 and -1 <= style.warmth <= 1 and style.woods == 0 for style in styles)
    assert np.std([style.moisture for style in styles]) > 0.05
    assert np.std([style.warmth for style in styles]) > 0.05


def test_styles_are_those_of_the_nine_regions_around() -> None:
    provinces = Provinces(3, small_table())
    styles = provinces.styles(10, -20)
    assert set(styles) == {(dx, dz) for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    assert all(key == provinces.style(10 + dx, -20 + dz).key for (dx, dz), key in styles.items())
    assert np.array_equal(read_style(styles[0, 0]).conditions, provinces.style(10, -20).conditions)


def test_no_style_is_said_of_what_lies_beyond_the_end_of_the_world() -> None:
    provinces = Provinces(3, small_table())
    assert set(provinces.styles(REGION_LIMIT, -REGION_LIMIT)) == {(-1, 0), (0, 0), (-1, 1), (0, 1)}
    assert len(provinces.styles(-REGION_LIMIT, 0)) == 6


def test_many_styles_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worldloom.worldgen.gan.provinces._MEMORY", 5)
    provinces = Provinces(3, small_table())
    first = provinces.style(0, 0).key
    for rx in range(12):
        provinces.style(rx, 0)
        assert len(provinces._styles) <= 5
    assert provinces.style(0, 0).key == first


def test_styles_are_the_same_whatever_was_forgotten_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worldloom.worldgen.gan.provinces._MEMORY", 50)
    monkeypatch.setattr("worldloom.worldgen.gan.provinces._BLOCKS", 2)
    forgetful, other = Provinces(3, small_table()), Provinces(3, small_table())
    regions = [(7 * i - 40, 3 * i * i - 200) for i in range(60)]
    expected = [other.style(*at).key for at in reversed(regions)][::-1]
    assert [forgetful.style(*at).key for at in regions] == expected
    assert len(forgetful._styles) <= 50
    assert len(forgetful._blocks) <= 2
    assert len(forgetful._cells) <= 2 * 36
