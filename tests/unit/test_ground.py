"""Ground: blends, splines and fine noise between the net's pixels and the samples of a tile."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from small_loom import style_of
from worldloom.worldgen.gan.ground import Blend, Grain, raised, sampled, values_of, wide
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.model import HEIGHT_UNIT
from worldloom.worldgen.gan.weaver import HALO, REGION_PX
from worldloom_sdk.protocol.tiles import SAMPLES

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

AT = np.arange(SAMPLES) / (SAMPLES - 1)
PIXELS = REGION_PX + 2 * HALO


def values(rx: int, rz: int) -> float:
    """Something else for every region."""
    return float(np.random.default_rng([rx + 50, rz + 50]).normal())


def nine(value: Callable[[int, int], float]) -> F64:
    return np.array([[[value(dx, dz) for dx in (-1, 0, 1)] for dz in (-1, 0, 1)]])


def blended(rx: int, rz: int, at: F64 = AT) -> F64:
    return Blend(at).of(nine(lambda dx, dz: values(rx + dx, rz + dz)))[0]


def test_the_weights_of_a_blend_sum_to_one() -> None:
    (one,) = Blend(AT).of(nine(lambda dx, dz: 1.0))
    assert one.shape == (SAMPLES, SAMPLES)
    np.testing.assert_allclose(one, 1.0, rtol=1e-15)


def test_a_blend_follows_a_slope_of_the_values() -> None:
    (found,) = Blend(AT).of(nine(lambda dx, dz: 3.0 * dx - 2.0 * dz))
    np.testing.assert_allclose(found, 3.0 * (AT[None, :] - 0.5) - 2.0 * (AT[:, None] - 0.5), atol=1e-12)


@pytest.mark.parametrize(("rx", "rz"), [(0, 0), (-7, 12), (3, -1)])
def test_blends_of_neighbours_are_equal_to_the_bit_along_their_edge(rx: int, rz: int) -> None:
    here, east, south = blended(rx, rz), blended(rx + 1, rz), blended(rx, rz + 1)
    assert np.ptp(here) > 0.1
    assert np.array_equal(here[:, -1], east[:, 0])
    assert np.array_equal(here[-1], south[0])


def test_a_blend_goes_on_with_the_same_slope_beyond_an_edge() -> None:
    h = 1e-5
    # The third place is the same in both regions: along it the edge is crossed.
    here, east, south = (
        blended(rx, rz, np.array([*ends, 0.3]))
        for rx, rz, ends in ((0, 0, (1 - h, 1.0)), (1, 0, (0.0, h)), (0, 1, (0.0, h)))
    )
    before, after = (here[2, 1] - here[2, 0]) / h, (east[2, 1] - east[2, 0]) / h
    assert abs(before) > 0.05
    assert before == pytest.approx(after, abs=1e-3)
    before, after = (here[1, 2] - here[0, 2]) / h, (south[1, 2] - south[0, 2]) / h
    assert abs(before) > 0.05
    assert before == pytest.approx(after, abs=1e-3)


def plane(east: float, south: float) -> npt.NDArray[np.float32]:
    at = np.arange(PIXELS) - HALO + 0.5
    return (east * at[None, :] + south * at[:, None] + 3.0).astype(np.float32)


@pytest.mark.parametrize(("east", "south"), [(0.5, 0.0), (0.0, -0.25), (1.5, 2.0)])
def test_a_plane_of_pixels_is_the_same_plane_of_samples(east: float, south: float) -> None:
    shape, steep = sampled(plane(east, south))
    at = np.arange(SAMPLES) / 2  # In pixels from the corner of the region.
    assert shape.shape == steep.shape == (SAMPLES, SAMPLES)
    np.testing.assert_allclose(shape, east * at[None, :] + south * at[:, None] + 3.0, atol=2e-4)
    np.testing.assert_allclose(steep, np.hypot(east, south), atol=2e-4)


def test_samples_of_neighbours_are_equal_to_the_bit_where_their_pixels_are() -> None:
    wide = np.random.default_rng(4).normal(size=(PIXELS, PIXELS + REGION_PX)).astype(np.float32)
    here, east = wide[:, :PIXELS].copy(), wide[:, REGION_PX:].copy()
    for mine, theirs in zip(sampled(here), sampled(east), strict=True):
        assert np.array_equal(mine[:, -1], theirs[:, 0])
    for mine, theirs in zip(sampled(here.T.copy()), sampled(east.T.copy()), strict=True):
        assert np.array_equal(mine[-1], theirs[0])


def test_steepness_is_that_of_the_samples() -> None:
    rng = np.random.default_rng(5)
    rough = rng.normal(size=(PIXELS, PIXELS)).cumsum(0).cumsum(1).astype(np.float32) / 20
    shape, steep = sampled(rough)
    down, across = np.gradient(shape, 0.5)
    found = np.hypot(down, across)[1:-1, 1:-1]
    assert np.abs(found - steep[1:-1, 1:-1]).mean() < 0.15 * steep.mean()


def test_what_the_net_made_is_raised_by_slope_and_foot_above_the_floor() -> None:
    style = style_of(Landform.CANYON)
    shape = np.random.default_rng(1).normal(size=(5, 5)).astype(np.float32)
    slope, foot = Blend(np.linspace(0, 1, 5)).of(values_of([[style] * 3] * 3, "slope", "foot"))
    found = raised(shape, slope, foot, np.full((5, 5), 7.0, np.float32))
    np.testing.assert_allclose(found, 7.0 + 4.0 * (style.foot + HEIGHT_UNIT * style.slope * shape), rtol=1e-5)


def grained(height: F32, slope: float = 0.4, rx: int = 2, rz: int = 2) -> F32:
    return Grain(77).on(rx, rz, height, np.full(height.shape, slope, np.float32))


def test_at_the_shore_there_is_no_grain_and_no_shore_moves() -> None:
    level = np.zeros((SAMPLES, SAMPLES), np.float32)
    assert np.array_equal(grained(level), level)
    rng = np.random.default_rng(2)
    low = rng.uniform(-0.3, 0.3, level.shape).astype(np.float32)
    found = grained(low)
    assert np.array_equal(np.sign(found), np.sign(low))
    assert (np.abs(found) <= np.abs(low)).all()
    assert np.abs(found).mean() < 0.8 * np.abs(low).mean(), "strands are flat"


def test_higher_up_grain_is_finer_than_a_man_and_rougher_on_slopes() -> None:
    high = np.full((SAMPLES, SAMPLES), 60.0, np.float32)
    gentle, steep = grained(high, 0.0) - high, grained(high, 1.0) - high
    assert np.abs(gentle).max() < 0.2
    assert 0.1 < steep.std() < 1.0
    assert np.abs(steep).max() < 2.0


@pytest.mark.parametrize("height_m", [2.0, 30.0])
@pytest.mark.parametrize(("rx", "rz"), [(30, -100), (-1, 0), (32_766, -32_767)])
def test_grain_of_neighbours_is_equal_to_the_bit_along_their_edge(height_m: float, rx: int, rz: int) -> None:
    level = np.full((SAMPLES, SAMPLES), height_m, np.float32)
    here, east, south = (grained(level, 0.5, rx + dx, rz + dz) for dx, dz in ((0, 0), (1, 0), (0, 1)))
    assert np.ptp(here) > 0.1
    assert np.array_equal(here[:, -1], east[:, 0])
    assert np.array_equal(here[-1], south[0])


def test_a_wide_field_is_the_field_and_neighbours_agree_to_the_bit() -> None:
    def field(x: F64, z: F64) -> F64:
        return 40.0 * np.sin(x / 300.0) * np.cos(z / 400.0)

    here, east, south = wide(-3, 5, field), wide(-2, 5, field), wide(-3, 6, field)
    x, z = np.arange(SAMPLES) * 2.0 - 768.0, np.arange(SAMPLES) * 2.0 + 1280.0
    np.testing.assert_allclose(here, field(x[None, :], z[:, None]), atol=0.05)
    assert np.array_equal(here[:, -1], east[:, 0])
    assert np.array_equal(here[-1], south[0])
