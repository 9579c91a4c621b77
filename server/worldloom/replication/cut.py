"""Cutting entries out of a ready-made frame body, for a viewer that must not be sent them."""

import numpy as np

from worldloom.replication.feed import I64, U64

__all__ = ["cut"]

_COUNT_SHIFT = np.uint64(40)
_KIND = np.uint64(0xFF)
_PAIRED = np.uint64(2)
"""The kind whose entries are two words: enter."""


def cut(words: U64, headers: I64, positions: I64) -> bytes:
    """A frame body without some of its words.

    Args:
        words: The body ``[n]``.
        headers: Positions of its headers, ascending.
        positions: Positions of the words to take out, ascending; both words of a paired entry.

    Returns:
        The bytes of the smaller body: counts corrected, blocks without entries left out.
    """
    block = np.searchsorted(headers, positions, side="right") - 1
    gone = np.bincount(block, minlength=len(headers)).astype(np.uint64)
    kept = words.copy()
    paired = (words[headers] & _KIND) == _PAIRED
    gone = np.where(paired, gone // np.uint64(2), gone)
    kept[headers] -= gone << _COUNT_SHIFT
    empty = headers[(kept[headers] >> _COUNT_SHIFT) == 0]
    return np.delete(kept, np.concatenate([positions, empty])).astype("<u8").tobytes()
