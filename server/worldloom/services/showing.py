"""Showing: what the database has of money, land and the market, as clients are told it. Changes nothing.

Numbers that are not there travel as 0, see the parts in ``protocol.estate_parts``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worldloom.ports import Tx
from worldloom.ports.land import EstateRow, LandingRow
from worldloom.ports.market import LeaseOfferRow, LeaseRow, ListingRow
from worldloom.ports.money import EntryRow
from worldloom.realm.estates import Parcel, to_runs
from worldloom.services import holdings, leases, listings, money, offers, zones
from worldloom.services import rights as access
from worldloom.services.asking import By
from worldloom.services.notices import Notice
from worldloom_sdk.protocol import estate_parts as parts

__all__ = [
    "AskStatement",
    "AskTrades",
    "estate",
    "estate_of",
    "history",
    "lease",
    "lease_offer",
    "notice",
    "offer",
    "offer_page",
    "owned",
    "parcel",
    "plan",
    "rights",
    "shown_offer",
    "statement",
    "terms",
    "to_let_page",
    "trades",
    "zones_page",
]


@dataclass(frozen=True, slots=True)
class AskStatement:
    """Somebody wants to see what came and went."""

    account: int
    before: int
    """Only transfers below this number; 0: the newest."""


@dataclass(frozen=True, slots=True)
class AskTrades:
    """Somebody wants to see what they have in hand at the market."""

    account: int
    name: str
    now_ms: int
    """Unix time."""


# ---- money and notices


def statement(tx: Tx, command: AskStatement) -> list[parts.StatementEntry]:
    """What an account's purses got and gave, newest first."""
    granted = money.grant_purse(tx, command.account)
    rows = money.statement(tx, money.Statement(command.account, command.before))
    return [_entry(row, row.purse == granted) for row in rows]


def _entry(row: EntryRow, granted: bool) -> parts.StatementEntry:
    moved = row.transfer
    return parts.StatementEntry(
        moved.transfer,
        moved.at_ms,
        moved.kind,
        row.amount,
        granted,
        moved.memo,
        moved.ref or 0,
        [parts.Counterpart(kind, name) for kind, name in row.others],
    )


def notice(told: Notice) -> parts.NoticeInfo:
    """Something that an account is told. What a newer server says besides is left out."""
    detail = told.detail

    def number(*names: str) -> int:
        return next((value for name in names if type(value := detail.get(name)) is int), 0)

    def text(name: str) -> str:
        value = detail.get(name)
        return value if isinstance(value, str) else ""

    return parts.NoticeInfo(
        told.notice,
        str(told.kind),
        told.at_ms,
        told.read,
        number("listing"),
        number("estate"),
        number("lease"),
        number("price", "bid", "rent", "amount"),
        number("fee"),
        number("back"),
        told.other,
        told.other_name,
        number("until_ms", "ends_ms"),
        number("periods_left"),
        text("title"),
        text("reason"),
    )


# ---- land


def parcel(view: holdings.ParcelView) -> parts.ParcelInfo:
    """Whose a parcel is, or what it costs."""
    px, pz = view.parcel
    if view.estate is None:
        return parts.ParcelInfo(px, pz, price=view.price)
    row = view.estate
    return parts.ParcelInfo(px, pz, row.number, row.name, row.owner, view.owner_name)


def estate_of(tx: Tx, asked: tuple[int, int]) -> parts.EstateInfo:
    """All about an estate.

    Args:
        tx: The transaction.
        asked: Its number, and Unix time.

    Raises:
        Refusal: NOT_FOUND.
    """
    number, now_ms = asked
    view = holdings.estate(tx, number)
    return estate(view.row, view.owner_name, view.parcels, offers.lease_in_force(tx, number, now_ms))


def estate(
    row: EstateRow, owner_name: str, parcels: Iterable[Parcel] = (), leased: LeaseRow | None = None
) -> parts.EstateInfo:
    """An estate, with what is known of its parcels and lease."""
    return parts.EstateInfo(
        row.number,
        row.owner,
        owner_name,
        row.name,
        row.description,
        row.parcels,
        row.shape,
        row.created_ms,
        row.locked_until_ms,
        _landing(row.landing),
        [parts.Run(*run) for run in to_runs(parcels)],
        None if leased is None else lease(leased),
    )


def _landing(row: LandingRow | None) -> parts.Landing | None:
    return None if row is None else parts.Landing(row.x, row.z, row.y, row.yaw)


def owned(tx: Tx, command: holdings.AskHoldings) -> parts.Holdings:
    """What an account has.

    Raises:
        Refusal: NOT_FOUND; INVALID.
    """
    found = holdings.holdings(tx, command)
    estates = [estate(row, found.name) for row in found.estates]
    return parts.Holdings(found.account, found.name, found.parcels, estates, found.more)


def history(tx: Tx, command: holdings.AskHistory) -> list[parts.RegisterEntry]:
    """What the register tells, newest first.

    Raises:
        Refusal: NOT_FOUND; INVALID.
    """
    return [
        parts.RegisterEntry(
            told.row.number,
            told.row.at_ms,
            str(told.row.kind),
            told.row.estate,
            told.row.account or 0,
            told.name,
            told.row.other or 0,
            told.other_name,
            told.row.transfer or 0,
            told.row.detail,
            0 if told.seal is None else told.seal.number,
            "" if told.seal is None else told.seal.hash.hex(),
        )
        for told in holdings.history(tx, command)
    ]


def zones_page(tx: Tx, command: zones.AskZones) -> list[parts.ZoneInfo]:
    """Regions that are open for claiming."""
    return [parts.ZoneInfo(row.rx, row.rz, row.price) for row in zones.zones(tx, command)]


