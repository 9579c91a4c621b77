"""Messages about money, land and the market, as part of ``messages``.

Whatever moves money or land carries a ``key``: 16 bytes that the client makes up for this one request. The same
request with the same key has one effect and one answer, however often it is sent, on whichever connection, for a week.
"""

from enum import IntFlag, StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct

from worldloom_sdk.protocol.estate_parts import (
    Balance,
    Bought,
    EstateInfo,
    Holdings,
    Landing,
    LeaseInfo,
    LeaseOffer,
    LeaseOfferPage,
    LeaseTerms,
    NoticeInfo,
    Offer,
    OfferPage,
    ParcelInfo,
    Plan,
    RegisterEntry,
    Rights,
    Run,
    ShownOffer,
    StatementEntry,
    Trades,
    ZoneInfo,
)
from worldloom_sdk.protocol.land import CommandId

__all__ = [
    "ESTATE_RESULTS",
    "KEYED",
    "KEY_BYTES",
    "Estate",
    "EstateAct",
    "Market",
    "MarketAct",
    "Money",
    "MoneyAct",
    "Notice",
    "NoticeKind",
    "Verb",
]

KEY_BYTES = 16
_Account = Annotated[int, Meta(ge=0, le=0x7FFF_FFFF)]
_Amount = Annotated[int, Meta(ge=0, le=10**15)]
_Key = Annotated[bytes, Meta(max_length=KEY_BYTES)]
_Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_Seconds = Annotated[int, Meta(ge=0, le=366 * 24 * 3_600)]
_Periods = Annotated[int, Meta(ge=0, le=1_000)]
_Metres = Annotated[int, Meta(ge=-8_388_608, le=8_388_608)]


class MoneyAct(StrEnum):
    """What can be asked for about one's own money."""

    BALANCE = "balance"
    """What the account has."""
    PAY = "pay"
    """Pay ``amount`` to ``account`` or ``name``, with the text ``memo``. Takes a ``key``. Done carries the number of
    the transfer."""
    STATEMENT = "statement"
    """What came and went, newest first: 100 below transfer ``before``, or the newest."""
    NOTICES = "notices"
    """What the account was told, newest first: 100 below number ``before``, or the newest."""
    READ = "read"
    """The notices up to number ``before`` were read: they are not sent again. Done carries how many were not,
    before."""


class EstateAct(StrEnum):
    """What can be asked for about land."""

    PARCEL = "parcel"
    """Whose the first parcel of ``parcels`` is, or what it costs."""
    SHOW = "show"
    """All about ``estate``."""
    HOLDINGS = "holdings"
    """What ``account`` or ``name`` has: 100 estates behind number ``before``. With neither: what you have."""
    HISTORY = "history"
    """The register, newest first: 100 entries below number ``before``, on ``estate``, on ``account`` or ``name``, or on
    everything."""
    ZONES = "zones"
    """Regions that are open for claiming, by rx, then rz: 100 behind region ``region``, or the first."""
    PLAN = "plan"
    """Who owns what in the 3 x 3 regions around ``region``."""
    PRICE = "price"
    """What ``parcels`` cost together, if all of them are to be had."""
    RIGHTS = "rights"
    """Who may do what in ``estate``."""
    CLAIM = "claim"
    """Buy ``parcels`` from the world for ``price``, all or none, as one new estate with the name ``title``. Granted
    money is spent first; then the estate cannot be passed on for a week. With ``text``, the words by which a region is
    to be woven: all 256 parcels of one that nobody has seen yet. Takes a ``key``, as all that follow."""
    DESCRIBE = "describe"
    """Change name (``title``), description (``text``) or ``landing`` of ``estate``; what is nil stays. ``no_landing``:
    it has none any more."""
    SPLIT = "split"
    """Make ``parcels`` of ``estate`` an estate of their own with the name ``title``. Done carries what stays, then the
    new one. It comes off the market, as with all that follow."""
    JOIN = "join"
    """Make ``other`` a part of ``estate``: both are yours and share an edge."""
    GIVE = "give"
    """Give ``estate`` to ``account`` or ``name``. A lease goes with it."""
    ABANDON = "abandon"
    """Give ``estate`` back to the world, for nothing."""

    ALLOW = "allow"
    """Give ``account`` or ``name`` in ``estate`` exactly ``verbs``, or those of ``role`` ("manager", "builder" or
    "tenant"), for ``seconds`` (0: without end), in place of what was given before. With neither account nor name: say
    what everyone may. Nobody gives more than they have: of a role, what they have of it."""
    DISALLOW = "disallow"
    """Take back what ``account`` or ``name`` was given, or what was said of everyone."""
    EXCLUDE = "exclude"
    """Shut ``account`` or ``name`` out of ``estate`` for ``seconds`` (0: without end). ``text``: why."""
    ADMIT = "admit"
    """Shut ``account`` or ``name`` out no longer."""


