"""Errors of the SDK: a small tree, so that a bot can catch what it can do something about."""

import math

from worldloom_sdk.avatar import Position
from worldloom_sdk.protocol.messages import CorrectionReason, RefusalCode

__all__ = [
    "AccessRefused",
    "Banned",
    "Blocked",
    "ConnectionClosed",
    "ContentError",
    "Disconnected",
    "Interrupted",
    "NotConnected",
    "Refused",
    "SentOut",
    "SetupError",
    "TimedOut",
    "TooDear",
    "WorldloomError",
    "refusal",
]


class WorldloomError(Exception):
    """Root of everything that the SDK raises on purpose."""


class SetupError(WorldloomError, ValueError):
    """What a client was given cannot be used: address, name, token or token file. Nothing was sent with it."""


class Refused(WorldloomError):
    """The server refused a command, or refused to let this client in.

    Attributes:
        code: Stable code, one of ``RefusalCode`` or newer.
        text: What is wrong, for people.
        hint: What to do about it, for people; may be empty.
        retry_after: Seconds after which the same may be tried again; 0 if the server did not say.
    """

    def __init__(self, code: str, text: str, hint: str = "", retry_after: float = 0.0) -> None:
        super().__init__(f"{code}: {text}" + (f" ({hint})" if hint else ""))
        self.code = code
        self.text = text
        self.hint = hint
        self.retry_after = retry_after


class AccessRefused(Refused):
    """The world is not open to everybody: it takes an invitation or a password as ``access``, or is closed."""

    def __init__(self, code: str, text: str, hint: str = "", retry_after: float = 0.0) -> None:
        advice = "give access=..., an invitation or the world's password; who has an account needs none"
        super().__init__(code, text, f"{hint}; {advice}" if hint else advice, retry_after)


class Banned(Refused):
    """This account or address is banned; ``text`` says why, ``retry_after`` for how long, 0: without end."""

    def __init__(self, code: str, text: str, hint: str = "", retry_after: float = 0.0) -> None:
        minutes = math.ceil(retry_after / 60)
        advice = f"come back in {minutes} min, not before" if minutes else "do not come back"
        super().__init__(code, text, f"{hint}; {advice}" if hint else advice, retry_after)


_REFUSALS = {RefusalCode.ACCESS: AccessRefused, RefusalCode.BANNED: Banned}


def refusal(code: str, text: str, hint: str, retry_after: float) -> Refused:
    """The error for what the server refused, by its code."""
    return _REFUSALS.get(code, Refused)(code, text, hint, retry_after)  # type: ignore[call-overload]


class Blocked(WorldloomError):
    """A walk ended before its goal, because the server does not let the body go on.

    Attributes:
        reason: Why, as the server said it; ``None`` for a reason that this SDK does not know.
        where: Where the body stands.
    """

    def __init__(self, reason: CorrectionReason | None, where: Position) -> None:
        name = reason.name.lower() if reason is not None else "an unknown reason"
        super().__init__(f"blocked by {name} at x={where.x:.2f} z={where.z:.2f}")
        self.reason = reason
        self.where = where


class Disconnected(WorldloomError):
    """The connection to the world is gone; what was under way is unknown.

    Attributes:
        code: WebSocket close code, if there was one.
        final: True if the client will not come back by itself.
    """

    def __init__(self, text: str, code: int | None = None, *, final: bool = False) -> None:
        super().__init__(text)
        self.code = code
        self.final = final


class SentOut(Disconnected):
    """Who keeps order here sent this client out. It does not come back by itself, and should not at once.

    Attributes:
        why: "kicked", "banned" or "revoked" (the token or key), or newer.
        reason: As they were told it, for people; may be empty.
        retry_after: Seconds before which not to come back; 0: after "kicked", a person may decide; else never.
    """

    def __init__(self, why: str, reason: str, code: int, retry_after: float = 0.0) -> None:
        super().__init__(f"{why}: {reason}" if reason else why, code, final=True)
        self.why = why
        self.reason = reason
        self.retry_after = retry_after


class NotConnected(Disconnected):
    """Something was asked of a client that is not in the world at this moment."""


class TimedOut(WorldloomError, TimeoutError):
    """Something did not happen within the time that the caller gave it."""


class TooDear(WorldloomError):
    """Something costs more than it may. Nothing was paid.

    Attributes:
        price: What it costs, in minor units.
        at_most: What it may cost.
    """

    def __init__(self, price: int, at_most: int) -> None:
        super().__init__(f"expected a price of at most {at_most} minor units, got {price}")
        self.price = price
        self.at_most = at_most


class Interrupted(WorldloomError):
    """A newer walk took over the body."""


class ContentError(WorldloomError):
    """Content could not be fetched, was too big, or is not what its name says."""


class ConnectionClosed(WorldloomError):
    """Raised by a transport: the socket is closed. The client turns it into events and resumes.

    Attributes:
        code: WebSocket close code; 1006 if the connection broke without one.
        reason: Text given with it, may be empty.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__(f"closed with {code}" + (f": {reason}" if reason else ""))
        self.code = code
        self.reason = reason
