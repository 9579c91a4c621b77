"""Leases: estates leased for prepaid periods. Rights come from the rows when asked, so that they end by themselves.

An offer of a lease stays when somebody has taken it: it is there again when that lease has ended. A lease goes with the
estate when that is sold; who buys what they have leased is a tenant no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from worldloom.errors import Refusal
from worldloom.ports import Tx, locks_first
from worldloom.ports.land import EstateRow
from worldloom.ports.market import LeaseOfferRow, LeaseRow
from worldloom.realm import leases
from worldloom.realm.chain import RegisterKind
from worldloom.realm.counts import counted
from worldloom.realm.durations import in_words
from worldloom.realm.estates import fingerprint
from worldloom.realm.leases import PERIOD_MAX_S, PERIOD_MIN_S, PERIODS_MAX
from worldloom.realm.ledger import TREASURY, TransferKind
from worldloom.realm.market import ListingKind, folded, seat, shares
from worldloom.realm.rights import Verb
from worldloom.services import auctions, money, notices, offers, owning, register
from worldloom.services.asking import By, invalid
from worldloom.services.market import not_for_sale, trader
from worldloom.services.notices import NoticeKind
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "TOLD_AT_ONCE",
    "EndOffer",
    "Lease",
    "OfferLease",
    "Renew",
    "end_offer",
    "lease",
    "offer_lease",
    "renew",
    "rented_by",
    "tell_due",
    "to_tell",
]

TOLD_AT_ONCE = 100
"""Leases of which one call tells."""
_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class OfferLease:
    """Somebody offers an estate for lease, in its owner's name."""

    by: By
    estate: int
    rent: int
    """Of one period, minor units."""
    period_s: int
    """Seconds of one period."""
    max_periods: int
    """Of one lease, renewals included."""
    renewable: bool
    fee: int
    """What of the rent goes to the treasury, hundredths of a percent: the configuration's."""
    now_ms: int
    """Unix time."""
    only: int | None = None
    """The account that it is offered to; None: everybody."""


@dataclass(frozen=True, slots=True)
class EndOffer:
    """Somebody takes the offer of a lease back, in the owner's name; a lease in force goes on."""

    by: By
    estate: int
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Somebody leases what was shown."""

    by: By
    estate: int
    periods: int
    """That are paid now."""
    rent: int
    """Of one, as it was shown; minor units."""
    fingerprint: str
    """As it was shown; 32 hex digits."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Renew:
    """A tenant pays for further periods, on the same terms."""

    by: By
    lease: int
    periods: int
    now_ms: int
    """Unix time."""


@locks_first
def offer_lease(tx: Tx, command: OfferLease) -> LeaseOfferRow:
    """Offer an estate for lease, in place of an earlier offer. One that is leased now is free for the next then.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN, one may not let it; INVALID, a number is out of range.
    """
    estate = owning.estate_for(tx, Verb.LEASE, command.by, command.estate, command.now_ms)
    tx.currency.check(command.rent, "a rent")
    _check_period(command.period_s)
    _check_periods(command.max_periods, PERIODS_MAX)
    if command.only is not None and (command.only == estate.owner or not tx.accounts([command.only])):
        raise invalid(f"expected an account other than the owner's to offer it to, got {command.only}")
    row = _offered(tx, estate, command)
    return replace(row, offer=tx.save_lease_offer(row))


@locks_first
def end_offer(tx: Tx, command: EndOffer) -> None:
    """Take the offer of a lease back.

    Raises:
        Refusal: NOT_FOUND; FORBIDDEN, one may not let it; NOT_FOR_SALE, it is not offered.
    """
    estate = owning.estate_for(tx, Verb.LEASE, command.by, command.estate, command.now_ms)
    if tx.lease_offer(estate.number) is None:
        raise not_for_sale(f"expected an estate that is to let, got {estate.number}, which is not")
    tx.delete_lease_offer(estate.number)


