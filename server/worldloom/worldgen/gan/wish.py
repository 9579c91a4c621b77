"""Wishes: from what a person's words were understood to mean, to the style of a region.

The land that is nearest to the wish among the windows of real land is taken whole, so that its conditions belong
together; what was asked for outright is then brought nearer still. Knows no torch.
"""

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.landforms import LANDFORMS_N
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.lattice import hash_lattice, key_of
from worldloom.worldgen.lexicon import Reading

__all__ = ["Wish", "granted"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_TOLD = len(MEASURES)
_FORMS = slice(_TOLD, _TOLD + LANDFORMS_N)
_GRANDEUR = MEASURES.index("grandeur")
_NEAREST = 8
"""So many windows come into question for a region, or more that are as near; its place decides among them."""
_WRONG_FORM = 16.0
_WRONG_SCALE = 9.0
_ALIKE = 4
"""Regions along a side of a square that is like one window."""
_CLOSER = 0.6
"""Share of what is missing to the wish that is made up for."""


class Wish:
    """A wish as it comes true in every region of a world.

    Args:
        reading: Of the words.
        provinces: The world's own styles.
        table: ``[n, CONDITIONS_N]`` conditions of real windows.
        seed: Of the world.
    """

    def __init__(self, reading: Reading, provinces: Provinces, table: F32, seed: int) -> None:
        self._reading, self._provinces, self._table = reading, provinces, table
        self._key = key_of(seed, "wish")

    def style(self, rx: int, rz: int) -> Style:
        """The style of a region; alike within a kilometre."""
        h = hash_lattice(np.array([rx // _ALIKE]), np.array([rz // _ALIKE]), self._key)[0]
        draw = float(h >> np.uint64(40)) / 2**24
        return granted(self._reading, self._provinces.style(rx, rz), self._table, draw)


def granted(reading: Reading, usual: Style, table: F32, draw: float) -> Style:
    """The style that a wish makes of a region.

    Args:
        reading: Of the words.
        usual: The region's style without them.
        table: ``[n, CONDITIONS_N]`` conditions of real windows.
        draw: 0 to 1, by the region's place: which of the windows that come into question.

    Returns:
        What was asked for; the usual in all else.
    """
    asked = bool(reading.landforms or reading.measures)
    conditions = _nearest(reading, usual, table, draw).astype(np.float32) if asked else usual.conditions
    return Style(
        conditions,
        usual.warmth if reading.warmth is None else reading.warmth,
        usual.moisture if reading.moisture is None else (reading.moisture + 1) / 2,
        usual.woods if reading.woods is None else reading.woods,
    )


def _nearest(reading: Reading, usual: Style, table: F32, draw: float) -> F64:
    forms = np.zeros(LANDFORMS_N)
    for kind, weight in reading.landforms.items():
        forms[kind] = weight
    if not forms.any():
        forms = usual.conditions[_FORMS].astype(np.float64)
    share = table[:, _FORMS] @ (forms / max(forms.max(), 1e-6))
    among = table[share >= 0.5 * share.max()]
    usual_there, spread = among[:, :_TOLD].mean(0), np.maximum(among[:, :_TOLD].std(0), 0.05)
    target = {
        k: usual_there[k] + wish * spread[k]
        for k, name in enumerate(MEASURES)
        if k != _GRANDEUR and (wish := reading.measures.get(name)) is not None
    }
    cost = _WRONG_FORM * (1.0 - share)
    for k, value in target.items():
        cost = cost + ((table[:, k] - value) / spread[k]) ** 2
    grandeur = reading.measures.get("grandeur")
    if grandeur is not None:
        cost = cost + _WRONG_SCALE * (table[:, _GRANDEUR] - grandeur) ** 2
    # What is as near as the last of them comes into question too: of a bare landform, all windows.
    near = np.flatnonzero(cost <= np.sort(cost)[:_NEAREST][-1])
    chosen = table[near[min(int(draw * len(near)), len(near) - 1)]].astype(np.float64)
    for k, value in target.items():
        chosen[k] += _CLOSER * (value - chosen[k])
    chosen[_FORMS] = forms / forms.sum()
    return chosen
