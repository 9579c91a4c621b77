"""Words and frame bodies: how avatars travel. Pure NumPy; knows no messages and no sockets.

A **word** is one little-endian 64-bit integer for one avatar, read relative to the south-west corner of its cell:

===========  =====================================================================
bits 0-11    slot within the (cell, layer)
bits 12-23   x in 1/64 m, counted from 16 m outside the cell's low corner
bits 24-35   z, likewise
bits 36-49   y in 1/16 m, counted from -256 m
bits 50-57   yaw in 1/256 turns
bits 58-63   gesture (0-15 fixed, 16-63 emotes)
===========  =====================================================================

A **frame body** is a sequence of 64-bit words: blocks, each a header and its entries. A header says the kind, the cell
as an offset from the viewer's cell, the layer and the number of entries:

===========  =====================================================================
bits 0-7     kind: 1 leave, 2 enter, 3 words, 4 snapshot
bits 8-15    dx of the cell, signed
bits 16-23   dz of the cell, signed
bits 24-39   layer
bits 40-55   number of entries
bits 56-63   zero
===========  =====================================================================

* *leave* entry, one word: slot in bits 0-11, direction in bits 12-15 (0: gone; 1-9: ``(dx + 1) * 3 + (dz + 1) + 1``
  of the neighbouring cell that it went to; 5 is another layer of the same cell).
* *enter* entry, two words: slot in bits 0-11 and avatar id in bits 12-43; then its word.
* *words* entry: one word, of a slot that is known. A word for an unknown slot is to be ignored.
* *snapshot* entries: as enter; together they replace all that is known of that (cell, layer).
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import CELL_SHIFT, XZ_PER_M, Y_PER_M

__all__ = [
    "MAX_SLOTS",
    "WORD_Y_OFFSET",
    "XZ_MARGIN",
    "Block",
    "BlockKind",
    "BodyError",
    "Gesture",
    "block_header",
    "blocks",
    "enter_key",
    "pack_words",
    "unpack_words",
]

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

MAX_SLOTS = 4096
"""Slots of one (cell, layer)."""
XZ_MARGIN = 16 * XZ_PER_M
"""How far outside its cell a word can place an avatar."""
WORD_Y_OFFSET = 256 * Y_PER_M
"""y is counted from -256 m."""


class Gesture(IntEnum):
    """What a body does. 0-15 are fixed by the protocol, 16-63 are emotes of the world's own."""

    STAND = 0
    WALK = 1
    RUN = 2
    AIR = 3
    SWIM = 4
    SIT = 5
    FLY = 6


class BlockKind(IntEnum):
    """Kind of a block in a frame body."""

    LEAVE = 1
    ENTER = 2
    WORDS = 3
    SNAPSHOT = 4


class BodyError(ValueError):
    """A frame body that does not follow the rules above."""


class Block(NamedTuple):
    """One block of a frame body; ``entries`` is a view, one row per entry for enter and snapshot: ``[count, 2]``."""

    kind: BlockKind
    dx: int
    dz: int
    layer: int
    entries: U64


def pack_words(slot: I64, x: I64, z: I64, y: I64, yaw: I64, gesture: I64, cx: I64, cz: I64) -> U64:
    """Pack avatars into words.

    Args:
        slot: ``[n]`` slots.
        x: ``[n]`` in 1/64 m of the world; at most ``XZ_MARGIN`` outside the cell.
        z: As x.
        y: ``[n]`` in 1/16 m.
        yaw: ``[n]`` in 1/256 turns.
        gesture: ``[n]``.
        cx: ``[n]`` cell indices.
        cz: ``[n]`` cell indices.

    Returns:
        ``[n]`` uint64.
    """
    lx = x - (cx << CELL_SHIFT) + XZ_MARGIN
    lz = z - (cz << CELL_SHIFT) + XZ_MARGIN
    ly = np.clip(y + WORD_Y_OFFSET, 0, 0x3FFF)
    word = slot | ((lx & 0xFFF) << 12) | ((lz & 0xFFF) << 24) | (ly << 36) | ((yaw & 0xFF) << 50)
    return word.astype(np.uint64) | (gesture.astype(np.uint64) << np.uint64(58))


def unpack_words(words: U64, cx: I64 | int, cz: I64 | int) -> tuple[I64, I64, I64, I64, I64, I64]:
    """The reverse of :func:`pack_words`: ``(slot, x, z, y, yaw, gesture)``, each ``[n]`` int64, in world units."""
    low = (words & np.uint64(0x03FF_FFFF_FFFF_FFFF)).astype(np.int64)
    slot = low & 0xFFF
    x = ((low >> 12) & 0xFFF) - XZ_MARGIN + (np.asarray(cx, np.int64) << CELL_SHIFT)
    z = ((low >> 24) & 0xFFF) - XZ_MARGIN + (np.asarray(cz, np.int64) << CELL_SHIFT)
    y = ((low >> 36) & 0x3FFF) - WORD_Y_OFFSET
    yaw = (low >> 50) & 0xFF
    return slot, x, z, y, yaw, (words >> np.uint64(58)).astype(np.int64)


def block_header(kind: int, dx: int, dz: int, layer: int, count: int) -> int:
    """The header of a block, as an integer of 64 bits."""
    return kind | (dx & 0xFF) << 8 | (dz & 0xFF) << 16 | layer << 24 | count << 40


def enter_key(slot: int, avatar: int) -> int:
    """The first word of an enter or snapshot entry."""
    return slot | avatar << 12


def blocks(body: bytes | memoryview) -> Iterator[Block]:
    """Walk the blocks of a frame body.

    Raises:
        BodyError: The body is cut short, or a header is of no known kind.
    """
    if len(body) % 8:
        raise BodyError(f"expected a multiple of 8 bytes, got {len(body)}")
    words = np.frombuffer(body, "<u8")
    at = 0
    while at < len(words):
        header = int(words[at])
        count = header >> 40 & 0xFFFF
        try:
            kind = BlockKind(header & 0xFF)
        except ValueError:
            raise BodyError(f"expected a block kind of 1 to 4, got {header & 0xFF}") from None
        if header >> 56:
            raise BodyError("expected bits 56-63 of a header to be zero")
        paired = kind in (BlockKind.ENTER, BlockKind.SNAPSHOT)
        end = at + 1 + count * (2 if paired else 1)
        if end > len(words):
            raise BodyError(f"expected {end - at - 1} words of entries, got {len(words) - at - 1}")
        entries = words[at + 1 : end]
        dx, dz = header >> 8 & 0xFF, header >> 16 & 0xFF
        yield Block(
            kind,
            dx - 256 if dx > 127 else dx,
            dz - 256 if dz > 127 else dz,
            header >> 24 & 0xFFFF,
            entries.reshape(-1, 2) if paired else entries,
        )
        at = end
