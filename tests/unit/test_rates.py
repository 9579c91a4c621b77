import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_world import SimWorld, payloads
from worldloom.replication.feed import SECTIONS
from worldloom.replication.rates import (
    BANDS,
    CELL_LADDER,
    CROWD_LADDER,
    FAR,
    NEAR,
    NEXT,
    Demand,
    choose_step,
    words_per_tick,
)
from worldloom.replication.runs import DROPPED, RATES

LADDERS = pytest.mark.parametrize("ladder", [CELL_LADDER, CROWD_LADDER], ids=["cell", "crowd"])


def falling(fulls: list[float]) -> np.ndarray:
    """Words of each band at each rate, halved from rate to rate: ``[1, BANDS, RATES]``."""
    return np.array([[full / 2**k for k in range(RATES)] for full in fulls])[None]


def cost(by_band: np.ndarray, ladder: np.ndarray, step: int) -> float:
    with_nothing = np.concatenate([by_band[0], np.zeros((BANDS, 1))], axis=1)
    return float(sum(with_nothing[band, ladder[step, band]] for band in range(BANDS)))


def choose(
    by_band: np.ndarray, ladder: np.ndarray, budget: float, current: int = -1, headers: float = 0
) -> int:
    return int(choose_step(by_band, np.array([headers]), ladder, np.array([budget]), np.array([current]))[0])


FULLS = st.lists(st.floats(0, 2_000), min_size=BANDS, max_size=BANDS)


# ---- ladders


@LADDERS
def test_a_ladder_leads_from_lavish_to_poor_and_what_is_near_never_comes_more_seldom(ladder):
    assert (np.diff(ladder, axis=0).clip(max=0)[:, [NEAR, NEXT, FAR]] == 0).all()
    assert (np.diff(ladder, axis=1) >= 0).all()
    assert ladder.max() <= DROPPED
    assert ladder[0].tolist() == [0, 0, 0, 0]


def test_what_is_farthest_is_dropped_last_of_all_and_nothing_before_all_else_is_as_rare_as_can_be():
    dropping = CROWD_LADDER[(CROWD_LADDER == DROPPED).any(axis=1)]
    assert dropping.tolist() == [
        [4, 4, 4, DROPPED], [4, 4, DROPPED, DROPPED], [4, DROPPED, DROPPED, DROPPED], [DROPPED] * 4,
    ]  # fmt: skip
    assert CROWD_LADDER[-len(dropping) - 1].tolist() == [4, 4, 4, 4]


@pytest.mark.parametrize(("budget", "words"), [(64_000, 380), (16_000, 95), (8, 0.0475), (0, math.inf)])
def test_a_byte_budget_is_so_many_words_a_tick(budget, words):
    assert words_per_tick(budget) == pytest.approx(words)


# ---- choosing


@LADDERS
@given(fulls=FULLS, budget=st.floats(0, 4_000), headers=st.floats(0, 50))
def test_the_first_step_that_fits_is_chosen(ladder, fulls, budget, headers):
    by_band = falling(fulls)
    step = choose(by_band, ladder, budget, headers=headers)
    costs = [cost(by_band, ladder, s) + headers for s in range(len(ladder))]
    fits = [s for s, c in enumerate(costs) if c <= budget] or [len(ladder) - 1]
    assert step == fits[0]


@LADDERS
@given(fulls=FULLS, low=st.floats(0, 4_000), more=st.floats(0, 4_000), current=st.integers(-1, 21))
def test_a_larger_budget_never_gives_a_poorer_step(ladder, fulls, low, more, current):
    by_band, current = falling(fulls), min(current, len(ladder) - 1)
    assert choose(by_band, ladder, low + more, current) <= choose(by_band, ladder, low, current)


@LADDERS
@given(fulls=FULLS, budget=st.floats(1, 4_000))
def test_a_step_once_chosen_is_kept_while_nothing_changes(ladder, fulls, budget):
    by_band = falling(fulls)
    step = choose(by_band, ladder, budget)
    assert choose(by_band, ladder, budget, step) == step


def test_a_better_step_must_fit_with_room_to_spare():
    by_band = falling([100.0, 0, 0, 100.0])
    assert choose(by_band, CELL_LADDER, 200, current=0) == 0
    assert choose(by_band, CELL_LADDER, 199, current=0) == 1
    assert choose(by_band, CELL_LADDER, 201, current=1) == 1
    assert choose(by_band, CELL_LADDER, 200 / 0.92 - 0.1, current=1) == 1
    assert choose(by_band, CELL_LADDER, 200 / 0.92 + 0.1, current=1) == 0


def test_many_groups_are_chosen_for_at_once_each_by_its_own_budget():
    by_band = np.repeat(falling([0, 0, 0, 160.0]), 6, axis=0)
    budget = np.array([np.inf, 160, 80, 40, 10, 0])
    steps = choose_step(by_band, np.zeros(6), CELL_LADDER, budget, np.full(6, -1))
    assert steps.tolist() == [0, 0, 1, 2, 4, 4]


# ---- demand


def bounds(*counts: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)])[None]


