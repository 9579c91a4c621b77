"""The view: a mirror by the exact rules of words and frame bodies."""

import math
import random

import numpy as np
import pytest

from sdk_peer import body_of, enter, leave, snapshot, word_of, words
from worldloom_sdk.protocol.words import BodyError
from worldloom_sdk.view import Body, View

EAST, WEST, OTHER_LAYER, GONE = 8, 2, 5, 0


@pytest.fixture
def view():
    """A view of 5 x 5 cells around (0, 0), layer 0, with Ada (8) in slot 0 and Bo (9) in slot 1 of cell (0, 0)."""
    view = View()
    ada, bo = word_of(0, 640, 640), word_of(1, 1280, 640)
    view.apply_area(100, 0, 0, 2, [0], body_of(snapshot((0, 0), (0, 8, ada), (1, 9, bo))))
    view.finish_area(100)
    return view


def at(view, avatar):
    there = view.avatars[avatar]
    return there.x, there.z


def test_a_snapshot_shows_everybody_in_it_in_metres_and_radians(view):
    ada = view.avatars[8]
    assert (ada.x, ada.y, ada.z, ada.yaw, ada.gesture, ada.name) == (10.0, 0.0, 10.0, 0.0, 1, None)
    assert view.complete
    assert set(view.avatars) == {8, 9}


def test_words_move_bodies_and_those_for_unknown_slots_are_ignored(view):
    view.apply_frame(
        101, body_of(words((0, 0), [word_of(0, 704, 640), word_of(7, 0, 0), word_of(4000, 0, 0)]))
    )
    view.apply_frame(101, body_of(words((1, 1), [word_of(0, 64, 64)])))
    assert at(view, 8) == (11.0, 10.0)
    assert len(view.avatars) == 2


def test_a_leave_to_a_neighbour_keeps_the_body_for_250_ms(view):
    assert view.apply_frame(101, body_of(leave((0, 0), (0, EAST)))).left == []
    assert at(view, 8) == (10.0, 10.0)
    assert view.state() == {(0, 0, 0): {1: (9, word_of(1, 1280, 640))}}
    assert view.expire(106).left == []
    assert [avatar.id for avatar in view.expire(107).left] == [8]
    assert 8 not in view.avatars


def test_an_enter_elsewhere_moves_the_body_without_a_word_of_coming_or_going(view):
    view.apply_frame(101, body_of(leave((0, 0), (0, EAST))))
    changes = view.apply_frame(103, body_of(enter((1, 0), (5, 8, word_of(5, 2100, 640, cell=(1, 0))))))
    assert changes.entered == []
    assert changes.left == []
    assert at(view, 8) == (2100 / 64, 10.0)
    assert view.expire(200).left == []


def test_an_avatar_exists_once_even_if_its_leave_comes_after_its_enter(view):
    there = enter((1, 0), (5, 8, word_of(5, 2100, 640, cell=(1, 0))))
    view.apply_frame(101, body_of(there, leave((0, 0), (0, EAST))))
    assert len(view.avatars) == 2
    assert view.state()[1, 0, 0] == {5: (8, word_of(5, 2100, 640, cell=(1, 0)))}
    assert 0 not in view.state()[0, 0, 0]


def test_a_slot_freed_by_a_leave_is_given_again_in_the_next_tick(view):
    view.apply_frame(101, body_of(leave((0, 0), (0, EAST))))
    changes = view.apply_frame(102, body_of(enter((0, 0), (0, 10, word_of(0, 0, 0)))))
    assert changes.entered == [10]
    assert {8, 9, 10} == set(view.avatars)


def test_whoever_is_gone_or_walks_out_of_view_goes_at_once(view):
    gone = view.apply_frame(101, body_of(leave((0, 0), (0, GONE))))
    assert [avatar.id for avatar in gone.left] == [8]
    view.apply_frame(102, body_of(enter((2, 0), (0, 8, word_of(0, 4096, 0, cell=(2, 0))))))
    out = view.apply_frame(103, body_of(leave((2, 0), (0, EAST)), leave((0, 0), (1, OTHER_LAYER))))
    assert [avatar.id for avatar in out.left] == [8, 9]
    assert len(view.avatars) == 0


