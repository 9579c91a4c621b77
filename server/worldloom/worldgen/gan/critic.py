"""The critic: tells real land from generated, by heights, slopes and curvature. Used in training alone."""

import torch
from torch import Tensor, nn

from worldloom.worldgen.gan.conditions import CONDITIONS_N
from worldloom.worldgen.gan.model import HEIGHT_UNIT

__all__ = ["Critic", "senses"]

_CHANNELS = (24, 48, 96, 192)
_LAST = 256
_SENSES = 4


def senses(height: Tensor, slope: Tensor) -> Tensor:
    """What the critic is shown of a patch.

    Args:
        height: ``[B, 1, n, n]`` as the generator makes it.
        slope: ``[B]`` rms slope by which it is to be multiplied.

    Returns:
        ``[B, 4, n - 2, n - 2]``: height, slopes along x and z, and curvature, in true units.
    """
    height = height - height.mean((2, 3), keepdim=True)
    u = height * (HEIGHT_UNIT * slope)[:, None, None, None]
    gx = (u[:, :, 1:-1, 2:] - u[:, :, 1:-1, :-2]) * 0.5
    gz = (u[:, :, 2:, 1:-1] - u[:, :, :-2, 1:-1]) * 0.5
    here = u[:, :, 1:-1, 1:-1]
    bend = u[:, :, 2:, 1:-1] + u[:, :, :-2, 1:-1] + u[:, :, 1:-1, 2:] + u[:, :, 1:-1, :-2] - 4 * here
    parts = (
        height[:, :, 1:-1, 1:-1],
        torch.asinh(8 * gx),
        torch.asinh(8 * gz),
        torch.asinh(16 * bend),
    )
    return torch.cat(parts, 1)


class Critic(nn.Module):
    """A score for each patch of 62 x 62 senses; no patch's score depends on another's."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = _SENSES
        for width in _CHANNELS:
            layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.LeakyReLU(0.2)]
            if inputs != _SENSES:
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
        # All before may be in bfloat16; of two scores the difference counts.
        with torch.autocast(seen.device.type, enabled=False):
            features = features.float()
            told = (features * self.embed(conditions)).sum(1) / _LAST**0.5
            return self.score(features)[:, 0] + told
