"""A world behind nginx and behind Caddy, with the files of ``deploy/``: who comes, whence, and what stays inside."""

import asyncio
import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from live_server import PATIENCE_S, SEED, SPAWN_M, Player, live_world, served
from raw_ws import eventually, plain, request
from worldloom_sdk import Client
from worldloom_sdk.protocol import messages as m

pytestmark = pytest.mark.slow

DEPLOY = Path(__file__).parents[2] / "deploy"
PROXIES = ["nginx", "caddy"]
BELIEVED = {"trusted_proxies": ("127.0.0.1",), "connections_per_address": 3}
"""What the operator sets behind a proxy, and a limit that is soon reached. Clients come from 127.0.0.2 and on."""


@dataclass(frozen=True)
class Front:
    """A proxy that runs."""

    port: int
    trust: ssl.SSLContext

    async def connect(self, address: str = "127.0.0.2") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TLS connection from an address of this machine."""
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.trust, server_hostname="localhost", local_addr=(address, 0)
        )

    async def dial(self, address: str = "127.0.0.2", **headers: str) -> Player:
        """A handshake from an address, and its answer."""
        _, player = await asyncio.get_running_loop().create_connection(
            Player,
            "127.0.0.1",
            self.port,
            ssl=self.trust,
            server_hostname="localhost",
            local_addr=(address, 0),
        )
        player.transport.write(request(Host=f"localhost:{self.port}", **headers))
        await eventually(lambda: bool(player.response))
        return player

    async def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        reader, writer = await self.connect()
        writer.write(plain(path, Host=f"localhost:{self.port}", Connection="close"))
        async with asyncio.timeout(PATIENCE_S):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(status.split()[1]), headers, body


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl") or pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([openssl, *options.split(), *names], check=True, capture_output=True)
    return cert, key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def moved(text: str, places: dict[str, str]) -> str:
    """A file of ``deploy/`` with the places of this test; each must be in it."""
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx_command(folder: Path, world: int, port: int, cert: Path, key: Path) -> list[str]:
    text = re.sub(r" *listen \[::\].*\n", "", (DEPLOY / "nginx.conf").read_text())
    places = {
        "user www-data;": "user root;",
        "/run/nginx.pid": f"{folder}/pid",
        "/var/log/nginx/error.log": f"{folder}/error.log",
        "/var/cache/nginx-worldloom": f"{folder}/cache",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8420": f"127.0.0.1:{world}",
        "/etc/letsencrypt/live/world.example/fullchain.pem": str(cert),
        "/etc/letsencrypt/live/world.example/privkey.pem": str(key),
    }
    (folder / "nginx.conf").write_text(moved(text, places))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]


def caddy_command(folder: Path, world: int, port: int, cert: Path, key: Path) -> list[str]:
    own = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n"
    places = {
        "world.example {": f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {cert} {key}",
        "127.0.0.1:8420": f"127.0.0.1:{world}",
    }
    (folder / "Caddyfile").write_text(own + moved((DEPLOY / "Caddyfile").read_text(), places))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


COMMANDS = {"nginx": nginx_command, "caddy": caddy_command}


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def started(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    home = {"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, env=home, stdout=log, stderr=log)


@asynccontextmanager
async def front(name: str, world: int, folder: Path, certificate: tuple[Path, Path]) -> AsyncIterator[Front]:
    """Run a proxy before a world until the block ends."""
    shutil.which(name) or pytest.skip(f"needs {name}")
    folder.mkdir()
    port = free_port()
    command = COMMANDS[name](folder, world, port, *certificate)
    process = started(command, folder)
    try:
        await eventually(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield Front(port, ssl.create_default_context(cafile=str(certificate[0])))
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, PATIENCE_S)


@pytest.mark.parametrize("name", PROXIES)
async def test_people_have_their_own_addresses_behind_a_proxy_and_limits_count_by_them(
    name: str, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    async with (
        live_world(tmp_path / "data", server=BELIEVED) as live,
        front(name, live.port, tmp_path / name, certificate) as proxy,
    ):
        household = [await proxy.dial("127.0.0.2") for _ in range(3)]
        neighbour = await proxy.dial("127.0.0.3", X_Forwarded_For="127.0.0.2")
        one_too_many = await proxy.dial("127.0.0.2", X_Forwarded_For="127.0.0.9")
        assert b" 429 " in one_too_many.response
        for player in [*household, neighbour]:
            await player.hello()
        homes = [live.world.gateway.roster.find(player.you).home for player in [household[0], neighbour]]
        assert [home.key for home in homes] == ["127.0.0.2", "127.0.0.3"]
        household[0].move(SPAWN_M + 1.0, SPAWN_M)
        await neighbour.sees_at(household[0].you, SPAWN_M + 1.0, SPAWN_M)
        for player in [*household, neighbour, one_too_many]:
            player.transport.abort()


@pytest.mark.parametrize("name", PROXIES)
async def test_who_loses_the_connection_behind_a_proxy_resumes(
    name: str, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    async with (
        live_world(tmp_path / "data", server=BELIEVED) as live,
        front(name, live.port, tmp_path / name, certificate) as proxy,
    ):
        before = await proxy.dial()
        welcome = await before.hello("Ada")
        before.transport.abort()
        after = await proxy.dial()
        resumed = await after.hello(resume=welcome.resume)
        assert (resumed.you, resumed.name, resumed.resumed) == (welcome.you, "Ada", True)
        after.transport.abort()


@pytest.mark.parametrize("name", PROXIES)
async def test_numbers_stay_inside_and_health_is_told_in_short(
    name: str, tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    async with (
        live_world(tmp_path / "data", server=BELIEVED) as live,
        front(name, live.port, tmp_path / name, certificate) as proxy,
    ):
        assert (await proxy.get("/metrics"))[0] == 404
        assert b"tick_seconds" not in (await proxy.get("//metrics"))[2]
        status, headers, body = await proxy.get("/healthz")
        assert status == 200
        assert "emerge" not in json.loads(body)
        assert headers["strict-transport-security"] == "max-age=31536000"


async def test_nginx_keeps_land_and_serves_it_while_the_world_is_away(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    async with live_world(tmp_path / "data", server=BELIEVED) as live:
        async with front("nginx", live.port, tmp_path / "nginx", certificate) as proxy:
            player = await proxy.dial()
            await player.hello()
            region = await player.next(m.Region, lambda region: bool(region.sha256))
            path = f"/content/{region.sha256}"
            first = await proxy.get(path)
            await live.stop()
            kept = await proxy.get(path)
            assert (await proxy.get("/healthz"))[0] == 502
        assert (first[0], kept[0]) == (200, 200)
        assert first[2] == kept[2]
        assert "immutable" in kept[1]["cache-control"]


@pytest.mark.parametrize("name", PROXIES)
async def test_a_client_comes_back_by_itself_when_the_world_behind_a_proxy_starts_anew(
    name: str, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    data = tmp_path / "data"
    settings = {"world": {"seed": SEED}, "server": {"trusted_proxies": "127.0.0.1"}}
    async with (
        served(data, **settings) as world,
        front(name, world.port, tmp_path / name, certificate) as proxy,
        Client(f"https://localhost:{proxy.port}", name="Ada", token_file=tmp_path / "token") as client,
    ):
        me = client.me.id
        world.kill()
        await eventually(lambda: not client.in_world)
        settings["server"]["port"] = str(world.port)
        async with served(data, **settings):
            await eventually(lambda: client.in_world)
            assert client.me.id == me
