"""A shard, a fan-out and viewers with real mirrors, on a clock in hand; no sockets."""

import struct
from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from worldloom.bus.local import Link, LossyLink
from worldloom.replication.fanout import FanOut
from worldloom.replication.feed import Join, Part, Renew, SetLayer
from worldloom.replication.uplink import Uplink
from worldloom.replication.views import Seat
from worldloom.shard.simulation import Shard
from worldloom.world.enter import Gate
from worldloom_sdk.protocol import messages
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.view import View


class Meadow:
    """Flat land everywhere, 5 m above the sea."""

    def ground(self, x, z):
        return np.full(len(x), 80, np.int64), np.ones(len(x), np.bool_)

    def add(self, rx, rz, heights):
        raise AssertionError("a meadow needs no regions")

    def __contains__(self, region):
        return True


def payloads(data: bytes):
    """The payloads of ready-made server frames, one after another."""
    at = 0
    while at < len(data):
        assert data[at] == 0x82, data[at : at + 4].hex()
        size, head = data[at + 1], 2
        if size == 126:
            (size,), head = struct.unpack_from(">H", data, at + 2), 4
        elif size == 127:
            (size,), head = struct.unpack_from(">Q", data, at + 2), 10
        yield data[at + head : at + head + size]
        at += head + size


class Watcher:
    """A viewer with the SDK's mirror, which may stop reading for a while."""

    def __init__(self, fanout: FanOut, avatar: int, layers: tuple[int, ...] = (0,)) -> None:
        self.fanout, self.avatar = fanout, avatar
        self.view = View()
        self.bytes = 0
        self.received: list[msgspec.Struct] = []
        self.queue: list[bytes] = []
        self.reading = True
        self.limit = 64 * 1024
        self.seat = Seat(avatar, self.write, layers)

    def write(self, data: bytes) -> None:
        assert not self.seat.paused, "nothing is written to a paused viewer"
        self.queue.append(data)
        self.bytes += len(data)
        if self.reading:
            self.read()
        elif sum(map(len, self.queue)) > self.limit:
            self.fanout.pause(self.seat)

    def stall(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        self.read()
        if self.seat.paused:
            self.fanout.drained(self.seat)

    def read(self) -> None:
        queue, self.queue = self.queue, []
        for data in queue:
            for payload in payloads(data):
                self.take(decode_server(payload))

    def take(self, message: msgspec.Struct) -> None:
        self.received.append(message)
        match message:
            case messages.Area():
                self.view.apply_area(
                    message.tick, message.cx, message.cz, message.radius, message.layers, message.body
                )
            case messages.AreaComplete():
                self.view.finish_area(message.tick)
            case messages.Frame():
                self.view.apply_frame(message.tick, message.body)


class SimWorld:
    """One gateway and one shard, joined directly or by links that misbehave."""

    def __init__(self, budget: int = 64_000, radius: int = 2, lossy: int | None = None) -> None:
        self.tick_number = 1000
        self.now_ms = 0
        self.fanout = FanOut(radius, budget)
        self.frames = []
        make: Callable = Link if lossy is None else lambda receive: LossyLink(receive, lossy)
        self.down = make(lambda message: self.uplink.receive(message))
        self.shard = Shard(
            Meadow(),
            12 * 64,
            20 * 16,
            self.down.send,
            lambda rx, rz, away, asker: None,
            view_cells=radius,
        )
        self.up = make(self.shard.receive)
        self.uplink = Uplink(1, 1, self.up.send, self._on_frame, self.fanout.take_snapshot)
        self.links = [] if lossy is None else [self.up, self.down]
        self.watchers: dict[int, Watcher] = {}
        self._moves: list[tuple[int, ...]] = []
        self._seq: dict[int, int] = {}

    def _on_frame(self, frame) -> None:
        self.frames.append(frame)
        self.fanout.take_frame(frame)

    def join(
        self,
        avatar: int,
        x: float,
        z: float,
        layer: int = 0,
        layers: tuple[int, ...] = (0,),
        access: int = 0,
        owner: int = 0,
    ) -> Watcher:
        self.uplink.control(Join(avatar, int(x * 64), int(z * 64), 0, layer, owner, access))
        self._seq[avatar] = 0
        return self.attach(avatar, layers)

    def attach(self, avatar: int, layers: tuple[int, ...] = (0,)) -> Watcher:
        watcher = self.watchers[avatar] = Watcher(self.fanout, avatar, layers)
        self.fanout.add(watcher.seat)
        return watcher

    def resume(self, avatar: int) -> Watcher:
        old = self.watchers[avatar]
        self.fanout.remove(old.seat)
        self.uplink.control(Renew(avatar))
        self._seq[avatar] = 0
        return self.attach(avatar, old.seat.own)

    def part(self, avatar: int) -> None:
        self.fanout.remove(self.watchers.pop(avatar).seat)
        self.uplink.control(Part(avatar))

    def set_layer(self, avatar: int, layer: int) -> None:
        self.uplink.control(SetLayer(avatar, layer))

    def fence(self, rx: int, rz: int, places: np.ndarray, gates: Iterable[Gate]) -> None:
        """From now on these are the places of a region, by z then x."""
        self.shard.enter.lay(rx, rz, places, {gate.place: gate for gate in gates})

    def where(self, avatar: int) -> tuple[float, float] | None:
        row = self.shard.avatars.row(avatar)
        t = self.shard.avatars
        return None if row is None else (t.x[row] / 64, t.z[row] / 64)

    def move(self, avatar: int, x: float, z: float, yaw: int = 0, gesture: int = 1) -> None:
        self._seq[avatar] += 1
        self._moves.append((avatar, self._seq[avatar], round(x * 64), round(z * 64), -32768, yaw, gesture))

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.tick_number += 1
            moves = np.array(self._moves, np.int64).reshape(-1, 7)
            self._moves.clear()
            self.uplink.flush(moves[:, 0], moves[:, 1:].T)
            for link in self.links[:1]:
                link.step()
            self.shard.tick(self.tick_number, self.now_ms)
            for link in self.links[1:]:
                link.step()

    def truth(self, watcher: Watcher) -> dict:
        """What the viewer should know: by (cx, cz, layer) and slot, avatar id and word, of all in its view."""
        own = self.shard.avatars.row(watcher.avatar)
        t = self.shard.avatars
        cx, cz = int(t.cx[own]), int(t.cz[own])
        cells, entries = self.shard.cells.everything()
        seen: dict = {}
        for (ex, ez, layer), (key, word) in zip(cells.tolist(), entries.tolist(), strict=True):
            near = max(abs(ex - cx), abs(ez - cz)) <= self.fanout.views.radius
            if near and layer in watcher.seat.layers and (key >> 12) not in watcher.seat.blocked:
                seen.setdefault((ex, ez, layer), {})[key & 0xFFF] = (key >> 12, word)
        return seen
