"""Names and spoken text: what may be shown to others. Knows no accounts; ``skeletons`` knows what looks like what.

A name is of one script (Japanese, Korean and Chinese mixtures are one), of characters that UTS #39 recommends, 2 to
24 of them, with single separators inside. What then still looks alike has the same skeleton, and that must be unique.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from worldloom.errors import Refusal
from worldloom.realm.name_tables import SCRIPTS
from worldloom.realm.skeletons import as_shown, bare, skeleton
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["NAME_MAX", "NAME_MIN", "RESERVED", "Name", "clean_name", "clean_text"]

NAME_MIN = 2
NAME_MAX = 24
"""Characters of a name, not counting combining marks."""
_POINTS_MAX = 48
"""Characters of a name, counting combining marks."""
_RAW_MAX = 200
_MARKS_MAX = 4
"""Combining marks on one character: enough for every living script, too few to smear over the neighbours' lines."""

RESERVED = (
    "admin",
    "administrator",
    "anonymous",
    "everyone",
    "gamemaster",
    "guest",
    "host",
    "mod",
    "moderator",
    "nobody",
    "official",
    "operator",
    "owner",
    "root",
    "server",
    "staff",
    "support",
    "sysop",
    "system",
    "world",
    "worldloom",
)
"""Names that nobody gets, nor anything that looks like one, nor with a number behind it."""
_TITLES = frozenset({"admin", "administrator", "moderator", "official", "staff", "sysop", "worldloom"})
"""Words that may not even be part of a name."""

_SEPARATORS = " -_.'"
_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bb": "'", "\u02bc": "'"})
_LEET = str.maketrans({"4": "a", "3": "e", "7": "t", "8": "b", "9": "g"})
_OVERLAYS = "\u0335\u0338"
_ANY = frozenset({"Zyyy", "Zinh"})
_TOGETHER = {
    "Hani": {"Jpan", "Hanb", "Kore"},
    "Hira": {"Jpan"},
    "Kana": {"Jpan"},
    "Hang": {"Kore"},
    "Bopo": {"Hanb"},
}

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_INVISIBLE = "\u00ad\u200b\u2060\u2061\u2062\u2063\u2064\ufeff"
_NOT_SPOKEN = frozenset(_BIDI + _INVISIBLE)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that may be shown."""

    shown: str
    """NFKC, single-spaced; but for one vowel of Thai and Lao."""
    skeleton: str
    """What it looks like in any case; unique among accounts."""
    lookalike: str = ""
    """Not empty when, in the very case it is written in, it looks like names of this other skeleton, too."""


def _spans() -> tuple[list[int], list[int], list[frozenset[str]]]:
    """First and last code point of each range of allowed characters, ascending, and its scripts."""
    spans = []
    for joined, ranges in SCRIPTS.items():
        own = joined.split("_")
        scripts = frozenset(own).union(*(_TOGETHER.get(name, ()) for name in own))
        for span in ranges.split():
            first, _, last = span.partition("-")
            spans.append((int(first, 16), int(last or first, 16), scripts))
    spans.sort(key=lambda span: span[0])
    firsts, lasts, scripts_of = zip(*spans, strict=True)
    return list(firsts), list(lasts), list(scripts_of)


_FIRSTS, _LASTS, _SCRIPTS_OF = _spans()


def clean_name(raw: str) -> Name:
    """The name as it will be shown, and its skeleton.

    Args:
        raw: As somebody typed it.

    Raises:
        Refusal: NAME_INVALID; the text says what was expected and got.
    """
    if len(raw) > _RAW_MAX:
        raise _invalid(f"expected a name of {NAME_MIN} to {NAME_MAX} characters, got {len(raw)}")
    shown = unicodedata.normalize("NFKC", raw.translate(_APOSTROPHES)).strip(" ")
    _check_length(shown)
    _check_separators(shown)
    _check_scripts(shown)
    _check_marks(shown)
    folded, visible = skeleton(shown), as_shown(shown)
    _check_reserved(shown)
    return Name(_as_written(shown), folded, visible if visible != folded and bare(visible).isascii() else "")


def _as_written(shown: str) -> str:
    """In the one letter in which Thai and Lao write it: NFKC takes their vowel "am" apart, and tone marks astray."""
    return shown.replace("\u0e4d\u0e32", "\u0e33").replace("\u0ecd\u0eb2", "\u0eb3")


def clean_text(raw: str, limit: int) -> str:
    """Spoken text as others may see it; may be empty.

    Control, bidirectional and invisible characters are taken out, white space becomes single blanks, no character
    keeps more than four combining marks. Joiners stay: scripts and emoji need them.

    Args:
        raw: As somebody typed it.
        limit: Characters; the rest is cut off.
    """
    if raw.isascii() and raw.isprintable():
        return " ".join(raw.split())[:limit].rstrip()
    spoken = "".join(" " if character.isspace() else character for character in raw if _is_spoken(character))
    few_marks = "".join(_thin_out(unicodedata.normalize("NFC", spoken)))
    return " ".join(few_marks.split())[:limit].rstrip()


def _is_spoken(character: str) -> bool:
    hidden = character in _NOT_SPOKEN or unicodedata.category(character) in ("Cc", "Cs")
    return character.isspace() or not hidden


def _thin_out(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS_MAX:
            yield character


def _invalid(text: str, hint: str = "use letters and digits of one script") -> Refusal:
    return Refusal(RefusalCode.NAME_INVALID, text, hint=hint)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _check_length(shown: str) -> None:
    count = sum(not _is_mark(character) for character in shown)
    if not NAME_MIN <= count <= NAME_MAX or len(shown) > _POINTS_MAX:
        raise _invalid(f"expected a name of {NAME_MIN} to {NAME_MAX} characters, got {count}", hint="")


def _check_separators(shown: str) -> None:
    """Separators stand one at a time, inside; but a blank may follow a full stop, as in "J. R."."""
    pairs = (a + b for a, b in pairwise(shown) if a in _SEPARATORS and b in _SEPARATORS)
    doubled = [pair for pair in pairs if pair != ". "]
    if doubled or shown[0] in _SEPARATORS or shown[-1] in _SEPARATORS:
        raise _invalid("expected single blanks and - ' _ . between letters, not side by side nor at the ends")


def _check_scripts(shown: str) -> None:
    """One script for all, after UTS #39 5.1."""
    possible: frozenset[str] | None = None
    for character in shown:
        if character in _SEPARATORS:
            continue
        scripts = _scripts(character)
        if not scripts & _ANY:
            possible = scripts if possible is None else possible & scripts
    if not possible or not any(character.isalpha() for character in shown):
        raise _invalid(
            "expected a name with letters of one script, got "
            + ("several" if possible == frozenset() else "none")
        )


