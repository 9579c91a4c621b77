"""A world whose land is woven by a trained generator: through the real server, on a thread and in a process."""

import asyncio
import math
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from live_server import SPAWN_M, Live, Player, live_world, served
from small_loom import small_weights
from worldloom.cli.main import main
from worldloom.worldgen.gan.file import read_file
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.style import read_style
from worldloom.worldgen.gan.weights import read_model
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codes import CorrectionReason
from worldloom_sdk.protocol.tiles import decode_tile

pytestmark = pytest.mark.slow

AROUND = {(rx, rz) for rx in (-1, 0, 1) for rz in (-1, 0, 1)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_weights(tmp_path_factory.mktemp("weights") / "model.safetensors")


async def nine_regions(live: Live, player: Player) -> dict[tuple[int, int], m.Region]:
    """Wait until the land around the middle is known to a player."""
    await player.until(lambda: {(r.rx, r.rz) for r in player.all_of(m.Region) if r.sha256} >= AROUND)
    return {(r.rx, r.rz): r for r in player.all_of(m.Region) if r.sha256}


@pytest.mark.parametrize("worker", ["thread", "process"])
async def test_land_is_woven_by_the_model_with_styles_stored_first_and_stays(
    tmp_path: Path, weights: Path, worker: str
) -> None:
    trained = {"generator": "gan", "weights": str(weights), "worker": worker, "deadline_s": 60.0}
    async with live_world(tmp_path / "data", worldgen=trained) as live:
        first = await nine_regions(live, await live.join())
        assert {region.source for at, region in first.items() if at in AROUND} == {"gan"}
        stats = live.world.emerge.stats()
        assert stats.rejected == 0
        assert stats.stitched == 0, "neighbours of one model meet to the bit"
    with sqlite3.connect(tmp_path / "data" / "world.db") as database:
        seed = database.execute("SELECT seed FROM world").fetchone()[0]
        styles = {(rx, rz): style for rx, rz, style in database.execute("SELECT rx, rz, style FROM style")}
        tiles = [row[0] for row in database.execute("SELECT data FROM content")]
    own = Provinces(seed, read_file(weights).table)
    assert set(styles) >= {(rx, rz) for rx in range(-2, 3) for rz in range(-2, 3)}
    assert all(style == own.style(*at).key for at, style in styles.items())
    assert {decode_tile(tile).provenance["model"] for tile in tiles} == {read_file(weights).sha256}
    noise = {"generator": "noise"}
    async with live_world(tmp_path / "data", worldgen=noise) as live:
        again = await nine_regions(live, await live.join())
        assert {at: again[at].sha256 for at in AROUND} == {at: first[at].sha256 for at in AROUND}


async def test_words_of_the_operator_make_other_land_beside_a_running_world(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = {"generator": "gan", "weights": str(weights), "deadline_s": 60.0}
    data = tmp_path / "data"

    async def ask(*place: str) -> int:
        words = ["worldgen", "style", "jagged alpine peaks", "--data", str(data), "--weights", str(weights)]
        return await asyncio.to_thread(main, [*words, *place])

    async with live_world(data, worldgen=trained) as live:
        await nine_regions(live, await live.join())
        assert await ask("--around", "4224,128", "--regions", "3x3") == 0
        assert "9 regions will be woven so" in capsys.readouterr().out
        assert await ask("--around", "128,128", "--regions", "1x1") == 1
        assert "1 settled already" in capsys.readouterr().out
        woven = await live.world.emerge.get(16, 0)
        seed = live.world.row.seed
    with sqlite3.connect(data / "world.db") as database:
        rows = database.execute(
            "SELECT rx, rz, style, words FROM style WHERE abs(rx - 16) < 2 AND abs(rz) < 2"
        )
        stored = {(rx - 16, rz): (style, words) for rx, rz, style, words in rows}
    source = GanSource(read_model(weights), seed)
    assert {words for _, words in stored.values()} == {"jagged alpine peaks"}
    assert read_style(stored[0, 0][0]).slope > np.exp(np.quantile(source.model.table[:, 0], 0.7))
    expected = source.weave(16, 0, {at: style for at, (style, _) in stored.items()})
    assert woven.source == "gan"
    assert woven.tile is not None
    assert (woven.tile.heights == expected.heights).all()
    assert (woven.tile.heights != source.generate(16, 0).heights).any()


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_twenty_who_run_apart_for_ten_minutes_never_wait_for_land(tmp_path: Path) -> None:
    """The shipped model in a real server; each runs straight on into what nobody has made yet."""
    pace_m, seconds, stride_s = 8.0, 600, 0.1
    world = {"seed": 5, "speed_m_per_s": 12.0}
    async with served(
        tmp_path / "data", worldgen={"generator": "gan", "niceness": 10}, world=world
    ) as running:
        runners = [await running.join() for _ in range(20)]
        await runners[0].until(
            lambda: len({(r.rx, r.rz) for r in runners[0].all_of(m.Region) if r.sha256}) >= 9, 60
        )
        loop = asyncio.get_running_loop()
        before, gone_m, waited = loop.time(), 0.0, 0
        ends = before + seconds
        while (now := loop.time()) < ends:
            # Where this machine is busy they are slower, not faster afterwards.
            gone_m += pace_m * min(now - before, 2 * stride_s)
            before = now
            for number, runner in enumerate(runners):
                angle = 2 * math.pi * number / len(runners)
                runner.move(SPAWN_M + gone_m * math.cos(angle), SPAWN_M + gone_m * math.sin(angle))
                waited += sum(told.reason == CorrectionReason.UNWOVEN for told in runner.all_of(m.Correction))
                runner.received.clear()
            assert not waited, f"after {gone_m:.0f} m"
            await asyncio.sleep(stride_s)
        assert gone_m > 0.9 * pace_m * seconds
