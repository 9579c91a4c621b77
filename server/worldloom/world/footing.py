"""Footing: what becomes of bodies when the ground under them is another. Pure: knows no edits and no sockets."""

import numpy as np

from worldloom.world.avatars import I64, AvatarTable
from worldloom.world.step import ABOVE_GROUND, CEILING, ON_GROUND, PENDING_ALL

__all__ = ["keep_footing"]


def keep_footing(state: AvatarTable, row: I64, before: I64, after: I64) -> I64:
    """Set bodies where they may be on changed ground, in place.

    Who stood on the ground, or swam, does so still. Who would be in the ground, or too high over it, is set where one
    may just be. Nobody is left where even standing still would be refused; it costs nobody anything of their limits.

    Args:
        state: The bodies.
        row: ``[n]`` rows of some of them.
        before: ``[n]`` ground under each as it was, 1/16 m.
        after: ``[n]`` as it is now.

    Returns:
        The rows whose height changed.
    """
    y, sea = state.y[row], np.maximum(before, 0)
    surface = np.maximum(after, 0)
    between = np.clip(y, after, np.minimum(surface + ABOVE_GROUND, CEILING))
    settled = np.where(np.abs(y - before) <= ON_GROUND, after, between)
    settled = np.where(np.abs(y - sea) <= ON_GROUND, surface, settled)
    moved = (before != after) & (settled != y)
    changed = row[moved]
    state.y[changed] = settled[moved]
    state.pending[changed] = PENDING_ALL
    return changed
