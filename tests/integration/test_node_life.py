"""A node from start to stop: what makes it refuse to start, what it leaves then, what it logs, when it is well."""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import msgspec
import pytest

from live_server import configured, live_world, served
from worldloom.app import insight, node
from worldloom.app.insight import Pulse, health
from worldloom.app.supervise import Supervisor
from worldloom.app.telemetry import Telemetry
from worldloom.errors import WorldloomError
from worldloom.gateway.listening import Renewal


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two certificates and their keys: a.pem, a.key, b.pem, b.key; and text.pem, which is none."""
    openssl = shutil.which("openssl") or pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=localhost"
    for name in ("a", "b"):
        files = ["-nodes", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"]
        subprocess.run([openssl, *options.split(), *files], check=True, capture_output=True)
    files = ["-passout", "pass:word", "-keyout", f"{folder}/locked.key", "-out", f"{folder}/locked.pem"]
    subprocess.run([openssl, *options.split(), *files], check=True, capture_output=True)
    (folder / "text.pem").write_text("hello\n")
    shutil.copy(folder / "a.key", folder / "open.key")
    (folder / "text.pem").chmod(0o600)
    (folder / "open.key").chmod(0o644)
    return folder


BAD_TLS = {
    "no certificate": ("none.pem", "a.key", r"server\.tls_cert: .*none\.pem: No such file"),
    "no key": ("a.pem", "none.key", r"none\.key: expected a readable file; got: No such file"),
    "a certificate that is text": ("text.pem", "a.key", r"server\.tls_cert: .*certificate; got .*text\.pem"),
    "a key that is text": ("a.pem", "text.pem", r"server\.tls_key: .*private key; got .*text\.pem"),
    "the key of another": ("a.pem", "b.key", r"b\.key, which is the key of another one than .*a\.pem"),
    "a key with a password": ("locked.pem", "locked.key", r"locked\.key: a key without a password is needed"),
    "a key that others can read": ("a.pem", "open.key", r"open\.key: expected mode 0600.*chmod 600"),
}


async def refused(data: Path, **sections: dict[str, object]) -> str:
    """Start a node that must not start; why it did not, and that it left nothing."""
    with pytest.raises(WorldloomError) as caught:
        await node.serve(configured(data, sections), ready=lambda url: None)
    assert not data.exists()
    return str(caught.value)


@pytest.mark.parametrize("case", BAD_TLS)
async def test_tls_files_that_are_wrong_are_named_and_nothing_is_left(
    tls: Path, tmp_path: Path, case: str
) -> None:
    cert, key, told = BAD_TLS[case]
    files = {"tls_cert": str(tls / cert), "tls_key": str(tls / key)}
    assert re.search(told, await refused(tmp_path / "world", server=files))


async def test_a_port_that_is_taken_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = await refused(tmp_path / "world", server={"port": port})
    assert f"expected to listen on 127.0.0.1:{port}, got: Address already in use" in text


async def test_a_brokers_password_that_is_not_there_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    config = configured(tmp_path / "world", {})
    mqtt = msgspec.structs.replace(config.mqtt, enabled=True, password_file=str(tmp_path / "none"))
    with pytest.raises(WorldloomError, match="none: expected a readable file"):
        await node.serve(msgspec.structs.replace(config, mqtt=mqtt), ready=lambda url: None)
    assert not (tmp_path / "world").exists()


@pytest.mark.slow
async def test_the_log_tells_a_servers_life(tmp_path: Path) -> None:
    async with served(tmp_path / "world") as world:
        await world.join("Ada")
        world.interrupt()
        assert await world.ended() == 0
    life = [line.partition("  ")[2] for line in world.log.read_text().splitlines()]
    told = [
        r"alembic\.runtime\.migration  Running upgrade ",
        r"worldloom\.app\.node  opening world Worldloom  data=.*world  database=sqlite .*world\.db  seed=7",
        rf"worldloom\.app\.node  listening on http://127\.0\.0\.1:{world.port}",
        r"worldloom\.app\.node  stopping  people=1",
        r"worldloom\.app\.node  places saved",
        r"worldloom\.app\.node  stopped",
    ]
    found = [next(at for at, line in enumerate(life) if re.search(text, line)) for text in told]
    assert found == sorted(found)


def test_a_databases_password_is_not_logged() -> None:
    url = "postgresql+psycopg://ada:secret@db.example:5432/hills"
    assert node._database(url) == "postgresql db.example/hills"


@pytest.mark.slow
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_ends_at_once_whichever_it_is(tmp_path: Path, second: signal.Signals) -> None:
    async with served(tmp_path / "world") as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        world.interrupt()
        await wait_for_text(world.log, "stopping")
        world.process.send_signal(second)
        assert await world.ended(2.0) == -second
        writer.close()
        del reader


async def wait_for_text(path: Path, text: str) -> None:
    async with asyncio.timeout(5):
        while text not in path.read_text():  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.01)


async def test_health_tells_of_a_world_that_does_not_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_world(tmp_path / "world") as live:
        now, telemetry, supervisor = [0.0], Telemetry(), Supervisor()
        pulse = Pulse(live.world, telemetry, now=lambda: now[0])

        def problems() -> list[str]:
            stats = live.world.store.stats()
            told = health(live.world, telemetry, pulse, supervisor, None, stats, Renewal(None, "", ""), False)
            assert told["ok"] is not bool(told["problems"])
            return told["problems"]

        def broken(_tick: int) -> None:
            raise RuntimeError("broken")

        now[0] = insight.STILL_S
        assert problems() == []
        with monkeypatch.context() as patched:
            patched.setattr(insight._log, "disabled", True)
            patched.setattr(live.world, "tick", broken)
            now[0] = 3.0
            pulse.beat(1, 0.0)
        assert problems() == ["no tick went well for 3 s; 1 failed since start"]
        pulse.beat(2, 0.0)
        assert problems() == []
        assert pulse.failed == 1


async def test_failed_and_missed_ticks_and_restarts_can_be_scraped(tmp_path: Path) -> None:
    async with live_world(tmp_path / "world") as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
    assert "worldloom_ticks_failed_total 0.0" in text
    assert "# TYPE worldloom_ticks_missed_total counter" in text
    assert "# TYPE worldloom_task_restarts_total counter" in text


async def test_the_page_counts_who_is_connected(tmp_path: Path) -> None:
    async with live_world(tmp_path / "world") as live:
        ada, bob = await live.join("Ada"), await live.join("Bob")
        assert live.world.gateway.roster.live == 2
        await ada.drop()
        await bob.until(lambda: live.world.gateway.roster.live == 1)
        assert len(live.world.gateway.roster) == 2
