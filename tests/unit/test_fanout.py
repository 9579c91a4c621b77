"""What viewers are written over whole stories: how much, how soon, and what never."""

from collections.abc import Callable

import numpy as np
import pytest

from sim_world import SimWorld, Watcher, payloads
from worldloom.replication.feed import Speak
from worldloom.replication.views import Seat
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.protocol.messages import Area, Frame
from worldloom_sdk.protocol.words import Block, BlockKind, blocks

# ---- stepping to and fro on a border

OTHERS, DANCERS = 950, 50


def dance(x: Callable[[int], float], budget: int = 0) -> tuple[int, int]:
    """Fifty who step to and fro at some place among 950 who turn where they stand; bytes for the others, in 2 s.

    Args:
        x: Where the dancers are at a step, in metres; the border is at 32 m.
        budget: Bytes a second for each viewer.
    """
    world = SimWorld(budget=budget)
    rng = np.random.default_rng(3)
    places = np.where(rng.random((OTHERS, 2)) < 0.5, 8.0, 56.0) + rng.uniform(-6, 6, (OTHERS, 2))
    sizes = [0]
    for n, (px, pz) in enumerate(places, 1):
        world.join(n, px, pz).seat.write = lambda data: sizes.append(len(data))
    dancers = range(OTHERS + 1, OTHERS + DANCERS + 1)
    for n in dancers:
        world.join(n, x(0), n % 48).seat.write = lambda data: None
    world.tick(40)
    sizes.clear()
    frames = len(world.frames)
    for step in range(40):
        for n, (px, pz) in enumerate(places, 1):
            world.move(n, px, pz, yaw=step % 256)
        for n in dancers:
            world.move(n, x(step), n % 48)
        world.tick()
    return sum(sizes), sum(len(frame.enters) for frame in world.frames[frames:])


def on_the_border(amplitude: float) -> Callable[[int], float]:
    return lambda step: 32.1 + (amplitude if step % 4 < 2 else -amplitude)


def ten_metres_away(amplitude: float) -> Callable[[int], float]:
    return lambda step: 42.1 + (amplitude if step % 4 < 2 else -amplitude)


@pytest.mark.slow
def test_stepping_to_and_fro_on_a_border_costs_the_others_not_a_byte():
    assert dance(on_the_border(1.9)) == dance(ten_metres_away(1.9))


@pytest.mark.slow
def test_striding_to_and_fro_over_a_border_costs_the_others_less_than_a_tenth():
    # 3 m to either side leave the cell, at most twice a second.
    border, crossings = dance(on_the_border(3.0))
    away, none = dance(ten_metres_away(3.0))
    assert DANCERS <= crossings <= 4 * DANCERS
    assert none == 0
    assert border <= 1.02 * away


# ---- nobody near


def test_who_walks_with_nobody_near_costs_no_bytes_at_all():
    world = SimWorld()
    walker = world.join(1, 16, 16)
    world.join(2, 400, 400)
    world.tick(20)
    before, counted = walker.bytes, world.fanout.totals.frames
    for step in range(60):
        world.move(1, 16 + step / 10, 16)
        world.tick()
    assert walker.bytes == before
    assert world.fanout.totals.frames == counted


def test_as_soon_as_somebody_comes_near_all_is_right():
    world = SimWorld()
    walker, guest = world.join(1, 16, 16), world.join(2, 16, 110)
    world.tick(20)
    for step in range(1, 60):
        world.move(1, 16 + step / 10, 16)
        world.move(2, 16, 110 - step / 2)
        world.tick()
        seen = world.truth(walker)
        together = sum(map(len, seen.values())) > 1
        assert (walker.view.state() == seen) or not together
        assert guest.view.state() == world.truth(guest) or not together
    assert walker.view.state() == world.truth(walker)
    assert sum(map(len, world.truth(walker).values())) == 2


def test_who_comes_from_nowhere_beside_a_lonely_walker_is_seen_and_sees():
    world = SimWorld()
    walker = world.join(1, 16, 16)
    world.tick(20)
    for step in range(10):
        world.move(1, 16 + step / 10, 16)
        world.tick()
    guest = world.join(2, 20, 16)
    world.tick()
    assert walker.view.state() == world.truth(walker)
    assert guest.view.state() == world.truth(guest)


def test_a_hidden_viewer_alone_with_one_body_is_told_of_its_steps():
    world = SimWorld()
    hidden, walker = world.join(1, 16, 16, layer=1, layers=(0,)), world.join(2, 18, 16, layers=(0, 1))
    fellow = world.join(3, 16, 18)
    world.tick(20)
    world.part(fellow.avatar)
    world.tick(2)
    for step in range(1, 20):
        world.move(walker.avatar, 18 + step / 10, 16)
        world.tick()
        assert hidden.view.state() == world.truth(hidden)


# ---- how soon


