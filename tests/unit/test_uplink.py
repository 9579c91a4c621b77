from dataclasses import replace

import numpy as np
import pytest

from sim_world import Meadow
from worldloom.bus.local import LossyLink
from worldloom.replication.feed import (
    Control,
    Join,
    MoveBatch,
    Part,
    Renew,
    Resync,
    ShardFrame,
    ShardSnapshot,
)
from worldloom.replication.uplink import ASK_AGAIN_TICKS, KEPT_FRAMES, NO_MOVES, PATIENCE_TICKS, Uplink
from worldloom.shard.simulation import Shard


def frame(seq: int, epoch: int = 1, taken: int = 0) -> ShardFrame:
    return replace(_EMPTY, seq=seq, tick=1_000 + seq, epoch=epoch, controls_taken={(1, 1): taken})


_NO_CELLS, _NO_WORDS = np.empty((0, 3), np.int64), np.empty(0, np.uint64)
_EMPTY = ShardFrame(
    1, 1, 1, 1_001, _NO_CELLS, np.empty((0, 10), np.int64), _NO_WORDS, _NO_CELLS, _NO_WORDS, _NO_CELLS,
    np.empty((0, 2), np.uint64), np.empty((0, 7), np.int64),
)  # fmt: skip


def snapshot(seq: int, epoch: int = 1, gateway: int = 1) -> ShardSnapshot:
    return ShardSnapshot(gateway, 1, epoch, seq, 1_000 + seq, _NO_CELLS, np.empty((0, 2), np.uint64), ())


