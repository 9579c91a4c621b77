"""A wire between a browser and a world, which can be cut and joined again. Knows only bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

__all__ = ["Wire", "wired"]

CHUNK_BYTES = 65_536


class Wire:
    """Carries every connection to a port of this machine, unless it is cut.

    Attributes:
        port: Where it begins.
        is_cut: Whether it refuses whoever comes.
    """

    def __init__(self, to: int) -> None:
        self.port = 0
        self.is_cut = False
        self._to = to
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End all connections, and take no more."""
        self.is_cut = True
        for end in self._ends:
            end.transport.abort()

    def join(self) -> None:
        """Carry connections again."""
        self.is_cut = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes."""
        if self.is_cut:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._ends |= {writer, far_writer}
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._ends -= {writer, far_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK_BYTES):
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def wired(to: int) -> AsyncIterator[Wire]:
    """A wire to a port, on a port of its own."""
    wire = Wire(to)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
