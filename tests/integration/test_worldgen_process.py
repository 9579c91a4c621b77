"""Land from a process of its own: whatever happens to it costs the region that it was at, and never the server."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import pytest

from child_sources import FAULTY_RX, styles_sha256
from live_server import Served, live_world, served
from worldloom.app import node
from worldloom.app.clock import SystemClock
from worldloom.config import WorldgenConfig
from worldloom.errors import ConfigError, TerrainRejected
from worldloom.ports import Styles, TileRow
from worldloom.worldgen.child import ANSWER, MAGIC, Kind
from worldloom.worldgen.emerge import EmergeOutcome, EmergeQueue
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.process import MAX_DEATHS, SourceDied, SourceProcess
from worldloom.worldgen.sources import make_source
from worldloom.worldgen.worker import WorkerHung
from worldloom_sdk.protocol.tiles import decode_tile, encode_tile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them"),
]

PATIENCE_S = 60.0
"""A process that gives way to all others may be long in coming."""
DEADLINE_S = 60.0


def test_the_log_says_when_a_new_process_starts(caplog: pytest.LogCaptureFixture) -> None:
    process = SourceProcess((), pauses_s=(0.0, 1.0))
    process._note_death("gone")
    process._note_death("gone")
    assert caplog.messages == ["gone; a new one starts at once", "gone; a new one starts in 1 s"]


@asynccontextmanager
async def running(process: SourceProcess) -> AsyncIterator[SourceProcess]:
    """A process that is there, and kept."""
    await process.open()
    task = asyncio.create_task(process.run())
    try:
        yield process
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert process.pid == 0


def faulty(fault: str, **options: object) -> SourceProcess:
    return SourceProcess((fault,), "child_sources:faulty", pauses_s=(0.0,), wait_s=PATIENCE_S, **options)  # type: ignore[arg-type]


def in_place_of_noise(fault: str) -> "mock._patch[mock.MagicMock]":
    """A node's process has such a source."""
    return mock.patch.object(node, "SourceProcess", return_value=faulty(fault))


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.01)


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not fetched yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def test_the_same_land_comes_from_the_process_as_from_the_thread() -> None:
    async with running(SourceProcess(("noise", 5))) as process:
        data = await process.fetch(3, -4, DEADLINE_S)
    assert process.name == "noise"
    assert (
        data
        == encode_tile(make_source("noise", 5).generate(3, -4))
        == encode_tile(NoiseSource(5).generate(3, -4))
    )


STYLES = {(dx, dz): bytes([77 + dx + 3 * dz]) * (1_024 - dx) for dx in (0, 1) for dz in (-1, 0, 1)}


async def test_styles_reach_the_source_in_its_process_as_they_are() -> None:
    async with running(SourceProcess((), "child_sources:styled", wait_s=PATIENCE_S)) as process:
        plain = decode_tile(await process.fetch(3, -4, DEADLINE_S))
        tile = decode_tile(await process.fetch(3, -4, DEADLINE_S, STYLES))
        again = decode_tile(await process.fetch(3, -4, DEADLINE_S, {(0, 0): b"z"}))
        assert process.deaths == 0
    assert (plain.heights[0, 0], plain.provenance.get("styles")) == (32, None)
    assert (tile.heights[0, 0], tile.provenance["styles"]) == (77, styles_sha256(STYLES))
    assert again.heights[0, 0] == ord("z")


class Seasons:
    """Says the same of every place."""

    def styles(self, rx: int, rz: int) -> Styles:
        return STYLES


async def test_what_is_stored_is_what_the_process_weaves_by() -> None:
    stored: dict[tuple[int, int], bytes] = {(5, 5): b"K"}

    async def commit(rx: int, rz: int, own: Styles) -> Styles:
        return {(dx, dz): stored.setdefault((rx + dx, rz + dz), style) for (dx, dz), style in own.items()}

    async def nothing(rx: int, rz: int) -> None:
        return None

    async def keep(row: TileRow) -> TileRow:
        return row

    process = SourceProcess((), "child_sources:styled", wait_s=PATIENCE_S)
    await process.open()
    config = WorldgenConfig(deadline_s=DEADLINE_S)
    queue = EmergeQueue(
        *(nothing, keep, process, NoiseSource(1), config, SystemClock(0)), stylist=Seasons(), commit=commit
    )
    task = asyncio.create_task(queue.run())
    try:
        found = await asyncio.wait_for(queue.get(5, 5), PATIENCE_S)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert (found.outcome, found.source) == (EmergeOutcome.GENERATED, "styled")
    assert found.tile is not None
    assert found.tile.provenance["styles"] == styles_sha256(STYLES | {(0, 0): b"K"})
    assert found.tile.heights[0, 0] == ord("K")


def child_of(world: Served) -> int:
    """The terrain process of a server, by its log."""
    return int(
        re.findall(r"the terrain process is ready.*child=(\d+).*took_s=[\d.]+", world.log.read_text())[-1]
    )


