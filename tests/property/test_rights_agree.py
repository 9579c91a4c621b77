"""The table that a tick asks says what the deciding function says, whatever was given and whenever."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from worldloom.realm.rights import (
    Entry,
    Exclusion,
    Grant,
    Place,
    Tenancy,
    Verb,
    Visitor,
    decide,
    may_enter,
    timelines,
)
from worldloom.world import enter
from worldloom.world.avatars import BOT, EVERYWHERE, AvatarTable
from worldloom.world.enter import EnterTable, Gate
from worldloom.world.parcels import PARCELS

PEOPLE = st.integers(1, 6)
"""Few, so that the same person is owner, tenant, guest and excluded."""
TIMES = st.integers(1, 12)
ENDS = st.none() | TIMES
VERBS = st.integers(0, 511).map(Verb)
GRANTS = st.builds(Grant, giver=PEOPLE, account=st.none() | PEOPLE, verbs=VERBS, until_ms=ENDS)
EXCLUSIONS = st.builds(Exclusion, giver=PEOPLE, account=PEOPLE, until_ms=ENDS)
LEASES = st.builds(
    lambda tenant, begins, lasts: Tenancy(tenant, begins, begins + lasts), PEOPLE, TIMES, st.integers(0, 6)
)


def places_of(count: int):
    return st.tuples(
        *(
            st.builds(
                Place,
                estate=st.just(number * 7_000_000_000),
                owner=PEOPLE,
                grants=st.lists(GRANTS, max_size=8).map(tuple),
                exclusions=st.lists(EXCLUSIONS, max_size=4).map(tuple),
                lease=st.none() | LEASES,
            )
            for number in range(1, count + 1)
        )
    )


VISITORS = st.builds(
    Visitor,
    account=st.none() | st.integers(1, 7),
    owner=st.none() | PEOPLE,
    is_bot=st.booleans(),
    staff=st.booleans(),
)


def table_of(places: tuple[Place, ...]) -> EnterTable:
    """Each place has one parcel of region (-1, 2), in a row; the last parcel of the row is the world's."""
    table = EnterTable()
    grid = np.zeros((PARCELS, PARCELS), np.int64)
    grid[0, : len(places)] = [place.estate for place in places]
    table.lay(-1, 2, grid, {place.estate: Gate(place.estate, *timelines(place)) for place in places})
    return table


def body_of(state: AvatarTable, visitor: Visitor, number: int) -> int:
    row = state.add(visitor.account or (1 << 31) + number)
    state.owner[row] = visitor.owner or 0
    state.access[row] = BOT * visitor.is_bot + EVERYWHERE * visitor.staff
    return row


@settings(max_examples=400, deadline=None)
@given(places=places_of(4), visitors=st.lists(VISITORS, min_size=1, max_size=4), now=st.integers(0, 20))
def test_the_table_lets_in_whom_the_decision_lets_in(places, visitors, now):
    table = table_of(places)
    for number, visitor in enumerate(visitors):
        state = AvatarTable()
        row = body_of(state, visitor, number)
        x = np.arange(len(places) + 1) * 1024 - 16384 + 5
        z = np.full(len(x), 2 * 16384 + 5)
        told = table.may_enter(state, np.full(len(x), row), x, z, now)
        assert told.tolist() == [may_enter(visitor, place, now) for place in (*places, None)]


@settings(max_examples=200, deadline=None)
@given(places=places_of(4), now=st.integers(0, 20))
def test_the_table_hides_those_places_into_which_not_everyone_sees(places, now):
    x = np.arange(len(places)) * 1024 - 16384 + 1023
    told = table_of(places).private(x, np.full(len(x), 2 * 16384), now)
    seen = [decide(Verb.SEE, None, place, now) for place in places]
    assert told.tolist() == [0 if open_ else place.estate for place, open_ in zip(places, seen, strict=True)]


@settings(max_examples=200, deadline=None)
@given(place=places_of(1), account=st.integers(1, 7), now=st.integers(0, 20))
def test_for_people_to_be_let_in_is_to_have_the_verb(place, account, now):
    assert may_enter(Visitor(account), place[0], now) == decide(Verb.ENTER, account, place[0], now)


def test_both_sides_mean_the_same_by_a_bit():
    theirs = {entry.name: int(entry) for entry in Entry}
    assert theirs == {"ENTER": enter.ENTER, "SEE": enter.SEE, "BOTS": enter.BOTS, "EXCLUDED": enter.EXCLUDED}
