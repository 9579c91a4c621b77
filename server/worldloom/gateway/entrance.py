"""The entrance: who may come in, as whom, and where. Asks the store; knows no frames and no ticks."""

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from worldloom.config import MoneyConfig
from worldloom.errors import DATABASE_AWAY, Refusal, StoreUnavailable
from worldloom.gateway.door import Door
from worldloom.gateway.links import Links
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import FOREVER, Bucket, Standing
from worldloom.gateway.times import Times
from worldloom.ports import AccountRow, Store, Tx
from worldloom.realm.names import Name, clean_name
from worldloom.realm.networks import networks_of
from worldloom.realm.order import is_staff
from worldloom.services import access, accounts, codes
from worldloom.services.newcomers import Newcomer, welcome
from worldloom.services.standing import Ask, enter
from worldloom.services.standing import Standing as Found
from worldloom_sdk.protocol.geometry import REGION_SHIFT
from worldloom_sdk.protocol.messages import PROTOCOL_VERSION, BlockReach, Hello, RefusalCode, Role

__all__ = ["Admitted", "Entrance", "Known", "standing_of"]

Place = tuple[int, int, int, int]
C = TypeVar("C")
R = TypeVar("R")

RETRY_MS = 2_000
STORE_S = 5.0
"""How long the store may take to say who somebody is, or to write it down: shorter than the time for a Hello."""
LAND_S = 8.0
"""How long a place's land may take to be there."""
GUEST_BIT = 1 << 31
"""Avatar ids of guests have this bit; those of accounts have not."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who says Hello, before there is a place for it.

    Attributes:
        row: Its account; None for somebody new.
        standing: What it is here.
        shunned: Accounts that it has nothing to do with; ``own_shuns``: those by its own wish.
        token: A new one, to be told; ``recovery``: a code, likewise.
        by_code: Whether it showed a code; it has no token before that is redeemed.
    """

    row: AccountRow | None
    standing: Standing
    shunned: dict[int, BlockReach] = field(default_factory=dict)
    own_shuns: dict[int, BlockReach] = field(default_factory=dict)
    token: str | None = None
    recovery: str = ""
    by_code: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who comes in, and the place (units) where to set the body down."""

    avatar: int
    name: str
    skeletons: tuple[str, ...]
    x: int
    z: int
    yaw: int
    known: Known
    instead: tuple[int, int] | None = None
    """Where else, x and z, if it may not be there: for who asked for a place."""

    @property
    def account(self) -> int | None:
        """The account's id, None for a guest."""
        return self.known.row.account if self.known.row is not None else None


class Rules(Protocol):
    """What the entrance is told of this world."""

    @property
    def max_sessions(self) -> int: ...
    @property
    def joins_per_s(self) -> int: ...


