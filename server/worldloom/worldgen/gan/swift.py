"""The generator as the weaver runs it: the function of ``Generator.forward`` at one shape, laid out for a processor.

Channels lie beside one another (``[h, w, channels]``), as the convolutions want them; what is written goes into arrays
that are kept; noise is a channel that is already in its place; factors that are powers of two are in the weights.
Everything outside the convolutions and heads is a sum or a product of two numbers, rounded once, so it does not
matter where in an array a pixel lies.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from worldloom.worldgen.gan.model import LEAK, STAGES, Generator, Interval, Needs, Stage, amplitude, needs
from worldloom.worldgen.gan.modulations import Spread

__all__ = ["Swift"]

F32 = npt.NDArray[np.float32]


class Swift:
    """One generator, for one square of pixels. Not for two threads at once: it keeps its arrays.

    Args:
        generator: Its weights are copied.
        low: First pixel along both axes; even.
        high: One beyond the last; even.
    """

    def __init__(self, generator: Generator, low: int, high: int) -> None:
        if low % 2 or high % 2:
            raise ValueError(
                f"expected even ends, so that every stage begins with a whole cell; got {low}, {high}"
            )
        self._stages: list[_Stage] = []
        self._enlarge: list[tuple[_Up2, _Up2]] = []
        plan = needs(low, high)
        for k, (own, stage) in enumerate(zip(plan, generator.each(), strict=True)):
            smooth = k == STAGES - 1
            gain = 1.0 if k == 0 else _Up2.gain(smooth)
            now = _Stage(stage, k, own, gain)
            if k:
                below, coarse = self._stages[-1], plan[k - 1].gives
                now.height = torch.empty(now.side, now.side, 1)
                features = _Up2(below.channels, coarse, own.takes, now.features, smooth)
                self._enlarge.append((features, _Up2(1, coarse, own.gives, now.height, True)))
            self._stages.append(now)
        self.spreads = [stage.spread for stage in self._stages]
        """Modulations of each stage; to be set before the call."""

    def __call__(self, latents: F32, noises: Sequence[F32]) -> F32:
        """Heights of the square.

        Args:
            latents: ``[LATENTS, n, n]`` on what stage 0 takes.
            noises: Of each stage, ``[2, n, n]`` on what it takes.

        Returns:
            ``[high - low, high - low]``, as ``Generator.forward``.
        """
        self._stages[0].features.copy_(torch.from_numpy(latents).permute(1, 2, 0))
        x, height = self._stages[0].run(noises[0])
        for stage, noise, (features, heights) in zip(
            self._stages[1:], noises[1:], self._enlarge, strict=True
        ):
            features.of(x)
            heights.of(height[:, :, None])
            x, height = stage.run(noise)
            height += stage.height[:, :, 0].mul_(_Up2.gain(True))
        return np.asarray(height.numpy())


class _Stage:
    """Weights of a stage and what it writes to.

    Args:
        stage: Its weights are copied.
        number: Which, 0 the coarsest.
        plan: What it takes and gives along both axes.
        gain: What the features that it takes are to be multiplied by, a power of two.
    """

    height: Tensor
    """``[side, side, 1]``: heights of the coarser stages."""

    def __init__(self, stage: Stage, number: int, plan: Needs, gain: float) -> None:
        first, second, head = stage.first, stage.second, stage.head
        self.channels, inputs = first.out_channels, first.in_channels - 1
        self.side = plan.gives[1] - plan.gives[0]
        scaled = torch.cat((first.weight[:, :inputs] * gain, first.weight[:, inputs:]), 1)
        self._first = _laid_out(scaled), _bias(first)
        self._second = _laid_out(second.weight), _bias(second)
        self._head = head.weight[0, :, 0, 0] * amplitude(number), float(_bias(head)) * amplitude(number)
        self.spread = Spread(number, plan.takes, self.channels)
        before = torch.zeros(1, self.side + 4, self.side + 4, inputs + 1)
        between = torch.zeros(1, self.side + 2, self.side + 2, self.channels + 1)
        self.features, self._inner = before[0, :, :, :inputs], between[0, :, :, : self.channels]
        self._noises = before[0, :, :, inputs].numpy(), between[0, :, :, self.channels].numpy()
        self._takes = before.permute(0, 3, 1, 2), between.permute(0, 3, 1, 2)

    def run(self, noise: F32) -> tuple[Tensor, Tensor]:
        """From ``features``: features ``[side, side, channels]`` and own heights ``[side, side]``."""
        self._noises[0][:] = noise[0]
        self._noises[1][:] = noise[1, 1:-1, 1:-1]
        x = F.conv2d(self._takes[0], *self._first)[0].permute(1, 2, 0)
        x.mul_(self.spread.scale).add_(self.spread.shift)
        torch._C._nn.leaky_relu(x, LEAK, out=self._inner)
        x = F.leaky_relu_(F.conv2d(self._takes[1], *self._second), LEAK)[0].permute(1, 2, 0)
        weights, bias = self._head
        height = torch.mv(x.reshape(-1, self.channels), weights).add_(bias)
        return x, height.view(self.side, self.side)


class _Up2:
    """``model.up2`` along both axes, too large by ``1 / gain``.

    Args:
        channels: How many.
        source: Cells of the coarse grid that are given.
        target: Cells of the fine one that are wanted, from an even one to an odd one.
        into: ``[n, n, channels]`` on ``target``.
        smooth: By [1, 5, 10, 10, 5, 1], else by [1, 3, 3, 1].
    """

    def __init__(self, channels: int, source: Interval, target: Interval, into: Tensor, smooth: bool) -> None:
        self._smooth = smooth
        self._skip = target[0] // 2 - source[0]
        n = (target[1] - target[0]) // 2
        width = source[1] - source[0]
        rows = torch.empty(2 * n, width, channels)
        self._rows, self._row_phases = rows, (rows[0::2], rows[1::2])
        self._phases = into[:, 0::2], into[:, 1::2]
        self._scratch = torch.empty(n, width, channels), torch.empty(n + 2, width, channels)
        self._wide_scratch = torch.empty(2 * n, n, channels), torch.empty(2 * n, n + 2, channels)

    @staticmethod
    def gain(smooth: bool) -> float:
        """What both axes together leave to be multiplied by."""
        return 1 / 256 if smooth else 1 / 16

    def of(self, x: Tensor) -> None:
        """Enlarge ``[m, m, channels]`` on the source."""
        self._along(x, 0, self._row_phases, self._scratch)
        self._along(self._rows, 1, self._phases, self._wide_scratch)

    def _along(
        self, x: Tensor, axis: int, phases: tuple[Tensor, Tensor], scratch: tuple[Tensor, Tensor]
    ) -> None:
        (even, odd), (middle, five) = phases, scratch
        n = middle.shape[axis]
        before, here, after = (x.narrow(axis, self._skip + k, n) for k in (-1, 0, 1))
        if self._smooth:
            torch.mul(here, 10.0, out=middle)
            torch.mul(x.narrow(axis, self._skip - 1, n + 2), 5.0, out=five)
            torch.add(middle, five.narrow(axis, 0, n), out=even).add_(after)
            torch.add(middle, five.narrow(axis, 2, n), out=odd).add_(before)
        else:
            torch.mul(here, 3.0, out=middle)
            torch.add(middle, before, out=even)
            torch.add(middle, after, out=odd)


def _laid_out(weight: Tensor) -> Tensor:
    return weight.detach().clone(memory_format=torch.channels_last)


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias.detach().clone()
