"""The generator: a fully convolutional net without padding, from a lattice of latents to heights.

Six stages, each twice as fine as the one before, from one cell to 32 pixels down to the pixel. A stage is two 3 x 3
convolutions without padding, the first modulated by the conditions (FiLM, Perez et al., arXiv 1709.07871), and a head
whose heights are added to those of the coarser stages, so that the untrained net already makes noise with a sane
spectrum. Nothing in it knows where it is: a pixel is a function of the latents and conditions around it. How much of
each stage is needed for an interval of pixels is plain arithmetic on global coordinates (``needs``), so any piece can
be computed alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from worldloom.worldgen.gan.conditions import CONDITIONS_N

__all__ = [
    "COARSE_STAGES",
    "HEIGHT_UNIT",
    "LATENTS",
    "LEAK",
    "PITCH",
    "SIZES",
    "STAGES",
    "Generator",
    "Interval",
    "Needs",
    "Stage",
    "amplitude",
    "needs",
    "up2",
]

Interval = tuple[int, int]
"""Half-open, in cells of a stage."""

STAGES = 6
PITCH = 2 ** (STAGES - 1)
"""Pixels to a cell of the coarsest stage."""
LATENTS = 32
COARSE_STAGES = 2
"""The first stages hear the conditions of the world's seed alone; chosen style acts from the third on."""
HEIGHT_UNIT = 8.0
"""Height 1 is so many pixels times the commanded rms slope."""
LEAK = 0.2
"""Slope of the activation below zero."""
SIZES: dict[str, tuple[int, ...]] = {
    "S": (64, 64, 64, 48, 32, 16),
    "M": (128, 128, 96, 64, 48, 24),
    "L": (192, 192, 160, 96, 64, 32),
}
"""Channels of the stages."""
_EMBEDDING = 64
_FARTHEST = 3.0
"""Spreads: lakes and other odd windows lie far out, and would lead the nets astray."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What one stage computes along an axis: it reads ``takes``, and gives ``gives`` to the next."""

    takes: Interval
    gives: Interval


