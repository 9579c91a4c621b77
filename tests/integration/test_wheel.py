"""The wheel: what is in it, that the SDK alone stays light, and that a world runs from it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]

ROOT = Path(__file__).parents[2]
STOP_WITHIN_S = 10


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel; without isolation, so that nothing is fetched."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    ran = subprocess.run(command, cwd=out, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that the wheel is installed in, without the packages that it needs."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run(
        [*command, "--target", str(target), str(wheel)], check=True, timeout=100, capture_output=True
    )
    return target


def environment(installed: Path) -> dict[str, str]:
    """The environment of somebody who has the wheel and none of the sources."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORLDLOOM_")}
    return {**kept, "PYTHONPATH": str(installed), "PYTHONUNBUFFERED": "1"}


def test_the_wheel_carries_migrations_defaults_types_and_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for expected in ("worldloom/config.toml", "worldloom/migrations/env.py", "worldloom/py.typed"):
        assert expected in names
    assert [name for name in names if name.startswith("worldloom/migrations/versions/")]
    assert "worldloom_sdk/protocol/messages.py" in names
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_the_wheel_carries_the_browser_client_its_libraries_and_the_javascript_sdk(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    web = ROOT / "server" / "worldloom" / "web"
    sdk = ROOT / "client_sdk" / "js" / "src"
    theirs = {
        f"worldloom/web/{path.relative_to(web).as_posix()}" for path in web.rglob("*") if path.is_file()
    }
    sdks = {
        f"worldloom/web/sdk/{path.relative_to(sdk).as_posix()}" for path in sdk.rglob("*") if path.is_file()
    }
    assert {name for name in names if name.startswith("worldloom/web/")} == theirs | sdks


def test_the_wheel_carries_two_packages_and_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"worldloom", "worldloom_sdk"}


def test_the_sdk_imports_nothing_of_the_server(installed, tmp_path):
    code = (
        "import sys, pkgutil, importlib, worldloom_sdk, worldloom_sdk.protocol\n"
        "for package in (worldloom_sdk, worldloom_sdk.protocol):\n"
        "    for found in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        if not found.name.endswith(('.testing', '.__main__', '.examples')):\n"
        "            importlib.import_module(found.name)\n"
        "heavy = ['worldloom', 'sqlalchemy', 'torch', 'fastapi', 'uvicorn', 'aiomqtt', 'alembic', 'rich']\n"
        "print([name for name in heavy if name in sys.modules], worldloom_sdk.__file__)"
    )
    command = [sys.executable, "-P", "-c", code]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment(installed),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("[] ")
    assert str(installed) in ran.stdout


def test_a_world_runs_from_the_wheel_and_stops_in_order(installed, tmp_path):
    command = [sys.executable, "-P", "-m", "worldloom", "serve", "--host", "127.0.0.1", "--port", "0"]
    errors = tmp_path / "stderr"
    with errors.open("wb") as stderr:
        server = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment(installed),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with server:
        try:
            url = address_told_by(server)
            with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:
                assert json.load(answer)["ok"] is True
            assert_the_page_is_whole(url)
            server.send_signal(signal.SIGINT)
            assert server.wait(STOP_WITHIN_S) == 0, errors.read_text()
        finally:
            server.kill()
    assert (tmp_path / "worldloom-data" / "secrets.toml").stat().st_mode & 0o777 == 0o600
    assert "Traceback" not in errors.read_text()


def assert_the_page_is_whole(url: str) -> None:
    """The page answers, and so does every file that it names, the SDK's among them."""
    with urllib.request.urlopen(f"{url}/", timeout=10) as answer:
        page = answer.read().decode()
    named = re.findall(r'(?:href|src)="(/web/[^"]+)"', page)
    assert [path for path in named if path.endswith("/sdk/world.js")]
    for path in named:
        with urllib.request.urlopen(url + path, timeout=10) as answer:
            assert answer.read()


def address_told_by(server: subprocess.Popen[str]) -> str:
    """The address that the server prints once it listens."""
    lines = []
    for line in server.stdout:
        lines.append(line)
        found = re.search(r"https?://127\.0\.0\.1:\d+", line)
        if found:
            return found.group()
    pytest.fail(f"the server ended without telling where it listens: {lines}")
