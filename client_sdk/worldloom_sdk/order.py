"""Order and account: what staff may ask for, and what a person may ask for about its own account.

Turns calls into commands and their results. Knows no connection: a client hands in what carries a command out.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from worldloom_sdk.avatar import Avatar
from worldloom_sdk.protocol.messages import (
    Account,
    AccountAct,
    AuditEntry,
    Order,
    OrderAct,
    Person,
    Reported,
    Role,
    Scope,
    Secret,
    TokenInfo,
)

__all__ = ["CarryOut", "OwnAccount", "Staff", "Whom", "order_fields"]

Whom = Avatar | Person | int | str
"""Somebody: a body, an avatar id, a name, or an entry of ``Staff.people``."""
CarryOut = Callable[..., Awaitable[Any]]
"""Takes a command's class and its fields by name; returns what Done carries, or raises."""

_BOT_SCOPES = (Scope.MOVE, Scope.TALK, Scope.SIGNAL)


def order_fields(who: Whom | None) -> dict[str, object]:
    """How an Order says whom it is about.

    Raises:
        ValueError: Nobody has that id or name.
        TypeError: It is no Avatar, Person, id or name.
    """
    match who:
        case None:
            return {}
        case Avatar(id=avatar):
            return {"avatar": avatar}
        case Person(name=name):
            return {"name": name}
        case str() if who.strip():
            return {"name": who}
        case int() if who > 0 and not isinstance(who, bool):
            return {"avatar": who}
        case int() | str():
            raise ValueError(f"who: expected an avatar id above 0 or a name, got {who!r}")
    raise TypeError(f"who: expected an Avatar, a Person, an avatar id or a name, got {who!r}")


class Staff:
    """What moderators and owners do: ``await bot.staff.kick("Mallory", "shouting")``.

    Whom it is about is said as in ``Whom``; names find accounts that are not here, too. All of it raises Refused: code
    "forbidden" without the role or scope for it, "not_found" when nobody is meant by that; and as ``Client.say`` does.

    Args:
        carry_out: Carries out a command.
    """

    def __init__(self, carry_out: CarryOut) -> None:
        self._carry_out = carry_out

    async def people(self, query: str = "") -> list[Person]:
        """Who is here, and accounts, of those whose name contains ``query``; at most 100."""
        return await self._order(OrderAct.LIST, name=query)

    async def accounts(self, query: str = "") -> AsyncIterator[Person]:
        """Every account whose name contains ``query``, here or not, by number: ``async for person in ...``.

        Asks for a hundred at a time, as far as they are wanted.
        """
        start = 1
        while page := await self._order(OrderAct.LIST, name=query, number=start):
            for person in page:
                yield person
            start = page[-1].avatar + 1

    async def show(self, who: Whom) -> Person:
        """All about somebody: address if here, bans and mutes in force."""
        return await self._order(OrderAct.SHOW, **order_fields(who))

    async def kick(self, who: Whom, reason: str = "") -> None:
        """Send somebody out; they may come back."""
        await self._order(OrderAct.KICK, text=reason, **order_fields(who))

    async def ban(
        self, who: Whom | None = None, reason: str = "", *, network: str = "", minutes: int = 0
    ) -> None:
        """Let an account or a network in no more; who is here is sent out.

        Args:
            who: An account.
            reason: They are told it.
            network: Instead of ``who``: an address or a network, like "192.0.2.0/24".
            minutes: For how long; 0: without end.

        Raises:
            ValueError: Both or none of ``who`` and ``network`` are given, or a number is out of bounds.
        """
        await self._order(OrderAct.BAN, **_subject(who, network), minutes=minutes, text=reason)

    async def unban(self, who: Whom | None = None, *, network: str = "") -> None:
        """End the bans of an account, or of exactly that network."""
        await self._order(OrderAct.UNBAN, **_subject(who, network))

    async def mute(
        self, who: Whom | None = None, reason: str = "", *, network: str = "", minutes: int = 0
    ) -> None:
        """Let somebody, or all of a network, speak, whisper and signal no more; as ``ban``."""
        await self._order(OrderAct.MUTE, **_subject(who, network), minutes=minutes, text=reason)

    async def unmute(self, who: Whom | None = None, *, network: str = "") -> None:
        """End the mutes of somebody, or of exactly that network."""
        await self._order(OrderAct.UNMUTE, **_subject(who, network))

    async def give_role(self, who: Whom, role: Role | str) -> None:
        """Make an account a resident, moderator or owner. Owners only."""
        await self._order(OrderAct.ROLE, text=str(role), **order_fields(who))

    async def invite(self, uses: int = 1, *, minutes: int = 0) -> Secret:
        """An invitation that ``uses`` newcomers can give as ``access``, for so many minutes; 0: a week."""
        return await self._order(OrderAct.INVITE, uses=uses, minutes=minutes)

    async def hide(self) -> None:
        """Become invisible to all but staff, until ``appear``."""
        await self._order(OrderAct.HIDE)

    async def appear(self) -> None:
        """Become visible again."""
        await self._order(OrderAct.APPEAR)

    async def reports(self) -> list[Reported]:
        """Reports that nobody has dealt with, oldest first; at most 100."""
        return await self._order(OrderAct.REPORTS)

    async def close_report(self, number: int, how: str = "") -> None:
        """A report is dealt with; ``how`` goes into the audit log."""
        await self._order(OrderAct.CLOSE, number=number, text=how)

    async def audit(self) -> list[AuditEntry]:
        """The newest 100 privileged acts, newest first. Owners only."""
        return await self._order(OrderAct.AUDIT)

    async def _order(self, act: OrderAct, **fields: object) -> Any:
        return await self._carry_out(Order, act=act, **fields)


