"""Faults: what an exception of the database means to those who know no database."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from worldloom.errors import StoreBusy, StoreUnavailable

__all__ = ["is_conflict", "translate"]

_CONFLICTS = frozenset({"40001", "40P01"})
_LOCK_NOT_AVAILABLE = "55P03"


def is_conflict(error: BaseException) -> bool:
    """Whether PostgreSQL rolled the transaction back for another's sake, so that the whole unit may be tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


def translate(error: BaseException) -> BaseException:
    """The error for the caller: StoreBusy or StoreUnavailable for the database's troubles, else ``error`` itself.

    A broken constraint or a wrong statement is a fault of the use case and stays what it is.
    """
    if not isinstance(error, DBAPIError):
        return error
    orig = error.orig
    if getattr(orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE or is_conflict(error):
        return StoreBusy("the database was too busy with the same rows; nothing was done")
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return StoreUnavailable(f"the database failed, the outcome is unknown: {_first_line(orig)}")
    return error


def _first_line(error: BaseException | None) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
