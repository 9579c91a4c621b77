"""Tiles: the land of one region as an immutable value, its bytes, and the height of its ground.

Pure NumPy and the standard library; knows no sockets, no storage and no way of making land. ``docs/tiles.md``
has the layout for readers in other languages. The bytes of a tile, little-endian:

=========  =========================================================================================
0-2        ``WLT``
3          version of the format, 1
4-7        u32: length of the payload
8-         the payload, compressed (zlib; ``DecompressionStream("deflate")`` in a browser)
=========  =========================================================================================

The payload: i32 rx, i32 rz, u16 number of things, u16 bytes of provenance, u32 zero; then the heights
(second differences, zigzag, all low bytes and then all high bytes), the surface classes, the columns of the
things, and the provenance as JSON. All of it has one canonical form, so equal tiles have equal payloads.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M, XZ_PER_M

__all__ = [
    "HEIGHTS_PER_M",
    "MAX_HEIGHT",
    "MAX_THINGS",
    "MAX_TILE_BYTES",
    "MIN_HEIGHT",
    "SAMPLES",
    "SAMPLE_M",
    "SURFACE_CELLS",
    "THING_DTYPE",
    "TILE_VERSION",
    "Surface",
    "ThingKind",
    "Tile",
    "decode_tile",
    "encode_tile",
    "ground_height",
    "no_things",
    "tile_sha256",
]

I16 = npt.NDArray[np.int16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]

TILE_VERSION = 1
SAMPLE_M = 2
"""Metres between two samples of height."""
SAMPLES = REGION_M // SAMPLE_M + 1
"""Samples along one side, both edges included: the last row of a tile is the first row of its neighbour."""
SURFACE_CELLS = REGION_M // SAMPLE_M
"""Surface classes along one side; each covers the quad between four samples."""
HEIGHTS_PER_M = 32
"""Units of height per metre."""
MIN_HEIGHT = -240 * HEIGHTS_PER_M
MAX_HEIGHT = 720 * HEIGHTS_PER_M
MAX_THINGS = 4096
"""Things of one region."""
MAX_PROVENANCE_BYTES = 4096
_MAX_INTEGER = 2**53 - 1
"""Largest integer of a provenance: what every JSON reader keeps exact. Larger numbers are said as text."""

_OUTER = struct.Struct("<3sBI")
_INNER = struct.Struct("<iiHHI")
_MAGIC = b"WLT"
_HEIGHTS_N = SAMPLES * SAMPLES
_SURFACE_N = SURFACE_CELLS * SURFACE_CELLS
_FIXED_BYTES = _INNER.size + 2 * _HEIGHTS_N + _SURFACE_N
_THING_BYTES = 7
_MAX_PAYLOAD = _FIXED_BYTES + _THING_BYTES * MAX_THINGS + MAX_PROVENANCE_BYTES
MAX_TILE_BYTES = 96 * 1024
"""Longest encoded tile; longer input is refused unread."""

_THING_END = REGION_M * XZ_PER_M

THING_DTYPE = np.dtype([("kind", "u1"), ("x", "<u2"), ("z", "<u2"), ("scale", "u1"), ("yaw", "u1")])
"""One placed thing, standing on the ground. x, z: 1/64 m from the region's low corner, below 256 m;
scale: in 1/64 of its usual size; yaw: 1/256 turns."""


class Surface(IntEnum):
    """What the ground is made of. A reader takes a number that it does not know for ``GRASS``."""

    SEABED = 0
    SAND = 1
    PEBBLES = 2
    GRASS = 3
    MEADOW = 4
    HEATH = 5
    FOREST = 6
    ROCK = 7
    SCREE = 8
    SNOW = 9
    MARSH = 10


class ThingKind(IntEnum):
    """What stands there. A reader leaves out a number that it does not know."""

    CONIFER = 1
    BROADLEAF = 2
    BIRCH = 3
    BUSH = 4
    ROCK = 5
    DEADWOOD = 6
    REED = 7
    TUFT = 8
    """Of grass."""
    FLOWERS = 9
    PALM = 10


def no_things() -> npt.NDArray[Any]:
    """An empty array of things."""
    return np.empty(0, THING_DTYPE)


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """The land of one region; checked when made, its arrays read-only. Compare tiles by their encoded bytes.

    Raises:
        ValueError: An index, shape, type or value is out of bounds; the text says expected and got.
    """

    rx: int
    rz: int
    heights: I16
    """``[129, 129]`` in 1/32 m, row-major ``[z, x]``, 2 m apart, ``MIN_HEIGHT`` to ``MAX_HEIGHT``."""
    surface: U8
    """``[128, 128]`` of ``Surface``, row-major ``[z, x]``."""
    things: npt.NDArray[Any] = field(default_factory=no_things)
    """``[n]`` of ``THING_DTYPE``, n <= ``MAX_THINGS``."""
    version: int = TILE_VERSION
    provenance: Mapping[str, str | int] = field(default_factory=dict)
    """How it was made: short text and integers."""

    def __post_init__(self) -> None:
        _check_index(self.rx, self.rz)
        if self.version != TILE_VERSION:
            raise ValueError(f"expected version {TILE_VERSION}, got {self.version}")
        heights = _frozen_array("heights", self.heights, np.dtype(np.int16), (SAMPLES, SAMPLES))
        low, high = int(heights.min()), int(heights.max())
        if low < MIN_HEIGHT or high > MAX_HEIGHT:
            raise ValueError(f"expected heights {MIN_HEIGHT}..{MAX_HEIGHT}, got {low}..{high}")
        surface = _frozen_array("surface", self.surface, np.dtype(np.uint8), (SURFACE_CELLS, SURFACE_CELLS))
        count = len(self.things)
        if count > MAX_THINGS:
            raise ValueError(f"expected at most {MAX_THINGS} things, got {count}")
        things = _frozen_array("things", self.things, THING_DTYPE, (count,))
        if count and max(int(things["x"].max()), int(things["z"].max())) >= _THING_END:
            raise ValueError(f"expected things below {_THING_END} units, got one outside the region")
        _provenance_bytes(self.provenance)
        object.__setattr__(self, "heights", heights)
        object.__setattr__(self, "surface", surface)
        object.__setattr__(self, "things", things)
        object.__setattr__(self, "provenance", dict(self.provenance))


def encode_tile(tile: Tile) -> bytes:
    """The bytes of a tile; decoding them gives an equal tile. Equal tiles give equal bytes with one zlib."""
    provenance = _provenance_bytes(tile.provenance)
    things = tile.things
    payload = b"".join(
        (
            _INNER.pack(tile.rx, tile.rz, len(things), len(provenance), 0),
            _pack_heights(tile.heights),
            tile.surface.tobytes(),
            np.diff(things["x"], prepend=np.uint16(0)).astype("<u2").tobytes(),
            np.diff(things["z"], prepend=np.uint16(0)).astype("<u2").tobytes(),
            things["kind"].tobytes(),
            things["scale"].tobytes(),
            things["yaw"].tobytes(),
            provenance,
        )
    )
    # Runs are all that repeats in land: to look for anything longer takes six times as long and saves nothing.
    deflater = zlib.compressobj(6, strategy=zlib.Z_RLE)
    return b"".join(
        (_OUTER.pack(_MAGIC, TILE_VERSION, len(payload)), deflater.compress(payload), deflater.flush())
    )


def decode_tile(data: bytes) -> Tile:
    """Read a tile; never inflates more than the largest tile.

    Raises:
        ValueError: It is no tile of this version; the text says expected and got.
    """
    payload = _inflate(data)
    rx, rz, count, provenance_size, zero = _INNER.unpack_from(payload)
    expected = _FIXED_BYTES + _THING_BYTES * count + provenance_size
    if len(payload) != expected or zero:
        raise ValueError(f"expected a payload of {expected} bytes, got {len(payload)}")
    surface_at = _INNER.size + 2 * _HEIGHTS_N
    surface = np.frombuffer(payload, np.uint8, _SURFACE_N, surface_at)
    return Tile(
        rx=rx,
        rz=rz,
        heights=_unpack_heights(payload),
        surface=surface.reshape(SURFACE_CELLS, SURFACE_CELLS),
        things=_unpack_things(payload, count),
        provenance=_parse_provenance(payload[len(payload) - provenance_size :]),
    )


def tile_sha256(data: bytes) -> str:
    """The name of an encoded tile: 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def ground_height(heights: I16, x_m: npt.ArrayLike, z_m: npt.ArrayLike) -> F64:
    """Height of the ground between samples: each quad is split along (x, z)-(x+1, z+1), each half is flat.

    Args:
        heights: ``[129, 129]`` in 1/32 m, as in ``Tile``.
        x_m: ``[...]`` metres from the region's low corner, 0 to 256 inclusive.
        z_m: Likewise, of the same shape.

    Returns:
        ``[...]`` metres.

    Raises:
        ValueError: A position is outside the region or no number.
    """
    x, z = np.asarray(x_m, np.float64), np.asarray(z_m, np.float64)
    if not (np.all((x >= 0) & (x <= REGION_M)) and np.all((z >= 0) & (z <= REGION_M))):
        raise ValueError(f"expected positions within 0..{REGION_M} m of the region's corner, got one outside")
    x, z = x / SAMPLE_M, z / SAMPLE_M
    qx = np.minimum(x.astype(np.int64), SURFACE_CELLS - 1)
    qz = np.minimum(z.astype(np.int64), SURFACE_CELLS - 1)
    fx, fz = x - qx, z - qz
    near = heights[qz, qx].astype(np.float64)
    far = heights[qz + 1, qx + 1].astype(np.float64)
    side = np.where(fx >= fz, heights[qz, qx + 1], heights[qz + 1, qx]).astype(np.float64)
    height = near + np.maximum(fx, fz) * (side - near) + np.minimum(fx, fz) * (far - side)
    return np.asarray(height / HEIGHTS_PER_M)


