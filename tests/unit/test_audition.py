"""Auditions: windows are known by what a generator makes of them."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from judged_land import tile
from small_loom import small_model
from worldloom.worldgen.gan.audition import auditioned
from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.judge import Judge, known, traits
from worldloom.worldgen.gan.landforms import LANDFORMS_N, Landform
from worldloom.worldgen.gan.prompts import woven
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.wish import granted
from worldloom.worldgen.lexicon import understand

pytestmark = pytest.mark.slow

FORMS = slice(len(MEASURES), len(MEASURES) + LANDFORMS_N)
SEED = 4


@pytest.fixture(scope="module")
def judge() -> Judge:
    real = known([tile(kind, seed) for kind in (0, 1, 2) for seed in (1, 2)])
    return Judge(real.traits, real.kinds)


@pytest.fixture(scope="module")
def source() -> GanSource:
    """Of windows that are all named volcanoes, the flattest and the steepest of many."""
    model = small_model()
    table = model.table[np.argsort(model.table[:, 0])][[*range(10), *range(-10, 0)]].copy()
    table[:, FORMS] = np.eye(LANDFORMS_N)[Landform.VOLCANO]
    return GanSource(replace(model, table=table), SEED)


@pytest.fixture(scope="module")
def heard(source: GanSource, judge: Judge) -> np.ndarray:
    return auditioned(source, judge, 4)


def test_a_window_gets_the_landforms_of_its_land_and_keeps_its_measures(
    source: GanSource, heard: np.ndarray
) -> None:
    told = source.model.table
    rest = np.ones(told.shape[1], bool)
    rest[FORMS] = False
    assert np.array_equal(heard[:, rest], told[:, rest])
    assert heard[:, FORMS].sum(1) == pytest.approx(1.0, abs=1e-5)
    assert (heard[:, FORMS][:, Landform.VOLCANO] == 0).all(), "a judge says nothing of what it never saw"
    assert (told[:, FORMS] == np.eye(LANDFORMS_N)[Landform.VOLCANO]).all()


def test_each_window_is_told_of_and_comes_out_the_same_again(
    source: GanSource, judge: Judge, heard: np.ndarray
) -> None:
    seen: list[int] = []
    again = auditioned(GanSource(source.model, SEED), judge, 4, lambda: seen.append(1))
    assert len(seen) == len(heard)
    assert np.array_equal(again, heard)


def test_words_lead_to_what_looks_like_them_whatever_it_is_named(
    source: GanSource, heard: np.ndarray, judge: Judge
) -> None:
    ready = GanSource(replace(source.model, table=heard), SEED)
    asked = {"alps": Landform.ALPINE, "plains": Landform.PLAIN}

    def share(one: GanSource, words: str) -> float:
        """Of several places."""
        land = np.concatenate([woven(one, SEED, words, place, 4) for place in (9, 10, 11, 12)])
        return float(judge.shares(traits(land, 1.0)).mean(0)[asked[words]])

    for words in asked:
        # As they are named there is no telling them apart.
        assert share(ready, words) > share(source, words) + 0.3, words


def test_of_windows_that_are_a_little_of_all_the_fittest_come_into_question() -> None:
    table = np.repeat(small_model().table[:1], 20, 0)
    table[:, 0] = np.arange(20) / 10 - 3
    table[:, FORMS] = 0.0
    table[:, FORMS.start + Landform.FJORD] = np.arange(20) / 50
    table[:, FORMS.start + Landform.ALPINE] = 1 - np.arange(20) / 50
    usual: Style = Provinces(SEED, table).style(0, 0)
    found = {
        float(granted(understand("fjord"), usual, table, k / 64).conditions[0].round(1)) for k in range(64)
    }
    assert found == {float(np.float32(x).round(1)) for x in table[-8:, 0]}
