"""A small trained-looking generator: random weights, and a table of conditions such as real land could have."""

import copy
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from worldloom.worldgen.gan.conditions import CONDITIONS_N, MEASURES
from worldloom.worldgen.gan.landforms import LANDFORMS_N, Landform
from worldloom.worldgen.gan.model import Generator
from worldloom.worldgen.gan.style import Style
from worldloom.worldgen.gan.weights import Model, write_model
from worldloom.worldgen.lattice import hash_lattice

F32 = npt.NDArray[np.float32]

torch.set_num_threads(1)  # As the source does; and tests run many at once.
LOOM_SEED = 11
# log rms slope of each landform, about; the order is Landform's.
_SLOPES = (-3.9, -2.4, -2.5, -1.6, -1.5, -0.9, -0.8, -1.8, -1.4, -1.7)


def small_table(windows: int = 240, seed: int = 3) -> F32:
    """``[windows, CONDITIONS_N]``: each landform in turn; steeper ones are higher; half of it at 90 m."""
    return _table(windows, seed).copy()


@cache
def _table(windows: int, seed: int) -> F32:
    rng = np.random.default_rng(seed)
    rows = np.zeros((windows, CONDITIONS_N))
    kind = np.arange(windows) % LANDFORMS_N
    steepness = np.array(_SLOPES)[kind] + rng.normal(0, 0.3, windows)
    columns = {
        "steepness": steepness,
        "relief": steepness + 3.6 + rng.normal(0, 0.2, windows),
        "roughness": rng.normal(-3.0, 0.4, windows),
        "hypsometry": rng.uniform(0.2, 0.5, windows),
        "sharpness": rng.normal(0.0, 0.3, windows),
        "grain": rng.uniform(0.05, 0.6, windows),
        "grandeur": kind // 5 ^ np.arange(windows) // LANDFORMS_N & 1,
    }
    for name, values in columns.items():
        rows[:, MEASURES.index(name)] = values
    rows[np.arange(windows), len(MEASURES) + kind] = 1.0
    return rows.astype(np.float32)


def small_generator(seed: int = 5) -> Generator:
    """Size S, untrained, but it hears its conditions as a trained one does."""
    return copy.deepcopy(_generator(seed))


@cache
def _generator(seed: int) -> Generator:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        generator = Generator("S")
    table = torch.from_numpy(small_table())
    told = len(MEASURES)
    with torch.no_grad():
        generator.mean[:told], generator.spread[:told] = table.mean(0)[:told], table.std(0)[:told]
        for stage in generator.stages:
            stage.film.weight.mul_(15.0)
    return generator.eval()


def small_model(seed: int = 5) -> Model:
    return Model(small_generator(seed), small_table(), "ab" * 32, {"held_out": "[]"})


def small_weights(path: Path, seed: int = 5) -> Path:
    """A file of it."""
    write_model(path, small_generator(seed), small_table(), {"held_out": "[]"})
    return path


def style_of(kind: Landform, steepness: float | None = None) -> Style:
    """The first window of a landform in the table."""
    conditions = small_table()[kind].copy()
    if steepness is not None:
        conditions[MEASURES.index("steepness")] = steepness
    return Style(conditions)


@cache
def patchwork(rx: int, rz: int) -> Style:
    """Another style in every region, without any blending between them."""
    table = _table(240, 3)
    row = int(hash_lattice(np.array([rx]), np.array([rz]), 99)[0] >> np.uint64(20)) % len(table)
    return Style(table[row], warmth=(row % 7 - 3) / 3, moisture=row % 5 / 4)
