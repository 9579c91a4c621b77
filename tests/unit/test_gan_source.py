"""The trained source: tiles that meet to the bit whatever style is in force, and refusals."""

import random
from dataclasses import replace

import numpy as np
import pytest

from small_loom import LOOM_SEED, patchwork, small_model, small_table
from worldloom.errors import TerrainRejected
from worldloom.worldgen.gan.conditions import CONDITIONS_N
from worldloom.worldgen.gan.source import GAN_VERSION, GanSource
from worldloom.worldgen.gan.style import Style
from worldloom_sdk.protocol.geometry import REGION_LIMIT
from worldloom_sdk.protocol.tiles import MAX_HEIGHT, MIN_HEIGHT, Tile, decode_tile, encode_tile

Region = tuple[int, int]


@pytest.fixture
def source() -> GanSource:
    return GanSource(small_model(), LOOM_SEED)


def patched(source: GanSource, rx: int, rz: int) -> Tile:
    """By another style in each region."""
    around = {(dx, dz): patchwork(rx + dx, rz + dz).key for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    return source.weave(rx, rz, around)


def assert_meet(tiles: dict[Region, Tile]) -> None:
    for (rx, rz), tile in tiles.items():
        if east := tiles.get((rx + 1, rz)):
            assert np.array_equal(tile.heights[:, -1], east.heights[:, 0]), (rx, rz)
        if south := tiles.get((rx, rz + 1)):
            assert np.array_equal(tile.heights[-1], south.heights[0]), (rx, rz)


@pytest.mark.slow
@pytest.mark.parametrize("corner", [(-1, -1), (REGION_LIMIT - 1, -REGION_LIMIT)])
def test_tiles_of_neighbours_share_their_edges_to_the_bit(source: GanSource, corner: Region) -> None:
    regions = [(corner[0] + i, corner[1] + j) for i in range(2) for j in range(2)]
    random.Random(3).shuffle(regions)
    tiles = {at: source.generate(*at) for at in regions}
    assert_meet(tiles)
    assert all(np.ptp(tile.heights) > 32 for tile in tiles.values())


@pytest.mark.slow
def test_tiles_share_their_edges_to_the_bit_where_styles_change_from_one_to_the_next() -> None:
    regions = [(i - 3, j + 8) for i in range(3) for j in range(3)]
    random.Random(4).shuffle(regions)
    tiles = {at: patched(GanSource(small_model(), LOOM_SEED), *at) for at in regions}
    assert_meet(tiles)
    assert np.ptp([float(tile.heights.std()) for tile in tiles.values()]) > 64


def test_a_region_without_given_styles_is_woven_by_the_worlds_own(source: GanSource) -> None:
    own = source.provinces.styles(4, -4)
    given = encode_tile(source.weave(4, -4, own))
    assert encode_tile(source.generate(4, -4)) == given
    own = dict(own)
    del own[1, 0]
    assert encode_tile(source.weave(4, -4, own)) == given
    other = encode_tile(source.weave(4, -4, {(0, 0): patchwork(0, 0).key}))
    assert other != given


def test_a_tile_is_read_back_from_its_bytes_and_says_of_which_model_it_is(source: GanSource) -> None:
    tile = source.generate(2, 3)
    again = decode_tile(encode_tile(tile))
    assert np.array_equal(again.heights, tile.heights)
    assert (again.rx, again.rz) == (2, 3)
    assert again.provenance == {
        "generator": "gan",
        "version": GAN_VERSION,
        "model": source.model.sha256,
        "seed": str(LOOM_SEED),
    }


@pytest.mark.parametrize("at", [(REGION_LIMIT + 1, 0), (0, -REGION_LIMIT - 1)])
def test_beyond_the_end_of_the_world_there_is_no_region(source: GanSource, at: Region) -> None:
    with pytest.raises(ValueError, match=rf"expected region indices within \+-{REGION_LIMIT}, got {at[0]}"):
        source.generate(*at)


def test_bytes_that_are_no_style_are_refused(source: GanSource) -> None:
    with pytest.raises(ValueError, match="expected a style"):
        source.weave(0, 0, {(0, 0): b"WLS1"})


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_weights_that_are_no_numbers_make_no_land(wrong: float) -> None:
    model = small_model()
    model.generator.stages[3].head.bias.data.fill_(wrong)
    source = GanSource(model, LOOM_SEED)
    with pytest.raises(TerrainRejected, match=r"expected finite heights of region \(1, 2\)"):
        source.generate(1, 2)


def test_heights_stay_within_what_a_tile_can_hold(source: GanSource) -> None:
    conditions = small_table()[5]
    conditions[0] = 12.0
    high = Style(conditions)
    around = {(dx, dz): high.key for dx in (-1, 0, 1) for dz in (-1, 0, 1)}
    tile = source.weave(0, 0, around)
    assert (tile.heights.min(), tile.heights.max()) == (MIN_HEIGHT, MAX_HEIGHT)
    decode_tile(encode_tile(tile))


def test_a_model_of_the_same_net_and_other_land_makes_other_land(source: GanSource) -> None:
    other = GanSource(replace(source.model, table=small_table(seed=9)), LOOM_SEED)
    assert not np.array_equal(other.generate(0, 0).heights, source.generate(0, 0).heights)
    assert source.model.table.shape[1] == CONDITIONS_N
