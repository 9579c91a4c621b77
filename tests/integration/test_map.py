"""``worldloom worldgen map``: a picture of what is stored and of what would be made, which stores nothing."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from databases import postgres_database
from snowfield import with_snow
from worldloom.cli.main import main
from worldloom.persistence.migrate import migrate
from worldloom.services import overlays, terrain
from worldloom.services.asking import OPERATOR
from worldloom.worldgen.chart import Caption, chart
from worldloom.worldgen.noise import NoiseSource
from worldloom_sdk.protocol.overlay import Patch


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    found: str = request.getfixturevalue(request.param)
    monkeypatch.setenv("WORLDLOOM_STORAGE__URL", found)
    migrate(found)
    return found


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'world.db'}"


@pytest.fixture
def postgres() -> Iterator[str]:
    with postgres_database() as url:
        yield url


def whiteness(path: str, box: tuple[int, int, int, int]) -> float:
    with Image.open(path) as picture:
        return float(np.asarray(picture.crop(box)).min(axis=2).mean())


@pytest.mark.slow
async def test_what_people_changed_is_shown_and_what_is_made_beside_it_does_not_mind(url: str) -> None:
    """A lake is dug in the snow, as far as the border; the land beside is fitted to the tile as it was made."""
    store = await with_snow(url, (0, 0))
    await run("--regions", "2x2", "--pixel-m", "2", "-o", "before.png")
    for x, z in ((0, 40), (32, 40), (0, 72), (32, 72)):
        dug = Patch(x, z, np.full((32, 32), -640, np.int16))
        await store.run(overlays.edit, overlays.Edit(OPERATOR, dug, 3))
    await store.close()
    await run("--regions", "2x2", "--pixel-m", "2", "-o", "after.png")
    lake, snow = (132, 172, 188, 226), (200, 140, 250, 250)
    assert whiteness("before.png", lake) > 200
    assert whiteness("after.png", lake) < 150
    assert whiteness("after.png", snow) > 200
    west = (0, 0, 120, 250)
    assert whiteness("after.png", west) == pytest.approx(whiteness("before.png", west), abs=5)


@pytest.mark.slow
async def test_what_is_stored_is_shown_as_stored_beside_a_running_server(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await with_snow(url, (0, 0))
    code = await run("--regions", "2x2", "--pixel-m", "2")
    stored = [await store.read(terrain.load, (x, z)) for x in (-1, 0) for z in (-1, 0)]
    await store.close()
    assert code == 0
    assert sum(row is not None for row in stored) == 1, "nothing was stored"
    told = capsys.readouterr().out
    assert "1 region from the world, 3 made for this file alone; this command stored nothing\n" in told
    assert told.startswith("world.png: 256 x ")
    assert whiteness("world.png", (140, 140, 250, 250)) > 200
    assert whiteness("world.png", (6, 6, 100, 100)) < 150


async def run(*words: str) -> int:
    return await asyncio.to_thread(main, ["worldgen", "map", *words])


@pytest.mark.slow
def test_a_seed_alone_needs_no_world_and_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["worldgen", "map", "--seed", "7", "--regions", "3x2", "-o", "land.png"]) == 0
    with Image.open("land.png") as picture:
        wide, deep = picture.size
    assert wide == 768
    assert deep > 512
    assert [path.name for path in tmp_path.iterdir()] == ["land.png"]
    assert "0 regions from the world, 6 made" in capsys.readouterr().out


@pytest.mark.slow
def test_blocks_of_a_large_map_meet_without_a_seam() -> None:
    source = NoiseSource(3)
    tiles = {(x, z): source.generate(x, z) for x in range(4) for z in range(1)}
    whole = np.asarray(chart(tiles, set(), 1, Caption("", ""))).astype(int)[:256]
    across = np.abs(np.diff(whole, axis=1)).mean(axis=(0, 2))
    assert across[511] < 2 * np.median(across), "the border between two blocks of 512 pixels"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--seed", "1", "--regions", "65x1"], "64x64"),
        (["--seed", "1", "--regions", "4"], "like 24x24"),
        (["--seed", "-1"], "from 0 to"),
        (["--seed", "1", "--around", "here"], "metres like"),
        (["--seed", "1", "--around", "nan,0"], "within"),
        (["--seed", "1", "--around", "9000000,0"], "within"),
    ],
)
def test_a_wrong_option_is_told_with_what_was_expected(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["worldgen", "map", *words])
    assert told in capsys.readouterr().err


def test_a_map_of_too_many_pixels_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worldgen", "map", "--seed", "1", "--regions", "64x64", "--pixel-m", "1"]) == 2
    assert "--pixel-m" in capsys.readouterr().err


def test_where_there_is_no_world_a_line_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worldgen", "map"]) == 2
    assert "--seed" in capsys.readouterr().err
    assert not Path("world.png").exists()


@pytest.mark.slow
def test_a_picture_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worldgen", "map", "--seed", "1", "--regions", "1x1", "-o", "no/where.png"]) == 2
    assert "no/where.png" in capsys.readouterr().err


@pytest.mark.slow
def test_a_map_at_the_end_of_the_world_stays_within_it() -> None:
    assert main(["worldgen", "map", "--seed", "1", "--around", "8388607,-8388607", "--regions", "2x1"]) == 0
    assert Path("world.png").exists()
