"""Writes tiles.json and noise.json: what every reader of tiles, in any language, must agree on.

Run after a deliberate change of the format or of the land: python tests/golden/make_tiles.py
"""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np

from worldloom.worldgen.noise import NOISE_VERSION, NoiseSource
from worldloom_sdk.protocol.tiles import THING_DTYPE, Tile, encode_tile, ground_height

HERE = Path(__file__).parent
SEED = 20_250_607
REGIONS = ((0, 0), (1, 0), (-3, 5), (32_767, -32_767))
POINTS = [
    (0.0, 0.0),
    (256.0, 256.0),
    (1.0, 1.0),
    (1.5, 0.5),
    (0.5, 1.5),
    (101.25, 7.75),
    (255.984375, 0.015625),
]


def golden_tile() -> Tile:
    """A tile made of integers alone, so that anybody can make it again."""
    x, z = np.arange(129)[None, :], np.arange(129)[:, None]
    heights = ((3 * x * x + 5 * z * z + 7 * x * z) % 2000 - 300).astype(np.int16)
    surface = ((np.arange(128)[None, :] // 8 + np.arange(128)[:, None] // 16) % 11).astype(np.uint8)
    n = np.arange(40)
    things = np.empty(40, THING_DTYPE)
    things["kind"], things["x"], things["z"] = n % 10 + 1, n * 4099 % 16_384, n * 409
    things["scale"], things["yaw"] = 32 + n, n * 37 % 256
    return Tile(
        -7, 12, heights, surface, things, provenance={"generator": "golden", "height": "é", "number": -3}
    )


def tiles_json() -> dict[str, object]:
    tile = golden_tile()
    return {
        "made_by": "python tests/golden/make_tiles.py",
        "tile_base64": base64.b64encode(encode_tile(tile)).decode(),
        "rx": tile.rx,
        "rz": tile.rz,
        "heights_rule": "heights[z][x] = (3xx + 5zz + 7xz) mod 2000 - 300",
        "surface_rule": "surface[z][x] = (floor(x / 8) + floor(z / 16)) mod 11",
        "things": [[int(v) for v in thing] for thing in tile.things.tolist()],
        "provenance": dict(tile.provenance),
        "ground": [[x, z, float(ground_height(tile.heights, x, z))] for x, z in POINTS],
    }


def noise_json() -> dict[str, object]:
    source = NoiseSource(SEED)
    regions = []
    for rx, rz in REGIONS:
        tile = source.generate(rx, rz)
        regions.append(
            {
                "region": [rx, rz],
                "heights_sha256": hashlib.sha256(tile.heights.astype("<i2").tobytes()).hexdigest(),
                "surface_sha256": hashlib.sha256(tile.surface.tobytes()).hexdigest(),
                "things_sha256": hashlib.sha256(tile.things.tobytes()).hexdigest(),
                "some_heights": [int(h) for h in tile.heights[::43, ::43].reshape(-1)],
            }
        )
    return {
        "made_by": "python tests/golden/make_tiles.py",
        "seed": SEED,
        "version": NOISE_VERSION,
        "regions": regions,
    }


def text(golden: dict[str, object]) -> str:
    return json.dumps(golden, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (HERE / "tiles.json").write_text(text(tiles_json()), encoding="utf-8")
    (HERE / "noise.json").write_text(text(noise_json()), encoding="utf-8")
