"""Provinces: what the land is like where nobody chose, from the world's seed alone. Knows no net and no torch.

The plane is divided among jittered points 1,280 m apart. Each point's conditions are those of one real window of land,
whole, so that they belong together. Every block of 4 x 4 provinces has one from each sixteenth of all land by
steepness, in an order of its own: so plains and mountains are never far, and all kinds of land are as common as among
the windows. Between provinces conditions are blended over some 150 m: wider, and
what is steep becomes rare.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.ports import Styles
from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.file import SHIPPED, read_file
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.lattice import fbm, hash_lattice, key_of, smoothstep
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M

__all__ = ["Provinces", "of_file"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Cell = tuple[int, int]

PITCH_M = 1280.0
_BLOCK = 4
_JITTER = 0.3
"""Of the pitch, either way."""
_BLEND_M2 = 90_000.0
"""Weights fall by e when a province's point is that much farther in square metres than the nearest."""
_STEEPNESS = MEASURES.index("steepness")
_HOME_M = 900.0
"""Around the middle of the world the land is gentle."""
_GENTLE = (0.2, 0.45)
"""Between these shares of all land by steepness."""
_MEMORY = 65_536


class Provinces:
    """Default styles, and the height at which the land lies.

    Args:
        seed: Of the world.
        table: ``[n, CONDITIONS_N]`` conditions of real windows.
    """

    def __init__(self, seed: int, table: F32) -> None:
        self._table = table[np.argsort(table[:, _STEEPNESS], kind="stable")]
        self._place, self._order, self._row = (
            key_of(seed, f"province {k}") for k in ("place", "order", "row")
        )
        self._land, self._wet, self._warm = (key_of(seed, f"province {k}") for k in ("land", "wet", "warm"))
        turn = (key_of(seed, "province compass") & 0xFFFF) / 0x10000
        self._inland = _direction(turn)
        self._styles: dict[Cell, Style] = {}

    def style(self, rx: int, rz: int) -> Style:
        """The style of a region where nobody chose one."""
        known = self._styles.get((rx, rz))
        if known is None:
            if len(self._styles) >= _MEMORY:
                self._styles.clear()
            known = self._styles[rx, rz] = self._blended((rx + 0.5) * REGION_M, (rz + 0.5) * REGION_M)
        return known

    def styles(self, rx: int, rz: int) -> Styles:
        """The world's own styles of the 3 x 3 regions around, by offset; implements ``ports.Stylist``."""
        return {
            (dx, dz): self.style(rx + dx, rz + dz).key
            for dz in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if max(abs(rx + dx), abs(rz + dz)) <= REGION_LIMIT
        }

    def floor_m(self, x: F64, z: F64) -> F64:
        """The height of valley floors, metres: below 0 where the sea is. ``x`` and ``z`` broadcast, metres."""
        land = 0.28 + 0.95 * fbm(x / 4600.0, z / 4600.0, self._land, 2)
        dry, wet = np.maximum(land, 0.0), np.maximum(-land, 0.0)
        open_land = 3.0 + 30.0 * dry - 10.0 * dry * dry - 90.0 * wet - 20.0 * wet * wet
        ahead = np.clip((x * self._inland[0] + z * self._inland[1]) / 700.0, -1.5, 1.0)
        home = 5.0 + 13.0 * ahead
        near = smoothstep(1500.0, 150.0, np.sqrt(x * x + z * z))
        return np.asarray(open_land + near * (home - open_land))

    def _blended(self, x: float, z: float) -> Style:
        ix, iz = int(np.floor(x / PITCH_M)), int(np.floor(z / PITCH_M))
        cells = [(ix + dx, iz + dz) for dz in (-1, 0, 1) for dx in (-1, 0, 1)]
        away = np.array([self._away2(cell, x, z) for cell in cells])
        weights = np.exp((away.min() - away) / _BLEND_M2)
        rows = np.array([self._conditions(cell) for cell in cells], np.float64)
        conditions = (weights @ rows) / weights.sum()
        here = np.array([x]), np.array([z])
        wet = float(fbm(here[0] / 2600.0, here[1] / 2600.0, self._wet, 2)[0])
        warm = float(fbm(here[0] / 6000.0, here[1] / 6000.0, self._warm, 2)[0])
        return Style(conditions.astype(np.float32), 0.8 * warm, float(np.clip(0.5 + 0.5 * wet, 0.0, 1.0)))

    def _away2(self, cell: Cell, x: float, z: float) -> float:
        """Square of the distance to a province's point, m2."""
        h = _hash(cell, self._place)
        east, south = (
            ((h >> 8 & 0xFFFF) / 0x8000 - 1.0) * _JITTER,
            ((h >> 32 & 0xFFFF) / 0x8000 - 1.0) * _JITTER,
        )
        px, pz = (cell[0] + 0.5 + east) * PITCH_M, (cell[1] + 0.5 + south) * PITCH_M
        return float((px - x) ** 2 + (pz - z) ** 2)

    def _conditions(self, cell: Cell) -> F32:
        draw = (_hash(cell, self._row) >> 16 & 0xFFFFFF) / 0x1000000
        if max(abs(cell[0] + 0.5), abs(cell[1] + 0.5)) * PITCH_M < _HOME_M:
            share = _GENTLE[0] + draw * (_GENTLE[1] - _GENTLE[0])
        else:
            share = (self._stratum(cell) + draw) / _BLOCK**2
        return np.asarray(self._table[int(share * len(self._table))])

    def _stratum(self, cell: Cell) -> int:
        """Which sixteenth of all land by steepness; within its block no other province has it."""
        bx, bz = cell[0] // _BLOCK, cell[1] // _BLOCK
        h = hash_lattice(
            bx * _BLOCK + np.arange(_BLOCK), bz * _BLOCK + np.arange(_BLOCK)[:, None], self._order
        )
        order = np.argsort(np.argsort(h.reshape(-1), kind="stable"), kind="stable")
        return int(order[(cell[1] - bz * _BLOCK) * _BLOCK + cell[0] - bx * _BLOCK])


def _hash(cell: Cell, key: int) -> int:
    return int(hash_lattice(np.array([cell[0]]), np.array([cell[1]]), key)[0])


def _direction(turns: float) -> tuple[float, float]:
    return float(np.cos(2 * np.pi * turns)), float(np.sin(2 * np.pi * turns))


def of_file(seed: int, weights: str = "") -> Provinces:
    """The provinces of a file's model, or of the one that comes with Worldloom."""
    return Provinces(seed, read_file(Path(weights) if weights else SHIPPED).table)
