"""Stitching a tile to its neighbours, and the edges that it goes by."""

import numpy as np
import pytest

from worldloom.world.edges import EDGES_BYTES, edges_of, fits, read_edges, wanted
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.stitch import FADE_M, stitch
from worldloom_sdk.protocol.tiles import (
    MAX_HEIGHT,
    MIN_HEIGHT,
    THING_DTYPE,
    Surface,
    ThingKind,
    Tile,
    encode_tile,
)

ALL_AROUND = [(dx, dz) for dx in (-1, 0, 1) for dz in (-1, 0, 1) if (dx, dz) != (0, 0)]
FADE = FADE_M // 2


def flat(height_m: float, surface: Surface = Surface.GRASS, things=()) -> Tile:
    heights = np.full((129, 129), round(height_m * 32), np.int16)
    placed = np.array(list(things), THING_DTYPE)
    return Tile(0, 0, heights, np.full((128, 128), surface, np.uint8), placed)


def rough(seed: int) -> Tile:
    heights = np.random.default_rng(seed).normal(0, 90, (129, 129)).round().astype(np.int16)
    return Tile(0, 0, heights, np.full((128, 128), Surface.GRASS, np.uint8))


def edges(tile: Tile) -> np.ndarray:
    return read_edges(edges_of(tile.heights))


def test_edges_are_the_three_outermost_rows_of_each_side_from_the_border_inwards():
    tile = rough(1)
    data = edges_of(tile.heights)
    assert len(data) == EDGES_BYTES
    north, south, west, east = read_edges(data)
    assert np.array_equal(north, tile.heights[:3])
    assert np.array_equal(south, tile.heights[[128, 127, 126]])
    assert np.array_equal(west, tile.heights[:, :3].T)
    assert np.array_equal(east, tile.heights[:, [128, 127, 126]].T)


@pytest.mark.parametrize("data", [b"", b"\0" * (EDGES_BYTES - 1), b"\0" * (EDGES_BYTES + 2)])
def test_edges_of_another_length_are_refused(data):
    with pytest.raises(ValueError, match="3096"):
        read_edges(data)


@pytest.mark.parametrize(
    ("offset", "corner"),
    [((-1, -1), (0, 0)), ((1, -1), (0, 128)), ((-1, 1), (128, 0)), ((1, 1), (128, 128))],
)
def test_a_neighbour_across_a_corner_says_that_one_sample_with_the_corner_opposite(offset, corner):
    other = rough(2)
    heights, said = wanted({offset: edges(other)})
    assert np.argwhere(said).tolist() == [list(corner)]
    assert heights[corner] == other.heights[128 - corner[0], 128 - corner[1]]


def test_neighbours_all_around_say_the_whole_border_and_nothing_inside():
    _, said = wanted({offset: edges(flat(1)) for offset in ALL_AROUND})
    assert said.sum() == 4 * 128
    assert not said[1:-1, 1:-1].any()


def test_a_tile_that_fits_stays_the_very_same():
    noise = NoiseSource(5)
    tile = noise.generate(3, 4)
    around = {(dx, dz): edges(noise.generate(3 + dx, 4 + dz)) for dx, dz in ALL_AROUND}
    assert fits(edges(tile), around)
    assert stitch(tile, around) is tile
    assert stitch(tile, {}) is tile


@pytest.mark.parametrize("offset", ALL_AROUND)
def test_one_neighbour_is_met_to_the_bit_and_felt_no_farther_than_the_fade(offset):
    tile, other = rough(3), rough(4)
    fitted = stitch(tile, {offset: edges(other)})
    assert fits(edges(fitted), {offset: edges(other)})
    felt = np.argwhere(fitted.heights != tile.heights)
    dx, dz = offset
    border_z, border_x = (128 * (d > 0) for d in (dz, dx))
    reach = np.maximum(abs(dz) * np.abs(felt[:, 0] - border_z), abs(dx) * np.abs(felt[:, 1] - border_x))
    assert len(felt) > 0
    assert reach.max() < FADE


