"""Training data: folders of elevation tiles, and windows of them with their conditions.

A tile is an ``.npz`` with ``z`` (int16), ``scale`` and ``offset`` (metres = z * scale + offset), ``mask`` (0 land,
1 void, 2 sea, 3 lake), ``spacing_m``, ``name`` and ``landform`` (a description). Nothing of it is executed.
"""

import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.conditions import CONDITIONS_N, FREE_N, WINDOW, condition
from worldloom.worldgen.gan.landforms import landform_of

__all__ = ["DemTile", "Windows", "cut", "load_tiles", "patches", "table_of"]

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]

_STRIDE = 8
_VALID, _LAND = 0.98, 0.9
"""Shares of a window that must be measured, and dry."""
_FREE_SEED = 7
MAX_TILE_PIXELS = 64_000_000
_DAMAGE = (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error)
"""What comes of reading a file that is no tile or a damaged one."""


@dataclass(frozen=True, slots=True, eq=False)
class DemTile:
    """A tile of real elevation."""

    name: str
    description: str
    spacing_m: float
    heights: F32
    """``[h, w]`` metres."""
    mask: npt.NDArray[np.uint8]
    """``[h, w]``: 0 land, 1 void, 2 sea, 3 lake."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Square windows in tiles, each with its conditions."""

    tiles: list[DemTile]
    which: I64
    """``[n]`` index of the tile."""
    row: I64
    column: I64
    conditions: F32
    """``[n, CONDITIONS_N]``."""
    side: int = WINDOW
    """Pixels."""

    def __len__(self) -> int:
        return len(self.which)

    def heights(self, k: int) -> F32:
        """Window ``k``: ``[side, side]`` in pixels: metres over the tile's spacing."""
        tile = self.tiles[self.which[k]]
        row, column = self.row[k], self.column[k]
        return np.asarray(
            tile.heights[row : row + self.side, column : column + self.side] / np.float32(tile.spacing_m)
        )


def load_tiles(
    folder: Path, without: Collection[str] = (), only: Collection[str] | None = None
) -> list[DemTile]:
    """The tiles of a folder, by name.

    Args:
        folder: Holds ``.npz`` files.
        without: Names of tiles that are left out.
        only: Names of those that are wanted; None: all.

    Raises:
        ConfigError: There is none, one that is named is missing, or one cannot be read.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.npz"))}
    # A name that is mistyped would be trained on, while the model's card says that it was held out.
    if missing := sorted({*without, *(only or ())} - found.keys()):
        raise ConfigError(f"{folder}: expected a tile called {', '.join(missing)}; got none of that name")
    paths = [path for name, path in found.items() if name not in without and (only is None or name in only)]
    if not paths:
        raise ConfigError(f"{folder}: expected elevation tiles (*.npz), got none")
    return [_load(path) for path in paths]


def _load(path: Path) -> DemTile:
    try:
        # Opened here, for of a damaged archive NumPy leaves the file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            z = data["z"]
            if z.ndim != 2 or z.size > MAX_TILE_PIXELS:
                raise ConfigError(
                    f"{path}: expected [h, w] of at most {MAX_TILE_PIXELS} pixels, got {z.shape}"
                )
            heights = z.astype(np.float32) * np.float32(data["scale"]) + np.float32(data["offset"])
            description = str(data["landform"]) if "landform" in data.files else ""
            tile = DemTile(
                path.stem, description, float(data["spacing_m"]), heights, data["mask"].astype(np.uint8)
            )
        _check(tile)
        return tile
    except _DAMAGE as error:
        raise ConfigError(
            f"{path}: expected an elevation tile with z, scale, offset, mask and spacing_m; got: {error}"
        ) from None


def _check(tile: DemTile) -> None:
    if tile.mask.shape != tile.heights.shape:
        raise ValueError(f"a mask of {tile.mask.shape} for {tile.heights.shape} pixels")
    if not 0 < tile.spacing_m < np.inf:
        raise ValueError(f"a spacing of {tile.spacing_m} m")
    if not np.isfinite(tile.heights).all():
        raise ValueError("heights that are no numbers")


def cut(
    tiles: list[DemTile],
    count: int,
    seed: int,
    side: int = WINDOW,
    on_window: Callable[[int, int], None] = lambda done, total: None,
) -> Windows:
    """Draw windows at random, tiles weighted by the square root of the room in them.

    Args:
        tiles: Where from.
        count: How many.
        seed: Of the drawing.
        side: Pixels along a window.
        on_window: Told how many are done, of how many.

    Raises:
        ConfigError: No tile has room for a window.
    """
    rng = np.random.default_rng(seed)
    places = [_places(tile, side) for tile in tiles]
    weights = np.sqrt([len(found) for found in places])
    if not weights.any():
        raise ConfigError(f"expected a tile with {side} x {side} pixels of dry land, got none")
    which = np.sort(rng.choice(len(tiles), count, p=weights / weights.sum()))
    at = np.array([places[k][rng.integers(len(places[k]))] for k in which])
    at = at + rng.integers(0, _STRIDE, at.shape)
    conditions = np.empty((count, CONDITIONS_N), np.float32)
    kinds = [landform_of(tile.description) for tile in tiles]
    for n, (k, (row, column)) in enumerate(zip(which, at, strict=True)):
        window = tiles[k].heights[row : row + side, column : column + side].astype(np.float64)
        conditions[n] = condition(window, tiles[k].spacing_m, kinds[k])
        on_window(n + 1, count)
    return Windows(tiles, which, at[:, 0], at[:, 1], conditions, side)


def patches(tile: DemTile, size: int, stride: int) -> F32:
    """All dry patches of a tile on a grid: ``[n, size, size]`` metres."""
    cuts = [
        tile.heights[row : row + size, column : column + size]
        for row in range(0, tile.heights.shape[0] - size + 1, stride)
        for column in range(0, tile.heights.shape[1] - size + 1, stride)
        if _dry(tile.mask[row : row + size, column : column + size])
    ]
    return np.asarray(cuts, np.float32).reshape(-1, size, size)


def table_of(tiles: list[DemTile]) -> F32:
    """Conditions ``[n, CONDITIONS_N]`` of all dry windows side by side: each tile as often as there is land in it."""
    rows = [
        condition(window.astype(np.float64), tile.spacing_m, landform_of(tile.description))
        for tile in tiles
        for window in patches(tile, WINDOW, WINDOW)
    ]
    table = np.asarray(rows, np.float32).reshape(-1, CONDITIONS_N)
    table[:, -FREE_N:] = np.random.default_rng(_FREE_SEED).normal(size=(len(table), FREE_N))
    return table


def _dry(mask: npt.NDArray[np.uint8]) -> bool:
    return bool((mask != 1).mean() >= _VALID and (mask == 0).mean() >= _LAND)


def _places(tile: DemTile, window: int) -> I64:
    """Corners ``[n, 2]`` of windows, every eighth pixel; a window may be moved by up to seven and stays inside."""
    side = window + _STRIDE
    if min(tile.mask.shape) < side:
        return np.empty((0, 2), np.int64)
    valid, land = _share(tile.mask != 1, side), _share(tile.mask == 0, side)
    return np.argwhere((valid >= _VALID) & (land >= _LAND)) * _STRIDE


def _share(flags: npt.NDArray[np.bool_], side: int) -> npt.NDArray[np.float64]:
    """Share of true cells in every window on the grid of ``_STRIDE``."""
    total = np.pad(flags.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    summed = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return np.asarray(summed[::_STRIDE, ::_STRIDE] / (side * side))
