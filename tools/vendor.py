"""Bring the browser client's libraries to ``server/worldloom/web/vendor``, each file minified for itself.

``python tools/vendor.py`` asks npm for the packages by name and version, and for esbuild, which minifies; what is made
lies in the repository, so that neither running nor testing needs npm. The same versions make the same bytes.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ADDONS", "LIBRARIES", "TARGET", "Library", "main"]

TARGET = Path(__file__).parents[1] / "server" / "worldloom" / "web" / "vendor"
MANIFEST = "VENDORED.json"
ESBUILD = "0.28.2"
PATIENCE_S = 300

ADDONS: tuple[str, ...] = ()
"""Of three, below ``examples/jsm``: what ``three/addons/`` has; what one of them imports is named too."""


@dataclass(frozen=True, slots=True)
class Library:
    """A package of npm's and what is taken of it.

    Attributes:
        folder: Below ``vendor``.
        files: Pairs of a path or glob in the package, and the folder in ours that the files are put in.
    """

    name: str
    version: str
    licence: str
    folder: str
    files: tuple[tuple[str, str], ...]


LIBRARIES = (
    Library(
        "three",
        "0.187.0",
        "MIT",
        "three",
        (
            ("build/three.core.js", "."),
            ("build/three.module.js", "."),
            *((f"examples/jsm/{path}", str(Path("addons", path).parent)) for path in ADDONS),
        ),
    ),
    Library(
        "@msgpack/msgpack",
        "3.1.3",
        "ISC",
        "msgpack",
        (("dist.esm/*.mjs", "."), ("dist.esm/utils/*.mjs", "utils")),
    ),
    Library("lean-qr", "2.7.4", "MIT", "lean_qr", (("index.mjs", "."),)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the folder anew.

    Returns:
        0 when it is made.
    """
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        _npm(work, "install", "--silent", "--no-save", "--ignore-scripts", f"esbuild@{ESBUILD}")
        made = work / "vendor"
        told = [_bring(library, work, made / library.folder) for library in LIBRARIES]
        manifest = {
            "by": "python tools/vendor.py",
            "minified": f"esbuild {ESBUILD}",
            "packages": [{**about, "files": _hashes(made, made / about["folder"])} for about in told],
        }
        (made / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(TARGET, ignore_errors=True)
        shutil.copytree(made, TARGET)
    return 0


def _bring(library: Library, work: Path, folder: Path) -> dict[str, str]:
    """Fetch a package and put what is taken of it into ``folder``.

    Returns:
        What the manifest says of it, but for the files.
    """
    packed = work / _npm(work, "pack", "--silent", f"{library.name}@{library.version}").split()[-1]
    with tarfile.open(packed) as archive:
        archive.extractall(work / library.folder, filter="data")
    package = work / library.folder / "package"
    for pattern, below in library.files:
        found = sorted(package.glob(pattern))
        if not found:
            raise FileNotFoundError(f"expected {pattern} in {packed.name}, got no such file")
        for path in found:
            _minify(work, path, folder / below / path.name)
    shutil.copyfile(package / "LICENSE", folder / "LICENSE")
    return {
        "name": library.name,
        "version": library.version,
        "licence": library.licence,
        "folder": library.folder,
        "sha256": _sha256(packed),
    }


def _minify(work: Path, path: Path, target: Path) -> None:
    """Write a module without comments, but for its licence; imports stay as they are."""
    command = [
        work / "node_modules" / ".bin" / "esbuild",
        path,
        "--minify",
        "--format=esm",
        f"--outfile={target}",
    ]
    subprocess.run([*command, "--log-level=error"], check=True, timeout=PATIENCE_S)


def _npm(work: Path, *arguments: str) -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("expected npm on the path, got none")
    ran = subprocess.run(
        [npm, *arguments], cwd=work, check=True, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S
    )
    return ran.stdout


def _hashes(root: Path, folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): _sha256(path) for path in paths}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