def needs(low: int, high: int) -> list[Needs]:
    """What each stage has to compute along one axis for the pixels ``[low, high)``, coarsest first."""
    plan: list[Needs] = []
    gives = (low, high)
    for _ in range(STAGES):
        takes = (gives[0] - 2, gives[1] + 2)
        plan.append(Needs(takes, gives))
        gives = (takes[0] // 2 - 1, (takes[1] - 1) // 2 + 2)
    return plan[::-1]


def amplitude(stage: int) -> float:
    """What the heights of a stage's head are multiplied by."""
    return 2.4 * 2.0 ** (-0.8 * stage)


def up2(x: Tensor, source: Interval, target: Interval, axis: int, smooth: bool = True) -> Tensor:
    """Enlarge twice along an axis.

    Phases are written out: library kernels for this choose their order of summing by size, and sums would differ.

    Args:
        x: Values on ``source``.
        source: Cells of the coarse grid.
        target: Cells of the fine one; cell ``i`` of the coarse grid is ``2 i`` and ``2 i + 1`` there.
        axis: Which.
        smooth: By [1, 5, 10, 10, 5, 1] / 16, which leaves no trace of the coarse grid; else by [1, 3, 3, 1] / 4, which
            keeps what is sharp.
    """
    first, last = target[0] // 2, (target[1] - 1) // 2
    n = last - first + 1
    before, here, after = (x.narrow(axis, first - source[0] + k, n) for k in (-1, 0, 1))
    if smooth:
        middle = here * 0.625
        even, odd = middle + (before * 5 + after) * 0.0625, middle + (before + after * 5) * 0.0625
    else:
        middle = here * 0.75
        even, odd = middle + before * 0.25, middle + after * 0.25
    fine = torch.stack((even, odd), axis + 1)
    shape = list(x.shape)
    shape[axis] = 2 * n
    return fine.reshape(shape).narrow(axis, target[0] - 2 * first, target[1] - target[0])


class Stage(nn.Module):
    """Two convolutions, a modulation and a head of heights."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs + 1, channels, 3)
        self.second = nn.Conv2d(channels + 1, channels, 3)
        self.film = nn.Linear(_EMBEDDING, 2 * channels)
        self.head = nn.Conv2d(channels, 1, 1)
        for layer in (self.first, self.second, self.film, self.head):
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        for conv in (self.first, self.second):
            nn.init.kaiming_normal_(conv.weight, LEAK, nonlinearity="leaky_relu")
        nn.init.normal_(self.film.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=channels**-0.5)

    def forward(self, x: Tensor, noise: Tensor, film: Tensor) -> tuple[Tensor, Tensor]:
        """One stage.

        Args:
            x: ``[B, inputs, h, w]``.
            noise: ``[B, 2, h, w]``; one channel goes to each convolution.
            film: ``[B, 2 channels, h - 2, w - 2]``, or 1 x 1: scale and shift.

        Returns:
            Features ``[B, channels, h - 4, w - 4]`` and heights ``[B, 1, h - 4, w - 4]``.
        """
        x = self.first(torch.cat((x, noise[:, :1]), 1))
        scale, shift = film.chunk(2, 1)
        x = F.leaky_relu(x * (1 + scale) + shift, LEAK)
        x = F.leaky_relu(self.second(torch.cat((x, noise[:, 1:, 1:-1, 1:-1]), 1)), LEAK)
        # In training all else may be in bfloat16, whose steps would show in the curvature of heights.
        with torch.autocast(x.device.type, enabled=False):
            return x, self.head(x.float())


class Generator(nn.Module):
    """From latents and conditions to heights.

    Args:
        size: "S", "M" or "L".
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, size: str = "S") -> None:
        super().__init__()
        self.size = size
        channels = SIZES[size]
        self.stages = nn.ModuleList(
            Stage(inputs, width) for inputs, width in zip((LATENTS, *channels), channels, strict=False)
        )
        self.embed = nn.Sequential(
            nn.Linear(CONDITIONS_N, _EMBEDDING),
            nn.LeakyReLU(LEAK),
            nn.Linear(_EMBEDDING, _EMBEDDING),
            nn.LeakyReLU(LEAK),
        )
        self.register_buffer("mean", torch.zeros(CONDITIONS_N))
        self.register_buffer("spread", torch.ones(CONDITIONS_N))

    def embedding(self, conditions: Tensor) -> Tensor:
        """``[..., CONDITIONS_N]`` raw conditions to ``[..., 64]``."""
        return self.embed(self.standard(conditions))

    def standard(self, conditions: Tensor) -> Tensor:
        """Conditions in spreads from the mean of the training land, no farther than what there is enough of."""
        return ((conditions - self.mean) / self.spread).clamp(-_FARTHEST, _FARTHEST)

    def each(self) -> Iterator[Stage]:
        """Its stages, coarsest first."""
        for stage in self.stages:
            assert isinstance(stage, Stage)
            yield stage

    def films(self, macro: Tensor, style: Tensor) -> list[Tensor]:
        """Modulations ``[B, 2 channels, 1, 1]`` of every stage for conditions that are the same everywhere.

        Args:
            macro: ``[B, CONDITIONS_N]`` of the world's seed, for the coarse stages.
            style: Likewise, for the others.
        """
        embedded = self.embedding(macro), self.embedding(style)
        return [
            stage.film(embedded[k >= COARSE_STAGES])[:, :, None, None] for k, stage in enumerate(self.each())
        ]

    def forward(
        self,
        latents: Tensor,
        noises: Sequence[Tensor],
        films: Sequence[Tensor],
        rows: Interval,
        columns: Interval,
    ) -> Tensor:
        """Heights of pixels.

        Args:
            latents: ``[B, LATENTS, h, w]`` on what ``needs`` says that stage 0 takes.
            noises: Of each stage, ``[B, 2, h, w]`` on what it takes.
            films: Of each stage, ``[B, 2 channels, h - 2, w - 2]``, or 1 x 1 where conditions do not vary.
            rows: Pixels wanted, along z.
            columns: Likewise along x.

        Returns:
            ``[B, 1, rows, columns]`` in ``HEIGHT_UNIT`` pixels times rms slope.
        """
        plans = list(zip(needs(*rows), needs(*columns), strict=True))
        x, height = latents, None
        for k, (stage, (down, across)) in enumerate(zip(self.each(), plans, strict=True)):
            if k:
                above = plans[k - 1]
                smooth = k == STAGES - 1
                x = up2(x, above[0].gives, down.takes, 2, smooth)
                x = up2(x, above[1].gives, across.takes, 3, smooth)
            x, own = stage(x, noises[k], films[k])
            own = own * amplitude(k)
            if height is not None:
                above = plans[k - 1]
                height = (
                    up2(up2(height, above[0].gives, down.gives, 2), above[1].gives, across.gives, 3) + own
                )
            else:
                height = own
        assert height is not None
        return height
