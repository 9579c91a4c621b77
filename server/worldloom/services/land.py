"""Land: claiming parcels from the world, and what owners do with their estates. The database decides who was first.

Each act is one transaction: deeds, money, the register's row. Two owners of a parcel cannot be written. Whatever
changes an estate's shape or owner goes through here, takes it off the market, and raises its ``shape``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from worldloom.config import LandConfig
from worldloom.errors import Refusal
from worldloom.ports import AuditRow, StyleRow, Tx
from worldloom.ports.land import EstateRow, LandingRow
from worldloom.realm.chain import RegisterKind
from worldloom.realm.counts import counted
from worldloom.realm.estates import (
    DESCRIPTION_MAX,
    NAME_MAX,
    LandRules,
    Parcel,
    check_estate,
    joined,
    parcel_at,
    region_of,
    split_off,
    whole_region,
)
from worldloom.realm.ledger import TREASURY, TransferKind
from worldloom.realm.names import clean_text
from worldloom.realm.order import REASON_MAX, AuditAct
from worldloom.services import money, notices, offers, register
from worldloom.services.asking import By, Whom, authorise_land, find, invalid
from worldloom.services.notices import NoticeKind
from worldloom.services.owning import account_of, locked_estate, own_estate, refuse_locked, refuse_too_much
from worldloom.services.register import parcels_told
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "GRANT_LOCK_MS",
    "Abandon",
    "Claim",
    "Describe",
    "Give",
    "Join",
    "Split",
    "Take",
    "abandon",
    "claim",
    "describe",
    "give",
    "join",
    "pass_on",
    "price_of",
    "rules_of",
    "split",
    "take",
]

GRANT_LOCK_MS = 7 * 24 * 3_600_000
"""For so long nobody sells land that was bought with granted money, be it in part."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody wants to buy parcels from the world, as one new estate."""

    by: By
    parcels: Sequence[Parcel]
    price: int
    """For all of them, as it was shown; minor units."""
    rules: LandRules
    now_ms: int
    """Unix time."""
    name: str = ""
    """Of the estate, as typed."""
    style: StyleRow | None = None
    """For all parcels of a region that nobody has seen: what it is to be like, and by which words."""


@dataclass(frozen=True, slots=True)
class Describe:
    """An owner changes what is told of an estate. None: that stays as it is."""

    by: By
    estate: int
    now_ms: int
    """Unix time."""
    name: str | None = None
    description: str | None = None
    landing: LandingRow | None = None
    no_landing: bool = False
    """Take the landing point away."""


@dataclass(frozen=True, slots=True)
class Split:
    """An owner makes a part of an estate one of its own."""

    by: By
    estate: int
    parcels: Sequence[Parcel]
    now_ms: int
    """Unix time."""
    name: str = ""
    """Of the new one, as typed."""


@dataclass(frozen=True, slots=True)
class Join:
    """An owner makes one estate of two; the other's number and name end."""

    by: By
    estate: int
    other: int
    rules: LandRules
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Give:
    """An owner gives an estate away."""

    by: By
    estate: int
    to: Whom
    """An account or a name."""
    rules: LandRules
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """An owner gives an estate back to the world, for nothing."""

    by: By
    estate: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Take:
    """The operator takes an estate back to the world."""

    by: By
    estate: int
    reason: str
    """As typed; kept in the audit log and the register, and told to the owner."""
    now_ms: int
    """Unix time."""


def rules_of(config: LandConfig) -> LandRules:
    """The rules as the configuration has them."""
    return LandRules(config.claim, config.price, config.claim_max, config.estate_max, config.owner_max)


# ---- claiming


