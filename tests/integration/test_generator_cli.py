"""``worldloom worldgen`` export, sheet, style, train and evaluate: the trained generator at the command line."""

import itertools
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from databases import sqlite_database
from judged_land import write_tiles
from small_loom import small_model, small_weights
from snowfield import SNOW_SEED, with_snow
from worldloom.cli import worldgen_train
from worldloom.cli.main import main
from worldloom.worldgen import sources
from worldloom.worldgen.gan import training
from worldloom.worldgen.gan.conditions import MEASURES
from worldloom.worldgen.gan.landforms import LANDFORMS_N, Landform
from worldloom.worldgen.gan.provinces import Provinces
from worldloom.worldgen.gan.source import GanSource
from worldloom.worldgen.gan.style import read_style
from worldloom.worldgen.gan.training import Training
from worldloom.worldgen.gan.weights import read_model, write_model
from worldloom_sdk.protocol.geometry import REGION_LIMIT
from worldloom_sdk.protocol.tiles import HEIGHTS_PER_M

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small_weights(tmp_path_factory.mktemp("weights") / "model.safetensors"))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> int:
    return main(["worldgen", *words])


def arrays(path: str = "land.npz") -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


# ---- export


def test_an_export_is_the_land_of_the_source_in_metres_with_its_scale(weights: str, capsys: Capture) -> None:
    assert run("export", "--weights", weights, "--seed", "7", "--regions", "2x1", "--origin=-3,4") == 0
    found = arrays()
    assert {name: (array.shape, str(array.dtype)) for name, array in found.items()} == {
        "heights_m": ((129, 257), "float32"),
        "pixels_m": ((64, 128), "float32"),
        "metres_per_pixel": ((), "float64"),
        "world_scale": ((), "float64"),
    }
    assert (float(found["metres_per_pixel"]), float(found["world_scale"])) == (30.0, 7.5)
    source = GanSource(read_model(Path(weights)), 7)
    for k, rx in enumerate((-3, -2)):
        expected = source.generate(rx, 4).heights.astype(np.float32) / HEIGHTS_PER_M
        assert np.array_equal(found["heights_m"][:, 128 * k : 128 * k + 129], expected)
    # Pixels lie between the samples, and are metres of real land.
    middles = found["heights_m"][1::2, 1::2]
    assert np.corrcoef(middles.ravel(), found["pixels_m"].ravel())[0, 1] > 0.98
    told = capsys.readouterr().out
    assert told.startswith("land.npz: 2 x 1 regions, heights ")
    assert "a pixel is 4 m of the world and 30 m of real land" in told


@pytest.mark.parametrize("spacing", [30, 90])
def test_an_export_of_one_spacing_says_so_and_is_only_such_land(weights: str, spacing: int) -> None:
    words = ("--regions", "1x1", "--spacing", str(spacing), "-o", "one.npz")
    assert run("export", "--weights", weights, *words) == 0
    found = arrays("one.npz")
    assert float(found["metres_per_pixel"]) == spacing
    assert float(found["world_scale"]) == spacing / 4
    assert run("export", "--weights", weights, "--regions", "1x1") == 0
    assert not np.array_equal(arrays()["heights_m"], found["heights_m"])


def test_an_export_by_words_says_what_was_understood_and_is_other_land(weights: str, capsys: Capture) -> None:
    for words, name in (("flat plains", "plains.npz"), ("steep canyons", "canyons.npz")):
        assert run("export", "--weights", weights, "--regions", "1x1", "--prompt", words, "-o", name) == 0
        told = capsys.readouterr().out
        assert told.startswith("Land: ")
        assert "Understood: " in told
    plains, canyons = arrays("plains.npz")["heights_m"], arrays("canyons.npz")["heights_m"]
    assert np.ptp(canyons) > 3 * np.ptp(plains)


def test_a_model_of_one_spacing_alone_says_that_it_has_no_other(tmp_path: Path, capsys: Capture) -> None:
    from worldloom.worldgen.gan.weights import write_model

    model = small_model()
    table = model.table[model.table[:, MEASURES.index("grandeur")] == 0]
    write_model(tmp_path / "m", model.generator, table, {})
    assert run("export", "--weights", "m", "--spacing", "90") == 2
    assert "expected a model that was trained on land at 90 m, got none of it" in capsys.readouterr().err


# ---- sheet


def test_a_sheet_is_a_picture_of_four_metres_to_a_pixel(weights: str, capsys: Capture) -> None:
    words = ("sheet", "--weights", weights, "--regions", "2x1", "--around=-5000,300", "--prompt", "alps")
    assert run(*words) == 0
    with Image.open("sheet.png") as picture:
        assert (picture.size, picture.mode) == ((128, 64), "L")
        assert float(np.asarray(picture).std()) > 3
    told = capsys.readouterr().out
    assert told.startswith("Land: ")
    assert told.endswith("sheet.png: 128 x 64 pixels, 4 m each\n")


# ---- style


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = sqlite_database(tmp_path / "world.db")
    monkeypatch.setenv("WORLDLOOM_STORAGE__URL", found)
    return found


def stored() -> dict[tuple[int, int], tuple[bytes, str]]:
    with sqlite3.connect("world.db") as database:
        rows = database.execute("SELECT rx, rz, style, words FROM style").fetchall()
    database.close()
    return {(rx, rz): (style, words) for rx, rz, style, words in rows}


def in_thread(call: Callable[..., int], *words: str) -> int:
    """Commands have an event loop of their own."""
    import threading

    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(call(*words)))
    thread.start()
    thread.join(60)
    return codes[0]


async def test_a_style_is_stored_where_nobody_has_been_beside_a_running_server(
    url: str, weights: str, capsys: Capture
) -> None:
    store = await with_snow(url, (0, 0))
    words = ("style", "steep canyons", "--regions", "2x2", "--weights", weights)
    assert in_thread(run, *words) == 0
    told = capsys.readouterr().out
    assert "3 regions will be woven so; 1 settled already, left as before" in told
    found = stored()
    assert set(found) == {(-1, -1), (-1, 0), (0, -1)}
    for (rx, rz), (data, said) in found.items():
        style = read_style(data)
        assert said == "steep canyons"
        assert np.argmax(style.conditions[len(MEASURES) :]) == Landform.CANYON
        assert style.moisture == pytest.approx(
            Provinces(SNOW_SEED, read_model(Path(weights)).table).style(rx, rz).moisture, abs=1e-6
        )
    assert in_thread(run, "style", "plains", "--regions", "2x2", "--weights", weights) == 1
    assert "0 regions will be woven so; 4 settled" in capsys.readouterr().out
    assert stored() == found
    await store.close()


async def test_a_style_that_is_only_tried_is_explained_and_not_stored(url: str, capsys: Capture) -> None:
    await (await with_snow(url)).close()
    assert in_thread(run, "style", "misty fjord", "--try") == 0
    assert capsys.readouterr().out.startswith("Land: ")
    assert stored() == {}


async def test_words_of_which_none_is_known_are_refused(url: str, weights: str, capsys: Capture) -> None:
    await (await with_snow(url)).close()
    for option in (("--weights", weights), ("--try",)):
        assert in_thread(run, "style", "qwertz zeppelin", *option) == 2
        told = capsys.readouterr()
        assert "expected words for land, got none that is known: qwertz, zeppelin. " in told.err
        assert told.out == ""
    assert stored() == {}


def test_a_style_needs_a_world(url: str, weights: str, capsys: Capture) -> None:
    assert run("style", "canyon", "--weights", weights) == 2
    assert "expected a world in the database, got none. Start it once" in capsys.readouterr().err


# ---- train


@pytest.fixture
def data(tmp_path: Path) -> str:
    """Two tiles, just large enough."""
    (tmp_path / "tiles").mkdir()
    for seed, name in enumerate(("here", "there")):
        walk = np.random.default_rng(seed).normal(size=(160, 160)).cumsum(0).cumsum(1)
        np.savez_compressed(
            tmp_path / "tiles" / f"{name}.npz",
            z=(9_000 * walk / np.abs(walk).max()).astype(np.int16),
            scale=np.float32(0.1),
            offset=np.float32(900),
            mask=np.zeros((160, 160), np.uint8),
            spacing_m=np.float64(30),
            name=name,
            landform="alpine valleys",
        )
    return "tiles"


@pytest.fixture
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few windows, and a clock by which every step takes 0.75 s, however busy the machine is."""
    monkeypatch.setattr(worldgen_train, "WINDOWS", 16)
    monkeypatch.setattr(worldgen_train, "_PROCESSES", 1)
    ticks = itertools.count()
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(ticks) * 0.75))


@pytest.mark.usefixtures("_little")
def test_a_run_is_trained_resumed_and_its_model_used(data: str, capsys: Capture) -> None:
    words = ("train", "--data", data, "--batch", "8", "--held-out", "there")
    assert run(*words, "--minutes", "0.01") == 0
    told = capsys.readouterr().out
    assert told.startswith("run/model.safetensors: size S, ")
    assert (
        "next: worldloom worldgen evaluate --data tiles --weights run/model.safetensors --held-out there"
        in told
    )
    first = read_model(Path("run/model.safetensors"))
    assert json.loads(first.card["tiles"]) == ["here"]
    assert json.loads(first.card["held_out"]) == ["there"]
    assert run(*words, "--minutes", "0.01") == 2
    assert "expected a new folder, got one with a checkpoint. Give --resume" in capsys.readouterr().err
    assert run(*words, "--minutes", "0.02", "--resume") == 0
    again = read_model(Path("run/model.safetensors"))
    assert [(one.card["steps"], one.card["samples"]) for one in (first, again)] == [("1", "8"), ("2", "16")]
    assert run("export", "--weights", "run/model.safetensors", "--regions", "1x1") == 0


@pytest.mark.usefixtures("_little")
def test_a_run_that_is_interrupted_keeps_a_checkpoint_and_says_so(
    data: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Training._step

    def step(self: Training, done: float) -> object:
        if self.step:
            raise KeyboardInterrupt
        return whole(self, done)

    monkeypatch.setattr(Training, "_step", step)
    assert run("train", "--data", data, "--batch", "8") == 130
    assert "stopped; run keeps a checkpoint, --resume goes on" in capsys.readouterr().err
    assert (Path("run") / "checkpoint.pt").exists()
    assert not (Path("run") / "model.safetensors").exists()


@pytest.mark.usefixtures("_little")
def test_there_is_nothing_to_resume_in_a_new_folder(data: str, capsys: Capture) -> None:
    assert run("train", "--data", data, "--resume") == 2
    assert "checkpoint.pt: expected a checkpoint of size S; got: " in capsys.readouterr().err


def test_a_folder_without_tiles_is_told(capsys: Capture) -> None:
    assert run("train", "--data", "nowhere") == 2
    assert "nowhere: expected elevation tiles (*.npz), got none" in capsys.readouterr().err


# ---- evaluate


def test_without_land_that_it_never_saw_a_model_is_not_judged(
    weights: str, data: str, capsys: Capture
) -> None:
    for words in ((), ("--held-out", "")):
        assert run("evaluate", "--weights", weights, "--data", data, *words) == 2
        told = capsys.readouterr().err
        assert "--held-out: expected names of tiles that the generator never saw; got none" in told


def test_held_out_tiles_that_are_not_there_are_told(weights: str, data: str, capsys: Capture) -> None:
    assert run("evaluate", "--weights", weights, "--data", data, "--held-out", "elsewhere") == 2
    told = capsys.readouterr().err
    assert "expected" in told
    assert "got" in told


def test_commanded_land_is_measured_without_any_tiles(weights: str, capsys: Capture) -> None:
    assert run("evaluate", "--weights", weights, "--commanded", "12", "--seeds", "4") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == [
        *("measure", "rank corr.", "commanded", "measured", "ratio"),
    ]
    ranks = {line.split("|")[1].strip(): float(line.split("|")[2]) for line in lines[2:]}
    assert list(ranks) == [name for name in MEASURES if name != "grandeur"]
    assert all(-1 <= rank <= 1 for rank in ranks.values())
    assert ranks["steepness"] > 0.5


def test_land_by_words_is_judged_by_real_land(weights: str, tmp_path: Path, capsys: Capture) -> None:
    write_tiles(tmp_path / "real", kinds=(0, 2))
    asked = [{"prompt": "zork | flat plains", "landform": "PLAIN"}]
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    words = ("evaluate", "--weights", weights, "--data", "real", "--prompts", "asked.json")
    assert run(*words) == 0
    told = capsys.readouterr().out
    assert told.startswith("The judge learned from 16 patches of 4 tiles, 2 landforms.\n")
    row = next(line for line in told.splitlines() if "flat plains" in line)
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:3] == ["zork / flat plains", "plain", "plain"]
    assert set(cells[3:5]) == {"plain", "alpine"}
    assert "the lexicon understands what was wanted: 1 of 1, 100%" in told
    asked[0]["landform"] = "CANYON"
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    assert run(*words) == 2
    assert "of every landform of the prompts, got none of: canyon" in capsys.readouterr().err


def test_what_land_by_words_needs_is_told_before_any_work(weights: str, capsys: Capture) -> None:
    assert run("evaluate", "--weights", weights) == 2
    assert "--data: expected the folder of elevation tiles; got none" in capsys.readouterr().err
    assert run("evaluate", "--weights", weights, "--data", ".", "--prompts", "none.json") == 2
    assert "none.json: expected a file of prompts; got: No such file" in capsys.readouterr().err
    Path("bad.json").write_text('[{"prompt": "fjord"}]')
    assert run("evaluate", "--weights", weights, "--data", ".", "--prompts", "bad.json") == 2
    assert 'bad.json, prompt 1: expected {"prompt": ..., "landform": ...}, got' in capsys.readouterr().err


def test_a_model_hears_what_its_land_looks_like(weights: str, tmp_path: Path, capsys: Capture) -> None:
    whole = read_model(Path(weights))
    write_model(Path("few.safetensors"), whole.generator, whole.table[:4], {"held_out": '["there"]'})
    write_tiles(tmp_path / "real", kinds=(0, 2))
    words = ("audition", "--weights", "few.safetensors", "--data", "real")
    assert run(*words, "-o", "nowhere/heard.safetensors") == 2
    assert "expected a folder to write it to; got none of that name" in capsys.readouterr().err
    assert run(*words, "-o", "heard.safetensors") == 0
    told = capsys.readouterr().out
    heard = read_model(Path("heard.safetensors"))
    assert told.startswith(f"heard.safetensors: 4 windows heard, sha256 {heard.sha256}\n")
    assert heard.card == {"held_out": '["there"]', "auditioned": "yes"}
    forms = heard.table[:, len(MEASURES) : len(MEASURES) + LANDFORMS_N]
    assert forms.sum(1) == pytest.approx(1.0, abs=2e-3)
    assert set(np.flatnonzero(forms.sum(0))) <= {Landform.PLAIN, Landform.ALPINE}
    assert run("export", "--weights", "heard.safetensors", "--regions", "1x1") == 0


# ---- what is wrong


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["export", "--origin", "3"], "expected a region like 3,-4; got 3"),
        (["export", "--origin", "40000,0"], f"expected a region within +-{REGION_LIMIT}, got 40000,0"),
        (["export", "--regions", "65x1"], "64x64"),
        (["export", "--spacing", "60"], "invalid choice"),
        (["export", "--seed", "-1"], "from 0 to"),
        (["sheet", "--around", "here"], "metres like"),
        (["train", "--data", ".", "--minutes", "0"], "expected minutes from 0.01 to 100000; got 0"),
        (["train", "--data", ".", "--minutes", "nan"], "expected minutes from 0.01 to 100000; got nan"),
        (["train"], "--data"),
        (
            ["evaluate", "--data", ".", "--seeds", "1,x"],
            "expected seeds with commas between, like 1,2,3; got 1,x",
        ),
        (["evaluate", "--commanded", "9"], "expected 10 to 10000 windows; got 9"),
        (["evaluate", "--commanded", "many"], "expected 10 to 10000 windows; got many"),
        (["evaluate", "--commanded", "50", "--prompts", "x"], "not allowed with argument"),
        (["style"], "WORDS"),
    ],
)
def test_a_wrong_option_is_told_with_what_was_expected(words: list[str], told: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["export", "-o", "no/where.npz"], "no/where.npz: expected a folder to write it to; got none"),
        (["sheet", "-o", "no/where.png"], "no/where.png: expected a folder to write it to; got none"),
        (["export", "--weights", "none"], "none: expected the weights of a generator; got: No such file"),
        (["sheet", "--weights", "."], ".: expected the weights of a generator; got: Is a directory"),
        (["style", "canyon " * 100], "expected"),
        (["export", "--origin", f"{REGION_LIMIT},0", "--regions", "2x1"], f"within +-{REGION_LIMIT}, got"),
    ],
)
def test_what_cannot_be_done_is_one_line(words: list[str], told: str, capsys: Capture) -> None:
    assert run(*words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["export"],
        ["sheet"],
        ["evaluate", "--data", "."],
        ["audition", "--data", "."],
        ["style", "misty fjord"],
    ],
    ids=lambda words: words[0],
)
def test_without_a_model_a_command_says_where_one_comes_from_and_nothing_else(
    words: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_WEIGHTS", Path("none.safetensors"))
    assert run(*words) == 2
    told = capsys.readouterr()
    assert told.err.endswith(
        "expected the trained generator's weights: none are in this installation; `worldloom worldgen train` makes "
        "some, --weights FILE names them\n"
    )
    assert told.out == ""


@pytest.mark.parametrize("prompt", ["", "  "])
def test_an_empty_prompt_is_refused(prompt: str, weights: str, capsys: Capture) -> None:
    assert run("sheet", "--weights", weights, "--prompt", prompt) == 2
    assert "expected words for land, got an empty text" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told(weights: str, capsys: Capture) -> None:
    for job in ("export", "sheet"):
        assert run(job, "--weights", weights, "--regions", "1x1", "-o", ".") == 2
        assert ".: expected to write a " in capsys.readouterr().err
