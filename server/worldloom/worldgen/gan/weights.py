"""Weights: a trained model, read from its file and written to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.file import SHIPPED, WeightsFile, read_file, write_file
from worldloom.worldgen.gan.model import SIZES, Generator

__all__ = ["Model", "read_model", "write_model"]

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained generator and its land."""

    generator: Generator
    table: F32
    """``[n, CONDITIONS_N]``: conditions of windows of real land, from which provinces draw."""
    sha256: str
    """Of the file: 64 hex digits."""
    card: Mapping[str, str]
    """What is known of how it was trained."""


def write_model(path: Path, generator: Generator, table: F32, card: Mapping[str, str]) -> str:
    """Write a model in float16; the hash of the file."""
    net = {name: value.detach().cpu().numpy() for name, value in generator.state_dict().items()}
    return write_file(path, WeightsFile(generator.size, net, table, dict(card)))


def read_model(path: Path = SHIPPED) -> Model:
    """Read a model.

    Raises:
        ConfigError: It is none, or is damaged.
    """
    contents = read_file(path)
    if contents.size not in SIZES:
        raise ConfigError(f"{path}: expected a generator of size {', '.join(SIZES)}; got {contents.size!r}")
    generator = Generator(contents.size)
    try:
        generator.load_state_dict(
            {name: torch.from_numpy(value.astype(np.float32)) for name, value in contents.net.items()}
        )
    except RuntimeError as error:
        raise ConfigError(f"{path}: expected the weights of size {contents.size}; got: {error}") from None
    return Model(generator.eval(), contents.table, contents.sha256, contents.card)
