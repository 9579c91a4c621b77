"""Laws: what holds for real land and critics are slow to teach. Land drains; and it knows nothing of the net's grid.

Closed hollows are few in real land, and a critic sees them late, for each is a matter of a few samples at its outlet.
A net that doubles its resolution leaves a trace of period two, which is too faint for a critic. Both are measured on
what is generated, and as far as they are beyond what real land has, the generator is pulled towards it directly.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from worldloom.worldgen.gan.dataset import Windows
from worldloom.worldgen.gan.drainage import filled

__all__ = ["Laws"]

F64 = npt.NDArray[np.float64]

_MEMORY = 0.97
"""Share of what was measured before that is kept at each step."""
_READ = 256
"""Real windows that are measured."""
_HOLLOWS, _PARITY = 0.0, 0.02
"""Size of the pull over that of the critics', at most. It always points the same way, and they do not: at 0.15 it wins,
and what is generated is soon like no land."""
_RAMP = 400
"""Steps until it is at that."""
_UNLIKE = 0.01
"""Parity at which the pull is at its full size."""
_UNIT_M = 100.0
"""Metres to a pixel that the fill is told: its fall of water has to be small beside heights."""


class Laws:
    """The laws for patches of one size.

    Args:
        windows: Real land of that size.
    """

    def __init__(self, windows: Windows) -> None:
        picks = np.linspace(0, len(windows) - 1, min(_READ, len(windows))).astype(int)
        real = np.stack([windows.heights(int(k)) for k in picks]).astype(np.float64) * _UNIT_M
        self._real = float((_hollows(real).mean((1, 2)) / _relief(real)).mean())
        self.fill = 0.0
        self._unlike = torch.zeros(2)
        self._seen = 0

    @property
    def parity(self) -> float:
        """Of rows and columns the worse."""
        return float(self._unlike.abs().max())

    def pull(self, height: Tensor, critics: Tensor, phase: tuple[int, int]) -> Tensor:
        """What to add to the critics' gradient.

        Args:
            height: ``[B, 1, n, n]`` generated, in the generator's unit.
            critics: The critics' gradient, likewise.
            phase: Row and column of the net's own grid of the first sample.
        """
        self._seen += 1
        size = critics.norm() * min(self._seen / _RAMP, 1.0)
        drain, hollow = self._drain(height)
        even, unlike = self._even(height, phase)
        # The first steps weigh as much as there are of them.
        new = max(1 - _MEMORY, 1 / self._seen)
        self.fill += new * (hollow - self.fill)
        self._unlike += new * (unlike - self._unlike)
        excess = min(max(self.fill / self._real - 1, 0.0), 1.0) if self._real else 0.0
        pull = _sized(drain, _HOLLOWS * excess * size)
        for k, one in enumerate(even):
            share = float(self._unlike[k] / _UNLIKE)
            pull = pull + _sized(one, _PARITY * min(max(share, -1.0), 1.0) * size)
        # Higher relief would make hollows of the same depth count for less: what only raises or flattens is left out.
        form = height - height.mean((2, 3), keepdim=True)
        along = (pull * form).sum((1, 2, 3), keepdim=True) / form.square().sum((1, 2, 3), keepdim=True)
        return pull - along * form

    def _drain(self, height: Tensor) -> tuple[Tensor, float]:
        """Gradient that raises floors of hollows and lowers their outlets; mean depth over relief."""
        z = height[:, 0].double().cpu().numpy() * _UNIT_M
        depth = _hollows(z)
        relief = _relief(z)
        wet = torch.from_numpy(depth).to(height)[:, None]
        level = torch.from_numpy(np.where(depth > 0, z + depth, -np.inf)).to(height)[:, None]
        beside = F.max_pool2d(level, 3, 1, 1)
        ground = torch.from_numpy(z).to(height)[:, None]
        # The outlet is dry, beside water, and as high as that; a little fall from cell to cell is forgiven.
        outlet = ((wet == 0) & (beside >= ground) & (beside.isfinite())).to(height)
        outlet = F.avg_pool2d(outlet, 3, 1, 1)
        lower = outlet / outlet.sum().clamp_min(1e-6)
        gradient = lower - wet / wet.sum().clamp_min(1e-6)
        return gradient, float((depth.mean((1, 2)) / relief).mean())

    def _even(self, height: Tensor, phase: tuple[int, int]) -> tuple[list[Tensor], Tensor]:
        """Gradients of how unlike even and odd rows and columns are, ``[2]``."""
        with torch.enable_grad():
            h = height.clone().requires_grad_()
            bend = (h[:, :, 2:, 1:-1] + h[:, :, :-2, 1:-1] + h[:, :, 1:-1, 2:] + h[:, :, 1:-1, :-2]) - 4 * h[
                :, :, 1:-1, 1:-1
            ]
            curved = bend.abs()
            found = []
            for axis, first in zip((2, 3), phase, strict=True):
                lines = curved.mean(tuple({0, 1, 2, 3} - {axis}))
                # The first line of curvature is the second of heights.
                one, other = lines[(first + 1) % 2 :: 2].mean(), lines[first % 2 :: 2].mean()
                found.append(2 * (one - other) / (one + other + 1e-12))
            gradients = [torch.autograd.grad(one, h, retain_graph=True)[0] for one in found]
        return gradients, torch.stack(found).detach().cpu()


def _hollows(z: F64) -> F64:
    """Depth of water in hollows ``[n, s, s]``; what is only the fall of water over flats does not count."""
    depth = filled(z) - z
    return np.where(depth > 0.02, depth, 0.0)


def _relief(z: F64) -> F64:
    return np.asarray(np.ptp(z.reshape(len(z), -1), axis=1) + 1e-6)


def _sized(gradient: Tensor, size: "Tensor | float") -> Tensor:
    return gradient * (size / gradient.norm().clamp_min(1e-12))
