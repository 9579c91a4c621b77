"""Tables: what SQL remembers, as SQLAlchemy Core metadata. Knows no connection and no query.

Times are Unix milliseconds. Positions are wire units: x and z in 1/64 m, y in 1/16 m, yaw in 1/256 turns.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

__all__ = ["NAMING", "account", "content", "metadata", "tile", "token", "world"]

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints are called, so that a migration can name what it changes on every engine."""

metadata = MetaData(naming_convention=NAMING)

world = Table(
    "world",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("world_id", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint("length(world_id) = 32", name="world_id_length"),
    CheckConstraint("seed >= 0", name="seed_positive"),
)
"""The world itself: one row."""

account = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("skeleton", String(255), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("place_x", Integer),
    Column("place_z", Integer),
    Column("place_y", SmallInteger),
    Column("place_yaw", SmallInteger),
    CheckConstraint("id BETWEEN 1 AND 2147483647", name="id_range"),
    CheckConstraint("length(name) > 0", name="name_length"),
    CheckConstraint("length(skeleton) > 0", name="skeleton_length"),
    CheckConstraint(
        "(place_x IS NULL) = (place_z IS NULL) AND (place_x IS NULL) = (place_y IS NULL)"
        " AND (place_x IS NULL) = (place_yaw IS NULL)",
        name="place_whole",
    ),
    CheckConstraint("place_x BETWEEN -2147483648 AND 2147483647", name="place_x_range"),
    CheckConstraint("place_z BETWEEN -2147483648 AND 2147483647", name="place_z_range"),
    CheckConstraint("place_y BETWEEN -32768 AND 32767", name="place_y_range"),
    CheckConstraint("place_yaw BETWEEN 0 AND 255", name="place_yaw_range"),
    # Ids are avatar ids on the wire: one that was erased is not given to somebody else.
    sqlite_autoincrement=True,
)
"""People and bots that come back, with the place where each was last."""

token = Table(
    "token",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("length(token_sha256) = 32", name="sha256_length"),
)
"""What proves who one is; the token itself is never stored."""

content = Table(
    "content",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(127), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("length(sha256) = 64", name="sha256_length"),
)
"""Immutable bytes, named by the sha256 of what they are."""

tile = Table(
    "tile",
    metadata,
    Column("rx", Integer, primary_key=True, autoincrement=False),
    Column("rz", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), ForeignKey("content.sha256"), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    CheckConstraint("rx BETWEEN -32767 AND 32767", name="rx_range"),
    CheckConstraint("rz BETWEEN -32767 AND 32767", name="rz_range"),
)
"""The land of a region; the first stored stays."""