async def test_the_process_gives_way_and_holds_no_socket_of_the_server(tmp_path: Path) -> None:
    async with served(tmp_path / "world", worldgen={"worker": "process", "niceness": 11}) as world:
        await world.join()
        pid = child_of(world)
        threads = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {11}
        own = int(Path("/proc/self/oom_score_adj").read_text())
        assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == min(1_000, own + 500)
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"OMP_NUM_THREADS=1" in environment
        assert b"WORLDLOOM_" not in environment
        held = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
        inodes = {re.findall(r"\d+", link)[0] for link in held if link.startswith("socket:")}
        addressed = {line.split()[9] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
        assert addressed
        assert not inodes & addressed


DEADLY = {
    "exit": "ended with status 3",
    "kill": "was ended by SIGKILL",
    "segfault": "was ended by SIGSEGV",
}


@pytest.mark.parametrize("fault", DEADLY)
async def test_a_crash_costs_one_region_and_a_new_process_goes_on(fault: str) -> None:
    async with running(faulty(fault)) as process:
        first = process.pid
        with pytest.raises(SourceDied, match=f"process {first} {DEADLY[fault]}"):
            await process.fetch(FAULTY_RX, 0, DEADLINE_S)
        assert decode_tile(await process.fetch(1, 2, DEADLINE_S)).rz == 2
        assert (process.deaths, process.retired) == (1, False)
        assert process.pid not in (0, first)


@pytest.mark.parametrize("fault", ["hang", "hold"])
async def test_who_is_past_the_deadline_is_killed_and_a_new_process_goes_on(fault: str) -> None:
    async with running(faulty(fault)) as process:
        first = process.pid
        with pytest.raises(WorkerHung, match=r"expected an end within 0\.3 s"):
            await process.fetch(FAULTY_RX, 0, 0.3)
        assert decode_tile(await process.fetch(1, 2, DEADLINE_S)).rx == 1
        assert process.pid != first
        await eventually(lambda: not is_there(first))


RAISED = {
    "raise": "RuntimeError: no land today",
    "leave": "SystemExit: 3",
    "nothing": r"expected a tile of region \(7, 0\), got None",
}


@pytest.mark.parametrize("fault", RAISED)
async def test_what_the_source_raises_is_told_with_its_traceback_and_costs_no_process(fault: str) -> None:
    async with running(faulty(fault)) as process:
        first = process.pid
        with pytest.raises(TerrainRejected, match=f"^{RAISED[fault]}$") as caught:
            await process.fetch(FAULTY_RX, 0, DEADLINE_S)
        assert "child.py" in str(caught.value.__cause__)
        await process.fetch(1, 0, DEADLINE_S)
        assert (process.pid, process.deaths) == (first, 0)


async def test_what_the_source_prints_does_not_get_between_the_answers() -> None:
    async with running(faulty("print")) as process:
        assert decode_tile(await process.fetch(FAULTY_RX, 0, DEADLINE_S)).rx == FAULTY_RX
        assert process.deaths == 0


GARBAGE = {
    "no answer": b"Loading weights...",
    "an answer to another question": ANSWER.pack(MAGIC, Kind.TILE, 77, 0),
    "an unknown kind": ANSWER.pack(MAGIC, 9, 1, 0),
    "readiness": ANSWER.pack(MAGIC, Kind.READY, 1, 0),
    "a body without end": ANSWER.pack(MAGIC, Kind.TILE, 1, 2**32 - 1),
}


@pytest.mark.parametrize("case", GARBAGE)
async def test_what_is_no_answer_costs_the_process(case: str) -> None:
    garbage = SourceProcess(
        (GARBAGE[case].hex(),), "child_sources:garbage", pauses_s=(0.0,), wait_s=PATIENCE_S
    )
    async with running(garbage) as process:
        with pytest.raises(SourceDied, match="from the terrain process"):
            await process.fetch(FAULTY_RX, 0, DEADLINE_S)
        assert decode_tile(await process.fetch(1, 0, DEADLINE_S)).rx == 1
        assert process.deaths == 1


async def test_who_dies_too_often_is_not_started_again(caplog: pytest.LogCaptureFixture) -> None:
    async with running(faulty("exit")) as process:
        for _ in range(MAX_DEATHS):
            with pytest.raises(SourceDied, match="status 3"):
                await process.fetch(FAULTY_RX, 0, DEADLINE_S)
        with pytest.raises(SourceDied, match="died too often"):
            await process.fetch(1, 0, DEADLINE_S)
        assert (process.retired, process.deaths, process.pid) == (True, MAX_DEATHS, 0)
    levels = [record.levelname for record in caplog.records if "status 3" in record.message]
    assert levels == ["WARNING"] * MAX_DEATHS
    assert "until restart" in caplog.text


async def test_who_is_killed_while_idle_is_replaced_before_anybody_asks() -> None:
    async with running(faulty("nothing")) as process:
        first = process.pid
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: process.pid not in (0, first))
        assert process.deaths == 1


