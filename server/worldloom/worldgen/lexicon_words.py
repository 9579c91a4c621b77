"""Lexicon words: the tables of ``lexicon.toml``, and finding the longest name in them. Knows no sentences."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.landforms import Landform

__all__ = ["CLIMATE", "MEASURES", "PALETTES", "Kind", "Vocabulary", "Word", "fold", "vocabulary"]

MEASURES = ("steepness", "relief", "roughness", "hypsometry", "sharpness", "grandeur")
"""What a word may wish of the shape; as in ``gan.conditions``."""
CLIMATE = ("warmth", "moisture", "woods")
PALETTES = ("green", "autumn", "gold", "red", "black", "white", "grey")

_SENSES = ("terrain", "looks", "climate", "growth", "places")
_LANDFORMS = {kind.name.lower(): kind for kind in Landform}
_FOREIGN = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
"""Letters that Unicode does not take apart into a plain one and an accent."""
_ENDINGS = (
    *(("ies", "y"), ("s", ""), ("es", ""), ("ves", "f"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e")),
    *(
        ("er", ""),
        ("er", "e"),
        ("est", ""),
        ("est", "e"),
        ("ly", ""),
        ("ly", "le"),
        ("ier", "y"),
        ("iest", "y"),
    ),
)
_SHORTEST_STEM = 3
_LONGEST = 40
"""Letters of a word; nothing longer is looked up."""
_SHORTEST_MISSPELT = 7
"""Shorter words are never read as another one that is a letter off: too many of them are words of their own."""


class Kind(Enum):
    """What a word does in a sentence."""

    SENSE = "says something of land"
    MODIFIER = "makes what follows more or less"
    NEGATION = "turns round what follows in the clause"
    DENIAL = "turns round the next that says something"
    LIMIT = "ends what a negation turns round"
    SILENT = "says nothing"


@dataclass(frozen=True, slots=True)
class Word:
    """What a name means. The numbers are those that ``lexicon.toml`` explains."""

    kind: Kind
    factor: float = 1.0
    """Of a modifier."""
    landforms: Mapping[Landform, float] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    climate: Mapping[str, float] = field(default_factory=dict)
    palette: str = ""
    is_place: bool = False


@dataclass(slots=True)
class _Node:
    branches: "dict[str, _Node]" = field(default_factory=dict)
    word: Word | None = None


class Vocabulary:
    """Names of one or more words, and what each means.

    Args:
        tables: As read from ``lexicon.toml``.

    Raises:
        ConfigError: A table or key is unknown, a number out of bounds, or a name stands twice.
    """

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._root = _Node()
        self._near: dict[str, str] = {}
        for name, word in _words(tables):
            self._add(name, word)

    def find(self, words: Sequence[str], at: int) -> tuple[int, Word | None]:
        """The longest name that begins at a place; of equally long ones that which is closest to the letters.

        Args:
            words: Folded.
            at: Index of the first.

        Returns:
            How many words it takes, and what it means; 1 and None where no name begins.
        """
        best: tuple[int, Word | None] = (1, None)
        nodes, length = [self._root], 0
        while nodes and at + length < len(words):
            forms = [words[at + length], *_stems(words[at + length])]
            nodes = [node.branches[form] for form in forms for node in nodes if form in node.branches]
            length += 1
            best = next(((length, node.word) for node in nodes if node.word is not None), best)
        return best if best[1] is not None else (1, self._misspelt(words[at]))

    def __len__(self) -> int:
        nodes, count = [self._root], 0
        while nodes:
            node = nodes.pop()
            count += node.word is not None
            nodes.extend(node.branches.values())
        return count

    def _add(self, name: str, word: Word) -> None:
        node = self._root
        parts = [fold(part) for part in name.split()]
        for part in parts:
            node = node.branches.setdefault(part, _Node())
        if node.word is not None:
            raise ConfigError(f"lexicon: expected {name!r} once, got it again")
        node.word = word
        if len(parts) == 1 and word.kind is Kind.SENSE and len(parts[0]) >= _SHORTEST_MISSPELT:
            for shorter in _one_less(parts[0]):
                self._near.setdefault(shorter, parts[0])

    def _misspelt(self, word: str) -> Word | None:
        """The name that a long word is one slip of the finger away from, if it begins alike."""
        if not _SHORTEST_MISSPELT <= len(word) <= _LONGEST:
            return None
        near = (self._near.get(less) for form in (word, *_stems(word)) for less in _one_less(form))
        right = next((name for name in near if name and name[0] == word[0]), None)
        return self._root.branches[right].word if right else None


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary of ``lexicon.toml``, read once."""
    text = files("worldloom.worldgen").joinpath("lexicon.toml").read_text(encoding="utf-8")
    return Vocabulary(tomllib.loads(text))


