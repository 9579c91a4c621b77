"""Skeletons: what a name looks like, as one string. Two names that are hard to tell apart have the same skeleton.

After Unicode's UTS #39: decompose, put each character's prototype in its place, decompose again. Ours also folds case
(by what the small letter looks like or, where that is like no Latin letter, the capital), ``i`` with ``l`` and ``1``,
``s`` with ``5``, ``rn`` with ``m``, ``vv`` with ``w``, separators with each other, and drops marks that are easily
overlooked.
"""

import hashlib
import unicodedata
from functools import lru_cache

from worldloom.realm.name_tables import PROTOTYPES

__all__ = ["SKELETON_LIMIT", "as_shown", "bare", "skeleton"]

SKELETON_LIMIT = 255
"""Characters of a skeleton, at most."""


def _parse(table: str) -> dict[str, str]:
    pairs = (entry.split(">") for entry in table.split())
    return {chr(int(a, 16)): "".join(chr(int(c, 16)) for c in b.split("+")) for a, b in pairs}


_PROTOTYPES = _parse(PROTOTYPES)
_SEPARATORS = str.maketrans({"-": " ", "_": " ", "'": "", ".": ""})
_OWN = str.maketrans({"i": "l", "1": "l", "0": "o", "5": "s", "m": "rn", "w": "vv"})
_DOTS = frozenset("\u0307\u0323")
"""Above and below: too small to tell names apart by."""
_VOWEL_POINTS = frozenset(map(chr, [*range(0x64B, 0x656), 0x670, 0x5B4]))
"""Arabic and Hebrew vowel points: a name is the same with and without."""


def skeleton(name: str) -> str:
    """The skeleton by which names are unique: of the name and of all its forms in other case.

    Args:
        name: In normal form NFKC.

    Returns:
        1 .. SKELETON_LIMIT characters; for people's eyes of no use.
    """
    folded = _decompose(_plain(name).casefold())
    return _finish("".join(_small(character) for character in folded))


def as_shown(name: str) -> str:
    """The skeleton of the name in the very case that it is written in.

    A Greek capital may look like a Latin letter that its small letter does not look like.
    """
    looks = "".join(_PROTOTYPES.get(character, character) for character in _plain(name))
    return _finish("".join(_small(character) for character in _decompose(looks.casefold())))


def bare(skeleton_or_name: str) -> str:
    """Without combining marks and separators, to compare with words that nobody may imitate."""
    return "".join(c for c in _decompose(skeleton_or_name) if c.isalnum())


def _plain(name: str) -> str:
    """Decomposed, without vowel points, with one kind of separator."""
    plain = _decompose(name).translate(_SEPARATORS)
    return "".join(character for character in plain if character not in _VOWEL_POINTS)


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@lru_cache(maxsize=4096)
def _small(character: str) -> str:
    """What a small letter looks like, in small letters."""
    low = _PROTOTYPES.get(character, character)
    if _latin(low):
        return low.casefold()
    capital = character.upper()
    high = _PROTOTYPES.get(capital, capital)
    return high.casefold() if _latin(high) else low


def _latin(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _finish(text: str) -> str:
    kept = "".join(character for character in _decompose(text.translate(_OWN)) if character not in _DOTS)
    whole = unicodedata.normalize("NFC", kept)
    if len(whole) > SKELETON_LIMIT:
        return "#" + hashlib.sha256(whole.encode()).hexdigest()
    return whole
