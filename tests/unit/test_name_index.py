"""Finding names by a part of them."""

from hypothesis import given
from hypothesis import strategies as st

from worldloom.realm import name_index
from worldloom.realm.name_index import NameIndex

PEOPLE = {1: "Hilda", 2: "Hilde Brand", 3: "Old Hildebrand", 4: "Zoë", 5: "Bo"}


def filled(names: dict[int, str]) -> NameIndex:
    index = NameIndex()
    for number, name in names.items():
        index.add(number, name)
    return index


def test_who_begins_with_it_comes_first_then_whose_word_does():
    assert filled(PEOPLE).find("hild") == [1, 2, 3]
    assert filled(PEOPLE).find("BRAND") == [2, 3]
    assert filled(PEOPLE).find("zoë") == [4]


def test_one_or_two_characters_are_looked_for_where_a_word_begins():
    assert filled(PEOPLE).find("b") == [5, 2]
    assert filled(PEOPLE).find("br") == [2]
    assert filled(PEOPLE).find("il") == []


def test_who_is_gone_is_not_found_and_leaves_nothing_behind():
    index = filled(PEOPLE)
    for number in PEOPLE:
        index.remove(number)
    index.remove(99)
    assert (len(index), index.find("hild"), index._by_gram) == (0, [], {})


def test_no_more_names_than_a_bound_are_looked_at():
    index = filled({n: f"Guest {n}" for n in range(3 * name_index.LOOKED_AT)})
    assert len(index.find("guest")) == name_index.LOOKED_AT
    assert len(index.find("guest 5999")) == 1


@given(
    st.dictionaries(st.integers(0, 99), st.text("abAB ß", min_size=1, max_size=8)),
    st.text("abß", min_size=3, max_size=5),
)
def test_it_finds_what_a_look_at_every_name_finds(names, part):
    expected = {number for number, name in names.items() if part.casefold() in name.casefold()}
    assert set(filled(names).find(part)) == expected
