"""Bodies on ground that changes under them: none is left where it could not even stand still."""

import numpy as np
import pytest

from worldloom.world.avatars import AvatarTable
from worldloom.world.footing import keep_footing
from worldloom.world.step import PENDING_ALL, Moves, Tables, step
from worldloom.world.terrain import TerrainTable
from worldloom_sdk.protocol.overlay import Patch
from worldloom_sdk.protocol.tiles import MAX_HEIGHT, MIN_HEIGHT


def settled(y: int, before: int, after: int) -> int:
    state = AvatarTable()
    row = state.add(7)
    state.y[row] = y
    keep_footing(state, np.array([row]), np.array([before]), np.array([after]))
    return int(state.y[row])


@pytest.mark.parametrize(
    ("y", "before", "after", "expected"),
    [
        (80, 80, 160, 160),
        (80, 80, 16, 16),
        (84, 80, 160, 160),
        (80, 80, -160, 0),
        (0, -160, -320, 0),
        (0, -160, 32, 32),
        (-160, -160, -320, -320),
        (-160, -160, 48, 48),
        (-80, -160, -320, -80),
        (-80, -160, -40, -40),
        (400, 80, 160, 400),
        (400, 80, 480, 480),
        (1_000, 80, -3_000, 1_000),
        (2_000, 1_000, 0, 1_024),
        (80, 80, 80, 80),
    ],
    ids=[
        "who stands is lifted",
        "who stands is let down",
        "who stands on a slope, too",
        "who stands where the sea comes in swims",
        "who swims swims on",
        "who swims where land rises stands on it",
        "who stands on the sea's ground is let down",
        "who stands on the sea's ground is lifted out of the sea",
        "who dives dives on",
        "who dives where the ground rises stands on it",
        "who flies flies on",
        "who flies where a hill rises stands on it",
        "who flies low over the sea flies on",
        "who flies is let down to where one may be",
        "where the ground is as it was nothing is done",
    ],
)
def test_what_becomes_of_a_body(y: int, before: int, after: int, expected: int) -> None:
    assert settled(y, before, after) == expected


def test_only_who_is_set_elsewhere_is_told_of() -> None:
    state = AvatarTable()
    rows = np.array([state.add(1), state.add(2)])
    state.y[rows] = 80, 400
    changed = keep_footing(state, rows, np.array([80, 80]), np.array([96, 96]))
    assert changed.tolist() == [rows[0]]
    assert state.pending[rows].tolist() == [PENDING_ALL, 0]


def test_whatever_is_done_to_the_ground_who_stands_still_is_not_refused() -> None:
    """By a move that names the height at which the body is, and by one that leaves it to the server."""
    rng = np.random.default_rng(3)
    land, state = TerrainTable(), AvatarTable()
    land.add(0, 0, rng.integers(-2_000, 4_000, (129, 129)).astype(np.int16))
    rows = np.array([state.add(avatar) for avatar in range(1, 201)])
    state.x[rows], state.z[rows] = rng.integers(0, 64 * 62, 200), rng.integers(0, 64 * 62, 200)
    ground, _ = land.ground(state.x[rows], state.z[rows])
    state.y[rows] = np.maximum(ground, 0) + np.where(rng.random(200) < 0.5, 0, rng.integers(0, 1_024, 200))
    for tick in range(1, 60):
        before, _ = land.ground(state.x[rows], state.z[rows])
        land.edit(0, 0, Patch(0, 0, rng.integers(MIN_HEIGHT, MAX_HEIGHT + 1, (32, 32)).astype(np.int16)))
        after, _ = land.ground(state.x[rows], state.z[rows])
        keep_footing(state, rows, before, after)
        same = np.full(200, tick)
        y = np.where(rng.random(200) < 0.5, -32_768, state.y[rows])
        asked = Moves(rows, same, state.x[rows], state.z[rows], y, same, same * 0)
        assert step(state, asked, Tables(land, 768, 320), tick).corrections.row.tolist() == []