def plan(tx: Tx, command: holdings.AskPlan) -> parts.Plan:
    """Who owns what in a rectangle of regions, without descriptions.

    Raises:
        Refusal: INVALID.
    """
    found = holdings.plan(tx, command)
    there: dict[int, list[Parcel]] = {}
    for deed in found.deeds:
        there.setdefault(deed.estate, []).append((deed.px, deed.pz))
    rows = (found.estates[number] for number in sorted(there) if number in found.estates)
    return parts.Plan(
        [_without_description(row, found.names.get(row.owner, ""), there[row.number]) for row in rows],
        [parts.ZoneInfo(row.rx, row.rz, row.price) for row in found.zones],
    )


def _without_description(row: EstateRow, owner_name: str, parcels: Sequence[Parcel]) -> parts.EstateInfo:
    runs = [parts.Run(*run) for run in to_runs(parcels)]
    told = (row.parcels, row.shape, row.created_ms, row.locked_until_ms, _landing(row.landing), runs)
    return parts.EstateInfo(row.number, row.owner, owner_name, row.name, "", *told)


def rights(tx: Tx, asked: tuple[By, int, int]) -> parts.Rights:
    """Who may do what in an estate.

    Args:
        tx: The transaction.
        asked: Who asks, the estate's number, and Unix time.

    Raises:
        Refusal: NOT_FOUND.
    """
    found = access.rules(tx, *asked)
    accounts = {row.account for row in found.permits if row.account is not None}
    accounts |= {row.account for row in found.exclusions}
    names = {row.account: row.name for row in tx.accounts(sorted(accounts))}
    return parts.Rights(
        int(found.everyone),
        int(found.own),
        [
            parts.Permit(
                row.account or 0,
                names.get(row.account or 0, ""),
                row.verbs,
                row.role,
                row.until_ms or 0,
                row.giver,
            )
            for row in found.permits
        ],
        [
            parts.Barred(row.account, names.get(row.account, ""), row.until_ms or 0, row.reason, row.giver)
            for row in found.exclusions
        ],
    )


# ---- the market


def offer(row: ListingRow, estate_name: str, seller_name: str) -> parts.Offer:
    """An offer."""
    return parts.Offer(
        row.listing,
        row.kind.value,
        row.estate,
        estate_name,
        row.seller,
        seller_name,
        row.price,
        row.asked,
        row.parcels,
        row.px,
        row.pz,
        row.fingerprint,
        row.fee,
        row.created_ms,
        row.only or 0,
        row.step,
        row.ends_ms or 0,
        row.top or 0,
        row.top_bid or 0,
    )


def offer_page(tx: Tx, command: listings.WantPage) -> parts.OfferPage:
    """A page of what is for sale.

    Raises:
        Refusal: INVALID.
    """
    page = listings.page(tx, command)
    found = [offer(row.listing, row.estate_name, row.seller_name) for row in page.rows]
    return parts.OfferPage(found, None if page.next is None else list(page.next))


def shown_offer(shown: listings.Shown) -> parts.ShownOffer:
    """An offer and all of what is offered."""
    owner = shown.seller_name
    whole = estate(shown.estate, owner, shown.parcels, shown.lease)
    return parts.ShownOffer(offer(shown.listing, shown.estate.name, owner), whole)


def lease_offer(row: LeaseOfferRow, estate_name: str, owner_name: str) -> parts.LeaseOffer:
    """An offer of a lease."""
    return parts.LeaseOffer(
        row.estate,
        estate_name,
        row.owner,
        owner_name,
        row.rent,
        row.period_ms // 1_000,
        row.max_periods,
        row.renewable,
        row.parcels,
        row.px,
        row.pz,
        row.fingerprint,
        row.fee,
        row.created_ms,
        row.only or 0,
    )


def to_let_page(tx: Tx, command: listings.WantPage) -> parts.LeaseOfferPage:
    """A page of what is to let.

    Raises:
        Refusal: INVALID.
    """
    page = listings.page_to_let(tx, command)
    found = [lease_offer(row.offer, row.estate_name, row.owner_name) for row in page.rows]
    return parts.LeaseOfferPage(found, None if page.next is None else list(page.next))


def terms(tx: Tx, command: listings.ShowLease) -> parts.LeaseTerms:
    """On what terms an estate is to let, and who has it.

    Raises:
        Refusal: NOT_FOUND.
    """
    shown = listings.show_lease(tx, command)
    offered, leased = shown.offer, shown.lease
    owner = next(iter(tx.accounts([shown.estate.owner])), None)
    return parts.LeaseTerms(
        None
        if offered is None
        else lease_offer(offered, shown.estate.name, "" if owner is None else owner.name),
        None if leased is None else lease(leased),
    )


def lease(row: LeaseRow) -> parts.LeaseInfo:
    """A lease."""
    return parts.LeaseInfo(
        row.lease,
        row.estate,
        row.tenant,
        row.rent,
        row.period_ms // 1_000,
        row.from_ms,
        row.until_ms,
        row.latest_ms,
        row.renewable,
    )


def trades(tx: Tx, command: AskTrades) -> parts.Trades:
    """What an account offers, bids for and has leased."""
    found = listings.trades(tx, command.account)
    rows = [*found.offers, *found.bids]
    estates = {row.number: row.name for row in tx.estates(sorted({row.estate for row in rows}))}
    names = {row.account: row.name for row in tx.accounts(sorted({row.seller for row in rows}))}

    def told(row: ListingRow) -> parts.Offer:
        return offer(row, estates.get(row.estate, ""), names.get(row.seller, ""))

    rented = leases.rented_by(tx, command.account, command.now_ms)
    return parts.Trades(
        [told(row) for row in found.offers], [told(row) for row in found.bids], [lease(row) for row in rented]
    )
