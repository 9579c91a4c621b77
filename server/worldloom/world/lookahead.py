"""Look-ahead: which unmade regions somebody will come to, and how soon. Pure NumPy; knows no queue and no clock.

Two kinds of region matter: those that lie on a body's way if it goes on as in the last second, and those around it, for
it may turn. Bodies in the middle of made land cost a few array operations together, a body that stands no more.
"""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from worldloom.world.avatars import I64, AvatarTable
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_SHIFT, TICK_MS, XZ_PER_M

__all__ = ["Arrival", "Lookahead"]

F64 = npt.NDArray[np.float64]

_REGION = 1 << REGION_SHIFT
_CROSSINGS = 4
"""Borders of each axis that a way is followed across."""
_PACE = 4.0 * XZ_PER_M
"""Units a second that a body is reckoned with where it is not heading; more if it is faster."""
_STILL = 0.5 * XZ_PER_M
"""Slower than this, a body stands."""
_TURN_S = 8.0
"""So much later than they could, bodies on the move are expected where they are not heading."""
_MIDDLE = REGION_LIMIT + 1
_NEAR = np.array([-1, 0, 1])


class Land(Protocol):
    """What is asked of the land."""

    def __contains__(self, region: tuple[int, int], /) -> bool:
        """Whether the region is made."""


class Arrival(NamedTuple):
    """Somebody will be in a region that is not made."""

    rx: int
    rz: int
    seconds: float
    avatar: int
    """Who is first."""


