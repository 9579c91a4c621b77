"""The pace of a load: who moves, speaks and asks for names in which slot of time. Knows no server process.

Time is cut into slots of about 5 ms. Each client moves once in a period of ``1 / move_hz``, always in the same slot;
which one is drawn, so that slots have nothing to do with places. It speaks and asks for names half a period later.
"""

import math
from collections.abc import Callable
from time import monotonic

import numpy as np
import numpy.typing as npt

from worldloom.bench.analysis import MoveLog
from worldloom.bench.client import Client, Stage
from worldloom.bench.load import Load, Progress
from worldloom.bench.scenarios import Walkers
from worldloom.bench.wire import client_frame, move_frames, who_frame
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.geometry import XZ_PER_M
from worldloom_sdk.protocol.messages import Say, SayKind

__all__ = ["Pace"]

I64 = npt.NDArray[np.int64]

_SLOT_S = 0.005
_SAY_SHARE = 0.05
_SAY_EVERY_S = 10.0
_LOOK_EVERY_S = 2.0
"""How often a client looks for people near it whose names it does not know."""
_NAMES_REACH = 16.0 * XZ_PER_M
_NAMES_AT_ONCE = 64


class Pace:
    """Sends what is due.

    Attributes:
        log: Every move that was sent.
        lateness_s: How late each slot began, in seconds.
        aside: Called once a slot, for what else a load does.
    """

    def __init__(
        self, load: Load, walkers: Walkers, move_hz: float, longest_s: float, rng: np.random.Generator
    ) -> None:
        """Draw the slots; nothing is sent yet.

        Args:
            load: All clients, each in the world.
            walkers: Where they are.
            move_hz: Moves a second and client.
            longest_s: For how long moves can be sent at most.
            rng: Source of chance.
        """
        count = len(load.avatars)
        self._load, self._walkers = load, walkers
        self._period_s = 1.0 / move_hz
        self._slots = max(1, round(self._period_s / _SLOT_S))
        self.log = MoveLog(math.ceil(longest_s * move_hz) + 2, count)
        self.lateness_s: list[float] = []
        order = rng.permutation(count).astype(np.int64)
        self._members: list[I64] = [order[slot :: self._slots] for slot in range(self._slots)]
        self._sends = [[load.clients[i].send for i in members] for members in self._members]
        self._looks = rng.integers(0, max(1, round(_LOOK_EVERY_S * move_hz)), count)
        self._look_periods = max(1, round(_LOOK_EVERY_S * move_hz))
        self._say_periods = max(1, round(_SAY_EVERY_S * move_hz))
        self._says = np.full(count, -1, np.int64)
        sayers = rng.permutation(count)[: round(count * _SAY_SHARE)]
        self._says[sayers] = rng.integers(0, self._say_periods, len(sayers))
        self._known = np.eye(count, dtype=np.bool_)
        self.aside: Callable[[], None] = lambda: None
        self._slot = 0
        self._origin = 0.0
        load.on_lost = self._without

    def walk(self, seconds: float, progress: Progress) -> None:
        """Let everybody walk and talk, for a time. What was due while nobody called is not made up for."""
        slot_s = self._period_s / self._slots
        self._origin = monotonic() - self._slot * slot_s
        slots = round(seconds / slot_s)
        report_every = max(1, slots // 50)
        for done in range(slots):
            due = self._origin + self._slot * slot_s
            while True:
                self._load.read(max(0.0, due - monotonic()))
                if (now := monotonic()) >= due:
                    break
            self.lateness_s.append(now - due)
            self._send_slot(self._slot % self._slots, self._slot // self._slots)
            self._slot += 1
            self.aside()
            if done % report_every == 0:
                progress(done / slots)
        progress(1.0)

    def _send_slot(self, slot: int, number: int) -> None:
        who, log = self._members[slot], self.log
        log.count = number + 1
        x, z = self._walkers.step(who, number, self._period_s)
        times = []
        for i, (send, frame) in enumerate(zip(self._sends[slot], move_frames(number, x, z), strict=True)):
            times.append(monotonic())
            try:
                send(frame)
            except OSError as fault:
                times[-1] = math.inf
                self._unsent(self._load.clients[who[i]], fault)
        log.sent[number, who], log.x[number, who], log.z[number, who] = times, x, z
        others = self._members[(slot + self._slots // 2) % self._slots]
        speaking = others[self._says[others] == number % self._say_periods]
        looking = others[self._looks[others] == number % self._look_periods]
        for index in speaking.tolist():
            line = Say(number + 1, SayKind.SAY, f"a line by {index} at {number}")
            self._send(index, client_frame(encode(line)))
        for index in looking.tolist():
            self._look_round(index)

    def _look_round(self, index: int) -> None:
        """Ask for the names of people near that are not known yet."""
        near = self._walkers.near(index, _NAMES_REACH)
        new = near[~self._known[index, near]][:_NAMES_AT_ONCE]
        if len(new):
            self._known[index, new] = True
            self._send(index, who_frame(self._load.avatars[new]))

    def _send(self, index: int, frame: bytes) -> None:
        client = self._load.clients[index]
        if client.stage is Stage.IN:
            try:
                client.send(frame)
            except OSError as fault:
                self._unsent(client, fault)

    def _unsent(self, client: Client, fault: OSError) -> None:
        """A full socket is a server that does not read, and only counted; any other fault ends the client."""
        if isinstance(fault, BlockingIOError):
            self._load.troubles["not sent: the server does not read"] += 1
        else:
            self._load.lose(client, f"lost: {type(fault).__name__}")

    def _without(self, client: Client) -> None:
        for slot, members in enumerate(self._members):
            left = members != client.index
            if not left.all():
                self._members[slot] = members[left]
                self._sends[slot] = [self._load.clients[i].send for i in self._members[slot]]