def claim(tx: Tx, command: Claim) -> EstateRow:
    """Buy parcels from the world, all or none. Who does this under a receipt calls ``tx.lock_claims`` before that.

    Returns:
        The new estate.

    Raises:
        Refusal: SOLD, one is somebody's; NOT_FOR_SALE, one is not open for claiming; CHANGED, it costs something else
            than was shown; FUNDS; FORBIDDEN, guests own nothing; INVALID, it cannot be an estate, or is too much.
    """
    tx.lock_claims()
    rules, account = command.rules, account_of(command.by)
    parcels = check_estate(command.parcels, min(rules.claim_max, rules.estate_max))
    if taken := tx.deeds(parcels):
        raise _sold((taken[0].px, taken[0].pz))
    price = price_of(tx, parcels, rules)
    if price != command.price:
        asked, got = tx.currency.shown(price), tx.currency.written(command.price)
        raise Refusal(RefusalCode.CHANGED, f"expected {asked} for these, got {got}")
    refuse_too_much(tx, account, len(parcels), rules)
    style = _settled_style(tx, command, parcels)
    legs = money.spend_on_claim(tx, account, price)
    locked = command.now_ms + GRANT_LOCK_MS if money.uses_grant(tx, account, legs) else 0
    name = clean_text(command.name, NAME_MAX)
    new = EstateRow(account, name, "", None, len(parcels), command.now_ms, locked_until_ms=locked)
    new = replace(new, number=tx.insert_estate(new))
    if tx.insert_deeds(new.number, parcels, command.now_ms) != len(parcels):
        raise _sold(parcels[0])
    transfer = None
    if price:
        memo = f"{counted(len(parcels), 'parcel')} from {parcels[0][0]}, {parcels[0][1]}"
        paid = {**legs, TREASURY: price}
        transfer = money.move(tx, TransferKind.CLAIM, paid, memo, account, new.number, command.now_ms)
    told = {"parcels": parcels_told(parcels), **({"words": style.words} if style else {})}
    register.append(tx, RegisterKind.CLAIM, new.number, account, None, command.now_ms, transfer, detail=told)
    return new


def price_of(tx: Tx, parcels: Sequence[Parcel], rules: LandRules) -> int:
    """What parcels of the world cost together, minor units.

    Raises:
        Refusal: NOT_FOR_SALE, one is not open for claiming.
    """
    if rules.claim == "anywhere":
        return rules.price * len(parcels)
    if rules.claim == "nowhere":
        raise Refusal(RefusalCode.NOT_FOR_SALE, "expected land that is for claiming, got a world without any")
    regions = [region_of(parcel) for parcel in parcels]
    prices = {(row.rx, row.rz): row.price for row in tx.zones(sorted(set(regions)))}
    if closed := next((region for region in regions if region not in prices), None):
        raise Refusal(
            RefusalCode.NOT_FOR_SALE,
            f"expected land that is for claiming, got some in region {closed}, which is not",
            hint="the operator opens regions",
        )
    return sum(prices[region] for region in regions)


def _settled_style(tx: Tx, command: Claim, parcels: Sequence[Parcel]) -> StyleRow | None:
    """The style that was asked for, stored: only where it will be woven by."""
    style = command.style
    if style is None:
        return None
    if whole_region(parcels) != (style.rx, style.rz):
        raise invalid(
            "expected words for all 256 parcels of a region together, got some for less, or for more"
        )
    around = tx.styles_around(style.rx, style.rz)
    settled = any((row.rx, row.rz) == (style.rx, style.rz) for row in around)
    if settled or tx.tile(style.rx, style.rz) is not None:
        raise Refusal(
            RefusalCode.INVALID,
            f"expected words for land that nobody has seen, got region ({style.rx}, {style.rz}), which is settled",
            hint="claim it without words",
        )
    tx.insert_styles([style], command.now_ms)
    return style


# ---- what owners do


def describe(tx: Tx, command: Describe) -> EstateRow:
    """Change what is told of an estate. It stays on the market as it is.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN, it is not one's own; INVALID, the landing point is not on it.
    """
    before = own_estate(tx, command.by, command.estate)
    landing = before.landing if command.landing is None else command.landing
    if command.landing is not None and not _is_on(command.landing, tx.parcels_of(before.number)):
        raise invalid("expected a landing point on the estate, got one beside it")
    after = replace(
        before,
        name=before.name if command.name is None else clean_text(command.name, NAME_MAX),
        description=(
            before.description
            if command.description is None
            else clean_text(command.description, DESCRIPTION_MAX)
        ),
        landing=None if command.no_landing else landing,
    )
    tx.save_estate(after)
    if after.name != before.name:
        offers.rename(tx, after)
    return after


