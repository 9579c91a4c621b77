"""The land's part of a transaction: zones, estates, deeds, and the register with its seals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from worldloom.realm.chain import RegisterKind
from worldloom.realm.estates import Parcel, Region

__all__ = ["DeedRow", "EstateRow", "LandTx", "LandingRow", "RegisterRow", "SealRow", "ZoneRow"]


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A region that is open for claiming."""

    rx: int
    rz: int
    price: int
    """Of a parcel, in minor units; 0: free."""
    by: int | None
    """Who opened it; None: the operator."""
    since_ms: int
    """Unix time, like all times here."""


@dataclass(frozen=True, slots=True)
class LandingRow:
    """Where visitors of an estate are set down, in wire units."""

    x: int
    z: int
    y: int
    yaw: int


@dataclass(frozen=True, slots=True)
class EstateRow:
    """Parcels of one owner that are traded as one."""

    owner: int
    name: str
    description: str
    landing: LandingRow | None
    parcels: int
    """How many it has."""
    created_ms: int
    shape: int = 1
    """Rises with each change of its parcels or its owner."""
    locked_until_ms: int = 0
    """Not sellable before then."""
    number: int = 0
    """Given by the database, and never again."""


@dataclass(frozen=True, slots=True)
class DeedRow:
    """A parcel that is owned."""

    px: int
    pz: int
    estate: int
    since_ms: int
    """When it came to this estate."""


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A change of title, or what binds land. Numbers rise; what depends on another row has a higher one."""

    at_ms: int
    kind: RegisterKind | str
    """What is not a known kind stays the text that is stored."""
    estate: int
    account: int | None
    """Who has the title from then on, or the lease; None: the world."""
    other: int | None
    """Who had it before, or the other side; None: the world, or nobody."""
    transfer: int | None
    """Of the money that was paid for it."""
    detail: str
    """JSON from ``realm.chain.canonical``."""
    number: int = 0


@dataclass(frozen=True, slots=True)
class SealRow:
    """A link of the chain: the hash over this row of the register and all sealed before it."""

    number: int
    """1, 2, 3 ... without a gap."""
    register: int
    """Number of the row that it seals."""
    hash: bytes
    """32 bytes."""


class LandTx(Protocol):
    """The part of a transaction that knows who owns which land."""

    def zones(self, regions: Sequence[Region]) -> Sequence[ZoneRow]:
        """Those of these regions that are open for claiming."""

    def zones_within(self, west: int, north: int, east: int, south: int, limit: int) -> Sequence[ZoneRow]:
        """Open regions of a rectangle of regions, bounds included; by rx, then rz."""

    def extent(self) -> tuple[int, int, int, int] | None:
        """The least rectangle of regions with all that is owned or open in it; None if nothing is.

        Bounds are included: (west, north, east, south).
        """

    def zones_after(self, after: Region | None, limit: int) -> Sequence[ZoneRow]:
        """Open regions in order of (rx, rz), from behind one on."""

    def save_zones(self, rows: Sequence[ZoneRow]) -> None:
        """Open regions, or change their price."""

    def delete_zones(self, regions: Sequence[Region]) -> int:
        """Close regions; how many were open."""

    def lock_claims(self) -> None:
        """Wait until no other transaction claims. The first call of a use case that does, before any receipt."""

    def estate(self, number: int) -> EstateRow | None:
        """An estate."""

    def lock_estate(self, number: int) -> EstateRow | None:
        """The same; nobody else changes it, its deeds or what is offered of it until this transaction ends.

        Every use case that changes one of these begins with it; of two estates the lower number first.
        """

    def estates(self, numbers: Sequence[int]) -> Sequence[EstateRow]:
        """The estates of these numbers, ascending; numbers of none are passed over."""

    def estates_of(self, owner: int, after: int, limit: int) -> Sequence[EstateRow]:
        """An account's estates by number, from behind that one on."""

    def estates_after(self, number: int, limit: int) -> Sequence[EstateRow]:
        """All estates by number, from behind that one on."""

    def parcels_owned(self, owner: int) -> int:
        """How many parcels an account's estates have together."""

    def expect_parcels_owned(self, owner: int) -> None:
        """``parcels_owned`` will be asked after the next statement: it may be, at once, when that is done."""

    def insert_estate(self, row: EstateRow) -> int:
        """A new estate; its number. Its deeds are to follow."""

    def save_estate(self, row: EstateRow) -> None:
        """Write an estate anew, all but its number and when it was made."""

    def delete_estate(self, number: int) -> None:
        """Take away an estate that has no deeds; its rights, exclusions and offers go with it."""

    def parcels_of(self, estate: int) -> Sequence[Parcel]:
        """The parcels of an estate, ascending."""

    def parcels_of_all(self, estates: Sequence[int]) -> dict[int, list[Parcel]]:
        """The parcels of several estates, ascending, by estate."""

    def deeds(self, parcels: Sequence[Parcel]) -> Sequence[DeedRow]:
        """Those of these parcels that are owned, ascending."""

    def deeds_within(self, west: int, north: int, east: int, south: int, limit: int) -> Sequence[DeedRow]:
        """Owned parcels of a rectangle of parcels, bounds included; ascending."""

    def insert_deeds(self, estate: int, parcels: Sequence[Parcel], now_ms: int) -> int:
        """Give parcels that nobody owns to an estate; how many of these there were. The others stay whose they are."""

    def move_deeds(self, estate: int, to: int, parcels: Sequence[Parcel] | None, now_ms: int) -> int:
        """Move parcels of an estate, None for all, to another; how many there were."""

    def delete_deeds(self, estate: int) -> int:
        """Give the parcels of an estate back to the world; how many there were."""

    def append_register(self, row: RegisterRow) -> None:
        """Write down a change of title, to be sealed soon.

        All hosts are told, when this transaction is committed, that it may be another who may be in that estate.
        """

    def register_rows(self, numbers: Sequence[int]) -> Sequence[RegisterRow]:
        """These rows of the register, ascending."""

    def register_of(
        self, estate: int | None, account: int | None, before: int, limit: int
    ) -> Sequence[RegisterRow]:
        """The register on an estate, on an account (either side), or on everything, before a number; newest first."""

    def unsealed(self, limit: int) -> Sequence[RegisterRow]:
        """Rows that wait for a seal, ascending."""

    def strays(self, limit: int) -> Sequence[RegisterRow]:
        """Rows of the register that have no seal and do not wait for one, ascending: there should be none."""

    def lock_seals(self) -> None:
        """Wait until no other transaction seals. The first call of a use case that does."""

    def head(self) -> SealRow | None:
        """The newest seal."""

    def seal(self, number: int) -> SealRow | None:
        """The seal of that number."""

    def seals_after(self, number: int, limit: int) -> Sequence[SealRow]:
        """Seals by number, from behind that one on."""

    def seals_of(self, registers: Sequence[int]) -> Sequence[SealRow]:
        """The seals of these rows of the register."""

    def insert_seals(self, rows: Sequence[SealRow]) -> None:
        """Seal rows of the register that waited for it."""
