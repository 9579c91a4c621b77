"""Sources: the one place where a configured generator becomes a terrain source, in the server and in its child alike.

Knows the generators' names. What a generator needs is imported when it is asked for, so that noise costs no torch.
"""

import importlib
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from worldloom.errors import ConfigError
from worldloom.ports import Stylist, TerrainSource, Wisher
from worldloom.worldgen.noise import NoiseSource

__all__ = [
    "FACTORY",
    "check_generator",
    "check_installed",
    "check_model",
    "lacking",
    "make_source",
    "make_stylist",
    "make_wisher",
    "settled",
]

FACTORY = "worldloom.worldgen.sources:make_source"
"""How another process names :func:`make_source`."""
_GAN = "worldloom.worldgen.gan"
_NEEDED = ("torch", "safetensors")
_WEIGHTS = Path(__file__).parent / "gan" / "weights.safetensors"
_NONE_YET = "none are in this installation; `worldloom worldgen train` makes some, {} names them"


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
    missing = _not_installed(_NEEDED)
    weights = f"its weights ({_NONE_YET.format('worldgen.weights')})"
    return missing if own_weights or _WEIGHTS.exists() else [*missing, weights]


def _not_installed(packages: Iterable[str]) -> list[str]:
    return [name for name in packages if importlib.util.find_spec(name) is None]


def check_generator(generator: str, own_weights: bool = False) -> None:
    """Refuse a generator that this installation does not have; imports nothing of it.

    Args:
        generator: ``worldgen.generator``.
        own_weights: Whether it does without those that come with Worldloom.

    Raises:
        ConfigError: It is not installed.
    """
    if generator == "gan" and (missing := lacking(own_weights)):
        install = ", or install worldloom[server]" if _not_installed(_NEEDED) else ""
        raise ConfigError(
            'worldgen.generator: expected a generator that is installed; got "gan", which needs '
            f"{' and '.join(missing)}. Use --generator noise{install}: regions made so far stay as they are when "
            "the generator changes."
        )


def check_installed(packages: Iterable[str] = _NEEDED) -> None:
    """Refuse a command that takes what the trained generator is made with; imports none of it.

    Raises:
        ConfigError: Some of it is not installed.
    """
    if missing := _not_installed(packages):
        raise ConfigError(
            f"expected {' and '.join(missing)}, which the trained generator needs; got none. "
            "Install worldloom[server]"
        )


def check_model(weights: Path | None, packages: Iterable[str] = _NEEDED) -> None:
    """Refuse a command that asks the trained generator where that cannot be had; imports nothing of it.

    Args:
        weights: The file that was named; None: that which comes with Worldloom.
        packages: What the command takes besides.

    Raises:
        ConfigError: There is no such file, or something is not installed.
    """
    if weights is not None and not weights.exists():
        raise ConfigError(f"{weights}: expected the weights of a generator; got: No such file or directory")
    if weights is None and not _WEIGHTS.exists():
        named = _NONE_YET.format("--weights FILE")
        raise ConfigError(f"expected the trained generator's weights: {named}")
    check_installed(packages)


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


def make_wisher(generator: str, seed: int, weights: str = "") -> Wisher | None:
    """Who turns people's words into styles, for a generator that follows them; never imports torch.

    Args:
        generator: ``worldgen.generator``.
        seed: Of the world, 0 .. 2**63 - 1.
        weights: ``worldgen.weights``.

    Raises:
        ConfigError: The generator is not installed, or its weights are damaged.
    """
    check_generator(generator, bool(weights))
    if settled(generator, weights) == "gan":
        wisher: Wisher = importlib.import_module(f"{_GAN}.wisher").of_file(seed, weights)
        return wisher
    return None
