"""The doctor beside a world that is running: whose it is, it is told by the world itself."""

import asyncio
import json
import subprocess
from pathlib import Path

import msgspec
import pytest

from live_server import Live, live_world, served
from worldloom.cli.main import main
from worldloom.cli.port import check_port
from worldloom.cli.verdict import Check, State
from worldloom.worldgen.making import MAX_ABANDONED


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


async def test_what_a_running_world_warns_of_is_taken_over(tmp_path: Path) -> None:
    async with live_world(tmp_path / "world") as live:
        live.world.emerge._making._worker.abandoned = MAX_ABANDONED
        check = await port_of(live, tmp_path / "world")
    told = "the world is running; the generator hung too often: noise stands in until restart"
    assert (check.state, check.found) == (State.WARN, f"127.0.0.1:{live.port}: {told}")


async def status_of(live: Live, data: Path, *words: str) -> int:
    where = settings_of(live, data)
    return await asyncio.to_thread(main, ["status", "--config", str(where), *words])


def settings_of(live: Live, data: Path) -> Path:
    """A file with the settings of where a world listens and of some data folder."""
    path = data.with_suffix(".toml")
    path.write_text(f'[server]\nhost = "127.0.0.1"\nport = {live.port}\ndata = "{data}"\n')
    return path


async def test_status_names_the_world_and_what_it_warns_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    warning = "the generator hung too often: noise stands in until restart"
    async with live_world(tmp_path / "world") as live:
        live.world.emerge._making._worker.abandoned = MAX_ABANDONED
        assert await status_of(live, tmp_path / "world", "--once") == 0
        shown = capsys.readouterr().out
        assert await status_of(live, tmp_path / "world", "--json") == 0
        told = json.loads(capsys.readouterr().out)
    assert shown.startswith(f"Worldloom at http://127.0.0.1:{live.port}: ok")
    assert f"warning: {warning}" in shown
    assert (told["world"], told["warnings"]) == ("Worldloom", [warning])


async def test_status_does_not_show_another_world_as_the_one_of_the_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worldloom.cli.status.EVERY_S", 0.01)
    async with live_world(tmp_path / "world") as live, live_world(tmp_path / "other"):
        assert await status_of(live, tmp_path / "other", "--once") == 1
        out, err = capsys.readouterr()
        assert await status_of(live, tmp_path / "world", "--once", "--data", str(tmp_path / "none")) == 0
        doubt = capsys.readouterr().err
    assert (out, "another world answers on that port, 'Worldloom'" in err) == ("", True)
    assert f"is the world of {tmp_path / 'none'} cannot be told" in doubt


@pytest.mark.slow
async def test_the_doctor_finds_nothing_wrong_beside_a_running_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(tmp_path / "world") as world:
        words = ["doctor", "--data", str(world.data), "--host", "127.0.0.1", "--port", str(world.port)]
        assert await asyncio.to_thread(main, words) == 0
    out = capsys.readouterr().out
    assert f"127.0.0.1:{world.port}: the world is running" in out
    assert out.endswith("\nWell: the world is running\n")


@pytest.mark.slow
async def test_over_tls_the_world_is_known_too(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 90 -nodes -subj /CN=world.example"
    await asyncio.to_thread(
        subprocess.run, [*making.split(), "-keyout", key, "-out", cert], check=True, capture_output=True
    )
    async with live_world(tmp_path / "world", server={"tls_cert": str(cert), "tls_key": str(key)}) as live:
        assert (await port_of(live, tmp_path / "world")).state is State.OK
