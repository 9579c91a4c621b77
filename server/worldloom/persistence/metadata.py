"""Metadata: what all tables have in common, and how their constraints are called. Knows no table."""

from sqlalchemy import MetaData

__all__ = ["NAMING", "metadata"]

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""How constraints are called, so that a migration can name what it changes on every engine."""

metadata = MetaData(naming_convention=NAMING)
