"""The ruler: how far a set of height patches is from a reference set of real land. Knows no model.

``survey`` measures a set once; ``distances`` compares two surveys; ``index`` sums eleven distances up, as multiples of
those of unseen real land. Definitions, seeds and floors are fixed, so that numbers of different days can be compared.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.drainage import drainage
from worldloom.worldgen.gan.features import features
from worldloom.worldgen.gan.filters import F64, Patches, bend, checked, highest, level, lowest, slopes

__all__ = ["FLOORS", "Comparison", "Stats", "Survey", "compare", "distances", "index", "stats", "survey"]

Comparison = dict[str, float]
"""By name. Distances, less is nearer: ``kid`` (with ``kid_std``), ``lsd``, ``lsd_shape`` and all that end in ``_w1`` or
``_w1_deg``; ``axis_bias``, 0 at best; ``diversity``, and its ratio to the reference's; plain ``_mean`` values."""

FLOORS: Comparison = {
    "kid": 0.3,
    "lsd": 0.05,
    "slope_w1_deg": 0.3,
    "curv_w1": 0.03,
    "skew_w1": 0.05,
    "hypso_w1": 0.01,
    "local_w1": 0.03,
    "coherence_w1": 0.01,
    "pits_w1": 2.0,
    "fill_w1": 2e-4,
    "area_exp_w1": 0.005,
}
"""The distances of the index; none counts as less than this."""

_AT_ONCE = 64
_BANDS = 24
_SAMPLES = 400_000
"""Samples of slope and curvature, at most."""
_DRAINED = 96
"""Patches whose drainage is measured, at most."""
_SUBSETS, _SUBSET, _DIVERSE = 20, 64, 400