class Verb(IntFlag):
    """What may be done in an estate. Several are told as their sum."""

    ENTER = 1
    """Walk in."""
    SEE = 2
    """See from outside who is inside, and hear them."""
    BUILD = 4
    """Place objects."""
    INTERACT = 8
    """Use what is there."""
    TERRAFORM = 16
    """Edit the ground."""
    SELL = 32
    """Put it on the market, in the owner's name: the money is the owner's."""
    LEASE = 64
    """Offer it for lease, likewise."""
    MANAGE = 128
    """Give and take rights, as far as one's own go."""
    BOTS = 256
    """Have bots in it."""


class MarketAct(StrEnum):
    """What can be asked for at the market."""

    PAGE = "page"
    """What is for sale; all fields from ``kind`` on choose, order and turn pages."""
    TO_LET = "to_let"
    """What is to let and free; likewise, the price is the rent. ``kind`` is not looked at."""
    SHOW = "show"
    """All about ``listing``, or about what is for sale of ``estate``."""
    TERMS = "terms"
    """On what terms ``estate`` is to let, and who has it now."""
    TRADES = "trades"
    """What you offer, bid for and have leased."""
    SELL = "sell"
    """Offer ``estate`` for ``price``, to everybody or only to ``account`` or ``name``, for ``seconds`` (60 to
    7,776,000; 0: until it is withdrawn). Takes a ``key``, as all that follow."""
    AUCTION = "auction"
    """Offer ``estate`` to whoever bids most within ``seconds`` (60 to 7,776,000): ``price`` at least, each bid ``step``
    or more above the one before. A bid within the last five minutes moves the end to five minutes after it."""
    WITHDRAW = "withdraw"
    """Take ``listing`` back; not once somebody has bid."""
    BUY = "buy"
    """Buy ``listing`` for ``price``, as it was shown with ``fingerprint``. If anything of that is another by now,
    nothing is done and the code is ``changed``."""
    BID = "bid"
    """Bid ``price`` for ``listing``, as it was shown with ``fingerprint``. The money is held until somebody bids more,
    or you have won. Done carries the offer as it is then."""
    OFFER_LEASE = "offer_lease"
    """Offer ``estate`` for lease at the rent ``price`` for each period of ``seconds`` (60 to 31,622,400), ``periods``
    of them at most in one lease; to everybody, or to ``account`` or ``name``."""
    END_LEASE_OFFER = "end_lease_offer"
    """Offer ``estate`` for lease no longer; a lease in force goes on."""
    LEASE = "lease"
    """Lease ``estate`` for ``periods``, all paid now, at the rent ``price`` as it was shown with ``fingerprint``."""
    RENEW = "renew"
    """Pay for further ``periods`` of ``lease``, on the same terms."""