def test_a_snapshot_replaces_all_that_was_known_of_its_cell(view):
    changes = view.apply_frame(
        101, body_of(snapshot((0, 0), (0, 9, word_of(0, 0, 0)), (3, 11, word_of(3, 0, 64))))
    )
    assert changes.entered == [11]
    assert view.state() == {(0, 0, 0): {0: (9, word_of(0, 0, 0)), 3: (11, word_of(3, 0, 64))}}
    assert [avatar.id for avatar in view.expire(102).left] == [8]


def test_an_area_forgets_what_lies_outside_and_keeps_the_rest(view):
    view.apply_frame(101, body_of(enter((-2, 0), (0, 10, word_of(0, -4000, 0, cell=(-2, 0))))))
    body = body_of(snapshot((2, 0), (0, 12, word_of(0, 6144, 0, cell=(3, 0)))))
    entered = view.apply_area(102, 1, 0, 2, [0], body).entered
    assert not view.complete
    left = view.finish_area(102).left
    assert (entered, [avatar.id for avatar in left]) == ([12], [10])
    assert set(view.state()) == {(0, 0, 0), (3, 0, 0)}
    assert at(view, 12) == (96.0, 0.0)


def test_an_area_of_other_layers_forgets_the_bodies_of_the_old_ones(view):
    view.apply_area(102, 0, 0, 2, [2], b"")
    assert [avatar.id for avatar in view.finish_area(102).left] == [8, 9]


def test_who_moved_meanwhile_neither_comes_nor_goes_when_all_is_sent_anew(view):
    view.start_anew(keep=True)
    assert set(view.avatars) == {8, 9}
    assert view.state() == {}
    body = body_of(snapshot((1, 0), (0, 9, word_of(0, 2100, 0, cell=(1, 0)))))
    entered = view.apply_area(900, 0, 0, 2, [0], body).entered
    left = view.finish_area(900).left
    assert (entered, [avatar.id for avatar in left]) == ([], [8])


def test_blocks_outside_the_area_are_ignored(view):
    view.apply_frame(101, body_of(enter((3, 0), (0, 20, word_of(0, 6144, 0, cell=(3, 0))))))
    view.apply_frame(101, body_of(enter((0, 0), (9, 21, word_of(9, 0, 0)), layer=1)))
    assert set(view.avatars) == {8, 9}


def test_near_is_sorted_by_distance_and_leaves_the_own_body_out(view):
    view.be(9, Body(1280, 0, 640, 0, 0))
    view.apply_frame(
        101, body_of(enter((0, 0), (2, 10, word_of(2, 1216, 640)), (3, 11, word_of(3, 1280, 1900))))
    )
    assert [avatar.id for avatar in view.near(20.0, 10.0, 15.0)] == [10, 8]


def test_the_own_body_is_there_by_its_own_position_even_if_never_sent(view):
    view.be(7, Body(64, 16, -64, 64, 1))
    me = view.avatars[7]
    assert (me.x, me.y, me.z) == (1.0, 1.0, -1.0)
    assert math.isclose(me.yaw, math.pi / 2)
    assert len(view.avatars) == len(list(view.avatars)) == 3


def test_speed_is_estimated_from_the_last_two_words(view):
    view.apply_frame(102, body_of(words((0, 0), [word_of(0, 640 + 9, 640)])))
    assert view.avatars[8].speed == pytest.approx(9 / 64 / 0.1)
    view.apply_frame(104, body_of(words((0, 0), [word_of(0, 640 + 9, 640, gesture=0)])))
    assert view.avatars[8].speed == 0.0


@pytest.mark.parametrize(
    "body", [b"1234567", body_of([99]), body_of([3 | 5 << 40]), body_of(enter((0, 0), (0, 0, 0)))]
)
def test_a_body_against_the_rules_is_an_error(view, body):
    with pytest.raises(BodyError):
        view.apply_frame(101, body)


