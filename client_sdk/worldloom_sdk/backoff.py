"""Waiting before trying again: exponential with full jitter, so that many clients do not come back at once."""

import random

__all__ = ["Backoff"]


class Backoff:
    """Waiting times that grow.

    Args:
        base_s: Upper bound of the first wait, in seconds.
        cap_s: Upper bound of every wait.
        rng: Where the jitter comes from.
    """

    def __init__(self, base_s: float = 0.25, cap_s: float = 30.0, rng: random.Random | None = None) -> None:
        self._base = base_s
        self._cap = cap_s
        self._rng = rng or random.Random()
        self._tries = 0

    def next(self, at_least_s: float = 0.0) -> float:
        """The next wait in seconds.

        ``at_least_s`` and on top of it a random part of a bound that doubles each time; the bound is at least half of
        ``at_least_s``, so that those who were all sent away together come back spread out.
        """
        bound = max(at_least_s / 2, min(self._cap, self._base * 2.0 ** min(self._tries, 32)))
        self._tries += 1
        return at_least_s + self._rng.uniform(0.0, bound)

    def reset(self) -> None:
        """Start over, after something worked."""
        self._tries = 0
