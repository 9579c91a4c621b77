"""Training: by the clock, stopped and resumed, and what it leaves behind. Steps are real ones on the smallest data."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from worldloom.errors import ConfigError
from worldloom.worldgen.gan import training
from worldloom.worldgen.gan.conditions import FREE_N, MEASURES, measure
from worldloom.worldgen.gan.dataset import DemTile, Windows, cut, table_of
from worldloom.worldgen.gan.model import HEIGHT_UNIT, LATENTS, needs
from worldloom.worldgen.gan.training import Options, Report, Training, draw_noise
from worldloom.worldgen.gan.weights import read_model

STEP_S = 6.0
"""What a step takes by the clock of these tests; a minute is ten steps."""
OPTIONS = Options(minutes=0.2, small_share=0.5, batch=2, held_out=("away",))


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read before and after each step."""
    ticks = iter(range(10**6))
    clock = SimpleNamespace(monotonic=lambda: next(ticks) * STEP_S)
    monkeypatch.setattr(training, "time", clock)


@pytest.fixture(scope="module")
def windows() -> dict[int, Windows]:
    """By their side."""
    walk = np.random.default_rng(1).normal(size=(200, 200)).cumsum(0).cumsum(1)
    heights = (900 * walk / np.abs(walk).max()).astype(np.float32)
    mask = np.zeros((200, 200), np.uint8)
    tiles = [
        DemTile("hills", "rolling", 30.0, heights, mask),
        DemTile("alps", "alpine", 90.0, heights * 5, mask),
    ]
    return {side: cut(tiles, 24, 1, side) for side in (64, 128)}


def begun(windows: dict[int, Windows], options: Options, folder: Path) -> Training:
    return Training(windows[64], windows[128], options, folder)


def trained(
    windows: dict[int, Windows], folder: Path, options: Options = OPTIONS, every_s: float = 60.0
) -> tuple[Training, list[Report]]:
    run = begun(windows, options, folder)
    reports: list[Report] = []
    run.run(reports.append, every_s)
    return run, reports


def numbers(run: Training) -> list[torch.Tensor]:
    return [*run.generator.state_dict().values(), *run.average.state_dict().values()]


@pytest.mark.slow
def test_a_run_stops_at_its_time_with_small_patches_first_and_leaves_its_options_and_a_checkpoint(
    windows: dict[int, Windows], tmp_path: Path
) -> None:
    before = begun(windows, OPTIONS, tmp_path)
    run, reports = trained(windows, tmp_path / "run")
    assert [(report.step, report.patch) for report in reports] == [(1, 64), (2, 128)]
    assert (run.spent_s, run.samples) == (12.0, 4)
    assert all(np.isfinite([report.gap, report.penalty]).all() for report in reports)
    changed = [not torch.equal(a, b) for a, b in zip(numbers(before), numbers(run), strict=True)]
    assert sum(changed) > len(changed) / 2
    assert json.loads((tmp_path / "run" / "options.json").read_text())["batch"] == 2
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["checkpoint.pt", "options.json"]