class Model:
    """Walkers that hop between cells as a server would tell of it: leaves, enters, words; no slot twice in a tick."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.cells = {}
        self.where = {}
        self.next_id = 1

    def tick(self):
        freed, leaves, enters, moved = set(), {}, {}, {}
        for avatar, (cell, slot) in list(self.where.items()):
            chance = self.dice.random()
            if chance < 0.02:
                self._out(avatar, leaves, freed, GONE)
            elif chance < 0.1:
                dx, dz = self.dice.choice([(0, 1), (1, 0), (-1, 0), (1, 1)])
                self._out(avatar, leaves, freed, (dx + 1) * 3 + dz + 1 + 1)
                self._in(avatar, (cell[0] + dx, cell[1] + dz), freed, enters)
            elif chance < 0.6:
                word = self._word(slot, cell)
                self.cells[cell][slot] = (avatar, word)
                moved.setdefault(cell, []).append(word)
        for _ in range(self.dice.randrange(3)):
            self._in(self.next_id, (self.dice.randrange(-1, 2), self.dice.randrange(-1, 2)), freed, enters)
            self.next_id += 1
        blocks = [
            *(leave(cell, *entries) for cell, entries in self._shuffled(leaves)),
            *(enter(cell, *entries) for cell, entries in self._shuffled(enters)),
            *(words(cell, entries) for cell, entries in self._shuffled(moved)),
        ]
        return body_of(*blocks)

    def state(self, radius=2):
        near = {
            cell: entries for cell, entries in self.cells.items() if max(map(abs, cell)) <= radius and entries
        }
        return {(*cell, 0): dict(entries) for cell, entries in near.items()}

    def _shuffled(self, by_cell):
        pairs = list(by_cell.items())
        self.dice.shuffle(pairs)
        return pairs

    def _word(self, slot, cell):
        x, z = (2048 * index + self.dice.randrange(-1024, 3072) for index in cell)
        return word_of(slot, x, z, cell=cell)

    def _out(self, avatar, leaves, freed, way):
        cell, slot = self.where.pop(avatar)
        del self.cells[cell][slot]
        freed.add((cell, slot))
        leaves.setdefault(cell, []).append((slot, way))

    def _in(self, avatar, cell, freed, enters):
        taken = self.cells.setdefault(cell, {})
        slot = next(slot for slot in range(4096) if slot not in taken and (cell, slot) not in freed)
        word = self._word(slot, cell)
        taken[slot] = (avatar, word)
        self.where[avatar] = (cell, slot)
        enters.setdefault(cell, []).append((slot, avatar, word))


@pytest.mark.parametrize("seed", range(8))
def test_a_mirror_equals_what_it_was_told_of_over_random_walks(seed):
    model, view = Model(seed), View()
    view.apply_area(0, 0, 0, 2, [0], b"")
    known = set()
    for tick in range(1, 80):
        changes = view.apply_frame(tick, model.tick())
        known |= set(changes.entered)
        known -= {avatar.id for avatar in changes.left}
        assert view.state() == model.state()
        assert known == set(view.avatars)
    view.expire(1000)
    assert set(view.avatars) == {avatar for cell in model.state().values() for avatar, _ in cell.values()}


def test_positions_are_those_of_the_avatars(view):
    ids, xyz = view.positions()
    assert {int(avatar): tuple(place) for avatar, place in zip(ids, xyz, strict=True)} == {
        avatar.id: tuple(avatar.position) for avatar in view.avatars.values()
    }
    assert View().positions()[1].shape == (0, 3)


@pytest.mark.slow
def test_two_seconds_of_a_concert_of_three_thousand_cost_a_small_part_of_two_seconds(cpu_seconds):
    view = View()
    cells = [(x, z) for x in range(2) for z in range(2)]
    everybody = [
        snapshot(cell, *((slot, 1 + slot + 750 * number, word_of(slot, 0, 0)) for slot in range(750)))
        for number, cell in enumerate(cells)
    ]
    view.apply_area(0, 0, 0, 2, [0], body_of(*everybody))
    half = np.arange(0, 750, 2, dtype=np.uint64)
    frames = [
        body_of(*(words(cell, (half + np.uint64(tick % 2)).tolist()) for cell in cells)) for tick in range(40)
    ]

    def run():
        for tick, frame in enumerate(frames):
            view.apply_frame(1 + tick, frame)

    assert cpu_seconds(run) < 0.2


@pytest.fixture
def cpu_seconds():
    import time

    def measure(run):
        before = time.process_time()
        run()
        return time.process_time() - before

    return measure
