"""Making: asks a source for a region, checks what it says on the worker thread, and has the fallback stand in.

A source is asked on that thread, or in a process of its own. Knows no queue and no database.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from worldloom.errors import TerrainRejected
from worldloom.ports import Clock, Misfit, Styles, TerrainSource, TileRow
from worldloom.world.edges import edges_of, read_edges
from worldloom.worldgen.process import SourceDied, SourceProcess
from worldloom.worldgen.stitch import stitch
from worldloom.worldgen.styling import woven
from worldloom.worldgen.worker import NICENESS, Worker, WorkerHung
from worldloom_sdk.protocol.tiles import Tile, decode_tile, encode_tile, tile_sha256

__all__ = ["FALLBACK", "MAX_ABANDONED", "Making"]

_log = logging.getLogger(__name__)
T = TypeVar("T")

MAX_ABANDONED = 2
"""So often the source may hang on the thread; then only the fallback is asked until restart."""
FALLBACK = "fallback"
"""The name under which the fallback's land is stored."""

_Made = tuple[Tile, TileRow]
_NONE: Styles = MappingProxyType({})


class Making:
    """Regions in, tiles and their rows out. Methods are called on the event loop; the thread does one job at a time.

    Args:
        source: Asked first, on the thread or in its process.
        fallback: Stands in when the source fails; must not fail itself.
        deadline_s: Seconds that the source may take for a region.
        clock: For durations.
        niceness: How far the thread gives way to everything else, 0 to 19.
    """

    def __init__(
        self,
        source: TerrainSource | SourceProcess,
        fallback: TerrainSource,
        deadline_s: float,
        clock: Clock,
        niceness: int = NICENESS,
    ) -> None:
        self._source, self._fallback, self._deadline_s, self._clock = source, fallback, deadline_s, clock
        self._process = source if isinstance(source, SourceProcess) else None
        self._worker = Worker("worldgen", niceness)
        self._one = asyncio.Lock()
        self.rejected = 0
        """Times that the source raised, or gave what is no land."""
        self.made_s = 0.0
        """Seconds spent in making land, waiting for the source included."""

    @property
    def lost(self) -> int:
        """Times that the source hung, or its process ended."""
        return self._worker.abandoned if self._process is None else self._process.deaths

    @property
    def retired(self) -> bool:
        """That was too often: only the fallback is asked until restart."""
        return self._worker.abandoned >= MAX_ABANDONED if self._process is None else self._process.retired

    async def run(self) -> None:
        """What the source needs done beside; ends when it needs nothing any more."""
        if self._process is not None:
            await self._process.run()

    def close(self) -> None:
        """Let the thread end after the job that it is at."""
        self._worker.close()

    async def make(self, rx: int, rz: int, styles: Styles = _NONE) -> _Made:
        """Ask the source, and the fallback if it fails: the tile as read back from its bytes, and its row.

        Args:
            rx: Region index.
            rz: Region index.
            styles: What the regions around are to be like; none for a source that follows no styles.
        """
        if isinstance(self._source, SourceProcess):
            return await self._make_in(self._source, rx, rz, styles)
        async with self._one:
            began = self._clock.monotonic()
            job = partial(_make_row, self._source, self._source.name, rx, rz, styles)
            made = (
                None if self.retired else await self._tried(rx, rz, self._worker.run(job, self._deadline_s))
            )
            made = made or await self._stand_in(rx, rz)
            self.made_s += self._clock.monotonic() - began
        return made

    async def fit(self, tile: Tile, source: str, misfit: Misfit) -> _Made:
        """A tile fitted to its neighbours, and its row."""
        async with self._one:
            return await self._worker.run(partial(_stitched, tile, source, misfit))

    async def ask(self, job: Callable[[], T]) -> T:
        """Do something small on the thread, in its turn."""
        async with self._one:
            return await self._worker.run(job)

    async def read(self, row: TileRow) -> Tile:
        """The tile of a row.

        Raises:
            ValueError: The stored bytes are no tile of this region, or not those that its name says.
        """
        async with self._one:
            return await self._worker.run(partial(_read_row, row))

    async def _make_in(self, process: SourceProcess, rx: int, rz: int, styles: Styles) -> _Made:
        """As ``make``; the thread is free for others until there is something to check."""
        began, made, data = self._clock.monotonic(), None, None
        if not self.retired:
            data = await self._tried(rx, rz, process.fetch(rx, rz, self._deadline_s, styles))
        async with self._one:
            if data is not None:
                made = await self._tried(
                    rx, rz, self._worker.run(partial(_check, data, process.name, rx, rz))
                )
            made = made or await self._stand_in(rx, rz)
        self.made_s += self._clock.monotonic() - began
        return made

    async def _tried(self, rx: int, rz: int, attempt: Awaitable[T]) -> T | None:
        """What the source gave; None, and a line in the log, if it failed."""
        name = self._source.name
        try:
            return await attempt
        except TerrainRejected as error:
            self.rejected += 1
            _log.warning(
                "source %s failed at region (%d, %d), the fallback fills in: %s",
                *(name, rx, rz, error),
                exc_info=error.__cause__,
            )
        except WorkerHung as error:
            _log.warning(
                "source %s hung at region (%d, %d), the fallback fills in%s: %s",
                *(name, rx, rz, " from now on until restart" if self.retired else "", error),
            )
        except SourceDied as error:
            _log.warning("source %s died at region (%d, %d), the fallback fills in: %s", name, rx, rz, error)
        return None

    async def _stand_in(self, rx: int, rz: int) -> _Made:
        return await self._worker.run(partial(_make_row, self._fallback, FALLBACK, rx, rz))


