"""Durations in words: the two largest units, and whether something is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.realm.durations import in_words

S, M, H, D = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [
        (0, "less than a second"),
        (999, "less than a second"),
        (S, "1 second"),
        (M - 1, "over 59 seconds"),
        (M, "1 minute"),
        (90 * M, "1 hour and 30 minutes"),
        (D + 5 * S, "1 day and 5 seconds"),
        (366 * D - 1, "over 365 days and 23 hours"),
        (90 * D, "90 days"),
        (90 * D + 1, "over 90 days"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(duration_ms: int, words: str) -> None:
    assert in_words(duration_ms) == words


@given(st.integers(S, 400 * D))
def test_what_is_said_is_the_duration_or_less_and_then_it_says_over(duration_ms: int) -> None:
    words = in_words(duration_ms)
    units = {"second": S, "minute": M, "hour": H, "day": D}
    parts = [part.split() for part in words.removeprefix("over ").split(" and ")]
    said = sum(int(count) * units[unit.removesuffix("s")] for count, unit in parts)
    assert (said < duration_ms) is words.startswith("over ")
    assert duration_ms - said < units[parts[-1][1].removesuffix("s")]
