"""The SDK's small parts: addresses, token files, waiting times, angles, what importing costs."""

import random
import stat
import subprocess
import sys

import pytest

import worldloom_sdk
from worldloom_sdk.address import parse_address
from worldloom_sdk.avatar import yaw_to_radians, yaw_to_units, yaw_towards
from worldloom_sdk.backoff import Backoff
from worldloom_sdk.tokens import Kept, read_token, write_token


@pytest.mark.parametrize(
    ("text", "socket_url", "http_url"),
    [
        ("ws://127.0.0.1:8420/ws", "ws://127.0.0.1:8420/ws", "http://127.0.0.1:8420"),
        ("wss://world.example/ws", "wss://world.example/ws", "https://world.example"),
        ("http://127.0.0.1:8420", "ws://127.0.0.1:8420/ws", "http://127.0.0.1:8420"),
        ("https://world.example/", "wss://world.example/ws", "https://world.example"),
        ("https://example.org/hills/", "wss://example.org/hills/ws", "https://example.org/hills"),
        ("localhost:9000", "ws://localhost:9000/ws", "http://localhost:9000"),
        ("localhost", "ws://localhost:8420/ws", "http://localhost:8420"),
        ("[::1]:8420", "ws://[::1]:8420/ws", "http://[::1]:8420"),
    ],
)
def test_a_world_can_be_written_down_in_many_ways(text, socket_url, http_url):
    assert parse_address(text) == (socket_url, http_url)


@pytest.mark.parametrize(
    "text",
    ["", "ftp://x", "host:port", "http://", "ws://a:b@host", "http://host?x=1", "h:99999", "http://[::1"],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="expected an address"):
        parse_address(text)


RECOVERY = "7KQ2-M4XW-9C0T-N5RD-1ZBA-8EHG-Y3"


def test_a_token_file_is_written_whole_and_for_its_owner_alone(tmp_path):
    file = tmp_path / "ada.token"
    assert read_token(file) is None
    write_token(file, Kept("a" * 20, RECOVERY))
    write_token(file, Kept("b" * 20))
    assert read_token(file) == ("b" * 20, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_token_file_keeps_the_recovery_code_on_a_line_of_its_own(tmp_path):
    file = tmp_path / "ada.token"
    write_token(file, Kept("a" * 20, RECOVERY))
    assert file.read_text() == f"{'a' * 20}\nrecovery: {RECOVERY}\n"
    assert read_token(file) == ("a" * 20, RECOVERY)


def test_a_token_file_without_a_recovery_code_is_read_as_it_always_was(tmp_path):
    file = tmp_path / "ada.token"
    file.write_text("a" * 20)
    assert read_token(file) == ("a" * 20, "")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"x" * 600,
        b"\xff" * 20 + b"\x00",
        b"x" * 20 + b"\nshort",
        b"x" * 20 + 2 * b"\nrecovery: a",
    ],
)
def test_a_file_without_a_token_is_named_and_its_content_is_not_told(tmp_path, content):
    file = tmp_path / "ada.token"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="ada") as fault:
        read_token(file)
    assert "short" not in str(fault.value)


def test_waiting_times_double_are_spread_and_start_over():
    backoff = Backoff(1.0, 8.0, random.Random(2))
    rounds = []
    for _ in range(200):
        rounds.append([backoff.next() for _ in range(5)])
        backoff.reset()
    bounds = [max(waits) for waits in zip(*rounds, strict=True)]
    assert bounds == pytest.approx([1.0, 2.0, 4.0, 8.0, 8.0], rel=0.05)
    assert min(waits[3] for waits in rounds) < 0.5
    assert backoff.next(at_least_s=5.0) >= 5.0


def test_yaw_goes_round_and_looks_along_its_direction():
    assert [yaw_to_units(yaw_to_radians(yaw)) for yaw in range(256)] == list(range(256))
    assert [yaw_to_units(yaw_towards(*way)) for way in [(0, 1), (1, 0), (0, -1), (-1, 0)]] == [
        0,
        64,
        128,
        192,
    ]
    with pytest.raises(ValueError, match="finite"):
        yaw_to_units(float("inf"))


def test_every_public_name_can_be_imported_from_the_package():
    assert all(getattr(worldloom_sdk, name) is not None for name in worldloom_sdk.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = worldloom_sdk.nonsense


@pytest.mark.slow
def test_importing_the_protocol_loads_neither_sockets_nor_the_server():
    code = (
        "import sys, worldloom_sdk.protocol.messages, worldloom_sdk.connection;"
        "heavy = {'websockets', 'asyncio', 'sqlalchemy', 'torch', 'worldloom', 'fastapi'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
