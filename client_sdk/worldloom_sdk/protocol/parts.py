"""Structs that travel within messages only, each as an array of its fields; among them what a Done carries."""

from msgspec import Struct

__all__ = [
    "AuditEntry",
    "Blocked",
    "Edited",
    "Found",
    "Limits",
    "Line",
    "Named",
    "Person",
    "Reported",
    "Sanction",
    "Secret",
    "TokenInfo",
    "Worn",
]


class Secret(Struct, array_like=True, frozen=True):
    """A code or key that is told this once; the server keeps only its hash."""

    text: str
    until_ms: int = 0
    """Unix time in milliseconds until which it is good; 0: without end."""
    account: int = 0
    """The account that it opens; 0: a new one."""


class TokenInfo(Struct, array_like=True, frozen=True):
    """A token of an account or of one of its bots; what it opens is told nobody."""

    id: str
    """For Account with the act ``revoke``: 16 hexadecimal digits."""
    name: str
    """The account's, or the bot's."""
    label: str
    """Which client program it was given to."""
    scopes: list[str] | None
    """Each a Scope; nil: everything."""
    made_ms: int
    """Unix time."""
    used_ms: int
    """Unix time when somebody last came with it; 0: never."""
    current: bool
    """Whether it is the one that this session came with."""


class Sanction(Struct, array_like=True, frozen=True):
    """A ban or mute in force."""

    kind: str
    """Either "ban" or "mute"."""
    reason: str
    made_ms: int
    """Unix time."""
    until_ms: int
    """Unix time; 0: without end."""
    by: str
    """Who laid it; "operator" from the command line."""
    network: str = ""
    """On which network it lies; empty: on the account."""


class Person(Struct, array_like=True, frozen=True):
    """Somebody, as staff see them."""

    avatar: int
    """For accounts their number, here or not."""
    name: str
    role: str
    """A Role."""
    here: bool
    of: str = ""
    """For a bot: its owner's name."""
    hidden: bool = False
    """Whether invisible."""
    made_ms: int = 0
    """Unix time when the account was made; 0 for guests."""
    seen_ms: int = 0
    """Unix time when it was last here; 0: unknown."""
    address: str = ""
    """With ``show``, if here: where from, as a ban takes it for ``network``."""
    sanctions: list[Sanction] = []
    """With ``show``: in force."""
    is_bot: bool = False


class Reported(Struct, array_like=True, frozen=True):
    """A report as staff see it; the evidence is read on the command line."""

    number: int
    at_ms: int
    """Unix time."""
    by: str
    """Who reported."""
    about: str
    """Whom."""
    text: str


class AuditEntry(Struct, array_like=True, frozen=True):
    """One privileged act."""

    number: int
    at_ms: int
    """Unix time."""
    by: str
    """Who did it; "operator" from the command line."""
    act: str
    """As in OrderAct and AccountAct, and others; more may be added."""
    about: str
    """The name or network that it was about."""
    text: str
    """Reason, role, and what else belongs to the act."""
    until_ms: int = 0
    """Unix time; 0: without end, or the act has none."""


class Edited(Struct, array_like=True, frozen=True):
    """A region that an edit touched, and the version that its overlay has from then on."""

    rx: int
    rz: int
    version: int


class Limits(Struct, array_like=True, frozen=True):
    """What the server holds a client to, so that it need not find out."""

    speed: int
    """Horizontal speed limit, 1/64 m a second."""
    climb: int
    """Vertical speed limit, 1/16 m a second."""
    moves_per_s: int
    """Moves a second."""
    text_chars: int
    """Characters of a line that you speak; a longer one is refused."""
    view_cells: int
    """Avatars are seen in the cells up to this many away: 2 means 5 x 5."""
    resume_ms: int
    """How long after a lost connection the session can be resumed."""


class Line(Struct, array_like=True, frozen=True):
    """A spoken line, within Frame: who, the name at that moment, how loud, what."""

    avatar: int
    """Who spoke; may be out of view, or be you."""
    name: str
    kind: int
    """A SayKind."""
    text: str


class Named(Struct, array_like=True, frozen=True):
    """One entry of People."""

    avatar: int
    name: str
    kind: str
    """A Role, or "bot"; more may be added."""
    of: str = ""
    """For a bot: the name of its owner; empty if it has none."""
    look: bytes = b""
    """See "Looks"; 5 bytes, more may be added."""


class Worn(Struct, array_like=True, frozen=True):
    """One entry of Looks."""

    avatar: int
    look: bytes


class Blocked(Struct, array_like=True, frozen=True):
    """Somebody whom you block."""

    avatar: int
    name: str
    reach: int
    """A BlockReach."""


class Found(Struct, array_like=True, frozen=True):
    """Somebody in the world, found by name."""

    avatar: int
    name: str
    kind: str
    """A Role, or "bot"; more may be added."""
    x: int
    """Metres: the middle of the cell of 32 m in which the body is."""
    z: int
    """Metres."""
