"""Layers: several noises of one grid at once, in single precision, and splines from coarse nodes. Knows no land.

As in ``lattice`` all is a function of global coordinates, element by element and in a fixed order: neighbours agree to
the bit. Places are rounded to 2**-16 of a wave first; from there to its cell everything is exact, also in single
precision, and however far out.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.lattice import COSINES, NOISE_GAIN, SINES, hash_lattice, octave_key

__all__ = ["Layer", "Spline", "layers", "middle", "octaves"]

F32 = npt.NDArray[np.float32]
Real = npt.NDArray[np.floating[Any]]
I64 = npt.NDArray[np.int64]

_ONE = 1 << 16
_MOST_CELLS = 128
"""So many cells of a layer may a grid have along a side: then a place within them has 24 bits."""
_FEW = 4_096
"""Up to so many places all layers are computed at once: what counts is how many arrays there are."""
_COS, _SIN = COSINES.astype(np.float32), SINES.astype(np.float32)


class Layer(NamedTuple):
    """Gradient noise of the plane, about -1..1."""

    wave_m: float
    """One bump to so many metres."""
    key: int
    turns: int = 0
    """How often its lattice is turned by the angle of a 3-4-5 triangle, against the axes of the world."""


def octaves(wave_m: float, key: int, count: int) -> list[Layer]:
    """Layers each of half the wave, turned against each other: those of ``lattice.fbm``."""
    return [Layer(wave_m / 2**k, octave_key(key, k), k) for k in range(count)]


def layers(x: Real, z: Real, which: Sequence[Layer]) -> F32:
    """Noises on a grid.

    Args:
        x: ``[w]`` metres of the world.
        z: ``[h]`` likewise.
        which: ``[k]``.

    Returns:
        ``[k, h, w]``.
    """
    if len(x) * len(z) <= _FEW or (len(which) == 1 and which[0].turns):
        return _general(x, z, which)
    out = np.empty((len(which), len(z), len(x)), np.float32)
    for k, layer in enumerate(which):
        out[k] = _general(x, z, [layer])[0] if layer.turns else _aligned(x, z, layer)
    return out


def _general(x: Real, z: Real, which: Sequence[Layer]) -> F32:
    """Lattices that are turned, or many on few places."""
    low_x, low_z, fx, fz, at, shape = _cells(x, z, which)
    cos, sin = (table.reshape(-1) for table in _gradients(low_x, low_z, which, shape))
    u, v = _fade(fx), _fade(fz)
    low = _between(cos, sin, at, fx, fz, u)
    fz -= np.float32(1.0)
    # The corners of the next row of cells are where those of this one are, in tables that begin a row later.
    high = _between(cos[shape[1] :], sin[shape[1] :], at, fx, fz, u)
    high -= low
    high *= v
    low += high
    low *= np.float32(NOISE_GAIN)
    return low


def _aligned(x: Real, z: Real, layer: Layer) -> F32:
    """A lattice along the axes of the grid: each row of cells is blended along x once, ``[h, w]``."""
    low_x, column, fx = _along(x, layer.wave_m, layer.key & 0xFFFF)
    low_z, row, fz = _along(z, layer.wave_m, layer.key >> 16 & 0xFFFF)
    shape = int(row[-1]) + 2, int(column[-1]) + 2
    cos, sin = (table[0] for table in _gradients(np.array([low_x]), np.array([low_z]), [layer], shape))
    u, v, fz = _fade(fx), _fade(fz)[:, None], fz[:, None]
    left, right = cos[:, column] * fx, cos[:, column + 1] * (fx - np.float32(1.0))
    level = left + u * (right - left)
    left, right = sin[:, column], sin[:, column + 1]
    lean = left + u * (right - left)
    low = lean[row]
    low *= fz
    low += level[row]
    high = lean[row + 1]
    high *= fz - np.float32(1.0)
    high += level[row + 1]
    high -= low
    high *= v
    low += high
    low *= np.float32(NOISE_GAIN)
    return low


def _along(at: Real, wave_m: float, moved: int) -> tuple[int, I64, F32]:
    """The lowest cell along an axis; which cell each place is in, from there, and where in it."""
    places = np.rint(at * (_ONE / wave_m)).astype(np.int64) + moved
    cells = places // _ONE
    low = int(cells[0])
    return low, cells - low, (places % _ONE).astype(np.float32) * np.float32(1 / _ONE)


def _gradients(low_x: I64, low_z: I64, which: Sequence[Layer], shape: tuple[int, int]) -> tuple[F32, F32]:
    """What the lattices' points say: gradients along x and z, ``[k, rows, columns]``."""
    keys = np.array([layer.key for layer in which], np.uint64)[:, None, None]
    columns, rows = (
        low_x[:, None, None] + np.arange(shape[1]),
        low_z[:, None, None] + np.arange(shape[0])[:, None],
    )
    direction = (hash_lattice(columns, rows, keys) >> np.uint64(40)).astype(np.uint8)
    return _COS[direction], _SIN[direction]


