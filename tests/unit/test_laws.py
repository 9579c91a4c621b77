"""Laws: pulls that make land drain and forget the net's grid; measured on land of which the truth is known."""

import numpy as np
import pytest
import torch

from worldloom.worldgen.gan import laws
from worldloom.worldgen.gan.dataset import DemTile, Windows
from worldloom.worldgen.gan.laws import Laws

SIDE = 64


@pytest.fixture(autouse=True)
def _at_full_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first step on, and stronger than beside critics."""
    monkeypatch.setattr(laws, "_HOLLOWS", 0.15)
    monkeypatch.setattr(laws, "_PARITY", 0.1)
    monkeypatch.setattr(laws, "_RAMP", 1)


def windows(heights: np.ndarray) -> Windows:
    """One window: all of it."""
    tile = DemTile("one", "rolling", 90.0, heights.astype(np.float32), np.zeros(heights.shape, np.uint8))
    none = np.zeros(1, np.int64)
    return Windows([tile], none, none, none, np.zeros((1, 17), np.float32), len(heights))


def slope_land() -> np.ndarray:
    """Falls to one side; nothing in it holds water."""
    return np.add.outer(np.arange(SIDE) * 4.0, np.arange(SIDE) * 1.5)


def tensor(heights: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(heights.astype(np.float32) / 100)[None, None]


def hollow_land() -> np.ndarray:
    """The slope with a round hollow in its middle, whose outlet is one known cell."""
    z = slope_land()
    rows, columns = np.ogrid[:SIDE, :SIDE]
    away = np.hypot(rows - 32, columns - 32)
    return np.where(away < 8, z - 40 * (1 - away / 8), z)


def test_land_that_drains_is_not_pulled() -> None:
    rules = Laws(windows(hollow_land()))
    pull = rules.pull(tensor(slope_land()), torch.ones(1, 1, SIDE, SIDE), (0, 0))
    assert rules.fill == 0.0
    # What is left is the rounding of a plane's curvature.
    assert float(pull.norm()) < 0.35 * SIDE


def test_a_hollow_is_measured_as_the_ruler_does() -> None:
    from worldloom.worldgen.gan.drainage import drainage

    rules = Laws(windows(hollow_land()))
    rules.pull(tensor(hollow_land()), torch.ones(1, 1, SIDE, SIDE), (0, 0))
    _, fill, _ = drainage(hollow_land()[None])
    assert rules.fill == pytest.approx(float(fill[0]), rel=0.02)


def test_steps_down_the_pull_drain_a_hollow_and_do_not_blow_up_the_land() -> None:
    rng = np.random.default_rng(3)
    rough = slope_land() + rng.normal(size=(SIDE, SIDE)) * 12
    rules = Laws(windows(slope_land() + rng.normal(size=(SIDE, SIDE)) * 2))
    height = tensor(rough)
    before = laws._hollows(rough[None]).mean()
    assert before > 0.2, "metres, on the whole patch"
    relief = float(height.max() - height.min())
    for _ in range(200):
        pull = rules.pull(height, torch.ones_like(height), (0, 0))
        height = height - 0.002 * pull
    after = laws._hollows(height[0].double().numpy() * 100).mean()
    assert after < 0.5 * before
    assert float(height.max() - height.min()) == pytest.approx(relief, rel=0.2)


@pytest.mark.parametrize("phase", [(0, 0), (0, 1), (1, 0)])
def test_a_trace_of_period_two_is_seen_in_the_nets_own_grid_and_pulled_away(phase: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    even = (np.arange(SIDE) + phase[1]) % 2 == 0
    land = slope_land() + rng.normal(size=(SIDE, SIDE)) * np.where(even, 3.0, 1.0)
    rules = Laws(windows(land))
    height = tensor(land)
    rules.pull(height, torch.ones_like(height), phase)
    assert float(rules._unlike[1]) > 0.1, "columns differ, the even ones bend more"
    assert abs(float(rules._unlike[0])) < 0.1, "rows do not"
    seen = abs(float(rules._unlike[1]))
    for _ in range(150):
        pull = rules.pull(height, torch.ones_like(height), phase)
        height = height - 0.003 * pull
    fresh = Laws(windows(land))
    fresh.pull(height, torch.ones_like(height), phase)
    assert abs(float(fresh._unlike[1])) < 0.6 * seen


def test_the_pull_neither_raises_nor_lowers_relief() -> None:
    height = tensor(hollow_land())
    rules = Laws(windows(slope_land() + np.random.default_rng(1).normal(size=(SIDE, SIDE)) * 4))
    pull = rules.pull(height, torch.ones_like(height), (0, 0))
    assert float(pull.norm()) > 0
    form = height - height.mean()
    assert abs(float((pull * form).sum())) < 1e-3 * float(pull.norm() * form.norm())
