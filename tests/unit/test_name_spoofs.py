"""Three hundred spoofs of taken and reserved names, all refused; five hundred honest names, none refused."""

import contextlib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from worldloom.errors import Refusal
from worldloom.realm.names import Name, clean_name

HONEST = {
    script: names.split()
    for line in (Path(__file__).parent / "names" / "honest.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for script, names in [line.split(": ")]
}

TAKEN = ["Alice", "Sophie", "Maximilian", "Peter Pan", "Nova7", "Oscar", "Bob"]
RESERVED = ["admin", "moderator", "worldloom", "support", "operator", "root"]

HOMOGLYPHS = {
    "a": "а ａ 𝐚 𝗮 ⓐ ɑ α", "b": "Ь ｂ 𝐛 ⓑ", "c": "с ｃ ϲ ⅽ 𝐜", "d": "ԁ ｄ ⅾ 𝐝", "e": "е ｅ ℯ 𝐞", "h": "һ ｈ ℎ 𝐡",
    "i": "і ｉ ⅰ 𝐢 l 1 ı", "l": "ⅼ ｌ 𝐥 I 1 ӏ", "m": "ｍ ⅿ 𝐦 rn", "n": "ｎ 𝐧 ո", "o": "о ο ｏ 𝐨 0 օ", "p": "р ρ ｐ 𝐩",
    "r": "ｒ 𝐫 ᴦ", "s": "ѕ ｓ 𝐬 5", "t": "ｔ 𝐭", "u": "ｕ 𝐮 ս", "v": "ѵ ν ｖ 𝐯", "w": "ԝ ｗ 𝐰 vv", "x": "х ｘ ⅹ 𝐱",
}  # fmt: skip
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\ufe0f\u2063\u115f\u3164\u202e\u200f"
MARKS = "\u0307\u0323\u0338\u0335\u0332"
SEPARATORS = "-_.'"


def homoglyphs(name: str) -> Iterator[str]:
    """One letter in other clothes, at each place."""
    for at, letter in enumerate(name.casefold()):
        for other in HOMOGLYPHS.get(letter, "").split():
            yield name[:at] + other + name[at + 1 :]


def disguises(name: str) -> Iterator[str]:
    """Other case, invisible characters, marks, full width, other digits."""
    yield from (name.upper(), name.lower(), name.swapcase(), name.title())
    yield from (name[:2] + character + name[2:] for character in INVISIBLE)
    yield from (character + name for character in "\u200b\u202e\ufeff ")
    yield from (name[:2] + mark + name[2:] for mark in MARKS)
    yield "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)
    yield name.translate(str.maketrans("oOiIlL", "001111"))
    yield name.translate(str.maketrans("sS", "55"))


def separated(name: str) -> Iterator[str]:
    """Separators that one reads over, within a word or in place of a blank."""
    yield from (name.replace(" ", other) for other in ("_", "-", "\u00a0", "\u2003") if " " in name)
    yield from (name[:2] + other + name[2:] for other in ".'")


def spoofs(name: str) -> set[str]:
    return {*homoglyphs(name), *disguises(name), *separated(name)} - {name}


def reserved_spoofs(word: str) -> set[str]:
    numbered = {f"{word}{n}" for n in (1, 7, 42, 2026)} | {f"{word} 1", f"{word}_7"}
    apart = {word[:2] + other + word[2:] for other in SEPARATORS}
    accented = {unicodedata.normalize("NFC", word[:at] + "\u0301" + word[at:]) for at in range(1, len(word))}
    leet = {word.translate(str.maketrans("oiea", "01E4")), word.translate(str.maketrans("os", "05"))}
    return spoofs(word) | numbered | apart | accented | leet | {word}


def outcome(raw: str) -> Name | None:
    with contextlib.suppress(Refusal):
        return clean_name(raw)
    return None


def test_there_are_names_and_spoofs_enough_to_mean_something() -> None:
    assert len({name for names in HONEST.values() for name in names}) >= 500
    assert len(HONEST) >= 10
    assert sum(len(spoofs(name)) for name in TAKEN) >= 300
    assert sum(len(reserved_spoofs(word)) for word in RESERVED) >= 300


@pytest.mark.parametrize("taken", TAKEN)
def test_no_spoof_of_a_taken_name_becomes_a_name_of_its_own(taken: str) -> None:
    owned = clean_name(taken).skeleton
    names = [(spoof, outcome(spoof)) for spoof in sorted(spoofs(taken))]
    passed = [spoof for spoof, name in names if name and owned not in (name.skeleton, name.lookalike)]
    assert passed == []


@pytest.mark.parametrize("word", RESERVED)
def test_no_spoof_of_a_reserved_name_is_a_name(word: str) -> None:
    assert [spoof for spoof in sorted(reserved_spoofs(word)) if outcome(spoof) is not None] == []


@pytest.mark.parametrize("script", HONEST)
def test_no_honest_name_is_refused(script: str) -> None:
    assert [name for name in HONEST[script] if outcome(name) is None] == []


@pytest.mark.parametrize("script", HONEST)
def test_honest_names_are_shown_as_they_were_typed_and_told_apart(script: str) -> None:
    names = [clean_name(name) for name in HONEST[script]]
    # NFKC writes the one ligature of Armenian as the two letters that it stands for.
    typed = [unicodedata.normalize("NFC", name).replace("և", "եւ") for name in HONEST[script]]
    assert [name.shown for name in names] == typed
    assert len({name.skeleton for name in names}) == len(names)
