"""Land queries: zones, estates and deeds, as the methods of ``ports.land.LandTx`` on them. Decides nothing."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from worldloom.persistence.inserting import PerEngine
from worldloom.persistence.known import Known
from worldloom.persistence.land_tables import deed, estate, zone
from worldloom.persistence.later import Later
from worldloom.persistence.register_queries import RegisterQueries
from worldloom.ports.land import DeedRow, EstateRow, LandingRow, ZoneRow
from worldloom.realm.estates import PARCELS_PER_REGION, Parcel, Region

__all__ = ["ESTATE", "LandQueries", "to_estate"]

ESTATE = select(
    estate.c.owner_id,
    estate.c.name,
    estate.c.description,
    estate.c.landing_x,
    estate.c.landing_z,
    estate.c.landing_y,
    estate.c.landing_yaw,
    estate.c.parcels,
    estate.c.created_ms,
    estate.c.shape,
    estate.c.locked_until_ms,
    estate.c.id,
)
# Numbers may come from anywhere: compared as BIGINT, one beyond any estate's finds none.
_NUMBERED = ESTATE.where(estate.c.id == bindparam("number", type_=BigInteger))
_ONE_ESTATE, _LOCK_ESTATE = Known(_NUMBERED), Known(_NUMBERED.with_for_update())
_ESTATES = ESTATE.where(estate.c.id.in_(bindparam("numbers", expanding=True, type_=BigInteger))).order_by(
    estate.c.id
)
_ESTATES_OF = (
    ESTATE.where(
        estate.c.owner_id == bindparam("owner", type_=BigInteger),
        estate.c.id > bindparam("after", type_=BigInteger),
    )
    .order_by(estate.c.id)
    .limit(bindparam("limit"))
)
_ESTATES_AFTER = (
    ESTATE.where(estate.c.id > bindparam("after", type_=BigInteger))
    .order_by(estate.c.id)
    .limit(bindparam("limit"))
)
_PARCELS_OWNED = Known(
    select(func.coalesce(func.sum(estate.c.parcels), 0)).where(
        estate.c.owner_id == bindparam("owner", type_=BigInteger)
    )
)
_SAVE_ESTATE = Later(
    saved=Known(
        update(estate)
        .where(estate.c.id == bindparam("number"))
        .values(
            {
                name: bindparam(name)
                for column in estate.c
                if (name := column.name) not in ("id", "created_ms")
            }
        )
    )
)
_ADD_ESTATE = Known(
    insert(estate).returning(estate.c.id), *(name for column in estate.c if (name := column.name) != "id")
)

_PARCELS_OF = Known(
    select(deed.c.px, deed.c.pz)
    .where(deed.c.estate_id == bindparam("of", type_=BigInteger))
    .order_by(deed.c.px, deed.c.pz)
)
_PARCELS_OF_ALL = (
    select(deed.c.estate_id, deed.c.px, deed.c.pz)
    .where(deed.c.estate_id.in_(bindparam("numbers", expanding=True, type_=BigInteger)))
    .order_by(deed.c.estate_id, deed.c.px, deed.c.pz)
)
_DEEDS_WITHIN = (
    select(deed.c.px, deed.c.pz, deed.c.estate_id, deed.c.since_ms)
    .where(
        deed.c.px.between(bindparam("west", type_=BigInteger), bindparam("east", type_=BigInteger)),
        deed.c.pz.between(bindparam("north", type_=BigInteger), bindparam("south", type_=BigInteger)),
    )
    .order_by(deed.c.px, deed.c.pz)
    .limit(bindparam("limit"))
)
# Lists of parcels travel as one value: the statement is the same for any number of them, and so is its plan.
_LIST = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS x, json_extract(value, '$[1]') AS z FROM json_each(:parcels)"
    " ORDER BY x, z)",
    "postgresql": "(SELECT x, z FROM unnest(CAST(:xs AS integer[]), CAST(:zs AS integer[])) AS given(x, z)"
    " ORDER BY x, z)",
}
_DEEDS = Known(
    {
        name: text(
            f"SELECT px, pz, estate_id, since_ms FROM {listed} AS wanted CROSS JOIN deed"
            " WHERE px = wanted.x AND pz = wanted.z ORDER BY px, pz"
        )
        for name, listed in _LIST.items()
    }
)
_ADD_DEEDS = Known(
    {
        name: text(
            "INSERT INTO deed (px, pz, estate_id, since_ms) SELECT x, z, :estate, :now"
            f" FROM {listed} AS wanted WHERE true ON CONFLICT DO NOTHING"
        )
        for name, listed in _LIST.items()
    }
)
_MOVE_DEEDS = Known(
    {
        name: text(
            "UPDATE deed SET estate_id = :to, since_ms = :now WHERE estate_id = :estate"
            f" AND (px, pz) IN (SELECT x, z FROM {listed} AS wanted)"
        )
        for name, listed in _LIST.items()
    }
)
_MOVE_ALL = Known(
    update(deed)
    .where(deed.c.estate_id == bindparam("of"))
    .values(estate_id=bindparam("to"), since_ms=bindparam("now"))
)
_DELETE_DEEDS = Known(delete(deed).where(deed.c.estate_id == bindparam("of")))

_ZONE = select(zone.c.rx, zone.c.rz, zone.c.price, zone.c.by_id, zone.c.since_ms)
_AMONG: Any = bindparam("regions", expanding=True)
_ZONES = _ZONE.where(tuple_(zone.c.rx, zone.c.rz).in_(_AMONG)).order_by(zone.c.rx, zone.c.rz)
_DELETE_ZONE = delete(zone).where(zone.c.rx == bindparam("at_rx"), zone.c.rz == bindparam("at_rz"))

_LOCK_CLAIMS = text("LOCK TABLE zone IN SHARE ROW EXCLUSIVE MODE")


def _saving_zones(make: Any) -> Any:
    new = make(zone)
    changed = {name: new.excluded[name] for name in ("price", "by_id", "since_ms")}
    return new.on_conflict_do_update(index_elements=["rx", "rz"], set_=changed)


_SAVE_ZONES = PerEngine(_saving_zones)


def _extent(x: Column[Any], z: Column[Any]) -> Select[Any]:
    return select(func.min(x), func.min(z), func.max(x), func.max(z))


class LandQueries(RegisterQueries):
    """``ports.land.LandTx`` over a connection that is in a transaction."""

    __slots__ = ()

    def zones(self, regions: Sequence[Region]) -> Sequence[ZoneRow]:
        """Those of these regions that are open for claiming."""
        if not regions:
            return []
        return [ZoneRow(*row) for row in self.connection.execute(_ZONES, {"regions": [*regions]})]

    def zones_within(self, west: int, north: int, east: int, south: int, limit: int) -> Sequence[ZoneRow]:
        """Open regions of a rectangle of regions, bounds included; by rx, then rz."""
        found = _ZONE.where(zone.c.rx.between(west, east), zone.c.rz.between(north, south))
        rows = self.connection.execute(found.order_by(zone.c.rx, zone.c.rz).limit(limit))
        return [ZoneRow(*row) for row in rows]

    def extent(self) -> tuple[int, int, int, int] | None:
        """The least rectangle of regions with all that is owned or open in it; None if nothing is."""
        owned = self.connection.execute(_extent(deed.c.px, deed.c.pz)).one()
        opened = self.connection.execute(_extent(zone.c.rx, zone.c.rz)).one()
        found = [] if owned[0] is None else [[at // PARCELS_PER_REGION for at in owned]]
        found += [] if opened[0] is None else [[*opened]]
        if not found:
            return None
        west, north, east, south = zip(*found, strict=True)
        return min(west), min(north), max(east), max(south)

    def zones_after(self, after: Region | None, limit: int) -> Sequence[ZoneRow]:
        """Open regions in order of (rx, rz), from behind one on."""
        found = _ZONE if after is None else _ZONE.where(tuple_(zone.c.rx, zone.c.rz) > after)
        rows = self.connection.execute(found.order_by(zone.c.rx, zone.c.rz).limit(limit))
        return [ZoneRow(*row) for row in rows]

    def save_zones(self, rows: Sequence[ZoneRow]) -> None:
        """Open regions, or change their price."""
        # In one order, so that two who open the same cannot lock each other's rows crosswise.
        ordered = sorted(rows, key=lambda row: (row.rx, row.rz))
        values = [
            {"rx": row.rx, "rz": row.rz, "price": row.price, "by_id": row.by, "since_ms": row.since_ms}
            for row in ordered
        ]
        if values:
            self.connection.execute(_SAVE_ZONES[self.engine_name], values)

    def delete_zones(self, regions: Sequence[Region]) -> int:
        """Close regions; how many were open."""
        return sum(
            self.connection.execute(_DELETE_ZONE, {"at_rx": rx, "at_rz": rz}).rowcount
            for rx, rz in sorted(set(regions))
        )

    def lock_claims(self) -> None:
        """Wait until no other transaction claims. The first call of a use case that does, before any receipt."""
        # SQLite has one writer. PostgreSQL: LOCK takes no picture of the data, so whoever had to wait sees what was
        # claimed meanwhile and need not be tried again: in a rush for land, eight times would not do.
        if self.engine_name == "postgresql":
            self.connection.execute(_LOCK_CLAIMS)

    def estate(self, number: int) -> EstateRow | None:
        """An estate."""
        row = _ONE_ESTATE.one(self.connection, {"number": number})
        return None if row is None else to_estate(row)

    def lock_estate(self, number: int) -> EstateRow | None:
        """The same; nobody else changes it, its deeds or what is offered of it until this transaction ends."""
        # SQLite has one writer, and takes no notice of FOR UPDATE.
        row = _LOCK_ESTATE.one(self.connection, {"number": number})
        return None if row is None else to_estate(row)

    def estates(self, numbers: Sequence[int]) -> Sequence[EstateRow]:
        """The estates of these numbers, ascending; numbers of none are passed over."""
        if not numbers:
            return []
        return [to_estate(row) for row in self.connection.execute(_ESTATES, {"numbers": [*numbers]})]

    def estates_of(self, owner: int, after: int, limit: int) -> Sequence[EstateRow]:
        """An account's estates by number, from behind that one on."""
        page = {"owner": owner, "after": after, "limit": limit}
        return [to_estate(row) for row in self.connection.execute(_ESTATES_OF, page)]

    def estates_after(self, number: int, limit: int) -> Sequence[EstateRow]:
        """All estates by number, from behind that one on."""
        page = {"after": number, "limit": limit}
        return [to_estate(row) for row in self.connection.execute(_ESTATES_AFTER, page)]

    def parcels_owned(self, owner: int) -> int:
        """How many parcels an account's estates have together."""
        return int(_PARCELS_OWNED.value(self.connection, {"owner": owner}))

    def expect_parcels_owned(self, owner: int) -> None:
        """It will be asked after the next statement, and goes with it."""
        if self.engine_name == "postgresql":
            _PARCELS_OWNED.ask_along(self.connection, {"owner": owner})

    def insert_estate(self, row: EstateRow) -> int:
        """A new estate; its number. Its deeds are to follow."""
        given = {**_estate_values(row), "created_ms": row.created_ms}
        number: int = _ADD_ESTATE.value(self.connection, given)
        return number

    def save_estate(self, row: EstateRow) -> None:
        """Write an estate anew, all but its number and when it was made."""
        _SAVE_ESTATE.run(self.connection, {**_estate_values(row), "number": row.number})

    def delete_estate(self, number: int) -> None:
        """Take away an estate that has no deeds; its rights, exclusions and offers go with it."""
        self.connection.execute(delete(estate).where(estate.c.id == number))

    def parcels_of(self, estate: int) -> Sequence[Parcel]:
        """The parcels of an estate, ascending."""
        return [(px, pz) for px, pz in _PARCELS_OF.rows(self.connection, {"of": estate})]

    def parcels_of_all(self, estates: Sequence[int]) -> dict[int, list[Parcel]]:
        """The parcels of several estates, ascending, by estate."""
        found: dict[int, list[Parcel]] = {number: [] for number in estates}
        if found:
            for number, px, pz in self.connection.execute(_PARCELS_OF_ALL, {"numbers": [*found]}):
                found[number].append((px, pz))
        return found

    def deeds(self, parcels: Sequence[Parcel]) -> Sequence[DeedRow]:
        """Those of these parcels that are owned, ascending."""
        if not parcels:
            return []
        rows = _DEEDS.rows(self.connection, self._listed(parcels))
        return [DeedRow(*row) for row in rows]

    def deeds_within(self, west: int, north: int, east: int, south: int, limit: int) -> Sequence[DeedRow]:
        """Owned parcels of a rectangle of parcels, bounds included; ascending."""
        bounds = {"west": west, "north": north, "east": east, "south": south, "limit": limit}
        return [DeedRow(*row) for row in self.connection.execute(_DEEDS_WITHIN, bounds)]

    def insert_deeds(self, estate: int, parcels: Sequence[Parcel], now_ms: int) -> int:
        """Give parcels that nobody owns to an estate; how many of these there were. The others stay whose they are."""
        given = {**self._listed(parcels), "estate": estate, "now": now_ms}
        return _ADD_DEEDS.changed(self.connection, given)

    def move_deeds(self, estate: int, to: int, parcels: Sequence[Parcel] | None, now_ms: int) -> int:
        """Move parcels of an estate, None for all, to another; how many there were."""
        if parcels is None:
            return _MOVE_ALL.changed(self.connection, {"of": estate, "to": to, "now": now_ms})
        given = {**self._listed(parcels), "estate": estate, "to": to, "now": now_ms}
        return _MOVE_DEEDS.changed(self.connection, given)

    def delete_deeds(self, estate: int) -> int:
        """Give the parcels of an estate back to the world; how many there were."""
        return _DELETE_DEEDS.changed(self.connection, {"of": estate})

    def _listed(self, parcels: Sequence[Parcel]) -> dict[str, Any]:
        if self.engine_name == "sqlite":
            return {"parcels": json.dumps([*parcels])}
        return {"xs": [px for px, _ in parcels], "zs": [pz for _, pz in parcels]}


def _estate_values(row: EstateRow) -> dict[str, Any]:
    at = row.landing
    return {
        "owner_id": row.owner,
        "name": row.name,
        "description": row.description,
        "landing_x": None if at is None else at.x,
        "landing_z": None if at is None else at.z,
        "landing_y": None if at is None else at.y,
        "landing_yaw": None if at is None else at.yaw,
        "shape": row.shape,
        "parcels": row.parcels,
        "locked_until_ms": row.locked_until_ms,
    }


def to_estate(row: Any) -> EstateRow:
    """A row of ``ESTATE`` as an estate."""
    owner, name, description, x, z, y, yaw, parcels, created_ms, shape, locked_until_ms, number = row
    landing = None if x is None or z is None or y is None or yaw is None else LandingRow(x, z, y, yaw)
    return EstateRow(owner, name, description, landing, parcels, created_ms, shape, locked_until_ms, number)
