"""Overlays: edits of the terrain, each one transaction, and what they left. Versions are the database's.

An edit writes every region that has one of its samples, so that a border is the same on both sides at any time. Also
those whose land is not made yet: their tile will be fitted to the tile beside it, and the overlay lies on top of both.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worldloom.errors import Refusal
from worldloom.ports import AuditRow, OverlayRow, Tx
from worldloom.realm.estates import PARCEL_M
from worldloom.realm.order import AuditAct
from worldloom.realm.rights import Verb, decide
from worldloom.services import rights
from worldloom.services.asking import By, authorise_edit
from worldloom_sdk.protocol.messages import RefusalCode, Role
from worldloom_sdk.protocol.overlay import (
    GIVEN_BACK,
    MAX_VERSION,
    Overlay,
    Patch,
    Region,
    decode_overlay,
    encode_overlay,
    patched,
)
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M, SAMPLE_M

__all__ = ["Edit", "edit", "overlays", "stored"]

_log = logging.getLogger(__name__)
_SAMPLES = int(PARCEL_M // SAMPLE_M)
"""From one border of a parcel to the next."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody wants to change the ground."""

    by: By
    patch: Patch
    now_ms: int
    """Unix time."""


def edit(tx: Tx, command: Edit) -> dict[Region, int]:
    """Set samples, or give them back, in all regions that have them.

    Returns:
        The version that the overlay of each of these regions has now.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND, some of the land is not made.
    """
    patch = command.patch
    tx.lock_order()
    role = authorise_edit(tx, command.by, lambda: _has_right(tx, command))
    _refuse_unmade(tx, patch)
    regions = patch.regions()
    before = {(row.rx, row.rz): row for row in tx.overlays(regions)}
    versions: dict[Region, int] = {}
    for region in regions:
        row = before.get(region)
        overlay = decode_overlay(row.data) if row is not None else Overlay.empty(*region)
        version = versions[region] = 1 + (row.version if row is not None else 0)
        if version > MAX_VERSION:
            raise Refusal(
                RefusalCode.INVALID, f"expected at most {MAX_VERSION} edits of a region, got one more"
            )
        data = encode_overlay(patched(overlay, patch, version))
        tx.save_overlay(OverlayRow(*region, version, data), command.now_ms)
    if role is Role.OWNER:
        # What people do to their own land is no privileged act.
        tx.append_audit(_noted(command))
    return versions


def overlays(tx: Tx, regions: Sequence[Region]) -> dict[Region, Overlay]:
    """The overlays of those of these regions that have one; one that cannot be read is as if nothing were changed."""
    return {(row.rx, row.rz): _read(row) for row in tx.overlays(regions)}


def stored(tx: Tx, region: Region) -> OverlayRow | None:
    """The overlay of a region as it is stored."""
    return next(iter(tx.overlays([region])), None)


def _read(row: OverlayRow) -> Overlay:
    try:
        return decode_overlay(row.data)
    except ValueError as error:
        # One spoilt row must not keep people from the land.
        _log.error("region (%d, %d): its stored overlay cannot be read: %s", row.rx, row.rz, error)
        return Overlay(row.rx, row.rz, row.version, Overlay.empty(row.rx, row.rz).samples)


def _has_right(tx: Tx, command: Edit) -> bool:
    """Whether every sample is inside places in which who asks may edit the ground, on none of their borders to others.

    A sample on a border belongs to the parcels on both sides; no ground changes beyond the parcels of a sample.
    """
    patch, by = command.patch, command.by
    parcels = [
        (px, pz)
        for px in range((patch.x - 1) // _SAMPLES, (patch.x + patch.width - 1) // _SAMPLES + 1)
        for pz in range((patch.z - 1) // _SAMPLES, (patch.z + patch.depth - 1) // _SAMPLES + 1)
    ]
    places = rights.places_at(tx, parcels, command.now_ms)
    return by.account is not None and all(
        decide(Verb.TERRAFORM, by.account, place, command.now_ms)
        for place in (places.get(parcel) for parcel in parcels)
    )


def _refuse_unmade(tx: Tx, patch: Patch) -> None:
    made = np.zeros(patch.heights.shape, np.bool_)
    for region in tx.woven(patch.regions()):
        made[patch.window(*region)] = True
    if not made.all():
        row, column = (int(at[0]) for at in np.nonzero(~made))
        x, z = SAMPLE_M * (patch.x + column), SAMPLE_M * (patch.z + row)
        raise Refusal(
            RefusalCode.NOT_FOUND,
            f"expected land that is made, got a sample at {x}, {z} m, where none is yet",
        )


def _noted(command: Edit) -> AuditRow:
    """What the audit log says of an edit."""
    by, patch = command.by, command.patch
    x, z = SAMPLE_M * patch.x, SAMPLE_M * patch.z
    kept = patch.heights[patch.heights != GIVEN_BACK]
    told = [f"{patch.width} x {patch.depth} samples"]
    if kept.size:
        low, high = (int(height) / HEIGHTS_PER_M for height in (kept.min(), kept.max()))
        told.append(f"{kept.size} set to {low:g} to {high:g} m")
    if given_back := patch.heights.size - kept.size:
        told.append(f"{given_back} given back")
    about, detail = f"ground from {x}, {z} m", ", ".join(told)
    return AuditRow(command.now_ms, by.account, by.name, AuditAct.EDIT, None, about, None, detail, None)
