"""Client: a world to await. Commands with answers, moves within the limits, events to those who listen."""

import asyncio
import contextlib
import functools
import itertools
import logging
import random
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from msgspec import Struct

from worldloom_sdk import events
from worldloom_sdk.answers import Answers
from worldloom_sdk.avatar import Avatar, Position, avatar_id
from worldloom_sdk.clock import Clock, RealClock, within
from worldloom_sdk.connection import Command, Connection
from worldloom_sdk.errors import Disconnected, NotConnected, TimedOut
from worldloom_sdk.identity import Identity
from worldloom_sdk.keyed import Keyed
from worldloom_sdk.land import Land
from worldloom_sdk.link import Link
from worldloom_sdk.market import Market
from worldloom_sdk.money import Purse
from worldloom_sdk.names import NameDesk
from worldloom_sdk.notice_book import NoticeBook
from worldloom_sdk.notices import Noticed
from worldloom_sdk.order import OwnAccount, Staff, Whom, order_fields
from worldloom_sdk.persons import Persons
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.messages import BlockReach, CloseCode, Limits, OrderAct, SayKind, Welcome
from worldloom_sdk.protocol.overlay import Heights, Patch
from worldloom_sdk.protocol.words import Gesture
from worldloom_sdk.terrain import Terrain
from worldloom_sdk.transport import Dial, dialler
from worldloom_sdk.view import Known, View

__all__ = ["Client"]

_log = logging.getLogger(__name__)

E = TypeVar("E", bound=events.Event)
Listener = Callable[[events.Event], None]

_PING_SPACING_S = 0.55
_PING_EVERY_S = 10.0
_FIRST_PINGS = 3
_TEND_EVERY_S = 0.5


