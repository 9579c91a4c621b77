"""Heightmaps in 16 bits."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from worldloom.worldgen.heightmap import EXACT, Levels, levels_of, save_png, save_raw, stretched
from worldloom_sdk.protocol.tiles import MAX_HEIGHT, MIN_HEIGHT

ENDS = np.array([[MIN_HEIGHT, -1, 0], [1, 32, MAX_HEIGHT]], np.int16)
heights = st.lists(st.integers(MIN_HEIGHT, MAX_HEIGHT), min_size=1, max_size=20)


def metres(levels, meaning: Levels):
    return levels * meaning.scale + meaning.offset


def test_the_usual_levels_give_every_height_back_exactly():
    assert (metres(levels_of(ENDS, EXACT), EXACT) * 32 == ENDS).all()
    assert levels_of(ENDS, EXACT)[0].tolist() == [0, 7679, 7680], "the sea is at 240 m over the lowest"


@given(heights)
def test_stretched_levels_reach_from_end_to_end_and_err_by_half_a_level(some):
    ground = np.array([some], np.int16)
    meaning = stretched(ground)
    levels = levels_of(ground, meaning)
    assert levels.min() == 0
    assert levels.max() == (65_535 if ground.min() < ground.max() else 0)
    assert np.abs(metres(levels, meaning) - ground / 32).max() <= meaning.scale * 0.500001


@given(heights, st.floats(1 / 64, 100))
def test_coarser_levels_err_by_half_a_level(some, scale):
    ground, meaning = np.array([some], np.int16), Levels(scale)
    assert np.abs(metres(levels_of(ground, meaning), meaning) - ground / 32).max() <= scale * 0.500001


@pytest.mark.parametrize("meaning", [Levels(0.01), Levels(1 / 32, 0.0), Levels(1e-4)])
def test_ground_beyond_the_levels_is_refused_with_what_they_reach(meaning):
    with pytest.raises(ValueError, match=r"expected ground from .* got -240 to 720 m"):
        levels_of(ENDS, meaning)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match="above 0"):
        levels_of(ENDS, Levels(scale))


def test_a_png_has_16_bits_and_says_what_they_mean():
    levels, file = levels_of(ENDS, EXACT), io.BytesIO()
    save_png(file, levels, {"Title": "Łąka", "Description": str(EXACT)}, {"metres_per_level": EXACT.scale})
    assert file.getvalue()[24:26] == b"\x10\x00", "bit depth 16, grey"
    with Image.open(file) as picture:
        assert (np.asarray(picture) == levels).all()
        texts = picture.text
    assert texts["Title"] == "Łąka"
    assert texts["Description"] == "metres = level * 0.03125 - 240.0"
    assert json.loads(texts["worldloom"]) == {"metres_per_level": 0.03125}


def test_raw_levels_are_little_endian_row_by_row():
    file = io.BytesIO()
    save_raw(file, np.array([[1, 2], [0x1234, 65_535]], np.uint16))
    assert file.getvalue() == bytes.fromhex("01 00 02 00 34 12 ff ff")