class OwnAccount:
    """What a person does about its own account: ``await client.account.pairing_code()``. Not for guests, nor for keys.

    All of it raises as ``Client.say`` does. What is in a Secret is told this once.

    Args:
        carry_out: Carries out a command.
        keep_recovery: Is told a new recovery code, so that none that is void is kept.
    """

    def __init__(self, carry_out: CarryOut, keep_recovery: Callable[[str], None]) -> None:
        self._carry_out, self._keep_recovery = carry_out, keep_recovery

    async def recovery_code(self) -> Secret:
        """A new code by which to come back without a token; the one before is void. A token file keeps it, too."""
        secret: Secret = await self._ask(AccountAct.RECOVERY)
        self._keep_recovery(secret.text)
        return secret

    async def pairing_code(self) -> Secret:
        """A code with which another device comes into this account, once, within 10 minutes."""
        return await self._ask(AccountAct.PAIR)

    async def tokens(self) -> list[TokenInfo]:
        """Every token of the account and of its bots; what they open is told nobody."""
        return await self._ask(AccountAct.TOKENS)

    async def revoke(self, token: TokenInfo | str) -> None:
        """A token, or its id, is void; whoever is here with it is sent out."""
        await self._ask(AccountAct.REVOKE, token=token if isinstance(token, str) else token.id)

    async def make_bot(self, name: str, scopes: Iterable[Scope | str] = _BOT_SCOPES) -> Secret:
        """A key for a bot of this account, made if there is none of that name: ``Bot(..., key=secret.text)``.

        Args:
            name: The bot's.
            scopes: What the key may be used for.
        """
        return await self._ask(AccountAct.BOT, name=name, scopes=list(scopes))

    async def _ask(self, act: AccountAct, **fields: object) -> Any:
        return await self._carry_out(Account, act=act, **fields)


def _subject(who: Whom | None, network: str) -> dict[str, object]:
    if (who is None) != bool(network):
        raise ValueError(f"expected either who or network, got who={who!r} network={network!r}")
    return {"network": network} if network else order_fields(who)
