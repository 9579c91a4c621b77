"""Money: the one way in which it moves, purses, payments, statements, and the proof that all of it is there.

Whoever trades calls ``move`` in the transaction of the trade itself: money, title and receipt are one commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import AuditRow, Tx
from worldloom.ports.money import DayRow, EntryRow, GrantRow, PurseRow, TooLittle, TransferRow
from worldloom.realm.ledger import MINT, TREASURY, PurseKind, TransferKind, balanced
from worldloom.realm.money import CIRCULATION_MAX, MEMO_MAX, Currency
from worldloom.realm.names import clean_text
from worldloom.realm.order import AuditAct
from worldloom.services.asking import OPERATOR, Whom, find, invalid
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = [
    "DAY_MS",
    "FOLD_MAX",
    "MINT",
    "PAGE_MAX",
    "TREASURY",
    "Balance",
    "Grant",
    "Issue",
    "Pay",
    "Statement",
    "Told",
    "Treasury",
    "balance",
    "burn",
    "escrow_purse",
    "grant",
    "grant_purse",
    "held",
    "hold",
    "issue",
    "move",
    "pay",
    "person_purse",
    "person_purses",
    "roll_up",
    "spend_on_claim",
    "statement",
    "transfer",
    "treasury",
    "uses_grant",
]

DAY_MS = 24 * 3_600_000
PAGE_MAX = 100
"""Entries that one question for a statement gets."""
FOLD_MAX = 10_000
"""Postings that one call of ``roll_up`` adds up."""

Legs = Mapping[int, int]
"""What each purse gets, minor units; negative for what it gives."""


@dataclass(frozen=True, slots=True)
class Pay:
    """Somebody pays somebody."""

    by: int
    """The account."""
    to: Whom
    """An account or a name."""
    amount: int
    """Minor units."""
    memo: str
    """As typed; cleaned here."""
    now_ms: int
    """Unix time."""
    allowed: bool = True
    """Whether people of this world may pay each other."""


@dataclass(frozen=True, slots=True)
class Issue:
    """The operator makes money, or takes it out of the world."""

    whom: Whom | None
    """Who gets it, or whose is taken; None: the treasury."""
    amount: int
    """Minor units."""
    memo: str
    """As typed; cleaned here."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A newcomer is given what can be spent on claims only."""

    account: int
    network: str
    """Of the address that they came from: an IPv4 /32 or an IPv6 /64."""
    amount: int
    """Minor units; 0: none is given."""
    per_day: int
    """Newcomers of one network and day who get it."""
    now_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Somebody wants to see what an account got and gave."""

    account: int
    before: int = 0
    """Only transfers below this number; 0: the newest."""
    limit: int = PAGE_MAX


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has."""

    own: int
    """Minor units, to be spent on anything."""
    granted: int
    """Minor units, to be spent on claims only."""


@dataclass(frozen=True, slots=True)
class Treasury:
    """How much money there is, and what the treasury got and gave."""

    balance: int
    circulating: int
    """All money that there is: minus the mint's balance."""
    days: Sequence[DayRow]


@dataclass(frozen=True, slots=True)
class Told:
    """One transfer, with all that is known of it."""

    transfer: TransferRow
    postings: Sequence[tuple[PurseRow, int]]
    """Purses by number, and what each got; negative for what it gave."""
    names: Mapping[int, str]
    """Of accounts whose purses they are, and of who did it."""
    keys: Sequence[bytes]
    """Of the requests that were answered to who did it at that moment, as long as there are receipts: as a rule one."""


# ---- purses


def person_purse(tx: Tx, account: int) -> int:
    """The purse of an account, made when it is first asked for."""
    return person_purses(tx, account)[account]


def person_purses(tx: Tx, *accounts: int) -> dict[int, int]:
    """The purses of accounts, by account; made when they are first asked for."""
    there = {row.account: row.purse for row in tx.purses_of(*accounts) if row.kind is PurseKind.PERSON}
    return {
        account: there.get(account) or tx.make_purse(PurseKind.PERSON, account, None) for account in accounts
    }


def grant_purse(tx: Tx, account: int) -> int | None:
    """The purse with what an account was given as a newcomer; None if it was given nothing."""
    return _purse(tx, PurseKind.GRANT, account)


def escrow_purse(tx: Tx, listing: int) -> int:
    """The purse that keeps the highest bid of an auction, made when it is first asked for."""
    return tx.make_purse(PurseKind.ESCROW, None, listing)


def hold(tx: Tx, *accounts: int) -> None:
    """Hold the purses of accounts until the transaction ends, ascending as in ``move``.

    Whoever makes several transfers in one transaction calls it before the first: two who do so cannot wait for each
    other's purses crosswise. So does whoever must count what one account has.
    """
    for purse in sorted(person_purses(tx, *{*accounts}).values()):
        tx.change_balance(purse, 0)


