"""World: bots among themselves in a real world, in which time passes only when the test says so."""

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from worldloom_sdk.avatar import Position
from worldloom_sdk.bot import Bot
from worldloom_sdk.client import Client
from worldloom_sdk.errors import TimedOut
from worldloom_sdk.protocol.geometry import XZ_PER_M, Y_PER_M, to_units
from worldloom_sdk.testing.clock import HandClock
from worldloom_sdk.testing.land import Meadow
from worldloom_sdk.testing.pace import TICK_US, Pace
from worldloom_sdk.testing.threads import CountedThreads
from worldloom_sdk.testing.transport import MemoryTransport
from worldloom_sdk.transport import Transport

if TYPE_CHECKING:
    from worldloom.app.world import World as Node
    from worldloom.ports import TerrainSource
    from worldloom_sdk.testing.server import Server

__all__ = ["World"]

T = TypeVar("T")
B = TypeVar("B", bound=Bot)

_US = 1_000_000


class World:
    """A world to test bots in: ``async with World() as world: ada = await world.bot("Ada")``.

    It is the server's own: its gateway and WebSocket bytes, its simulation, its land and its SQLite in a temporary
    folder; only sockets and the passing of time are replaced. Time stands still but within ``run``, ``run_ticks``,
    ``until``, ``drive`` and ``bot``: whatever waits for the world must be awaited through one of them.

    Args:
        seed: Of the land, and of what is drawn by lot.
        land: ``"noise"``: the server's hills and coasts; ``"flat"``: a meadow 5 m above the sea, made in no time; or a
            terrain source of your own.
        config: Settings of the server by dotted key, such as ``{"world.speed_m_per_s": 3, "session.resume_s": 5}``.
        patience_s: Real seconds that something slow beside the event loop may take: a query, a region, a call of
            yours in ``asyncio.to_thread``.

    Raises:
        ImportError: The server is not installed.
        worldloom.errors.ConfigError: A setting is unknown or out of bounds. Both when it is entered.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        land: "str | TerrainSource" = "noise",
        config: Mapping[str, object] | None = None,
        patience_s: float = 30.0,
    ) -> None:
        self.clock = HandClock()
        """The time of the world and of everybody in it."""
        self._seed, self._land, self._settings = seed, _source(land), dict(config or {})
        self._patience_s = patience_s
        self._dice = random.Random(seed)
        self._accounts: dict[str, tuple[int, str]] = {}
        self._bots: list[Bot] = []
        self._lines: dict[Client, MemoryTransport] = {}

    # ---- what can be read

    @property
    def tick(self) -> int:
        """Number of the last tick."""
        return self._pace.tick

    @property
    def now(self) -> float:
        """Seconds that have passed in the world."""
        return self.clock.now_us / _US

    @property
    def avatars(self) -> dict[int, Position]:
        """Where every body is, by avatar id: the server's truth, not what a bot believes."""
        t = self.node.shard.avatars
        rows = {avatar: t.row(avatar) for avatar in sorted(t.id[t.id > 0].tolist())}
        return {
            avatar: Position(int(t.x[row]) / XZ_PER_M, int(t.y[row]) / Y_PER_M, int(t.z[row]) / XZ_PER_M)
            for avatar, row in rows.items()
            if row is not None
        }

    def digest(self) -> str:
        """A hash of the state of every body: two runs that went the same way have the same."""
        return self.node.shard.avatars.digest()

    @property
    def node(self) -> "Node":
        """The server's parts, for whoever wants to look inside."""
        return self._server.node

    # ---- who is there

    @overload
    async def bot(self, name: str, *, at: tuple[float, float] | None = None, within: float = 30.0) -> Bot: ...

    @overload
    async def bot(
        self,
        name: str,
        make: Callable[[Client], B],
        *,
        at: tuple[float, float] | None = None,
        within: float = 30.0,
    ) -> B: ...

    async def bot(
        self,
        name: str,
        make: Callable[[Client], Bot] = Bot,
        *,
        at: tuple[float, float] | None = None,
        within: float = 30.0,
    ) -> Bot:
        """A bot that is in the world and has seen what is around it.

        It has an account: of the same name again, it is the same one that comes back.

        Args:
            name: Its name.
            make: Makes it from a client that was not started yet: ``Bot``, or a function of yours.
            at: x and z in metres where it comes in; by default where it was last, else near the spawn.
            within: Seconds of the world that it may take.

        Raises:
            Refused: The world does not let it in.
            TimedOut: Not within the time.
            ValueError: The name is none, or looks like one that is taken.
        """
        return await self._enter(make(await self._client(name, at)), within)

    @overload
    async def join(self, name: str = "", *, within: float = 30.0, **who: Any) -> Bot: ...

    @overload
    async def join(
        self, name: str, make: Callable[[Client], B], *, within: float = 30.0, **who: Any
    ) -> B: ...

    async def join(
        self, name: str = "", make: Callable[[Client], Bot] = Bot, *, within: float = 30.0, **who: Any
    ) -> Bot:
        """A bot that comes in by the door, as anybody does: a guest, or by what is given of ``Client``'s arguments.

        Those are ``token`` (an account's, or a bot's key), ``keep``, ``access``, ``code`` and ``token_file``. A person
        is made by ``make=lambda client: Bot(client, bot=False)``. The place of a newcomer is not the same in every run.

        Raises:
            Refused: The world does not let it in.
            TimedOut: Not within so many seconds of the world.
        """
        return await self._enter(make(self._client_of(name, **who)), within)

    async def give_role(self, name: str, role: str) -> None:
        """Make an account "resident", "moderator" or "owner", as the operator of a world does; at once in force.

        Raises:
            ValueError: No account has that name, or it is no role.
        """
        await self._server.give_role(name, role)
        await self._pace.settle()

    async def give_money(self, name: str, amount: int) -> None:
        """Make money for an account, in minor units, as the operator of a world does.

        Raises:
            ValueError: No account has that name, or it is no amount.
        """
        await self._server.give_money(name, amount)
        await self._pace.settle()

    async def dial(self) -> Transport:
        """A new connection, for bots and clients that you make yourself: ``Bot(dial=world.dial, clock=world.clock)``.

        What comes in by it without a token is a guest, whose place is not the same in every run.
        """
        return await self._server.dial()

    def hang_up(self, bot: Bot | Client) -> None:
        """Break a bot's connection, as a network does. It comes back by itself as time passes.

        Raises:
            ValueError: It was not made by ``bot``, or has no connection.
        """
        self._line(bot).cut()

    def stall(self, bot: Bot | Client) -> None:
        """Have a bot read nothing of what it is sent, until ``read_on``. Raises as ``hang_up``."""
        self._line(bot).stall()

    def read_on(self, bot: Bot | Client) -> None:
        """Have it read again. Raises as ``hang_up``."""
        self._line(bot).read_on()

    def keep_land_back(self) -> None:
        """Make no land from now on that is not there yet; whoever comes to its edge waits."""
        self._server.store.keep_land_back()

    def give_land(self) -> None:
        """Make land again, first what was kept back."""
        self._server.store.give_land()

    # ---- time

    async def run_ticks(self, count: int) -> None:
        """Let time pass to the end of so many ticks of 50 ms."""
        await self._pace.pass_until((self._pace.tick + count) * TICK_US)

    async def run(self, seconds: float) -> None:
        """Let so much time pass: timers fire, ticks run, and everything that became ready is done."""
        await self._pace.pass_until(self.clock.now_us + round(seconds * _US))

    async def until(self, condition: Callable[[], T], within: float = 60.0) -> T:
        """Let time pass until something is true; looks after every tick.

        Returns:
            What ``condition`` returned.

        Raises:
            TimedOut: Not within so many seconds of the world.
        """
        end_us = self.clock.now_us + round(within * _US)
        await self._pace.settle()
        while not (found := condition()):
            if self.clock.now_us >= end_us:
                raise TimedOut(f"the condition did not come true within {within:g} s of world time")
            await self.run_ticks(1)
        return found

    async def drive(self, doing: Awaitable[T], within: float = 600.0) -> T:
        """Let time pass until something is done: ``await world.drive(ada.walk_to(30, 20))``.

        Returns:
            Its result; raises what it raises.

        Raises:
            TimedOut: Not within so many seconds of the world; it is cancelled then.
        """
        task = asyncio.ensure_future(doing)
        try:
            await self.until(task.done, within)
        except BaseException:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        return task.result()

    # ---- life

    async def __aenter__(self) -> Self:
        make, changed = _server_class(), asyncio.Event()
        with contextlib.ExitStack() as opening:
            folder = opening.enter_context(
                tempfile.TemporaryDirectory(prefix="worldloom-", ignore_cleanup_errors=True)
            )
            threads = opening.enter_context(CountedThreads(changed.set))
            self._server: Server = make(
                Path(folder), self._seed, self._land, self._settings, self.clock, threads, changed.set
            )
            self._pace = Pace(self.clock, self._server, changed, self._patience_s)
            self._folder = opening.pop_all()
        try:
            await self._server.open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(*(bot.stop() for bot in self._bots))
            await self._server.save_places()
        finally:
            await self._close()

    async def _close(self) -> None:
        try:
            await self._server.close()
        finally:
            self._folder.close()

    # ---- inside

    async def _client(self, name: str, at: tuple[float, float] | None) -> Client:
        account, token = self._accounts.get(name) or await self._enrol(name)
        if at is not None:
            await self._server.set_place(account, *to_units(*at), self._dice.randrange(256))
        return self._client_of(name, token=token)

    def _client_of(self, name: str, **who: Any) -> Client:
        client = Client(
            name=name,
            dial=lambda: self._dial(client),
            clock=self.clock,
            patience_s=30.0,
            rng=random.Random(f"{self._seed} {name}"),
            **who,
        )
        return client

    async def _enter(self, bot: B, within: float) -> B:
        self._bots.append(bot)
        await self.drive(bot.start(), within)
        await self.until(lambda: bot.client.view.complete, within)
        return bot

    async def _enrol(self, name: str) -> tuple[int, str]:
        found = self._accounts[name] = await self._server.enrol(name)
        world = self._server.config.world
        angle_x, angle_z = (self._dice.uniform(-1, 1) * world.spawn_radius_m / 2**0.5 for _ in range(2))
        x, z = to_units(world.spawn_x_m + angle_x, world.spawn_z_m + angle_z)
        await self._server.set_place(found[0], x, z, self._dice.randrange(256))
        return found

    async def _dial(self, client: Client) -> Transport:
        line = self._lines[client] = await self._server.dial()
        return line

    def _line(self, bot: Bot | Client) -> MemoryTransport:
        client = bot.client if isinstance(bot, Bot) else bot
        line = self._lines.get(client)
        if line is None or not line.is_open:
            raise ValueError(f"expected a bot of this world with a connection, got {client.name!r}")
        return line


def _source(land: "str | TerrainSource") -> "TerrainSource | None":
    match land:
        case "noise":
            return None
        case "flat":
            return Meadow()
        case str():
            raise ValueError(f'expected land "noise", "flat" or a terrain source, got {land!r}')
    return land


def _server_class() -> "type[Server]":
    try:
        from worldloom_sdk.testing.server import Server
    except ImportError as fault:
        raise ImportError(
            f"the test kit runs the server's own parts, and {fault.name} is not installed: "
            "python -m pip install 'worldloom[server-light]'"
        ) from fault
    return Server
