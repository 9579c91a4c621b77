"""Offers: what binds an estate besides its owner, asked by whoever changes its shape or owner.

Here market and leases hold on to the land: whatever changes an estate takes it off the market, and what is leased stays
in one piece until the lease ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from worldloom.errors import Refusal, StoreUnavailable
from worldloom.ports import Tx
from worldloom.ports.land import EstateRow
from worldloom.ports.market import LeaseRow, ListingRow
from worldloom.realm import leases
from worldloom.realm.chain import RegisterKind
from worldloom.realm.durations import in_words
from worldloom.realm.estates import fingerprint
from worldloom.realm.ledger import TREASURY, TransferKind
from worldloom.realm.market import Closing, folded, shares
from worldloom.services import money, notices, register
from worldloom.services.notices import NoticeKind
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "end_lease",
    "end_offers",
    "give_back",
    "lease_in_force",
    "lease_shown",
    "lost",
    "mark",
    "new_owner",
    "refuse_leased",
    "rename",
    "shown_as",
    "tell_ended",
    "withdraw",
]

_AT_ONCE = 500
"""Estates that one query asks about."""


def end_offers(tx: Tx, estate: EstateRow, by: int | None, now_ms: int, forced: bool = False) -> int:
    """End what is offered of an estate, since its shape or its owner changes.

    Args:
        tx: The transaction of the change; the estate is locked.
        estate: As it was before.
        by: Who changes it; None: the operator.
        now_ms: Unix time.
        forced: End also what its owner could not: an auction with a bid, whose bidder gets the money back, and a lease,
            of which the tenant gets back the rent of the time that is left.

    Returns:
        What of that rent nobody had, minor units.

    Raises:
        Refusal: LOCKED, it is auctioned, and there is a bid.
    """
    row, lease = tx.listing_of(estate.number), lease_in_force(tx, estate.number, now_ms)
    tx.delete_lease_offer(estate.number)
    if lease is not None and forced:
        bidders = [] if row is None or row.top is None else [row.top]
        money.hold(tx, lease.tenant, estate.owner, *bidders)
    if row is not None:
        if row.top is not None and not forced:
            bid = tx.currency.shown(row.top_bid or 0)
            raise Refusal(
                RefusalCode.LOCKED,
                f"expected an estate that nobody has bid for, got {estate.number} with a bid of {bid}",
                hint="wait until its auction is settled",
            )
        withdraw(tx, row, Closing.CHANGED, by, now_ms)
    return _break_off(tx, estate, lease, now_ms) if lease is not None and forced else 0


def _break_off(tx: Tx, estate: EstateRow, row: LeaseRow, now_ms: int) -> int:
    """End a lease before its time; what nobody had of the rent that is due back.

    It goes back as it came: the owner's part from the owner, the fee from the treasury, which pays as well what the
    owner has no longer.
    """
    due = leases.unused(row.rent, row.period_ms, row.until_ms, now_ms)
    by_owner = min(shares(due, row.fee)[0], money.balance(tx, estate.owner).own)
    by_treasury = min(due - by_owner, money.held(tx, TREASURY))
    back = by_owner + by_treasury
    if back:
        legs = {
            money.person_purse(tx, estate.owner): -by_owner,
            TREASURY: -by_treasury,
            money.person_purse(tx, row.tenant): back,
        }
        memo = f"estate {row.estate}, rent of the time that was left"
        money.move(tx, TransferKind.REFUND, legs, memo, None, row.lease, now_ms)
    end_lease(tx, row, now_ms)
    told = {"lease": row.lease, "estate": row.estate, "back": back}
    tell_ended(tx, row, estate.owner, now_ms, told)
    return due - back


def tell_ended(tx: Tx, row: LeaseRow, owner: int | None, now_ms: int, told: Mapping[str, int]) -> None:
    """Tell tenant and owner that a lease has ended, and each who the other is.

    Args:
        tx: The transaction.
        row: The lease.
        owner: The account that has the estate now; None: it is the world's.
        now_ms: Unix time.
        told: What both are told.
    """
    # Between its end and the telling the tenant may have bought it.
    owner = None if owner == row.tenant else owner
    notices.tell(tx, [row.tenant], NoticeKind.LEASE_ENDED, now_ms, **told, by=owner)
    if owner is not None:
        notices.tell(tx, [owner], NoticeKind.LEASE_ENDED, now_ms, **told, by=row.tenant)


def refuse_leased(tx: Tx, estate: EstateRow, now_ms: int) -> None:
    """Refuse what cannot be done to an estate while it is leased.

    Raises:
        Refusal: LEASED.
    """
    lease = lease_in_force(tx, estate.number, now_ms)
    if lease is not None:
        left = in_words(lease.until_ms - now_ms)
        raise Refusal(
            RefusalCode.LEASED,
            f"expected an estate that is not leased, got {estate.number}, leased for {left} more",
            hint="wait until the lease ends",
        )


def lease_in_force(tx: Tx, estate: int, now_ms: int) -> LeaseRow | None:
    """The lease by which somebody has an estate now; None if nobody has."""
    row = tx.lease_of(estate)
    return row if row is not None and leases.in_force(row.from_ms, row.until_ms, now_ms) else None


def lease_shown(tx: Tx, estate: int, now_ms: int) -> tuple[int, int] | None:
    """Number of the lease in force and until when (Unix ms), for ``realm.estates.fingerprint``; None without one."""
    row = lease_in_force(tx, estate, now_ms)
    return None if row is None else (row.lease, row.until_ms)


def shown_as(tx: Tx, estates: Sequence[int], now_ms: int) -> dict[int, str]:
    """What a map shows of those of these estates of which it is so: "sale", "auction", "let" or "leased".

    What is offered for sale is shown so, whether somebody has leased it or may.
    """
    shown: dict[int, str] = {}
    for first in range(0, len(estates), _AT_ONCE):
        some = estates[first : first + _AT_ONCE]
        shown.update(dict.fromkeys(tx.to_let(some, now_ms), "let"))
        shown.update(dict.fromkeys(tx.leased(some, now_ms), "leased"))
        shown.update({estate: kind.value for estate, kind in tx.listed(some).items()})
    return shown


def mark(tx: Tx, estate: EstateRow, now_ms: int) -> None:
    """A lease of an estate began, or goes on: who was shown the estate for sale before was shown something else."""
    row = tx.listing_of(estate.number)
    if row is not None:
        parcels, lease = tx.parcels_of(estate.number), lease_shown(tx, estate.number, now_ms)
        tx.mark_listing(estate.number, fingerprint(estate.number, estate.shape, parcels, row.price, lease))


def rename(tx: Tx, estate: EstateRow) -> None:
    """An estate is called otherwise: it is found on the market by its new name."""
    tx.rename_offers(estate.number, folded(estate.name))


def withdraw(tx: Tx, row: ListingRow, how: Closing, by: int | None, now_ms: int) -> None:
    """End a listing without a sale; who bid has the money back."""
    if row.top is not None:
        give_back(tx, row, TransferKind.REFUND, now_ms)
        told = {"listing": row.listing, "estate": row.estate, "amount": row.top_bid, "by": row.seller}
        notices.tell(tx, [row.top], NoticeKind.REFUNDED, now_ms, **told)
    tx.close_listing(row, how, now_ms)
    detail = {"listing": row.listing, "how": how.value, "by": by}
    kind = RegisterKind.OVER if how is Closing.OVER else RegisterKind.WITHDRAW
    register.append(tx, kind, row.estate, row.seller, None, now_ms, None, detail)


def give_back(tx: Tx, row: ListingRow, kind: TransferKind, now_ms: int) -> None:
    """Give the money that an auction holds to whose bid it was."""
    if row.top is not None and row.top_bid is not None:
        legs = {
            money.escrow_purse(tx, row.listing): -row.top_bid,
            money.person_purse(tx, row.top): row.top_bid,
        }
        money.move(tx, kind, legs, "", None, row.listing, now_ms)


def end_lease(tx: Tx, row: LeaseRow, now_ms: int) -> None:
    """End a lease now; whoever does so tells of it."""
    if not tx.change_lease(row, replace(row, until_ms=now_ms, tell_ms=None)):
        raise lost(row)


def new_owner(tx: Tx, estate: EstateRow, to: int, now_ms: int) -> None:
    """An estate passes on: the new owner says anew on what terms it is to let, and is no tenant of their own.

    Args:
        tx: The transaction of the change; the estate is locked.
        estate: As it was before.
        to: The account that has it from then on.
        now_ms: Unix time.
    """
    lease = lease_in_force(tx, estate.number, now_ms)
    if lease is not None and lease.tenant == to:
        end_lease(tx, lease, now_ms)
    tx.delete_lease_offer(estate.number)


def lost(row: ListingRow | LeaseRow) -> StoreUnavailable:
    """Somebody else changed it, although its estate is locked: nobody does so but by a fault."""
    what = f"listing {row.listing}" if isinstance(row, ListingRow) else f"lease {row.lease}"
    return StoreUnavailable(f"expected {what} as it was read, got another; nothing was done")
