"""The chain: how an entry of the register is sealed by a hash that holds all entries before it. Knows no database."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum

__all__ = ["HASH_BYTES", "START", "Entry", "RegisterKind", "canonical", "link"]

HASH_BYTES = 32
START = bytes(HASH_BYTES)
"""The hash before the first seal."""

Entry = tuple[int, int, str, int, int | None, int | None, int | None, str]
"""Number, time (Unix ms), kind, estate, who has the title from then on, who had it before, transfer, detail."""


class RegisterKind(StrEnum):
    """What the register tells of. Those that change no title are there because they bind the land."""

    CLAIM = "claim"
    """From the world. ``detail``: parcels."""
    SPLIT = "split"
    """Of the estate that stays; ``detail``: parcels and ``to``, the new estate. Of the new one: ``from``."""
    JOIN = "join"
    """Of the estate that stays; ``detail``: parcels and ``from``, the other estate. Of that, which ends: ``to``."""
    GIVE = "give"
    ABANDON = "abandon"
    """To the world. ``detail``: parcels."""
    TAKE = "take"
    """To the world, by the operator. ``detail``: parcels and reason."""
    SALE = "sale"
    """For a fixed price."""
    AUCTION = "auction"
    """To the highest bidder."""
    LIST = "list"
    """An offer to sell, of either kind, began. ``detail``: the offer, and ``by``: the account that made it."""
    WITHDRAW = "withdraw"
    """It was taken back, or the estate was changed. ``detail``: the offer, how, and ``by``: who ended it."""
    OVER = "over"
    """Its time ran out, and nobody had bought. Rows of earlier versions say so in the detail of a WITHDRAW alone."""
    LEASE = "lease"
    RENEW = "renew"


def canonical(detail: Mapping[str, object]) -> str:
    """A detail as it is stored: JSON, keys in order, no blanks, ASCII alone."""
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def link(before: bytes, entry: Entry) -> bytes:
    """The hash that seals an entry behind those before it.

    Args:
        before: Of the seal before, or ``START``; 32 bytes.
        entry: As it is stored.

    Returns:
        sha256 over ``before`` and the entry as a JSON array: no blanks, ASCII alone.
    """
    told = json.dumps(list(entry), separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(before + told.encode("ascii")).digest()
