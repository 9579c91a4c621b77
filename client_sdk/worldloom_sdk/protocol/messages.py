"""Every message, defined once. A message travels as the MessagePack array ``[tag, field, ...]`` in one binary frame.

Tags are written numbers and never reused: 1-31 from client to server, 32-63 from server to client. A trailing field
with a default may be left out. Text is UTF-8; times are milliseconds; positions are units of ``geometry``.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from worldloom_sdk.protocol.codes import (
    AccountAct,
    BlockReach,
    CloseCode,
    CorrectionReason,
    OrderAct,
    RefusalCode,
    RegionState,
    Role,
    SayKind,
    Scope,
)
from worldloom_sdk.protocol.estate import (
    Estate,
    EstateAct,
    Market,
    MarketAct,
    Money,
    MoneyAct,
    Notice,
    NoticeKind,
)
from worldloom_sdk.protocol.land import CommandId, EditTerrain, Region, TerrainEdited
from worldloom_sdk.protocol.looks import LOOK_BYTES
from worldloom_sdk.protocol.parts import (
    AuditEntry,
    Blocked,
    Edited,
    Found,
    Limits,
    Line,
    Named,
    Person,
    Reported,
    Sanction,
    Secret,
    TokenInfo,
    Worn,
)
from worldloom_sdk.protocol.people import AvatarId, Find, Looks, People, Who

__all__ = [
    "CLIENT_MESSAGES",
    "MOVE_BYTES",
    "PROTOCOL_VERSION",
    "SERVER_MESSAGES",
    "SUBPROTOCOL_PATH",
    "Account",
    "AccountAct",
    "Area",
    "AreaComplete",
    "AuditEntry",
    "Block",
    "BlockReach",
    "Blocked",
    "CloseCode",
    "Correction",
    "CorrectionReason",
    "Done",
    "EditTerrain",
    "Edited",
    "Estate",
    "EstateAct",
    "Find",
    "Found",
    "Frame",
    "Goodbye",
    "Hello",
    "Leave",
    "Limits",
    "Line",
    "Looks",
    "Market",
    "MarketAct",
    "Message",
    "Money",
    "MoneyAct",
    "Move",
    "Named",
    "Notice",
    "NoticeKind",
    "Order",
    "OrderAct",
    "People",
    "Person",
    "Ping",
    "Pong",
    "RefusalCode",
    "Refused",
    "Region",
    "RegionState",
    "Report",
    "Reported",
    "Role",
    "Sanction",
    "Say",
    "SayKind",
    "Scope",
    "Secret",
    "Signal",
    "Signalled",
    "Standing",
    "TerrainEdited",
    "TokenInfo",
    "Welcome",
    "Whisper",
    "Whispered",
    "Who",
    "Worn",
]

PROTOCOL_VERSION = 1
SUBPROTOCOL_PATH = "/ws"
"""Path of the WebSocket on the server's one port."""
MOVE_BYTES = 16
"""Bytes of a move: little-endian u32 seq, i32 x, i32 z, i16 y, u8 yaw, u8 gesture."""

Millis = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Coordinate = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Token = Annotated[str, Meta(min_length=16, max_length=128)]
Name = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=500)]
Code = Annotated[str, Meta(max_length=40)]


class Hello(Struct, array_like=True, tag=1, frozen=True, forbid_unknown_fields=True):
    """client -> server, first message. Who comes; answered by Welcome or Refused, within 10 s of the upgrade.

    With ``resume`` of an earlier Welcome, within its time, the same session goes on; a resume token that is not good
    (any more) counts as none. With ``token`` the same account comes back. With ``code`` an account is come back to, and
    Welcome has a new token for this device. With none of them, a passing guest, never stored, unless ``keep`` asks for
    an account under ``name``.
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
    """Make an account under ``name``; not looked at beside ``token`` or ``code``."""
    access: Annotated[str, Meta(max_length=128)] = ""
    """An invitation or the world's password, where one is asked for; not looked at beside ``token`` or ``code``."""
    code: Annotated[str, Meta(max_length=64)] = ""
    """A recovery or pairing code of an account; not looked at beside ``token``. Case and dashes do not matter."""
    bot: bool = False
    """This is no person. It is shown; who has a bot's key is a bot in any case."""
    at: Annotated[list[Coordinate], Meta(min_length=2, max_length=2)] | None = None
    """Where to be set down, x and z, 1/64 m; for links to a place. Not looked at beside ``resume``. See "Coming in"."""


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
    """Yours, counted from 1; the answer has it, too."""
    kind: SayKind
    """How far it carries."""
    text: Text


