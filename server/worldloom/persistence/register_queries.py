"""Register queries: the register and its seals, as the methods of ``ports.land.LandTx`` on them. Decides nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, insert, select, text, union

from worldloom.persistence.known import Known
from worldloom.persistence.land_tables import register, seal, unsealed
from worldloom.persistence.later import Later
from worldloom.persistence.rights_queries import NOTE, RightsQueries
from worldloom.ports.land import RegisterRow, SealRow
from worldloom.realm.chain import RegisterKind

__all__ = ["RegisterQueries"]

_ROW = select(
    register.c.at_ms,
    register.c.kind,
    register.c.estate_id,
    register.c.account_id,
    register.c.other_id,
    register.c.transfer_id,
    register.c.detail,
    register.c.id,
)
_BY_NUMBER = _ROW.where(register.c.id.in_(bindparam("numbers", expanding=True, type_=BigInteger))).order_by(
    register.c.id
)
_UNSEALED = (
    _ROW.join(unsealed, unsealed.c.register_id == register.c.id)
    .order_by(register.c.id)
    .limit(bindparam("limit"))
)
_STRAYS = (
    _ROW.outerjoin(seal, seal.c.register_id == register.c.id)
    .outerjoin(unsealed, unsealed.c.register_id == register.c.id)
    .where(seal.c.number.is_(None), unsealed.c.register_id.is_(None))
    .order_by(register.c.id)
    .limit(bindparam("limit"))
)
_APPEND = Later(
    entered=Known(
        {"sqlite": insert(register), "postgresql": insert(register).returning(register.c.id)},
        *("at_ms", "kind", "estate_id", "account_id", "other_id", "transfer_id", "detail"),
    ),
    waits=Known(
        {
            name: text(f"INSERT INTO unsealed (register_id) SELECT {entered}")
            for name, entered in (("sqlite", "max(id) FROM register"), ("postgresql", "id FROM entered"))
        }
    ),
    noted=NOTE,
)
_LOCK_SEALS = text("LOCK TABLE seal IN SHARE ROW EXCLUSIVE MODE")
_SEAL = select(seal.c.number, seal.c.register_id, seal.c.hash)
_HEAD = _SEAL.order_by(seal.c.number.desc()).limit(1)
_ONE_SEAL = _SEAL.where(seal.c.number == bindparam("wanted", type_=BigInteger))
_SEALS_AFTER = (
    _SEAL.where(seal.c.number > bindparam("after", type_=BigInteger))
    .order_by(seal.c.number)
    .limit(bindparam("limit"))
)
_SEALS_OF = _SEAL.where(seal.c.register_id.in_(bindparam("numbers", expanding=True, type_=BigInteger)))
_SEAL_ON_POSTGRESQL = Known(
    text(
        "WITH sealed AS (INSERT INTO seal (number, register_id, hash) SELECT * FROM unnest("
        "CAST(:numbers AS integer[]), CAST(:registers AS integer[]), CAST(:hashes AS bytea[])))"
        " DELETE FROM unsealed WHERE register_id = ANY(CAST(:registers AS integer[]))"
    )
)
_NO_LONGER = delete(unsealed).where(unsealed.c.register_id == bindparam("of"))


class RegisterQueries(RightsQueries):
    """The part of ``ports.land.LandTx`` that is about the register."""

    __slots__ = ()

    def append_register(self, row: RegisterRow) -> None:
        """Write down a change of title, to be sealed soon. Hosts are told, since rights follow from it."""
        values = {
            "at_ms": row.at_ms,
            "kind": str(row.kind),
            "estate_id": row.estate,
            "account_id": row.account,
            "other_id": row.other,
            "transfer_id": row.transfer,
            "detail": row.detail,
        }
        _APPEND.run(self.connection, values)

    def register_rows(self, numbers: Sequence[int]) -> Sequence[RegisterRow]:
        """These rows of the register, ascending."""
        if not numbers:
            return []
        return [_to_row(row) for row in self.connection.execute(_BY_NUMBER, {"numbers": [*numbers]})]

    def register_of(
        self, estate: int | None, account: int | None, before: int, limit: int
    ) -> Sequence[RegisterRow]:
        """The register on an estate, on an account (either side), or on everything, before a number; newest first."""
        column = register.c
        earlier = _ROW.where(column.id < bindparam("before", before, BigInteger))
        if estate is not None:
            earlier = earlier.where(column.estate_id == bindparam("estate", estate, BigInteger))
        if account is None:
            found: Any = earlier.order_by(column.id.desc()).limit(limit)
        else:
            # Two statements, each on its own index: joined with OR, much of the register may be read.
            who = bindparam("account", account, BigInteger)
            sides = (
                earlier.where(side == who).order_by(column.id.desc()).limit(limit).subquery()
                for side in (column.account_id, column.other_id)
            )
            both = union(*(select(side) for side in sides)).subquery()
            found = select(both).order_by(both.c.id.desc()).limit(limit)
        return [_to_row(row) for row in self.connection.execute(found)]

    def unsealed(self, limit: int) -> Sequence[RegisterRow]:
        """Rows that wait for a seal, ascending."""
        return [_to_row(row) for row in self.connection.execute(_UNSEALED, {"limit": limit})]

    def strays(self, limit: int) -> Sequence[RegisterRow]:
        """Rows of the register that have no seal and do not wait for one, ascending: there should be none."""
        return [_to_row(row) for row in self.connection.execute(_STRAYS, {"limit": limit})]

    def lock_seals(self) -> None:
        """Wait until no other transaction seals. The first call of a use case that does."""
        # SQLite has one writer. PostgreSQL: LOCK takes no picture of the data, so who waited sees what was sealed.
        if self.engine_name == "postgresql":
            self.connection.execute(_LOCK_SEALS)

    def head(self) -> SealRow | None:
        """The newest seal."""
        row = self.connection.execute(_HEAD).first()
        return None if row is None else SealRow(*row)

    def seal(self, number: int) -> SealRow | None:
        """The seal of that number."""
        row = self.connection.execute(_ONE_SEAL, {"wanted": number}).first()
        return None if row is None else SealRow(*row)

    def seals_after(self, number: int, limit: int) -> Sequence[SealRow]:
        """Seals by number, from behind that one on."""
        found = self.connection.execute(_SEALS_AFTER, {"after": number, "limit": limit})
        return [SealRow(*row) for row in found]

    def seals_of(self, registers: Sequence[int]) -> Sequence[SealRow]:
        """The seals of these rows of the register."""
        if not registers:
            return []
        return [SealRow(*row) for row in self.connection.execute(_SEALS_OF, {"numbers": [*registers]})]

    def insert_seals(self, rows: Sequence[SealRow]) -> None:
        """Seal rows of the register that waited for it."""
        if not rows:
            return
        if self.engine_name == "postgresql":
            values = {
                "numbers": [row.number for row in rows],
                "registers": [row.register for row in rows],
                "hashes": [row.hash for row in rows],
            }
            _SEAL_ON_POSTGRESQL.run(self.connection, values)
            return
        self.connection.execute(
            insert(seal),
            [{"number": row.number, "register_id": row.register, "hash": row.hash} for row in rows],
        )
        self.connection.execute(_NO_LONGER, [{"of": row.register} for row in rows])


def _to_row(row: Any) -> RegisterRow:
    at_ms, kind, of_estate, account, other, transfer, detail, number = row
    known = RegisterKind(kind) if kind in _KINDS else kind
    return RegisterRow(at_ms, known, of_estate, account, other, transfer, detail, number)


_KINDS = {kind.value for kind in RegisterKind}
