"""Frames of view groups, against a builder that makes each group's body from the shard's frame, entry by entry."""

import random
from itertools import count

import numpy as np
import pytest

from sim_world import Meadow
from worldloom.replication.feed import Join, MoveBatch, Part, SetLayer, ShardFrame
from worldloom.replication.frames import FrameBuilder
from worldloom.replication.mirror import Mirror
from worldloom.replication.runs import DROPPED
from worldloom.replication.views import GroupKey, ViewGroup, Views, rates_of
from worldloom.shard.simulation import Shard
from worldloom_sdk.protocol.words import BlockKind, block_header, blocks

BATCHES = count(1)


RADIUS = 2


class Town:
    """A shard full of walkers, and the parts of a gateway that build frames from what it publishes."""

    def __init__(self, seed: int, people: int, span: int) -> None:
        self.random = random.Random(seed)
        self.shard = Shard(Meadow(), 12 * 64, 20 * 16, lambda message: None, lambda rx, rz, away, asker: None)
        self.mirror = Mirror()
        self.views = Views(self.mirror, RADIUS)
        self.builder = FrameBuilder()
        self.tick, self.number, self.next_avatar = 5_000, 1, 1
        self.span = span
        self.frame = self.publish([self.newcomer() for _ in range(people)])

    def newcomer(self) -> Join:
        avatar, self.next_avatar = self.next_avatar, self.next_avatar + 1
        layer = self.random.choice((0, 0, 0, 1, 3))
        return Join(avatar, self.somewhere(), self.somewhere(), 0, layer)

    def somewhere(self) -> int:
        return self.random.randrange(-self.span, self.span)

    def publish(self, controls: list, moves: list | None = None) -> ShardFrame:
        self.tick += 1
        columns = np.array(moves or [], np.int64).reshape(-1, 7).T
        self.shard.receive(
            MoveBatch(1, 1, next(BATCHES), columns[0], columns[1:], self.number, tuple(controls))
        )
        self.number += len(controls)
        frame = self.shard.tick(self.tick)
        self.new = self.mirror.apply(frame)
        self.builder.take(self.new, self.mirror.row_count, np.fromiter(self.views.patched, np.int64))
        return frame

    def live(self) -> None:
        """A tick: some walk, some leap over borders, one comes, one goes, one changes its layer."""
        t = self.shard.avatars
        here = np.flatnonzero(t.id).tolist()
        moves = [
            (int(t.id[r]), self.tick, int(t.x[r]) + self.step(), int(t.z[r]) + self.step(), -32_768, 0, 1)
            for r in here
            if self.random.random() < 0.6
        ]
        gone, other = (int(t.id[r]) for r in self.random.sample(here, 2))
        controls = [self.newcomer(), Part(gone), SetLayer(other, self.random.choice((0, 1, 3)))]
        self.frame = self.publish(controls, moves)

    def step(self) -> int:
        return self.random.choice((-420, -30, -5, 0, 5, 30, 420))

    def watch(self, cx: int, cz: int, layers: tuple[int, ...], patch: int = -1) -> ViewGroup:
        group = self.views.group(GroupKey(cx, cz, layers, False, patch))
        group.family.members[group.index] = 1
        return group

    def stand(self, group: ViewGroup) -> None:
        """On any step of its ladder."""
        group.family.step[group.index] = self.random.randrange(len(group.family.ladder))

    def bodies(self) -> dict[GroupKey, bytes]:
        built = {}
        for family in self.views.families.values():
            chosen = np.flatnonzero(family.members)
            made = self.builder.bodies(family, chosen)
            for i, index in enumerate(chosen.tolist()):
                words = made.words[made.ends[i] : made.ends[i + 1]]
                built[family.groups[index].key] = words.astype("<u8").tobytes()
        return built


