"""Bot: a client with a will of its own. Handlers, timers, and actions that finish or raise with the reason."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from worldloom_sdk import events
from worldloom_sdk.avatar import Avatar, Position, yaw_to_radians, yaw_towards
from worldloom_sdk.client import Client
from worldloom_sdk.clock import Clock, within
from worldloom_sdk.errors import Banned, Disconnected, SentOut, TimedOut, WorldloomError
from worldloom_sdk.handlers import Handlers
from worldloom_sdk.land import EstateLike, Land, Parcels
from worldloom_sdk.market import Market
from worldloom_sdk.money import Purse
from worldloom_sdk.order import OwnAccount, Staff
from worldloom_sdk.protocol.estate_parts import Bought, EstateInfo, LeaseInfo, LeaseOffer, Offer
from worldloom_sdk.protocol.geometry import to_units
from worldloom_sdk.protocol.looks import Look
from worldloom_sdk.protocol.messages import Found, SayKind
from worldloom_sdk.protocol.overlay import Heights
from worldloom_sdk.protocol.words import Gesture
from worldloom_sdk.terrain import Terrain
from worldloom_sdk.transport import Dial
from worldloom_sdk.walking import WALK_SPEED, Walk

__all__ = ["Bot", "live_together", "run_many"]

_log = logging.getLogger(__name__)

T = TypeVar("T")
E = TypeVar("E", bound=events.Event)
Handler = TypeVar("Handler", bound=Callable[..., object])

_JOINING_AT_ONCE = 8
_KEY_VARIABLE = "WORLDLOOM_KEY"


class Bot:
    """A bot in one world.

    Args:
        where: Address of the world, or a Client that was not started yet.
        name: Wanted name.
        key: The bot's key, as its owner was given it (``client.account.make_bot``). If there is neither a key nor a
            ``token_file``: the environment's ``WORLDLOOM_KEY``, and without that the bot is a guest.
        token_file: Where token and recovery code of the bot's own account are kept; made at the first start, in a
            folder that is there.
        access: An invitation or the world's password, for a guest or a new account where one is asked for.
        code: A recovery or pairing code of an account to come back to, while there is no token.
        bot: Whether it says that it is no person; others are shown it.
        at: Where to be set down the first time, x and z in metres; elsewhere if it may not be there.
        dial: Opens transports, instead of a WebSocket to ``where``.
        clock: Whose time it goes by.
        patience_s: How long the first join may go on trying when nobody answers or the world is full, in seconds.
        max_calls: How many handler calls may be under way at once; more are dropped, and the log says so.

    What is given is looked at by ``start``. With a Client, only ``bot`` and ``max_calls`` count.
    """

    def __init__(
        self,
        where: str | Client = "",
        *,
        name: str = "",
        key: str | None = None,
        token_file: str | Path | None = None,
        access: str = "",
        code: str = "",
        bot: bool = True,
        at: tuple[float, float] | None = None,
        dial: Dial | None = None,
        clock: Clock | None = None,
        patience_s: float = 30.0,
        max_calls: int = 64,
    ) -> None:
        if isinstance(where, Client):
            self.client = where
        else:
            self.client = Client(
                where,
                name=name,
                token=key or (os.environ.get(_KEY_VARIABLE) if token_file is None and not code else None),
                token_file=token_file,
                access=access,
                code=code,
                at=at,
                dial=dial,
                clock=clock,
                patience_s=patience_s,
            )
        self.client.identity.bot = bot
        self._handlers = Handlers(lambda: self.name, self.client.clock, max_calls)
        self._walk: Walk | None = None
        self._deaf: Callable[[], None] | None = None

    # ---- what can be read

    @property
    def name(self) -> str:
        """The bot's name, as the world gave it."""
        return self.client.name

    @property
    def me(self) -> Avatar:
        """The bot's own avatar. Raises NotConnected before the first join."""
        return self.client.me

    @property
    def position(self) -> Position:
        """Where the bot is, in metres, by its last move and the server's last correction.

        y is the last one known while the tile of the land there is not here: nobody is shown their own height.
        """
        here = self.client.position
        if not self.client.connection.height_known:
            ground = self.terrain.peek(here.x, here.z)
            if ground is not None:
                return here._replace(y=ground)
        return here

    @property
    def terrain(self) -> Terrain:
        """Heights of the land: ``bot.terrain.height(x, z)``, ``await bot.terrain.wait(x, z)``."""
        return self.client.terrain

    @property
    def staff(self) -> Staff:
        """What moderators and owners do: ``await bot.staff.mute("Mallory", minutes=10)``."""
        return self.client.staff

    @property
    def account(self) -> OwnAccount:
        """What a person does about its account; not for a bot that came with a key."""
        return self.client.account

    @property
    def money(self) -> Purse:
        """What the bot's account has and pays: ``await bot.money.balance()``."""
        return self.client.money

    @property
    def land(self) -> Land:
        """Who has which land, and what owners do: ``await bot.land.at(40, 80)``."""
        return self.client.land

    @property
    def market(self) -> Market:
        """What is for sale and auctioned: ``await bot.market(sort="price")``; to let: ``await bot.market.to_let()``."""
        return self.client.market

    def nearby(self, radius: float = 20.0) -> list[Avatar]:
        """Others within ``radius`` metres, nearest first."""
        here = self.client.position
        return self.client.view.near(here.x, here.z, radius)

    def find(self, avatar: Avatar | int) -> Avatar | None:
        """A body as it is now, or ``None`` if it is out of view."""
        return self.client.view.avatars.get(avatar if isinstance(avatar, int) else avatar.id)

    # ---- what happens

    def on(
        self, kind: type[E], check: Callable[[E], bool] | None = None
    ) -> Callable[[Callable[[E], object]], Callable[[E], object]]:
        """Decorator: call a function, plain or async, for each event of a kind (and for which ``check`` is true).

        Calls run beside each other, each in a task of the bot's. What one raises is logged; the bot goes on. Of
        what the bot says itself it is not told.

        Raises:
            TypeError: ``kind`` is no event class, or what is decorated is no function.
        """
        events.check_kind(kind)

        def register(call: Callable[[E], object]) -> Callable[[E], object]:
            self._handlers.add(kind, check, call)
            return call

        return register

    def every(self, seconds: float) -> Callable[[Handler], Handler]:
        """Decorator: call a function, plain or async, every so many seconds while the bot is in the world.

        Raises:
            ValueError: ``seconds`` is not above 0.
            TypeError: What is decorated is no function.
        """

        def register(call: Handler) -> Handler:
            self._handlers.add_timer(seconds, call)
            return call

        return register

    async def wait_for(
        self, kind: type[E], check: Callable[[E], bool] | None = None, timeout: float | None = None
    ) -> E:
        """Wait for the next event of a kind; see ``Client.wait_for``."""
        return await self.client.wait_for(kind, check, timeout)

    # ---- what the bot does

    async def say(self, text: str, kind: SayKind = SayKind.SAY) -> None:
        """Speak to those near; see ``Client.say`` for what it raises."""
        await self.client.say(text, kind)

    async def whisper(self, to: Avatar | int, text: str) -> None:
        """Speak to one avatar, wherever it is; raises as ``say``."""
        await self.client.whisper(to, text)

    async def signal(self, channel: str, data: bytes, to: Avatar | int = 0) -> None:
        """Send bytes of your own to one avatar's client, or to all within 100 m; raises as ``say``."""
        await self.client.signal(channel, data, to)

    async def block(self, avatar: Avatar | int, *, speech_only: bool = False) -> None:
        """Be nothing to each other, or not heard by each other; see ``Client.block``."""
        await self.client.block(avatar, speech_only=speech_only)

    async def unblock(self, avatar: Avatar | int) -> None:
        """End a block; raises as ``say``."""
        await self.client.unblock(avatar)

    async def report(self, avatar: Avatar | int, text: str) -> int:
        """Tell staff of somebody; returns the report's number. See ``Client.report``."""
        return await self.client.report(avatar, text)

    async def edit_terrain(self, x_m: float, z_m: float, heights_m: Heights) -> None:
        """Change the ground, for owners; see ``Client.edit_terrain``."""
        await self.client.edit_terrain(x_m, z_m, heights_m)

    async def claim(self, parcels: Parcels, **how: Any) -> EstateInfo:
        """Buy parcels from the world; see ``Land.claim``."""
        return await self.land.claim(parcels, **how)

    async def sell(self, estate: EstateLike, price: int, **how: Any) -> Offer:
        """Offer an estate at a price; see ``Market.sell``."""
        return await self.market.sell(estate, price, **how)

    async def buy(self, listing: Offer | int, **how: Any) -> Bought:
        """Buy what is offered: exactly what was shown, or nothing; see ``Market.buy``."""
        return await self.market.buy(listing, **how)

    async def bid(self, listing: Offer | int, amount: int, **how: Any) -> Offer:
        """Bid in an auction; see ``Market.bid``."""
        return await self.market.bid(listing, amount, **how)

    async def lease(self, estate: EstateLike | LeaseOffer, periods: int = 1, **how: Any) -> LeaseInfo:
        """Lease an estate; see ``Market.lease``."""
        return await self.market.lease(estate, periods, **how)

    async def name_of(self, avatar: Avatar | int) -> str | None:
        """Name of an avatar; ``None`` if it is not told."""
        return await self.client.name_of(avatar)

    async def look_of(self, avatar: Avatar | int) -> Look | None:
        """Look of an avatar; ``None`` if it is not told."""
        return await self.client.persons.look_of(avatar)

    async def look(self, look: Look | None) -> None:
        """Have a look from now on; see ``Persons.look``."""
        await self.client.persons.look(look)

    async def find_people(self, name: str) -> list[Found]:
        """People in the world with that part of a name, wherever; see ``Persons.find``."""
        return await self.client.persons.find(name)

    async def walk_to(
        self, x: float, z: float, speed: float = WALK_SPEED, timeout: float | None = None
    ) -> Position:
        """Walk along a straight line on the ground; returns only when the server has the bot there.

        At the edge of land that is still being made the bot stands and waits, and goes on once it is there.

        Args:
            x: Metres.
            z: Metres.
            speed: m/s, up to the world's limit.
            timeout: Seconds; by default twice the time of an undisturbed walk, and a minute.

        Returns:
            Where the bot is; see ``position``.

        Raises:
            Blocked: The server does not let it go on; says why and where it stands.
            TimedOut: It is not there in time.
            Interrupted: A newer walk of this bot took over.
            Disconnected: The connection was lost on the way.
            ValueError: The speed is over the world's limit, or a number is not finite.
        """
        to_units(x, z)  # what is no place ends no walk
        walk = self._new_walk(speed)
        if timeout is None:
            timeout = 2.0 * self.client.position.distance_to(x, z) / speed + 60.0
        await self._carry_out(walk, walk.to(x, z), timeout, f"walking to x={x:g} z={z:g}")
        return self.position

    async def follow(
        self, avatar: Avatar | int, *, near: float = 2.0, speed: float = 3.0, timeout: float | None = None
    ) -> None:
        """Walk after a body until it is out of view; raises as ``walk_to``."""
        walk = self._new_walk(speed)
        leader = avatar if isinstance(avatar, int) else avatar.id
        await self._carry_out(walk, walk.after(leader, near), timeout, f"following {leader}")

    async def face(self, target: Avatar | Position | float) -> None:
        """Turn towards a body or place, or to a yaw in radians."""
        if isinstance(target, Avatar | Position):
            here = self.client.position
            target = yaw_towards(target.x - here.x, target.z - here.z)
        await self._pose(self.client.connection.body.gesture, target)

    async def gesture(self, gesture: int) -> None:
        """Take a posture or show an emote (16-63)."""
        await self._pose(gesture)

    async def stand(self) -> None:
        """Stand, and end a walk that is under way."""
        self._end_walk()
        await self._pose(Gesture.STAND)

    async def sit(self) -> None:
        """Sit down on the ground, and end a walk that is under way."""
        self._end_walk()
        await self._pose(Gesture.SIT)

    # ---- life

    async def start(self) -> None:
        """Join the world and begin to act.

        Raises:
            Refused: The server does not let the bot in.
            Disconnected: Nobody answered.
            SetupError: Address, name, token or token file cannot be used.
        """
        self.client.view.report_moves = self._handlers.wants(events.AvatarsMoved)
        self._deaf = self.client.listen(self._hear)
        try:
            await self.client.start()
        except BaseException:
            await self.stop()
            raise
        self._handlers.start_timers(lambda: self.client.in_world)

    async def stop(self) -> None:
        """Leave the world and end everything that the bot does."""
        if self._deaf is not None:
            self._deaf()
        await self._handlers.stop()
        await self.client.stop()

    async def live(self) -> None:
        """Be in the world until it ends: by ``stop``, by being cancelled, or because the server says so.

        Raises:
            WorldloomError: The last of these; says why.
        """
        try:
            await self.start()
            await self.client.wait_closed()
        finally:
            await self.stop()

    def run(self) -> None:
        """Live until Ctrl-C, blocking: the whole of a program.

        Raises:
            SystemExit: With status 1, when the bot could not come in, or the server will not have it any more; with 77,
                when it was sent out or is banned, and must not come back before a person has looked at it. Why is one
                line on standard error. ``live`` raises the error itself.
        """
        try:
            _run_until_signalled(self.live())
        except WorldloomError as fault:
            sys.stderr.write(f"{self.name or 'bot'}: {fault}\n")
            raise SystemExit(_status(fault)) from None

    # ---- inside

    def _hear(self, event: events.Event) -> None:
        if isinstance(event, events.Joined):
            self._tell_of_recovery()
        if not (isinstance(event, events.Spoke) and event.mine):
            self._handlers.hear(event)

    def _tell_of_recovery(self) -> None:
        """Say where the recovery code is, once: when the world has told it."""
        welcome, path = self.client.connection.welcome, self.client.identity.token_file
        if welcome is not None and welcome.recovery:
            where = path.absolute() if path is not None else "kept nowhere: bot.client.recovery has it"
            sys.stderr.write(
                f"{self.name}: the recovery code of this account is {'in ' if path else ''}{where}; write it down "
                "elsewhere, too: with it one comes back when the token is lost\n"
            )

    def _new_walk(self, speed: float) -> Walk:
        walk = Walk(self.client, speed)
        self._end_walk()
        self._walk = walk
        return walk

    def _end_walk(self) -> None:
        if self._walk is not None:
            self._walk.interrupt()
            self._walk = None

    async def _carry_out(self, walk: Walk, doing: Awaitable[T], timeout: float | None, what: str) -> T:
        try:
            return await within(self.client.clock, timeout, doing, what)
        except TimedOut:
            if self._walk is walk:
                with contextlib.suppress(Disconnected):
                    await self._pose(Gesture.STAND)
            raise
        finally:
            if self._walk is walk:
                self._walk = None

    async def _pose(self, gesture: int, yaw: float | None = None) -> None:
        here, body = self.client.position, self.client.connection.body
        await self.client.move(
            here.x, here.z, yaw=yaw_to_radians(body.yaw) if yaw is None else yaw, gesture=gesture
        )


