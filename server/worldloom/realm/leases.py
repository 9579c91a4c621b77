"""Leases: the arithmetic of prepaid periods. Knows no account, no estate and no time of day.

Times are Unix milliseconds. A lease grants something from its first millisecond on until the one before its end.
"""

import hashlib

from worldloom.realm.money import AMOUNT_MAX

__all__ = [
    "NOTICE_MS",
    "PERIODS_MAX",
    "PERIOD_MAX_S",
    "PERIOD_MIN_S",
    "due_ms",
    "in_force",
    "last_ms",
    "periods_left",
    "terms",
    "until_ms",
    "unused",
]

PERIOD_MIN_S = 60
PERIOD_MAX_S = 366 * 24 * 3_600
PERIODS_MAX = 1_000
"""Periods of one lease, renewals included."""
NOTICE_MS = 24 * 3_600_000
"""How long before its end a tenant is told, at most; of short periods a tenth."""


def in_force(from_ms: int, end_ms: int, now_ms: int) -> bool:
    """Whether a lease grants something now."""
    return from_ms <= now_ms < end_ms


def until_ms(begin_ms: int, period_ms: int, periods: int) -> int:
    """When so many periods are over, that begin then."""
    return begin_ms + period_ms * periods


def last_ms(from_ms: int, period_ms: int, max_periods: int) -> int:
    """When a lease ends at the latest, however often it is renewed."""
    return from_ms + period_ms * max_periods


def periods_left(end_ms: int, latest_ms: int, period_ms: int) -> int:
    """By how many periods a lease can still be renewed."""
    return max(latest_ms - end_ms, 0) // period_ms


def due_ms(end_ms: int, period_ms: int) -> int:
    """When the tenant is told that a lease ends."""
    return end_ms - min(NOTICE_MS, period_ms // 10)


def unused(rent: int, period_ms: int, end_ms: int, now_ms: int) -> int:
    """What was paid for the time that is left, rounded down; at most what one transfer moves."""
    return min(rent * max(end_ms - now_ms, 0) // period_ms, AMOUNT_MAX)


def terms(shown: str, period_ms: int, max_periods: int, renewable: bool, only: int | None) -> str:
    """What somebody was shown who is to be a tenant, in 32 hex digits: on other terms it is another.

    Args:
        shown: The fingerprint of the estate, with the rent as its price.
        period_ms: What the rent is paid for.
        max_periods: Of one lease, renewals included.
        renewable: Whether it can be renewed.
        only: The account that it is offered to, if it is to one alone.
    """
    told = f"{shown} {period_ms} {max_periods} {int(renewable)} {only or 0}"
    return hashlib.sha256(told.encode()).digest()[:16].hex()
