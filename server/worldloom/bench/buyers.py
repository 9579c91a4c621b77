"""One who buys, through the real socket: one offer after the other, each when the one before is answered."""

import asyncio
import secrets
from collections import Counter
from time import monotonic
from typing import Any, Self

import msgpack

from worldloom.bench.offers import PRICE, Shown
from worldloom.bench.plan import BenchFault
from worldloom.bench.wire import BINARY, CLOSE, PING, PONG, Assembler, client_frame, upgrade_request
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.messages import (
    PROTOCOL_VERSION,
    SUBPROTOCOL_PATH,
    Hello,
    Market,
    MarketAct,
    RefusalCode,
)

__all__ = ["Buyer"]

_ANSWERS = {33: "refused", 34: "done"}
_WELCOME = 32
_LONG_ARRAY = b"\xdc"
_PATIENCE_S = 60.0


class Buyer:
    """One client, in the world.

    Attributes:
        answered: When each trade that was done was answered, in seconds of the monotonic clock.
        times: How long each answer took, refusals too, in seconds.
        refused: How many were refused, by code.
        asked_again: How often the server could not do it just then.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._assembler = reader, writer, Assembler()
        self._asked = 0
        self.answered: list[float] = []
        self.times: list[float] = []
        self.refused: Counter[str] = Counter()
        self.asked_again = 0

    @classmethod
    async def come(cls, port: int, token: str) -> Self:
        """In the world by a token.

        Raises:
            BenchFault: It was not let in.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        buyer = cls(reader, writer)
        writer.write(upgrade_request(f"127.0.0.1:{port}", SUBPROTOCOL_PATH))
        await reader.readuntil(b"\r\n\r\n")
        buyer._say(encode(Hello(PROTOCOL_VERSION, "worldloom-bench", token=token)))
        answer = await buyer._answer(_WELCOME)
        if answer[0] != _WELCOME:
            raise BenchFault(f"expected buyers to be let in, got one refused: {answer[2]}: {answer[3]}")
        return buyer

    async def buy(self, offer: Shown) -> None:
        """Buy one, and wait for the answer.

        Raises:
            BenchFault: The connection was lost.
        """
        self._asked += 1
        listing, fingerprint = offer
        key = secrets.token_bytes(16)
        asked = Market(self._asked, MarketAct.BUY, key, listing, price=PRICE, fingerprint=fingerprint)
        began = monotonic()
        self._say(encode(asked))
        # As every client does: with the same key, until it is known what became of it.
        while (answer := await self._answer())[2:3] == [RefusalCode.UNAVAILABLE]:
            self.asked_again += 1
            await asyncio.sleep(answer[5] / 1_000)
            self._say(encode(asked))
        now = monotonic()
        self.times.append(now - began)
        if _ANSWERS[answer[0]] == "refused":
            self.refused[answer[2]] += 1
        else:
            self.answered.append(now)

    def close(self) -> None:
        """Let go."""
        self._writer.close()

    def _say(self, payload: bytes) -> None:
        self._writer.write(client_frame(payload))

    async def _answer(self, tag: int = 0) -> list[Any]:
        while True:
            data = await asyncio.wait_for(self._reader.read(65_536), _PATIENCE_S)
            if not data:
                raise BenchFault("expected an answer, got the end of the connection")
            found = None
            for opcode, payload in self._assembler.feed(data):
                if opcode == PING:
                    self._writer.write(client_frame(payload, PONG))
                elif opcode == CLOSE:
                    raise BenchFault(
                        f"expected an answer, got a closing: {payload[2:].decode(errors='replace')}"
                    )
                elif opcode == BINARY and _tag(payload) in (*_ANSWERS, tag):
                    found = msgpack.unpackb(payload)
            if found is not None:
                return found


def _tag(payload: bytes) -> int:
    """The tag of a message; Welcome has more than 15 fields, all others have fewer."""
    return payload[3] if payload[:1] == _LONG_ARRAY else payload[1]
