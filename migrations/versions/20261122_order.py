"""Order: roles, bots' owners, codes, sanctions, personal blocks, the audit log (appended only), reports."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_order"
down_revision = "20261122_tile_edges"
branch_labels = None
depends_on = None

_REFUSE = {
    "sqlite": "BEGIN SELECT RAISE(ABORT, 'the audit log is appended to only'); END",
    "postgresql": "FOR EACH STATEMENT EXECUTE FUNCTION worldloom_append_only()",
}
"""What a trigger does instead, by engine."""


def upgrade() -> None:
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.add_column(sa.Column("role", sa.String(16), nullable=False, server_default="resident"))
        table.add_column(sa.Column("owner_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("hidden", sa.SmallInteger(), nullable=False, server_default="0"))
        table.add_column(sa.Column("seen_ms", sa.BigInteger(), nullable=False, server_default="0"))
        table.create_foreign_key(
            op.f("fk_account_owner_id_account"), "account", ["owner_id"], ["id"], ondelete="CASCADE"
        )
        table.create_check_constraint(
            op.f("ck_account_role_known"), "role IN ('resident', 'moderator', 'owner')"
        )
        table.create_check_constraint(op.f("ck_account_owner_other"), "owner_id <> id")
        table.create_check_constraint(op.f("ck_account_hidden_bool"), "hidden IN (0, 1)")
    op.create_index(op.f("ix_account_owner_id"), "account", ["owner_id"])
    with op.batch_alter_table("token") as table:
        table.add_column(sa.Column("label", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("scopes", sa.String(128), nullable=True))
        table.add_column(sa.Column("used_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "code",
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(code_sha256) = 32", name=op.f("ck_code_sha256_length")),
        sa.CheckConstraint("kind IN ('recovery', 'pairing', 'invitation')", name=op.f("ck_code_kind_known")),
        sa.CheckConstraint(
            "(kind = 'invitation') = (account_id IS NULL)", name=op.f("ck_code_account_given")
        ),
        sa.CheckConstraint("uses >= 0", name=op.f("ck_code_uses_left")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_code_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_code")),
    )
    op.create_index(op.f("ix_code_account_id"), "code", ["account_id"])
    op.create_table(
        "sanction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("network", sa.String(49), nullable=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(64), nullable=False),
        sa.CheckConstraint("kind IN ('ban', 'mute')", name=op.f("ck_sanction_kind_known")),
        sa.CheckConstraint("(account_id IS NULL) <> (network IS NULL)", name=op.f("ck_sanction_one_subject")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sanction_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["account.id"], name=op.f("fk_sanction_by_id_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sanction")),
    )
    op.create_index(op.f("ix_sanction_account_id"), "sanction", ["account_id"])
    op.create_index(op.f("ix_sanction_network"), "sanction", ["network"])
    op.create_table(
        "shun",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("reach", sa.SmallInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("account_id <> other_id", name=op.f("ck_shun_other")),
        sa.CheckConstraint("reach IN (0, 1)", name=op.f("ck_shun_reach_known")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_shun_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["account.id"], name=op.f("fk_shun_other_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "other_id", name=op.f("pk_shun")),
    )
    op.create_index(op.f("ix_shun_other_id"), "shun", ["other_id"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(64), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("network", sa.String(49), nullable=True),
        sa.Column("detail", sa.String(1000), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(act) > 0", name=op.f("ck_audit_act_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("about", sa.String(64), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(seal) = 32", name=op.f("ck_report_seal_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sqlite_autoincrement=True,
    )
    _forbid_changes()


def _forbid_changes() -> None:
    """The audit log can be added to and read, and nothing else."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION worldloom_append_only() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'the audit log is appended to only'; END $$"
        )
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit {_REFUSE[op.get_bind().dialect.name]}"
        )


def downgrade() -> None:
    for table in ("report", "audit", "shun", "sanction", "code"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION worldloom_append_only()")
    with op.batch_alter_table("token") as table:
        for column in ("used_ms", "scopes", "label"):
            table.drop_column(column)
    op.drop_index(op.f("ix_account_owner_id"), table_name="account")
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as table:
        for constraint in ("hidden_bool", "owner_other", "role_known"):
            table.drop_constraint(op.f(f"ck_account_{constraint}"), type_="check")
        table.drop_constraint(op.f("fk_account_owner_id_account"), type_="foreignkey")
        for column in ("seen_ms", "hidden", "owner_id", "role"):
            table.drop_column(column)
