"""Rights: giving and taking verbs in estates, and shutting people out. What of it a shard has to know: ``gates``.

What is stored says who gave what in whose name; whether it counts is decided by ``realm.rights`` when it is asked, from
owner and lease as they are then. So nothing here has to be done when a lease ends or a place is sold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom.ports.rights import ExclusionRow, PermitRow
from worldloom.realm.durations import in_words
from worldloom.realm.estates import Parcel
from worldloom.realm.names import clean_text
from worldloom.realm.rights import (
    GIVEN_ROLES,
    GIVEN_TO_EVERYONE,
    ROLE_VERBS,
    EstateRole,
    Exclusion,
    Grant,
    Place,
    Tenancy,
    Verb,
    decide,
    verbs_of,
)
from worldloom.services.asking import By, Whom, find, invalid
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "EXCLUSIONS_MAX",
    "PERMITS_MAX",
    "REASON_MAX",
    "Admit",
    "Allow",
    "Disallow",
    "Exclude",
    "Rules",
    "admit",
    "allow",
    "disallow",
    "exclude",
    "may",
    "place_of",
    "places_at",
    "places_of",
    "rules",
]

PERMITS_MAX = 256
"""Accounts to which something is given in one estate in one name."""
EXCLUSIONS_MAX = 256
"""Accounts that are excluded from one estate in one name."""
REASON_MAX = 500

Row = TypeVar("Row", PermitRow, ExclusionRow)


@dataclass(frozen=True, slots=True)
class Allow:
    """Somebody gives verbs in an estate, in place of what was given before."""

    by: By
    estate: int
    to: Whom | None
    """An account or a name; None: everyone."""
    now_ms: int
    """Unix time."""
    verbs: Verb | None = None
    """Exactly these; everyone may have none at all."""
    role: EstateRole | None = None
    """Or those of a role; to an account alone."""
    until_ms: int | None = None
    """From then on it grants nothing; None: without end."""


@dataclass(frozen=True, slots=True)
class Disallow:
    """Somebody takes back what was given by name, or what was said of everyone."""

    by: By
    estate: int
    to: Whom | None
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Exclude:
    """Somebody is not to be in an estate."""

    by: By
    estate: int
    whom: Whom
    now_ms: int
    """Unix time."""
    until_ms: int | None = None
    reason: str = ""
    """As typed."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Somebody who was excluded is so no longer."""

    by: By
    estate: int
    whom: Whom
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may do what in an estate: as it was given, in whose name, run out or not."""

    place: Place
    everyone: Verb
    """What everyone may now."""
    own: Verb
    """What who asks may now."""
    permits: Sequence[PermitRow]
    """All, for who manages access; else those of who asks, and of everyone."""
    exclusions: Sequence[ExclusionRow]
    """Likewise."""


# ---- what is decided


def place_of(tx: Tx, estate: int, now_ms: int) -> Place:
    """An estate, as far as rights go.

    Raises:
        Refusal: NOT_FOUND, there is none of that number.
    """
    found = places_of(tx, [estate], now_ms).get(estate)
    if found is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an estate, got {estate}, which is none")
    return found


def may(tx: Tx, verb: Verb, account: int | None, estate: int, now_ms: int) -> bool:
    """Whether an account may do something in an estate; of several verbs, all of them.

    Raises:
        Refusal: NOT_FOUND, there is none of that number.
    """
    return decide(verb, account, place_of(tx, estate, now_ms), now_ms)


def places_at(tx: Tx, parcels: Sequence[Parcel], now_ms: int) -> dict[Parcel, Place]:
    """The places to which parcels belong; those that nobody owns are not there."""
    deeds = tx.deeds(parcels)
    places = places_of(tx, sorted({row.estate for row in deeds}), now_ms)
    return {(row.px, row.pz): places[row.estate] for row in deeds if row.estate in places}


def rules(tx: Tx, by: By, estate: int, now_ms: int) -> Rules:
    """Who may do what in an estate. Only reads; what others were given is told to who manages access alone.

    Raises:
        Refusal: NOT_FOUND, there is none of that number.
    """
    place = place_of(tx, estate, now_ms)
    own = verbs_of(by.account, place, now_ms)
    permits, exclusions = tx.permits([estate]), tx.exclusions([estate])
    if not (by.is_operator or Verb.MANAGE in own):
        permits = [row for row in permits if row.account in (None, by.account)]
        exclusions = [row for row in exclusions if row.account == by.account]
    return Rules(place, place.everyone(now_ms), own, permits, exclusions)


# ---- giving and taking


def allow(tx: Tx, command: Allow) -> PermitRow:
    """Give verbs to an account, or say what everyone may.

    It is given in the name of who is in charge, the owner or the tenant. Nobody gives more than they have: of a role,
    what they have of it.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN, one may not manage access there, or not give that; INVALID.
    """
    place, own = _managed(tx, command.by, command.estate, command.now_ms)
    _check_until(command.until_ms, command.now_ms)
    verbs, role = _given(command)
    if role and verbs & own:
        verbs &= own
    if verbs & ~own:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected verbs that you have yourself, got {_said(verbs & ~own)} as well",
            hint=f"you have {_said(own)}",
        )
    account = _account_of(tx, command.to)
    giver = place.in_charge(command.now_ms)
    if account == giver:
        raise invalid("expected somebody else, or everyone, got who has all that can be given")
    others = {row.account for row in tx.permits([command.estate]) if row.giver == giver} - {account}
    if len(others) >= PERMITS_MAX:
        raise invalid(f"expected at most {PERMITS_MAX} who are given something, got one more")
    row = PermitRow(command.estate, giver, account, int(verbs), role, command.until_ms, command.now_ms)
    tx.save_permit(row)
    tx.note_access([command.estate], command.now_ms)
    return row


def disallow(tx: Tx, command: Disallow) -> None:
    """Take back what an account was given by name, or what was said of everyone.

    Raises:
        Refusal: NOT_FOUND, also if nothing was given; FORBIDDEN, one may not manage access there.
    """
    place, _ = _managed(tx, command.by, command.estate, command.now_ms)
    account = _account_of(tx, command.to)
    if not tx.delete_permit(command.estate, place.in_charge(command.now_ms), account):
        raise Refusal(RefusalCode.NOT_FOUND, "expected somebody who was given something there, got another")
    tx.note_access([command.estate], command.now_ms)


def exclude(tx: Tx, command: Exclude) -> ExclusionRow:
    """Shut an account out of an estate. Who is inside can go out, and not deeper.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN, one may not manage access there; INVALID, it is the owner or the tenant.
    """
    place, _ = _managed(tx, command.by, command.estate, command.now_ms)
    _check_until(command.until_ms, command.now_ms)
    account, now_ms = _account_of(tx, command.whom), command.now_ms
    if account is None or account in (place.owner, place.tenant(now_ms)):
        raise invalid("expected somebody who neither owns nor leases it, got one who does")
    giver = place.in_charge(now_ms)
    others = {row.account for row in tx.exclusions([command.estate]) if row.giver == giver} - {account}
    if len(others) >= EXCLUSIONS_MAX:
        raise invalid(f"expected at most {EXCLUSIONS_MAX} who are excluded, got one more")
    reason = clean_text(command.reason, REASON_MAX)
    row = ExclusionRow(command.estate, giver, account, command.until_ms, reason, now_ms)
    tx.save_exclusion(row)
    tx.note_access([command.estate], now_ms)
    return row


def admit(tx: Tx, command: Admit) -> None:
    """Shut an account out no longer.

    Raises:
        Refusal: NOT_FOUND, also if it was not excluded; FORBIDDEN, one may not manage access there.
    """
    place, _ = _managed(tx, command.by, command.estate, command.now_ms)
    account = _account_of(tx, command.whom)
    giver = place.in_charge(command.now_ms)
    if account is None or not tx.delete_exclusion(command.estate, giver, account):
        raise Refusal(RefusalCode.NOT_FOUND, "expected somebody who is excluded there, got another")
    tx.note_access([command.estate], command.now_ms)


def _managed(tx: Tx, by: By, number: int, now_ms: int) -> tuple[Place, Verb]:
    """An estate, locked, and the verbs that somebody has who may manage access there."""
    tx.lock_rights()
    # So that nobody becomes its owner or tenant meanwhile.
    tx.lock_estate(number)
    place = place_of(tx, number, now_ms)
    own = verbs_of(by.account, place, now_ms)
    if by.account is None or Verb.MANAGE not in own:
        is_let = by.account == place.owner and place.tenant(now_ms) is not None
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected an estate in which you manage access, got {number}{', which you let' * is_let}",
            hint="until the lease ends its tenant is in charge of who may do what"
            if is_let
            else "its owner manages it, or its tenant, and whom they let",
        )
    return place, own


def _given(command: Allow) -> tuple[Verb, str]:
    """The verbs that are to be given, and the role by which they are called."""
    if (command.verbs is None) == (command.role is None):
        raise invalid("expected verbs or a role, got both or neither")
    if command.role is not None:
        if command.to is None:
            raise invalid("expected a role for an account, got one for everyone", hint="give everyone verbs")
        if command.role not in GIVEN_ROLES:
            raise invalid(f"expected a role of {', '.join(GIVEN_ROLES)}, got {command.role!r}")
        return ROLE_VERBS[command.role], command.role.value
    verbs = command.verbs or Verb(0)
    if command.to is None and verbs & ~GIVEN_TO_EVERYONE:
        most = _said(GIVEN_TO_EVERYONE)
        raise invalid(f"expected for everyone some of {most}, got {_said(verbs & ~GIVEN_TO_EVERYONE)}")
    if command.to is not None and not verbs:
        raise invalid("expected at least one verb for an account, got none", hint="exclude it instead")
    return verbs, ""


def _account_of(tx: Tx, whom: Whom | None) -> int | None:
    if whom is None:
        return None
    account = find(tx, whom).account
    if account is None:
        raise invalid("expected an account, got a guest or a network")
    return account


def _check_until(until_ms: int | None, now_ms: int) -> None:
    if until_ms is not None and until_ms <= now_ms:
        raise invalid(f"expected an end in the future, got one {in_words(now_ms - until_ms)} ago")


def _said(verbs: Verb) -> str:
    return ", ".join(str(verb.name).lower() for verb in verbs) or "none"


def places_of(tx: Tx, estates: Sequence[int], now_ms: int) -> dict[int, Place]:
    """Estates, as far as rights go, by number; numbers of none are passed over."""
    permits = _by_estate(tx.permits(estates))
    exclusions = _by_estate(tx.exclusions(estates))
    leases = {row.estate: row for row in tx.tenancies(estates, now_ms)}
    found = {}
    for row in tx.estates(estates):
        lease = leases.get(row.number)
        found[row.number] = Place(
            row.number,
            row.owner,
            tuple(
                Grant(one.giver, one.account, Verb(one.verbs), one.until_ms)
                for one in permits.get(row.number, ())
            ),
            tuple(Exclusion(one.giver, one.account, one.until_ms) for one in exclusions.get(row.number, ())),
            Tenancy(lease.tenant, lease.from_ms, lease.until_ms) if lease is not None else None,
        )
    return found


def _by_estate(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Rows in order of their estates, by estate."""
    return {estate: list(some) for estate, some in groupby(rows, lambda row: row.estate)}
