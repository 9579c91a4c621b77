"""Copies: whether patches lie anywhere in the training tiles, turned and mirrored.

Slower than ``artefacts.nearest``, which looks at the training patches alone and so misses what lies between them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from worldloom.worldgen.gan.filters import F64, Patches, checked

__all__ = ["sought"]

_CELL = 8
"""Samples across whose mean counts; places are tried every half of it."""
_AROUND = 5
"""Cells across whose mean is taken from each: large shapes are no proof of a copy."""
_AT_ONCE = 64


@torch.no_grad()
def sought(patches: Patches, tiles: Sequence[npt.NDArray[np.float32]]) -> F64:
    """The highest correlation of the middle of each patch with any place of any tile, in all eight ways.

    Args:
        patches: ``[n, s, s]`` metres, ``s`` a multiple of 8.
        tiles: Each ``[h, w]`` metres, at the same spacing, at least as large as a patch.

    Returns:
        ``[n]``: a copy comes to 0.93 and more, unseen real land to 0.65 in the median; but a lone cone on a plain is
        as like to any other cone as a copy is, so look at the share of a set.

    Raises:
        ValueError: They are no patches, or their side does not fit.
    """
    side = checked(patches).shape[1]
    if side % _CELL or any(min(tile.shape) < side for tile in tiles):
        raise ValueError(f"expected a side in multiples of {_CELL} and tiles of at least it, got {side}")
    shapes = _shapes(patches)
    best = torch.full((len(patches),), -1.0)
    for tile in tiles:
        found = _correlation(
            _fine(torch.from_numpy(np.ascontiguousarray(tile, np.float32))[None, None]), shapes
        )
        best = torch.maximum(best, found.reshape(8, -1).amax(0))
    return best.double().numpy()


def _shapes(patches: Patches) -> Tensor:
    """Middles of patches in cells, of no mean and of length 1, in eight ways: ``[8 n, 1, c, c]``."""
    z = torch.from_numpy((patches - patches.mean((1, 2), keepdims=True)).astype(np.float32))[:, None]
    fine = _fine(z)[:, :, ::2, ::2]
    fine = fine - fine.mean((2, 3), keepdim=True)
    fine = fine / (fine.square().sum((2, 3), keepdim=True).sqrt() + 1e-6)
    return torch.cat([torch.rot90(t, k, (2, 3)) for t in (fine, fine.flip(3)) for k in range(4)])


def _fine(z: Tensor) -> Tensor:
    """Cell means every half cell, less the mean of the cells around: ``[n, 1, h, w]`` to ``[n, 1, ., .]``."""
    cells = F.avg_pool2d(z, _CELL, _CELL // 2)
    around = F.conv2d(cells, torch.full((1, 1, _AROUND, _AROUND), _AROUND**-2.0), dilation=2)
    lost = 2 * (_AROUND // 2)
    return cells[:, :, lost:-lost, lost:-lost] - around


def _correlation(field: Tensor, shapes: Tensor) -> Tensor:
    """The best of each shape over the field: ``[1, 1, h, w]`` and ``[m, 1, c, c]`` to ``[m]``."""
    side = shapes.shape[-1]
    box = torch.ones(1, 1, side, side)
    total, square = F.conv2d(field, box, dilation=2), F.conv2d(field.square(), box, dilation=2)
    # Where the tile is flat to the centimetre there is nothing to be like.
    length = (square - total.square() / side**2).clamp_min(0.0).sqrt() + 1e-2 * side
    best = [
        (F.conv2d(field, some, dilation=2) / length).amax((2, 3)) for some in torch.split(shapes, _AT_ONCE)
    ]
    return torch.cat(best, 1)[0]
