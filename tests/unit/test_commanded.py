"""Commanded land: what was asked for is compared with what came, and the net is asked as a world asks it."""

import numpy as np
import pytest

pytest.importorskip("torch")

from judged_land import piece
from small_loom import small_generator, small_table, style_of
from worldloom.errors import TerrainRejected
from worldloom.worldgen.gan.commanded import as_text, commanded, rank_correlation, weave
from worldloom.worldgen.gan.conditions import MEASURES, WINDOW, condition
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.model import HEIGHT_UNIT
from worldloom.worldgen.gan.weaver import HALO, REGION_PX, Weaver

TOLD = ["steepness", "relief", "roughness", "hypsometry", "sharpness", "grain"]


@pytest.fixture(scope="module")
def land():
    """Real windows in pixels: plains, hills and mountains."""
    found = [piece(k % 3, seed=k, rows=1, columns=1) / 90 for k in range(30)]
    return np.stack(found).astype(np.float32)


@pytest.fixture(scope="module")
def table(land):
    return np.stack([condition(window.astype(np.float64), 1.0, Landform.HILLS) for window in land])


def obedient(land, table):
    """A generator that makes the very window that is commanded."""
    known = {row.tobytes(): window for row, window in zip(table, land, strict=True)}
    return lambda asked: np.stack([known[row.tobytes()] for row in asked])


def test_real_land_does_as_it_is_told(land, table):
    done = []
    found = commanded(table, obedient(land, table), 30, 1, lambda *told: done.append(told))
    assert list(found) == TOLD
    for name, one in found.items():
        assert one.rank == pytest.approx(1.0), name
        assert one.measured == pytest.approx(one.commanded, rel=1e-5), name
    assert found["relief"].commanded == pytest.approx(np.median(np.ptp(land, axis=(1, 2))), rel=0.2)
    assert done == [(8, 30), (16, 30), (24, 30), (30, 30)]


def test_land_that_does_not_listen_goes_with_nothing(land, table):
    deaf = iter(np.random.default_rng(5).permutation(land))
    found = commanded(table, lambda asked: np.stack([next(deaf) for _ in asked]), 30, 1)
    assert max(abs(one.rank) for one in found.values()) < 0.5


def test_land_half_as_high_keeps_its_order_and_shows_in_the_ratio(land, table):
    make = obedient(land, table)
    found = commanded(table, lambda asked: make(asked) / 2, 30, 1)
    assert found["steepness"].rank == pytest.approx(1.0)
    assert found["steepness"].measured / found["steepness"].commanded == pytest.approx(0.5, rel=1e-3)
    assert found["hypsometry"].measured / found["hypsometry"].commanded == pytest.approx(1.0, rel=1e-3)


def test_the_same_windows_are_drawn_for_a_seed_and_none_twice_before_all_had_their_turn(land, table):
    drawn = []

    def noted(asked):
        drawn.extend(row.tobytes() for row in asked)
        return obedient(land, table)(asked)

    for count, seed in ((20, 1), (20, 1), (20, 2), (70, 1)):
        drawn.append(None)
        commanded(table, noted, count, seed)
    one, again, other, many = np.split(drawn, np.flatnonzero([row is None for row in drawn]))[1:]
    assert list(one) == list(again) != list(other)
    assert len(set(one[1:])) == 20
    assert set(many[1:31]) == set(many[31:61]) == {row.tobytes() for row in table}


def test_equal_values_share_their_rank():
    one, other = np.array([1.0, 2, 2, 3]), np.array([1.0, 3, 2, 4])
    assert rank_correlation(one, other) == pytest.approx(0.9**0.5)
    assert rank_correlation(one, -(other**3)) == pytest.approx(-(0.9**0.5))
    assert np.isnan(rank_correlation(one, np.zeros(4)))


@pytest.mark.slow
def test_a_patch_is_what_a_world_weaves_where_all_is_alike():
    style = style_of(Landform.ALPINE)
    patch = weave(small_generator(), 9)(style.conditions[None])[0]
    region = Weaver(small_generator(), 9).pixels(0, 0, lambda x, z: style, lambda x, z: style)
    expected = region[HALO:-HALO, HALO:-HALO] * (HEIGHT_UNIT * style.slope)
    assert patch.shape == (WINDOW, WINDOW)
    assert np.allclose(patch[:REGION_PX, :REGION_PX], expected, atol=1e-4 * np.ptp(expected))


@pytest.mark.slow
def test_every_patch_has_a_place_of_its_own_and_a_seed_gives_the_same_again():
    asked = np.repeat(style_of(Landform.HILLS).conditions[None], 3, 0)
    whole, parted = weave(small_generator(), 9), weave(small_generator(), 9)
    patches = whole(asked)
    assert np.allclose(patches, np.concatenate((parted(asked[:1]), parted(asked[1:]))), atol=1e-4)
    likeness = np.corrcoef(patches.reshape(3, -1))[np.triu_indices(3, 1)]
    assert np.abs(likeness).max() < 0.9
    assert not np.allclose(patches, weave(small_generator(), 10)(asked), atol=1e-2)


@pytest.mark.slow
def test_an_untrained_net_is_as_steep_as_it_is_told_for_slope_is_a_factor():
    found = commanded(small_table(), weave(small_generator(), 2), 24, 3)
    assert found["steepness"].rank > 0.8
    lines = as_text(found).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == TOLD
    assert len({len(line) for line in lines}) == 1
    assert [line.split("|")[-2].strip() == "-" for line in lines[2:]] == [
        name == "sharpness" for name in TOLD
    ]


def test_too_few_windows_and_land_that_is_none_are_refused(land, table):
    with pytest.raises(ValueError, match="expected at least 3 of some windows, got 2 of 30"):
        commanded(table, obedient(land, table), 2, 1)
    with pytest.raises(ValueError, match="got 5 of 0"):
        commanded(table[:0], obedient(land, table), 5, 1)
    with pytest.raises(TerrainRejected, match="expected finite heights"):
        commanded(table, lambda asked: np.full((len(asked), WINDOW, WINDOW), np.nan), 5, 1)
    assert len(MEASURES) == len(TOLD) + 1
