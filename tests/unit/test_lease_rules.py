"""The arithmetic of leases: to the millisecond, and terms that cannot be mistaken."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from worldloom.realm import leases
from worldloom.realm.leases import NOTICE_MS
from worldloom.realm.money import AMOUNT_MAX

HOUR, DAY = 3_600_000, 86_400_000
TIMES = st.integers(0, 2**50)
PERIOD_MS = st.integers(60_000, 366 * DAY)


def test_a_lease_grants_from_its_first_millisecond_to_the_one_before_its_end():
    assert [leases.in_force(10, 20, now) for now in (9, 10, 19, 20)] == [False, True, True, False]


@given(TIMES, PERIOD_MS, st.integers(1, 1_000), st.integers(0, 1_000))
def test_periods_paid_and_periods_left_are_all_that_there_are(begin, period, most, paid):
    paid = min(paid, most)
    until, latest = leases.until_ms(begin, period, paid), leases.last_ms(begin, period, most)
    assert leases.periods_left(until, latest, period) == most - paid
    assert leases.until_ms(until, period, most - paid) == latest


@given(st.integers(1, 10**6), PERIOD_MS, st.integers(1, 1_000), st.data())
def test_what_is_unused_falls_from_all_that_was_paid_to_nothing(rent, period, paid, data):
    now, later = sorted(data.draw(st.tuples(*[st.integers(0, period * paid + 5)] * 2)))
    left, less = (leases.unused(rent, period, period * paid, at) for at in (now, later))
    assert rent * paid >= left >= less >= leases.unused(rent, period, period * paid, period * paid) == 0
    assert leases.unused(rent, period, period * paid, 0) == rent * paid


def test_no_more_is_unused_than_one_transfer_moves():
    assert leases.unused(AMOUNT_MAX, DAY, 3 * DAY, 0) == AMOUNT_MAX


def test_nothing_is_left_of_a_lease_that_went_on_too_long():
    assert leases.periods_left(20, 10, 5) == 0


def test_tenants_are_told_a_day_before_or_of_short_periods_a_tenth():
    assert leases.due_ms(100 * DAY, 30 * DAY) == 100 * DAY - NOTICE_MS
    assert leases.due_ms(100 * DAY, HOUR) == 100 * DAY - HOUR // 10


def test_other_terms_have_another_fingerprint():
    choices = itertools.product(("a" * 32, "b" * 32), (HOUR, DAY), (1, 12), (True, False), (None, 1, 12))
    told = [leases.terms(*choice) for choice in choices]
    assert len(set(told)) == len(told)
    assert {len(one) for one in told} == {32}
