"""Money without a database: transfers sum to zero or are none; amounts are read as they are written; fees."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from worldloom.errors import Refusal
from worldloom.realm.ledger import LEGS_MAX, MINT, TREASURY, balanced, rests
from worldloom.realm.money import AMOUNT_MAX, Currency, fee_of

amounts = st.integers(-AMOUNT_MAX // LEGS_MAX, AMOUNT_MAX // LEGS_MAX).filter(bool)
purses = st.integers(1, 2**62)


@given(st.dictionaries(purses, amounts, min_size=2, max_size=LEGS_MAX))
def test_a_transfer_is_what_sums_to_zero_and_nothing_else(legs):
    last = max(legs)
    legs[last] = 0
    legs[last] = rest = -sum(legs.values())
    assume(0 < abs(rest) <= AMOUNT_MAX)
    postings = balanced(legs)
    assert dict(postings) == legs
    assert [purse for purse, _ in postings] == sorted(legs)
    legs[last] -= rest // abs(rest)
    with pytest.raises(ValueError, match="expected"):
        balanced(legs)


@pytest.mark.parametrize(
    ("legs", "wrong"),
    [
        ({}, "2 to 16 purses, got 0"),
        ({5: 0, 6: 0}, "2 to 16 purses, got 0"),
        ({5: 1}, "2 to 16 purses, got 1"),
        ({5: 1, 6: -2}, "sum to zero, got -1"),
        ({5: 1, 6: 0, 7: -1, 0: 5, 8: -5}, "purses from 1, got 0"),
        ({5: AMOUNT_MAX + 1, 6: -AMOUNT_MAX - 1}, f"amounts up to {AMOUNT_MAX} minor units"),
        ({n: 1 if n % 2 else -1 for n in range(1, LEGS_MAX + 3)}, "2 to 16 purses, got 18"),
    ],
)
def test_what_is_no_transfer_is_told_why(legs, wrong):
    with pytest.raises(ValueError, match=wrong):
        balanced(legs)


def test_no_trade_waits_for_the_mint_nor_for_what_the_treasury_gets():
    assert [rests(MINT, 5), rests(MINT, -5), rests(TREASURY, 5)] == [True] * 3
    assert [rests(TREASURY, -5), rests(3, 5), rests(3, -5)] == [False] * 3


@given(st.integers(1, AMOUNT_MAX), st.integers(0, 6))
def test_an_amount_is_read_as_it_is_written(amount, digits):
    currency = Currency("crown", digits)
    assert currency.read(currency.written(amount)) == amount
    assert currency.read(currency.written(amount).replace(",", "")) == amount


def test_amounts_are_written_for_people():
    crown, shell = Currency(), Currency("shell", 0)
    assert crown.shown(125_000) == "1,250.00 crown"
    assert [crown.written(n) for n in (0, 5, -5, -123_456_789)] == ["0.00", "0.05", "-0.05", "-1,234,567.89"]
    assert shell.shown(1_250) == "1,250 shell"
    assert [crown.read(text) for text in ("12", " 12.5 ", "0.01", "1,250")] == [1_200, 1_250, 1, 125_000]


def test_one_coin_is_named_otherwise_than_several():
    crown = Currency("crown", 2, "crowns")
    assert [crown.shown(amount) for amount in (100, -100, 0, 150, 500)] == [
        "1.00 crown",
        "-1.00 crown",
        "0.00 crowns",
        "1.50 crowns",
        "5.00 crowns",
    ]


@pytest.mark.parametrize(
    "typed",
    ["", "x", "-5", "+5", "0", "0.00", "1.234", "1e5", "5.", ".5", "1,2", "12,34.00", "٣", "9" * 30, "1 000"],
)
def test_what_is_no_amount_is_refused_with_what_one_looks_like(typed):
    with pytest.raises(ValueError, match=r"expected an amount (such as 1,250\.00|from 0\.01 to )"):
        Currency().read(typed)


def test_amounts_out_of_bounds_are_refused():
    for good in (1, AMOUNT_MAX):
        Currency().check(good)
    for bad in (0, -1, AMOUNT_MAX + 1):
        with pytest.raises(Refusal, match=r"expected a bid from 0\.01 to"):
            Currency().check(bad, "a bid")


@given(st.integers(0, AMOUNT_MAX), st.integers(0, 10_000))
def test_a_fee_is_rounded_down_and_never_more_than_the_price(price, hundredths):
    fee = fee_of(price, hundredths)
    assert 0 <= fee <= price
    assert fee * 10_000 <= price * hundredths < (fee + 1) * 10_000


def test_fees_of_known_prices():
    assert [fee_of(price, 250) for price in (0, 39, 40, 1_000, AMOUNT_MAX)] == [0, 0, 1, 25, AMOUNT_MAX // 40]
