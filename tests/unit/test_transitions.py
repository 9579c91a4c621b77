"""What a viewer is told when it comes, changes its cell or sees another layer: which messages, in which order."""

import pytest

from sim_world import SimWorld, Watcher
from worldloom.replication.feed import Join
from worldloom.replication.uplink import Uplink
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.messages import Area, AreaComplete, Frame
from worldloom_sdk.protocol.words import BlockKind, blocks

WALKER, MATE = 1, 2
FRAME_TAG = 36


def story(watcher: Watcher) -> list[tuple[type, int]]:
    """Kinds and ticks of what came since the last call."""
    told = [(type(message), message.tick) for message in watcher.received]
    watcher.received.clear()
    return told


def cells(message: Area | Frame) -> list[tuple[int, int, int]]:
    return [(block.dx, block.dz, block.layer) for block in blocks(message.body)]


def crowd(world: SimWorld, count: int, x: float, z: float, first: int) -> None:
    """Bodies that nobody looks out of."""
    for avatar in range(first, first + count):
        world.uplink.control(Join(avatar, int(x * 64), int(z * 64), avatar % 256))


@pytest.fixture
def world() -> SimWorld:
    """Two who walk side by side over a border, and one in view of it."""
    world = SimWorld()
    world.join(WALKER, 28, 16)
    world.join(MATE, 28, 18)
    world.join(3, 60, 16)
    world.tick(20)
    for watcher in world.watchers.values():
        watcher.received.clear()
    return world


def walk(world: SimWorld, x: float, also: bool = True) -> None:
    world.move(WALKER, x, 16)
    for _ in range(also):
        world.move(MATE, x, 18)
    world.tick()


def test_an_arrival_gets_its_area_and_then_frames():
    world = SimWorld()
    watcher = world.join(1, 5, 5)
    world.join(2, 6, 5)
    world.tick()
    now = world.tick_number
    assert story(watcher) == [(Area, now), (AreaComplete, now)]
    world.move(2, 6.5, 5)
    world.tick()
    assert story(watcher) == [(Frame, now + 1)]


def test_nobody_is_told_anything_before_its_own_body_is_in_the_world():
    world = SimWorld()
    world.join(1, 5, 5)
    stranger = world.attach(77)
    world.tick(3)
    assert stranger.received == []


def test_who_changes_its_cell_gets_the_old_frame_of_the_tick_then_its_area_then_new_frames(world):
    watcher = world.watchers[WALKER]
    walk(world, 33)
    assert story(watcher) == [(Frame, world.tick_number)]
    walk(world, 34.5)
    frame, area, complete = watcher.received
    assert [m.tick for m in (frame, area, complete)] == [world.tick_number] * 3
    assert (type(frame), type(area), type(complete)) == (Frame, Area, AreaComplete)
    # The frame counts from the old cell: from (0, 0) to the next along x.
    assert [(b.kind, b.dx, b.dz) for b in blocks(frame.body)] == [
        (BlockKind.LEAVE, 0, 0),
        (BlockKind.ENTER, 1, 0),
    ]
    assert (area.cx, area.cz, area.radius, area.layers) == (1, 0, 2, [0])
    watcher.received.clear()
    walk(world, 35)
    (frame,) = watcher.received
    assert cells(frame) == [(0, 0, 0)]


def test_an_area_after_a_change_of_cell_has_snapshots_of_the_gained_cells_only(world):
    crowd(world, 3, 110, 16, first=100)
    world.tick(2)
    world.watchers[WALKER].received.clear()
    walk(world, 34.5)
    (area,) = [m for m in world.watchers[WALKER].received if isinstance(m, Area)]
    assert set(cells(area)) == {(2, dz, 0) for dz in range(-2, 3)}
    assert {b.kind for b in blocks(area.body)} == {BlockKind.SNAPSHOT}
    assert {(b.dz, len(b.entries)) for b in blocks(area.body)} == {(0, 3), (-2, 0), (-1, 0), (1, 0), (2, 0)}


def test_those_who_cross_together_are_written_the_very_same_bytes(world):
    wrote: dict[int, list[bytes]] = {WALKER: [], MATE: []}
    for avatar, mine in wrote.items():
        world.watchers[avatar].seat.write = mine.append
    for x in (33, 34.5, 35):
        walk(world, x)
    assert wrote[WALKER] == wrote[MATE]
    frames = [(one, other) for one, other in zip(*wrote.values(), strict=True) if one[3] == FRAME_TAG]
    assert [one is other for one, other in frames] == [True, True, True]