async def test_a_region_waits_for_a_new_process_only_so_long() -> None:
    process = SourceProcess(("hang",), "child_sources:faulty", pauses_s=(60.0,), wait_s=0.1)
    async with running(process):
        os.kill(process.pid, signal.SIGKILL)
        await eventually(lambda: process.pid == 0)
        with pytest.raises(SourceDied, match=r"expected a terrain process within 0\.1 s"):
            await process.fetch(1, 0, DEADLINE_S)


UNUSABLE = {
    "unusable": (("no weights",), {}, "^no weights$"),
    "broken": ((), {}, "ended with status 1"),
    "slow": ((), {"ready_s": 0.5}, "was not ready"),
}


@pytest.mark.parametrize("factory", UNUSABLE)
async def test_a_process_that_does_not_get_ready_refuses_the_start(factory: str) -> None:
    arguments, options, told = UNUSABLE[factory]
    process = SourceProcess(arguments, f"child_sources:{factory}", **options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=told):
        await process.open()
    assert process.pid == 0


async def test_the_world_goes_on_while_the_process_hangs_and_health_tells_when_it_gave_up(
    tmp_path: Path,
) -> None:
    """Each hang takes a whole deadline; the ticks of that time are counted, and the regions are noise, marked."""
    with in_place_of_noise("hang"):
        async with live_world(tmp_path, worldgen={"worker": "process", "deadline_s": 0.6}) as live:
            player = await live.join()
            emerge, began, seq = live.world.emerge, time.monotonic(), live.world.shard._seq
            for rz in range(MAX_DEATHS):
                assert (await emerge.get(FAULTY_RX, rz)).source == "fallback"
            assert time.monotonic() - began > 0.6 * MAX_DEATHS
            # Twelve to a deadline; a loop that waited for the process would have one or two.
            assert live.world.shard._seq - seq > 4 * MAX_DEATHS
            await eventually(lambda: emerge.stats().source_retired)
            assert emerge.stats().abandoned == MAX_DEATHS
            assert (await emerge.get(1, 5)).source == "fallback"
            await player.ping()
            health = await told(live.port)
            assert '"the generator died too often: noise stands in until restart"' in health
    assert sum("hung at region (7," in text for text in live.warnings) == MAX_DEATHS


async def told(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    text = (await asyncio.wait_for(reader.read(), PATIENCE_S)).decode()
    writer.close()
    return text


async def test_a_crash_in_a_world_costs_one_region_which_is_marked(tmp_path: Path) -> None:
    with in_place_of_noise("kill"):
        async with live_world(tmp_path, worldgen={"worker": "process"}) as live:
            sources = [(await live.world.emerge.get(rx, 0)).source for rx in (5, FAULTY_RX, 9)]
    assert sources == ["faulty", "fallback", "faulty"]
    assert any("source faulty died at region (7, 0)" in text for text in live.warnings)


async def test_a_tile_of_another_region_is_refused_though_the_process_says_it_is_one(tmp_path: Path) -> None:
    with in_place_of_noise("elsewhere"):
        async with live_world(tmp_path, worldgen={"worker": "process"}) as live:
            assert (await live.world.emerge.get(FAULTY_RX, 0)).source == "fallback"
            assert live.world.emerge.stats().rejected == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_no_process_outlives_its_server(tmp_path: Path, number: int) -> None:
    async with served(tmp_path / "world", worldgen={"worker": "process"}) as world:
        await world.join()
        pid = child_of(world)
        assert is_there(pid)
        # As systemd does, which tells everybody.
        os.kill(pid, signal.SIGTERM)
        assert is_there(pid)
        world.process.send_signal(number)
        await world.ended()
        await eventually(lambda: not is_there(pid))
    assert "a new one starts" not in world.log.read_text()


HOLDS = """
import asyncio, sys
from worldloom.worldgen.process import SourceProcess

async def main():
    process = SourceProcess((sys.argv[1],), "child_sources:faulty")
    await process.open()
    asking = asyncio.create_task(process.fetch(7, 0, 600.0))
    await asyncio.sleep(0)
    print(process.pid, flush=True)
    await asking

asyncio.run(main())
"""


@pytest.mark.parametrize("fault", ["hang", "hold"])
async def test_a_process_at_work_does_not_outlive_a_server_that_was_killed(fault: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDS, fault), stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        assert server.stdout is not None
        pid = int(await asyncio.wait_for(server.stdout.readline(), PATIENCE_S))
        assert is_there(pid)
        # Past the point where it has taken the request: it computes, or sleeps, in the source.
        await eventually(lambda: fault == "hang" or cpu_ticks(pid) > 50)
    finally:
        server.kill()
        await server.wait()
    await eventually(lambda: not is_there(pid))


def cpu_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


async def test_the_log_says_where_the_land_comes_from_before_the_port_opens(tmp_path: Path) -> None:
    async with served(tmp_path / "world", worldgen={"worker": "process"}) as world:
        log = world.log.read_text()
    assert 0 < log.index("the terrain process is ready") < log.index("listening on")
