"""Statistics of a run: histograms of milliseconds and their percentiles. Pure NumPy; knows no clients."""

import numpy as np
import numpy.typing as npt

__all__ = ["Histogram", "bucket_quantile"]

BIN_MS = 0.1
LONGEST_MS = 20_000.0
_BINS = round(LONGEST_MS / BIN_MS)


class Histogram:
    """Counts of durations in bins of 0.1 ms up to 20 s; what is longer counts as 20 s, what is negative as 0."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS + 1, np.int64)

    def __len__(self) -> int:
        return int(self._counts.sum())

    def add(self, values_ms: npt.NDArray[np.floating]) -> None:
        """Count some durations. ``values_ms``: ``[n]``, finite."""
        bins = np.clip(values_ms / BIN_MS, 0, _BINS).astype(np.int64)
        self._counts += np.bincount(bins, minlength=_BINS + 1)

    def percentile(self, share: float) -> float:
        """The duration that ``share`` percent of the counts do not exceed, in ms to 0.1; 0 of an empty histogram."""
        total = np.cumsum(self._counts)
        if not total[-1]:
            return 0.0
        found = int(np.searchsorted(total, np.ceil(total[-1] * share / 100.0)))
        return round((found + 1) * BIN_MS, 1)


def bucket_quantile(bounds: list[float], counts: list[float], quantile: float) -> float:
    """A quantile of a Prometheus histogram, linear within a bucket.

    Args:
        bounds: Ascending upper bounds, the last may be infinite.
        counts: Cumulative counts, one a bound.
        quantile: From 0 to 1.

    Returns:
        The quantile in the unit of the bounds; the highest finite bound for what lies beyond; 0 without counts.
    """
    if not counts or counts[-1] <= 0:
        return 0.0
    rank = counts[-1] * quantile
    low, below = 0.0, 0.0
    for bound, count in zip(bounds, counts, strict=True):
        if count >= rank and count > below:
            return low if bound == float("inf") else low + (bound - low) * (rank - below) / (count - below)
        low, below = (low if bound == float("inf") else bound), count
    return low