class Gateway:
    """An uplink, and what it sent and passed on."""

    def __init__(self) -> None:
        self.sent: list[MoveBatch | Resync] = []
        self.told: list[tuple[str, int]] = []
        self.uplink = Uplink(
            1,
            1,
            self.sent.append,
            lambda f: self.told.append(("frame", f.seq)),
            lambda s: self.told.append(("snapshot", s.seq)),
        )

    def take(self, *messages: ShardFrame | ShardSnapshot) -> list[int]:
        for message in messages:
            self.uplink.receive(message)
        return [seq for _, seq in self.told]

    def flush(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.uplink.flush(*NO_MOVES)

    def resyncs(self) -> int:
        return sum(isinstance(message, Resync) for message in self.sent)


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


# ---- frames


def test_frames_are_passed_on_as_they_come(gateway):
    assert gateway.take(*(frame(n) for n in range(1, 6))) == [1, 2, 3, 4, 5]
    gateway.flush(50)
    assert gateway.sent == []


def test_doubles_are_dropped(gateway):
    assert gateway.take(frame(1), frame(1), frame(2), frame(1), frame(2), frame(3)) == [1, 2, 3]


def test_a_frame_that_overtook_others_waits_for_them(gateway):
    assert gateway.take(frame(3), frame(2)) == []
    assert gateway.uplink.stats().kept == 2
    assert gateway.take(frame(1)) == [1, 2, 3]
    assert gateway.uplink.stats().kept == 0


def test_a_missing_frame_is_waited_for_then_a_snapshot_is_asked_for_then_again(gateway):
    gateway.take(frame(1), frame(3))
    gateway.flush(PATIENCE_TICKS - 1)
    assert gateway.resyncs() == 0
    gateway.flush()
    assert gateway.resyncs() == 1
    gateway.flush(ASK_AGAIN_TICKS - 1)
    assert gateway.resyncs() == 1
    gateway.flush()
    assert gateway.resyncs() == gateway.uplink.stats().resyncs == 2


def test_a_snapshot_closes_the_gap_and_what_came_later_follows(gateway):
    gateway.take(frame(1), frame(3), frame(4), frame(6))
    gateway.take(snapshot(4))
    assert gateway.told == [("frame", 1), ("snapshot", 4)]
    gateway.take(frame(5))
    assert gateway.told[2:] == [("frame", 5), ("frame", 6)]
    gateway.flush(20)
    assert gateway.resyncs() == 0


@pytest.mark.parametrize("seq", [4, 5])
def test_a_snapshot_of_what_is_known_already_is_dropped(gateway, seq):
    gateway.take(*(frame(n) for n in range(1, 6)))
    assert gateway.take(snapshot(seq)) == [1, 2, 3, 4, 5]


def test_a_snapshot_that_comes_twice_is_taken_once(gateway):
    assert gateway.take(frame(3), snapshot(2), snapshot(2)) == [2, 3]


def test_a_snapshot_for_another_gateway_is_none_of_ours(gateway):
    gateway.take(frame(1), frame(3))
    assert gateway.take(snapshot(2, gateway=2)) == [1]


def test_who_missed_the_very_first_frame_asks_too(gateway):
    gateway.take(frame(2), frame(3))
    gateway.flush(PATIENCE_TICKS)
    assert gateway.resyncs() == 1
    assert gateway.take(snapshot(2)) == [2, 3]


def test_a_shard_that_started_anew_is_taken_over_by_a_snapshot(gateway):
    gateway.take(*(frame(n) for n in range(1, 9)))
    assert gateway.take(frame(1, epoch=2), frame(2, epoch=2)) == [1, 2, 3, 4, 5, 6, 7, 8]
    gateway.flush(PATIENCE_TICKS)
    assert gateway.resyncs() == 1
    gateway.take(snapshot(2, epoch=2))
    assert gateway.told[8:] == [("snapshot", 2)]
    assert gateway.take(frame(3, epoch=2), frame(9), frame(10))[9:] == [3]


def test_frames_of_the_shard_as_it_was_before_are_never_mixed_in(gateway):
    gateway.take(frame(1, epoch=2), frame(2, epoch=1), frame(2, epoch=2), frame(3, epoch=1))
    assert gateway.told == [("frame", 1), ("frame", 2)]
    assert gateway.uplink.stats().kept == 0


def test_however_long_a_frame_is_missing_only_so_many_are_kept(gateway):
    gateway.take(frame(1), *(frame(n) for n in range(3, 1_000)))
    assert gateway.uplink.stats().kept == KEPT_FRAMES
    gateway.take(snapshot(999 - KEPT_FRAMES))
    assert gateway.told[1:] == [("snapshot", 999 - KEPT_FRAMES)] + [
        ("frame", n) for n in range(1_000 - KEPT_FRAMES, 1_000)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_frames_late_by_three_ticks_are_taken_in_order_without_asking(seed):
    gateway = Gateway()
    link = LossyLink(gateway.uplink.receive, seed, loss=0, double=0.2, delay=3)
    for seq in range(1, 500):
        gateway.flush()
        link.send(frame(seq))
        link.step()
    for _ in range(4):
        link.step()
    assert gateway.told == [("frame", seq) for seq in range(1, 500)]
    assert gateway.resyncs() == 0


# ---- controls and moves


def test_a_tick_without_moves_and_controls_sends_nothing(gateway):
    gateway.flush(5)
    assert gateway.sent == []


def test_moves_and_controls_of_a_tick_go_together(gateway):
    gateway.uplink.control(Part(7))
    moves = np.arange(12).reshape(6, 2)
    gateway.uplink.flush(np.array([4, 5]), moves)
    (batch,) = gateway.sent
    assert (batch.gateway, batch.epoch, batch.first_control, batch.controls) == (1, 1, 1, (Part(7),))
    assert (batch.avatar.tolist(), batch.moves.tolist()) == ([4, 5], moves.tolist())


def test_controls_are_sent_again_until_they_were_taken(gateway):
    for avatar in (1, 2, 3):
        gateway.uplink.control(Part(avatar))
    gateway.flush()
    gateway.take(frame(1, taken=2))
    assert gateway.uplink.stats().controls == 1
    gateway.uplink.control(Part(4))
    gateway.flush()
    gateway.take(frame(2, taken=4))
    gateway.flush()
    assert [(b.first_control, b.controls) for b in gateway.sent] == [
        (1, (Part(1), Part(2), Part(3))), (3, (Part(3), Part(4))),
    ]  # fmt: skip


def test_what_a_frame_says_was_taken_counts_though_earlier_frames_are_missing(gateway):
    gateway.uplink.control(Part(1))
    gateway.take(frame(5, taken=1))
    assert gateway.uplink.stats().controls == 0


def test_an_old_frame_does_not_bring_a_control_back(gateway):
    for avatar in (1, 2):
        gateway.uplink.control(Part(avatar))
    gateway.take(frame(2, taken=2), frame(1, taken=1))
    gateway.flush()
    assert gateway.uplink.stats().controls == 0


class Ledger(Shard):
    """A real shard that writes down the controls that it takes."""

    def __init__(self, publish) -> None:
        super().__init__(Meadow(), 768, 320, publish, lambda rx, rz, away, asker: None)
        self.taken: list[Control] = []

    def _control(self, control: Control, tick: int, now_ms: int) -> None:
        self.taken.append(control)
        super()._control(control, tick, now_ms)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_bus_does_the_shard_takes_each_control_once_and_in_order(seed):
    frames: list[int] = []
    down = LossyLink(lambda message: uplink.receive(message), seed, loss=0.3, double=0.3, delay=5)
    shard = Ledger(down.send)
    up = LossyLink(shard.receive, seed + 100, loss=0.3, double=0.3, delay=5)
    uplink = Uplink(1, 1, up.send, lambda f: frames.append(f.seq), lambda s: frames.append(s.seq))
    asked: list[Control] = []
    for tick in range(1_000, 1_330):
        for control in (Join(tick, 0, 0, 0), Part(tick - 9), Renew(tick))[: tick % 4 * (tick < 1_300)]:
            asked.append(control)
            uplink.control(control)
        for link in (up, down) * (tick == 1_300):
            link.heal()
        uplink.flush(*NO_MOVES)
        up.step()
        shard.tick(tick)
        down.step()
    assert shard.taken == asked
    assert uplink.stats().controls == 0
    assert frames == sorted(set(frames))
    assert frames[-1] == 330
