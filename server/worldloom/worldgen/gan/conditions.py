"""Conditions: what a piece of land is like, as numbers that are measured on real land and commanded of the generator.

A condition vector ``c`` has ``CONDITIONS_N`` numbers: the measures by name, then a weight for each landform, then
``FREE_N`` numbers that stand for all that is not measured. Measures are raw here; the model keeps the mean and the
spread of its training data and standardises with them. Free numbers are drawn, normal, anew for each patch in training
and once for each window in a model's table: one piece of land is of one kind, whatever its measures leave open.
"""

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.landforms import LANDFORMS_N, Landform

__all__ = ["CONDITIONS_N", "FREE_N", "MEASURES", "WINDOW", "condition", "measure"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

WINDOW = 128
"""Pixels along a side of the window on which land is measured."""
MEASURES = ("steepness", "relief", "roughness", "hypsometry", "sharpness", "grain", "grandeur")
"""steepness: log rms slope; relief: log of highest minus lowest, in pixels; roughness: log of what is finer than some
4 pixels over all; hypsometry: mean above the lowest over relief; sharpness: minus the skewness of curvature, squashed;
grain: how far slopes keep to one direction; grandeur: 0 for 30 m to a pixel, 1 for 90 m."""
FREE_N = 8
CONDITIONS_N = len(MEASURES) + LANDFORMS_N + FREE_N
_FLAT = 1e-3
"""No slope counts as less than a millimetre in a metre: flat land has no scale."""
_BLUR = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
_BLUR /= _BLUR.sum()


def measure(heights: F64, spacing_m: float) -> F64:
    """Measure a window.

    Args:
        heights: ``[n, n]`` metres.
        spacing_m: Metres to a pixel.

    Returns:
        ``[len(MEASURES)]``.
    """
    u = heights / spacing_m
    gx, gz = (u[1:-1, 2:] - u[1:-1, :-2]) / 2, (u[2:, 1:-1] - u[:-2, 1:-1]) / 2
    slope = max(float(np.sqrt((gx * gx + gz * gz).mean())), _FLAT)
    relief = max(float(np.ptp(u)), 8 * _FLAT)
    spread = max(float(u.std()), _FLAT)
    smooth = _blurred(u)
    fine = max(float((u[6:-6, 6:-6] - smooth).std()), 1e-5)
    bend = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]
    bend = bend - bend.mean()
    skew = float((bend**3).mean() / (bend.std() ** 3 + 1e-9))
    xx, zz, xz = float((gx * gx).mean()), float((gz * gz).mean()), float((gx * gz).mean())
    grain = np.sqrt((xx - zz) ** 2 + 4 * xz * xz) / (xx + zz + 1e-9)
    grandeur = np.clip(np.log(spacing_m / 30.0) / np.log(3.0), 0.0, 1.0)
    return np.array(
        [
            np.log(slope),
            np.log(relief),
            np.log(fine / spread),
            float(u.mean() - u.min()) / relief,
            -np.tanh(skew / 2),
            grain,
            grandeur,
        ]
    )


def condition(heights: F64, spacing_m: float, landform: Landform) -> F32:
    """The whole condition vector of a window, ``[CONDITIONS_N]``; its free numbers are 0."""
    weights = np.zeros(LANDFORMS_N + FREE_N)
    weights[landform] = 1.0
    return np.concatenate([measure(heights, spacing_m), weights]).astype(np.float32)


def _blurred(u: F64) -> F64:
    """A Gaussian of 2 pixels, valid part alone: ``[n - 12, n - 12]``."""
    rows = sum(w * u[k : len(u) - 12 + k] for k, w in enumerate(_BLUR))
    return np.asarray(sum(w * rows[:, k : u.shape[1] - 12 + k] for k, w in enumerate(_BLUR)))
