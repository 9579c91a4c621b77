"""Latents: the generator's random numbers, hashed from global coordinates. The same everywhere, for any piece."""

import numpy as np
import numpy.typing as npt

from worldloom.worldgen.lattice import hash_lattice, key_of

__all__ = ["Latents"]

F32 = npt.NDArray[np.float32]

_SPREAD = np.float32(12**0.5)
"""Brings a uniform number to unit variance."""


class Latents:
    """Channels of uniform noise of unit variance on one lattice of one world.

    Args:
        seed: Of the world.
        name: Of the lattice.
        channels: How many; even, for each hash gives two.
    """

    def __init__(self, seed: int, name: str, channels: int) -> None:
        self._keys = np.array([key_of(seed, f"{name}{k}") for k in range(channels // 2)], np.uint64)[
            :, None, None
        ]

    def on(self, rows: tuple[int, int], columns: tuple[int, int]) -> F32:
        """``[channels, rows, columns]`` of the half-open intervals."""
        h = hash_lattice(np.arange(*columns), np.arange(*rows)[:, None], self._keys)
        both = np.concatenate((h >> np.uint64(40), h & np.uint64(0xFFFFFF)))
        uniform = both.astype(np.float32) * np.float32(2.0**-24)
        return np.asarray((uniform - np.float32(0.5)) * _SPREAD)
