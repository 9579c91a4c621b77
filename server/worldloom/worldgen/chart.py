"""Charts: a picture of many regions at once, painted block by block, with a scale and a legend. Knows no storage.

Each block is painted with a rim of its neighbours, at twice the size or more, and shrunk: memory does not grow with
the map, and no seam shows between blocks. Like ``picture`` it needs Pillow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from worldloom.worldgen.layout import Region, laid_out, rectangle
from worldloom.worldgen.picture import colour_of, depth_colour, paint, placed
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import SAMPLE_M, SURFACE_CELLS, Surface, Tile

__all__ = [
    "FAINT",
    "INK",
    "PAPER",
    "Caption",
    "chart",
    "font",
    "ground",
    "mark",
    "scale_bar",
]

_BLOCK_PX = 512
"""Side of a block in pixels of the chart."""
_THINGS_TO_M = 2
"""Trees are drawn where a painted pixel is no larger; else the colour of the woods says it."""
_RIM_M = 64
"""So far beyond a block its neighbours are painted with it, and cut off."""

PAPER, INK, FAINT = (247, 243, 232), (44, 42, 38), (122, 116, 104)
_STRIP_PX, _PAD_PX = 108, 28
_LEGEND_FROM_PX = 1_000
"""A narrower chart has no legend."""
_LEGEND = (
    ("sand", Surface.SAND), ("grass", Surface.GRASS), ("meadow", Surface.MEADOW), ("heath", Surface.HEATH),
    ("forest", Surface.FOREST), ("marsh", Surface.MARSH), ("rock", Surface.ROCK), ("scree", Surface.SCREE),
    ("snow", Surface.SNOW),
)  # fmt: skip
_DEEPEST_M = 50.0


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written under a chart."""

    title: str
    note: str
    place_m: tuple[float, float] | None = None
    """Where newcomers come in, x and z in metres of the world: marked if it is in the picture."""


def chart(
    tiles: Mapping[Region, Tile],
    stored: set[Region],
    pixel_m: int,
    caption: Caption,
    on_block: Callable[[int, int], None] = lambda done, all_of_them: None,
) -> Image.Image:
    """Paint a rectangle of regions, with caption.

    Args:
        tiles: Every region of the rectangle.
        stored: Those that people have seen: a line is drawn around them where there are others.
        pixel_m: Metres to a pixel, one of ``scales.PIXEL_M``.
        caption: What is written under it.
        on_block: Told how many blocks are painted, of how many.
    """
    (x0, z0), (wide, deep) = rectangle(tiles)
    side = REGION_M // pixel_m
    picture = ground(tiles, pixel_m, on_block)
    _outline(picture, {(rx - x0, rz - z0) for rx, rz in stored}, wide, deep, side)
    marked = False
    if caption.place_m is not None:
        x, z = (at / REGION_M - low for at, low in zip(caption.place_m, (x0, z0), strict=True))
        if marked := 0 <= x < wide and 0 <= z < deep:
            mark(ImageDraw.Draw(picture), x * side, z * side)
    return _with_strip(picture, pixel_m, caption, marked)


