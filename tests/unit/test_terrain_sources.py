"""Sources: which generator is which, and what is imported for it."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from worldloom.errors import ConfigError
from worldloom.worldgen import sources
from worldloom.worldgen.noise import NoiseSource
from worldloom.worldgen.sources import (
    check_generator,
    check_installed,
    check_model,
    make_source,
    make_stylist,
    settled,
)


def test_noise_is_always_there():
    check_generator("noise")
    assert isinstance(make_source("noise", 5), NoiseSource)


def test_a_generator_that_is_not_installed_makes_no_source(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    for ask in (lambda: check_generator("gan"), lambda: make_source("gan", 5)):
        with pytest.raises(ConfigError, match="Use --generator noise"):
            ask()


def test_a_trained_generator_is_made_from_the_worlds_seed(monkeypatch: pytest.MonkeyPatch):
    installed = ModuleType("worldloom.worldgen.gan.source")
    installed.of_file = lambda seed, weights: ("gan", seed, weights)
    monkeypatch.setitem(sys.modules, installed.__name__, installed)
    monkeypatch.setattr(sources, "lacking", lambda own_weights: [])
    assert make_source("gan", 5) == ("gan", 5, "")
    assert make_source("auto", 5, "own.safetensors") == ("gan", 5, "own.safetensors")


def test_where_the_trained_generator_is_not_to_be_had_land_is_made_by_noise(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources, "lacking", lambda own_weights: ["torch"])
    assert settled("auto") == "noise"
    assert settled("gan") == "gan"
    assert isinstance(make_source("auto", 5), NoiseSource)
    assert make_stylist("auto", 5) is None


def test_who_brings_weights_needs_none_that_come_with_worldloom(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources, "_WEIGHTS", sources._WEIGHTS.with_name("none.safetensors"))
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: object())
    check_generator("gan", own_weights=True)
    assert settled("auto", "own.safetensors") == "gan"
    assert settled("auto") == "noise"
    with pytest.raises(ConfigError, match='got "gan", which needs its weights'):
        check_generator("gan")
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"which needs torch and safetensors\."):
        check_generator("gan", own_weights=True)


def test_a_generator_that_lacks_its_weights_alone_does_not_say_to_install_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(sources, "_WEIGHTS", sources._WEIGHTS.with_name("none.safetensors"))
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: object())
    with pytest.raises(
        ConfigError, match=r"worldgen.weights names them\). Use --generator noise: regions"
    ) as told:
        check_generator("gan")
    assert "install worldloom" not in str(told.value)


def test_a_command_that_takes_what_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)
    for check in (check_installed, lambda: check_model(Path(__file__))):
        with pytest.raises(
            ConfigError, match=r"expected torch and safetensors, .* Install worldloom"
        ) as told:
            check()
        assert "--generator" not in str(told.value)


def test_noise_has_no_stylist_and_the_trained_generator_has_one(monkeypatch: pytest.MonkeyPatch):
    assert make_stylist("noise", 5) is None
    monkeypatch.setattr(sources, "lacking", lambda own_weights: [])
    provinces = ModuleType("worldloom.worldgen.gan.provinces")
    provinces.of_file = lambda seed, weights: ("provinces", seed, weights)
    monkeypatch.setitem(sys.modules, provinces.__name__, provinces)
    assert make_stylist("gan", 5) == ("provinces", 5, "")


def test_a_stylist_costs_no_torch():
    code = (
        "import sys, worldloom.worldgen.gan.provinces, worldloom.worldgen.gan.wish;"
        "print([name for name in sys.modules if name.startswith('torch')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_noise_costs_no_trained_generator():
    code = (
        "import sys; from worldloom.worldgen.sources import make_source; make_source('noise', 1);"
        "print([name for name in sys.modules if name.startswith(('torch', 'worldloom.worldgen.gan'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
