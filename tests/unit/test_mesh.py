"""Meshes of the ground, and shapes of what stands on it."""

import numpy as np
import pytest

from worldloom.worldgen.mesh import LODS, Ground, linear, triangles
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.picture import colour_of, crown_of
from worldloom.worldgen.shapes import shape_of
from worldloom_sdk.protocol.tiles import Surface, ThingKind, Tile, ground_height

SOURCE = NoiseSource(7)
TILES = {(rx, rz): SOURCE.generate(rx, rz) for rx in (4, 5) for rz in (-3, -2)}


def flat(height_m: float = 0.0, surface: int = Surface.GRASS) -> Tile:
    heights = np.full((129, 129), round(height_m * 32), np.int16)
    return Tile(0, 0, heights, np.full((128, 128), surface, np.uint8))


def test_each_quad_is_split_from_its_low_corner_to_its_high_corner():
    assert triangles(2).reshape(-1, 3).tolist() == [[0, 2, 3], [0, 3, 1]]


def test_every_triangle_is_seen_from_above():
    mesh = Ground(TILES, 4).mesh((4, -3))
    corners = mesh.positions[mesh.indices].reshape(-1, 3, 3)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (across[:, 1] > 0).all()
    assert np.allclose(across[:, 1].sum() / 2, 256 * 256), "they cover the region once"


def test_the_mesh_is_the_ground_that_people_walk_on():
    ground, tile = Ground(TILES), TILES[4, -3]
    x, z = np.random.default_rng(1).uniform(0, 256, (2, 5000))
    assert np.allclose(ground.height((4, -3), x, z), ground_height(tile.heights, x, z), atol=1e-9)
    positions = ground.mesh((4, -3)).positions.reshape(129, 129, 3)
    assert (positions[..., 1] * 32 == tile.heights).all()
    assert positions[3, 5].tolist() == [10, tile.heights[3, 5] / 32, 6]


@pytest.mark.parametrize("lod", LODS)
def test_neighbours_meet_to_the_bit_at_every_level_of_detail(lod):
    ground = Ground(TILES, lod)
    side = 128 // lod + 1

    def grid(region, name):
        return getattr(ground.mesh(region), name).reshape(side, side, -1)

    for name, columns in (("positions", slice(1, 2)), ("normals", slice(None)), ("colours", slice(None))):
        west, east, south = (grid(region, name)[..., columns] for region in ((4, -3), (5, -3), (4, -2)))
        assert (west[:, -1] == east[:, 0]).all(), name
        assert (west[-1] == south[0]).all(), name


@pytest.mark.parametrize("lod", LODS)
def test_a_coarser_mesh_keeps_the_samples_that_it_has(lod):
    positions = Ground(TILES, lod).mesh((5, -2)).positions.reshape(128 // lod + 1, -1, 3)
    assert (positions[..., 1] * 32 == TILES[5, -2].heights[::lod, ::lod]).all()
    assert positions[-1, -1, ::2].tolist() == [256, 256]


def test_a_plane_has_one_normal_up_to_its_rim():
    rise = np.broadcast_to(np.arange(129) * 64, (129, 129)).astype(np.int16)
    tile = Tile(0, 0, rise, np.zeros((128, 128), np.uint8))
    normals = Ground({(0, 0): tile}).mesh((0, 0)).normals
    assert np.allclose(normals, [-(0.5**0.5), 0.5**0.5, 0.0], atol=1e-6)


def test_colours_are_those_of_the_map_in_linear_light():
    snow = Ground({(0, 0): flat(surface=Surface.SNOW)}).mesh((0, 0)).colours
    red, green, blue = np.rint(linear(colour_of(Surface.SNOW)) * 255).tolist()
    assert np.unique(snow, axis=0).tolist() == [[red, green, blue, 255]]
    assert linear([0, 255]).tolist() == [0, 1]
    assert linear(188) == pytest.approx(0.5029, abs=1e-4)


def test_ground_of_an_unknown_class_looks_like_grass():
    unknown, grass = (Ground({(0, 0): flat(surface=kind)}, 16).mesh((0, 0)) for kind in (200, Surface.GRASS))
    assert (unknown.colours == grass.colours).all()


@pytest.mark.parametrize("lod", LODS)
def test_the_sea_is_in_the_cells_that_have_some(lod):
    heights = np.full((129, 129), 32, np.int16)
    heights[16, 48] = -1  # On the corner of four cells, and in every level of detail.
    tile = Tile(0, 0, heights, np.zeros((128, 128), np.uint8))
    cells = Ground({(0, 0): tile}, lod).sea((0, 0))
    assert np.argwhere(cells).tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]


def test_ground_at_the_level_of_the_sea_is_dry():
    assert not Ground({(0, 0): flat(0.0)}).sea((0, 0)).any()


@pytest.mark.parametrize("lod", [0, 3, 32])
def test_another_level_of_detail_is_refused(lod):
    with pytest.raises(ValueError, match="expected one of"):
        Ground(TILES, lod)


def test_no_land_is_refused():
    with pytest.raises(ValueError, match="at least one region"):
        Ground({})


@pytest.mark.parametrize("kind", ThingKind)
def test_a_shape_is_closed_small_and_faces_outwards(kind):
    mesh = shape_of(kind)
    corners = mesh.positions.astype(np.float64).reshape(-1, 3, 3)
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    assert volume > 0
    assert 12 <= len(corners) <= 60
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.einsum("ij,ij->i", across, mesh.normals[::3]) > 0).all()
    assert mesh.positions[:, 1].min() < 0 < mesh.positions[:, 1].max()


@pytest.mark.parametrize("kind", set(ThingKind) - {ThingKind.REED})
def test_a_shape_is_as_wide_as_the_map_shows_it(kind):
    reach = np.linalg.norm(shape_of(kind).positions[:, ::2], axis=1).max()
    assert reach == pytest.approx(crown_of(kind)[1], rel=0.25)
