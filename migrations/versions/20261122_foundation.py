"""The foundation: a world, accounts with tokens and last places, tiles and their content."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_foundation"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "world",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("world_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_world_one_row")),
        sa.CheckConstraint("length(world_id) = 32", name=op.f("ck_world_world_id_length")),
        sa.CheckConstraint("seed >= 0", name=op.f("ck_world_seed_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_world")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("skeleton", sa.String(255), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("place_x", sa.Integer(), nullable=True),
        sa.Column("place_z", sa.Integer(), nullable=True),
        sa.Column("place_y", sa.SmallInteger(), nullable=True),
        sa.Column("place_yaw", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint("id BETWEEN 1 AND 2147483647", name=op.f("ck_account_id_range")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_account_name_length")),
        sa.CheckConstraint("length(skeleton) > 0", name=op.f("ck_account_skeleton_length")),
        sa.CheckConstraint(
            "(place_x IS NULL) = (place_z IS NULL) AND (place_x IS NULL) = (place_y IS NULL)"
            " AND (place_x IS NULL) = (place_yaw IS NULL)",
            name=op.f("ck_account_place_whole"),
        ),
        sa.CheckConstraint(
            "place_x BETWEEN -2147483648 AND 2147483647", name=op.f("ck_account_place_x_range")
        ),
        sa.CheckConstraint(
            "place_z BETWEEN -2147483648 AND 2147483647", name=op.f("ck_account_place_z_range")
        ),
        sa.CheckConstraint("place_y BETWEEN -32768 AND 32767", name=op.f("ck_account_place_y_range")),
        sa.CheckConstraint("place_yaw BETWEEN 0 AND 255", name=op.f("ck_account_place_yaw_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("skeleton", name=op.f("uq_account_skeleton")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "token",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(token_sha256) = 32", name=op.f("ck_token_sha256_length")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_token_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_token")),
    )
    op.create_index(op.f("ix_token_account_id"), "token", ["account_id"])
    op.create_table(
        "content",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(127), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_content_sha256_length")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_content")),
    )
    op.create_table(
        "tile",
        sa.Column("rx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rz", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rx BETWEEN -32767 AND 32767", name=op.f("ck_tile_rx_range")),
        sa.CheckConstraint("rz BETWEEN -32767 AND 32767", name=op.f("ck_tile_rz_range")),
        sa.ForeignKeyConstraint(["sha256"], ["content.sha256"], name=op.f("fk_tile_sha256_content")),
        sa.PrimaryKeyConstraint("rx", "rz", name=op.f("pk_tile")),
    )
    op.create_index(op.f("ix_tile_sha256"), "tile", ["sha256"])


def downgrade() -> None:
    op.drop_index(op.f("ix_tile_sha256"), table_name="tile")
    op.drop_table("tile")
    op.drop_table("content")
    op.drop_index(op.f("ix_token_account_id"), table_name="token")
    op.drop_table("token")
    op.drop_table("account")
    op.drop_table("world")
