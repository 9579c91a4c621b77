"""Features of patches, for the kernel distance: a fixed random net, and bands, asymmetries and directions by scale.

Their order and every constant are part of the ruler: numbers measured with others cannot be compared.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from worldloom.worldgen.gan.filters import F64, Patches, bend, blurred, checked, level, slopes

__all__ = ["DIRECTED", "FEATURES_N", "features"]

FEATURES_N = 256
DIRECTED = tuple(k for k in range(192, FEATURES_N) if k % 16 >= 8)
"""Columns that say where slopes point; which way is chance."""
_SEED = 1234
_AT_ONCE = 32
_SCALES = (1, 2, 4, 8)
"""Sigmas of the blurs, in samples."""
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_SECTORS = np.arange(9) * np.pi / 8
"""Half a turn in eight."""


def features(patches: Patches, spacing_m: float) -> F64:
    """Features of each patch.

    Args:
        patches: ``[n, s, s]`` metres.
        spacing_m: Metres between samples.

    Returns:
        ``[n, FEATURES_N]``: 192 of the random net, 64 by scale.

    Raises:
        ValueError: They are no patches.
    """
    checked(patches)
    out = []
    for first in range(0, len(patches), _AT_ONCE):
        z = level(patches[first : first + _AT_ONCE])
        out.append(np.concatenate((_random(z, spacing_m), _by_scale(z, spacing_m)), 1))
    return np.concatenate(out)


@lru_cache(maxsize=1)
def _weights() -> tuple[Tensor, Tensor]:
    """Filters ``[32, 3, 5, 5]`` of no mean and of length 1; ``[64, 32, 3, 3]``."""
    rng = np.random.default_rng(_SEED)
    first = rng.standard_normal((32, 3, 5, 5)).astype(np.float32)
    first -= first.mean((2, 3), keepdims=True)
    first /= np.sqrt((first * first).sum((1, 2, 3), keepdims=True))
    second = rng.standard_normal((64, 32, 3, 3)).astype(np.float32) / np.float32(np.sqrt(32 * 9))
    return torch.from_numpy(first), torch.from_numpy(second)


@torch.no_grad()
def _random(z: F64, spacing_m: float) -> F64:
    """Two random layers over shape, slope and curvature, mean and deviation of each channel: ``[n, 192]``."""
    gx, gz = slopes(z, spacing_m)
    shape = z / (z.std((1, 2), keepdims=True) + 1e-3) * 2
    curved = bend(z, spacing_m) * spacing_m
    channels = (shape[:, 1:-1, 1:-1], np.arcsinh(np.hypot(gx, gz) * 8), np.arcsinh(curved * 16))
    shown = torch.from_numpy(np.stack(channels, 1).astype(np.float32))  # [n, 3, s - 2, s - 2]
    first, second = _weights()
    one = F.relu(F.conv2d(shown, first, stride=2))
    two = F.relu(F.conv2d(one, second, stride=2))
    return torch.cat([*_pooled(one), *_pooled(two)], 1).numpy()


def _pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    """``[n, c, h, w]`` to mean and deviation, ``[n, c]`` each, summed in float64."""
    deviation, mean = torch.std_mean(x.double(), (2, 3), correction=0)
    return mean, deviation


def _by_scale(z: F64, spacing_m: float) -> F64:
    """Of each of four bands: energy, asymmetry, peakedness, slopes, directions: ``[n, 64]``."""
    out = []
    for sigma in _SCALES:
        smooth = blurred(z, sigma)
        band = z - smooth
        energy = band.std((1, 2)) + 1e-3
        band /= energy[:, None, None]
        square = band * band
        skew, peak = (square * band).mean((1, 2)), (square * square).mean((1, 2))
        out.append(np.stack((np.log(energy / spacing_m), skew, np.log(peak)), 1))
        gx, gz = slopes(smooth, spacing_m)
        steep = np.hypot(gx, gz)
        out.append(np.log(np.quantile(steep, _QUANTILES, axis=(1, 2)).T + 1e-3))
        out.append(_directions(gx, gz, steep))
        z = smooth
    return np.concatenate(out, 1)


def _directions(gx: F64, gz: F64, steep: F64) -> F64:
    """How much of all slope points in each eighth of half a turn, 4 in all: ``[n, 8]``."""
    n = len(steep)
    sector = np.searchsorted(_SECTORS, np.mod(np.arctan2(gz, gx), np.pi), side="right") - 1
    # A remainder may round up to half a turn itself: that is in no sector.
    place = sector.reshape(n, -1) + 9 * np.arange(n)[:, None]
    sums = np.bincount(place.reshape(-1), steep.reshape(-1), 9 * n).reshape(n, 9)[:, :8]
    return np.asarray(sums / (sums.sum(1, keepdims=True) + 1e-9) * 4)
