"""Messages about who somebody is, as part of ``messages``: names, looks, and finding people."""

from typing import Annotated

from msgspec import Meta, Struct

from worldloom_sdk.protocol.land import CommandId
from worldloom_sdk.protocol.parts import Named, Worn

__all__ = ["AvatarId", "Find", "Looks", "People", "Who"]

AvatarId = Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]


class Who(Struct, array_like=True, tag=7, frozen=True, forbid_unknown_fields=True):
    """client -> server, after Welcome, at most 4 a second. Asks for names; answered by People, or Refused (id 0)."""

    ids: Annotated[list[AvatarId], Meta(min_length=1, max_length=64)]
    """Avatar ids."""


class Find(Struct, array_like=True, tag=17, frozen=True, forbid_unknown_fields=True):
    """client -> server, a command. Looks for people in the world by a part of their names, capitals or not.

    Done carries 20 at most, those first whose name begins with it. Found is nobody who is hidden, who is where one is
    not seen from outside, who does not want to be found (see Account), or with whom there is a block; nor you.
    """

    id: CommandId
    """Yours, counted from 1; the answer has it, too."""
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    """A part of a name; one or two characters: as a word of it begins."""


class People(Struct, array_like=True, tag=40, frozen=True):
    """server -> client. Answers Who; ids that are not in the world, hidden, or blocked are left out."""

    people: list[Named]


class Looks(Struct, array_like=True, tag=48, frozen=True):
    """server -> client. Bodies in your view have other looks from now on, told within a second or two.

    Of who is out of view nothing is told: ask again by Who when the body comes into view anew.
    """

    looks: list[Worn]
