"""From what sampled clients received to ages and gaps. Pure: runs after the measuring, on records of it.

**Age**: from the sending of a move to the first word by which a viewer learns of it. **Gap**: between two such
words of one avatar at one viewer, while it stays in view. A word that tells a number already known is a repeat, and
no update.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from worldloom.bench.mirror import ClientMirror
from worldloom.bench.stats import Histogram
from worldloom_sdk.protocol.geometry import CELL_SHIFT, PATCH_SHIFT, XZ_PER_M
from worldloom_sdk.protocol.messages import Area, Frame

__all__ = ["NEAR_M", "Findings", "MoveLog", "View", "watch"]

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NEAR_M = 10.0
_AWAY_S = 0.25
"""Who was out of view for longer begins anew: a gap is no pause of somebody who was not there."""
_LAG_S = 0.15
"""How much older than now the server's picture of a viewer may be: two ticks and the way there."""


class MoveLog:
    """Every move that was sent: when, and where it led. Numbers count from 0, all clients in step.

    Attributes:
        sent: ``[moves, clients]`` seconds; infinite where nothing was sent.
        x: ``[moves, clients]`` int32 in 1/64 m.
        z: Likewise.
    """

    def __init__(self, moves: int, clients: int) -> None:
        self.sent = np.full((moves, clients), np.inf)
        self.x = np.zeros((moves, clients), np.int32)
        self.z = np.zeros((moves, clients), np.int32)
        self.count = 0
        """Moves begun: rows from here on are empty."""

    def latest(self, clients: I64, at: float) -> I64:
        """The last move of each of some clients sent by then, ``[n]``; -1 for none."""
        rows = self.sent[: self.count, clients] <= at
        any_sent = rows.any(axis=0)
        return np.where(any_sent, self.count - 1 - np.argmax(rows[::-1], axis=0), -1)


class _Ages:
    """Looks up sending times without a search: the moves around one moment."""

    def __init__(self, log: MoveLog) -> None:
        self._log = log
        self._row = 0

    def sent(self, clients: I64, numbers: I64, at: float) -> F64:
        """When the last move with that number mod 256 was sent, if by ``at``; infinite where there is none."""
        log = self._log
        begun = log.sent[: log.count]
        while self._row + 1 < log.count and np.min(begun[self._row + 1]) <= at:
            self._row += 1
        move = self._row - ((self._row - numbers) & 0xFF)
        sent = np.where(move >= 0, begun[np.maximum(move, 0), clients], np.inf) if log.count else np.inf
        return np.where(sent <= at, sent, np.inf)


@dataclass(frozen=True)
class View:
    """What one sampled client received: its index, and when which message came, in order."""

    client: int
    received: Iterable[tuple[float, Area | Frame]]


@dataclass
class Findings:
    """What was found at all sampled clients within the window."""

    age: Histogram = field(default_factory=Histogram)
    full_rate_age: Histogram = field(default_factory=Histogram)
    near_gap: Histogram = field(default_factory=Histogram)
    view_gap: Histogram = field(default_factory=Histogram)
    updates: int = 0


class _Viewer:
    """One sampled client's memory: by client index the number last told, when, and since when it is away."""

    def __init__(self, clients: int) -> None:
        self.number = np.full(clients, -1, np.int64)
        self.told = np.full(clients, np.nan)
        self.left = np.full(clients, np.inf)


def watch(
    views: Iterable[View], log: MoveLog, index_of: I64, window: tuple[float, float], crowded: bool
) -> Findings:
    """Go through what the sampled clients received.

    Args:
        views: One for each sampled client.
        log: What all clients sent.
        index_of: ``[ids]`` client index by avatar id, -1 for others.
        window: Begin and end in seconds; what comes outside is only remembered.
        crowded: Whether the places of full rate are 3 x 3 patches around the viewer, else 3 x 3 cells.

    Returns:
        Ages, gaps and the number of updates.
    """
    findings = Findings()
    for view in views:
        _watch_one(view, log, index_of, window, PATCH_SHIFT if crowded else CELL_SHIFT, findings)
    return findings


def _watch_one(
    view: View, log: MoveLog, index_of: I64, window: tuple[float, float], shift: int, findings: Findings
) -> None:
    mirror, viewer, ages = ClientMirror(), _Viewer(log.sent.shape[1]), _Ages(log)
    kept: list[tuple[F64, Bools, F64, Bools]] = []
    for at, message in view.received:
        sight = mirror.take(message)
        _part(viewer, index_of, sight.left, at)
        for part in (slice(0, sight.met), slice(sight.met, None)):
            who = _indices(index_of, sight.avatar[part])
            new = (who >= 0) & (who != view.client)
            new[new] = viewer.number[who[new]] != sight.number[part][new]
            who, number = who[new], sight.number[part][new]
            x, z = sight.x[part][new], sight.z[part][new]
            told = _told(viewer, who, number, at)
            if window[0] <= at < window[1] and len(who):
                near, full = _where(log, view.client, at, x, z, shift)
                kept.append((at - ages.sent(who, number, at), full, at - told, near))
    _count(kept, findings)


def _indices(index_of: I64, avatars: I64) -> I64:
    known = avatars < len(index_of)
    return np.where(known, index_of[np.where(known, avatars, 0)], -1)


def _part(viewer: _Viewer, index_of: I64, left: I64, at: float) -> None:
    who = _indices(index_of, left)
    viewer.left[who[who >= 0]] = at


def _told(viewer: _Viewer, who: I64, number: I64, at: float) -> F64:
    """Remember new numbers; return when each avatar was last told of, NaN for who was not in view."""
    before = np.where(at - viewer.left[who] > _AWAY_S, np.nan, viewer.told[who])
    viewer.number[who], viewer.told[who], viewer.left[who] = number, at, np.inf
    return before


def _where(log: MoveLog, client: int, at: float, x: I64, z: I64, shift: int) -> tuple[Bools, Bools]:
    """Which places are near the viewer, and which within the 3 x 3 around it, by its own moves."""
    now, before = log.latest(np.array([client]), at)[0], log.latest(np.array([client]), at - _LAG_S)[0]
    px, pz = int(log.x[now, client]), int(log.z[now, client])
    full = (abs((x >> shift) - (px >> shift)) <= 1) & (abs((z >> shift) - (pz >> shift)) <= 1)
    qx, qz = int(log.x[before, client]), int(log.z[before, client])
    full &= (abs((x >> shift) - (qx >> shift)) <= 1) & (abs((z >> shift) - (qz >> shift)) <= 1)
    near = (x - px) ** 2 + (z - pz) ** 2 <= (NEAR_M * XZ_PER_M) ** 2
    return near, full


def _count(kept: list[tuple[F64, Bools, F64, Bools]], findings: Findings) -> None:
    if not kept:
        return
    age, full, gap, near = (np.concatenate(column) for column in zip(*kept, strict=True))
    findings.updates += len(age)
    dated, continued = np.isfinite(age), np.isfinite(gap)
    findings.age.add(age[dated] * 1000)
    findings.full_rate_age.add(age[dated & full] * 1000)
    findings.view_gap.add(gap[continued] * 1000)
    findings.near_gap.add(gap[continued & near] * 1000)
