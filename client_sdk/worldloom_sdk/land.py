"""Land: who has it, and what owners do with theirs. Turns calls into commands; knows no connection."""

from collections.abc import AsyncIterator, Iterable, Mapping
from operator import index
from typing import Any

from worldloom_sdk.errors import Refused, TooDear
from worldloom_sdk.keyed import Keyed, called
from worldloom_sdk.money import account_fields
from worldloom_sdk.order import Whom
from worldloom_sdk.protocol.estate import Verb
from worldloom_sdk.protocol.estate_parts import (
    EstateInfo,
    Holdings,
    Landing,
    ParcelInfo,
    Plan,
    RegisterEntry,
    Rights,
    Run,
    ZoneInfo,
)
from worldloom_sdk.protocol.geometry import to_units
from worldloom_sdk.protocol.messages import Estate, EstateAct, RefusalCode

__all__ = [
    "PARCEL_M",
    "EstateLike",
    "Land",
    "Parcels",
    "Verbs",
    "estate_number",
    "metres",
    "parcel_at",
    "rectangle",
    "region_parcels",
]

PARCEL_M = 16
"""Metres along a side of a parcel."""
_PER_REGION = 16
_LOOKS = 3
"""So often a price that has changed meanwhile is asked for anew."""

Parcels = Iterable[tuple[int, int] | Run | ParcelInfo]
"""Parcels, one by one or as runs."""
EstateLike = EstateInfo | ParcelInfo | int
"""An estate, by its number or what was told of it."""
Verbs = Verb | int | str | Iterable[Verb | str]
"""What may be done, by verbs or their names: ``"enter"``, ``["enter", "build"]``, ``Verb.ENTER | Verb.BUILD``."""


_CALLED: Mapping[EstateAct, Mapping[str, str]] = {
    EstateAct.CLAIM: {"title": "name", "text": "words"},
    EstateAct.DESCRIBE: {"title": "name", "text": "description"},
    EstateAct.SPLIT: {"title": "name"},
    EstateAct.EXCLUDE: {"text": "reason"},
}
"""How calls name what they put into a field of another name."""


