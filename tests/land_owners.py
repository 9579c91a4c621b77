"""Owners of land for tests: people with money, regions that are open, and what they do in one line."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from order_people import NOW, add
from worldloom.errors import StoreBusy
from worldloom.ports import Store, StyleRow, Tx
from worldloom.ports.land import EstateRow
from worldloom.realm.estates import LandRules, Parcel, rectangle
from worldloom.services import land, money, zones
from worldloom.services.asking import OPERATOR, By, Whom

__all__ = ["PRICE", "RULES", "claimed", "claiming", "insisting", "me", "open_land", "rich"]

C = TypeVar("C")
R = TypeVar("R")

PRICE = 7
RULES = LandRules()


async def insisting(store: Store, use_case: Callable[[Tx, C], R], command: C) -> R:
    """Run a use case, again while others hold what it waits for: nothing was done then, and callers ask again."""
    while True:
        try:
            return await store.run(use_case, command)
        except StoreBusy:
            continue


def me(account: int) -> By:
    """Somebody with an account, who asks."""
    return By(account, f"#{account}")


def rich(tx: Tx, name: str, amount: int = 1_000_000) -> int:
    """A new account with money."""
    account = add(tx, name)
    money.issue(tx, money.Issue(Whom(account=account), amount, "", NOW))
    return account


def open_land(tx: Tx, price: int = PRICE) -> None:
    """Open the four regions around the origin."""
    regions = [(rx, rz) for rx in (-1, 0) for rz in (-1, 0)]
    zones.open_zones(tx, zones.Open(OPERATOR, regions, price, NOW))


def claiming(
    account: int,
    parcels: Sequence[Parcel],
    price: int | None = None,
    name: str = "",
    rules: LandRules = RULES,
    style: StyleRow | None = None,
) -> land.Claim:
    """The command with which somebody claims; at the price of ``open_land`` unless told otherwise."""
    total = PRICE * len(parcels) if price is None else price
    return land.Claim(me(account), parcels, total, rules, NOW, name, style)


def claimed(tx: Tx, account: int, px: int = 0, pz: int = 0, wide: int = 2, deep: int = 1) -> EstateRow:
    """A rectangle of parcels that somebody claims."""
    return land.claim(tx, claiming(account, rectangle(px, pz, wide, deep)))
