"""Queries: the methods of ``ports.Tx`` over one SQLAlchemy connection. Decides nothing; begins and commits nothing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Table, bindparam, insert, select, tuple_, update

from worldloom.errors import StoreUnavailable
from worldloom.persistence.access_queries import ACCOUNT, to_account
from worldloom.persistence.inserting import PerEngine
from worldloom.persistence.land_queries import LandQueries
from worldloom.persistence.market_queries import MarketQueries
from worldloom.persistence.money_queries import MoneyQueries
from worldloom.persistence.order_queries import OrderQueries
from worldloom.persistence.rights_queries import RightsQueries
from worldloom.persistence.style_queries import StyleQueries
from worldloom.persistence.tables import account, content, overlay, tile, token, world
from worldloom.ports import AccountRow, EdgesRow, OverlayRow, PlaceRow, TileRow, TokenRow, WorldRow

__all__ = ["TILE_MEDIA_TYPE", "SqlTx"]

TILE_MEDIA_TYPE = "application/vnd.worldloom.tile"

_WORLD = select(world.c.world_id, world.c.name, world.c.seed, world.c.created_ms)
_BY_TOKEN = ACCOUNT.join(token, token.c.account_id == account.c.id).where(
    token.c.token_sha256 == bindparam("token_sha256")
)
_BY_SKELETON = ACCOUNT.where(account.c.skeleton == bindparam("skeleton"))
_SAVE_PLACE = (
    update(account)
    .where(account.c.id == bindparam("of"))
    .values(
        place_x=bindparam("x"), place_z=bindparam("z"), place_y=bindparam("y"), place_yaw=bindparam("yaw")
    )
)
_TILE = (
    select(tile.c.rx, tile.c.rz, tile.c.sha256, tile.c.source, content.c.data, tile.c.edges)
    .join(content, content.c.sha256 == tile.c.sha256)
    .where(tile.c.rx == bindparam("rx"), tile.c.rz == bindparam("rz"))
)
_EDGES_AROUND = select(tile.c.rx, tile.c.rz, tile.c.edges).where(
    tile.c.rx.in_([bindparam("west"), bindparam("rx"), bindparam("east")]),
    tile.c.rz.in_([bindparam("north"), bindparam("rz"), bindparam("south")]),
    (tile.c.rx != bindparam("rx")) | (tile.c.rz != bindparam("rz")),
)
_AMONG: Any = bindparam("regions", expanding=True)
_WOVEN = select(tile.c.rx, tile.c.rz).where(tuple_(tile.c.rx, tile.c.rz).in_(_AMONG))
_OVERLAYS = select(overlay.c.rx, overlay.c.rz, overlay.c.version, overlay.c.data).where(
    tuple_(overlay.c.rx, overlay.c.rz).in_(_AMONG)
)
_NEXT_OVERLAY = (
    update(overlay)
    .where(
        overlay.c.rx == bindparam("at_rx"),
        overlay.c.rz == bindparam("at_rz"),
        overlay.c.version == bindparam("before", type_=BigInteger),
    )
    .values(version=bindparam("now"), data=bindparam("bytes"), edited_ms=bindparam("at_ms"))
)
_CONTENT = select(content.c.media_type, content.c.data).where(content.c.sha256 == bindparam("sha256"))


def _inserts(table: Table) -> PerEngine:
    return PerEngine(lambda insert: insert(table).on_conflict_do_nothing())


_ADD_WORLD = _inserts(world)
_ADD_CONTENT = _inserts(content)
_ADD_TILE = _inserts(tile)
_ADD_ACCOUNT = PerEngine(
    lambda insert: insert(account).on_conflict_do_nothing(index_elements=["skeleton"]).returning(account.c.id)
)


class SqlTx(OrderQueries, StyleQueries, MoneyQueries, LandQueries, MarketQueries, RightsQueries):
    """``ports.Tx`` over a connection that is in a transaction.

    Args:
        connection: Whoever made this commits or rolls back.
        currency: How amounts are written in what people read.
    """

    __slots__ = ()

    def world(self) -> WorldRow | None:
        """The world's row, if the world was created."""
        row = self.connection.execute(_WORLD).first()
        return None if row is None else WorldRow(*row)

    def insert_world(self, row: WorldRow) -> None:
        """Create the world, unless there is one."""
        self.connection.execute(
            _ADD_WORLD[self.engine_name],
            {
                "id": 1,
                "world_id": row.world_id,
                "name": row.name,
                "seed": row.seed,
                "created_ms": row.created_ms,
            },
        )

    def account_by_token(self, token_sha256: bytes) -> AccountRow | None:
        """Whose token it is. ``token_sha256``: 32 bytes."""
        return _account_row(self.connection.execute(_BY_TOKEN, {"token_sha256": token_sha256}).first())

    def account_by_skeleton(self, skeleton: str) -> AccountRow | None:
        """Whose name has this confusable skeleton."""
        return _account_row(self.connection.execute(_BY_SKELETON, {"skeleton": skeleton}).first())

    def insert_account(
        self,
        name: str,
        skeleton: str,
        token_sha256: bytes | None,
        now_ms: int,
        label: str = "",
        owner: int | None = None,
    ) -> int | None:
        """A new account's id, or None when the skeleton is taken (the database decides)."""
        values = {"name": name, "skeleton": skeleton, "created_ms": now_ms, "owner_id": owner}
        new: int | None = self.connection.execute(_ADD_ACCOUNT[self.engine_name], values).scalar()
        if new is not None and token_sha256 is not None:
            self.insert_token(TokenRow(token_sha256, new, label, None, now_ms))
        return new

    def save_places(self, places: Sequence[PlaceRow]) -> None:
        """Remember where accounts were last; accounts that are gone are passed over."""
        # In one order, so that two savers cannot lock each other's rows crosswise.
        ordered = sorted(places, key=lambda place: place.account)
        rows = [{"of": p.account, "x": p.x, "z": p.z, "y": p.y, "yaw": p.yaw} for p in ordered]
        if rows:
            self.connection.execute(_SAVE_PLACE, rows)

    def tile(self, rx: int, rz: int) -> TileRow | None:
        """The stored tile of a region."""
        row = self.connection.execute(_TILE, {"rx": rx, "rz": rz}).first()
        return None if row is None else TileRow(*row)

    def insert_tile(self, row: TileRow, now_ms: int) -> TileRow:
        """Store a tile unless the region has one; the stored row, whoever's it is. First stored wins."""
        stored = self.tile(row.rx, row.rz)
        if stored is not None:
            return stored
        named = {"sha256": row.sha256, "media_type": TILE_MEDIA_TYPE, "data": row.data, "made_ms": now_ms}
        self.connection.execute(_ADD_CONTENT[self.engine_name], named)
        placed = {
            "rx": row.rx,
            "rz": row.rz,
            "sha256": row.sha256,
            "source": row.source,
            "made_ms": now_ms,
            "edges": row.edges,
        }
        self.connection.execute(_ADD_TILE[self.engine_name], placed)
        return self.tile(row.rx, row.rz) or row

    def neighbour_edges(self, rx: int, rz: int) -> Sequence[EdgesRow]:
        """The borders of the stored tiles around a region, up to eight."""
        around = {"west": rx - 1, "rx": rx, "east": rx + 1, "north": rz - 1, "rz": rz, "south": rz + 1}
        return [EdgesRow(*row) for row in self.connection.execute(_EDGES_AROUND, around)]

    def woven(self, regions: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Which of these regions have a tile."""
        if not regions:
            return set()
        return {(rx, rz) for rx, rz in self.connection.execute(_WOVEN, {"regions": [*regions]})}

    def overlays(self, regions: Sequence[tuple[int, int]]) -> Sequence[OverlayRow]:
        """The overlays of those of these regions that have one."""
        if not regions:
            return []
        return [OverlayRow(*row) for row in self.connection.execute(_OVERLAYS, {"regions": [*regions]})]

    def save_overlay(self, row: OverlayRow, now_ms: int) -> None:
        """Store an overlay, in place of the version before its own; the first is version 1.

        Raises:
            StoreUnavailable: Another version is stored.
        """
        if row.version == 1:
            first = {"rx": row.rx, "rz": row.rz, "version": 1, "data": row.data, "edited_ms": now_ms}
            self.connection.execute(insert(overlay), first)
            return
        placed = {"at_rx": row.rx, "at_rz": row.rz, "before": row.version - 1}
        written = {"now": row.version, "bytes": row.data, "at_ms": now_ms}
        if self.connection.execute(_NEXT_OVERLAY, placed | written).rowcount != 1:
            raise StoreUnavailable(
                f"region ({row.rx}, {row.rz}): expected version {row.version - 1} of its overlay, got another"
            )

    def content(self, sha256: str) -> tuple[str, bytes] | None:
        """Media type and bytes of immutable content. ``sha256``: 64 hex digits."""
        row = self.connection.execute(_CONTENT, {"sha256": sha256}).first()
        return None if row is None else (row.media_type, row.data)


def _account_row(row: Any) -> AccountRow | None:
    return None if row is None else to_account(row)