async def live_together(bots: Iterable[Bot]) -> list[WorldloomError]:
    """Let many bots live in one loop, until all have ended. One that fails is logged; the others go on.

    Returns:
        Why bots failed, first the first; empty if each was stopped.
    """
    faults: list[WorldloomError] = []
    joining = asyncio.Semaphore(_JOINING_AT_ONCE)

    async def live(bot: Bot) -> None:
        try:
            async with joining:
                await bot.start()
            await bot.client.wait_closed()
        except WorldloomError as fault:
            _log.error("%s: ended: %s", bot.name, fault)
            faults.append(fault)
        finally:
            await bot.stop()

    async with asyncio.TaskGroup() as group:
        for bot in bots:
            group.create_task(live(bot), name=f"bot {bot.name}")
    return faults


def run_many(bots: Iterable[Bot]) -> None:
    """Run many bots in one process until Ctrl-C, blocking: the whole of a program.

    Raises:
        SystemExit: With status 1, when all have ended and some of them failed, or 77, as ``Bot.run``; one line on
            standard error says so.
    """
    crowd = list(bots)
    faults = _run_until_signalled(live_together(crowd))
    if faults:
        sys.stderr.write(f"{len(faults)} of {len(crowd)} bots failed, the first: {faults[0]}\n")
        raise SystemExit(max(map(_status, faults)))


def _status(fault: WorldloomError) -> int:
    """What a program ends with; a service is not to start it again after 77, "permission denied" of sysexits.h."""
    return 77 if isinstance(fault, SentOut | Banned) else 1


def _run_until_signalled(living: Coroutine[Any, Any, T]) -> T | None:
    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        # Not on Windows, nor outside the main thread; there Ctrl-C arrives as KeyboardInterrupt.
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await living

    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(main())
    return None
