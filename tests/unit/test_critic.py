"""The critic: what it is shown of land, and that no patch's score depends on another's."""

import pytest
import torch
from torch.nn import functional as F

from small_loom import small_table
from worldloom.worldgen.gan.critic import Critic, senses
from worldloom.worldgen.gan.model import HEIGHT_UNIT


def fields(count: int, size: int, smooth: int) -> torch.Tensor:
    torch.manual_seed(7)
    drawn = F.avg_pool2d(torch.randn(count, 1, size + smooth - 1, size + smooth - 1), smooth, 1)
    return drawn / drawn.std()


def test_senses_are_height_slopes_and_curvature() -> None:
    at = torch.arange(32.0) - 15.5
    scale = 1 / (HEIGHT_UNIT * 0.5)
    land = ((0.25 * at[None, :] - 0.125 * at[:, None] + 0.01 * at[None, :] ** 2) * scale)[None, None]
    seen = senses(land, torch.tensor([0.5]))
    assert seen.shape == (1, 4, 30, 30)
    inner = at[1:-1]
    height, east, south, bend = seen[0]
    assert torch.allclose(height, (land - land.mean())[0, 0, 1:-1, 1:-1], atol=1e-5)
    assert torch.allclose(east, torch.asinh(8 * (0.25 + 0.02 * inner)).expand(30, 30), atol=1e-4)
    assert torch.allclose(south, torch.asinh(torch.tensor(-1.0)).expand(30, 30), atol=1e-4)
    assert torch.allclose(bend, torch.asinh(torch.tensor(0.32)).expand(30, 30), atol=1e-3)


def test_a_patch_that_lies_higher_looks_the_same() -> None:
    land, slope = fields(2, 32, 5), torch.tensor([0.3, 0.6])
    assert torch.allclose(senses(land + 40.0, slope), senses(land, slope), atol=1e-2)


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
