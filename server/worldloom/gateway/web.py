"""The browser client as it is served: its files with their types, compressed, and the page. Knows no HTTP application.

The files are read once: what is not there then is never served, and no request reaches the file system. In a wheel
all lie in ``worldloom/web``; in a checkout the JavaScript SDK, ``sdk/`` to the page, lies in ``client_sdk/js/src``.
"""

import base64
import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from pathlib import Path

from worldloom.errors import WorldloomError

__all__ = ["ENTRY", "TYPES", "Web", "WebFile", "imports_of", "load_web", "resolve"]

ENTRY = "app/main.js"
"""The module that the page starts with."""
PAGE = "index.html"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    "": "text/plain; charset=utf-8",
}
"""Media types by suffix; what has another suffix is not served. Licences have none."""
NAMES = {
    "three": "vendor/three/three.module.js",
    "three/addons/": "vendor/three/addons/",
    "worldloom": "sdk/index.js",
    "worldloom/": "sdk/",
    "@msgpack/msgpack": "vendor/msgpack/index.mjs",
    "lean-qr": "vendor/lean_qr/index.mjs",
}
"""What modules call each other besides relative paths: the page's import map, below the version."""

_COMPRESSED_ALREADY = {".woff2"}
_LEAST_GAIN = 0.9
"""What does not become at least that small is sent as it is."""
_IMPORT = re.compile(
    r"""(?:^|[;}])\s*(?:import|export)\b(?:\s*[\w*${},\s]+?\bfrom|\s*\{[^}"']*\}\s*from)?\s*(["'])([^"'\n]+)\1""",
    re.MULTILINE,
)
_PART = re.compile(r"""["'](\.{1,2}/[\w./-]+\.js)["']""")
_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file to serve."""

    media_type: str
    data: bytes
    packed: bytes | None
    """By gzip; None where that gains nothing."""
    sha256: str
    """Of ``data``."""


@dataclass(frozen=True, slots=True)
class Web:
    """The whole client.

    Attributes:
        version: 12 hexadecimal digits, a hash over all files and the page; addresses have it, so files may be kept.
        files: By the path below the version.
        page: The page with what never changes filled in.
        policy: The page's Content-Security-Policy. Workers are held to it too.
    """

    version: str
    files: Mapping[str, WebFile]
    page: str
    policy: str

    @property
    def base(self) -> str:
        """Where the files are, with a slash at the end."""
        return f"/web/{self.version}/"

    def fill(self, values: Mapping[str, str]) -> str:
        """The page with what changes, each value as text."""
        return _fill(self.page, {name: escape(value) for name, value in values.items()})


@cache
def load_web() -> Web:
    """Read and compress the client that comes along; about a tenth of a second. Blocks.

    Raises:
        WorldloomError: The installation is incomplete.
    """
    package = Path(str(resources.files("worldloom")))
    sdk = next(
        (
            folder
            for folder in (package / "web" / "sdk", package.parents[1] / "client_sdk" / "js" / "src")
            if (folder / "index.js").is_file()
        ),
        None,
    )
    page = package / "web" / PAGE
    if sdk is None or not page.is_file():
        raise WorldloomError(f"expected the browser client in {package / 'web'}; install worldloom again")
    found = {**_read(package / "web"), **{f"sdk/{path}": data for path, data in _read(sdk).items()}}
    return _make(found, page.read_text(encoding="utf-8"))


def _read(root: Path) -> dict[str, bytes]:
    paths = sorted(path for path in root.rglob("*") if path.suffix in TYPES and path.is_file())
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if path != root / PAGE and not path.name.startswith(".")
    }


def _make(found: Mapping[str, bytes], page: str) -> Web:
    hashes = {path: hashlib.sha256(data).hexdigest() for path, data in found.items()}
    told = json.dumps([sorted(hashes.items()), page, NAMES])
    version = hashlib.sha256(told.encode()).hexdigest()[:12]
    base = f"/web/{version}/"
    import_map = json.dumps({"imports": {name: base + path for name, path in NAMES.items()}})
    allowed = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    filled = {
        "base": base,
        "build": version,
        "import_map": import_map,
        "styles": "\n".join(f'<link rel="stylesheet" href="{base}{path}">' for path in _styles(found)),
        "preloads": "\n".join(f'<link rel="modulepreload" href="{base}{path}">' for path in _needed(found)),
    }
    return Web(
        version,
        {path: _web_file(path, data, hashes[path]) for path, data in found.items()},
        _fill(page, filled),
        _POLICY.format(scripts=f" 'sha256-{allowed}'"),
    )


def _web_file(path: str, data: bytes, sha256: str) -> WebFile:
    suffix = posixpath.splitext(path)[1]
    packed = None if suffix in _COMPRESSED_ALREADY else gzip.compress(data, mtime=0)
    is_worth_it = packed is not None and len(packed) < _LEAST_GAIN * len(data)
    return WebFile(TYPES[suffix], data, packed if is_worth_it else None, sha256)


def _styles(found: Mapping[str, bytes]) -> list[str]:
    """All of ``style/``: the base first, the others by name."""
    paths = [path for path in found if path.startswith("style/") and path != "style/plain.css"]
    return sorted(paths, key=lambda path: (path != "style/base.css", path))


def _needed(found: Mapping[str, bytes]) -> list[str]:
    """The modules that coming in takes: the entry, the parts that it names, and whatever those import at once.

    Named in the page, they are fetched side by side, not one import after another.
    """
    entry = found.get(ENTRY, b"").decode()
    parts = {resolve(ENTRY, match[1]) for match in _PART.finditer(entry)}
    waiting, needed = [ENTRY, *sorted(filter(None, parts))], dict[str, None]()
    for path in waiting:
        if path in found and path not in needed:
            needed[path] = None
            names = imports_of(found[path].decode())
            waiting.extend(target for name in names if (target := resolve(path, name)))
    return list(needed)


def imports_of(module: str) -> Iterator[str]:
    """What a module's source imports at once, or exports on, as it is written there; not what it imports later."""
    return (match[2] for match in _IMPORT.finditer(module))


def resolve(importer: str, name: str) -> str | None:
    """The path of what ``importer`` calls ``name``; None where the page knows no such name."""
    if name.startswith(("./", "../")):
        return posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))
    if name in NAMES:
        return NAMES[name]
    folders = [folder for folder in NAMES if folder.endswith("/") and name.startswith(folder)]
    folder = max(folders, key=len, default=None)
    return None if folder is None else NAMES[folder] + name.removeprefix(folder)


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Put values where ``{{name}}`` stands; names that are not given stay."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values.get(match[1], match[0]), template)
