"""Ports: one ``typing.Protocol`` per edge of the core. Shells implement them; nothing here does anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from worldloom.ports.events import PublicEvent
from worldloom.ports.land import LandTx
from worldloom.ports.market import MarketTx
from worldloom.ports.money import MoneyTx
from worldloom.ports.rights import RightsTx
from worldloom.ports.weaving import StyledSource, StyleRow, Styles, Stylist, TerrainSource, Wisher
from worldloom.realm.order import AuditAct, SanctionKind
from worldloom_sdk.protocol.messages import BlockReach, Role, Scope

__all__ = [
    "AccountRow",
    "AuditRow",
    "Clock",
    "CodeRow",
    "EdgesRow",
    "MarketTx",
    "Misfit",
    "MoneyTx",
    "OrderTx",
    "OverlayRow",
    "PlaceRow",
    "PublicEvent",
    "ReportRow",
    "RightsTx",
    "SanctionRow",
    "SeenRow",
    "ShunRow",
    "Store",
    "StyleRow",
    "StyledSource",
    "Styles",
    "Stylist",
    "TerrainSource",
    "TileRow",
    "TokenRow",
    "Tx",
    "Wisher",
    "WorldRow",
    "is_locking",
    "locks_first",
]

C = TypeVar("C", contravariant=True)
R = TypeVar("R")


class Clock(Protocol):
    """Time as an object, so that tests hold it in hand."""

    def monotonic(self) -> float:
        """Seconds for durations; never goes back."""

    def world_ms(self) -> int:
        """World time in milliseconds; ``tick = world_ms // 50``."""


