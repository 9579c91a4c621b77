"""Rights: what was given in estates, who is excluded, and notes of what was changed, which hosts follow."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_rights"
down_revision = "20261130_market"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_permit()
    _make_exclusion()
    op.create_table(
        "access_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("xact", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_note")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_access_note_at_ms"), "access_note", ["at_ms"])
    op.create_index(op.f("ix_access_note_xact"), "access_note", ["xact"])


def _make_permit() -> None:
    op.create_table(
        "permit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("estate_id", sa.Integer(), nullable=False),
        sa.Column("giver_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("verbs", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("verbs BETWEEN 0 AND 511", name=op.f("ck_permit_verbs_known")),
        sa.CheckConstraint("role IN ('', 'manager', 'builder', 'tenant')", name=op.f("ck_permit_role_known")),
        *_references("permit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit")),
    )
    for column in ("giver_id", "account_id", "until_ms"):
        op.create_index(op.f(f"ix_permit_{column}"), "permit", [column])
    for name, columns, which in (
        ("uq_permit_named", ["estate_id", "giver_id", "account_id"], "account_id IS NOT NULL"),
        ("uq_permit_everyone", ["estate_id", "giver_id"], "account_id IS NULL"),
    ):
        where = sa.text(which)
        op.create_index(name, "permit", columns, unique=True, sqlite_where=where, postgresql_where=where)


def _make_exclusion() -> None:
    op.create_table(
        "exclusion",
        sa.Column("estate_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("giver_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        *_references("exclusion"),
        sa.PrimaryKeyConstraint("estate_id", "giver_id", "account_id", name=op.f("pk_exclusion")),
    )
    for column in ("giver_id", "account_id", "until_ms"):
        op.create_index(op.f(f"ix_exclusion_{column}"), "exclusion", [column])


def _references(table: str) -> list[sa.ForeignKeyConstraint]:
    """What they are about: with the estate or the account they go."""
    return [
        sa.ForeignKeyConstraint(
            [f"{name}_id"], [f"{to}.id"], name=op.f(f"fk_{table}_{name}_id_{to}"), ondelete="CASCADE"
        )
        for name, to in (("estate", "estate"), ("giver", "account"), ("account", "account"))
    ]


def downgrade() -> None:
    for table in ("access_note", "exclusion", "permit"):
        op.drop_table(table)
