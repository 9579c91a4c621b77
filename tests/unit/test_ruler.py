"""The ruler says what it says on the golden sets, and what it must of land whose answer is known."""

import heapq
import json
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from golden.make_ruler import FEATURES_OF, SPACING_M, TILE, sets
from worldloom.worldgen.gan.artefacts import copy_check, nearest, parity, seam_test
from worldloom.worldgen.gan.copies import sought
from worldloom.worldgen.gan.drainage import FALL_M, areas, drainage, filled, receivers
from worldloom.worldgen.gan.features import features
from worldloom.worldgen.gan.filters import blurred, highest, level, lowest
from worldloom.worldgen.gan.ruler import FLOORS, compare, distances, index, survey

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "ruler.json").read_text(encoding="utf-8"))
LAND, REFERENCE = sets()
EXACT, SINGLE = 1e-9, 1e-6
"""Relative; the second where the random net is in it, which works in single precision."""
NET = {"kid", "kid_std", "diversity", "diversity_ratio"}


def rough(seed, count=4, side=64):
    """Land with slopes at every scale: ``[count, side, side]``."""
    return np.random.default_rng(seed).standard_normal((count, side, side)).cumsum(1).cumsum(2)


def poured(z):
    """Cell by cell from the lowest: the fill of one patch, by a heap (Barnes et al. 2014)."""
    side = len(z)
    water = np.full(z.shape, np.inf)
    edge = [(z[r, c], r, c) for r in range(side) for c in range(side) if {r, c} & {0, side - 1}]
    for height, r, c in edge:
        water[r, c] = height
    heapq.heapify(edge)
    while edge:
        height, r, c = heapq.heappop(edge)
        for down in range(max(r - 1, 0), min(r + 2, side)):
            for across in range(max(c - 1, 0), min(c + 2, side)):
                if water[down, across] == np.inf:
                    water[down, across] = max(z[down, across], height + FALL_M)
                    heapq.heappush(edge, (water[down, across], down, across))
    return water


@pytest.fixture(scope="module")
def surveys():
    return survey(LAND, SPACING_M), survey(REFERENCE, SPACING_M)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way"), [("compare", 1), ("compare_back", -1)])
def test_every_distance_is_the_golden_one(surveys, name, way):
    found = distances(*surveys[::way])
    assert set(found) == set(GOLDEN[name])
    for measure, value in GOLDEN[name].items():
        # Of 20 subsets that may be one and the same, the deviation is rounding alone.
        spread = {"abs": 1e-5} if measure == "kid_std" else {}
        assert found[measure] == pytest.approx(value, rel=SINGLE if measure in NET else EXACT, **spread), (
            measure
        )


def test_index_is_the_golden_one(surveys):
    one, other = surveys
    assert index(distances(one, other), distances(other, one)) == pytest.approx(GOLDEN["index"], rel=SINGLE)


def test_features_are_the_golden_ones(surveys):
    golden = np.array(GOLDEN["features"])
    found = surveys[0].features[:FEATURES_OF]
    assert found[:, :192] == pytest.approx(golden[:, :192], rel=1e-4, abs=1e-5)
    assert found[:, 192:] == pytest.approx(golden[:, 192:], rel=EXACT, abs=1e-12)


def test_drainage_is_the_golden_one():
    for found, golden in zip(drainage(LAND.astype(np.float64)), GOLDEN["drainage"], strict=True):
        assert found[: len(golden)] == pytest.approx(np.array(golden), rel=EXACT)


def test_copies_and_seams_are_found_as_in_the_golden_file():
    near, base = nearest(LAND, REFERENCE), nearest(REFERENCE[:50], REFERENCE[50:])
    assert near[:20] == pytest.approx(np.array(GOLDEN["nearest"]), rel=SINGLE)
    assert copy_check(near, base) == pytest.approx(GOLDEN["copy_check"], rel=SINGLE)
    assert seam_test(LAND[0], TILE) == pytest.approx(GOLDEN["seam_test"], rel=EXACT)


def test_a_set_is_no_distance_from_itself(surveys):
    found = distances(surveys[0], surveys[0])
    assert {name for name in FLOORS if found[name] > FLOORS[name]} == set()
    assert found["diversity_ratio"] == 1.0
    assert index(found, found) == 1.0


@pytest.mark.slow
def test_patches_are_compared_as_their_surveys_are(surveys):
    assert compare(LAND, REFERENCE, SPACING_M) == distances(*surveys)


@pytest.mark.slow
def test_higher_land_is_farther_in_slope_and_spectrum(surveys):
    found = distances(survey(LAND * 3, SPACING_M), surveys[0])
    assert found["lsd"] == pytest.approx(math.log10(9))
    assert found["lsd_shape"] == pytest.approx(0.0, abs=1e-9)
    assert found["slope_w1_deg"] > FLOORS["slope_w1_deg"]
    assert found["hypso_w1"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "wrong", [LAND[:1], LAND[0], LAND[:, :40, :40], LAND[:, :, :47], np.full((2, 64, 64), np.nan)]
)
def test_what_is_no_stack_of_patches_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        survey(wrong, SPACING_M)
    with pytest.raises(ValueError, match="expected"):
        features(wrong, SPACING_M)


