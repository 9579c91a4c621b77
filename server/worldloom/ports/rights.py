"""The part of a transaction that is about rights in places, and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["AccessRow", "ExclusionRow", "PermitRow", "RightsTx", "TenancyRow"]


@dataclass(frozen=True, slots=True)
class PermitRow:
    """Verbs that somebody gave in an estate."""

    estate: int
    giver: int
    """The account in whose name: the owner's, or a tenant's."""
    account: int | None
    """To whom; None: everyone."""
    verbs: int
    """As ``realm.rights.Verb``."""
    role: str
    """By which name they were given; empty if one by one."""
    until_ms: int | None
    """From then on it grants nothing; None: without end. Unix time, like all times here."""
    created_ms: int


@dataclass(frozen=True, slots=True)
class ExclusionRow:
    """Somebody may not be in an estate."""

    estate: int
    giver: int
    """The account in whose name."""
    account: int
    until_ms: int | None
    reason: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class TenancyRow:
    """An estate is leased."""

    estate: int
    tenant: int
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class AccessRow:
    """Something was changed on which it depends who may be in an estate."""

    number: int
    estate: int


class RightsTx(Protocol):
    """The part of a transaction that knows who may do what where."""

    def lock_rights(self) -> None:
        """Wait until no other transaction gives or takes rights. The first call of a use case that does."""

    def permits(self, estates: Sequence[int]) -> Sequence[PermitRow]:
        """All verbs that were given in these estates, run out or not; in the order in which they were given."""

    def save_permit(self, row: PermitRow) -> None:
        """Give verbs, in place of what the same account or everyone was given there by the same giver."""

    def delete_permit(self, estate: int, giver: int, account: int | None) -> bool:
        """Take back what was given; False if nothing was."""

    def exclusions(self, estates: Sequence[int]) -> Sequence[ExclusionRow]:
        """All exclusions from these estates, run out or not; in the order of accounts."""

    def save_exclusion(self, row: ExclusionRow) -> None:
        """Exclude an account, in place of an earlier exclusion by the same giver."""

    def delete_exclusion(self, estate: int, giver: int, account: int) -> bool:
        """Let an account in again; False if it was not excluded."""

    def copy_rights(self, estate: int, to: int) -> None:
        """An estate that has none yet gets the permits and exclusions of another."""

    def tenancies(self, estates: Sequence[int], now_ms: int) -> Sequence[TenancyRow]:
        """The leases of these estates that have not ended."""

    def note_access(self, estates: Sequence[int], now_ms: int) -> None:
        """Tell all hosts, when this transaction is committed, that it may be another who may be in these estates."""

    def access_mark(self) -> int:
        """Where the notes end now, for ``access_after``."""

    def access_after(self, mark: int, limit: int) -> tuple[Sequence[AccessRow], int]:
        """Notes committed since a mark, ascending, some perhaps a second time; and the mark to go on from."""

    def delete_run_out_rights(self, before_ms: int, limit: int) -> int:
        """Delete permits, exclusions and notes that were over before then, at most ``limit`` of each; how many."""
