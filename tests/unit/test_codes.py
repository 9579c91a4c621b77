"""Codes: what is written down is understood however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worldloom.realm.codes import ALPHABET, clean_code, format_code
from worldloom.services.codes import CODE_CHARS, CodeKind, hash_code, new_code

BARE = st.text(ALPHABET, max_size=40)
SLIPS = str.maketrans({"0": "o", "1": "l"})


@given(BARE)
def test_a_code_that_is_shown_is_understood(bare: str) -> None:
    assert clean_code(format_code(bare)) == bare


@given(BARE)
def test_case_dashes_and_letters_that_look_like_digits_are_forgiven(bare: str) -> None:
    typed = f"  {format_code(bare).translate(SLIPS).lower()} "
    assert clean_code(typed) == bare
    assert clean_code(bare.replace("1", "I").replace("0", "O")) == bare


@pytest.mark.parametrize("typed", ["", "U", "AB!C", "é", "０００", "A" * 1000, "\x00"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert clean_code(typed) == ""


def test_a_code_has_a_dash_after_each_fourth_character() -> None:
    assert format_code("ABCDEFGHJK") == "ABCD-EFGH-JK"
    assert format_code("ABCD") == "ABCD"
    assert format_code("") == ""


@pytest.mark.parametrize("kind", CodeKind)
def test_codes_are_random_and_of_their_length(kind: CodeKind) -> None:
    made = {new_code(kind) for _ in range(200)}
    assert len(made) == 200
    assert {len(clean_code(code)) for code in made} == {CODE_CHARS[kind]}
    assert set("".join(map(clean_code, made))) == set(ALPHABET)


def test_what_is_stored_is_a_hash_that_no_dash_changes() -> None:
    code = new_code(CodeKind.RECOVERY)
    assert hash_code(code) == hash_code(code.lower().replace("-", " "))
    assert len(hash_code(code)) == 32


def test_there_are_as_many_bits_as_were_promised() -> None:
    bits = {kind: 5 * CODE_CHARS[kind] for kind in CodeKind}
    assert bits == {CodeKind.RECOVERY: 130, CodeKind.PAIRING: 50, CodeKind.INVITATION: 80}
