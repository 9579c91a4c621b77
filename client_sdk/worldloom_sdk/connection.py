"""Connection: the client's side of the protocol without I/O. Bytes in, events out; it opens and times nothing.

One object lives through lost connections: the view, the numbers of moves and the names that are known go on with it.
"""

import math
import re
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Final, NamedTuple

import msgspec

from worldloom_sdk import events
from worldloom_sdk.avatar import Avatar, Position, yaw_to_units
from worldloom_sdk.plain import plain_event, worn
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import ProtocolError, decode_server, encode
from worldloom_sdk.protocol.geometry import GROUND_Y, TICK_MS, Y_PER_M, to_units
from worldloom_sdk.protocol.results import RESULTS
from worldloom_sdk.protocol.words import BodyError, Gesture
from worldloom_sdk.view import Body, Changes, View

__all__ = ["Command", "Connection", "State"]

_MOVE_HEAD: Final = b"\x92\x02\xc4\x10"
_MOVE: Final = struct.Struct("<IiihBB")
_MOVES_REMEMBERED = 128
_WITHOUT_END_MS = 2**53 - 1
_CLOCK_SAMPLES = 8
_EXPECTED: Final = re.compile(r"Expected (.+?)(, got .+)? - at `\$\[(\d+)\]")
"""How msgspec says what is wrong with a field, and which one it is."""


class State(Enum):
    """Where a connection stands."""

    NEW = auto()
    """Nothing was sent yet."""
    GREETED = auto()
    """Hello was sent, its answer has not come."""
    IN_WORLD = auto()
    """Welcome has come."""
    LOST = auto()
    """The socket is gone; ``hello`` may be called again."""


class Command(NamedTuple):
    """A command ready to be sent: CommandDone or CommandRefused with this id will follow."""

    id: int
    data: bytes


class _Waiting(NamedTuple):
    """A command that waits for its answer: its class, and its act if it has one."""

    kind: type[msgspec.Struct]
    act: str


class Connection:
    """What a client knows and says.

    Args:
        clock: Gives monotonic seconds, for the clock offset.

    Attributes:
        state: Where the connection stands.
        view: The mirror of what is seen.
        welcome: What the server said at the last join; holds the resume token and the limits.
        standing: What this client is here, as was said last; ``None`` before the first join.
        seq: Number of the last move.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = State.NEW
        self.view = View()
        self.welcome: messages.Welcome | None = None
        self.standing: events.Standing | None = None
        self.seq = 0
        self._clock = clock
        self._body = Body(0, 0, 0, 0, 0)
        self._height_known = False
        self._flying: deque[tuple[int, Body]] = deque(maxlen=_MOVES_REMEMBERED)
        self._commands: dict[int, _Waiting] = {}
        self._last_id = 0
        self._offsets: deque[tuple[float, float]] = deque(maxlen=_CLOCK_SAMPLES)

    # ---- what can be read

    @property
    def me(self) -> Avatar:
        """Own avatar, where it is by the last move and correction.

        Raises:
            KeyError: The world was never joined.
        """
        self._follow_own_height()
        return self.view.avatars[self.view.own]

    @property
    def body(self) -> Body:
        """Own body in wire units; y is what the server last said of this place."""
        self._follow_own_height()
        return self._body

    @property
    def position(self) -> Position:
        """Own position in metres, by the last move and correction."""
        body = self.body
        return Position.of_units(body.x, body.y, body.z)

    @property
    def height_known(self) -> bool:
        """Whether y of the own position is right: after a move on the ground it is not, until the server shows it."""
        self._follow_own_height()
        return self._height_known

    @property
    def pending(self) -> dict[int, str]:
        """Commands that wait for their answer: id -> name of the command."""
        return {command: waiting.kind.__name__ for command, waiting in self._commands.items()}

    @property
    def server_ms(self) -> float:
        """World time now, in milliseconds, as well as it is known; 0 before the first join."""
        if not self._offsets:
            return 0.0
        _, offset_ms = min(self._offsets)
        return self._clock() * 1000 + offset_ms

    # ---- what is said

    def hello(
        self,
        *,
        name: str = "",
        token: str | None = None,
        resume: str | None = None,
        keep: bool = False,
        client: str = "",
        access: str = "",
        code: str = "",
        bot: bool = False,
        at: tuple[float, float] | None = None,
    ) -> bytes:
        """The first message on a new socket; see ``messages.Hello`` for what its fields mean. ``at``: metres.

        Raises:
            RuntimeError: The connection is already greeted; call ``lost`` first.
            ValueError: A coordinate is not finite.
            ProtocolError: An argument is out of bounds.
        """
        if self.state not in (State.NEW, State.LOST):
            raise RuntimeError(f"expected a new or lost connection, got {self.state.name}")
        version = messages.PROTOCOL_VERSION
        place = None if at is None else [*to_units(*at)]
        data = _checked(messages.Hello(version, client, name, token, resume, keep, access, code, bot, place))
        self.state = State.GREETED
        return data

    def move(
        self,
        x_m: float,
        z_m: float,
        y_m: float | None = None,
        yaw: float = 0.0,
        gesture: int = Gesture.STAND,
    ) -> bytes:
        """Put the body somewhere; it counts as there until a correction says otherwise.

        Args:
            x_m: Metres.
            z_m: Metres.
            y_m: Metres; ``None``: on the ground, wherever that is.
            yaw: Radians, 0 looks to +Z, counter-clockwise from above.
            gesture: 0-63.

        Raises:
            ValueError: A number is not finite or out of the wire's range.
        """
        x, z = to_units(x_m, z_m)
        if y_m is not None and not math.isfinite(y_m):
            raise ValueError(f"y_m: expected finite metres, got {y_m}")
        y = GROUND_Y if y_m is None else round(y_m * Y_PER_M)
        return self.move_units(Body(x, y, z, yaw_to_units(yaw), gesture))

    def move_units(self, body: Body) -> bytes:
        """As ``move``, in wire units; y may be ``GROUND_Y``.

        Raises:
            ValueError: A number is out of the wire's range.
        """
        if not 0 <= body.gesture <= 63:
            raise ValueError(f"gesture: expected 0 to 63, got {body.gesture}")
        seq = (self.seq + 1) & 0xFFFF_FFFF
        try:
            data = _MOVE_HEAD + _MOVE.pack(seq, body.x, body.z, body.y, body.yaw, body.gesture)
        except struct.error:
            raise ValueError(f"expected a place within the world, got {body}") from None
        self.seq = seq
        if body.y == GROUND_Y:
            self._height_known &= (body.x, body.z) == (self._body.x, self._body.z)
            body = body._replace(y=self._body.y)
        self._flying.append((seq, body))
        self._be(body)
        return data

    def ping(self) -> bytes:
        """Ask for world time; answered by a Ponged event."""
        return encode(messages.Ping(max(0, round(self._clock() * 1000))))

    def who(self, ids: Sequence[int]) -> bytes:
        """Ask for the names of 1 to 64 avatars.

        Raises:
            ProtocolError: None, or too many.
        """
        return _checked(messages.Who(list(ids)))

    def leave(self) -> bytes:
        """Leave the world for good: this session cannot be resumed."""
        return encode(messages.Leave())

    def say(self, text: str, kind: messages.SayKind = messages.SayKind.SAY) -> Command:
        """Speak to those near.

        Raises:
            ProtocolError: The text is too long, or an argument of another kind.
        """
        return self.command(messages.Say, kind=kind, text=text)

    def whisper(self, to: int, text: str) -> Command:
        """Speak to one avatar.

        Raises:
            ProtocolError: The text is too long, or an argument of another kind.
        """
        return self.command(messages.Whisper, to=to, text=text)

    def signal(self, channel: str, data: bytes, to: int = 0) -> Command:
        """Send a message of this client's own kind to one avatar, or to all within 100 m (``to`` 0).

        Raises:
            ProtocolError: Channel or data are too long.
        """
        return self.command(messages.Signal, to=to, channel=channel, data=data)

    def command(self, kind: type[msgspec.Struct], /, **fields: object) -> Command:
        """Any command: its class in ``messages``, and its fields but ``id`` by name.

        Raises:
            ProtocolError: A field is out of bounds, or of another kind.
            RuntimeError: Not in the world.
        """
        if self.state is not State.IN_WORLD:
            raise RuntimeError(f"expected to be in the world, got {self.state.name}")
        number = self._last_id % 0xFFFF_FFFF + 1
        data = _checked(kind(id=number, **fields))
        self._last_id = number
        self._commands[number] = _Waiting(kind, str(fields.get("act", "")))
        return Command(number, data)

    # ---- what is heard

    def receive(self, data: bytes | memoryview) -> list[events.Event]:
        """Take in one message of the server.

        Raises:
            ProtocolError: It is none, or it may not come now. The connection should be closed with 1002.
        """
        message = decode_server(data)
        if self.state is State.GREETED:
            return self._greeted(message)
        if self.state is not State.IN_WORLD:
            raise ProtocolError(f"expected nothing before Hello, got {type(message).__name__}")
        return self._in_world(message)

    def idle(self) -> list[events.Event]:
        """Let time pass without a message: bodies that left a cell and came to no other are let go."""
        tick = int(self.server_ms) // TICK_MS
        return self._seen(self.view.expire(tick)) if tick > self.view.tick else []

    def lost(self) -> list[int]:
        """The socket is gone. Returns the ids of the commands that nobody will answer any more."""
        self.state = State.LOST
        unanswered = list(self._commands)
        self._commands.clear()
        self._flying.clear()
        return unanswered

    # ---- inside

    def _be(self, body: Body) -> None:
        self._body = body
        self.view.be(self.view.own, body)

    def _follow_own_height(self) -> None:
        shown = self.view.own_word()
        if shown is not None and (shown[0].x, shown[0].z) == (self._body.x, self._body.z):
            self._height_known = True
            self._be(self._body._replace(y=shown[0].y))

    def _greeted(self, message: msgspec.Struct) -> list[events.Event]:
        match message:
            case messages.Welcome():
                return self._welcomed(message)
            case messages.Refused(code=code, text=text, hint=hint, retry_after_ms=wait):
                return [events.JoinRefused(code, text, hint, wait / 1000)]
            case messages.Goodbye(code=code, text=text, retry_after_ms=wait):
                return [events.Farewell(code, text, wait / 1000)]
        raise ProtocolError(f"expected Welcome or Refused, got {type(message).__name__}")

    def _welcomed(self, welcome: messages.Welcome) -> list[events.Event]:
        gone = self._seen(self.view.start_anew(keep=welcome.resumed))
        self.state = State.IN_WORLD
        self.welcome = welcome
        self._offsets.clear()
        self._offsets.append((float("inf"), welcome.server_ms - self._clock() * 1000))
        self.view.be(welcome.you, Body(welcome.x, welcome.y, welcome.z, welcome.yaw, Gesture.STAND))
        self._be(Body(welcome.x, welcome.y, welcome.z, welcome.yaw, Gesture.STAND))
        self._height_known = True
        self.view.know(welcome.you, welcome.name, look=worn(welcome.look))
        self.standing = events.Standing(welcome.role, 0.0, "", welcome.hidden)
        if welcome.resumed:
            return [*gone, events.Resumed(self.me)]
        return [*gone, events.Joined(self.me, welcome.world)]

    def _in_world(self, message: msgspec.Struct) -> list[events.Event]:
        match message:
            case messages.Frame():
                return self._frame(message)
            case messages.Area() | messages.AreaComplete():
                return self._area(message)
            case messages.Correction():
                return [self._corrected(message)]
            case messages.Done(id=command, result=result):
                return [self._done(command, result)]
            case messages.Refused(id=command, code=code, text=text, hint=hint, retry_after_ms=wait):
                waiting = self._commands.pop(command, None)
                what = waiting.kind.__name__ if waiting is not None else ""
                return [events.CommandRefused(command, what, code, text, hint, wait / 1000)]
            case messages.Standing(role=role, muted_ms=muted_ms, reason=reason, hidden=hidden):
                muted = muted_ms / 1000 if muted_ms < _WITHOUT_END_MS else math.inf
                self.standing = events.Standing(role, muted, reason, hidden)
                return [self.standing]
            case messages.Pong():
                return [self._ponged(message)]
            case messages.People() | messages.Looks():
                return self._people(message)
        return [plain_event(message)]

    def _people(self, message: messages.People | messages.Looks) -> list[events.Event]:
        if isinstance(message, messages.Looks):
            looks = [(one.avatar, look) for one in message.looks if (look := worn(one.look)) is not None]
            for avatar, look in looks:
                self.view.dress(avatar, look)
            return [events.LookChanged(*one) for one in looks]
        for named in message.people:
            self.view.know(named.avatar, named.name, named.kind, named.of, worn(named.look))
        return [events.NamesKnown(tuple(named.avatar for named in message.people))]

    def _done(self, command: int, result: Any) -> events.CommandDone:
        waiting = self._commands.pop(command, None)
        if waiting is None:
            return events.CommandDone(command, "", result)
        what, told = waiting.kind.__name__, RESULTS.get(waiting)
        if told is None:
            return events.CommandDone(command, what)
        try:
            return events.CommandDone(command, what, msgspec.convert(result, told))
        except msgspec.ValidationError as fault:
            raise ProtocolError(f"Done of {what} {waiting.act}: {fault}") from None

    def _frame(self, frame: messages.Frame) -> list[events.Event]:
        if not frame.body:
            found = self._seen(self.view.expire(frame.tick))
        else:
            try:
                changes = self.view.apply_frame(frame.tick, frame.body)
            except BodyError as fault:
                raise ProtocolError(f"Frame: {fault}") from None
            found = self._seen(changes)
            if changes.moved:
                found.append(events.AvatarsMoved(frame.tick, tuple(changes.moved)))
        me = self.view.own
        found.extend(
            events.Spoke(line.avatar, line.name, _say_kind(line.kind), line.text, line.avatar == me)
            for line in frame.lines
        )
        return found

    def _area(self, message: messages.Area | messages.AreaComplete) -> list[events.Event]:
        if isinstance(message, messages.AreaComplete):
            return [*self._seen(self.view.finish_area(message.tick)), events.PictureComplete(message.tick)]
        area = message
        try:
            changes = self.view.apply_area(area.tick, area.cx, area.cz, area.radius, area.layers, area.body)
        except BodyError as fault:
            raise ProtocolError(f"Area: {fault}") from None
        return self._seen(changes)

    def _seen(self, changes: Changes) -> list[events.Event]:
        found: list[events.Event] = [events.AvatarLeft(avatar) for avatar in changes.left]
        avatars = self.view.avatars
        found.extend(events.AvatarEntered(avatars[avatar]) for avatar in changes.entered if avatar in avatars)
        return found

    def _corrected(self, told: messages.Correction) -> events.Corrected:
        wanted = None
        while self._flying and _not_after(self._flying[0][0], told.seq):
            seq, body = self._flying.popleft()
            if seq == told.seq:
                wanted = Position.of_units(body.x, body.y, body.z)
        self._be(Body(told.x, told.y, told.z, told.yaw, self._body.gesture))
        self._height_known = True
        try:
            reason = messages.CorrectionReason(told.reason)
        except ValueError:
            reason = None
        return events.Corrected(told.seq, reason, Position.of_units(told.x, told.y, told.z), wanted)

    def _ponged(self, pong: messages.Pong) -> events.Ponged:
        now_ms = self._clock() * 1000
        rtt_ms = max(0.0, now_ms - pong.client_ms)
        self._offsets.append((rtt_ms, pong.server_ms + rtt_ms / 2 - now_ms))
        return events.Ponged(rtt_ms / 1000, pong.server_ms)


def _checked(message: msgspec.Struct) -> bytes:
    """The bytes of a message that the server would read.

    Raises:
        ProtocolError: It would not; the text names the argument, what was expected and got.
    """
    fields = msgspec.to_builtins(message, builtin_types=(bytes,))
    try:
        msgspec.convert(fields, type(message), builtin_types=(bytes,))
    except msgspec.ValidationError as fault:
        raise ProtocolError(_in_words(str(fault), type(message), fields)) from None
    return encode(message)


def _in_words(fault: str, kind: type[msgspec.Struct], fields: list[object]) -> str:
    found = _EXPECTED.match(fault)
    if found is None:
        return f"{kind.__name__}: {fault}"
    expected, got, number = found.groups()
    value = fields[int(number)]
    if got is None and isinstance(value, str | bytes):
        got = f", got a length of {len(value)}"
    return f"{kind.__struct_fields__[int(number) - 1]}: expected {expected.replace('`', '')}" + (
        got or f", got {value!r}"
    ).replace("`", "")


def _not_after(seq: int, other: int) -> bool:
    """Whether a move's number is at most another's, numbers going round at 2**32."""
    return (other - seq) & 0xFFFF_FFFF < 0x8000_0000


def _say_kind(kind: int) -> messages.SayKind:
    try:
        return messages.SayKind(kind)
    except ValueError:
        return messages.SayKind.SAY
