"""Evaluation: its table has a row for each set, and tells copies, noise and bad input from land."""

import numpy as np
import pytest

pytest.importorskip("torch")

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.baselines import perlin_patches, spectral_patches
from worldloom.worldgen.gan.evaluation import PATCH, Evaluation, Yardstick, cut_mosaic, evaluate
from worldloom.worldgen.gan.ruler import FLOORS, stats

SPACING_M = 90.0


def land(seed, rows=2, columns=3):
    """A piece of mountains, ``[rows, columns]`` patches large: a spectrum, folded into valleys."""
    shape = (rows * PATCH, columns * PATCH)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = np.inf
    waves = np.fft.rfft2(np.random.default_rng(seed).standard_normal(shape))
    z = np.fft.irfft2(waves * frequency**-1.8, s=shape)
    return np.abs(z / z.std() * 400)


def write_tile(folder, name, z, spacing_m=SPACING_M, mask=None):
    mask = np.zeros(z.shape, np.uint8) if mask is None else mask
    stored = np.round(z / 0.25).astype(np.int16)
    np.savez(
        folder / f"{name}.npz",
        z=stored,
        scale=0.25,
        offset=0.0,
        mask=mask,
        spacing_m=spacing_m,
        landform="hills",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("tiles")
    for name, seed in (("one", 1), ("two", 2), ("unseen", 3)):
        write_tile(found, name, land(seed))
    write_tile(found, "finer", land(4), spacing_m=30.0)
    return found


@pytest.fixture(scope="module")
def yard(folder):
    return Yardstick.of(folder, ["unseen"], SPACING_M)


@pytest.mark.slow
def test_there_is_a_row_for_held_out_land_for_each_seed_and_for_noise(folder):
    asked, stages = [], []

    def draw(count, seed):
        asked.append((count, seed))
        return cut_mosaic(land(100 + seed, 2, 2)).astype(np.float32)

    found = evaluate(
        draw,
        folder,
        ["unseen"],
        count=4,
        seeds=(5, 6),
        on_stage=lambda done, total, stage: stages.append((done, total)),
    )
    assert asked == [(4, 5), (4, 6)]
    assert list(found.rows) == [
        "held-out land",
        "model, seed 5",
        "model, seed 6",
        "Perlin, 6 octaves",
        "fBm, real exponents",
    ]
    assert stages == [(done, 5) for done in range(6)]
    assert found.reference == 12
    assert found.rows["held-out land"]["index"] == 1.0
    assert found.rows["held-out land"]["n"] == 6
    assert all(set(FLOORS) < set(row) for row in found.rows.values())


@pytest.mark.slow
def test_copies_of_training_land_raise_the_alarm_and_unseen_land_does_not(yard):
    assert yard.row(yard.train + 50)["over95"] == 1.0
    assert yard.held_out["over95"] == 0.0
    between = np.rot90(np.round(land(1) / 0.25)[60:188, 100:228] * 0.25, 1)
    found = yard.row(np.stack([between, between]).astype(np.float32))
    assert (found["over95"], found["anywhere"]) == (0.0, 1.0)
    assert yard.held_out["anywhere"] == 0.0


@pytest.mark.slow
def test_a_mosaic_is_cut_into_patches_and_its_seams_are_looked_at(folder):
    found = evaluate(lambda count, seed: land(7, 3, 3), folder, ["unseen"], count=5, seeds=(1,), tile=64)
    row = found.rows["model, seed 1"]
    assert row["n"] == 5
    assert row["seam"] == pytest.approx(1.0, abs=0.1)
    assert "seam" not in found.rows["held-out land"]


@pytest.mark.slow
def test_land_in_which_the_ruler_sees_no_difference_scores_better_than_noise(yard):
    same = yard.row(cut_mosaic(land(9, 3, 3)).astype(np.float32))
    noise = yard.row(perlin_patches(yard.reference.stats, 9, PATCH, 1))
    assert same["index"] < noise["index"]


def test_the_table_reads_as_it_stands():
    row = {"n": 12.0, "index": 1.0, "kid": -0.051, "fill_mean": 0.00035}
    lines = Evaluation(40, {"held-out land": row, "model": row | {"seam": 1.01}}).text().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")][1:5] == ["held-out land", "12", "1.00", "-0.05"]
    assert "0.35" in lines[2]
    assert "1.010" not in lines[2]
    assert "1.010" in lines[3]


def test_a_mosaics_patches_lie_side_by_side():
    mosaic = np.arange(300 * 260, dtype=np.float32).reshape(300, 260)
    cut = cut_mosaic(mosaic)
    assert cut.shape == (4, PATCH, PATCH)
    assert np.array_equal(cut[1], mosaic[:PATCH, PATCH : 2 * PATCH])


@pytest.mark.slow
@pytest.mark.parametrize("make", [perlin_patches, spectral_patches])
def test_noise_is_as_high_as_real_land_and_the_same_for_a_seed(make):
    real = cut_mosaic(land(8))
    measured = stats(real, SPACING_M)
    one = make(measured, 5, PATCH, 3)
    reliefs = np.ptp(real.reshape(len(real), -1), axis=1)
    assert all(np.abs(reliefs / np.ptp(patch) - 1).min() < 1e-3 for patch in one)
    assert np.array_equal(one, make(measured, 5, PATCH, 3))
    assert not np.array_equal(one, make(measured, 5, PATCH, 4))


@pytest.mark.slow
def test_noise_of_real_exponents_has_them(yard):
    made = stats(spectral_patches(yard.reference.stats, 8, PATCH, 2), SPACING_M)
    assert made.beta.mean() == pytest.approx(yard.reference.stats.beta.mean(), abs=0.3)


def test_held_out_tiles_that_are_not_there_are_named(folder):
    with pytest.raises(ConfigError, match="none called elsewhere"):
        Yardstick.of(folder, ["unseen", "elsewhere"], SPACING_M)


def test_tiles_without_dry_land_of_the_spacing_are_refused(folder, tmp_path):
    with pytest.raises(ConfigError, match="at 90 m in held-out tiles, got 0"):
        evaluate(lambda count, seed: land(1), folder, ["finer"])
    write_tile(tmp_path, "sea", land(1), mask=np.full((2 * PATCH, 3 * PATCH), 2, np.uint8))
    write_tile(tmp_path, "unseen", land(2))
    with pytest.raises(ConfigError, match="in training tiles, got 0"):
        Yardstick.of(tmp_path, ["unseen"], SPACING_M)


@pytest.mark.slow
@pytest.mark.parametrize(
    "bad", [np.zeros((4, 64, 64)), np.full((4, PATCH, PATCH), np.inf), np.zeros((1, PATCH, PATCH))]
)
def test_a_model_that_gives_no_land_is_refused(yard, bad):
    with pytest.raises(ValueError, match="expected"):
        yard.row(bad)


def test_a_table_needs_patches_and_a_seed(folder):
    with pytest.raises(ValueError, match="at least 2 patches and a seed"):
        evaluate(lambda count, seed: land(1), folder, ["unseen"], count=1)
    with pytest.raises(ValueError, match="at least 2 patches and a seed"):
        evaluate(lambda count, seed: land(1), folder, ["unseen"], seeds=())