def parcel_at(x_m: float, z_m: float) -> tuple[int, int]:
    """``(px, pz)`` of the parcel at a place, metres."""
    return int(x_m // PARCEL_M), int(z_m // PARCEL_M)


def rectangle(px: int, pz: int, wide: int, deep: int) -> list[Run]:
    """The parcels of a rectangle from its low corner."""
    return [Run(px, pz + dz, wide) for dz in range(deep)]


def region_parcels(rx: int, rz: int) -> list[Run]:
    """All 256 parcels of a region."""
    return rectangle(rx * _PER_REGION, rz * _PER_REGION, _PER_REGION, _PER_REGION)


def estate_number(estate: EstateLike) -> int:
    """An estate's number.

    Raises:
        ValueError: It is no estate.
    """
    if isinstance(estate, EstateInfo | ParcelInfo):
        return estate.estate
    if not isinstance(estate, int) or isinstance(estate, bool):
        raise ValueError(f"estate: expected its number or what was told of it, got {estate!r}")
    return estate


def metres(argument: str, place: tuple[float, float]) -> tuple[float, float]:
    """The x and z of a place.

    Raises:
        ValueError: It is none.
    """
    try:
        x, z = place
        to_units(x, z)
    except (TypeError, ValueError):
        raise ValueError(f"{argument}: expected finite (x, z) in metres, got {place!r}") from None
    return x, z


class Land:
    """The world's land: ``await bot.land.at(40, 80)``.

    What only asks, everybody may. What changes something is for accounts, with the scope trade for keys; it is done
    once, and asked for until it is answered; see ``Keyed.deal`` for what it raises, and for ``key``.

    Args:
        keyed: Sends what must not be lost.
    """

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    # ---- who has what

    async def parcel(self, px: int, pz: int) -> ParcelInfo:
        """Whose a parcel is, or what it costs."""
        return await self._ask(EstateAct.PARCEL, parcels=[Run(px, pz)])

    async def at(self, x_m: float, z_m: float) -> ParcelInfo:
        """Whose the parcel at a place is, metres."""
        return await self.parcel(*parcel_at(x_m, z_m))

    async def show(self, estate: EstateLike) -> EstateInfo:
        """All about an estate: its parcels, and its lease in force. Refused with "not_found" if it is none."""
        return await self._ask(EstateAct.SHOW, estate=estate_number(estate))

    async def holdings(self, who: Whom | None = None, after: int = 0) -> Holdings:
        """What somebody has, or this account: 100 estates behind a number."""
        return await self._ask(EstateAct.HOLDINGS, before=after, **account_fields(who))

    async def estates(self, who: Whom | None = None) -> AsyncIterator[EstateInfo]:
        """All estates of somebody, or of this account, without their parcels; asks as far as they are wanted."""
        page = await self.holdings(who)
        while True:
            for estate in page.estates:
                yield estate
            if not page.more:
                return
            page = await self.holdings(who, page.estates[-1].estate)

    async def history(
        self, estate: EstateLike | None = None, who: Whom | None = None, before: int = 0
    ) -> list[RegisterEntry]:
        """The register on an estate, on somebody, or on everything, newest first: 100 entries below a number."""
        number = 0 if estate is None else estate_number(estate)
        return await self._ask(EstateAct.HISTORY, estate=number, before=before, **account_fields(who))

    async def zones(self) -> AsyncIterator[ZoneInfo]:
        """Regions whose parcels can be claimed; asks for a hundred at a time, as far as they are wanted."""
        region: list[int] = []
        while page := await self._ask(EstateAct.ZONES, region=region):
            for zone in page:
                yield zone
            region = [page[-1].rx, page[-1].rz]

    async def plan(self, rx: int, rz: int) -> Plan:
        """Who owns what in the 3 x 3 regions around one."""
        return await self._ask(EstateAct.PLAN, region=[rx, rz])

    async def price(self, parcels: Parcels) -> int:
        """What parcels cost together. Refused with "sold" or "not_for_sale" if one is not to be had."""
        return await self._ask(EstateAct.PRICE, parcels=_runs(parcels))

    async def rights(self, estate: EstateLike) -> Rights:
        """Who may do what in an estate; what others were given is told to who manages access there."""
        return await self._ask(EstateAct.RIGHTS, estate=estate_number(estate))

    # ---- what owners do

    async def claim(
        self,
        parcels: Parcels,
        *,
        max_price: int | None = None,
        name: str = "",
        words: str = "",
        key: bytes | None = None,
    ) -> EstateInfo:
        """Buy parcels from the world as one new estate, all or none.

        Args:
            parcels: They hang together by their edges.
            max_price: For all of them, minor units; None: whatever they cost now.
            name: Of the estate.
            words: By which a region is to be woven: all 256 parcels of one that nobody has seen yet.
            key: See ``Keyed.deal``; with one, a price that changes meanwhile is Refused with "changed".

        Raises:
            TooDear: They cost more than ``max_price``.
        """
        runs = _runs(parcels)
        for look in range(_LOOKS):
            price = await self.price(runs)
            if max_price is not None and price > max_price:
                raise TooDear(price, max_price)
            fields = {"parcels": runs, "price": price, "title": name, "text": words or None}
            try:
                return await self._deal(EstateAct.CLAIM, key, **fields)
            except Refused as refused:
                if refused.code != RefusalCode.CHANGED or key is not None or look == _LOOKS - 1:
                    raise
        raise AssertionError("not reached")

    async def describe(
        self,
        estate: EstateLike,
        *,
        name: str | None = None,
        description: str | None = None,
        landing: tuple[float, float] | Landing | None = None,
        no_landing: bool = False,
        key: bytes | None = None,
    ) -> EstateInfo:
        """Change what is told of an estate; what is None stays.

        Args:
            estate: One's own.
            name: At most 64 characters.
            description: At most 500.
            landing: x and z in metres, on the estate's ground, where visitors are set down; or as it was told.
            no_landing: It has none any more.
            key: See ``Keyed.deal``.
        """
        place = (
            landing
            if isinstance(landing, Landing | None)
            else Landing(*to_units(*metres("landing", landing)))
        )
        fields = {"title": name, "text": description, "landing": place, "no_landing": no_landing}
        return await self._deal(EstateAct.DESCRIBE, key, estate=estate_number(estate), **fields)

    async def split(
        self, estate: EstateLike, parcels: Parcels, *, name: str = "", key: bytes | None = None
    ) -> tuple[EstateInfo, EstateInfo]:
        """Make a part of an estate one of its own; what stays, and the new one. It comes off the market."""
        fields = {"estate": estate_number(estate), "parcels": _runs(parcels), "title": name}
        stays, new = await self._deal(EstateAct.SPLIT, key, **fields)
        return stays, new

    async def join(self, estate: EstateLike, other: EstateLike, *, key: bytes | None = None) -> EstateInfo:
        """Make one estate of two that share an edge; it keeps number and name of the first."""
        fields = {"estate": estate_number(estate), "other": estate_number(other)}
        return await self._deal(EstateAct.JOIN, key, **fields)

    async def give(self, estate: EstateLike, who: Whom, *, key: bytes | None = None) -> None:
        """Give an estate away; a lease goes with it."""
        await self._deal(EstateAct.GIVE, key, estate=estate_number(estate), **account_fields(who))

    async def abandon(self, estate: EstateLike, *, key: bytes | None = None) -> None:
        """Give an estate back to the world, for nothing."""
        await self._deal(EstateAct.ABANDON, key, estate=estate_number(estate))

    # ---- who may do what

    async def allow(
        self,
        estate: EstateLike,
        who: Whom | None,
        verbs: Verbs = (),
        *,
        role: str = "",
        seconds: int = 0,
        key: bytes | None = None,
    ) -> None:
        """Give somebody exactly these verbs in an estate, or say what everyone may.

        Args:
            estate: Where one manages access: one's own, or leased.
            who: An account; None: everyone.
            verbs: In place of what was given before; see ``Verbs``. None at all only for everyone.
            role: Instead of verbs: "manager", "builder" or "tenant"; of its verbs those that one has oneself.
            seconds: For how long; 0: without end.
            key: See ``Keyed.deal``.
        """
        fields = {"verbs": _sum(verbs), "role": role, "seconds": seconds, **account_fields(who)}
        await self._deal(EstateAct.ALLOW, key, estate=estate_number(estate), **fields)

    async def disallow(self, estate: EstateLike, who: Whom | None, *, key: bytes | None = None) -> None:
        """Take back what somebody was given, or what was said of everyone."""
        await self._deal(EstateAct.DISALLOW, key, estate=estate_number(estate), **account_fields(who))

    async def exclude(
        self, estate: EstateLike, who: Whom, reason: str = "", *, seconds: int = 0, key: bytes | None = None
    ) -> None:
        """Shut somebody out of an estate, for so many seconds; 0: without end. Who is inside may leave."""
        fields = {"text": reason or None, "seconds": seconds, **account_fields(who)}
        await self._deal(EstateAct.EXCLUDE, key, estate=estate_number(estate), **fields)

    async def admit(self, estate: EstateLike, who: Whom, *, key: bytes | None = None) -> None:
        """Shut somebody out no longer."""
        await self._deal(EstateAct.ADMIT, key, estate=estate_number(estate), **account_fields(who))

    async def _ask(self, act: EstateAct, **fields: object) -> Any:
        with called(_CALLED.get(act, {})):
            return await self._keyed.ask(Estate, act=act, **fields)

    async def _deal(self, act: EstateAct, key: bytes | None, **fields: object) -> Any:
        with called(_CALLED.get(act, {})):
            return await self._keyed.deal(Estate, key, act=act, **fields)


def _sum(verbs: Verbs) -> int:
    """Verbs as the wire has them.

    Raises:
        ValueError: One of them is none.
    """
    if isinstance(verbs, int) and not isinstance(verbs, bool):
        return int(verbs)
    try:
        found = Verb(0)
        for one in [verbs] if isinstance(verbs, str) else verbs:  # type: ignore[union-attr]
            found |= one if isinstance(one, Verb) else Verb[one.upper()]
        return int(found)
    except (AttributeError, KeyError, TypeError):
        names = ", ".join(str(verb.name).lower() for verb in Verb)
        raise ValueError(f"verbs: expected Verbs or names of {names}, got {verbs!r}") from None


def _runs(parcels: Parcels) -> list[Run]:
    """Parcels as few runs.

    Raises:
        ValueError: They are none.
    """
    try:
        found = sorted(map(_run, parcels), key=lambda run: (run[1], run[0]))
    except (TypeError, ValueError):
        raise ValueError(f"parcels: expected (px, pz) of whole numbers, or Runs, got {parcels!r}") from None
    runs: list[Run] = []
    for px, pz, n in found:
        last = runs[-1] if runs else None
        if last is not None and last.pz == pz and last.px + last.n == px:
            runs[-1] = Run(last.px, pz, last.n + n)
        else:
            runs.append(Run(px, pz, n))
    return runs


def _run(one: tuple[int, int] | Run | ParcelInfo) -> tuple[int, int, int]:
    if isinstance(one, Run):
        return one.px, one.pz, one.n
    px, pz = (one.px, one.pz) if isinstance(one, ParcelInfo) else one
    return index(px), index(pz), 1
