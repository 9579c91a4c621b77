"""The child: a terrain source in a process of its own, which is asked over a pipe. Run by ``process.SourceProcess``.

``python -m worldloom.worldgen.child MODULE:FUNCTION ARGUMENTS NICENESS [in-haste]`` makes the source by calling the
function with the arguments (a JSON array), says that it is ready, and answers one request after the other: standard
input brings them, what was standard output takes the answers. What the source prints goes to standard error.

It ends when the pipe does, whatever it is at: with the server, however that ended.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import struct
import sys
import threading
import traceback
from enum import IntEnum
from queue import Queue

from worldloom.errors import ConfigError, TerrainRejected
from worldloom.ports import TerrainSource
from worldloom.worldgen.styling import MAX_STYLES_BYTES, unpack_styles, woven
from worldloom.worldgen.worker import give_way
from worldloom_sdk.protocol.tiles import MAX_TILE_BYTES, Tile, encode_tile

__all__ = ["ANSWER", "LONGEST", "MAGIC", "REQUEST", "Kind", "main"]

MAGIC = b"WLG1"
REQUEST = struct.Struct("<4sIiiI")
"""Head of a request: ``MAGIC``, number of the job, rx, rz, length of the styles in bytes (``styling.pack_styles``)."""
ANSWER = struct.Struct("<4sBxxxII")
"""Head of an answer: ``MAGIC``, kind, number of the job, length of the body in bytes."""


_Job = tuple[bytes, int, int, int, bytes]


class Kind(IntEnum):
    """What an answer is."""

    READY = 0
    """Once, as job 0: the source's name."""
    UNUSABLE = 1
    """Once, in place of READY: what is wrong with the configuration. The process ends."""
    TILE = 2
    """``encode_tile``'s bytes."""
    FAULT = 3
    """The source raised: a line for people, then the traceback."""


LONGEST = {Kind.READY: 64, Kind.UNUSABLE: 2_000, Kind.TILE: MAX_TILE_BYTES, Kind.FAULT: 8_000}
"""Bytes of a body, at most."""
_LINE_CHARS = 500
_RATHER_THAN_THE_SERVER = 500
"""Added to what the kernel goes by when memory runs out: it ends this process, not the one that people are in."""
_PR_SET_PDEATHSIG = 1


def main(factory: str, arguments: str, niceness: str, haste: str = "") -> None:
    """Make the source and answer until the pipe ends; does not return.

    Args:
        factory: ``package.module:function``.
        arguments: What it is called with, a JSON array.
        niceness: How far it gives way to everything else, 0 to 19.
        haste: Give way only when the source is made; empty for from the start.
    """
    requests, answers = _take_pipes()
    _settle()
    if not haste:
        _give_way(int(niceness))
    jobs: Queue[_Job] = Queue(maxsize=1)  # One at a time: who asks waits for the answer.
    threading.Thread(target=_listen, args=(requests, jobs), daemon=True).start()
    module, _, function = factory.partition(":")
    try:
        source: TerrainSource = getattr(importlib.import_module(module), function)(*json.loads(arguments))
    except ConfigError as error:
        _answer(answers, Kind.UNUSABLE, 0, str(error).encode(errors="replace"))
        os._exit(1)
    # What is there now stays: the collector need not look at all of torch again.
    gc.collect()
    gc.freeze()
    _give_way(int(niceness))
    _answer(answers, Kind.READY, 0, source.name.encode())
    while True:
        _, job, rx, rz, styles = jobs.get()
        _answer(answers, *_made(source, job, rx, rz, styles))


def _take_pipes() -> tuple[int, int]:
    """The ends of the two pipes, under numbers that nobody else writes to by habit."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _settle() -> None:
    """End with the server, before it when memory runs out, and leave Ctrl-C to it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "linux":
        return
    # For a source that holds the interpreter for good: then the thread that sees the pipe's end is not heard.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(OSError, ValueError), open("/proc/self/oom_score_adj", "r+") as score:
        worse = min(1_000, int(score.read()) + _RATHER_THAN_THE_SERVER)
        score.seek(0)
        score.write(str(worse))


def _give_way(niceness: int) -> None:
    """To everything else; Linux has priorities per thread, and imports may have started some."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for thread in os.listdir("/proc/self/task"):
                give_way(niceness, int(thread))


def _listen(requests: int, jobs: "Queue[_Job]") -> None:
    """Hand on requests; end the process with the pipe."""
    while True:
        magic, job, rx, rz, size = REQUEST.unpack(_read(requests, REQUEST.size))
        if magic != MAGIC or size > MAX_STYLES_BYTES:
            os._exit(1)
        jobs.put((magic, job, rx, rz, _read(requests, size)))


def _read(requests: int, size: int) -> bytes:
    """So many bytes of the pipe; the process ends with it."""
    data = b""
    while len(data) < size:
        more = os.read(requests, size - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


def _made(source: TerrainSource, job: int, rx: int, rz: int, styles: bytes) -> tuple[Kind, int, bytes]:
    try:
        tile = woven(source, rx, rz, unpack_styles(styles))
        if not isinstance(tile, Tile):
            raise TerrainRejected(f"expected a tile of region ({rx}, {rz}), got {tile!r:.80}")
        return Kind.TILE, job, encode_tile(tile)
    except BaseException as error:  # noqa: BLE001 - handed to whoever asked, as a thread would
        told = str(error) if isinstance(error, TerrainRejected) else f"{type(error).__name__}: {error}"
        line = " ".join(told.split())[:_LINE_CHARS].encode(errors="replace")
        trace = traceback.format_exc().encode(errors="replace")
        # The end of a traceback says the most.
        return Kind.FAULT, job, line + b"\n" + trace[len(line) + 1 - LONGEST[Kind.FAULT] :]


def _answer(answers: int, kind: Kind, job: int, body: bytes) -> None:
    body = body[: LONGEST[kind]]
    left = memoryview(ANSWER.pack(MAGIC, kind, job, len(body)) + body)
    try:
        while left:
            left = left[os.write(answers, left) :]
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
