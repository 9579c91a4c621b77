"""Finding: people in the world by a part of their names, as far as they may be found. Knows no store."""

from worldloom.errors import Refusal
from worldloom.gateway.limits import RateLimit
from worldloom.gateway.roster import Roster
from worldloom.gateway.session import Session
from worldloom.gateway.times import Times
from worldloom.realm.names import clean_text
from worldloom.replication.mirror import Mirror
from worldloom_sdk.protocol.geometry import CELL_SHIFT, XZ_PER_M
from worldloom_sdk.protocol.messages import Find, Found, RefusalCode

__all__ = ["FOUND_MAX", "Finder"]

FOUND_MAX = 20
_NAME_CHARS = 64
_PUBLIC = (0,)
_CELL_M = (1 << CELL_SHIFT) // XZ_PER_M
_ALL_PER_S, _ALL_AT_ONCE = 40.0, 80.0
"""Of all together: one may cost some milliseconds."""


class Finder:
    """Answers Find.

    Args:
        roster: Who is here.
        mirror: Where their bodies are, as far as they are public.
        times: Clocks.
    """

    def __init__(self, roster: Roster, mirror: Mirror, times: Times) -> None:
        self._roster, self._mirror, self._monotonic = roster, mirror, times.monotonic
        self._all = RateLimit(_ALL_PER_S, _ALL_AT_ONCE)

    def find(self, session: Session, asked: Find) -> list[Found]:
        """Who is found.

        Raises:
            Refusal: RATE, UNAVAILABLE, or INVALID when nothing visible is asked for.
        """
        part = clean_text(asked.name, _NAME_CHARS)
        if not part:
            raise Refusal(RefusalCode.INVALID, "expected a part of a name, got nothing visible")
        now = self._monotonic()
        wait = session.buckets.finds.take(now)
        if wait:
            raise Refusal(RefusalCode.RATE, "too many Find", "ask less often", round(wait * 1_000) + 1)
        wait = self._all.take("all", now)
        if wait:
            text = "too many look for people just now"
            raise Refusal(RefusalCode.UNAVAILABLE, text, "try again", round(wait * 1_000) + 1)
        found: list[Found] = []
        for avatar in self._mirror.visible(self._roster.named(part), _PUBLIC):
            other = self._roster.find(avatar)
            if other is not None and self._may_find(session, other):
                found.append(Found(avatar, other.name, other.kind, *self._cell(avatar)))
                if len(found) == FOUND_MAX:
                    break
        return found

    def _may_find(self, session: Session, other: Session) -> bool:
        """Not by the layer alone: that follows a tick or two after somebody hides."""
        hides = other.standing.hidden or not other.findable
        return other is not session and not hides and not session.has_nothing_to_do_with(other)

    def _cell(self, avatar: int) -> tuple[int, int]:
        """The middle of the cell in which a body is, in metres."""
        key = self._mirror.keys[self._mirror.where[avatar][0]]
        assert key is not None
        return key[0] * _CELL_M + _CELL_M // 2, key[1] * _CELL_M + _CELL_M // 2
