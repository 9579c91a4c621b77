"""Parts of the messages about money, land and the market, each an array of its fields; most are what a Done carries.

Amounts are whole minor units of the world's money, times are Unix milliseconds.
"""

from typing import Annotated

from msgspec import Meta, Struct

from worldloom_sdk.protocol.geometry import XZ_PER_M

__all__ = [
    "Balance",
    "Barred",
    "Bought",
    "Counterpart",
    "EstateInfo",
    "Holdings",
    "Landing",
    "LeaseInfo",
    "LeaseOffer",
    "LeaseOfferPage",
    "LeaseTerms",
    "NoticeInfo",
    "Offer",
    "OfferPage",
    "ParcelInfo",
    "Permit",
    "Plan",
    "RegisterEntry",
    "Rights",
    "Run",
    "ShownOffer",
    "StatementEntry",
    "Trades",
    "ZoneInfo",
]

_ParcelIndex = Annotated[int, Meta(ge=-524_272, le=524_287)]


class Run(Struct, array_like=True, frozen=True):
    """Parcels of 16 m in a row: ``n`` of them, from ``(px, pz)`` on eastwards."""

    px: _ParcelIndex
    """``floor(x / 16 m)``."""
    pz: _ParcelIndex
    n: Annotated[int, Meta(ge=1, le=4_096)] = 1


class Landing(Struct, array_like=True, frozen=True):
    """Where visitors of an estate are set down."""

    x: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
    """1/64 m."""
    z: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
    """1/64 m."""
    y: Annotated[int, Meta(ge=-(2**15), le=2**15 - 1)] = -(2**15)
    """1/16 m; -32,768: on the ground."""
    yaw: Annotated[int, Meta(ge=0, le=255)] = 0
    """1/256 turns."""

    @property
    def metres(self) -> tuple[float, float]:
        """Its x and z in metres."""
        return self.x / XZ_PER_M, self.z / XZ_PER_M


class Balance(Struct, array_like=True, frozen=True):
    """What an account has, and how the world's money is written."""

    own: int
    """To be spent on anything."""
    granted: int
    """To be spent on claims only."""
    name: str
    """What a coin is called."""
    digits: int
    """After the point: 2 makes a coin of 100 minor units."""


class Counterpart(Struct, array_like=True, frozen=True):
    """Another purse of a transfer."""

    kind: str
    """Either "person", "grant", "treasury", "escrow" or "mint"."""
    name: str
    """Of its account; empty if it is nobody's, or theirs who are gone."""


class StatementEntry(Struct, array_like=True, frozen=True):
    """What a purse of an account got or gave."""

    transfer: int
    """Its number."""
    at_ms: int
    kind: str
    """What for: "grant", "mint", "burn", "pay", "claim", "sale", "bid", "outbid", "settle", "rent", "refund" or
    "correct"."""
    amount: int
    """Above 0 what came, below 0 what went."""
    granted: bool
    """Whether it is of what can be spent on claims only."""
    memo: str
    ref: int
    """Number of the listing, estate or lease that it is about; 0: none."""
    others: list[Counterpart]
    """The other purses of the transfer."""


class NoticeInfo(Struct, array_like=True, frozen=True):
    """Something that an account is told. A number is 0 and a text empty where there is nothing to say."""

    number: int
    """Rises; each account has its own of them, with gaps."""
    kind: str
    """See the kinds of notices; more may be added."""
    at_ms: int
    read: bool = False
    """Whether this account has said so."""
    listing: int = 0
    estate: int = 0
    lease: int = 0
    amount: int = 0
    """The price, bid, rent or payment."""
    fee: int = 0
    """What of it went to the treasury."""
    back: int = 0
    """What was paid back."""
    account: int = 0
    """The other side; see the kinds of notices."""
    name: str = ""
    """The other side's name, as it is now; empty if that account is gone."""
    until_ms: int = 0
    """When the auction or the lease ends."""
    periods_left: int = 0
    """By which the lease can still be renewed."""
    title: str = ""
    """The name of an estate that is no more."""
    text: str = ""
    """The reason."""


class ParcelInfo(Struct, array_like=True, frozen=True):
    """A parcel: whose it is, or what it costs."""

    px: int
    pz: int
    estate: int = 0
    """0: the world's."""
    name: str = ""
    """The estate's."""
    owner: int = 0
    """An account."""
    owner_name: str = ""
    price: int | None = None
    """To claim it; nil: it is somebody's, or not open for claiming."""


class LeaseInfo(Struct, array_like=True, frozen=True):
    """A lease. It grants nothing from ``until_ms`` on."""

    lease: int
    """Its number."""
    estate: int
    tenant: int
    """An account."""
    rent: int
    """Of one period."""
    period_s: int
    from_ms: int
    until_ms: int
    latest_ms: int
    """When it ends at the latest, however often it is renewed."""
    renewable: bool


class EstateInfo(Struct, array_like=True, frozen=True):
    """Parcels of one owner that are traded as one."""

    estate: int
    """Its number."""
    owner: int
    """An account."""
    owner_name: str
    name: str
    description: str
    parcels: int
    """How many it has."""
    shape: int
    """Rises with each change of its parcels or its owner."""
    created_ms: int
    locked_until_ms: int
    """It cannot be sold or given away before then."""
    landing: Landing | None
    runs: list[Run] = []
    """Its parcels, where they were asked for."""
    lease: LeaseInfo | None = None
    """That is in force, where it was asked for."""