class Gaps:
    """When each viewer was last told of each body."""

    def __init__(self, world: SimWorld, people: int) -> None:
        self.world = world
        self.last = np.zeros((people + 1, people + 1), np.int64)
        self._told: dict[tuple[bytes, int, int], np.ndarray] = {}

    def write(self, watcher: Watcher) -> Callable[[bytes], None]:
        def note(data: bytes) -> None:
            group = watcher.seat.group
            assert group is not None
            key = data, group.key.cx, group.key.cz
            if key not in self._told:
                self._told[key] = self._avatars(*key)
            self.last[watcher.avatar, self._told[key]] = self.world.tick_number

        return note

    def _avatars(self, data: bytes, cx: int, cz: int) -> np.ndarray:
        found = [np.empty(0, np.int64)]
        for payload in payloads(data):
            message = decode_server(payload)
            body = message.body if isinstance(message, Frame | Area) else b""
            found += [self._of_block(block, cx, cz) for block in blocks(body)]
        return np.concatenate(found)

    def _of_block(self, block: Block, cx: int, cz: int) -> np.ndarray:
        if block.kind is BlockKind.LEAVE:
            return np.empty(0, np.int64)
        if block.kind is not BlockKind.WORDS:
            return (block.entries[:, 0] >> np.uint64(12)).astype(np.int64)
        mirror = self.world.fanout.mirror
        row = mirror.find((cx + block.dx, cz + block.dz, block.layer))
        return mirror.ids[mirror.base[row] + (block.entries & np.uint64(0xFFF)).astype(np.int64)]

    def end_tick(self) -> None:
        self._told.clear()


@pytest.mark.slow
def test_in_a_crowd_of_600_whoever_walks_is_updated_within_a_second_and_near_by_at_once():
    people, side = 600, 64.0
    world = SimWorld()
    gaps = Gaps(world, people)
    rng = np.random.default_rng(5)
    at = rng.uniform(2, side - 2, (people + 1, 2))
    for n in range(1, people + 1):
        watcher = world.join(n, *at[n])
        watcher.seat.write = gaps.write(watcher)
    heading = rng.uniform(0, 2 * np.pi, people + 1)
    worst = [0, 0, 0]
    for step in range(110):
        heading = np.where(((at < 2) | (at > side - 2)).any(axis=1), np.arctan2(*(32 - at).T[::-1]), heading)
        at += 0.07 * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        for n in range(1, people + 1):
            world.move(n, *at[n])
        world.tick()
        gaps.end_tick()
        since = (world.tick_number - gaps.last)[1:, 1:]
        away = np.hypot(*(at[1:, None] - at[None, 1:]).transpose(2, 0, 1))
        settled = step >= 30
        now = [int(since.max()), int(since[away <= 8].max()), int(since[away <= 7.5].max())]
        worst = [max(was, settled * late) for was, late in zip(worst, now, strict=True)]
    in_view, within_8_m, within_a_patch = worst
    assert in_view < 20
    assert within_8_m < 3
    assert within_a_patch == 0


# ---- blocks


