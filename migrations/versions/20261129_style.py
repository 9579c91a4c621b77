"""Styles: what regions are to be like, stored before land is woven by them."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_style"
down_revision = "20261129_overlay"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "style",
        sa.Column("rx", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rz", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("style", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.String(500), server_default="", nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rx BETWEEN -32767 AND 32767", name=op.f("ck_style_rx_range")),
        sa.CheckConstraint("rz BETWEEN -32767 AND 32767", name=op.f("ck_style_rz_range")),
        sa.CheckConstraint("length(style) BETWEEN 1 AND 1024", name=op.f("ck_style_style_length")),
        sa.PrimaryKeyConstraint("rx", "rz", name=op.f("pk_style")),
    )


def downgrade() -> None:
    op.drop_table("style")
