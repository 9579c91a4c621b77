"""Notices: what happened to this account's money and land, as events."""

from dataclasses import dataclass, fields

from worldloom_sdk.events import Event
from worldloom_sdk.protocol.estate_parts import NoticeInfo
from worldloom_sdk.protocol.messages import NoticeKind

__all__ = [
    "BidReceived",
    "BidRefunded",
    "EstateGiven",
    "EstateTaken",
    "LeaseEnded",
    "LeaseRenewed",
    "Leased",
    "Noticed",
    "OfferOver",
    "Outbid",
    "Paid",
    "RentDue",
    "Sold",
    "Won",
    "event_of",
]


@dataclass(frozen=True, slots=True)
class Noticed(Event):
    """Something happened to this account's money or land; what is not about it is 0 or empty."""

    number: int
    kind: str
    """A NoticeKind, or newer."""
    at_ms: int
    """Unix time."""
    listing: int
    estate: int
    lease: int
    amount: int
    """Price, bid, rent or payment, in minor units."""
    fee: int
    """What of it went to the treasury."""
    back: int
    """What was paid back."""
    account: int
    """The other side: who bought, bids, leased, paid; to who buys or leases, the owner."""
    name: str
    """The other side's, as it is now; empty if that account is gone."""
    until_ms: int
    """When the auction or the lease ends; Unix time."""
    periods_left: int
    """By which the lease can still be renewed."""
    title: str = ""
    """The name of an estate that is no more."""
    text: str = ""
    """The reason."""


@dataclass(frozen=True, slots=True)
class Sold(Noticed):
    """An estate of this account was bought, at a price or by auction."""


@dataclass(frozen=True, slots=True)
class Won(Noticed):
    """This account has won an auction: the estate is its own."""


@dataclass(frozen=True, slots=True)
class BidReceived(Noticed):
    """Somebody bids in an auction of this account's."""


@dataclass(frozen=True, slots=True)
class Outbid(Noticed):
    """Somebody bids more; this account's bid was paid back."""


@dataclass(frozen=True, slots=True)
class OfferOver(Noticed):
    """An offer of this account has ended, and nobody had bought."""


@dataclass(frozen=True, slots=True)
class BidRefunded(Noticed):
    """An auction ended without a sale; this account's bid was paid back."""


@dataclass(frozen=True, slots=True)
class Leased(Noticed):
    """Somebody has leased an estate of this account."""


@dataclass(frozen=True, slots=True)
class LeaseRenewed(Noticed):
    """A tenant of this account has paid for further periods."""


@dataclass(frozen=True, slots=True)
class RentDue(Noticed):
    """A lease of this account is about to end."""


@dataclass(frozen=True, slots=True)
class LeaseEnded(Noticed):
    """A lease has ended, of which this account was tenant or owner."""


@dataclass(frozen=True, slots=True)
class EstateGiven(Noticed):
    """Somebody gave this account an estate."""


@dataclass(frozen=True, slots=True)
class EstateTaken(Noticed):
    """The operator took an estate of this account back to the world: ``title`` was its name, ``text`` is the reason."""


@dataclass(frozen=True, slots=True)
class Paid(Noticed):
    """Somebody paid this account."""


_KINDS: dict[str, type[Noticed]] = {
    NoticeKind.SOLD: Sold,
    NoticeKind.WON: Won,
    NoticeKind.BID: BidReceived,
    NoticeKind.OUTBID: Outbid,
    NoticeKind.OVER: OfferOver,
    NoticeKind.REFUNDED: BidRefunded,
    NoticeKind.LEASED: Leased,
    NoticeKind.RENEWED: LeaseRenewed,
    NoticeKind.RENT_DUE: RentDue,
    NoticeKind.LEASE_ENDED: LeaseEnded,
    NoticeKind.GIVEN: EstateGiven,
    NoticeKind.TAKEN: EstateTaken,
    NoticeKind.PAID: Paid,
}
_FIELDS = tuple(field.name for field in fields(Noticed))


def event_of(told: NoticeInfo) -> Noticed:
    """The event of a notice."""
    kind = _KINDS.get(told.kind, Noticed)
    return kind(**{name: getattr(told, name) for name in _FIELDS})
