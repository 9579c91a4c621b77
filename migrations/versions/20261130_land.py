"""Land: zones, estates, deeds, and the register (appended only) with its chain of seals."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_land"
down_revision = "20261130_money"
branch_labels = None
depends_on = None

_REFUSE = {
    "sqlite": "BEGIN SELECT RAISE(ABORT, 'the register is appended to only'); END",
    "postgresql": "FOR EACH STATEMENT EXECUTE FUNCTION worldloom_register_only()",
}
"""What a trigger does instead, by engine."""


def upgrade() -> None:
    op.create_table(
        "zone",
        sa.Column("rx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rz", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rx BETWEEN -32767 AND 32767", name=op.f("ck_zone_rx_range")),
        sa.CheckConstraint("rz BETWEEN -32767 AND 32767", name=op.f("ck_zone_rz_range")),
        sa.CheckConstraint("price BETWEEN 0 AND 100000000000", name=op.f("ck_zone_price_range")),
        sa.ForeignKeyConstraint(
            ["by_id"], ["account.id"], name=op.f("fk_zone_by_id_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("rx", "rz", name=op.f("pk_zone")),
    )
    _make_estates()
    _make_register()
    _forbid_changes()


def _make_estates() -> None:
    op.create_table(
        "estate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("landing_x", sa.Integer(), nullable=True),
        sa.Column("landing_z", sa.Integer(), nullable=True),
        sa.Column("landing_y", sa.SmallInteger(), nullable=True),
        sa.Column("landing_yaw", sa.SmallInteger(), nullable=True),
        sa.Column("shape", sa.Integer(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id BETWEEN 1 AND 2147483647", name=op.f("ck_estate_id_range")),
        sa.CheckConstraint("shape >= 1", name=op.f("ck_estate_shape_range")),
        sa.CheckConstraint("parcels >= 1", name=op.f("ck_estate_parcels_range")),
        sa.CheckConstraint(
            "(landing_x IS NULL) = (landing_z IS NULL) AND (landing_x IS NULL) = (landing_y IS NULL)"
            " AND (landing_x IS NULL) = (landing_yaw IS NULL)",
            name=op.f("ck_estate_landing_whole"),
        ),
        sa.CheckConstraint("landing_yaw BETWEEN 0 AND 255", name=op.f("ck_estate_landing_yaw_range")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["account.id"], name=op.f("fk_estate_owner_id_account"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_estate")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_estate_owner_id"), "estate", ["owner_id", "id"])
    op.create_table(
        "deed",
        sa.Column("px", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pz", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("px BETWEEN -524272 AND 524287", name=op.f("ck_deed_px_range")),
        sa.CheckConstraint("pz BETWEEN -524272 AND 524287", name=op.f("ck_deed_pz_range")),
        sa.ForeignKeyConstraint(
            ["estate_id"], ["estate.id"], name=op.f("fk_deed_estate_id_estate"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("px", "pz", name=op.f("pk_deed")),
    )
    op.create_index(op.f("ix_deed_estate_id"), "deed", ["estate_id"])


def _make_register() -> None:
    op.create_table(
        "register",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("other_id", sa.Integer(), nullable=True),
        sa.Column("transfer_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.CheckConstraint("length(kind) > 0", name=op.f("ck_register_kind_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register")),
        sqlite_autoincrement=True,
    )
    for column in ("estate_id", "account_id", "other_id"):
        op.create_index(op.f(f"ix_register_{column}"), "register", [column, "id"])
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("register_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_seal_number_range")),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_seal_hash_length")),
        sa.ForeignKeyConstraint(["register_id"], ["register.id"], name=op.f("fk_seal_register_id_register")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal")),
        sa.UniqueConstraint("register_id", name=op.f("uq_seal_register_id")),
    )
    op.create_table(
        "unsealed",
        sa.Column("register_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["register_id"], ["register.id"], name=op.f("fk_unsealed_register_id_register")
        ),
        sa.PrimaryKeyConstraint("register_id", name=op.f("pk_unsealed")),
    )


def _forbid_changes() -> None:
    """Register and seals can be added to and read, and nothing else."""
    engine = op.get_bind().dialect.name
    if engine == "postgresql":
        op.execute(
            "CREATE FUNCTION worldloom_register_only() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'the register is appended to only'; END $$"
        )
    for table in ("register", "seal"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {_REFUSE[engine]}")


def downgrade() -> None:
    for table in ("unsealed", "seal", "register", "deed", "estate", "zone"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION worldloom_register_only()")
