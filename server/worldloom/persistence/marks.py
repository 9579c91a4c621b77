"""Marks: where a use case begins, so that it can be undone and another can follow. Knows no use case.

On SQLite several share a transaction: each has a savepoint. On PostgreSQL each has a transaction of its own.
"""

from sqlalchemy import text

from worldloom.persistence.known import Known

__all__ = ["KEEP", "SAVE", "UNDO"]

SAVE, KEEP = (Known({"sqlite": text(f"{what} use_case")}) for what in ("SAVEPOINT", "RELEASE"))
UNDO = Known({"sqlite": text("ROLLBACK TO use_case"), "postgresql": text("ROLLBACK")})
"""Go back to the mark. PostgreSQL's driver begins anew by itself, with the next statement."""
