"""The system's time, as the rest of the server sees it."""

import time

__all__ = ["SystemClock", "unix_ms"]


def unix_ms() -> int:
    """Milliseconds since 1970, as the system says now; may jump."""
    return time.time_ns() // 1_000_000


class SystemClock:
    """World time counts from the world's creation and, once started, never goes back.

    Args:
        created_ms: Unix time of the world's creation.
    """

    def __init__(self, created_ms: int) -> None:
        self._started = time.monotonic()
        self._offset_ms = max(0, unix_ms() - created_ms)

    def monotonic(self) -> float:
        """Seconds for durations."""
        return time.monotonic()

    def world_ms(self) -> int:
        """World time in milliseconds."""
        return self._offset_ms + int((time.monotonic() - self._started) * 1_000)
