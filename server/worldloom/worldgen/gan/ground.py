"""Ground: from the generator's pixels to heights in metres at every sample. Knows no net.

Pixels are 4 m apart, samples 2: between them a uniform cubic B-spline. Slope and foot of the styles are blended over
3 x 3 regions by a quadratic one, and multiply what the net made. What is finer than a pixel is noise by the slope.
All of it is summed element by element in a fixed order: neighbours agree to the bit along the edge that they share.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.model import HEIGHT_UNIT
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weaver import HALO
from worldloom.worldgen.lattice import noise, smoothstep
from worldloom_sdk.protocol.tiles import SAMPLES

__all__ = ["PIXEL_M", "Blend", "grain", "raised", "sampled"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

PIXEL_M = 4.0
_NODES = (SAMPLES - 1) // 2
_VALUE = ((1 / 48, 23 / 48, 23 / 48, 1 / 48), (1 / 6, 2 / 3, 1 / 6))
"""A cubic B-spline half-way between two nodes, and on one."""
_LEAN = ((-1 / 8, -5 / 8, 5 / 8, 1 / 8), (-1 / 2, 0.0, 1 / 2))
"""Its slope."""
_SHORE_M = 5.0


class Blend:
    """A quadratic B-spline over regions: smooth, and nothing farther than the next region counts.

    Args:
        at: Places in regions, 0 to 1, ``[n]``.
    """

    def __init__(self, at: F64) -> None:
        self._weights = (0.5 * (1 - at) * (1 - at), 0.5 + at * (1 - at), 0.5 * at * at)

    def of(self, value: Callable[[int, int], float]) -> F64:
        """``[n, n]`` by z and x; ``value(dx, dz)`` is that of the region at that offset, -1 to 1."""
        rows = []
        for dz in (-1, 0, 1):
            row = self._weights[0] * value(-1, dz)
            row = row + self._weights[1] * value(0, dz)
            rows.append(row + self._weights[2] * value(1, dz))
        total = self._weights[0][:, None] * rows[0]
        total = total + self._weights[1][:, None] * rows[1]
        return np.asarray(total + self._weights[2][:, None] * rows[2])


def sampled(pixels: F32) -> tuple[F64, F64]:
    """Pixels ``[72, 72]`` of a region to its samples.

    Returns:
        Values ``[129, 129]`` in the same unit, and how steep they are, per pixel.
    """
    values = pixels.astype(np.float64)
    rows = _along(values, _VALUE)
    down = _along(_along(values, _LEAN).T, _VALUE).T
    across = _along(rows.T, _LEAN).T
    return np.ascontiguousarray(_along(rows.T, _VALUE).T), np.sqrt(down * down + across * across)


def raised(shape: F64, styles: Callable[[int, int], Style], floor_m: F64, blend: Blend) -> F64:
    """What the net made, as heights above the sea.

    Args:
        shape: ``[n, n]`` in ``HEIGHT_UNIT`` pixels times rms slope.
        styles: Of the region at an offset.
        floor_m: ``[n, n]`` where valley floors lie, metres.
        blend: Of the same places.

    Returns:
        ``[n, n]`` metres.
    """
    slope = blend.of(lambda dx, dz: styles(dx, dz).slope)
    foot = blend.of(lambda dx, dz: styles(dx, dz).foot)
    return floor_m + PIXEL_M * (foot + HEIGHT_UNIT * slope * shape)


def grain(x: F64, z: F64, height: F64, slope: F64, key: int) -> F64:
    """Add what is finer than a pixel, and strands.

    Args:
        x: ``[1, n]`` metres of the world.
        z: ``[n, 1]`` likewise.
        height: ``[n, n]`` metres.
        slope: ``[n, n]`` rise over run.
        key: Of its lattices.

    Returns:
        ``[n, n]`` metres.
    """
    fine = noise(x / 12.7, z / 12.7, key) + 0.5 * noise(
        (0.8 * x - 0.6 * z) / 5.9, (0.6 * x + 0.8 * z) / 5.9, key ^ 1
    )
    rough = 0.05 + 0.9 * slope / (0.6 + slope)
    height = height + fine * rough * smoothstep(0.3, 4.0, np.abs(height))
    # Waves flatten what lies near the level of the sea, more in one bay than in the next.
    flat = 0.4 + 0.4 * noise(x / 350.0, z / 350.0, key ^ 2)
    return np.asarray(height * (1.0 - flat * smoothstep(_SHORE_M, 0.0, np.abs(height))))


def _along(pixels: F64, taps: tuple[tuple[float, ...], tuple[float, ...]]) -> F64:
    """Enlarge the first axis: 72 pixels to 129 samples; even samples lie between two pixels, odd ones on one."""
    out = np.empty((SAMPLES, pixels.shape[1]))
    for phase, weights in enumerate(taps):
        first, count = HALO - 2 + phase, _NODES + 1 - phase
        total = weights[0] * pixels[first : first + count]
        for k, weight in enumerate(weights[1:], 1):
            total = total + weight * pixels[first + k : first + k + count]
        out[phase::2] = total
    return out
