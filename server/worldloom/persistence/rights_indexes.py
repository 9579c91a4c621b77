"""Indexes of rights over a part of a table, in each engine's own words.

Apart from the table: only who makes or compares tables needs them, and to name an engine loads all of it.
"""

from sqlalchemy import Index, text

from worldloom.persistence.rights_tables import permit

__all__ = ["PERMIT_EVERYONE", "PERMIT_NAMED"]

PERMIT_NAMED = Index(
    "uq_permit_named",
    permit.c.estate_id,
    permit.c.giver_id,
    permit.c.account_id,
    unique=True,
    sqlite_where=text("account_id IS NOT NULL"),
    postgresql_where=text("account_id IS NOT NULL"),
)
"""What is given by name to one account."""
PERMIT_EVERYONE = Index(
    "uq_permit_everyone",
    permit.c.estate_id,
    permit.c.giver_id,
    unique=True,
    sqlite_where=text("account_id IS NULL"),
    postgresql_where=text("account_id IS NULL"),
)
"""What is given to everyone."""
