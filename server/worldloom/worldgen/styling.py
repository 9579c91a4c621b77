"""Styling: how a source is asked for a region with the styles around it, and how those travel to another process."""

import struct
from typing import cast

from worldloom.ports import StyledSource, Styles, TerrainSource
from worldloom_sdk.protocol.tiles import Tile

__all__ = ["MAX_STYLES_BYTES", "pack_styles", "unpack_styles", "woven"]

MAX_STYLE_BYTES = 1_024
_ENTRY = struct.Struct("<bbH")
_AROUND = 9
MAX_STYLES_BYTES = _AROUND * (_ENTRY.size + MAX_STYLE_BYTES)


def woven(source: TerrainSource, rx: int, rz: int, styles: Styles) -> Tile:
    """The tile of a region. Styles are given only where a stylist said them, which is for sources that follow them."""
    return cast(StyledSource, source).weave(rx, rz, styles) if styles else source.generate(rx, rz)


def pack_styles(styles: Styles) -> bytes:
    """As bytes: for each, i8 dx, i8 dz, u16 length, the style.

    Raises:
        ValueError: There are too many, or one is too long.
    """
    if len(styles) > _AROUND or any(len(style) > MAX_STYLE_BYTES for style in styles.values()):
        raise ValueError(
            f"expected at most {_AROUND} styles of {MAX_STYLE_BYTES} bytes, got {len(styles)} or longer"
        )
    return b"".join(_ENTRY.pack(dx, dz, len(style)) + style for (dx, dz), style in styles.items())


def unpack_styles(data: bytes) -> dict[tuple[int, int], bytes]:
    """What ``pack_styles`` wrote.

    Raises:
        ValueError: It is cut off.
    """
    styles, at = {}, 0
    while at < len(data):
        try:
            dx, dz, size = _ENTRY.unpack_from(data, at)
        except struct.error:
            raise ValueError(
                f"expected a style at byte {at} of {len(data)}, got its beginning alone"
            ) from None
        at += _ENTRY.size
        style = data[at : at + size]
        if len(style) != size:
            raise ValueError(f"expected a style of {size} bytes, got {len(style)}")
        styles[dx, dz] = style
        at += size
    return styles
