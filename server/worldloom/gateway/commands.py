"""What a client may ask for: one handler a message, in one table. Knows no sockets; the session answers."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

import msgpack
from msgspec import Struct

from worldloom.errors import Refusal
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Bucket, Session, SessionState
from worldloom.realm.names import clean_text
from worldloom.replication.fanout import FanOut
from worldloom.replication.feed import Speak
from worldloom.replication.uplink import Uplink
from worldloom.replication.wire import message, people_message
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import ProtocolError, decode_client
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import RefusalCode, SayKind

__all__ = ["MAX_BLOCKED", "REACH", "Commands"]

REACH = {SayKind.SAY: 20 * XZ_PER_M, SayKind.SHOUT: 100 * XZ_PER_M, SayKind.REGION: -1}
SIGNAL_REACH = 100 * XZ_PER_M
MAX_BLOCKED = 64
_COMMANDS = (messages.Say, messages.Whisper, messages.Signal, messages.Block)
_MAX_ID = 0xFFFF_FFFF
_HEAD_BYTES = 24
"""An array's header, a tag and a number take no more."""


class Limits(Protocol):
    """The section of the configuration that bounds what is said."""

    @property
    def text_chars(self) -> int: ...


class Commands:
    """Carries out what sessions ask for.

    Args:
        roster: Who is in the world.
        fanout: Who sees whom.
        uplink: The way to the shard.
        leave: Ends a session at its own wish.
        put_move: Takes a move (the payload) that came another way than the fast path.
        limits: Bounds of what is said.
        monotonic: Seconds of a steady clock.
        world_ms: World time.
    """

    def __init__(
        self,
        roster: Roster,
        fanout: FanOut,
        uplink: Uplink,
        leave: Callable[[Session], None],
        put_move: Callable[[Session, bytes], None],
        limits: Limits,
        monotonic: Callable[[], float],
        world_ms: Callable[[], int],
    ) -> None:
        self._roster, self._fanout, self._uplink, self._leave = roster, fanout, uplink, leave
        self._put_move, self._limits, self._monotonic, self._world_ms = put_move, limits, monotonic, world_ms
        self.refused: Counter[str] = Counter()
        """Commands refused, by code."""
        self._handlers: dict[type, Callable[[Session, Any], None]] = {
            messages.Move: self._move,
            messages.Ping: self._ping,
            messages.Who: self._who,
            messages.Leave: lambda session, _: self._leave(session),
        }
        self._commands: dict[type, Callable[[Session, Any], None]] = {
            messages.Say: self._say,
            messages.Whisper: self._whisper,
            messages.Signal: self._signal,
            messages.Block: self._block,
        }

    def handle(self, session: Session, payload: bytes) -> None:
        """Decode one message of a live session and do what it asks for."""
        if session.resume_before:
            self._roster.confirm_resume(session)
        try:
            asked = decode_client(payload)
        except ProtocolError as fault:
            session.mistaken(_command_id(payload), str(fault))
            return
        if session.state is not SessionState.LIVE:
            session.mistaken(0, f"{type(asked).__name__} before Welcome", RefusalCode.STATE)
            return
        handler = self._handlers.get(type(asked))
        if handler is not None:
            handler(session, asked)
        elif type(asked) in self._commands:
            self._command(session, asked)
        else:
            session.mistaken(0, f"{type(asked).__name__} may come once only", RefusalCode.STATE)

    def _command(self, session: Session, asked: Struct) -> None:
        number: int = asked.id  # type: ignore[attr-defined]
        try:
            if self._uplink.is_backed_up:
                raise Refusal(RefusalCode.UNAVAILABLE, "the world does not answer", "try again", 2_000)
            self._take(session.buckets.commands, "commands")
            if session.home is not None:
                self._take(session.home.commands, "commands from this address")
            self._commands[type(asked)](session, asked)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            session.refuse(number, refusal)
        else:
            session.write(message(messages.Done(number)))

    def _take(self, bucket: Bucket, what: str) -> None:
        wait = bucket.take(self._monotonic())
        if wait:
            raise Refusal(RefusalCode.RATE, f"too many {what}", "ask less often", round(wait * 1_000) + 1)

    def _move(self, session: Session, move: messages.Move) -> None:
        self._put_move(session, move.state)

    def _ping(self, session: Session, ping: messages.Ping) -> None:
        if not session.buckets.pings.take(self._monotonic()):
            session.write(message(messages.Pong(ping.client_ms, self._world_ms())))

    def _who(self, session: Session, who: messages.Who) -> None:
        wait = session.buckets.whos.take(self._monotonic())
        if wait:
            session.refuse(
                0, Refusal(RefusalCode.RATE, "too many Who", "ask less often", round(wait * 1_000) + 1)
            )
            return
        ids = self._fanout.mirror.visible(dict.fromkeys(who.ids), session.seat.layers)
        session.write(people_message(self._roster.cards(ids, session.seat.blocked)))

    def _may_know(self, session: Session, other: Session) -> bool:
        """Whether somebody may learn that somebody else is here."""
        seen = self._fanout.mirror.visible([other.avatar], session.seat.layers)
        return bool(seen) and other.avatar not in session.seat.blocked

    def _text(self, session: Session, raw: str) -> str:
        limit = self._limits.text_chars
        if len(raw) > limit:
            raise Refusal(RefusalCode.INVALID, f"expected at most {limit} characters, got {len(raw)}")
        self._take(session.buckets.says, "lines")
        if session.home is not None:
            self._take(session.home.says, "lines from this address")
        text = clean_text(raw, limit)
        if not text:
            raise Refusal(RefusalCode.INVALID, "expected something to say, got nothing visible")
        return text

    def _say(self, session: Session, say: messages.Say) -> None:
        text = self._text(session, say.text)
        self._uplink.control(Speak(session.avatar, session.name, say.kind, text, REACH[say.kind]))

    def _whisper(self, session: Session, whisper: messages.Whisper) -> None:
        text = self._text(session, whisper.text)
        other = self._present(session, whisper.to)
        if session.avatar not in other.seat.blocked:
            self._deliver(other, message(messages.Whispered(session.avatar, session.name, text)))

    def _deliver(self, other: Session, told: bytes) -> None:
        if not other.deliver(told, self._monotonic()):
            raise Refusal(
                RefusalCode.UNAVAILABLE, "whom it is for cannot keep up reading", "try again", 2_000
            )

    def _present(self, session: Session, avatar: int) -> Session:
        other = self._roster.find(avatar)
        if other is None or other.state is not SessionState.LIVE or not self._may_know(session, other):
            raise Refusal(RefusalCode.NOT_FOUND, f"expected an avatar that is here, got {avatar}")
        return other

    def _signal(self, session: Session, signal: messages.Signal) -> None:
        told = message(messages.Signalled(session.avatar, signal.channel, signal.data))
        if signal.to:
            other = self._present(session, signal.to)
            if session.avatar not in other.seat.blocked:
                self._deliver(other, told)
            return
        self._take(session.buckets.calls, "signals to everybody near")
        now = self._monotonic()
        for other in self._within(session, SIGNAL_REACH):
            if session.avatar not in other.seat.blocked:
                other.deliver(told, now)

    def _within(self, session: Session, reach: int) -> list[Session]:
        """Who stands within reach of somebody, and may see them."""
        own = self._fanout.mirror.body(session.avatar)
        seats, x, z = self._fanout.seats.positions()
        if own is None or not seats:
            return []
        near = (x - own[0]) ** 2 + (z - own[1]) ** 2 <= reach**2
        found = (self._roster.find(seats[i].avatar) for i in near.nonzero()[0].tolist())
        return [
            other
            for other in found
            if other is not None and other is not session and self._may_know(other, session)
        ]

    def _block(self, session: Session, block: messages.Block) -> None:
        blocked = session.seat.blocked
        if block.avatar == session.avatar:
            raise Refusal(RefusalCode.INVALID, "expected somebody else to block, got yourself")
        if block.on and len(blocked) >= MAX_BLOCKED and block.avatar not in blocked:
            raise Refusal(RefusalCode.INVALID, f"expected at most {MAX_BLOCKED} blocked, got one more")
        if block.on != (block.avatar in blocked):
            self._fanout.block(session.seat, block.avatar, block.on)


def _command_id(payload: bytes) -> int:
    """The id of a command that is otherwise wrong, so that whoever waits for its answer gets it; 0 if there is none."""
    reader = msgpack.Unpacker()
    reader.feed(payload[:_HEAD_BYTES])
    try:
        reader.read_array_header()
        tag, number = reader.unpack(), reader.unpack()
    except (ValueError, msgpack.exceptions.UnpackException):
        return 0
    is_command = type(tag) is int and messages.CLIENT_MESSAGES.get(tag) in _COMMANDS
    return number if is_command and type(number) is int and 0 <= number <= _MAX_ID else 0
