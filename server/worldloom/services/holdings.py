"""Holdings: who owns what, read: a parcel, an estate, what somebody has, what happened, a plan of some land."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom.ports.land import DeedRow, EstateRow, RegisterRow, SealRow, ZoneRow
from worldloom.realm.estates import (
    PARCEL_MAX,
    PARCEL_MIN,
    PARCELS_PER_REGION,
    LandRules,
    Parcel,
    Region,
    region_of,
)
from worldloom.services import offers
from worldloom.services.asking import Whom, find, invalid
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "PAGE_MAX",
    "PLAN_MAX",
    "AskHistory",
    "AskHoldings",
    "AskParcel",
    "AskPlan",
    "EstateView",
    "Holdings",
    "ParcelView",
    "Plan",
    "Told",
    "estate",
    "extent",
    "history",
    "holdings",
    "parcel",
    "plan",
]

PAGE_MAX = 100
"""Estates, or entries of the register, that one question gets."""
PLAN_MAX = 64
"""Regions along a side of a plan."""
_LAST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AskParcel:
    """Whose is a parcel?"""

    parcel: Parcel
    rules: LandRules


@dataclass(frozen=True, slots=True)
class ParcelView:
    """A parcel: whose it is, or what it costs."""

    parcel: Parcel
    deed: DeedRow | None
    """None: the world's."""
    estate: EstateRow | None
    owner_name: str
    """Empty: nobody's."""
    price: int | None
    """To claim it, minor units; None: it is not open for claiming, or owned."""


@dataclass(frozen=True, slots=True)
class EstateView:
    """An estate with its parcels."""

    row: EstateRow
    owner_name: str
    parcels: tuple[Parcel, ...]
    """Ascending."""


@dataclass(frozen=True, slots=True)
class AskHoldings:
    """What has somebody?"""

    whom: Whom
    after: int = 0
    """Only estates behind this number."""
    limit: int = PAGE_MAX


@dataclass(frozen=True, slots=True)
class Holdings:
    """What somebody has: a page of estates, and how much it is in all."""

    account: int
    name: str
    parcels: int
    """Of all estates."""
    estates: tuple[EstateRow, ...]
    """By number."""
    more: bool
    """Whether there are further ones."""


@dataclass(frozen=True, slots=True)
class AskHistory:
    """What happened to an estate, to somebody's land, or with neither, to all."""

    estate: int | None = None
    whom: Whom | None = None
    before: int = 0
    """Only entries below this number; 0: the newest."""
    limit: int = PAGE_MAX


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the register, with its seal and the names of today."""

    row: RegisterRow
    seal: SealRow | None
    """None: it waits for it."""
    name: str
    """Of ``row.account``; empty: the world, or somebody who is gone."""
    other_name: str


@dataclass(frozen=True, slots=True)
class AskPlan:
    """Who owns what in a rectangle of regions?"""

    low: Region
    wide: int
    deep: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who owns what in a rectangle of regions."""

    deeds: Sequence[DeedRow]
    estates: dict[int, EstateRow]
    names: dict[int, str]
    """Of owners, by account."""
    zones: Sequence[ZoneRow]
    marks: dict[int, str]
    """Of estates that are for sale, auctioned or leased: "sale", "auction" or "leased"."""


def parcel(tx: Tx, command: AskParcel) -> ParcelView:
    """Whose a parcel is, or what it costs.

    Raises:
        Refusal: INVALID, it is beyond the end of the world.
    """
    at = command.parcel
    if not all(PARCEL_MIN <= index <= PARCEL_MAX for index in at):
        raise invalid(f"expected a parcel from {PARCEL_MIN} to {PARCEL_MAX}, got {at}")
    deed = next(iter(tx.deeds([at])), None)
    if deed is None:
        return ParcelView(at, None, None, "", _claim_price(tx, at, command.rules))
    row = tx.estate(deed.estate)
    return ParcelView(at, deed, row, _names(tx, [row.owner])[row.owner] if row else "", None)


def estate(tx: Tx, number: int) -> EstateView:
    """An estate with its parcels.

    Raises:
        Refusal: NOT_FOUND.
    """
    row = tx.estate(number)
    if row is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an estate, got {number}, which is none")
    return EstateView(row, _names(tx, [row.owner])[row.owner], tuple(tx.parcels_of(number)))


def holdings(tx: Tx, command: AskHoldings) -> Holdings:
    """What somebody has.

    Raises:
        Refusal: NOT_FOUND, nobody has that name or number; INVALID, it is no account.
    """
    subject = find(tx, command.whom)
    if subject.row is None:
        raise invalid("expected an account, got a guest or a network")
    account, limit = subject.row.account, _page(command.limit)
    rows = tx.estates_of(account, command.after, limit + 1)
    owned = tx.parcels_owned(account)
    return Holdings(account, subject.row.name, owned, tuple(rows[:limit]), len(rows) > limit)


def history(tx: Tx, command: AskHistory) -> list[Told]:
    """What the register tells, newest first.

    Raises:
        Refusal: NOT_FOUND, nobody has that name or number; INVALID, it is no account.
    """
    account = None
    if command.whom is not None:
        account = find(tx, command.whom).account
        if account is None:
            raise invalid("expected an account, got a guest or a network")
    rows = tx.register_of(command.estate, account, command.before or _LAST, _page(command.limit))
    seals = {seal.register: seal for seal in tx.seals_of([row.number for row in rows])}
    names = _names(tx, (who for row in rows for who in (row.account, row.other) if who is not None))
    return [
        Told(row, seals.get(row.number), names.get(row.account or 0, ""), names.get(row.other or 0, ""))
        for row in rows
    ]


def plan(tx: Tx, command: AskPlan) -> Plan:
    """Who owns what in a rectangle of regions.

    Raises:
        Refusal: INVALID, it is too large.
    """
    (rx, rz), wide, deep = command.low, command.wide, command.deep
    if not (1 <= wide <= PLAN_MAX and 1 <= deep <= PLAN_MAX):
        raise invalid(f"expected 1 to {PLAN_MAX} regions a side, got {wide} x {deep}")
    side = PARCELS_PER_REGION
    west, north = rx * side, rz * side
    most = wide * deep * side * side
    deeds = tx.deeds_within(west, north, west + wide * side - 1, north + deep * side - 1, most)
    rows = tx.estates(sorted({deed.estate for deed in deeds}))
    zones = tx.zones_within(rx, rz, rx + wide - 1, rz + deep - 1, wide * deep)
    found = {row.number: row for row in rows}
    marks = offers.shown_as(tx, sorted(found), command.now_ms)
    return Plan(deeds, found, _names(tx, (row.owner for row in rows)), zones, marks)


def extent(tx: Tx, _: None) -> tuple[int, int, int, int] | None:
    """The least rectangle of regions with all that is owned or open, (west, north, east, south); None if nothing is."""
    return tx.extent()


def _claim_price(tx: Tx, at: Parcel, rules: LandRules) -> int | None:
    if rules.claim == "anywhere":
        return rules.price
    zone = next(iter(tx.zones([region_of(at)])), None) if rules.claim == "zones" else None
    return None if zone is None else zone.price


def _names(tx: Tx, accounts: Iterable[int]) -> dict[int, str]:
    wanted = sorted(set(accounts))
    found = {row.account: row.name for row in tx.accounts(wanted)}
    return {number: found.get(number, "") for number in wanted}


def _page(limit: int) -> int:
    return max(1, min(limit, PAGE_MAX))
