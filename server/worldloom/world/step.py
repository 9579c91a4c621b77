"""One step of motion: which moves are granted, which are corrected. Pure: no clock, no sockets, no randomness.

Of several moves of one body in a tick the last wins. A move is granted when the body could have got there: horizontal
and vertical speed are held by buckets that never hold more than a second's worth, so that a late packet costs nobody
anything and nobody saves up for a leap.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from worldloom.world.avatars import I64, AvatarTable
from worldloom.world.enter import EnterTable
from worldloom_sdk.protocol.geometry import GROUND_Y, REGION_LIMIT, REGION_SHIFT, TICK_MS, Y_PER_M
from worldloom_sdk.protocol.messages import CorrectionReason
from worldloom_sdk.protocol.words import WORD_Y_OFFSET

__all__ = [
    "ABOVE_GROUND",
    "CEILING",
    "ON_GROUND",
    "PENDING_ALL",
    "TICKS_PER_S",
    "Corrections",
    "Ground",
    "Moves",
    "Stepped",
    "Tables",
    "step",
]

TICKS_PER_S = 1000 // TICK_MS
BELOW_GROUND = Y_PER_M // 4
"""How far below the ground a body may be said to be: 0.25 m, for rounding on slopes."""
ABOVE_GROUND = 64 * Y_PER_M
"""How high over ground or sea a body may be: 64 m."""
CEILING = 0x3FFF - WORD_Y_OFFSET
"""No body is higher than a word can say: 767.9 m."""
ON_GROUND = Y_PER_M // 2
"""A body this near to the ground, or to the sea's surface, follows it: no limit on climbing."""
PENDING_ALL = 0b11111

Bool = npt.NDArray[np.bool_]


class Ground(Protocol):
    """What the step asks of the land."""

    def ground(self, x: I64, z: I64) -> tuple[I64, Bool]:
        """Ground height in 1/16 m at positions in 1/64 m, and where it is known; all ``[n]``."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The data that a step reads: land, and the limits of this world."""

    ground: Ground
    speed: int
    """Horizontal limit, 1/64 m a second."""
    climb: int
    """Vertical limit, 1/16 m a second."""
    enter: EnterTable = field(default_factory=EnterTable)
    """Who may be where."""


class Moves(NamedTuple):
    """Moves of one tick in order of arrival; every array ``[n]`` int64. ``row`` is -1 for a body that is not here."""

    row: I64
    seq: I64
    x: I64
    z: I64
    y: I64
    yaw: I64
    gesture: I64


class Corrections(NamedTuple):
    """Refused moves; every array ``[n]``. Where the body is can be read from the table."""

    row: I64
    seq: I64
    reason: I64


class Stepped(NamedTuple):
    """What a step did: rows whose words changed, refused moves, and where those that moved were before (``[n, 3]``)."""

    changed: I64
    corrections: Corrections
    before: I64


def step(state: AvatarTable, moves: Moves, tables: Tables, tick: int, now_ms: int = 0) -> Stepped:
    """Apply the moves of one tick to the bodies, in place.

    Args:
        state: The bodies.
        moves: What was asked for.
        tables: Land and limits.
        tick: The number of this tick; budgets grow with it.
        now_ms: Unix time, for rights that end.

    Returns:
        Rows changed (ascending), with their x, z, y before; and the refusals.
    """
    moves = _last_of_each(state, moves)
    row = moves.row
    _refill(state, row, tables, tick)
    ground, woven = tables.ground.ground(moves.x, moves.z)
    surface = np.maximum(ground, 0)
    y = np.where(moves.y == GROUND_Y, surface, moves.y)
    away = np.hypot((moves.x - state.x[row]).astype(np.float64), (moves.z - state.z[row]).astype(np.float64))
    # Beyond 2**40 nothing can be granted; the bound keeps the float exact and the cast defined.
    far = np.ceil(np.minimum(away, 2.0**40) * TICKS_PER_S).astype(np.int64)
    high = np.abs(y - state.y[row]) * TICKS_PER_S
    follows = (np.abs(y - ground) <= ON_GROUND) | (np.abs(y - surface) <= ON_GROUND)
    high = np.where(follows, 0, high)

    reason = np.zeros(len(row), np.int64)
    off = (y < ground - BELOW_GROUND) | (y > np.minimum(surface + ABOVE_GROUND, CEILING))
    reason[off] = CorrectionReason.GROUND
    reason[high > state.lift[row]] = CorrectionReason.CLIMB
    reason[~woven] = CorrectionReason.UNWOVEN
    reason[far > state.reach[row]] = CorrectionReason.SPEED
    reason[_beyond_the_edge(moves.x) | _beyond_the_edge(moves.z)] = CorrectionReason.EDGE
    state.seq[row] = moves.seq
    # Last, and of what could be granted alone: such a way is bounded.
    could = np.flatnonzero(reason == 0)
    barred = tables.enter.barred(state, row[could], moves.x[could], moves.z[could], now_ms)
    reason[could[barred]] = CorrectionReason.PRIVATE

    ok = reason == 0
    refused = Corrections(row[~ok], moves.seq[~ok], reason[~ok])
    return _grant(state, row[ok], moves, ok, y[ok], far[ok], high[ok], refused)


def _last_of_each(state: AvatarTable, moves: Moves) -> Moves:
    """The last move of each body, rows ascending; replays and moves of absent bodies are dropped."""
    last = np.full(len(state.id), -1, np.int64)
    here = np.flatnonzero(moves.row >= 0)
    fresh = here[moves.seq[here] > state.seq[moves.row[here]]]
    last[moves.row[fresh]] = fresh
    keep = last[last >= 0]
    return Moves(*(column[keep] for column in moves))


def _refill(state: AvatarTable, row: I64, tables: Tables, tick: int) -> None:
    passed = np.minimum(tick - state.budget_tick[row], TICKS_PER_S)
    state.reach[row] = np.minimum(state.reach[row] + passed * tables.speed, tables.speed * TICKS_PER_S)
    state.lift[row] = np.minimum(state.lift[row] + passed * tables.climb, tables.climb * TICKS_PER_S)
    state.budget_tick[row] = tick


def _beyond_the_edge(position: I64) -> Bool:
    return np.abs(position >> REGION_SHIFT) > REGION_LIMIT


def _grant(
    state: AvatarTable, row: I64, moves: Moves, ok: Bool, y: I64, far: I64, high: I64, refused: Corrections
) -> Stepped:
    x, z, yaw, gesture = moves.x[ok], moves.z[ok], moves.yaw[ok], moves.gesture[ok]
    before = np.stack([state.x[row], state.z[row], state.y[row]], axis=1)
    moved = (x != before[:, 0]) | (z != before[:, 1]) | (y != before[:, 2])
    moved |= (yaw != state.yaw[row]) | (gesture != state.gesture[row])
    state.reach[row] -= far
    state.lift[row] -= high
    state.x[row], state.z[row], state.y[row] = x, z, y
    state.yaw[row], state.gesture[row] = yaw, gesture
    state.pending[row[moved]] = PENDING_ALL
    return Stepped(row[moved], refused, before[moved])
