"""Cover: what the ground is made of and what stands on it, from shape and climate of a region. Knows no tiles' bytes.

Temperature is the climate's warmth, and falls with height. All is computed in the middles of the quads, in single
precision, from global coordinates.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.growth import F32, U8, Ground, standing
from worldloom.worldgen.landform import Relief
from worldloom.worldgen.lattice import key_of, smoothstep
from worldloom.worldgen.layers import Layer, Spline, layers, middle, octaves
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, SAMPLE_M, SURFACE_CELLS, Surface

__all__ = ["Cover"]

_NODE_M = 8
"""What is broad is computed on nodes so far apart."""
_PER_NODE = _NODE_M // SAMPLE_M
_CLEARING_M = 100.0
"""How far the clearing in the middle of the world reaches at most."""


class Cover:
    """Surface classes and things of one world.

    Args:
        seed: Of the world.
    """

    def __init__(self, seed: int) -> None:
        wood = key_of(seed, "cover wood")
        self._ragged = octaves(46.0, key_of(seed, "cover ragged"), 3)
        self._broad = [
            *octaves(310.0, wood, 3),
            Layer(85.0, wood ^ 5),
            Layer(140.0, key_of(seed, "cover mix")),
            Layer(60.0, key_of(seed, "cover bloom")),
        ]
        self._spot = key_of(seed, "cover spot")
        self._spline = Spline(_PER_NODE, SURFACE_CELLS, 0.5)

    def of(self, rx: int, rz: int, relief: Relief) -> tuple[U8, npt.NDArray[Any]]:
        """Surface classes ``[128, 128]`` and things ``[n]`` of a region."""
        metres = relief.heights.astype(np.float32) * np.float32(1 / HEIGHTS_PER_M)
        centres = np.arange(SURFACE_CELLS, dtype=np.float64) * SAMPLE_M + SAMPLE_M / 2
        x, z = rx * REGION_M + centres, rz * REGION_M + centres
        ragged = _summed(layers(x, z, self._ragged))
        nodes = (np.arange(self._spline.nodes, dtype=np.float64) - 1) * _NODE_M
        broad = layers(rx * REGION_M + nodes, rz * REGION_M + nodes, self._broad)
        stand, glade, mix, bloom = self._spline.of(np.stack((_summed(broad[:3]), *broad[3:])))
        land = _Land(middle(metres), _slope(metres), ragged, relief)
        woods = _woods(land, stand, glade)
        if max(abs(2 * rx + 1), abs(2 * rz + 1)) == 1:
            away = np.sqrt(x * x + (z * z)[:, None]).astype(np.float32)
            woods *= smoothstep(18.0, 70.0, away + 14.0 * ragged)
        surface = _classes(land, woods, glade)
        ground = Ground(surface, land.ground, land.slope, woods, mix, bloom, relief)
        return surface, standing(rx, rz, ground, self._spot)


@dataclass(slots=True)
class _Land:
    """What rules look at, ``[128, 128]`` each."""

    ground: F32
    """Height, metres."""
    slope: F32
    """Rise over run."""
    ragged: F32
    """Unevenness of all borders, about -1..1."""
    relief: Relief


def _summed(octave: F32) -> F32:
    """Three octaves, each half as high as the one before."""
    return octave[0] + np.float32(0.5) * octave[1] + np.float32(0.25) * octave[2]


def _slope(metres: F32) -> F32:
    """Steepness of each quad, rise over run."""
    rows, columns = metres[1:] - metres[:-1], metres[:, 1:] - metres[:, :-1]
    dz, dx = rows[:, :-1] + rows[:, 1:], columns[:-1] + columns[1:]
    dx *= dx
    dz *= dz
    dx += dz
    np.sqrt(dx, out=dx)
    dx *= np.float32(0.5 / SAMPLE_M)
    return dx


def tree_line_m(warmth: F32, woods: F32) -> F32:
    """How high trees grow: 125 m where it is mild, nowhere in the tundra; who asks for woods gets hardy ones."""
    line = 125.0 + warmth * (250.0 + 85.0 * warmth) + 120.0 * np.maximum(woods, 0.0)
    return np.asarray(line, np.float32)


def snow_line_m(warmth: F32) -> F32:
    """From where snow lies: 165 m where it is mild, the sea in the arctic, 510 m in the tropics."""
    return np.asarray(165.0 + warmth * (255.0 + 90.0 * warmth), np.float32)


def _drought(relief: Relief) -> F32:
    """Above 0 nothing grows by itself: the hotter, the more moisture it takes. Nowhere so where it is cool."""
    warmth = relief.warmth
    drought = np.minimum(0.5 * np.minimum(warmth, 0.5) - relief.moisture, 2.0 * (warmth - 0.1))
    return np.asarray(drought, np.float32)


def _woods(land: _Land, stand: F32, glade: F32) -> F32:
    """How dense the wood is, 0..1: clearings, a tree line, a bare strand, and what was asked for."""
    relief, ragged = land.relief, land.ragged
    stand = stand + 1.1 * (relief.moisture - 0.45) + 0.12 * ragged
    stand -= 3.0 * np.maximum(_drought(relief), 0.0)
    dense = smoothstep(-0.06, 0.32, stand) * smoothstep(0.5, 0.28, glade + 0.16 * ragged)
    # Asked for, a wood fills up; unasked for, it thins out.
    dense += np.maximum(relief.woods, 0.0) * (1.0 - dense)
    dense *= 1.0 + np.minimum(relief.woods, 0.0)
    above = land.ground + 9.0 * ragged - tree_line_m(relief.warmth, relief.woods)
    dense *= smoothstep(18.0, -22.0, above)
    dense *= smoothstep(1.6, 4.5, land.ground + 1.2 * ragged)
    dense *= smoothstep(0.95, 0.6, land.slope)
    return np.asarray(dense, np.float32)


def _classes(land: _Land, woods: F32, glade: F32) -> U8:
    """Surface classes; the first rule that fits wins."""
    ground, slope, ragged, relief = land.ground, land.slope, land.ragged, land.relief
    snow = ground + 12.0 * ragged - snow_line_m(relief.warmth)
    # In the arctic snow lies in patches, where in milder climates clearings are.
    snow += 40.0 * np.maximum(-0.5 - relief.warmth, 0.0) * glade
    trees = ground + 12.0 * ragged - tree_line_m(relief.warmth, relief.woods)
    steep = slope + 0.10 * ragged
    strand = ground + 0.55 * ragged
    wet = relief.moisture + 0.15 * ragged
    hot = np.maximum(relief.warmth, 0.0)
    rules = [
        (ground < -3.0 + 0.8 * ragged, Surface.SEABED),
        ((strand < 1.5) & (steep > 0.2), Surface.PEBBLES),
        (strand < 1.0, Surface.SAND),
        (steep > 0.92 - 0.12 * relief.ruggedness, Surface.ROCK),
        ((snow > 0.0) & (steep < 0.78), Surface.SNOW),
        ((steep > 0.66 - 0.06 * relief.ruggedness) & (ground > 25.0), Surface.SCREE),
        (snow > -22.0 * np.clip(1.0 + 1.3 * relief.warmth, 0.0, 1.0), Surface.SCREE),
        ((ground < 3.6) & (slope < 0.07) & (relief.moisture + 0.1 * ragged > 0.66), Surface.MARSH),
        (woods > 0.42, Surface.FOREST),
        (_drought(relief) > 0.08 * ragged, Surface.SAND),
        (trees > -20.0, Surface.HEATH),
        ((wet < 0.3 + 0.15 * hot) & (ground > 9.0 - 7.0 * hot), Surface.HEATH),
        (wet + 0.05 * ragged > 0.52, Surface.MEADOW),
    ]
    surface = np.full(ground.shape, Surface.GRASS, np.uint8)
    for rule, kind in reversed(rules):
        np.copyto(surface, np.uint8(kind), where=rule)
    return surface
