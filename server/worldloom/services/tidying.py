"""Tidying: what has run out is deleted after a while, a bounded part in each call."""

from worldloom.ports import Tx

__all__ = ["ROWS_MAX", "SANCTIONS_KEPT_MS", "tidy"]

ROWS_MAX = 1_000
"""Codes, and sanctions, that one call deletes at most."""
SANCTIONS_KEPT_MS = 90 * 24 * 3_600_000
"""How long a sanction is kept that is over."""


def tidy(tx: Tx, now_ms: int) -> int:
    """Delete codes that have run out, and sanctions that were over 90 days ago; how many rows."""
    return tx.delete_expired(now_ms, now_ms - SANCTIONS_KEPT_MS, ROWS_MAX)