def split(tx: Tx, command: Split) -> tuple[EstateRow, EstateRow]:
    """Make a part of an estate one of its own; both are locked as long as the one was.

    Returns:
        What is left of it, and the new one.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN; LEASED; LOCKED, an auction of it has a bid; INVALID, a part hangs together
            by no edges.
    """
    before = _in_one_piece(tx, command.by, command.estate, command.now_ms)
    left, part = split_off(tx.parcels_of(before.number), command.parcels)
    landing = before.landing
    is_left = landing is not None and _is_on(landing, left)
    stays = replace(before, parcels=len(left), shape=before.shape + 1, landing=landing if is_left else None)
    new = EstateRow(
        before.owner,
        clean_text(command.name, NAME_MAX),
        "",
        None if is_left else landing,
        len(part),
        command.now_ms,
        locked_until_ms=before.locked_until_ms,
    )
    new = replace(new, number=tx.insert_estate(new))
    tx.move_deeds(before.number, new.number, part, command.now_ms)
    # What was closed stays closed.
    tx.copy_rights(before.number, new.number)
    tx.save_estate(stays)
    owner, now_ms = before.owner, command.now_ms
    told = {"parcels": parcels_told(part), "to": new.number}
    register.append(tx, RegisterKind.SPLIT, before.number, owner, owner, now_ms, detail=told)
    told = {"from": before.number}
    register.append(tx, RegisterKind.SPLIT, new.number, owner, owner, now_ms, detail=told)
    return stays, new


def join(tx: Tx, command: Join) -> EstateRow:
    """Make one estate of two that share an edge. It keeps number, name and all else of the first.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN; LEASED; LOCKED, an auction has a bid; INVALID, they share no edge, or would
            be too large.
    """
    if command.estate == command.other:
        raise invalid("expected two estates, got one and itself")
    rows = {
        number: _in_one_piece(tx, command.by, number, command.now_ms)
        for number in sorted((command.estate, command.other))
    }
    stays, ends = rows[command.estate], rows[command.other]
    coming = tx.parcels_of(ends.number)
    together = joined(tx.parcels_of(stays.number), coming, command.rules.estate_max)
    tx.move_deeds(ends.number, stays.number, None, command.now_ms)
    tx.delete_estate(ends.number)
    after = replace(
        stays,
        parcels=len(together),
        shape=stays.shape + 1,
        locked_until_ms=max(stays.locked_until_ms, ends.locked_until_ms),
    )
    tx.save_estate(after)
    owner, now_ms = stays.owner, command.now_ms
    told = {"from": ends.number, "parcels": parcels_told(coming)}
    register.append(tx, RegisterKind.JOIN, stays.number, owner, owner, now_ms, detail=told)
    register.append(tx, RegisterKind.JOIN, ends.number, owner, owner, now_ms, detail={"to": stays.number})
    return after


def give(tx: Tx, command: Give) -> EstateRow:
    """Give an estate away; who gets it is told. A lease of it goes on.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN; LOCKED, it was bought with granted money, or an auction of it has a bid;
            INVALID, it is oneself's already, or too much for whoever would get it.
    """
    before = own_estate(tx, command.by, command.estate)
    refuse_locked(before, command.now_ms)
    to = find(tx, command.to).account
    if to is None or to == before.owner:
        raise invalid("expected somebody else with an account, got yourself, a guest or a network")
    offers.end_offers(tx, before, command.by.account, command.now_ms)
    after = pass_on(tx, before, to, RegisterKind.GIVE, None, command.rules, command.now_ms)
    notices.tell(tx, [to], NoticeKind.GIVEN, command.now_ms, estate=after.number, by=before.owner)
    return after


