"""``worldloom worldgen glb`` and ``heightmap``: a part of the world for engines and modelling programs."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from databases import sqlite_database
from glb_reader import Model, read_glb
from snowfield import SNOW_HEIGHT_M, SNOW_SEED, with_snow
from worldloom.cli.main import main
from worldloom.services import overlays, terrain
from worldloom.services.asking import OPERATOR
from worldloom.worldgen.noise import NoiseSource
from worldloom_sdk.protocol.overlay import Patch

pytestmark = pytest.mark.slow

VALIDATE = """
const read = require("fs").readFileSync(process.argv[1]);
require("gltf-validator").validateBytes(new Uint8Array(read)).then(
  (report) => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = sqlite_database(tmp_path / "world.db")
    monkeypatch.setenv("WORLDLOOM_STORAGE__URL", found)
    return found


def export(*words: str) -> int:
    return main(["worldgen", *words, "--generator", "noise"])


def model_of(path: str) -> Model:
    return read_glb(Path(path).read_bytes())


def ground(model: Model, region: str) -> np.ndarray:
    """Heights ``[129, 129]`` of a region's mesh, metres."""
    return model.attribute(model.node(f"region {region}"), "POSITION")[:, 1].reshape(129, 129)


async def test_a_model_shows_what_is_stored_and_what_would_be_made_and_stores_nothing(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await with_snow(url, (0, 0))
    code = await asyncio.to_thread(export, "glb", "--regions", "2x2")
    rows = [await store.read(terrain.load, (x, z)) for x in (-1, 0) for z in (-1, 0)]
    await store.close()
    assert code == 0
    assert sum(row is not None for row in rows) == 1, "nothing was stored"
    assert "1 region from the world, 3 made for this file alone" in capsys.readouterr().out
    model = model_of("world.glb")
    assert (ground(model, "0,0") == SNOW_HEIGHT_M).all()
    west = ground(model, "-1,0")
    assert (west[:, -1] == SNOW_HEIGHT_M).all(), "what would be made is fitted to what is there"
    assert west[:, 0].std() > 0
    facts = model.document["asset"]["extras"]
    assert facts["world"] == "Snowfield"
    assert facts["seed"] == str(SNOW_SEED)
    assert facts["origin_m"] == [-256, 0, -256]
    assert facts["regions"] == {"low": [-1, -1], "size": [2, 2], "stored": [[0, 0]]}
    ways = {json.dumps(way["made_by"], sort_keys=True): way["regions"] for way in facts["provenance"]}
    assert sum(ways.values()) == 4
    assert ways["{}"] == 1, "of the snow nobody said how it was made"
    assert sum("noise" in way for way in ways) == len(ways) - 1


def test_a_model_of_a_seed_is_its_land_with_trees_and_sea() -> None:
    assert export("glb", "--seed", "7", "--regions", "2x1", "--around", "256,128", "-o", "land.glb") == 0
    model, source = model_of("land.glb"), NoiseSource(7)
    for rx in (0, 1):
        tile = source.generate(rx, 0)
        assert (ground(model, f"{rx},0") * 32 == tile.heights).all()
        things = model.child(model.node(f"region {rx},0"), "things")
        assert len(things["children"]) == len(tile.things) > 0
    assert {"ground", "things", "sea"} == {look["name"] for look in model.document["materials"]}


def test_a_coarser_model_is_smaller_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert export("glb", "--seed", "7", "--regions", "1x1", "--things", "off", "--lod", "4") == 0
    model = model_of("world.glb")
    assert "8 m to a sample, 0 things" in capsys.readouterr().out
    assert model.document["asset"]["extras"]["metres_per_sample"] == 8
    (region,) = [node for node in model.document["nodes"] if node["name"].startswith("region")]
    assert len(model.attribute(region, "POSITION")) == 33 * 33
    assert Path("world.glb").stat().st_size < 100_000


@pytest.mark.parametrize("lod", ["1", "16"])
def test_the_validator_of_khronos_finds_nothing(lod: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run gltf-validator")
    found = subprocess.run([node, "-e", "require.resolve('gltf-validator')"], capture_output=True, timeout=30)
    if found.returncode:
        pytest.skip("there is no gltf-validator: npm install it somewhere, NODE_PATH=that/node_modules")
    # Coast at the far corner of the world, and woods in the middle of it.
    for around in ("8388607,-8388607", "0,0"):
        assert export("glb", "--seed", "7", "--regions", "2x2", "--around", around, "--lod", lod) == 0
        run = [node, "-e", VALIDATE, "world.glb"]
        said = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True)
        issues = json.loads(said.stdout)
        assert issues["messages"] == []
        assert issues["numErrors"] == issues["numWarnings"] == 0


async def test_what_people_changed_is_in_a_heightmap_and_in_a_model(url: str) -> None:
    store = await with_snow(url, (0, 0))
    await store.run(overlays.edit, overlays.Edit(OPERATOR, Patch.of_metres(20, 40, [[9.0, 10.0]]), 3))
    await store.close()
    for job in ("heightmap", "glb"):
        assert await asyncio.to_thread(export, job, "--regions", "1x1", "--around", "128,128") == 0
    facts = json.loads(Path("heightmap.png.json").read_text())
    with Image.open("heightmap.png") as picture:
        metres = np.asarray(picture) * facts["metres_per_level"] + facts["metres_of_level_0"]
    for heights in (metres, ground(model_of("world.glb"), "0,0")):
        assert heights[20, 10:12].tolist() == [9.0, 10.0]
        assert np.count_nonzero(heights != SNOW_HEIGHT_M) == 2


async def test_a_heightmap_gives_the_stored_heights_back(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await (await with_snow(url, (0, 0))).close()
    assert await asyncio.to_thread(export, "heightmap", "--regions", "2x1", "--around", "0,128") == 0
    told = capsys.readouterr().out
    assert "257 x 129 levels, 2 m apart; metres = level * 0.03125 - 240.0" in told
    facts = json.loads(Path("heightmap.png.json").read_text())
    with Image.open("heightmap.png") as picture:
        levels = np.asarray(picture)
        texts = picture.text
    metres = levels * facts["metres_per_level"] + facts["metres_of_level_0"]
    assert levels.shape == (129, 257) == (facts["height"], facts["width"])
    assert (metres[:, 128:] == SNOW_HEIGHT_M).all()
    assert (facts["lowest_level"], facts["highest_level"]) == (levels.min(), levels.max())
    assert json.loads(texts["worldloom"]) == facts
    assert texts["Title"] == "Snowfield"
    assert "metres = level * 0.03125 - 240.0" in texts["Description"]
    assert "x, z = -256, 0 m" in texts["Description"]


def test_raw_levels_are_those_of_the_picture(tmp_path: Path) -> None:
    for name in ("land.r16", "land.png"):
        assert export("heightmap", "--seed", "7", "--regions", "1x1", "--stretch", "-o", name) == 0
    facts = json.loads(Path("land.r16.json").read_text())
    raw = np.fromfile("land.r16", "<u2").reshape(facts["height"], facts["width"])
    with Image.open("land.png") as picture:
        assert (np.asarray(picture) == raw).all()
    assert (raw.min(), raw.max()) == (0, 65_535)
    assert facts["byte_order"] == "little"
    tile = NoiseSource(7).generate(*facts["regions"]["low"])
    metres = raw * facts["metres_per_level"] + facts["metres_of_level_0"]
    assert np.abs(metres - tile.heights / 32).max() <= facts["metres_per_level"] / 2


def test_the_page_explains_every_key_that_the_files_have() -> None:
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    assert export("heightmap", "--seed", "7", "--regions", "1x1", "-o", "land.raw") == 0
    facts = json.loads(Path("land.raw.json").read_text())
    way = facts["provenance"][0]
    assert [key for key in (*facts, *facts["regions"], *way) if f"`{key}`" not in page] == []


def test_a_scale_that_is_given_is_used() -> None:
    assert export("heightmap", "--seed", "7", "--regions", "1x1", "--metres-per-level", "0.25") == 0
    facts = json.loads(Path("heightmap.png.json").read_text())
    assert facts["metres_per_level"] == 0.25
    assert facts["metres_of_level_0"] == -240
    assert facts["metres_of_level_65535"] == 65_535 / 4 - 240


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["glb", "--regions", "23x23"], "--lod"),
        (["heightmap", "--regions", "1x1", "-o", "land.jpg"], "ends in .png"),
        (["glb", "--regions", "1x1", "-o", "land.gltf"], "ends in .glb"),
        (["heightmap", "--regions", "1x1", "--metres-per-level", "0.001"], "--stretch"),
        (["glb", "--regions", "1x1", "-o", "no/where.glb"], "no/where.glb"),
        (["heightmap", "--regions", "1x1", "-o", "no/where.png"], "no/where.png"),
    ],
)
def test_what_cannot_be_written_is_told_with_what_to_do(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert export(*words, "--seed", "7") == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("job", "name"), [("map", "taken.png"), ("glb", "taken.glb"), ("heightmap", "taken.r16")]
)
def test_a_file_that_cannot_be_written_is_told(
    job: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir()
    assert export(job, "--regions", "1x1", "--seed", "7", "-o", name) == 2
    assert f"{name}: expected to write a file; got: Is a directory" in capsys.readouterr().err


def test_a_forest_too_large_for_a_file_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("worldloom.cli.worldgen_glb.MAX_THINGS", 100)
    assert export("glb", "--regions", "1x1", "--seed", "7") == 2
    assert "expected at most 100 things, got" in capsys.readouterr().err
    assert export("glb", "--regions", "1x1", "--seed", "7", "--things", "off") == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["glb", "--lod", "3"], "invalid choice"),
        (["heightmap", "--metres-per-level", "nan"], "from 0.0001 to 100"),
        (["heightmap", "--metres-per-level", "1", "--stretch"], "not allowed with"),
    ],
)
def test_a_wrong_option_of_an_export_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        export(*words)
    assert told in capsys.readouterr().err
