"""Landform: the heights of a region from noise: coasts, hills, ranges, valleys, and the gullies that water cut.

Broad shapes are computed on nodes 8 m apart and enlarged by a spline, whose slope then steers the gullies; only what is
finer is computed at every sample. Knows no classes, no things and no tiles' bytes.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.lattice import (
    enlarge,
    fbm,
    gradient_noise,
    gullies,
    key_of,
    noise,
    smoothstep,
)
from worldloom.worldgen.layers import Spline
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, MAX_HEIGHT, MIN_HEIGHT, SAMPLE_M, SAMPLES

__all__ = ["Landform", "Relief"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_NODE_SAMPLES = 4
_NODE_M = _NODE_SAMPLES * SAMPLE_M
_NODES = (SAMPLES - 1) // _NODE_SAMPLES + 4

_LATTICES = (
    *("warp_x", "warp_z", "bend_x", "bend_z", "land", "isle", "shore", "ragged"),
    *("hills", "rough", "range", "crest", "valley", "meander", "wet", "warm", "detail", "grain"),
)
_DROWNED_M = -2.0
"""Below it nothing is carved."""
_STRAND_M = 7.0
"""Around sea level the shore is made ragged up to this height and depth."""
_GULLY_WAVES_M = (170.0, 83.0, 41.0, 20.0)
"""Distances between neighbouring gullies, coarse to fine."""
_GULLY_DEPTH = (0.115, 0.095, 0.07, 0.045)
"""Their height, in wavelengths and per unit of slope."""


@dataclass(frozen=True, slots=True)
class Relief:
    """Shape and climate of a region; the climate in the middles of its quads."""

    heights: npt.NDArray[np.int16]
    """``[129, 129]``, 1/32 m."""
    ruggedness: F32
    """``[128, 128]``, 0 lowland to 1 high mountains."""
    moisture: F32
    """``[128, 128]``, 0 desert to 1 rain forest, before altitude."""
    warmth: F32
    """``[128, 128]``, -1 arctic to 1 tropical, at the level of the sea."""
    woods: F32
    """``[128, 128]``, -1 no tree to 1 all wood; 0 as the climate has it."""


@dataclass(frozen=True, slots=True)
class _Broad:
    """What the nodes know, ``[36, 36]`` each."""

    height: F64
    uplift: F64
    moisture: F64
    warmth: F64


class Landform:
    """The shape of one world.

    Args:
        seed: Of the world.
    """

    def __init__(self, seed: int) -> None:
        self._key = {name: key_of(seed, name) for name in _LATTICES}
        self._gully_keys = [key_of(seed, f"gully{k}") for k in range(len(_GULLY_WAVES_M))]
        compass = key_of(seed, "compass")
        east, north = (compass & 0xFFFF) / 0x8000 - 1.0, (compass >> 16 & 0xFFFF) / 0x8000 - 1.0
        length = math.sqrt(max(east * east + north * north, 0.01))
        self._inland = (east / length, north / length)
        self._spline = Spline(_NODE_SAMPLES, SAMPLES - 1, 0.5)

    def relief(self, rx: int, rz: int) -> Relief:
        """The shape of a region."""
        first = np.arange(-1, _NODES - 1) * _NODE_M
        side = (SAMPLES - 1) * SAMPLE_M
        node_x, node_z = (rx * side + first).astype(np.float64), (rz * side + first).astype(np.float64)
        broad = self._broad(node_x[None, :], node_z[:, None])
        height, slope_x, slope_z = enlarge(broad.height, _NODE_SAMPLES, SAMPLES)
        uplift = enlarge(broad.uplift, _NODE_SAMPLES, SAMPLES)[0]
        samples = np.arange(SAMPLES) * SAMPLE_M
        x = (rx * side + samples).astype(np.float64)[None, :]
        z = (rz * side + samples).astype(np.float64)[:, None]
        land = height > _DROWNED_M
        if land.any():
            wide_x, wide_z = np.broadcast_arrays(x, z)
            carved = (wide_x[land], wide_z[land], height[land], slope_x[land], slope_z[land])
            height[land] = self._carve(*carved)
        height = self._shore(x, z, self._grain(x, z, height, uplift))
        units = np.clip(np.rint(height * HEIGHTS_PER_M), MIN_HEIGHT, MAX_HEIGHT).astype(np.int16)
        climate = np.stack((broad.uplift, broad.moisture, broad.warmth)).astype(np.float32)
        rugged, moisture, warmth = self._spline.of(climate)
        rugged, moisture = np.clip(rugged, 0.0, 1.0), np.clip(moisture, 0.0, 1.0)
        return Relief(units, rugged, moisture, np.clip(warmth, -1.0, 1.0), np.zeros_like(warmth))

    def _broad(self, x: F64, z: F64) -> _Broad:
        key = self._key
        wx = x + 260.0 * fbm(x / 1900.0, z / 1900.0, key["warp_x"], 2)
        wz = z + 260.0 * fbm(x / 1900.0, z / 1900.0, key["warp_z"], 2)
        bx = wx + 70.0 * noise(x / 420.0, z / 420.0, key["bend_x"])
        bz = wz + 70.0 * noise(x / 420.0, z / 420.0, key["bend_z"])
        land = self._land(x, z, bx, bz)
        inland = smoothstep(0.02, 0.5, land)
        uplift = (
            smoothstep(-0.05, 0.55, fbm(wx / 2700.0, wz / 2700.0, key["range"], 2) + 0.35 * land) * inland
        )
        uplift *= 1.0 - 0.9 * _near_spawn(x, z, 250.0, 1100.0)
        rolling = 1.0 - 0.75 * _near_spawn(x, z, 80.0, 500.0)
        rolling *= 0.35 + 0.65 * smoothstep(-0.4, 0.6, noise(wx / 1700.0, wz / 1700.0, key["rough"]))
        hills = _eroded(bx / 560.0, bz / 560.0, key["hills"], 5)
        height = _coast(land)
        height = height + smoothstep(0.03, 0.3, land) * rolling * (28.0 + 52.0 * hills)
        height = height + uplift * (22.0 + 178.0 * self._crests(bx, bz))
        height = self._valleys(x, z, wx, wz, height)
        moisture = 0.5 + 0.55 * fbm(wx / 900.0, wz / 900.0, key["wet"], 3)
        warmth = (
            0.8 * fbm(wx / 6000.0, wz / 6000.0, key["warm"], 2) * (1.0 - _near_spawn(x, z, 300.0, 2000.0))
        )
        return _Broad(height, uplift, moisture, warmth)

    def _land(self, x: F64, z: F64, bx: F64, bz: F64) -> F64:
        """Above 0 land, below 0 sea, about -1..1; around the middle of the world a shore, whatever the seed."""
        open_land = 0.12 + 0.95 * fbm(bx / 3600.0, bz / 3600.0, self._key["land"], 6, 0.5)
        isles = smoothstep(0.1, 1.0, fbm(bx / 900.0, bz / 900.0, self._key["isle"], 5))
        open_land = open_land + 0.8 * isles * smoothstep(0.0, -0.3, open_land)
        dx, dz = self._inland
        wobble = 0.1 * fbm(x / 420.0, z / 420.0, self._key["shore"], 4)
        far = 1.0 - _near_spawn(x, z, 40.0, 260.0)
        home = 0.1 + 0.62 * np.clip((x * dx + z * dz) / 1000.0, -0.6, 0.6) + wobble * (0.25 + 0.75 * far)
        weight = _near_spawn(x, z, 120.0, 1000.0)
        return np.asarray(open_land + weight * (home - open_land))

    def _crests(self, x: F64, z: F64) -> F64:
        """Ridges, 0..1: sharp crests where noise crosses zero, finer ones hung on the coarser."""
        total = np.zeros(np.broadcast_shapes(x.shape, z.shape))
        weight = np.ones_like(total)
        amplitude, frequency = 0.62, 1.0 / 1150.0
        for octave in range(4):
            crest = 1.0 - np.abs(noise(x * frequency, z * frequency, self._key["crest"] ^ octave))
            crest = crest * crest
            total += amplitude * crest * weight
            weight = np.clip(crest * 1.4, 0.0, 1.0)
            x, z = 0.8 * x - 0.6 * z, 0.6 * x + 0.8 * z
            amplitude, frequency = amplitude * 0.45, frequency * 2.1
        return total

    def _valleys(self, x: F64, z: F64, wx: F64, wz: F64, height: F64) -> F64:
        """Wide valleys, with winding water where they come near the sea's level."""
        mx = wx + 60.0 * fbm(x / 260.0, z / 260.0, self._key["meander"], 2)
        mz = wz + 60.0 * fbm(x / 260.0, z / 260.0, self._key["meander"] ^ 8, 2)
        line = np.abs(noise(mx / 1700.0, mz / 1700.0, self._key["valley"]))
        line = line + 0.2 * _near_spawn(x, z, 60.0, 320.0)
        low = smoothstep(60.0, 6.0, height)
        height = height - smoothstep(0.2, 0.01, line) * np.maximum(height - 2.5, 0.0) * (0.3 + 0.6 * low)
        width = 0.028 + 0.014 * noise(x / 300.0, z / 300.0, self._key["meander"] ^ 9)
        bed = smoothstep(1.0, 0.35, line / width) * smoothstep(30.0, 6.0, height)
        return np.asarray(height - bed * smoothstep(-1.5, 3.0, height) * 5.0)

    def _carve(self, x: F64, z: F64, height: F64, slope_x: F64, slope_z: F64) -> F64:
        """Cut gullies down the slopes; each octave follows the slope that the coarser ones left. All ``[n]``."""
        slope_x, slope_z = slope_x / SAMPLE_M, slope_z / SAMPLE_M
        broad = np.sqrt(slope_x * slope_x + slope_z * slope_z)
        strength = smoothstep(_DROWNED_M, 12.0, height) * broad / (broad + 0.22) * 1.3
        for wave, depth, key in zip(_GULLY_WAVES_M, _GULLY_DEPTH, self._gully_keys, strict=True):
            slope = np.sqrt(slope_x * slope_x + slope_z * slope_z) + 1e-6
            across_x, across_z = -slope_z / slope, slope_x / slope
            ridge, side = gullies(x / wave, z / wave, across_x, across_z, key)
            # No gully is cut deeper than a part of its height above the sea: so none becomes a pond.
            size = np.minimum(depth * wave * strength * np.minimum(slope, 0.8), 0.3 * np.maximum(height, 0.0))
            height = height + size * (ridge - 0.2)
            steep = size * side * (6.2832 / wave)
            slope_x = slope_x - steep * across_x
            slope_z = slope_z - steep * across_z
        return height

    def _grain(self, x: F64, z: F64, height: F64, uplift: F64) -> F64:
        """Small unevenness: gentle in meadows, rough on mountains."""
        rough = 0.25 + 1.2 * uplift
        fine = 0.9 * noise(x / 37.0, z / 31.0, self._key["detail"])
        fine += 0.4 * noise((0.8 * x - 0.6 * z) / 13.0, (0.6 * x + 0.8 * z) / 13.0, self._key["grain"])
        height = height + fine * rough * smoothstep(0.5, 5.0, np.abs(height))
        shore = np.abs(height) < _STRAND_M
        if shore.any():
            near_x, near_z = (axis[shore] for axis in np.broadcast_arrays(x, z))
            ragged = fbm(near_x / 95.0, near_z / 95.0, self._key["ragged"], 3)
            height[shore] += 2.2 * ragged * smoothstep(_STRAND_M, 0.0, np.abs(height[shore]))
        return height

    def _shore(self, x: F64, z: F64, height: F64) -> F64:
        """Flatten the strand around sea level, more in one bay than in the next."""
        flat = 0.34 + 0.5 * noise(x / 350.0, z / 350.0, self._key["shore"])
        return np.asarray(height * (1.0 - flat * smoothstep(5.0, 0.0, np.abs(height))))