@locks_first
def lease(tx: Tx, command: Lease) -> LeaseRow:
    """Lease an estate: the periods are paid at once, and from now on it is the tenant's until they are over.

    Raises:
        Refusal: NOT_FOUND; NOT_FOR_SALE, it is not to let, or not to you; LEASED, somebody has it; LOCKED, it is
            auctioned; CHANGED, the terms are not what was shown; FUNDS; FORBIDDEN, guests lease nothing; INVALID, it is
            one's own, or a number is out of range.
    """
    tenant, now_ms = trader(command.by), command.now_ms
    auctions.settle_estate(tx, command.estate, now_ms)
    estate = _locked(tx, command.estate)
    offer = tx.lease_offer(estate.number)
    if offer is None or offer.only not in (None, tenant):
        raise not_for_sale(f"expected an estate that is to let to you, got {estate.number}, which is not")
    if estate.owner == tenant:
        raise invalid(f"expected somebody else's estate, got {estate.number}, your own")
    offers.refuse_leased(tx, estate, now_ms)
    _refuse_auctioned(tx, estate)
    shown = (command.rent, command.fingerprint)
    if shown != (offer.rent, offer.fingerprint) or offer.shape != estate.shape:
        rent, got = tx.currency.shown(offer.rent), tx.currency.written(command.rent)
        raise Refusal(
            RefusalCode.CHANGED,
            f"expected the rent {rent} and the terms {offer.fingerprint}, got {got} and others",
            hint="look again",
        )
    _check_periods(command.periods, offer.max_periods)
    row = LeaseRow(
        0,
        estate.number,
        tenant,
        offer.rent,
        offer.period_ms,
        now_ms,
        leases.until_ms(now_ms, offer.period_ms, command.periods),
        leases.last_ms(now_ms, offer.period_ms, offer.max_periods),
        offer.renewable,
        offer.fee,
    )
    row = replace(row, tell_ms=leases.due_ms(row.until_ms, row.period_ms))
    number = tx.insert_lease(row)
    if number is None:
        raise Refusal(RefusalCode.LEASED, f"expected an estate that is free, got {estate.number}, leased")
    row = replace(row, lease=number)
    _pay(tx, estate, row, command.periods, RegisterKind.LEASE, now_ms)
    return row


@locks_first
def renew(tx: Tx, command: Renew) -> LeaseRow:
    """Pay for further periods; they follow on those that were paid before. The present owner gets the rent.

    Raises:
        Refusal: NOT_FOUND, there is no such lease; FORBIDDEN, it is somebody else's; NOT_FOR_SALE, it has ended, or is
            not renewable; INVALID, that would be more periods than its terms allow; FUNDS.
    """
    tenant, row = trader(command.by), tx.lease(command.lease)
    if row is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected a lease, got {command.lease}, which is none")
    auctions.settle_estate(tx, row.estate, command.now_ms)
    estate = _locked(tx, row.estate)
    if row.tenant != tenant:
        raise Refusal(RefusalCode.FORBIDDEN, f"expected a lease of your own, got {row.lease}, which is not")
    # Settled just now, it may have become one's own.
    row = tx.lease(command.lease) or row
    if not leases.in_force(row.from_ms, row.until_ms, command.now_ms):
        raise not_for_sale(f"expected a lease in force, got {row.lease}, which has ended", "lease it anew")
    if not row.renewable:
        raise not_for_sale(f"expected a lease that can be renewed, got {row.lease}, which cannot")
    left = leases.periods_left(row.until_ms, row.latest_ms, row.period_ms)
    _check_periods(command.periods, left, "further period")
    until_ms = leases.until_ms(row.until_ms, row.period_ms, command.periods)
    after = replace(row, until_ms=until_ms, tell_ms=leases.due_ms(until_ms, row.period_ms))
    if not tx.change_lease(row, after):
        raise offers.lost(row)
    _pay(tx, estate, after, command.periods, RegisterKind.RENEW, command.now_ms)
    return after


def rented_by(tx: Tx, tenant: int, now_ms: int) -> Sequence[LeaseRow]:
    """What an account has leased now, the first to end first. Only reads."""
    return tx.leases_by(tenant, now_ms, _SHOWN_MAX)


def to_tell(tx: Tx, now_ms: int) -> bool:
    """Whether somebody is to be told of a lease. Only reads."""
    return bool(tx.leases_to_tell(now_ms, 1))


