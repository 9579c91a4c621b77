"""Ownership: a picture of who owns what, over the land seen from above, with a legend beside it. Knows no storage.

Like ``picture`` it needs Pillow. Borders of parcels lie on pixels, so that everything is drawn by comparing neighbours.
"""

import contextlib
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from worldloom.worldgen.chart import FAINT, INK, PAPER, font, ground, mark, scale_bar
from worldloom.worldgen.layout import Region
from worldloom_sdk.protocol.geometry import REGION_M
from worldloom_sdk.protocol.tiles import SURFACE_CELLS, Surface, Tile

__all__ = ["Mark", "OwnedEstate", "Survey", "colour_of_owner", "ownership"]

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]
F32 = npt.NDArray[np.float32]
Letters = ImageFont.FreeTypeFont | ImageFont.ImageFont
Cell = TypeVar("Cell", bound=np.generic)
Mark = Literal["", "sale", "auction", "let", "leased"]

PARCEL_M = 16
PARCELS = REGION_M // PARCEL_M
"""Along a side of a region."""
NAMES_MAX = 24
"""Owners that the legend names; the others are counted together."""
_PLACES_TRIED = 24
"""Parcels of an estate on which its label may lie, the nearest to its middle."""
LABELS_MAX = 2_000
"""Estates whose numbers are written, the largest, where there is room."""
PANEL_PX = 372
LEAST_PX = 560
"""Height of the page, at least: the legend needs it."""

_COLOURS = (
    (214, 52, 44), (36, 104, 206), (244, 176, 24), (142, 66, 186), (176, 216, 44), (242, 108, 170),
    (16, 158, 138), (236, 108, 28), (84, 188, 236), (164, 26, 92),
)  # fmt: skip
"""Of owners, by account: neighbours in number are far apart in hue."""
_TONES = (0.0, 0.36, -0.34)
"""Beyond these colours they begin anew: lighter by such a part, then darker."""
_OTHERS = (146, 142, 134)
_LEADING_PX = 4
_WASH = 0.52
"""How much of an owner's colour lies on the land."""
_PLAIN = frozenset(map(chr, range(32, 127))) | {"·", "…"}
"""What the letters that come along can write."""
_WIDE_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf",
)  # fmt: skip
"""What else may be on a machine, for names in other letters."""
_BLANK, _HATCH = (236, 230, 216), (220, 212, 194)


@dataclass(frozen=True, slots=True)
class OwnedEstate:
    """An estate, as far as the picture shows it."""

    number: int
    name: str
    owner: int
    owner_name: str
    mark: Mark = ""
    """For sale, auctioned, to let, leased, or none of it."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is drawn."""

    low: Region
    size: tuple[int, int]
    """Regions wide and deep, W and D."""
    tiles: Mapping[Region, Tile]
    """Land that is made; the rest stays paper."""
    deeds: Mapping[tuple[int, int], int]
    """Estate by parcel."""
    estates: Mapping[int, OwnedEstate]
    zones: Mapping[Region, str]
    """Regions open for claiming, with what a parcel costs, in words."""
    title: str
    note: str
    place_m: tuple[float, float] | None = None
    """Where newcomers come in, x and z in metres: marked if it is in the picture."""


