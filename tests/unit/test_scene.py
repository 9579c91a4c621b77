"""Scenes: a part of the world as glTF."""

import io

import numpy as np
import pytest

from glb_reader import Model, read_glb
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.scene import scene
from worldloom_sdk.protocol.tiles import THING_DTYPE, ThingKind, Tile, ground_height


def built(tiles: list[Tile], **options) -> Model:
    file = io.BytesIO()
    by_region = {(tile.rx, tile.rz): tile for tile in tiles}
    scene(by_region, options.pop("stored", set()), "Worldloom test", {"seed": "7"}, **options).write(file)
    return read_glb(file.getvalue())


def level(rx: int = 0, rz: int = 0, height_m: float = 1.0, things=()) -> Tile:
    heights = np.full((129, 129), round(height_m * 32), np.int16)
    return Tile(rx, rz, heights, np.zeros((128, 128), np.uint8), np.array(list(things), THING_DTYPE))


def turned(node, point):
    """A point turned by a node's rotation, which is about Y alone."""
    _, sine, _, cosine = node["rotation"]
    half = np.arctan2(sine, cosine)
    x, y, z = point
    return [
        x * np.cos(2 * half) + z * np.sin(2 * half),
        y,
        z * np.cos(2 * half) - x * np.sin(2 * half),
    ]


def test_regions_lie_where_they_belong_seen_from_the_low_corner():
    model = built([level(-1, 5), level(0, 5), level(-1, 6), level(0, 6)], stored={(0, 6)})
    (root,) = [model.document["nodes"][node] for node in model.document["scenes"][0]["nodes"]]
    places = {node["name"]: node["translation"] for node in model.children(root)}
    assert places == {
        "region -1,5": [0, 0, 0],
        "region 0,5": [256, 0, 0],
        "region -1,6": [0, 0, 256],
        "region 0,6": [256, 0, 256],
    }
    assert model.node("region 0,6")["extras"] == {"rx": 0, "rz": 6, "stored": True}
    assert model.document["asset"] == {
        "version": "2.0",
        "generator": "Worldloom test",
        "extras": {"seed": "7"},
    }


def test_far_from_the_middle_of_the_world_positions_are_as_exact_as_near_it():
    near, far = (built([level(at, at), level(at + 1, at)]) for at in (0, 32_766))
    for region, other in (("region 0,0", "region 32766,32766"), ("region 1,0", "region 32767,32766")):
        assert near.node(region)["translation"] == far.node(other)["translation"]
        assert (near.corners(near.node(region)) == far.corners(far.node(other))).all()


def test_all_regions_share_one_list_of_triangles():
    model = built([level(0, 0), level(1, 0)])
    used = [primitive["indices"] for mesh in model.document["meshes"] for primitive in mesh["primitives"]]
    assert len(used) == 2
    assert len(set(used)) == 1


def test_a_thing_stands_on_the_ground_turned_and_sized_as_the_tile_says():
    tile = level(height_m=3.5, things=[(ThingKind.DEADWOOD, 10 * 64, 20 * 64 + 32, 96, 64)])
    model = built([tile])
    (node,) = model.children(model.node("things"))
    assert model.mesh_name(node) == "deadwood"
    assert node["translation"] == [10, 3.5, 20.5]
    assert node["scale"] == [1.5, 1.5, 1.5]
    assert turned(node, (0, 0, 1)) == pytest.approx([1, 0, 0], abs=1e-6), "a quarter: from +Z to +X"


@pytest.mark.parametrize("lod", [1, 8])
def test_things_of_a_real_region_stand_on_the_mesh_and_share_one_shape_for_each_kind(lod):
    tile = NoiseSource(7).generate(0, 0)
    model = built([tile], lod=lod)
    nodes = model.children(model.node("things"))
    assert len(nodes) == len(tile.things) > 500
    names = {model.mesh_name(node) for node in nodes}
    assert len({node["mesh"] for node in nodes}) == len(names) <= len(ThingKind)
    x, y, z = np.array([node["translation"] for node in nodes]).T
    drawn = ground_height(tile.heights[::lod, ::lod], x / lod, z / lod)
    assert np.allclose(y, drawn, atol=0.001)


def test_things_can_be_left_out_and_unknown_ones_are():
    tile = level(things=[(ThingKind.BUSH, 64, 64, 64, 0), (99, 128, 128, 64, 0)])
    assert len(built([tile]).children(built([tile]).node("things"))) == 1
    without = built([tile], things=False)
    assert {mesh["name"] for mesh in without.document["meshes"]} == {"ground 0,0"}


def test_the_sea_is_flat_clear_and_only_where_there_is_some():
    assert "children" not in built([level(height_m=5.0)]).node("region 0,0")
    model = built([level(height_m=-3.0)])
    sea = model.child(model.node("region 0,0"), "sea")
    corners = model.corners(sea)
    assert (corners[..., 1] == 0).all()
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (across[:, 1] > 0).all()
    assert across[:, 1].sum() / 2 == 256 * 256
    (look,) = [material for material in model.document["materials"] if material["name"] == "sea"]
    assert look["alphaMode"] == "BLEND"
    assert 0 < look["pbrMetallicRoughness"]["baseColorFactor"][3] < 1


def test_the_same_land_gives_the_same_bytes():
    tile, files = NoiseSource(3).generate(2, 2), [io.BytesIO(), io.BytesIO()]
    for file in files:
        scene({(2, 2): tile}, set(), "", {}, lod=4).write(file)
    assert files[0].getvalue() == files[1].getvalue()
