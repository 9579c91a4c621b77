"""Weights: read back as they were written; whatever else is there is refused, and no code of it ever runs."""

import contextlib
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from small_loom import small_generator, small_table, small_weights
from worldloom.errors import ConfigError
from worldloom.worldgen.gan import file
from worldloom.worldgen.gan.conditions import CONDITIONS_N
from worldloom.worldgen.gan.file import WeightsFile, read_file, write_file
from worldloom.worldgen.gan.weights import read_model

META = {"format": "worldloom-gan-1", "size": "S", "card": "{}"}


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_weights(tmp_path_factory.mktemp("weights") / "model.safetensors")


def made(path: Path, meta: dict[str, str] | None = None, **arrays: Any) -> Path:
    """A small file with a table of its own."""
    path.write_bytes(save({"table": small_table(20)} | arrays, META if meta is None else meta))
    return path


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_model(path)
    return str(caught.value)


def test_a_model_is_read_as_it_was_written_but_for_half_the_digits(good: Path) -> None:
    model, truth = read_model(good), small_generator()
    assert model.generator.size == "S"
    assert not model.generator.training
    for name, value in truth.state_dict().items():
        assert torch.equal(model.generator.state_dict()[name], value.half().float()), name
    np.testing.assert_array_equal(model.table, small_table().astype(np.float16).astype(np.float32))
    assert model.card == {"held_out": "[]"}
    assert model.sha256 == hashlib.sha256(good.read_bytes()).hexdigest()


def test_the_hash_that_writing_says_is_that_of_the_file(tmp_path: Path) -> None:
    contents = WeightsFile("S", {"a": np.ones(3)}, small_table(20), {"steps": "7"})
    told = write_file(tmp_path / "m", contents)
    found = read_file(tmp_path / "m")
    assert told == found.sha256
    assert (found.card, list(found.net)) == ({"steps": "7"}, ["a"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = refused(tmp_path / "none.safetensors")
    assert "none.safetensors: expected the weights of a generator; got: No such file" in told
    assert "got: Is a directory" in refused(tmp_path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "MAX_BYTES", 1_000)
    (tmp_path / "m").write_bytes(bytes(1_001))
    assert refused(tmp_path / "m").endswith("expected at most 1000 bytes, got 1001")


@pytest.mark.parametrize("kept", [0, 7, 8, 100, 5_000, -1])
def test_a_file_that_was_cut_off_is_refused(good: Path, tmp_path: Path, kept: int) -> None:
    (tmp_path / "m").write_bytes(good.read_bytes()[:kept])
    assert "expected the weights of a generator (worldloom-gan-1); got: " in refused(tmp_path / "m")


def _header(value: object) -> bytes:
    text = json.dumps(value).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no weights at all, but some text",
        _header([]),
        _header(7),
        _header({"__metadata__": 7}),
        _header({"__metadata__": {"format": 7}}),
        _header({"__metadata__": META}),
        (2**63).to_bytes(8, "little") + b"{}",
        (2).to_bytes(8, "little") + b"\xff\xfe",
    ],
)
def test_bytes_that_are_no_weights_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m").write_bytes(data)
    assert "expected the weights of a generator" in refused(tmp_path / "m")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(0, 3_000), byte=st.integers(0, 255))
def test_a_damaged_byte_never_does_worse_than_be_refused(tmp_path: Path, at: int, byte: int) -> None:
    data = bytearray(made(tmp_path / "m", **{"net.a": np.ones(3, np.float16)}).read_bytes())
    data[at % len(data)] = byte
    (tmp_path / "m").write_bytes(data)
    with contextlib.suppress(ConfigError):
        found = read_file(tmp_path / "m")
        assert found.table.shape[1] == CONDITIONS_N
        assert np.isfinite(found.table).all()


def test_weights_of_another_format_are_refused(tmp_path: Path) -> None:
    told = refused(made(tmp_path / "m", META | {"format": "worldloom-gan-9"}))
    assert "(worldloom-gan-1); got: format 'worldloom-gan-9'" in told
    assert "format None" in refused(made(tmp_path / "m", {}))


def test_a_net_of_unknown_size_is_refused(tmp_path: Path) -> None:
    told = refused(made(tmp_path / "m", META | {"size": "XL"}))
    assert told.endswith("expected a generator of size S, M, L; got 'XL'")


def test_weights_of_another_net_are_refused(good: Path, tmp_path: Path) -> None:
    net = read_file(good).net
    write_file(tmp_path / "m", WeightsFile("M", net, small_table(20), {}))
    assert "expected the weights of size M; got: " in refused(tmp_path / "m")
    some = {name: value for name, value in net.items() if "film" not in name}
    write_file(tmp_path / "m", WeightsFile("S", some, small_table(20), {}))
    assert "film" in refused(tmp_path / "m")


@pytest.mark.parametrize(
    "table",
    [
        np.zeros((4, CONDITIONS_N - 1), np.float32),
        np.zeros((0, CONDITIONS_N), np.float32),
        np.zeros(CONDITIONS_N, np.float32),
        np.full((4, CONDITIONS_N), np.nan, np.float32),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: np.ndarray) -> None:
    told = refused(made(tmp_path / "m", table=table))
    assert "got: a table of" in told


def test_weights_without_a_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(save({"net.a": np.ones(3, np.float32)}, META))
    assert "table" in refused(tmp_path / "m")


@pytest.mark.parametrize("card", ["{", "[1]", "7"])
def test_a_card_that_is_none_is_refused(tmp_path: Path, card: str) -> None:
    assert "got: " in refused(made(tmp_path / "m", META | {"card": card}))


class Bomb:
    """Whose unpickling makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_code_in_a_file_is_never_run(tmp_path: Path, how: str) -> None:
    bomb = Bomb(tmp_path / "it ran")
    if how == "pickle":
        (tmp_path / "m").write_bytes(pickle.dumps(bomb))
    else:
        torch.save(bomb, tmp_path / "m")
    assert "expected the weights of a generator" in refused(tmp_path / "m")
    assert not (tmp_path / "it ran").exists()
    pickle.loads(pickle.dumps(bomb))
    assert (tmp_path / "it ran").exists(), "the bomb is one"


def test_other_weights_in_the_place_of_those_that_come_with_worldloom_are_damage(
    good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "SHIPPED", good)
    assert "it is damaged. Install Worldloom again" in refused(good)
    monkeypatch.setattr(file, "SHIPPED_SHA256", hashlib.sha256(good.read_bytes()).hexdigest())
    assert read_model(good).sha256 == file.SHIPPED_SHA256
