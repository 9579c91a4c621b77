"""Silt: hollows that the net leaves closed are filled up to where they spill, as streams do it. Knows no net.

A net has no sense of drainage: it sees some hundred metres, and a hollow is closed by a few of them at its outlet.
Windows of 2 x 2 regions are filled on a grid of 16 m, beginning at every region, and faded out towards their borders,
where what is closed beyond them would be taken for open. Four of them overlap in a region and weigh 1 together. What is
finer than the grid stays as it was, and lies on the silt. A window is a function of its own regions, and a region of
the windows that it lies in: of the 3 x 3 regions around.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.modulations import REGION_PX, StyleOf
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weaver import HALO

__all__ = ["NODES", "PITCH_M", "BlockOf", "Silt", "filled", "nodes_of"]

F32 = npt.NDArray[np.float32]
Region = tuple[int, int]

BlockOf = Callable[[int, int, StyleOf], tuple[F32, F32]]
"""Heights in metres and steepness (rise over run) at the nodes of a region, ``[NODES, NODES]`` each, by styles."""

_POOL = 4
"""Pixels from a node to the next; so many by so many around a node are one height."""
NODES = REGION_PX // _POOL
"""Along a region; the first lies on its corner."""
PITCH_M = 16.0
_WINDOW = 2 * NODES
_AROUND = (1, 3)
"""Nodes before and behind those of a region that its samples need."""
_FALL = 0.02
"""Fall of silt over the steepness that the land is told: it does not lie level, least of all in the mountains."""
_EDGE = 3
"""Nodes at a window's border at which it does not count."""
_AT_ONCE = 8
_MEMORY = 1_024


def nodes_of(pixels: F32) -> F32:
    """Means of the pixels around each node: a region's ``[72, 72]`` to ``[NODES, NODES]``."""
    first = HALO - _POOL // 2
    spans = [slice(first + k, first + k + REGION_PX, _POOL) for k in range(_POOL)]
    rows = pixels[spans[0]] + pixels[spans[1]] + pixels[spans[2]] + pixels[spans[3]]
    total = rows[:, spans[0]] + rows[:, spans[1]] + rows[:, spans[2]] + rows[:, spans[3]]
    return total * np.float32(1 / _POOL**2)


def filled(ground: F32, fall: F32) -> F32:
    """Fill every hollow up to where it spills; what lies below the sea is none, and drains what is around it.

    The surface of Planchon and Darboux (Catena 46, 2001), all cells at once until nothing changes: minima, maxima and
    one sum, so it comes to the same bits in any order.

    Args:
        ground: ``[n, n]`` metres; it drains over its border.
        fall: ``[n, n]`` by how much silt lies higher than the next cell towards its way out, metres, more than 0.

    Returns:
        ``[n, n]``, nowhere below the ground.
    """
    water = ground.copy()
    inner, floor, rise = water[1:-1, 1:-1], ground[1:-1, 1:-1], fall[1:-1, 1:-1]
    inner[floor >= 0] = np.inf
    before = np.empty_like(water)
    while not np.array_equal(before, water):
        before[:] = water
        for _ in range(_AT_ONCE):
            low = np.minimum(water[:, :-2], water[:, 2:])
            np.minimum(low, water[:, 1:-1], out=low)
            lowest = np.minimum(low[:-2], low[2:])
            np.minimum(lowest, low[1:-1], out=lowest)
            lowest += rise
            np.minimum(inner, lowest, out=inner)
            np.maximum(inner, floor, out=inner)
    return water


class Silt:
    """What is laid into the hollows of a world.

    Args:
        own: The world's own styles.
        block: Land at nodes.
    """

    def __init__(self, own: StyleOf, block: BlockOf) -> None:
        self._own, self._block = own, block
        self._windows: dict[tuple[int, int, tuple[tuple[Region, bytes], ...]], F32] = {}

    def on(self, rx: int, rz: int, style: StyleOf) -> F32:
        """How high silt lies in a region.

        Args:
            rx: Region index.
            rz: Region index.
            style: In force; asked for the 3 x 3 regions around.

        Returns:
            ``[20, 20]`` metres at nodes, from one before the region to two beyond its end.
        """
        before, behind = _AROUND
        out = np.zeros((before + NODES + behind,) * 2, np.float32)
        # Of the earlier window all that is left, of the later one what the region reaches into.
        spans = (
            (-1, slice(0, before + NODES), slice(NODES - before, _WINDOW)),
            (0, slice(before, None), slice(0, NODES + behind)),
        )
        for dz, down, rows in spans:
            for dx, across, columns in spans:
                out[down, across] += self._window(rx + dx, rz + dz, style)[rows, columns]
        return out

    def _window(self, wx: int, wz: int, style: StyleOf) -> F32:
        """The window of the 2 x 2 regions from here on, faded out: ``[32, 32]``.

        Styles beyond it are those of its nearest region, so that all regions in it, who each know other ones, agree.
        """
        within = [(wx + dx, wz + dz) for dz in (0, 1) for dx in (0, 1)]
        chosen: dict[Region, Style] = {}
        for at in within:
            said = style(*at)
            if said.land != self._own(*at).land:
                chosen[at] = said
        key = wx, wz, tuple((at, said.land) for at, said in chosen.items())
        known = self._windows.get(key)
        if known is None:

            def seen(rx: int, rz: int) -> Style:
                nearest = min(max(rx, wx), wx + 1), min(max(rz, wz), wz + 1)
                return chosen.get(nearest) or self._own(rx, rz)

            blocks = [self._block(*at, seen) for at in within]
            ground, steep = (
                np.block([[blocks[0][k], blocks[1][k]], [blocks[2][k], blocks[3][k]]]) for k in (0, 1)
            )
            if len(self._windows) >= _MEMORY:
                self._windows.clear()
            fall = np.float32(_FALL * PITCH_M) * steep
            known = self._windows[key] = (filled(ground, fall) - ground) * _FADE
        return known


def _fade() -> F32:
    """Weights of a window: those of the four that overlap sum to 1."""
    at = np.clip((np.arange(NODES) + 0.5 - _EDGE) / (NODES - 2 * _EDGE), 0.0, 1.0)
    rise = at * at * (3.0 - 2.0 * at)
    line = np.concatenate((rise, 1.0 - rise))
    return np.outer(line, line).astype(np.float32)


_FADE = _fade()
