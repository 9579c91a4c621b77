"""The critic: tells real land from generated, by heights, slopes, curvature and hollows. Used in training alone."""

import numpy as np
import torch
from torch import Tensor, nn

from worldloom.worldgen.gan.conditions import CONDITIONS_N
from worldloom.worldgen.gan.model import HEIGHT_UNIT

__all__ = ["Critic", "filled", "senses"]

_CHANNELS = (24, 48, 96, 192)
_LAST = 256
_ROUNDS = 96
"""Steps in which water finds its way out of a patch; paths in 64 pixels are hardly ever longer."""


@torch.no_grad()
def filled(u: Tensor) -> Tensor:
    """Heights with every hollow filled up to where it spills; the border drains.

    After Planchon and Darboux (Catena 46, 2001), all cells at once. ``u``: ``[B, 1, h, w]``.
    """
    water = u.amax((2, 3), keepdim=True).expand_as(u).contiguous()
    for edge in (np.s_[:, :, 0], np.s_[:, :, -1], np.s_[:, :, :, 0], np.s_[:, :, :, -1]):
        water[edge] = u[edge]
    ground, inner = u[:, :, 1:-1, 1:-1], water[:, :, 1:-1, 1:-1]
    for _ in range(_ROUNDS):
        # The lowest of the nine around each cell, by rows and then by columns.
        low = torch.minimum(torch.minimum(water[:, :, :-2], water[:, :, 1:-1]), water[:, :, 2:])
        low = torch.minimum(torch.minimum(low[:, :, :, :-2], low[:, :, :, 1:-1]), low[:, :, :, 2:])
        torch.maximum(ground, low, out=inner)
    return water


def senses(height: Tensor, slope: Tensor, hollows: float = 1.0) -> Tensor:
    """What the critic is shown of a patch.

    Args:
        height: ``[B, 1, n, n]`` as the generator makes it.
        slope: ``[B]`` rms slope by which it is to be multiplied.
        hollows: How much of hollows is shown, 0 to 1: at first a generator that is shown them learns to make no
            hills rather than no hollows.

    Returns:
        ``[B, 5, n - 2, n - 2]``: height, slopes along x and z, curvature, depth of hollows; slopes in true units.
    """
    height = height - height.mean((2, 3), keepdim=True)
    u = height * (HEIGHT_UNIT * slope)[:, None, None, None]
    gx = (u[:, :, 1:-1, 2:] - u[:, :, 1:-1, :-2]) * 0.5
    gz = (u[:, :, 2:, 1:-1] - u[:, :, :-2, 1:-1]) * 0.5
    here = u[:, :, 1:-1, 1:-1]
    bend = u[:, :, 2:, 1:-1] + u[:, :, :-2, 1:-1] + u[:, :, 1:-1, 2:] + u[:, :, 1:-1, :-2] - 4 * here
    # The way out is a fixed thing to the gradient: a hollow is mended by raising its ground.
    hollow = (filled(u)[:, :, 1:-1, 1:-1] - here) * hollows if hollows else torch.zeros_like(here)
    parts = (
        height[:, :, 1:-1, 1:-1],
        torch.asinh(8 * gx),
        torch.asinh(8 * gz),
        torch.asinh(16 * bend),
        torch.asinh(32 * hollow),
    )
    return torch.cat(parts, 1)


class Critic(nn.Module):
    """A score for each patch of 62 x 62 senses; no patch's score depends on another's."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 5
        for width in _CHANNELS:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.LeakyReLU(0.2)]
            if inputs != 5:
                layers += [nn.Conv2d(width, width, 3, padding=1), nn.LeakyReLU(0.2)]
            layers.append(nn.AvgPool2d(2))
            inputs = width
        layers += [nn.Conv2d(inputs, _LAST, 3, padding=1), nn.LeakyReLU(0.2)]
        self.net = nn.Sequential(*layers)
        self.score = nn.Linear(_LAST, 1)
        self.embed = nn.Sequential(nn.Linear(CONDITIONS_N, 64), nn.LeakyReLU(0.2), nn.Linear(64, _LAST))
        for layer in self.net:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, 0.2, nonlinearity="leaky_relu")

    def forward(self, seen: Tensor, conditions: Tensor) -> Tensor:
        """Scores ``[B]``; ``conditions`` ``[B, CONDITIONS_N]`` standardised (projection, arXiv 1802.05637)."""
        features = self.net(seen).mean((2, 3))
        told = (features * self.embed(conditions)).sum(1) / _LAST**0.5
        return self.score(features)[:, 0] + told
