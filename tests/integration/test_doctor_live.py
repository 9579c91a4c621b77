"""The doctor beside a world that is running: whose it is, it is told by the world itself."""

import asyncio
import subprocess
from pathlib import Path

import msgspec
import pytest

from live_server import live_world, served
from worldloom.cli.doctor import check_port
from worldloom.cli.main import main
from worldloom.cli.verdict import Check, State


async def port_of(live: object, data: Path, **changes: object) -> Check:
    server = msgspec.structs.replace(live.world.config.server, port=live.port, **changes)  # type: ignore[attr-defined]
    return await asyncio.to_thread(check_port, server, data)


async def test_the_port_of_this_very_world_is_well(tmp_path: Path) -> None:
    async with live_world(tmp_path / "world") as live:
        check = await port_of(live, tmp_path / "world")
    assert (check.state, check.found) == (State.OK, f"127.0.0.1:{live.port}: the world is running")


async def test_the_port_of_another_world_fails_and_where_it_cannot_be_told_it_is_asked(
    tmp_path: Path,
) -> None:
    async with live_world(tmp_path / "world") as live, live_world(tmp_path / "other"):
        other = await port_of(live, tmp_path / "other")
        unknown = await port_of(live, tmp_path / "none")
    told = f"127.0.0.1:{live.port}: a world named 'Worldloom' is running"
    assert (other.state, other.found) == (State.FAIL, f"{told}, of another data folder")
    assert (unknown.state, unknown.found) == (State.WARN, told)


async def test_a_world_that_is_not_well_is_running_too(tmp_path: Path) -> None:
    async with live_world(tmp_path / "world") as live:
        live.world.enforcer.is_available = False
        assert (await port_of(live, tmp_path / "world")).state is State.OK


@pytest.mark.slow
async def test_the_doctor_finds_nothing_wrong_beside_a_running_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(tmp_path / "world") as world:
        words = ["doctor", "--data", str(world.data), "--host", "127.0.0.1", "--port", str(world.port)]
        assert await asyncio.to_thread(main, words) == 0
    assert f"127.0.0.1:{world.port}: the world is running" in capsys.readouterr().out


@pytest.mark.slow
async def test_over_tls_the_world_is_known_too(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    making = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -nodes -subj /CN=world.example"
    )
    await asyncio.to_thread(
        subprocess.run, [*making.split(), "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    async with live_world(tmp_path / "world", server={"tls_cert": str(cert), "tls_key": str(key)}) as live:
        assert (await port_of(live, tmp_path / "world")).state is State.OK
