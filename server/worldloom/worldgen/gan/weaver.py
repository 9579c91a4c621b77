"""The weaver: runs the generator for one region, with conditions that change from region to region.

Always one shape at the same place within the lattice, one region at a time, on one thread: then two neighbours compute
the same bits where they overlap. Modulations are computed once for each style and blended on every stage's own grid,
with sums written out: a library's enlarging chooses its order of summing by size.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from worldloom.worldgen.gan.latents import Latents
from worldloom.worldgen.gan.model import COARSE_STAGES, LATENTS, PITCH, STAGES, Generator, Interval, needs
from worldloom.worldgen.gan.style import Style

__all__ = ["HALO", "REGION_PX", "Weaver"]

F32 = npt.NDArray[np.float32]
StyleOf = Callable[[int, int], Style]

REGION_PX = 64
HALO = 4
"""Pixels that are computed beyond a region on every side."""
_CELLS = REGION_PX // PITCH
"""Cells of the coarsest stage along a region."""
_MEMORY = 4_096


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
        self._plan = needs(-HALO, REGION_PX + HALO)
        self._grids = [_Grid(k, plan.takes) for k, plan in enumerate(self._plan)]
        self._films: dict[bytes, list[Tensor]] = {}

    @torch.no_grad()
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
        films = [self._film(k, rx, rz, macro if k < COARSE_STAGES else style) for k in range(STAGES)]
        noises = []
        for k, (grid, noise) in enumerate(zip(self._plan, self._noises, strict=True)):
            step = REGION_PX * 2**k // PITCH
            rows, columns = _moved(grid.takes, rz * step), _moved(grid.takes, rx * step)
            noises.append(torch.from_numpy(noise.on(rows, columns))[None])
        coarse = self._plan[0].takes
        latents = torch.from_numpy(self._latents.on(_moved(coarse, rz * _CELLS), _moved(coarse, rx * _CELLS)))
        window = (-HALO, REGION_PX + HALO)
        height = self._generator(latents[None], noises, films, window, window)
        return np.asarray(height[0, 0].numpy())

    def _film(self, stage: int, rx: int, rz: int, style: StyleOf) -> Tensor:
        """Modulations of a stage on its grid, ``[1, 2 channels, h, w]``; 1 x 1 where one style is in force."""
        grid = self._grids[stage]
        span = range(grid.cells[0] // _CELLS, (grid.cells[1] - 1) // _CELLS + 1)
        styles = [[style(rx + dx, rz + dz) for dx in span] for dz in span]
        first = styles[0][0].key
        if all(one.key == first for row in styles for one in row):
            return self._known(styles[0][0])[stage][None, :, None, None]
        regions = torch.stack([torch.stack([self._known(one)[stage] for one in row], 1) for row in styles], 1)
        cells = regions.repeat_interleave(_CELLS, 1).repeat_interleave(_CELLS, 2)
        skip = grid.cells[0] - span[0] * _CELLS
        size = grid.cells[1] - grid.cells[0]
        return grid.spread(cells[:, skip : skip + size, skip : skip + size])[None]

    def _known(self, style: Style) -> list[Tensor]:
        """Modulations of all stages for a style, ``[2 channels]`` each."""
        films = self._films.get(style.key)
        if films is None:
            if len(self._films) >= _MEMORY:
                self._films.clear()
            one = torch.from_numpy(style.conditions)[None]
            films = [film[0, :, 0, 0].contiguous() for film in self._generator.films(one, one)]
            self._films[style.key] = films
        return films


class _Grid:
    """Where the values of a stage lie between the cells of the coarsest one, along an axis.

    Args:
        stage: Which.
        takes: What it reads; modulations are wanted one cell further in on each side.
    """

    def __init__(self, stage: int, takes: Interval) -> None:
        fine = 2**stage
        at = np.arange(takes[0] + 1, takes[1] - 1)
        # Middles, in halves of a fine cell, so that all of it is exact.
        below = (2 * at + 1 - fine) // (2 * fine)
        self.cells = int(below[0]), int(below[-1]) + 2
        part = (2 * at + 1 - fine - 2 * fine * below) / (2 * fine)
        self._below = torch.from_numpy(below - self.cells[0])
        self._part = torch.from_numpy(part.astype(np.float32))

    def spread(self, cells: Tensor) -> Tensor:
        """``[c, n, n]`` on the cells, to ``[c, h, w]`` on the stage's grid; exactly that of equal neighbours."""
        low, high = cells.index_select(1, self._below), cells.index_select(1, self._below + 1)
        rows = low + (high - low) * self._part[:, None]
        low, high = rows.index_select(2, self._below), rows.index_select(2, self._below + 1)
        return low + (high - low) * self._part


def _moved(interval: Interval, by: int) -> Interval:
    return interval[0] + by, interval[1] + by
