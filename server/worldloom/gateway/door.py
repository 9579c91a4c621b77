"""The door: to whom the world is open. Knows no accounts; the entrance asks it."""

import hmac
from dataclasses import dataclass, field

from worldloom.errors import Refusal
from worldloom.gateway.limits import RateLimit
from worldloom.realm.order import is_staff
from worldloom_sdk.protocol.messages import Hello, RefusalCode, Role

__all__ = ["Door"]

_GUESSES = 10
"""Passwords and codes that an address may try at once; one more every six seconds."""
_GUESSES_PER_S = 1 / 6


def _guesses() -> RateLimit:
    return RateLimit(_GUESSES_PER_S, _GUESSES)


@dataclass(frozen=True, slots=True)
class Door:
    """Whom the world is open to.

    Attributes:
        mode: As ``access.mode`` of the configuration.
        password: What newcomers must know in the mode "password".
    """

    mode: str = "open"
    password: str = field(default="", repr=False)
    guesses: RateLimit = field(default_factory=_guesses)

    def check(self, role: Role) -> None:
        """Somebody is known: is the world open to it?

        Raises:
            Refusal: ACCESS; it is closed.
        """
        if self.mode == "closed" and not is_staff(role):
            raise Refusal(
                RefusalCode.ACCESS, "the world is closed: only its staff may come in now", "come back later"
            )

    def let_in_new(self, hello: Hello, home: str, now: float) -> None:
        """Somebody comes who has no account here.

        Args:
            hello: What was said.
            home: The address that it comes from.
            now: Seconds of a steady clock.

        Raises:
            Refusal: ACCESS, or RATE after too many guesses.
        """
        if self.mode == "password":
            self.guess(home, now)
            if not hmac.compare_digest(hello.access.encode(), self.password.encode()):
                given = "another one" if hello.access else "none"
                raise Refusal(
                    RefusalCode.ACCESS,
                    f"expected this world's password, got {given}",
                    "ask who runs the world for it",
                )
            self.guessed(home)
        elif self.mode == "invitation":
            self._invited(hello, home, now)

    def invitation(self, hello: Hello) -> str | None:
        """The invitation that a new account uses up; None where none is needed."""
        return hello.access if self.mode == "invitation" else None

    def guess(self, home: str, now: float) -> None:
        """Somebody tries a password or a code.

        Raises:
            Refusal: RATE; its address has tried too many.
        """
        wait = self.guesses.take(home, now)
        if wait:
            raise Refusal(
                RefusalCode.RATE,
                "too many passwords and codes were tried from this address",
                "try again later",
                round(wait * 1_000) + 1,
            )

    def guessed(self, home: str) -> None:
        """It was no guess but knowledge: people who know come from one address as many as they are."""
        self.guesses.give_back(home)

    def _invited(self, hello: Hello, home: str, now: float) -> None:
        hint = "ask who runs the world for one; it makes an account: give it together with a name and a token file"
        if not hello.access:
            raise Refusal(RefusalCode.ACCESS, "expected an invitation, got none", hint)
        if not hello.keep:
            raise Refusal(
                RefusalCode.ACCESS, "expected to keep an account with an invitation, got a guest", hint
            )
        self.guess(home, now)