def fold(word: str) -> str:
    """A word without case, accents and anything that is neither letter nor digit."""
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_FOREIGN)).casefold()
    return "".join(char for char in plain if char.isalnum())


def _stems(word: str) -> list[str]:
    """What a word may be an inflection of: ``ridges`` of ``ridge``, ``hotter`` of ``hot``."""
    if len(word) > _LONGEST:
        return []
    stems = [
        word[: len(word) - len(ending)] + instead
        for ending, instead in _ENDINGS
        if word.endswith(ending) and len(word) - len(ending) + len(instead) >= _SHORTEST_STEM
    ]
    single = [stem[:-1] for stem in stems if re.search(r"([bdgmnprt])\1$", stem) and not word.endswith("s")]
    return [*stems, *single]


def _one_less(word: str) -> list[str]:
    """The word, and the word with any one letter left out: two words a letter apart have one of these in common."""
    return [word, *(word[:k] + word[k + 1 :] for k in range(len(word)))]


def _words(tables: Mapping[str, Any]) -> Iterator[tuple[str, Word]]:
    """Names with their meanings."""
    known = {*_SENSES, "modifiers", "negations", "silent"}
    if unknown := sorted(set(tables) - known):
        raise ConfigError(
            f"lexicon: expected the tables {', '.join(sorted(known))}; got {', '.join(unknown)}"
        )
    for table in _SENSES:
        for names, value in _entries(tables.get(table, {})):
            word = _sense(names, value, is_place=table == "places")
            yield from ((name.strip(), word) for name in names.split("|"))
    for names, factor in tables.get("modifiers", {}).items():
        word = Word(Kind.MODIFIER, factor=_number(names, "factor", factor, 0.0, 3.0))
        yield from ((name.strip(), word) for name in names.split("|"))
    for table, key, kind in (
        ("negations", "words", Kind.NEGATION),
        ("negations", "next", Kind.DENIAL),
        ("negations", "until", Kind.LIMIT),
        ("silent", "words", Kind.SILENT),
    ):
        yield from ((name, Word(kind)) for name in tables.get(table, {}).get(key, []))


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Lines of a table and of the tables in it."""
    for names, value in table.items():
        if not isinstance(value, dict):
            raise ConfigError(f"lexicon: {names}: expected a table, got {value!r}")
        if any(isinstance(inner, dict) for inner in value.values()):
            yield from _entries(value)
        else:
            yield names, value


def _sense(names: str, value: Mapping[str, Any], *, is_place: bool) -> Word:
    landforms: dict[Landform, float] = {}
    measures: dict[str, float] = {}
    climate: dict[str, float] = {}
    palette = ""
    for key, number in value.items():
        if key in _LANDFORMS:
            landforms[_LANDFORMS[key]] = _number(names, key, number, 0.0, 3.0)
        elif key in MEASURES:
            low, high = (0.0, 1.0) if key == "grandeur" else (-2.5, 2.5)
            measures[key] = _number(names, key, number, low, high)
        elif key in CLIMATE:
            climate[key] = _number(names, key, number, -1.0, 1.0)
        elif key == "palette" and number in PALETTES:
            palette = number
        else:
            known = (*_LANDFORMS, *MEASURES, *CLIMATE, f"palette ({' '.join(PALETTES)})")
            raise ConfigError(f"lexicon: {names}: expected {', '.join(known)}; got {key} = {number!r}")
    return Word(
        Kind.SENSE,
        landforms=MappingProxyType(landforms),
        measures=MappingProxyType(measures),
        climate=MappingProxyType(climate),
        palette=palette,
        is_place=is_place,
    )


def _number(names: str, key: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ConfigError(f"lexicon: {names}: expected {key} from {low} to {high}, got {value!r}")
    return float(value)
