"""Pictures of land seen from above: hills shaded, water by depth, woods as dots. For people, not for the game.

The only module here that needs Pillow. In a picture +X points right and +Z down.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image

from worldloom_sdk.protocol.tiles import (
    HEIGHTS_PER_M,
    SAMPLE_M,
    SURFACE_CELLS,
    Surface,
    ThingKind,
    Tile,
)

__all__ = ["colour_of", "crown_of", "depth_colour", "paint", "paint_tiles", "placed"]

F64 = npt.NDArray[np.float64]

_COLOURS = {
    Surface.SEABED: (206, 192, 150),
    Surface.SAND: (226, 208, 160),
    Surface.PEBBLES: (186, 176, 154),
    Surface.GRASS: (138, 160, 84),
    Surface.MEADOW: (122, 158, 74),
    Surface.HEATH: (150, 142, 92),
    Surface.FOREST: (82, 116, 58),
    Surface.ROCK: (122, 115, 106),
    Surface.SCREE: (142, 134, 118),
    Surface.SNOW: (243, 246, 250),
    Surface.MARSH: (104, 136, 80),
}
_CROWNS = {
    ThingKind.CONIFER: ((38, 70, 48), 1.7),
    ThingKind.BROADLEAF: ((66, 104, 44), 2.3),
    ThingKind.BIRCH: ((112, 138, 62), 1.9),
    ThingKind.BUSH: ((86, 112, 52), 0.9),
    ThingKind.ROCK: ((128, 122, 116), 0.9),
    ThingKind.DEADWOOD: ((110, 92, 72), 0.8),
    ThingKind.REED: ((150, 150, 84), 0.6),
    ThingKind.TUFT: ((134, 146, 72), 0.4),
    ThingKind.FLOWERS: ((222, 176, 190), 0.4),
    ThingKind.PALM: ((96, 140, 52), 1.8),
}
"""Colour and radius in metres."""
_SHALLOW, _DEEP = np.array([96.0, 182.0, 180.0]), np.array([22.0, 62.0, 108.0])
_SUN = np.array([-0.58, 0.56, -0.59])
_SUN_COLOUR, _SKY_COLOUR = np.array([1.06, 1.0, 0.9]), np.array([0.30, 0.35, 0.43])


def paint_tiles(tiles: Iterable[Tile], things: bool = True) -> Image.Image:
    """Paint the smallest block of regions that holds the tiles, 1 m to a pixel; what is missing stays dark.

    Raises:
        ValueError: There is no tile.
    """
    known = {(tile.rx, tile.rz): tile for tile in tiles}
    if not known:
        raise ValueError("expected at least one tile, got none")
    x0, z0 = min(rx for rx, _ in known), min(rz for _, rz in known)
    wide, deep = max(rx for rx, _ in known) - x0 + 1, max(rz for _, rz in known) - z0 + 1
    heights = np.zeros((deep * SURFACE_CELLS + 1, wide * SURFACE_CELLS + 1), np.int16)
    surface = np.full((deep * SURFACE_CELLS, wide * SURFACE_CELLS), 255, np.uint8)
    things_of = []
    for (rx, rz), tile in known.items():
        x, z = (rx - x0) * SURFACE_CELLS, (rz - z0) * SURFACE_CELLS
        heights[z : z + SURFACE_CELLS + 1, x : x + SURFACE_CELLS + 1] = tile.heights
        surface[z : z + SURFACE_CELLS, x : x + SURFACE_CELLS] = tile.surface
        things_of.append(placed(tile, x * SAMPLE_M, z * SAMPLE_M))
    return paint(heights, surface, np.concatenate(things_of) if things else None)


def paint(
    heights: npt.NDArray[np.int16],
    surface: npt.NDArray[np.uint8],
    things: F64 | None = None,
    pixel_m: float = 1.0,
) -> Image.Image:
    """Paint land, two pixels to a quad.

    Args:
        heights: ``[Z + 1, X + 1]`` in 1/32 m, two pixels apart.
        surface: ``[Z, X]`` of ``Surface``; 255 for what is not known.
        things: ``[n, 4]`` of x and z in metres from the corner, kind, and radius factor.
        pixel_m: Metres to a pixel.

    Returns:
        A picture of ``2 X`` by ``2 Z`` pixels.
    """
    metres = heights.astype(np.float64) / HEIGHTS_PER_M
    size = (surface.shape[1] * SAMPLE_M, surface.shape[0] * SAMPLE_M)
    ground = _bicubic(metres, size)
    colour = np.stack([_smooth(_palette(surface)[..., k], size, 0.75) for k in range(3)], axis=-1)
    light = _light(ground, pixel_m)
    colour = colour * _grain(colour.shape[:2])[..., None]
    if things is not None and len(things):
        _plant(colour, light, things / (pixel_m, pixel_m, 1.0, pixel_m))
    land = colour * (_SKY_COLOUR + _SUN_COLOUR * light[..., None])
    picture = _flood(land, ground)
    known = np.asarray(Image.fromarray(surface).resize(size, Image.Resampling.NEAREST)) != 255
    picture[~known] = (24.0, 26.0, 30.0)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8), "RGB")


def colour_of(kind: Surface) -> tuple[int, int, int]:
    """The colour of a surface in the light of level ground."""
    return _COLOURS[kind]


def crown_of(kind: ThingKind) -> tuple[tuple[int, int, int], float]:
    """A thing's colour, and its radius in metres seen from above."""
    return _CROWNS[kind]


