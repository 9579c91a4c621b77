"""Ground: from the generator's pixels to heights in metres at every sample. Knows no net.

Pixels are 4 m apart, samples 2: between them a uniform cubic B-spline. What styles say is blended over 3 x 3 regions
by a quadratic one; their slope and foot multiply what the net made. What is finer than a pixel is noise by the slope.
All of it is summed element by element in a fixed order: neighbours agree to the bit along the edge that they share.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.model import HEIGHT_UNIT
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weaver import HALO
from worldloom.worldgen.lattice import smoothstep
from worldloom.worldgen.layers import Layer, Spline, layers
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import SAMPLE_M, SAMPLES

__all__ = ["PIXEL_M", "Blend", "Grain", "raised", "sampled", "spread", "values_of", "wide"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

PIXEL_M = 4.0
_NODES = (SAMPLES - 1) // 2
_VALUE = ((1 / 48, 23 / 48, 23 / 48, 1 / 48), (1 / 6, 2 / 3, 1 / 6))
"""A cubic B-spline half-way between two nodes, and on one."""
_LEAN = ((-1 / 8, -5 / 8, 5 / 8, 1 / 8), (-1 / 2, 0.0, 1 / 2))
"""Its slope."""
_SHORE_M = 5.0
_WIDE_M = 16
"""What is wider than hundreds of metres is computed on nodes so far apart."""
_WIDE = Spline(_WIDE_M // SAMPLE_M, SAMPLES)


class Blend:
    """A quadratic B-spline over regions: smooth, and nothing farther than the next region counts.

    Args:
        at: Places in regions, 0 to 1, ``[n]``.
    """

    def __init__(self, at: F64) -> None:
        self._weights = (0.5 * (1 - at) * (1 - at), 0.5 + at * (1 - at), 0.5 * at * at)

    def of(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values of the 3 x 3 regions around, ``[k, 3, 3]`` by z and x, to ``[k, n, n]``; in their precision."""
        w = [weight.astype(values.dtype) for weight in self._weights]
        rows = values[:, :, 0, None] * w[0]
        rows += values[:, :, 1, None] * w[1]
        rows += values[:, :, 2, None] * w[2]
        total = rows[:, 0, None] * w[0][:, None]
        total += rows[:, 1, None] * w[1][:, None]
        total += rows[:, 2, None] * w[2][:, None]
        return total


def values_of(styles: list[list[Style]], *names: str) -> F32:
    """What 3 x 3 styles say, ``[k, 3, 3]``."""
    said = [[[getattr(one, name) for one in row] for row in styles] for name in names]
    return np.array(said, np.float32)


def sampled(pixels: F32) -> tuple[F32, F32]:
    """Pixels ``[72, 72]`` of a region to its samples.

    Returns:
        Values ``[129, 129]`` in the same unit, and how steep they are, per pixel.
    """
    rows = _along(pixels, _VALUE)
    down = _along(_along(pixels, _LEAN).T, _VALUE)
    across = _along(rows.T, _LEAN)
    down *= down
    across *= across
    down += across
    np.sqrt(down, out=down)
    return np.ascontiguousarray(_along(rows.T, _VALUE).T), np.ascontiguousarray(down.T)


def raised(shape: F32, slope: F32, foot: F32, floor_m: F32) -> F32:
    """What the net made, as heights above the sea.

    Args:
        shape: ``[n, n]`` in ``HEIGHT_UNIT`` pixels times rms slope.
        slope: ``[n, n]`` of the styles.
        foot: ``[n, n]`` of the styles.
        floor_m: ``[n, n]`` where valley floors lie, metres.

    Returns:
        ``[n, n]`` metres.
    """
    return np.asarray(floor_m + PIXEL_M * (foot + HEIGHT_UNIT * slope * shape), np.float32)


def wide(rx: int, rz: int, field: Callable[[F64, F64], npt.NDArray[Any]]) -> F32:
    """A field that has nothing finer than some hundred metres, at a region's samples.

    Args:
        rx: Region index.
        rz: Region index.
        field: Takes metres of the world, ``[1, m]`` along x and ``[m, 1]`` along z, and returns ``[m, m]``.

    Returns:
        ``[129, 129]``.
    """
    nodes = (np.arange(_WIDE.nodes, dtype=np.float64) - 1) * _WIDE_M
    values = field((rx * REGION_M + nodes)[None, :], (rz * REGION_M + nodes)[:, None])
    return spread(values.astype(np.float32))


def spread(nodes: F32) -> F32:
    """From nodes 16 m apart, the first one before the region's corner, to samples: ``[20, 20]`` to ``[129, 129]``."""
    return _WIDE.of(nodes[None])[0]


class Grain:
    """What is finer than a pixel, and strands.

    Args:
        key: Of its lattices.
    """

    def __init__(self, key: int) -> None:
        self._fine = (Layer(12.7, key), Layer(5.9, key ^ 1, 1))
        self._flat = (Layer(350.0, key ^ 2),)

    def on(self, rx: int, rz: int, height: F32, slope: F32) -> F32:
        """Add it to a region.

        Args:
            rx: Region index.
            rz: Region index.
            height: ``[129, 129]`` metres.
            slope: ``[129, 129]`` rise over run.

        Returns:
            ``[129, 129]`` metres.
        """
        samples = np.arange(SAMPLES, dtype=np.float64) * SAMPLE_M
        first, second = layers(rx * REGION_M + samples, rz * REGION_M + samples, self._fine)
        fine = first + np.float32(0.5) * second
        fine *= 0.05 + 0.9 * slope / (0.6 + slope)
        fine *= smoothstep(0.3, 4.0, np.abs(height))
        height = height + fine
        low = np.abs(height)
        if low.min() >= _SHORE_M:
            return height
        # Waves flatten what lies near the level of the sea, more in one bay than in the next.
        flat = 0.4 + 0.4 * wide(rx, rz, lambda x, z: layers(x[0], z[:, 0], self._flat)[0])
        flat *= smoothstep(_SHORE_M, 0.0, low)
        return np.asarray(height * (1.0 - flat), np.float32)


def _along(pixels: F32, taps: tuple[tuple[float, ...], tuple[float, ...]]) -> F32:
    """Enlarge the first axis: 72 pixels to 129 samples; even samples lie between two pixels, odd ones on one."""
    out = np.empty((SAMPLES, pixels.shape[1]), np.float32)
    for phase, weights in enumerate(taps):
        first, count = HALO - 2 + phase, _NODES + 1 - phase
        total = np.float32(weights[0]) * pixels[first : first + count]
        for k, weight in enumerate(weights[1:], 1):
            total += np.float32(weight) * pixels[first + k : first + k + count]
        out[phase::2] = total
    return out
