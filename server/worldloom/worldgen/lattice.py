"""Lattice noise: hashed integer lattices, gradient noise, gullies and smooth enlarging. Knows no land.

Everything is a function of global coordinates, element by element and in a fixed order, from integer hashes and the
basic operations that IEEE 754 rounds exactly (no sine, no power, no matrix product): so two regions that share an
edge compute the same bits along it, and so do two machines.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "COSINES",
    "NOISE_GAIN",
    "SINES",
    "enlarge",
    "fbm",
    "gradient_noise",
    "gullies",
    "hash_lattice",
    "key_of",
    "noise",
    "octave_key",
    "smoothstep",
]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

_MASK = (1 << 64) - 1
_X_STEP = np.uint64(0x9E3779B97F4A7C15)
_Z_STEP = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB

# Rounded to 2**-20, so that the last bit of another machine's cosine does not show.
_DIRECTIONS_N = 256
COSINES = np.array(
    [round(math.cos(math.tau * k / _DIRECTIONS_N) * 2**20) / 2**20 for k in range(_DIRECTIONS_N)]
)
SINES = np.array(
    [round(math.sin(math.tau * k / _DIRECTIONS_N) * 2**20) / 2**20 for k in range(_DIRECTIONS_N)]
)

NOISE_GAIN = math.sqrt(2.0)
"""Brings gradient noise to about -1..1."""
_GULLY_REACH = 1.25
"""Radius of a gully cell's influence, in cells: with jitter of a quarter cell, 3 x 3 cells suffice."""


def key_of(seed: int, name: str) -> int:
    """A 64-bit key for one lattice of one world (SplitMix64 over the seed and the name)."""
    state = seed & _MASK
    for byte in name.encode():
        state = _mix((state + 0x9E3779B97F4A7C15 * (byte + 1)) & _MASK)
    return state


def octave_key(key: int, octave: int) -> int:
    """The key of an octave of ``fbm``."""
    return (key + octave * _MIX_1) & _MASK


def hash_lattice(ix: I64, iz: I64, key: int | U64) -> U64:
    """Hash lattice points: ``ix``, ``iz`` and ``key`` broadcast; uint64, all bits well mixed."""
    h = ix.astype(np.uint64) * _X_STEP + iz.astype(np.uint64) * _Z_STEP + np.asarray(key, np.uint64)
    h ^= h >> np.uint64(30)
    h *= np.uint64(_MIX_1)
    h ^= h >> np.uint64(27)
    h *= np.uint64(_MIX_2)
    h ^= h >> np.uint64(31)
    return h


