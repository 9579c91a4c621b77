"""Looks: what an account looks like to others, and whether they find it by name."""

from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.ports import Tx
from worldloom_sdk.protocol.looks import LOOK_BYTES, Look
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["SetFindable", "SetLook", "check_look", "set_findable", "set_look"]


@dataclass(frozen=True, slots=True)
class SetLook:
    """An account has a look from now on."""

    account: int
    look: bytes
    """As on the wire; empty: none of its own choice."""


@dataclass(frozen=True, slots=True)
class SetFindable:
    """An account can be found by name from now on, or not."""

    account: int
    findable: bool


def check_look(look: bytes) -> None:
    """Make sure that there is such a look, or none.

    Raises:
        Refusal: INVALID.
    """
    if not look:
        return
    try:
        if len(look) != LOOK_BYTES:
            raise ValueError(f"expected a look of {LOOK_BYTES} bytes or none, got {len(look)}")
        Look.of_bytes(look).to_bytes()
    except ValueError as fault:
        raise Refusal(RefusalCode.INVALID, str(fault)) from None


def set_look(tx: Tx, command: SetLook) -> None:
    """Keep a look.

    Raises:
        Refusal: INVALID; there is no such body or colour.
    """
    check_look(command.look)
    tx.set_look(command.account, command.look or None)


def set_findable(tx: Tx, command: SetFindable) -> None:
    """Keep whether an account can be found."""
    tx.set_findable(command.account, command.findable)
