"""Provinces: what the land is like where nobody chose, from the world's seed alone. Knows no net and no torch.

The plane is divided among jittered points 1,280 m apart. Each point's conditions are those of one real window of land,
whole, so that they belong together. Every block of 4 x 4 provinces has one from each sixteenth of all land by
steepness: so plains and mountains are never far, and all kinds of land are as common as among the windows. Which
province has which follows slow noise, for in real land the steep lies beside the steep: ranges, plains between them.
Between provinces conditions are blended over some 200 m: wider, and what is steep becomes rare.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.ports import Styles
from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.file import SHIPPED, read_file
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.lattice import fbm, hash_lattice, key_of, noise, smoothstep
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M

__all__ = ["Provinces", "of_file"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Cell = tuple[int, int]

PITCH_M = 1280.0
_BLOCK = 4
_JITTER = 0.3
"""Of the pitch, either way."""
_BLEND_M2 = 180_000.0
"""Weights fall by e when a province's point is that much farther in square metres than the nearest."""
_RANGE = 4.0
"""Provinces across a hill of the noise by which steep and gentle ones lie."""
_STEEPNESS = MEASURES.index("steepness")
_HOME_M = 900.0
"""Around the middle of the world the land is gentle."""
_GENTLE = (0.2, 0.45)
"""Between these shares of all land by steepness."""
_NODE_SAMPLES = 8
"""The floor is computed at every eighth sample: nothing of it is shorter than a kilometre."""
_MEMORY = 65_536
_SIDE = 8
"""Regions along a block whose styles are computed together."""
_BLOCKS = _MEMORY // _SIDE**2


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Of 8 x 8 regions, by z and x."""

    conditions: F32
    warmth: F64
    moisture: F64

    def style(self, dx: int, dz: int) -> Style:
        at = dz * _SIDE + dx
        return Style(self.conditions[at], float(self.warmth[at]), float(self.moisture[at]))


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
        self._blocks: dict[Cell, _Block] = {}
        self._cells: dict[Cell, tuple[tuple[float, float], F32]] = {}

    def style(self, rx: int, rz: int) -> Style:
        """The style of a region where nobody chose one."""
        known = self._styles.get((rx, rz))
        if known is None:
            if len(self._styles) >= _MEMORY:
                self._styles.clear()
            known = self._styles[rx, rz] = self._block(rx // _SIDE, rz // _SIDE).style(rx % _SIDE, rz % _SIDE)
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

    def _block(self, bx: int, bz: int) -> "_Block":
        known = self._blocks.get((bx, bz))
        if known is None:
            if len(self._blocks) >= _BLOCKS:
                self._blocks.clear()
                self._cells.clear()
            known = self._blocks[bx, bz] = self._blended(bx, bz)
        return known

    def _blended(self, bx: int, bz: int) -> "_Block":
        """Of 8 x 8 regions at once, and always of those: whatever order numbers are summed in, it is one order."""
        middles = np.arange(_SIDE) + 0.5
        x = np.tile((bx * _SIDE + middles) * REGION_M, _SIDE)
        z = np.repeat((bz * _SIDE + middles) * REGION_M, _SIDE)
        ix, iz = np.floor(x / PITCH_M).astype(np.int64), np.floor(z / PITCH_M).astype(np.int64)
        x0, z0, wide = int(ix[0]) - 1, int(iz[0]) - 1, int(ix[-1] - ix[0]) + 3
        cells = [self._cell((cx, cz)) for cz in range(z0, int(iz[-1]) + 2) for cx in range(x0, x0 + wide)]
        points, rows = np.array([at for at, _ in cells]), np.array([row for _, row in cells], np.float64)
        near = [(iz - z0 + dz) * wide + ix - x0 + dx for dz in (-1, 0, 1) for dx in (-1, 0, 1)]
        away = np.array([(points[k, 0] - x) ** 2 + (points[k, 1] - z) ** 2 for k in near])
        weights = np.exp((away.min(0) - away) / _BLEND_M2)
        total, whole = np.zeros((_SIDE * _SIDE, rows.shape[1])), np.zeros(_SIDE * _SIDE)
        for k, weight in zip(near, weights, strict=True):
            total += weight[:, None] * rows[k]
            whole += weight
        wet = np.clip(0.5 + 0.5 * fbm(x / 2600.0, z / 2600.0, self._wet, 2), 0.0, 1.0)
        warm = 0.8 * fbm(x / 6000.0, z / 6000.0, self._warm, 2)
        return _Block((total / whole[:, None]).astype(np.float32), warm, wet)

    def _cell(self, cell: Cell) -> tuple[tuple[float, float], F32]:
        """Where a province's point lies, metres, and its conditions."""
        known = self._cells.get(cell)
        if known is None:
            h = _hash(cell, self._place)
            east, south = (((h >> shift & 0xFFFF) / 0x8000 - 1.0) * _JITTER for shift in (8, 32))
            point = (cell[0] + 0.5 + east) * PITCH_M, (cell[1] + 0.5 + south) * PITCH_M
            known = self._cells[cell] = point, self._conditions(cell)
        return known

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
        middles = np.arange(_BLOCK, dtype=np.float64) + 0.5
        x, z = (bx * _BLOCK + middles) / _RANGE, (bz * _BLOCK + middles) / _RANGE
        steep = noise(x[None, :], z[:, None], self._order)
        order = np.argsort(np.argsort(steep.reshape(-1), kind="stable"), kind="stable")
        return int(order[(cell[1] - bz * _BLOCK) * _BLOCK + cell[0] - bx * _BLOCK])


def _hash(cell: Cell, key: int) -> int:
    return int(hash_lattice(np.array([cell[0]]), np.array([cell[1]]), key)[0])


def _direction(turns: float) -> tuple[float, float]:
    return float(np.cos(2 * np.pi * turns)), float(np.sin(2 * np.pi * turns))


def of_file(seed: int, weights: str = "") -> Provinces:
    """The provinces of a file's model, or of the one that comes with Worldloom."""
    return Provinces(seed, read_file(Path(weights) if weights else SHIPPED).table)
