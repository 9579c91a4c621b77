"""Owning: whose an estate is, and whether it may change hands. Changes nothing; holds what it decides about."""

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom.ports.land import EstateRow
from worldloom.realm.counts import counted
from worldloom.realm.durations import in_words
from worldloom.realm.estates import LandRules
from worldloom.realm.rights import Verb
from worldloom.services import money, rights
from worldloom.services.asking import By, invalid
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["account_of", "estate_for", "locked_estate", "own_estate", "refuse_locked", "refuse_too_much"]

_DOES = {Verb.LEASE: "let to others"}
"""Where the verb's own name means something else, too."""


def own_estate(tx: Tx, by: By, number: int) -> EstateRow:
    """One's own estate, locked.

    Raises:
        Refusal: NOT_FOUND, there is no such estate; FORBIDDEN, it is somebody else's.
    """
    account, found = account_of(by), locked_estate(tx, number)
    if found.owner != account:
        raise Refusal(RefusalCode.FORBIDDEN, f"expected an estate of your own, got {number}, which is not")
    return found


def estate_for(tx: Tx, verb: Verb, by: By, number: int, now_ms: int) -> EstateRow:
    """An estate in which somebody may do something in its owner's name, locked.

    Raises:
        Refusal: NOT_FOUND, there is no such estate; FORBIDDEN, they may not there.
    """
    account, found = account_of(by), locked_estate(tx, number)
    if not rights.may(tx, verb, account, number, now_ms):
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected an estate in which you may {_DOES.get(verb, str(verb.name).lower())}, got {number}",
            hint="its owner has it, and whom they gave it",
        )
    return found


def refuse_locked(estate: EstateRow, now_ms: int) -> None:
    """Refuse to pass on what was bought with granted money, while that is so.

    Raises:
        Refusal: LOCKED, with the time that is left.
    """
    left = estate.locked_until_ms - now_ms
    if left > 0:
        raise Refusal(
            RefusalCode.LOCKED,
            "expected land that may be passed on, got some that was bought with granted money",
            hint=f"wait for {in_words(left)}",
        )


def refuse_too_much(tx: Tx, account: int, more: int, rules: LandRules, has_paid: bool = False) -> None:
    """Refuse more land than one account may have. Part of the transaction in which it gets it.

    It holds on to the account's purse: of two that get land at once, the second waits here until the first is done, and
    counts anew, or begins anew. A purse, since money is paid in the same transaction: who has paid from it holds it
    already (``has_paid``), so that there is one lock, and one order of locks, for both.

    Raises:
        Refusal: INVALID.
    """
    if not has_paid:
        money.hold(tx, account)
    there = tx.parcels_owned(account)
    if there + more > rules.owner_max:
        raise invalid(
            f"expected at most {counted(rules.owner_max, 'parcel')} of one account, got {there + more}"
        )


def locked_estate(tx: Tx, number: int) -> EstateRow:
    """An estate, locked.

    Raises:
        Refusal: NOT_FOUND.
    """
    found = tx.lock_estate(number)
    if found is None:
        raise Refusal(RefusalCode.NOT_FOUND, f"expected an estate, got {number}, which is none")
    return found


def account_of(by: By) -> int:
    """The account of whoever asks.

    Raises:
        Refusal: FORBIDDEN, it is a guest.
    """
    if by.account is None:
        raise Refusal(
            RefusalCode.FORBIDDEN,
            f"expected somebody with an account, got {by.name!r}",
            hint="keep a name: land belongs to accounts",
        )
    return by.account
