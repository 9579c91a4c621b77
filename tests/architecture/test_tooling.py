"""The tools that hold the house together, each a test of its own, so that a failure can be read."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
"""Other tests run beside them."""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this Python's environment at the root; what it says stands in ``stdout``."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_ruff_finds_nothing():
    ran = run("-m", "ruff", "check", "--output-format", "concise")
    assert ran.returncode == 0, ran.stdout


def test_ruff_would_format_nothing():
    ran = run("-m", "ruff", "format", "--check", "--quiet")
    assert ran.returncode == 0, ran.stdout


@pytest.mark.timeout(2 * PATIENCE_S)
def test_mypy_is_content():
    """The first time, it reads all packages, which takes minutes beside other tests."""
    ran = run("-m", "mypy")
    assert ran.returncode == 0, ran.stdout


def test_imports_point_downwards():
    ran = run("-c", "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()")
    assert ran.returncode == 0, ran.stdout


def test_an_import_that_points_upwards_is_found(tmp_path):
    """The contracts bite: a copy of the sources with one wrong import breaks two of them."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for package in ("server/worldloom", "client_sdk/worldloom_sdk"):
        for path in (ROOT / package).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    wrong = tmp_path / "server" / "worldloom" / "world" / "wrong.py"
    wrong.write_text("import socket\n\nimport sqlalchemy\n\nimport worldloom.services\n", encoding="utf-8")
    code = (
        "import sys; sys.path[:0] = ['server', 'client_sdk']\n"
        "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert "worldloom.world is not allowed to import worldloom.services" in ran.stdout
    assert "worldloom.world is not allowed to import socket" in ran.stdout
    assert "worldloom is not allowed to import sqlalchemy" in ran.stdout