def _scripts(character: str) -> frozenset[str]:
    """The scripts that a character may belong to.

    Raises:
        Refusal: It has no place in a name.
    """
    point = ord(character)
    at = bisect_right(_FIRSTS, point) - 1
    known = unicodedata.category(character)[0] in "LMN"
    if at < 0 or point > _LASTS[at] or not known or (_SCRIPTS_OF[at] == {"Zyyy"} and not character.isdigit()):
        raise _invalid(f"expected letters and digits, got {_described(character)}")
    return _SCRIPTS_OF[at]


def _described(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '(no letter)')}"


def _check_marks(shown: str) -> None:
    """Marks sit on letters, few on each, none twice, none struck through."""
    apart = unicodedata.normalize("NFD", shown)
    before = ""
    for marks, run in groupby(apart, _is_mark):
        found = list(run)
        if not marks:
            before = found[-1]
            continue
        piled = len(found) > _MARKS_MAX or len(set(found)) < len(found)
        if piled or not before.isalpha() or any(mark in _OVERLAYS for mark in found):
            raise _invalid(
                f"expected at most {_MARKS_MAX} different marks on a letter, got {_described(found[-1])}"
            )


def _check_reserved(shown: str) -> None:
    for spelt in (shown, shown.translate(_LEET)):
        words = [bare(word) for word in skeleton(spelt).split()]
        whole = "".join(words)
        if any(pattern.fullmatch(whole) for pattern in _RESERVED_PATTERNS) or _TITLE_LOOKS.intersection(
            words
        ):
            raise _invalid(
                "expected a name of your own, got one that is reserved", hint="choose another name"
            )


_TITLE_LOOKS = {bare(skeleton(word)) for word in _TITLES}
_NUMBERS = f"[{re.escape(skeleton('0123456789'))}]*"
_RESERVED_PATTERNS = [re.compile(re.escape(bare(skeleton(word))) + _NUMBERS) for word in RESERVED]
