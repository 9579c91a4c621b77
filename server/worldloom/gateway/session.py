"""Sessions: one for each authenticated connection, and it survives a resume. Knows its socket, not how people came in.

States: *joining* (the shard has not set the body down yet), *live*, *lost* (no socket; the body waits for a resume),
*ended*. What a client may ask for is bounded by buckets; ten wrong commands close.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from worldloom.errors import Refusal
from worldloom.gateway.sockets import GameSocket
from worldloom.replication.views import Seat
from worldloom.replication.wire import message, name_card
from worldloom_sdk.protocol.messages import CloseCode, Named, RefusalCode, Refused

__all__ = ["Bucket", "Buckets", "Home", "Session", "SessionState"]

MAX_UNSENT = 256 * 1024
"""Bytes unsent to a paused client beyond which it is dropped at once."""
POST_BYTES_PER_S = 8_192
"""Whispers and signals that reach one session: a slow reader must not drown in what others send."""
PAUSES_WINDOW_S = 10.0


class SessionState(Enum):
    """Where a session is in its life."""

    JOINING = 1
    LIVE = 2
    LOST = 3
    ENDED = 4


class Bucket:
    """A token bucket on a clock in the caller's hand."""

    __slots__ = ("_burst", "_per_s", "_since", "_tokens")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._tokens, self._since = burst, 0.0

    def take(self, now: float, tokens: float = 1) -> float:
        """Take tokens: 0 when granted, else the seconds until there are as many."""
        self._tokens = min(self._burst, self._tokens + (now - self._since) * self._per_s)
        self._since = now
        if self._tokens < tokens:
            return (tokens - self._tokens) / self._per_s
        self._tokens -= tokens
        return 0.0


class Limits(Protocol):
    """The section of the configuration that bounds one connection."""

    @property
    def commands_per_s(self) -> int: ...
    @property
    def says_per_10s(self) -> int: ...
    @property
    def wrong_commands(self) -> int: ...


class Buckets:
    """What one session may ask for, and what others may send it (``post``)."""

    __slots__ = ("calls", "commands", "pings", "post", "says", "whos")

    def __init__(self, limits: Limits) -> None:
        self.commands = Bucket(limits.commands_per_s, 2 * limits.commands_per_s)
        self.says = Bucket(limits.says_per_10s / 10, limits.says_per_10s)
        self.whos = Bucket(4, 8)
        self.pings = Bucket(2, 8)
        # One of these goes to everybody within 100 m.
        self.calls = Bucket(2, 4)
        self.post = Bucket(POST_BYTES_PER_S, 2 * POST_BYTES_PER_S)


@dataclass(eq=False, slots=True)
class Home:
    """A client address, and what its sessions may ask for together; ``index`` is its number among the addresses."""

    key: str
    index: int
    commands: Bucket
    says: Bucket
    sessions: "dict[Session, None]" = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Session:
    """Somebody in the world.

    Attributes:
        avatar: Avatar id; for accounts the account's.
        account: The account's id, None for a guest.
        name: As shown; ``skeletons``: what it looks like.
        row: Number in the gateway's move table.
        seat: What replication knows of it.
        resume: The resume token that is good now; ``resume_before`` is, too, until the client is known to have it.
        resume_used: The token with which it was resumed last.
        closing: The code with which its socket is being closed, 0 if it is not.
        live_at: When it was last welcomed.
        home: The address that it comes from.
        came: Whether it has been live.
        card: Its entry of People, packed.
        region: Where its body is, None before that is known.
        told: Regions that this connection was told of, with the state told.
    """

    avatar: int
    account: int | None
    name: str
    skeletons: tuple[str, ...]
    row: int
    seat: Seat
    buckets: Buckets
    resume: str = ""
    resume_before: str = ""
    resume_used: str = ""
    closing: int = 0
    live_at: float = 0.0
    home: Home | None = None
    state: SessionState = SessionState.JOINING
    socket: GameSocket | None = None
    token: str | None = None
    resumed: bool = False
    came: bool = False
    wrong: int = 0
    wrong_limit: int = 10
    region: tuple[int, int] | None = None
    told: dict[tuple[int, int], str] = field(default_factory=dict)
    lost_at: float = 0.0
    paused_at: float = 0.0
    pauses: list[float] = field(default_factory=list)
    over_moves: int = 0
    card: bytes = b""

    def __post_init__(self) -> None:
        self.card = name_card(Named(self.avatar, self.name, self.kind))

    @property
    def kind(self) -> str:
        """As People tells it."""
        return "guest" if self.account is None else "resident"

    def write(self, frame: bytes) -> None:
        """Write a ready-made frame, if there is anybody to read it."""
        connection = self.socket
        if connection is None:
            return
        connection.writer(frame)
        if connection.paused and connection.unsent_bytes > MAX_UNSENT:
            connection.abort()

    def refuse(self, command: int, refusal: Refusal) -> None:
        """Tell that a command was not carried out."""
        told = Refused(command, refusal.code, refusal.text, refusal.hint, refusal.retry_after_ms)
        self.write(message(told))

    def mistaken(self, command: int, text: str, code: RefusalCode = RefusalCode.INVALID) -> None:
        """Answer a wrong command; too many close the connection."""
        self.wrong += 1
        self.refuse(command, Refusal(code, text))
        if self.wrong >= self.wrong_limit:
            self.close(CloseCode.POLICY, "too many wrong commands")

    def close(self, code: int, reason: str) -> None:
        """Close the socket; the gateway hears of it. Nothing is written after the closing frame."""
        if self.socket is not None:
            self.closing = code
            self.socket.close(code, reason)

    def deliver(self, frame: bytes, now: float) -> bool:
        """Write what somebody else sent, unless the client has more than it can read; whether it was written."""
        connection = self.socket
        if connection is None or connection.paused or self.buckets.post.take(now, len(frame)):
            return False
        self.write(frame)
        return True

    def note_pause(self, now: float) -> bool:
        """The client reads too slowly; True when it did so twice in ten seconds."""
        self.paused_at = now
        self.pauses = [at for at in self.pauses if now - at < PAUSES_WINDOW_S] + [now]
        return len(self.pauses) >= 2
