"""The same input gives the same world: twice, and in a process whose strings hash otherwise."""

import os
import subprocess
import sys

import numpy as np
import pytest

from worldloom.replication.cells import CellTable
from worldloom.replication.runs import encode_runs
from worldloom.world.avatars import AvatarTable
from worldloom.world.step import Moves, Tables, step
from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.geometry import GROUND_Y

BODIES, TICKS = 100, 200


def hilly_land(rng: np.random.Generator) -> TerrainTable:
    land = TerrainTable()
    for rx in (-1, 0):
        land.add(rx, 0, rng.integers(-2_000, 2_000, (129, 129)).astype(np.int16))
    return land


def recorded_moves(rng: np.random.Generator, state: AvatarTable, rows: np.ndarray, tick: int) -> Moves:
    """Steps, leaps, replays and nonsense, of random bodies, some of them twice and some of none."""
    row = rng.choice(np.append(rows, -1), 120)
    size = rng.choice([0, 40, 900, 2**20], 120)
    x, z = (state.x[row] + rng.integers(-size, size + 1), state.z[row] + rng.integers(-size, size + 1))
    y = np.where(rng.random(120) < 0.7, GROUND_Y, rng.integers(-32_768, 32_768, 120))
    seq = tick + rng.integers(-2, 3, 120)
    return Moves(row, seq, x, z, y, rng.integers(0, 256, 120), rng.integers(0, 64, 120))


def digest(seed: int) -> tuple[str, int, int]:
    """The state after the story of a seed, how many moves were granted and how many refused."""
    rng = np.random.default_rng(seed)
    tables = Tables(hilly_land(rng), 12 * 64, 20 * 16)
    state = AvatarTable()
    rows = np.array([state.add(avatar) for avatar in range(1, BODIES + 1)])
    state.x[rows], state.z[rows] = rng.integers(-16_000, 16_000, BODIES), rng.integers(0, 16_000, BODIES)
    table = CellTable(state)
    for row in rows.tolist():
        table.settle(row, 0)
    granted = refused = 0
    for tick in range(1_000, 1_000 + TICKS):
        done = step(state, recorded_moves(rng, state, rows, tick), tables, tick)
        granted, refused = granted + len(done.changed), refused + len(done.corrections.row)
        table.begin_tick()
        table.cross(done.changed, tick)
        encode_runs(state, tick, table.indices)
    return state.digest(), granted, refused


def test_the_same_input_gives_the_same_state_twice():
    first, granted, refused = digest(1)
    assert digest(1) == (first, granted, refused)
    assert granted > 3_000
    assert refused > 3_000


def test_another_input_gives_another_state():
    assert digest(1)[0] != digest(2)[0]


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_another_process_comes_to_the_same_state(hash_seed):
    program = "import runpy, sys; print(runpy.run_path(sys.argv[1])['digest'](3)[0])"
    answer = subprocess.run(
        [sys.executable, "-c", program, __file__],
        env=os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout.strip() == digest(3)[0]


def test_every_column_counts_in_the_digest():
    table = AvatarTable()
    row = table.add(7)
    seen = {table.digest()}
    for name in ("x", "z", "y", "yaw", "gesture", "seq", "reach", "lift", "slot", "pending", "crossed"):
        getattr(table, name)[row] += 1
        seen.add(table.digest())
    assert len(seen) == 12


def test_the_digest_does_not_know_in_which_rows_the_bodies_lie():
    one, other = AvatarTable(), AvatarTable()
    for avatar in (1, 2, 3):
        one.x[one.add(avatar)] = avatar
    for avatar in (9, 3, 2, 1):
        other.x[other.add(avatar)] = avatar
    assert one.digest() != other.digest()
    other.remove(9)
    assert one.digest() == other.digest()
