"""The gateway's end of the bus: moves and controls up, frames down, in order, with nothing missed unnoticed.

Controls are sent again until the shard says that it took them. A missed frame is noticed by its number: frames that
came later are kept, a snapshot is asked for, and everything goes on from there. Knows no sockets and no clock.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from worldloom.replication.feed import I64, Control, MoveBatch, Resync, ShardFrame, ShardSnapshot

__all__ = ["NO_MOVES", "Uplink", "UplinkStats"]

KEPT_FRAMES = 256
"""Frames kept while one is missing; beyond, the oldest go, for the snapshot will cover them."""
CONTROLS_A_BATCH = 4_096
MAX_CONTROLS = 50_000
"""Controls that may wait for a shard that does not answer; then nothing more is to be asked of it."""
PATIENCE_TICKS = 3
"""So long a missing frame may just be late."""
ASK_AGAIN_TICKS = 10


@dataclass(frozen=True, slots=True)
class UplinkStats:
    """What is on its way: controls not acknowledged, frames kept, snapshots asked for since the start."""

    controls: int
    kept: int
    resyncs: int


class Uplink:
    """One gateway's connection to one shard."""

    def __init__(
        self,
        gateway: int,
        epoch: int,
        send: Callable[[MoveBatch | Resync], None],
        on_frame: Callable[[ShardFrame], None],
        on_snapshot: Callable[[ShardSnapshot], None],
    ) -> None:
        self._gateway, self._epoch = gateway, epoch
        self._send, self._on_frame, self._on_snapshot = send, on_frame, on_snapshot
        self._controls: deque[Control] = deque()
        self._first_control = 1
        self._batches = 0
        self._source: tuple[int, int] | None = None
        self._seq = 0
        self._kept: dict[int, ShardFrame] = {}
        self._missing_for = 0
        self._resyncs = 0

    def stats(self) -> UplinkStats:
        """A frozen view of what is on its way."""
        return UplinkStats(len(self._controls), len(self._kept), self._resyncs)

    @property
    def is_backed_up(self) -> bool:
        """Whether too much waits for the shard already."""
        return len(self._controls) >= MAX_CONTROLS

    def control(self, control: Control) -> None:
        """Tell the shard, exactly once and in order, with the next batches."""
        self._controls.append(control)

    def flush(self, avatar: I64, moves: I64) -> None:
        """Send the moves of a tick, ``avatar`` ``[n]`` and ``moves`` ``[6, n]``, and all that is not acknowledged."""
        if len(avatar) or self._controls:
            self._batches += 1
            controls = tuple(islice(self._controls, CONTROLS_A_BATCH))
            self._send(
                MoveBatch(
                    self._gateway, self._epoch, self._batches, avatar, moves, self._first_control, controls
                )
            )
        if self._kept:
            self._missing_for += 1
            if (
                self._missing_for >= PATIENCE_TICKS
                and (self._missing_for - PATIENCE_TICKS) % ASK_AGAIN_TICKS == 0
            ):
                self._resyncs += 1
                self._send(Resync(self._gateway))

    def receive(self, message: ShardFrame | ShardSnapshot) -> None:
        """Take what the shard sent, in whatever order it came."""
        source = (message.shard, message.epoch)
        if isinstance(message, ShardSnapshot):
            if message.gateway == self._gateway:
                self._restart(message, source)
            return
        self._acknowledge(message)
        if self._source is None and message.seq == 1:
            self._source = source
        if source == self._source and message.seq <= self._seq:
            return
        if source != self._source and self._source is not None and source < self._source:
            return
        self._kept[message.seq] = message
        self._take_what_follows()
        while len(self._kept) > KEPT_FRAMES:
            del self._kept[min(self._kept)]

    def _restart(self, snapshot: ShardSnapshot, source: tuple[int, int]) -> None:
        if source == self._source and snapshot.seq <= self._seq:
            # Late or double: what it says is known.
            return
        self._source, self._seq = source, snapshot.seq
        self._on_snapshot(snapshot)
        self._kept = {
            s: f for s, f in self._kept.items() if s > snapshot.seq and (f.shard, f.epoch) == source
        }
        self._take_what_follows()

    def _take_what_follows(self) -> None:
        while (frame := self._kept.get(self._seq + 1)) and (frame.shard, frame.epoch) == self._source:
            del self._kept[self._seq + 1]
            self._seq += 1
            self._on_frame(frame)
        if not self._kept:
            self._missing_for = 0

    def _acknowledge(self, frame: ShardFrame) -> None:
        taken = frame.controls_taken.get((self._gateway, self._epoch), 0)
        while self._controls and self._first_control <= taken:
            self._controls.popleft()
            self._first_control += 1


NO_MOVES: tuple[I64, I64] = (np.empty(0, np.int64), np.empty((6, 0), np.int64))
"""What to flush in a tick without moves."""
