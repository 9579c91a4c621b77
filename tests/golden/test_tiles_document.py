"""The reader on the page on tiles: it reads the golden tile as it is, and refuses what the page calls no tile."""

import base64
import json
import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from worldloom_sdk.protocol.tiles import decode_tile

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads((ROOT / "tests" / "golden" / "tiles.json").read_text(encoding="utf-8"))
TILE = base64.b64decode(GOLDEN["tile_base64"])
PAYLOAD = zlib.decompress(TILE[8:])
DRIVER = """
import { readFileSync } from "node:fs";
const { tiles, ground } = JSON.parse(readFileSync(0, "utf8"));
const read = async (hex) => {
  try {
    const { rx, rz, heights, things, provenance } = await readTile(Uint8Array.from(Buffer.from(hex, "hex")));
    const y = ground.map(([x, z]) => groundHeight(heights, x, z));
    return { rx, rz, things: things.length, provenance, y };
  } catch (error) {
    return error.message;
  }
};
console.log(JSON.stringify(await Promise.all(tiles.map(read))));
"""


def spoilt(form: str, at: int, *values: int, end: bytes = b"") -> bytes:
    """The golden tile with a value of its payload changed, and with bytes after its stream."""
    payload = bytearray(PAYLOAD)
    struct.pack_into(form, payload, at, *values)
    return TILE[:8] + zlib.compress(payload) + end


def without_provenance() -> bytes:
    """A tile whose provenance is empty."""
    payload = bytearray(PAYLOAD[: len(PAYLOAD) - struct.unpack_from("<H", PAYLOAD, 10)[0]])
    struct.pack_into("<H", payload, 10, 0)
    return TILE[:4] + struct.pack("<I", len(payload)) + zlib.compress(payload)


NO_TILES = {
    "one byte after the stream": spoilt("<", 0, end=b"\0"),
    "many bytes after the stream": spoilt("<", 0, end=b"more than four"),
    "a region beyond the end of the world": spoilt("<i", 0, 32_768),
    "zero that is not": spoilt("<I", 12, 1),
    "no provenance": without_provenance(),
    "a thing outside the region": spoilt("<H", 49_682, 16_384),
    "a height below all": spoilt("<B", 16_657, 0xFF),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the reader of the page makes of the golden tile and of each that is none, by name."""
    page = (ROOT / "docs" / "tiles.md").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("reader")
    (folder / "reader.mjs").write_text("\n".join(re.findall(r"```js\n(.*?)```", page, re.DOTALL)) + DRIVER)
    tiles = {"golden": TILE, **NO_TILES}
    given = {"tiles": [tile.hex() for tile in tiles.values()], "ground": GOLDEN["ground"]}
    ran = subprocess.run(
        ["node", "reader.mjs"],
        input=json.dumps(given),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return dict(zip(tiles, json.loads(ran.stdout), strict=True))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_javascript_of_the_page_reads_the_golden_tile_and_its_ground(told: dict[str, Any]) -> None:
    assert told["golden"] == {
        "rx": GOLDEN["rx"],
        "rz": GOLDEN["rz"],
        "things": len(GOLDEN["things"]),
        "provenance": GOLDEN["provenance"],
        "y": [y for _, _, y in GOLDEN["ground"]],
    }


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("what", NO_TILES)
def test_the_javascript_of_the_page_refuses_what_is_no_tile(told: dict[str, Any], what: str) -> None:
    assert isinstance(told[what], str), f"expected an error, got {told[what]}"


@pytest.mark.parametrize("what", NO_TILES)
def test_python_refuses_the_same(what: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)expect"):
        decode_tile(NO_TILES[what])
