"""The weights' file: read and checked as bytes (safetensors). Knows no torch, so that styles can be said without it.

A file holds numbers and text and no code. Its hash is known here for the model that comes with Worldloom; the hash of
any other is said in every tile that it makes.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from worldloom.errors import ConfigError
from worldloom.worldgen.gan.conditions import CONDITIONS_N

__all__ = ["SHIPPED", "SHIPPED_SHA256", "WeightsFile", "read_file", "write_file"]

F32 = npt.NDArray[np.float32]

SHIPPED = Path(__file__).with_name("weights.safetensors")
SHIPPED_SHA256 = "cc98958221924ec07a6e68f9eb83bdcedd402414439356db6a6ea20771d2051e"
MAX_BYTES = 64 * 1024 * 1024
_FORMAT = "worldloom-gan-1"
_TABLE = "table"


@dataclass(frozen=True, slots=True, eq=False)
class WeightsFile:
    """What is in a file."""

    size: str
    """Of the net."""
    net: dict[str, npt.NDArray[Any]]
    """Parameters by name."""
    table: F32
    """``[n, CONDITIONS_N]``: conditions of windows of real land, from which provinces draw."""
    card: dict[str, str]
    """What is known of how it was trained."""
    sha256: str = ""
    """Of the file: 64 hex digits."""


def write_file(path: Path, contents: WeightsFile) -> str:
    """Write a file in float16; its hash."""
    arrays = {f"net.{name}": value for name, value in contents.net.items()} | {_TABLE: contents.table}
    meta = {"format": _FORMAT, "size": contents.size, "card": json.dumps(contents.card, sort_keys=True)}
    data = save({name: np.ascontiguousarray(value, np.float16) for name, value in arrays.items()}, meta)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_file(path: Path = SHIPPED) -> WeightsFile:
    """Read a file.

    Raises:
        ConfigError: It is none, is damaged, or is not the one that comes with this version.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: expected at most {MAX_BYTES} bytes, got {path.stat().st_size}")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: expected the weights of a generator; got: {error.strerror or error}"
        ) from None
    got = hashlib.sha256(data).hexdigest()
    if path == SHIPPED and got != SHIPPED_SHA256:
        raise ConfigError(
            f"{path}: expected weights of sha256 {SHIPPED_SHA256}, got {got}: it is damaged. Install Worldloom again"
        )
    try:
        arrays = load(data)
        meta = _metadata(data)
        table = arrays.pop(_TABLE).astype(np.float32)
        if meta.get("format") != _FORMAT:
            raise ValueError(f"format {meta.get('format')!r}")
        if (
            table.ndim != 2
            or table.shape[1] != CONDITIONS_N
            or not len(table)
            or not np.isfinite(table).all()
        ):
            raise ValueError(f"a table of {table.shape}")
        card = json.loads(meta.get("card", "{}"))
        if not isinstance(card, dict):
            raise ValueError(f"a card {card!r:.80}")
        net = {name.removeprefix("net."): value for name, value in arrays.items()}
        return WeightsFile(meta.get("size", ""), net, table, card, got)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: expected the weights of a generator ({_FORMAT}); got: {error}") from None


def _metadata(data: bytes) -> dict[str, str]:
    """The text in the header of a safetensors file that was read: eight bytes of length, then JSON."""
    size = int.from_bytes(data[:8], "little")
    return dict(json.loads(data[8 : 8 + size]).get("__metadata__", {}))
