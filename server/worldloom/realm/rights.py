"""Rights: who may do what in a place, at a moment. One function decides. Knows no tables, no bodies, no clock.

A right is a verb. Who owns a place has all of them; while it is leased the tenant is in charge instead, and of the
owner's rights only those to sell and to lease remain. Whoever is in charge gives verbs to everyone and to named
accounts, and excludes; what somebody gave counts only as long as they are in charge, so nothing has to be taken back
when a lease ends or a place is sold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntFlag, StrEnum

from worldloom_sdk.protocol.estate import Verb

__all__ = [
    "ALL",
    "EVERYONE",
    "GIVEN_ROLES",
    "GIVEN_TO_EVERYONE",
    "NONE",
    "ROLE_VERBS",
    "WORLD_LAND",
    "Entry",
    "EstateRole",
    "Exclusion",
    "Grant",
    "Place",
    "Tenancy",
    "Timeline",
    "Verb",
    "Visitor",
    "decide",
    "entry_of",
    "may_enter",
    "timelines",
    "verbs_of",
]


NONE = Verb(0)
ALL = Verb(511)


class EstateRole(StrEnum):
    """Verbs by one name."""

    OWNER = "owner"
    MANAGER = "manager"
    BUILDER = "builder"
    TENANT = "tenant"


ROLE_VERBS: Mapping[EstateRole, Verb] = {
    EstateRole.OWNER: ALL,
    EstateRole.MANAGER: ALL & ~Verb.SELL,
    EstateRole.BUILDER: Verb.ENTER | Verb.SEE | Verb.BUILD | Verb.INTERACT | Verb.TERRAFORM,
    EstateRole.TENANT: Verb.ENTER | Verb.SEE | Verb.BUILD | Verb.INTERACT | Verb.MANAGE | Verb.BOTS,
}
GIVEN_ROLES = tuple(role for role in EstateRole if role is not EstateRole.OWNER)
"""What accounts can be given: nobody becomes the owner by it."""
EVERYONE = Verb.ENTER | Verb.SEE | Verb.INTERACT | Verb.BOTS
"""What everyone may in a place whose owner said nothing else."""
WORLD_LAND = EVERYONE
"""What everyone may on land that nobody owns. What more the world's staff may there is decided elsewhere."""
GIVEN_TO_EVERYONE = EVERYONE | Verb.BUILD | Verb.TERRAFORM
"""The most that everyone can be given."""
_LANDLORD = Verb.SELL | Verb.LEASE
"""What is left to the owner of a leased place."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Verbs that were given."""

    giver: int
    """The owner's or tenant's account, also where a manager did it for them."""
    account: int | None
    """To whom; None: everyone, in place of what everyone may otherwise."""
    verbs: Verb
    until_ms: int | None = None
    """From then on it grants nothing. Unix time, like all times here."""

    def in_force(self, now_ms: int) -> bool:
        """Whether it has not ended."""
        return self.until_ms is None or now_ms < self.until_ms


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Somebody may not do anything in a place, whatever else they were given."""

    giver: int
    account: int
    until_ms: int | None = None

    def in_force(self, now_ms: int) -> bool:
        """Whether it has not ended."""
        return self.until_ms is None or now_ms < self.until_ms


@dataclass(frozen=True, slots=True)
class Tenancy:
    """A place is leased, from a moment until another, which is not in it any more."""

    tenant: int
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Place:
    """An estate, as far as rights go."""

    estate: int
    owner: int
    grants: tuple[Grant, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    lease: Tenancy | None = None

    def tenant(self, now_ms: int) -> int | None:
        """Who leases it at a moment."""
        lease = self.lease
        return lease.tenant if lease is not None and lease.from_ms <= now_ms < lease.until_ms else None

    def in_charge(self, now_ms: int) -> int:
        """Whose rules are in force at a moment: the tenant's, or the owner's."""
        tenant = self.tenant(now_ms)
        return self.owner if tenant is None else tenant

    def excludes(self, account: int | None, now_ms: int) -> bool:
        """Whether an account is excluded at a moment; owner and tenant cannot be."""
        if account is None or account in (self.owner, self.tenant(now_ms)):
            return False
        giver = self.in_charge(now_ms)
        return any(
            one.account == account and one.giver == giver and one.in_force(now_ms) for one in self.exclusions
        )

    def named(self) -> set[int]:
        """The accounts for which it may be otherwise than for everyone."""
        granted = {one.account for one in self.grants if one.account is not None}
        tenants = {self.lease.tenant} if self.lease is not None else set()
        return granted | {one.account for one in self.exclusions} | tenants | {self.owner}

    def everyone(self, now_ms: int) -> Verb:
        """What everyone may at a moment: as the tenant says, else the owner, else ``EVERYONE``."""
        tenant = self.tenant(now_ms)
        if tenant is not None:
            said = self._given(tenant, None, now_ms)
            if said is not None:
                return said & GIVEN_TO_EVERYONE & ROLE_VERBS[EstateRole.TENANT]
        said = self._given(self.owner, None, now_ms)
        return EVERYONE if said is None else said & GIVEN_TO_EVERYONE

    def _given(self, giver: int, account: int | None, now_ms: int) -> Verb | None:
        """What somebody gave to an account, or to everyone; None: nothing was said."""
        verbs: Verb | None = None
        for one in self.grants:
            if one.giver == giver and one.account == account and one.in_force(now_ms):
                verbs = one.verbs if verbs is None else verbs | one.verbs
        return verbs

    def given(self, account: int, now_ms: int) -> Verb:
        """What an account was given by name: by who is in charge; to sell and to lease by the owner always."""
        tenant = self.tenant(now_ms)
        by_owner = self._given(self.owner, account, now_ms) or NONE
        if tenant is None:
            return by_owner
        by_tenant = self._given(tenant, account, now_ms) or NONE
        return by_tenant & ROLE_VERBS[EstateRole.TENANT] | by_owner & _LANDLORD


@dataclass(frozen=True, slots=True)
class Visitor:
    """A body that wants in."""

    account: int | None
    """None: a guest."""
    owner: int | None = None
    """Of a bot: whose it is. Its owner's rights are its own."""
    is_bot: bool = False
    staff: bool = False
    """Whether it keeps order in this world."""


