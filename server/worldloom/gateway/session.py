"""Sessions: one for each authenticated connection, and it survives a resume. Knows its socket, not how people came in.

States: *joining* (the shard has not set the body down yet), *live*, *lost* (no socket; the body waits for a resume),
*ended*. What a client may ask for is bounded by buckets; ten wrong commands close.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from worldloom.errors import Refusal
from worldloom.gateway.sockets import GameSocket
from worldloom.realm.order import STAFF_LAYER, is_staff
from worldloom.replication.views import KEPT_TICKS, Seat
from worldloom.replication.wire import message, name_card
from worldloom.world.avatars import BOT, EVERYWHERE
from worldloom_sdk.protocol.geometry import TICK_MS
from worldloom_sdk.protocol.looks import default_look
from worldloom_sdk.protocol.messages import BlockReach, CloseCode, Named, RefusalCode, Refused, Role, Scope

__all__ = [
    "GUEST",
    "KEPT_MS",
    "Bucket",
    "Buckets",
    "Home",
    "Post",
    "Posts",
    "Session",
    "SessionState",
    "Standing",
]

MAX_UNSENT = 256 * 1024
"""Bytes unsent to a paused client beyond which it is dropped at once."""
POST_BYTES_PER_S = 8_192
"""Whispers and signals that reach one session: a slow reader must not drown in what others send."""
PAUSES_WINDOW_S = 10.0
POST_HEAD_BYTES = 16
"""What a whisper or signal takes beside its frame: an empty one is not for nothing."""
KEPT_MS = KEPT_TICKS * TICK_MS
"""How long they are remembered."""
POSTS_KEPT_BYTES = 384 * 1024
"""More than can be delivered in ``KEPT_MS``: nobody can push out what somebody was sent by sending more."""


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

    __slots__ = ("calls", "commands", "finds", "looks", "pings", "post", "says", "whos")

    def __init__(self, limits: Limits) -> None:
        self.commands = Bucket(limits.commands_per_s, 2 * limits.commands_per_s)
        self.says = Bucket(limits.says_per_10s / 10, limits.says_per_10s)
        self.whos = Bucket(4, 8)
        self.pings = Bucket(2, 8)
        self.finds = Bucket(1, 5)
        self.looks = Bucket(0.2, 3)
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


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is here.

    Attributes:
        role: See Role.
        scopes: Of the key that was shown; None: everything.
        is_bot: Whether it is marked as no person; ``owner``: whose bot, by name, and ``owner_account``.
        muted_until_ms: Unix time until which it cannot speak; None: it can; FOREVER: without end.
        mute_reason: Why.
        hidden: Whether staff alone see it.
        token_sha256: Of the token that it came with.
    """

    role: Role = Role.GUEST
    scopes: frozenset[Scope] | None = None
    is_bot: bool = False
    owner: str = ""
    owner_account: int | None = None
    muted_until_ms: int | None = None
    mute_reason: str = ""
    hidden: bool = False
    token_sha256: bytes | None = None

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that it sees."""
        return (0, STAFF_LAYER) if is_staff(self.role) else (0,)

    @property
    def layer(self) -> int:
        """The layer in which it is seen."""
        return STAFF_LAYER if self.hidden else 0

    @property
    def access(self) -> int:
        """Where its body may go, as the shard knows it."""
        return BOT * self.is_bot | EVERYWHERE * is_staff(self.role)

    def muted_ms(self, unix_ms: int) -> int:
        """Milliseconds from a moment for which it cannot speak; 0: it can; FOREVER: without end."""
        return FOREVER if self.muted_until_ms == FOREVER else max(0, (self.muted_until_ms or 0) - unix_ms)

    def may(self, scope: Scope) -> bool:
        """Whether the key has a scope."""
        return self.scopes is None or scope in self.scopes

    def need(self, scope: Scope) -> None:
        """Make sure that the key has a scope.

        Raises:
            Refusal: FORBIDDEN.
        """
        if not self.may(scope):
            has = ", ".join(sorted(self.scopes or ())) or "none"
            raise Refusal(
                RefusalCode.FORBIDDEN,
                f"expected a key with the scope {scope.value!r}, got one with: {has}",
                "the bot's owner can make another key",
            )


GUEST = Standing()
FOREVER = 2**53 - 1
"""As a time or a span: without end."""


Post = tuple[int, str, str, str | bytes]
"""A whisper or signal: whose avatar and name, channel, what."""


class Posts:
    """Whispers and signals that somebody was sent: those of the last ``KEPT_MS``, whatever their number."""

    __slots__ = ("_bytes", "_kept")

    def __init__(self) -> None:
        self._kept: deque[tuple[int, int, Post]] = deque()
        self._bytes = 0

    def __iter__(self) -> Iterator[tuple[int, Post]]:
        return ((at_ms, post) for at_ms, _, post in self._kept)

    def add(self, at_ms: int, size: int, post: Post) -> None:
        """One more, at that world time; ``size``: what it took of what can be delivered, in bytes."""
        self._kept.append((at_ms, size, post))
        self._bytes += size
        while self._bytes > POSTS_KEPT_BYTES or at_ms - self._kept[0][0] > KEPT_MS:
            self._bytes -= self._kept.popleft()[1]


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
        standing: What it may do here.
        shunned: Avatars that it has nothing to do with, and how far, whoever of the two wished it.
        own_shuns: Those of them by its own wish, and how far that goes.
        hush: Until which Unix time this guest was told to be silent, and why.
        posts: The whispers and signals delivered to it lately.
        home: The address that it comes from.
        look: Its look, as on the wire; ``findable``: whether it is found by name.
        came: Whether it has been live.
        unheard: Whether its client has not been heard since its last Welcome.
        by_code: Whether its token was made from a code, and its client has not been heard since.
        card: Its entry of People, packed.
        recovery: A recovery code to be told with the next Welcome.
        region: Where its body is, None before that is known.
        told: Regions that this connection was told of, with the tile (or "weaving") and the version of the overlay.
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
    standing: Standing = GUEST
    shunned: dict[int, BlockReach] = field(default_factory=dict)
    own_shuns: dict[int, BlockReach] = field(default_factory=dict)
    hush: tuple[int, str] = (0, "")
    posts: Posts = field(default_factory=Posts)
    recovery: str = ""
    errands: int = 0
    home: Home | None = None
    state: SessionState = SessionState.JOINING
    socket: GameSocket | None = None
    token: str | None = None
    resumed: bool = False
    came: bool = False
    unheard: bool = False
    by_code: bool = False
    wrong: int = 0
    wrong_limit: int = 10
    region: tuple[int, int] | None = None
    told: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)
    lost_at: float = 0.0
    paused_at: float = 0.0
    pauses: list[float] = field(default_factory=list)
    over_moves: int = 0
    look: bytes = b""
    findable: bool = True
    card: bytes = b""

    def __post_init__(self) -> None:
        self.wear(self.look)

    def stand(self, standing: Standing) -> None:
        """It is something else here from now on."""
        self.standing = standing
        self._write_card()

    @property
    def kind(self) -> str:
        """What it is to others: "bot", or a role."""
        return "bot" if self.standing.is_bot else self.standing.role.value

    def wear(self, look: bytes) -> None:
        """It looks otherwise from now on; empty: as follows from its avatar id."""
        self.look = look or default_look(self.avatar).to_bytes()
        self._write_card()

    def _write_card(self) -> None:
        self.card = name_card(Named(self.avatar, self.name, self.kind, self.standing.owner, self.look))

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

    def deliver(self, frame: bytes, now: float, at_ms: int, post: Post) -> bool:
        """Write what somebody else sent, unless the client has more than it can read; whether it was written.

        Args:
            frame: Ready to be written.
            now: Seconds of a steady clock.
            at_ms: World time.
            post: What it says, to be remembered.
        """
        connection, size = self.socket, len(frame) + POST_HEAD_BYTES
        if connection is None or connection.paused or self.buckets.post.take(now, size):
            return False
        self.write(frame)
        self.posts.add(at_ms, size, post)
        return True

    def has_nothing_to_do_with(self, other: "Session") -> bool:
        """Whether one of the two blocks the other, or its speech."""
        return other.avatar in self.shunned

    def note_pause(self, now: float) -> bool:
        """The client reads too slowly; True when it did so twice in ten seconds."""
        self.paused_at = now
        self.pauses = [at for at in self.pauses if now - at < PAUSES_WINDOW_S] + [now]
        return len(self.pauses) >= 2
