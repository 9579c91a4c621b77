"""Tables of the land: zones, estates, deeds, the register and its seals. Knows no connection and no query."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from worldloom.persistence.metadata import metadata

__all__ = ["deed", "estate", "register", "seal", "unsealed", "zone"]

zone = Table(
    "zone",
    metadata,
    Column("rx", Integer, primary_key=True, autoincrement=False),
    Column("rz", Integer, primary_key=True, autoincrement=False),
    Column("price", BigInteger, nullable=False),
    Column("by_id", Integer, ForeignKey("account.id", ondelete="SET NULL")),
    Column("since_ms", BigInteger, nullable=False),
    CheckConstraint("rx BETWEEN -32767 AND 32767", name="rx_range"),
    CheckConstraint("rz BETWEEN -32767 AND 32767", name="rz_range"),
    CheckConstraint("price BETWEEN 0 AND 100000000000", name="price_range"),
)
"""Regions that are open for claiming, and what a parcel costs there."""

estate = Table(
    "estate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner_id", Integer, ForeignKey("account.id", ondelete="RESTRICT"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", String(500), nullable=False),
    Column("landing_x", Integer),
    Column("landing_z", Integer),
    Column("landing_y", SmallInteger),
    Column("landing_yaw", SmallInteger),
    Column("shape", Integer, nullable=False),
    Column("parcels", Integer, nullable=False),
    Column("locked_until_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("id BETWEEN 1 AND 2147483647", name="id_range"),
    CheckConstraint("shape >= 1", name="shape_range"),
    CheckConstraint("parcels >= 1", name="parcels_range"),
    CheckConstraint(
        "(landing_x IS NULL) = (landing_z IS NULL) AND (landing_x IS NULL) = (landing_y IS NULL)"
        " AND (landing_x IS NULL) = (landing_yaw IS NULL)",
        name="landing_whole",
    ),
    CheckConstraint("landing_yaw BETWEEN 0 AND 255", name="landing_yaw_range"),
    Index("ix_estate_owner_id", "owner_id", "id"),
    # The register tells of estates by number: one that ended is not given to another.
    sqlite_autoincrement=True,
)
"""Parcels of one owner that are traded as one. Who owns land cannot be erased before the land is somebody else's."""

deed = Table(
    "deed",
    metadata,
    Column("px", Integer, primary_key=True, autoincrement=False),
    Column("pz", Integer, primary_key=True, autoincrement=False),
    Column("estate_id", Integer, ForeignKey("estate.id", ondelete="RESTRICT"), nullable=False, index=True),
    Column("since_ms", BigInteger, nullable=False),
    CheckConstraint("px BETWEEN -524272 AND 524287", name="px_range"),
    CheckConstraint("pz BETWEEN -524272 AND 524287", name="pz_range"),
)
"""Which parcel belongs to which estate: two owners of a parcel cannot be written. What has no row is the world's."""

register = Table(
    "register",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("estate_id", Integer, nullable=False),
    Column("account_id", Integer),
    Column("other_id", Integer),
    Column("transfer_id", BigInteger),
    Column("detail", Text, nullable=False),
    CheckConstraint("length(kind) > 0", name="kind_length"),
    Index("ix_register_estate_id", "estate_id", "id"),
    Index("ix_register_account_id", "account_id", "id"),
    Index("ix_register_other_id", "other_id", "id"),
    sqlite_autoincrement=True,
)
"""Every change of title, appended only (triggers). Numbers of estates and accounts stay as they were."""

seal = Table(
    "seal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("register_id", Integer, ForeignKey("register.id"), nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
    CheckConstraint("number >= 1", name="number_range"),
    CheckConstraint("length(hash) = 32", name="hash_length"),
)
"""The chain over the register, appended only (triggers), gap-free, in the order in which rows were found committed."""

unsealed = Table(
    "unsealed",
    metadata,
    Column("register_id", Integer, ForeignKey("register.id"), primary_key=True, autoincrement=False),
)
"""Rows of the register that wait for their seal: written with the row, gone with the seal."""
