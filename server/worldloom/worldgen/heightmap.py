"""Heightmaps: the ground as one grid of 16-bit levels, as PNG or raw, for terrain systems. Knows no storage.

``metres = level * scale + offset``. Like ``picture`` it needs Pillow.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, MIN_HEIGHT

__all__ = ["EXACT", "LEVELS", "Levels", "levels_of", "save_png", "save_raw", "stretched"]

I16 = npt.NDArray[np.int16]
U16 = npt.NDArray[np.uint16]

LEVELS = 65_535
"""The highest level."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What a level means: ``metres = level * scale + offset``."""

    scale: float
    """Metres from one level to the next, above 0."""
    offset: float = MIN_HEIGHT / HEIGHTS_PER_M
    """Metres of level 0; by default the lowest that ground can be, so that all maps of one scale agree."""

    def __str__(self) -> str:
        return f"metres = level * {self.scale!r} {'-' if self.offset < 0 else '+'} {abs(self.offset)!r}"


EXACT = Levels(1 / HEIGHTS_PER_M)
"""Every height as it is; up to the highest that ground can be, and the same for every part of every world."""


def stretched(heights: I16) -> Levels:
    """From the lowest sample at level 0 to the highest at 65,535; level ground keeps the scale of ``EXACT``."""
    low, high = (float(height) / HEIGHTS_PER_M for height in (heights.min(), heights.max()))
    return Levels((high - low) / LEVELS if high > low else EXACT.scale, low)


def levels_of(heights: I16, levels: Levels) -> U16:
    """Turn heights into levels, each to the nearest.

    Args:
        heights: ``[Z, X]`` in 1/32 m.
        levels: What the levels mean.

    Returns:
        ``[Z, X]``.

    Raises:
        ValueError: The scale is no number above 0, or a height is lower or higher than a level can say.
    """
    if not (math.isfinite(levels.scale) and levels.scale > 0 and math.isfinite(levels.offset)):
        raise ValueError(f"expected metres to a level above 0, got {levels.scale}")
    ends = np.array([heights.min(), heights.max()], np.float64) / HEIGHTS_PER_M
    low, high = np.rint((ends - levels.offset) / levels.scale)
    if low < 0 or high > LEVELS:
        top = LEVELS * levels.scale + levels.offset
        raise ValueError(
            f"expected ground from {levels.offset:g} to {top:g} m at {levels.scale:g} metres to a level, "
            f"got {ends[0]:g} to {ends[1]:g} m"
        )
    found = np.empty(heights.shape, np.uint16)
    for row, into in zip(
        heights, found, strict=True
    ):  # Row by row: a wide map takes no more memory than it must.
        into[:] = np.rint((row.astype(np.float64) / HEIGHTS_PER_M - levels.offset) / levels.scale)
    return found


def save_png(file: BinaryIO, levels: U16, texts: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    """Write a grey 16-bit PNG: +X to the right, +Z down.

    Args:
        file: Where to.
        levels: ``[Z, X]``.
        texts: Text chunks by keyword, for people.
        facts: For programs: JSON in the text chunk "worldloom".
    """
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text)
    info.add_text("worldloom", json.dumps(facts, separators=(",", ":")))
    Image.fromarray(levels).save(file, "PNG", pnginfo=info)


def save_raw(file: BinaryIO, levels: U16) -> None:
    """Write the levels alone, little-endian, row by row: all x of the first z, then the next (.r16, .raw)."""
    file.write(levels.astype("<u2").tobytes())
