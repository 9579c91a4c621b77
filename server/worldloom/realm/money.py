"""Money: amounts in whole minor units, their limits, how they are written and read, fees. Knows no purse.

An amount is an integer number of minor units, such as hundredths of a crown. No float ever holds one.
"""

import re
from dataclasses import dataclass

from worldloom.errors import Refusal
from worldloom.realm.counts import counted
from worldloom_sdk.protocol.codes import RefusalCode

__all__ = ["AMOUNT_MAX", "CIRCULATION_MAX", "DIGITS_MAX", "MEMO_MAX", "Currency", "fee_of"]

AMOUNT_MAX = 10**15
"""The most that one transfer moves; so a sum of nine thousand of them still is a 64-bit integer."""
CIRCULATION_MAX = 10**18
"""The most that the mint lets out: all money together is still a 64-bit integer, so every balance is."""
DIGITS_MAX = 6
MEMO_MAX = 200
"""Characters of the text that goes with a transfer."""
_PARTS = 10_000
"""Parts of the whole in which fees are counted: hundredths of a percent."""
_TYPED = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Currency:
    """What the money of a world is called, and how it is written."""

    name: str = "crown"
    digits: int = 2
    """After the point: 2 makes a coin of 100 minor units."""
    plural: str = ""
    """What any other number of them is called than one; empty: the same."""

    @property
    def unit(self) -> int:
        """Minor units in one coin."""
        return 10**self.digits

    def shown(self, amount: int) -> str:
        """An amount with its name: "1,250.00 crowns", "1.00 crown"."""
        return f"{self.written(amount)} {self.name if abs(amount) == self.unit else self.plural or self.name}"

    def written(self, amount: int) -> str:
        """An amount for people: "1,250.00"; "-0.05"."""
        coins, rest = divmod(abs(amount), self.unit)
        sign = "-" if amount < 0 else ""
        return f"{sign}{coins:,}.{rest:0{self.digits}}" if self.digits else f"{sign}{coins:,}"

    def read(self, text: str) -> int:
        """The amount that somebody typed: "12", "12.5", "1,250.00".

        Raises:
            ValueError: It is none, has more digits after the point than the currency, or is out of bounds.
        """
        typed = text.strip()
        found = _TYPED.fullmatch(typed.replace(",", "") if _is_grouped(typed) else typed)
        rest = (found[2] or "") if found else ""
        if found is None or len(rest) > self.digits:
            such = f"expected an amount such as {self.written(1_250 * self.unit)}"
            if found is not None:
                such += f", with at most {counted(self.digits, 'digit')} after the point"
            elif typed.startswith("-"):
                such += ", not a negative one"
            raise ValueError(f"{such}; got {text[:40]!r}")
        amount = int(found[1]) * self.unit + int(rest.ljust(self.digits, "0") or "0")
        if not 1 <= amount <= AMOUNT_MAX:
            raise ValueError(
                f"expected an amount from {self.written(1)} to {self.written(AMOUNT_MAX)}, got {text[:40]!r}"
            )
        return amount

    def check(self, amount: int, what: str = "an amount") -> None:
        """Refuse what no transfer can move.

        Raises:
            Refusal: INVALID.
        """
        if not 1 <= amount <= AMOUNT_MAX:
            least, most = self.written(1), self.shown(AMOUNT_MAX)
            raise Refusal(
                RefusalCode.INVALID, f"expected {what} from {least} to {most}, got {self.written(amount)}"
            )


def fee_of(price: int, hundredths: int) -> int:
    """What of a price goes to the treasury, rounded down.

    Args:
        price: Minor units.
        hundredths: Of a percent, 0 .. 10,000: 250 is 2.5 %.
    """
    return price * hundredths // _PARTS


def _is_grouped(typed: str) -> bool:
    """Whether commas stand where they part thousands."""
    return re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", typed, re.ASCII) is not None