def _cells(
    x: Real, z: Real, which: Sequence[Layer]
) -> tuple[I64, I64, F32, F32, npt.NDArray[np.intp], tuple[int, int]]:
    """Where a grid lies in the lattices.

    Returns:
        The lowest cell of each layer along x and z, ``[k]``; places within their cells, ``[k, h, w]``; which cell of
        the layers' tables that is; rows and columns of each table.
    """
    turned = np.array([_turned(layer) for layer in which]) * float(_ONE)
    moved = np.array([[layer.key & 0xFFFF, layer.key >> 16 & 0xFFFF] for layer in which], np.int64)
    parts = []
    # Along x of a lattice a place is cos * x - sin * z, along its z it is sin * x + cos * z.
    for first, second, move in ((0, 2, 0), (1, 0, 1)):
        parts.append(np.rint(turned[:, first, None] * x).astype(np.int64) + moved[:, move, None])
        parts.append(np.rint(turned[:, second, None] * z).astype(np.int64))
    lows = [part.min(axis=1) // _ONE for part in parts]
    near = [
        ((part - low[:, None] * _ONE).astype(np.float32) * np.float32(1 / _ONE))
        for part, low in zip(parts, lows, strict=True)
    ]
    fx = near[0][:, None, :] + near[1][:, :, None]
    fz = near[2][:, None, :] + near[3][:, :, None]
    cell_x, cell_z = np.floor(fx), np.floor(fz)
    fx -= cell_x
    fz -= cell_z
    wide, deep = (int(max(near[k].max(axis=1) + near[k + 1].max(axis=1))) + 2 for k in (0, 2))
    if max(wide, deep) > _MOST_CELLS:
        raise ValueError(f"expected a grid of at most {_MOST_CELLS} cells of a layer, got {max(wide, deep)}")
    cell_z *= np.float32(wide)
    cell_z += cell_x
    at = cell_z.astype(np.intp)
    at += (np.arange(len(which)) * (wide * deep))[:, None, None]
    return lows[0] + lows[1], lows[2] + lows[3], fx, fz, at, (deep, wide)


def _turned(layer: Layer) -> tuple[float, float, float]:
    """Cosine, sine and minus sine of a layer's angle, over its wave."""
    cos, sin = 1.0, 0.0
    for _ in range(layer.turns):
        cos, sin = 0.8 * cos - 0.6 * sin, 0.6 * cos + 0.8 * sin
    return cos / layer.wave_m, sin / layer.wave_m, -sin / layer.wave_m


def _between(cos: F32, sin: F32, at: npt.NDArray[np.intp], fx: F32, fz: F32, u: F32) -> F32:
    """What two neighbouring corners say, blended along x. Corners are never missing, so no index is checked."""
    left, right = cos.take(at, mode="clip"), cos[1:].take(at, mode="clip")
    left *= fx
    right *= fx - np.float32(1.0)
    part = sin.take(at, mode="clip")
    part *= fz
    left += part
    part = sin[1:].take(at, mode="clip")
    part *= fz
    right += part
    right -= left
    right *= u
    left += right
    return left


def _fade(t: F32) -> F32:
    out = t * np.float32(6.0)
    out -= np.float32(15.0)
    out *= t
    out += np.float32(10.0)
    cube = t * t
    cube *= t
    out *= cube
    return out


class Spline:
    """A uniform cubic B-spline from nodes to places between them.

    Args:
        per_node: Places from a node to the next.
        count: Places wanted along a side.
        first: The first place, in places beyond node 1.
    """

    def __init__(self, per_node: int, count: int, first: float = 0.0) -> None:
        t = (np.arange(per_node) + first) / per_node
        s = 1.0 - t
        taps = (
            s * s * s / 6.0,
            (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
            (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
            t * t * t / 6.0,
        )
        self._taps = [tap.astype(np.float32) for tap in taps]
        self._count, self._blocks = count, -(-count // per_node)
        at = np.arange(count)
        self._across = [(at // per_node + j, tap[at % per_node]) for j, tap in enumerate(self._taps)]
        self.nodes = self._blocks + 3
        """Nodes that are needed along a side."""

    def of(self, nodes: F32) -> F32:
        """``[k, nodes, nodes]`` to ``[k, count, count]``."""
        across = self._sum([nodes.take(at, axis=2) * tap for at, tap in self._across])
        down = self._sum(
            [across[:, j : j + self._blocks, None] * tap[:, None] for j, tap in enumerate(self._taps)]
        )
        return down.reshape(len(nodes), -1, self._count)[:, : self._count]

    @staticmethod
    def _sum(parts: list[F32]) -> F32:
        total = parts[0]
        for part in parts[1:]:
            total += part
        return total


def middle(samples: F32) -> F32:
    """Mean of the four samples around each quad: ``[n + 1, n + 1]`` to ``[n, n]``."""
    rows = samples[:-1] + samples[1:]
    means = rows[:, :-1] + rows[:, 1:]
    means *= np.float32(0.25)
    return means
