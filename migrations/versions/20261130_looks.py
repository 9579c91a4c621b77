"""Looks: what accounts chose to look like, and whether they can be found by name."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_looks"
down_revision = "20261130_rights"
branch_labels = None
depends_on = None

_CHECKS = {
    "ck_account_look_length": "length(look) BETWEEN 5 AND 16",
    "ck_account_findable_bool": "findable IN (0, 1)",
}


def upgrade() -> None:
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("look", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("findable", sa.SmallInteger(), nullable=False, server_default="1"))
        for name, law in _CHECKS.items():
            table.create_check_constraint(op.f(name), law)


def downgrade() -> None:
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as table:
        for name in _CHECKS:
            table.drop_constraint(op.f(name), type_="check")
        table.drop_column("findable")
        table.drop_column("look")
