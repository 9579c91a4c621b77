"""The browser client's files: how they are served, that they fit together, and that nothing comes from elsewhere."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from worldloom.gateway.pages import About, make_app
from worldloom.gateway.web import ENTRY, NAMES, TYPES, imports_of, load_web, resolve

ROOT = Path(__file__).parents[2]
WEB = ROOT / "server" / "worldloom" / "web"
SDK = ROOT / "client_sdk" / "js" / "src"
FOR_EVER = "public, max-age=31536000, immutable"
THREE = "vendor/three/three.core.js"
BEFORE_WALKING_BYTES = 700_000
"""What may come before somebody walks, tiles left out."""
LATER = re.compile(
    r"""\bimport\(\s*["']([^"']+)["']\s*\)|\bURL\(\s*["']([^"']+)["'],\s*import\.meta\.url\)"""
)
"""Modules imported later or named by a type, and files beside a module."""
PART = re.compile(r"""["'](\.{1,2}/[^"']+)["']""")
"""What the entry names to import by and by."""
ELSEWHERE = re.compile(r"""(?:\bfrom|\bimport|\bfetch|\bURL|\burl)\s*\(?\s*["']?(?:https?:)?//""")

TAKEN = re.compile(r"""^import\s*\{([^}]*)\}\s*from\s*["']([^"']+)["']""", re.M)
"""Names that a module takes from another, and which."""
GIVEN = re.compile(
    r"""^export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)|^export\s*\{([^}]*)\}"""
    r"""|^export\s*\*\s*from\s*["']([^"']+)["']""",
    re.M,
)
"""A name that a module gives, several of them, or the module all of whose names it gives."""

PARSE = """
const vm = require("node:vm");
for (const [path, text] of Object.entries(JSON.parse(require("node:fs").readFileSync(0, "utf-8")))) {
  try { new vm.SourceTextModule(text, { identifier: path }); } catch (error) { console.log(path, error.message); }
}
"""
"""Says which modules are none to node."""


@pytest.fixture(scope="module")
def web():
    return load_web()


async def _none(_sha256):
    return None


@asynccontextmanager
async def somebody(requests_per_s=0.0):
    """Who asks from elsewhere."""
    about = About('"Hills" & <co>', "1.2", 0)
    app = make_app(lambda: {"ok": True}, lambda: b"", _none, lambda: about, requests_per_s)
    transport = httpx.ASGITransport(app, client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://world") as client:
        yield client


async def ask(path, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with somebody() as client:
        return await client.get(path, headers=named)


def modules(web):
    return {path: file.data.decode() for path, file in web.files.items() if path.endswith((".js", ".mjs"))}


# Serving.


async def test_a_file_may_be_kept_for_ever_and_comes_compressed_to_who_takes_it(web):
    answer = await ask(web.base + THREE, Accept_Encoding="br, gzip")
    assert answer.content == (WEB / THREE).read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content) / 3
    assert answer.headers["cache-control"] == FOR_EVER
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("offer", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0"])
async def test_a_file_comes_as_it_is_to_who_does_not_take_gzip(web, offer):
    answer = await ask(web.base + THREE, Accept_Encoding=offer)
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == (WEB / THREE).stat().st_size


@pytest.mark.parametrize("offer", ["gzip", "identity"])
async def test_whoever_has_a_file_is_told_so(web, offer):
    etag = (await ask(web.base + THREE, Accept_Encoding=offer)).headers["etag"]
    again = await ask(web.base + THREE, Accept_Encoding=offer, If_None_Match=etag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


async def test_the_two_forms_of_a_file_have_tags_of_their_own(web):
    tags = {
        (await ask(web.base + THREE, Accept_Encoding=offer)).headers["etag"] for offer in ("gzip", "identity")
    }
    assert len(tags) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/web/000000000000/app/main.js",
        "{base}app/nothing.js",
        "{base}index.html",
        "{base}../../../pyproject.toml",
        "{base}%2e%2e/gateway/web.py",
        "{base}/etc/passwd",
        "{base}",
        "/web/",
    ],
)
async def test_another_version_and_a_file_that_is_not_one_of_them_are_not_there(web, path):
    answer = await ask(path.format(base=web.base))
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    assert answer.headers["cache-control"] == "no-store"


async def test_files_are_not_counted_but_whatever_is_none_is(web):
    async with somebody(requests_per_s=1) as client:
        files = {(await client.get(web.base + "icon.svg")).status_code for _ in range(50)}
        others = [(await client.get("/web/000000000000/icon.svg")).status_code for _ in range(3)]
    assert (files, others) == ({200}, [404, 404, 429])


async def test_the_page_is_never_kept_and_runs_what_it_names_alone():
    answer = await ask("/")
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers.get_list("content-security-policy")) == 1
    policy = answer.headers["content-security-policy"]
    [inline] = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; ")
    assert not re.search(r"unsafe|\*|https?:", policy)
    assert not re.search(r"\sstyle=|\son\w+=|<style", answer.text)


async def test_the_page_comes_compressed_to_who_takes_it():
    plain, packed = await ask("/", Accept_Encoding="identity"), await ask("/", Accept_Encoding="gzip")
    assert packed.text == plain.text
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3


async def test_what_an_operator_calls_a_world_is_text_in_the_page():
    text = (await ask("/")).text
    assert "<title>&quot;Hills&quot; &amp; &lt;co&gt;</title>" in text
    assert 'data-world="&quot;Hills&quot; &amp; &lt;co&gt;"' in text
    assert not re.search(r"\{\{\w+\}\}", text)


async def test_everything_that_the_page_names_is_there(web):
    text = (await ask("/")).text
    named = re.findall(r'(?:href|src)="(/web/[^"]+)"', text)
    assert web.base + ENTRY in named
    async with somebody() as client:
        assert {path for path in named if (await client.get(path)).status_code != 200} == set()
    targets = json.loads(re.search(r'importmap">(.*?)</script>', text)[1])["imports"]
    assert targets == {name: web.base + path for name, path in NAMES.items()}


# The files.


def test_all_files_are_served(web):
    there = {path for path in WEB.rglob("*") if path.is_file() and path.name != "index.html"}
    assert {path.suffix for path in there} <= TYPES.keys()
    theirs = {path.relative_to(WEB).as_posix() for path in there}
    sdks = {f"sdk/{path.relative_to(SDK).as_posix()}" for path in SDK.rglob("*") if path.is_file()}
    assert web.files.keys() == theirs | sdks


def is_there(web, target):
    """Whether that is a file, or a folder of some."""
    return target in web.files or any(path.startswith(f"{target}/") for path in web.files)


def test_every_import_leads_to_a_file_of_ours(web):
    wrong = [
        f"{path}: {name}"
        for path, text in modules(web).items()
        for name in [*imports_of(text), *(one or two for one, two in LATER.findall(text))]
        if not is_there(web, resolve(path, name))
    ]
    assert wrong == []
    assert [name for name in PART.findall(modules(web)[ENTRY]) if resolve(ENTRY, name) not in web.files] == []


def given(texts, path):
    """The names that a module gives."""
    names = set()
    for one, several, other in GIVEN.findall(texts[path]):
        names |= {one} if one else given(texts, resolve(path, other)) if other else set()
        names |= {part.split()[-1] for part in several.split(",") if part.strip()}
    return names


def test_every_name_that_is_imported_is_given(web):
    texts = {path: text for path, text in modules(web).items() if not path.startswith("vendor/")}
    missing = [
        f"{path}: {part.split()[0]} of {name}"
        for path, text in texts.items()
        for parts, name in TAKEN.findall(text)
        if resolve(path, name) in texts
        for part in parts.split(",")
        if part.strip() and part.split()[0] not in given(texts, resolve(path, name))
    ]
    assert missing == []
    assert "BESIDE_M" in given(texts, "ui/person.js")
    assert {"World", "Verb"} <= given(texts, "sdk/index.js")


def test_nothing_is_loaded_from_another_host(web):
    texts = {
        path: file.data.decode() for path, file in web.files.items() if path.endswith((".js", ".mjs", ".css"))
    }
    assert [path for path, text in texts.items() if ELSEWHERE.search(text)] == []


def test_imports_are_found_however_they_are_written():
    text = """
import a, { b } from "./one.js";
import * as c from './two.js';
import "three";import{d as e}from"./three.js";export{f}from"./four.js";
export * from "./five.js";
import {
  g,
  h,
} from "worldloom/tiles.js";
/** @type {import("./type.js").T} and import "./comment.js" */
const later = import("./later.js");
export const text = "from './text.js'";
"""
    found = ["./one.js", "./two.js", "three", "./three.js", "./four.js", "./five.js", "worldloom/tiles.js"]
    assert list(imports_of(text)) == found


def test_names_lead_where_the_import_map_says():
    asked = ["../c.js", "worldloom", "worldloom/tiles.js", "three/addons/x.js"]
    found = ["c.js", "sdk/index.js", "sdk/tiles.js", "vendor/three/addons/x.js"]
    assert [resolve("a/b.js", name) for name in asked] == found
    assert resolve("a/b.js", "lodash") is None


@pytest.mark.slow
def test_every_module_is_one_to_node(web):
    node = shutil.which("node") or pytest.skip("needs node")
    command = [node, "--experimental-vm-modules", "--no-warnings", "--eval", PARSE]
    told = json.dumps(modules(web))
    ran = subprocess.run(command, input=told, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


# What others made.


def test_the_libraries_lie_there_as_they_were_vendored():
    manifest = json.loads((WEB / "vendor" / "VENDORED.json").read_text(encoding="utf-8"))
    told = {path: sha256 for package in manifest["packages"] for path, sha256 in package["files"].items()}
    there = {path for path in (WEB / "vendor").rglob("*") if path.is_file() and path.name != "VENDORED.json"}
    assert told == {
        path.relative_to(WEB / "vendor").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in there
    }
    assert all(f"{package['folder']}/LICENSE" in package["files"] for package in manifest["packages"])


def test_the_codec_is_one_that_the_sdk_asks_for():
    manifest = json.loads((WEB / "vendor" / "VENDORED.json").read_text(encoding="utf-8"))
    [vendored] = [package for package in manifest["packages"] if package["name"] == "@msgpack/msgpack"]
    asked = json.loads((ROOT / "client_sdk" / "js" / "package.json").read_text())["dependencies"][
        "@msgpack/msgpack"
    ]
    least = [int(part) for part in asked.removeprefix("^").split(".")]
    got = [int(part) for part in vendored["version"].split(".")]
    assert asked.startswith("^")
    assert got[0] == least[0]
    assert got >= least


def sent(web, path):
    file = web.files[path]
    return len(file.packed or file.data)


def test_what_comes_before_walking_is_small(web):
    text = web.fill({})
    named = set(re.findall(rf'(?:href|src)="{web.base}([^"]+)"', text)) - {"style/plain.css"}
    sizes = {"index.html": len(gzip.compress(text.encode()))}
    for path in named:
        part = path.partition("/")[0] if not path.startswith("vendor/") else path.rpartition("/")[0]
        sizes[part] = sizes.get(part, 0) + sent(web, path)
    assert sum(sizes.values()) < BEFORE_WALKING_BYTES, sizes
