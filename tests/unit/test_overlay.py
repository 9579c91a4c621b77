"""Overlays: patches in global coordinates, what they touch, their bytes, and the function that joins them to tiles."""

import struct
import zlib

import numpy as np
import pytest

from worldloom_sdk.protocol.overlay import (
    GIVEN_BACK,
    MAX_OVERLAY_BYTES,
    MAX_SAMPLE,
    MIN_SAMPLE,
    Overlay,
    Patch,
    decode_overlay,
    encode_overlay,
    overlaid,
    patched,
)

TILE = np.arange(129 * 129, dtype=np.int16).reshape(129, 129)


def patch(x: int, z: int, width: int = 1, depth: int = 1, height: int = 320) -> Patch:
    return Patch(x, z, np.full((depth, width), height, np.int16))


def rough(seed: int) -> Overlay:
    rng = np.random.default_rng(seed)
    samples = rng.integers(-7_680, 23_041, (129, 129)).astype(np.int16)
    samples[rng.random((129, 129)) < 0.5] = GIVEN_BACK
    return Overlay(-3, 32_767, seed, samples)


# ---- which regions have a sample


@pytest.mark.parametrize(
    ("at", "regions"),
    [
        (patch(1, 1), [(0, 0)]),
        (patch(127, 127), [(0, 0)]),
        (patch(128, 5), [(0, 0), (1, 0)]),
        (patch(0, 5), [(-1, 0), (0, 0)]),
        (patch(5, -128), [(0, -2), (0, -1)]),
        (patch(0, 0), [(-1, -1), (0, -1), (-1, 0), (0, 0)]),
        (patch(127, 1, 2), [(0, 0), (1, 0)]),
        (patch(120, 120, 32, 32), [(0, 0), (1, 0), (0, 1), (1, 1)]),
        (patch(MIN_SAMPLE, MIN_SAMPLE), [(-32_767, -32_767)]),
        (patch(MAX_SAMPLE, MAX_SAMPLE), [(32_767, 32_767)]),
    ],
)
def test_a_patch_touches_every_region_that_has_one_of_its_samples(
    at: Patch, regions: list[tuple[int, int]]
) -> None:
    assert at.regions() == regions


def test_the_parts_of_a_patch_hold_each_sample_as_often_as_regions_have_it() -> None:
    heights = np.arange(32 * 32, dtype=np.int16).reshape(32, 32)
    whole = Patch(120, -140, heights)
    found: dict[tuple[int, int], list[int]] = {}
    for rx, rz in whole.regions():
        part = whole.within(rx, rz)
        rows, columns = part.place(rx, rz)
        assert 0 <= rows.start < rows.stop <= 129
        assert 0 <= columns.start < columns.stop <= 129
        for (row, column), height in np.ndenumerate(part.heights):
            found.setdefault((part.x + column, part.z + row), []).append(int(height))
    assert set(found) == {(120 + x, -140 + z) for x in range(32) for z in range(32)}
    for (x, z), seen in found.items():
        times = (2 if x % 128 == 0 else 1) * (2 if z % 128 == 0 else 1)
        assert seen == [int(heights[z + 140, x - 120])] * times


def test_a_region_has_no_part_of_a_patch_elsewhere() -> None:
    with pytest.raises(ValueError, match="expected 1 to 32 samples"):
        patch(5, 5).within(1, 0)


# ---- what is no patch


