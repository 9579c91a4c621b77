"""Writes overlay.json: what every reader of overlays, in any language, must agree on.

Run in ``tests`` after a deliberate change of the format: python -m golden.make_overlay
"""

import base64
from pathlib import Path

import numpy as np

from golden.make_tiles import POINTS, golden_tile, text
from worldloom_sdk.protocol.codec import encode
from worldloom_sdk.protocol.messages import TerrainEdited
from worldloom_sdk.protocol.overlay import GIVEN_BACK, Overlay, Patch, encode_overlay, overlaid, patched
from worldloom_sdk.protocol.tiles import ground_height

HERE = Path(__file__).parent
MORE = [(2.0, 4.0), (3.0, 4.5), (4.25, 5.75), (0.5, 255.5)]


def golden_overlay() -> Overlay:
    """That of the golden tile's region, made of integers alone."""
    x, z = np.arange(129)[None, :], np.arange(129)[:, None]
    heights = (x * z + 11 * x) % 3000 - 500
    samples = np.where((x + 2 * z) % 5 == 0, heights, GIVEN_BACK).astype(np.int16)
    return Overlay(-7, 12, 41, samples)


def golden_edit() -> Patch:
    """The region's part of an edit that makes version 42 of it: a corner of the region, some of it given back."""
    heights = np.array([[23_040, -7_680, GIVEN_BACK], [0, GIVEN_BACK, 96], [1, 2, 3]], np.int16)
    return Patch(-7 * 128, 12 * 128, heights)


def overlay_json() -> dict[str, object]:
    tile, before, edit = golden_tile(), golden_overlay(), golden_edit()
    after = patched(before, edit, 42)
    size = edit.width, edit.depth
    told = TerrainEdited(-7, 12, 42, edit.x, edit.z, *size, edit.to_bytes())
    return {
        "made_by": "python -m golden.make_overlay",
        "overlay_base64": base64.b64encode(encode_overlay(before)).decode(),
        "rx": before.rx,
        "rz": before.rz,
        "version": before.version,
        "samples_rule": "samples[z][x] = (x + 2z) mod 5 == 0 ? (xz + 11x) mod 3000 - 500 : -32768",
        "tile": "that of tiles.json",
        "ground": _points(overlaid(tile.heights, before)),
        "edited_hex": encode(told).hex(),
        "ground_after": _points(overlaid(tile.heights, after)),
    }


def _points(heights: np.ndarray) -> list[list[float]]:
    return [[x, z, float(ground_height(heights, x, z))] for x, z in POINTS + MORE]


if __name__ == "__main__":
    (HERE / "overlay.json").write_text(text(overlay_json()), encoding="utf-8")