def test_patches_of_another_size_than_the_references_are_refused():
    with pytest.raises(ValueError, match="as in the reference"):
        compare(rough(4, side=50), REFERENCE, SPACING_M)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_filled_land_is_that_of_the_flood_from_cell_to_cell(seed):
    z = rough(seed)
    assert np.array_equal(filled(z), np.stack([poured(patch) for patch in z]))


def test_fill_finds_its_way_out_of_a_spiral():
    z = np.full((1, 64, 64), 100.0)
    r, c, down, across = 0, 1, 1, 0
    for length in (62, 61, 60, 58, 57, 55, 54, 52, 51, 49, 48, 46, 45, 43, 42, 40):
        for _ in range(length):
            z[0, r, c] = 1.0
            r, c = r + down, c + across
        down, across = -across, down
    assert np.array_equal(filled(z)[0], poured(z[0]))


def test_a_cone_is_not_filled_and_drains_everything_over_its_border():
    t = np.arange(64) - 31.5
    cone = -np.hypot(t, t[:, None])[None] * 10
    pits, fill, _ = drainage(cone)
    assert (pits[0], fill[0]) == (0.0, 0.0)
    to = receivers(cone)
    ends = to[0] == np.arange(64 * 64)
    assert areas(to)[0, ends].sum() == 64 * 64


def test_a_bowl_is_filled_to_its_rim():
    t = np.arange(64) - 31.5
    bowl = np.maximum(np.abs(t), np.abs(t[:, None]))[None] ** 2
    water = filled(bowl)
    assert water[0, 1:-1, 1:-1] == pytest.approx(31.5**2 + np.zeros((62, 62)), abs=64 * FALL_M)
    assert drainage(bowl)[1][0] > 0.3


def test_areas_are_those_gathered_from_the_highest_cell_to_the_lowest():
    water = filled(rough(5))
    to = receivers(water)
    expected = np.ones(to.shape)
    for patch, heights, down in zip(expected, water.reshape(4, -1), to, strict=True):
        for cell in np.argsort(-heights, kind="stable"):
            patch[down[cell]] += patch[cell] if down[cell] != cell else 0
    assert np.array_equal(areas(to), expected)


def test_level_land_has_no_plane_left():
    rows, columns = np.mgrid[:64, :64]
    assert level((3.0 * rows - 7.0 * columns + 1000)[None]) == pytest.approx(np.zeros((1, 64, 64)), abs=1e-9)


def test_blur_keeps_the_mean_and_what_is_the_same_everywhere():
    z = rough(6)
    assert blurred(np.full((1, 64, 64), 7.0), 8) == pytest.approx(np.full((1, 64, 64), 7.0))
    assert blurred(z, 8).mean((1, 2)) == pytest.approx(z.mean((1, 2)))


@pytest.mark.parametrize("across", [1, 2, 3, 9])
def test_extremes_are_those_of_every_window(across):
    z = rough(7, count=1)
    windows = np.lib.stride_tricks.sliding_window_view(z, (across, across), (1, 2))
    assert np.array_equal(lowest(z, across), windows.min((3, 4)))
    assert np.array_equal(highest(z, across), windows.max((3, 4)))


def test_a_turned_mirrored_raised_copy_is_a_copy_and_other_land_is_not():
    copy = np.rot90(REFERENCE[:, :, ::-1], 3, (1, 2)) * 0.5 + 300
    assert nearest(copy, REFERENCE) == pytest.approx(np.ones(len(copy)), abs=1e-5)
    assert copy_check(nearest(copy, REFERENCE))["over95"] == 1.0
    assert nearest(rough(8), REFERENCE).max() < 0.95


def test_a_copy_from_any_place_of_a_tile_is_found_and_other_land_is_not():
    tiles = [z.astype(np.float32) for z in rough(12, count=2, side=200)]
    pieces = [tiles[1][r : r + 128, c : c + 128] for r, c in ((3, 70), (37, 11), (61, 2), (5, 5))]
    turned = np.stack([np.rot90(piece[:, ::-1], k) for k, piece in enumerate(pieces)])
    assert sought(turned * 2 - 40, tiles).min() > 0.9
    assert sought(rough(13, side=128), tiles).max() < 0.9
    assert sought(turned, tiles[:1]).max() < 0.9
    with pytest.raises(ValueError, match="multiples of 8"):
        sought(rough(14, side=100), tiles)
    with pytest.raises(ValueError, match="tiles of at least"):
        sought(turned, [tiles[0][:100]])


def test_a_whole_field_has_no_seam_and_mismatched_tiles_have_one():
    field = np.random.default_rng(9).standard_normal((256, 256))
    tiles = rough(10, count=16).reshape(4, 4, 64, 64).transpose(0, 2, 1, 3).reshape(256, 256)
    ratio, score = seam_test(field, 64)
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert abs(score) < 4
    ratio, score = seam_test(tiles, 64)
    assert ratio > 5
    assert score > 30
    with pytest.raises(ValueError, match="two tiles"):
        seam_test(field[:100], 64)


def test_a_trace_of_every_other_sample_shows_in_parity():
    field = blurred(np.random.default_rng(11).standard_normal((1, 256, 256)), 2)[0]
    marked = field.copy()
    marked[:, ::4] += 0.02
    assert parity(field) < 0.02
    assert parity(marked) > 5 * parity(field)
    assert parity(marked.T) == pytest.approx(parity(marked))
    assert parity(marked.reshape(4, 64, 256)[:, :, :64]) > 0.05
    with pytest.raises(ValueError, match="at least 4"):
        parity(field[:3])
