"""Modulations: what styles do to the features of each stage, from the coarsest cells to a stage's own grid.

They are constant within a region's cells and linear between the middles of cells. Products and sums are written out and
rounded one by one: a library's enlarging chooses its order of summing by size.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from worldloom.worldgen.gan.model import PITCH, SIZES, Generator, Interval
from worldloom.worldgen.gan.style import Style

__all__ = ["REGION_CELLS", "REGION_PX", "Films", "Spread", "StyleOf"]

StyleOf = Callable[[int, int], Style]

REGION_PX = 64
REGION_CELLS = REGION_PX // PITCH
"""Cells of the coarsest stage along a region."""
_MEMORY = 4_096


class Films:
    """Modulations of styles: of one after the other and never of several at once, for sums must not depend on company.

    Args:
        generator: Its weights are copied.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        films = [stage.film for stage in generator.each()]
        self._weight = torch.cat([film.weight for film in films]).clone()
        self._bias = torch.cat([film.bias for film in films]).clone()
        widths = SIZES[generator.size]
        for channels, bias in zip(widths, self._bias.split([2 * c for c in widths]), strict=True):
            bias[:channels] += 1.0  # Scales, which are told as how far from 1.
        self._known: dict[bytes, Tensor] = {}
        self._widths = [2 * c for c in widths]

    def of(self, styles: Sequence[Style]) -> list[Tensor]:
        """Scales and then shifts of each stage, ``[n, 2 channels]``."""
        return list(torch.stack([self._one(style) for style in styles]).split(self._widths, 1))

    def _one(self, style: Style) -> Tensor:
        film = self._known.get(style.key)
        if film is None:
            if len(self._known) >= _MEMORY:
                self._known.clear()
            embedded = self._generator.embedding(torch.from_numpy(style.conditions)[None])
            film = self._known[style.key] = F.linear(embedded, self._weight, self._bias)[0]
        return film


class Spread:
    """Modulations of a stage on its grid. Not for two threads at once: it keeps its arrays.

    Args:
        stage: Which.
        takes: What it reads along both axes; modulations are wanted one cell further in on each side.
        channels: Of the stage.
    """

    def __init__(self, stage: int, takes: Interval, channels: int) -> None:
        fine, low, high = 2**stage, takes[0] + 1, takes[1] - 1
        at = torch.arange(low, high)
        # Middles, in halves of a fine cell, so that all of it is exact.
        below = (2 * at + 1 - fine) // (2 * fine)
        first, last = int(below[0]), int(below[-1])
        self.cells = first, last + 2
        """Of the coarsest stage, half-open: those that count."""
        self._below = below - first
        self._across = ((2 * at + 1 - fine - 2 * fine * below) / (2 * fine))[:, None]
        # Between two middles all rows of the grid are computed, also those beyond its ends.
        rows = torch.arange(fine) + fine // 2
        self._down = ((2 * rows + 1 - fine) / (2 * fine))[:, None, None]
        spans, side, skip = last + 1 - first, high - low, low - (first * fine + fine // 2)
        self._spans = torch.empty(2, spans, fine, side, channels)
        tall = self._spans.view(2, spans * fine, side, channels)[:, skip : skip + side]
        self.scale, self.shift = tall[0], tall[1]
        """``[side, side, channels]``, as ``of`` left them."""
        self._shape = last + 2 - first, last + 2 - first, 2, channels
        self.look(self.regions)

    @property
    def regions(self) -> Interval:
        """Those of ``cells``, half-open."""
        return self.cells[0] // REGION_CELLS, (self.cells[1] - 1) // REGION_CELLS + 1

    def look(self, regions: Interval) -> None:
        """Say of which regions ``of`` is to be given the modulations; at least of its own."""
        at = torch.arange(*self.cells) // REGION_CELLS - regions[0]
        self._region = (at[:, None] * (regions[1] - regions[0]) + at).reshape(-1)

    def of(self, regions: Tensor) -> None:
        """Set scale and shift from the regions' own, ``[regions by z and x, 2 channels]``."""
        self.of_cells(regions.index_select(0, self._region).view(self._shape).permute(2, 0, 1, 3))

    def of_cells(self, cells: Tensor) -> None:
        """Set them from the cells', ``[2, n, n, channels]``; where neighbours are equal, it is exactly theirs."""
        low, high = cells.index_select(2, self._below), cells.index_select(2, self._below + 1)
        columns = low + (high - low) * self._across
        rise = columns[:, 1:] - columns[:, :-1]
        torch.mul(rise[:, :, None], self._down, out=self._spans)
        self._spans.add_(columns[:, :-1, None])
