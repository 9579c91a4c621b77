"""The port's limits: slow and silent clients, too much of anything, proxies, and stopping. Over real sockets."""

import asyncio
import hashlib
import json
import re
import shutil
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from raw_ws import (
    BINARY,
    LOOPS,
    PATIENCE_S,
    Harness,
    RawClient,
    close_frame,
    eventually,
    frame,
    on_both_loops,
    plain,
    request,
    running,
)
from worldloom.errors import ConfigError
from worldloom.gateway import serving
from worldloom.gateway.guard import GuardSettings
from worldloom.gateway.listening import Renewal
from worldloom.gateway.sockets import SocketSettings

QUICK = GuardSettings(body_timeout_s=0.2, response_timeout_s=0.4, refusal_linger_s=0.1)
ONE_S = 1.0


async def drips(client: RawClient, data: bytes) -> None:
    """Send the bytes one by one, over and over, until the server has had enough."""
    with suppress(ConnectionError):
        while not client.reader.at_eof():
            for byte in data:
                client.writer.write(bytes([byte]))
                await client.writer.drain()
                await asyncio.sleep(0.01)


async def seconds_until_closed(client: RawClient) -> float:
    began = time.monotonic()
    await client.ended()
    return time.monotonic() - began


SLOW = {
    "a silent connection": b"",
    "half a request line": b"GET /heal",
    "half the headers": b"GET /healthz HTTP/1.1\r\nHost: loc",
    "half a handshake": request()[:-10],
}


@on_both_loops(handshake_timeout_s=0.2)
@pytest.mark.parametrize("case", SLOW)
async def test_who_does_not_finish_the_headers_is_closed_in_time(world: Harness, case: str) -> None:
    client = await world.connect()
    await client.send(SLOW[case])
    assert 0.1 < await seconds_until_closed(client) < ONE_S


@on_both_loops(handshake_timeout_s=0.2)
@pytest.mark.slow
@pytest.mark.parametrize(
    "drip", [b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 500, b"\r\n"], ids=["headers", "newlines"]
)
async def test_dripping_does_not_buy_time(world: Harness, drip: bytes) -> None:
    client = await world.connect()
    dripping = asyncio.create_task(drips(client, drip))
    assert await seconds_until_closed(client) < ONE_S
    dripping.cancel()


@on_both_loops(handshake_timeout_s=0.2)
@pytest.mark.slow
async def test_later_requests_of_a_connection_are_held_to_the_same_time(world: Harness) -> None:
    client = await world.connect()
    await client.send(plain())
    assert (await client.response())[0] == 200
    dripping = asyncio.create_task(drips(client, b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 500))
    assert await seconds_until_closed(client) < ONE_S
    dripping.cancel()


@on_both_loops(guard=QUICK)
async def test_a_body_that_does_not_come_is_answered_408_or_dropped(world: Harness) -> None:
    client = await world.connect()
    await client.send(plain("/nowhere", "POST", Content_Length="100") + b"half")
    assert await seconds_until_closed(client) < ONE_S


@on_both_loops(guard=QUICK)
async def test_a_response_that_is_not_read_is_dropped(world: Harness) -> None:
    data = b"x" * 8_000_000
    world.content["0" * 64] = ("application/octet-stream", data)
    client = await world.connect()
    client.writer.transport.pause_reading()
    await client.send(plain("/content/" + "0" * 64))
    await eventually(lambda: world.server.connections == 1)


@on_both_loops(sockets=SocketSettings(late_close_s=0.1))
@pytest.mark.slow
async def test_who_is_late_and_does_not_answer_the_closing_is_soon_gone(world: Harness) -> None:
    silent = await world.upgraded()
    world.peers[-1].socket.deadline(0.1)
    began = time.monotonic()
    assert await silent.close_code() == 1008
    await asyncio.wait_for(world.peers[-1].closed.wait(), PATIENCE_S)
    assert time.monotonic() - began < 2.5


def test_who_never_says_hello_is_gone_within_two_seconds_of_the_deadline() -> None:
    assert SocketSettings().late_close_s + 2 * serving._SWEEP_S < 2


TOO_MUCH = {
    "a body announced too big": (plain("/x", "POST", Content_Length="65537"), 413),
    "a body that grows too big": (
        plain("/x", "POST", Transfer_Encoding="chunked") + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3,
        413,
    ),
    "a header without end": (b"GET / HTTP/1.1\r\nX-A: " + b"x" * 70_000, 431),
    "a path without end": (b"GET /" + b"x" * 70_000, 431),
    "many headers": (plain("/", **{f"X-{i}": "y" * 50 for i in range(400)}), 431),
    "tunnels": (b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400),
    "a negative length": (plain("/x", "POST", Content_Length="-1"), 400),
    "two lengths": (
        plain("/x", "POST", Content_Length="1").replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n"),
        400,
    ),
    "length and chunks": (plain("/x", "POST", Content_Length="1", Transfer_Encoding="chunked"), 400),
    "a newline in a header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x00c\r\n\r\n", 400),
}


@on_both_loops(guard=QUICK)
@pytest.mark.parametrize("case", TOO_MUCH)
async def test_too_much_is_refused(world: Harness, case: str) -> None:
    data, status = TOO_MUCH[case]
    client = await world.connect()
    await client.send(data)
    assert (await client.response())[0] == status
    await client.ended()


@on_both_loops(guard=QUICK)
async def test_a_few_requests_at_once_are_answered_in_order(world: Harness) -> None:
    client = await world.connect()
    await client.send(plain("/healthz") + plain("/nowhere") + plain("/metrics"))
    assert [(await client.response())[0] for _ in range(3)] == [200, 404, 200]


@on_both_loops(guard=QUICK)
async def test_many_requests_at_once_are_refused(world: Harness) -> None:
    client = await world.connect()
    await client.send(plain() * 500)
    assert b"429" in await asyncio.wait_for(client.reader.read(), PATIENCE_S)


@on_both_loops(guard=QUICK)
async def test_an_upgrade_to_something_else_is_answered_as_a_request_and_the_last(world: Harness) -> None:
    client = await world.connect()
    await client.send(plain("/healthz", Upgrade="h2c", Connection="Upgrade") + b"PRI * HTTP/2.0\r\n\r\n")
    assert (await client.response())[0] == 200
    await client.ended()


@on_both_loops(guard=QUICK, max_connections=3)
async def test_connections_over_the_total_are_refused_503_until_one_leaves(world: Harness) -> None:
    first, _ = await world.upgraded(), await world.upgraded()
    refused = await world.connect()
    status, headers, _ = await refused.response()
    assert (status, headers["retry-after"]) == (503, "5")
    await refused.ended()
    first.drop()
    await eventually(lambda: world.server.connections == 2)
    assert await (await world.upgraded()).echoes()


@on_both_loops(guard=QUICK, connections_per_address=2)
async def test_connections_over_an_addresss_share_are_refused_429(world: Harness) -> None:
    mine = await world.upgraded()
    refused = await world.connect()
    assert (await refused.response())[0] == 429
    await refused.ended()
    mine.drop()
    await eventually(lambda: world.server.connections == 1)
    assert await (await world.upgraded()).echoes()


@on_both_loops(guard=QUICK)
async def test_the_count_returns_to_what_it_was(world: Harness) -> None:
    before = world.server.connections
    clients = [await world.upgraded() for _ in range(5)] + [await world.connect() for _ in range(5)]
    await clients[7].send(plain())
    await clients[8].send(b"nonsense\r\n\r\n")
    assert world.server.connections == before + 10
    for client in clients:
        client.drop()
    await eventually(lambda: world.server.connections == before)
    assert world.server.sockets == 1


@on_both_loops(guard=QUICK, connections_per_address=2, trusted_proxies=("127.0.0.0/8",))
async def test_behind_a_proxy_addresses_are_those_of_its_clients(world: Harness) -> None:
    for _ in range(2):
        await world.upgraded(X_Forwarded_For="1.2.3.4, 203.0.113.9")
    assert world.peers[-1].socket.address == "203.0.113.9"
    refused = await world.connect()
    await refused.send(request(X_Forwarded_For="203.0.113.9"))
    assert (await refused.response())[0] == 429
    assert await (await world.upgraded(X_Forwarded_For="203.0.113.10")).echoes()


@on_both_loops()
async def test_without_a_proxy_nobody_chooses_an_address(world: Harness) -> None:
    await world.upgraded(X_Forwarded_For="203.0.113.9")
    assert world.peers[-1].socket.address == "127.0.0.1"


@on_both_loops(requests_per_s=1.0)
async def test_requests_over_the_rate_are_refused_429_with_a_time(world: Harness) -> None:
    answers = [await world.get("/metrics") for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 429, 429]
    _, headers, body = answers[-1]
    assert headers["retry-after"] == "1"
    assert headers["x-content-type-options"] == "nosniff"
    assert json.loads(body)["error"] == "rate"


# Routes.


@on_both_loops()
@pytest.mark.parametrize("path", ["/", "/@1,2", "/healthz", "/metrics", "/content/" + "0" * 64])
async def test_head_is_answered_as_get_without_a_body(world: Harness, path: str) -> None:
    world.content["0" * 64] = ("text/plain", b"hills")
    got_status, got_headers, body = await world.get(path)
    client = await world.connect()
    await client.send(plain(path, "HEAD", Connection="close"))
    head = (await asyncio.wait_for(client.reader.read(), PATIENCE_S)).decode("latin-1")
    assert got_status == 200
    assert body
    assert head.startswith("HTTP/1.1 200 ")
    assert head.endswith("\r\n\r\n")
    assert f"content-length: {got_headers['content-length']}\r\n" in head


@on_both_loops()
async def test_content_is_served_by_hash_for_ever(world: Harness) -> None:
    data = b"hills"
    sha256 = hashlib.sha256(data).hexdigest()
    world.content[sha256] = ("application/x-tile", data)
    status, headers, body = await world.get(f"/content/{sha256}")
    assert (status, body, headers["content-type"]) == (200, data, "application/x-tile")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["etag"] == f'"{sha256}"'
    assert headers["x-content-type-options"] == "nosniff"
    del world.content[sha256]
    assert (await world.get(f"/content/{sha256}"))[2] == data
    status, _, body = await world.get(f"/content/{sha256}", If_None_Match=f'W/"{sha256}"')
    assert (status, body) == (304, b"")


BAD_CONTENT = {
    "unknown": ("0" * 64, 404, "not_found"),
    "too short": ("0" * 63, 400, "bad_hash"),
    "upper case": ("A" * 64, 400, "bad_hash"),
    "no hash": ("..%2fetc", 404, "not_found"),
    "a newline": ("0" * 64 + "%0a", 400, "bad_hash"),
}


@on_both_loops()
@pytest.mark.parametrize("case", BAD_CONTENT)
async def test_what_is_no_content_is_said_so_in_json(world: Harness, case: str) -> None:
    name, status, error = BAD_CONTENT[case]
    got, headers, body = await world.get(f"/content/{name}")
    assert (got, json.loads(body)["error"]) == (status, error)
    assert headers["cache-control"] == "no-store"


@on_both_loops()
async def test_health_is_503_when_something_is_wrong(world: Harness) -> None:
    assert (await world.get("/healthz"))[0] == 200
    for _ in range(3):
        await world.upgraded()
    status, _, body = await world.get("/healthz")
    assert (status, json.loads(body)) == (503, {"ok": False})


@on_both_loops()
async def test_the_page_says_where_one_is_and_loads_nothing_from_elsewhere(world: Harness) -> None:
    status, headers, body = await world.get("/", Host="hills.example:8420")
    page = body.decode()
    assert status == 200
    assert "Test &lt;world&gt;" in page
    assert "ws://hills.example:8420/ws" in page
    assert "One is here" in page
    assert not re.search(r"(?:src|href)=.(?:https?:)?//", page)
    assert "default-src 'none'" in headers["content-security-policy"]


@on_both_loops()
async def test_there_is_an_interface_description_but_no_page_from_elsewhere(world: Harness) -> None:
    assert [(await world.get(path))[0] for path in ("/openapi.json", "/docs", "/redoc")] == [200, 404, 404]


@on_both_loops()
async def test_the_hosts_name_cannot_smuggle_markup_into_the_page(world: Harness) -> None:
    _, _, body = await world.get("/", Host='"><script>alert(1)</script>')
    assert b"<script>alert" not in body


# Starting and stopping.


@on_both_loops()
async def test_a_port_that_is_taken_is_an_error_and_not_an_exit(world: Harness) -> None:
    with pytest.raises(OSError, match="in use"):
        async with running(port=world.port):
            pass


async def test_stopping_tells_the_sockets_1012_and_lets_nobody_in() -> None:
    async with running() as world:
        client, idle = await world.upgraded(), await world.connect()
        await idle.send(plain())
        await idle.response()
        stopping = asyncio.create_task(world.server.stop(PATIENCE_S))
        assert await client.close_code() == 1012
        await client.send(close_frame(1012))
        await client.ended()
        client.drop()
        await idle.ended()
        await stopping
        assert world.server.connections == 0
        assert world.peers[0].closed_with == [1012]
        with pytest.raises(ConnectionRefusedError):
            await world.connect()