@pytest.mark.parametrize(
    ("x", "z", "heights", "wrong"),
    [
        (MIN_SAMPLE - 1, 0, np.zeros((1, 1), np.int16), r"samples of the world"),
        (0, MAX_SAMPLE, np.zeros((2, 1), np.int16), r"samples of the world"),
        (0, 0, np.zeros((1, 33), np.int16), r"1 to 32 samples a side, got 33 x 1"),
        (0, 0, np.zeros((0, 1), np.int16), r"1 to 32 samples a side, got 1 x 0"),
        (0, 0, np.full((1, 1), -7_681, np.int16), r"heights -7680 to 23040 .*got -7681"),
        (0, 0, np.full((1, 1), 23_041, np.int16), r"got 23041"),
        (0, 0, np.zeros(4, np.int16), r"\[depth, width\]"),
        (0, 0, np.zeros((1, 1)), r"float64"),
    ],
)
def test_what_is_out_of_bounds_is_refused_and_told(x: int, z: int, heights: np.ndarray, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Patch(x, z, heights)


def test_bytes_must_be_as_many_as_samples() -> None:
    given = struct.pack("<2h", 320, GIVEN_BACK)
    read = Patch.of_bytes(3, 4, 1, 2, given)
    assert (read.heights.tolist(), read.to_bytes()) == ([[320], [GIVEN_BACK]], given)
    with pytest.raises(ValueError, match="2 x 2 heights, 8 bytes, got 4"):
        Patch.of_bytes(3, 4, 2, 2, given)


def test_metres_become_samples_two_metres_apart() -> None:
    read = Patch.of_metres(-6, 256.0, [[1.5, None, None], (-240, 720, 0.03125)])
    assert (read.x, read.z, read.width, read.depth) == (-3, 128, 3, 2)
    assert read.heights.tolist() == [[48, GIVEN_BACK, GIVEN_BACK], [-7_680, 23_040, 1]]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ((-3.2, 0, [[0.0]]), "x: expected a multiple of 2 m, got -3.2"),
        ((0, float("nan"), [[0.0]]), "z: expected metres of the world, .*, got nan"),
        ((0, "6", [[0.0]]), "z: expected metres of the world, .*, got '6'"),
        ((2.0**40, 0, [[0.0]]), "x: expected metres of the world"),
        ((2 * MAX_SAMPLE, 0, [[0.0, 0.0]]), "expected samples of the world"),
        ((0, 0, [[0.0, 721.0]]), "heights: expected -240 to 720 m, or None, got 721.0"),
        ((0, 0, [[float("inf")]]), "heights: .* got inf"),
        ((0, 0, [[None, float("nan")]]), "heights: expected -240 to 720 m, or None, got nan"),
        ((0, 0, np.array([[np.nan, 1.0]])), "heights: .* got nan"),
        ((0, 0, [["3"]]), "heights: .* got '3'"),
        ((0, 0, [1.0, 2.0]), r"heights: expected rows of heights like \[\[3.0, None\]\], got 1.0"),
        ((0, 0, "hill"), "heights: expected rows of heights .* got 'hill'"),
        ((0, 0, ["hill"]), "heights: expected rows of heights .* got 'hill'"),
        ((0, 0, [[1.0], [1.0, 2.0]]), "heights: expected rows of one length, got 1 and 2 heights"),
        ((0, 0, []), "heights: expected 1 to 32 rows of 1 to 32 heights, got 0 of 0"),
        ((0, 0, np.zeros((33, 2))), "heights: expected 1 to 32 rows of 1 to 32 heights, got 33 of 2"),
    ],
)
def test_metres_that_are_no_samples_are_refused_by_the_callers_names(given: tuple, wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^{wrong}"):
        Patch.of_metres(*given)


# ---- tile and overlay


def test_where_nothing_was_changed_the_tile_holds() -> None:
    assert overlaid(TILE, None) is TILE
    assert overlaid(TILE, Overlay.empty(0, 0)) is TILE


def test_samples_are_set_and_given_back() -> None:
    edited = patched(Overlay.empty(0, 0), patch(3, 4, 2, 3), 1)
    heights = overlaid(TILE, edited)
    assert (heights[4:7, 3:5] == 320).all()
    outside = np.ones((129, 129), np.bool_)
    outside[4:7, 3:5] = False
    assert (heights[outside] == TILE[outside]).all()
    back = patched(edited, patch(4, 0, 1, 32, GIVEN_BACK), 2)
    assert (overlaid(TILE, back)[4:7, 3:5] == np.stack([[320] * 3, TILE[4:7, 4]], axis=1)).all()
    assert overlaid(TILE, back)[0, 3] == TILE[0, 3]


def test_an_edit_leaves_the_overlay_before_as_it_was() -> None:
    before = Overlay.empty(0, 0)
    patched(before, patch(0, 0), 1)
    assert (before.samples == GIVEN_BACK).all()
    with pytest.raises(ValueError, match="read-only"):
        before.samples[0, 0] = 1


# ---- bytes


@pytest.mark.parametrize("overlay", [Overlay.empty(0, 0), rough(1), rough(2**32 - 1)])
def test_an_overlay_is_read_as_it_was_written(overlay: Overlay) -> None:
    data = encode_overlay(overlay)
    read = decode_overlay(data)
    assert len(data) <= MAX_OVERLAY_BYTES
    assert (read.rx, read.rz, read.version) == (overlay.rx, overlay.rz, overlay.version)
    assert np.array_equal(read.samples, overlay.samples)


def test_a_few_edits_take_few_bytes() -> None:
    assert len(encode_overlay(patched(Overlay.empty(0, 0), patch(0, 0, 32, 32), 1))) < 300


GOOD = encode_overlay(rough(1))
PAYLOAD = zlib.decompress(GOOD[8:])


def spoilt(at: int, form: str, value: int) -> bytes:
    payload = bytearray(PAYLOAD)
    struct.pack_into(form, payload, at, value)
    return GOOD[:8] + zlib.compress(payload)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:8],
        b"WLT" + GOOD[3:],
        GOOD[:3] + b"\2" + GOOD[4:],
        GOOD[:4] + struct.pack("<I", len(PAYLOAD) + 1) + GOOD[8:],
        GOOD[:-1],
        GOOD + b"\0",
        GOOD[:8] + b"no zlib",
        GOOD[:8] + zlib.compress(PAYLOAD + b"\0"),
        GOOD[:8] + zlib.compress(bytes(50_000_000)),
        bytes(MAX_OVERLAY_BYTES + 1),
        spoilt(0, "<i", 32_768),
        spoilt(12, "<I", 1),
        spoilt(16 + 16_641, "<B", 0xE1),
    ],
)
def test_what_is_no_overlay_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        decode_overlay(data)


@pytest.mark.parametrize("samples", [np.zeros((129, 129)), np.zeros((129, 128), np.int16)])
def test_an_overlay_of_another_shape_or_type_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected int16"):
        Overlay(0, 0, 1, samples)


def test_a_version_beyond_the_last_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a version"):
        Overlay(0, 0, 2**32, Overlay.empty(0, 0).samples)
