"""Sources: the one place where a configured generator becomes a terrain source, in the server and in its child alike.

Knows the generators' names. What a generator needs is imported when it is asked for, so that noise costs no torch.
"""

import importlib
import importlib.util
from pathlib import Path

from worldloom.errors import ConfigError
from worldloom.ports import Stylist, TerrainSource
from worldloom.worldgen.noise import NoiseSource

__all__ = ["FACTORY", "check_generator", "lacking", "make_source", "make_stylist", "settled"]

FACTORY = "worldloom.worldgen.sources:make_source"
"""How another process names :func:`make_source`."""
_GAN = "worldloom.worldgen.gan"
_NEEDED = ("torch", "safetensors")
_WEIGHTS = Path(__file__).parent / "gan" / "weights.safetensors"


def settled(generator: str, weights: str = "") -> str:
    """What ``worldgen.generator`` comes to in this installation: "auto" is the trained one where it can be had."""
    if generator != "auto":
        return generator
    return "noise" if lacking(bool(weights)) else "gan"


def lacking(own_weights: bool) -> list[str]:
    """What the trained generator needs and is not here; empty if it can be had.

    Args:
        own_weights: Whether it does without those that come with Worldloom.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    return missing if own_weights or _WEIGHTS.exists() else [*missing, "its weights (worldgen.weights)"]


def check_generator(generator: str, own_weights: bool = False) -> None:
    """Refuse a generator that this installation does not have; imports nothing of it.

    Args:
        generator: ``worldgen.generator``.
        own_weights: Whether it does without those that come with Worldloom.

    Raises:
        ConfigError: It is not installed.
    """
    if generator == "gan" and (missing := lacking(own_weights)):
        needs = " and ".join(missing)
        raise ConfigError(
            f'worldgen.generator: expected a generator that is installed; got "gan", which needs {needs}. '
            "Use --generator noise, or install worldloom[server]: regions made so far stay as they are when the "
            "generator changes."
        )


def make_source(generator: str, seed: int, weights: str = "") -> TerrainSource:
    """The source of a generator, ready to be asked: whatever it imports and reads is there when this returns.

    Args:
        generator: ``worldgen.generator``.
        seed: Of the world, 0 .. 2**63 - 1.
        weights: ``worldgen.weights``.

    Raises:
        ConfigError: The generator is not installed, or its weights are damaged.
    """
    check_generator(generator, bool(weights))
    if settled(generator, weights) == "gan":
        source: TerrainSource = importlib.import_module(f"{_GAN}.source").of_file(seed, weights)
        return source
    return NoiseSource(seed)


def make_stylist(generator: str, seed: int, weights: str = "") -> Stylist | None:
    """Who says what regions are to be like, for a generator that follows styles; never imports torch.

    Args:
        generator: ``worldgen.generator``.
        seed: Of the world, 0 .. 2**63 - 1.
        weights: ``worldgen.weights``.

    Raises:
        ConfigError: The generator is not installed, or its weights are damaged.
    """
    check_generator(generator, bool(weights))
    if settled(generator, weights) == "gan":
        stylist: Stylist = importlib.import_module(f"{_GAN}.provinces").of_file(seed, weights)
        return stylist
    return None
