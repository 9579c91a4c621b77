"""Persons: what one looks like to others, and finding people by name. Knows no connection."""

from collections.abc import Awaitable, Callable

from worldloom_sdk.avatar import Avatar, avatar_id
from worldloom_sdk.order import CarryOut
from worldloom_sdk.protocol.looks import Look
from worldloom_sdk.protocol.messages import Account, AccountAct, Blocked, Find, Found
from worldloom_sdk.view import Known, View

__all__ = ["Persons"]


class Persons:
    """Looks, blocks, and finding people: ``await client.persons.find("hil")``. For guests and bots, too.

    All of it raises as ``Client.say`` does.

    Args:
        view: Who is known.
        carry_out: Carries out a command.
        ask: Asks for the name and look of an avatar, for so many seconds.
    """

    def __init__(
        self, view: View, carry_out: CarryOut, ask: Callable[[int, float], Awaitable[Known | None]]
    ) -> None:
        self._view, self._carry_out, self._ask = view, carry_out, ask

    async def look_of(self, avatar: Avatar | int, timeout: float = 3.0) -> Look | None:
        """Look of an avatar; asked for when it has come into view, then kept up to date. Else as ``Client.name_of``."""
        known = self._view.name_of(avatar_id(avatar))
        if known is None or known.look is None:
            known = await self._ask(avatar_id(avatar), timeout)
        return None if known is None else known.look

    async def look(self, look: Look | None) -> None:
        """Have a look from now on; ``None``: the one that follows from the avatar id. An account's is kept.

        Raises ValueError when there is no such body or colour.
        """
        worn = look.to_bytes() if look is not None else b""
        await self._carry_out(Account, act=AccountAct.LOOK, look=worn)

    async def findable(self, on: bool) -> None:
        """Be found by others, or not; at first everybody is."""
        await self._carry_out(Account, act=AccountAct.FINDABLE, on=on)

    async def blocked(self) -> list[Blocked]:
        """Whom you block, and how far (a ``BlockReach``); guests as long as they are here."""
        return await self._carry_out(Account, act=AccountAct.BLOCKED)

    async def find(self, name: str) -> list[Found]:
        """People in the world with that part of a name, 20 at most; where: the middle of a cell of 32 m, in metres."""
        return await self._carry_out(Find, name=name)
