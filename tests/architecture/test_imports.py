"""Imports: what import-linter's contracts cannot say, read from the sources themselves."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVER, SDK = ROOT / "server", ROOT / "client_sdk"
PURE_LIBRARIES = {"numpy", "worldloom", "worldloom_sdk"}


def imported(path: Path) -> set[str]:
    """Modules that a file imports anywhere, names after ``from`` included: they may be modules too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=module, names=names):
                found |= {str(module)} | {f"{module}.{alias.name}" for alias in names}
    return found


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def offences(paths: list[Path], wrong) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}" for path in paths for name in imported(path) if wrong(name)
    ]


def outside_protocol(name: str) -> bool:
    return name.startswith("worldloom_sdk.") and not name.startswith("worldloom_sdk.protocol")


def test_the_server_knows_of_the_sdk_its_protocol_alone():
    paths = files(SERVER / "worldloom")
    assert paths
    assert offences(paths, outside_protocol) == []


def test_the_protocol_stands_below_everything():
    paths = files(SDK / "worldloom_sdk" / "protocol")
    assert paths
    assert offences(paths, lambda name: name.partition(".")[0] == "worldloom") == []
    assert offences(paths, outside_protocol) == []


@pytest.mark.parametrize("package", ["world", "realm"])
def test_pure_packages_import_the_standard_library_and_numpy_alone(package):
    paths = files(SERVER / "worldloom" / package)
    assert paths
    allowed = PURE_LIBRARIES | sys.stdlib_module_names
    assert offences(paths, lambda name: name.partition(".")[0] not in allowed) == []


def test_benchmarks_speak_the_protocol_and_know_no_client():
    assert (
        offences(files(SERVER / "worldloom" / "bench"), lambda name: name.startswith("worldloom.cli")) == []
    )
