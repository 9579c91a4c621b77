import numpy as np
import pytest

from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.overlay import GIVEN_BACK, Overlay, Patch, overlaid, patched
from worldloom_sdk.protocol.tiles import ground_height


def rough(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-7680, 23_041, (129, 129)).astype(np.int16)


def test_an_empty_table_knows_nothing():
    y, known = TerrainTable().ground(np.array([0, 5], np.int64), np.array([0, -5], np.int64))
    assert y.tolist() == [0, 0]
    assert known.tolist() == [False, False]


def test_heights_are_those_of_the_tiles_rounded_down():
    table, tiles = TerrainTable(), {}
    for k, region in enumerate([(0, 0), (-1, 0), (0, -1), (-1, -1), (32_767, -32_767)]):
        tiles[region] = rough(k)
        table.add(*region, tiles[region])
    rng = np.random.default_rng(9)
    for (rx, rz), heights in tiles.items():
        x, z = rng.integers(0, 16_384, 500), rng.integers(0, 16_384, 500)
        y, known = table.ground((rx << 14) + x, (rz << 14) + z)
        assert known.all()
        assert np.array_equal(y, np.floor(ground_height(heights, x / 64, z / 64) * 16).astype(np.int64))


def test_positions_in_unknown_regions_are_answered_as_unknown():
    table = TerrainTable()
    table.add(1, 0, np.full((129, 129), 320, np.int16))
    x = np.array([16_383, 16_384, 32_767, 32_768, 20_000], np.int64)
    y, known = table.ground(x, np.array([0, 0, 16_383, 0, -1], np.int64))
    assert known.tolist() == [False, True, True, False, False]
    assert y.tolist() == [0, 160, 160, 0, 0]


def test_regions_come_and_go_and_are_replaced():
    table = TerrainTable()
    for rx in range(40):
        table.add(rx, -rx, np.full((129, 129), rx, np.int16))
    for rx in range(0, 40, 2):
        table.remove(rx, -rx)
    table.remove(999, 999)
    table.add(3, -3, np.full((129, 129), 1000, np.int16))
    table.add(100, 100, np.full((129, 129), 2000, np.int16))
    assert len(table) == 21
    assert (3, -3) in table
    assert (4, -4) not in table
    assert table.regions()[-1] == (100, 100)
    corners = np.array([3, 4, 5, 100], np.int64) << 14
    y, known = table.ground(corners, np.array([-3, -4, -5, 100], np.int64) << 14)
    assert known.tolist() == [True, False, True, True]
    assert y.tolist() == [500, 0, 2, 1000]


def test_what_is_added_is_copied():
    table, heights = TerrainTable(), np.zeros((129, 129), np.int16)
    table.add(0, 0, heights)
    heights[:] = 320
    assert table.ground(np.array([1], np.int64), np.array([1], np.int64))[0].tolist() == [0]


@pytest.mark.parametrize("heights", [np.zeros((129, 129)), np.zeros((128, 129), np.int16)])
def test_other_shapes_and_types_are_refused(heights):
    with pytest.raises(ValueError, match="expected int16"):
        TerrainTable().add(0, 0, heights)


def everywhere(table: TerrainTable, rx: int, rz: int) -> list[int]:
    """Ground at every sample of a region but the last row and column, which are its neighbours'."""
    at = np.arange(128) * 128
    x, z = np.meshgrid((rx << 14) + at, (rz << 14) + at)
    y, known = table.ground(x.ravel(), z.ravel())
    assert known.all()
    return y.tolist()


def test_edits_one_by_one_give_the_ground_of_tile_and_overlay_joined():
    rng = np.random.default_rng(5)
    table, tile, overlay = TerrainTable(), rough(1), Overlay.empty(-1, 2)
    table.add(-1, 2, tile)
    for version in range(1, 40):
        heights = rng.integers(-7680, 23_041, rng.integers(1, 33, 2)).astype(np.int16)
        heights[rng.random(heights.shape) < 0.3] = GIVEN_BACK
        patch = Patch(int(rng.integers(-140, 0)), int(rng.integers(240, 384)), heights)
        if (-1, 2) in patch.regions():
            table.edit(-1, 2, patch)
            overlay = patched(overlay, patch, version)
        expected = (overlaid(tile, overlay)[:-1, :-1].astype(np.int64) >> 1).ravel().tolist()
        assert everywhere(table, -1, 2) == expected
    again = TerrainTable()
    again.add(-1, 2, tile, overlay)
    assert everywhere(again, -1, 2) == expected
    again.add(-1, 2, tile)
    again.lay(overlay)
    assert everywhere(again, -1, 2) == expected


def test_a_border_is_walked_the_same_from_both_sides_after_an_edit():
    table = TerrainTable()
    table.add(0, 0, np.zeros((129, 129), np.int16))
    table.add(1, 0, np.zeros((129, 129), np.int16))
    patch = Patch(128, 10, np.full((3, 1), 640, np.int16))
    for region in patch.regions():
        if region in table:
            table.edit(*region, patch)
    x = np.array([16_384 - 64, 16_384, 16_384 + 64], np.int64)
    y, _ = table.ground(x, np.full(3, 11 * 128, np.int64))
    assert y.tolist() == [160, 320, 160]


def test_what_is_unknown_cannot_be_edited():
    table = TerrainTable()
    with pytest.raises(KeyError):
        table.edit(0, 0, Patch(1, 1, np.zeros((1, 1), np.int16)))
    with pytest.raises(KeyError):
        table.lay(Overlay.empty(0, 0))
    table.add(0, 0, rough(1))
    table.remove(0, 0)
    with pytest.raises(KeyError):
        table.edit(0, 0, Patch(1, 1, np.zeros((1, 1), np.int16)))
