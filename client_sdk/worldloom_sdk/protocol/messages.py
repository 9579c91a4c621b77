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
    """The client said goodbye."""
    PROTOCOL = 1002
    """The WebSocket or message rules were broken."""
    NOT_BINARY = 1003
    """A text message: only binary messages are spoken here."""
    BAD_PAYLOAD = 1007
    """Not MessagePack, or not of the shape that the message has."""
    POLICY = 1008
    """A limit or rule of this world was broken; do not come back at once."""
    TOO_BIG = 1009
    """A message over 4 KiB before Welcome, or over 64 KiB after."""
    RESTART = 1012
    """The server is stopping; come back after the hint in Goodbye."""
    BUSY = 1013
    """Too many at once, or this client reads too slowly; come back later."""
    REPLACED = 4001
    """A newer connection of the same account or session took over."""


class RefusalCode(StrEnum):
    """Stable codes of Refused. New ones may be added; treat an unknown one as final."""

    VERSION = "version"
    TOKEN = "token"
    NAME_TAKEN = "name_taken"
    NAME_INVALID = "name_invalid"
    FULL = "full"
    RATE = "rate"
    STATE = "state"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    TOO_FAR = "too_far"
    UNAVAILABLE = "unavailable"


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
    CLIMB = 2
    GROUND = 3
    EDGE = 4
    UNWOVEN = 5
    """The land there is not made yet; it is being woven. Wait for its Region message."""
    FULL = 6
    """The cell there is full."""
    ENTRY = 7
    """No right to enter."""
    PLACED = 8
    """Not a refusal: the server set the body down here (arrival, return, teleport)."""


class RegionState(IntEnum):
    """What is known of a region's land."""

    WOVEN = 0
    WEAVING = 1


class Hello(Struct, array_like=True, tag=1, frozen=True, forbid_unknown_fields=True):
    """client -> server, first message. Who comes; answered by Welcome or Refused, within 10 s of the upgrade.

    With ``resume`` of an earlier Welcome, within its time, the same session goes on. With ``token`` the same account
    comes back. With neither, a passing guest, never stored, unless ``keep`` asks for an account under ``name``.
    """

    version: Annotated[int, Meta(ge=0, le=65535)]
    client: Annotated[str, Meta(max_length=64)] = ""
    """Name and version of the client program, for the server's statistics."""
    name: Name = ""
    token: Token | None = None
    resume: Token | None = None
    keep: bool = False


