"""Who is inside a place that is not seen from outside is not sent to who is outside."""

import numpy as np
import pytest

from sim_world import SimWorld
from worldloom.replication.feed import SetAccess, Speak
from worldloom.world.avatars import BOT, EVERYWHERE
from worldloom.world.enter import BOTS, ENTER, SEE, Gate
from worldloom.world.parcels import PARCELS

OPEN = ENTER | SEE | BOTS
HOUSE, BARN = 9_000_000, 9_000_001
OWNER, GUEST, PASSER, OTHER = 1, 2, 3, 4


class Lane:
    """A house from (16, 16) m to (48, 48) m into which nobody sees, but for its owner."""

    def __init__(self) -> None:
        self.world = SimWorld()
        self.rule([(0, ENTER | BOTS)])

    def rule(self, everyone, named=((OWNER, OPEN),), barn=((0, OPEN),)) -> None:
        grid = np.zeros((PARCELS, PARCELS), np.int64)
        grid[1:3, 1:3] = HOUSE
        grid[1:3, 4:6] = BARN
        lines = {account: [(0, bits)] for account, bits in named}
        self.world.fence(0, 0, grid, [Gate(HOUSE, everyone, lines), Gate(BARN, barn, {})])

    def sees(self, avatar: int) -> list[int]:
        slots = self.world.watchers[avatar].view.state().values()
        return sorted(other for cell in slots for other, _ in cell.values())

    def said_to(self, avatar: int) -> list[str]:
        frames = self.world.watchers[avatar].received
        return [line.text for frame in frames for line in getattr(frame, "lines", ())]


@pytest.fixture
def lane() -> Lane:
    return Lane()


def test_who_is_inside_is_sent_to_who_is_inside_and_to_nobody_else(lane):
    lane.world.join(GUEST, 20, 20)
    lane.world.join(PASSER, 14, 20)
    lane.world.join(OTHER, 40, 40)
    lane.world.tick(3)
    assert (lane.sees(GUEST), lane.sees(OTHER)) == ([GUEST, PASSER, OTHER], [GUEST, PASSER, OTHER])
    assert lane.sees(PASSER) in ([], [PASSER])


def test_who_goes_in_is_gone_and_who_comes_out_is_there(lane):
    lane.world.join(GUEST, 14, 20)
    lane.world.join(PASSER, 12, 20)
    lane.world.tick(3)
    assert lane.sees(PASSER) == [GUEST, PASSER]
    lane.world.move(GUEST, 16.5, 20)
    lane.world.tick(1)
    assert GUEST not in lane.sees(PASSER)
    assert lane.sees(GUEST) == [GUEST, PASSER]
    lane.world.move(GUEST, 15.5, 20)
    lane.world.tick(1)
    assert lane.sees(PASSER) == [GUEST, PASSER]


def test_no_byte_tells_of_whoever_is_inside(lane):
    hidden = 0x5A17_C0DE
    lane.world.join(hidden, 20, 20)
    lane.world.join(PASSER, 14, 20)
    lane.world.join(OTHER, 22, 20)
    outside, inside = [], []
    lane.world.watchers[PASSER].seat.write = outside.append
    lane.world.watchers[OTHER].seat.write = inside.append
    for n in range(40):
        lane.world.move(hidden, 20 + n / 8, 20)
        lane.world.move(PASSER, 14, 20 + n / 8)
        lane.world.tick()
    # An avatar's id lies 12 bits into its word: at half a byte.
    sign = (hidden << 4).to_bytes(5, "little")[1:]
    assert any(sign in data for data in inside)
    assert sum(map(len, outside)) > 100
    assert not any(sign in data for data in outside)


def test_the_owner_outside_sees_in_and_so_does_a_bot_of_its_own_and_staff(lane):
    lane.world.join(GUEST, 20, 20)
    lane.world.join(OWNER, 10, 10)
    lane.world.join(PASSER, 10, 12)
    lane.world.join(OTHER, 10, 14, layers=(0, 1), access=EVERYWHERE)
    lane.world.join(77, 10, 16, access=BOT, owner=OWNER)
    lane.world.tick(12)
    assert all(GUEST in lane.sees(avatar) for avatar in (OWNER, OTHER, 77))
    assert GUEST not in lane.sees(PASSER)


