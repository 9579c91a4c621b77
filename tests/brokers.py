"""MQTT brokers for tests: the one on this host, Mosquittos of a test's own, and ears that listen to them.

``WORLDLOOM_TEST_MQTT`` names another ``host:port`` than 127.0.0.1:1883. With ``WORLDLOOM_TEST_REQUIRE_SERVICES=1`` a
broker that is not there is a failure, else a skip.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

SERVER = os.environ.get("WORLDLOOM_TEST_MQTT", "127.0.0.1:1883")
REQUIRED = os.environ.get("WORLDLOOM_TEST_REQUIRE_SERVICES") == "1"
PATIENCE_S = 10.0
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


def _missing(why: str) -> None:
    (pytest.fail if REQUIRED else pytest.skip)(why)


def public_broker() -> tuple[str, int]:
    """Host and port of the broker on this host. Skips the test in plain sight, or fails, when none answers."""
    host, _, port = SERVER.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError as error:
        _missing(f"the MQTT broker at {SERVER} cannot be reached: {error}")
    return host, int(port)


def tool(name: str) -> str:
    """The path of a program. Skips the test in plain sight, or fails, when it is not installed."""
    path = shutil.which(name, path=SEARCHED)
    if path is None:
        _missing(f"{name} is not installed")
    return str(path)


async def run_tool(name: str, *arguments: object) -> None:
    """Run a program to its good end; see ``tool``."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        tool(name), *map(str, arguments), stdout=quiet, stderr=quiet
    )
    assert await process.wait() == 0


class OwnBroker:
    """A Mosquitto that a test starts and stops; it remembers sessions over a restart.

    Args:
        folder: Where its files are.
        listener: Lines for its listener and for all of it; by default everybody may come in.
    """

    def __init__(self, folder: Path, *listener: str) -> None:
        self._program = tool("mosquitto")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        lines = [
            f"listener {self.port} 127.0.0.1",
            *(listener or ("allow_anonymous true",)),
            "max_queued_messages 0",
            "persistence true",
            f"persistence_location {folder}/",
            "log_dest stderr",
            "user root",
        ]
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join(lines))
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start, and wait until it listens."""
        self._process = process = await asyncio.create_subprocess_exec(
            self._program, "-c", str(self._config), stderr=asyncio.subprocess.PIPE
        )
        said = b""
        async with asyncio.timeout(PATIENCE_S):
            while b" running" not in said:
                line = await process.stderr.readline()
                assert line, f"mosquitto did not start: {said.decode()}"
                said += line

    async def stop(self) -> None:
        """Stop, and wait for its end."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()
            # Only now: whoever was cancelled meanwhile stops it again.
            self._process = None

    async def __aenter__(self) -> "OwnBroker":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class Ear:
    """Hears what is published on its topics."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._messages = client.messages

    async def message(self) -> aiomqtt.Message:
        """The next message."""
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._messages)

    async def next(self) -> tuple[str, Any]:
        """Topic and decoded payload of the next message."""
        message = await self.message()
        return str(message.topic), json.loads(message.payload)

    async def payloads(self, count: int) -> list[Any]:
        """Decoded payloads of so many messages."""
        return [(await self.next())[1] for _ in range(count)]


@asynccontextmanager
async def listening(host: str, port: int, *topics: str, stays: str = "") -> AsyncIterator[Ear]:
    """Subscribe to topics.

    Args:
        host: The broker's.
        port: The broker's.
        topics: Topic filters.
        stays: A client id: the broker then remembers the subscription and keeps messages for it.
    """
    client = aiomqtt.Client(host, port, identifier=stays or None, clean_session=not stays)
    async with client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield Ear(client)