@dataclass(frozen=True, slots=True)
class WorldRow:
    """The world itself: one row."""

    world_id: str
    """32 hex digits, made at first start."""
    name: str
    seed: int
    """0 .. 2**63 - 1."""
    created_ms: int
    """Unix time."""


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where an account was last: wire units."""

    account: int
    x: int
    z: int
    y: int
    yaw: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A person or a bot that comes back. ``account`` is also its avatar id: 1 .. 2**31 - 1."""

    account: int
    name: str
    place: PlaceRow | None
    role: Role = Role.RESIDENT
    owner: int | None = None
    """For a bot: the account whose it is."""
    hidden: bool = False
    """Whether it comes in invisible."""
    created_ms: int = 0
    seen_ms: int = 0
    """When it was last here, 0 if that is not known. Unix time, like all times here."""
    look: bytes | None = None
    """As on the wire; None: it never chose one."""
    findable: bool = True
    """Whether it can be found by name."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token, by its hash."""

    token_sha256: bytes
    account: int
    label: str
    scopes: frozenset[Scope] | None
    """None: everything."""
    created_ms: int
    used_ms: int = 0


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code that opens an account, or the door."""

    code_sha256: bytes
    kind: str
    """"recovery", "pairing" or "invitation"."""
    account: int | None
    created_ms: int
    until_ms: int | None
    uses: int
    token_sha256: bytes | None = None
    """Of the token that was made from it, while nobody who came with it has been heard."""


@dataclass(frozen=True, slots=True)
class SanctionRow:
    """A ban or mute; on an account or on a network."""

    kind: SanctionKind
    account: int | None
    network: str | None
    reason: str
    created_ms: int
    until_ms: int | None
    by: int | None
    by_name: str


@dataclass(frozen=True, slots=True)
class ShunRow:
    """A personal block: ``account`` wants nothing of ``other``."""

    account: int
    other: int
    reach: BlockReach
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class SeenRow:
    """An account was here at that time; with which token, if with one."""

    account: int
    token_sha256: bytes | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One privileged act. ``number`` is given by the log: in the order of commits, without regard to hosts."""

    at_ms: int
    by: int | None
    """None: the operator."""
    by_name: str
    act: AuditAct
    account: int | None
    """Whom it was about, if that is an account."""
    about: str
    """The name or network that it was about."""
    network: str | None
    detail: str
    until_ms: int | None
    number: int = 0


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What somebody reported, sealed."""

    at_ms: int
    by: int | None
    by_name: str
    account: int | None
    about: str
    detail: str
    evidence: bytes
    seal: bytes
    closed_ms: int | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class TileRow:
    """The stored tile of a region."""

    rx: int
    rz: int
    sha256: str
    source: str
    """Which source made it, for example "noise"; "fallback" when the source asked first had failed."""
    data: bytes
    edges: bytes | None = None
    """Its borders as ``world.edges`` writes them; None in rows made before there were any."""


@dataclass(frozen=True, slots=True)
class EdgesRow:
    """The borders of a stored tile."""

    rx: int
    rz: int
    edges: bytes | None


@dataclass(frozen=True, slots=True)
class Misfit:
    """A tile was not stored: a neighbour that was stored before has other heights along their border."""

    neighbours: tuple[EdgesRow, ...]
    """All stored neighbours whose borders are known, up to eight."""


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """The stored overlay of a region, whether its land is made or not."""

    rx: int
    rz: int
    version: int
    """Rises by one with each edit that touches the region."""
    data: bytes
    """As ``encode_overlay`` writes it, of the same version."""


class OrderTx(Protocol):
    """The part of a transaction that keeps order: people, tokens, codes, sanctions, blocks, audit log, reports."""

    def accounts(self, numbers: Sequence[int]) -> Sequence[AccountRow]:
        """The accounts of these numbers, ascending; numbers of nobody are passed over."""

    def accounts_named(self, part: str, skeleton: str, limit: int) -> Sequence[AccountRow]:
        """Accounts whose name contains ``part``, or whose skeleton contains ``skeleton``; by skeleton."""

    def accounts_from(self, number: int, part: str, skeleton: str, limit: int) -> Sequence[AccountRow]:
        """The same by number, from this one on."""

    def bots_of(self, account: int) -> Sequence[AccountRow]:
        """The bots of an account, oldest first."""

    def set_role(self, number: int, role: Role) -> None:
        """Give an account a role."""

    def set_hidden(self, number: int, hidden: bool) -> None:
        """Let an account be invisible, or not."""

    def set_look(self, number: int, look: bytes | None) -> None:
        """Give an account a look; None: none of its own choice."""

    def set_findable(self, number: int, findable: bool) -> None:
        """Let an account be found by name, or not."""

    def note_seen(self, seen: Sequence[SeenRow]) -> None:
        """Remember when accounts and tokens were last here. A code from which one of the tokens was made is deleted."""

    def token(self, token_sha256: bytes) -> TokenRow | None:
        """The token of this hash."""

    def tokens_of(self, accounts: Sequence[int]) -> Sequence[TokenRow]:
        """All tokens of these accounts, oldest first."""

    def insert_token(self, row: TokenRow) -> None:
        """Add a token."""

    def delete_token(self, token_sha256: bytes) -> None:
        """Make a token void."""

    def code(self, code_sha256: bytes) -> CodeRow | None:
        """The code of this hash, run out or not."""

    def insert_code(self, row: CodeRow, beside: bytes | None = None) -> None:
        """Add a code; an account's earlier codes of that kind are deleted, but the one of the hash ``beside``."""

    def use_code(self, code_sha256: bytes) -> None:
        """Take one use from a code; the last use deletes it."""

    def set_code_token(self, code_sha256: bytes, token_sha256: bytes) -> None:
        """A token was made from a code. When it is seen, or with the token, that is over."""

    def count_invitations(self, now_ms: int) -> int:
        """Invitations that have not run out."""

    def sanctions(
        self, accounts: Sequence[int], networks: Sequence[str], now_ms: int
    ) -> Sequence[SanctionRow]:
        """What is in force on any of these accounts or of exactly these networks."""

    def insert_sanction(self, row: SanctionRow) -> None:
        """Lay a sanction."""

    def delete_sanctions(self, kind: SanctionKind, account: int | None, network: str | None) -> None:
        """Delete all of one kind on an account or on exactly that network."""

    def shuns_around(self, account: int, limit: int) -> Sequence[ShunRow]:
        """Blocks that an account set, then those that others set against it; newest first."""

    def save_shun(self, row: ShunRow) -> None:
        """Set a block, or change how far it reaches."""

    def delete_shun(self, account: int, other: int) -> None:
        """Take a block back."""

    def lock_order(self) -> None:
        """Wait until no other transaction keeps order. The first call of a use case that appends to the audit log."""

    def append_audit(self, row: AuditRow) -> int:
        """Write down a privileged act; its number. Numbers become visible in ascending order, after ``lock_order``."""

    def audit_after(self, number: int, limit: int) -> Sequence[AuditRow]:
        """The acts after that number, oldest first."""

    def audit_before(self, number: int, limit: int) -> Sequence[AuditRow]:
        """The acts before that number, newest first."""

    def insert_report(self, row: ReportRow) -> int:
        """Keep a report; its number."""

    def report(self, number: int) -> ReportRow | None:
        """A report, closed or not."""

    def open_reports(self, limit: int) -> Sequence[ReportRow]:
        """Reports that nobody has closed, oldest first, without their evidence."""

    def close_report(self, number: int, now_ms: int) -> None:
        """Mark a report as dealt with."""

    def delete_expired(self, codes_before_ms: int, sanctions_before_ms: int, limit: int) -> int:
        """Delete codes and sanctions that were over before then, at most ``limit`` of each; how many."""