class Censor:
    """Reads all that a blocker is written, and finds whatever tells of those that it blocks."""

    def __init__(self, world: SimWorld, watcher: Watcher) -> None:
        self.world, self.watcher = world, watcher
        self.found: list[str] = []
        self.read = 0
        self._take, watcher.take = watcher.take, self.take
        self.center = (0, 0)
        self.before: dict[int, tuple] = {}

    def begin_tick(self) -> None:
        self.before = {avatar: self.slot_of(avatar) for avatar in self.watcher.seat.blocked}

    def slot_of(self, avatar: int) -> tuple | None:
        """Cell, layer and slot of a body."""
        t, row = self.world.shard.avatars, self.world.shard.avatars.row(avatar)
        return row if row is None else tuple(int(c[row]) for c in (t.cx, t.cz, t.layer, t.slot))

    def take(self, message) -> None:
        self.center = (message.cx, message.cz) if isinstance(message, Area) else self.center
        for line in message.lines if isinstance(message, Frame) else ():
            self.found += [f"line of {line.avatar}"] * (line.avatar in self.watcher.seat.blocked)
        for block in blocks(message.body if isinstance(message, Frame | Area) else b""):
            self.check(message.tick, block)
        self._take(message)

    def check(self, tick: int, block: Block) -> None:
        cell = (self.center[0] + block.dx, self.center[1] + block.dz, block.layer)
        blocked = self.watcher.seat.blocked
        entries = block.entries[:, 0] if block.entries.ndim == 2 else block.entries
        for entry in entries.tolist():
            self.read += 1
            slot = (*cell, entry & 0xFFF)
            if block.kind in (BlockKind.ENTER, BlockKind.SNAPSHOT):
                bad = entry >> 12 in blocked
            elif block.kind is BlockKind.WORDS:
                bad = slot in [self.slot_of(avatar) for avatar in blocked]
            else:
                bad = slot in self.before.values()
            self.found += [f"tick {tick}: {block.kind.name} {slot}"] * bad


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "budget"), [(1, 64_000), (2, 3_000), (3, 0), (4, 16_000)])
def test_of_those_whom_a_viewer_blocks_not_an_entry_is_ever_written_to_it(seed, budget):
    world = SimWorld(budget=budget)
    rng = np.random.default_rng(seed)
    people = 60
    at = rng.uniform(10, 60, (people + 1, 2))
    for n in range(1, people + 1):
        world.join(n, *at[n])
    world.tick(3)
    censors = [Censor(world, world.watchers[n]) for n in range(1, 7)]
    for step in range(150):
        for censor in censors:
            seat, other = censor.watcher.seat, int(rng.integers(7, people + 1))
            for _ in range(rng.random() < 0.1):
                world.fanout.block(seat, other, other not in seat.blocked)
            censor.begin_tick()
        at += np.where(rng.random((people + 1, 1)) < 0.05, rng.uniform(-6, 6, (people + 1, 2)), 0)
        at += rng.uniform(-0.5, 0.5, at.shape)
        for n in range(1, people + 1):
            at[n] = world.where(n) if step % 10 == 0 else at[n]
            world.move(n, *at[n], yaw=step)
        speaker, mover = rng.integers(1, people + 1, 2).tolist()
        world.uplink.control(Speak(speaker, "x", 0, "words", 20 * 64))
        for _ in range(step % 12 == 0):
            world.set_layer(mover, int(rng.integers(0, 2)))
        world.tick()
    assert [censor.found for censor in censors] == [[]] * 6
    assert sum(len(censor.watcher.seat.blocked) for censor in censors) > 20
    assert min(censor.read for censor in censors) > 1_000
    world.tick(40)
    for censor in censors:
        assert censor.watcher.view.state() == world.truth(censor.watcher)


def test_a_newcomer_is_seen_though_a_blocked_bodys_place_was_given_up_in_the_same_tick():
    world = SimWorld()
    viewer = world.join(1, 16, 16)
    for n in range(2, 33):
        world.join(n, 16, 16)
    world.tick()
    for n in range(101, 117):
        world.join(n, 48, 16)
    world.tick(20)
    # Avatar 17 sits in slot 16; so does the seventeenth of the other cell, which grows as the first gives up its room.
    world.fanout.block(viewer.seat, 17, True)
    world.tick(2)
    world.join(33, 16, 16)
    world.join(117, 48, 16)
    world.tick()
    assert viewer.view.state() == world.truth(viewer)
    assert (1, 0, 0) in viewer.view.state()
    assert viewer.view.state()[1, 0, 0][16][0] == 117


def test_those_who_block_nobody_are_written_the_same_object_as_ever():
    world = SimWorld()
    wrote: dict[int, list[bytes]] = {n: [] for n in range(1, 6)}
    for n in wrote:
        world.join(n, 16 + n / 10, 16)
    world.tick(20)
    world.fanout.block(world.watchers[1].seat, 5, True)
    world.tick(2)
    for n, mine in wrote.items():
        world.watchers[n].seat.write = mine.append
    world.move(5, 17, 16)
    world.move(4, 17, 17)
    world.tick()
    assert wrote[2][0] is wrote[3][0] is wrote[4][0] is wrote[5][0]
    assert len(wrote[1][0]) == len(wrote[2][0]) - 8
    assert world.fanout.totals.cuts == 1


# ---- books


def test_the_totals_are_what_was_written():
    world = SimWorld()
    for n in range(1, 30):
        world.join(n, 4 * n, 16)
    for step in range(1, 20):
        for n in range(1, 30):
            world.move(n, 4 * n + step / 10, 16)
        world.tick()
    assert world.fanout.totals.bytes == sum(w.bytes for w in world.watchers.values())
    areas = sum(isinstance(m, Area) for w in world.watchers.values() for m in w.received)
    assert world.fanout.totals.areas == areas


def test_an_avatar_has_one_seat():
    world = SimWorld()
    world.join(1, 0, 0)
    with pytest.raises(ValueError, match="expected one seat for avatar 1, got a second"):
        world.fanout.add(Seat(1, lambda data: None))


def test_who_has_gone_is_written_nothing_and_leaves_no_group_behind():
    world = SimWorld()
    gone, stays = world.join(1, 16, 16), world.join(2, 16, 17)
    world.tick(3)
    world.part(1)
    before = gone.bytes
    world.tick(2)
    world.move(2, 17, 17)
    world.tick()
    assert gone.bytes == before
    world.part(2)
    world.tick(2)
    assert (len(world.fanout.views.groups), len(world.fanout.mirror), len(world.fanout.seats)) == (0, 0, 0)
    assert stays.seat.group is None
