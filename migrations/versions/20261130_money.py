"""Money: purses, the ledger (appended only, sums to zero), receipts, grants of the day."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_money"
down_revision = "20261129_style"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _purses()
    _ledger()
    _receipts()
    op.execute("INSERT INTO purse (id, kind, balance) VALUES (1, 'mint', 0), (2, 'treasury', 0)")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER SEQUENCE purse_id_seq START WITH 3 RESTART")
        _guard_on_postgres()
    else:
        _guard_on_sqlite()


def _purses() -> None:
    op.create_table(
        "purse",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("ref", sa.BigInteger(), nullable=True),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind IN ('mint', 'treasury', 'person', 'grant', 'escrow')", name=op.f("ck_purse_kind_known")
        ),
        sa.CheckConstraint(
            "(kind = 'mint') = (id = 1) AND (kind = 'treasury') = (id = 2)", name=op.f("ck_purse_one_mint")
        ),
        sa.CheckConstraint(
            "(kind IN ('person', 'grant')) = (account_id IS NOT NULL)", name=op.f("ck_purse_account_given")
        ),
        sa.CheckConstraint("(kind = 'escrow') = (ref IS NOT NULL)", name=op.f("ck_purse_ref_given")),
        sa.CheckConstraint("balance >= 0 OR kind = 'mint'", name=op.f("ck_purse_balance_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_purse_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purse")),
        sa.UniqueConstraint("kind", "account_id", name=op.f("uq_purse_kind")),
        sa.UniqueConstraint("ref", name=op.f("uq_purse_ref")),
    )
    op.create_index(op.f("ix_purse_account_id"), "purse", ["account_id"])


def _ledger() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("memo", sa.String(200), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("ref", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(kind) > 0", name=op.f("ck_transfer_kind_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index(op.f("ix_transfer_at_ms"), "transfer", ["at_ms"])
    op.create_table(
        "posting",
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purse_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_posting_amount_some")),
        sa.CheckConstraint(
            "amount BETWEEN -1000000000000000 AND 1000000000000000", name=op.f("ck_posting_amount_range")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["transfer.id"],
            name=op.f("fk_posting_transfer_id_transfer"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.ForeignKeyConstraint(["purse_id"], ["purse.id"], name=op.f("fk_posting_purse_id_purse")),
        sa.PrimaryKeyConstraint("transfer_id", "purse_id", name=op.f("pk_posting")),
    )
    op.create_index(op.f("ix_posting_purse_id"), "posting", ["purse_id", "transfer_id"])
    op.create_table(
        "pending",
        sa.Column("transfer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purse_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("transfer_id", "purse_id", name=op.f("pk_pending")),
    )


def _receipts() -> None:
    op.create_table(
        "receipt",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("refused", sa.SmallInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(key) = 16", name=op.f("ck_receipt_key_length")),
        sa.CheckConstraint("length(request) = 32", name=op.f("ck_receipt_request_length")),
        sa.CheckConstraint("length(answer) <= 65536", name=op.f("ck_receipt_answer_length")),
        sa.CheckConstraint("refused IN (0, 1)", name=op.f("ck_receipt_refused_bool")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_receipt_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_receipt")),
    )
    op.create_index(op.f("ix_receipt_at_ms"), "receipt", ["at_ms"])
    op.create_table(
        "granted",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("network", sa.String(49), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_granted_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_granted")),
    )
    op.create_index(op.f("ix_granted_network"), "granted", ["network"])
    op.create_index(op.f("ix_granted_at_ms"), "granted", ["at_ms"])


def _guard_on_sqlite() -> None:
    """Postings come first; the transfer is refused unless they are all there, and they are refused after it."""
    refuse = "BEGIN SELECT RAISE(ABORT, '{}'); END"
    for table in ("transfer", "posting"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                + refuse.format("the ledger is appended to only")
            )
    op.execute(
        "CREATE TRIGGER transfer_balanced BEFORE INSERT ON transfer WHEN NOT EXISTS"
        " (SELECT 1 FROM posting WHERE transfer_id = NEW.id GROUP BY transfer_id"
        " HAVING count(*) >= 2 AND sum(amount) = 0) "
        + refuse.format("the postings of a transfer sum to zero")
    )
    op.execute(
        "CREATE TRIGGER posting_in_time BEFORE INSERT ON posting WHEN EXISTS"
        " (SELECT 1 FROM transfer WHERE id = NEW.transfer_id) "
        + refuse.format("postings are added before their transfer is written")
    )


def _guard_on_postgres() -> None:
    """The postings of a transfer are one statement, which must be balanced, of the number that was drawn last.

    No trigger reads a table before the commit: under SERIALIZABLE every transfer would then be in the way of those
    beside it, which write to the same page.
    """
    op.execute(
        "CREATE FUNCTION worldloom_ledger_only() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'the ledger is appended to only'; END $$"
    )
    for table in ("transfer", "posting"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION worldloom_ledger_only()"
            )
    op.execute(
        "CREATE FUNCTION worldloom_balanced() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT 1 FROM fresh GROUP BY transfer_id HAVING sum(amount) <> 0) THEN"
        " RAISE EXCEPTION 'the postings of a transfer sum to zero'; END IF;"
        " IF EXISTS (SELECT 1 FROM fresh WHERE transfer_id <> currval('transfer_id_seq')) THEN"
        " RAISE EXCEPTION 'postings are added before their transfer is written'; END IF;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER posting_balanced AFTER INSERT ON posting REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION worldloom_balanced()"
    )
    op.execute(
        "CREATE FUNCTION worldloom_posted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NOT EXISTS (SELECT 1 FROM posting WHERE transfer_id = NEW.id) THEN"
        " RAISE EXCEPTION 'the postings of a transfer sum to zero, and are two or more'; END IF;"
        " RETURN NULL; END $$"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER transfer_posted AFTER INSERT ON transfer DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION worldloom_posted()"
    )


def downgrade() -> None:
    for table in ("granted", "receipt", "pending", "posting", "transfer", "purse"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for name in ("ledger_only", "balanced", "posted"):
            op.execute(f"DROP FUNCTION worldloom_{name}()")
