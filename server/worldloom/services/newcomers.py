"""Newcomers: an account, and with it what this world grants to who is new. One transaction."""

from dataclasses import dataclass

from worldloom.ports import AccountRow, Tx
from worldloom.services import accounts, money

__all__ = ["Newcomer", "welcome"]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody wants an account."""

    register: accounts.Register
    network: str
    """Of the address that they come from: an IPv4 /32 or an IPv6 /64; empty if it is unknown."""
    grant: int
    """Minor units; 0: none."""
    grants_per_day: int
    """For one network."""


def welcome(tx: Tx, command: Newcomer) -> AccountRow:
    """Make an account, and give it the grant unless its network had as many as it gets in a day.

    Raises:
        Refusal: As ``accounts.register``.
    """
    row = accounts.register(tx, command.register)
    now_ms, per_day = command.register.now_ms, command.grants_per_day
    money.grant(tx, money.Grant(row.account, command.network, command.grant, per_day, now_ms))
    return row
