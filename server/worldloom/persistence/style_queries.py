"""Style queries: what regions are to be like. Decides nothing; begins and commits nothing."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from worldloom.persistence.inserting import PerEngine
from worldloom.persistence.tables import style
from worldloom.ports import StyleRow

__all__ = ["StyleQueries"]

_AROUND = select(style.c.rx, style.c.rz, style.c.style, style.c.words).where(
    style.c.rx.between(bindparam("west"), bindparam("east")),
    style.c.rz.between(bindparam("north"), bindparam("south")),
)
_ADD = PerEngine(lambda insert: insert(style).on_conflict_do_nothing())


class StyleQueries:
    """The part of ``ports.Tx`` that is about styles."""

    __slots__ = ()

    connection: Connection
    engine_name: str

    def styles_around(self, rx: int, rz: int) -> Sequence[StyleRow]:
        """The stored styles of the 3 x 3 regions around a region."""
        around = {"west": rx - 1, "east": rx + 1, "north": rz - 1, "south": rz + 1}
        return [StyleRow(*row) for row in self.connection.execute(_AROUND, around)]

    def insert_styles(self, rows: Sequence[StyleRow], now_ms: int) -> None:
        """Store styles of regions that have none; the others stay as they are."""
        # In one order, so that two hosts cannot wait for each other's rows crosswise.
        ordered = sorted(rows, key=lambda row: (row.rx, row.rz))
        values = [
            {"rx": row.rx, "rz": row.rz, "style": row.style, "words": row.words, "made_ms": now_ms}
            for row in ordered
        ]
        if values:
            self.connection.execute(_ADD[self.engine_name], values)
