"""Meshes of the ground: a region as triangles, with normals and colours that meet the neighbours'. Knows no files."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.layout import Region, laid_out, rectangle
from worldloom.worldgen.picture import colour_of
from worldloom_sdk.protocol.geometry import CELLS_PER_REGION
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, SAMPLE_M, SURFACE_CELLS, Surface, Tile, ground_height

__all__ = ["LODS", "Ground", "Mesh", "linear", "triangles"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

LODS = (1, 2, 4, 8, 16)
"""Every n-th sample; each divides a cell's side, so that the edges of regions stay and neighbours meet."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Corners of triangles, counter-clockwise seen from outside.

    Attributes:
        positions: ``[n, 3]`` metres.
        normals: ``[n, 3]`` of length 1.
        colours: ``[n, 4]`` red, green, blue and alpha, linear, 0 to 255.
        indices: ``[3 t]``; ``None`` where each three rows are a triangle.
    """

    positions: F32
    normals: F32
    colours: npt.NDArray[np.uint8]
    indices: npt.NDArray[np.uint32] | None = None


def linear(srgb: npt.ArrayLike) -> F64:
    """Turn colours of the screen, 0 to 255, into light, 0 to 1, as glTF wants them (IEC 61966-2-1)."""
    share = np.asarray(srgb, np.float64) / 255.0
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def triangles(side: int) -> npt.NDArray[np.uint32]:
    """Indices of a square grid of ``side`` samples, row-major ``[z, x]``, each quad split along (x, z)-(x+1, z+1).

    Returns:
        ``[6 (side - 1)**2]``; seen from above each triangle goes counter-clockwise.
    """
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1, 1)
    quad = np.array([0, side, side + 1, 0, side + 1, 1])
    return (corner + quad).astype(np.uint32).reshape(-1)


class Ground:
    """The ground of a rectangle of regions, every ``lod``-th sample of it.

    Args:
        tiles: Every region of the rectangle.
        lod: One of ``LODS``.

    Raises:
        ValueError: Another ``lod``, or no tile.
    """

    def __init__(self, tiles: Mapping[Region, Tile], lod: int = 1) -> None:
        if lod not in LODS:
            raise ValueError(f"expected one of {LODS}, got {lod}")
        self._low, size = rectangle(tiles)
        heights, surface = laid_out(tiles, self._low, size)
        self._heights = heights[::lod, ::lod]
        # One sample of rim for the normals, as the slope goes on; half a step of quads for the colours.
        metres = self._heights.astype(np.float64) / HEIGHTS_PER_M
        self._metres = np.pad(metres, 1, "reflect", reflect_type="odd")
        self._reach = max(1, lod // 2)
        self._surface = np.pad(surface, self._reach, "edge")
        self._lod, self._quads = lod, SURFACE_CELLS // lod
        self._indices = triangles(self._quads + 1)

    @property
    def spacing_m(self) -> int:
        """Metres between two samples."""
        return SAMPLE_M * self._lod

    def mesh(self, region: Region) -> Mesh:
        """The mesh of a region, its low corner at the origin; what neighbours share is equal to the bit."""
        metres = self._samples(region)
        along = np.arange(self._quads + 1) * float(self.spacing_m)
        x, z = np.meshgrid(along, along)
        positions = np.stack([x, metres[1:-1, 1:-1], z], axis=-1).reshape(-1, 3)
        slope_x = (metres[1:-1, 2:] - metres[1:-1, :-2]) / (2 * self.spacing_m)
        slope_z = (metres[2:, 1:-1] - metres[:-2, 1:-1]) / (2 * self.spacing_m)
        normals = np.stack([-slope_x, np.ones_like(slope_x), -slope_z], axis=-1).reshape(-1, 3)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return Mesh(
            positions.astype(np.float32), normals.astype(np.float32), self._colours(region), self._indices
        )

    def height(self, region: Region, x_m: F64, z_m: F64) -> F64:
        """Height of the mesh in metres at places ``[...]``, metres from the region's low corner, below 256."""
        x, z = ((at - low) * self._quads for at, low in zip(region, self._low, strict=True))
        heights = self._heights[z : z + self._quads + 1, x : x + self._quads + 1]
        return ground_height(heights, x_m / self._lod, z_m / self._lod)

    def sea(self, region: Region) -> npt.NDArray[np.bool_]:
        """The cells with some of the mesh below the level of the sea: ``[8, 8]``, row-major ``[z, x]``."""
        below = self._samples(region)[1:-1, 1:-1] < 0.0
        quads = self._quads // CELLS_PER_REGION
        cells = np.lib.stride_tricks.sliding_window_view(below, (quads + 1,) * 2)[::quads, ::quads]
        return np.asarray(cells.any(axis=(-2, -1)))

    def _samples(self, region: Region) -> F64:
        """A region's samples with a rim of one: ``[quads + 3, quads + 3]`` metres."""
        x, z = ((at - low) * self._quads for at, low in zip(region, self._low, strict=True))
        return self._metres[z : z + self._quads + 3, x : x + self._quads + 3]

    def _colours(self, region: Region) -> npt.NDArray[np.uint8]:
        """Each sample has the mean colour of the quads around it."""
        x, z = ((at - low) * SURFACE_CELLS for at, low in zip(region, self._low, strict=True))
        span = SURFACE_CELLS + 2 * self._reach
        quads = _PALETTE[self._surface[z : z + span, x : x + span]]
        around = np.lib.stride_tricks.sliding_window_view(quads, (2 * self._reach,) * 2, axis=(0, 1))
        mean = around[:: self._lod, :: self._lod].mean(axis=(-2, -1)).reshape(-1, 3)
        opaque = np.ones((len(mean), 1))
        return np.rint(np.concatenate([mean, opaque], axis=1) * 255.0).astype(np.uint8)


def _palette() -> F64:
    table = np.tile(linear(colour_of(Surface.GRASS)), (256, 1))
    for kind in Surface:
        table[kind] = linear(colour_of(kind))
    return table


_PALETTE = _palette()
"""Linear colours ``[256, 3]`` of the surface classes; one that is not known looks like grass."""
