"""The market: open listings and how they ended, offers of leases, leases, notices."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_market"
down_revision = "20261130_land"
branch_labels = None
depends_on = None

_NO_END_MS = 2**53 - 1
_AMOUNT = "BETWEEN 1 AND 1000000000000000"
_FEE = "fee BETWEEN 0 AND 10000"
_PERIOD = "period_ms BETWEEN 60000 AND 31622400000"


def upgrade() -> None:
    _listings()
    _leases()
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("read", sa.SmallInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("length(kind) > 0", name=op.f("ck_notice_kind_length")),
        sa.CheckConstraint("length(detail) <= 4096", name=op.f("ck_notice_detail_length")),
        sa.CheckConstraint("read IN (0, 1)", name=op.f("ck_notice_read_bool")),
        _to_account("notice", "account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notice_account_id"), "notice", ["account_id", "id"])
    op.create_index(op.f("ix_notice_at_ms"), "notice", ["at_ms"])


def _listings() -> None:
    op.create_table(
        "listing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("seller_id", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("shape", sa.Integer(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("px", sa.Integer(), nullable=False),
        sa.Column("pz", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.SmallInteger(), nullable=False),
        sa.Column("only_id", sa.Integer(), nullable=True),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("ends_ms", sa.BigInteger(), nullable=False),
        sa.Column("top_id", sa.Integer(), nullable=True),
        sa.Column("top_bid", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('sale', 'auction')", name=op.f("ck_listing_kind_known")),
        sa.CheckConstraint(f"price {_AMOUNT}", name=op.f("ck_listing_price_range")),
        sa.CheckConstraint("asked >= price", name=op.f("ck_listing_asked_range")),
        sa.CheckConstraint(
            "top_bid IS NULL OR (top_bid >= price AND asked = top_bid + step)",
            name=op.f("ck_listing_top_bid_range"),
        ),
        sa.CheckConstraint("(top_id IS NULL) = (top_bid IS NULL)", name=op.f("ck_listing_top_whole")),
        sa.CheckConstraint("top_id <> seller_id", name=op.f("ck_listing_top_other")),
        sa.CheckConstraint("only_id <> seller_id", name=op.f("ck_listing_only_other")),
        sa.CheckConstraint("parcels > 0", name=op.f("ck_listing_parcels_range")),
        sa.CheckConstraint(_FEE, name=op.f("ck_listing_fee_range")),
        sa.CheckConstraint("length(fingerprint) = 32", name=op.f("ck_listing_fingerprint_length")),
        sa.CheckConstraint(
            "(kind = 'sale' AND step = 0 AND top_id IS NULL)"
            f" OR (kind = 'auction' AND step {_AMOUNT} AND only_id IS NULL AND ends_ms < {_NO_END_MS})",
            name=op.f("ck_listing_kind_whole"),
        ),
        _to_estate("listing"),
        _to_account("listing", "seller_id"),
        _to_account("listing", "only_id", ondelete="CASCADE"),
        _to_account("listing", "top_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("estate_id", name=op.f("uq_listing_estate_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_listing_asked"), "listing", ["asked", "id"])
    op.create_index(op.f("ix_listing_parcels"), "listing", ["parcels", "id"])
    op.create_index(op.f("ix_listing_ends_ms"), "listing", ["ends_ms", "id"])
    op.create_index(op.f("ix_listing_px"), "listing", ["px", "pz"])
    for column in ("seller_id", "only_id", "top_id"):
        op.create_index(op.f(f"ix_listing_{column}"), "listing", [column])
    op.create_table(
        "closed_listing",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "how IN ('sold', 'withdrawn', 'changed', 'over')", name=op.f("ck_closed_listing_how_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closed_listing")),
    )
    op.create_index(op.f("ix_closed_listing_at_ms"), "closed_listing", ["at_ms"])


def _leases() -> None:
    op.create_table(
        "lease_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("rent", sa.BigInteger(), nullable=False),
        sa.Column("period_ms", sa.BigInteger(), nullable=False),
        sa.Column("max_periods", sa.Integer(), nullable=False),
        sa.Column("renewable", sa.SmallInteger(), nullable=False),
        sa.Column("shape", sa.Integer(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("px", sa.Integer(), nullable=False),
        sa.Column("pz", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.SmallInteger(), nullable=False),
        sa.Column("free_ms", sa.BigInteger(), nullable=False),
        sa.Column("only_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"rent {_AMOUNT}", name=op.f("ck_lease_offer_rent_range")),
        sa.CheckConstraint(_PERIOD, name=op.f("ck_lease_offer_period_range")),
        sa.CheckConstraint("max_periods BETWEEN 1 AND 1000", name=op.f("ck_lease_offer_periods_range")),
        sa.CheckConstraint("renewable IN (0, 1)", name=op.f("ck_lease_offer_renewable_bool")),
        sa.CheckConstraint("only_id <> owner_id", name=op.f("ck_lease_offer_only_other")),
        sa.CheckConstraint("parcels > 0", name=op.f("ck_lease_offer_parcels_range")),
        sa.CheckConstraint(_FEE, name=op.f("ck_lease_offer_fee_range")),
        sa.CheckConstraint("length(fingerprint) = 32", name=op.f("ck_lease_offer_fingerprint_length")),
        _to_estate("lease_offer"),
        _to_account("lease_offer", "owner_id"),
        _to_account("lease_offer", "only_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease_offer")),
        sa.UniqueConstraint("estate_id", name=op.f("uq_lease_offer_estate_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_lease_offer_px"), "lease_offer", ["px", "pz"])
    for column in ("owner_id", "only_id"):
        op.create_index(op.f(f"ix_lease_offer_{column}"), "lease_offer", [column])
    op.create_table(
        "lease",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("rent", sa.BigInteger(), nullable=False),
        sa.Column("period_ms", sa.BigInteger(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("latest_ms", sa.BigInteger(), nullable=False),
        sa.Column("renewable", sa.SmallInteger(), nullable=False),
        sa.Column("fee", sa.SmallInteger(), nullable=False),
        sa.Column("tell_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"rent {_AMOUNT}", name=op.f("ck_lease_rent_range")),
        sa.CheckConstraint(_PERIOD, name=op.f("ck_lease_period_range")),
        sa.CheckConstraint(
            "from_ms <= until_ms AND until_ms <= latest_ms", name=op.f("ck_lease_times_ordered")
        ),
        sa.CheckConstraint("renewable IN (0, 1)", name=op.f("ck_lease_renewable_bool")),
        sa.CheckConstraint(_FEE, name=op.f("ck_lease_fee_range")),
        _to_estate("lease", ondelete="CASCADE"),
        _to_account("lease", "tenant_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        sa.UniqueConstraint("estate_id", name=op.f("uq_lease_estate_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_lease_tenant_id"), "lease", ["tenant_id"])
    op.create_index(op.f("ix_lease_tell_ms"), "lease", ["tell_ms"])


def _to_estate(table: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["estate_id"], ["estate.id"], name=op.f(f"fk_{table}_estate_id_estate"), **options
    )


def _to_account(table: str, column: str, **options: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["account.id"], name=op.f(f"fk_{table}_{column}_account"), **options
    )


def downgrade() -> None:
    for table in ("notice", "lease", "lease_offer", "closed_listing", "listing"):
        op.drop_table(table)
