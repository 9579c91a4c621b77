"""Following notices by number: each is told once, and none is passed over that is committed late."""

from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.services.notices import GAP_MS, GAPS_MAX, Following, Notice, NoticeKind, Seek


def notice(number: int) -> Notice:
    return Notice(number, 1, NoticeKind.SOLD, 0, {}, False)


def numbers(found) -> list[int]:
    return [one.notice for one in found]


def test_numbers_that_were_missing_are_asked_for_until_they_come():
    following = Following(5)
    assert numbers(following.take([notice(6), notice(9)], 0)) == [6, 9]
    assert following.seek() == Seek(9, (7, 8))
    assert numbers(following.take([notice(8)], 1)) == [8]
    assert following.seek() == Seek(9, (7,))


def test_a_number_that_never_comes_is_given_up():
    following = Following(5)
    following.take([notice(7)], 0)
    following.take([], GAP_MS - 1)
    assert following.seek().missing == (6,)
    following.take([], GAP_MS)
    assert following.seek().missing == ()


def test_what_was_told_is_not_told_again():
    following = Following(0)
    assert numbers(following.take([notice(1)], 0)) == [1]
    assert numbers(following.take([notice(1)], 0)) == []


def test_a_long_gap_is_no_reason_to_ask_for_everything():
    following = Following(0)
    following.take([notice(10**9)], 0)
    assert len(following.missing) == GAPS_MAX
    assert max(following.missing) == 10**9 - 1


@settings(deadline=None)
@given(st.permutations(range(1, 30)), st.lists(st.integers(1, 29), max_size=20))
def test_in_whatever_order_they_are_committed_each_is_told_once(order, pauses):
    """Committed one by one; now and then, and at the end, somebody looks."""
    following, there, told = Following(0), set(), []
    for step, number in enumerate(order):
        there.add(number)
        if step in pauses or step == len(order) - 1:
            seek = following.seek()
            found = sorted(there & set(seek.missing)) + sorted(n for n in there if n > seek.after)
            told += numbers(following.take([notice(n) for n in found], step))
    assert sorted(told) == list(range(1, 30))
