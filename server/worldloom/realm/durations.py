"""Durations: how long, in words that people read. Knows no time of day."""

from worldloom.realm.counts import counted

__all__ = ["in_words"]

_UNITS = (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000))


def in_words(duration_ms: int) -> str:
    """A duration as people say it, in its two largest units: "3 days and 2 hours", "over 59 seconds".

    Args:
        duration_ms: Milliseconds; 0 or more.
    """
    if duration_ms < 1_000:
        return "less than a second"
    parts: list[str] = []
    left = duration_ms
    for name, unit_ms in _UNITS:
        count = left // unit_ms
        if count and len(parts) < 2:
            parts.append(counted(count, name))
            left -= count * unit_ms
    # What is left is said: whoever is a moment above a limit is not told that it is the limit.
    return f"{'over ' if left else ''}{' and '.join(parts)}"
