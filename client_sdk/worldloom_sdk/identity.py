"""Identity: who wants to come in, by what right, and what the world gave it to come back with. Knows no connection."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from worldloom_sdk.protocol.messages import Welcome
from worldloom_sdk.tokens import Kept, check_writable, read_token, write_token

__all__ = ["Identity"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Identity:
    """Who wants to come in."""

    name: str
    token: str | None = field(default=None, repr=False)
    """A secret; of an account, or a bot's key."""
    token_file: Path | None = None
    keep: bool = False
    """Ask for an account when there is no token."""
    access: str = field(default="", repr=False)
    """An invitation or the world's password."""
    code: str = field(default="", repr=False)
    """A recovery or pairing code; used when there is no token."""
    bot: bool = False
    """Say that this is no person."""
    at: tuple[float, float] | None = None
    """Where to be set down the first time, x and z in metres."""
    recovery: str = field(default="", repr=False)
    """The account's recovery code, if it is known; a secret."""

    def prepare(self) -> None:
        """Read the token, or make sure that the one of an account that is to be had can be kept.

        Raises:
            SetupError: The token file cannot be read or written, or holds no token.
        """
        if self.token is not None or self.token_file is None:
            return
        kept = read_token(self.token_file)
        if kept is not None:
            self.token, self.recovery = kept
        elif self.keep or self.code:
            check_writable(self.token_file)

    def hello(self) -> dict[str, Any]:
        """What Hello says of it; nothing that is not looked at beside a token."""
        said: dict[str, Any] = {"name": self.name, "bot": self.bot, "at": self.at}
        if self.token is not None:
            return {**said, "token": self.token}
        if self.code:
            return {**said, "code": self.code}
        return {**said, "keep": self.keep, "access": self.access}

    def take(self, welcome: Welcome) -> None:
        """Remember what the world gave, and write it into the token file."""
        self.at = None
        if welcome.token is not None:
            self.token, self.code = welcome.token, ""
        if welcome.recovery:
            self.recovery = welcome.recovery
        if welcome.token is not None or welcome.recovery:
            self._write()

    def renew_recovery(self, code: str) -> None:
        """The recovery code of before is void, this is the new one."""
        self.recovery = code
        self._write()

    def _write(self) -> None:
        if self.token_file is None or self.token is None:
            return
        try:
            write_token(self.token_file, Kept(self.token, self.recovery))
        except OSError as fault:
            # It could be written a moment ago. The token is known here still: leaving would lose it.
            _log.error(
                "%s: token and recovery code were not written to %s: %s; only Client.token and Client.recovery "
                "have them",
                self.name,
                self.token_file,
                fault,
            )