def naive(frame: ShardFrame, group: ViewGroup) -> bytes:
    """What a viewer of this group is to be sent of a frame: leaves, enters, then words, near cells first."""
    key = group.key
    rates = rates_of(group, int(group.family.step[group.index]))
    offsets = [(dx, dz, layer) for layer in key.layers for dx, dz in group.family.around.offsets.tolist()]
    cell = {(dx, dz, layer): (key.cx + dx, key.cz + dz, layer) for dx, dz, layer in offsets}
    leaves = [
        block(BlockKind.LEAVE, o, records(frame.leave_cells, frame.leaves[:, None], cell[o])) for o in offsets
    ]
    enters = [block(BlockKind.ENTER, o, records(frame.enter_cells, frame.enters, cell[o])) for o in offsets]
    words = [block(BlockKind.WORDS, o, run(frame, cell[o], rates[i])) for i, o in enumerate(offsets)]
    if key.crowded:
        # Cells taken by patch come first.
        first = group.family.cover(np.array([key.patch]))[0].tolist()
        words = [words[i] for i in first] + [w for i, w in enumerate(words) if i not in first]
    return b"".join(leaves + enters + words)


def block(kind: BlockKind, offset: tuple[int, int, int], entries: list[list[int]]) -> bytes:
    flat = [word for entry in entries for word in entry]
    head = [block_header(kind, *offset, len(entries))] if entries else []
    return np.array([*head, *flat], np.uint64).astype("<u8").tobytes()


def records(cells: np.ndarray, entries: np.ndarray, cell: tuple[int, int, int]) -> list[list[int]]:
    return [entry for at, entry in zip(cells.tolist(), entries.tolist(), strict=True) if tuple(at) == cell]


def run(frame: ShardFrame, cell: tuple[int, int, int], rates: np.ndarray) -> list[list[int]]:
    """The words of a cell that the rates of its 16 patches let through; by patch only where these differ."""
    found = [i for i, at in enumerate(frame.cells.tolist()) if tuple(at) == cell]
    words: list[tuple[int, int]] = []
    for i in found:
        bounds = frame.bounds[i].tolist()
        for section in range(9):
            words += [(section, w) for w in frame.words[bounds[section] : bounds[section + 1]].tolist()]
    by_patch = len(set(rates.tolist())) > 1
    patches = range(16) if by_patch else [None]
    return [
        [word]
        for patch in patches
        for section, word in words
        if patch in (None, patch_at(word)) and passes(section, int(rates[patch or 0]))
    ]


def passes(section: int, rate: int) -> bool:
    """Sections 0 to 3 are repeats of class 1 to 4, 4 to 8 fresh words of class 4 to 0."""
    fresh, cls = section >= 4, section + 1 if section < 4 else 8 - section
    return rate < DROPPED and cls >= rate and (fresh or rate > 0)


def patch_at(word: int) -> int:
    px, pz = ((word >> 12 & 0xFFF) - 1024) // 512, ((word >> 24 & 0xFFF) - 1024) // 512
    return max(0, min(3, pz)) * 4 + max(0, min(3, px))


def in_order(body: bytes) -> list[tuple[int, int, int, int, list]]:
    """The blocks of a body; words of a block in order of their slot, for patches may order them otherwise."""
    return [
        (
            b.kind,
            b.dx,
            b.dz,
            b.layer,
            sorted(b.entries.tolist()) if b.kind is BlockKind.WORDS else b.entries.tolist(),
        )
        for b in blocks(body)
    ]


