"""Name index: finds names by a part of them, without looking at all. Pure; knows nothing of whose they are."""

from collections.abc import Iterator

__all__ = ["NameIndex"]

_GRAM = 3
"""Characters: a longer part is looked for anywhere in a name, a shorter one where a word begins."""
LOOKED_AT = 2_000
"""Names that are compared with a part; of more that come in question the others are passed over."""


class NameIndex:
    """Names by number. A name of n characters is entered under n places or so."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._by_gram: dict[str, dict[int, None]] = {}

    def __len__(self) -> int:
        return len(self._names)

    def add(self, number: int, name: str) -> None:
        """Enter a name; the number must have none."""
        folded = self._names[number] = name.casefold()
        for gram in _grams(folded):
            self._by_gram.setdefault(gram, {})[number] = None

    def remove(self, number: int) -> None:
        """Take a name out; nothing happens when there is none."""
        for gram in _grams(self._names.pop(number, "")):
            there = self._by_gram[gram]
            del there[number]
            if not there:
                del self._by_gram[gram]

    def find(self, part: str) -> list[int]:
        """Numbers of names with a part, capitals or not: first those that begin with it, the shorter the sooner."""
        part = part.casefold()
        found = [(_rank(name, part), number) for number, name in self._candidates(part) if part in name]
        return [number for _, number in sorted(found)]

    def _candidates(self, part: str) -> Iterator[tuple[int, str]]:
        grams = _inner(part) if len(part) >= _GRAM else {f"^{part}"}
        rarest = min((self._by_gram.get(gram, {}) for gram in grams), key=len)
        for number, _ in zip(rarest, range(LOOKED_AT), strict=False):
            yield number, self._names[number]


def _rank(name: str, part: str) -> tuple[bool, bool, int, str]:
    return not name.startswith(part), f" {part}" not in f" {name}", len(name), name


def _grams(name: str) -> set[str]:
    return _inner(name) | {f"^{word[:size]}" for word in name.split() for size in range(1, _GRAM)}


def _inner(text: str) -> set[str]:
    return {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}
