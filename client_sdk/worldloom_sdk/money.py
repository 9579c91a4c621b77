"""Money: what an account has, pays and was told. Turns calls into commands and their results; knows no connection."""

from collections.abc import AsyncIterator

from worldloom_sdk.keyed import Keyed
from worldloom_sdk.order import Whom, order_fields
from worldloom_sdk.protocol.estate_parts import Balance, NoticeInfo, StatementEntry
from worldloom_sdk.protocol.messages import Money, MoneyAct

__all__ = ["Purse", "account_fields"]


def account_fields(who: Whom | None) -> dict[str, object]:
    """How a command about money or land says whom it is about.

    Raises:
        ValueError: Nobody has that id or name.
        TypeError: It is no Avatar, Person, account or name.
    """
    fields = order_fields(who)
    return {"account": fields["avatar"]} if "avatar" in fields else fields


class Purse:
    """An account's money: ``await bot.money.pay("Bo", 1_250, "for the well")``. Amounts are whole minor units.

    All of it raises Refused: "forbidden" for guests and for keys without the scope trade. What changes something is
    done once, and asked for until it is answered; see ``Keyed.deal`` for what else it raises, and for ``key``.

    Args:
        keyed: Sends what must not be lost.
    """

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    async def balance(self) -> Balance:
        """What the account has, and how the world's money is written."""
        found: Balance = await self._keyed.ask(Money, act=MoneyAct.BALANCE)
        return found

    async def pay(self, who: Whom, amount: int, memo: str = "", *, key: bytes | None = None) -> int:
        """Pay somebody; the number of the transfer. Refused with "funds" when there is less.

        Args:
            who: An account, by its number or name, or a body.
            amount: Minor units, from 1.
            memo: What for; they are told it.
            key: See ``Keyed.deal``.
        """
        fields = {"amount": amount, "memo": memo, **account_fields(who)}
        transfer: int = await self._keyed.deal(Money, key, act=MoneyAct.PAY, **fields)
        return transfer

    async def statement(self, before: int = 0) -> list[StatementEntry]:
        """What came and went, newest first: 100 below transfer ``before``, or the newest."""
        found: list[StatementEntry] = await self._keyed.ask(Money, act=MoneyAct.STATEMENT, before=before)
        return found

    async def entries(self) -> AsyncIterator[StatementEntry]:
        """All that came and went, newest first; asks for a hundred at a time, as far as they are wanted."""
        before = 0
        while page := await self.statement(before):
            for entry in page:
                yield entry
            before = page[-1].transfer

    async def notices(self, before: int = 0) -> list[NoticeInfo]:
        """What the account was told in the last 30 days, newest first: 100 below number ``before``, or the newest."""
        found: list[NoticeInfo] = await self._keyed.ask(Money, act=MoneyAct.NOTICES, before=before)
        return found

    async def read(self, number: int) -> int:
        """Mark notices up to a number as read; how many were not. Those that were events are marked by themselves."""
        count: int = await self._keyed.ask(Money, act=MoneyAct.READ, before=number)
        return count
