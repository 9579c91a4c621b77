"""Cutting entries out of ready-made frame bodies, for viewers that must not be sent them: all of a tick in one pass."""

import numpy as np

from worldloom.replication.feed import I64, U64
from worldloom.replication.frames import ranges

__all__ = ["cut", "find"]

_COUNT_SHIFT = np.uint64(40)
_ONE = np.uint64(1) << _COUNT_SHIFT
_KIND = np.uint64(0xFF)
_PAIRED = np.uint64(2)
"""The kind whose entries are two words: enter."""


def find(places: I64, ends: I64, suspects: I64, body: I64, place: I64) -> tuple[I64, I64]:
    """Where some bodies tell of some places.

    Args:
        places: ``[T]`` the place that each word of all bodies tells of.
        ends: ``[G + 1]`` where each body begins and ends.
        suspects: ``[n]`` positions, ascending, of every word that anybody must not be sent.
        body: ``[Q]`` in which body to look.
        place: ``[Q]`` for which place.

    Returns:
        For each finding the number of the question, and the position; both ``[H]``.
    """
    span = int(places.max(initial=0)) + 1
    keys = (np.searchsorted(ends, suspects, side="right") - 1) * span + places[suspects]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    wanted = body * span + np.minimum(place, span)
    low = np.searchsorted(keys, wanted, side="left")
    many = np.where(place < span, np.searchsorted(keys, wanted, side="right") - low, 0)
    question = np.repeat(np.arange(len(body)), many)
    return question, suspects[order[ranges(low, many)]]


def cut(words: U64, ends: I64, headers: I64, body: I64, copy: I64, position: I64) -> tuple[U64, I64]:
    """Copies of bodies, without some of their words.

    Args:
        words: All bodies ``[T]``; ``ends`` ``[G + 1]`` where each begins and ends.
        ends: See ``words``.
        headers: Positions of the headers, ascending.
        body: ``[S]`` of which body each copy is one.
        copy: ``[H]`` from which copy to take a word out.
        position: ``[H]`` which one, as a position in ``words``; both words of a paired entry.

    Returns:
        The copies one after another, counts corrected and blocks without entries left out, and their ``[S + 1]`` ends.
    """
    start, length = ends[body], ends[body + 1] - ends[body]
    out = words[ranges(start, length)]
    shift = np.cumsum(length) - length - start
    header = headers[np.searchsorted(headers, position, side="right") - 1]
    # The second word of a pair goes with the first: it is not counted.
    counted = ((words[header] & _KIND) != _PAIRED) | ((position - header) & 1 == 1)
    header_at = header + shift[copy]
    np.subtract.at(out, header_at[counted], _ONE)
    keep = np.ones(len(out), np.bool_)
    keep[position + shift[copy]] = False
    keep[header_at[out[header_at] >> _COUNT_SHIFT == 0]] = False
    kept = np.concatenate([[0], np.cumsum(keep)])
    return out[keep], kept[np.concatenate([[0], np.cumsum(length)])]