def _near_spawn(x: F64, z: F64, inner_m: float, outer_m: float) -> F64:
    """1 within ``inner_m`` of the middle of the world, 0 from ``outer_m`` on."""
    return smoothstep(outer_m, inner_m, np.sqrt(x * x + z * z))


def _coast(land: F64) -> F64:
    """Height of the bare coast in metres: a shelf, a strand, then plains that rise slowly."""
    sea = np.minimum(land, 0.0)
    dry = np.maximum(land, 0.0)
    return np.asarray(75.0 * dry - 30.0 * dry * dry + 75.0 * sea - 40.0 * sea * sea)


def _eroded(x: F64, z: F64, key: int, octaves: int) -> F64:
    """Octaves of noise that stay quiet where the coarser ones are steep (Quilez): smooth slopes, rough tops."""
    total = np.zeros(np.broadcast_shapes(x.shape, z.shape))
    slope_x, slope_z = np.zeros_like(total), np.zeros_like(total)
    amplitude = 1.0
    for octave in range(octaves):
        value, dx, dz = gradient_noise(x, z, key ^ octave)
        slope_x = slope_x + dx
        slope_z = slope_z + dz
        total += amplitude * value / (1.0 + 0.35 * (slope_x * slope_x + slope_z * slope_z))
        x, z = (0.8 * x - 0.6 * z) * 2.0, (0.6 * x + 0.8 * z) * 2.0
        slope_x, slope_z = 0.8 * slope_x - 0.6 * slope_z, 0.6 * slope_x + 0.8 * slope_z
        amplitude *= 0.5
    return total
