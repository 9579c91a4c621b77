"""The market's arithmetic: shares, bids, ends, and where an estate is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.realm.market import LATE_MS, end_after_bid, folded, is_over, next_bid, seat, shares
from worldloom.realm.money import AMOUNT_MAX

AMOUNTS = st.integers(1, AMOUNT_MAX)
PARCELS = st.sets(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("amount", "fee", "expected"),
    [(1_001, 250, (976, 25)), (39, 250, (39, 0)), (40, 250, (39, 1)), (7, 0, (7, 0)), (7, 10_000, (0, 7))],
)
def test_the_fee_is_rounded_down_and_the_rest_is_the_sellers(amount, fee, expected):
    assert shares(amount, fee) == expected


@given(AMOUNTS, st.integers(0, 10_000))
def test_shares_are_all_of_it_and_never_less_than_nothing(amount, fee):
    gets, treasury = shares(amount, fee)
    assert gets + treasury == amount
    assert min(gets, treasury) >= 0


def test_the_first_bid_is_the_price_and_each_next_a_step_more():
    assert next_bid(100, 10, None) == 100
    assert next_bid(100, 10, 100) == 110


@given(st.integers(0, 2**52), st.integers(0, 2**52))
def test_a_bid_never_brings_the_end_nearer_and_leaves_time_to_answer(ends, now):
    after = end_after_bid(ends, now)
    assert after >= max(ends, now + LATE_MS)
    assert after in (ends, now + LATE_MS)


def test_an_offer_is_over_from_its_end_on():
    assert [is_over(1_000, now) for now in (999, 1_000, 1_001)] == [False, True, True]
    assert not is_over(None, 2**60)


@pytest.mark.parametrize(
    ("parcels", "expected"),
    [
        ([(5, -3)], (5, -3)),
        ([(0, 0), (1, 0), (2, 0)], (1, 0)),
        ([(1, 0), (0, 0)], (0, 0)),
        ([(0, 0), (0, 1), (0, 2), (1, 2), (2, 2)], (0, 1)),
    ],
)
def test_an_estate_is_where_its_middle_parcel_is(parcels, expected):
    assert seat(parcels) == expected


@given(PARCELS)
def test_the_seat_is_a_parcel_of_the_estate_whatever_their_order(parcels):
    assert seat(parcels) in parcels
    assert seat(sorted(parcels)) == seat(sorted(parcels, reverse=True))


def test_without_parcels_there_is_no_seat():
    with pytest.raises(ValueError, match="expected one or more parcels, got none"):
        seat([])


def test_names_are_found_without_regard_to_case_and_forms():
    assert folded("Große STRASSE") == folded("GROSSE straße")
    assert folded("\N{FULLWIDTH LATIN CAPITAL LETTER A}b") == "ab"
    assert len(folded("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 64)) == 255
