"""What the SDK shows of a body: plain values in metres and radians. Knows nothing of where they came from."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from worldloom_sdk.protocol.geometry import XZ_PER_M, Y_PER_M
from worldloom_sdk.protocol.looks import Look

__all__ = ["Avatar", "Position", "avatar_id", "yaw_to_radians", "yaw_to_units", "yaw_towards"]

_YAW_STEPS = 256


class Position(NamedTuple):
    """A place in the world, in metres; y is up."""

    x: float
    y: float
    z: float

    @classmethod
    def of_units(cls, x: int, y: int, z: int) -> "Position":
        """From wire units: x and z in 1/64 m, y in 1/16 m."""
        return cls(x / XZ_PER_M, y / Y_PER_M, z / XZ_PER_M)

    def distance_to(self, x: float, z: float) -> float:
        """Horizontal distance to a place, in metres."""
        return math.hypot(x - self.x, z - self.z)


@dataclass(frozen=True, slots=True)
class Avatar:
    """A body as it was when it was asked for; ask the view again for how it is now.

    Attributes:
        id: Avatar id, stable as long as the body is in the world.
        name: ``None`` until it was asked for (``await bot.name_of(avatar)``).
        kind: A Role, "bot" or newer; ``None`` until the name was asked for.
        position: Metres.
        yaw: Radians in [0, 2 pi): 0 looks to +Z, counter-clockwise seen from above.
        gesture: What it does, a ``Gesture`` or an emote (0-63).
        speed: Horizontal speed in m/s, estimated from the last two words; 0 for who stands or sits.
        owner: Whose bot it is, by name; ``None`` for who is nobody's, and until the name was asked for.
        look: ``None`` until it was asked for (``await bot.look_of(avatar)``), anew each time that it comes into view.
    """

    id: int
    name: str | None
    kind: str | None
    position: Position
    yaw: float
    gesture: int
    speed: float = 0.0
    owner: str | None = None
    look: Look | None = None

    @property
    def x(self) -> float:
        """Metres."""
        return self.position.x

    @property
    def y(self) -> float:
        """Metres, up."""
        return self.position.y

    @property
    def z(self) -> float:
        """Metres."""
        return self.position.z

    def distance_to(self, x: float, z: float) -> float:
        """Horizontal distance to a place, in metres."""
        return self.position.distance_to(x, z)


def yaw_to_radians(yaw: int) -> float:
    """From 1/256 turns to radians in [0, 2 pi)."""
    return yaw * (math.tau / _YAW_STEPS)


def yaw_to_units(radians: float) -> int:
    """From radians to 1/256 turns, rounded to the nearest.

    Raises:
        ValueError: The angle is not finite.
    """
    if not math.isfinite(radians):
        raise ValueError(f"expected a finite angle, got {radians}")
    return round(radians * (_YAW_STEPS / math.tau)) % _YAW_STEPS


def yaw_towards(dx: float, dz: float) -> float:
    """The yaw that looks along ``(dx, dz)``, in radians; 0 for no direction at all."""
    return math.atan2(dx, dz) % math.tau


def avatar_id(avatar: Avatar | int) -> int:
    """The id of a body, or the id itself."""
    return avatar if isinstance(avatar, int) else avatar.id