class Move(Struct, array_like=True, tag=2, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 30 a second. Where the body should be; the last of a tick wins.

    ``state`` is exactly 16 bytes, little-endian: u32 seq (rising), i32 x, i32 z in 1/64 m, i16 y in 1/16 m (-32768: on
    the ground), u8 yaw, u8 gesture (0-63). Never answered when granted; a Correction when not.
    """

    state: Annotated[bytes, Meta(min_length=MOVE_BYTES, max_length=MOVE_BYTES)]


class Ping(Struct, array_like=True, tag=3, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 2 a second. Answered by Pong."""

    client_ms: Millis


class Say(Struct, array_like=True, tag=4, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Speech to those near; rides in their frames."""

    id: CommandId
    kind: SayKind
    text: Text


class Whisper(Struct, array_like=True, tag=5, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Speech to one avatar that is in the world."""

    id: CommandId
    to: AvatarId
    text: Text


class Signal(Struct, array_like=True, tag=6, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. A client program's own message: to one avatar, or to all within 100 m (``to`` 0)."""

    id: CommandId
    to: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
    channel: Annotated[str, Meta(min_length=1, max_length=32)]
    data: Annotated[bytes, Meta(max_length=1024)]


class Who(Struct, array_like=True, tag=7, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 4 a second. Asks for names; answered by People."""

    ids: Annotated[list[AvatarId], Meta(min_length=1, max_length=64)]


class Block(Struct, array_like=True, tag=8, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. From now on (or no longer) that avatar and its speech are not sent; 64 at most."""

    id: CommandId
    avatar: AvatarId
    on: bool


class Leave(Struct, array_like=True, tag=9, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome. Leaves the world at once; the session cannot be resumed. Closed with 1000."""


class Limits(Struct, array_like=True, frozen=True):
    """What the server holds a client to, so that it need not find out."""

    speed: int
    """Horizontal speed limit, 1/64 m a second."""
    climb: int
    """Vertical speed limit, 1/16 m a second."""
    moves_per_s: int
    text_chars: int
    view_cells: int
    """Avatars are seen in the cells up to this many away: 2 means 5 x 5."""
    resume_ms: int
    """How long after a lost connection the session can be resumed."""


class Welcome(Struct, array_like=True, tag=32, frozen=True):
    """server -> client, once, answering Hello. From here on every other message may come."""

    version: int
    you: int
    """Your avatar id."""
    name: str
    world: str
    """The world's name."""
    world_id: str
    server_ms: int
    """World time; ``tick = server_ms // 50``."""
    x: int
    z: int
    y: int
    yaw: int
    resume: str
    """Single use: give it in Hello after a lost connection."""
    limits: Limits
    token: str | None = None
    """Only when an account was made: keep it, it is told once."""
    resumed: bool = False


class Refused(Struct, array_like=True, tag=33, frozen=True):
    """server -> client. A command (or Hello: id 0) was refused: stable code, what is wrong, what to do."""

    id: int
    code: str
    text: str
    hint: str = ""
    retry_after_ms: int = 0


class Done(Struct, array_like=True, tag=34, frozen=True):
    """server -> client. The command of that id was carried out."""

    id: int


class Pong(Struct, array_like=True, tag=35, frozen=True):
    """server -> client. Answers Ping."""

    client_ms: int
    server_ms: int


class Line(Struct, array_like=True, frozen=True):
    """A spoken line, within Frame: who, the name at that moment, how loud, what."""

    avatar: int
    name: str
    kind: int
    text: str


class Frame(Struct, array_like=True, tag=36, frozen=True):
    """server -> client. The changes of one tick in view: a frame body (see ``words``), and speech.

    Cell offsets count from the cell of the last Area. A tick without news in view sends nothing.
    """

    tick: int
    body: bytes
    lines: list[Line] = []


class Area(Struct, array_like=True, tag=37, frozen=True):
    """server -> client. The cells now in view: forget all else, then apply the body.

    Offsets, here and in the frames that follow, count from cell ``(cx, cz)``; in view are the cells at most ``radius``
    away, in ``layers``. The body holds snapshots, the state after ``tick``. Large areas come as several Area messages,
    nearest cells first, then AreaComplete.
    """

    tick: int
    cx: int
    cz: int
    radius: int
    layers: list[int]
    body: bytes


class AreaComplete(Struct, array_like=True, tag=38, frozen=True):
    """server -> client. Every cell in view has been sent; from here on the picture is whole."""

    tick: int


class Correction(Struct, array_like=True, tag=39, frozen=True):
    """server -> client. The move ``seq`` was refused: the body is here. Moves on their way are judged from here."""

    seq: int
    x: int
    z: int
    y: int
    yaw: int
    reason: int


class Named(Struct, array_like=True, frozen=True):
    """One entry of People. ``kind``: "guest" or "resident"; more may be added."""

    avatar: int
    name: str
    kind: str


class People(Struct, array_like=True, tag=40, frozen=True):
    """server -> client. Answers Who, in one or more messages; ids not in the world, or hidden, are left out."""

    people: list[Named]


class Whispered(Struct, array_like=True, tag=41, frozen=True):
    """server -> client. Somebody whispered to you."""

    avatar: int
    name: str
    text: str


class Signalled(Struct, array_like=True, tag=42, frozen=True):
    """server -> client. Somebody's client program sent a signal."""

    avatar: int
    channel: str
    data: bytes


class Region(Struct, array_like=True, tag=43, frozen=True):
    """server -> client. What is known of a region near you. When woven: fetch ``/content/{sha256}`` for its tile."""

    rx: int
    rz: int
    state: int
    sha256: str = ""
    source: str = ""
    """Which source made it: "noise", a model's name, or "fallback"."""


class Goodbye(Struct, array_like=True, tag=44, frozen=True):
    """server -> client, last message before the server closes. Come back after ``retry_after_ms`` (0: do not)."""

    code: str
    text: str
    retry_after_ms: int = 0


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
