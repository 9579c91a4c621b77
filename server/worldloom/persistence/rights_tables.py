"""Tables of rights: what was given in estates, who is excluded, and notes of changes. Knows no connection, no query."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
)

from worldloom.persistence.tables import metadata

__all__ = ["access_note", "exclusion", "permit"]

permit = Table(
    "permit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate_id", Integer, ForeignKey("estate.id", ondelete="CASCADE"), nullable=False),
    Column("giver_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account_id", Integer, ForeignKey("account.id", ondelete="CASCADE"), index=True),
    Column("verbs", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("until_ms", BigInteger, index=True),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("verbs BETWEEN 0 AND 511", name="verbs_known"),
    CheckConstraint("role IN ('', 'manager', 'builder', 'tenant')", name="role_known"),
)
"""Verbs that an owner or tenant gave to an account, or to everyone. Counts while who gave it is in charge.

One row for each in one name: ``rights_indexes``.
"""

exclusion = Table(
    "exclusion",
    metadata,
    Column(
        "estate_id",
        Integer,
        ForeignKey("estate.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column(
        "giver_id",
        Integer,
        ForeignKey("account.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column(
        "account_id",
        Integer,
        ForeignKey("account.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column("until_ms", BigInteger, index=True),
    Column("reason", String(500), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
"""Who may not be in an estate, whatever else they were given."""

access_note = Table(
    "access_note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("estate_id", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("xact", BigInteger, nullable=False, index=True),
    sqlite_autoincrement=True,
)
"""It may be another who may be in an estate: hosts follow this to put it in force. ``xact``: PostgreSQL's number of the
transaction, by which it is known what was committed since one looked; 0 on SQLite, where numbers rise with commits."""
