"""What a client may ask for: one handler a message, in one table. Knows no sockets; the session answers."""

from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import msgpack
from msgspec import Struct

from worldloom.errors import Refusal
from worldloom.gateway.errands import Errands
from worldloom.gateway.finding import Finder
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import FOREVER, Bucket, Session, SessionState
from worldloom.gateway.times import Times
from worldloom.realm.names import clean_text
from worldloom.replication.fanout import FanOut
from worldloom.replication.feed import Speak
from worldloom.replication.uplink import Uplink
from worldloom.replication.wire import message, people_message
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import ProtocolError, decode_client
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import RefusalCode, SayKind, Scope

__all__ = ["REACH", "Commands", "Slow"]

REACH = {SayKind.SAY: 20 * XZ_PER_M, SayKind.SHOUT: 100 * XZ_PER_M, SayKind.REGION: -1}
SIGNAL_REACH = 100 * XZ_PER_M
_SCOPES = {messages.Say: Scope.TALK, messages.Whisper: Scope.TALK, messages.Signal: Scope.SIGNAL}
"""What a key must be good for; whatever is missing here, every key may ask for, or its own handler decides."""
_MAX_ID = 0xFFFF_FFFF
_HEAD_BYTES = 24
"""An array's header, a tag and a number take no more."""


class Limits(Protocol):
    """The section of the configuration that bounds what is said."""

    @property
    def text_chars(self) -> int: ...


Slow = Callable[[Session, Any], Coroutine[Any, Any, object]]
"""A handler that asks the store; what it returns goes into Done."""


class Commands:
    """Carries out what sessions ask for.

    Args:
        roster: Who is in the world.
        fanout: Who sees whom.
        uplink: The way to the shard.
        leave: Ends a session at its own wish.
        put_move: Takes a move (the payload) that came another way than the fast path.
        limits: Bounds of what is said.
        times: Clocks.
    """

    def __init__(
        self,
        roster: Roster,
        fanout: FanOut,
        uplink: Uplink,
        leave: Callable[[Session], None],
        put_move: Callable[[Session, bytes], None],
        limits: Limits,
        times: Times,
    ) -> None:
        self._roster, self._fanout, self._uplink, self._leave = roster, fanout, uplink, leave
        self._put_move, self._limits = put_move, limits
        self._monotonic, self._world_ms, self._unix_ms = times.monotonic, times.world_ms, times.unix_ms
        self.refused: Counter[str] = Counter()
        """Commands refused, by code."""
        self.slow: dict[type, Slow] = {}
        """Handlers that ask the store, by message."""
        self.errands = Errands(self.refused)
        self.heard: Callable[[Session], None] = roster.confirm_resume
        """Told of a session's first message since its Welcome."""
        self._handlers: dict[type, Callable[[Session, Any], None]] = {
            messages.Move: self._move,
            messages.Ping: self._ping,
            messages.Who: self._who,
            messages.Leave: lambda session, _: self._leave(session),
        }
        self._commands: dict[type, Callable[[Session, Any], object]] = {
            messages.Find: Finder(roster, fanout.mirror, times).find,
            messages.Say: self._say,
            messages.Whisper: self._whisper,
            messages.Signal: self._signal,
        }

    def handle(self, session: Session, payload: bytes) -> None:
        """Decode one message of a live session and do what it asks for."""
        if session.unheard and session.state is SessionState.LIVE:
            self.heard(session)
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
        elif type(asked) is not messages.Hello:
            self._command(session, asked)
        else:
            session.mistaken(0, "Hello may come once only", RefusalCode.STATE)

    def _command(self, session: Session, asked: Struct) -> None:
        number: int = asked.id  # type: ignore[attr-defined]
        try:
            if self._uplink.is_backed_up:
                raise Refusal(RefusalCode.UNAVAILABLE, "the world does not answer", "try again", 2_000)
            self._take(session.buckets.commands, "commands")
            if session.home is not None:
                self._take(session.home.commands, "commands from this address")
            if type(asked) in _SCOPES:
                session.standing.need(_SCOPES[type(asked)])
                self._check_voice(session)
            slow = self.slow.get(type(asked))
            if slow is not None:
                self.errands.start(session, number, lambda: slow(session, asked))
                return
            result = self._commands[type(asked)](session, asked)
        except Refusal as refusal:
            self.refused[refusal.code] += 1
            session.refuse(number, refusal)
        else:
            session.write(message(messages.Done(number, result)))

    def _check_voice(self, session: Session) -> None:
        muted_ms = session.standing.muted_ms(self._unix_ms())
        if muted_ms:
            # A mute without end is told as 0: not at any time.
            raise Refusal(
                RefusalCode.MUTED,
                f"you are muted: {session.standing.mute_reason}",
                "wait",
                muted_ms % FOREVER,
            )

    def _take(self, bucket: Bucket, what: str) -> None:
        wait = bucket.take(self._monotonic())
        if wait:
            raise Refusal(RefusalCode.RATE, f"too many {what}", "ask less often", round(wait * 1_000) + 1)

    def _move(self, session: Session, move: messages.Move) -> None:
        try:
            session.standing.need(Scope.MOVE)
        except Refusal as refusal:
            session.mistaken(0, refusal.text, refusal.code)
        else:
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
        told = message(messages.Whispered(session.avatar, session.name, text))
        self._deliver(session, other, told, "whisper", text)

    def _deliver(
        self, session: Session, other: Session, told: bytes, channel: str, what: str | bytes
    ) -> None:
        """Write to somebody what somebody else sends, unless they are nothing to each other.

        Raises:
            Refusal: It cannot be written now.
        """
        if session.has_nothing_to_do_with(other):
            return
        if not self._may_know(other, session):
            raise Refusal(
                RefusalCode.STATE,
                "you are invisible to whom it is for, and would not be any more",
                "appear first, or come out of where you are",
            )
        now, post = self._world_ms(), (session.avatar, session.name, channel, what)
        if not other.deliver(told, self._monotonic(), now, post):
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
        what = (told, f"signal {signal.channel}", signal.data)
        if signal.to:
            self._deliver(session, self._present(session, signal.to), *what)
            return
        self._take(session.buckets.calls, "signals to everybody near")
        for other in self._within(session, SIGNAL_REACH):
            with suppress(Refusal):
                self._deliver(session, other, *what)

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


def _command_id(payload: bytes) -> int:
    """The id of a command that is otherwise wrong, so that whoever waits for its answer gets it; 0 if there is none."""
    reader = msgpack.Unpacker()
    reader.feed(payload[:_HEAD_BYTES])
    try:
        reader.read_array_header()
        tag, number = reader.unpack(), reader.unpack()
    except (ValueError, msgpack.exceptions.UnpackException):
        return 0
    cls = messages.CLIENT_MESSAGES.get(tag) if type(tag) is int else None
    is_command = cls is not None and cls.__struct_fields__[:1] == ("id",)
    return number if is_command and type(number) is int and 0 <= number <= _MAX_ID else 0
