"""Terrain sources that do one thing wrong, to be made in the terrain process by their name."""

import contextlib
import hashlib
import os
import signal
import sys
import time

import numpy as np

from worldloom.errors import ConfigError
from worldloom.ports import Styles
from worldloom_sdk.protocol.tiles import Tile

GRASS = np.full((128, 128), 3, np.uint8)
FAULTS = ("hang", "hold", "exit", "kill", "segfault", "raise", "leave", "nothing", "elsewhere", "print")
FAULTY_RX = 7
"""In regions of this index the fault is done; the others are flat."""


class Faulty:
    """Flat land; at ``FAULTY_RX`` it does what its name says."""

    name = "faulty"

    def __init__(self, fault: str) -> None:
        self._fault = fault

    def generate(self, rx: int, rz: int) -> Tile:
        if rx == FAULTY_RX:
            getattr(self, f"_{self._fault}")()
        if rx == FAULTY_RX and self._fault == "nothing":
            return None  # type: ignore[return-value]
        shift = int(rx == FAULTY_RX and self._fault == "elsewhere")
        return Tile(rx + shift, rz, np.full((129, 129), 32, np.int16), GRASS)

    def _hang(self) -> None:
        time.sleep(600)

    def _hold(self) -> None:
        """Never lets go of the interpreter: no other thread of the process is heard."""
        sum(range(10**12))

    def _exit(self) -> None:
        os._exit(3)

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _segfault(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def _raise(self) -> None:
        raise RuntimeError("no land\ntoday")

    def _leave(self) -> None:
        raise SystemExit(3)

    def _nothing(self) -> None:
        pass

    _elsewhere = _nothing

    def _print(self) -> None:
        sys.stdout.write("the model is thinking\n")
        sys.stdout.flush()
        os.write(1, b"\0" * 64)
        sys.stdin.read()


def faulty(fault: str) -> Faulty:
    return Faulty(fault)


def garbage(written: str) -> Faulty:
    """Writes to the pipe itself before it answers: the numbers of the pipes are the lowest free ones."""
    source = Faulty("nothing")
    whole = source.generate

    def generate(rx: int, rz: int) -> Tile:
        if rx == FAULTY_RX:
            with contextlib.suppress(OSError):
                os.write(_pipe(), bytes.fromhex(written))
        return whole(rx if rx != FAULTY_RX else 0, rz)

    source.generate = generate  # type: ignore[method-assign]
    return source


def _pipe() -> int:
    """The end of the pipe that takes answers, as ``child`` keeps it."""
    frame = sys._getframe()
    while "answers" not in frame.f_locals or not isinstance(frame.f_locals["answers"], int):
        frame = frame.f_back
    return int(frame.f_locals["answers"])


def unusable(text: str) -> Faulty:
    raise ConfigError(text)


def broken() -> Faulty:
    raise RuntimeError("the weights are not there")


def slow() -> Faulty:
    time.sleep(600)
    return Faulty("nothing")


class Styled(Faulty):
    """Follows styles: land is as high as the first byte of its own says, and tells in a hash what it was given."""

    name = "styled"

    def weave(self, rx: int, rz: int, styles: Styles) -> Tile:
        heights = np.full((129, 129), styles[0, 0][0], np.int16)
        return Tile(rx, rz, heights, GRASS, provenance={"styles": styles_sha256(styles)})


def styles_sha256(styles: Styles) -> str:
    return hashlib.sha256(repr(sorted(styles.items())).encode()).hexdigest()


def styled() -> Styled:
    return Styled("nothing")