class Tx(OrderTx, MoneyTx, LandTx, MarketTx, RightsTx, Protocol):
    """One transaction: the queries that use cases are written in. Valid only inside the use case."""

    def world(self) -> WorldRow | None:
        """The world's row, if the world was created."""

    def insert_world(self, row: WorldRow) -> None:
        """Create the world."""

    def account_by_token(self, token_sha256: bytes) -> AccountRow | None:
        """Whose token it is."""

    def account_by_skeleton(self, skeleton: str) -> AccountRow | None:
        """Whose name has this confusable skeleton."""

    def insert_account(
        self,
        name: str,
        skeleton: str,
        token_sha256: bytes | None,
        now_ms: int,
        label: str = "",
        owner: int | None = None,
    ) -> int | None:
        """A new account's id, or None when the skeleton is taken (the database decides).

        Args:
            name: As it is shown.
            skeleton: What it looks like; unique.
            token_sha256: Its first token, if it gets one now; 32 bytes.
            now_ms: Unix time.
            label: Of the token.
            owner: For a bot: whose it is.
        """

    def save_places(self, places: Sequence[PlaceRow]) -> None:
        """Remember where accounts were last."""

    def tile(self, rx: int, rz: int) -> TileRow | None:
        """The stored tile of a region."""

    def insert_tile(self, row: TileRow, now_ms: int) -> TileRow:
        """Store a tile unless the region has one; the stored row, whoever's it is. First stored wins."""

    def styles_around(self, rx: int, rz: int) -> Sequence[StyleRow]:
        """The stored styles of the 3 x 3 regions around a region."""

    def insert_styles(self, rows: Sequence[StyleRow], now_ms: int) -> None:
        """Store styles of regions that have none; the others stay as they are."""

    def neighbour_edges(self, rx: int, rz: int) -> Sequence[EdgesRow]:
        """The borders of the stored tiles around a region, up to eight."""

    def woven(self, regions: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Which of these regions have a tile."""

    def overlays(self, regions: Sequence[tuple[int, int]]) -> Sequence[OverlayRow]:
        """The overlays of those of these regions that have one."""

    def save_overlay(self, row: OverlayRow, now_ms: int) -> None:
        """Store an overlay, in place of the version before its own.

        Raises:
            StoreUnavailable: Another version is stored.
        """

    def content(self, sha256: str) -> tuple[str, bytes] | None:
        """Media type and bytes of immutable content."""


def locks_first(use_case: Callable[[Tx, C], R]) -> Callable[[Tx, C], R]:
    """Mark a use case that locks what it decides about before it reads it, and writes under conditions else.

    On PostgreSQL it waits for whoever has the lock and goes on, where another use case would give way and begin anew:
    there even those that have nothing to do with each other get in each other's way, by the pages of an index.
    """
    use_case.locks_first = True  # type: ignore[attr-defined]
    return use_case


def is_locking(use_case: Callable[..., object]) -> bool:
    """Whether a use case is marked by ``locks_first``."""
    return getattr(use_case, "locks_first", False)


class Store(Protocol):
    """Runs use cases, each in a transaction. Safe to call from the event loop; never blocks it."""

    async def run(self, use_case: Callable[[Tx, C], R], command: C) -> R:
        """Run a use case that writes; return after its commit is durable.

        A ``Refusal`` that it raises rolls back its own effects alone and is raised here.

        Raises:
            StoreBusy: Too much is waiting; nothing was done.
            StoreUnavailable: The outcome is unknown.
        """

    async def read(self, query: Callable[[Tx, C], R], command: C) -> R:
        """Run a query that writes nothing, beside the writers."""
