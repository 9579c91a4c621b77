import numpy as np
import pytest

from worldloom.world.avatars import COLUMNS, AvatarTable


def test_a_fresh_body_is_all_zero_but_for_its_number_its_id_and_its_crossings():
    table = AvatarTable()
    row = table.add(5)
    values = {name: int(getattr(table, name)[row]) for name in COLUMNS}
    assert {name: value for name, value in values.items() if value} == {
        "id": 5, "seq": -1, "crossed": -1_000, "crossed_before": -1_000,
    }  # fmt: skip


def test_a_row_given_again_carries_nothing_of_its_last_body():
    table = AvatarTable(capacity=1)
    row = table.add(1)
    for name in COLUMNS:
        getattr(table, name)[row] = 99
    table.remove(1)
    assert table.add(2) == row
    assert table.id[row] == 2
    assert [int(getattr(table, name)[row]) for name in ("x", "pending", "slot", "reach")] == [0, 0, 0, 0]


def test_an_avatar_has_one_body():
    table = AvatarTable()
    table.add(7)
    with pytest.raises(ValueError, match="expected a new avatar, got 7, which has a body"):
        table.add(7)


def test_the_table_grows_and_keeps_what_it_holds():
    table = AvatarTable(capacity=2)
    for avatar in range(1, 100):
        row = table.add(avatar)
        table.x[row] = 10 * avatar
    assert len(table) == 99
    assert len({table.row(avatar) for avatar in range(1, 100)}) == 99
    assert [int(table.x[table.row(avatar)]) for avatar in range(1, 100)] == [10 * a for a in range(1, 100)]
    assert {len(getattr(table, name)) for name in COLUMNS} == {128}


def test_rows_of_bodies_that_are_not_here_are_minus_one():
    table = AvatarTable()
    a, b = table.add(3), table.add(4)
    assert table.rows(np.array([4, 9, 3, 0])).tolist() == [b, -1, a, -1]
    assert table.rows(np.array([], np.int64)).tolist() == []
    assert table.row(9) is None


def test_a_body_taken_away_is_pending_no_longer():
    table = AvatarTable()
    row = table.add(3)
    table.pending[row] = 31
    table.remove(3)
    table.remove(3)
    assert (table.id[row], table.pending[row], len(table), 3 in table) == (0, 0, 0, False)
