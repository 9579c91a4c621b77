"""Results: what Done carries, by command and act."""

from typing import Any

from msgspec import Struct

from worldloom_sdk.protocol.estate import ESTATE_RESULTS
from worldloom_sdk.protocol.messages import Account, AccountAct, EditTerrain, Find, Order, OrderAct, Report
from worldloom_sdk.protocol.parts import (
    AuditEntry,
    Blocked,
    Edited,
    Found,
    Person,
    Reported,
    Secret,
    TokenInfo,
)

__all__ = ["RESULTS"]

RESULTS: dict[tuple[type[Struct], str], Any] = {
    (Order, OrderAct.LIST): list[Person],
    (Order, OrderAct.SHOW): Person,
    (Order, OrderAct.INVITE): Secret,
    (Order, OrderAct.REPORTS): list[Reported],
    (Order, OrderAct.AUDIT): list[AuditEntry],
    (Account, AccountAct.BLOCKED): list[Blocked],
    (Account, AccountAct.RECOVERY): Secret,
    (Account, AccountAct.PAIR): Secret,
    (Account, AccountAct.TOKENS): list[TokenInfo],
    (Account, AccountAct.BOT): Secret,
    (Report, ""): int,
    (EditTerrain, ""): list[Edited],
    (Find, ""): list[Found],
    **ESTATE_RESULTS,
}
"""What Done carries, by command and act; None for the others."""
