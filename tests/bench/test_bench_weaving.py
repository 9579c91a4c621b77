"""The benchmark of weaving: its parts are the whole, for either generator."""

import json
from pathlib import Path

import pytest

from small_loom import small_weights
from worldloom.bench.weaving import WeavingReport, measure
from worldloom.cli.main import main


def assert_whole(report: WeavingReport, parts: list[str]) -> None:
    assert list(report.p50_ms) == [*parts, "all"]
    for part, p50 in report.p50_ms.items():
        assert 0 < p50 <= report.p99_ms[part]
        assert report.cpu_p50_ms[part] > 0
    assert sum(report.cpu_p50_ms[part] for part in parts) == pytest.approx(report.cpu_p50_ms["all"], rel=0.4)
    assert 0.2 < report.regions_per_s * report.cpu_p50_ms["all"] / 1_000 < 5
    assert report.start_s > 0


@pytest.mark.slow
def test_the_trained_generator_is_told_in_parts(tmp_path: Path) -> None:
    weights = small_weights(tmp_path / "model.safetensors")
    assert_whole(measure("gan", str(weights), 6), ["net", "silt", "ground", "cover", "encode"])


@pytest.mark.slow
def test_noise_is_told_as_one_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "weave", "--generator", "noise", "--regions", "5", "--json"]) == 0
    assert_whole(WeavingReport(**json.loads(capsys.readouterr().out)), ["weave", "encode"])


@pytest.mark.parametrize("regions", ["0", "100001"])
def test_a_number_out_of_range_is_refused(regions: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "weave", "--regions", regions]) != 0
    assert f"expected 1 to 100000 regions, got {regions}" in capsys.readouterr().err


def test_weights_that_are_not_there_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none.safetensors"
    assert main(["bench", "weave", "--weights", str(missing)]) != 0
    assert str(missing) in capsys.readouterr().err
