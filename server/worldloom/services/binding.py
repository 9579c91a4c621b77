"""Binding: all that binds an estate besides its owner, as the operator reads it. Changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom.ports.market import LeaseOfferRow, LeaseRow, ListingRow
from worldloom.ports.rights import ExclusionRow, PermitRow
from worldloom.services import offers
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["AskBinding", "Binding", "binding"]


@dataclass(frozen=True, slots=True)
class AskBinding:
    """What binds this estate?"""

    estate: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds an estate."""

    listing: ListingRow | None
    """To whomever it is offered, and also if it is over and nobody settled it yet."""
    offer: LeaseOfferRow | None
    """On what terms it is to let, to whomever."""
    lease: LeaseRow | None
    """In force."""
    permits: Sequence[PermitRow]
    """In the order in which they were given, run out or not."""
    exclusions: Sequence[ExclusionRow]
    """In the order of accounts, run out or not."""
    in_charge: int
    """The tenant's account, or the owner's: what another one gave or shut out has no effect now."""
    names: Mapping[int, str]
    """Of every account in these, as long as it is there."""


def binding(tx: Tx, command: AskBinding) -> Binding:
    """What binds an estate.

    Raises:
        Refusal: NOT_FOUND, there is no such estate.
    """
    number = command.estate
    estate = tx.estate(number)
    if estate is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an estate, got {number}, which is none")
    listing, offer = tx.listing_of(number), tx.lease_offer(number)
    lease = offers.lease_in_force(tx, number, command.now_ms)
    permits, exclusions = tx.permits([number]), tx.exclusions([number])
    named: set[int | None] = {who for row in permits for who in (row.giver, row.account)}
    named |= {who for row in exclusions for who in (row.giver, row.account)}
    if listing is not None:
        named |= {listing.seller, listing.only, listing.top}
    if offer is not None:
        named |= {offer.owner, offer.only}
    if lease is not None:
        named.add(lease.tenant)
    names = {row.account: row.name for row in tx.accounts(sorted(who for who in named if who is not None))}
    in_charge = estate.owner if lease is None else lease.tenant
    return Binding(listing, offer, lease, permits, exclusions, in_charge, names)
