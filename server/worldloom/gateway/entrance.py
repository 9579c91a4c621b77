"""The entrance: who may come in, as whom, and where. Asks the store; knows no frames and no ticks."""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from worldloom.errors import Refusal, StoreUnavailable
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Bucket
from worldloom.ports import AccountRow, Store, Tx
from worldloom.realm.names import Name, clean_name
from worldloom.services import accounts
from worldloom_sdk.protocol.geometry import REGION_SHIFT
from worldloom_sdk.protocol.messages import PROTOCOL_VERSION, Hello, RefusalCode

__all__ = ["Admitted", "Entrance"]

Place = tuple[int, int, int, int]

RETRY_MS = 2_000
GUEST_BIT = 1 << 31
"""Avatar ids of guests have this bit; those of accounts have not."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who comes in, and the place (units) where to set the body down."""

    avatar: int
    account: int | None
    name: str
    skeletons: tuple[str, ...]
    x: int
    z: int
    yaw: int
    token: str | None


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
        spawn: A place for newcomers, in units.
        land_ready: Waits until a region's land is made.
        now: Unix time in milliseconds, for the database; and seconds of a steady clock.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        rules: Rules,
        spawn: Callable[[], tuple[int, int]],
        land_ready: Callable[[int, int], Awaitable[bool]],
        unix_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._store, self._roster, self._rules = store, roster, rules
        self._spawn, self._land_ready = spawn, land_ready
        self._unix_ms, self._monotonic = unix_ms, monotonic
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
    def room(self) -> Iterator[None]:
        """Keep a place in the world for somebody who is on the way in.

        Raises:
            Refusal: The world is full, or too many come at once.
        """
        wait = self._joins.take(self._monotonic())
        if wait:
            raise Refusal(RefusalCode.RATE, "too many come at once", "try again", 1_000 + round(wait * 1_000))
        if len(self._roster) + self._promised >= self._rules.max_sessions:
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
            Refusal: It is no name, or somebody in the world or on the way has it or one that looks like it.
        """
        name = _own_name(hello)
        skeletons = set(_skeletons(name)) if name is not None else set()
        if name is not None and (self._roster.has_name(skeletons) or skeletons & self._names_coming):
            raise _taken(name)
        self._names_coming |= skeletons
        try:
            yield
        finally:
            self._names_coming -= skeletons

    async def identify(self, hello: Hello) -> AccountRow | None:
        """Whose Hello it is: an account, or None for somebody new whose name no account has.

        Raises:
            Refusal: The token is unknown, the name taken, the database not there.
        """
        try:
            if hello.token is not None:
                command = accounts.SignIn(accounts.hash_token(hello.token))
                return await self._store.read(accounts.sign_in, command)
            name = _own_name(hello)
            if name is not None and not await self._store.read(_is_free, name):
                raise _taken(name)
        except StoreUnavailable as fault:
            raise _unavailable(fault) from None
        return None

    async def place(
        self, account: AccountRow | None, hello: Hello, last_place: Callable[[int], Place | None]
    ) -> Admitted:
        """Find the place where the body is set down, and wait until there is land.

        Args:
            account: Whose body; None for somebody new.
            hello: What was said.
            last_place: Where an account was last, x, z, y, yaw in units, if the database may not know yet.

        Raises:
            Refusal: The land there could not be made.
        """
        x, z, yaw = self._where(account, last_place)
        if not await self._land_ready(x >> REGION_SHIFT, z >> REGION_SHIFT):
            raise Refusal(RefusalCode.UNAVAILABLE, "the land there could not be made", "try again", RETRY_MS)
        if account is not None:
            skeletons = _skeletons(clean_name(account.name))
            return Admitted(account.account, account.account, account.name, skeletons, x, z, yaw, None)
        self._guests += 1
        avatar = GUEST_BIT | self._guests & (GUEST_BIT - 1)
        name = _own_name(hello)
        if name is not None:
            return Admitted(avatar, None, name.shown, _skeletons(name), x, z, yaw, None)
        return Admitted(avatar, None, f"Guest {self._guests}", (f"guest {self._guests}",), x, z, yaw, None)

    async def register(self, who: Admitted) -> Admitted:
        """Make an account for somebody who is about to come in: the last thing that can fail.

        Raises:
            Refusal: The name was taken meanwhile, or the database is not there.
        """
        token = accounts.new_token()
        command = accounts.Register(who.name, accounts.hash_token(token), self._unix_ms())
        try:
            account = await self._store.run(accounts.register, command)
        except StoreUnavailable as fault:
            raise _unavailable(fault) from None
        return replace(who, avatar=account.account, account=account.account, token=token)

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


def _own_name(hello: Hello) -> Name | None:
    """The name under which somebody new wants to come, if any.

    Raises:
        Refusal: It is no name, or an account was asked for without one.
    """
    if hello.token is not None or not (hello.name.strip() or hello.keep):
        return None
    return clean_name(hello.name)


def _skeletons(name: Name) -> tuple[str, ...]:
    return (name.skeleton, name.lookalike) if name.lookalike else (name.skeleton,)


def _unavailable(fault: StoreUnavailable) -> Refusal:
    return Refusal(RefusalCode.UNAVAILABLE, f"the database cannot be asked: {fault}", "try again", RETRY_MS)


def _is_free(tx: Tx, name: Name) -> bool:
    return all(accounts.name_free(tx, skeleton) for skeleton in _skeletons(name))


def _taken(name: Name) -> Refusal:
    return Refusal(
        RefusalCode.NAME_TAKEN,
        f"the name {name.shown!r}, or one that looks like it, is taken",
        "choose another name; if it is yours, come with your token",
    )