def ground(
    tiles: Mapping[Region, Tile],
    pixel_m: int,
    on_block: Callable[[int, int], None] = lambda done, all_of_them: None,
) -> Image.Image:
    """Paint a rectangle of regions, and nothing else.

    Args:
        tiles: Every region of the rectangle.
        pixel_m: Metres to a pixel, one of ``scales.PIXEL_M``.
        on_block: Told how many blocks are painted, of how many.
    """
    (x0, z0), (wide, deep) = rectangle(tiles)
    side = REGION_M // pixel_m
    picture = Image.new("RGB", (wide * side, deep * side))
    block = max(1, _BLOCK_PX // side)
    corners = [(bx, bz) for bz in range(0, deep, block) for bx in range(0, wide, block)]
    for done, (bx, bz) in enumerate(corners, 1):
        size = min(block, wide - bx), min(block, deep - bz)
        painted = _block(tiles, (x0 + bx, z0 + bz), size, pixel_m)
        picture.paste(painted, (bx * side, bz * side))
        on_block(done, len(corners))
    return picture


def _block(tiles: Mapping[Region, Tile], first: Region, size: tuple[int, int], pixel_m: int) -> Image.Image:
    """A block of regions, painted with a rim and shrunk."""
    painted_m = max(1, pixel_m // 2)
    rim = [int((first[0] - 1, first[1]) in tiles), int((first[0], first[1] - 1) in tiles)]
    rim += [int((first[0] + size[0], first[1]) in tiles), int((first[0], first[1] + size[1]) in tiles)]
    low = first[0] - rim[0], first[1] - rim[1]
    around = size[0] + rim[0] + rim[2], size[1] + rim[1] + rim[3]
    heights, surface = laid_out(tiles, low, around)
    spare = SURFACE_CELLS - _RIM_M // SAMPLE_M
    x, z = rim[0] * spare, rim[1] * spare
    to_x, to_z = surface.shape[1] - rim[2] * spare, surface.shape[0] - rim[3] * spare
    image = paint(
        heights[z : to_z + 1 : painted_m, x : to_x + 1 : painted_m],
        surface[z:to_z:painted_m, x:to_x:painted_m],
        _things(tiles, low, around) - (x * SAMPLE_M, z * SAMPLE_M, 0, 0)
        if painted_m <= _THINGS_TO_M
        else None,
        painted_m,
    )
    left, top = (at * _RIM_M // painted_m for at in rim[:2])
    box = left, top, left + size[0] * REGION_M // painted_m, top + size[1] * REGION_M // painted_m
    target = size[0] * REGION_M // pixel_m, size[1] * REGION_M // pixel_m
    # Pixels beyond the box count where the filter reaches them: so blocks meet without a seam.
    return image.resize(target, Image.Resampling.LANCZOS, box)


def _things(tiles: Mapping[Region, Tile], low: Region, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """The things of a rectangle of regions, in metres from its low corner."""
    spots = [(dx, dz) for dz in range(size[1]) for dx in range(size[0])]
    return np.concatenate(
        [placed(tiles[low[0] + dx, low[1] + dz], dx * REGION_M, dz * REGION_M) for dx, dz in spots]
    )


def _outline(picture: Image.Image, stored: set[Region], wide: int, deep: int, side: int) -> None:
    """A line between what is stored and what is not."""
    veil = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(veil)
    for x in range(wide):
        for z in range(deep):
            if x and ((x, z) in stored) != ((x - 1, z) in stored):
                draw.line([(x * side, z * side), (x * side, z * side + side)], (255, 250, 235, 150), 2)
            if z and ((x, z) in stored) != ((x, z - 1) in stored):
                draw.line([(x * side, z * side), (x * side + side, z * side)], (255, 250, 235, 150), 2)
    picture.paste(veil, (0, 0), veil)


def mark(draw: ImageDraw.ImageDraw, x: float, z: float) -> None:
    """A ring with a dot: where newcomers come in."""
    for radius, colour in ((9, INK), (8, (255, 252, 244)), (5, (196, 62, 44))):
        draw.ellipse((x - radius, z - radius, x + radius, z + radius), fill=colour)


def _with_strip(picture: Image.Image, pixel_m: int, caption: Caption, marked: bool) -> Image.Image:
    """The picture on paper, with what is written under it."""
    page = Image.new("RGB", (picture.width, picture.height + _STRIP_PX), PAPER)
    page.paste(picture, (0, 0))
    draw, top = ImageDraw.Draw(page), picture.height
    draw.line([(0, top), (page.width, top)], INK, 2)
    bar = scale_bar(draw, page.width, top, pixel_m)
    room = bar - 2 * _PAD_PX
    draw.text((_PAD_PX, top + 26), _fitting(caption.title, 24, room), INK, font(24))
    draw.text((_PAD_PX, top + 62), _fitting(caption.note, 15, room), FAINT, font(15))
    if page.width >= _LEGEND_FROM_PX:
        written = max(font(24).getlength(caption.title), font(15).getlength(caption.note))
        _legend(draw, _PAD_PX + int(written) + 48, bar - _PAD_PX, top, marked)
    return page


def scale_bar(
    draw: ImageDraw.ImageDraw, width: int, top: int, pixel_m: int, longest_px: float | None = None
) -> int:
    """A bar of a round length at the right; where it begins."""
    most_m = (longest_px or min(width * 0.28, 320)) * pixel_m
    length_m = max(m * 10**k for k in range(1, 6) for m in (1, 2, 5) if m * 10**k <= max(most_m, 10))
    length = round(length_m / pixel_m)
    left, y = width - _PAD_PX - length, top + 44
    for part in range(4):
        at = left + length * part // 4, left + length * (part + 1) // 4
        draw.rectangle((at[0], y, at[1], y + 8), INK if part % 2 == 0 else PAPER, INK)
    for at_m, x, anchor in (
        (0, left, "lm"),
        (length_m // 2, left + length // 2, "mm"),
        (length_m, width - _PAD_PX, "rm"),
    ):
        draw.text((x, y + 24), _metres(at_m, length_m), INK, font(14), anchor=anchor)
    return left


def _metres(at_m: int, of_m: int) -> str:
    if of_m >= 1_000:
        return f"{at_m / 1_000:g}" + (" km" if at_m == of_m else "")
    return f"{at_m}" + (" m" if at_m == of_m else "")


def _legend(draw: ImageDraw.ImageDraw, left: int, right: int, top: int, marked: bool) -> None:
    """Swatches of the ground in two rows, and the sea by depth; as many as there is room for."""
    x, step = left, 104
    for column in range(0, len(_LEGEND), 2):
        if x + step > right:
            return
        for row, (name, kind) in enumerate(_LEGEND[column : column + 2]):
            y = top + 30 + 28 * row
            draw.rounded_rectangle((x, y, x + 22, y + 16), 3, colour_of(kind), FAINT)
            draw.text((x + 30, y + 8), name, INK, font(14), anchor="lm")
        x += step
    if marked:
        mark(draw, x - step + 11, top + 66)
        draw.text((x - step + 30, top + 66), "arrival", INK, font(14), anchor="lm")
    if x + 130 > right:
        return
    for k in range(100):
        draw.line([(x + k, top + 30), (x + k, top + 46)], depth_colour(_DEEPEST_M * (k / 99) ** 2))
    draw.rectangle((x, top + 30, x + 100, top + 46), None, FAINT)
    draw.text((x, top + 66), f"sea, 0 to {_DEEPEST_M:.0f} m deep", INK, font(14), anchor="lm")


def _fitting(text: str, size: int, room: int) -> str:
    """The text, or its beginning if it is too long for so many pixels."""
    written = font(size)
    if written.getlength(text) <= room:
        return text
    return next(
        (text[:n] + "…" for n in range(len(text), 0, -1) if written.getlength(text[:n] + "…") <= room), ""
    )


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The letters of charts, so many pixels high."""
    return ImageFont.load_default(size)
