"""The JavaScript client against a real world: its own tests, and its example. Needs Node 20.10 and its one package.

Skipped in plain sight where they are missing; ``WORLDLOOM_TEST_REQUIRE_SERVICES=1`` makes that a failure. To have
them: ``npm install`` in ``client_sdk/js``.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from live_server import Served, served

FOLDER = Path(__file__).parents[2] / "client_sdk" / "js"
REQUIRED = os.environ.get("WORLDLOOM_TEST_REQUIRE_SERVICES") == "1"
OLDEST, HAS_WEBSOCKET = (20, 10), (22, 0)
TESTS_S = 60.0
GREETING_S = 8.0

pytestmark = pytest.mark.slow


def _missing(reason: str) -> NoReturn:
    (pytest.fail if REQUIRED else pytest.skip)(f"the JavaScript client cannot be tried: {reason}")


def _node() -> list[str]:
    """Node and what it takes for a WebSocket. Skips the test in plain sight, or fails, where something is missing."""
    node = shutil.which("node")
    if node is None:
        _missing("there is no node")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=10).stdout.strip()
    found = re.match(r"v(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST:
        _missing(f"expected Node {OLDEST[0]}.{OLDEST[1]} or later, got {said!r}")
    if not (FOLDER / "node_modules" / "@msgpack" / "msgpack").is_dir():
        _missing("client_sdk/js/node_modules is missing; run npm install in client_sdk/js")
    return [node] if version >= HAS_WEBSOCKET else [node, "--experimental-websocket"]


@asynccontextmanager
async def _running(command: list[str], **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program in the folder of the client; it does not outlive the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=FOLDER,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _worldloom(world: Served, *words: str) -> None:
    """Have the operator do something."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-m", "worldloom", *words, "--data", str(world.data)]
    async with _running(command, PYTHONPATH=path) as process:
        output, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, output.decode()


async def _token(world: Served, name: str) -> str:
    """The token of a new account."""
    someone = await world.join(name, keep=True)
    token = someone.welcome.token
    await someone.leave()
    assert token is not None
    return token


async def _owners_token(world: Served, name: str) -> str:
    """The token of a new account that may do everything."""
    token = await _token(world, name)
    await _worldloom(world, "people", "role", name, "owner", "--yes")
    return token


async def _traders_tokens(world: Served, *names: str) -> str:
    """The tokens of new accounts with money, in a world that sells the parcels of region 19, 19."""
    await _worldloom(world, "land", "open", "--around=5000,5000", "--regions", "1x1", "--price", "10")
    tokens = [await _token(world, name) for name in names]
    for name in names:
        await _worldloom(world, "money", "mint", "100", "--to", name)
    return " ".join(tokens)


async def test_its_own_tests_pass_against_a_real_world(tmp_path: Path) -> None:
    node = _node()
    async with served(tmp_path / "data") as world:
        variables = {
            "WORLDLOOM_URL": f"ws://127.0.0.1:{world.port}/ws",
            "WORLDLOOM_STAFF_TOKEN": await _owners_token(world, "Olga"),
            "WORLDLOOM_TRADERS": await _traders_tokens(world, "Tilda", "Tom"),
        }
        tests = ["--test", "--test-reporter=spec", "--test-concurrency=4"]
        async with _running([*node, *tests], **variables) as process:
            output, _ = await asyncio.wait_for(process.communicate(), TESTS_S)
    text = output.decode()
    sys.stdout.write(text)
    assert process.returncode == 0, text
    counts = dict(re.findall(r"^\S+ (tests|pass|fail|skipped) (\d+)$", text, re.MULTILINE))
    assert int(counts["pass"]) > 100, counts
    assert (counts["fail"], counts["skipped"]) == ("0", "0"), counts


async def test_its_example_greets_who_comes(tmp_path: Path) -> None:
    node = _node()
    async with served(tmp_path / "data") as world:
        url = f"ws://127.0.0.1:{world.port}/ws"
        async with _running([*node, "examples/greet.js", url]) as process:
            visitor = await world.join("Vera")
            await visitor.until(
                lambda: any((line.name, line.text) == ("Greeter", "Hello, Vera!") for line in visitor.lines),
                GREETING_S,
            )
            assert process.returncode is None
