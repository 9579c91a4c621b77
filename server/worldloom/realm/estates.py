"""Estates: parcels, what hangs together by edges, how estates are split and joined, the fingerprint of what is shown.

A parcel is 16 m x 16 m at integer ``(px, pz)``, floor divisions of metres, half-open. Two parcels touch when they share
an edge; a corner is not enough. Knows no accounts, no money and no database.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from worldloom.errors import Refusal
from worldloom.realm.counts import counted
from worldloom_sdk.protocol.geometry import REGION_LIMIT, REGION_M
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "DESCRIPTION_MAX",
    "NAME_MAX",
    "PARCELS_PER_REGION",
    "PARCEL_M",
    "PARCEL_MAX",
    "PARCEL_MIN",
    "LandRules",
    "Parcel",
    "Region",
    "Run",
    "check_estate",
    "connected",
    "fingerprint",
    "from_runs",
    "joined",
    "parcel_at",
    "parcels_of_region",
    "rectangle",
    "region_of",
    "split_off",
    "to_runs",
    "touch",
    "whole_region",
]

Parcel = tuple[int, int]
"""``(px, pz)``."""
Region = tuple[int, int]
Run = tuple[int, int, int]
"""``(px, pz, n)``: n parcels from there on, eastwards."""

PARCEL_M = 16
PARCELS_PER_REGION = REGION_M // PARCEL_M
"""Along one side: 256 in all."""
PARCEL_MIN = -REGION_LIMIT * PARCELS_PER_REGION
PARCEL_MAX = (REGION_LIMIT + 1) * PARCELS_PER_REGION - 1
"""The last of the world, in both directions."""
NAME_MAX = 64
"""Characters of an estate's name."""
DESCRIPTION_MAX = 500
"""Characters of its description."""


@dataclass(frozen=True, slots=True)
class LandRules:
    """What the operator has settled about land; the configuration's ``[land]``."""

    claim: Literal["zones", "anywhere", "nowhere"] = "zones"
    price: int = 1_000
    """Of a parcel where ``claim`` is "anywhere"."""
    claim_max: int = 256
    """Parcels claimed at once."""
    estate_max: int = 4_096
    """Parcels of one estate."""
    owner_max: int = 65_536
    """Parcels of one account."""


