"""Overlay: what people changed of the ground of a region."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_overlay"
down_revision = "20261122_codes_heard"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "overlay",
        sa.Column("rx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rz", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("edited_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rx BETWEEN -32767 AND 32767", name=op.f("ck_overlay_rx_range")),
        sa.CheckConstraint("rz BETWEEN -32767 AND 32767", name=op.f("ck_overlay_rz_range")),
        sa.CheckConstraint("version BETWEEN 1 AND 4294967295", name=op.f("ck_overlay_version_range")),
        sa.PrimaryKeyConstraint("rx", "rz", name=op.f("pk_overlay")),
    )


def downgrade() -> None:
    op.drop_table("overlay")
