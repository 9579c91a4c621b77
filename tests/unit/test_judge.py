"""The judge: it tells landforms of real land, says how well, and learns nothing where there is nothing to learn."""

import numpy as np
import pytest

pytest.importorskip("torch")

from judged_land import SPACING_M, piece, tile
from worldloom.errors import ConfigError
from worldloom.worldgen.gan.judge import TOGETHER, Judge, Known, known, share_right, traits, trial
from worldloom.worldgen.gan.landforms import LANDFORMS_N, Landform


@pytest.fixture(scope="module")
def real():
    """Three tiles of each of three landforms, measured."""
    return known([tile(kind, seed) for kind in (0, 1, 2) for seed in (1, 2, 3)])


def relabelled(real: Known, kinds: list[int]) -> Known:
    """The same land, each tile called another landform."""
    return Known(real.traits, np.array(kinds)[real.tiles], real.tiles)


def crowd(kinds: list[int], patches: int, apart: float) -> Known:
    """A tile for each landform that is named; traits around a middle of each landform."""
    rng = np.random.default_rng(7)
    which = np.repeat(np.arange(len(kinds)), patches)
    called = np.array(kinds)[which]
    middles = rng.standard_normal((LANDFORMS_N, 12)) * apart
    return Known(middles[called] + rng.standard_normal((len(which), 12)), called, which)


@pytest.mark.slow
def test_land_of_tiles_that_it_never_saw_is_known_far_better_than_by_chance(real):
    found = trial(real)
    assert (found.patches, found.tiles, found.landforms) == (36, 9, 3)
    assert found.unseen.first > 0.8
    assert found.unseen_together.first > 0.8
    assert found.half_seen.first > 0.8
    assert found.unseen.first <= found.unseen.second <= 1.0


@pytest.mark.slow
def test_where_descriptions_are_shuffled_among_tiles_it_knows_no_more_than_chance(real):
    found = trial(relabelled(real, [0, 1, 2] * 3))
    assert found.unseen.first < 0.45


def test_descriptions_that_mean_nothing_are_not_learned_from_many_tiles():
    land = crowd([0] * 40, 6, apart=0.0)
    rng = np.random.default_rng(3)
    named = rng.permutation(np.arange(40) % 5)
    found = trial(Known(land.traits, named[land.tiles], land.tiles))
    assert found.unseen.first == pytest.approx(0.2, abs=0.1)
    assert found.unseen.second == pytest.approx(0.4, abs=0.12)


def test_a_landform_of_one_tile_is_not_counted_where_that_tile_is_away():
    with_one = trial(crowd([0, 0, 1, 1, 4], 8, apart=4.0))
    assert (with_one.landforms, with_one.unseen.first) == (3, 1.0)
    assert with_one.half_seen.first == 1.0
    alone = trial(crowd([0, 4], 8, apart=4.0))
    assert np.isnan(alone.unseen.first)
    assert np.isnan(alone.unseen_together.second)
    assert alone.half_seen.first == 1.0


def test_patches_together_are_known_better_than_one_by_one():
    found = trial(crowd([0, 1, 2, 3] * 3, TOGETHER, apart=0.35))
    assert found.unseen_together.first > found.unseen.first + 0.1


def test_a_landform_counts_by_itself_and_not_by_how_much_of_it_there_is():
    land = crowd([0] * 20 + [1], 10, apart=1.0)
    said = Judge(land.traits, land.kinds).shares(land.traits)
    assert share_right(said, land.kinds).first > 0.85
    assert share_right(np.eye(LANDFORMS_N)[np.zeros(len(land.kinds), int)], land.kinds).first == 0.5


def test_shares_sum_to_one_over_the_landforms_that_it_has_seen():
    land = crowd([0, 3, 7], 5, apart=2.0)
    judge = Judge(land.traits, land.kinds)
    said = judge.shares(land.traits * 100)
    assert judge.landforms == {Landform.PLAIN, Landform.HIGHLAND, Landform.BADLAND}
    assert np.allclose(said.sum(1), 1.0)
    assert not said[:, [k for k in range(LANDFORMS_N) if k not in judge.landforms]].any()


def test_land_without_any_difference_is_judged_without_complaint():
    judge = Judge(np.zeros((6, 4)), np.arange(6) % 2)
    assert np.allclose(judge.shares(np.zeros((1, 4)))[0, :2], 0.5)


@pytest.mark.slow
def test_neither_scale_nor_direction_plays_a_part():
    land = piece(2, 4).reshape(2, 128, 2, 128).swapaxes(1, 2).reshape(4, 128, 128)
    same = traits(land, SPACING_M)
    assert np.allclose(same, traits(land * 2.0, 2 * SPACING_M), atol=1e-6)
    spread = np.abs(same - same.mean(0)).mean()
    assert np.abs(same - traits(np.roll(land, 1, 0), SPACING_M)).mean() > 0.5 * spread


@pytest.mark.slow
def test_tiles_of_one_landform_or_without_dry_land_are_refused():
    with pytest.raises(
        ConfigError, match="at least two landforms with dry patches of 128 samples, got alpine"
    ):
        known([tile(2, 1, 1, 2), tile(2, 2, 1, 2)])
    small = tile(0, 1, 1, 1)
    with pytest.raises(ConfigError, match="got none"):
        known([small])
    with pytest.raises(ValueError, match="at least two landforms, got 1"):
        Judge(np.zeros((4, 3)), np.zeros(4, int))


def test_the_report_tells_what_chance_would_reach():
    text = trial(crowd([0, 0, 1, 1, 4, 4], 4, apart=3.0)).text()
    assert text.startswith("The judge learned from 24 patches of 6 tiles, 3 landforms.")
    assert text.splitlines()[-1].split() == ["|", "by", "chance", "|", "33%", "|", "67%", "|"]
