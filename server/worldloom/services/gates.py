"""Gates: what of rights a shard has to know, who may be where and when that changes. Only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from worldloom.ports import Tx
from worldloom.realm.estates import Region, region_of
from worldloom.realm.rights import timelines
from worldloom.services.rights import places_of
from worldloom.world.avatars import I64
from worldloom.world.enter import Gate
from worldloom.world.parcels import PARCELS

__all__ = ["CHANGES_AT_ONCE", "Changes", "Gates", "Since", "changes", "gates", "mark"]

CHANGES_AT_ONCE = 10_000
"""Notes taken in one query; beyond, everything is taken to have changed."""
_PARCELS_OF_REGION = PARCELS * PARCELS


@dataclass(frozen=True, slots=True)
class Gates:
    """What a shard has to know of a region."""

    parcels: I64
    """``[16, 16]`` by z then x: the number of the estate, 0 for none."""
    gates: Mapping[int, Gate]
    """Of these estates."""


@dataclass(frozen=True, slots=True)
class Since:
    """A host asks what has changed since it asked last."""

    mark: int
    taken: frozenset[int] = frozenset()
    """Numbers of notes that it has taken already, and may be told of again."""


@dataclass(frozen=True, slots=True)
class Changes:
    """In which estates it may be another who may be there."""

    mark: int
    """For the next time."""
    taken: frozenset[int]
    """Likewise."""
    estates: frozenset[int]
    regions: frozenset[Region]
    """Where they are now; where they were before is for who asks to know."""
    is_everything: bool = False
    """Too much to tell one by one."""


def gates(tx: Tx, asked: tuple[Sequence[Region], int]) -> dict[Region, Gates]:
    """What a shard has to know of regions, all of them, at a moment (Unix ms) and from then on. Only reads."""
    regions, now_ms = asked
    parcels = {region: np.zeros((PARCELS, PARCELS), np.int64) for region in regions}
    for (rx, rz), grid in parcels.items():
        west, north = rx * PARCELS, rz * PARCELS
        last = PARCELS - 1
        for row in tx.deeds_within(west, north, west + last, north + last, _PARCELS_OF_REGION):
            grid[row.pz - north, row.px - west] = row.estate
    numbers = sorted({number for grid in parcels.values() for number in np.unique(grid).tolist()} - {0})
    shut = {
        number: Gate(number, *timelines(place)) for number, place in places_of(tx, numbers, now_ms).items()
    }
    return {
        region: Gates(grid, {number: shut[number] for number in np.unique(grid).tolist() if number in shut})
        for region, grid in parcels.items()
    }


def mark(tx: Tx, _: None) -> int:
    """Where the notes of changes end now. Only reads."""
    return tx.access_mark()


def changes(tx: Tx, since: Since) -> Changes:
    """What has changed since a host asked last. Only reads."""
    rows, next_mark = tx.access_after(since.mark, CHANGES_AT_ONCE + 1)
    numbers = frozenset(row.number for row in rows)
    if len(rows) > CHANGES_AT_ONCE:
        return Changes(next_mark, numbers, frozenset(), frozenset(), is_everything=True)
    estates = frozenset(row.estate for row in rows if row.number not in since.taken)
    parcels = tx.parcels_of_all(sorted(estates))
    regions = frozenset(region_of(parcel) for some in parcels.values() for parcel in some)
    return Changes(next_mark, numbers, estates, regions)
