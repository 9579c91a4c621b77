import numpy as np
import pytest

from worldloom.bench.analysis import MoveLog, View, watch
from worldloom.bench.mirror import ClientMirror
from worldloom_sdk.protocol.messages import Area, Frame
from worldloom_sdk.protocol.words import BlockKind, block_header, enter_key, pack_words

_INDEX_OF = np.array([-1, 0, 1, 2])
"""Avatars 1 to 3 are clients 0 to 2."""


def _word(slot, x, yaw, cx=0):
    n = np.array
    return pack_words(n([slot]), n([x]), n([64]), n([0]), n([yaw]), n([1]), n([cx]), n([0]))[0]


def _body(*blocks):
    return np.array([word for block in blocks for word in block], np.uint64).tobytes()


def _words(*words, dx=0):
    return [block_header(BlockKind.WORDS, dx, 0, 0, len(words)), *words]


def _records(kind, *entries, dx=0):
    return [block_header(kind, dx, 0, 0, len(entries)), *(word for entry in entries for word in entry)]


def _area(*blocks, cx=0, radius=1):
    return Area(1, cx, 0, radius, [0], _body(*blocks))


def _everybody(yaw):
    return _records(BlockKind.SNAPSHOT, *((enter_key(s, s + 1), _word(s, 100 * s, yaw)) for s in range(3)))


def _log(moves):
    """Client c sends its move k at k * 0.1 + c * 0.01 s, from x = 100 c."""
    log = MoveLog(moves + 5, 3)
    log.count = moves
    log.sent[:moves] = np.arange(moves)[:, None] * 0.1 + np.arange(3) * 0.01
    log.x[:moves] = np.arange(3) * 100
    return log


def _watch(received, moves, window=(0.0, 1e9), crowded=True):
    return watch([View(0, received)], _log(moves), _INDEX_OF, window, crowded)


def test_age_is_from_the_sending_to_the_first_word_that_tells_of_it():
    found = _watch([(0.03, _area(_everybody(0))), (0.15, Frame(2, _body(_words(_word(1, 100, 1)))))], 2)
    assert found.updates == 3
    assert [found.age.percentile(share) for share in (30, 60, 100)] == pytest.approx(
        [10.1, 20.1, 40.1], abs=0.11
    )


def test_a_repeat_is_no_update_and_ends_no_gap():
    frames = [
        (at, Frame(2, _body(_words(_word(1, 100, yaw))))) for at, yaw in ((0.15, 1), (0.2, 1), (0.25, 2))
    ]
    found = _watch([(0.03, _area(_everybody(0))), *frames], 3, window=(0.16, 1.0))
    assert found.updates == 1
    assert found.view_gap.percentile(50) == pytest.approx(100, abs=0.11)


def test_numbers_that_wrap_are_those_of_the_latest_move():
    at = 300 * 0.1 + 0.05
    found = _watch(
        [(0.03, _area(_everybody(0))), (at, Frame(2, _body(_words(_word(1, 100, 300 & 255)))))], 301
    )
    assert found.age.percentile(100) == pytest.approx(40, abs=0.2)


def test_what_comes_outside_the_window_is_remembered_but_not_counted():
    found = _watch(
        [(0.03, _area(_everybody(0))), (0.15, Frame(2, _body(_words(_word(1, 100, 1)))))], 2, window=(9, 10)
    )
    assert (found.updates, len(found.age)) == (0, 0)


@pytest.mark.parametrize(("x", "near", "full"), [(500, 1, 1), (700, 0, 1), (1_100, 0, 0)])
def test_near_is_10_m_and_full_rate_the_patches_around(x, near, full):
    frames = [(at, Frame(2, _body(_words(_word(1, x, yaw))))) for at, yaw in ((0.35, 3), (0.45, 4))]
    found = _watch([(0.03, _area(_everybody(0))), *frames], 5, window=(0.4, 1.0))
    assert (len(found.near_gap), len(found.full_rate_age), len(found.view_gap)) == (near, full, 1)


def test_where_it_is_not_crowded_full_rate_is_the_cells_around():
    frame = (0.35, Frame(2, _body(_words(_word(1, 1_100, 3)))))
    found = _watch([(0.03, _area(_everybody(0))), frame], 5, window=(0.3, 1.0), crowded=False)
    assert len(found.full_rate_age) == 1


def test_who_left_and_came_back_begins_a_new_gap():
    leave = Frame(2, _body([block_header(BlockKind.LEAVE, 0, 0, 0, 1), 1]))
    enter = Frame(3, _body(_records(BlockKind.ENTER, (enter_key(1, 2), _word(1, 100, 8)))))
    found = _watch([(0.03, _area(_everybody(0))), (0.2, leave), (0.85, enter)], 9, window=(0.1, 1.0))
    assert (found.updates, len(found.view_gap)) == (1, 0)


def test_who_goes_over_to_the_next_cell_stays_in_view():
    leave = [block_header(BlockKind.LEAVE, 0, 0, 0, 1), 1 | 8 << 12]
    enter = _records(BlockKind.ENTER, (enter_key(7, 2), _word(7, 2_100, 1, cx=1)), dx=1)
    found = _watch(
        [(0.03, _area(_everybody(0))), (0.15, Frame(2, _body(leave, enter)))], 2, window=(0.1, 1.0)
    )
    assert found.view_gap.percentile(50) == pytest.approx(120, abs=0.11)


def test_words_of_unknown_slots_and_of_oneself_are_no_updates():
    frame = Frame(2, _body(_words(_word(0, 0, 1), _word(9, 100, 1)), _words(_word(1, 2_100, 1, cx=1), dx=1)))
    assert _watch([(0.03, _area(_everybody(0))), (0.15, frame)], 2, window=(0.1, 1.0)).updates == 0


def test_cells_out_of_view_are_forgotten_and_those_still_in_view_kept():
    mirror = ClientMirror()
    mirror.take(_area(_everybody(0)))
    assert mirror.take(_area(cx=1)).left.tolist() == []
    assert mirror.take(_area(cx=3)).left.tolist() == [1, 2, 3]
