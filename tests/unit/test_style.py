"""Styles and conditions: what land is like, as numbers that are measured, kept as bytes and read back."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_loom import small_table
from worldloom.worldgen.gan.conditions import CONDITIONS_N, MEASURES, WINDOW, condition, measure
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.style import Style, read_style

F64 = npt.NDArray[np.float64]

single = st.floats(-1e6, 1e6, width=32)


def rough(seed: int = 1) -> F64:
    """Land whose two directions, ups and downs are not alike."""
    rng = np.random.default_rng(seed)
    land = rng.normal(size=(WINDOW, WINDOW)).cumsum(0).cumsum(1)
    return np.asarray(40 * np.exp(land / np.abs(land).max()) + 3 * rng.normal(size=land.shape))


def value(heights: F64, name: str, spacing_m: float = 30.0) -> float:
    return float(measure(heights, spacing_m)[MEASURES.index(name)])


@given(
    conditions=st.lists(single, min_size=CONDITIONS_N, max_size=CONDITIONS_N),
    climate=st.tuples(single, single, single),
)
def test_a_style_is_read_from_its_bytes_as_it_was(
    conditions: list[float], climate: tuple[float, float, float]
) -> None:
    style = Style(np.array(conditions, np.float32), *climate)
    again = read_style(style.key)
    assert np.array_equal(again.conditions, style.conditions)
    assert (again.warmth, again.moisture, again.woods) == climate
    assert again.key == style.key
    assert len(style.key) <= 1_024, "as the database takes it"


def test_every_number_of_a_style_counts_in_its_key() -> None:
    usual = small_table()[0]
    keys = {Style(usual).key}
    for k in range(CONDITIONS_N):
        other = usual.copy()
        other[k] += 0.5
        keys.add(Style(other).key)
    keys |= {Style(usual, 0.5).key, Style(usual, 0.0, 0.75).key, Style(usual, 0.0, 0.5, 0.5).key}
    assert len(keys) == 1 + CONDITIONS_N + 3


@pytest.mark.parametrize(
    "change", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b"WLS2" + d[4:], lambda d: b""]
)
def test_bytes_that_are_no_style_are_refused_with_what_was_expected(change) -> None:
    data = change(Style(small_table()[0]).key)
    with pytest.raises(ValueError, match=f"expected a style of .* bytes, got {len(data)} bytes"):
        read_style(data)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_make_no_style(wrong: float) -> None:
    conditions = small_table()[0]
    conditions[3] = wrong
    with pytest.raises(ValueError, match=f"expected {CONDITIONS_N} finite conditions"):
        Style(conditions)
    data = bytearray(Style(small_table()[0]).key)
    data[4:8] = np.float32(wrong).tobytes()
    with pytest.raises(ValueError, match="finite"):
        read_style(bytes(data))
    data = bytearray(Style(small_table()[0]).key)
    data[-8:-4] = np.float32(wrong).tobytes()
    with pytest.raises(ValueError, match="finite"):
        read_style(bytes(data))


def test_conditions_of_another_length_make_no_style() -> None:
    with pytest.raises(ValueError, match="expected"):
        Style(np.zeros(CONDITIONS_N + 1, np.float32))


def test_slope_and_foot_of_a_style_are_those_of_the_land_that_it_was_measured_on() -> None:
    land = rough()
    style = Style(condition(land, 30.0, Landform.HILLS))
    assert style.foot == pytest.approx((land.mean() - land.min()) / 30.0, rel=1e-4)
    down, across = np.gradient(land / 30.0)
    inner = (down**2 + across**2)[1:-1, 1:-1]
    assert style.slope == pytest.approx(float(np.sqrt(inner.mean())), rel=1e-4)


@pytest.mark.parametrize(("east", "south"), [(0.2, 0.0), (-0.03, 0.04), (1.0, 1.0)])
def test_a_planes_steepness_is_its_slope(east: float, south: float) -> None:
    at = np.arange(WINDOW) * 30.0
    plane = 100.0 + east * at[None, :] + south * at[:, None]
    slope = float(np.hypot(east, south))
    assert value(plane, "steepness") == pytest.approx(np.log(slope))
    assert value(plane, "relief") == pytest.approx(np.log((abs(east) + abs(south)) * (WINDOW - 1)))
    assert value(plane, "grain") == pytest.approx(1.0, abs=1e-4)
    assert value(plane, "hypsometry") == pytest.approx(0.5)


def test_measures_are_the_same_in_all_eight_symmetries() -> None:
    land = rough()
    expected = measure(land, 30.0)
    for turns in range(4):
        for way in (np.rot90(land, turns), np.rot90(land, turns)[:, ::-1]):
            np.testing.assert_allclose(measure(np.ascontiguousarray(way), 30.0), expected, rtol=1e-6)


def test_land_of_another_scale_is_like_it_in_all_but_grandeur() -> None:
    land = rough()
    small, large = measure(land, 30.0), measure(land * 3, 90.0)
    np.testing.assert_allclose(small[:-1], large[:-1], rtol=1e-9)
    assert (small[-1], large[-1]) == (0.0, 1.0)
    twice = measure(land * 2, 30.0)
    np.testing.assert_allclose(twice[:2] - small[:2], np.log(2), rtol=1e-9)
    np.testing.assert_allclose(twice[2:], small[2:], atol=1e-6)


def test_upside_down_sharp_crests_become_sharp_troughs() -> None:
    land = rough()
    assert value(land, "sharpness") == pytest.approx(-value(-land, "sharpness"))
    crests = 100.0 - np.abs(np.arange(WINDOW) % 32 - 16.0)[None, :] ** 0.5 * np.ones((WINDOW, 1))
    assert value(crests, "sharpness") > 0.5


def test_level_ground_has_finite_measures() -> None:
    level = measure(np.full((WINDOW, WINDOW), 12.0), 30.0)
    assert np.isfinite(level).all()
    assert level[0] == pytest.approx(np.log(1e-3))


def test_a_condition_names_its_landform() -> None:
    found = condition(rough(), 30.0, Landform.CANYON)
    assert found.shape == (CONDITIONS_N,)
    assert list(np.flatnonzero(found[len(MEASURES) :])) == [Landform.CANYON]
