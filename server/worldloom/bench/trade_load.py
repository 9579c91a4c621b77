"""Trades going on while something else is measured: buyers in a process of their own, on the load's core.

They buy each other's land as fast as they are answered, until they are told to stop. A process of their own, since
whoever measures would otherwise wait for them in its own loop. Linux only.
"""

import asyncio
import json
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from worldloom.bench.buyers import Buyer
from worldloom.bench.offers import Shown, make_offers
from worldloom.bench.plan import BenchFault
from worldloom.bench.server_process import pinned

__all__ = ["BUYERS", "TradeLoad", "offers_for", "write_job"]

BUYERS = 64
_OFFERS_PER_S = 2_000
"""More than any server does on one core; when they do not last, it is an error."""
_IN = "in\n"
_STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class _Job:
    """What the buyers' process is to do."""

    tokens: Sequence[str]
    offers: Sequence[Sequence[Shown]]
    """Of each buyer."""


def offers_for(seconds: float) -> int:
    """How many offers each buyer needs to have enough for a time."""
    return -(-round(_OFFERS_PER_S * seconds) // BUYERS)


def write_job(path: Path, url: str, tokens: Sequence[str], seconds: float, others: int) -> None:
    """Make the offers, and write down for the buyers' process who buys what.

    Args:
        path: The file to write.
        url: A database whose accounts, in order, are others and buyers.
        tokens: Of the buyers.
        seconds: How long the offers must last.
        others: How many accounts there are before the first buyer's.
    """
    offers = asyncio.run(make_offers(url, len(tokens), offers_for(seconds), others))
    path.write_text(json.dumps(asdict(_Job(tokens, offers))), encoding="utf-8")


class TradeLoad:
    """The buyers' process; a context manager that ends it."""

    def __init__(self, job: Path, port: int, core: int) -> None:
        """Start it; it buys as soon as all are in.

        Args:
            job: Written by :func:`write_job`.
            port: Of the server.
            core: To run on.
        """
        command = [sys.executable, "-m", "worldloom.bench.trade_load", str(job), str(port)]
        pipe = subprocess.PIPE
        with pinned(core):
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self._poll = select.poll()
        self._poll.register(self._process.stdout or 0, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        # Closes the pipes, too.
        self._process.communicate()

    def buying(self) -> bool:
        """Whether all are in, and buy; returns at once.

        Raises:
            BenchFault: They were not let in.
        """
        if not self._poll.poll(0) or not self._process.stdout:
            return False
        if self._process.stdout.readline() != _IN:
            raise BenchFault(f"expected buyers to come in, got: {self._end('')[1]}")
        return True

    def stop(self, begin: float, end: float) -> int:
        """Have them stop.

        Args:
            begin: Of the time that counts, in seconds of the monotonic clock.
            end: Likewise.

        Returns:
            How many trades were done and answered in it.

        Raises:
            BenchFault: A buyer was refused or lost, or had nothing left to buy.
        """
        told, trouble = self._end(json.dumps([begin, end]) + "\n")
        if self._process.returncode:
            raise BenchFault(f"expected buyers to buy to the end, got: {trouble}")
        return int(told)

    def _end(self, last_word: str) -> tuple[str, str]:
        told, trouble = self._process.communicate(last_word, _STOP_TIMEOUT_S)
        return told, trouble.strip()


# ---- in the buyers' process


async def _trade(job: _Job, port: int) -> int:
    """Come in, buy until a line comes, and count what was answered in the time that the line tells."""
    buyers = [await Buyer.come(port, token) for token in job.tokens]
    stop = asyncio.Event()
    sys.stdout.write(_IN)
    sys.stdout.flush()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    async with asyncio.TaskGroup() as group:
        for buyer, offers in zip(buyers, job.offers, strict=True):
            group.create_task(_buy(buyer, offers, stop))
    for buyer in buyers:
        buyer.close()
    begin, end = json.loads(sys.stdin.readline())
    return sum(begin <= at < end for buyer in buyers for at in buyer.answered)


async def _buy(buyer: Buyer, offers: Sequence[Shown], stop: asyncio.Event) -> None:
    for offer in offers:
        if stop.is_set():
            return
        await buyer.buy(offer)
        if buyer.refused:
            raise BenchFault(f"a buyer was refused: {dict(buyer.refused)}")
    if not stop.is_set():
        raise BenchFault(f"a buyer had bought all its {len(offers)} offers before the end")


def _main(path: str, port: str) -> int:
    """Do the job; the exit code."""
    job = _Job(**json.loads(Path(path).read_text(encoding="utf-8")))
    try:
        sys.stdout.write(f"{asyncio.run(_trade(job, int(port)))}\n")
    except (BenchFault, OSError, asyncio.IncompleteReadError, ExceptionGroup) as fault:
        # Of many buyers that are lost at once the first tells enough; what else goes wrong is shown whole.
        first = fault.exceptions[0] if isinstance(fault, ExceptionGroup) else fault
        sys.stderr.write(f"{first}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
