"""Codes and kinds on the wire: everything that is one of a written list. ``messages`` says where each stands."""

from enum import IntEnum, StrEnum

__all__ = [
    "AccountAct",
    "BlockReach",
    "CloseCode",
    "CorrectionReason",
    "OrderAct",
    "RefusalCode",
    "RegionState",
    "Role",
    "SayKind",
    "Scope",
]


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
    REMOVED = 4002
    """Sent out by who keeps order here, or the token was revoked. Goodbye says which, and why."""


class RefusalCode(StrEnum):
    """Stable codes of Refused. New ones may be added; treat an unknown one as final."""

    VERSION = "version"
    """The server speaks another version of the protocol."""
    TOKEN = "token"
    """No account has this token, or the code is not good, or not any more."""
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
    ACCESS = "access"
    """The world is not open to everybody: it takes an invitation or a password, or is closed."""
    BANNED = "banned"
    """This account or address is banned; the text says why, ``retry_after_ms`` until when."""
    MUTED = "muted"
    """You may not speak for a time; the text says why, ``retry_after_ms`` until when."""
    FORBIDDEN = "forbidden"
    """Your role, or the scopes of your key, do not allow it."""
    FUNDS = "funds"
    """There is less money in your purse than that takes."""
    SOLD = "sold"
    """Somebody else was faster: it is not to be had any more."""
    CHANGED = "changed"
    """What is offered is not what you were shown: its price, its shape or its terms are others now."""
    KEY_REUSED = "key_reused"
    """The key of this request was that of another one before."""
    NOT_FOR_SALE = "not_for_sale"
    """It is not offered, or not to you."""
    LEASED = "leased"
    """It is leased, and that cannot be done before the lease ends."""
    LOCKED = "locked"
    """It may not be sold yet."""


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
    PRIVATE = 7
    """You may not go there: it is somebody's land, who does not let you in, or you are inside and may only go out."""
    PLACED = 8
    """Not a refusal: the server has set the body down here. ``seq`` says nothing."""


class Role(StrEnum):
    """What somebody is in this world. Moderators and owners are its staff."""

    GUEST = "guest"
    """Passing, never stored."""
    RESIDENT = "resident"
    """Has an account."""
    MODERATOR = "moderator"
    """Keeps order among guests and residents."""
    OWNER = "owner"
    """Keeps order among all others, gives roles, and edits terrain."""


class Scope(StrEnum):
    """What the key of a bot may be used for. What needs none of these, every key may."""

    MOVE = "move"
    """Move."""
    TALK = "talk"
    """Say and Whisper."""
    SIGNAL = "signal"
    """Signal."""
    ORDER = "order"
    """Order and EditTerrain, as far as the bot's role goes."""
    TRADE = "trade"
    """Money; and of Estate and Market what changes something, and ``trades``. With the bot's own money and land."""


class BlockReach(IntEnum):
    """How much a Block takes away, for both sides alike."""

    ALL = 0
    """Bodies, names, speech, whispers and signals."""
    SPEECH = 1
    """Speech, whispers and signals; bodies are seen."""


class OrderAct(StrEnum):
    """What staff may ask for."""

    LIST = "list"
    """Who is here, and accounts, whose name contains ``name``: the first 100. With ``number``: accounts, from it on."""
    SHOW = "show"
    """All about somebody: ``avatar`` or ``name``."""
    KICK = "kick"
    """Send somebody who is here (``avatar`` or ``name``) out; they may come back. ``text``: the reason, which they are
    told."""
    BAN = "ban"
    """Let an account (``avatar`` or ``name``) or a ``network`` in no more, for ``minutes``; who is here is sent out.
    ``text``: the reason, which they are told. It takes the place of an earlier ban of the same."""
    UNBAN = "unban"
    """End the ban of an account (``avatar`` or ``name``) or of exactly that ``network``; ``not_found`` if there is
    none."""
    MUTE = "mute"
    """Let an account or a guest who is here (``avatar`` or ``name``), or a ``network``, speak no more, for ``minutes``.
    ``text``: the reason, which they are told. It takes the place of an earlier mute of the same."""
    UNMUTE = "unmute"
    """End it, told as with ``mute``."""
    ROLE = "role"
    """Give the role in ``text``, "resident" or "moderator", to an account (``avatar`` or ``name``). Owners only."""
    INVITE = "invite"
    """Make an invitation that ``uses`` people can use, for ``minutes`` (0: a week)."""
    HIDE = "hide"
    """Become invisible to all but staff; stays so until ``appear``, over restarts too."""
    APPEAR = "appear"
    """Become visible again."""
    REPORTS = "reports"
    """Open reports, oldest first: the first 100."""
    CLOSE = "close"
    """The report of number ``number`` is dealt with. ``text``: how."""
    AUDIT = "audit"
    """The newest 100 privileged acts, newest first. Owners only."""


class AccountAct(StrEnum):
    """What can be asked for about oneself. Guests and bots may ask for ``look``, ``findable`` and ``blocked`` alone."""

    LOOK = "look"
    """Have the look ``look``, for all who see you; kept with the account, a guest's until it leaves."""
    FINDABLE = "findable"
    """Be found by Find, or not (``on``); kept likewise. At first everybody is."""
    BLOCKED = "blocked"
    """Whom you block, and how far; guests as long as they are here."""
    RECOVERY = "recovery"
    """A new recovery code, told this once; the one before is void."""
    PAIR = "pair"
    """A code with which another device comes into this account, good once, for 10 minutes; the one before is void."""
    TOKENS = "tokens"
    """Every token of the account and of its bots."""
    REVOKE = "revoke"
    """The token ``token`` is void; whoever is here with it is sent out."""
    BOT = "bot"
    """A key with ``scopes`` for the bot ``name``, which is made if the account has none of that name. Told this once;
    earlier keys stay good."""


class RegionState(IntEnum):
    """What is known of a region's land."""

    WOVEN = 0
    """It is made. The tile stays as it is; what people change lies in the overlay."""
    WEAVING = 1
    """It is being made; nobody can walk there yet."""
