"""Titles: what the register tells, done again, is who owns what; and what cannot have happened is said so."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.realm.chain import START, canonical, link
from worldloom.realm.titles import Titles


def entry(number, kind, estate, account=None, other=None, **detail):
    """A row of the register as the chain takes it."""
    return number, 5, kind, estate, account, other, None, canonical(detail)


def test_titles_are_what_the_register_tells():
    titles = Titles()
    told = [
        entry(1, "claim", 1, 7, parcels=[[0, 0, 3]]),
        entry(2, "list", 1, 7),
        entry(3, "split", 1, 7, 7, parcels=[[2, 0, 1]], to=2),
        entry(4, "split", 2, 7, 7, **{"from": 1}),
        entry(5, "sale", 2, 8, 7),
        entry(6, "claim", 3, 8, parcels=[[3, 0, 1]]),
        entry(7, "join", 2, 8, 8, parcels=[[3, 0, 1]], **{"from": 3}),
        entry(8, "join", 3, 8, 8, to=2),
        entry(9, "abandon", 1, None, 7, parcels=[[0, 0, 2]]),
        entry(10, "claim", 4, 9, parcels=[[0, 0, 1]]),
    ]
    assert [titles.apply(one) for one in told] == [""] * 10
    found = {number: (title.owner, title.parcels, title.row) for number, title in titles.estates.items()}
    assert found == {2: (8, {(2, 0), (3, 0)}, 7), 4: (9, {(0, 0)}, 10)}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (entry(3, "claim", 1, 7, parcels=[[9, 9, 1]]), "estate 1 is there already"),
        (entry(3, "claim", 5, 7, parcels=[[1, 0, 1]]), "parcel (1, 0) is estate 1's"),
        (entry(3, "claim", 5, None, parcels=[[9, 9, 1]]), "no owner or no parcel"),
        (entry(3, "claim", 5, 7), "no owner or no parcel"),
        (entry(3, "split", 1, 7, 7, parcels=[[0, 0, 2]], to=5), "cannot be split so"),
        (entry(3, "split", 1, 7, 7, parcels=[[0, 0, 1]], to=2), "cannot be split so"),
        (entry(3, "split", 1, 7, 7, parcels=[[0, 0, 1]], to="5"), "cannot be split so"),
        (entry(3, "join", 1, 7, 7, parcels=[[2, 0, 1]], **{"from": 2}), "cannot be joined"),
        (entry(3, "join", 1, 7, 7, parcels=[[2, 0, 1]], **{"from": 9}), "cannot be joined"),
        (entry(3, "give", 1, 9, 8), "not account 8's to give"),
        (entry(3, "sale", 1, None, 7), "not account 7's to give"),
        (entry(3, "auction", 6, 9, 7), "not account 7's to give"),
        (entry(3, "take", 1, None, 7, parcels=[[0, 0, 1]]), "not account 7's with these parcels"),
        (entry(3, "abandon", 1, None, 8, parcels=[[0, 0, 2]]), "not account 8's with these parcels"),
        ((3, 5, "give", 1, 9, 7, None, "[]"), "its detail cannot be read"),
        ((3, 5, "give", 1, 9, 7, None, "{"), "its detail cannot be read"),
        ((3, 5, "give", 1, 9, 7, None, '{"parcels":[[1,2]]}'), "its detail cannot be read"),
    ],
)
def test_what_cannot_have_happened_is_said_so_and_changes_nothing(wrong, why):
    titles = Titles()
    assert titles.apply(entry(1, "claim", 1, 7, parcels=[[0, 0, 2]])) == ""
    assert titles.apply(entry(2, "claim", 2, 8, parcels=[[2, 0, 1]])) == ""
    before = repr(titles)
    assert why in titles.apply(wrong)
    assert repr(titles) == before


def test_details_are_written_in_one_way():
    assert canonical({"b": 1, "a": ["é", None]}) == '{"a":["\\u00e9",null],"b":1}'


ENTRY = st.tuples(
    st.integers(1, 2**31), st.integers(0, 2**53), st.text(min_size=1, max_size=16), st.integers(1, 2**31),
    st.none() | st.integers(1, 2**31), st.none() | st.integers(1, 2**31), st.none() | st.integers(1, 2**63 - 1),
    st.text(max_size=40),
)  # fmt: skip


@settings(deadline=None)
@given(ENTRY, ENTRY)
def test_a_seal_is_another_when_the_entry_or_what_was_before_it_is_another(one, other):
    seals = {link(START, one), link(START, other), link(bytes([1] * 32), one)}
    assert len(seals) == (2 if one == other else 3)
    assert all(len(seal) == 32 for seal in seals)


def test_the_chain_stays_what_it_is_from_version_to_version():
    one = entry(1, "claim", 1, 7, parcels=[[0, 0, 3]])
    told = json.dumps(list(one), separators=(",", ":"))
    assert told == '[1,5,"claim",1,7,null,null,"{\\"parcels\\":[[0,0,3]]}"]'
    assert link(START, one).hex() == "87d5e82f29636c09e59b591388c808a88044567b2f982055873478a2873a5e7d"
