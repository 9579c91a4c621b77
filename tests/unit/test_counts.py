"""Counts in words: one is not said like many."""

import pytest

from worldloom.realm.counts import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 parcels"), (1, "1 parcel"), (2, "2 parcels"), (2_048, "2,048 parcels")]
)
def test_one_is_said_as_one_and_all_else_as_many(count: int, words: str) -> None:
    assert counted(count, "parcel") == words
