from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from worldloom.replication.feed import (
    FORGOTTEN,
    Join,
    MoveBatch,
    Part,
    RegionNews,
    Renew,
    Resync,
    SetLayer,
    ShardFrame,
    ShardSnapshot,
    Speak,
)
from worldloom.shard.simulation import Shard
from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.geometry import CELL_UNITS, GROUND_Y
from worldloom_sdk.protocol.messages import CorrectionReason as Reason
from worldloom_sdk.protocol.messages import RegionState
from worldloom_sdk.protocol.overlay import Overlay, Patch, patched
from worldloom_sdk.protocol.words import MAX_SLOTS, unpack_words

BATCHES = count(1)


REGION = 256 * 64
FLAT = np.full((129, 129), 160, np.int16)
GROUND = 80


class Manor:
    """A shard on real land, and what it publishes and asks for."""

    def __init__(self, woven: int = 1) -> None:
        self.land = TerrainTable()
        self.published: list[ShardFrame | ShardSnapshot] = []
        self.wanted: list[tuple[int, int, float]] = []
        self.forgotten: list[tuple[int, int]] = []
        self.shard = Shard(
            self.land,
            768,
            320,
            self.published.append,
            lambda rx, rz, away, asker: self.wanted.append((rx, rz, away)),
            forget=lambda rx, rz: self.forgotten.append((rx, rz)),
        )
        self.tick, self.number, self.seq = 1_000, 1, 0
        for rx in range(-woven, woven + 1):
            for rz in range(-woven, woven + 1):
                self.shard.add_region(rx, rz, FLAT, f"sha {rx} {rz}", "noise")

    def next(self, *controls, moves=()) -> ShardFrame:
        """A tick with controls, and moves of (avatar, seq, x, z, y)."""
        self.tick += 1
        columns = np.array([(s, x, z, y, 3, 1) for _, s, x, z, y in moves], np.int64).reshape(-1, 6).T
        avatars = np.array([move[0] for move in moves], np.int64)
        self.shard.receive(MoveBatch(1, 1, next(BATCHES), avatars, columns, self.number, controls))
        self.number += len(controls)
        return self.shard.tick(self.tick)

    def idle(self, ticks: int) -> None:
        for _ in range(ticks):
            self.next()

    def run(self, avatar: int, seconds: int, speed: int) -> None:
        """Move straight along x, ``speed`` in units a second; what was asked for is of the last second alone."""
        for _ in range(seconds):
            self.wanted.clear()
            self.forgotten.clear()
            for _ in range(20):
                x, z, _ = self.at(avatar)
                self.seq += 1
                self.next(moves=[(avatar, self.seq, x + speed // 20, z, GROUND_Y)])

    def at(self, avatar: int) -> tuple[int, int, int]:
        t, row = self.shard.avatars, self.shard.avatars.row(avatar)
        return int(t.x[row]), int(t.z[row]), int(t.y[row])

    def regions(self) -> set[tuple[int, int]]:
        return set(self.land.regions())


@pytest.fixture
def manor() -> Manor:
    return Manor()


# ---- coming and going


def test_an_arrival_is_set_on_the_ground_entered_and_told_where_it_is(manor):
    frame = manor.next(Join(7, 100, -200, 300))
    assert manor.at(7) == (100, -200, GROUND)
    assert frame.enter_cells.tolist() == [[0, -1, 0]]
    assert frame.enters[0, 0] == 7 << 12
    assert frame.corrections.tolist() == [[7, 0, 100, -200, GROUND, 300 & 0xFF, Reason.PLACED]]


def test_a_second_join_of_the_same_avatar_changes_nothing(manor):
    manor.next(Join(7, 100, 0, 0))
    frame = manor.next(Join(7, 900, 0, 0))
    assert manor.at(7) == (100, 0, GROUND)
    assert (len(frame.enters), len(frame.corrections)) == (0, 0)


def test_who_comes_where_the_land_is_under_the_sea_stands_at_sea_level(manor):
    manor.shard.add_region(0, 0, np.full((129, 129), -640, np.int16), "", "noise")
    manor.next(Join(7, 100, 100, 0))
    assert manor.at(7) == (100, 100, 0)


def test_an_arrival_may_move_in_the_very_tick_in_which_it_came(manor):
    frame = manor.next(Join(7, 100, 0, 0), moves=[(7, 1, 868, 0, GROUND_Y)])
    assert manor.at(7) == (868, 0, GROUND)
    _, x, *_ = unpack_words(frame.enters[:, 1], 0, 0)
    assert (x.tolist(), len(frame.words)) == ([868], 0)


def test_who_goes_is_told_once_and_its_moves_are_dropped(manor):
    manor.next(Join(7, 100, 0, 0))
    frame = manor.next(Part(7), Part(7), moves=[(7, 1, 101, 0, GROUND_Y)])
    assert frame.leaves.tolist() == [0]
    assert (len(frame.words), len(frame.corrections), 7 in manor.shard.avatars) == (0, 0, False)


def test_who_goes_and_comes_back_in_a_tick_leaves_one_slot_and_enters_another(manor):
    manor.next(Join(7, 100, 0, 0))
    frame = manor.next(Part(7), Join(7, 200, 0, 0))
    assert frame.leaves.tolist() == [0]
    assert frame.enters[:, 0].tolist() == [7 << 12 | 1]


def test_controls_of_bodies_that_are_not_here_are_nothing(manor):
    frame = manor.next(Part(9), Renew(9), SetLayer(9, 1), Speak(9, "n", 0, "t", 64))
    assert (len(frame.leaves), len(frame.enters), frame.lines) == (0, 0, ())
    assert frame.controls_taken == {(1, 1): 4}


def test_a_new_connection_counts_its_moves_from_the_beginning(manor):
    manor.next(Join(7, 100, 0, 0), moves=[(7, 500, 101, 0, GROUND_Y)])
    manor.next(moves=[(7, 1, 102, 0, GROUND_Y)])
    assert manor.at(7)[0] == 101
    manor.next(Renew(7))
    manor.next(moves=[(7, 1, 102, 0, GROUND_Y)])
    assert manor.at(7)[0] == 102


def test_a_change_to_the_layer_that_a_body_is_in_is_none(manor):
    manor.next(Join(7, 100, 0, 0, layer=1))
    frame = manor.next(SetLayer(7, 1))
    assert (len(frame.leaves), len(frame.enters)) == (0, 0)


# ---- moves and corrections


def test_a_granted_move_is_a_word_and_no_correction(manor):
    manor.next(Join(7, 100, 0, 0))
    frame = manor.next(moves=[(7, 1, 110, 5, GROUND_Y)])
    assert frame.cells.tolist() == [[0, 0, 0]]
    assert [int(v[0]) for v in unpack_words(frame.words, 0, 0)] == [0, 110, 5, GROUND, 3, 1]
    assert len(frame.corrections) == 0


def test_a_refused_move_is_a_correction_with_its_number_and_where_the_body_is(manor):
    manor.next(Join(7, 100, 50, 9))
    frame = manor.next(moves=[(7, 4, 5_000, 0, GROUND_Y)])
    assert frame.corrections.tolist() == [[7, 4, 100, 50, GROUND, 9, Reason.SPEED]]
    assert len(frame.words) == 0


def one_move(number, seq, x, *controls, first=0):
    columns = np.array([[seq, x, 0, GROUND_Y, 0, 0]]).T
    return MoveBatch(1, 1, number, np.array([7]), columns, first, controls)


@pytest.mark.parametrize("numbers", [(1_000, 1_001), (1_001, 1_000)])
def test_moves_of_several_batches_in_a_tick_count_by_the_batches_numbers(manor, numbers):
    """Batches may overtake one another on the way: a body does not go back for it."""
    manor.next(Join(7, 100, 0, 0))
    for number in numbers:
        manor.shard.receive(one_move(number, 4 + number % 2, 140 + 10 * (number % 2)))
    manor.shard.tick(manor.tick + 1)
    assert manor.at(7)[0] == 150
    assert manor.shard.avatars.seq[manor.shard.avatars.row(7)] == 5


def test_a_batch_that_comes_ticks_after_a_later_one_moves_nobody(manor):
    manor.next(Join(7, 100, 0, 0))
    manor.shard.receive(one_move(1_001, 1, 150))
    manor.shard.tick(manor.tick + 1)
    manor.shard.receive(one_move(1_000, 501, 140))
    manor.shard.tick(manor.tick + 2)
    assert manor.at(7)[0] == 150


@pytest.mark.parametrize("together", [False, True])
def test_what_an_older_connection_still_asked_for_does_not_count_against_the_new_one(manor, together):
    manor.next(Join(7, 100, 0, 0))
    renew = one_move(1_001, 1, 120, Renew(7), first=manor.number)
    late = one_move(1_000, 501, 140)
    for batch in (renew, late) if together else (renew,):
        manor.shard.receive(batch)
    manor.shard.tick(manor.tick + 1)
    manor.shard.receive(one_move(1_002, 2, 130))
    manor.shard.tick(manor.tick + 2)
    assert manor.at(7)[0] == 130


def test_who_walks_against_a_full_cell_stays_outside_and_is_told():
    manor = Manor()
    manor.next(*(Join(100 + n, 1_000, 1_000, 0) for n in range(MAX_SLOTS)))
    manor.next(Join(7, CELL_UNITS + 10, 500, 0), moves=[(7, 1, CELL_UNITS - 100, 510, GROUND_Y)])
    assert manor.at(7) == (CELL_UNITS - 100, 510, GROUND)
    frame = manor.next(moves=[(7, 2, CELL_UNITS - 129, 520, GROUND_Y)])
    assert frame.corrections.tolist() == [[7, 2, CELL_UNITS - 100, 510, GROUND, 3, Reason.FULL]]
    assert manor.at(7) == (CELL_UNITS - 100, 510, GROUND)
    assert (len(frame.leaves), len(frame.enters)) == (0, 0)


def test_who_comes_to_a_full_cell_is_set_down_beside_it():
    manor = Manor()
    manor.next(*(Join(100 + n, 1_000, 1_000, 0) for n in range(MAX_SLOTS)))
    frame = manor.next(Join(7, 2_000, 1_000, 0))
    assert frame.enter_cells.tolist() == [[1, 0, 0]]
    assert frame.corrections.tolist() == [[7, 0, CELL_UNITS + 1_024, 1_024, GROUND, 0, Reason.PLACED]]


# ---- frames and snapshots


def test_frames_are_numbered_without_gaps_whatever_the_ticks_are(manor):
    assert [(manor.shard.tick(tick).seq, tick) for tick in (50, 51, 57, 90)] == [
        (1, 50),
        (2, 51),
        (3, 57),
        (4, 90),
    ]


def test_each_who_asks_gets_a_snapshot_right_behind_the_frame(manor):
    manor.next(Join(7, 100, 0, 0), Join(8, -100, 0, 0, layer=2))
    manor.shard.receive(Resync(5))
    manor.next(moves=[(7, 1, 120, 0, GROUND_Y)])
    frame, snapshot = manor.published[-2:]
    assert (snapshot.gateway, snapshot.seq, snapshot.tick) == (5, frame.seq, frame.tick)
    assert snapshot.cells.tolist() == [[0, 0, 0], [-1, 0, 2]]
    assert snapshot.entries[:, 0].tolist() == [7 << 12, 8 << 12]
    assert unpack_words(snapshot.entries[:1, 1], 0, 0)[1].tolist() == [120]
    assert {(n.rx, n.rz) for n in snapshot.regions} == manor.regions()
    manor.next()
    assert isinstance(manor.published[-1], ShardFrame)


def test_a_line_is_spoken_from_where_its_body_stands_in_its_layer(manor):
    manor.next(Join(7, 100, -5, 0, layer=3))
    (line,) = manor.next(Speak(7, "Ann", 1, "hey", 6_400)).lines
    assert (line.avatar, line.name, line.kind, line.text) == (7, "Ann", 1, "hey")
    assert (line.x, line.z, line.reach, line.layer) == (100, -5, 6_400, 3)
    assert manor.next().lines == ()


# ---- land


def test_around_an_arrival_the_nine_regions_are_wanted_that_are_not_there_the_nearest_first(manor):
    manor.next(Join(7, REGION + 5, 5, 0))
    assert [(rx, rz) for rx, rz, _ in manor.wanted] == [(2, 0), (2, -1), (2, 1)]
    assert manor.wanted[0][2] == pytest.approx(64.0, abs=0.1), "a region's width at 4 m/s"


def test_in_a_world_without_land_all_nine_are_wanted_the_one_underfoot_at_once():
    manor = Manor(woven=-1)
    manor.next(Join(7, 5, 5, 0))
    assert manor.wanted[0] == (0, 0, 0.0)
    assert {(rx, rz) for rx, rz, _ in manor.wanted} == {(x, z) for x in (-1, 0, 1) for z in (-1, 0, 1)}
    assert len(manor.wanted) == 9


def test_who_crosses_into_another_region_makes_its_neighbours_wanted_within_a_second(manor):
    manor.next(Join(7, REGION - 5, 5, 0))
    manor.wanted.clear()
    manor.next(moves=[(7, 1, REGION - 1, 5, GROUND_Y)])
    manor.idle(25)
    assert manor.wanted == []
    manor.next(moves=[(7, 2, REGION, 5, GROUND_Y)])
    manor.idle(20)
    assert {(rx, rz) for rx, rz, _ in manor.wanted} == {(2, -1), (2, 0), (2, 1)}


def test_what_was_wanted_in_vain_is_asked_for_again_every_second_by_who_stands_before_it():
    manor = Manor(woven=0)
    manor.next(Join(7, REGION - 5, 5, 0))
    frame = manor.next(moves=[(7, 1, REGION, 5, GROUND_Y)])
    assert frame.corrections[:, -1].tolist() == [Reason.UNWOVEN]
    manor.wanted.clear()
    manor.idle(60)
    assert [rx_rz for *rx_rz, _ in manor.wanted].count([1, 0]) == 3


def test_who_runs_makes_the_regions_on_the_way_wanted_in_the_order_of_the_way(manor):
    manor.next(Join(7, 0, 5, 0))
    manor.run(7, seconds=3, speed=768)
    ahead = [(rx, rz) for rx, rz, _ in manor.wanted]
    assert ahead == [(2, 0)], "two borders on, all else is made"
    assert manor.wanted[0][2] == pytest.approx((2 * 256 - 2 * 12) / 12, abs=1.0)


def test_who_turns_around_has_the_way_forgotten(manor):
    manor.next(Join(7, 0, 5, 0))
    manor.run(7, seconds=2, speed=768)
    manor.run(7, seconds=1, speed=-768)
    assert manor.forgotten == [(2, 0)]


def test_a_region_that_is_not_being_made_after_all_is_told_and_one_that_is_made_stays(manor):
    manor.shard.weaving(5, 5)
    manor.next()
    manor.shard.unweave(5, 5)
    manor.shard.unweave(0, 0)
    assert manor.next().regions == (RegionNews(5, 5, FORGOTTEN),)


def test_news_of_land_ride_in_the_next_frame():
    manor = Manor(woven=-1)
    manor.shard.weaving(3, 4)
    manor.shard.add_region(3, 4, FLAT, "aa", "noise")
    manor.shard.weaving(3, 4)
    assert manor.next().regions == (
        RegionNews(3, 4, RegionState.WEAVING), RegionNews(3, 4, RegionState.WOVEN, "aa", "noise"),
    )  # fmt: skip
    assert manor.next().regions == ()


def test_only_regions_that_nobody_is_in_or_beside_are_forgotten():
    manor = Manor(woven=3)
    manor.next(Join(7, -2 * REGION - 5, 5, 0), Join(8, 2 * REGION + 5, 2 * REGION + 5, 0))
    manor.shard.weaving(9, 9)
    manor.shard.forget_far(keep=10)
    kept = {(x, z) for x in (-3, -2) for z in (-1, 0, 1)} | {(x, z) for x in (1, 2, 3) for z in (1, 2, 3)}
    assert manor.regions() == kept
    told = {(n.rx, n.rz) for n in manor.next().regions if n.state == FORGOTTEN}
    assert told == {(x, z) for x in range(-3, 4) for z in range(-3, 4)} - kept | {(9, 9)}


def test_nothing_is_forgotten_while_there_are_no_more_than_may_be_kept():
    manor = Manor(woven=1)
    manor.shard.forget_far(keep=9)
    assert len(manor.regions()) == 9
    manor.shard.forget_far(keep=8)
    assert manor.regions() == set()


def test_a_forgotten_region_is_a_wall_until_it_is_made_again():
    manor = Manor(woven=2)
    manor.next(Join(7, 5, 5, 0))
    manor.shard.forget_far(keep=1)
    assert manor.regions() == {(x, z) for x in (-1, 0, 1) for z in (-1, 0, 1)}
    manor.shard.add_region(2, 0, FLAT, "", "noise")
    assert (2, 0) in manor.regions()


def hill(x: int, z: int, height: int = 640) -> Patch:
    return Patch(x, z, np.full((5, 5), height, np.int16))


def test_an_edit_lifts_who_stands_there_at_once_and_is_told_with_the_next_frame():
    manor = Manor()
    manor.next(Join(7, 640, 640, 0), Join(8, 6_400, 640, 0))
    patch = hill(3, 3)
    manor.shard.edit_region(0, 0, 1, patch)
    t = manor.shard.avatars
    assert t.y[t.rows(np.array([7, 8]))].tolist() == [320, GROUND]
    frame = manor.next()
    news = RegionNews(0, 0, RegionState.WOVEN, "sha 0 0", "noise", 1)
    assert frame.regions == (replace(news, patch=patch),)
    assert int(unpack_words(frame.words, 0, 0)[3][0]) == 320
    assert manor.shard.overlay_version(0, 0) == 1
    manor.shard.receive(Resync(1))
    manor.next()
    assert [one for one in manor.published[-1].regions if (one.rx, one.rz) == (0, 0)] == [news]


def test_who_stood_on_a_hill_that_is_taken_away_walks_on_below():
    manor = Manor()
    manor.next(Join(7, 640, 640, 0))
    manor.shard.edit_region(0, 0, 1, hill(3, 3))
    manor.next(moves=[(7, 1, 640, 640, 320)])
    manor.shard.lay_overlay(patched(Overlay.empty(0, 0), hill(3, 3, -32_768), 2))
    frame = manor.next(moves=[(7, 2, 660, 640, GROUND)])
    assert frame.corrections.tolist() == []
    t = manor.shard.avatars
    assert t.y[t.rows(np.array([7]))].tolist() == [GROUND]


def test_an_overlay_that_came_otherwise_is_told_as_the_region_anew():
    manor = Manor()
    manor.next()
    manor.shard.lay_overlay(patched(Overlay.empty(1, 0), hill(130, 3), 9))
    assert manor.next().regions == (RegionNews(1, 0, RegionState.WOVEN, "sha 1 0", "noise", 9),)


def test_a_region_comes_with_its_overlay_and_goes_with_it():
    manor = Manor(woven=0)
    manor.shard.add_region(4, 0, FLAT, "aa", "noise", patched(Overlay.empty(4, 0), hill(515, 3), 3))
    x, z = np.array([(4 << 14) + 640], np.int64), np.array([640], np.int64)
    assert manor.land.ground(x, z)[0].tolist() == [320]
    assert manor.next().regions[-1] == RegionNews(4, 0, RegionState.WOVEN, "aa", "noise", 3)
    assert (manor.shard.overlay_version(4, 0), manor.shard.overlay_version(5, 0)) == (3, None)
    manor.shard.forget_far(0)
    assert manor.shard.overlay_version(4, 0) is None