def held(tx: Tx, purse: int) -> int:
    """What is in a purse, with what rests; 0 if there is none of that number."""
    row = next(iter(tx.purses([purse])), None)
    in_row = 0 if row is None else row.balance
    return in_row + (tx.resting().get(purse, 0) if purse in (MINT, TREASURY) else 0)


def spend_on_claim(tx: Tx, account: int, total: int) -> dict[int, int]:
    """Whose money pays for a claim: what was granted first, the rest from the account's own purse.

    Args:
        tx: The transaction of the claim itself.
        account: Who claims.
        total: Minor units, 0 or more.

    Returns:
        What each purse gives, as negative amounts that sum to ``-total``: legs for ``move``, once whoever gets it is
        put in. ``uses_grant`` tells whether granted money is among it.

    Raises:
        Refusal: FUNDS; nothing was done.
    """
    rows = {row.kind: row for row in tx.purses_of(account)}
    granted, own = rows.get(PurseKind.GRANT), rows.get(PurseKind.PERSON)
    first = min(granted.balance, total) if granted else 0
    rest = total - first
    if rest > (own.balance if own else 0):
        raise _no_funds(tx.currency, total, first + (own.balance if own else 0))
    legs = {}
    if granted and first:
        legs[granted.purse] = -first
    if own and rest:
        legs[own.purse] = -rest
    return legs


def uses_grant(tx: Tx, account: int, legs: Legs) -> bool:
    """Whether some of this is money that the account was granted: land bought with it is locked for a time."""
    return legs.get(grant_purse(tx, account) or 0, 0) < 0


# ---- how money moves


def move(
    tx: Tx,
    kind: TransferKind,
    legs: Legs,
    memo: str,
    by: int | None,
    ref: int | None,
    now_ms: int,
    gets_land: int | None = None,
) -> int:
    """Move money: the one way in which it moves. Part of the caller's transaction.

    Args:
        tx: The transaction of the trade itself.
        kind: What it is for.
        legs: What each purse gets; negative for what it gives. They sum to zero.
        memo: Cleaned and cut here.
        by: The account that does it; None: the operator, or the server itself.
        ref: The listing, estate or lease that it is about.
        now_ms: Unix time.
        gets_land: The account that gets land for it: how much it has is what the caller asks next.

    Returns:
        The transfer's number.

    Raises:
        Refusal: FUNDS, a purse has less than it is to give; the whole transaction must be given up.
        ValueError: They do not sum to zero, or are no legs: a fault of the caller.
    """
    postings = balanced(legs)
    if dict(postings).get(TREASURY, 0) < 0:
        tx.fold(FOLD_MAX)
    row = TransferRow(now_ms, kind, clean_text(memo, MEMO_MAX), by, ref)
    if gets_land is not None:
        tx.expect_parcels_owned(gets_land)
    try:
        return tx.post(row, postings)
    except TooLittle as short:
        raise _no_funds(tx.currency, -dict(postings)[short.purse], held(tx, short.purse)) from None


def pay(tx: Tx, command: Pay) -> int:
    """Pay somebody from one's own purse.

    Returns:
        The transfer's number.

    Raises:
        Refusal: FUNDS; INVALID, the amount is out of bounds, or it is oneself; NOT_FOUND, nobody has that name;
            FORBIDDEN, this world has no payments.
    """
    if not command.allowed:
        raise Refusal(RefusalCode.FORBIDDEN, "expected a world where people pay each other, got one without")
    tx.currency.check(command.amount)
    to = _account(tx, command.to)
    if to == command.by:
        raise invalid("expected somebody else to pay, got yourself")
    legs = {person_purse(tx, command.by): -command.amount, person_purse(tx, to): command.amount}
    return move(tx, TransferKind.PAY, legs, command.memo, command.by, None, command.now_ms)


def issue(tx: Tx, command: Issue) -> int:
    """Make money. The operator alone may; whoever calls this is one.

    Returns:
        The transfer's number.

    Raises:
        Refusal: INVALID, the amount is out of bounds, or there would be too much money; NOT_FOUND.
    """
    purse = _noted(tx, command, AuditAct.MINT)
    _refuse_too_much(tx, command.amount)
    legs = {MINT: -command.amount, purse: command.amount}
    return move(tx, TransferKind.MINT, legs, command.memo, None, None, command.now_ms)