class NoticeKind(StrEnum):
    """What accounts are told."""

    SOLD = "sold"
    """You sold ``estate`` to ``account`` for ``amount``; ``fee`` of it went to the treasury."""
    WON = "won"
    """You won the auction ``listing`` of ``account`` for ``amount``; ``estate`` is yours."""
    BID = "bid"
    """``account`` bids ``amount`` in your auction ``listing``."""
    OUTBID = "outbid"
    """``account`` bids ``amount`` in the auction ``listing``; your bid is paid ``back``."""
    OVER = "over"
    """Your offer ``listing`` has ended, and nobody had bought."""
    REFUNDED = "refunded"
    """The auction ``listing`` of ``account`` ended without a sale; your bid ``amount`` is paid back."""
    LEASED = "leased"
    """``account`` has leased your ``estate``, and paid ``amount``."""
    RENEWED = "renewed"
    """The tenant ``account`` has paid ``amount`` for further periods."""
    RENT_DUE = "rent_due"
    """Your ``lease`` from ``account`` ends at ``until_ms``; a further period is ``amount``, if there are
    ``periods_left``."""
    LEASE_ENDED = "lease_ended"
    """To tenant and owner: ``lease`` of ``estate`` is over; ``account`` is the owner, to the owner the tenant. If the
    operator took the land before that, ``back`` is the rent that the tenant has back."""
    GIVEN = "given"
    """``account`` gave you ``estate``."""
    TAKEN = "taken"
    """The operator took your ``estate`` back to the world: ``title`` was its name, ``text`` is the reason, if one was
    given."""
    PAID = "paid"
    """``account`` paid you ``amount``."""


