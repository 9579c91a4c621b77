"""Latents: the same from any piece, and of the distribution that the net was trained on."""

import numpy as np
import pytest

from worldloom.worldgen.gan.latents import Latents


@pytest.mark.parametrize("corner", [(0, 0), (-2_000_000, 1_999_970), (1 << 21, -(1 << 21))])
def test_a_piece_alone_is_the_same_as_within_a_larger_one(corner: tuple[int, int]) -> None:
    x, z = corner
    lattice = Latents(7, "latent", 32)
    whole = lattice.on((z - 5, z + 25), (x - 9, x + 21))
    assert whole.shape == (32, 30, 30)
    assert np.array_equal(lattice.on((z, z + 7), (x + 2, x + 13)), whole[:, 5:12, 11:22])
    assert np.array_equal(Latents(7, "latent", 32).on((z, z + 7), (x + 2, x + 13)), whole[:, 5:12, 11:22])


def test_numbers_are_uniform_of_unit_variance_and_mean_zero() -> None:
    drawn = Latents(3, "latent", 32).on((-60, 60), (-60, 60)).reshape(32, -1)
    error = drawn.shape[1] ** -0.5
    assert np.abs(drawn.mean(1)).max() < 4.5 * error
    assert np.abs(drawn.var(1) - 1).max() < 4.5 * error
    assert np.abs(drawn).max() <= 3**0.5
    assert abs(float((drawn**4).mean()) - 1.8) < 0.02, "the kurtosis of a uniform number"


def test_channels_neighbours_lattices_and_worlds_are_not_correlated() -> None:
    side = 128
    drawn = Latents(3, "latent", 32).on((0, side), (0, side))
    correlation = np.corrcoef(drawn.reshape(32, -1)) - np.eye(32)
    assert np.abs(correlation).max() < 5 / side
    assert abs(float((drawn[:, 1:] * drawn[:, :-1]).mean())) < 5 / side / 32**0.5
    assert abs(float((drawn[:, :, 1:] * drawn[:, :, :-1]).mean())) < 5 / side / 32**0.5
    for other in (Latents(3, "noise 0", 32), Latents(4, "latent", 32)):
        away = other.on((0, side), (0, side))
        assert abs(float((drawn * away).mean())) < 5 / side / 32**0.5
