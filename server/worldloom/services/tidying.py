"""Tidying: what has run out is deleted after a while, a bounded part in each call."""

from worldloom.ports import Tx
from worldloom.services import money, receipts

__all__ = ["RIGHTS_KEPT_MS", "ROWS_MAX", "SANCTIONS_KEPT_MS", "tidy"]

ROWS_MAX = 1_000
"""Codes, sanctions, receipts and grants that one call deletes at most, of each."""
SANCTIONS_KEPT_MS = 90 * 24 * 3_600_000
"""How long a sanction is kept that is over."""
RIGHTS_KEPT_MS = 3_600_000
"""How long rights in places are kept that have ended, and notes of changes: longer than any host needs to hear."""


def tidy(tx: Tx, now_ms: int) -> int:
    """Delete what has run out; how many rows.

    Codes at once, rights after an hour, where newcomers with a grant came from after a day, receipts after a week,
    sanctions after 90 days.
    """
    gone = tx.delete_expired(now_ms, now_ms - SANCTIONS_KEPT_MS, ROWS_MAX)
    gone += tx.delete_run_out_rights(now_ms - RIGHTS_KEPT_MS, ROWS_MAX)
    gone += tx.delete_grants(now_ms - money.DAY_MS, ROWS_MAX)
    return gone + tx.delete_receipts(now_ms - receipts.KEPT_MS, ROWS_MAX)
