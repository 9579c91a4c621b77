"""Style: what the land of one region is to be like. A value that is stored once and never changes. Knows no torch."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.gan.conditions import CONDITIONS_N, MEASURES

__all__ = ["Style", "read_style"]

F32 = npt.NDArray[np.float32]

_STEEPNESS, _RELIEF, _HYPSOMETRY = (MEASURES.index(name) for name in ("steepness", "relief", "hypsometry"))
_MAGIC = b"WLS1"
_CLIMATE_N = 3


@dataclass(frozen=True, slots=True, eq=False)
class Style:
    """Conditions for the generator, and the climate."""

    conditions: F32
    """``[CONDITIONS_N]``, raw."""
    warmth: float = 0.0
    """-1 arctic to 1 tropical."""
    moisture: float = 0.5
    """0 desert to 1 rain forest."""
    woods: float = 0.0
    """-1 no tree to 1 all wood; 0 as the climate has it."""
    key: bytes = field(init=False)
    """Its bytes, as stored: equal styles have equal keys."""

    def __post_init__(self) -> None:
        if self.conditions.shape != (CONDITIONS_N,) or not np.isfinite(self.conditions).all():
            raise ValueError(f"expected {CONDITIONS_N} finite conditions, got {self.conditions!r:.80}")
        climate = np.array((self.warmth, self.moisture, self.woods))
        if not np.isfinite(climate).all():
            raise ValueError(f"expected finite warmth, moisture and woods, got {climate!r}")
        data = np.concatenate((self.conditions, climate)).astype("<f4").tobytes()
        object.__setattr__(self, "key", _MAGIC + data)

    @property
    def land(self) -> bytes:
        """What the land follows of it: of styles with equal ones only the climate differs."""
        return self.key[: -4 * _CLIMATE_N]

    @property
    def slope(self) -> float:
        """Root mean square of the slopes, rise over run."""
        return math.exp(float(self.conditions[_STEEPNESS]))

    @property
    def foot(self) -> float:
        """How far the mean height is above the lowest ground, in pixels."""
        return math.exp(float(self.conditions[_RELIEF])) * float(self.conditions[_HYPSOMETRY])


def read_style(data: bytes) -> Style:
    """What ``Style.key`` holds.

    Raises:
        ValueError: It is none.
    """
    expected = len(_MAGIC) + 4 * (CONDITIONS_N + _CLIMATE_N)
    if len(data) != expected or not data.startswith(_MAGIC):
        raise ValueError(f"expected a style of {expected} bytes, got {len(data)} bytes {data[:4]!r}")
    values = np.frombuffer(data, "<f4", offset=len(_MAGIC)).astype(np.float32)
    warmth, moisture, woods = (float(v) for v in values[CONDITIONS_N:])
    return Style(values[:CONDITIONS_N], warmth, moisture, woods)
