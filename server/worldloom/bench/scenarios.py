"""Scenarios: where the clients of a run stand and how they walk. Pure NumPy; knows no wire and no clock."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import CELL_M, CELL_UNITS, XZ_PER_M

__all__ = ["AWAY_M", "WALK_M_PER_S", "Area", "Scenario", "Walkers", "area_of", "far_places"]

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

WALK_M_PER_S = 1.4
CONCERT_SIDE_M = 64.0
PER_CELL = {"plain": 8, "festival": 120}
STEP_M = 0.35
"""How far to each side of the border a border stepper steps."""
_TURN = 0.12
"""Standard deviation of the turn at each move, in radians; one in fifty is a sharp one."""
_ORIGIN_M = 96.0
"""Low corner of the concert's square: on a cell's corner, far from any region's border."""
AWAY_M = 16_384
"""Who is so far to the high side is out of everybody's sight."""
_FAR_M = 1024
"""Four regions, so that nobody there shares a region around them with another."""


class Scenario(StrEnum):
    """How close together the clients are."""

    CONCERT = "concert"
    """All in one square of 64 m."""
    PLAIN = "plain"
    """8 to a cell."""
    FESTIVAL = "festival"
    """120 to a cell."""

    @property
    def crowded(self) -> bool:
        """Whether full rate is a matter of patches (8 m), not of cells."""
        return self is not Scenario.PLAIN


@dataclass(frozen=True)
class Area:
    """A square in which clients walk."""

    low: int
    """Its low corner, x and z, in 1/64 m."""
    side: int
    """In 1/64 m."""

    @property
    def high(self) -> int:
        """One beyond its high corner."""
        return self.low + self.side

    @property
    def middle_border(self) -> int:
        """The cell border nearest to the middle of the square."""
        return round((self.low + self.side / 2) / CELL_UNITS) * CELL_UNITS


def area_of(scenario: Scenario, clients: int) -> Area:
    """The square that gives the scenario its density, at least 2 cells wide."""
    side_m = CONCERT_SIDE_M
    if scenario is not Scenario.CONCERT:
        side_m = max(CONCERT_SIDE_M, math.sqrt(clients / PER_CELL[scenario]) * CELL_M)
    return Area(round(_ORIGIN_M * XZ_PER_M), round(side_m * XZ_PER_M))


def far_places(count: int) -> list[tuple[int, int]]:
    """Places, in 1/64 m, far from every scenario, no two with a region around them in common."""
    wide = math.ceil(math.sqrt(count))
    half = _FAR_M // 8
    return [
        (((1 + i % wide) * _FAR_M + half) * -XZ_PER_M, ((1 + i // wide) * _FAR_M + half) * -XZ_PER_M)
        for i in range(count)
    ]


class Walkers:
    """Everybody's place and heading; each walks at 1.4 m/s with turns and is reflected at the square's edges.

    Attributes:
        x: ``[n]`` float64 in 1/64 m.
        z: Likewise.
    """

    def __init__(self, area: Area, count: int, steppers: I64, rng: np.random.Generator) -> None:
        """Set them down, evenly at random.

        Args:
            area: The square.
            count: How many.
            steppers: Indices of those who step to and fro over the middle cell border instead.
            rng: Source of chance.
        """
        self.area = area
        self.x: F64 = rng.uniform(area.low, area.high - 1, count)
        self.z: F64 = rng.uniform(area.low, area.high - 1, count)
        self._heading: F64 = rng.uniform(0, 2 * math.pi, count)
        self._rng = rng
        self._steps = np.zeros(count, np.bool_)
        self._steps[steppers] = True
        self.x[steppers] = area.middle_border - STEP_M * XZ_PER_M

    def step(self, who: I64, number: int, seconds: float) -> tuple[I64, I64]:
        """Walk on.

        Args:
            who: ``[n]`` indices of those who move now.
            number: Which move of theirs it is.
            seconds: Time since their last move.

        Returns:
            ``[n]`` x and z in 1/64 m, inside the square.
        """
        chance = self._rng.standard_normal((2, len(who)))
        sharp = np.abs(chance[1]) > 2.33
        heading = self._heading[who] + chance[0] * np.where(sharp, math.pi / 2, _TURN)
        way = WALK_M_PER_S * XZ_PER_M * seconds
        x, flipped_x = self._inside(self.x[who] + np.sin(heading) * way)
        z, flipped_z = self._inside(self.z[who] + np.cos(heading) * way)
        heading = np.where(flipped_x, -heading, heading)
        heading = np.where(flipped_z, math.pi - heading, heading)
        stepping = self._steps[who]
        side = STEP_M * XZ_PER_M * (1 if number & 1 else -1)
        x = np.where(stepping, self.area.middle_border + side, x)
        z = np.where(stepping, self.z[who], z)
        self.x[who], self.z[who], self._heading[who] = x, z, heading
        return x.astype(np.int64), z.astype(np.int64)

    def near(self, index: int, reach: float) -> I64:
        """Indices of those within ``reach`` (1/64 m) of one, itself included."""
        dx = self.x - self.x[index]
        dz = self.z - self.z[index]
        dx *= dx
        dz *= dz
        dx += dz
        return np.flatnonzero(dx <= reach * reach)

    def _inside(self, at: F64) -> tuple[F64, npt.NDArray[np.bool_]]:
        low, high = self.area.low, self.area.high - 1
        below, above = at < low, at > high
        at = np.where(below, 2 * low - at, at)
        return np.clip(np.where(above, 2 * high - at, at), low, high), below | above
