"""Estates: what hangs together, how it is split and joined, and what a buyer's fingerprint says."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.errors import Refusal
from worldloom.realm import estates
from worldloom.realm.estates import (
    PARCEL_MAX,
    PARCEL_MIN,
    check_estate,
    connected,
    fingerprint,
    from_runs,
    joined,
    parcel_at,
    parcels_of_region,
    rectangle,
    region_of,
    split_off,
    to_runs,
    touch,
    whole_region,
)
from worldloom_sdk.protocol.messages import RefusalCode

Parcels = set[tuple[int, int]]
SMALL = st.tuples(st.integers(-4, 3), st.integers(-4, 3))
ANY = st.tuples(st.integers(PARCEL_MIN, PARCEL_MAX), st.integers(PARCEL_MIN, PARCEL_MAX))
SOME = st.sets(SMALL, min_size=1, max_size=24)


@st.composite
def grown(draw: st.DrawFn) -> Parcels:
    """Parcels that hang together: each was put beside one that was there."""
    there = {draw(SMALL)}
    for _ in range(draw(st.integers(0, 20))):
        px, pz = draw(st.sampled_from(sorted(there)))
        dx, dz = draw(st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]))
        there.add((px + dx, pz + dz))
    return there


def pieces(parcels: Parcels) -> list[Parcels]:
    """What hangs together, by merging whatever is at distance 1: slow and plain."""
    found: list[Parcels] = []
    for parcel in parcels:
        near = [piece for piece in found if any(math.dist(parcel, one) == 1 for one in piece)]
        found = [piece for piece in found if piece not in near] + [set().union({parcel}, *near)]
    return found


@settings(deadline=None)
@given(SOME)
def test_connected_is_being_one_piece(parcels):
    assert connected(parcels) == (len(pieces(parcels)) == 1)


@settings(deadline=None)
@given(grown(), st.randoms())
def test_an_estate_is_told_in_one_order_whatever_order_it_was_given_in(parcels, chance):
    given_ = list(parcels)
    chance.shuffle(given_)
    assert check_estate(given_, 99) == sorted(parcels)


@settings(deadline=None)
@given(grown(), st.data())
def test_what_is_split_off_and_what_stays_are_the_estate_and_both_are_one_piece(parcels, data):
    part = data.draw(st.sets(st.sampled_from(sorted(parcels)), min_size=1))
    rest = parcels - part
    if rest and len(pieces(part)) == len(pieces(rest)) == 1:
        left, new = split_off(parcels, sorted(part))
        assert (set(left), set(new)) == (rest, part)
        assert joined(left, new, len(parcels)) == sorted(parcels)
        assert touch(left, new)
    else:
        with pytest.raises(Refusal) as refused:
            split_off(parcels, sorted(part))
        assert refused.value.code is RefusalCode.INVALID


@settings(deadline=None)
@given(grown(), grown(), SMALL)
def test_two_estates_are_joined_exactly_when_they_are_one_piece_together(one, other, away):
    moved = {(px + away[0], pz + away[1]) for px, pz in other} - one
    if not moved or len(pieces(moved)) != 1:
        return
    assert touch(one, moved) == touch(moved, one) == (len(pieces(one | moved)) == 1)
    if touch(one, moved):
        assert joined(one, moved, 999) == sorted(one | moved)
    else:
        with pytest.raises(Refusal, match="share an edge"):
            joined(one, moved, 999)


@settings(deadline=None)
@given(st.sets(st.one_of(SMALL, ANY), max_size=30))
def test_runs_are_the_same_parcels_and_one_list_for_each_set(parcels):
    runs = to_runs(parcels)
    assert from_runs(runs) == sorted(parcels)
    assert to_runs(reversed(sorted(parcels))) == runs
    assert sum(n for _, _, n in runs) == len(parcels)
    # No run could be longer.
    ends = {(px + n, pz) for px, pz, n in runs}
    assert not ends & {(px, pz) for px, pz, _ in runs}


@settings(deadline=None)
@given(ANY)
def test_a_parcel_lies_in_the_region_that_has_it(parcel):
    rx, rz = region_of(parcel)
    assert parcel in parcels_of_region(rx, rz)
    assert region_of(parcel_at(parcel[0] * 16 + 15.999, parcel[1] * 16)) == (rx, rz)
    assert abs(rx) <= 32_767
    assert abs(rz) <= 32_767


def test_a_whole_region_is_all_256_parcels_of_one_and_nothing_else():
    whole = parcels_of_region(-1, 2)
    assert len(whole) == 256
    assert whole[0] == (-16, 32)
    assert whole_region(whole) == (-1, 2)
    assert whole_region(whole[:-1]) is None
    assert whole_region([*whole[:-1], (0, 32)]) is None
    assert whole_region([]) is None
    assert rectangle(-16, 32, 16, 16) == whole


@pytest.mark.parametrize(
    ("parcels", "told"),
    [
        ([], "1 to 4 parcels, got 0"),
        ([(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)], "1 to 4 parcels, got 5"),
        ([(0, 0), (0, 0)], "each parcel once, got 1 twice"),
        ([(PARCEL_MAX + 1, 0)], f"parcels from {PARCEL_MIN} to {PARCEL_MAX}"),
        ([(0, PARCEL_MIN - 1)], f"parcels from {PARCEL_MIN} to {PARCEL_MAX}"),
        ([(0, 0), (1, 1)], "hang together by their edges"),
    ],
)
def test_what_cannot_be_an_estate_is_refused(parcels, told):
    with pytest.raises(Refusal, match=told) as refused:
        check_estate(parcels, 4)
    assert refused.value.code is RefusalCode.INVALID


def test_what_cannot_be_joined_or_split_is_refused():
    with pytest.raises(Refusal, match="at most 3 parcels together, got 4"):
        joined([(0, 0), (1, 0)], [(2, 0), (3, 0)], 3)
    with pytest.raises(Refusal, match="a part of the estate, got all of its 2"):
        split_off([(0, 0), (1, 0)], [(0, 0), (1, 0)])
    with pytest.raises(Refusal, match=r"parcels of the estate, got \(2, 0\)"):
        split_off([(0, 0), (1, 0)], [(1, 0), (2, 0)])
    with pytest.raises(Refusal, match="the rest hangs together"):
        split_off([(0, 0), (1, 0), (2, 0)], [(1, 0)])


@settings(deadline=None)
@given(grown())
def test_a_fingerprint_is_another_when_anything_that_was_shown_is_another(parcels):
    shown = fingerprint(7, 3, parcels, 100)
    assert len(bytes.fromhex(shown)) == 16
    assert fingerprint(7, 3, sorted(parcels, reverse=True), 100) == shown
    others = {
        fingerprint(8, 3, parcels, 100),
        fingerprint(7, 4, parcels, 100),
        fingerprint(7, 3, {*parcels, (99, 99)}, 100),
        fingerprint(7, 3, parcels, 101),
        fingerprint(7, 3, parcels, 100, (1, 2)),
        fingerprint(7, 3, parcels, 100, (1, 3)),
    }
    assert len(others | {shown}) == 7


def test_the_fingerprint_stays_what_it_is_from_version_to_version():
    assert fingerprint(7, 3, [(0, 0), (1, 0)], 100, (5, 6)) == "1a92ca316236ca111b3ac2c1cc2bc1b7"
    assert estates.PARCELS_PER_REGION == 16