class Lookahead:
    """Remembers where bodies were, so that it knows where they are heading.

    Args:
        ahead_s: Seconds that a way is followed.
        limit: Regions told of at once; the soonest.
    """

    def __init__(self, ahead_s: float = 45.0, limit: int = 512) -> None:
        self._ahead_s, self._limit = ahead_s, limit
        self._tick = 0
        self._id, self._x, self._z = (np.zeros(0, np.int64) for _ in range(3))
        self._vx, self._vz = np.zeros(0), np.zeros(0)

    def look(self, bodies: AvatarTable, tick: int) -> None:
        """See how far everybody came since the last look. Who was not here then is taken to stand."""
        seconds = max(tick - self._tick, 1) * TICK_MS / 1000
        same = np.zeros(len(bodies.id), np.bool_)
        same[: len(self._id)] = self._id == bodies.id[: len(self._id)]
        same &= bodies.id > 0
        self._vx, self._vz = np.zeros(len(same)), np.zeros(len(same))
        stayed = np.flatnonzero(same)
        self._vx[stayed] = (bodies.x[stayed] - self._x[stayed]) / seconds
        self._vz[stayed] = (bodies.z[stayed] - self._z[stayed]) / seconds
        self._id, self._x, self._z = bodies.id.copy(), bodies.x.copy(), bodies.z.copy()
        self._tick = tick

    def arrivals(self, bodies: AvatarTable, rows: I64, land: Land) -> list[Arrival]:
        """The unmade regions that these bodies need, each once, the soonest first.

        Args:
            bodies: Everybody.
            rows: Whose ways count, ``[n]``.
            land: The regions that are made.
        """
        x, z = bodies.x[rows], bodies.z[rows]
        vx, vz = self._velocity(bodies, rows)
        near = _beside_the_unmade(x >> REGION_SHIFT, z >> REGION_SHIFT, land)
        moves = np.flatnonzero(np.hypot(vx, vz) > _STILL)
        parts = [_around(x[near], z[near], np.hypot(vx[near], vz[near]), rows[near])]
        parts += _on_the_way(x[moves], z[moves], vx[moves], vz[moves], rows[moves], self._ahead_s)
        keys, seconds, who = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort((seconds, keys))
        keys, seconds, who = keys[order], seconds[order], who[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        first = first[np.argsort(seconds[first], kind="stable")]
        found = _unmade(keys[first], seconds[first], bodies.id[who[first]], land)
        return found[: self._limit]

    def _velocity(self, bodies: AvatarTable, rows: I64) -> tuple[F64, F64]:
        """Units a second, 0 for who came since the last look."""
        vx, vz = np.zeros(len(rows)), np.zeros(len(rows))
        old = np.flatnonzero(rows < len(self._id))
        old = old[self._id[rows[old]] == bodies.id[rows[old]]]
        vx[old], vz[old] = self._vx[rows[old]], self._vz[rows[old]]
        return vx, vz


_Part = tuple[I64, F64, I64]
"""Keys of regions, seconds, rows: ``[k]`` each."""


def _key(rx: I64, rz: I64) -> I64:
    return ((rx + _MIDDLE) << 20) | (rz + _MIDDLE)


def _unmade(keys: I64, seconds: F64, avatar: I64, land: Land) -> list[Arrival]:
    rx, rz = (keys >> 20) - _MIDDLE, (keys & 0xFFFFF) - _MIDDLE
    in_world = np.maximum(np.abs(rx), np.abs(rz)) <= REGION_LIMIT
    columns = (column[in_world].tolist() for column in (rx, rz, seconds, avatar))
    return [Arrival(*one) for one in zip(*columns, strict=True) if one[:2] not in land]


def _beside_the_unmade(rx: I64, rz: I64, land: Land) -> I64:
    """Indices of the bodies around whose region, or in it, something is not made."""
    keys, which = np.unique(_key(rx, rz), return_inverse=True)
    regions = zip(((keys >> 20) - _MIDDLE).tolist(), ((keys & 0xFFFFF) - _MIDDLE).tolist(), strict=True)
    lacking = [
        any((rx + dx, rz + dz) not in land for dx in (-1, 0, 1) for dz in (-1, 0, 1)) for rx, rz in regions
    ]
    return np.flatnonzero(np.array(lacking, np.bool_)[which])


def _around(x: I64, z: I64, speed: F64, rows: I64) -> _Part:
    """The 3 x 3 regions around bodies, with the time in which they could be there if they turned."""
    away_x, away_z = (
        np.stack([at & (_REGION - 1), 0 * at, _REGION - (at & (_REGION - 1))], 1) for at in (x, z)
    )
    away = np.hypot(away_x[:, :, None], away_z[:, None, :])
    seconds = away / np.maximum(speed, _PACE)[:, None, None]
    seconds += _TURN_S * ((away > 0) & (speed > _STILL)[:, None, None])
    rx, rz = (x >> REGION_SHIFT)[:, None, None] + _NEAR[:, None], (z >> REGION_SHIFT)[:, None, None] + _NEAR
    keys = _key(*np.broadcast_arrays(rx, rz))
    return keys.reshape(-1), seconds.reshape(-1), np.repeat(rows, 9)


def _on_the_way(x: I64, z: I64, vx: F64, vz: F64, rows: I64, ahead_s: float) -> list[_Part]:
    """The regions that bodies come into if they go straight on, and when."""
    parts = []
    for along, across, speed, drift, swap in ((x, z, vx, vz, False), (z, x, vz, vx, True)):
        inside = along & (_REGION - 1)
        first = np.where(speed > 0, _REGION - inside, inside)
        at = np.flatnonzero(first < np.abs(speed) * ahead_s)
        steps, pace, course = np.arange(_CROSSINGS), np.abs(speed[at]), np.sign(speed[at]).astype(np.int64)
        seconds = (first[at, None] + steps * _REGION) / pace[:, None]
        one = (along[at] >> REGION_SHIFT)[:, None] + course[:, None] * (steps + 1)
        other = np.floor((across[at, None] + drift[at, None] * seconds) / _REGION)
        soon = (seconds <= ahead_s) & (np.abs(one) <= REGION_LIMIT) & (np.abs(other) <= REGION_LIMIT)
        one, other = one[soon], other[soon].astype(np.int64)
        keys = _key(other, one) if swap else _key(one, other)
        parts.append((keys, seconds[soon], np.broadcast_to(rows[at, None], soon.shape)[soon]))
    return parts
