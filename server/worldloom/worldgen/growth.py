"""Growth: what stands on the ground of a region: trees by climate, bushes, stones, grass and flowers. Knows no shapes.

One candidate in each square of a lattice over the world; a hash decides where in it, whether, and what.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.landform import Relief
from worldloom.worldgen.lattice import hash_lattice, smoothstep
from worldloom_sdk.protocol.geometry import REGION_M, XZ_PER_M
from worldloom_sdk.protocol.tiles import SAMPLE_M, SURFACE_CELLS, THING_DTYPE, Surface, ThingKind

__all__ = ["F32", "U8", "Ground", "standing"]

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

_SPOT_M = 4
"""At most one thing stands in each square of this side: 64 x 64 squares to a region, ``MAX_THINGS``."""
_SPOTS = REGION_M // _SPOT_M
_SIDE = _SPOT_M * XZ_PER_M
_COLD_PER_M = 1 / 250
"""What a metre of height takes from the warmth."""
_X, _Z = np.tile(np.arange(_SPOTS) * _SIDE, _SPOTS), np.repeat(np.arange(_SPOTS) * _SIDE, _SPOTS)
"""Low corners of the squares."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What things grow on, ``[128, 128]`` each, by quads."""

    surface: U8
    height: F32
    """Metres."""
    slope: F32
    """Rise over run."""
    woods: F32
    """How dense the wood is, 0..1."""
    mix: F32
    """Where which trees stand together, about -1..1."""
    bloom: F32
    """Where flowers stand together, likewise."""
    relief: Relief


@dataclass(slots=True)
class _Spots:
    """Spots of a region, ``[n]`` each."""

    here: U8
    """``Surface``."""
    high: F32
    steep: F32
    wood: F32
    mix: F32
    bloom: F32
    moisture: F32
    temperature: F32
    """The climate's warmth at that height."""
    asked: F32
    """The climate's woods."""
    fate: U64