class Money(Struct, array_like=True, tag=14, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. About one's own money, and what one was told. Not for guests."""

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    act: MoneyAct
    """What is asked for. It says which of the fields below are looked at."""
    key: _Key = b""
    """16 bytes for ``pay``."""
    account: _Account = 0
    """Somebody; 0 when it is said otherwise."""
    name: Annotated[str, Meta(max_length=64)] = ""
    """An account. Any name that looks the same finds it."""
    amount: _Amount = 0
    """Minor units, from 1."""
    memo: Annotated[str, Meta(max_length=200)] = ""
    before: _Number = 0


class Estate(Struct, array_like=True, tag=15, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. About land: who has it, and what owners do with theirs. Guests may ask, not own."""

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    act: EstateAct
    """What is asked for. It says which of the fields below are looked at."""
    key: _Key = b""
    """16 bytes for what changes anything."""
    estate: _Number = 0
    """An estate's number."""
    other: _Number = 0
    """Another one's."""
    account: _Account = 0
    """Somebody; 0 when it is said otherwise."""
    name: Annotated[str, Meta(max_length=64)] = ""
    """An account. Any name that looks the same finds it."""
    parcels: Annotated[list[Run], Meta(max_length=256)] = []
    price: _Amount = 0
    """For all of them, as it was told."""
    title: Annotated[str, Meta(max_length=64)] | None = None
    """An estate's name."""
    text: Annotated[str, Meta(max_length=500)] | None = None
    landing: Landing | None = None
    """On the estate."""
    no_landing: bool = False
    verbs: Annotated[int, Meta(ge=0, le=511)] = 0
    """A sum of Verbs."""
    role: Annotated[str, Meta(max_length=16)] = ""
    """Instead of ``verbs``."""
    seconds: _Seconds = 0
    region: Annotated[list[Annotated[int, Meta(ge=-32_767, le=32_767)]], Meta(max_length=2)] = []
    """``[rx, rz]``."""
    before: _Number = 0


class Market(Struct, array_like=True, tag=16, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Buying, selling, auctions and leases. Guests may look, not trade."""

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    act: MarketAct
    """What is asked for. It says which of the fields below are looked at."""
    key: _Key = b""
    """16 bytes for what changes anything."""
    listing: _Number = 0
    """An offer's number."""
    estate: _Number = 0
    """An estate's number."""
    lease: _Number = 0
    """A lease's number."""
    price: _Amount = 0
    """A price, a bid or a rent."""
    step: _Amount = 0
    fingerprint: Annotated[str, Meta(max_length=32)] = ""
    """As the offer was shown with."""
    account: _Account = 0
    """Whom alone it is offered to; 0 when it is said otherwise, or to everybody."""
    name: Annotated[str, Meta(max_length=64)] = ""
    """The same, by name."""
    seconds: _Seconds = 0
    periods: _Periods = 0
    renewable: bool = False
    """Whether a tenant may stay on."""
    kind: Annotated[str, Meta(max_length=16)] = ""
    """Only "sale" or only "auction"; empty: both."""
    sort: Annotated[str, Meta(max_length=16)] = "newest"
    """Either "newest", "price" (the cheapest first), "size" (the largest first) or "ends" (what ends first)."""
    limit: Annotated[int, Meta(ge=1, le=50)] = 50
    """Offers of a page."""
    price_from: _Amount = 0
    price_to: _Amount = 10**15
    parcels_from: Annotated[int, Meta(ge=0, le=65_536)] = 0
    text: Annotated[str, Meta(max_length=64)] = ""
    """A part of the estate's name."""
    near: Annotated[list[_Metres], Meta(max_length=3)] = []
    """Only within so many metres of a place: ``[x, z, metres]``, 4,096 at most."""
    after: Annotated[list[_Number], Meta(max_length=2)] = []
    """``next`` of the page before, in the same order; empty: the first page."""


class Notice(Struct, array_like=True, tag=47, frozen=True):
    """server -> client. Something happened to your money or land. Those that you have not read come when you come in.

    Numbers rise, but a lower one may come later: pass over the ones that you had. Say Money ``read`` for those that you
    have dealt with. A key needs the scope ``trade``.
    """

    notice: NoticeInfo


KEYED: dict[type[Struct], frozenset[str]] = {
    Money: frozenset({MoneyAct.PAY}),
    Estate: frozenset({
        EstateAct.CLAIM, EstateAct.DESCRIBE, EstateAct.SPLIT, EstateAct.JOIN, EstateAct.GIVE, EstateAct.ABANDON,
        EstateAct.ALLOW, EstateAct.DISALLOW, EstateAct.EXCLUDE, EstateAct.ADMIT,
    }),
    Market: frozenset({
        MarketAct.SELL, MarketAct.AUCTION, MarketAct.WITHDRAW, MarketAct.BUY, MarketAct.BID, MarketAct.OFFER_LEASE,
        MarketAct.END_LEASE_OFFER, MarketAct.LEASE, MarketAct.RENEW,
    }),
}  # fmt: skip
"""Acts that change something: they carry a key."""

ESTATE_RESULTS: dict[tuple[type[Struct], str], Any] = {
    (Money, MoneyAct.BALANCE): Balance,
    (Money, MoneyAct.PAY): int,
    (Money, MoneyAct.STATEMENT): list[StatementEntry],
    (Money, MoneyAct.NOTICES): list[NoticeInfo],
    (Money, MoneyAct.READ): int,
    (Estate, EstateAct.PARCEL): ParcelInfo,
    (Estate, EstateAct.SHOW): EstateInfo,
    (Estate, EstateAct.HOLDINGS): Holdings,
    (Estate, EstateAct.HISTORY): list[RegisterEntry],
    (Estate, EstateAct.ZONES): list[ZoneInfo],
    (Estate, EstateAct.PLAN): Plan,
    (Estate, EstateAct.PRICE): int,
    (Estate, EstateAct.RIGHTS): Rights,
    (Estate, EstateAct.CLAIM): EstateInfo,
    (Estate, EstateAct.DESCRIBE): EstateInfo,
    (Estate, EstateAct.SPLIT): list[EstateInfo],
    (Estate, EstateAct.JOIN): EstateInfo,
    (Market, MarketAct.PAGE): OfferPage,
    (Market, MarketAct.TO_LET): LeaseOfferPage,
    (Market, MarketAct.SHOW): ShownOffer,
    (Market, MarketAct.TERMS): LeaseTerms,
    (Market, MarketAct.TRADES): Trades,
    (Market, MarketAct.SELL): Offer,
    (Market, MarketAct.AUCTION): Offer,
    (Market, MarketAct.BUY): Bought,
    (Market, MarketAct.BID): Offer,
    (Market, MarketAct.OFFER_LEASE): LeaseOffer,
    (Market, MarketAct.LEASE): LeaseInfo,
    (Market, MarketAct.RENEW): LeaseInfo,
}
"""What Done carries, by command and act; None for the others."""