class Entrance:
    """Turns a Hello into somebody who may come in.

    Args:
        store: Where accounts are.
        roster: Who is in the world.
        rules: How many may be.
        door: Whom it is open to.
        spawn: A place for newcomers, in units.
        land_ready: Waits until a region's land is made.
        times: Clocks.
        money: What newcomers are granted.
        links: Where people come by links; nowhere by default.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        rules: Rules,
        door: Door,
        spawn: Callable[[], tuple[int, int]],
        land_ready: Callable[[int, int], Awaitable[bool]],
        times: Times,
        money: MoneyConfig = MoneyConfig(),  # noqa: B008 (frozen)
        links: Links | None = None,
    ) -> None:
        self._store, self._roster, self._rules, self._door = store, roster, rules, door
        self._spawn, self._land_ready = spawn, land_ready
        self._money, self._links = money, links
        self._unix_ms, self._monotonic = times.unix_ms, times.monotonic
        self._joins = Bucket(rules.joins_per_s, rules.joins_per_s)
        self._guests = 0
        self._promised = 0
        self._names_coming: set[str] = set()

    def check(self, hello: Hello) -> None:
        """What can be refused at once.

        Raises:
            Refusal: Another protocol version.
        """
        if hello.version != PROTOCOL_VERSION:
            raise Refusal(
                RefusalCode.VERSION,
                f"expected protocol version {PROTOCOL_VERSION}, got {hello.version}",
                "get a client for this version",
            )

    @contextmanager
    def room(self, known: Known) -> Iterator[None]:
        """Keep a place in the world for somebody who is on the way in; for staff there always is one.

        Raises:
            Refusal: The world is full, or too many come at once.
        """
        wait = self._joins.take(self._monotonic())
        if wait:
            raise Refusal(RefusalCode.RATE, "too many come at once", "try again", 1_000 + round(wait * 1_000))
        full = len(self._roster) + self._promised >= self._rules.max_sessions
        if full and not is_staff(known.standing.role):
            raise Refusal(RefusalCode.FULL, "the world is full", "try again later", 30_000)
        self._promised += 1
        try:
            yield
        finally:
            self._promised -= 1

    @contextmanager
    def coming(self, hello: Hello) -> Iterator[None]:
        """Keep the name of somebody who is on the way in from everybody else who is.

        Raises:
            Refusal: It is no name, or somebody on the way has it or one that looks like it.
        """
        name = _own_name(hello)
        skeletons = set(_skeletons(name)) if name is not None else set()
        if name is not None and skeletons & self._names_coming:
            raise _taken(name)
        self._names_coming |= skeletons
        try:
            yield
        finally:
            self._names_coming -= skeletons

    async def identify(self, hello: Hello, home: str) -> Known:
        """Whose Hello it is, and that the door is open to it.

        Args:
            hello: What was said.
            home: The address that it comes from.

        Raises:
            Refusal: The token or code is unknown, it is banned, the door is closed to it, the name is taken, or the
                database is not there.
        """
        networks = networks_of(home)
        try:
            async with asyncio.timeout(STORE_S):
                known = await self._known(hello, home, networks)
        except (StoreUnavailable, TimeoutError):
            raise _unavailable() from None
        self._door.check(known.standing.role)
        return known

    def check_role(self, role: Role) -> None:
        """Whether the world is open to a role.

        Raises:
            Refusal: ACCESS; it is closed.
        """
        self._door.check(role)

    async def _known(self, hello: Hello, home: str, networks: tuple[str, ...]) -> Known:
        if hello.token is not None:
            return await self._signed_in(hello, accounts.hash_token(hello.token), networks)
        if hello.code:
            return await self._with_code(hello, home, networks)
        return await self._newcomer(hello, home, networks)

    async def _signed_in(self, hello: Hello, token_sha256: bytes, networks: tuple[str, ...]) -> Known:
        ask = Ask(None, token_sha256, networks, self._unix_ms())
        found = await self._store.read(enter, ask)
        standing = standing_of(found, token_sha256, is_bot=hello.bot)
        return Known(found.account, standing, dict(found.shunned), dict(found.own_shuns))

    async def _with_code(self, hello: Hello, home: str, networks: tuple[str, ...]) -> Known:
        self._door.guess(home, self._monotonic())
        entering = access.EnterWithCode(hello.code, self._unix_ms(), hello.client, networks)
        found = await self._store.read(access.whose_code, entering)
        standing = standing_of(found, None, is_bot=hello.bot)
        return Known(found.account, standing, dict(found.shunned), dict(found.own_shuns), by_code=True)

    async def redeem(self, known: Known, hello: Hello, home: str) -> Known:
        """Make a token from the code of somebody who is about to come in by one: the last thing that can fail.

        Raises:
            Refusal: It is not good any more, or the database is not there.
        """
        if not known.by_code or known.token is not None:
            return known
        networks = networks_of(home)
        entering = access.EnterWithCode(hello.code, self._unix_ms(), hello.client, networks)
        try:
            async with asyncio.timeout(STORE_S):
                entered = await self._run_unless_late(access.enter_with_code, entering)
                self._door.guessed(home)
                known = await self._signed_in(hello, accounts.hash_token(entered.token), networks)
        except (StoreUnavailable, TimeoutError):
            raise _unavailable() from None
        return replace(known, token=entered.token, recovery=entered.recovery, by_code=True)

    async def _newcomer(self, hello: Hello, home: str, networks: tuple[str, ...]) -> Known:
        self._door.let_in_new(hello, home, self._monotonic())
        found = await self._store.read(enter, Ask(networks=networks, now_ms=self._unix_ms()))
        name = _own_name(hello)
        # Whoever may not come in is not told who is here.
        if name is not None and (
            self._roster.has_name(_skeletons(name)) or not await self._store.read(_is_free, name)
        ):
            raise _taken(name)
        return Known(None, standing_of(found, None, is_bot=hello.bot))

    async def place(
        self, known: Known, hello: Hello, last_place: Callable[[int], Place | None], home: str = ""
    ) -> Admitted:
        """Find the place where the body is set down, and wait until there is land.

        Args:
            known: Whose body.
            hello: What was said.
            last_place: Where an account was last, x, z, y, yaw in units, if the database may not know yet.
            home: The address that it comes from.

        Raises:
            Refusal: The land there could not be made.
        """
        account = known.row
        x, z, yaw = self._where(account, last_place)
        # At once: together they may take as long as one of them.
        is_land, asked = await asyncio.gather(
            self._is_land(x >> REGION_SHIFT, z >> REGION_SHIFT), self._asked_for(hello, home)
        )
        if not is_land:
            raise Refusal(RefusalCode.UNAVAILABLE, "the land there could not be made", "try again", RETRY_MS)
        where = (x, z, yaw, known) if asked is None else (*asked, yaw, known, (x, z))
        if account is not None:
            skeletons = _skeletons(clean_name(account.name))
            return Admitted(account.account, account.name, skeletons, *where)
        self._guests += 1
        avatar = GUEST_BIT | self._guests & (GUEST_BIT - 1)
        name = _own_name(hello)
        if name is not None:
            return Admitted(avatar, name.shown, _skeletons(name), *where)
        return Admitted(avatar, f"Guest {self._guests}", (f"guest {self._guests}",), *where)

    async def register(self, who: Admitted, hello: Hello, home: str = "") -> Admitted:
        """Make an account for somebody who is about to come in: the last thing that can fail.

        Raises:
            Refusal: The name was taken meanwhile, the invitation is not good, or the database is not there.
        """
        token, recovery = accounts.new_token(), codes.new_code(codes.CodeKind.RECOVERY)
        command = accounts.Register(
            who.name,
            accounts.hash_token(token),
            self._unix_ms(),
            label=hello.client,
            recovery_sha256=codes.hash_code(recovery),
            invitation=self._door.invitation(hello),
        )
        network = next(reversed(networks_of(home)), home[:49])
        gift = self._money.starting, self._money.grants_per_address_per_day
        try:
            async with asyncio.timeout(STORE_S):
                row = await self._run_unless_late(welcome, Newcomer(command, network, *gift))
            if command.invitation is not None:
                self._door.guessed(home)
        except (StoreUnavailable, TimeoutError):
            raise _unavailable() from None
        standing = replace(who.known.standing, role=Role.RESIDENT, token_sha256=command.token_sha256)
        known = Known(row, standing, token=token, recovery=recovery)
        return replace(who, avatar=row.account, known=known)

    async def _run_unless_late(self, use_case: Callable[[Tx, C], R], command: C) -> R:
        """Run a use case that does nothing once nobody waits for it: it would take a name for a token that is lost."""
        late = threading.Event()

        def unless_late(tx: Tx, command: C) -> R:
            if late.is_set():
                raise _unavailable()
            return use_case(tx, command)

        try:
            return await self._store.run(unless_late, command)
        finally:
            late.set()

    async def _asked_for(self, hello: Hello, home: str) -> tuple[int, int] | None:
        return await self._links.place(hello, home) if self._links is not None else None

    async def _is_land(self, rx: int, rz: int) -> bool:
        try:
            async with asyncio.timeout(LAND_S):
                return await self._land_ready(rx, rz)
        except TimeoutError:
            return False

    def _where(
        self, account: AccountRow | None, last_place: Callable[[int], Place | None]
    ) -> tuple[int, int, int]:
        """x, z and yaw: the last place of an account, or the spawn."""
        last = last_place(account.account) if account is not None else None
        if last is not None:
            return last[0], last[1], last[3]
        if account is not None and account.place is not None:
            return account.place.x, account.place.z, account.place.yaw
        return *self._spawn(), secrets.randbelow(256)


def standing_of(found: Found, token_sha256: bytes | None, is_bot: bool) -> Standing:
    """What the database says somebody is, as the gateway keeps it."""
    owner = found.account.owner if found.account is not None else None
    mute = found.mute
    return Standing(
        role=found.role,
        scopes=found.scopes,
        is_bot=is_bot or owner is not None,
        owner=found.owner_name,
        owner_account=owner,
        muted_until_ms=(mute.until_ms or FOREVER) if mute is not None else None,
        mute_reason=mute.reason if mute is not None else "",
        hidden=found.hidden,
        token_sha256=token_sha256,
    )


def _own_name(hello: Hello) -> Name | None:
    """The name under which somebody new wants to come, if any.

    Raises:
        Refusal: It is no name, or an account was asked for without one.
    """
    if hello.token is not None or hello.code or not (hello.name.strip() or hello.keep):
        return None
    return clean_name(hello.name)


def _skeletons(name: Name) -> tuple[str, ...]:
    return (name.skeleton, name.lookalike) if name.lookalike else (name.skeleton,)


def _unavailable() -> Refusal:
    return Refusal(RefusalCode.UNAVAILABLE, DATABASE_AWAY, "try again", RETRY_MS)


def _is_free(tx: Tx, name: Name) -> bool:
    return all(accounts.name_free(tx, skeleton) for skeleton in _skeletons(name))


def _taken(name: Name) -> Refusal:
    return Refusal(
        RefusalCode.NAME_TAKEN,
        f"the name {name.shown!r}, or one that looks like it, is taken",
        "choose another name; if it is yours, come with your token",
    )
