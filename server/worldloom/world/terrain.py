"""The terrain table: heights of the regions that are simulated, asked for many positions at once.

Tile and overlay are joined when either comes, so that asking costs the same wherever people edit. Pure NumPy. Knows no
tiles' bytes, no storage and no generator; what is added is taken as it is.
"""

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import REGION_SHIFT
from worldloom_sdk.protocol.overlay import GIVEN_BACK, Overlay, Patch, overlaid
from worldloom_sdk.protocol.tiles import SAMPLES

__all__ = ["TerrainTable"]

I64 = npt.NDArray[np.int64]

_FIRST_TILES = 16
_SAMPLES_PER_TILE = SAMPLES * SAMPLES
_REGION_MASK = (1 << REGION_SHIFT) - 1
_QUAD_SHIFT = 7
"""A quad of four samples is 2 m wide: 128 units of 1/64 m."""
_QUAD_MASK = (1 << _QUAD_SHIFT) - 1
_TO_Y_SHIFT = _QUAD_SHIFT + 1
"""From 1/32 m times 128 to 1/16 m."""


class TerrainTable:
    """Heights of known regions in one pool; positions elsewhere are answered as unknown."""

    def __init__(self) -> None:
        self._slots: dict[tuple[int, int], int] = {}
        self._tiles: dict[tuple[int, int], npt.NDArray[np.int16]] = {}
        self._free = list(range(_FIRST_TILES - 1, -1, -1))
        self._pool = np.zeros((_FIRST_TILES, SAMPLES, SAMPLES), np.int16)
        self._flat = self._pool.reshape(-1)
        self._keys = np.empty(0, np.int64)
        self._starts = np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, region: tuple[int, int]) -> bool:
        return region in self._slots

    def regions(self) -> list[tuple[int, int]]:
        """The regions that are known, in the order in which they came."""
        return list(self._slots)

    def add(self, rx: int, rz: int, heights: npt.NDArray[np.int16], overlay: Overlay | None = None) -> None:
        """Make a region known, or replace its heights.

        Args:
            rx: Region index.
            rz: Region index.
            heights: int16 ``[129, 129]`` in 1/32 m, as in ``Tile``; copied if it may be written to.
            overlay: What was changed there.

        Raises:
            ValueError: Another shape or type.
        """
        if heights.shape != (SAMPLES, SAMPLES) or heights.dtype != np.int16:
            raise ValueError(
                f"expected int16 [{SAMPLES}, {SAMPLES}], got {heights.dtype} {list(heights.shape)}"
            )
        slot = self._slots.get((rx, rz))
        if slot is None:
            if not self._free:
                self._grow()
            slot = self._slots[rx, rz] = self._free.pop()
            self._index()
        self._tiles[rx, rz] = heights.copy() if heights.flags.writeable else heights
        self._pool[slot] = overlaid(heights, overlay)

    def lay(self, overlay: Overlay) -> None:
        """A known region has this overlay from now on.

        Raises:
            KeyError: The region is unknown.
        """
        region = overlay.rx, overlay.rz
        self._pool[self._slots[region]] = overlaid(self._tiles[region], overlay)

    def edit(self, rx: int, rz: int, patch: Patch) -> None:
        """Samples of a known region are set, or given back to its tile.

        Args:
            rx: Region index.
            rz: Region index.
            patch: What is edited; only the samples that the region has count.

        Raises:
            KeyError: The region is unknown.
            ValueError: It has none of the samples.
        """
        part = patch.within(rx, rz)
        place = part.place(rx, rz)
        given_back = part.heights == GIVEN_BACK
        self._pool[self._slots[rx, rz]][place] = np.where(
            given_back, self._tiles[rx, rz][place], part.heights
        )

    def remove(self, rx: int, rz: int) -> None:
        """Forget a region; one that is unknown stays so."""
        slot = self._slots.pop((rx, rz), None)
        if slot is not None:
            del self._tiles[rx, rz]
            self._free.append(slot)
            self._index()

    def ground(self, x: I64, z: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """Height of the ground under positions, exact in integers.

        Args:
            x: int64 ``[n]`` in 1/64 m of the world.
            z: Likewise.

        Returns:
            y: int64 ``[n]`` in 1/16 m, rounded down; 0 where unknown. known: bool ``[n]``.
        """
        start, known = self._find(x, z)
        fx, fz = x & _QUAD_MASK, z & _QUAD_MASK
        near = start + ((z & _REGION_MASK) >> _QUAD_SHIFT) * SAMPLES + ((x & _REGION_MASK) >> _QUAD_SHIFT)
        long, short = np.maximum(fx, fz), np.minimum(fx, fz)
        flat = self._flat
        low = flat[near].astype(np.int64)
        side = flat[near + np.where(fx >= fz, 1, SAMPLES)]
        far = flat[near + (SAMPLES + 1)]
        # (128 - long) * low + (long - short) * side + short * far, in 1/32 m times 128
        y = (low << _QUAD_SHIFT) + long * (side - low) + short * (far.astype(np.int64) - side)
        y >>= _TO_Y_SHIFT
        y *= known
        return y, known

    def _find(self, x: I64, z: I64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """Index of the first sample of each position's tile, any tile's where unknown."""
        if not len(self._keys):
            return np.zeros(len(x), np.int64), np.zeros(len(x), np.bool_)
        key = ((x >> REGION_SHIFT) << 32) + (z >> REGION_SHIFT)
        at = np.searchsorted(self._keys, key)
        np.minimum(at, len(self._keys) - 1, out=at)
        known = self._keys[at] == key
        return self._starts[at], known

    def _grow(self) -> None:
        old = len(self._pool)
        self._pool = np.concatenate([self._pool, np.zeros_like(self._pool)])
        self._flat = self._pool.reshape(-1)
        self._free.extend(range(2 * old - 1, old - 1, -1))

    def _index(self) -> None:
        """Sort the keys again; a few microseconds for a hundred regions, and regions come seldom."""
        regions = np.array(list(self._slots), np.int64).reshape(-1, 2)
        keys = (regions[:, 0] << 32) + regions[:, 1]
        order = np.argsort(keys)
        self._keys = keys[order]
        self._starts = np.fromiter(self._slots.values(), np.int64, len(keys))[order] * _SAMPLES_PER_TILE