async def test_stopping_does_not_wait_for_who_never_answers() -> None:
    async with running() as world:
        silent = await world.upgraded()
        began = time.monotonic()
        await world.server.stop(0.1)
        assert time.monotonic() - began < ONE_S
        assert await silent.close_code() == 1012
        await asyncio.wait_for(world.peers[0].closed.wait(), PATIENCE_S)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("loop", LOOPS)
def test_the_same_over_tls(certificate: tuple[Path, Path], loop: str) -> None:
    cert, key = certificate

    async def play() -> None:
        async with running(tls_cert=str(cert), tls_key=str(key)) as world:
            trust = ssl.create_default_context(cafile=str(cert))
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", world.port, ssl=trust, server_hostname="localhost"
            )
            client = RawClient(reader, writer)
            await client.send(request())
            assert (await client.response())[0] == 101
            assert await client.echoes(b"x" * 4000)
            await client.send(b"".join(frame(BINARY, b"%d" % i) for i in range(60)))
            assert [await client.message() for _ in range(60)] == [b"%d" % i for i in range(60)]
            await client.send(frame(3))
            assert await client.close_code() == 1002
            client.drop()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(play())


def _certificate(folder: Path) -> tuple[Path, Path]:
    openssl = shutil.which("openssl") or pytest.skip("needs openssl to make a certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([openssl, *options.split(), *names], check=True, capture_output=True)
    return cert, key


async def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(tmp_path: Path) -> None:
    cert, key = _certificate(tmp_path)
    first = ssl.PEM_cert_to_DER_cert(cert.read_text())
    async with running(tls_cert=str(cert), tls_key=str(key)) as world:
        renewal = Renewal(world.server._listening._tls, str(cert), str(key))

        async def shown() -> bytes:
            trust = ssl.create_default_context()
            trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
            _, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=trust)
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.transport.abort()
            return shown

        assert (renewal.look(), await shown()) == (False, first)
        _certificate(tmp_path)
        second = ssl.PEM_cert_to_DER_cert(cert.read_text())
        assert (renewal.look(), await shown()) == (True, second)
        good = key.read_text()
        key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        with pytest.raises(ConfigError, match=r"server\.tls_key"):
            renewal.look()
        assert await shown() == second != first
        assert renewal.validity is not None
        left_s = renewal.validity.not_after_s - time.time()
        assert 86_400 < left_s < 3 * 86_400
        soon, refused = renewal.warnings(time.time())
        assert ("days from now" in soon, "was refused" in refused, str(key) in refused) == (True, True, False)
        key.write_text(good)
        assert renewal.look() is True
        assert len(renewal.warnings(time.time())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_under_tls_silent_connections_count_and_leave_in_time(
    certificate: tuple[Path, Path], loop: str
) -> None:
    cert, key = certificate
    limits = {"connections_per_address": 3, "handshake_timeout_s": 0.5}

    async def play() -> None:
        async with running(tls_cert=str(cert), tls_key=str(key), **limits) as world:
            silent = [await world.connect() for _ in range(3)]
            await eventually(lambda: world.server.connections == 3)
            await (await world.connect()).ended()
            assert world.server.connections == 3
            for client in silent:
                await client.ended()
            await eventually(lambda: world.server.connections == 0)
            trust = ssl.create_default_context(cafile=str(cert))
            streams = await asyncio.open_connection(
                "127.0.0.1", world.port, ssl=trust, server_hostname="localhost"
            )
            client = RawClient(*streams)
            await client.send(request())
            assert (await client.response())[0] == 101
            assert world.server.connections == 1
            client.drop()
            await eventually(lambda: world.server.connections == 0)
            await (await world.connect()).send(b"no TLS at all\r\n")
            await eventually(lambda: world.server.connections == 0)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(play())


async def test_stopping_ends_tls_handshakes_that_go_nowhere(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    async with running(tls_cert=str(cert), tls_key=str(key)) as world:
        silent = await world.connect()
        await eventually(lambda: world.server.connections == 1)
        began = time.monotonic()
        await world.server.stop(PATIENCE_S)
        await silent.ended()
        assert time.monotonic() - began < ONE_S
        assert world.server.connections == 0


@pytest.mark.parametrize(("trusted", "scheme"), [(("127.0.0.1",), "wss"), ((), "ws")])
async def test_the_page_names_wss_behind_a_trusted_tls_proxy_alone(
    trusted: tuple[str, ...], scheme: str
) -> None:
    async with running(trusted_proxies=trusted) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: world.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 192.0.2.1\r\n"
            b"Connection: close\r\n\r\n"
        )
        page = (await reader.read()).decode()
        writer.close()
        assert f"{scheme}://world.example/ws" in page
