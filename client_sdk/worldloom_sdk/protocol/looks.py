"""Looks: which of the bodies somebody has, and in which colours. Knows numbers and colours, no shapes: clients draw."""

from typing import NamedTuple

__all__ = ["CLOTHES", "HAIRS", "LOOK_BYTES", "LOOK_SIZES", "SKINS", "Look", "default_look"]

_BODIES = 8
SKINS = ("f6d7c3", "eec1a0", "dca27a", "c58a5e", "a36b43", "7f4f30", "5c3722", "3d2418")
"""Colours as RRGGBB, sRGB; so are those below."""
HAIRS = (
    "16120f", "2f2018", "4e3322", "74492b", "9a6a3b", "c79a5b", "e4c98f", "8c3b1e", "b9b4ac", "ece8e0", "3b5b8c",
    "7d3f6d",
)  # fmt: skip
CLOTHES = (
    "f2efe6", "c9c4b8", "8b8984", "4a4b4f", "23252b", "7a1f2b", "b5382f", "d9653b", "e09a3e", "e8c547", "b7b04a",
    "7c9a4a", "3f7a4d", "235c4b", "2b7f7a", "58a6a6", "8ec5d6", "3f82b8", "2b5390", "23325f", "5a4a8c", "8a5aa0",
    "b8628f", "e0a3b5",
)  # fmt: skip


class Look(NamedTuple):
    """A look: a body's number, and numbers of colours."""

    body: int
    skin: int
    hair: int
    top: int
    legs: int

    @classmethod
    def of_bytes(cls, data: bytes) -> "Look":
        """From the wire: a byte each; what a newer server adds behind them is not looked at.

        Raises:
            ValueError: There are fewer.
        """
        if len(data) < LOOK_BYTES:
            raise ValueError(f"expected a look of {LOOK_BYTES} bytes, got {len(data)}")
        return cls(*data[:LOOK_BYTES])

    def to_bytes(self) -> bytes:
        """For the wire.

        Raises:
            ValueError: There is no such body or colour.
        """
        for name, number, size in zip(self._fields, self, LOOK_SIZES, strict=True):
            if not 0 <= number < size:
                raise ValueError(f"expected a {name} from 0 to {size - 1}, got {number}")
        return bytes(self)


LOOK_BYTES = len(Look._fields)
LOOK_SIZES = Look(_BODIES, len(SKINS), len(HAIRS), len(CLOTHES), len(CLOTHES))
"""How many there are of each."""


def default_look(avatar: int) -> Look:
    """The look of somebody who never chose one, by the avatar id: the same for whoever looks."""
    mixed = avatar
    for _ in range(2):
        mixed = (mixed ^ mixed >> 16) * 0x45D9F3B & 0xFFFF_FFFF
    mixed ^= mixed >> 16
    chosen = []
    for size in LOOK_SIZES:
        mixed, number = divmod(mixed, size)
        chosen.append(number)
    return Look(*chosen)