def depth_colour(depth_m: float) -> tuple[int, int, int]:
    """The colour of the sea over a seabed so deep."""
    bed = np.array(_COLOURS[Surface.SEABED], np.float64).reshape(1, 1, 3)
    red, green, blue = _flood(bed, np.full((1, 1), -depth_m)).reshape(3).tolist()
    return round(min(red, 255.0)), round(min(green, 255.0)), round(min(blue, 255.0))


def placed(tile: Tile, x_m: int, z_m: int) -> F64:
    """A tile's things as ``paint`` takes them, the region's corner being at ``(x_m, z_m)``."""
    things = tile.things
    columns = [things["x"] / 64.0 + x_m, things["z"] / 64.0 + z_m, things["kind"], things["scale"] / 64.0]
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def _palette(surface: npt.NDArray[np.uint8]) -> F64:
    table = np.tile(np.array(_COLOURS[Surface.GRASS], np.float64), (256, 1))
    for kind, colour in _COLOURS.items():
        table[kind] = colour
    return np.asarray(table[surface])


def _bicubic(samples: F64, size: tuple[int, int]) -> F64:
    image = Image.fromarray(samples.astype(np.float32))
    box = (0.5, 0.5, samples.shape[1] - 0.5, samples.shape[0] - 0.5)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC, box), np.float64)


def _smooth(samples: F64, size: tuple[int, int], sharp: float) -> F64:
    """Enlarge colours with soft borders: between nearest (1) and bilinear (0)."""
    image = Image.fromarray(samples.astype(np.float32))
    soft = np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float64)
    hard = np.asarray(image.resize(size, Image.Resampling.NEAREST), np.float64)
    return (1.0 - sharp) * hard + sharp * soft


def _light(ground: F64, pixel_m: float) -> F64:
    """Sun on the slope, softened, with hollows darker and crests lighter."""
    slope_z, slope_x = np.gradient(ground, pixel_m)
    sun = _SUN / np.sqrt((_SUN * _SUN).sum())
    direct = (sun[1] - slope_x * sun[0] - slope_z * sun[2]) / np.sqrt(1 + slope_x**2 + slope_z**2)
    around = _blur(ground, max(2, round(24 / pixel_m)))
    open_sky = 1.0 + np.clip((ground - around) / 26.0, -0.35, 0.25)
    return np.asarray(np.clip(direct, 0.0, 1.0) * open_sky * 1.12)


def _blur(samples: F64, radius: int) -> F64:
    """Three box means, near enough to a Gaussian."""
    for _ in range(3):
        for axis in (0, 1):
            padded = np.pad(samples, [(radius + 1, radius) if k == axis else (0, 0) for k in (0, 1)], "edge")
            sums = padded.cumsum(axis=axis)
            head, tail = [slice(None)] * 2, [slice(None)] * 2
            head[axis], tail[axis] = slice(2 * radius + 1, None), slice(None, -2 * radius - 1)
            samples = (sums[tuple(head)] - sums[tuple(tail)]) / (2 * radius + 1)
    return samples


def _grain(shape: tuple[int, ...]) -> F64:
    """A trace of unevenness, so that meadows do not look like plastic."""
    fine = np.random.default_rng(1).standard_normal(shape)
    return np.asarray(1.0 + 0.018 * fine + 0.12 * _blur(fine, 3))


def _plant(colour: F64, light: F64, things: F64) -> None:
    """Draw things ``[n, 4]``, in pixels, as round crowns, lit from the sun's side, with a shadow away from it."""
    deep, wide = light.shape
    for kind, (tone, radius_m) in _CROWNS.items():
        some = things[things[:, 2] == kind]
        for dz in range(-3, 5):
            for dx in range(-3, 5):
                near = dx * dx + dz * dz <= (radius_m * some[:, 3]) ** 2
                shade = (dx - 1.6) ** 2 + (dz - 1.6) ** 2 <= (radius_m * some[:, 3]) ** 2
                x, z = some[:, 0].astype(np.int64) + dx, some[:, 1].astype(np.int64) + dz
                inside = (x >= 0) & (z >= 0) & (x < wide) & (z < deep)
                fall = inside & shade & ~near
                light[z[fall], x[fall]] *= 0.62
                body = inside & near
                lit = 1.0 - 0.11 * (dx + dz) / max(radius_m, 1.0)
                colour[z[body], x[body]] = np.array(tone, np.float64) * lit


def _flood(land: F64, ground: F64) -> F64:
    """Lay the sea over what is below it: clear at the strand, dark in the deep, a line of foam."""
    depth = np.maximum(-ground, 0.0)[..., None]
    veil = 1.0 - 1.0 / (1.0 + depth / 1.1)
    water = _SHALLOW + (_DEEP - _SHALLOW) * (1.0 - 1.0 / (1.0 + (depth / 11.0) ** 1.4))
    sea = land * (1.0 - veil) * 0.92 + water * veil
    foam = np.clip(1.0 - np.abs(ground + 0.12) / 0.16, 0.0, 1.0)[..., None] * 0.35
    return np.where(ground[..., None] < 0.0, sea, land) * (1.0 - foam) + 250.0 * foam