def pass_on(
    tx: Tx,
    estate: EstateRow,
    to: int,
    kind: RegisterKind,
    transfer: int | None,
    rules: LandRules | None,
    now_ms: int,
    detail: Mapping[str, object] = {},
    has_paid: bool = False,
) -> EstateRow:
    """Make somebody else the owner of an estate: the one way in which owners change. Part of the caller's transaction.

    Args:
        tx: The transaction of the trade itself.
        estate: Locked, and as it is.
        to: The account that has it from then on.
        kind: GIVE, SALE or AUCTION.
        transfer: Of the money that was paid.
        rules: Of the world; None: they get it, however much they have.
        now_ms: Unix time.
        detail: For the register.
        has_paid: Whether whoever gets it has paid for it from their own purse in this transaction.

    Raises:
        Refusal: INVALID, it is too much for whoever would get it.
    """
    if rules is not None:
        refuse_too_much(tx, to, estate.parcels, rules, has_paid)
    offers.new_owner(tx, estate, to, now_ms)
    after = replace(estate, owner=to, shape=estate.shape + 1)
    tx.save_estate(after)
    register.append(tx, kind, estate.number, to, estate.owner, now_ms, transfer, detail)
    return after


def abandon(tx: Tx, command: Abandon) -> None:
    """Give an estate back to the world, for nothing.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN; LEASED; LOCKED, an auction of it has a bid.
    """
    before = _in_one_piece(tx, command.by, command.estate, command.now_ms)
    _return(tx, before, RegisterKind.ABANDON, command.now_ms)


def take(tx: Tx, command: Take) -> int:
    """Take an estate back to the world; whatever was offered of it or leased ends, who paid for that gets it back.

    Its owner is told, and a tenant.

    Returns:
        What of a tenant's rent nobody had to pay back, minor units.

    Raises:
        Refusal: FORBIDDEN; NOT_FOUND.
    """
    tx.lock_order()
    authorise_land(tx, command.by)
    before = locked_estate(tx, command.estate)
    reason = clean_text(command.reason, REASON_MAX)
    unpaid = offers.end_offers(tx, before, command.by.account, command.now_ms, forced=True)
    _return(tx, before, RegisterKind.TAKE, command.now_ms, reason)
    # The name is told with it: an estate that is gone is found nowhere.
    gone: dict[str, int | str] = {"estate": before.number, "title": before.name, "reason": reason}
    notices.tell(tx, [before.owner], NoticeKind.TAKEN, command.now_ms, **gone)
    owner = next(iter(tx.accounts([before.owner])), None)
    by, about = command.by, owner.name if owner is not None else ""
    told = f"estate {before.number}, {counted(before.parcels, 'parcel')}"
    told += f", {tx.currency.shown(unpaid)} of rent not paid back" if unpaid else ""
    told += f": {reason}" if reason else ""
    tx.append_audit(
        AuditRow(
            command.now_ms, by.account, by.name, AuditAct.TAKE_LAND, before.owner, about, None, told, None
        )
    )
    return unpaid


def _return(tx: Tx, estate: EstateRow, kind: RegisterKind, now_ms: int, reason: str = "") -> None:
    told = {"parcels": parcels_told(tx.parcels_of(estate.number)), **({"reason": reason} if reason else {})}
    tx.delete_deeds(estate.number)
    tx.delete_estate(estate.number)
    register.append(tx, kind, estate.number, None, estate.owner, now_ms, detail=told)


# ---- what is asked first


def _in_one_piece(tx: Tx, by: By, number: int, now_ms: int) -> EstateRow:
    """One's own estate, about to change its shape: not leased, and off the market."""
    found = own_estate(tx, by, number)
    offers.refuse_leased(tx, found, now_ms)
    offers.end_offers(tx, found, by.account, now_ms)
    return found


def _is_on(at: LandingRow, parcels: Sequence[Parcel]) -> bool:
    return parcel_at(at.x / XZ_PER_M, at.z / XZ_PER_M) in set(parcels)


def _sold(parcel: Parcel) -> Refusal:
    return Refusal(RefusalCode.SOLD, f"expected parcels that nobody owns, got {parcel}, which is somebody's")