def test_demand_is_counted_by_rate_and_follows_in_steps_of_an_eighth():
    demand = Demand()
    # Repeats of class 1 to 4, then fresh of class 4 to 0.
    tick = bounds(1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert tick.shape == (1, SECTIONS + 1)
    nothing = np.empty(0, np.int64)
    demand.note(4, np.array([3]), tick, nothing, np.empty((0, 16, 10), np.int64))
    by_rate = np.array([5 + 6 + 7 + 8 + 9, 10 + 26, 9 + 18, 7 + 11, 4 + 5])
    assert demand.cells[3] == pytest.approx(by_rate / 8)
    demand.note(4, nothing, np.empty((0, 10), np.int64), nothing, np.empty((0, 16, 10), np.int64))
    assert demand.cells[3] == pytest.approx(by_rate / 8 * 7 / 8)
    for _ in range(80):
        demand.note(4, np.array([3]), tick, nothing, np.empty((0, 16, 10), np.int64))
    assert demand.cells[3] == pytest.approx(by_rate, rel=1e-3)
    assert not demand.cells[:3].any()


def test_demand_has_room_for_any_row():
    demand = Demand()
    demand.make_room(1_000)
    assert len(demand.cells) == len(demand.patches) >= 1_000


# ---- a crowd in one place


class Crowd:
    """People in a square who walk every tick; what each viewer is written is counted."""

    def __init__(self, people: int, side: float, budget: int, seed: int = 1) -> None:
        self.world = SimWorld(budget=budget)
        self.left_out = 0
        self.rng = np.random.default_rng(seed)
        self.side = side
        self.at = self.rng.uniform(0, side, (people, 2))
        self.heading = self.rng.uniform(0, 2 * np.pi, people)
        self.wrote: dict[int, list[bytes]] = {}
        for n, (x, z) in enumerate(self.at, 1):
            watcher = self.world.join(n, x, z)
            self.wrote[n] = []
            watcher.seat.write = self.wrote[n].append

    def walk(self, ticks: int) -> Iterator[int]:
        for _ in range(ticks):
            self.world.tick_number += self.left_out
            self.heading += self.rng.normal(0, 0.2, len(self.heading))
            self.at += 0.07 * np.stack([np.cos(self.heading), np.sin(self.heading)], axis=1)
            # Who comes to the edge turns back.
            self.heading = np.where(
                ((self.at < 1) | (self.at > self.side - 1)).any(axis=1), self.inwards(), self.heading
            )
            for n, (x, z) in enumerate(self.at, 1):
                self.world.move(n, x, z)
            self.world.tick()
            yield self.world.tick_number

    def inwards(self) -> np.ndarray:
        away = self.side / 2 - self.at
        return np.arctan2(away[:, 1], away[:, 0])

    def bytes_per_second(self, ticks: int) -> dict[int, float]:
        for wrote in self.wrote.values():
            wrote.clear()
        for _ in self.walk(ticks):
            pass
        sizes = {n: sum(len(p) for data in wrote for p in payloads(data)) for n, wrote in self.wrote.items()}
        return {n: size * 20 / ticks for n, size in sizes.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "budget", "least"),
    [(500, 64_000, 0.6), (300, 64_000, 0.99), (300, 16_000, 0.6), (300, 4_000, 0.4)],
)
def test_a_crowd_in_one_place_stays_within_every_budget_and_makes_use_of_it(people, budget, least):
    crowd = Crowd(people, side=20, budget=budget)
    crowd.bytes_per_second(40)
    per_viewer = crowd.bytes_per_second(160)
    assert max(per_viewer.values()) <= budget
    assert np.mean(list(per_viewer.values())) >= least * min(budget, people * 8 * 20)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "left_out"), [(1, 1), (1, 3), (3, 7), (0, 2)])
def test_the_budget_is_kept_though_most_ticks_are_left_out(first, left_out):
    crowd = Crowd(300, side=20, budget=16_000)
    crowd.world.tick_number += first
    crowd.left_out = left_out
    crowd.bytes_per_second(40)
    assert max(crowd.bytes_per_second(40).values()) <= 16_000


def test_without_a_budget_everybody_gets_every_word():
    crowd = Crowd(300, side=20, budget=0)
    crowd.bytes_per_second(5)
    per_viewer = crowd.bytes_per_second(40)
    # The words, their header, and the message around them.
    assert {size / 20 for size in per_viewer.values()} == {300 * 8 + 8 + 8}


@pytest.mark.slow
def test_the_thin_tier_makes_do_with_a_quarter():
    crowd = Crowd(300, side=20, budget=64_000)
    crowd.bytes_per_second(20)
    thin = list(range(1, 300, 10))
    for n in thin:
        crowd.world.fanout.regard(crowd.world.watchers[n].seat, thin=True)
    crowd.bytes_per_second(40)
    per_viewer = crowd.bytes_per_second(120)
    assert max(per_viewer[n] for n in thin) <= 16_000
    others = [size for n, size in per_viewer.items() if n not in thin]
    assert min(others) > 2 * max(per_viewer[n] for n in thin)
    assert max(others) <= 64_000


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(st.sampled_from([8_000, 24_000, 48_000]), st.sampled_from([12.0, 40.0, 70.0]), st.integers(0, 99))
def test_any_crowd_stays_within_its_budget(budget, side, seed):
    crowd = Crowd(200, side, budget, seed)
    crowd.bytes_per_second(40)
    per_viewer = crowd.bytes_per_second(80)
    assert np.mean(list(per_viewer.values())) <= budget
