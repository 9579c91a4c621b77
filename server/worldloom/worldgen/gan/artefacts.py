"""What betrays generated land: copies of training land, seams of tiles, the imprint of the net's own grid."""

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.filters import F64, Patches, bend, blurred, checked, level

__all__ = ["Seam", "copy_check", "nearest", "parity", "seam_test"]

_THUMB = 24
"""Samples along a side of what patches are compared by."""
ALARM = 0.95
"""No unseen real land was ever as near to training land as this."""

Seam = tuple[float, float]
"""Curvature across tile borders over that elsewhere (1: no seam), and by how many standard errors it differs."""


def nearest(patches: Patches, train: Patches) -> F64:
    """The highest correlation of each patch with any training patch, turned and mirrored in all eight ways.

    It finds copies that lie within some 3 % of a side of a training patch's place; those elsewhere between the training
    patches it does not. Where 24 does not divide the side the last samples do not count, so that of the eight ways only
    two then lie that well: as it is, and with rows for columns.

    Args:
        patches: ``[n, s, s]`` metres.
        train: ``[m, s, s]``.

    Returns:
        ``[n]``, 1 for a copy; raised, scaled and tilted copies are copies.

    Raises:
        ValueError: They are no patches.
    """
    known = _thumbs(train).reshape(len(train), -1).T
    thumbs = _thumbs(patches)
    ways = [np.rot90(t, k, axes=(1, 2)) for t in (thumbs, thumbs[:, :, ::-1]) for k in range(4)]
    best = [(way.reshape(len(thumbs), -1) @ known).max(1) for way in ways]
    return np.max(best, axis=0).astype(np.float64)


def _thumbs(patches: Patches) -> npt.NDArray[np.float32]:
    """Patches without their large shapes, small, of no mean and of length 1: ``[n, 24, 24]``."""
    z = level(checked(patches))
    side = z.shape[1]
    z -= blurred(z, side / 6)
    block = side // _THUMB
    used = block * _THUMB
    small = z[:, :used, :used].reshape(-1, _THUMB, block, _THUMB, block).mean((2, 4))
    small -= small.mean((1, 2), keepdims=True)
    small /= np.sqrt((small * small).sum((1, 2), keepdims=True)) + 1e-9
    return small.astype(np.float32)


def copy_check(near: F64, base: F64 | None = None) -> dict[str, float]:
    """Whether a set remembers its training land.

    Args:
        near: ``nearest(patches, train)``.
        base: ``nearest(held-out land, train)``.

    Returns:
        ``ncc_median``, ``ncc_p99``, ``ncc_max``; ``over95``, the share above ``ALARM``: should be 0; with ``base``
        also ``copied``, the share above its 99.5th percentile: over-smooth sets reach 8 % by chance.
    """
    out = {
        "ncc_median": float(np.median(near)),
        "ncc_p99": float(np.quantile(near, 0.99)),
        "ncc_max": float(near.max()),
        "over95": float((near > ALARM).mean()),
    }
    if base is not None:
        out["copied"] = float((near > np.quantile(base, 0.995)).mean())
    return out


def seam_test(mosaic: Patches, tile: int) -> Seam:
    """Second differences across the borders of tiles against those elsewhere; of rows and columns the worse.

    Args:
        mosaic: ``[h, w]`` metres, tiles side by side from its first sample on.
        tile: Samples along a side of a tile, at least 4; two tiles at least.

    Raises:
        ValueError: It has no two tiles along each axis.
    """
    if mosaic.ndim != 2 or tile < 4 or min(mosaic.shape) < 2 * tile:
        raise ValueError(
            f"expected [h, w] of at least two tiles of {max(tile, 4)} a side, got {mosaic.shape}"
        )
    ratios, scores = zip(*(_seam(z, tile) for z in (mosaic, mosaic.T)), strict=True)
    return max(ratios), max(scores)


def _seam(z: Patches, tile: int) -> Seam:
    z = z.astype(np.float64, copy=False)
    lines = np.abs(z[:, 2:] - 2 * z[:, 1:-1] + z[:, :-2]).mean(0)
    column = np.arange(1, z.shape[1] - 1) % tile
    border = (column == 0) | (column == tile - 1)
    at, elsewhere = lines[border], lines[~border]
    step = at.mean() - elsewhere.mean()
    error = elsewhere.std() / np.sqrt(at.size) + 1e-12
    return float(at.mean() / elsewhere.mean()), float(step / error)


def parity(land: Patches) -> float:
    """How unlike even and odd samples are: difference of their mean absolute curvature over the mean of both.

    A net that doubles its resolution may leave a trace of period two; real land has some 0.001. Of rows and columns the
    worse.

    Args:
        land: A mosaic ``[h, w]``, or patches ``[n, s, s]`` that were cut at even places.

    Raises:
        ValueError: It has fewer than four samples along an axis.
    """
    if land.ndim not in (2, 3) or min(land.shape[-2:]) < 4:
        raise ValueError(f"expected [h, w] or [n, s, s] of at least 4 a side, got {land.shape}")
    z = land.astype(np.float64).reshape(-1, *land.shape[-2:])
    curved = np.abs(bend(z, 1.0))
    return max(_unlike(curved.mean((0, 1))), _unlike(curved.mean((0, 2))))


def _unlike(lines: F64) -> float:
    one, other = lines[0::2].mean(), lines[1::2].mean()
    return float(2 * abs(one - other) / (one + other + 1e-12))
