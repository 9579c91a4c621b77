"""Weights: the trained model as a file (safetensors, float16), with the conditions of the land that it was trained on.

A file holds numbers and text and no code. Its hash is known here for the model that comes with Worldloom; the hash of
any other is said in every tile that it makes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.conditions import CONDITIONS_N
from worldloom.worldgen.gan.model import SIZES, Generator

__all__ = ["SHIPPED", "SHIPPED_SHA256", "Model", "read_model", "write_model"]

F32 = npt.NDArray[np.float32]

SHIPPED = Path(__file__).with_name("weights.safetensors")
SHIPPED_SHA256 = ""
MAX_BYTES = 64 * 1024 * 1024
_FORMAT = "worldloom-gan-1"


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
    tensors = {f"net.{name}": value.detach().cpu() for name, value in generator.state_dict().items()}
    tensors["table"] = torch.from_numpy(table)
    data = save(
        {name: value.to(torch.float16).contiguous() for name, value in tensors.items()},
        {"format": _FORMAT, "size": generator.size, "card": json.dumps(dict(card), sort_keys=True)},
    )
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_model(path: Path = SHIPPED, sha256: str | None = None) -> Model:
    """Read a model.

    Args:
        path: The file.
        sha256: What its hash must be; None: that of the shipped one for the shipped file, any for others.

    Raises:
        ConfigError: It is none, or not the one that is expected.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: expected at most {MAX_BYTES} bytes, got {path.stat().st_size}")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: expected the weights of a generator; got: {error.strerror or error}") from None
    got = hashlib.sha256(data).hexdigest()
    expected = sha256 or (SHIPPED_SHA256 if path == SHIPPED else got)
    if got != expected:
        raise ConfigError(f"{path}: expected weights of sha256 {expected}, got {got}: the file is damaged or another")
    try:
        meta = _metadata(data)
        tensors = load(data)
        if meta.get("format") != _FORMAT or meta.get("size") not in SIZES:
            raise ValueError(f"format {meta.get('format')!r}, size {meta.get('size')!r}")
        generator = Generator(meta["size"])
        net = {name.removeprefix("net."): value.float() for name, value in tensors.items() if name != "table"}
        generator.load_state_dict(net)
        table = tensors["table"].float().numpy()
        if table.ndim != 2 or table.shape[1] != CONDITIONS_N or not len(table) or not np.isfinite(table).all():
            raise ValueError(f"a table of {table.shape}")
        card = json.loads(meta.get("card", "{}"))
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise ConfigError(f"{path}: expected the weights of a generator ({_FORMAT}); got: {error}") from None
    return Model(generator.eval(), np.ascontiguousarray(table), got, card)


def _metadata(data: bytes) -> dict[str, str]:
    """The text in the header of a safetensors file: eight bytes of length, then JSON."""
    size = int.from_bytes(data[:8], "little")
    if not 2 <= size <= len(data) - 8:
        raise ValueError(f"a header of {size} bytes")
    header = json.loads(data[8 : 8 + size])
    return dict(header.get("__metadata__", {}))
