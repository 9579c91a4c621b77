"""Parcels as a grid of 16 m: where they lie, and how deep each is among others. Pure: knows no owners."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from worldloom_sdk.protocol.geometry import REGION_SHIFT

__all__ = ["PARCELS", "PARCEL_SHIFT", "depths", "parcels_around"]

I64 = npt.NDArray[np.int64]
Parcel = tuple[int, int]

PARCEL_SHIFT = 10
"""A parcel is 16 m: 1,024 units of 1/64 m."""
PARCELS = 1 << (REGION_SHIFT - PARCEL_SHIFT)
"""Parcels in a row of a region."""
_JUST_INSIDE = 16
"""25 cm: so far inside a parcel somebody is set who is brought there."""
_AROUND = [(dx, dz) for dx in (-1, 0, 1) for dz in (-1, 0, 1) if dx or dz]


def depths(parcels: Iterable[Parcel]) -> dict[Parcel, int]:
    """How many steps, corners included, each parcel is from one that is not among them: 1 at the border."""
    left = set(parcels)
    found: dict[Parcel, int] = {}
    rim = {at for at in left if any((at[0] + dx, at[1] + dz) not in left for dx, dz in _AROUND)}
    deep = 0
    while rim:
        deep += 1
        found.update(dict.fromkeys(rim, deep))
        left -= rim
        rim = {(px + dx, pz + dz) for px, pz in rim for dx, dz in _AROUND} & left
    return found


def parcels_around(x: int, z: int, reach: int) -> tuple[I64, I64]:
    """In every parcel at most ``reach`` parcels away: the position nearest to one, 25 cm inside. Units of 1/64 m."""
    steps = np.arange(-reach, reach + 1)
    at_x, at_z = (_nearest(at, (at >> PARCEL_SHIFT) + steps) for at in (x, z))
    both = np.stack(np.meshgrid(at_x, at_z, indexing="ij"))
    return both[0].ravel(), both[1].ravel()


def _nearest(at: int, parcel: I64) -> I64:
    low = parcel << PARCEL_SHIFT
    return np.clip(at, low + _JUST_INSIDE, low + (1 << PARCEL_SHIFT) - 1 - _JUST_INSIDE)
