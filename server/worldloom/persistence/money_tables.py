"""Tables of money: purses, the ledger, receipts. Amounts are minor units; times are Unix milliseconds.

What the tables alone cannot promise, triggers do (see the migration): transfer and posting are appended to only, and
the postings of a transfer sum to zero.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from worldloom.persistence.metadata import metadata

__all__ = ["granted", "pending", "posting", "purse", "receipt", "transfer"]

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives; SQLite's integers have 64 bits under any name, but only this one counts."""

purse = Table(
    "purse",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account_id", Integer, ForeignKey("account.id"), index=True),
    Column("ref", BigInteger, unique=True),
    Column("balance", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("kind", "account_id"),
    CheckConstraint("kind IN ('mint', 'treasury', 'person', 'grant', 'escrow')", name="kind_known"),
    CheckConstraint("(kind = 'mint') = (id = 1) AND (kind = 'treasury') = (id = 2)", name="one_mint"),
    CheckConstraint("(kind IN ('person', 'grant')) = (account_id IS NOT NULL)", name="account_given"),
    CheckConstraint("(kind = 'escrow') = (ref IS NOT NULL)", name="ref_given"),
    CheckConstraint("balance >= 0 OR kind = 'mint'", name="balance_positive"),
)
"""Where money is. ``balance`` is what the postings sum to, but for those that are ``pending``; ``ref``: whose bid."""

transfer = Table(
    "transfer",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("memo", String(200), nullable=False),
    Column("by_id", Integer),
    Column("ref", BigInteger),
    CheckConstraint("length(kind) > 0", name="kind_length"),
)
"""What happened to money, appended only. ``by_id``: the account that did it."""

posting = Table(
    "posting",
    metadata,
    Column(
        "transfer_id",
        BigInteger,
        ForeignKey("transfer.id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("purse_id", BigInteger, ForeignKey("purse.id"), primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
    CheckConstraint("amount <> 0", name="amount_some"),
    CheckConstraint(
        "amount BETWEEN -1000000000000000 AND 1000000000000000",
        name="amount_range",
    ),
    Index("ix_posting_purse_id", "purse_id", "transfer_id"),
)
"""What a transfer gave a purse, appended only, before its transfer: so that the database can add them up."""

pending = Table(
    "pending",
    metadata,
    Column("transfer_id", BigInteger, primary_key=True, autoincrement=False),
    Column("purse_id", BigInteger, primary_key=True, autoincrement=False),
    Column("amount", BigInteger, nullable=False),
)
"""Postings of mint and treasury that are not in the balance of their purse yet: no trade waits for that row."""

receipt = Table(
    "receipt",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("refused", SmallInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    CheckConstraint("length(key) = 16", name="key_length"),
    CheckConstraint("length(request) = 32", name="request_length"),
    CheckConstraint("length(answer) <= 65536", name="answer_length"),
    CheckConstraint("refused IN (0, 1)", name="refused_bool"),
)
"""What was answered to a request with a key, kept for a week: asked again, it is answered so, and not done again."""

granted = Table(
    "granted",
    metadata,
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("network", String(49), nullable=False, index=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
)
"""Newcomers who were given money, and from where, kept for a day: so that one address does not get it many times."""
