"""Commanded land: whether the generator makes what its conditions say. Straight from the net, without a world.

Condition vectors of real windows are commanded one by one, the same at every pixel; what comes is measured as real
land is. Rank correlation tells whether more comes where more was asked for, the medians whether it is as much.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from worldloom.errors import TerrainRejected
from worldloom.worldgen.gan.conditions import MEASURES, WINDOW, measure
from worldloom.worldgen.gan.latents import Latents
from worldloom.worldgen.gan.model import HEIGHT_UNIT, LATENTS, STAGES, Generator, needs
from worldloom.worldgen.gan.tables import as_table

__all__ = ["Obedience", "as_text", "commanded", "rank_correlation", "weave"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_TOLD = tuple(name for name in MEASURES if name != "grandeur")
"""What can be measured on heights alone."""
_STEEPNESS = MEASURES.index("steepness")
_LOGARITHMS = ("steepness", "relief", "roughness")
_SIGNED = "sharpness"
"""About 0: no ratio says anything of it."""
_APART = 64
"""Cells of the coarsest stage between two patches: they share no latent."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Obedience:
    """How one measure of what came goes with what was commanded."""

    rank: float
    """Spearman's rank correlation; not a number where all of one side is alike."""
    commanded: float
    """Median, in the measure's own unit: logarithms are undone."""
    measured: float


def commanded(
    table: F32,
    weave: Callable[[F32], F32],
    count: int,
    seed: int,
    on_patch: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Obedience]:
    """Command so many windows of a table and measure what comes.

    Args:
        table: ``[n, CONDITIONS_N]``, conditions of real windows.
        weave: Conditions ``[b, CONDITIONS_N]`` to heights ``[b, s, s]`` in pixels.
        count: Windows, at least 3; drawn without repeats as far as the table goes.
        seed: Of the drawing.
        on_patch: Told how many are done, of how many.

    Returns:
        By the measure's name.

    Raises:
        ValueError: There are too few.
        TerrainRejected: What comes is not finite.
    """
    if count < 3 or not len(table):
        raise ValueError(f"expected at least 3 of some windows, got {count} of {len(table)}")
    rng = np.random.default_rng(seed)
    # Whole rounds of the table, then a part of it: no window twice before every one had its turn.
    rounds = [rng.permutation(len(table)) for _ in range(-(-count // len(table)))]
    asked = table[np.concatenate(rounds)[:count]]
    got = np.empty((count, len(MEASURES)))
    for first in range(0, count, _AT_ONCE):
        heights = weave(asked[first : first + _AT_ONCE])
        if not np.isfinite(heights).all():
            raise TerrainRejected("expected finite heights of the generator, got others")
        for k, patch in enumerate(heights, first):
            got[k] = measure(patch.astype(np.float64), 1.0)
        on_patch(min(first + _AT_ONCE, count), count)
    return {name: _compared(name, asked[:, k].astype(np.float64), got[:, k]) for name, k in _places()}


def weave(generator: Generator, seed: int) -> Callable[[F32], F32]:
    """What makes patches of a generator: a batch of conditions to heights ``[b, WINDOW, WINDOW]`` in pixels.

    Every call goes on where the last one ended, along a line of places that are far apart.

    Args:
        generator: Trained; used without gradients.
        seed: Of the latents.
    """
    latents = Latents(seed, "latent", LATENTS)
    noises = [Latents(seed, f"noise {k}", 2) for k in range(STAGES)]
    takes = [stage.takes for stage in needs(0, WINDOW)]
    place = 0

    def on(lattice: Latents, stage: int, count: int) -> torch.Tensor:
        low, high = takes[stage]
        moves = [(place + k) * _APART * 2**stage for k in range(count)]
        return torch.from_numpy(np.stack([lattice.on((low, high), (low + by, high + by)) for by in moves]))

    @torch.no_grad()
    def patches(conditions: F32) -> F32:
        nonlocal place
        told, count = torch.from_numpy(conditions), len(conditions)
        noise = [on(lattice, k, count) for k, lattice in enumerate(noises)]
        window = (0, WINDOW)
        height = generator(on(latents, 0, count), noise, generator.films(told, told), window, window)
        place += count
        slope = told[:, _STEEPNESS].exp()
        return np.asarray((height[:, 0] * (HEIGHT_UNIT * slope)[:, None, None]).numpy())

    return patches


def rank_correlation(one: F64, other: F64) -> float:
    """Spearman's: the correlation of ranks, equal values sharing theirs. Not a number where all values are equal."""
    a, b = _ranks(one), _ranks(other)
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size else float("nan")


def as_text(found: dict[str, Obedience]) -> str:
    """A table, a line a measure."""
    cells = [["measure", "rank corr.", "commanded", "measured", "ratio"]]
    for name, one in found.items():
        ratio = "-" if name == _SIGNED or not one.commanded else f"{one.measured / one.commanded:.2f}"
        cells.append([name, f"{one.rank:.3f}", f"{one.commanded:.4f}", f"{one.measured:.4f}", ratio])
    return as_table(cells)


def _places() -> list[tuple[str, int]]:
    return [(name, MEASURES.index(name)) for name in _TOLD]


def _compared(name: str, asked: F64, got: F64) -> Obedience:
    middles = [float(np.median(values)) for values in (asked, got)]
    if name in _LOGARITHMS:
        middles = [float(np.exp(middle)) for middle in middles]
    return Obedience(rank_correlation(asked, got), *middles)


def _ranks(values: F64) -> F64:
    """Places in order, from 0; of equal values the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum() - 1
    return np.asarray((last - (counts - 1) / 2)[which])
