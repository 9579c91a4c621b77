"""Cover: what the ground is made of and what stands on it, from the shape of a region. Knows no tiles' bytes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.landform import Relief
from worldloom.worldgen.lattice import fbm, hash_lattice, key_of, noise, smoothstep
from worldloom_sdk.protocol.geometry import REGION_M, XZ_PER_M
from worldloom_sdk.protocol.tiles import (
    HEIGHTS_PER_M,
    SAMPLE_M,
    SURFACE_CELLS,
    THING_DTYPE,
    Surface,
    ThingKind,
)

__all__ = ["Cover"]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]

_SPOT_M = 4
"""At most one thing stands in each square of this side: 64 x 64 squares to a region, ``MAX_THINGS``."""
_SPOTS = REGION_M // _SPOT_M
_TREE_LINE_M = 125.0
_SNOW_LINE_M = 165.0


class Cover:
    """Surface classes and things of one world.

    Args:
        seed: Of the world.
    """

    def __init__(self, seed: int) -> None:
        self._ragged = key_of(seed, "cover ragged")
        self._wood = key_of(seed, "cover wood")
        self._mix = key_of(seed, "cover mix")
        self._spot = key_of(seed, "cover spot")

    def of(self, rx: int, rz: int, relief: Relief) -> tuple[U8, npt.NDArray[Any]]:
        """Surface classes ``[128, 128]`` and things ``[n]`` of a region."""
        metres = relief.heights.astype(np.float64) / HEIGHTS_PER_M
        ground = _middle(metres)
        slope = _slope(metres)
        centres = np.arange(SURFACE_CELLS, dtype=np.float64) * SAMPLE_M + SAMPLE_M / 2
        x: F64 = (rx * REGION_M + centres)[None, :]
        z: F64 = (rz * REGION_M + centres)[:, None]
        ragged = fbm(x / 46.0, z / 46.0, self._ragged, 3)
        moisture = _middle(relief.moisture)
        rugged = _middle(relief.ruggedness)
        woods = self._woods(x, z, ground, slope, moisture, ragged)
        surface = _classes(ground, slope, moisture, rugged, woods, ragged)
        return surface, self._things(rx, rz, surface, ground, slope, woods)

    def _woods(self, x: F64, z: F64, ground: F64, slope: F64, moisture: F64, ragged: F64) -> F64:
        """How dense the wood is, 0..1: clearings (one in the middle of the world), a tree line, a bare strand."""
        stand = fbm(x / 310.0, z / 310.0, self._wood, 3) + 1.1 * (moisture - 0.45) + 0.12 * ragged
        clearing = smoothstep(0.5, 0.28, noise(x / 85.0, z / 85.0, self._wood ^ 5) + 0.16 * ragged)
        clearing *= smoothstep(18.0, 70.0, np.sqrt(x * x + z * z) + 14.0 * ragged)
        upper = smoothstep(_TREE_LINE_M + 18.0, _TREE_LINE_M - 22.0, ground + 9.0 * ragged)
        dry = smoothstep(1.6, 4.5, ground + 1.2 * ragged)
        return np.asarray(
            smoothstep(-0.06, 0.32, stand) * clearing * upper * dry * smoothstep(0.95, 0.6, slope)
        )

    def _things(self, rx: int, rz: int, surface: U8, ground: F64, slope: F64, woods: F64) -> npt.NDArray[Any]:
        """One candidate in each square of the lattice; a hash decides where it stands and whether it does."""
        ix, iz = rx * _SPOTS + np.arange(_SPOTS), (rz * _SPOTS + np.arange(_SPOTS))[:, None]
        place = hash_lattice(ix, iz, self._spot).reshape(-1)
        fate = hash_lattice(ix, iz, self._spot ^ 1).reshape(-1)
        side = _SPOT_M * XZ_PER_M
        at_x = np.tile(np.arange(_SPOTS), _SPOTS) * side + (place & np.uint64(side - 1)).astype(np.int64)
        at_z = np.repeat(np.arange(_SPOTS), _SPOTS) * side + (place >> np.uint64(32)).astype(np.int64) % side
        quad = (at_z // (SAMPLE_M * XZ_PER_M)) * SURFACE_CELLS + at_x // (SAMPLE_M * XZ_PER_M)
        here = surface.reshape(-1)[quad]
        high, steep, wood = ground.reshape(-1)[quad], slope.reshape(-1)[quad], woods.reshape(-1)[quad]
        x, z = rx * REGION_M + at_x / XZ_PER_M, rz * REGION_M + at_z / XZ_PER_M
        tree = _tree_kind(high, noise(x / 140.0, z / 140.0, self._mix), fate)
        kind = _choose(here, wood, steep, high, tree, (fate & np.uint64(0xFFFF)).astype(np.float64) / 0x10000)
        things = np.empty(len(kind), THING_DTYPE)
        things["kind"], things["x"], things["z"] = kind, at_x, at_z
        things["scale"] = _scale(kind, fate, high)
        things["yaw"] = (fate >> np.uint64(32)).astype(np.uint8)
        return things[kind > 0]


def _middle(samples: F64) -> F64:
    """Mean of the four samples around each quad: ``[129, 129]`` to ``[128, 128]``."""
    rows = samples[:-1] + samples[1:]
    return np.asarray((rows[:, :-1] + rows[:, 1:]) * 0.25)


def _slope(metres: F64) -> F64:
    """Steepness of each quad, rise over run."""
    rows, columns = np.diff(metres, axis=0), np.diff(metres, axis=1)
    dz, dx = rows[:, :-1] + rows[:, 1:], columns[:-1] + columns[1:]
    return np.asarray(np.sqrt(dx * dx + dz * dz) * (0.5 / SAMPLE_M))


def _classes(ground: F64, slope: F64, moisture: F64, rugged: F64, woods: F64, ragged: F64) -> U8:
    """Surface classes; the first rule that fits wins."""
    high = ground + 12.0 * ragged
    steep = slope + 0.10 * ragged
    strand = ground + 0.55 * ragged
    rules = [
        (ground < -3.0 + 0.8 * ragged, Surface.SEABED),
        ((strand < 1.5) & (steep > 0.2), Surface.PEBBLES),
        (strand < 1.0, Surface.SAND),
        (steep > 0.92 - 0.12 * rugged, Surface.ROCK),
        ((high > _SNOW_LINE_M) & (steep < 0.78), Surface.SNOW),
        ((steep > 0.66 - 0.06 * rugged) & (ground > 25.0), Surface.SCREE),
        (high > _SNOW_LINE_M - 22.0, Surface.SCREE),
        ((ground < 3.6) & (slope < 0.07) & (moisture + 0.1 * ragged > 0.66), Surface.MARSH),
        (woods > 0.42, Surface.FOREST),
        (high > _TREE_LINE_M - 20.0, Surface.HEATH),
        ((moisture + 0.15 * ragged < 0.3) & (ground > 9.0), Surface.HEATH),
        (moisture + 0.2 * ragged > 0.52, Surface.MEADOW),
    ]
    surface = np.full(ground.shape, Surface.GRASS, np.uint8)
    for rule, kind in reversed(rules):
        surface[rule] = kind
    return surface


def _tree_kind(high: F64, mix: F64, fate: npt.NDArray[np.uint64]) -> U8:
    """Which tree grows: conifers uphill, broadleaves below, groves of birch; neighbours mostly agree."""
    chance = ((fate >> np.uint64(16)) & np.uint64(0xFFFF)).astype(np.float64) / 0x10000 - 0.5
    alpine = (high - 52.0) / 30.0 + 0.9 * mix + 0.7 * chance
    birch = mix * 1.3 + chance * 0.6
    kinds = np.where(birch < -0.55, ThingKind.BIRCH, ThingKind.BROADLEAF)
    return np.where(alpine > 0.0, ThingKind.CONIFER, kinds).astype(np.uint8)


def _choose(here: U8, wood: F64, steep: F64, high: F64, tree: U8, roll: F64) -> U8:
    """What stands on each spot, 0 for nothing; ``roll`` is uniform in 0..1."""
    chances = np.zeros((_CHANCE.shape[1], len(here)))
    chances[:] = _CHANCE[np.minimum(here, len(_CHANCE) - 1)].T
    chances[0] += 0.62 * wood * (here != Surface.MARSH)
    chances[1] += 0.35 * wood * (1.0 - wood)
    bounds = np.cumsum(chances, axis=0)
    kinds = (tree, ThingKind.BUSH, ThingKind.ROCK, ThingKind.DEADWOOD, ThingKind.REED)
    kind = np.zeros(len(here), np.uint8)
    for bound, what in reversed(list(zip(bounds, kinds, strict=True))):
        kind = np.where(roll < bound, what, kind).astype(np.uint8)
    kind[(high < 0.25) & (kind != ThingKind.ROCK)] = 0
    kind[(steep > 1.1) & (kind != ThingKind.ROCK)] = 0
    return kind


def _scale(kind: U8, fate: npt.NDArray[np.uint64], high: F64) -> U8:
    """Sizes in 1/64: trees 0.7 to 1.3, smaller near the tree line; rocks mostly small, a few large."""
    spread = ((fate >> np.uint64(48)) & np.uint64(0xFF)).astype(np.float64) / 255.0
    plain = (0.7 + 0.6 * spread) * (1.0 - 0.4 * smoothstep(70.0, _TREE_LINE_M, high))
    rocks = 0.35 + 0.6 * spread + 1.8 * spread * spread * spread * spread * spread * spread
    return np.rint(np.where(kind == ThingKind.ROCK, rocks, plain) * 64.0).astype(np.uint8)


def _chance_table() -> F64:
    """Chances per spot of tree, bush, rock, deadwood and reed on each surface, beside those of the woods."""
    table = np.zeros((max(Surface) + 1, 5))
    table[Surface.SEABED] = (0, 0, 0.004, 0, 0)
    table[Surface.SAND] = (0, 0, 0.004, 0.003, 0)
    table[Surface.PEBBLES] = (0, 0, 0.08, 0.004, 0)
    table[Surface.GRASS] = (0.006, 0.012, 0.003, 0.0005, 0)
    table[Surface.MEADOW] = (0.008, 0.016, 0.002, 0.0005, 0)
    table[Surface.HEATH] = (0.003, 0.05, 0.014, 0.001, 0)
    table[Surface.FOREST] = (0, 0.02, 0.006, 0.012, 0)
    table[Surface.ROCK] = (0, 0.002, 0.03, 0, 0)
    table[Surface.SCREE] = (0, 0.004, 0.09, 0, 0)
    table[Surface.SNOW] = (0, 0, 0.012, 0, 0)
    table[Surface.MARSH] = (0.004, 0.02, 0, 0.002, 0.3)
    return table


_CHANCE = _chance_table()
