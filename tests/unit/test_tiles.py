import base64
import contextlib
import json
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.make_tiles import golden_tile, text, tiles_json
from worldloom_sdk.protocol.tiles import (
    MAX_HEIGHT,
    MAX_THINGS,
    MAX_TILE_BYTES,
    MIN_HEIGHT,
    THING_DTYPE,
    Tile,
    decode_tile,
    encode_tile,
    ground_height,
    no_things,
    tile_sha256,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "tiles.json"
FLAT = np.zeros((129, 129), np.int16)
GRASS = np.full((128, 128), 3, np.uint8)


def framed(payload: bytes, size: int | None = None, version: int = 1) -> bytes:
    return struct.pack("<3sBI", b"WLT", version, len(payload) if size is None else size) + zlib.compress(
        payload
    )


def payload_of(data: bytes) -> bytes:
    return zlib.decompress(data[8:])


def full_of_things(count: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    things = np.empty(count, THING_DTYPE)
    for name, top in (("kind", 256), ("x", 16_384), ("z", 16_384), ("scale", 256), ("yaw", 256)):
        things[name] = rng.integers(0, top, count)
    return things


def test_golden_bytes_decode_to_the_golden_tile():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    tile, expected = decode_tile(base64.b64decode(golden["tile_base64"])), golden_tile()
    assert (tile.rx, tile.rz) == (golden["rx"], golden["rz"])
    assert np.array_equal(tile.heights, expected.heights)
    assert np.array_equal(tile.surface, expected.surface)
    assert [list(thing) for thing in tile.things.tolist()] == golden["things"]
    assert tile.provenance == golden["provenance"]


def test_golden_file_is_what_its_command_writes():
    # The compressed bytes may differ between builds of zlib; what they hold may not.
    stands, made = json.loads(GOLDEN.read_text(encoding="utf-8")), json.loads(text(tiles_json()))
    stands["tile_base64"], made["tile_base64"] = (
        payload_of(base64.b64decode(golden["tile_base64"])).hex() for golden in (stands, made)
    )
    assert stands == made


def test_golden_ground_points_hold():
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    x, z, y = np.array(golden["ground"]).T
    assert np.array_equal(ground_height(golden_tile().heights, x, z), y)


def test_ground_meets_samples_and_is_split_along_the_diagonal():
    heights = FLAT.copy()
    heights[0, 1] = 64
    assert ground_height(heights, 2.0, 0.0) == 2.0
    assert ground_height(heights, 1.0, 1.0) == 0.0, "the diagonal joins two samples at 0"
    assert ground_height(heights, 1.5, 0.5) == 1.0
    assert ground_height(heights, 0.5, 1.5) == 0.0


@pytest.mark.parametrize("x", [-0.001, 256.001, float("nan"), float("inf")])
def test_ground_outside_the_region_is_refused(x):
    with pytest.raises(ValueError, match="outside"):
        ground_height(FLAT, x, 1.0)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rx=st.integers(-32_767, 32_767),
    rz=st.integers(-32_767, 32_767),
    count=st.sampled_from([0, 1, 17, MAX_THINGS]),
    provenance=st.dictionaries(
        st.text(max_size=9), st.text(max_size=9) | st.integers(-(2**53) + 1, 2**53 - 1)
    ),
)
def test_any_tile_survives_its_bytes(seed, rx, rz, count, provenance):
    rng = np.random.default_rng(seed)
    heights = rng.integers(MIN_HEIGHT, MAX_HEIGHT + 1, (129, 129)).astype(np.int16)
    surface = rng.integers(0, 256, (128, 128)).astype(np.uint8)
    tile = Tile(rx, rz, heights, surface, full_of_things(count), provenance=provenance)
    data = encode_tile(tile)
    back = decode_tile(data)
    assert len(data) <= MAX_TILE_BYTES
    assert np.array_equal(back.heights, heights)
    assert np.array_equal(back.surface, surface)
    assert np.array_equal(back.things, tile.things)
    assert (back.rx, back.rz, back.provenance) == (rx, rz, provenance)
    assert tile_sha256(encode_tile(back)) == tile_sha256(data)


def test_arrays_are_read_only_and_those_of_the_maker_stay_his_own():
    heights = FLAT.copy()
    tile = Tile(0, 0, heights, GRASS, full_of_things(2))
    heights[0, 0] = 9
    assert tile.heights[0, 0] == 0
    assert not any(array.flags.writeable for array in (tile.heights, tile.surface, tile.things))
    back = decode_tile(encode_tile(tile))
    assert not any(array.flags.writeable for array in (back.heights, back.surface, back.things))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rx", 32_768),
        ("rz", -32_768),
        ("rx", 1.5),
        ("heights", FLAT.astype(np.float64)),
        ("heights", np.full((129, 129), np.nan)),
        ("heights", FLAT[:128]),
        ("heights", None),
        ("heights", np.full((129, 129), MAX_HEIGHT + 1, np.int16)),
        ("heights", np.full((129, 129), MIN_HEIGHT - 1, np.int16)),
        ("surface", GRASS.astype(np.int16)),
        ("surface", FLAT),
        ("things", np.zeros(MAX_THINGS + 1, THING_DTYPE)),
        ("things", np.array([(1, 16_384, 0, 64, 0)], THING_DTYPE)),
        ("things", np.zeros(3, np.uint8)),
        ("version", 2),
        ("provenance", {"a": 1.5}),
        ("provenance", {"a": True}),
        ("provenance", {"a": 2**53}),
        ("provenance", {"a": "x" * 5000}),
    ],
)
def test_what_is_no_land_is_refused(field, value):
    fields = {"rx": 0, "rz": 0, "heights": FLAT, "surface": GRASS, "things": no_things()}
    with pytest.raises(ValueError, match="expected"):
        Tile(**(fields | {field: value}))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_random_bytes_raise_only_value_errors(plain, inner):
    for data in (plain, b"WLT\x01" + plain, framed(inner)):
        with pytest.raises(ValueError, match="expected"):
            decode_tile(data)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 49_681), st.integers(0, 255))