def tell_due(tx: Tx, now_ms: int) -> int:
    """Tell tenants that their rent is due, then them and the owners that the lease has ended; of how many.

    Nothing but the telling hangs on it: a lease ends whether somebody tells of it or not.
    """
    rows = tx.leases_to_tell(now_ms, TOLD_AT_ONCE)
    owners = {row.number: row.owner for row in tx.estates(sorted({row.estate for row in rows}))}
    for row in rows:
        told = {"lease": row.lease, "estate": row.estate, "until_ms": row.until_ms}
        if now_ms < row.until_ms:
            left = leases.periods_left(row.until_ms, row.latest_ms, row.period_ms) if row.renewable else 0
            detail = {**told, "rent": row.rent, "periods_left": left, "by": owners.get(row.estate)}
            notices.tell(tx, [row.tenant], NoticeKind.RENT_DUE, now_ms, **detail)
            tx.change_lease(row, replace(row, tell_ms=row.until_ms))
        else:
            offers.tell_ended(tx, row, owners.get(row.estate), now_ms, told)
            tx.change_lease(row, replace(row, tell_ms=None))
    return len(rows)


def _pay(tx: Tx, estate: EstateRow, row: LeaseRow, periods: int, kind: RegisterKind, now_ms: int) -> None:
    """Rent for some periods to the owner, fee to the treasury; written down and told of."""
    total = row.rent * periods
    tx.currency.check(total, "a rent of all periods")
    gets, fee = shares(total, row.fee)
    purses = money.person_purses(tx, row.tenant, estate.owner)
    legs = {
        purses[row.tenant]: -total,
        purses[estate.owner]: gets,
        TREASURY: fee,
    }
    memo = f"estate {row.estate}, {counted(periods, 'period')}"
    transfer = money.move(tx, TransferKind.RENT, legs, memo, row.tenant, row.lease, now_ms)
    detail = {"lease": row.lease, "until_ms": row.until_ms}
    register.append(tx, kind, row.estate, row.tenant, estate.owner, now_ms, transfer, detail)
    tx.mark_lease_offer(row.estate, row.until_ms)
    offers.mark(tx, estate, now_ms)
    notice = NoticeKind.LEASED if kind is RegisterKind.LEASE else NoticeKind.RENEWED
    told = {"lease": row.lease, "estate": row.estate, "until_ms": row.until_ms, "rent": total, "fee": fee}
    notices.tell(tx, [estate.owner], notice, now_ms, **told, by=row.tenant)


def _offered(tx: Tx, estate: EstateRow, command: OfferLease) -> LeaseOfferRow:
    parcels, period_ms = tx.parcels_of(estate.number), command.period_s * 1_000
    px, pz = seat(parcels)
    shown = fingerprint(estate.number, estate.shape, parcels, command.rent)
    lease = offers.lease_in_force(tx, estate.number, command.now_ms)
    return LeaseOfferRow(
        0,
        estate.number,
        estate.owner,
        command.rent,
        period_ms,
        command.max_periods,
        command.renewable,
        estate.shape,
        len(parcels),
        px,
        pz,
        leases.terms(shown, period_ms, command.max_periods, command.renewable, command.only),
        folded(estate.name),
        command.now_ms,
        command.fee,
        0 if lease is None else lease.until_ms,
        command.only,
    )


def _refuse_auctioned(tx: Tx, estate: EstateRow) -> None:
    """Who bids must get what was shown: no new tenant comes in while an auction is open."""
    row = tx.listing_of(estate.number)
    if row is not None and row.kind is ListingKind.AUCTION:
        raise Refusal(
            RefusalCode.LOCKED,
            f"expected an estate that is not auctioned, got {estate.number}, which is",
            hint="wait until its auction is settled",
        )


def _locked(tx: Tx, number: int) -> EstateRow:
    found = tx.lock_estate(number)
    if found is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an estate, got {number}, which is none")
    return found


def _check_period(period_s: int) -> None:
    if not PERIOD_MIN_S <= period_s <= PERIOD_MAX_S:
        least, most, got = (in_words(s * 1_000) for s in (PERIOD_MIN_S, PERIOD_MAX_S, period_s))
        raise invalid(f"expected a period of {least} to {most}, got {got}")


def _check_periods(periods: int, most: int, what: str = "period") -> None:
    if not 1 <= periods <= most:
        raise invalid(f"expected 1 or more and at most {counted(most, what)}, got {periods}")
