"""The plane: pieces of the endless land of one model and seed, straight from the model, without a server."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.ground import PIXEL_M, Blend, raised, values_of
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weaver import HALO, REGION_PX
from worldloom.worldgen.gan.weights import Model
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M
from worldloom_sdk.protocol.tiles import SURFACE_CELLS as _CELLS

__all__ = ["WORLD_M_PER_PIXEL", "Piece", "StyleOf", "draw", "of_spacing", "save"]

F32 = npt.NDArray[np.float32]
Region = tuple[int, int]

StyleOf = Callable[[int, int], Style | None]

WORLD_M_PER_PIXEL = PIXEL_M
_MIDDLES = Blend((np.arange(REGION_PX) + 0.5) / REGION_PX)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A rectangle of regions."""

    heights_m: F32
    """``[z, x]`` metres of the world, 2 m apart, shared edges once: ``[128 h + 1, 128 w + 1]``."""
    pixels_m: F32
    """``[64 h, 64 w]``: the model's own output at 4 m, as metres of real land at the spacing that was asked for."""


def draw(
    source: GanSource,
    origin: Region,
    size: tuple[int, int],
    spacing_m: float,
    chosen: StyleOf = lambda rx, rz: None,
    heights: bool = True,
    on_region: Callable[[], None] = lambda: None,
) -> Piece:
    """Weave a piece.

    Args:
        source: Model and seed.
        origin: Region of the low corner.
        size: Regions along x and z.
        spacing_m: Metres of real land to a pixel, by which ``pixels_m`` is scaled.
        chosen: The style that somebody chose for a region, if any.
        heights: Whether ``heights_m`` is wanted, which takes longer.
        on_region: Called after each.
    """
    wide, deep = size
    samples = np.zeros((deep * _CELLS + 1, wide * _CELLS + 1) if heights else (0, 0), np.float32)
    pixels = np.zeros((deep * REGION_PX, wide * REGION_PX), np.float32)

    def style(rx: int, rz: int) -> Style:
        return chosen(rx, rz) or source.provinces.style(rx, rz)

    for j in range(deep):
        for i in range(wide):
            region = origin[0] + i, origin[1] + j
            if heights:
                at = np.s_[j * _CELLS : (j + 1) * _CELLS + 1, i * _CELLS : (i + 1) * _CELLS + 1]
                samples[at] = _heights(source, region, style)
            at = np.s_[j * REGION_PX : (j + 1) * REGION_PX, i * REGION_PX : (i + 1) * REGION_PX]
            pixels[at] = _pixels(source, region, style) * (spacing_m / PIXEL_M)
            on_region()
    return Piece(samples, pixels)


def _heights(source: GanSource, region: Region, style: Callable[[int, int], Style]) -> F32:
    """Of a region's samples, metres."""
    rx, rz = region
    styles = {(dx, dz): style(rx + dx, rz + dz).key for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    return source.weave(rx, rz, styles).heights.astype(np.float32) / np.float32(HEIGHTS_PER_M)


def _pixels(source: GanSource, region: Region, style: Callable[[int, int], Style]) -> F32:
    """Of a region's pixels, metres of the world, before anything finer."""
    rx, rz = region
    shape = source.pixels(rx, rz, style)[HALO:-HALO, HALO:-HALO]
    middles = (np.arange(REGION_PX, dtype=np.float64) + 0.5) * PIXEL_M
    floor = source.provinces.floor_m((rx * REGION_M + middles)[None, :], (rz * REGION_M + middles)[:, None])
    nine = [[style(rx + dx, rz + dz) for dx in (-1, 0, 1)] for dz in (-1, 0, 1)]
    slope, foot = _MIDDLES.of(values_of(nine, "slope", "foot"))
    # Every second sample is the middle of a pixel.
    return raised(shape, slope, foot, floor.astype(np.float32)) + source.silt(rx, rz, style)[1::2, 1::2]


def save(path: Path, piece: Piece, spacing_m: float) -> None:
    """Write a piece as a NumPy ``.npz``: both arrays, and the scalars ``metres_per_pixel`` and ``world_scale``."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            heights_m=piece.heights_m,
            pixels_m=piece.pixels_m,
            metres_per_pixel=np.float64(spacing_m),
            world_scale=np.float64(spacing_m / PIXEL_M),
        )


def of_spacing(model: Model, spacing_m: float) -> Model:
    """The model with windows of one spacing alone: all its land is as it is at so many metres to a pixel.

    Raises:
        ConfigError: It knows no land of that spacing.
    """
    grand = spacing_m >= 60
    table = model.table[(model.table[:, MEASURES.index("grandeur")] > 0.5) == grand]
    if not len(table):
        raise ConfigError(
            f"expected a model that was trained on land at {spacing_m:g} m, got none of it in this one"
        )
    return replace(model, table=table)