@pytest.mark.slow
def test_a_run_that_is_resumed_goes_on_where_it_stood_and_publishes_a_model_that_is_read_back(
    windows: dict[int, Windows], tmp_path: Path
) -> None:
    run, _ = trained(windows, tmp_path)
    again = begun(windows, replace(OPTIONS, seed=8, minutes=0.3), tmp_path)
    assert not all(torch.equal(a, b) for a, b in zip(numbers(run), numbers(again), strict=True))
    again.resume()
    assert (again.step, again.samples, again.spent_s, again._large) == (2, 4, 12.0, True)
    assert all(torch.equal(a, b) for a, b in zip(numbers(run), numbers(again), strict=True))
    for mine, theirs in zip(run.critics, again.critics, strict=True):
        for name, value in mine.state_dict().items():
            assert torch.equal(theirs.state_dict()[name], value)
    assert again._players.state_dict()["state"][0]["step"] == run._players.state_dict()["state"][0]["step"]
    reports: list[Report] = []
    again.run(reports.append)
    assert [(report.step, report.samples) for report in reports] == [(3, 6)]
    path, sha256 = again.publish()
    model = read_model(path)
    assert (path, sha256) == (tmp_path / "model.safetensors", model.sha256)
    assert json.loads(model.card["held_out"]) == ["away"]
    assert json.loads(model.card["tiles"]) == ["hills", "alps"]
    assert (model.card["steps"], model.card["samples"]) == ("3", "6")
    np.testing.assert_allclose(model.table, table_of(windows[128].tiles), rtol=1e-3, atol=1e-3)
    for name, value in again.average.state_dict().items():
        assert torch.equal(model.generator.state_dict()[name], value.half().float()), name
    told = len(MEASURES)
    assert torch.equal(again.average.mean[:told], torch.from_numpy(windows[128].conditions.mean(0)[:told]))
    assert not again.average.mean[told:].any(), "landforms are not standardised"