class Whisper(Struct, array_like=True, tag=5, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Speech to one avatar that is in the world, wherever; arrives as Whispered."""

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    to: AvatarId
    """Who shall hear it."""
    text: Text


class Signal(Struct, array_like=True, tag=6, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. A client program's own message: to one avatar, or to all within 100 m (``to`` 0).

    Arrives as Signalled. The server does not look into it.
    """

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    to: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
    """An avatar id; 0: everybody else within 100 m."""
    channel: Annotated[str, Meta(min_length=1, max_length=32)]
    """Whose message it is, for example the name of a game."""
    data: Annotated[bytes, Meta(max_length=1024)]


class Block(Struct, array_like=True, tag=8, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. From now on (or no longer) the two of you are nothing to each other; 64 at most.

    Works both ways: neither is sent anything of the other. A block of everything (``reach`` 0) makes the picture come
    anew: Area messages and AreaComplete. Between accounts it lasts until it is taken back; with a guest on either
    side, until one of them leaves. Who is blocked is not told.
    """

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    avatar: AvatarId
    """Whom. A guest must be in the world, an account need not be."""
    on: bool
    """False ends it, however far it reached."""
    reach: BlockReach = BlockReach.ALL
    """What is taken away."""


class Leave(Struct, array_like=True, tag=9, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome. Leaves the world at once; the session cannot be resumed. Closed with 1000."""


class Order(Struct, array_like=True, tag=10, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Keeps order; what each act takes and gives stands with it.

    Whom it is about is said by ``avatar`` or by ``name``, or it is a ``network``. It is in force within a second, on
    open sessions and on every host, and after a restart. All but ``list``, ``show``, ``reports``, ``audit`` is logged.
    """

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    act: OrderAct
    """What is asked for. It says which of the fields below are looked at."""
    avatar: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0
    """Somebody in the world; 0 when it is said otherwise."""
    name: Name = ""
    """An account, here or not, or a guest who is here. Any name that looks the same finds it."""
    network: Annotated[str, Meta(max_length=49)] = ""
    """An address or a network, as in 192.0.2.0/24. An IPv6 address means its /64."""
    minutes: Annotated[int, Meta(ge=0, le=52_560_000)] = 0
    """For how long; 0: without end."""
    text: Text = ""
    """A reason or a role."""
    number: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    """Of a report; for ``list``: an account, from which on, by number, accounts alone are told."""
    uses: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """Of an invitation."""


class Account(Struct, array_like=True, tag=11, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. About oneself: look, codes, tokens, bots."""

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    act: AccountAct
    """What is asked for. It says which of the fields below are looked at."""
    name: Name = ""
    """Of a bot."""
    scopes: Annotated[list[Scope], Meta(max_length=8)] = []
    """Of a bot's key; none: what needs no scope."""
    token: Annotated[str, Meta(max_length=16)] = ""
    """A token, by its id in TokenInfo."""
    look: Annotated[bytes, Meta(max_length=LOOK_BYTES)] = b""
    """See "Looks"; empty: the one that follows from the avatar id."""
    on: bool = True
    """Whether it shall be so."""


class Report(Struct, array_like=True, tag=12, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Tells staff of somebody; 1 in 10 s, 20 a day.

    With it goes what you were sent in the last 30 s: every line, whisper and signal, and twice a second which
    64 bodies in your view were nearest, and where.
    The server takes it from what it sent you, and seals it. Done carries the report's number.
    """

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    avatar: AvatarId
    """Whom it is about; in your view, or heard of in the last 30 s."""
    text: Text
    """What is wrong."""


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
    greeting: str = ""
    """What the world tells who comes."""
    role: str = "guest"
    """Your Role."""
    scopes: list[str] | None = None
    """What your key may be used for, each a Scope; nil: everything."""
    recovery: str = ""
    """Only when an account was made or recovered: write it down, it is told once. See Account."""
    hidden: bool = False
    """Whether you are invisible to all but staff."""
    look: bytes = b""
    """Yours; see "Looks"."""
    findable: bool = True
    """Whether Find finds you."""


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
    result: Any = None
    """What the command or its act says that Done carries, nil for most. A part travels as an array of its fields."""


class Pong(Struct, array_like=True, tag=35, frozen=True):
    """server -> client. Answers Ping."""

    client_ms: int
    """As in Ping."""
    server_ms: int
    """World time."""


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


class Goodbye(Struct, array_like=True, tag=44, frozen=True):
    """server -> client, last message before some closings: a refused Hello, being sent out, and the server's stop.

    Other closings come without it.
    """

    code: str
    """Either "restart", "kicked", "banned", "revoked", or the code of the refusal."""
    text: str
    """For people, in English."""
    retry_after_ms: int = 0
    """When to come back; 0: not in the same way."""


class Standing(Struct, array_like=True, tag=45, frozen=True):
    """server -> client. What you are here has changed, or differs from what Welcome says: you are muted."""

    role: str
    """Your Role."""
    muted_ms: int
    """Milliseconds from now for which you cannot speak; 0: you can; 9007199254740991: without end."""
    reason: str
    """Why you are muted."""
    hidden: bool
    """Whether you are invisible to all but staff."""


Message = (
    Hello | Move | Ping | Say | Whisper | Signal | Who | Block | Leave | Order | Account | Report | EditTerrain
    | Money | Estate | Market | Find
    | Welcome | Refused | Done | Pong | Frame | Area | AreaComplete | Correction
    | People | Whispered | Signalled | Region | Goodbye | Standing | TerrainEdited | Notice | Looks
)  # fmt: skip

CLIENT_MESSAGES: dict[int, type[Struct]] = {
    1: Hello, 2: Move, 3: Ping, 4: Say, 5: Whisper, 6: Signal, 7: Who, 8: Block, 9: Leave,
    10: Order, 11: Account, 12: Report, 13: EditTerrain,
    14: Money, 15: Estate, 16: Market, 17: Find,
}  # fmt: skip
SERVER_MESSAGES: dict[int, type[Struct]] = {
    32: Welcome, 33: Refused, 34: Done, 35: Pong, 36: Frame, 37: Area, 38: AreaComplete, 39: Correction, 40: People,
    41: Whispered, 42: Signalled, 43: Region, 44: Goodbye, 45: Standing,
    46: TerrainEdited, 47: Notice, 48: Looks,
}  # fmt: skip