def burn(tx: Tx, command: Issue) -> int:
    """Take money out of the world. The operator alone may; whoever calls this is one.

    Returns:
        The transfer's number.

    Raises:
        Refusal: FUNDS, there is less; INVALID, the amount is out of bounds; NOT_FOUND.
    """
    purse = _noted(tx, command, AuditAct.BURN)
    legs = {purse: -command.amount, MINT: command.amount}
    return move(tx, TransferKind.BURN, legs, command.memo, None, None, command.now_ms)


def grant(tx: Tx, command: Grant) -> int | None:
    """Give a newcomer what can be spent on claims only, once, and to a few of one network and day.

    Returns:
        The transfer's number; None if nothing was given.
    """
    if not command.amount or grant_purse(tx, command.account) is not None:
        return None
    if tx.count_grants(command.network, command.now_ms - DAY_MS) >= command.per_day:
        return None
    if -held(tx, MINT) + command.amount > CIRCULATION_MAX:
        return None
    tx.insert_grant(GrantRow(command.account, command.network, command.now_ms))
    purse = tx.make_purse(PurseKind.GRANT, command.account, None)
    legs = {MINT: -command.amount, purse: command.amount}
    return move(tx, TransferKind.GRANT, legs, "", None, None, command.now_ms)


def roll_up(tx: Tx, _: None) -> int:
    """Add what rests to the purses of mint and treasury, a bounded part in each call; how many postings."""
    return tx.fold(FOLD_MAX)


# ---- what is asked


def balance(tx: Tx, account: int) -> Balance:
    """What an account has."""
    rows = {row.kind: row.balance for row in tx.purses_of(account)}
    return Balance(rows.get(PurseKind.PERSON, 0), rows.get(PurseKind.GRANT, 0))


def statement(tx: Tx, command: Statement) -> Sequence[EntryRow]:
    """What an account's purses got and gave, newest first.

    A claim may take from both purses of an account: such a pair is not parted, even if that is one above the limit.
    """
    purses = [row.purse for row in tx.purses_of(command.account)]
    limit = max(1, min(command.limit, PAGE_MAX))
    rows = tx.entries(purses, command.before or 2**63 - 1, limit + 1) if purses else []
    is_pair = len(rows) > limit and rows[limit].transfer == rows[limit - 1].transfer
    return rows if is_pair else rows[:limit]


def transfer(tx: Tx, number: int) -> Told:
    """All about one transfer.

    Raises:
        Refusal: NOT_FOUND.
    """
    row = tx.transfer(number)
    if row is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected a transfer, got {number}, which is none")
    amounts = dict(tx.postings(number))
    purses = tx.purses([*amounts])
    whose = {one.account for one in purses} | {row.by}
    names = {one.account: one.name for one in tx.accounts(sorted(number for number in whose if number))}
    answered = () if row.by is None else tx.receipts_at(row.by, row.at_ms)
    keys = [one.key for one in answered if not one.refused]
    return Told(row, [(one, amounts[one.purse]) for one in purses], names, keys)


def treasury(tx: Tx, since_ms: int) -> Treasury:
    """How much money there is, and what the treasury got and gave since then."""
    return Treasury(held(tx, TREASURY), -held(tx, MINT), tx.by_day(TREASURY, since_ms))


def _purse(tx: Tx, kind: PurseKind, account: int) -> int | None:
    return next((row.purse for row in tx.purses_of(account) if row.kind is kind), None)


def _account(tx: Tx, whom: Whom) -> int:
    found = find(tx, whom).account
    if found is None:
        raise invalid("expected an account, got a guest or a network")
    return found


def _noted(tx: Tx, command: Issue, act: AuditAct) -> int:
    """Write into the audit log what the operator does to somebody's money, or the treasury's; its purse."""
    tx.currency.check(command.amount)
    tx.lock_order()
    account, about, purse = None, "treasury", TREASURY
    if command.whom is not None:
        account = _account(tx, command.whom)
        about, purse = next(iter(tx.accounts([account]))).name, person_purse(tx, account)
    shown = tx.currency.shown(command.amount)
    detail = f"{shown}: {clean_text(command.memo, MEMO_MAX)}".removesuffix(": ")
    by = OPERATOR
    tx.append_audit(AuditRow(command.now_ms, by.account, by.name, act, account, about, None, detail, None))
    return purse


def _refuse_too_much(tx: Tx, amount: int) -> None:
    there = -held(tx, MINT)
    if there + amount > CIRCULATION_MAX:
        most, got = tx.currency.shown(CIRCULATION_MAX), tx.currency.written(there + amount)
        raise invalid(f"expected at most {most} in the world, got {got}")


def _no_funds(currency: Currency, needed: int, there: int) -> Refusal:
    text = f"expected {currency.shown(needed)} in the purse, got {currency.written(there)}"
    return Refusal(RefusalCode.FUNDS, text)