def test_a_changed_payload_decodes_or_raises_a_value_error(at, byte):
    payload = bytearray(payload_of(encode_tile(golden_tile())))
    payload[at] = byte
    with contextlib.suppress(ValueError):
        decode_tile(framed(bytes(payload)))


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=2, max_size=4096))
def test_a_strange_provenance_raises_only_value_errors(provenance):
    payload = payload_of(encode_tile(Tile(0, 0, FLAT, GRASS)))[:-2] + provenance
    payload = payload[:10] + struct.pack("<H", len(provenance)) + payload[12:]
    with contextlib.suppress(ValueError):
        decode_tile(framed(payload))


def test_a_deep_provenance_is_refused():
    payload = payload_of(encode_tile(Tile(0, 0, FLAT, GRASS)))[:-2] + b"[" * 4096
    with pytest.raises(ValueError, match="expected"):
        decode_tile(framed(payload[:10] + struct.pack("<H", 4096) + payload[12:]))


def test_a_decompression_bomb_is_refused_before_it_grows():
    bomb = framed(bytes(80_000_000), size=60_000)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="expected"):
            decode_tile(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"WLU" + data[3:],
        lambda data: data[:3] + b"\x02" + data[4:],
        lambda data: data[:4] + struct.pack("<I", 49_000) + data[8:],
        lambda data: data[:4] + struct.pack("<I", 2**32 - 1) + data[8:],
        lambda data: framed(payload_of(data)[:-1]),
        lambda data: framed(payload_of(data) + b"\0"),
        lambda data: data + bytes(MAX_TILE_BYTES),
        lambda data: framed(b"\0\0\1\0" + payload_of(data)[4:]),
    ],
)
def test_spoilt_bytes_are_refused(spoil):
    with pytest.raises(ValueError, match="expected"):
        decode_tile(spoil(encode_tile(golden_tile())))