def smoothstep(low: float, high: float, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """0 up to ``low``, 1 from ``high``, smooth between; with ``low > high`` it falls. In the precision of ``value``."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def noise(x: F64, z: F64, key: int) -> F64:
    """Gradient noise, about -1..1, one bump per unit; ``x`` and ``z`` broadcast (Perlin 2002)."""
    fx, fz, ramps, _, _ = _corners(x, z, key)
    return _blend(ramps, _fade(fx), _fade(fz)) * NOISE_GAIN


def gradient_noise(x: F64, z: F64, key: int) -> tuple[F64, F64, F64]:
    """Gradient noise and its derivatives along x and z, per unit."""
    fx, fz, ramps, gx, gz = _corners(x, z, key)
    u, v = _fade(fx), _fade(fz)
    a, b, c, d = ramps
    twist = a - b - c + d
    slope_x = _blend(gx, u, v) + _fade_slope(fx) * (b - a + v * twist)
    slope_z = _blend(gz, u, v) + _fade_slope(fz) * (c - a + u * twist)
    return _blend(ramps, u, v) * NOISE_GAIN, slope_x * NOISE_GAIN, slope_z * NOISE_GAIN


def fbm(x: F64, z: F64, key: int, octaves: int, gain: float = 0.5) -> F64:
    """Octaves of noise, each of twice the frequency and ``gain`` times the height, turned against each other."""
    total = np.zeros(np.broadcast_shapes(x.shape, z.shape))
    amplitude = 1.0
    for octave in range(octaves):
        total += amplitude * noise(x, z, octave_key(key, octave))
        # A turn by the 3-4-5 triangle hides the lattice: the axes of one octave are not those of the next.
        x, z = (0.8 * x - 0.6 * z) * 2.0, (0.6 * x + 0.8 * z) * 2.0
        amplitude *= gain
    return total


def gullies(x: F64, z: F64, across_x: F64, across_z: F64, key: int) -> tuple[F64, F64]:
    """Waves that run across a direction, one per unit, blended from the jittered points of a lattice.

    After clayjohn's "Eroded Terrain Noise" and Johansen's phase-coherent variant: each lattice point sends out a plane
    wave; where neighbours disagree the wave forks, as gullies do.

    Args:
        x: Positions in waves; ``x`` and ``z`` broadcast.
        z: Likewise.
        across_x: Unit vector along which the wave varies: across the slope.
        across_z: Likewise.
        key: Of the lattice.

    Returns:
        Cosine and sine of the blended wave, together at most 1 in length.
    """
    ix, iz = np.floor(x).astype(np.int64), np.floor(z).astype(np.int64)
    x0, z0 = int(ix.min()) - 1, int(iz.min()) - 1
    wide = int(ix.max()) - x0 + 2
    points = hash_lattice(np.arange(x0, x0 + wide), np.arange(z0, int(iz.max()) + 2)[:, None], key)
    # Lattice points with their jitter of +-1/4 cell, and the phase of each wave, are gathered per position.
    jitter_x = _uniform(points, 0).reshape(-1) * 0.5 + 0.25
    jitter_z = _uniform(points, 24).reshape(-1) * 0.5 + 0.25
    at = (iz - z0) * wide + (ix - x0)
    fx, fz = x - ix, z - iz
    cosine, sine, weights = (np.zeros(at.shape) for _ in range(3))
    for step_z in (-1, 0, 1):
        for step_x in (-1, 0, 1):
            near = at + (step_z * wide + step_x)
            dx = (fx - step_x) - jitter_x[near]
            dz = (fz - step_z) - jitter_z[near]
            weight = np.maximum(1.0 - (dx * dx + dz * dz) * (1.0 / _GULLY_REACH**2), 0.0)
            weight *= weight
            c, s = _turn(dx * across_x + dz * across_z)
            cosine += weight * c
            sine += weight * s
            weights += weight
    size = np.sqrt(cosine * cosine + sine * sine + 0.09 * weights * weights) + 1e-9
    return cosine / size, sine / size


def enlarge(coarse: F64, factor: int, samples: int) -> tuple[F64, F64, F64]:
    """Enlarge a coarse grid by a uniform cubic B-spline.

    Args:
        coarse: ``[n, n]``; node 1 lies on sample 0, one node each ``factor`` samples.
        factor: Samples per node.
        samples: Samples wanted along a side; ``n >= (samples - 1) // factor + 4``.

    Returns:
        Values, and their derivatives per sample along x and z, each ``[samples, samples]``.
    """
    at = np.arange(samples) // factor
    t = (np.arange(samples) % factor) / factor
    taps, slopes = _spline(t), _spline_slope(t, factor)
    rows = _weave(coarse.T, at, taps).T
    rows_slope = _weave(coarse.T, at, slopes).T
    return _weave(rows, at, taps), _weave(rows_slope, at, taps), _weave(rows, at, slopes)


def _weave(nodes: F64, at: I64, taps: tuple[F64, ...]) -> F64:
    """Combine four neighbouring rows of nodes for each sample: ``[n, m]`` to ``[samples, m]``."""
    total = nodes[at] * taps[0][:, None]
    for k in (1, 2, 3):
        total += nodes[at + k] * taps[k][:, None]
    return np.asarray(total)


def _spline(t: F64) -> tuple[F64, ...]:
    s = 1.0 - t
    return (
        s * s * s / 6.0,
        (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
        (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
        t * t * t / 6.0,
    )


def _spline_slope(t: F64, factor: int) -> tuple[F64, ...]:
    s = 1.0 - t
    slopes = (-0.5 * s * s, 1.5 * t * t - 2.0 * t, 2.0 * s - 1.5 * s * s, 0.5 * t * t)
    return tuple(slope / factor for slope in slopes)


def _corners(x: F64, z: F64, key: int) -> tuple[F64, F64, list[F64], list[F64], list[F64]]:
    """Position within the square, the ramps of its four corners there, and the corners' gradients."""
    # Gradient noise is 0 on its lattice's points: each lattice is moved by its key, so that they do not all meet.
    x, z = x + (key & 0xFFFF) / 0x10000, z + (key >> 16 & 0xFFFF) / 0x10000
    floor_x, floor_z = np.floor(x), np.floor(z)
    ix, iz = floor_x.astype(np.int64), floor_z.astype(np.int64)
    x0, z0 = int(ix.min()), int(iz.min())
    wide = int(ix.max()) - x0 + 2
    h = hash_lattice(np.arange(x0, x0 + wide), np.arange(z0, int(iz.max()) + 2)[:, None], key)
    direction = (h >> np.uint64(40)).astype(np.int64).reshape(-1) & (_DIRECTIONS_N - 1)
    all_x, all_z = COSINES[direction], SINES[direction]
    at = (iz - z0) * wide + (ix - x0)
    corners = (at, at + 1, at + wide, at + (wide + 1))
    gx, gz = [all_x[k] for k in corners], [all_z[k] for k in corners]
    fx, fz = x - floor_x, z - floor_z
    fx1, fz1 = fx - 1.0, fz - 1.0
    ramps = [
        gx[0] * fx + gz[0] * fz,
        gx[1] * fx1 + gz[1] * fz,
        gx[2] * fx + gz[2] * fz1,
        gx[3] * fx1 + gz[3] * fz1,
    ]
    return fx, fz, ramps, gx, gz


def _fade(t: F64) -> F64:
    return np.asarray(t * t * t * (t * (t * 6.0 - 15.0) + 10.0))


def _fade_slope(t: F64) -> F64:
    return np.asarray(30.0 * t * t * (t * (t - 2.0) + 1.0))


def _blend(corners: list[F64], u: F64, v: F64) -> F64:
    a, b, c, d = corners
    low = a + u * (b - a)
    return np.asarray(low + v * (c + u * (d - c) - low))


def _turn(turns: F64) -> tuple[F64, F64]:
    """Cosine and sine of an angle in turns, within 0.001, by parabolas (no library's sine is the same everywhere)."""
    return _wave(turns + 0.25), _wave(turns)


def _wave(turns: F64) -> F64:
    turns = turns - np.rint(turns)
    arc = turns * (8.0 - 16.0 * np.abs(turns))
    return np.asarray(arc * (0.775 + 0.225 * np.abs(arc)))


def _uniform(h: U64, shift: int) -> F64:
    """24 bits of a hash as a number in 0..1."""
    return ((h >> np.uint64(shift)) & np.uint64(0xFFFFFF)).astype(np.float64) * 2.0**-24


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * _MIX_1) & _MASK
    value = ((value ^ (value >> 27)) * _MIX_2) & _MASK
    return value ^ (value >> 31)
