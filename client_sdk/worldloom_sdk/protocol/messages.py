"""Every message, defined once. A message travels as the MessagePack array ``[tag, field, ...]`` in one binary frame.

Tags are written numbers and never reused: 1-31 from client to server, 32-63 from server to client. A trailing field
with a default may be left out. Text is UTF-8; times are milliseconds; positions are units of ``geometry``.
"""

from enum import IntEnum, StrEnum
from typing import Annotated

from msgspec import Meta, Struct

__all__ = [
    "CLIENT_MESSAGES",
    "MOVE_BYTES",
    "PROTOCOL_VERSION",
    "SERVER_MESSAGES",
    "SUBPROTOCOL_PATH",
    "Area",
    "AreaComplete",
    "Block",
    "CloseCode",
    "Correction",
    "CorrectionReason",
    "Done",
    "Frame",
    "Goodbye",
    "Hello",
    "Leave",
    "Limits",
    "Line",
    "Message",
    "Move",
    "Named",
    "People",
    "Ping",
    "Pong",
    "RefusalCode",
    "Refused",
    "Region",
    "RegionState",
    "Say",
    "SayKind",
    "Signal",
    "Signalled",
    "Welcome",
    "Whisper",
    "Whispered",
    "Who",
]

PROTOCOL_VERSION = 1
SUBPROTOCOL_PATH = "/ws"
"""Path of the WebSocket on the server's one port."""
MOVE_BYTES = 16
"""Bytes of a move: little-endian u32 seq, i32 x, i32 z, i16 y, u8 yaw, u8 gesture."""

AvatarId = Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
CommandId = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Tick = Annotated[int, Meta(ge=0, le=2**53)]
Millis = Annotated[int, Meta(ge=0, le=2**53)]
UnitXZ = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
UnitY = Annotated[int, Meta(ge=-(2**15), le=2**15 - 1)]
Yaw = Annotated[int, Meta(ge=0, le=255)]
CellIndex = Annotated[int, Meta(ge=-(2**20), le=2**20)]
RegionIndex = Annotated[int, Meta(ge=-32_767, le=32_767)]
Token = Annotated[str, Meta(min_length=16, max_length=128)]
Name = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=500)]
Code = Annotated[str, Meta(max_length=40)]


class CloseCode(IntEnum):
    """Why the server closes a socket."""

    NORMAL = 1000
    """The client said goodbye: Leave, or its own closing with this code."""
    PROTOCOL = 1002
    """The WebSocket rules or the order of messages were broken, or a Hello was of another protocol version."""
    NOT_BINARY = 1003
    """A text message: only binary messages are spoken here."""
    BAD_PAYLOAD = 1007
    """Before Welcome: not MessagePack, or no message of a client. (After it, such a message is answered Refused.)"""
    POLICY = 1008
    """A limit or rule of this world was broken, a Hello refused or too late; do not come back in the same way."""
    TOO_BIG = 1009
    """A message over 4 KiB before Welcome, or over 64 KiB after."""
    INTERNAL = 1011
    """Something went wrong in the server."""
    RESTART = 1012
    """The server is stopping; Goodbye says when to come back."""
    BUSY = 1013
    """Too many at once, something is not to be had just now, or this client reads too slowly; come back later."""
    REPLACED = 4001
    """A newer connection of the same account or session took over."""


class RefusalCode(StrEnum):
    """Stable codes of Refused. New ones may be added; treat an unknown one as final."""

    VERSION = "version"
    """The server speaks another version of the protocol."""
    TOKEN = "token"
    """No account has this token."""
    NAME_TAKEN = "name_taken"
    """Somebody has this name, or one that looks like it."""
    NAME_INVALID = "name_invalid"
    """This cannot be a name here."""
    FULL = "full"
    """As many are in the world as there may be."""
    RATE = "rate"
    """Too many in too short a time."""
    STATE = "state"
    """That message may not come now."""
    INVALID = "invalid"
    """It cannot be understood, or asks for what cannot be."""
    NOT_FOUND = "not_found"
    """Who or what is meant is not here."""
    UNAVAILABLE = "unavailable"
    """The server cannot do it just now."""


class SayKind(IntEnum):
    """How far speech carries."""

    SAY = 0
    """20 m."""
    SHOUT = 1
    """100 m."""
    REGION = 2
    """The whole region of 256 m."""


class CorrectionReason(IntEnum):
    """Why a move was refused."""

    SPEED = 1
    """Too far for the time that has passed."""
    CLIMB = 2
    """Too far up or down for the time that has passed."""
    GROUND = 3
    """More than 0.25 m under the ground, or more than 64 m above it."""
    EDGE = 4
    """Beyond the end of the world."""
    UNWOVEN = 5
    """The land there is not made yet; it is being woven. Wait for its Region message."""
    FULL = 6
    """The cell there is full."""
    PLACED = 8
    """Not a refusal: the server has set the body down here. ``seq`` says nothing."""


