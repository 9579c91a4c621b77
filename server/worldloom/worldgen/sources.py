"""Sources: the one place where a configured generator becomes a terrain source, in the server and in its child alike.

Knows the generators' names. What a generator needs is imported when it is asked for, so that noise costs no torch.
"""

import importlib
import importlib.util

from worldloom.errors import ConfigError
from worldloom.ports import TerrainSource
from worldloom.worldgen.noise import NoiseSource

__all__ = ["FACTORY", "check_generator", "make_source"]

FACTORY = "worldloom.worldgen.sources:make_source"
"""How another process names :func:`make_source`."""
_GAN = "worldloom.worldgen.gan"


def check_generator(generator: str) -> None:
    """Refuse a generator that this installation does not have; imports nothing of it.

    Raises:
        ConfigError: It is not installed.
    """
    if generator == "gan" and importlib.util.find_spec(_GAN) is None:
        raise ConfigError(
            'worldgen.generator: expected a generator that is installed; got "gan", and there is no trained '
            "generator here. Use --generator noise: regions made so far stay as they are when a generator is added."
        )


def make_source(generator: str, seed: int) -> TerrainSource:
    """The source of a generator, ready to be asked: whatever it imports and reads is there when this returns.

    Args:
        generator: ``worldgen.generator``.
        seed: Of the world, 0 .. 2**63 - 1.

    Raises:
        ConfigError: The generator is not installed.
    """
    check_generator(generator)
    if generator == "gan":
        source: TerrainSource = importlib.import_module(f"{_GAN}.source").GanSource(seed)
        return source
    return NoiseSource(seed)