CELL_GROUPS = [((0, 0), (0,)), ((-1, 1), (0,)), ((1, 0), (0, 1)), ((0, -2), (1, 3)), ((5, 5), (0, 1, 3))]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_bodies_of_cell_groups_are_what_each_viewer_would_be_sent(seed):
    town = Town(seed, people=160, span=7_000)
    groups = [town.watch(*cell, layers) for cell, layers in CELL_GROUPS]
    sizes = 0
    for _ in range(24):
        for group in groups:
            town.stand(group)
        town.live()
        built = town.bodies()
        assert built == {group.key: naive(town.frame, group) for group in groups}
        sizes += sum(map(len, built.values()))
    assert sizes > 15_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_bodies_of_patch_groups_are_what_each_viewer_would_be_sent(seed):
    town = Town(seed, people=200, span=4_000)
    groups = [
        town.watch(cell, 0, layers, patch)
        for cell, patch, layers in [
            (0, 0, (0,)), (0, 5, (0,)), (0, 15, (0,)), (-1, 3, (0,)), (1, 12, (0, 1)), (0, 10, (0, 3)), (0, 5, (1,)),
        ]
    ] + [town.watch(0, 1, (0,))]  # fmt: skip
    for _ in range(24):
        for group in groups:
            town.stand(group)
        town.live()
        built = town.bodies()
        for group in groups:
            assert in_order(built[group.key]) == in_order(naive(town.frame, group)), group.key


@pytest.mark.slow
def test_every_step_of_both_ladders_is_built_rightly():
    town = Town(9, people=150, span=4_000)
    groups = [town.watch(0, 0, (0, 1)), town.watch(0, 0, (0, 1), 6)]
    for step in range(22):
        for group in groups:
            group.family.step[group.index] = min(step, len(group.family.ladder) - 1)
        town.live()
        built = town.bodies()
        for group in groups:
            assert in_order(built[group.key]) == in_order(naive(town.frame, group)), (group.key, step)


def test_records_come_before_words_and_headers_count_what_follows():
    town = Town(4, people=150, span=4_000)
    group = town.watch(0, 0, (0, 1), 5)
    kinds = set()
    for _ in range(10):
        group.family.step[group.index] = 0
        town.live()
        (body,) = town.bodies().values()
        order = [b.kind for b in blocks(body)]
        assert order == sorted(order)
        assert all(len(b.entries) for b in blocks(body))
        assert sum(1 + b.entries.size for b in blocks(body)) * 8 == len(body)
        assert len({(b.kind, b.dx, b.dz, b.layer) for b in blocks(body)}) == len(order)
        kinds |= set(order)
    assert kinds == {BlockKind.LEAVE, BlockKind.ENTER, BlockKind.WORDS}


def test_places_and_headers_tell_of_every_word_whose_it_is():
    town = Town(5, people=150, span=4_000)
    group = town.watch(0, 0, (0, 1), 9)
    group.family.step[group.index] = 0
    town.live()
    made = town.builder.bodies(group.family, np.array([group.index]), with_places=True)
    row_of = {town.mirror.keys[row]: row for row in group.rows.tolist()}
    at, headers = 0, []
    for b in blocks(made.words.astype("<u8").tobytes()):
        headers.append(at)
        assert made.places[at] == 0
        row = row_of[b.dx, b.dz, b.layer]
        slots = (b.entries.reshape(-1, 2)[:, 0] if b.entries.ndim == 2 else b.entries) & np.uint64(0xFFF)
        wide = b.entries.ndim
        expected = np.repeat(town.mirror.base[row] + slots.astype(np.int64), wide)
        assert made.places[at + 1 : at + 1 + b.entries.size].tolist() == expected.tolist()
        at += 1 + b.entries.size
    assert made.headers.tolist() == headers
    assert made.ends.tolist() == [0, at]


def test_a_tick_without_news_in_view_gives_an_empty_body():
    town = Town(6, people=20, span=1_000)
    group = town.watch(300, 300, (0,))
    town.stand(group)
    town.live()
    assert town.bodies() == {group.key: b""}


def test_nothing_of_one_tick_is_left_in_the_next():
    town = Town(7, people=100, span=3_000)
    group = town.watch(0, 0, (0, 1, 3), 4)
    group.family.step[group.index] = 0
    town.live()
    assert town.bodies()[group.key] != b""
    for _ in range(17):
        town.frame = town.publish([])
    assert town.bodies() == {group.key: b""}