class RegionState(IntEnum):
    """What is known of a region's land."""

    WOVEN = 0
    """It is made, and stays as it is."""
    WEAVING = 1
    """It is being made; nobody can walk there yet."""


class Hello(Struct, array_like=True, tag=1, frozen=True, forbid_unknown_fields=True):
    """client -> server, first message. Who comes; answered by Welcome or Refused, within 10 s of the upgrade.

    With ``resume`` of an earlier Welcome, within its time, the same session goes on; a resume token that is not good
    (any more) counts as none. With ``token`` the same account comes back. With neither, a passing guest, never
    stored, unless ``keep`` asks for an account under ``name``.
    """

    version: Annotated[int, Meta(ge=0, le=65535)]
    """Of the protocol."""
    client: Annotated[str, Meta(max_length=64)] = ""
    """Name and version of the client program, for the server's statistics."""
    name: Name = ""
    """For a guest or a new account; not looked at otherwise. Empty: a guest gets one."""
    token: Token | None = None
    """The account's, as Welcome once told it; a secret. Another one than any account has is refused."""
    resume: Token | None = None
    """Of the last Welcome; good once."""
    keep: bool = False
    """Make an account under ``name``; not looked at beside ``token``."""


class Move(Struct, array_like=True, tag=2, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 30 a second. Where the body should be; the last of a tick wins.

    ``state`` is exactly 16 bytes, little-endian: u32 seq (rising), i32 x, i32 z in 1/64 m, i16 y in 1/16 m (-32768: on
    the ground), u8 yaw, u8 gesture (0-63). Never answered when granted; a Correction when not.
    """

    state: Annotated[bytes, Meta(min_length=MOVE_BYTES, max_length=MOVE_BYTES)]
    """As above."""


class Ping(Struct, array_like=True, tag=3, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 2 a second. Answered by Pong; one too many is not answered."""

    client_ms: Millis
    """Comes back as it is: milliseconds of the client's own clock."""


class Say(Struct, array_like=True, tag=4, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Speech to those near; rides in their frames, and in the speaker's own."""

    id: CommandId
    """Yours; the answer has it, too."""
    kind: SayKind
    """How far it carries."""
    text: Text


class Whisper(Struct, array_like=True, tag=5, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Speech to one avatar that is in the world, wherever; arrives as Whispered."""

    id: CommandId
    """Yours; the answer has it, too."""
    to: AvatarId
    """Who shall hear it."""
    text: Text


class Signal(Struct, array_like=True, tag=6, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. A client program's own message: to one avatar, or to all within 100 m (``to`` 0).

    Arrives as Signalled. The server does not look into it.
    """

    id: CommandId
    """Yours; the answer has it, too."""
    to: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
    """An avatar id; 0: everybody else within 100 m."""
    channel: Annotated[str, Meta(min_length=1, max_length=32)]
    """Whose message it is, for example the name of a game."""
    data: Annotated[bytes, Meta(max_length=1024)]


class Who(Struct, array_like=True, tag=7, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 4 a second. Asks for names; answered by one People, or Refused."""

    ids: Annotated[list[AvatarId], Meta(min_length=1, max_length=64)]
    """Avatar ids."""


class Block(Struct, array_like=True, tag=8, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. From now on (or no longer) that avatar and its speech are not sent; 64 at most.

    The picture is then sent anew: Area messages and AreaComplete. Blocks end with the session.
    """

    id: CommandId
    """Yours; the answer has it, too."""
    avatar: AvatarId
    on: bool
    """False ends it."""


class Leave(Struct, array_like=True, tag=9, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome. Leaves the world at once; the session cannot be resumed. Closed with 1000."""


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


class Welcome(Struct, array_like=True, tag=32, frozen=True):
    """server -> client, once, answering Hello. From here on every other message may come."""

    version: int
    """Of the protocol."""
    you: int
    """Your avatar id."""
    name: str
    """Your name, as others see it."""
    world: str
    """The world's name."""
    world_id: str
    """Stays the same when the world is renamed or moves."""
    server_ms: int
    """World time; ``tick = server_ms // 50``."""
    x: int
    """Where your body is, 1/64 m."""
    z: int
    """1/64 m."""
    y: int
    """1/16 m."""
    yaw: int
    """1/256 turns."""
    resume: str
    """Single use: give it in Hello after a lost connection."""
    limits: Limits
    """What you are held to."""
    token: str | None = None
    """Only when an account was made: keep it, it is told once."""
    resumed: bool = False
    """Whether ``resume`` was good, and the session of before goes on."""


class Refused(Struct, array_like=True, tag=33, frozen=True):
    """server -> client. A command, or something else (id 0), was refused: stable code, what is wrong, what to do."""

    id: int
    """Of the command. 0: Hello, Who, too many moves, or a message that could not be read and is no command."""
    code: str
    """See the refusal codes."""
    text: str
    """For people, in English: what was expected, and got."""
    hint: str = ""
    """For people, in English: what to do about it."""
    retry_after_ms: int = 0
    """When to try again; 0: not in the same way."""


class Done(Struct, array_like=True, tag=34, frozen=True):
    """server -> client. The command of that id was carried out."""

    id: int
    """The command's."""


class Pong(Struct, array_like=True, tag=35, frozen=True):
    """server -> client. Answers Ping."""

    client_ms: int
    """As in Ping."""
    server_ms: int
    """World time."""


class Line(Struct, array_like=True, frozen=True):
    """A spoken line, within Frame: who, the name at that moment, how loud, what."""

    avatar: int
    """Who spoke; may be out of view, or be you."""
    name: str
    kind: int
    """A SayKind."""
    text: str


class Frame(Struct, array_like=True, tag=36, frozen=True):
    """server -> client. The changes of one tick in view: a frame body, and speech.

    Cell offsets count from the cell of the last Area. A tick without news in view sends nothing; several frames may be
    of one tick.
    """

    tick: int
    body: bytes
    """A frame body; may be empty."""
    lines: list[Line] = []
    """What was said, nearest first; at most 20."""


class Area(Struct, array_like=True, tag=37, frozen=True):
    """server -> client. The cells now in view: forget those that are not, keep those that are, then apply the body.

    Offsets, here and in the frames that follow, count from cell ``(cx, cz)``; in view are the cells at most ``radius``
    away, in ``layers``. The body holds snapshots, the state after ``tick``, empty ones too. Large areas come as several
    Area messages, nearest cells first, then AreaComplete; frames may come in between.
    """

    tick: int
    cx: int
    """The viewer's cell."""
    cz: int
    radius: int
    """In cells, along x and z: 2 means 5 x 5 cells."""
    layers: list[int]
    """Ascending."""
    body: bytes
    """A frame body of snapshots."""


class AreaComplete(Struct, array_like=True, tag=38, frozen=True):
    """server -> client. Every cell in view has been sent; from here on the picture is whole, until the next Area."""

    tick: int


class Correction(Struct, array_like=True, tag=39, frozen=True):
    """server -> client. The move ``seq`` was refused: the body is here. Moves on their way are judged from here."""

    seq: int
    """Of the refused move."""
    x: int
    """1/64 m."""
    z: int
    """1/64 m."""
    y: int
    """1/16 m."""
    yaw: int
    """1/256 turns."""
    reason: int
    """A CorrectionReason; more may be added."""


class Named(Struct, array_like=True, frozen=True):
    """One entry of People."""

    avatar: int
    name: str
    kind: str
    """Either "guest" or "resident"; more may be added."""


class People(Struct, array_like=True, tag=40, frozen=True):
    """server -> client. Answers Who; ids that are not in the world, hidden, or blocked are left out."""

    people: list[Named]


class Whispered(Struct, array_like=True, tag=41, frozen=True):
    """server -> client. Somebody whispered to you."""

    avatar: int
    name: str
    text: str


class Signalled(Struct, array_like=True, tag=42, frozen=True):
    """server -> client. Somebody's client program sent a Signal."""

    avatar: int
    channel: str
    data: bytes


class Region(Struct, array_like=True, tag=43, frozen=True):
    """server -> client. What is known of a region near you. When woven: fetch ``/content/{sha256}`` for its tile."""

    rx: int
    rz: int
    state: int
    """A RegionState."""
    sha256: str = ""
    """Of its tile, 64 hexadecimal digits in lower case; empty while it is being woven."""
    source: str = ""
    """Which source made it: "noise", a model's name, or "fallback"."""


class Goodbye(Struct, array_like=True, tag=44, frozen=True):
    """server -> client, last message before some closings. Comes after a refused Hello, and when the server stops.

    Other closings come without it.
    """

    code: str
    """Either "restart", or the code of the refusal."""
    text: str
    """For people, in English."""
    retry_after_ms: int = 0
    """When to come back; 0: not in the same way."""


Message = (
    Hello | Move | Ping | Say | Whisper | Signal | Who | Block | Leave
    | Welcome | Refused | Done | Pong | Frame | Area | AreaComplete | Correction
    | People | Whispered | Signalled | Region | Goodbye
)  # fmt: skip

CLIENT_MESSAGES: dict[int, type[Struct]] = {
    1: Hello, 2: Move, 3: Ping, 4: Say, 5: Whisper, 6: Signal, 7: Who, 8: Block, 9: Leave,
}  # fmt: skip
SERVER_MESSAGES: dict[int, type[Struct]] = {
    32: Welcome, 33: Refused, 34: Done, 35: Pong, 36: Frame, 37: Area, 38: AreaComplete, 39: Correction, 40: People,
    41: Whispered, 42: Signalled, 43: Region, 44: Goodbye,
}  # fmt: skip