def test_opposite_neighbours_at_other_heights_are_both_met_to_the_bit():
    around = {offset: edges(rough(10 + k)) for k, offset in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)])}
    # Corners are said twice: made to agree, as those of stored tiles do.
    for _, dx, dz in ((0, -1, -1), (0, 1, -1), (0, -1, 1), (0, 1, 1)):
        along = 128 * (dx > 0), 128 * (dz > 0)
        around[0, dz][1 if dz < 0 else 0, 0, along[0]] = 7
        around[dx, 0][3 if dx < 0 else 2, 0, along[1]] = 7
    fitted = stitch(flat(40), around)
    heights, said = wanted(around)
    assert said.sum() == 4 * 128
    assert np.array_equal(fitted.heights[said], heights[said])
    assert fits(edges(fitted), around)


def test_a_cliff_of_forty_metres_becomes_a_slope_without_a_crease():
    fitted = stitch(flat(40), {(-1, 0): edges(flat(0))})
    across = fitted.heights[64] / 32
    assert across[0] == 0
    assert across[FADE] == 40
    assert np.diff(across).min() >= 0
    assert np.diff(across).max() < 3, "metres in a step of 2 m"
    assert np.abs(np.diff(across[:4], 2)).max() < 0.1, "it begins as level as the neighbour ends"


def test_a_slope_goes_on_into_the_other_source_as_it_came():
    slope = Tile(0, 0, np.tile((np.arange(129) * 20).astype(np.int16), (129, 1)), flat(0).surface)
    fitted = stitch(flat(70), {(-1, 0): edges(slope)})
    line = np.concatenate([slope.heights[64], fitted.heights[64, 1:]]).astype(int)
    assert np.abs(np.diff(line, 2)[122:132]).max() <= 4, "1/32 m: 20 a sample on both sides of the border"


def test_a_rough_neighbour_leaves_no_streaks_far_inside():
    fitted = stitch(flat(0), {(-1, 0): edges(rough(6))})
    along = np.abs(np.diff(fitted.heights / 32, axis=0))
    assert along[20:-20, 8].mean() < 0.25 * along[:, 0].mean()
    assert along[20:-20, 28].mean() < 0.02 * along[:, 0].mean()


def test_heights_stay_within_what_a_tile_can_say():
    deep, high = (
        Tile(0, 0, np.full((129, 129), at, np.int16), flat(0).surface) for at in (MIN_HEIGHT, MAX_HEIGHT)
    )
    steep = Tile(
        0, 0, np.linspace(MIN_HEIGHT, MAX_HEIGHT, 129).astype(np.int16)[:, None].repeat(129, 1), deep.surface
    )
    for tile in (deep, high, steep):
        fitted = stitch(tile, {(0, -1): edges(steep), (1, 0): edges(high)})
        assert fitted.heights.min() >= MIN_HEIGHT
        assert fitted.heights.max() <= MAX_HEIGHT


def test_woods_that_come_to_lie_under_the_sea_are_seabed_without_trees():
    things = [(ThingKind.CONIFER, x * 64, 8_192, 64, 0) for x in (2, 200)] + [
        (ThingKind.ROCK, 128, 9_000, 64, 0)
    ]
    fitted = stitch(flat(6, Surface.FOREST, things), {(-1, 0): edges(flat(-10))})
    assert fitted.surface[64, 0] == Surface.SEABED
    assert fitted.surface[64, 100] == Surface.FOREST
    assert set(fitted.surface[64].tolist()) == {Surface.SEABED, Surface.SAND, Surface.FOREST}
    assert [(int(t["kind"]), int(t["x"]) // 64) for t in fitted.things] == [
        (ThingKind.CONIFER, 200),
        (ThingKind.ROCK, 2),
    ]


def test_seabed_that_is_lifted_out_of_the_sea_becomes_a_beach_and_grass():
    fitted = stitch(flat(-10, Surface.SEABED), {(-1, 0): edges(flat(6))})
    assert fitted.surface[64, 0] == Surface.GRASS
    assert fitted.surface[64, 100] == Surface.SEABED
    assert Surface.SAND in fitted.surface[64]


def test_a_bank_too_steep_for_meadow_is_rock():
    fitted = stitch(flat(60, Surface.MEADOW), {(-1, 0): edges(flat(4))})
    assert fitted.surface[64, FADE // 2] == Surface.ROCK
    assert fitted.surface[64, 100] == Surface.MEADOW


def test_a_fitted_tile_says_so_and_is_a_tile():
    fitted = stitch(flat(40), {(-1, 0): edges(flat(0))})
    assert fitted.provenance["stitched"] == 1
    assert len(encode_tile(fitted)) > 0