class Client:
    """A client of one world: ``async with Client("127.0.0.1:8420", name="Ada") as client: ...``.

    Args:
        url: ``ws://host:port/ws``, ``http(s)://host[:port]`` or ``host:port``.
        name: Wanted name; a guest's or a new account's.
        token: Token of an account, or a bot's key, if there is one.
        token_file: Where the token and the recovery code of this client's account are kept, mode 0600. If there is no
            such file, an account is asked for and both are written there; its folder must exist.
        keep: Ask for an account when there is no token. Default: only with a ``token_file``.
        access: An invitation or the world's password, where one is asked for; used when there is no token.
        code: A recovery or pairing code of an account to come back to; used when there is no token.
        bot: Say that this is no person; it is shown. A ``Bot`` says it for its client.
        at: Where to be set down the first time, x and z in metres; elsewhere if it may not be there.
        dial: Opens transports, instead of a WebSocket to ``url``.
        clock: Whose time it goes by.
        patience_s: How long the first join may go on trying when nobody answers or the world is full, in seconds. The
            last try is at the end of it, even if the world said to come back later.
        rng: Where the jitter of waiting times comes from.

    Attributes:
        connection: The protocol's state, the view included.
        terrain: Heights of the land near.
        staff: What moderators and owners do.
        account: What a person does about its account.
        persons: Looks, and finding people.
        money, land, market: What accounts own and trade; ``land`` is who has the land, ``terrain`` what it is like.
        identity: By what right it comes in; holds secrets.
        clock: As given.

    What is given is looked at by ``start``.
    """

    _task: asyncio.Task[None] | None = None
    _joined: asyncio.Future[None] | None = None

    def __init__(
        self,
        url: str = "",
        *,
        name: str = "",
        token: str | None = None,
        token_file: str | Path | None = None,
        keep: bool | None = None,
        access: str = "",
        code: str = "",
        bot: bool = False,
        at: tuple[float, float] | None = None,
        dial: Dial | None = None,
        clock: Clock | None = None,
        patience_s: float = 0.0,
        rng: random.Random | None = None,
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self.connection = Connection(self.clock.monotonic)
        self.terrain = Terrain(lambda path: self._link.transport.get(path), self.clock)
        self.identity = Identity(
            name=name,
            token=token or None,
            token_file=Path(token_file) if token_file is not None else None,
            keep=keep if keep is not None else token_file is not None,
            access=access,
            code=code,
            bot=bot,
            at=at,
        )
        self.staff = Staff(self._carry_out)
        self.account = OwnAccount(self._carry_out, self.identity.renew_recovery)
        self.persons = Persons(self.view, self._carry_out, self._ask_name)
        keyed = Keyed(self, self._carry_out)
        self.money, self.land, self.market = Purse(keyed), Land(keyed), Market(keyed)
        self._notices = NoticeBook(self.clock, self.money.read)
        self._names = NameDesk(lambda ids: self._link.send(self.connection.who(ids)), self.clock)
        self._link = Link(
            self.connection,
            self.identity,
            dial=dial or dialler(url),
            clock=self.clock,
            emit=self._take,
            helpers=(self._tend, self._keep_time, self._names.run, self._notices.run),
            patience_s=patience_s,
            rng=rng,
        )
        self._answers, self._listeners = Answers(self.clock), list[Listener]()
        self._move_turn, self._ping_turn = asyncio.Lock(), asyncio.Lock()
        self._next_move = self._next_ping = 0.0

    # ---- what can be read

    @property
    def view(self) -> View:
        """The mirror of what is seen."""
        return self.connection.view

    @property
    def in_world(self) -> bool:
        """Whether the client is in the world at this moment."""
        return self._link.in_world

    @property
    def is_over(self) -> bool:
        """Whether the client was not started, or has ended: it does not come back by itself."""
        return self._task is None or self._task.done()

    @property
    def token(self) -> str | None:
        """Token of the account, once there is one; a secret."""
        return self.identity.token

    @property
    def recovery(self) -> str:
        """Recovery code of the account, if this client was told it or its token file has it; a secret."""
        return self.identity.recovery

    @property
    def greeting(self) -> str:
        """What the world tells who comes; raises as ``limits``."""
        return self._welcome.greeting

    @property
    def role(self) -> str:
        """What this client is here, a Role or newer; raises as ``limits``."""
        return self._standing.role

    @property
    def hidden(self) -> bool:
        """Whether this client is invisible to all but staff; raises as ``limits``."""
        return self._standing.hidden

    @property
    def scopes(self) -> frozenset[str] | None:
        """What the key that it came with may be used for, each a Scope; ``None``: everything. Raises as ``limits``."""
        scopes = self._welcome.scopes
        return frozenset(scopes) if scopes is not None else None

    @property
    def me(self) -> Avatar:
        """Own avatar.

        Raises:
            NotConnected: The world was never joined.
        """
        if self.connection.welcome is None:
            raise NotConnected("this client has not joined a world yet")
        return self.connection.me

    @property
    def name(self) -> str:
        """Own name, as the server gave it; before that, the wanted one."""
        welcome = self.connection.welcome
        return welcome.name if welcome is not None else self.identity.name

    @property
    def position(self) -> Position:
        """Own position in metres, by the last move and correction."""
        return self.connection.position

    @property
    def limits(self) -> Limits:
        """What the server holds this client to.

        Raises:
            NotConnected: The world was never joined.
        """
        return self._welcome.limits

    # ---- life

    async def start(self) -> None:
        """Join the world, and stay in it until ``stop``.

        Raises:
            Refused: The server does not let this client in: AccessRefused and Banned are two ways of it.
            Disconnected: Nobody answered within ``patience_s``.
            SetupError: Address, name or token are none, or the token file cannot be read or written.
        """
        if self._task is not None:
            raise RuntimeError("expected a client that was not started, got one that was")
        self._joined = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name=f"client {self.identity.name}")
        try:
            await asyncio.wait((self._task, self._joined), return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                self._task.result()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Leave the world, and end everything that this client started."""
        was_in_world = self.in_world
        if was_in_world:
            with contextlib.suppress(Disconnected):
                await self._link.send(self.connection.leave())
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.terrain.close()
        if was_in_world:
            self._take(events.Lost(CloseCode.NORMAL, "left the world", final=True))

    async def wait_closed(self) -> None:
        """Wait until this client has ended: by ``stop``, or because the server will not have it any more.

        Raises:
            SentOut: Who keeps order here sent it out.
            WorldloomError: The latter in any way; says why.
        """
        if self._task is not None:
            await asyncio.wait((self._task,))
            if not self._task.cancelled():
                self._task.result()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # ---- events

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a plain function called with every event, at once and in order; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def wait_for(
        self, kind: type[E], check: Callable[[E], bool] | None = None, timeout: float | None = None
    ) -> E:
        """Wait for the next event of a kind.

        Args:
            kind: Class of the event; subclasses count.
            check: If given, only an event for which it is true.
            timeout: Seconds; ``None`` waits without end.

        Raises:
            TimedOut: None came in time.
            Disconnected: This client has ended.
            TypeError: ``kind`` is no event class.
        """
        events.check_kind(kind)
        future: asyncio.Future[E] = asyncio.get_running_loop().create_future()

        def hear(event: events.Event) -> None:
            if future.done():
                return
            if isinstance(event, kind) and (check is None or check(event)):
                future.set_result(event)
            elif isinstance(event, events.Lost) and event.final:
                future.set_exception(Disconnected(event.reason, event.code, final=True))

        end = self.listen(hear)
        try:
            return await within(self.clock, timeout, future, f"waiting for {kind.__name__}")
        finally:
            end()

    # ---- doing

    async def move(
        self,
        x_m: float,
        z_m: float,
        y_m: float | None = None,
        *,
        yaw: float = 0.0,
        gesture: int = Gesture.STAND,
    ) -> int:
        """Put the body somewhere (see ``Connection.move``); waits where the server's limit asks for it.

        Returns:
            The move's number.

        Raises:
            Disconnected: Not in the world.
            ValueError: A number is out of range.
        """
        async with self._move_turn:
            await self.clock.sleep(max(0.0, self._next_move - self.clock.monotonic()))
            self._require()
            data = self.connection.move(x_m, z_m, y_m, yaw, gesture)
            self._next_move = self.clock.monotonic() + 1.0 / max(1, self.limits.moves_per_s)
            await self._link.send(data)
        return self.connection.seq

    async def say(self, text: str, kind: SayKind = SayKind.SAY) -> None:
        """Speak to those near: 20 m, shouting 100 m, or the whole region.

        Raises:
            Refused: The server refused it; ``retry_after`` says how long to be quiet.
            Disconnected: Not in the world, or lost before the answer.
            ValueError: The text is too long; likewise below, when an argument is out of bounds.
        """
        await self._command(lambda: self.connection.say(text, kind))

    async def whisper(self, to: Avatar | int, text: str) -> None:
        """Speak to one avatar, wherever it is. Raises as ``say``."""
        await self._command(lambda: self.connection.whisper(avatar_id(to), text))

    async def signal(self, channel: str, data: bytes, to: Avatar | int = 0) -> None:
        """Send bytes of your own to one avatar's client, or to all within 100 m. Raises as ``say``."""
        await self._command(lambda: self.connection.signal(channel, data, avatar_id(to)))

    async def block(self, avatar: Avatar | int, *, speech_only: bool = False) -> None:
        """Be nothing to each other: neither is sent the other's body or speech, or speech alone. Raises as ``say``."""
        reach = BlockReach.SPEECH if speech_only else BlockReach.ALL
        await self._carry_out(messages.Block, avatar=avatar_id(avatar), on=True, reach=reach)

    async def unblock(self, avatar: Avatar | int) -> None:
        """End a block. Raises as ``say``."""
        await self._carry_out(messages.Block, avatar=avatar_id(avatar), on=False)

    async def report(self, avatar: Avatar | int, text: str) -> int:
        """Tell staff of somebody in view or just heard; what was sent here in the last 30 s goes with it.

        Returns:
            The report's number. Raises as ``say``.
        """
        return await self._carry_out(messages.Report, avatar=avatar_id(avatar), text=text)

    async def order(self, act: OrderAct, who: Whom | None = None, **fields: object) -> Any:
        """Keep order, by any act and the fields of ``messages.Order`` that it takes; ``staff`` has a method for each.

        Returns:
            What the act has to tell, see ``results.RESULTS``. Raises as ``say``.
        """
        return await self._carry_out(messages.Order, act=act, **order_fields(who), **fields)

    async def edit_terrain(self, x_m: float, z_m: float, heights_m: Heights) -> None:
        """Set the height of the ground at samples 2 m apart, or give samples back to the tile. For owners.

        When it returns, ``terrain`` has the new heights, as far as it has those of that land at all.

        Args:
            x_m: Of the first sample, a multiple of 2 m.
            z_m: Likewise.
            heights_m: Rows along x, 1 to 32 of 1 to 32 each; metres, or None: as the tile has it.

        Raises ValueError for what is no number or out of bounds, NaN too, and else as ``say``.
        """
        patch = Patch.of_metres(x_m, z_m, heights_m)
        size = {"width": patch.width, "depth": patch.depth}
        done: list[messages.Edited] = await self._carry_out(
            messages.EditTerrain, x=patch.x, z=patch.z, **size, heights=patch.to_bytes()
        )
        await self.terrain.until_told([(one.rx, one.rz, one.version) for one in done])

    async def ping(self) -> int:
        """World time in milliseconds, asked of the server now; at most about twice a second, waits for its turn.

        Raises:
            TimedOut: No answer.
            Disconnected: Not in the world, or lost before the answer.
        """
        async with self._ping_turn:
            await self.clock.sleep(max(0.0, self._next_ping - self.clock.monotonic()))
            self._require()
            self._next_ping = self.clock.monotonic() + _PING_SPACING_S
            future = self._answers.expect_pong()
            await self._link.send(self.connection.ping())
        return await self._answers.pong(future)

    async def name_of(self, avatar: Avatar | int, timeout: float = 3.0) -> str | None:
        """Name of an avatar; asked for once, then remembered. ``None`` if the server does not tell it in time.

        Raises:
            Disconnected: This client has ended.
        """
        known = self.view.name_of(avatar_id(avatar)) or await self._ask_name(avatar_id(avatar), timeout)
        return None if known is None else known.name

    async def _ask_name(self, wanted: int, timeout: float) -> Known | None:
        self._names.want(wanted)
        with contextlib.suppress(TimedOut):
            await self.wait_for(events.NamesKnown, lambda event: wanted in event.ids, timeout)
        return self.view.name_of(wanted)

    # ---- inside

    async def _run(self) -> None:
        raise await self._link.run()

    async def _tend(self) -> None:
        """Let go of bodies in time."""
        while True:
            await self.clock.sleep(_TEND_EVERY_S)
            for event in self.connection.idle():
                self._emit(event)

    async def _keep_time(self) -> None:
        """Keep the estimate of world time right."""
        for wait_s in itertools.chain([0.0] * _FIRST_PINGS, itertools.repeat(_PING_EVERY_S)):
            await self.clock.sleep(wait_s)
            with contextlib.suppress(TimedOut):
                await self.ping()

    def _take(self, event: events.Event) -> None:
        self._answers.take(event, self.name)
        if isinstance(event, Noticed) and not self._notices.take(event.number):
            return
        match event:
            case events.RegionWoven(rx=rx, rz=rz, sha256=sha256, overlay=overlay):
                self.terrain.woven(rx, rz, sha256, overlay)
            case events.TerrainEdited(rx=rx, rz=rz, version=version, patch=patch):
                self.terrain.edited(rx, rz, version, patch)
            case events.Joined() | events.Resumed():
                if isinstance(event, events.Joined):
                    self.terrain.start_anew()
                if self._joined is not None and not self._joined.done():
                    self._joined.set_result(None)
        self._emit(event)

    def _emit(self, event: events.Event) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - the boundary
                _log.exception("%s: a listener failed on %s", self.name, type(event).__name__)

    async def _carry_out(self, kind: type[Struct], /, **fields: object) -> Any:
        return await self._command(functools.partial(self.connection.command, kind, **fields))

    async def _command(self, make: Callable[[], Command]) -> Any:
        self._require()
        command = make()
        return await self._answers.of_command(command.id, self._link.send(command.data))

    @property
    def _welcome(self) -> Welcome:
        if self.connection.welcome is None:
            raise NotConnected("this client has not joined a world yet")
        return self.connection.welcome

    @property
    def _standing(self) -> events.Standing:
        if self.connection.standing is None:
            raise NotConnected("this client has not joined a world yet")
        return self.connection.standing

    def _require(self) -> None:
        if not self.in_world:
            raise NotConnected("this client is not in the world at this moment")
