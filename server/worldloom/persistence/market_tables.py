"""Tables of the market: open listings, leases, offers of leases, notices. Knows no connection and no query.

Times are Unix milliseconds, money is integer minor units.
"""

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
)

from worldloom.persistence.metadata import metadata
from worldloom.realm.market import NO_END_MS

__all__ = ["closed_listing", "lease", "lease_offer", "listing", "notice"]

_AMOUNT = "BETWEEN 1 AND 1000000000000000"
_PERIOD = "period_ms BETWEEN 60000 AND 31622400000"
_FEE = "fee BETWEEN 0 AND 10000"
_BIG_KEY = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up whole numbers of this name alone, which are 64 bits wide there."""

listing = Table(
    "listing",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate_id", Integer, ForeignKey("estate.id"), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("seller_id", Integer, ForeignKey("account.id"), nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("shape", Integer, nullable=False),
    Column("parcels", Integer, nullable=False),
    Column("px", Integer, nullable=False),
    Column("pz", Integer, nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("fee", SmallInteger, nullable=False),
    Column("only_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("step", BigInteger, nullable=False),
    Column("ends_ms", BigInteger, nullable=False),
    Column("top_id", Integer, ForeignKey("account.id"), index=True),
    Column("top_bid", BigInteger),
    CheckConstraint("kind IN ('sale', 'auction')", name="kind_known"),
    CheckConstraint(f"price {_AMOUNT}", name="price_range"),
    CheckConstraint("asked >= price", name="asked_range"),
    CheckConstraint("top_bid IS NULL OR (top_bid >= price AND asked = top_bid + step)", name="top_bid_range"),
    CheckConstraint("(top_id IS NULL) = (top_bid IS NULL)", name="top_whole"),
    CheckConstraint("top_id <> seller_id", name="top_other"),
    CheckConstraint("only_id <> seller_id", name="only_other"),
    CheckConstraint("parcels > 0", name="parcels_range"),
    CheckConstraint(_FEE, name="fee_range"),
    CheckConstraint("length(fingerprint) = 32", name="fingerprint_length"),
    CheckConstraint(
        f"(kind = 'sale' AND step = 0 AND top_id IS NULL)"
        f" OR (kind = 'auction' AND step {_AMOUNT} AND only_id IS NULL AND ends_ms < {NO_END_MS})",
        name="kind_whole",
    ),
    # By each of these the market page can be walked, and stops after as many rows as it shows.
    Index("ix_listing_asked", "asked", "id"),
    Index("ix_listing_parcels", "parcels", "id"),
    Index("ix_listing_ends_ms", "ends_ms", "id"),
    Index("ix_listing_px", "px", "pz"),
    Index("ix_listing_seller_id", "seller_id"),
    sqlite_autoincrement=True,
)
"""What is for sale now. One that ends is deleted: the register has what it led to."""

closed_listing = Table(
    "closed_listing",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("estate_id", Integer, nullable=False),
    Column("how", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    CheckConstraint("how IN ('sold', 'withdrawn', 'changed', 'over')", name="how_known"),
)
"""How listings ended, kept for a while, so that who comes too late is told why."""

lease_offer = Table(
    "lease_offer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate_id", Integer, ForeignKey("estate.id"), nullable=False, unique=True),
    Column("owner_id", Integer, ForeignKey("account.id"), nullable=False, index=True),
    Column("rent", BigInteger, nullable=False),
    Column("period_ms", BigInteger, nullable=False),
    Column("max_periods", Integer, nullable=False),
    Column("renewable", SmallInteger, nullable=False),
    Column("shape", Integer, nullable=False),
    Column("parcels", Integer, nullable=False),
    Column("px", Integer, nullable=False),
    Column("pz", Integer, nullable=False),
    Column("fingerprint", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("fee", SmallInteger, nullable=False),
    Column("free_ms", BigInteger, nullable=False),
    Column("only_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    CheckConstraint(f"rent {_AMOUNT}", name="rent_range"),
    CheckConstraint(_PERIOD, name="period_range"),
    CheckConstraint("max_periods BETWEEN 1 AND 1000", name="periods_range"),
    CheckConstraint("renewable IN (0, 1)", name="renewable_bool"),
    CheckConstraint("only_id <> owner_id", name="only_other"),
    CheckConstraint("parcels > 0", name="parcels_range"),
    CheckConstraint(_FEE, name="fee_range"),
    CheckConstraint("length(fingerprint) = 32", name="fingerprint_length"),
    Index("ix_lease_offer_px", "px", "pz"),
    sqlite_autoincrement=True,
)
"""On what terms estates can be leased, now or when the lease that is in force has ended: from ``free_ms`` on."""

lease = Table(
    "lease",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate_id", Integer, ForeignKey("estate.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("tenant_id", Integer, ForeignKey("account.id"), nullable=False, index=True),
    Column("rent", BigInteger, nullable=False),
    Column("period_ms", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("latest_ms", BigInteger, nullable=False),
    Column("renewable", SmallInteger, nullable=False),
    Column("fee", SmallInteger, nullable=False),
    Column("tell_ms", BigInteger, index=True),
    CheckConstraint(f"rent {_AMOUNT}", name="rent_range"),
    CheckConstraint(_PERIOD, name="period_range"),
    CheckConstraint("from_ms <= until_ms AND until_ms <= latest_ms", name="times_ordered"),
    CheckConstraint("renewable IN (0, 1)", name="renewable_bool"),
    CheckConstraint(_FEE, name="fee_range"),
    sqlite_autoincrement=True,
)
"""Who has an estate for a time. One that has ended stays until the next takes its place; it grants nothing."""

notice = Table(
    "notice",
    metadata,
    Column("id", _BIG_KEY, primary_key=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("detail", LargeBinary, nullable=False),
    Column("read", SmallInteger, nullable=False, server_default="0"),
    CheckConstraint("length(kind) > 0", name="kind_length"),
    CheckConstraint("length(detail) <= 4096", name="detail_length"),
    CheckConstraint("read IN (0, 1)", name="read_bool"),
    Index("ix_notice_account_id", "account_id", "id"),
    sqlite_autoincrement=True,
)
"""What accounts are told: written with what it tells of, delivered afterwards."""
