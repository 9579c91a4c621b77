"""Events: what a client learns, as classes. Facts that have happened; none can be refused."""

from dataclasses import dataclass
from typing import Any

from worldloom_sdk.avatar import Avatar, Position
from worldloom_sdk.protocol.looks import Look
from worldloom_sdk.protocol.messages import CorrectionReason, SayKind
from worldloom_sdk.protocol.overlay import Patch

__all__ = [
    "AvatarEntered",
    "AvatarLeft",
    "AvatarsMoved",
    "CommandDone",
    "CommandRefused",
    "Corrected",
    "Event",
    "Farewell",
    "JoinRefused",
    "Joined",
    "LookChanged",
    "Lost",
    "NamesKnown",
    "PictureComplete",
    "Ponged",
    "RegionWeaving",
    "RegionWoven",
    "Resumed",
    "Signalled",
    "Spoke",
    "Standing",
    "TerrainEdited",
    "Whispered",
    "check_kind",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events."""


def check_kind(kind: object) -> None:
    """Make sure that something is a class of events.

    Raises:
        TypeError: It is not.
    """
    if not (isinstance(kind, type) and issubclass(kind, Event)):
        raise TypeError(f"expected an event class, like Spoke; got {kind!r}")


@dataclass(frozen=True, slots=True)
class Joined(Event):
    """This client is in the world, as ``me``; the view is empty still. Also after a loss that could not be resumed."""

    me: Avatar
    world: str
    """The world's name."""


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """The session goes on after a lost connection: same body, same id."""

    me: Avatar


@dataclass(frozen=True, slots=True)
class Lost(Event):
    """The connection is gone. Resumed or Joined follows, unless it is ``final``."""

    code: int
    """WebSocket close code, 1006 if it broke without one."""
    reason: str
    final: bool
    """True: the client does not come back by itself."""


@dataclass(frozen=True, slots=True)
class PictureComplete(Event):
    """Everything in view has been sent; from here on the picture is whole."""

    tick: int


@dataclass(frozen=True, slots=True)
class AvatarEntered(Event):
    """A body came into view."""

    avatar: Avatar


@dataclass(frozen=True, slots=True)
class AvatarLeft(Event):
    """A body went out of view, or out of the world."""

    avatar: Avatar
    """As it was last seen."""


@dataclass(frozen=True, slots=True)
class AvatarsMoved(Event):
    """Bodies changed in one tick. Only made for those who ask for it: there may be thousands of ids in it."""

    tick: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spoke(Event):
    """Somebody near said something."""

    avatar: int
    name: str
    kind: SayKind
    text: str
    mine: bool = False
    """True for this client's own line, which comes back with everybody's. Bots are not told of these."""


@dataclass(frozen=True, slots=True)
class Whispered(Event):
    """Somebody whispered to this client."""

    avatar: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Signalled(Event):
    """Somebody's client program sent a signal."""

    avatar: int
    channel: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RegionWoven(Event):
    """The land of a region near is there, as content ``sha256``."""

    rx: int
    rz: int
    sha256: str
    source: str
    """"noise", a model's name, or "fallback"."""
    overlay: int = 0
    """Version of what people changed there; 0: nothing."""


@dataclass(frozen=True, slots=True)
class TerrainEdited(Event):
    """Somebody changed the ground of a region near; ``terrain`` has the new heights, where it has that land at all."""

    rx: int
    rz: int
    version: int
    """Of the region's overlay from now on."""
    patch: Patch
    """The samples of the region that were set, or given back to the tile."""


@dataclass(frozen=True, slots=True)
class RegionWeaving(Event):
    """The land of a region near is being made."""

    rx: int
    rz: int


@dataclass(frozen=True, slots=True)
class Corrected(Event):
    """The server put this client's body where it may be."""

    seq: int
    """Number of the move that was refused."""
    reason: CorrectionReason | None
    """``None`` for a reason that this SDK does not know."""
    position: Position
    """Where the body is."""
    wanted: Position | None
    """Where that move would have put it, if it is remembered."""


@dataclass(frozen=True, slots=True)
class CommandDone(Event):
    """A command was carried out."""

    id: int
    what: str
    """Name of the command, like "Say"."""
    result: Any = None
    """What the command has to tell, see ``protocol.results.RESULTS``; ``None`` for most."""


@dataclass(frozen=True, slots=True)
class CommandRefused(Event):
    """A command was refused."""

    id: int
    what: str
    """Name of the command, like "Say"; empty if no command of that id is waiting."""
    code: str
    text: str
    hint: str
    retry_after: float
    """Seconds; 0 if the server did not say."""


@dataclass(frozen=True, slots=True)
class JoinRefused(Event):
    """The server did not let this client in."""

    code: str
    text: str
    hint: str
    retry_after: float
    """Seconds; 0 if the server did not say."""


@dataclass(frozen=True, slots=True)
class Standing(Event):
    """What this client is here has changed, or it came in muted. Tells all of it."""

    role: str
    """A Role, or newer."""
    muted: float
    """Seconds from now for which it cannot speak; 0: it can; infinite: without end."""
    reason: str
    """Why it is muted."""
    hidden: bool
    """Whether it is invisible to all but staff."""


@dataclass(frozen=True, slots=True)
class NamesKnown(Event):
    """Names that were asked for have come."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LookChanged(Event):
    """A body in view looks otherwise from now on; this client's own, too."""

    avatar: int
    look: Look


@dataclass(frozen=True, slots=True)
class Ponged(Event):
    """The server answered a ping."""

    rtt: float
    """Seconds there and back."""
    server_ms: int
    """World time when it was answered."""


@dataclass(frozen=True, slots=True)
class Farewell(Event):
    """The server is about to close this connection, and says why."""

    code: str
    text: str
    retry_after: float
    """Seconds after which to come back; 0: do not."""
