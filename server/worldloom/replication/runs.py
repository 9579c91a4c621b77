"""Runs: the words of a tick, cell by cell, in an order in which every rate is one contiguous piece.

A slot's class at a frame is the number of trailing zeros of ``(slot - frame) mod 16``, at most 4. A viewer at rate
1/2^k gets the slots of class k and above. Each body has pending bits, one per class: all are set by a change, and those
up to the class are cleared when the body's word is sent, so that whoever stops is right for every viewer within 16
frames.

Per cell the words lie as: repeats (pending, not changed now) of class 1 to 4, then fresh words of class 4 to 0. Rate
1/2^k is then the piece from the repeats of class k to the fresh words of class k, and full rate the fresh words alone:
one encoding serves all rates.
"""

import numpy as np

from worldloom.replication.cells import words_of
from worldloom.replication.feed import I64, SECTIONS, U64
from worldloom.world.avatars import AvatarTable

__all__ = ["DROPPED", "END", "RATES", "START", "class_of", "encode_runs", "patch_of", "section_bounds"]

RATES = 5
"""Rates 1, 1/2, 1/4, 1/8, 1/16; rate number k means 1/2^k."""
DROPPED = RATES
"""The rate number that means: nothing is sent."""

START = np.array([4, 0, 1, 2, 3, 0], np.int64)
"""``bounds[..., START[k]]`` is where rate k begins."""
END = np.array([9, 8, 7, 6, 5, 0], np.int64)
"""``bounds[..., END[k]]`` is where rate k ends."""

_CLASS = np.array([4, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0], np.int64)
_UP_TO = np.array([0b1, 0b11, 0b111, 0b1111, 0b11111], np.int64)


def class_of(slot: I64, frame: int) -> I64:
    """The rate class of slots at a frame, 0 to 4."""
    return _CLASS[(slot - frame) & 15]


def encode_runs(t: AvatarTable, frame: int, cell_count: int) -> tuple[I64, I64, U64]:
    """Encode what is pending, and clear the bits of what is sent.

    Args:
        t: The bodies; ``pending`` is changed.
        frame: The frame's number; frames are numbered without gaps.
        cell_count: Upper bound of the ``cell`` column.

    Returns:
        Cell indices ``[C]`` that have words, ``[C, SECTIONS + 1]`` bounds into the words, and ``[W]`` words.
    """
    rows = np.flatnonzero(t.pending)
    pending = t.pending[rows]
    cls = class_of(t.slot[rows], frame)
    fresh = (pending & 1).astype(np.bool_)
    due = fresh | ((cls > 0) & ((pending & _UP_TO[cls]) != 0))
    rows, cls, fresh = rows[due], cls[due], fresh[due]
    # A change is fresh for one tick only, sent or not.
    t.pending[rows] &= ~_UP_TO[cls]
    section = np.where(fresh, 8 - cls, cls - 1)
    key = t.cell[rows] * SECTIONS + section
    order = np.argsort(key, kind="stable")
    cells, bounds = section_bounds(key, cell_count)
    return cells, bounds, words_of(t, rows[order])


def section_bounds(key: I64, places: int) -> tuple[I64, I64]:
    """Where each section begins and ends once words are sorted by ``key = place * SECTIONS + section``.

    Returns:
        The places that occur, ascending ``[C]``, and their ``[C, SECTIONS + 1]`` bounds.
    """
    counts = np.bincount(key, minlength=places * SECTIONS)
    ends = np.cumsum(counts).reshape(-1, SECTIONS)
    found = np.flatnonzero(counts.reshape(-1, SECTIONS).any(axis=1))
    starts = ends[found, :1] - counts.reshape(-1, SECTIONS)[found, :1]
    return found, np.concatenate([starts, ends[found]], axis=1)


def patch_of(words: U64) -> I64:
    """In which of the 16 patches of its cell each word's body is: ``pz * 4 + px``; outside counts to the border's."""
    low = words.astype(np.int64)
    # (Minimum and maximum: np.clip costs several times as much on short arrays.)
    px = np.minimum(np.maximum((((low >> 12) & 0xFFF) - 1024) >> 9, 0), 3)
    pz = np.minimum(np.maximum((((low >> 24) & 0xFFF) - 1024) >> 9, 0), 3)
    return pz * 4 + px
