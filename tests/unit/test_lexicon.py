"""Lexicon: what is understood of a person's words, what is not, and that this is told."""

import pickle
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lexicon_prompts import OBLIQUE, PROMPTS, UNSEEN
from worldloom.errors import ConfigError
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.lexicon import MAX_SHIFT, MAX_TEXT, PromptRejected, understand
from worldloom.worldgen.lexicon_words import MEASURES, PALETTES, Kind, Vocabulary, Word, fold, vocabulary

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "server" / "worldloom" / "worldgen" / "lexicon.toml"
WORDS_PAGE = ROOT / "docs" / "worldgen-words.md"


def first(text: str) -> Landform | None:
    return next(iter(understand(text).landforms), None)


def share_right(prompts: dict[Landform, tuple[str, ...]]) -> float:
    answers = [first(text) is kind for kind, texts in prompts.items() for text in texts]
    return sum(answers) / len(answers)


def test_plain_prompts_are_read_as_they_were_meant():
    assert share_right(PROMPTS) >= 0.95


def test_most_oblique_prompts_are_read_as_they_were_meant():
    assert share_right(OBLIQUE) >= 0.8


def test_most_prompts_that_nothing_was_made_to_suit_are_read_as_they_were_meant():
    assert share_right(UNSEEN) >= 0.8


def test_every_landform_answers_to_its_own_name():
    names = [kind.name.lower() for kind in Landform]
    assert [first(f"a {name}") for name in names] == list(Landform)


def test_weights_sum_to_one_and_the_greatest_comes_first():
    weights = list(
        understand("limestone ridges above olive groves, a volcano and a flat plain").landforms.values()
    )
    assert sum(weights) == pytest.approx(1.0)
    assert weights == sorted(weights, reverse=True)
    assert len(weights) >= 3


def test_the_order_of_words_does_not_matter():
    one, other = understand("misty, steep, wooded fjord"), understand("fjord: wooded, steep, misty")
    assert one.landforms == pytest.approx(dict(other.landforms))
    assert one.measures == other.measures
    assert (one.warmth, one.moisture, one.woods) == (other.warmth, other.moisture, other.woods)


def test_plurals_inflections_case_accents_and_hyphens_make_no_difference():
    assert understand("ridges").landforms == understand("RIDGE").landforms
    assert understand("the steepest, hilliest").measures == understand("steep, hilly").measures
    assert first("RÉUNION") is first("re\u0301union") is first("reunion") is Landform.VOLCANO
    assert understand("snow-capped mountains").understood == understand("snow capped mountains").understood


def test_of_names_that_overlap_the_longest_is_read():
    assert understand("slot canyon").understood[0][0] == "slot canyon"
    assert first("the Black Forest") is Landform.HILLS
    assert first("Table Mountain") is Landform.MOOR
    assert first("lava plain") is Landform.PLAIN


def test_a_name_does_not_reach_over_a_comma():
    assert [phrase for phrase, _ in understand("crater, lake").understood] == ["crater", "lake"]


def test_a_full_stop_after_an_abbreviation_parts_nothing():
    assert understand("Mt. St. Helens").understood[0][0] == "St Helens"


def test_very_and_slightly_scale_the_word_that_follows():
    slight, plain, strong = (understand(f"{word} steep hill").measures for word in ("slightly", "", "very"))
    assert 0 < slight["steepness"] < plain["steepness"] < strong["steepness"] <= MAX_SHIFT


def test_a_modifier_does_not_reach_beyond_a_word_that_is_not_known():
    assert understand("very lovely, steep").measures == understand("very lovely steep").measures
    assert understand("very lovely steep").measures == understand("steep").measures


def test_several_adjectives_add_up_within_bounds():
    one, more = (
        understand("steep").measures,
        understand("steep, sheer, vertical, very very precipitous walls").measures,
    )
    assert one["steepness"] < more["steepness"] <= MAX_SHIFT


def test_no_turns_round_what_follows_until_the_clause_ends():
    assert understand("hills without trees or forests").woods == -0.9
    assert understand("no hills, trees").woods > 0
    assert understand("no snow but forests").woods > 0
    assert understand("no trees on steep slopes").measures["steepness"] > 0


def test_what_is_negated_is_not_woven():
    assert Landform.VOLCANO not in understand("a plain without volcanoes").landforms
    assert first("no mountains") is Landform.HILLS
    assert first("no hills") is Landform.PLAIN
    assert first("mountains without glaciers") is Landform.ALPINE


def test_not_is_of_the_next_word_alone():
    reading = understand("not very steep hills")
    assert first("not very steep hills") is Landform.HILLS
    assert -1.4 < reading.measures["steepness"] < 0


def test_a_denial_ends_at_a_word_that_is_not_known():
    assert first("not boring green hills") is Landform.HILLS
    assert understand("less steep").measures["steepness"] < 0


def test_a_place_brings_its_climate_and_a_word_overrules_it():
    assert understand("Kansas").woods < 0
    assert understand("wooded Kansas").woods > 0
    assert first("wooded Kansas") is Landform.PLAIN


def test_mountains_and_sea_are_mountains_in_the_sea():
    assert first("mountains and the sea") is Landform.FJORD


def test_scale_is_absolute_and_only_told_when_said():
    assert "grandeur" not in understand("hills").measures
    assert understand("tiny hills").measures["grandeur"] < 0.2
    assert understand("vast hills").measures["grandeur"] > 0.8


def test_a_hint_alone_says_nothing_of_the_form():
    reading = understand("green")
    assert reading.landforms == {}
    assert reading.palette == "green"