@pytest.mark.slow
def test_statistics_a_sheet_and_a_checkpoint_are_kept_as_often_as_is_said(
    windows: dict[int, Windows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_SHEET", 2)
    kept: list[bool] = []
    run = begun(windows, OPTIONS, tmp_path)
    run.run(lambda report: kept.append((tmp_path / "checkpoint.pt").exists()), every_s=STEP_S)
    assert kept == [False, True]
    lines = [json.loads(line) for line in (tmp_path / "stats.jsonl").read_text().splitlines()]
    assert [(line["step"], line["spent_s"]) for line in lines] == [(1, 0.0), (2, 6.0)]
    [sheet] = tmp_path.glob("sheet_*.png")
    with Image.open(sheet) as page:
        assert page.size == (2 * 128 + 4, 4 * 128 + 3 * 4)
        assert float(np.asarray(page).std()) > 5


class Interrupts:
    """Somebody presses Ctrl-C after the first step."""

    def __call__(self, report: Report) -> None:
        raise KeyboardInterrupt


@pytest.mark.slow
def test_a_run_that_is_interrupted_can_be_saved_and_resumed(
    windows: dict[int, Windows], tmp_path: Path
) -> None:
    run = begun(windows, OPTIONS, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.run(Interrupts())
    run.save()
    again = begun(windows, OPTIONS, tmp_path)
    again.resume()
    assert (again.step, again.samples, again.spent_s) == (1, 2, 6.0)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_a_run_begins_with_the_nets_of_another_at_the_size_of_patches_that_it_had_come_to(
    windows: dict[int, Windows], tmp_path: Path
) -> None:
    first, _ = trained(windows, tmp_path / "first")
    first.publish()
    nets = tmp_path / "first" / "nets.pt"
    again = begun(windows, replace(OPTIONS, seed=8), tmp_path / "again")
    again.start(nets)
    assert (again.step, again.samples, again.spent_s) == (0, 0, 0.0)
    for mine, theirs in zip(numbers(first), numbers(again), strict=True):
        assert torch.equal(mine.half().float(), theirs)
    reports: list[Report] = []
    again.run(reports.append)
    assert [report.patch for report in reports] == [128, 128]
    # The optimisers know of no gradients yet: each weight moves by at most a few hundredths of its rate.
    rate = OPTIONS.lr[3] * 2 / 200
    moved = [(a - b.half().float()).abs().max() for a, b in zip(numbers(again), numbers(first), strict=True)]
    assert 0 < max(moved) < 3 * rate
    nets.write_bytes(nets.read_bytes()[:1000])
    with pytest.raises(ConfigError, match=r"nets\.pt: expected a checkpoint of size S; got: "):
        again.start(nets)


@pytest.mark.slow
def test_a_checkpoint_of_another_size_is_refused(windows: dict[int, Windows], tmp_path: Path) -> None:
    begun(windows, OPTIONS, tmp_path).save()
    with pytest.raises(ConfigError, match="expected a checkpoint of size M; got: "):
        begun(windows, replace(OPTIONS, size="M"), tmp_path).resume()


def damage(data: bytes) -> Iterator[bytes]:
    yield from (b"", b"no checkpoint", b"\x80\x02K\x07.", data[: len(data) // 2])


@pytest.mark.slow
def test_a_file_that_is_no_checkpoint_is_refused_by_name(windows: dict[int, Windows], tmp_path: Path) -> None:
    run = begun(windows, OPTIONS, tmp_path)
    path = tmp_path / "checkpoint.pt"
    refused = pytest.raises(ConfigError, match=r"checkpoint\.pt: expected a checkpoint of size S; got: ")
    with refused:
        run.resume()
    run.save()
    state = torch.load(path, weights_only=True)
    for data in damage(path.read_bytes()):
        path.write_bytes(data)
        with refused:
            run.resume()
    for name, value in (("counts", [1]), ("spent_s", None), ("critics", []), ("generator", 5)):
        torch.save(state | {name: value}, path)
        with refused:
            run.resume()
    del state["counts"]
    torch.save(state, path)
    with refused:
        run.resume()


class Bomb:
    """Whose unpickling makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.slow
def test_code_in_a_checkpoint_is_never_run(windows: dict[int, Windows], tmp_path: Path) -> None:
    torch.save({"generator": Bomb(tmp_path / "it ran")}, tmp_path / "checkpoint.pt")
    with pytest.raises(ConfigError, match="expected a checkpoint"):
        begun(windows, OPTIONS, tmp_path).resume()
    assert not (tmp_path / "it ran").exists()


@pytest.mark.slow
def test_real_patches_are_windows_of_their_size_turned_and_in_the_generators_unit(
    windows: dict[int, Windows], tmp_path: Path
) -> None:
    run = begun(windows, replace(OPTIONS, batch=16), tmp_path)
    for side in (64, 128):
        real, slope, conditions = run._real(side)
        assert real.shape == (16, 1, side, side)
        assert torch.equal(slope, conditions[:, 0].exp())
        assert float(real.mean((2, 3)).abs().max()) < 1e-3
        # In true units a patch is as steep as is commanded, but for a wobble of a tenth.
        u = (real * (HEIGHT_UNIT * slope)[:, None, None, None])[:, 0].numpy()
        steep = [measure(patch.astype(np.float64), 1.0)[0] for patch in u]
        assert np.abs(np.array(steep) - slope.log().numpy()).max() < 0.45
        last = MEASURES.index("grandeur")
        told = {tuple(row) for row in windows[side].conditions[:, 1:last].tolist()}
        assert {tuple(row) for row in conditions[:, 1:last].tolist()} <= told
        assert 0.7 < float(conditions[:, -FREE_N:].std()) < 1.3, "free numbers are drawn"
        assert not run.generator.standard(conditions)[:, last:-FREE_N].any(), (
            "scale and landform are not told"
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_told(windows: dict[int, Windows], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--device: expected a GPU that torch can use; got none"):
        begun(windows, replace(OPTIONS, device="cuda"), tmp_path)


def test_random_noise_has_the_form_and_the_distribution_of_the_hashed_one() -> None:
    torch.manual_seed(1)
    rows, columns = (0, 64), (5, 100)
    latents, noises = draw_noise(3, rows, columns, torch.device("cpu"))
    plans = list(zip(needs(*rows), needs(*columns), strict=True))
    sides = [(down.takes[1] - down.takes[0], across.takes[1] - across.takes[0]) for down, across in plans]
    assert latents.shape == (3, LATENTS, *sides[0])
    assert [noise.shape for noise in noises] == [(3, 2, *side) for side in sides]
    assert float(noises[-1].var()) == pytest.approx(1.0, abs=0.02)
    assert float(noises[-1].abs().max()) <= 3**0.5
