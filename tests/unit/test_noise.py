import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from golden.make_tiles import noise_json, text
from worldloom.worldgen.lattice import enlarge, fbm, gradient_noise, gullies, key_of, noise
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.picture import paint_tiles
from worldloom_sdk.protocol.tiles import Surface, ThingKind, encode_tile, ground_height

GOLDEN = Path(__file__).parent.parent / "golden" / "noise.json"
FAR = [(0, 0), (-3, 2), (811, -4077), (-32_767, 32_766), (32_766, -32_767)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
@pytest.mark.parametrize(("rx", "rz"), FAR)
def test_neighbours_share_their_edges_to_the_bit_in_any_order(seed, rx, rz):
    first, second = NoiseSource(seed), NoiseSource(seed)
    here, east = first.generate(rx, rz).heights, first.generate(rx + 1, rz).heights
    corner, south = second.generate(rx + 1, rz + 1).heights, second.generate(rx, rz + 1).heights
    assert np.array_equal(here[:, -1], east[:, 0])
    assert np.array_equal(here[-1], south[0])
    assert np.array_equal(south[:, -1], corner[:, 0])
    assert np.array_equal(east[-1], corner[0])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process():
    script = (
        "import hashlib; from worldloom.worldgen.noise import NoiseSource;"
        "from worldloom_sdk.protocol.tiles import encode_tile;"
        "print(hashlib.sha256(encode_tile(NoiseSource(7).generate(-2, 3))).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    source = NoiseSource(7)
    source.generate(5, 5)
    assert done.stdout.strip() == hashlib.sha256(encode_tile(source.generate(-2, 3))).hexdigest()


def test_land_is_the_golden_land():
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == json.loads(text(noise_json()))


def test_seeds_differ():
    assert not np.array_equal(NoiseSource(1).generate(4, 4).heights, NoiseSource(2).generate(4, 4).heights)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_the_middle_of_the_world_is_dry_gentle_and_open(seed):
    source = NoiseSource(seed)
    for rx, rz in ((0, 0), (-1, 0), (0, -1), (-1, -1)):
        tile = source.generate(rx, rz)
        across = np.arange(-24.0, 25.0, 4.0)
        x, z = np.meshgrid(across, across)
        inside = (x // 256 == rx) & (z // 256 == rz)
        height = ground_height(tile.heights, x[inside] - rx * 256, z[inside] - rz * 256)
        assert height.min() > 0.5
        assert height.max() < 30.0
        trees = tile.things[
            np.isin(tile.things["kind"], (ThingKind.CONIFER, ThingKind.BROADLEAF, ThingKind.BIRCH))
        ]
        away = np.hypot(trees["x"] / 64 + rx * 256, trees["z"] / 64 + rz * 256)
        assert np.count_nonzero(away < 15) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 11, 12])
def test_a_few_kilometres_hold_sea_woods_hills_and_walkable_slopes(seed):
    source = NoiseSource(seed)
    tiles = [source.generate(rx, rz) for rx in range(-7, 8, 2) for rz in range(-7, 8, 2)]
    metres = np.concatenate([tile.heights[:-1, :-1].reshape(-1) for tile in tiles]) / 32
    surface = np.concatenate([tile.surface.reshape(-1) for tile in tiles])
    slopes = np.concatenate(
        [np.abs(np.diff(tile.heights[:, :-1], axis=0)).reshape(-1) / 64 for tile in tiles]
    )
    assert 0.1 < (metres > 0).mean() < 0.95
    assert 60 < metres.max() < 330
    assert metres.min() > -120
    assert np.quantile(slopes, 0.9) < 0.8
    assert {Surface.SEABED, Surface.SAND, Surface.GRASS, Surface.MEADOW, Surface.FOREST} <= set(
        surface.tolist()
    )
    assert max(len(tile.things) for tile in tiles) > 500


def test_things_stand_on_dry_land_and_woods_end_at_the_tree_line():
    tile = NoiseSource(1).generate(-2, 4)
    trees = tile.things[tile.things["kind"] <= ThingKind.BUSH]
    assert len(trees)
    height = ground_height(tile.heights, trees["x"] / 64, trees["z"] / 64)
    assert height.min() > 0.0
    assert height.max() < 190.0


def test_a_region_beyond_the_end_of_the_world_is_refused():
    with pytest.raises(ValueError, match="32767"):
        NoiseSource(1).generate(32_768, 0)


def test_noise_has_the_slope_that_it_says():
    x, z = np.linspace(-3.0, 4.0, 29)[None, :], np.linspace(5.0, 9.0, 31)[:, None]
    key, step = key_of(1, "any"), 1e-6
    value, dx, dz = gradient_noise(x, z, key)
    assert np.array_equal(value, noise(x, z, key))
    assert np.allclose(dx, (noise(x + step, z, key) - noise(x - step, z, key)) / (2 * step), atol=1e-4)
    assert np.allclose(dz, (noise(x, z + step, key) - noise(x, z - step, key)) / (2 * step), atol=1e-4)


def test_noise_of_one_position_does_not_depend_on_its_company():
    rng = np.random.default_rng(4)
    x, z = rng.uniform(-50, 50, 64), rng.uniform(-50, 50, 64)
    ones = np.ones(64)
    together = fbm(x, z, 99, 4), gullies(x, z, 0.6 * ones, 0.8 * ones, 5)[0]
    alone = (
        [float(fbm(x[k : k + 1], z[k : k + 1], 99, 4)[0]) for k in range(64)],
        [
            float(gullies(x[k : k + 1], z[k : k + 1], 0.6 * ones[:1], 0.8 * ones[:1], 5)[0][0])
            for k in range(64)
        ],
    )
    assert together[0].tolist() == alone[0]
    assert together[1].tolist() == alone[1]


def test_an_enlarged_plane_stays_a_plane_with_its_slope():
    coarse = np.arange(7.0)[None, :] * 8.0 + np.arange(7.0)[:, None] * 2.0
    value, dx, dz = enlarge(coarse, 4, 13)
    x, z = np.arange(13)[None, :], np.arange(13)[:, None]
    assert np.allclose(value, (x / 4 + 1) * 8.0 + (z / 4 + 1) * 2.0)
    assert np.allclose(dx, 2.0)
    assert np.allclose(dz, 0.5)


@pytest.mark.slow
def test_a_picture_covers_its_block_and_leaves_the_unknown_dark():
    source = NoiseSource(1)
    picture = paint_tiles([source.generate(0, 0), source.generate(1, 1)])
    assert picture.size == (512, 512)
    assert max(picture.getpixel((400, 100))) < 40
    assert max(picture.getpixel((100, 100))) > 60
    with pytest.raises(ValueError, match="at least one"):
        paint_tiles([])