def standing(rx: int, rz: int, ground: Ground, key: int) -> npt.NDArray[Any]:
    """Things ``[n]`` of a region.

    Args:
        rx: Region index.
        rz: Region index.
        ground: Of the region.
        key: Of the lattice.
    """
    ix, iz = rx * _SPOTS + np.arange(_SPOTS), (rz * _SPOTS + np.arange(_SPOTS))[:, None]
    place = hash_lattice(ix, iz, key).reshape(-1)
    fate = hash_lattice(ix, iz, key ^ 1).reshape(-1)
    at_x = _X + (place & np.uint64(_SIDE - 1)).astype(np.int64)
    at_z = _Z + (place >> np.uint64(32)).astype(np.int64) % _SIDE
    quad = (at_z // (SAMPLE_M * XZ_PER_M)) * SURFACE_CELLS + at_x // (SAMPLE_M * XZ_PER_M)
    roll = (fate & np.uint64(0xFFFF)).astype(np.float32) * np.float32(1 / 0x10000)
    # Where the dice say that nothing stands at all, nothing further is asked.
    some = np.flatnonzero(roll < _most(ground).reshape(-1)[quad])
    spots = _spots(ground, quad[some], fate[some])
    kind = _choose(spots, roll[some])
    things = np.empty(len(kind), THING_DTYPE)
    things["kind"], things["x"], things["z"] = kind, at_x[some], at_z[some]
    things["scale"] = _scale(kind, spots)
    things["yaw"] = (spots.fate >> np.uint64(32)).astype(np.uint8)
    return things[kind > 0]


def _most(ground: Ground) -> F32:
    """No fewer than the chances of all kinds together, ``[128, 128]``."""
    most = ground.woods * (_TREES + _BUSHES - _BUSHES * ground.woods)
    most += _MOST[ground.surface]
    return most


def _spots(ground: Ground, quad: npt.NDArray[np.int64], fate: U64) -> _Spots:
    relief = ground.relief
    high = ground.height.reshape(-1)[quad]
    fields = (ground.slope, ground.woods, ground.mix, ground.bloom, relief.moisture)
    steep, wood, mix, bloom, moisture = (field.reshape(-1)[quad] for field in fields)
    temperature = relief.warmth.reshape(-1)[quad] - np.float32(_COLD_PER_M) * high
    asked = relief.woods.reshape(-1)[quad]
    here = ground.surface.reshape(-1)[quad]
    return _Spots(here, high, steep, wood, mix, bloom, moisture, temperature, asked, fate)


def _choose(spots: _Spots, roll: F32) -> U8:
    """What stands on each spot, 0 for nothing; ``roll`` is uniform in 0..1."""
    here, wood = spots.here, spots.wood
    chances = _CHANCE[:, here]
    single, bush, _, _, _, flowers, grass = chances
    single += _PALM_BEACH * (here == Surface.SAND) * (spots.temperature > 0.35) * (spots.moisture > 0.4)
    single *= 1.0 + np.minimum(spots.asked, 0.0)
    single *= spots.temperature > _TREELESS
    single += _TREES * wood * (here != Surface.MARSH)
    bush += _BUSHES * wood * (1.0 - wood)
    flowers *= np.clip(0.2 + 3.0 * spots.bloom, 0.0, 2.0)
    # Above the strand sand is a desert, where next to nothing grows.
    grass *= (here != Surface.SAND) | (spots.high > 1.5)
    bounds = np.cumsum(chances, axis=0)
    kind = _KINDS[(roll >= bounds).sum(axis=0)]
    np.copyto(kind, _tree_kind(spots), where=kind == ThingKind.BROADLEAF)
    kind[((spots.high < 0.25) | (spots.steep > 1.1)) & (kind != ThingKind.ROCK)] = 0
    return kind


def _tree_kind(spots: _Spots) -> U8:
    """Which tree grows: conifers in the cold, palms in the heat, else broadleaves and groves of birch.

    Neighbours mostly agree.
    """
    mix, temperature = spots.mix, spots.temperature
    chance = _share(spots.fate, 16) - np.float32(0.5)
    hardy = (-0.21 - temperature) * 8.3 + 0.9 * mix + 0.7 * chance
    birch = mix * 1.3 + chance * 0.6
    kind = np.where((birch < -0.55) & (temperature < 0.3), ThingKind.BIRCH, ThingKind.BROADLEAF)
    palm = (0.15 + 0.7 * smoothstep(16.0, 4.0, spots.high)) * smoothstep(0.3, 0.6, spots.moisture)
    palms = (temperature + 0.15 * mix > 0.38) & (chance + 0.5 < palm)
    kind = np.where(palms, ThingKind.PALM, kind)
    return np.where(hardy > 0.0, ThingKind.CONIFER, kind).astype(np.uint8)


def _scale(kind: U8, spots: _Spots) -> U8:
    """Sizes in 1/64: trees 0.7 to 1.3, smaller where it is cold; rocks mostly small, a few large."""
    spread = ((spots.fate >> np.uint64(48)) & np.uint64(0xFF)).astype(np.float32) * np.float32(1 / 255)
    plain = (0.7 + 0.6 * spread) * (1.0 - 0.4 * smoothstep(-0.28, -0.5, spots.temperature))
    cube = spread * spread * spread
    rocks = 0.35 + 0.6 * spread + 1.8 * cube * cube
    return np.rint(np.where(kind == ThingKind.ROCK, rocks, plain) * np.float32(64.0)).astype(np.uint8)


def _share(fate: U64, shift: int) -> F32:
    """16 bits of a hash as a number in 0..1."""
    return ((fate >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float32) * np.float32(1 / 0x10000)


_TREES, _BUSHES = 0.62, 0.35
"""Chances per spot by how dense the wood is: trees within, bushes where it thins out."""
_TREELESS = -0.55
"""Colder, and no tree stands alone."""
_PALM_BEACH = 0.03
"""Chance per spot of a palm on a tropical beach."""
_KINDS = np.array(
    [
        ThingKind.BROADLEAF,  # Any tree: which one is chosen after.
        ThingKind.BUSH,
        ThingKind.ROCK,
        ThingKind.DEADWOOD,
        ThingKind.REED,
        ThingKind.FLOWERS,
        ThingKind.TUFT,
        0,
    ],
    np.uint8,
)


def _chance_table() -> F32:
    """Chances per spot of each kind on each surface, beside those of the woods: ``[kinds, surfaces]``."""
    table = np.zeros((max(Surface) + 1, len(_KINDS) - 1), np.float32)
    table[Surface.SEABED] = (0, 0, 0.004, 0, 0, 0, 0)
    table[Surface.SAND] = (0, 0, 0.004, 0.003, 0, 0, 0.008)
    table[Surface.PEBBLES] = (0, 0, 0.08, 0.004, 0, 0, 0)
    table[Surface.GRASS] = (0.006, 0.012, 0.003, 0.0005, 0, 0.012, 0.03)
    table[Surface.MEADOW] = (0.008, 0.016, 0.002, 0.0005, 0, 0.04, 0.03)
    table[Surface.HEATH] = (0.003, 0.05, 0.014, 0.001, 0, 0.008, 0.03)
    table[Surface.FOREST] = (0, 0.02, 0.006, 0.012, 0, 0.002, 0.006)
    table[Surface.ROCK] = (0, 0.002, 0.03, 0, 0, 0, 0)
    table[Surface.SCREE] = (0, 0.004, 0.09, 0, 0, 0, 0)
    table[Surface.SNOW] = (0, 0, 0.012, 0, 0, 0, 0)
    table[Surface.MARSH] = (0.004, 0.02, 0, 0.002, 0.3, 0.01, 0.04)
    return np.ascontiguousarray(table.T)


_CHANCE = _chance_table()
_MOST = _CHANCE.sum(axis=0) + _CHANCE[_KINDS.tolist().index(ThingKind.FLOWERS)]
"""Flowers may be twice as many, and palms stand on a beach; see ``_choose``."""
_MOST[Surface.SAND] += _PALM_BEACH
