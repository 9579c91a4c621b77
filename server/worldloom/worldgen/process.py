"""A terrain source in a process of its own: kept alive, asked one region at a time, ended when it does not answer.

What the source does, it does to its own process: one that hangs past its deadline is killed, one that crashes or
writes what is no answer costs the region that it was at, and a new one takes its place. Bounds: one request and one
answer at a time, an answer no longer than a tile; a process that dies ``MAX_DEATHS`` times within ``WITHIN_S`` stays
dead until restart. Knows no queue and no tiles: bytes come back.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from types import MappingProxyType

from worldloom.errors import ConfigError, TerrainRejected
from worldloom.ports import Styles
from worldloom.worldgen.child import ANSWER, LONGEST, MAGIC, REQUEST, Kind
from worldloom.worldgen.sources import FACTORY
from worldloom.worldgen.styling import pack_styles
from worldloom.worldgen.worker import NICENESS, WorkerHung, ended_in_time, starved_s

__all__ = ["MAX_DEATHS", "WITHIN_S", "SourceDied", "SourceProcess"]

_log = logging.getLogger(__name__)

MAX_DEATHS, WITHIN_S = 5, 600.0
"""So often in so many seconds the process may die; then there is none until restart."""
PAUSES_S = (0.0, 1.0, 4.0, 10.0)
"""Before the next start, by how often it died lately."""
READY_S = 120.0
"""A start may take so long: what a generator imports is large, and the process gives way to all others."""
RESTART_WAIT_S = 20.0
"""A region waits so long for a new process; then the fallback fills in."""
LINGER_S = 1.0
"""A process that closed its pipe may take so long to end."""
_NONE: Styles = MappingProxyType({})
_MODULE = "worldloom.worldgen.child"
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
"""One core for land, however many there are: the others are for people, and results do not depend on the number."""


class SourceDied(Exception):
    """There was no answer, for the process ended or had to be ended, or because there is none; the text says how."""


class _Traceback(Exception):
    """What the source raised in its process: the traceback as text, for the log."""

    def __str__(self) -> str:
        return f"in the terrain process:\n{self.args[0]}"


class SourceProcess:
    """Asks a source in another process. Its methods are called on the event loop alone.

    Args:
        arguments: What ``factory`` is called with there; what JSON can say.
        factory: ``package.module:function``, which returns a ``TerrainSource``.
        pauses_s: Before each start, by how often it died within ``WITHIN_S``; the last counts on.
        ready_s: Limit of a start.
        wait_s: How long ``fetch`` waits for a process that is being started.
        niceness: How far the process gives way to everything else, 0 to 19.
    """

    def __init__(
        self,
        arguments: Sequence[str | int],
        factory: str = FACTORY,
        pauses_s: Sequence[float] = PAUSES_S,
        ready_s: float = READY_S,
        wait_s: float = RESTART_WAIT_S,
        niceness: int = NICENESS,
    ) -> None:
        self._factory, self._arguments = factory, json.dumps(list(arguments))
        self._pauses_s, self._ready_s, self._wait_s = tuple(pauses_s), ready_s, wait_s
        self._niceness = niceness
        self.name = ""
        """The source's own, once it was there."""
        self.deaths = 0
        """Times that the process ended unasked, or had to be killed."""
        self.retired = False
        """It died too often: there is none until restart."""
        self._lately: deque[float] = deque(maxlen=MAX_DEATHS)
        self._child: _Child | None = None
        self._decided = asyncio.Event()
        """Set while there is a process, or will be none."""
        self._one = asyncio.Lock()
        self._job = 0

    @property
    def pid(self) -> int:
        """Of the process; 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    async def open(self) -> None:
        """Start the process and wait until its source is ready: imported, read, made.

        Raises:
            ConfigError: It says that it cannot be used as configured, or was not ready in time.
        """
        try:
            await self._start(in_haste=True)
        except SourceDied as error:
            raise ConfigError(
                f'worldgen.worker "process": expected a process with the generator, ready within {self._ready_s:g} s; '
                f'got: {error}. What it said stands above; worldgen.worker = "thread" does without it'
            ) from None

    async def run(self) -> None:
        """Keep a process until cancelled, or until it died too often: whenever it ends a new one is started."""
        try:
            while not self.retired:
                if (child := self._child) is not None:
                    self._note_death(await child.ended())
                    continue
                await asyncio.sleep(self._pause_s())
                try:
                    await self._start()
                except (SourceDied, ConfigError) as error:
                    self._note_death(str(error))
        finally:
            await self.close()

    async def fetch(self, rx: int, rz: int, deadline_s: float, styles: Styles = _NONE) -> bytes:
        """The encoded tile of a region; unread: whoever decodes it checks it.

        Args:
            rx: Region index.
            rz: Region index.
            deadline_s: Seconds that the source may take, without those in which it got no processor.
            styles: What the regions around are to be like.

        Raises:
            TerrainRejected: The source raised.
            WorkerHung: The deadline passed; the process was killed.
            SourceDied: The process ended meanwhile, or wrote what is no answer and was killed; or there is none.
        """
        packed = pack_styles(styles)
        async with self._one:
            child = await self._there()
            self._job = (self._job + 1) % 2**32
            asking = asyncio.create_task(
                child.ask(self._job, rx, rz, packed), name=f"terrain process {child.pid}"
            )
            kind: Kind | None = None
            try:
                if not await ended_in_time(asking, deadline_s, child.starved_s):
                    raise WorkerHung(f"expected an end within {deadline_s} s, got none")
                kind, body = asking.result()
            finally:
                if kind is None:  # Whatever it says next would be taken for the answer to another question.
                    self._drop(child)
                    asking.cancel()
                    await asyncio.gather(asking, return_exceptions=True)
        if kind is Kind.FAULT:
            line, _, trace = body.decode(errors="replace").partition("\n")
            raise TerrainRejected(line) from _Traceback(trace)
        return body

    async def close(self) -> None:
        """End the process, if there is one. ``run`` may be called again."""
        child = self._child
        if child is not None:
            self._drop(child)
            await child.ended()

    async def _there(self) -> "_Child":
        try:
            async with asyncio.timeout(self._wait_s):
                while self._child is None:
                    if self.retired:
                        raise SourceDied("the terrain process died too often, there is none until restart")
                    await self._decided.wait()
        except TimeoutError:
            raise SourceDied(f"expected a terrain process within {self._wait_s:g} s, got none") from None
        return self._child

    async def _start(self, in_haste: bool = False) -> None:
        """A new process whose source is ready; in haste when nobody is there yet to whom it should give way.

        Raises:
            ConfigError: It says that it cannot be used as configured.
            SourceDied: It ended, or was not ready in time.
        """
        began = time.monotonic()
        child = await _Child.spawn(self._factory, self._arguments, self._niceness, in_haste)
        kind: Kind | None = None
        try:
            async with asyncio.timeout(self._ready_s):
                kind, body = await child.answer(0)
        except TimeoutError:
            raise SourceDied(f"the terrain process {child.pid} was not ready") from None
        finally:
            if kind is not Kind.READY:
                child.kill()
                await child.ended()
        text = body.decode(errors="replace")
        if kind is not Kind.READY:
            raise ConfigError(text)
        self.name, self._child = text, child
        self._decided.set()
        took_s = round(time.monotonic() - began, 1)
        _log.info(
            "the terrain process is ready", extra={"child": child.pid, "source": text, "took_s": took_s}
        )

    def _drop(self, child: "_Child") -> None:
        """Kill it and ask it no more; ``run`` sees its end."""
        child.kill()
        if self._child is child:
            self._child = None
            self._decided.clear()

    def _note_death(self, how: str) -> None:
        self._child = None
        self._decided.clear()
        self.deaths += 1
        now = time.monotonic()
        self._lately.append(now)
        if len(self._lately) == MAX_DEATHS and now - self._lately[0] <= WITHIN_S:
            self.retired = True
            self._decided.set()
            _log.warning(
                "%s, %d times within %.0f s: noise stands in until restart", how, MAX_DEATHS, WITHIN_S
            )
        else:
            pause_s = self._pause_s()
            _log.warning("%s; a new one starts %s", how, f"in {pause_s:g} s" if pause_s else "at once")

    def _pause_s(self) -> float:
        since = time.monotonic() - WITHIN_S
        lately = sum(at >= since for at in self._lately)
        return self._pauses_s[min(max(lately - 1, 0), len(self._pauses_s) - 1)]


class _Child:
    """One process: its pipes and its end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._requests, self._answers = process, process.stdin, process.stdout
        self.pid = process.pid

    @classmethod
    async def spawn(cls, factory: str, arguments: str, niceness: int, in_haste: bool) -> "_Child":
        """Start it: a fresh interpreter, for this one has threads and sockets; it finds modules where this one does.

        Raises:
            SourceDied: It cannot be started.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WORLDLOOM_")}
        environment = kept | _ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-P", "-X", "faulthandler", "-m", _MODULE]
        command += [factory, arguments, str(niceness), *(["in-haste"] if in_haste else [])]
        pipe = asyncio.subprocess.PIPE
        try:
            # A session of its own: Ctrl-C is the server's to handle.
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SourceDied(f"expected to start {sys.executable}; got: {error}") from None
        return cls(process)

    async def ask(self, job: int, rx: int, rz: int, styles: bytes) -> tuple[Kind, bytes]:
        """Ask for a region and wait for the answer.

        Raises:
            SourceDied: It ended, or what came is no answer to this.
        """
        self._requests.write(REQUEST.pack(MAGIC, job, rx, rz, len(styles)) + styles)
        kind, body = await self.answer(job)
        if kind not in (Kind.TILE, Kind.FAULT):
            raise SourceDied(
                f"expected a tile or a fault from the terrain process {self.pid}, got {kind.name}"
            )
        return kind, body

    async def answer(self, job: int) -> tuple[Kind, bytes]:
        """The next answer; raises as ``ask``."""
        try:
            magic, kind, number, length = ANSWER.unpack(await self._answers.readexactly(ANSWER.size))
            if magic != MAGIC or number != job or kind not in LONGEST or length > LONGEST[kind]:
                head = f"{magic!r}, kind {kind}, job {number}, {length} bytes"
                raise SourceDied(
                    f"expected an answer to job {job} from the terrain process {self.pid}; got: {head}"
                )
            return Kind(kind), await self._answers.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise SourceDied(await self._end_of_pipe()) from None

    async def _end_of_pipe(self) -> str:
        """It is about to end, or lives on without its pipe; not killed before that is known, for how it ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                return await self.ended()
        self.kill()
        return f"the terrain process {self.pid} closed its pipe"

    def starved_s(self) -> float:
        """Seconds in which it got no processor, so far."""
        return starved_s(str(self.pid))

    def kill(self) -> None:
        """End it at once; it may have ended already."""
        if self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> str:
        """Wait for its end; how it ended, in words."""
        code = await self._process.wait()
        return f"the terrain process {self.pid} {_how(code)}"


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