def _check_index(rx: int, rz: int) -> None:
    if not (isinstance(rx, int) and isinstance(rz, int)):
        raise ValueError(f"expected integer region indices, got {rx!r}, {rz!r}")
    if max(abs(rx), abs(rz)) > REGION_LIMIT:
        raise ValueError(f"expected region indices within +-{REGION_LIMIT}, got {rx}, {rz}")


def _frozen_array(name: str, array: object, dtype: np.dtype[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if not isinstance(array, np.ndarray):
        raise ValueError(f"expected {name} as an array, got {type(array).__name__}")
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"expected {name} {dtype} {list(shape)}, got {array.dtype} {list(array.shape)}")
    if array.flags.writeable or not array.flags.c_contiguous:
        array = array.copy(order="C")
        array.flags.writeable = False
    return array


def _provenance_bytes(provenance: Mapping[str, str | int]) -> bytes:
    for key, value in provenance.items():
        if type(key) is not str or type(value) not in (str, int):
            raise ValueError(f"expected provenance of text and integers, got {key!r}: {value!r}")
        if isinstance(value, int) and abs(value) > _MAX_INTEGER:
            raise ValueError(f"expected provenance integers within 53 bits, got {key!r}: {value}")
    text = json.dumps(dict(provenance), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    if len(text) > MAX_PROVENANCE_BYTES:
        raise ValueError(f"expected at most {MAX_PROVENANCE_BYTES} bytes of provenance, got {len(text)}")
    return text.encode("ascii")


def _parse_provenance(data: bytes) -> dict[str, str | int]:
    try:
        provenance = json.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("expected provenance as a flat JSON object, got a deep one") from None
    if not isinstance(provenance, dict):
        raise ValueError(f"expected provenance as a JSON object, got {type(provenance).__name__}")
    return provenance


def _pack_heights(heights: I16) -> bytes:
    wrapped = heights.astype(np.int32)
    second = np.diff(np.diff(wrapped, axis=0, prepend=0), axis=1, prepend=0).astype(np.int16)
    zigzag = ((second << 1) ^ (second >> 15)).astype("<u2").reshape(-1)
    return zigzag.view(np.uint8).reshape(-1, 2).T.tobytes()


def _unpack_heights(payload: bytes) -> I16:
    planes = np.frombuffer(payload, np.uint8, 2 * _HEIGHTS_N, _INNER.size).reshape(2, _HEIGHTS_N)
    zigzag = planes[0].astype(np.uint16) | (planes[1].astype(np.uint16) << np.uint16(8))
    second = (zigzag >> np.uint16(1)) ^ (np.uint16(0) - (zigzag & np.uint16(1)))
    grid = second.reshape(SAMPLES, SAMPLES)
    heights: I16 = grid.cumsum(axis=0, dtype=np.uint16).cumsum(axis=1, dtype=np.uint16).view(np.int16)
    heights.flags.writeable = False
    return heights


def _unpack_things(payload: bytes, count: int) -> npt.NDArray[Any]:
    things = np.empty(count, THING_DTYPE)
    at = _FIXED_BYTES
    for name in ("x", "z"):
        steps = np.frombuffer(payload, "<u2", count, at)
        things[name] = np.cumsum(steps, dtype=np.uint16)
        at += 2 * count
    for name in ("kind", "scale", "yaw"):
        things[name] = np.frombuffer(payload, np.uint8, count, at)
        at += count
    things.flags.writeable = False
    return things


def _inflate(data: bytes) -> bytes:
    if not _OUTER.size < len(data) <= MAX_TILE_BYTES:
        raise ValueError(f"expected a tile of {_OUTER.size + 1} to {MAX_TILE_BYTES} bytes, got {len(data)}")
    magic, version, size = _OUTER.unpack_from(data)
    if magic != _MAGIC or version != TILE_VERSION:
        raise ValueError(f"expected a tile of version {TILE_VERSION}, got {magic!r} {version}")
    if not _FIXED_BYTES <= size <= _MAX_PAYLOAD:
        raise ValueError(f"expected a payload of {_FIXED_BYTES} to {_MAX_PAYLOAD} bytes, got {size}")
    inflater = zlib.decompressobj()
    try:
        # One byte more than promised is asked for: so the end is seen, and a longer stream is noticed.
        payload = inflater.decompress(data[_OUTER.size :], size + 1)
    except zlib.error as error:
        raise ValueError(f"expected a zlib stream, got {error}") from None
    if len(payload) != size or not inflater.eof or inflater.unused_data:
        raise ValueError(f"expected a stream of exactly {size} bytes, got {len(payload)}")
    return payload