def test_a_place_of_many_cells_does_not_take_the_room_of_another(lane):
    grid = np.full((PARCELS, PARCELS), HOUSE, np.int64)
    grid[14:16, 14:16] = BARN
    curtain = [(0, ENTER | BOTS)]
    gates = [Gate(HOUSE, curtain, {OWNER: [(0, OPEN)]}), Gate(BARN, curtain, {OWNER: [(0, OPEN)]})]
    lane.world.fence(0, 0, grid, gates)
    # Nine cells of the house around her, and the barn two cells away.
    for n in range(9):
        lane.world.join(100 + n, 112 + n % 3 * 32, 112 + n // 3 * 32)
    lane.world.join(OTHER, 230, 230)
    lane.world.join(OWNER, 170, 170, access=EVERYWHERE)
    lane.world.tick(11)
    assert OTHER in lane.sees(OWNER)


def test_who_is_far_away_is_not_bothered_with_a_layer(lane):
    lane.world.join(GUEST, 20, 20)
    lane.world.join(OWNER, 20 + 32 * 5, 20)
    lane.world.tick(12)
    assert lane.world.watchers[OWNER].seat.layers == (0,)


def test_what_is_said_inside_is_not_heard_outside(lane):
    lane.world.join(GUEST, 20, 20)
    lane.world.join(PASSER, 14, 20)
    lane.world.join(OTHER, 22, 20)
    lane.world.tick(3)
    lane.world.uplink.control(Speak(GUEST, "guest", 0, "psst", 20 * 64))
    lane.world.uplink.control(Speak(PASSER, "passer", 0, "hello?", 20 * 64))
    lane.world.tick(2)
    assert lane.said_to(PASSER) == ["hello?"]
    assert sorted(lane.said_to(OTHER)) == ["hello?", "psst"]


def test_a_word_with_the_first_step_of_a_newcomer_inside_is_not_heard_outside(lane):
    lane.world.join(PASSER, 14, 20)
    lane.world.tick(3)
    lane.world.join(GUEST, 20, 20)
    lane.world.uplink.control(Speak(GUEST, "guest", 0, "psst", 20 * 64))
    lane.world.tick(2)
    assert lane.said_to(PASSER) == []


def test_a_curtain_that_is_opened_or_drawn_counts_from_the_next_tick(lane):
    lane.world.join(GUEST, 20, 20)
    lane.world.join(PASSER, 14, 20)
    lane.world.tick(3)
    assert GUEST not in lane.sees(PASSER)
    lane.rule([(0, OPEN)])
    lane.world.tick()
    assert lane.sees(PASSER) == [GUEST, PASSER]
    lane.rule([(0, ENTER)])
    lane.world.tick()
    assert GUEST not in lane.sees(PASSER)


def test_a_right_to_see_in_that_ends_is_over_within_half_a_second(lane):
    lane.rule([(0, ENTER)])
    lane.world.fence(0, 0, np.full((PARCELS, PARCELS), 0), [])
    grid = np.zeros((PARCELS, PARCELS), np.int64)
    grid[1:3, 1:3] = HOUSE
    lane.world.fence(0, 0, grid, [Gate(HOUSE, [(0, ENTER)], {PASSER: [(0, OPEN), (5_000, ENTER)]})])
    lane.world.join(GUEST, 20, 20)
    lane.world.join(PASSER, 14, 20)
    lane.world.now_ms = 4_999
    lane.world.tick(12)
    assert GUEST in lane.sees(PASSER)
    lane.world.now_ms = 5_000
    lane.world.tick(10)
    assert GUEST not in lane.sees(PASSER)


def test_neighbours_behind_two_curtains_do_not_see_each_other(lane):
    lane.rule([(0, ENTER)], barn=[(0, ENTER)])
    lane.world.join(GUEST, 20, 20)
    lane.world.join(OTHER, 70, 20)
    lane.world.tick(12)
    assert GUEST not in lane.sees(OTHER)
    assert OTHER not in lane.sees(GUEST)


def test_layers_are_given_back_and_not_at_once_to_the_next(lane):
    layers = []
    for n in range(3):
        lane.world.join(100 + n, 20, 20)
        lane.world.tick(2)
        layers += lane.world.watchers[100 + n].seat.sight
        lane.world.part(100 + n)
        lane.world.tick(2)
    assert layers == [2, 3, 4]


def test_hidden_staff_stays_hidden_inside_and_sees(lane):
    lane.world.join(OTHER, 20, 22, layer=1, layers=(0, 1), access=EVERYWHERE)
    lane.world.join(GUEST, 20, 20)
    lane.world.tick(12)
    assert OTHER not in lane.sees(GUEST)
    assert GUEST in lane.sees(OTHER)
    lane.world.set_layer(OTHER, 0)
    lane.world.tick(2)
    assert OTHER in lane.sees(GUEST)
    lane.world.set_layer(OTHER, 1)
    lane.world.tick(2)
    assert OTHER not in lane.sees(GUEST)


def test_who_becomes_staff_sees_in_and_who_is_so_no_longer_does_not(lane):
    lane.world.join(GUEST, 20, 20)
    lane.world.join(PASSER, 14, 20)
    lane.world.uplink.control(SetAccess(PASSER, 0, EVERYWHERE))
    lane.world.tick(12)
    assert GUEST in lane.sees(PASSER)
    lane.world.uplink.control(SetAccess(PASSER, 0, 0))
    lane.world.tick(12)
    assert GUEST not in lane.sees(PASSER)


def test_who_comes_in_where_it_may_not_be_is_set_down_outside(lane):
    lane.rule([(0, 0)])
    lane.world.join(PASSER, 18, 30)
    lane.world.join(OWNER, 18, 30)
    lane.world.tick(2)
    assert lane.world.where(PASSER) == (15.734375, 30)
    assert lane.world.where(OWNER) == (18, 30)
