"""Filters over stacks of patches: plane removed, slopes, curvature, blur, local extremes. Knows no statistics.

A patch stack is ``[n, s, s]``, in metres, as is the distance of two samples. Nothing is padded unless it says so:
slopes and curvature lose one sample at each side.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["bend", "blurred", "checked", "highest", "level", "lowest", "slopes"]

Patches = npt.NDArray[np.float32] | npt.NDArray[np.float64]
F64 = npt.NDArray[np.float64]

SIDES = (48, 256)
"""Fewest and most samples along a side."""


def checked(patches: Patches) -> Patches:
    """The same patches.

    Raises:
        ValueError: They are no stack of at least two finite squares of a side within ``SIDES``.
    """
    shape = patches.shape
    if len(shape) != 3 or shape[0] < 2 or shape[1] != shape[2] or not SIDES[0] <= shape[1] <= SIDES[1]:
        raise ValueError(f"expected [n, s, s] with n >= 2 and s from {SIDES[0]} to {SIDES[1]}, got {shape}")
    if not np.isfinite(patches).all():
        raise ValueError(f"expected finite heights, got {int((~np.isfinite(patches)).sum())} that are not")
    return patches


def level(patches: Patches) -> F64:
    """Each patch without its plane of best fit (least squares): ``[n, s, s]``."""
    z = patches.astype(np.float64)
    side = z.shape[-1]
    t = np.arange(side) - (side - 1) / 2
    z -= z.mean((1, 2), keepdims=True)
    # Mean, x and z are orthogonal on a full grid, so each is fitted alone.
    along_x = z.sum(1) @ t / (side * (t @ t))
    along_z = z.sum(2) @ t / (side * (t @ t))
    z -= along_x[:, None, None] * t
    z -= along_z[:, None, None] * t[:, None]
    return z


def slopes(z: F64, spacing_m: float) -> tuple[F64, F64]:
    """Central differences along x and along z: two ``[n, s - 2, s - 2]``, metres to a metre."""
    gx = (z[:, 1:-1, 2:] - z[:, 1:-1, :-2]) / (2 * spacing_m)
    gz = (z[:, 2:, 1:-1] - z[:, :-2, 1:-1]) / (2 * spacing_m)
    return gx, gz


def bend(z: F64, spacing_m: float) -> F64:
    """Curvature: the five-point Laplacian ``[n, s - 2, s - 2]``, 1 / m."""
    around = z[:, 2:, 1:-1] + z[:, :-2, 1:-1] + z[:, 1:-1, 2:] + z[:, 1:-1, :-2]
    return np.asarray((around - 4 * z[:, 1:-1, 1:-1]) / spacing_m**2)


def blurred(z: F64, sigma: float) -> F64:
    """A Gaussian over patches mirrored at their edges, cut off at four sigmas: ``[n, s, s]``.

    Rows and columns are blurred by one matrix that has the mirroring in it: two products per patch.
    """
    matrix = _blur(z.shape[-1], sigma)
    return matrix @ z @ matrix.T


@lru_cache(maxsize=16)
def _blur(side: int, sigma: float) -> F64:
    reach = int(4 * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    # Mirrored with the edge sample twice: d c b a | a b c d | d c b a.
    at = (np.arange(side)[:, None] + offsets) % (2 * side)
    at = np.minimum(at, 2 * side - 1 - at)
    matrix = np.zeros((side, side))
    np.add.at(matrix, (np.arange(side)[:, None], at), weights)
    matrix.flags.writeable = False
    return matrix


def lowest(z: F64, across: int) -> F64:
    """The lowest of each ``across`` x ``across`` window: ``[n, s - across + 1, s - across + 1]``."""
    return _extreme(_extreme(z, across, 1, np.minimum), across, 2, np.minimum)


def highest(z: F64, across: int) -> F64:
    """The highest of each ``across`` x ``across`` window: ``[n, s - across + 1, s - across + 1]``."""
    return _extreme(_extreme(z, across, 1, np.maximum), across, 2, np.maximum)


def _extreme(z: F64, across: int, axis: int, of: np.ufunc) -> F64:
    """Windows along one axis, put together from windows half as long."""
    z = z.swapaxes(0, axis)
    have = 1
    while have < across:
        step = min(have, across - have)
        z = of(z[:-step], z[step:])
        have += step
    return z.swapaxes(0, axis)
