"""Silt: hollows are filled up to where they spill, alike for all regions that share them, and nothing else changes."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_loom import LOOM_SEED, patchwork, small_model, style_of
from worldloom.worldgen.gan.drainage import filled as drained
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.modulations import REGION_PX, StyleOf
from worldloom.worldgen.gan.silt import NODES, PITCH_M, Silt, filled, nodes_of
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weaver import HALO

Region = tuple[int, int]
F32 = npt.NDArray[np.float32]

SIDE = 32
PLAIN, ALPS = style_of(Landform.PLAIN), style_of(Landform.ALPINE)


def plain(rx: int, rz: int) -> Style:
    return PLAIN


def rough(seed: int, side: int = SIDE) -> F32:
    """Noise well above the sea, all of it hollows."""
    return np.random.default_rng(seed).uniform(10.0, 50.0, (side, side)).astype(np.float32)


def falling(by: float, side: int = SIDE) -> F32:
    return np.full((side, side), by, np.float32)


class Land:
    """Heights by global node; style does not matter but is noted."""

    def __init__(self, height: F32, steep: float = 0.5) -> None:
        self.height, self.steep = height, steep
        self.asked: set[Region] = set()

    def block(self, rx: int, rz: int, style: StyleOf) -> tuple[F32, F32]:
        self.asked |= {
            (rx + dx, rz + dz) for dx in (-1, 0, 1) for dz in (-1, 0, 1) if style(rx + dx, rz + dz)
        }
        rows, columns = ((np.arange(NODES) + r * NODES) % len(self.height) for r in (rz, rx))
        return self.height[np.ix_(rows, columns)], falling(self.steep, NODES)


def test_a_bowl_is_filled_up_to_its_lowest_rim_and_falls_towards_it() -> None:
    ground = np.full((7, 7), 5.0, np.float32)
    ground[1:6, 1:6] = 9.0
    ground[2:5, 2:5] = 6.0
    ground[3, 5] = 7.0  # The outlet.
    water = filled(ground, falling(0.25, 7))
    expected = ground.copy()
    # From the outlet inwards, a quarter of a metre to a cell.
    expected[2:5, 4], expected[2:5, 3], expected[2:5, 2] = 7.25, 7.5, 7.75
    assert np.array_equal(water, expected)


def test_what_drains_stays_as_it_is() -> None:
    down, across = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    slope = 100.0 + 2.0 * down + 0.5 * across
    valley = 100.0 + down + 3.0 * np.abs(across - 15.0)
    for ground in (slope, valley):
        assert np.array_equal(filled(ground, falling(0.01)), ground)


def test_a_level_plain_becomes_a_roof_that_falls_to_its_border() -> None:
    water = filled(np.full((5, 5), 8.0, np.float32), falling(0.5, 5))
    assert np.array_equal(water[2], [8.0, 8.5, 9.0, 8.5, 8.0])


def test_the_bed_of_the_sea_is_no_hollow_and_drains_the_land_around_it() -> None:
    ground = np.full((9, 9), 20.0, np.float32)
    ground[2:7, 2:7] = 4.0
    ground[4, 4] = -3.0
    water = filled(ground, falling(0.25, 9))
    assert water[4, 4] == -3.0
    # It falls towards the sea from two cells away.
    assert np.array_equal(water[4, 2:7], [4.25, 4.0, -3.0, 4.0, 4.25])
    dry = filled(np.where(ground < 0, np.float32(1.0), ground), falling(0.25, 9))
    assert dry[4, 4] > 20.0


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), fall=st.sampled_from([0.125, 0.5, 2.0]))
def test_no_cell_is_lowered_and_from_each_a_way_leads_down_and_out(seed: int, fall: float) -> None:
    ground = rough(seed)
    water = filled(ground, falling(fall))
    assert (water >= ground).all()
    inner = water[1:-1, 1:-1]
    around = [
        water[1 + dz : SIDE - 1 + dz, 1 + dx : SIDE - 1 + dx]
        for dz in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if dz or dx
    ]
    assert (np.min(around, 0) < inner).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_it_is_the_fill_that_land_is_measured_by(seed: int) -> None:
    ground = rough(seed)
    exact = drained(ground[None].astype(np.float64))[0]
    # That one lets water fall by a tenth of a millimetre a cell, which single precision has hardly steps for.
    np.testing.assert_allclose(filled(ground, falling(1e-4)), exact, atol=5e-3)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 1_000), turns=st.integers(0, 3), mirrored=st.booleans())
def test_it_knows_no_direction(seed: int, turns: int, mirrored: bool) -> None:
    ground = rough(seed)
    other = np.rot90(ground[:, ::-1] if mirrored else ground, turns)
    water = filled(ground, falling(0.25))
    turned = np.rot90(water[:, ::-1] if mirrored else water, turns)
    assert np.array_equal(filled(np.ascontiguousarray(other), falling(0.25)), turned)


def test_nodes_are_means_of_the_four_by_four_pixels_around_them() -> None:
    at = np.arange(REGION_PX + 2 * HALO) - HALO + 0.5
    nodes = nodes_of((3.0 * at[None, :] - 2.0 * at[:, None]).astype(np.float32))
    places = np.arange(NODES) * 4.0
    np.testing.assert_allclose(nodes, 3.0 * places[None, :] - 2.0 * places[:, None], atol=1e-4)


def test_regions_agree_to_the_bit_on_the_silt_of_the_nodes_that_they_share() -> None:
    land = Land(rough(4, 8 * NODES))
    here, east, south = (Silt(plain, land.block).on(*at, plain) for at in ((2, -3), (3, -3), (2, -2)))
    # From one node before a region to one beyond its end; the last two of them are those that samples do not reach.
    assert np.array_equal(here[:18, NODES : NODES + 3], east[:18, :3])
    assert np.array_equal(here[NODES : NODES + 3, :18], south[:3, :18])
    assert here.max() > 5.0


def test_the_same_land_elsewhere_gets_the_same_silt() -> None:
    land = Land(rough(5, 8 * NODES))
    assert np.array_equal(Silt(plain, land.block).on(1, 2, plain), Silt(plain, land.block).on(-15, 10, plain))


def test_a_hollow_that_lies_within_the_windows_is_filled_whole_wherever_it_lies() -> None:
    """Windows weigh 1 together, at every node."""
    for corner in range(0, NODES, 3):
        height = np.full((4 * NODES,) * 2, 50.0, np.float32)
        height[2 * NODES + 5, 2 * NODES + corner] = 30.0
        found = Silt(plain, Land(height, steep=1e-6).block).on(2, 2, plain)
        expected = np.zeros_like(found)
        expected[6, 1 + corner] = 20.0
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_steep_land_gets_silt_that_falls_steeply() -> None:
    height = np.full((4 * NODES,) * 2, 50.0, np.float32)
    height[2 * NODES + 4 : 2 * NODES + 9, 2 * NODES + 4 : 2 * NODES + 9] = 30.0
    low, high = (Silt(plain, Land(height, steep).block).on(2, 2, plain) for steep in (0.01, 1.0))
    assert high[7, 7] - low[7, 7] > 0.01 * PITCH_M


def test_styles_are_asked_for_in_the_3_x_3_regions_around_and_a_chosen_one_stands_for_what_lies_behind_it() -> (
    None
):
    asked: set[Region] = set()

    def style(rx: int, rz: int) -> Style:
        asked.add((rx, rz))
        return ALPS if (rx, rz) == (5, 5) else PLAIN

    seen: dict[Region, set[bytes]] = {}

    def block(rx: int, rz: int, told: StyleOf) -> tuple[F32, F32]:
        for dx in (-1, 0, 1):
            for dz in (-1, 0, 1):
                seen.setdefault((rx + dx, rz + dz), set()).add(told(rx + dx, rz + dz).key)
        return rough(1, NODES), falling(0.1, NODES)

    Silt(plain, block).on(4, 4, style)
    assert asked == {(rx, rz) for rx in (3, 4, 5) for rz in (3, 4, 5)}
    assert seen[6, 6] == {ALPS.key}
    assert seen[2, 2] == {PLAIN.key}


@pytest.mark.slow
def test_silt_is_part_of_woven_land_and_lies_where_it_had_hollows() -> None:
    source = GanSource(small_model(), LOOM_SEED)
    silt = source.silt(35, -35, patchwork)
    assert silt.shape == (129, 129)
    assert silt.max() > 0.1
    styles = {(dx, dz): patchwork(35 + dx, dz - 35).key for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    land = source.weave(35, -35, styles).heights
    source.silt = lambda rx, rz, style: np.zeros_like(silt)  # type: ignore[method-assign]
    bare = source.weave(35, -35, styles).heights
    # Grain is finer by the shore, so heights differ by silt and a little.
    raised = (land.astype(float) - bare) / 32
    assert np.corrcoef(raised.ravel(), silt.ravel())[0, 1] > 0.9


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worldloom.worldgen.gan.silt._MEMORY", 6)
    land = Land(rough(6, 8 * NODES))
    silt, alone = Silt(plain, land.block), Silt(plain, land.block)
    for rx in range(6):
        assert np.array_equal(silt.on(9 * rx, 0, plain), alone.on(9 * rx, 0, plain))
        assert len(silt._windows) <= 6