@dataclass(frozen=True, slots=True, eq=False)
class Stats:
    """Statistics of a set of ``n`` patches."""

    slope: F64
    """Sampled, degrees."""
    curvature: F64
    """Sampled at the same places, 1 / km."""
    spectrum: F64
    """``[n, bands]`` log10 of power."""
    beta: F64
    """``[n]`` exponent of power over frequency, negated."""
    hypsometry: F64
    """``[n]`` mean above the lowest over relief."""
    relief: F64
    """``[n]`` log10 of metres."""
    local: F64
    """``[n]`` log10 of the mean relief of 9 x 9 samples, metres."""
    coherence: F64
    """``[n]`` how far slopes keep to one axis, 0 .. 1."""
    axis: complex
    """Mean of four times the direction, weighted by slope: 0 where no grid shows."""
    skew: F64
    """``[n]`` of curvature: less than 0 where crests are sharp."""
    pits: F64
    """To a thousand cells; this and the next two of at most ``_DRAINED`` patches."""
    fill: F64
    """Mean depth of hollows over relief."""
    area_exponent: F64
    """Of the distribution of drained areas."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """A set of patches, measured."""

    count: int
    stats: Stats
    features: F64
    """``[count, FEATURES_N]``."""


def survey(patches: Patches, spacing_m: float) -> Survey:
    """Measure a set of patches.

    Args:
        patches: ``[n, s, s]`` metres, ``n`` at least 2, ``s`` from 48 to 256.
        spacing_m: Metres between samples.

    Raises:
        ValueError: They are none.
    """
    return Survey(len(patches), stats(patches, spacing_m), features(patches, spacing_m))


def compare(patches: Patches, reference: Patches, spacing_m: float) -> Comparison:
    """Compare patches with patches of the same size; where sets are used again, keep their surveys.

    Raises:
        ValueError: They are no patches, or not of the same size.
    """
    if patches.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f"expected patches of {reference.shape[1:]} as in the reference, got {patches.shape[1:]}"
        )
    return distances(survey(patches, spacing_m), survey(reference, spacing_m))


def distances(one: Survey, reference: Survey) -> Comparison:
    """Compare a set with a reference set."""
    a, b = one.stats, reference.stats
    mine, theirs = _standardised(one.features, reference.features)
    kid, kid_std = _kernel_distance(mine, theirs)
    gap = a.spectrum.mean(0) - b.spectrum.mean(0)
    unit = b.curvature.std()
    diverse = _diversity(mine)
    return {
        "n": float(one.count),
        "kid": kid,
        "kid_std": kid_std,
        "lsd": float(np.sqrt((gap**2).mean())),
        "lsd_shape": float(gap.std()),
        "slope_w1_deg": _transport(a.slope, b.slope),
        "curv_w1": _transport(a.curvature / unit, b.curvature / unit),
        "axis_bias": abs(a.axis),
        "slope_mean": float(a.slope.mean()),
        "diversity": diverse,
        "diversity_ratio": diverse / _diversity(theirs),
        "relief_w1": _transport(a.relief, b.relief),
        "local_w1": _transport(a.local, b.local),
        "coherence_w1": _transport(a.coherence, b.coherence),
        **_both("beta", a.beta, b.beta),
        **_both("skew", a.skew, b.skew),
        **_both("hypso", a.hypsometry, b.hypsometry),
        **_both("pits", a.pits, b.pits),
        **_both("fill", a.fill, b.fill),
        **_both("area_exp", a.area_exponent, b.area_exponent),
    }


def index(result: Comparison, base: Comparison) -> float:
    """Geometric mean of the distances of ``FLOORS`` over those of unseen real land: 1 is as far as that.

    Args:
        result: A set against training land.
        base: Held-out land against training land.
    """
    ratios = [max(result[name], floor) / max(base[name], floor) for name, floor in FLOORS.items()]
    return float(np.exp(np.log(ratios).mean()))


def stats(patches: Patches, spacing_m: float, drained: int = _DRAINED, seed: int = 0) -> Stats:
    """Statistics of a set.

    Args:
        patches: ``[n, s, s]`` metres.
        spacing_m: Metres between samples.
        drained: Patches whose drainage is measured.
        seed: Chooses those, and the samples of slope and curvature.

    Raises:
        ValueError: They are no patches.
    """
    n, side, _ = checked(patches).shape
    rng = np.random.default_rng(seed)
    picked = rng.permutation(n)[:drained]
    inner = (side - 2) ** 2
    at = np.sort(rng.choice(n * inner, min(n * inner, _SAMPLES), replace=False))
    parts = []
    for first in range(0, n, _AT_ONCE):
        z = patches[first : first + _AT_ONCE].astype(np.float64)
        low, high = np.searchsorted(at, (first * inner, (first + len(z)) * inner))
        parts.append(_measured(z, spacing_m, at[low:high] - first * inner))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    pits, fill, exponent = drainage(patches[picked].astype(np.float64))
    axis = complex(joined.pop("axis").mean())
    return Stats(**joined, axis=axis, pits=pits, fill=fill, area_exponent=exponent)


def _measured(z: F64, spacing_m: float, at: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    """All but drainage: of some patches, with slope and curvature at the chosen places alone."""
    flat = z.reshape(len(z), -1)
    gx, gz = slopes(z, spacing_m)
    steep, curved = np.hypot(gx, gz), bend(z, spacing_m) * 1000
    spectrum, beta = _spectrum(z, spacing_m)
    relief = np.ptp(flat, axis=1)
    xx, zz, xz = (gx * gx).mean((1, 2)), (gz * gz).mean((1, 2)), (gx * gz).mean((1, 2))
    off = curved - curved.mean((1, 2), keepdims=True)
    return {
        "slope": np.degrees(np.arctan(steep.reshape(-1)[at])),
        "curvature": curved.reshape(-1)[at],
        "spectrum": spectrum,
        "beta": beta,
        "hypsometry": (flat.mean(1) - flat.min(1)) / (relief + 1e-6),
        "relief": np.log10(relief + 1),
        "local": np.log10((highest(z, 9) - lowest(z, 9)).mean((1, 2)) + 0.1),
        "coherence": np.sqrt((xx - zz) ** 2 + 4 * xz**2) / (xx + zz + 1e-9),
        "axis": _fourfold(gx, gz, steep) / (steep.sum((1, 2)) + 1e-9),
        "skew": (off * off * off).mean((1, 2)) / (off.std((1, 2)) ** 3 + 1e-9),
    }


def _fourfold(gx: F64, gz: F64, steep: F64) -> npt.NDArray[np.complex128]:
    """Slopes turned to four times their direction, summed: ``[n]``."""
    turned = ((gx + 1j * gz) / np.where(steep > 0, steep, 1.0)) ** 2
    return np.asarray((turned * turned * steep).sum((1, 2)))


def _spectrum(z: F64, spacing_m: float) -> tuple[F64, F64]:
    """Radial power, log10, ``[n, bands]``; and the exponent ``[n]`` of its fall, from 3 waves a patch to 5 samples."""
    n, side, _ = z.shape
    window = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.rfft2(level(z) * window)) ** 2 * spacing_m**2 / (window**2).sum()
    rows, columns = np.fft.fftfreq(side, spacing_m), np.fft.rfftfreq(side, spacing_m)
    frequency = np.hypot(rows[:, None], columns).reshape(-1)
    extent = side * spacing_m
    band = np.digitize(frequency, np.geomspace(1.5 / extent, 0.5 / spacing_m, _BANDS + 1))
    member = (band[:, None] == np.arange(1, _BANDS + 1)).astype(np.float64)
    member = member[:, member.any(0)] / member.sum(0)[member.any(0)]
    spectrum = np.log10(power.reshape(n, -1) @ member + 1e-12)
    centre = frequency @ member
    fitted = (centre > 3 / extent) & (centre < 1 / (5 * spacing_m))
    log_f = np.log10(centre[fitted])
    log_f -= log_f.mean()
    return spectrum, -(spectrum[:, fitted] @ log_f) / (log_f @ log_f)


def _both(name: str, mine: F64, theirs: F64) -> Comparison:
    return {f"{name}_mean": float(mine.mean()), f"{name}_w1": _transport(mine, theirs)}


def _transport(mine: F64, theirs: F64, quantiles: int = 512) -> float:
    """Wasserstein-1 distance of two samples, by their quantiles."""
    p = (np.arange(quantiles) + 0.5) / quantiles
    return float(np.abs(np.quantile(mine, p) - np.quantile(theirs, p)).mean())


def _standardised(mine: F64, theirs: F64) -> tuple[F64, F64]:
    """Both in deviations of the reference, squashed at three: no outlier rules the kernel."""
    mean, spread = theirs.mean(0), theirs.std(0) + 1e-6
    return 3 * np.tanh((mine - mean) / spread / 3), 3 * np.tanh((theirs - mean) / spread / 3)


def _kernel_distance(mine: F64, theirs: F64) -> tuple[float, float]:
    """Unbiased squared MMD with the cubic kernel: mean and deviation over subsets (Binkowski et al., 1801.01401)."""
    rng = np.random.default_rng(0)
    size = min(_SUBSET, len(mine), len(theirs))
    found = []
    for _ in range(_SUBSETS):
        x = mine[rng.choice(len(mine), size, replace=False)]
        y = theirs[rng.choice(len(theirs), size, replace=False)]
        within = _off_diagonal(_cubic(x, x)) + _off_diagonal(_cubic(y, y))
        found.append(within - 2 * _cubic(x, y).mean())
    return float(np.mean(found)), float(np.std(found))


def _cubic(x: F64, y: F64) -> F64:
    k = x @ y.T / x.shape[1] + 1
    return k * k * k


def _off_diagonal(k: F64) -> float:
    return float((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)))


def _diversity(points: F64) -> float:
    """Mean distance of two of the first ``_DIVERSE``."""
    points = points[:_DIVERSE]
    square = (points**2).sum(1)
    apart = np.sqrt(np.maximum(square[:, None] + square - 2 * points @ points.T, 0))
    return float(apart[np.triu_indices(len(points), 1)].mean())
