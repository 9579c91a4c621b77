"""Processes that train one net side by side: each takes its own part of every batch, and gradients are averaged.

On a machine without a GPU two processes of one thread each train about twice as fast as one of two threads, for the
net's many small operations hardly gain by threads.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed
from torch.multiprocessing.spawn import ProcessRaisedException, spawn

from worldloom.errors import ConfigError

__all__ = ["Together", "all_of", "joined"]

_REFUSED = f"{ConfigError.__module__}.{ConfigError.__qualname__}: "
_PATIENCE = timedelta(minutes=5)
"""For a process that is slow; one that died ends the others after so long."""


@dataclass(frozen=True, slots=True)
class Together:
    """Those who train; by default one alone."""

    rank: int = 0
    """Of this process; 0 writes the files."""
    count: int = 1

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace gradients by their mean over all processes."""
        if self.count == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        distributed.all_reduce(flat)
        flat /= self.count
        for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(mean.view_as(grad))

    def agreed(self, number: float) -> float:
        """The number of process 0."""
        if self.count == 1:
            return number
        said = torch.tensor([number], dtype=torch.float64)
        distributed.broadcast(said, 0)
        return float(said)


def joined(rank: int, count: int, meeting: Path) -> Together:
    """Join the others.

    Args:
        rank: Of this process.
        count: Of all.
        meeting: A file that is not there yet, by which they find each other.
    """
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=meeting.resolve().as_uri(), rank=rank, world_size=count, timeout=_PATIENCE
    )
    return Together(rank, count)


def all_of(count: int, work: Callable[..., object], *args: Any) -> None:
    """Run ``work(rank, count, meeting, *args)`` in so many new processes, until all have ended.

    Args:
        count: How many.
        work: A function of a module; each calls ``joined`` with its first three arguments.
        args: Further ones, that can be pickled.

    Raises:
        ConfigError: One of them raised it.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            spawn(_take_part, (work, count, Path(folder) / "meeting", *args), count)
        except ProcessRaisedException as error:
            told = str(error).strip().splitlines()[-1]
            if told.startswith(_REFUSED):
                raise ConfigError(told.removeprefix(_REFUSED)) from None
            raise


def _take_part(rank: int, work: Callable[..., object], *args: Any) -> None:
    try:
        work(rank, *args)
    finally:
        if distributed.is_initialized():
            # Its threads end here: left to the end of the interpreter, one that still runs aborts the process.
            distributed.destroy_process_group()
