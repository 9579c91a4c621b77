"""The sources as text: sizes, what every module opens with, and words that do not belong here."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for root in (ROOT / "server" / "worldloom", ROOT / "client_sdk" / "worldloom_sdk")
    for path in root.rglob("*.py")
)
MAX_LINES = 500
MAX_FUNCTION_LINES = 60
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
TEXT = {".py", ".md", ".toml", ".js", ".mjs", ".css", ".html", ".sh", ".json", ".mako", ""}
"""Suffixes of the files that people write."""


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def named(paths) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def written_files() -> list[Path]:
    """Files under version control or about to be; all files where there is no repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / line for line in ran.stdout.splitlines()]
    return [path for path in paths if path.suffix in TEXT and path.is_file()] or MODULES


def assigned(module: ast.Module) -> set[str]:
    """Names that the module assigns at its top."""
    return {
        target.id
        for node in module.body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name)
    }


def test_every_module_says_what_it_is():
    assert named(path for path in MODULES if not ast.get_docstring(tree(path))) == []


def test_every_public_module_says_what_it_offers():
    public = [path for path in MODULES if not path.name.startswith("__") and "examples" not in path.parts]
    assert named(path for path in public if "__all__" not in assigned(tree(path))) == []


def test_no_module_is_too_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert named(path for path, lines in lengths.items() if lines > MAX_LINES) == []


def test_no_function_is_too_long():
    functions = [
        (path, node)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, node in functions
        if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert long == []


def test_no_module_is_named_after_one_of_the_libraries_it_could_shadow():
    assert not [path for path in MODULES if path.parent.name in {"server", "client_sdk"}]


def test_test_files_have_names_of_their_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []


@pytest.mark.slow
def test_nothing_is_left_unfinished():
    here = Path(__file__)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in written_files()
        if path != here
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []
