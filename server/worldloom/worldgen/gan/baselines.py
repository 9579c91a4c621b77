"""Baselines: land of noise alone, which a trained generator has to beat. Relief is real land's, the shape is noise.

Perlin's six octaves as games have them, and noise whose power falls off just as the reference's does.
"""

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.filters import F64
from worldloom.worldgen.gan.ruler import Stats
from worldloom.worldgen.lattice import fbm, key_of

__all__ = ["perlin_patches", "spectral_patches"]

F32 = npt.NDArray[np.float32]

_OCTAVES = 6
_WAVES = 2
"""Bumps of the first octave across a patch. Of 0.5, 1, 2 and 4 this comes nearest to real land by far."""
_ROOM = 1 << 20


def perlin_patches(reference: Stats, count: int, side: int, seed: int) -> F32:
    """Six octaves of Perlin noise, each of half the wavelength and height: ``[count, side, side]`` metres.

    Args:
        reference: Relief is drawn from it.
        count: How many.
        side: Samples along a side.
        seed: Of everything.
    """
    rng = np.random.default_rng(seed)
    key = key_of(seed, "baseline")
    t = np.arange(side) * (_WAVES / side)
    corners = rng.uniform(-_ROOM, _ROOM, (count, 2))
    z = np.stack([fbm(x + t, z + t[:, None], key, _OCTAVES) for x, z in corners])
    return _as_high(z, reference, rng.integers(len(reference.relief), size=count))


def spectral_patches(reference: Stats, count: int, side: int, seed: int) -> F32:
    """Fractional Brownian motion of the reference's exponents: ``[count, side, side]`` metres.

    Random phases, power as frequency to minus beta; one quarter of a period, so that no edge meets its opposite.

    Args:
        reference: Each patch has the exponent and the relief of one patch of it.
        count: How many.
        side: Samples along a side.
        seed: Of everything.
    """
    rng = np.random.default_rng(seed)
    like = rng.integers(len(reference.relief), size=count)
    period = 2 * side
    frequency = np.hypot(np.fft.fftfreq(period)[:, None], np.fft.rfftfreq(period))
    frequency[0, 0] = np.inf
    z = np.empty((count, side, side))
    for k, beta in enumerate(reference.beta[like]):
        waves = np.fft.rfft2(rng.standard_normal((period, period)))
        z[k] = np.fft.irfft2(waves * frequency ** (-beta / 2))[:side, :side]
    return _as_high(z, reference, like)


def _as_high(z: F64, reference: Stats, like: npt.NDArray[np.int64]) -> F32:
    """Scale patches to the relief of some of the reference's."""
    relief = 10 ** reference.relief[like] - 1
    scale = relief / np.ptp(z.reshape(len(z), -1), axis=1)
    return (z * scale[:, None, None]).astype(np.float32)