def verbs_of(account: int | None, place: Place | None, now_ms: int) -> Verb:
    """Everything that an account may in a place at a moment.

    Args:
        account: Whose account; None: a guest.
        place: Where; None: on land that nobody owns.
        now_ms: Unix time.
    """
    if place is None:
        return WORLD_LAND
    if place.excludes(account, now_ms):
        return NONE
    everyone = place.everyone(now_ms)
    if account is None:
        return everyone
    tenant = place.tenant(now_ms)
    if account == tenant:
        own = ROLE_VERBS[EstateRole.TENANT]
        return own | _LANDLORD if account == place.owner else own
    if account == place.owner:
        own = ALL if tenant is None else _LANDLORD
        return everyone | place.given(account, now_ms) | own
    return everyone | place.given(account, now_ms)


def decide(verb: Verb, account: int | None, place: Place | None, now_ms: int, staff: bool = False) -> bool:
    """Whether an account may do something in a place at a moment: all of the rules are here.

    Args:
        verb: What; of several, all of them.
        account: Whose account; None: a guest.
        place: Where; None: on land that nobody owns.
        now_ms: Unix time.
        staff: Whether it keeps order in this world: may go and look everywhere, be it excluded or not.
    """
    verbs = verbs_of(account, place, now_ms)
    if staff:
        verbs |= Verb.ENTER | Verb.SEE
    return verb in verbs


def may_enter(visitor: Visitor, place: Place | None, now_ms: int) -> bool:
    """Whether a body may be in a place at a moment.

    A bot needs the right to have bots there as well; both it may have of its own or by its owner. It is out when
    either of the two is excluded.
    """
    if visitor.staff or place is None:
        return True
    whose = (visitor.account, visitor.owner) if visitor.owner is not None else (visitor.account,)
    if any(place.excludes(account, now_ms) for account in whose):
        return False
    need = Verb.ENTER | Verb.BOTS if visitor.is_bot else Verb.ENTER
    return all(any(decide(one, account, place, now_ms) for account in whose) for one in need)


class Entry(IntFlag):
    """What a body at the door must know of an account; a table of these is what a tick asks."""

    ENTER = 1
    SEE = 2
    BOTS = 4
    EXCLUDED = 8


Timeline = tuple[tuple[int, Entry], ...]
"""What holds from when on, ascending; the first from 0."""


def entry_of(account: int | None, place: Place, now_ms: int) -> Entry:
    """What the door must know of an account at a moment."""
    entry = Entry(0)
    for verb, bit in ((Verb.ENTER, Entry.ENTER), (Verb.SEE, Entry.SEE), (Verb.BOTS, Entry.BOTS)):
        if decide(verb, account, place, now_ms):
            entry |= bit
    return entry | Entry.EXCLUDED if place.excludes(account, now_ms) else entry


def timelines(place: Place) -> tuple[Timeline, dict[int, Timeline]]:
    """What holds at the door of a place at any time: for everyone, and for those for whom it is ever otherwise.

    It changes only when something begins or ends, so it is asked then, and nothing is decided a second time here.
    """
    nobody = replace(place, grants=tuple(one for one in place.grants if one.account is None), exclusions=())
    everyone = _timeline(None, nobody)
    named = {}
    for account in sorted(place.named()):
        about = replace(
            place,
            grants=tuple(one for one in place.grants if one.account in (None, account)),
            exclusions=tuple(one for one in place.exclusions if one.account == account),
        )
        line = _timeline(account, about)
        if line != everyone:
            named[account] = line
    return everyone, named


def _timeline(account: int | None, about: Place) -> Timeline:
    ends = [one.until_ms for one in about.grants] + [one.until_ms for one in about.exclusions]
    moments = {0} | {end for end in ends if end is not None}
    if about.lease is not None:
        moments |= {about.lease.from_ms, about.lease.until_ms}
    line: list[tuple[int, Entry]] = []
    for moment in sorted(max(moment, 0) for moment in moments):
        entry = entry_of(account, about, moment)
        if not line or line[-1][1] != entry:
            line.append((moment, entry))
    return tuple(line)