def parcel_at(x_m: float, z_m: float) -> Parcel:
    """The parcel of a place, metres from the origin."""
    return int(x_m // PARCEL_M), int(z_m // PARCEL_M)


def region_of(parcel: Parcel) -> Region:
    """The region in which a parcel lies."""
    return parcel[0] // PARCELS_PER_REGION, parcel[1] // PARCELS_PER_REGION


def parcels_of_region(rx: int, rz: int) -> list[Parcel]:
    """All 256 parcels of a region, ascending."""
    return rectangle(rx * PARCELS_PER_REGION, rz * PARCELS_PER_REGION, PARCELS_PER_REGION, PARCELS_PER_REGION)


def whole_region(parcels: Collection[Parcel]) -> Region | None:
    """The region of which these are all parcels and nothing else; None if they are not."""
    regions = {region_of(parcel) for parcel in parcels}
    if len(regions) != 1 or len(set(parcels)) != PARCELS_PER_REGION**2:
        return None
    return regions.pop()


def rectangle(px: int, pz: int, wide: int, deep: int) -> list[Parcel]:
    """The parcels of a rectangle from its low corner, ascending."""
    return [(px + dx, pz + dz) for dx in range(wide) for dz in range(deep)]


def connected(parcels: Collection[Parcel]) -> bool:
    """Whether one can walk from any of these parcels to any other over edges, staying inside. Nothing is connected."""
    left = set(parcels)
    if not left:
        return True
    reached = [left.pop()]
    while reached:
        for beside in _beside(reached.pop()):
            if beside in left:
                left.remove(beside)
                reached.append(beside)
    return not left


def touch(some: Collection[Parcel], others: Collection[Parcel]) -> bool:
    """Whether a parcel of the one shares an edge with a parcel of the other."""
    few, many = sorted((set(some), set(others)), key=len)
    return any(beside in many for parcel in few for beside in _beside(parcel))


def check_estate(parcels: Sequence[Parcel], most: int) -> list[Parcel]:
    """Parcels that can be one estate, ascending.

    Args:
        parcels: As they were given.
        most: So many at most.

    Raises:
        Refusal: INVALID: none or too many, one twice or beyond the end of the world, or they do not hang together.
    """
    if not 1 <= len(parcels) <= most:
        raise _invalid(f"expected 1 to {counted(most, 'parcel')}, got {len(parcels)}")
    known = set(parcels)
    if len(known) != len(parcels):
        raise _invalid(f"expected each parcel once, got {len(parcels) - len(known)} twice")
    for px, pz in parcels:
        if not (PARCEL_MIN <= px <= PARCEL_MAX and PARCEL_MIN <= pz <= PARCEL_MAX):
            raise _invalid(f"expected parcels from {PARCEL_MIN} to {PARCEL_MAX}, got ({px}, {pz})")
    if not connected(known):
        raise _invalid("expected parcels that hang together by their edges, got some that do not")
    return sorted(known)


def split_off(estate: Collection[Parcel], part: Sequence[Parcel]) -> tuple[list[Parcel], list[Parcel]]:
    """What stays of an estate and what becomes one of its own, ascending; both hang together.

    Raises:
        Refusal: INVALID: not all are parts of it, nothing would stay, or one of the two would be in pieces.
    """
    whole, wanted = set(estate), check_estate(part, len(estate))
    strange = [parcel for parcel in wanted if parcel not in whole]
    if strange:
        raise _invalid(f"expected parcels of the estate, got {strange[0]}, which is none")
    left = whole.difference(wanted)
    if not left:
        raise _invalid(f"expected a part of the estate, got all of its {counted(len(whole), 'parcel')}")
    if not connected(left):
        raise _invalid("expected that the rest hangs together by its edges, got one that would not")
    return sorted(left), wanted


def joined(one: Collection[Parcel], other: Collection[Parcel], most: int) -> list[Parcel]:
    """The parcels of two estates as one, ascending.

    Raises:
        Refusal: INVALID: they share no edge, or would be too large.
    """
    if len(one) + len(other) > most:
        raise _invalid(f"expected at most {counted(most, 'parcel')} together, got {len(one) + len(other)}")
    if not touch(one, other):
        raise _invalid("expected two estates that share an edge, got two that do not")
    return sorted({*one, *other})


def to_runs(parcels: Iterable[Parcel]) -> list[Run]:
    """Parcels as runs along x, by z and then x: few numbers for usual shapes. One set of parcels has one such list."""
    runs: list[Run] = []
    for px, pz in sorted(set(parcels), key=lambda parcel: (parcel[1], parcel[0])):
        if runs and runs[-1][1] == pz and runs[-1][0] + runs[-1][2] == px:
            runs[-1] = (runs[-1][0], pz, runs[-1][2] + 1)
        else:
            runs.append((px, pz, 1))
    return runs


def from_runs(runs: Iterable[Sequence[int]]) -> list[Parcel]:
    """The parcels of runs, ascending."""
    return sorted((px + k, pz) for px, pz, n in runs for k in range(n))


def fingerprint(
    estate: int, shape: int, parcels: Iterable[Parcel], price: int, lease: tuple[int, int] | None = None
) -> str:
    """What a buyer was shown, in 32 hex digits: another estate, shape, price or lease has another.

    Args:
        estate: Its number.
        shape: Rises with each change of its shape or owner.
        parcels: All of them, in any order.
        price: In minor units.
        lease: Number of the lease in force and until when (Unix ms), if it is leased.
    """
    shown = [
        f"estate {estate} {shape}",
        f"price {price}",
        f"lease {lease[0]} {lease[1]}" if lease else "free",
    ]
    shown += [f"{px} {pz} {n}" for px, pz, n in to_runs(parcels)]
    return hashlib.sha256("\n".join(shown).encode()).digest()[:16].hex()


def _beside(parcel: Parcel) -> Iterator[Parcel]:
    px, pz = parcel
    return iter(((px + 1, pz), (px - 1, pz), (px, pz + 1), (px, pz - 1)))


def _invalid(text: str) -> Refusal:
    return Refusal(RefusalCode.INVALID, text)
