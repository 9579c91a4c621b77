"""Keyed: commands that carry a key are sent with the same one until they are answered, on however many connections.

What is asked has one effect, however often it is sent: the server knows the key. Knows no command by name.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from worldloom_sdk import events
from worldloom_sdk.clock import Clock
from worldloom_sdk.errors import Disconnected, NotConnected, Refused, TimedOut
from worldloom_sdk.order import CarryOut
from worldloom_sdk.protocol.codec import ProtocolError
from worldloom_sdk.protocol.estate import KEY_BYTES
from worldloom_sdk.protocol.messages import RefusalCode

__all__ = ["Keyed", "called", "new_key"]

E = TypeVar("E", bound=events.Event)

_PASSING = (RefusalCode.UNAVAILABLE, RefusalCode.RATE)
"""Whether it was done is unknown, or it was not: either way it may be asked again."""
_AGAIN_S = 0.25


class _Client(Protocol):
    clock: Clock

    @property
    def in_world(self) -> bool: ...

    @property
    def is_over(self) -> bool: ...

    async def wait_for(
        self, kind: type[E], check: Callable[[E], bool] | None = None, timeout: float | None = None
    ) -> E: ...


def new_key() -> bytes:
    """A key for one request."""
    return secrets.token_bytes(KEY_BYTES)


@contextmanager
def called(names: Mapping[str, str]) -> Iterator[None]:
    """Have an error about a field name the argument that it came from.

    Args:
        names: Of arguments, by fields of the command that are called otherwise.

    Raises:
        ProtocolError: As the block raised it.
    """
    try:
        yield
    except ProtocolError as fault:
        field, colon, rest = str(fault).partition(":")
        raise ProtocolError(f"{names.get(field, field)}{colon}{rest}") from None


class Keyed:
    """Sends what must not be lost.

    Args:
        client: Whose world it is.
        carry_out: Sends one command once.
    """

    def __init__(self, client: _Client, carry_out: CarryOut) -> None:
        self._client, self._carry_out = client, carry_out

    async def deal(self, kind: type[Struct], key: bytes | None = None, /, **fields: object) -> Any:
        """Have something done once, whatever happens on the way.

        Args:
            kind: The command.
            key: 16 bytes; None: new ones. Who keeps a key and the fields may ask again after a restart of its own.
            fields: The command's.

        Returns:
            What Done carries.

        Raises:
            Refused: It was not done, and will not be with this key.
            Disconnected: This client has ended before the answer; whether it was done, asking with the key tells.
            ValueError: A field is out of bounds; nothing was sent.
        """
        return await self.ask(kind, key=new_key() if key is None else key, **fields)

    async def ask(self, kind: type[Struct], /, **fields: object) -> Any:
        """Ask until there is an answer: for what changes nothing, or changes it once. Raises as ``deal``."""
        client = self._client
        while True:
            await self._until_in_world()
            try:
                return await self._carry_out(kind, **fields)
            except Disconnected as lost:
                if lost.final:
                    raise
                await client.clock.sleep(_AGAIN_S)
            except TimedOut:
                pass
            except Refused as refused:
                if refused.code not in _PASSING:
                    raise
                await client.clock.sleep(max(refused.retry_after, _AGAIN_S))

    async def _until_in_world(self) -> None:
        if self._client.is_over:
            raise NotConnected("this client is not in a world, and does not come back by itself", final=True)
        if not self._client.in_world:
            await self._client.wait_for(events.Event, _is_back)


def _is_back(event: events.Event) -> bool:
    return isinstance(event, events.Joined | events.Resumed)