def ownership(survey: Survey, pixel_m: int) -> Image.Image:
    """Paint who owns what.

    Args:
        survey: What is drawn.
        pixel_m: Metres to a pixel, one of ``scales.PIXEL_M``.
    """
    wide, deep = survey.size
    shape = deep * REGION_M // pixel_m, wide * REGION_M // pixel_m
    land = _land(survey, pixel_m)
    colours, counted = _colours(survey)
    estate_of, owner_of = _labels(survey, pixel_m)
    _draw_zones(land, survey, owner_of > 0, pixel_m)
    _draw_owned(land, estate_of, owner_of, colours, pixel_m)
    _draw_marks(land, survey, estate_of, pixel_m)
    picture = Image.fromarray(np.clip(land, 0, 255).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(picture)
    _write_prices(draw, survey, estate_of, pixel_m)
    _write_labels(draw, survey, estate_of, pixel_m)
    is_marked = _mark_place(draw, survey, pixel_m)
    page = Image.new("RGB", (shape[1] + PANEL_PX, max(shape[0], LEAST_PX)), PAPER)
    page.paste(picture, (0, 0))
    _legend(page, picture, survey, colours, counted, pixel_m, is_marked)
    return page


# ---- the land


def _land(survey: Survey, pixel_m: int) -> F32:
    """The land ``[z, x, 3]``, paler than usual so that owners' colours stand out. What is not made is hatched paper."""
    wide, deep = survey.size
    regions = [(survey.low[0] + x, survey.low[1] + z) for z in range(deep) for x in range(wide)]
    made = {region: tile for region in regions if (tile := survey.tiles.get(region)) is not None}
    side = REGION_M // pixel_m
    z, x = np.mgrid[0 : deep * side, 0 : wide * side]
    paper = np.where((((x + z) % 12) < 2)[..., None], _HATCH, _BLANK).astype(np.float32)
    if not made:
        return paper
    whole = {region: made.get(region) or _stand_in(region, made) for region in regions}
    painted = np.asarray(ground(whole, pixel_m), np.float32)
    grey = painted @ np.array([0.30, 0.59, 0.11], np.float32)
    pale = 0.60 * painted + 0.40 * grey[..., None]
    pale = 0.86 * pale + 0.14 * 255
    known = np.zeros((deep, wide), np.bool_)
    for rx, rz in made:
        known[rz - survey.low[1], rx - survey.low[0]] = True
    return np.where(_enlarged(known, side)[..., None], pale, paper)


def _stand_in(region: Region, made: Mapping[Region, Tile]) -> Tile:
    """Land that goes on where made land ends, to be painted over: so no cliff shows at the border."""
    rx, rz = region
    for dx, dz in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        beside = made.get((rx + dx, rz + dz))
        if beside is not None:
            axis = 1 if dx else 0
            heights = np.ascontiguousarray(np.flip(beside.heights, axis))
            return Tile(rx, rz, heights, np.ascontiguousarray(np.flip(beside.surface, axis)))
    level = np.zeros((SURFACE_CELLS + 1, SURFACE_CELLS + 1), np.int16)
    return Tile(rx, rz, level, np.full((SURFACE_CELLS, SURFACE_CELLS), Surface.GRASS, np.uint8))


def _labels(survey: Survey, pixel_m: int) -> tuple[I32, I32]:
    """Estate and owner of each pixel, ``[z, x]``; 0 where there is none."""
    wide, deep = survey.size
    x0, z0 = survey.low[0] * PARCELS, survey.low[1] * PARCELS
    estates = np.zeros((deep * PARCELS, wide * PARCELS), np.int32)
    owners = np.zeros_like(estates)
    for (px, pz), number in survey.deeds.items():
        x, z = px - x0, pz - z0
        if 0 <= x < wide * PARCELS and 0 <= z < deep * PARCELS and number in survey.estates:
            estates[z, x], owners[z, x] = number, survey.estates[number].owner
    side = PARCEL_M // pixel_m
    return _enlarged(estates, side), _enlarged(owners, side)


def _colours(survey: Survey) -> tuple[dict[int, tuple[int, int, int]], Counter[int]]:
    """A colour for each owner, and parcels by owner in the picture."""
    wide, deep = survey.size
    x0, z0 = survey.low[0] * PARCELS, survey.low[1] * PARCELS
    counted: Counter[int] = Counter()
    for (px, pz), number in survey.deeds.items():
        if 0 <= px - x0 < wide * PARCELS and 0 <= pz - z0 < deep * PARCELS and number in survey.estates:
            counted[survey.estates[number].owner] += 1
    ranked = sorted(counted, key=lambda owner: (-counted[owner], owner))
    return {owner: colour_of_owner(owner) for owner in ranked}, counted


def colour_of_owner(account: int) -> tuple[int, int, int]:
    """An owner's colour, 0 to 255: the same on every picture."""
    turn, k = divmod(account, len(_COLOURS))
    tone = _TONES[turn % len(_TONES)]
    towards = 255 if tone > 0 else 0
    red, green, blue = (round(part + (towards - part) * abs(tone)) for part in _COLOURS[k])
    return red, green, blue


def _draw_owned(
    land: F32, estate_of: I32, owner_of: I32, colours: Mapping[int, tuple[int, int, int]], pixel_m: int
) -> None:
    """A wash of the owner's colour, a strong line around all that is theirs, a thin one between estates."""
    owned = owner_of > 0
    if not owned.any():
        return
    numbers, place = np.unique(owner_of, return_inverse=True)
    table = np.array([colours.get(int(number), _OTHERS) for number in numbers], np.float32)
    tone = table[place.reshape(owner_of.shape)]
    land[owned] = (1 - _WASH) * land[owned] + _WASH * tone[owned]
    width = max(2, 4 // pixel_m)
    if PARCEL_M // pixel_m >= 8:
        parcel = np.zeros(owner_of.shape, np.bool_)
        parcel[:: PARCEL_M // pixel_m] = parcel[:, :: PARCEL_M // pixel_m] = True
        land[parcel & owned] = 0.88 * land[parcel & owned] + 0.12 * 255
    between = _edge(estate_of, 1) & owned
    land[between] = 0.35 * land[between] + 0.65 * 0.45 * tone[between]
    around = _edge(owner_of, width) & owned
    land[around] = 0.12 * land[around] + 0.88 * 0.72 * tone[around]
    outline = _edge(owned.astype(np.int32), 1) & ~owned
    land[outline] = 0.4 * land[outline] + 0.6 * 255


def _draw_zones(land: F32, survey: Survey, owned: Bool, pixel_m: int) -> None:
    """A dashed line around what is open for claiming, and a light wash over it."""
    wide, deep = survey.size
    is_open = np.zeros((deep, wide), np.int32)
    for rx, rz in survey.zones:
        x, z = rx - survey.low[0], rz - survey.low[1]
        if 0 <= x < wide and 0 <= z < deep:
            is_open[z, x] = 1
    mask = _enlarged(is_open, REGION_M // pixel_m)
    free = (mask > 0) & ~owned
    land[free] = 0.90 * land[free] + 0.10 * 255
    rows, columns = np.indices(mask.shape)
    dashed = _edge(mask, 3) & (mask > 0) & ((columns + rows) % 20 < 12)
    land[dashed] = np.array((255, 253, 246), np.float32)
    shade = _edge(mask, 1) & (mask == 0) & ((columns + rows) % 20 < 12)
    land[shade] = 0.45 * land[shade]


def _draw_marks(land: F32, survey: Survey, estate_of: I32, pixel_m: int) -> None:
    """Stripes over what is for sale, crossed ones over auctions, rings over what is to let, dots where it is leased."""
    for kind, _ in _MARKS:
        numbers = [row.number for row in survey.estates.values() if row.mark == kind]
        if numbers:
            where = np.isin(estate_of, numbers) & _pattern(kind, estate_of.shape)
            land[where] = 0.25 * land[where] + 0.75 * 255


def _pattern(kind: str, shape: tuple[int, ...]) -> Bool:
    z, x = np.indices(shape)
    if kind == "leased":
        return np.asarray(((x % 8) - 4) ** 2 + ((z % 8) - 4) ** 2 <= 2)
    if kind == "let":
        away = np.hypot((x % 15) - 7, (z % 15) - 7)
        return np.asarray((away > 3.4) & (away < 5.6))
    stripes = (x + z) % 10 < 2
    return np.asarray(stripes | ((x - z) % 10 < 2) if kind == "auction" else stripes)


def _edge(labels: I32, width: int) -> Bool:
    """Pixels that have another label within so many pixels beside or above them."""
    found = np.zeros(labels.shape, np.bool_)
    for step in range(1, width + 1):
        other = labels[:, step:] != labels[:, :-step]
        found[:, step:] |= other
        found[:, :-step] |= other
        other = labels[step:] != labels[:-step]
        found[step:] |= other
        found[:-step] |= other
    return found


def _enlarged(cells: npt.NDArray[Cell], side: int) -> npt.NDArray[Cell]:
    return cells.repeat(side, axis=0).repeat(side, axis=1)


# ---- what is written


def _write_labels(draw: ImageDraw.ImageDraw, survey: Survey, estate_of: I32, pixel_m: int) -> None:
    """Numbers of estates, and their names, where they fit: nothing is written over the land of others."""
    of: dict[int, list[tuple[int, int]]] = {}
    for parcel, number in survey.deeds.items():
        if number in survey.estates:
            of.setdefault(number, []).append(parcel)
    side = PARCEL_M / pixel_m
    low = np.array(survey.low) * PARCELS
    for number, parcels in sorted(of.items(), key=lambda one: (-len(one[1]), one[0]))[:LABELS_MAX]:
        places = (np.array(parcels) - low + 0.5) * side
        middle = places.mean(0)
        nearest = places[np.argsort(((places - middle) ** 2).sum(1))[:_PLACES_TRIED]]
        for lines in _labels_of(survey.estates[number]):
            wide, high = _size_of(lines)
            at = next((at for at in (middle, *nearest) if _fits(estate_of, number, at, wide, high)), None)
            if at is not None:
                _write_lines(draw, (float(at[0]), float(at[1])), lines)
                break


def _labels_of(estate: OwnedEstate) -> list[list[tuple[str, int]]]:
    """What may be written on an estate, lines of a text and its size; the best first."""
    number = str(estate.number)
    named = [[(estate.name, size), (number, size - 3)] for size in (15, 12)] if estate.name else []
    return [*named, *([(number, size)] for size in (14, 11, 9))]


def _size_of(lines: list[tuple[str, int]]) -> tuple[float, float]:
    """Pixels wide and high."""
    made = [lettering(text, size) for text, size in lines]
    return max(letters.getlength(told) for letters, told in made) + 4, sum(
        size + _LEADING_PX for _, size in lines
    )


def _fits(estate_of: I32, number: int, at: npt.NDArray[np.float64], wide: float, high: float) -> bool:
    """Whether a box around a pixel, x and z, lies on one estate."""
    x, z = int(at[0] - wide / 2), int(at[1] - high / 2)
    box = estate_of[max(z, 0) : int(z + high) + 1, max(x, 0) : int(x + wide) + 1]
    return x >= 0 and z >= 0 and box.shape == (int(high) + 1, int(wide) + 1) and bool((box == number).all())


def _write_lines(
    draw: ImageDraw.ImageDraw, middle: tuple[float, float], lines: list[tuple[str, int]]
) -> None:
    x, z = middle
    z -= sum(size + _LEADING_PX for _, size in lines) / 2
    for text, size in lines:
        _written(draw, (x, z + (size + _LEADING_PX) / 2), text, size)
        z += size + _LEADING_PX


def _write_prices(draw: ImageDraw.ImageDraw, survey: Survey, estate_of: I32, pixel_m: int) -> None:
    """What a parcel costs, in the corner of each open region with room for it, unless all cost the same."""
    side = REGION_M // pixel_m
    if len(set(survey.zones.values())) == 1:
        return
    for (rx, rz), price in survey.zones.items():
        x, z = (rx - survey.low[0]) * side, (rz - survey.low[1]) * side
        length = int(font(13).getlength(price))
        if not (0 <= x < estate_of.shape[1] and 0 <= z < estate_of.shape[0]) or length + 20 > side:
            continue
        if not estate_of[z + 4 : z + 26, x + 6 : x + 14 + length].any():
            _written(draw, (x + 10, z + 15), price, 13, "lm")


def _written(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, anchor: str = "mm"
) -> None:
    letters, told = lettering(text, size)
    draw.text(at, told, (255, 255, 255), letters, anchor=anchor, stroke_width=2, stroke_fill=(40, 36, 32))


def _line(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    size: int,
    colour: tuple[int, int, int],
    room: float,
) -> None:
    """A text, or its beginning, from its left end on."""
    letters, told = lettering(text, size)
    while told and letters.getlength(told) > room:
        told = told.removesuffix("…")[:-1] + "…" if len(told) > 2 else ""
    draw.text(at, told, colour, letters, anchor="lm")


def lettering(text: str, size: int) -> tuple[Letters, str]:
    """Letters that can write a text, and the text: with what this machine has none for made plain."""
    if not set(text) - _PLAIN:
        return font(size), text
    for name in _WIDE_FONTS:
        with contextlib.suppress(OSError):
            return ImageFont.truetype(name, size), text
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return font(size), "".join(char if char in _PLAIN else "?" for char in plain)


def _mark_place(draw: ImageDraw.ImageDraw, survey: Survey, pixel_m: int) -> bool:
    if survey.place_m is None:
        return False
    x, z = ((at - low * REGION_M) / pixel_m for at, low in zip(survey.place_m, survey.low, strict=True))
    wide, deep = (count * REGION_M / pixel_m for count in survey.size)
    is_in = 0 <= x < wide and 0 <= z < deep
    if is_in:
        mark(draw, x, z)
    return is_in


def _legend(
    page: Image.Image,
    picture: Image.Image,
    survey: Survey,
    colours: Mapping[int, tuple[int, int, int]],
    counted: Counter[int],
    pixel_m: int,
    is_marked: bool,
) -> None:
    draw = ImageDraw.Draw(page)
    draw.line([(picture.width, 0), (picture.width, page.height)], INK, 2)
    left, right = picture.width + 26, page.width - 26
    _line(draw, (left, 40), survey.title, 26, INK, right - left)
    _line(draw, (left, 68), survey.note, 14, FAINT, right - left)
    signs = _signs(survey, is_marked)
    foot = page.height - 92 - 30 * len(signs)
    y = _owners(draw, survey, colours, counted, (left, 100, right, foot - 20))
    draw.line([(left, max(y + 6, foot - 16)), (right, max(y + 6, foot - 16))], (214, 206, 190), 1)
    for row, (kind, text) in enumerate(signs):
        at = left, foot + 30 * row
        _swatch(page, draw, at, kind)
        _line(draw, (left + 44, at[1] + 10), text, 15, INK, right - left - 44)
    bar = page.crop((picture.width + 2, page.height - 92, page.width, page.height))
    scale_bar(ImageDraw.Draw(bar), bar.width, 0, pixel_m, bar.width - 56)
    page.paste(bar, (picture.width + 2, page.height - 92))


def _owners(
    draw: ImageDraw.ImageDraw,
    survey: Survey,
    colours: Mapping[int, tuple[int, int, int]],
    counted: Counter[int],
    box: tuple[int, int, int, int],
) -> int:
    """Who owns how much; where that ends."""
    left, y, right, bottom = box
    total = survey.size[0] * survey.size[1] * PARCELS**2
    owned = sum(counted.values())
    share = f"{owned:,} of {total:,} parcels owned" if owned else "nobody owns land here"
    draw.text((left, y), share, INK, font(15))
    names = {row.owner: row.owner_name or f"#{row.owner}" for row in survey.estates.values()}
    ranked = [owner for owner in colours if counted[owner]]
    room = max(1, (bottom - y - 34) // 27)
    shown = ranked if len(ranked) <= min(room, NAMES_MAX) else ranked[: min(room - 1, NAMES_MAX)]
    y += 34
    for owner in shown:
        _owner(draw, (left, y, right), colours[owner], names[owner], counted[owner])
        y += 27
    if rest := ranked[len(shown) :]:
        text = f"{len(rest)} more" if len(rest) > 1 else names[rest[0]]
        _owner(draw, (left, y, right), _OTHERS, text, sum(counted[owner] for owner in rest))
        y += 27
    return y


def _owner(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int, int],
    colour: tuple[int, int, int],
    name: str,
    parcels: int,
) -> None:
    left, y, right = at
    wash = tuple(round(_WASH * part + (1 - _WASH) * 222) for part in colour)
    edge = tuple(round(0.72 * part) for part in colour)
    draw.rounded_rectangle((left, y, left + 30, y + 18), 3, wash, edge, 3)
    told = f"{parcels:,}"
    room = right - left - 54 - font(15).getlength(told)
    _line(draw, (left + 44, y + 9), name, 16, INK, room)
    draw.text((right, y + 9), told, FAINT, font(15), anchor="rm")


def _signs(survey: Survey, is_marked: bool) -> list[tuple[str, str]]:
    """What else there is to explain."""
    marks: set[str] = {row.mark for row in survey.estates.values()}
    wide, deep = survey.size
    regions = {(survey.low[0] + x, survey.low[1] + z) for x in range(wide) for z in range(deep)}
    prices = sorted({price for region, price in survey.zones.items() if region in regions})
    signs = [(kind, text) for kind, text in _MARKS if kind in marks]
    if prices:
        told = f", {prices[0]} a parcel" if len(prices) == 1 else ""
        signs.append(("zone", f"to claim{told}"))
    if not regions <= survey.tiles.keys():
        signs.append(("blank", "not made yet"))
    if is_marked:
        signs.append(("place", "arrival"))
    return signs


_MARKS = (("sale", "for sale"), ("auction", "auctioned"), ("let", "to let"), ("leased", "leased"))


def _swatch(page: Image.Image, draw: ImageDraw.ImageDraw, at: tuple[int, int], kind: str) -> None:
    """A small picture of a sign, 30 x 20."""
    x, y = at
    if kind == "place":
        mark(draw, x + 15, y + 10)
        return
    cells = np.full((20, 30, 3), (168, 176, 140), np.float32)
    if kind == "blank":
        rows, columns = np.indices((20, 30))
        cells = np.where((((rows + columns) % 12) < 2)[..., None], _HATCH, _BLANK).astype(np.float32)
    elif kind == "zone":
        rows, columns = np.indices((20, 30))
        rim = (rows < 3) | (rows > 16) | (columns < 3) | (columns > 26)
        cells[rim & ((rows + columns) % 10 < 6)] = (255, 253, 246)
    else:
        cells[:] = (176, 120, 104)
        where = _pattern(kind, (20, 30))
        cells[where] = 0.25 * cells[where] + 0.75 * 255
    page.paste(Image.fromarray(cells.astype(np.uint8), "RGB"), (x, y))
    draw.rectangle((x, y, x + 30, y + 20), None, FAINT)
