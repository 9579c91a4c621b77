"""Titles: who owns what, by the register alone: what it tells is done again, entry by entry. Knows no database."""

import json
from dataclasses import dataclass, field
from typing import Any

from worldloom.realm.chain import Entry, RegisterKind
from worldloom.realm.estates import Parcel, from_runs

__all__ = ["Title", "Titles"]

_PASSED_ON = frozenset({RegisterKind.GIVE, RegisterKind.SALE, RegisterKind.AUCTION})
_RETURNED = frozenset({RegisterKind.ABANDON, RegisterKind.TAKE})


@dataclass(slots=True)
class Title:
    """An estate, as the register has it."""

    owner: int | None
    parcels: set[Parcel]
    row: int
    """The entry that told of it last."""


@dataclass(slots=True)
class Titles:
    """Does again what the register tells of."""

    estates: dict[int, Title] = field(default_factory=dict)
    _of: dict[Parcel, int] = field(default_factory=dict)
    """Whose each owned parcel is."""

    def apply(self, entry: Entry) -> str:
        """Do what one entry tells of.

        Returns:
            Why it cannot have happened after those before it; empty: it can.
        """
        number, _, kind, estate, account, other, _, detail = entry
        try:
            told = json.loads(detail)
            parcels = set(from_runs(told.get("parcels", ())))
        except (AttributeError, TypeError, ValueError):
            return "its detail cannot be read"
        if kind == RegisterKind.CLAIM:
            wrong = self._begin(estate, account, parcels, number)
        elif kind == RegisterKind.SPLIT and "to" in told:
            wrong = self._move(estate, told["to"], parcels, number)
        elif kind == RegisterKind.JOIN and "from" in told:
            wrong = self._join(estate, told["from"], parcels, number)
        elif kind in _PASSED_ON:
            wrong = self._pass_on(estate, account, other, number)
        elif kind in _RETURNED:
            wrong = self._give_back(estate, other, parcels)
        else:
            wrong = ""
        return wrong

    def _begin(self, estate: int, owner: int | None, parcels: set[Parcel], number: int) -> str:
        if estate in self.estates:
            return f"estate {estate} is there already"
        if taken := next((parcel for parcel in parcels if parcel in self._of), None):
            return f"parcel {taken} is estate {self._of[taken]}'s"
        if owner is None or not parcels:
            return "it has no owner or no parcel"
        self.estates[estate] = Title(owner, parcels, number)
        self._of.update(dict.fromkeys(parcels, estate))
        return ""

    def _move(self, estate: int, to: Any, parcels: set[Parcel], number: int) -> str:
        title = self.estates.get(estate)
        if title is None or not parcels < title.parcels or not isinstance(to, int) or to in self.estates:
            return f"estate {estate} cannot be split so"
        title.parcels, title.row = title.parcels - parcels, number
        self.estates[to] = Title(title.owner, parcels, number)
        self._of.update(dict.fromkeys(parcels, to))
        return ""

    def _join(self, estate: int, gone: Any, parcels: set[Parcel], number: int) -> str:
        title, other = self.estates.get(estate), self.estates.get(gone)
        if title is None or other is None or title is other or title.owner != other.owner:
            return f"estates {estate} and {gone} cannot be joined"
        if parcels != other.parcels:
            return f"estate {gone} has other parcels"
        title.parcels, title.row = title.parcels | parcels, number
        del self.estates[gone]
        self._of.update(dict.fromkeys(parcels, estate))
        return ""

    def _pass_on(self, estate: int, owner: int | None, before: int | None, number: int) -> str:
        title = self.estates.get(estate)
        if title is None or title.owner != before or owner is None:
            return f"estate {estate} is not account {before}'s to give"
        title.owner, title.row = owner, number
        return ""

    def _give_back(self, estate: int, before: int | None, parcels: set[Parcel]) -> str:
        title = self.estates.get(estate)
        if title is None or title.owner != before or title.parcels != parcels:
            return f"estate {estate} is not account {before}'s with these parcels"
        del self.estates[estate]
        for parcel in parcels:
            del self._of[parcel]
        return ""
