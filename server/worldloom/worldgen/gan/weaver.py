"""The weaver: runs the generator for one region, with conditions that change from region to region.

Always one shape at the same place within the lattice, one region at a time, on one thread: then two neighbours compute
the same bits where they overlap.
"""

import numpy as np
import numpy.typing as npt
import torch

from worldloom.worldgen.gan.latents import Latents
from worldloom.worldgen.gan.model import COARSE_STAGES, LATENTS, PITCH, STAGES, Generator, Interval, needs
from worldloom.worldgen.gan.modulations import REGION_CELLS, REGION_PX, Films, Spread, StyleOf
from worldloom.worldgen.gan.swift import Swift

__all__ = ["HALO", "REGION_PX", "StyleOf", "Weaver"]

F32 = npt.NDArray[np.float32]

HALO = 4
"""Pixels that are computed beyond a region on every side."""
_COARSE, _FINE = range(COARSE_STAGES), range(COARSE_STAGES, STAGES)


class Weaver:
    """One model and one world.

    Args:
        generator: Trained; used without gradients.
        seed: Of the world.
    """

    def __init__(self, generator: Generator, seed: int) -> None:
        self._generator = generator.eval().requires_grad_(False)
        self._latents = Latents(seed, "latent", LATENTS)
        self._noises = [Latents(seed, f"noise {k}", 2) for k in range(STAGES)]
        self._takes = [plan.takes for plan in needs(-HALO, REGION_PX + HALO)]
        self._films = Films(generator)
        self._idle = [self._swift()]

    @torch.inference_mode()
    def pixels(self, rx: int, rz: int, macro: StyleOf, style: StyleOf) -> F32:
        """The generator's heights of a region.

        Args:
            rx: Region index.
            rz: Region index.
            macro: The world's own style of a region; asked for up to four regions around.
            style: The style that is in force; asked for the 3 x 3 regions around.

        Returns:
            ``[72, 72]``: 64 pixels of 4 m and ``HALO`` on every side; in ``HEIGHT_UNIT`` pixels times rms slope.
        """
        try:
            swift = self._idle.pop()
        except IndexError:  # Another thread is at it.
            swift = self._swift()
        self._modulate(swift.spreads, _COARSE, rx, rz, macro)
        self._modulate(swift.spreads, _FINE, rx, rz, style)
        noises = []
        for k, (takes, noise) in enumerate(zip(self._takes, self._noises, strict=True)):
            step = REGION_PX * 2**k // PITCH
            noises.append(noise.on(_moved(takes, rz * step), _moved(takes, rx * step)))
        rows, columns = (_moved(self._takes[0], r * REGION_CELLS) for r in (rz, rx))
        height = swift(self._latents.on(rows, columns), noises)
        self._idle.append(swift)
        return height

    def _swift(self) -> Swift:
        swift = Swift(self._generator, -HALO, REGION_PX + HALO)
        for stages in (_COARSE, _FINE):
            for stage in stages:
                swift.spreads[stage].look(swift.spreads[stages[0]].regions)
        return swift

    def _modulate(self, spreads: list[Spread], stages: range, rx: int, rz: int, style: StyleOf) -> None:
        """Set the modulations of some stages, of which the first looks farthest, by the styles around."""
        span = range(*spreads[stages[0]].regions)
        films = self._films.of([style(rx + dx, rz + dz) for dz in span for dx in span])
        for stage in stages:
            spreads[stage].of(films[stage])


def _moved(interval: Interval, by: int) -> Interval:
    return interval[0] + by, interval[1] + by
