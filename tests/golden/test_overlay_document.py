"""The golden overlay, and the reader on the page on overlays: it reads it, lays it on the golden tile, and follows."""

import base64
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.make_overlay import golden_edit, golden_overlay, overlay_json
from golden.make_tiles import golden_tile
from worldloom_sdk.ground import Ground
from worldloom_sdk.protocol.codec import decode_server
from worldloom_sdk.protocol.messages import TerrainEdited
from worldloom_sdk.protocol.overlay import Patch, decode_overlay
from worldloom_sdk.protocol.tiles import ground_height

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "overlay.json").read_text(encoding="utf-8"))
DATA = base64.b64decode(GOLDEN["overlay_base64"])
PAYLOAD = zlib.decompress(DATA[8:])
DRIVER = """
import { readFileSync } from "node:fs";
const { tile, overlays, edit, ground } = JSON.parse(readFileSync(0, "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const read = async (hex) => {
  try {
    return await readOverlay(bytes(hex));
  } catch (error) {
    return error.message;
  }
};
const [first, ...others] = await Promise.all(overlays.map(read));
const { heights } = await readTile(bytes(tile));
const points = () => ground.map(([x, z]) => groundHeight(overlaid(heights, first.samples), x, z));
const { rx, rz, version } = first;
const before = points();
applyEdit(first, { ...edit, heights: bytes(edit.heights) });
console.log(JSON.stringify({ rx, rz, version, before, after: points(), now: first.version, others }));
"""


def spoilt(form: str, at: int, value: int, end: bytes = b"") -> bytes:
    payload = bytearray(PAYLOAD)
    struct.pack_into(form, payload, at, value)
    return DATA[:8] + zlib.compress(payload) + end


NO_OVERLAYS = {
    "bytes after the stream": spoilt("<i", 0, -7, end=b"more than four"),
    "a tile": base64.b64decode(
        json.loads((ROOT / "tests" / "golden" / "tiles.json").read_text(encoding="utf-8"))["tile_base64"]
    ),
    "a region beyond the end of the world": spoilt("<i", 0, 32_768),
    "zero that is not": spoilt("<I", 12, 1),
    "a height above all": spoilt("<B", 16_657, 0x7F),
    "another length": DATA[:4] + struct.pack("<I", 33_299) + DATA[8:],
}


def test_the_golden_overlay_is_what_its_script_makes() -> None:
    made = json.loads(json.dumps(overlay_json()))
    # The compressed bytes may differ between builds of zlib; what they hold may not.
    assert zlib.decompress(base64.b64decode(made.pop("overlay_base64"))[8:]) == PAYLOAD
    assert made == {name: value for name, value in GOLDEN.items() if name != "overlay_base64"}


def test_python_reads_it_and_follows_to_the_bit() -> None:
    read, tile = decode_overlay(DATA), golden_tile()
    assert np.array_equal(read.samples, golden_overlay().samples)
    ground = Ground(-7, 12)
    ground.woven("ab" * 32, read.version)
    ground.fetched(read)
    told = decode_server(bytes.fromhex(GOLDEN["edited_hex"]))
    assert isinstance(told, TerrainEdited)
    assert told.heights == golden_edit().to_bytes()
    for expected in (GOLDEN["ground"], GOLDEN["ground_after"]):
        heights = ground.heights(tile)
        assert heights is not None
        assert [[x, z, float(ground_height(heights, x, z))] for x, z, _ in expected] == expected
        ground.edited(told.version, Patch.of_bytes(told.x, told.z, told.width, told.depth, told.heights))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the readers of both pages make of tile, overlay and edit."""
    pages = [(ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("tiles.md", "overlay.md")]
    code = [block for page in pages for block in re.findall(r"```js\n(.*?)```", page, re.DOTALL)]
    folder = tmp_path_factory.mktemp("reader")
    (folder / "reader.mjs").write_text("\n".join(code) + DRIVER, encoding="utf-8")
    edit = decode_server(bytes.fromhex(GOLDEN["edited_hex"]))
    fields = {name: getattr(edit, name) for name in edit.__struct_fields__}
    given = {
        "tile": NO_OVERLAYS["a tile"].hex(),
        "overlays": [DATA.hex(), *(data.hex() for data in NO_OVERLAYS.values())],
        "edit": fields | {"heights": fields["heights"].hex()},
        "ground": GOLDEN["ground"],
    }
    ran = subprocess.run(
        ["node", "reader.mjs"],
        input=json.dumps(given),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_javascript_of_the_page_reads_the_golden_overlay_and_follows(told: dict[str, Any]) -> None:
    assert told == {
        "rx": -7,
        "rz": 12,
        "version": 41,
        "now": 42,
        "before": [y for _, _, y in GOLDEN["ground"]],
        "after": [y for _, _, y in GOLDEN["ground_after"]],
        "others": told["others"],
    }


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_javascript_of_the_page_refuses_what_is_no_overlay(told: dict[str, Any]) -> None:
    assert dict(zip(NO_OVERLAYS, map(type, told["others"]), strict=True)) == dict.fromkeys(NO_OVERLAYS, str)


@pytest.mark.parametrize("what", NO_OVERLAYS)
def test_python_refuses_the_same(what: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        decode_overlay(NO_OVERLAYS[what])
