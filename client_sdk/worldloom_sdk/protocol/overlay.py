"""Overlay: heights that people set on top of generated tiles, keyed by global sample coordinate.

Sample (x, z) lies at (2x, 2z) metres of the world; on a border it belongs to two regions, in a corner to four, and is
the same in all of them. ``overlaid`` is the one function that joins tile and overlay: server, SDK and maps ask it. Pure
NumPy and the standard library. ``docs/overlay.md`` has the layout for readers in other languages. The bytes of the
overlay of one region, little-endian:

=========  =========================================================================================
0-2        ``WLO``
3          version of the format, 1
4-7        u32: length of the payload, 33,298
8-         the payload, compressed (zlib)
=========  =========================================================================================

The payload: i32 rx, i32 rz, u32 version of the overlay, u32 zero; then 129 x 129 samples as int16, all low bytes and
then all high bytes.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from worldloom_sdk.protocol.geometry import REGION_LIMIT
from worldloom_sdk.protocol.tiles import (
    F64,
    HEIGHTS_PER_M,
    I16,
    MAX_HEIGHT,
    MIN_HEIGHT,
    SAMPLE_M,
    SAMPLES,
    SURFACE_CELLS,
)

__all__ = [
    "GIVEN_BACK",
    "MAX_OVERLAY_BYTES",
    "MAX_SAMPLE",
    "MAX_SIDE",
    "MAX_VERSION",
    "MIN_SAMPLE",
    "OVERLAY_VERSION",
    "Heights",
    "Overlay",
    "Patch",
    "Region",
    "decode_overlay",
    "encode_overlay",
    "overlaid",
    "patched",
]

Region = tuple[int, int]
Heights = F64 | Sequence[Sequence[float | None]]
"""Rows along x of heights in metres; None: as the tile has it."""

OVERLAY_VERSION = 1
"""Of the format."""
GIVEN_BACK = -32_768
"""As a height: here the tile's own height holds."""
MAX_SIDE = 32
"""Samples along one side of a patch."""
MIN_SAMPLE = -REGION_LIMIT * SURFACE_CELLS
MAX_SAMPLE = (REGION_LIMIT + 1) * SURFACE_CELLS
"""The world's last sample, inclusive."""
MAX_VERSION = 0xFFFF_FFFF

_OUTER = struct.Struct("<3sBI")
_INNER = struct.Struct("<iiII")
_MAGIC = b"WLO"
_NUMBERS = (int, float, np.integer, np.floating)
_SAMPLES_N = SAMPLES * SAMPLES
_PAYLOAD = _INNER.size + 2 * _SAMPLES_N
MAX_OVERLAY_BYTES = 34 * 1024
"""Longest encoded overlay; longer input is refused unread."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """A rectangle of samples that are set, or given back; checked when made, its array read-only.

    Raises:
        ValueError: It is too large, lies outside the world, or a height is out of the bounds of tiles.
    """

    x: int
    """Global sample coordinate of its low corner."""
    z: int
    heights: I16
    """``[depth, width]`` in 1/32 m or ``GIVEN_BACK``, row-major ``[z, x]``; 1 to ``MAX_SIDE`` along each side."""

    def __post_init__(self) -> None:
        heights = self.heights
        if heights.dtype != np.int16 or heights.ndim != 2:
            raise ValueError(
                f"expected heights int16 [depth, width], got {heights.dtype} {list(heights.shape)}"
            )
        if not all(1 <= side <= MAX_SIDE for side in heights.shape):
            depth, width = heights.shape
            raise ValueError(f"expected 1 to {MAX_SIDE} samples a side, got {width} x {depth}")
        last_x, last_z = self.x + self.width - 1, self.z + self.depth - 1
        if min(self.x, self.z) < MIN_SAMPLE or max(last_x, last_z) > MAX_SAMPLE:
            raise ValueError(
                f"expected samples of the world, {MIN_SAMPLE} to {MAX_SAMPLE}, "
                f"got x {self.x} to {last_x}, z {self.z} to {last_z}"
            )
        object.__setattr__(self, "heights", _checked(heights))

    @classmethod
    def of_bytes(cls, x: int, z: int, width: int, depth: int, data: bytes) -> Self:
        """As messages have it: little-endian int16, rows of x.

        Raises:
            ValueError: The data has another length, or it is no patch.
        """
        if len(data) != 2 * width * depth:
            raise ValueError(
                f"expected {width} x {depth} heights, {2 * width * depth} bytes, got {len(data)}"
            )
        return cls(x, z, np.frombuffer(data, "<i2").astype(np.int16).reshape(depth, width))

    @classmethod
    def of_metres(cls, x_m: float, z_m: float, heights_m: Heights) -> Self:
        """As people say it.

        Args:
            x_m: Of the low corner, a multiple of 2 m.
            z_m: Likewise.
            heights_m: ``[depth][width]``; rounded to 1/32 m. None, and no NaN, gives a sample back.

        Raises:
            ValueError: It is no patch; the text names ``x``, ``z`` or ``heights``.
        """
        return cls(_sample("x", x_m), _sample("z", z_m), _units(_rows(heights_m)))

    @property
    def width(self) -> int:
        """Samples along x."""
        return int(self.heights.shape[1])

    @property
    def depth(self) -> int:
        """Samples along z."""
        return int(self.heights.shape[0])

    def to_bytes(self) -> bytes:
        """The heights as messages have them."""
        return self.heights.astype("<i2").tobytes()

    def regions(self) -> list[Region]:
        """Every region that has one of the samples, on its border too; made or not, none beyond the world."""
        return [(rx, rz) for rz in _touched(self.z, self.depth) for rx in _touched(self.x, self.width)]

    def window(self, rx: int, rz: int) -> tuple[slice, slice]:
        """Which of its rows and columns a region has; empty slices if none."""
        return _cut(self.z, self.depth, rz), _cut(self.x, self.width, rx)

    def within(self, rx: int, rz: int) -> "Patch":
        """The part of it that a region has.

        Raises:
            ValueError: The region has none.
        """
        rows, columns = self.window(rx, rz)
        return Patch(self.x + columns.start, self.z + rows.start, self.heights[rows, columns])

    def place(self, rx: int, rz: int) -> tuple[slice, slice]:
        """Rows and columns of a region's ``[129, 129]`` samples that it covers, if it lies within the region."""
        row, column = self.z - rz * SURFACE_CELLS, self.x - rx * SURFACE_CELLS
        return slice(row, row + self.depth), slice(column, column + self.width)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What was changed of one region; checked when made, its array read-only.

    Raises:
        ValueError: An index, shape, type or value is out of bounds.
    """

    rx: int
    rz: int
    version: int
    """Counts the edits of the region; 0: there never was one."""
    samples: I16
    """``[129, 129]`` in 1/32 m or ``GIVEN_BACK``, as heights of a tile lie."""

    def __post_init__(self) -> None:
        if max(abs(self.rx), abs(self.rz)) > REGION_LIMIT:
            raise ValueError(f"expected region indices within +-{REGION_LIMIT}, got {self.rx}, {self.rz}")
        if not 0 <= self.version <= MAX_VERSION:
            raise ValueError(f"expected a version of 0 to {MAX_VERSION}, got {self.version}")
        if self.samples.dtype != np.int16 or self.samples.shape != (SAMPLES, SAMPLES):
            raise ValueError(
                f"expected int16 [{SAMPLES}, {SAMPLES}], got {self.samples.dtype} {list(self.samples.shape)}"
            )
        object.__setattr__(self, "samples", _checked(self.samples))

    @classmethod
    def empty(cls, rx: int, rz: int) -> Self:
        """That of a region where nothing was ever changed."""
        return cls(rx, rz, 0, np.full((SAMPLES, SAMPLES), GIVEN_BACK, np.int16))


def overlaid(heights: I16, overlay: Overlay | None) -> I16:
    """The heights of a region as they are: the tile's, but where the overlay has its own.

    Args:
        heights: ``[129, 129]`` in 1/32 m, as in ``Tile``.
        overlay: The region's; None where nothing was changed.

    Returns:
        int16 ``[129, 129]``, for ``ground_height``; the same object where there is nothing to change.
    """
    if overlay is None or overlay.version == 0:
        return heights
    joined: I16 = np.where(overlay.samples == GIVEN_BACK, heights, overlay.samples)
    return joined


def patched(overlay: Overlay, patch: Patch, version: int) -> Overlay:
    """The overlay of a region after an edit.

    Args:
        overlay: As it was.
        patch: What was edited; only the samples that the region has count.
        version: Of the overlay from then on.

    Raises:
        ValueError: The region has none of the samples.
    """
    part = patch.within(overlay.rx, overlay.rz)
    samples = overlay.samples.copy()
    samples[part.place(overlay.rx, overlay.rz)] = part.heights
    return Overlay(overlay.rx, overlay.rz, version, samples)


def encode_overlay(overlay: Overlay) -> bytes:
    """The bytes of an overlay; decoding them gives an equal one."""
    planes = overlay.samples.astype("<i2").reshape(-1).view(np.uint8).reshape(-1, 2).T.tobytes()
    payload = _INNER.pack(overlay.rx, overlay.rz, overlay.version, 0) + planes
    return _OUTER.pack(_MAGIC, OVERLAY_VERSION, len(payload)) + zlib.compress(payload, 6)


def decode_overlay(data: bytes) -> Overlay:
    """Read an overlay; never inflates more than one.

    Raises:
        ValueError: It is none of this version of the format; the text says expected and got.
    """
    payload = _inflate(data)
    rx, rz, version, zero = _INNER.unpack_from(payload)
    if zero:
        raise ValueError(f"expected zero in the reserved bytes, got {zero}")
    planes = np.frombuffer(payload, np.uint8, 2 * _SAMPLES_N, _INNER.size).reshape(2, _SAMPLES_N)
    samples = (planes[0].astype(np.uint16) | (planes[1].astype(np.uint16) << np.uint16(8))).view(np.int16)
    return Overlay(rx, rz, version, samples.reshape(SAMPLES, SAMPLES))


def _sample(name: str, metres: object) -> int:
    low, high = MIN_SAMPLE * SAMPLE_M, MAX_SAMPLE * SAMPLE_M
    if not (isinstance(metres, _NUMBERS) and low <= metres <= high):
        raise ValueError(f"{name}: expected metres of the world, {low} to {high}, got {metres!r}")
    index = float(metres) / SAMPLE_M
    if not index.is_integer():
        raise ValueError(f"{name}: expected a multiple of {SAMPLE_M} m, got {metres}")
    return int(index)


def _rows(heights_m: object) -> list[list[object]]:
    """A patch's rows, of one length; what is in them is not looked at.

    Raises:
        ValueError: They are none, or too long or too many.
    """
    rows = [_listed(row) for row in _listed(heights_m)]
    widths = sorted({len(row) for row in rows})
    if len(widths) > 1:
        raise ValueError(f"heights: expected rows of one length, got {widths[0]} and {widths[-1]} heights")
    width = widths[0] if widths else 0
    if not (1 <= len(rows) <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise ValueError(
            f"heights: expected 1 to {MAX_SIDE} rows of 1 to {MAX_SIDE} heights, got {len(rows)} of {width}"
        )
    return rows


def _listed(value: object) -> list[object]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise ValueError(f"heights: expected rows of heights like [[3.0, None]], got {value!r:.80}")
    return list(value)


def _units(rows: list[list[object]]) -> I16:
    """Metres as a patch has them.

    Raises:
        ValueError: One is no height, or out of the bounds of tiles.
    """
    low, high = MIN_HEIGHT // HEIGHTS_PER_M, MAX_HEIGHT // HEIGHTS_PER_M

    def units(height: object) -> int:
        if height is None:
            return GIVEN_BACK
        # Neither NaN nor an infinity is within bounds.
        if not (isinstance(height, _NUMBERS) and low <= height <= high):
            raise ValueError(f"heights: expected {low} to {high} m, or None, got {height!r:.80}")
        return round(float(height) * HEIGHTS_PER_M)

    return np.array([[units(height) for height in row] for row in rows], np.int16)


def _touched(first: int, count: int) -> range:
    """Indices of the regions that have one of so many samples from ``first`` on."""
    # A sample on a border is the last one of the region before it, too.
    low, high = (first - 1) // SURFACE_CELLS, (first + count - 1) // SURFACE_CELLS
    return range(max(low, -REGION_LIMIT), min(high, REGION_LIMIT) + 1)


def _cut(first: int, count: int, index: int) -> slice:
    start = max(index * SURFACE_CELLS - first, 0)
    stop = min((index + 1) * SURFACE_CELLS + 1 - first, count)
    return slice(start, max(start, stop))


def _checked(heights: I16) -> I16:
    """A read-only copy, unless it is that already.

    Raises:
        ValueError: A height is out of the bounds of tiles and not given back.
    """
    set_here = heights[heights != GIVEN_BACK]
    if set_here.size and not MIN_HEIGHT <= int(set_here.min()) <= int(set_here.max()) <= MAX_HEIGHT:
        raise ValueError(
            f"expected heights {MIN_HEIGHT} to {MAX_HEIGHT} or {GIVEN_BACK}, "
            f"got {int(set_here.min())} to {int(set_here.max())}"
        )
    if heights.flags.writeable or not heights.flags.c_contiguous:
        heights = heights.copy(order="C")
        heights.flags.writeable = False
    return heights


def _inflate(data: bytes) -> bytes:
    if not _OUTER.size < len(data) <= MAX_OVERLAY_BYTES:
        raise ValueError(
            f"expected an overlay of {_OUTER.size + 1} to {MAX_OVERLAY_BYTES} bytes, got {len(data)}"
        )
    magic, version, size = _OUTER.unpack_from(data)
    if magic != _MAGIC or version != OVERLAY_VERSION:
        raise ValueError(f"expected an overlay of version {OVERLAY_VERSION}, got {magic!r} {version}")
    if size != _PAYLOAD:
        raise ValueError(f"expected a payload of {_PAYLOAD} bytes, got {size}")
    inflater = zlib.decompressobj()
    try:
        # One byte more than promised is asked for: so the end is seen, and a longer stream is noticed.
        payload = inflater.decompress(data[_OUTER.size :], size + 1)
    except zlib.error as error:
        raise ValueError(f"expected a zlib stream, got {error}") from None
    if len(payload) != size or not inflater.eof or inflater.unused_data:
        raise ValueError(f"expected a stream of exactly {size} bytes, got {len(payload)}")
    return payload