def test_who_sees_another_layer_gets_an_area_with_that_layer(world):
    crowd(world, 2, 28, 16, first=100)
    world.uplink.control(Join(200, 28 * 64, 16 * 64, 0, layer=1))
    world.tick(2)
    watcher = world.watchers[WALKER]
    watcher.received.clear()
    world.fanout.regard(watcher.seat, layers=(0, 1))
    world.tick()
    area = watcher.received[0]
    assert (area.layers, {layer for _, _, layer in cells(area)}) == ([0, 1], {1})
    assert len(cells(area)) == 25
    assert story(watcher) == [(Area, world.tick_number), (AreaComplete, world.tick_number)]
    world.fanout.regard(watcher.seat, layers=(0,))
    world.tick()
    # Whoever is to see less gets its picture anew at once.
    assert (watcher.received[0].layers, {layer for _, _, layer in cells(watcher.received[0])}) == ([0], {0})
    assert set(watcher.view.state()) == {(0, 0, 0), (1, 0, 0)}


def test_a_large_area_comes_nearest_first_in_messages_of_at_most_32_kib_and_then_it_is_complete():
    world = SimWorld()
    for n, (cx, cz) in enumerate((cx, cz) for cx in range(-2, 3) for cz in range(-2, 3)):
        crowd(world, 180, 32 * cx + 16, 32 * cz + 16, first=1_000 * n + 1_000)
    world.tick(2)
    watcher = world.join(1, 16, 16)
    world.tick(4)
    areas = [m for m in watcher.received if isinstance(m, Area)]
    assert len(areas) == 3
    assert max(len(encode(area)) for area in areas) <= 32 * 1024
    # The first tells those that are still to come as empty: what was known of them holds no longer.
    assert len(cells(areas[0])) == 25
    told = [(b.dx, b.dz, b.layer) for area in areas for b in blocks(area.body) if len(b.entries)]
    # Cells that did not fit whole go on in the next message.
    assert len(set(told)) == 25
    assert len(told) == 27
    rings = [max(abs(dx), abs(dz)) for dx, dz, _ in told]
    assert rings == sorted(rings)
    assert told[0] == (0, 0, 0)
    ticks = [tick for kind, tick in story(watcher) if kind is not Frame]
    first = ticks[0]
    assert ticks == [first, first, first + 1, first + 1]
    assert watcher.view.complete
    assert watcher.view.state() == world.truth(watcher)


def test_while_an_area_is_under_way_frames_go_on_and_the_picture_is_right_in_the_end():
    world = SimWorld(budget=0)
    for n in range(5):
        crowd(world, 500, 32 * n - 56, 16, first=1_000 * n + 1_000)
    world.tick(2)
    watcher = world.join(1, 16, 16)
    for step in range(1, 6):
        for avatar in range(1_000, 6_000, 250):
            world._seq[avatar] = step
            world.move(avatar, 32 * (avatar // 1_000 - 1) - 56 + step / 4, 16)
        world.tick()
    assert watcher.view.complete
    assert watcher.view.state() == world.truth(watcher)


def test_who_walks_on_while_its_area_is_under_way_still_gets_all_of_it():
    world = SimWorld()
    for n in range(7):
        crowd(world, 700, 32 * n - 48, 16, first=1_000 * n + 1_000)
    world.tick(2)
    watcher = world.join(1, 29, 16)
    world.tick()
    assert not watcher.view.complete
    world.move(1, 34.5, 16)
    world.tick()
    assert {(m.cx, m.cz) for m in watcher.received if isinstance(m, Area)} == {(0, 0), (1, 0)}
    world.tick(4)
    assert watcher.view.complete
    assert watcher.view.state() == world.truth(watcher)


def test_a_viewer_that_caught_up_gets_its_picture_anew(world):
    watcher = world.watchers[WALKER]
    world.fanout.pause(watcher.seat)
    for x in range(28, 33):
        world.move(MATE, x, 18)
        world.tick()
    assert watcher.received == []
    world.fanout.drained(watcher.seat)
    world.tick()
    now = world.tick_number
    assert [len(cells(m)) for m in watcher.received if isinstance(m, Area)] == [25]
    assert story(watcher) == [(Area, now), (AreaComplete, now)]
    assert watcher.view.state() == world.truth(watcher)


def test_a_gap_on_the_bus_gives_everybody_a_new_picture(world):
    uplink, world.uplink = world.uplink, Uplink(1, 1, world.up.send, lambda f: None, lambda s: None)
    world.tick()
    world.uplink = uplink
    walk(world, 29)
    world.tick(3)
    assert [story(watcher) for watcher in world.watchers.values()] == [[], [], []]
    world.tick()
    for watcher in world.watchers.values():
        assert story(watcher) == [(Area, world.tick_number), (AreaComplete, world.tick_number)]
        assert watcher.view.state() == world.truth(watcher)


def test_a_full_cell_comes_in_several_messages_and_is_right_in_the_end():
    world = SimWorld()
    crowd(world, 4_000, 16, 16, first=1_000)
    world.tick(2)
    watcher = world.join(1, 16, 16)
    world.tick(4)
    areas = [m for m in watcher.received if isinstance(m, Area)]
    assert len(areas) == 3
    assert max(len(encode(area)) for area in areas) <= 32 * 1024
    assert watcher.view.complete
    assert watcher.view.state() == world.truth(watcher)