class Permit(Struct, array_like=True, frozen=True):
    """Verbs that somebody was given in an estate."""

    account: int
    """0: everyone."""
    name: str
    verbs: int
    """A sum of Verbs."""
    role: str
    """By which name they were given; empty: one by one."""
    until_ms: int
    """From then on it grants nothing; 0: without end."""
    giver: int
    """In whose name: it counts as long as that account is in charge there, as owner or tenant."""


class Barred(Struct, array_like=True, frozen=True):
    """Somebody is shut out of an estate."""

    account: int
    name: str
    until_ms: int
    """0: without end."""
    reason: str
    giver: int
    """In whose name, as in Permit."""


class Rights(Struct, array_like=True, frozen=True):
    """Who may do what in an estate."""

    everyone: int
    """What everyone may now: a sum of Verbs."""
    own: int
    """What you may now."""
    permits: list[Permit]
    """All, if you manage access there; else yours and what is said of everyone. Run out or not."""
    barred: list[Barred]
    """Likewise."""


class Holdings(Struct, array_like=True, frozen=True):
    """What an account has: a page of estates, and how much it is in all."""

    account: int
    name: str
    parcels: int
    """Of all its estates."""
    estates: list[EstateInfo]
    """By number; without their parcels."""
    more: bool
    """Whether there are further ones: ask with the last number."""


class RegisterEntry(Struct, array_like=True, frozen=True):
    """A change of title, or what binds land, as the register has it."""

    number: int
    at_ms: int
    kind: str
    """Either "claim", "split", "join", "give", "abandon", "take", "sale", "auction", "list", "withdraw", "over",
    "lease" or "renew"; more may be added."""
    estate: int
    account: int
    """Who has the title from then on, or the lease; 0: the world."""
    name: str
    other: int
    """Who had it before, or the other side; 0: the world, or nobody."""
    other_name: str
    transfer: int
    """Of the money that was paid; 0: none."""
    detail: str
    """JSON: what else there is to tell."""
    seal: int
    """Number of its seal; 0: it waits for it, about a second."""
    hash: str
    """Of this row and all that were sealed before it: 64 hexadecimal digits; empty without a seal."""


class ZoneInfo(Struct, array_like=True, frozen=True):
    """A region whose parcels can be claimed."""

    rx: int
    rz: int
    price: int
    """Of a parcel."""


class Plan(Struct, array_like=True, frozen=True):
    """Who owns what in a rectangle of regions."""

    estates: list[EstateInfo]
    """Each with those of its parcels that lie there."""
    zones: list[ZoneInfo]
    """Where the rest can be claimed."""


class Offer(Struct, array_like=True, frozen=True):
    """An estate is offered for sale: an open listing."""

    listing: int
    """Its number."""
    kind: str
    """Either "sale" or "auction"."""
    estate: int
    name: str
    """The estate's; on a page as it was when that was asked for."""
    seller: int
    """An account."""
    seller_name: str
    price: int
    """Of a sale; the least first bid of an auction."""
    asked: int
    """What the next who wants it must give."""
    parcels: int
    px: int
    """With ``pz`` the parcel near its middle."""
    pz: int
    fingerprint: str
    """Of all that is shown: 32 hexadecimal digits. Whoever buys or bids gives it back."""
    fee: int
    """Of what is paid, for the treasury: hundredths of a percent. The seller gets the rest."""
    created_ms: int
    only: int = 0
    """The account that it is offered to; 0: everybody."""
    step: int = 0
    """What a bid must be above the one before."""
    ends_ms: int = 0
    """0: it has no end."""
    top: int = 0
    """Who bid most so far."""
    top_bid: int = 0


class OfferPage(Struct, array_like=True, frozen=True):
    """A page of what is for sale."""

    offers: list[Offer]
    next: list[int] | None
    """Where the next begins, for ``after``; nil: there is none."""


class ShownOffer(Struct, array_like=True, frozen=True):
    """An offer, and all of what is offered."""

    offer: Offer
    estate: EstateInfo
    """With its parcels and its lease: that goes with it."""


class Bought(Struct, array_like=True, frozen=True):
    """What somebody bought."""

    listing: int
    estate: int
    price: int
    transfer: int
    """Number of the transfer by which it was paid."""


class LeaseOffer(Struct, array_like=True, frozen=True):
    """An estate is to let."""

    estate: int
    name: str
    """The estate's."""
    owner: int
    """An account."""
    owner_name: str
    rent: int
    """Of one period, paid in advance."""
    period_s: int
    max_periods: int
    """Of one lease, renewals included."""
    renewable: bool
    parcels: int
    px: int
    """With ``pz`` the parcel near its middle."""
    pz: int
    fingerprint: str
    """Of all that is shown: 32 hexadecimal digits. Whoever leases gives it back."""
    fee: int
    """Of the rent, for the treasury: hundredths of a percent."""
    created_ms: int
    only: int = 0
    """The account that it is offered to; 0: everybody."""


class LeaseOfferPage(Struct, array_like=True, frozen=True):
    """A page of what is to let and not leased now."""

    offers: list[LeaseOffer]
    next: list[int] | None
    """Where the next begins, for ``after``; nil: there is none."""


class LeaseTerms(Struct, array_like=True, frozen=True):
    """On what terms an estate is to let, and whether somebody has it."""

    offer: LeaseOffer | None
    """nil: it is not to let, or not to you."""
    lease: LeaseInfo | None
    """That is in force."""


class Trades(Struct, array_like=True, frozen=True):
    """What an account has in hand at the market: the first 100 of each."""

    offers: list[Offer]
    """Its own, newest first."""
    bids: list[Offer]
    """Auctions in which it is ahead, newest first."""
    leases: list[LeaseInfo]
    """Of which it is the tenant, the first to end first."""
