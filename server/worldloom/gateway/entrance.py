"""The entrance: who may come in, as whom, and where. Asks the store; knows no frames and no ticks."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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

    def check(self, hello: Hello) -> None:
        """What can be refused at once.

        Raises:
            Refusal: Another protocol version, a full world, or too many at once.
        """
        if hello.version != PROTOCOL_VERSION:
            raise Refusal(
                RefusalCode.VERSION,
                f"expected protocol version {PROTOCOL_VERSION}, got {hello.version}",
                "get a client for this version",
            )
        wait = self._joins.take(self._monotonic())
        if wait:
            raise Refusal(RefusalCode.RATE, "too many come at once", "try again", 1_000 + round(wait * 1_000))

    def check_room(self) -> None:
        """Whether one more may come in.

        Raises:
            Refusal: The world is full.
        """
        if len(self._roster) >= self._rules.max_sessions:
            raise Refusal(RefusalCode.FULL, "the world is full", "try again later", 30_000)

    async def identify(self, hello: Hello) -> tuple[AccountRow | None, Name | None, str | None]:
        """Whose Hello it is: an account, or a guest's name; and the token, if one was made.

        Raises:
            Refusal: The token is unknown, the name taken or no name, the database not there.
        """
        try:
            if hello.token is not None:
                command = accounts.SignIn(accounts.hash_token(hello.token))
                return await self._store.read(accounts.sign_in, command), None, None
            if hello.keep:
                return await self._register(hello.name)
            return None, await self._guest_name(hello.name), None
        except StoreUnavailable as fault:
            raise Refusal(
                RefusalCode.UNAVAILABLE, f"the database cannot be asked: {fault}", "try again", RETRY_MS
            ) from None

    async def place(self, account: AccountRow | None, name: Name | None, token: str | None) -> Admitted:
        """Find the place where the body is set down, and wait until there is land.

        Raises:
            Refusal: The land there could not be made.
        """
        where = account.place if account is not None else None
        x, z = (where.x, where.z) if where is not None else self._spawn()
        if not await self._land_ready(x >> REGION_SHIFT, z >> REGION_SHIFT):
            raise Refusal(RefusalCode.UNAVAILABLE, "the land there could not be made", "try again", RETRY_MS)
        yaw = where.yaw if where is not None else secrets.randbelow(256)
        if account is not None:
            shown = clean_name(account.name)
            skeletons = (shown.skeleton, shown.lookalike) if shown.lookalike else (shown.skeleton,)
            return Admitted(account.account, account.account, account.name, skeletons, x, z, yaw, token)
        self._guests += 1
        avatar = GUEST_BIT | self._guests & (GUEST_BIT - 1)
        if name is None:
            shown_name = f"Guest {self._guests}"
            return Admitted(avatar, None, shown_name, (f"guest {self._guests}",), x, z, yaw, None)
        skeletons = (name.skeleton, name.lookalike) if name.lookalike else (name.skeleton,)
        return Admitted(avatar, None, name.shown, skeletons, x, z, yaw, None)

    async def _register(self, name: str) -> tuple[AccountRow, None, str]:
        self._check_free(clean_name(name))
        token = accounts.new_token()
        command = accounts.Register(name, accounts.hash_token(token), self._unix_ms())
        return await self._store.run(accounts.register, command), None, token

    async def _guest_name(self, raw: str) -> Name | None:
        if not raw.strip():
            return None
        name = clean_name(raw)
        self._check_free(name)
        if not await self._store.read(_is_free, name):
            raise _taken(name)
        return name

    def _check_free(self, name: Name) -> None:
        if self._roster.has_name((name.skeleton, name.lookalike)):
            raise _taken(name)


def _is_free(tx: Tx, name: Name) -> bool:
    return all(accounts.name_free(tx, skeleton) for skeleton in (name.skeleton, name.lookalike) if skeleton)


def _taken(name: Name) -> Refusal:
    return Refusal(
        RefusalCode.NAME_TAKEN,
        f"the name {name.shown!r}, or one that looks like it, is taken",
        "choose another name; if it is yours, come with your token",
    )
