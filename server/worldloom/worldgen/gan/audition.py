"""Auditions: each window of a model's table is woven and judged, so that it is known for what the net makes of it.

A window comes with the landform of the tile that it was cut from. What the net makes of its measures may look like
another one: it is told measures, not landforms. Words lead to windows by landform, so that should be what comes.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.judge import Judge, traits
from worldloom.worldgen.gan.landforms import LANDFORMS_N
from worldloom.worldgen.gan.prompts import piece
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.style import Style

__all__ = ["SIDE", "auditioned"]

F32 = npt.NDArray[np.float32]

SIDE = 8
"""Regions along a side of what is woven of each window: 16 patches."""
_FORMS = slice(len(MEASURES), len(MEASURES) + LANDFORMS_N)


def auditioned(
    source: GanSource, judge: Judge, side: int = SIDE, on_window: Callable[[], None] = lambda: None
) -> F32:
    """The table of the source's model, ``[n, CONDITIONS_N]``, each window with the landforms that its land looks like.

    Args:
        source: Model and seed; every window is woven at a place of its own.
        judge: Learned from real land; its opinions of a window's patches, on average, become the window's landforms.
        side: Regions along a side of a piece, even, at least 4.
        on_window: Called after each.

    Raises:
        TerrainRejected: What comes is not finite.
    """
    table = source.model.table.copy()
    for place, conditions in enumerate(source.model.table):
        land = piece(source, partial(_everywhere, Style(conditions)), place, side)
        table[place, _FORMS] = judge.shares(traits(land, 1.0)).mean(0)
        on_window()
    return table


def _everywhere(style: Style, _rx: int, _rz: int) -> Style:
    return style
