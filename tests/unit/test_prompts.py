"""Prompts: a file of them is read or refused, land is woven by each, and a judge says what it is."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from judged_land import piece, tile
from small_loom import small_model
from worldloom.errors import ConfigError
from worldloom.worldgen.gan.judge import Judge, known
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.gan.prompts import (
    REGIONS_N,
    Prompt,
    Verdict,
    as_text,
    check,
    judged,
    read_prompts,
    woven,
)
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.lexicon import understand

FORTY = Path(__file__).parents[1] / "data" / "prompts.json"


@pytest.fixture(scope="module")
def judge():
    real = known([tile(kind, seed) for kind in (0, 1, 2) for seed in (1, 2)])
    return Judge(real.traits, real.kinds)


def test_forty_prompts_by_a_stranger_are_four_of_each_landform():
    found = read_prompts(FORTY)
    assert Counter(prompt.landform for prompt in found) == dict.fromkeys(Landform, 4)
    assert len({prompt.text for prompt in found}) == 40


def test_the_lexicon_understands_most_of_them():
    found = read_prompts(FORTY)
    right = [next(iter(understand(one.text).landforms), None) is one.landform for one in found]
    assert sum(right) / len(right) >= 0.85


GOOD = {"prompt": "a misty fjord", "landform": "FJORD"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("nonsense", "expected prompts in JSON; got: "),
        ("[" * 100_000, "expected prompts in JSON; got: "),
        ("[]", "expected a list of 1 to 1000 prompts, got 0 of them"),
        (json.dumps(GOOD), "expected a list of 1 to 1000 prompts, got dict"),
        (json.dumps([GOOD] * 1001), "got 1001 of them"),
        (json.dumps([GOOD, "a fjord"]), 'prompt 2: expected {"prompt": ..., "landform": ...}, got "a fjord"'),
        (json.dumps([GOOD | {"seed": 1}]), "prompt 1: expected {"),
        (json.dumps([GOOD | {"landform": "LAKE"}]), "SIERRA, VOLCANO; got 'LAKE'"),
        (json.dumps([GOOD | {"landform": "fjord"}]), "got 'fjord'"),
        (json.dumps([GOOD | {"landform": ["FJORD"]}]), "got ['FJORD']"),
        (json.dumps([GOOD | {"prompt": " "}]), "expected a prompt of 1 to 500 characters, got ' '"),
        (json.dumps([GOOD | {"prompt": "a" * 501}]), "expected a prompt of 1 to 500 characters, got 'aaa"),
        (json.dumps([GOOD | {"prompt": 7}]), "got 7"),
        (json.dumps([GOOD]) + " " * 1_000_000, "expected at most 1000000 bytes, got 1"),
    ],
)
def test_a_file_that_holds_no_prompts_is_told(tmp_path, content, told):
    path = tmp_path / "prompts.json"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        read_prompts(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ConfigError, match="expected a file of prompts; got: No such file"):
        read_prompts(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="expected a file of prompts; got: Is a directory"):
        read_prompts(tmp_path)
    (tmp_path / "latin").write_bytes(b'["\xe9"]')
    with pytest.raises(ConfigError, match="expected prompts in JSON"):
        read_prompts(tmp_path / "latin")


@pytest.mark.slow
def test_real_land_is_judged_to_be_what_it_is(judge):
    for kind, landform in enumerate((Landform.PLAIN, Landform.HILLS, Landform.ALPINE)):
        land = np.stack([piece(kind, 50 + k, 1, 1) / 90 for k in range(4)])
        found = judged(judge, Prompt(landform.name, landform), land)
        assert (found.first, found.right) == (landform, "yes")
        assert found.understood is landform
        other = judged(judge, Prompt("no word for it: zork", Landform.CANYON), land)
        assert (other.understood, other.right) == (None, "no")


@pytest.mark.slow
def test_land_by_words_is_patches_of_the_plane_and_hears_the_words():
    source, seen = GanSource(small_model(), 4), []
    steep = woven(source, 4, "jagged alps", 0, 4, lambda: seen.append(1))
    assert (len(seen), steep.shape) == (16, (4, 128, 128))
    assert 4 * len(seen) == REGIONS_N
    flat, again, elsewhere = (woven(source, 4, "flat plains", place, 2) for place in (0, 0, 1))
    assert np.median(np.ptp(steep, axis=(1, 2))) > 3 * np.median(np.ptp(flat, axis=(1, 2)))
    assert np.array_equal(flat, again)
    assert not np.array_equal(flat, elsewhere)


@pytest.mark.slow
def test_a_landform_that_the_judge_never_saw_is_told(judge):
    known_one, strange = Prompt("hills", Landform.HILLS), Prompt("mesa", Landform.CANYON)
    check([known_one], judge)
    with pytest.raises(ConfigError, match="every landform of the prompts, got none of: canyon"):
        check([known_one, strange, strange], judge)


def test_the_report_counts_what_was_understood_and_what_was_woven():
    fjord, moor, plain = Landform.FJORD, Landform.MOOR, Landform.PLAIN
    verdicts = [
        Verdict(Prompt("a | b\n c", fjord), fjord, fjord, moor),
        Verdict(Prompt("fells", moor), fjord, fjord, moor),
        Verdict(Prompt("zork", plain), None, fjord, moor),
        Verdict(Prompt("steppe", plain), plain, moor, plain),
    ]
    assert [one.right for one in verdicts] == ["yes", "second", "no", "second"]
    lines = as_text(verdicts).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        *("a / b c", "fjord", "fjord", "fjord", "moor", "yes"),
    ]
    assert lines[4].split("|")[3].strip() == "-"
    assert lines[-4:] == [
        "the lexicon understands what was wanted: 2 of 4, 50%",
        "the land is judged to be what was wanted: 1 of 4, 25%",
        "it is one of the judge's first two: 3 of 4, 75%",
        "the land is judged to be what was understood: 2 of 4, 50%",
    ]
