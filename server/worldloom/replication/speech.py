"""Who hears a spoken line: exactly those within its reach who see its layer. Lines ride in the frames."""

import numpy as np

from worldloom.replication.feed import SpokenLine
from worldloom.replication.seats import Seats
from worldloom.replication.views import Seat, Told
from worldloom_sdk.protocol.geometry import REGION_SHIFT

__all__ = ["LINES_A_TICK", "hearing"]

LINES_A_TICK = 20
"""At most so many lines reach a viewer in one tick; the nearest."""
EARS_PER_TICK = 410
"""Bytes of speech a viewer gets a tick: 8 kB a second."""
EARS_BURST = 16_384
LINE_BYTES = 12
"""What a line takes beside its text and the name."""


def hearing(lines: tuple[SpokenLine, ...], seats: Seats, tick: int) -> dict[Seat, tuple[SpokenLine, ...]]:
    """The lines that each viewer hears, nearest first; viewers that hear none are left out.

    Speech has a budget of its own, so that many who shout cannot take a viewer's whole line: what is farthest of a
    tick's lines is left out.
    """
    if not lines:
        return {}
    listeners, x, z = seats.positions()
    if not listeners:
        return {}
    lx = np.array([line.x for line in lines])[:, None]
    lz = np.array([line.z for line in lines])[:, None]
    reach = np.array([line.reach for line in lines])[:, None]
    away = np.hypot((x - lx).astype(np.float64), (z - lz).astype(np.float64))
    same_region = (x >> REGION_SHIFT == lx >> REGION_SHIFT) & (z >> REGION_SHIFT == lz >> REGION_SHIFT)
    heard = np.where(reach < 0, same_region, away <= reach)
    sizes = [len(line.text.encode()) + len(line.name.encode()) + LINE_BYTES for line in lines]
    # Who hears the same shares one object, kept for half a minute: the garbage collector looks at every one of them.
    told: dict[tuple[int, ...], Told] = {}
    result = {}
    for i in np.flatnonzero(heard.any(axis=0)).tolist():
        seat = listeners[i]
        near = [n for n in np.argsort(away[:, i], kind="stable").tolist() if heard[n, i]]
        mine = _within_budget(seat, [n for n in near if _may_hear(seat, lines[n])], sizes, tick)
        if mine:
            if mine not in told:
                told[mine] = (tick, tuple(lines[n] for n in mine))
            seat.hear(told[mine])
            result[seat] = told[mine][1]
    return result


def _may_hear(seat: Seat, line: SpokenLine) -> bool:
    """One always hears oneself; others, if one sees them."""
    if line.avatar == seat.avatar:
        return True
    return line.layer in seat.layers and line.avatar not in seat.blocked and line.avatar not in seat.deaf


def _within_budget(seat: Seat, near: list[int], sizes: list[int], tick: int) -> tuple[int, ...]:
    """Those of some lines, by number, that a viewer has ears for."""
    seat.ears = min(EARS_BURST, seat.ears + (tick - seat.ears_at) * EARS_PER_TICK)
    seat.ears_at = tick
    heard: list[int] = []
    for n in near[:LINES_A_TICK]:
        if sizes[n] > seat.ears:
            break
        seat.ears -= sizes[n]
        heard.append(n)
    return tuple(heard)
