"""Inserting: statements that step back before a row that is there, which SQL has no common words for. Knows no table.

An engine's own words are loaded when it is first asked for them: who reads a SQLite file does without PostgreSQL's.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

__all__ = ["PerEngine"]

_ENGINES = "sqlite", "postgresql"


class PerEngine(Mapping[str, Any]):
    """A statement for each engine, by the engine's name; made when it is first asked for.

    Args:
        make: Makes it of the engine's own ``insert``.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._made: dict[str, Any] = {}

    def __getitem__(self, engine: str) -> Any:
        made = self._made.get(engine)
        if made is None:
            if engine not in _ENGINES:
                raise KeyError(engine)
            dialect = import_module(f"sqlalchemy.dialects.{engine}")
            made = self._made[engine] = self._make(dialect.insert)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(_ENGINES)

    def __len__(self) -> int:
        return len(_ENGINES)
