"""Tile edges: the heights along a tile's borders beside it, so that what is stored next to it can be fitted cheaply."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_tile_edges"
down_revision = "20261122_foundation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tile", sa.Column("edges", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("tile") as table:
        table.drop_column("edges")