def test_a_text_of_unknown_words_is_all_ignored():
    reading = understand("Colourless ideas sleep furiously, sleep")
    assert reading.ignored == ("Colourless", "ideas", "sleep", "furiously")
    assert not reading.understood
    assert (reading.landforms, reading.measures) == ({}, {})
    assert (reading.warmth, reading.moisture, reading.woods, reading.palette) == (None, None, None, None)


def test_a_long_word_with_one_slip_is_still_read():
    assert first("moutains") is first("mountians") is Landform.ALPINE
    assert first("volcannoes") is Landform.VOLCANO
    assert understand("horse").ignored == ()
    assert understand("morse").ignored == ("morse",)


def test_describe_tells_land_shape_climate_and_what_was_not_understood():
    text = understand("a misty fjord with very steep walls, no trees and a zeppelin").describe()
    assert "mountains in the sea" in text
    assert "%" in text.splitlines()[0]
    assert "Shape: much steeper" in text
    assert "Climate: wet, bare of trees" in text
    assert "no trees (bare of trees)" in text
    assert text.splitlines()[-1] == "Not understood: zeppelin"


def test_a_reading_travels_to_another_process():
    reading = understand("a misty fjord")
    assert pickle.loads(pickle.dumps(reading)) == reading


def test_describe_of_what_says_nothing_says_so():
    assert understand("a zeppelin").describe() == (
        "Land: nothing said of its form\nShape: as usual for such land\nUnderstood: nothing\nNot understood: zeppelin"
    )


@pytest.mark.parametrize("blank", ["", " ", "\t\n\u00a0"])
def test_no_text_is_refused(blank):
    with pytest.raises(PromptRejected, match="expected words for land, got an empty text"):
        understand(blank)


def test_a_text_of_the_longest_length_is_read_and_a_longer_one_refused():
    assert first("fjord".ljust(MAX_TEXT)) is Landform.FJORD
    with pytest.raises(PromptRejected, match=r"at most 500 characters, got 501"):
        understand("a" * (MAX_TEXT + 1))


@pytest.mark.parametrize("wrong", [None, 7, b"fjord", ["fjord"]])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises(PromptRejected, match="expected a text"):
        understand(wrong)


def names() -> list[str]:
    """All names in the tables of meanings, from the file as it is."""
    tables = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    places = [entry for part in tables.pop("places").values() for entry in part]
    others = [
        entry for name in ("terrain", "looks", "climate", "growth", "modifiers") for entry in tables[name]
    ]
    return [name.strip() for entry in (*places, *others) for name in entry.split("|")]


def test_every_name_in_the_table_is_found_as_a_whole():
    words = {name: [fold(part) for part in name.split()] for name in names()}
    found = {name: vocabulary().find(parts, 0) for name, parts in words.items()}
    assert [name for name, (length, word) in found.items() if length < len(words[name]) or word is None] == []


def test_every_name_in_the_table_says_something():
    silent = Word(Kind.SENSE)
    assert [
        name for name in names() if vocabulary().find([fold(part) for part in name.split()], 0)[1] == silent
    ] == []


def test_the_examples_in_the_documents_are_understood_whole():
    rows = re.findall(r"^\| [^|`]+ \| (`.*`) \|", WORDS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    examples = [example for row in rows for example in re.findall(r"`([^`]+)`", row)]
    assert len(examples) > 40
    assert [example for example in examples if understand(example).ignored] == []
    assert [example for example in examples if not understand(example).understood] == []


def test_the_description_in_the_documents_is_what_is_said():
    page = WORDS_PAGE.read_text(encoding="utf-8")
    text, described = re.findall(r'understand\("([^"]+)"\)\.describe\(\)\)\n(.*?)\n```', page, re.DOTALL)[0]
    assert understand(text).describe() == described


WORDS = st.sampled_from(
    ("very", "no", "not", "or", "steep", "fjord", "Kansas", "tiny", "dry", "forest", ",", "zork")
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.one_of(st.text(max_size=MAX_TEXT), st.lists(WORDS, max_size=60).map(" ".join)))
def test_whatever_is_written_the_reading_keeps_its_bounds(text):
    assume(text.strip())
    reading = understand(text)
    assert not reading.landforms or sum(reading.landforms.values()) == pytest.approx(1.0)
    assert all(weight > 0 for weight in reading.landforms.values())
    assert set(reading.measures) <= set(MEASURES)
    assert all(abs(shift) <= MAX_SHIFT for shift in reading.measures.values())
    assert 0 <= reading.measures.get("grandeur", 0) <= 1
    assert all(-1 <= (value or 0) <= 1 for value in (reading.warmth, reading.moisture, reading.woods))
    assert reading.palette in (None, *PALETTES)
    assert reading.describe()


def test_the_vocabulary_is_broad():
    assert len(vocabulary()) > 2000


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[terrain]\n"a" = { mountain = 1 }', "expected plain, .*got mountain = 1"),
        ('[terrain]\n"a" = { plain = 9 }', r"a: expected plain from 0\.0 to 3\.0, got 9"),
        ('[terrain]\n"a" = { relief = true }', "expected relief from"),
        ('[looks]\n"a" = { palette = "pink" }', "got palette = 'pink'"),
        ('[looks]\n"a | b" = { plain = 1 }\n"b" = { hills = 1 }', "expected 'b' once"),
        ('[looks]\n"a" = 3', "a: expected a table, got 3"),
        ('[colour]\n"a" = { plain = 1 }', "got colour"),
        ('[modifiers]\n"a" = "big"', "expected factor from"),
    ],
)
def test_a_wrong_line_of_the_table_is_told(table, message):
    with pytest.raises(ConfigError, match=message):
        Vocabulary(tomllib.loads(table))