def _make_row(source: TerrainSource, name: str, rx: int, rz: int, styles: Styles = _NONE) -> _Made:
    """Ask a source and check what it returns, on the worker thread; the tile is read back from its own bytes.

    Raises:
        TerrainRejected: It raised, or what it returned is no tile of this region.
    """
    try:
        tile = woven(source, rx, rz, styles)
        if not isinstance(tile, Tile) or (tile.rx, tile.rz) != (rx, rz):
            raise TerrainRejected(f"expected a tile of region ({rx}, {rz}), got {tile!r:.80}")
        return _written(tile, name)
    except TerrainRejected:
        raise
    except BaseException as error:
        raise TerrainRejected(f"{type(error).__name__}: {error}") from error


def _check(data: bytes, name: str, rx: int, rz: int) -> _Made:
    """Read a tile that came from elsewhere, on the worker thread.

    Raises:
        TerrainRejected: It is no tile of this region.
    """
    try:
        tile = decode_tile(data)
    except ValueError as error:
        raise TerrainRejected(f"expected a tile of region ({rx}, {rz}); got: {error}") from error
    if (tile.rx, tile.rz) != (rx, rz):
        raise TerrainRejected(f"expected a tile of region ({rx}, {rz}), got one of ({tile.rx}, {tile.rz})")
    return tile, _row(tile, name, data)


def _stitched(tile: Tile, name: str, misfit: Misfit) -> _Made:
    """Fit a tile to its neighbours, on the worker thread."""
    around = {
        (at.rx - tile.rx, at.rz - tile.rz): read_edges(at.edges) for at in misfit.neighbours if at.edges
    }
    return _written(stitch(tile, around), name)


def _written(tile: Tile, name: str) -> _Made:
    """The tile as it is read back from its own bytes, and its row."""
    data = encode_tile(tile)
    tile = decode_tile(data)
    return tile, _row(tile, name, data)


def _row(tile: Tile, name: str, data: bytes) -> TileRow:
    return TileRow(tile.rx, tile.rz, tile_sha256(data), name, data, edges_of(tile.heights))


def _read_row(row: TileRow) -> Tile:
    """Read a stored tile, on the worker thread; raises ``ValueError``."""
    tile = decode_tile(row.data)
    if (tile.rx, tile.rz) != (row.rx, row.rz) or tile_sha256(row.data) != row.sha256:
        raise ValueError(f"expected tile {row.sha256} of region ({row.rx}, {row.rz}), got other bytes")
    return tile
