"""Codes stay good until who came with the token that was made from them has been heard."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_codes_heard"
down_revision = "20261122_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("code") as table:
        table.add_column(sa.Column("token_sha256", sa.LargeBinary(), nullable=True))
        table.create_foreign_key(
            op.f("fk_code_token_sha256_token"),
            "token",
            ["token_sha256"],
            ["token_sha256"],
            ondelete="SET NULL",
        )
    op.create_index(op.f("ix_code_token_sha256"), "code", ["token_sha256"])


def downgrade() -> None:
    op.drop_index(op.f("ix_code_token_sha256"), table_name="code")
    with op.batch_alter_table("code") as table:
        table.drop_constraint(op.f("fk_code_token_sha256_token"), type_="foreignkey")
        table.drop_column("token_sha256")
