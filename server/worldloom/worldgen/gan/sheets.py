"""Sheets: shaded relief of heights, alone or many side by side. For people."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["shaded", "side_by_side"]

F32 = npt.NDArray[np.float32]

_SUN = np.array((-0.55, -0.55, 0.63))
"""From the low corner of both axes, as maps have it."""
_GAP_PX = 4


def shaded(heights_m: F32, spacing_m: float, exaggeration: float = 2.0) -> Image.Image:
    """Heights lit from the upper left; slopes are exaggerated, for most land is flat.

    Args:
        heights_m: ``[h, w]`` metres.
        spacing_m: Metres to a pixel.
        exaggeration: By which slopes are multiplied.
    """
    down, across = np.gradient(heights_m.astype(np.float64) * (exaggeration / spacing_m))
    normal = np.stack((-across, -down, np.ones_like(down)))
    light = np.tensordot(_SUN, normal / np.sqrt((normal * normal).sum(0)), 1)
    return Image.fromarray(np.clip(light * 255, 0, 255).astype(np.uint8))


def side_by_side(pictures: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Rows of pictures of one size, a gap between."""
    wide, high = pictures[0][0].size
    columns = max(len(row) for row in pictures)
    page = Image.new(
        "L", (columns * (wide + _GAP_PX) - _GAP_PX, len(pictures) * (high + _GAP_PX) - _GAP_PX), 255
    )
    for j, row in enumerate(pictures):
        for i, picture in enumerate(row):
            page.paste(picture, (i * (wide + _GAP_PX), j * (high + _GAP_PX)))
    return page
