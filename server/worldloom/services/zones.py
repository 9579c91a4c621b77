"""Zones: which regions are open for claiming, and at what price. The operator decides, and owners of the world."""

from collections.abc import Sequence
from dataclasses import dataclass

from worldloom.ports import AuditRow, Tx
from worldloom.ports.land import ZoneRow
from worldloom.realm.estates import Region
from worldloom.realm.order import AuditAct
from worldloom.services.asking import By, authorise_land, invalid
from worldloom_sdk.protocol.geometry import REGION_LIMIT

__all__ = [
    "PAGE_MAX",
    "PRICE_MAX",
    "REGIONS_MAX",
    "AskZones",
    "Close",
    "Open",
    "close",
    "open_zones",
    "zones",
]

PRICE_MAX = 10**11
"""Of a parcel, minor units."""
REGIONS_MAX = 4_096
"""Opened or closed by one command."""
PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class Open:
    """Regions are opened for claiming, or their price is changed."""

    by: By
    regions: Sequence[Region]
    price: int
    """Of a parcel, minor units; 0: free."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Close:
    """Regions are closed for claiming. What was claimed stays whose it is."""

    by: By
    regions: Sequence[Region]
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class AskZones:
    """Which regions are open."""

    after: Region | None = None
    limit: int = PAGE_MAX


def open_zones(tx: Tx, command: Open) -> int:
    """Open regions for claiming, or change their price; how many.

    Raises:
        Refusal: FORBIDDEN; INVALID.
    """
    tx.lock_order()
    authorise_land(tx, command.by)
    if not 0 <= command.price <= PRICE_MAX:
        most, got = tx.currency.shown(PRICE_MAX), tx.currency.written(command.price)
        raise invalid(f"expected a price from 0 to {most}, got {got}")
    regions = _checked(command.regions)
    by, now_ms = command.by, command.now_ms
    tx.save_zones([ZoneRow(*region, command.price, by.account, now_ms) for region in regions])
    _note(tx, by, AuditAct.OPEN_LAND, regions, f", {tx.currency.shown(command.price)} a parcel", now_ms)
    return len(regions)


def close(tx: Tx, command: Close) -> int:
    """Close regions for claiming; how many were open.

    Raises:
        Refusal: FORBIDDEN; INVALID.
    """
    tx.lock_order()
    authorise_land(tx, command.by)
    regions = _checked(command.regions)
    closed = tx.delete_zones(regions)
    if closed:
        _note(tx, command.by, AuditAct.CLOSE_LAND, regions, f", {closed} were open", command.now_ms)
    return closed


def zones(tx: Tx, command: AskZones) -> Sequence[ZoneRow]:
    """Open regions in order of (rx, rz), a page of them."""
    return tx.zones_after(command.after, max(1, min(command.limit, PAGE_MAX)))


def _checked(regions: Sequence[Region]) -> list[Region]:
    if not 1 <= len(regions) <= REGIONS_MAX:
        raise invalid(f"expected 1 to {REGIONS_MAX} regions, got {len(regions)}")
    if beyond := next((region for region in regions if max(map(abs, region)) > REGION_LIMIT), None):
        raise invalid(f"expected regions from -{REGION_LIMIT} to {REGION_LIMIT}, got {beyond}")
    return sorted(set(regions))


def _note(tx: Tx, by: By, act: AuditAct, regions: Sequence[Region], more: str, now_ms: int) -> None:
    about = f"regions {regions[0]} to {regions[-1]}" if len(regions) > 1 else f"region {regions[0]}"
    detail = f"regions: {len(regions)}{more}"
    tx.append_audit(AuditRow(now_ms, by.account, by.name, act, None, about, None, detail, None))
