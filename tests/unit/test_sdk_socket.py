"""The SDK over real sockets: a WebSocket and HTTP server on one port of this machine."""

import asyncio
import signal
import sys

import pytest
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed as SocketClosed
from websockets.http11 import Response

from sdk_peer import LIMITS
from worldloom_sdk.address import parse_address
from worldloom_sdk.client import Client
from worldloom_sdk.errors import ConnectionClosed, ContentError, Disconnected
from worldloom_sdk.events import Resumed, Whispered
from worldloom_sdk.protocol import messages as m
from worldloom_sdk.protocol.codec import decode_client, encode
from worldloom_sdk.transport import MAX_CONTENT_BYTES, dial_socket


class Server:
    """Greets, answers commands with Done, keeps what it heard."""

    def __init__(self):
        self.heard = []
        self.sockets = []
        self.left = asyncio.Event()
        self.joined = asyncio.Event()
        self.content = {"/content/a": b"bytes", "/content/big": bytes(MAX_CONTENT_BYTES + 1)}

    async def talk(self, socket):
        self.sockets.append(socket)
        try:
            async for data in socket:
                message = decode_client(data)
                self.heard.append(message)
                await self._answer(socket, message)
        except SocketClosed:
            return

    async def _answer(self, socket, message):
        match message:
            case m.Hello(resume=resume):
                welcome = m.Welcome(
                    1, 7, "Ada", "Test", "w1", 0, 0, 0, 0, 0, "r" * 16, LIMITS, None, resume is not None
                )
                await socket.send(encode(welcome))
            case m.Ping(client_ms=client_ms):
                await socket.send(encode(m.Pong(client_ms, 0)))
                self.joined.set()  # it has heard Welcome
            case m.Say() | m.Whisper():
                await socket.send(encode(m.Done(message.id)))
            case m.Leave():
                self.left.set()

    def get(self, connection, request):
        if request.path == "/ws":
            return None
        body = self.content.get(request.path)
        status = (404, "Not Found") if body is None else (200, "OK")
        body = body or b""
        return Response(*status, Headers({"Content-Length": str(len(body)), "Connection": "close"}), body)


@pytest.fixture
async def server():
    server = Server()
    async with serve(server.talk, "127.0.0.1", 0, process_request=server.get) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        server.url = f"127.0.0.1:{server.port}"
        yield server


async def test_a_client_joins_talks_and_leaves_over_a_real_socket(server):
    async with Client(server.url, name="Ada") as client:
        await client.say("Hello")
        assert server.sockets[0].protocol.extensions == []
        waiting = asyncio.ensure_future(client.wait_for(Whispered))
        await asyncio.sleep(0)
        await server.sockets[0].send(encode(m.Whispered(8, "Bo", "psst")))
        assert (await waiting).text == "psst"
    await server.left.wait()
    assert [type(message) for message in server.heard if not isinstance(message, m.Ping)] == [
        m.Hello, m.Say, m.Leave,
    ]  # fmt: skip


async def test_a_client_resumes_after_the_socket_was_torn(server):
    async with Client(server.url, name="Ada") as client:
        resumed = asyncio.ensure_future(client.wait_for(Resumed))
        await asyncio.sleep(0)
        server.sockets[0].transport.abort()
        await resumed
        assert client.in_world


async def test_content_comes_by_http_from_the_same_port_and_its_size_is_bounded(server):
    transport = await dial_socket(parse_address(server.url))
    assert await transport.get("/content/a") == b"bytes"
    with pytest.raises(ContentError, match="404"):
        await transport.get("/content/none")
    with pytest.raises(ContentError, match="at most"):
        await transport.get("/content/big")
    await transport.close()
    with pytest.raises(ConnectionClosed):
        await transport.send(b"too late")


async def test_the_close_code_of_the_server_reaches_the_client(server):
    transport = await dial_socket(parse_address(server.url))
    await transport.send(encode(m.Hello(1)))
    await transport.recv()
    await server.sockets[0].close(4001, "elsewhere")
    with pytest.raises(ConnectionClosed) as closed:
        await transport.recv()
    assert (closed.value.code, closed.value.reason) == (4001, "elsewhere")


async def test_somebody_who_is_no_world_is_an_error_that_says_where(server):
    with pytest.raises(Disconnected, match=f"{server.port}/elsewhere/ws answers HTTP 404"):
        await asyncio.wait_for(Client(f"ws://{server.url}/elsewhere", patience_s=600.0).start(), 10.0)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_example_started_by_hand_leaves_cleanly_when_told_to_stop(server, number):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "worldloom_sdk.examples.greeter", server.url, stderr=asyncio.subprocess.PIPE
    )
    await server.joined.wait()
    process.send_signal(number)
    _, errors = await process.communicate()
    await server.left.wait()
    assert (process.returncode, b"Traceback" in errors) == (0, False)
