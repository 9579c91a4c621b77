"""Lexicon: from a person's words to what land is to be woven. A table of words and sums over it, no model.

Names are found longest first, in any order. Each adds votes for landforms and shifts of measures and climate; "very"
and "slightly" scale the next one, "no" turns round what follows in its clause. What is not known is left out, and
that is said.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from worldloom.errors import WorldloomError
from worldloom.worldgen.gan.landforms import Landform
from worldloom.worldgen.lexicon_report import climate_in_words, landforms_in_words, measures_in_words
from worldloom.worldgen.lexicon_words import CLIMATE, Kind, Vocabulary, Word, fold, vocabulary

__all__ = ["MAX_TEXT", "PromptRejected", "Reading", "understand"]

MAX_TEXT = 500
"""Characters of a text."""
MAX_SHIFT = 2.5
"""Standard deviations from what is usual for a landform: beyond it there is no land to be like."""

_TOKEN = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f'’])*")
"""A word; hyphens part words."""
_BREAK = re.compile(r"[,;:!?()\[\]\n–—/]|\s-\s")
_ABBREVIATION = 2
"""A full stop after so few letters ends no clause: St., Mt."""
_TURNS = (Kind.NEGATION, Kind.DENIAL)
_SAID = 0.5
"""Votes for all landforms together below which nothing was said of the form: a hint alone does not count."""
_NEGLIGIBLE = 0.05
"""Share of the votes below which a landform is left out."""
_NAMES = 1.3
"""Votes from which a word names a landform: negated, the landform goes. A feature of one, negated, only weakens it."""
_INSTEAD = {
    Landform.HILLS: Landform.PLAIN,
    Landform.ALPINE: Landform.HILLS,
    Landform.HIGHLAND: Landform.HILLS,
    Landform.SIERRA: Landform.HILLS,
    Landform.CANYON: Landform.HILLS,
    Landform.PLAIN: Landform.HILLS,
}
"""What whoever does not want the one most likely wants."""
_TOGETHER = (
    (Landform.ALPINE, Landform.FJORD),
    (Landform.HIGHLAND, Landform.FJORD),
    (Landform.ALPINE, Landform.VOLCANO),
)
"""Who asks for both means the second, half of the time: mountains and sea are mountains in the sea."""
_PLAIN_SPEECH = 0.5
"""Votes from which a landform is told as what a word means, and is more than a hint."""
_TURNED = {"woods": -1.0, "warmth": -0.2, "moisture": -0.5}
"""What becomes of the climate of a word that is negated."""
_PLACE_WEIGHT = 0.4
"""A place brings its climate along, but a word of the climate says it louder."""


class PromptRejected(WorldloomError):
    """A text is no text or too long to be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of a text."""

    landforms: Mapping[Landform, float]
    """Weights that sum to 1, greatest first; empty when nothing was said of the form."""
    measures: Mapping[str, float]
    """Wishes in standard deviations from what is usual for the landform, -2.5 to 2.5; ``grandeur`` 0 intimate to 1
    grand. Only what was said."""
    warmth: float | None
    """-1 cold to 1 hot; None when not said."""
    moisture: float | None
    """-1 arid to 1 wet; None when not said."""
    woods: float | None
    """-1 bare to 1 densely wooded; None when not said."""
    palette: str | None
    """One of ``lexicon_words.PALETTES``; None when not said."""
    understood: tuple[tuple[str, str], ...]
    """Phrases of the text, each with what it was taken to mean."""
    ignored: tuple[str, ...]
    """Words that say nothing to us, each once."""

    def describe(self) -> str:
        """Some lines for the person who wrote the text: what will be woven, and what was not understood."""
        climate = {name: value for name in CLIMATE if (value := getattr(self, name)) is not None}
        lines = (
            ("Land", landforms_in_words(self.landforms, percent=True) or "nothing said of its form"),
            ("Shape", measures_in_words(self.measures) or "as usual for such land"),
            ("Climate", climate_in_words(climate)),
            ("Colours", self.palette or ""),
            (
                "Understood",
                "; ".join(f"{phrase} ({meaning})" for phrase, meaning in self.understood) or "nothing",
            ),
            ("Not understood", ", ".join(self.ignored)),
        )
        return "\n".join(f"{head}: {text}" for head, text in lines if text)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    folded: str


@dataclass(frozen=True, slots=True)
class _Said:
    """A name in the text with the words that scale it or turn it round."""

    phrase: str
    word: Word
    factor: float
    negated: bool

    def votes(self) -> dict[Landform, float]:
        """For landforms; below zero against them."""
        strength = min(max(self.factor, 0.5), 2.0)
        votes = {kind: weight * strength for kind, weight in self.word.landforms.items()}
        if not self.negated:
            return votes
        against = defaultdict(float, {kind: -0.3 * weight for kind, weight in votes.items()})
        named = max(votes, key=votes.__getitem__, default=None)
        if named is not None and votes[named] >= _NAMES:
            against |= {kind: -weight for kind, weight in votes.items()}
            if named in _INSTEAD:
                against[_INSTEAD[named]] += 0.5 * votes[named]
        return dict(against)

    def measures(self) -> dict[str, float]:
        """Shifts; grandeur as it stands after scaling."""
        sign = -1.0 / max(self.factor, 1.0) if self.negated else self.factor
        shifts = {name: shift * sign for name, shift in self.word.measures.items() if name != "grandeur"}
        if "grandeur" in self.word.measures:
            shifts["grandeur"] = _clip(0.5 + (self.word.measures["grandeur"] - 0.5) * sign, 0.0, 1.0)
        return shifts

    def climate(self) -> dict[str, float]:
        """No trees is bare; but no snow is mild, and what is not dry need not be wooded."""
        values = self.word.climate
        if self.negated:
            most = max(map(abs, values.values()), default=0.0)
            return {name: value * _TURNED[name] for name, value in values.items() if abs(value) == most}
        return {name: _clip(value * self.factor, -1.0, 1.0) for name, value in values.items()}

    def meaning(self) -> str:
        """In plain words; of landforms those that the word says most clearly, and hints only where it says no more."""
        votes = self.votes()
        most = max((abs(vote) for vote in votes.values()), default=0.0)
        clear = max(self.word.landforms.values(), default=0.0) >= _PLAIN_SPEECH
        pro = {kind: vote for kind, vote in votes.items() if vote > 0 and vote >= 0.5 * most}
        con = {kind: vote for kind, vote in votes.items() if vote < 0 and vote <= -0.5 * most}
        parts = (
            landforms_in_words(pro, percent=False) if clear else "",
            f"no {landforms_in_words(con, percent=False)}" if con and clear else "",
            measures_in_words(self.measures()),
            climate_in_words(self.climate()),
            f"{self.word.palette} colours" if self.word.palette and not self.negated else "",
        )
        told = "; ".join(part for part in parts if part)
        return told or (f"a hint of {landforms_in_words(pro, percent=False)}" if pro else "less of it")


def understand(text: str) -> Reading:
    """Read a text, in English, with the vocabulary of ``lexicon.toml``.

    Raises:
        PromptRejected: The text is longer than ``MAX_TEXT``, or no text.
    """
    if not isinstance(text, str):
        raise PromptRejected(f"expected a text, got {type(text).__name__}")
    if not text.strip():
        raise PromptRejected("expected words for land, got an empty text")
    if len(text) > MAX_TEXT:
        raise PromptRejected(f"expected a text of at most {MAX_TEXT} characters, got {len(text)}")
    said: list[_Said] = []
    ignored: dict[str, None] = {}
    for clause in _clauses(unicodedata.normalize("NFC", text)):
        for found in _read(clause, vocabulary()):
            if isinstance(found, _Said):
                said.append(found)
            else:
                ignored.setdefault(found)
    climate = _climate(said)
    return Reading(
        landforms=_landforms(said),
        measures=_measures(said),
        warmth=climate.get("warmth"),
        moisture=climate.get("moisture"),
        woods=climate.get("woods"),
        palette=_palette(said),
        understood=tuple(dict.fromkeys((one.phrase, one.meaning()) for one in said)),
        ignored=tuple(ignored),
    )


def _clauses(text: str) -> Iterator[list[_Token]]:
    """The words of a text, parted where a negation ends."""
    clause: list[_Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        between = text[end : match.start()]
        stop = "." in between and bool(clause) and len(clause[-1].text) > _ABBREVIATION
        if clause and (stop or _BREAK.search(between)):
            yield clause
            clause = []
        if folded := fold(match.group()):
            clause.append(_Token(match.group(), folded))
        end = match.end()
    if clause:
        yield clause


def _read(clause: list[_Token], words: Vocabulary) -> Iterator[_Said | str]:
    """What a clause says, and its words that are not known."""
    folded = [token.folded for token in clause]
    at, start, factor, turned = 0, 0, 1.0, None
    while at < len(clause):
        # "Not steep hills" are hills: a denial is of one word.
        length, word = words.find(folded[: at + 1] if turned is Kind.DENIAL else folded, at)
        end = at + length
        kind = word.kind if word is not None else None
        if word is None:
            yield clause[at].text
            start, factor = end, 1.0
            turned = None if turned is Kind.DENIAL else turned
        elif kind is Kind.SENSE:
            phrase = " ".join(token.text for token in clause[start:end])
            if turned is not None and (opens := words.find(folded, start)[1]) and opens.kind not in _TURNS:
                phrase = f"not {phrase}"
            yield _Said(phrase, word, factor, turned is not None)
            start, factor = end, 1.0
            if turned is Kind.DENIAL and folded[end : end + 1] != ["or"]:
                turned = None
        elif kind is Kind.MODIFIER:
            factor *= word.factor
        elif kind in _TURNS:
            start, factor, turned = at, 1.0, kind
        elif kind is Kind.LIMIT:
            start, factor, turned = end, 1.0, None
        elif start == at:
            start = end
        at = end


def _landforms(said: Iterable[_Said]) -> dict[Landform, float]:
    votes: defaultdict[Landform, float] = defaultdict(float)
    for one in said:
        for kind, vote in one.votes().items():
            votes[kind] += vote
    for part, whole in _TOGETHER:
        moved = max(0.5 * min(votes[part], votes[whole]), 0.0)
        votes[part] -= moved
        votes[whole] += moved
    total = sum(max(vote, 0.0) for vote in votes.values())
    if total < _SAID:
        return {}
    kept = {kind: vote for kind, vote in votes.items() if vote >= _NEGLIGIBLE * total}
    share = sum(kept.values())
    return {kind: kept[kind] / share for kind in sorted(kept, key=lambda kind: (-kept[kind], kind))}


def _measures(said: Iterable[_Said]) -> dict[str, float]:
    """Each direction counts by its strongest word and half of the others; scales are averaged."""
    shifts: defaultdict[str, list[float]] = defaultdict(list)
    for one in said:
        for name, shift in one.measures().items():
            shifts[name].append(shift)
    together = {
        name: _mean([(1.0, each) for each in all_of]) if name == "grandeur" else _stacked(all_of)
        for name, all_of in shifts.items()
    }
    return {name: round(_clip(shift, -MAX_SHIFT, MAX_SHIFT), 3) for name, shift in together.items()}


def _stacked(shifts: list[float]) -> float:
    up, down = [shift for shift in shifts if shift > 0], [shift for shift in shifts if shift < 0]
    return (sum(up) + max(up, default=0.0)) / 2 + (sum(down) + min(down, default=0.0)) / 2


def _climate(said: Iterable[_Said]) -> dict[str, float]:
    """Means; what is said strongly, and by a word rather than a place, weighs more."""
    values: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for one in said:
        for name, value in one.climate().items():
            values[name].append((abs(value) * (_PLACE_WEIGHT if one.word.is_place else 1.0), value))
    return {name: round(_mean(all_of), 3) for name, all_of in values.items()}


def _palette(said: Iterable[_Said]) -> str | None:
    """That of most words; a place counts less, and of equals the first wins."""
    votes: defaultdict[str, float] = defaultdict(float)
    for one in said:
        if one.word.palette and not one.negated:
            votes[one.word.palette] += one.factor * (_PLACE_WEIGHT if one.word.is_place else 1.0)
    return max(votes, key=votes.__getitem__, default=None)


def _mean(weighted: list[tuple[float, float]]) -> float:
    whole = sum(weight for weight, _ in weighted)
    return sum(weight * value for weight, value in weighted) / whole if whole else 0.0


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
