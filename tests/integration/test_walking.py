"""Walking over real sockets: what others see, what is corrected, land that is not made yet, and layers."""

import asyncio
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from live_server import Live, Player, live_world
from raw_ws import BINARY, CONT, PING, eventually, frame, move_payload
from worldloom.worldgen.noise import NoiseSource
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.geometry import GROUND_Y, XZ_PER_M
from worldloom_sdk.protocol.messages import CorrectionReason
from worldloom_sdk.protocol.tiles import Tile

pytestmark = pytest.mark.slow

SLOW_WALK = {"speed_m_per_s": 12.0}
HIGHEST = 2**15 - 1


class GatedSource:
    """Noise that is made only once it is allowed; the middle at once."""

    name = "gated"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self._noise = NoiseSource(7)

    def generate(self, rx: int, rz: int) -> Tile:
        if (rx, rz) != (0, 0):
            self.gate.wait(30)
        return self._noise.generate(rx, rz)


async def test_a_move_is_seen_by_others_as_it_was_made(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker, watcher = await live.join(), await live.join()
        ground = await ground_at(live, 120, 100.5)
        walker.move(120, 100.5, yaw=64, gesture=17)
        await watcher.sees_at(walker.you, 120, 100.5)
        seen = watcher.view.avatars[walker.you]
        assert (seen.y, seen.gesture) == (ground / 16, 17)
        assert round(seen.yaw, 6) == round(np.pi / 2, 6)
        assert not walker.all_of(m.Correction)
        await live.agrees(watcher)


async def ground_at(live: Live, x: float, z: float) -> int:
    """Ground height in 1/16 m."""
    ground, known = live.world.land.ground(np.array([round(x * XZ_PER_M)]), np.array([round(z * XZ_PER_M)]))
    assert known.all()
    return int(ground[0])


async def corrected(player: Player, seq: int) -> m.Correction:
    """The correction of a move."""
    return await player.next(m.Correction, lambda told: told.seq == seq)


async def test_who_is_too_fast_is_set_back_and_nobody_sees_it(tmp_path: Path) -> None:
    async with live_world(tmp_path, world=SLOW_WALK) as live:
        walker, watcher = await live.join(), await live.join()
        seq = walker.move(128 + 13, 128)
        told = await corrected(walker, seq)
        assert (told.reason, told.x, told.z) == (CorrectionReason.SPEED, 128 * 64, 128 * 64)
        walker.move(128, 128 + 1)
        await watcher.sees_at(walker.you, 128, 129)
        assert live.where(walker.you) == (128, 129)


HEIGHTS = {
    "under ground": (-5 * 16, 20.0, CorrectionReason.GROUND),
    "higher than 64 m over the ground": (65 * 16, 100.0, CorrectionReason.GROUND),
    "climbing faster than allowed": (60 * 16, 20.0, CorrectionReason.CLIMB),
}


@pytest.mark.parametrize("case", HEIGHTS)
async def test_a_height_that_cannot_be_is_corrected(tmp_path: Path, case: str) -> None:
    above, climb, reason = HEIGHTS[case]
    async with live_world(tmp_path, world={"climb_m_per_s": climb}) as live:
        walker = await live.join()
        ground = await ground_at(live, 128, 128)
        told = await corrected(walker, walker.move(128, 128, y=ground + above))
        assert (told.reason, told.y) == (reason, walker.welcome.y)


async def test_the_ends_of_the_number_line_are_corrected(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker, neighbour = await live.join(), await live.join()
        for x, z in ((2**31 - 1, 0), (-(2**31), 0), (0, 2**31 - 1), (-(2**31), -(2**31))):
            walker.seq += 1
            walker.send(b"\x92\x02\xc4\x10" + struct.pack("<IiihBB", walker.seq, x, z, HIGHEST, 255, 63))
            assert (await corrected(walker, walker.seq)).reason in (
                CorrectionReason.EDGE,
                CorrectionReason.SPEED,
            )
        assert live.where(walker.you) == (128, 128)
        await neighbour.ping()


async def test_a_move_with_a_number_seen_before_does_not_count(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker, watcher = await live.join(), await live.join()
        walker.seq = 10
        walker.move(120, 120)
        await watcher.sees_at(walker.you, 120, 120)
        for replayed in (11, 4, 1):
            walker.seq = replayed - 1
            walker.move(100, 100)
        await walker.ping()
        await live.ticks(2)
        assert live.where(walker.you) == (120, 120)
        walker.seq = 11
        walker.move(110, 110)
        await watcher.sees_at(walker.you, 110, 110)


async def test_numbers_up_to_the_last_one_count(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker = await live.join()
        for seq, x in ((2**31 - 1, 120), (2**31, 119), (2**32 - 1, 118)):
            state = struct.pack("<IiihBB", seq, x * 64, 128 * 64, GROUND_Y, 0, 1)
            walker.send(b"\x92\x02\xc4\x10" + state)
            await eventually(lambda x=x: live.where(walker.you) == (x, 128))


async def test_of_many_moves_in_a_tick_the_last_wins(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker, watcher = await live.join(), await live.join()
        before = len(watcher.all_of(m.Frame))
        burst = b""
        for step in range(20):
            walker.seq += 1
            burst += frame(BINARY, move_payload(walker.seq, (100 + step) * 64, 100 * 64, GROUND_Y))
        walker.send_bytes(burst)
        await watcher.sees_at(walker.you, 119, 100)
        assert live.where(walker.you) == (119, 100)
        assert len(watcher.all_of(m.Frame)) - before <= 3
        assert not walker.all_of(m.Correction)


async def test_a_move_counts_however_it_is_cut_into_packets_and_fragments(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker = await live.join()
        ways = {
            "whole": lambda data: [frame(BINARY, data)],
            "byte by byte": lambda data: [bytes([byte]) for byte in frame(BINARY, data)],
            "in two packets": lambda data: [frame(BINARY, data)[:9], frame(BINARY, data)[9:]],
            "in fragments": lambda data: [frame(BINARY, data[:3], fin=False), frame(CONT, data[3:])],
            "a ping between": lambda data: [
                frame(BINARY, data[:8], fin=False),
                frame(PING, b"!"),
                frame(CONT, data[8:]),
            ],
            "another mask": lambda data: [frame(BINARY, data, mask=b"\xff\0\x01\x80")],
            "no mask to speak of": lambda data: [frame(BINARY, data, mask=bytes(4))],
            "packed longer": lambda data: [frame(BINARY, b"\x92\xd0\x02\xc5\0\x10" + data[4:])],
        }
        for number, cut in enumerate(ways.values()):
            walker.seq += 1
            x = 100 + number
            for part in cut(move_payload(walker.seq, x * 64, 128 * 64, GROUND_Y, 0, 2)):
                walker.send_bytes(part)
                await asyncio.sleep(0)
            await eventually(lambda x=x: live.where(walker.you) == (x, 128))


async def test_a_gesture_beyond_63_is_a_wrong_command(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker = await live.join()
        walker.move(120, 120, gesture=64)
        assert (await walker.next(m.Refused)).code == m.RefusalCode.INVALID
        assert live.where(walker.you) == (128, 128)


async def test_a_body_waits_at_the_edge_of_the_unmade_and_goes_on_when_it_is_made(tmp_path: Path) -> None:
    source = GatedSource()
    async with live_world(tmp_path, source, world={"spawn_x_m": 250.0}) as live:
        walker = await live.join()
        await walker.until(lambda: any(r.state == m.RegionState.WEAVING for r in walker.all_of(m.Region)))
        for _ in range(3):
            told = await corrected(walker, walker.move(258, 128))
            assert (told.reason, told.x, told.z) == (CorrectionReason.UNWOVEN, 250 * 64, 128 * 64)
        walker.move(255, 128)
        await eventually(lambda: live.where(walker.you) == (255, 128))
        source.gate.set()
        await walker.until(
            lambda: any((r.rx, r.rz, r.state) == (1, 0, m.RegionState.WOVEN) for r in walker.all_of(m.Region))
        )
        walker.move(258, 128)
        await eventually(lambda: live.where(walker.you) == (258, 128))


async def test_land_is_made_ahead_of_who_walks_on(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        walker = await live.join()
        for x in range(135, 400, 10):
            await walk_to(live, walker, x, 128)
        assert live.where(walker.you) == (395, 128)
        await eventually(lambda: all((rx, rz) in live.world.land for rx in (0, 1, 2) for rz in (-1, 0, 1)))
        assert {told.reason for told in walker.all_of(m.Correction)} <= {CorrectionReason.UNWOVEN}


async def walk_to(live: Live, walker: Player, x: float, z: float) -> None:
    """Ask until the body is there."""
    while live.where(walker.you) != (x, z):
        walker.move(x, z)
        await live.ticks(2)


async def test_who_hides_in_a_layer_is_not_sent_to_strangers(tmp_path: Path) -> None:
    """Hiding is not being sent: not one byte tells a stranger what a hidden body does."""
    async with live_world(tmp_path) as live:
        stranger = await live.join(options={"keeps_bytes": True})
        friend, hidden = await live.join(), await live.join()
        await stranger.until(lambda: stranger.sees(hidden.you))
        live.hide(hidden, 9)
        live.world.fanout.regard(live.world.gateway.roster.find(friend.you).seat, layers=(0, 9))
        await stranger.until(lambda: hidden.you in stranger.left)
        await friend.until(lambda: friend.sees(hidden.you))
        # News of the land come as it is made.
        await stranger.until(lambda: len([news for news in stranger.all_of(m.Region) if news.sha256]) == 9)
        stranger.raw.clear()
        for step in range(10):
            hidden.move(100 + step, 90 + step, yaw=step)
            await friend.sees_at(hidden.you, 100 + step, 90 + step)
        await live.ticks(17)
        await stranger.ping()
        sent = [message for message in stranger.received[-20:] if isinstance(message, m.Frame)]
        assert hidden.you.to_bytes(4, "little") not in bytes(stranger.raw)
        assert len(stranger.raw) < 200, sent
        for player in (stranger, friend, hidden):
            await live.agrees(player)
        assert {layer for _, _, layer in stranger.view.state()} == {0}


async def test_a_hidden_body_is_in_no_snapshot_of_who_comes_later(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        hidden = await live.join("Shade")
        live.hide(hidden, 9)
        await eventually(lambda: 9 in live.world.shard.avatars.layer)
        late = await live.join(options={"keeps_bytes": True})
        hidden.move(100, 100)
        await eventually(lambda: live.where(hidden.you) == (100, 100))
        await live.ticks(20)
        await late.ping()
        assert late.sees(hidden.you) is None
        assert hidden.you.to_bytes(4, "little") not in bytes(late.raw)
        assert b"Shade" not in bytes(late.raw)
        await live.agrees(late)
        await live.agrees(hidden)


async def test_many_walkers_are_seen_where_they_are(tmp_path: Path) -> None:
    async with live_world(tmp_path) as live:
        players = await asyncio.gather(*(live.join() for _ in range(20)))
        for step in range(10):
            for number, player in enumerate(players):
                player.move(128 + 3 * step * np.cos(number), 128 + 3 * step * np.sin(number), gesture=1)
            await live.ticks(2)
        for player in players:
            await live.agrees(player)
        assert not any(player.all_of(m.Correction) for player in players)
