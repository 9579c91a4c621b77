"""Wishes: what words make of a region's style."""

import numpy as np
import pytest

from small_loom import small_table
from worldloom.errors import Refusal
from worldloom.ports import StyleRow
from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.wish import Wish
from worldloom.worldgen.gan.wisher import WORDS_MAX, Wisher
from worldloom.worldgen.lexicon import understand
from worldloom_sdk.protocol.messages import RefusalCode

SEED = 21
TABLE = small_table()
REGIONS = [(rx, rz) for rx in range(-12, 12, 4) for rz in range(-12, 12, 4)]
TOLD = len(MEASURES)


def wish(words: str) -> Wish:
    return Wish(understand(words), Provinces(SEED, TABLE), TABLE, SEED)


def wished(words: str) -> list[Style]:
    asked = wish(words)
    return [asked.style(*at) for at in REGIONS]


def usual() -> list[Style]:
    provinces = Provinces(SEED, TABLE)
    return [provinces.style(*at) for at in REGIONS]


def mean(styles: list[Style], name: str) -> float:
    return float(np.mean([style.conditions[MEASURES.index(name)] for style in styles]))


def test_plains_are_gentle_and_jagged_alps_are_steep() -> None:
    plains, alps = wished("plains"), wished("jagged alps")
    assert max(style.slope for style in plains) < 0.08
    assert min(style.slope for style in alps) > 0.2
    assert all(style.conditions[TOLD + Landform.PLAIN] > 0.8 for style in plains)
    assert all(np.argmax(style.conditions[TOLD:]) == Landform.ALPINE for style in alps)
    assert max(style.foot for style in plains) < min(style.foot for style in alps)


def test_a_word_of_shape_moves_its_measure_and_keeps_the_landform() -> None:
    jagged, usual_alps, rounded = (wished(words) for words in ("jagged alps", "alps", "rounded alps"))
    assert mean(jagged, "sharpness") > mean(usual_alps, "sharpness") + 0.1
    assert mean(jagged, "sharpness") > mean(rounded, "sharpness") + 0.3
    assert all(style.conditions[TOLD + Landform.ALPINE] > 0.8 for style in jagged)


def test_a_grand_land_is_of_90_m_windows_and_an_intimate_one_of_30() -> None:
    grand, small = (wished(f"{word} mountains") for word in ("vast", "tiny"))
    assert mean(grand, "grandeur") > 0.5 > mean(small, "grandeur")


def test_climate_alone_changes_climate_alone() -> None:
    for words, reading in ((w, understand(w)) for w in ("frozen", "wet", "bare", "tropical")):
        assert not reading.landforms
        for before, after in zip(usual(), wished(words), strict=True):
            assert np.array_equal(after.conditions, before.conditions), words
            said = [reading.warmth, reading.moisture, reading.woods]
            assert any(value is not None for value in said)
            assert after.warmth == (before.warmth if reading.warmth is None else reading.warmth)
            assert after.woods == (before.woods if reading.woods is None else reading.woods)
            if reading.moisture is None:
                assert after.moisture == before.moisture
            else:
                assert after.moisture == (reading.moisture + 1) / 2


def test_words_that_say_nothing_change_nothing() -> None:
    assert [style.key for style in wished("qwertz uiop")] == [style.key for style in usual()]


def test_land_is_alike_within_a_kilometre_and_not_the_same_everywhere() -> None:
    asked = wish("canyon")
    for corner in ((0, 0), (-4, 8), (400, -40)):
        near = [asked.style(corner[0] + i, corner[1] + j) for i in range(4) for j in range(4)]
        assert len({style.conditions.tobytes() for style in near}) == 1
    assert len({asked.style(4 * k, 0).conditions.tobytes() for k in range(40)}) > 3


def test_all_windows_of_a_bare_landform_come_into_question_and_few_where_more_is_said() -> None:
    windows = int((TABLE[:, TOLD + Landform.CANYON] == 1).sum())
    bare, told = (
        {wish(words).style(4 * k, 0).conditions.tobytes() for k in range(200)}
        for words in ("canyon", "steep smooth canyon")
    )
    assert (windows, len(bare)) == (24, 24)
    assert len(told) <= 8


def test_a_wish_comes_true_in_one_way_for_one_seed() -> None:
    again, other = wish("canyon"), Wish(understand("canyon"), Provinces(2, TABLE), TABLE, 2)
    first = [style.key for style in wished("canyon")]
    assert [again.style(*at).key for at in REGIONS] == first
    assert [other.style(*at).key for at in REGIONS] != first


@pytest.mark.parametrize("kind", Landform)
def test_every_landform_can_be_had_from_land_that_has_it(kind: Landform) -> None:
    style = wish(kind.name.lower()).style(9, 9)
    assert np.argmax(style.conditions[TOLD:]) == kind


def test_a_landform_that_the_model_never_saw_is_woven_from_the_nearest_that_it_did() -> None:
    hills = TABLE[TABLE[:, TOLD + Landform.HILLS] == 1]
    style = Wish(understand("volcano"), Provinces(SEED, hills), hills, SEED).style(0, 0)
    assert style.conditions[TOLD + Landform.VOLCANO] > 0.8
    assert np.isfinite(style.conditions).all()


def test_the_words_of_whoever_claims_a_region_become_its_style() -> None:
    wisher = Wisher(SEED, TABLE)
    row = wisher.wish("jagged alps", -3, 9)
    assert row == StyleRow(-3, 9, wish("jagged alps").style(-3, 9).key, "jagged alps")
    assert row.style != wisher.wish("plains", -3, 9).style
    assert 1 <= len(row.style) <= 1_024


@pytest.mark.parametrize("words", ["", "xyzzy", "alps " * (WORDS_MAX // 5 + 1)])
def test_words_that_say_nothing_of_land_or_too_much_are_refused(words: str) -> None:
    with pytest.raises(Refusal) as refused:
        Wisher(SEED, TABLE).wish(words, 0, 0)
    assert refused.value.code is RefusalCode.INVALID
