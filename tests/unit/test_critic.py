"""The critic: what it is shown of land, and that no patch's score depends on another's."""

import heapq

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional as F

from small_loom import small_table
from worldloom.worldgen.gan.critic import Critic, filled, senses
from worldloom.worldgen.gan.model import HEIGHT_UNIT

F32 = npt.NDArray[np.float32]


def flooded(ground: F32) -> F32:
    """Hollows filled by a heap: water comes in over the border, the lowest first (Barnes et al. 2014)."""
    water = ground.copy()
    done = np.zeros(ground.shape, bool)
    done[[0, -1]] = done[:, [0, -1]] = True
    heap = [(float(ground[at]), *at) for at in map(tuple, np.argwhere(done))]
    heapq.heapify(heap)
    while heap:
        level, row, column = heapq.heappop(heap)
        for r in range(max(row - 1, 0), min(row + 2, len(ground))):
            for c in range(max(column - 1, 0), min(column + 2, len(ground[0]))):
                if not done[r, c]:
                    done[r, c] = True
                    water[r, c] = max(level, ground[r, c])
                    heapq.heappush(heap, (float(water[r, c]), r, c))
    return water


def fields(count: int, size: int, smooth: int) -> torch.Tensor:
    torch.manual_seed(7)
    drawn = F.avg_pool2d(torch.randn(count, 1, size + smooth - 1, size + smooth - 1), smooth, 1)
    return drawn / drawn.std()


@pytest.mark.parametrize("smooth", [1, 5, 12])
def test_hollows_are_filled_as_a_flood_fills_them(smooth: int) -> None:
    land = fields(3, 40, smooth)
    found = filled(land)
    for patch, water in zip(land[:, 0].numpy(), found[:, 0].numpy(), strict=True):
        assert np.array_equal(water, flooded(patch))
    assert bool((found > land).any())


def test_a_bowl_is_filled_to_its_rim_and_a_slope_not_at_all() -> None:
    at = torch.arange(-20.0, 21.0)
    bowl = (at[None, :] ** 2 + at[:, None] ** 2)[None, None]
    assert float(filled(bowl)[0, 0, 20, 20]) == 400.0
    slope = (at[None, :] + 0.5 * at[:, None])[None, None].contiguous()
    assert torch.equal(filled(slope), slope)


def test_senses_are_height_slopes_curvature_and_hollows() -> None:
    at = torch.arange(32.0) - 15.5
    scale = 1 / (HEIGHT_UNIT * 0.5)
    land = ((0.25 * at[None, :] - 0.125 * at[:, None] + 0.01 * at[None, :] ** 2) * scale)[None, None]
    seen = senses(land, torch.tensor([0.5]))
    assert seen.shape == (1, 5, 30, 30)
    inner = at[1:-1]
    height, east, south, bend, hollow = seen[0]
    assert torch.allclose(height, (land - land.mean())[0, 0, 1:-1, 1:-1], atol=1e-5)
    assert torch.allclose(east, torch.asinh(8 * (0.25 + 0.02 * inner)).expand(30, 30), atol=1e-4)
    assert torch.allclose(south, torch.asinh(torch.tensor(-1.0)).expand(30, 30), atol=1e-4)
    assert torch.allclose(bend, torch.asinh(torch.tensor(0.32)).expand(30, 30), atol=1e-3)
    assert float(hollow.abs().max()) == 0


def test_hollows_are_shown_as_much_as_is_said() -> None:
    land, slope = fields(2, 32, 5), torch.tensor([0.3, 0.6])
    whole, half, none = (senses(land, slope, part) for part in (1.0, 0.5, 0.0))
    assert torch.equal(whole[:, :4], none[:, :4])
    assert bool((whole[:, 4] > 0).any())
    assert float(none[:, 4].abs().max()) == 0
    assert torch.allclose(torch.sinh(whole[:, 4]), 2 * torch.sinh(half[:, 4]), rtol=1e-4, atol=1e-5)


def test_a_patch_that_lies_higher_looks_the_same() -> None:
    land, slope = fields(2, 32, 5), torch.tensor([0.3, 0.6])
    assert torch.allclose(senses(land + 40.0, slope), senses(land, slope), atol=1e-2)


def test_a_hollow_is_mended_by_raising_its_ground() -> None:
    at = torch.arange(-8.0, 9.0)
    pitted = (0.1 * at[None, :] + 0.05 * at[:, None])[None, None].contiguous()
    pitted[0, 0, 8, 8] -= 0.2
    pitted.requires_grad_()
    (gradient,) = torch.autograd.grad(senses(pitted, torch.tensor([0.1]))[0, 4, 7, 7], pitted)
    assert int(torch.argmin(gradient)) == 8 * 17 + 8
    assert float(gradient[0, 0, 8, 8]) < -1


@pytest.mark.slow
def test_no_patchs_score_depends_on_another() -> None:
    torch.manual_seed(3)
    critic = Critic().eval()
    slope = torch.full((6,), 0.4)
    told = torch.from_numpy(small_table()[:6])
    land = fields(6, 64, 5)
    other = land.clone()
    other[1:] = 5 * land[1:].flip(2)
    with torch.no_grad():
        scores, again = critic(senses(land, slope), told), critic(senses(other, slope), told)
        alone = critic(senses(land[:1], slope[:1]), told[:1])
        elsewhere = critic(senses(land, slope), told.flip(0))
    assert scores.shape == (6,)
    assert float(scores[0]) == float(again[0])
    assert bool((scores[1:] != again[1:]).all())
    assert torch.allclose(alone[0], scores[0], atol=1e-4)
    assert not torch.allclose(elsewhere, scores, atol=1e-3), "conditions count"
